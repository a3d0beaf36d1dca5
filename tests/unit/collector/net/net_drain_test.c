/* The end of a net, seen by clients that are quiet, on their way, in the queue, or late. */
#include "collector/net/net_internal.h"
#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define LONG_MS 20000u /* no test waits for it */

/* The loop's thread stays in the handler of /stay until the test lets it go: nothing is accepted or read meanwhile. */
struct server {
    struct net *net;
    struct counters counters;
    struct net_route routes[2];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool is_inside, may_go;
    pthread_t stopper;
    unsigned drain_ms;
};

static void handle_now(void *context, struct net_exchange *exchange)
{
    (void)context;
    net_reply_status(exchange, 204);
}

static void handle_stay(void *context, struct net_exchange *exchange)
{
    struct server *self = context;
    pthread_mutex_lock(&self->lock);
    self->is_inside = true;
    pthread_cond_broadcast(&self->changed);
    while (!self->may_go)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
    net_reply_status(exchange, 204);
}

static void server_start(struct server *self, int socket)
{
    char error[256];
    *self = (struct server){
        .routes = {{NET_POST, "/now", handle_now, NULL, 100}, {NET_POST, "/stay", handle_stay, self, 100}}};
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    self->net = net_start(&(struct net_options){.listen = "127.0.0.1:0",
                                                .socket = socket,
                                                .routes = self->routes,
                                                .route_count = 2,
                                                .counters = &self->counters},
                          error, sizeof error);
    assert_non_null(self->net);
}

