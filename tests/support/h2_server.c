/* A net with handlers that echo, hold and answer much, and one HTTP/2 client of it. */
#include "tests/support/h2_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct h2_server h2_server;
static uint8_t bytes[H2_SERVER_LARGE_BYTES];

static void echo(void *context, struct net_exchange *exchange)
{
    (void)context;
    struct slice path = net_exchange_path(exchange), query = net_exchange_query(exchange),
                 body = net_exchange_body(exchange), host = net_exchange_header(exchange, "Host"),
                 test = net_exchange_header(exchange, "X-Test");
    char text[3000];
    int size = snprintf(text, sizeof text, "%.*s|%.*s|%.*s|%.*s|%zu|%.*s", (int)host.size, (const char *)host.data,
                        (int)path.size, (const char *)path.data, (int)query.size, (const char *)query.data,
                        (int)test.size, (const char *)test.data, body.size, (int)body.size, (const char *)body.data);
    if (size >= (int)sizeof text)
        size = (int)sizeof text - 1;
    const struct net_header headers[] = {{"X-Answer", "Yes"}};
    net_reply(exchange, &(struct net_answer){.status = 200,
                                             .content_type = "text/plain",
                                             .body = slice_of(text, (size_t)size),
                                             .headers = headers,
                                             .header_count = 1});
}

static void nothing(void *context, struct net_exchange *exchange)
{
    (void)context;
    net_reply_status(exchange, 204);
}

static void large(void *context, struct net_exchange *exchange)
{
    struct h2_server *self = context;
    pthread_mutex_lock(&self->lock);
    self->large_count++;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    net_reply(exchange, &(struct net_answer){
                            .status = 200, .content_type = "text/plain", .body = slice_of(bytes, sizeof bytes)});
}

static void on_woken(struct net_exchange *exchange, void *context)
{
    struct h2_server *self = context;
    pthread_mutex_lock(&self->lock);
    self->woken++;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    net_reply_status(exchange, 204);
}

static void hold(void *context, struct net_exchange *exchange)
{
    struct h2_server *self = context;
    net_exchange_on_wake(exchange, on_woken, self);
    pthread_mutex_lock(&self->lock);
    self->held[self->held_count++] = exchange;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

void h2_server_wait(const unsigned *value, unsigned wanted)
{
    pthread_mutex_lock(&h2_server.lock);
    while (*value < wanted)
        pthread_cond_wait(&h2_server.changed, &h2_server.lock);
    pthread_mutex_unlock(&h2_server.lock);
}

void h2_server_start(const struct net_options *options)
{
    static const struct net_route routes[] = {
        {NET_GET | NET_HEAD | NET_POST, "/echo", echo, NULL, H2_SERVER_BODY_MAX},
        {NET_POST, "/none", nothing, NULL, H2_SERVER_BODY_MAX},
        {NET_GET, "/large", large, &h2_server, 0},
        {NET_GET | NET_POST, "/hold", hold, &h2_server, H2_SERVER_BODY_MAX},
        {NET_POST, "/big", echo, NULL, 1u << 20},
        {NET_GET, "/tree/*", echo, NULL, 0},
    };
    char error[256] = "";
    struct net_options whole = *options;
    memcpy(h2_server.routes, routes, sizeof routes);
    whole.listen = "127.0.0.1:0";
    whole.routes = h2_server.routes;
    whole.route_count = sizeof routes / sizeof routes[0];
    whole.counters = &h2_server.counters;
    h2_server.net = net_start(&whole, error, sizeof error);
    if (h2_server.net == NULL)
        fail_msg("%s", error);
    h2_client_open(&h2_server.client, net_port(h2_server.net));
}

int h2_server_setup(void **state)
{
    (void)state;
    memset(&h2_server, 0, sizeof h2_server);
    pthread_mutex_init(&h2_server.lock, NULL);
    pthread_cond_init(&h2_server.changed, NULL);
    return 0;
}

int h2_server_setup_default(void **state)
{
    h2_server_setup(state);
    h2_server_start(&(struct net_options){.threads = 2});
    return 0;
}

int h2_server_teardown(void **state)
{
    (void)state;
    h2_client_close(&h2_server.client);
    if (h2_server.net != NULL)
        net_stop(h2_server.net, 1000);
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP_CONNECTIONS), 0);
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP2_CONNECTIONS), 0);
    return 0;
}

void h2_server_expect_answer(struct h2_client_request *request, int status, const char *body)
{
    assert_true(h2_client_wait(&h2_server.client, request));
    assert_int_equal(request->status, status);
    if (body != NULL) {
        assert_int_equal(request->answer.size, strlen(body));
        assert_memory_equal(request->answer.data, body, strlen(body));
    }
    h2_client_release(request);
}

void h2_server_expect(struct h2_client_request *request, int status, const char *body)
{
    h2_client_start(&h2_server.client, request);
    h2_server_expect_answer(request, status, body);
}

void h2_server_expect_alive(void)
{
    struct h2_client_request request = {.path = "/echo?alive"};
    h2_server_expect(&request, 200, "x|/echo|alive||0|");
}
