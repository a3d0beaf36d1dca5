/* What clients may take of the memory budget, what is answered when it is gone, and connections that are told to wait. */
#include "collector/net/net.h"

#include "tests/support/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define BODY_MAX 200000u
#define PAUSE_MS 3000u

struct server {
    struct net *net;
    struct memory memory;
    struct counters counters;
    struct net_route route[2];
    _Atomic unsigned refused;
};

static void no_content(void *context, struct net_exchange *exchange)
{
    (void)context;
    net_reply_status(exchange, 204);
}

static void come_later(void *context, struct net_exchange *exchange)
{
    struct server *self = context;
    atomic_fetch_add(&self->refused, 1);
    net_reply(exchange, &(struct net_answer){.status = 503, .pause_ms = PAUSE_MS});
}

static void server_start(struct server *self, uint64_t budget)
{
    char error[256];
    *self = (struct server){.route = {{NET_POST, "/none", no_content, NULL, BODY_MAX},
                                      {NET_POST, "/later", come_later, self, BODY_MAX}}};
    memory_init(&self->memory, budget);
    memory_divide(&self->memory);
    self->net = net_start(&(struct net_options){.listen = "127.0.0.1:0",
                                                .routes = self->route,
                                                .route_count = 2,
                                                .counters = &self->counters,
                                                .memory = &self->memory},
                          error, sizeof error);
    assert_non_null(self->net);
}

/* Every byte that clients took has come back. */
static void server_stop(struct server *self)
{
    net_stop(self->net, 1000);
    memory_release(&self->memory);
}

static void send_body(struct http_client *client, size_t size)
{
    static const char zeros[BODY_MAX];
    char head[128];
    snprintf(head, sizeof head, "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n\r\n", size);
    http_client_send_text(client, head);
    http_client_send(client, zeros, size);
}

static void expect_status(struct http_client *client, int status)
{
    struct http_reply reply;
    assert_true(http_client_read(client, &reply));
    assert_int_equal(reply.status, status);
}

static void test_net__a_body_that_memory_does_not_hold_is_503_and_the_next_that_it_holds_is_taken(void **state)
{
    (void)state;
    struct server server;
    struct http_client client;
    struct http_reply reply;
    server_start(&server, 256u << 10); /* half of it for bodies */
    http_client_open(&client, net_port(server.net));
    send_body(&client, 100000);
    expect_status(&client, 204);
    send_body(&client, 150000);
    assert_true(http_client_read(&client, &reply));
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.body, "\"memory\""));
    assert_in_range(strtoul(http_reply_header(&reply, "Retry-After"), NULL, 10), 1, 5);
    http_client_close(&client);
    http_client_open(&client, net_port(server.net));
    send_body(&client, 100000);
    expect_status(&client, 204);
    http_client_close(&client);
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP_BUSY), 1);
    assert_true(atomic_load(&server.memory.row[MEMORY_BODIES].peak) <= server.memory.row[MEMORY_BODIES].most);
    server_stop(&server);
}

static void test_net__a_length_that_was_only_announced_takes_no_memory(void **state)
{
    (void)state;
    struct server server;
    struct http_client client;
    server_start(&server, 8u << 20);
    http_client_open(&client, net_port(server.net));
    http_client_send_text(&client, "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 190000\r\n\r\nabc");
    while (memory_used(&server.memory, MEMORY_BODIES) == 0) /* the test's own time limit ends it otherwise */
        usleep(1000);
    assert_true(memory_used(&server.memory, MEMORY_BODIES) <= 1024);
    http_client_close(&client);
    server_stop(&server);
}

#define CROWD 200u

static void test_net__who_finds_no_memory_for_a_connection_waits_and_is_served_when_others_have_gone(void **state)
{
    (void)state;
    static struct http_client crowd[CROWD];
    struct server server;
    server_start(&server, 48u << 10);
    for (unsigned i = 0; i < CROWD; i++)
        http_client_open(&crowd[i], net_port(server.net));
    while (atomic_load(&server.memory.row[MEMORY_CONNECTIONS].refused) == 0)
        usleep(1000);
    assert_true(counters_find(&server.counters, COUNTER_HTTP_CONNECTIONS) < CROWD);
    for (unsigned i = 0; i + 1 < CROWD; i++)
        http_client_close(&crowd[i]);
    send_body(&crowd[CROWD - 1], 10);
    expect_status(&crowd[CROWD - 1], 204);
    http_client_close(&crowd[CROWD - 1]);
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP_FULL), 0);
    server_stop(&server);
}

static void test_net__a_client_that_is_told_to_wait_is_not_read_from_and_then_served_in_order(void **state)
{
    (void)state;
    static const char later[] = "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
    static const char now[] = "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi";
    struct server server;
    struct http_client hasty, other;
    char both[sizeof later + sizeof now];
    server_start(&server, 8u << 20);
    http_client_open(&hasty, net_port(server.net));
    http_client_open(&other, net_port(server.net));
    snprintf(both, sizeof both, "%s%s", later, now);
    http_client_send_text(&hasty, later);
    expect_status(&hasty, 503);
    http_client_send_text(&hasty, both); /* at once, and pipelined */
    for (unsigned i = 0; i < 20; i++) {
        http_client_send_text(&other, now);
        expect_status(&other, 204);
    }
    assert_int_equal(atomic_load(&server.refused), 1);
    expect_status(&hasty, 503);
    expect_status(&hasty, 204);
    assert_int_equal(atomic_load(&server.refused), 2);
    http_client_close(&hasty);
    http_client_close(&other);
    server_stop(&server);
}

static void test_net__a_client_that_is_told_to_wait_may_leave(void **state)
{
    (void)state;
    struct server server;
    struct http_client hasty;
    server_start(&server, 8u << 20);
    http_client_open(&hasty, net_port(server.net));
    http_client_send_text(&hasty, "POST /later HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    expect_status(&hasty, 503);
    http_client_close(&hasty);
    server_stop(&server); /* and the stop does not wait for the pause */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net__a_body_that_memory_does_not_hold_is_503_and_the_next_that_it_holds_is_taken),
        cmocka_unit_test(test_net__a_length_that_was_only_announced_takes_no_memory),
        cmocka_unit_test(test_net__who_finds_no_memory_for_a_connection_waits_and_is_served_when_others_have_gone),
        cmocka_unit_test(test_net__a_client_that_is_told_to_wait_is_not_read_from_and_then_served_in_order),
        cmocka_unit_test(test_net__a_client_that_is_told_to_wait_may_leave),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