static void server_wait_inside(struct server *self)
{
    pthread_mutex_lock(&self->lock);
    while (!self->is_inside)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

static void server_let_go(struct server *self)
{
    pthread_mutex_lock(&self->lock);
    self->may_go = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void *server_run_stop(void *context)
{
    struct server *self = context;
    net_stop(self->net, self->drain_ms);
    return NULL;
}

static void server_stop_aside(struct server *self, unsigned drain_ms)
{
    self->drain_ms = drain_ms;
    pthread_create(&self->stopper, NULL, server_run_stop, self);
}

static void server_join(struct server *self)
{
    pthread_join(self->stopper, NULL);
    assert_int_equal(counters_find(&self->counters, COUNTER_HTTP_CONNECTIONS), 0);
}

static void ask(struct http_client *client, const char *path)
{
    char text[128];
    snprintf(text, sizeof text, "POST %s HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi", path);
    http_client_send_text(client, text);
}

static void expect(struct http_client *client, const char *connection)
{
    struct http_reply reply;
    assert_true(http_client_read(client, &reply));
    assert_int_equal(reply.status, 204);
    assert_string_equal(http_reply_header(&reply, "Connection"), connection);
}

static void test_net_drain__a_quiet_client_may_send_once_more_and_is_told_to_close(void **state)
{
    (void)state;
    struct server server;
    struct http_client client, spare;
    server_start(&server, 0);
    http_client_open(&spare, net_port(server.net));
    http_client_open(&client, net_port(server.net));
    ask(&client, "/now");
    expect(&client, "");
    net_drain(server.net, LONG_MS);
    assert_true(http_client_at_end(&spare)); /* the older one: the loop has looked at both */
    http_client_close(&spare);
    ask(&client, "/now");
    expect(&client, "close");
    assert_true(http_client_at_end(&client));
    http_client_close(&client);
    net_settle(server.net);
    net_stop(server.net, 0);
}

static void test_net_drain__who_comes_meanwhile_is_served(void **state)
{
    (void)state;
    struct server server;
    struct http_client client;
    server_start(&server, 0);
    net_drain(server.net, LONG_MS);
    net_settle(server.net);
    for (int i = 0; i < 3; i++) {
        http_client_open(&client, net_port(server.net));
        ask(&client, "/now");
        expect(&client, "close");
        assert_true(http_client_at_end(&client));
        http_client_close(&client);
    }
    net_stop(server.net, 0);
}

static void test_net_drain__what_was_pipelined_is_answered_to_the_last(void **state)
{
    (void)state;
    struct server server;
    struct http_client client, blocker;
    server_start(&server, 0);
    http_client_open(&client, net_port(server.net));
    ask(&client, "/now");
    expect(&client, "");
    http_client_open(&blocker, net_port(server.net));
    ask(&blocker, "/stay");
    server_wait_inside(&server);
    ask(&client, "/now");
    ask(&client, "/now");
    ask(&client, "/now");
    net_drain(server.net, LONG_MS);
    server_let_go(&server);
    expect(&client, "");
    expect(&client, "");
    expect(&client, "close");
    expect(&blocker, "close");
    http_client_close(&client);
    http_client_close(&blocker);
    net_stop(server.net, 0);
}

static void test_net_drain__who_waits_to_be_accepted_is_served_before_the_listener_closes(void **state)
{
    (void)state;
    struct server server;
    struct http_client blocker, client[20];
    server_start(&server, 0);
    http_client_open(&blocker, net_port(server.net));
    ask(&blocker, "/stay");
    server_wait_inside(&server);
    for (int i = 0; i < 20; i++) {
        http_client_open(&client[i], net_port(server.net));
        ask(&client[i], "/now");
    }
    atomic_store(&server.net->stop,
                 true); /* the loop wakes to drain and stop at once: there is no time to accept before */
    server_stop_aside(&server, LONG_MS);
    while (!atomic_load(&server.net->draining))
        sched_yield();
    server_let_go(&server);
    for (int i = 0; i < 20; i++)
        expect(&client[i], "close");
    for (int i = 0; i < 20; i++)
        http_client_close(&client[i]);
    expect(&blocker, "close");
    http_client_close(&blocker);
    server_join(&server);
}

static int listen_anywhere(unsigned *port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    int file = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(file, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(file, 64), 0);
    getsockname(file, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return file;
}

static void test_net_drain__the_queue_of_an_inherited_socket_is_left_to_the_successor(void **state)
{
    (void)state;
    struct server server, successor;
    struct http_client client;
    unsigned port;
    int file = listen_anywhere(&port);
    server_start(&server, file);
    net_stop(server.net, LONG_MS);
    http_client_open(&client, port);
    ask(&client, "/now");
    server_start(&successor, file);
    expect(&client, "");
    http_client_close(&client);
    net_stop(successor.net, LONG_MS);
    close(file);
}

static void test_net_drain__a_client_that_never_sends_is_ended_and_not_reset(void **state)
{
    (void)state;
    struct server server;
    struct http_client client;
    char byte;
    server_start(&server, 0);
    http_client_open(&client, net_port(server.net));
    while (counters_find(&server.counters, COUNTER_HTTP_CONNECTIONS) < 1)
        sched_yield();
    server_stop_aside(&server, LONG_MS);
    assert_int_equal(recv(client.file, &byte, 1, 0), 0);
    http_client_close(&client);
    server_join(&server);
}

static void test_net_drain__a_client_of_unknown_habit_is_let_go_after_half_of_the_time(void **state)
{
    (void)state;
    struct server server;
    struct http_client client;
    server_start(&server, 0);
    http_client_open(&client, net_port(server.net));
    ask(&client, "/now");
    expect(&client, "");
    net_drain(server.net, 200);
    net_settle(server.net);
    assert_true(http_client_at_end(&client));
    http_client_close(&client);
    net_stop(server.net, 0);
}

static void test_net_drain__a_request_that_has_begun_is_waited_for(void **state)
{
    (void)state;
    struct server server;
    struct http_client client, idle;
    server_start(&server, 0);
    http_client_open(&client, net_port(server.net));
    http_client_send_text(&client, "POST /now HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n");
    http_client_open(&idle, net_port(server.net)); /* its end shows that the loop has looked */
    while (counters_find(&server.counters, COUNTER_HTTP_CONNECTIONS) < 2)
        sched_yield();
    server_stop_aside(&server, LONG_MS);
    assert_true(http_client_at_end(&idle));
    http_client_close(&idle);
    http_client_send_text(&client, "hi");
    expect(&client, "close");
    http_client_close(&client);
    server_join(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_drain__a_quiet_client_may_send_once_more_and_is_told_to_close),
        cmocka_unit_test(test_net_drain__who_comes_meanwhile_is_served),
        cmocka_unit_test(test_net_drain__what_was_pipelined_is_answered_to_the_last),
        cmocka_unit_test(test_net_drain__who_waits_to_be_accepted_is_served_before_the_listener_closes),
        cmocka_unit_test(test_net_drain__the_queue_of_an_inherited_socket_is_left_to_the_successor),
        cmocka_unit_test(test_net_drain__a_client_that_never_sends_is_ended_and_not_reset),
        cmocka_unit_test(test_net_drain__a_client_of_unknown_habit_is_let_go_after_half_of_the_time),
        cmocka_unit_test(test_net_drain__a_request_that_has_begun_is_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
