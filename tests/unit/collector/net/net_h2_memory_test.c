/*
 * Every allocation of an HTTP/2 connection fails once, ours (tests/support/failing_malloc.h) and nghttp2's, which is
 * given the same functions when its session is made. Whatever fails: nothing leaks, nothing hangs in a
 * list, and what the loop counts comes back to zero.
 */
#include "collector/net/net_h2.h"
#include "tests/support/failing_malloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define FAILURES_MAX 10000L

int __wrap_nghttp2_session_server_new2(nghttp2_session **session, const nghttp2_session_callbacks *callbacks,
                                       void *context, const nghttp2_option *option);

static void *mem_malloc(size_t size, void *context)
{
    (void)context;
    return malloc(size);
}

static void *mem_calloc(size_t count, size_t size, void *context)
{
    (void)context;
    return calloc(count, size);
}

static void *mem_realloc(void *old, size_t size, void *context)
{
    (void)context;
    return realloc(old, size);
}

static void mem_free(void *old, void *context)
{
    (void)context;
    free(old);
}

int __wrap_nghttp2_session_server_new2(nghttp2_session **session, const nghttp2_session_callbacks *callbacks,
                                       void *context, const nghttp2_option *option)
{
    static nghttp2_mem mem = {NULL, mem_malloc, mem_free, mem_calloc, mem_realloc};
    return nghttp2_session_server_new3(session, callbacks, context, option, &mem);
}

struct stage {
    struct counters counters;
    struct memory memory;
    struct net net;
    struct net_loop loop;
    struct net_connection connection;
    struct net_exchange *held;
    unsigned requests;
};

static struct stage stage;

static void handle(void *context, struct net_exchange *exchange)
{
    (void)context;
    if (stage.requests++ == 0)
        stage.held = exchange;
    else
        net_reply(exchange, &(struct net_answer){
                                .status = 200, .content_type = "text/plain", .body = net_exchange_body(exchange)});
}

static void answer_held(void)
{
    struct net_exchange *held = stage.held;
    stage.held = NULL;
    if (held != NULL)
        net_reply_error(held, 503, "busy", "Later.");
}

/* The loop and its hosts are not what is tested: they are made before anything fails. */
static bool stage_open(long failure)
{
    static const struct net_route routes[] = {{NET_GET | NET_POST, "/", handle, NULL, 1000}};
    memset(&stage, 0, sizeof stage);
    memory_init(&stage.memory, 64u << 20);
    stage.net.options = (struct net_options){.listen = "127.0.0.1:1",
                                             .routes = routes,
                                             .route_count = 1,
                                             .counters = &stage.counters,
                                             .memory = &stage.memory,
                                             .head_timeout_ms = 1000,
                                             .request_timeout_ms = 1000};
    stage.loop.net = &stage.net;
    stage.connection.loop = &stage.loop;
    assert_true(net_hosts_init(&stage.net.hosts, &stage.net.options));
    assert_int_equal(uv_loop_init(&stage.loop.uv), 0);
    assert_true(net_h2_prepare(&stage.net));
    failing_malloc_arm(failure);
    return net_h2_open(&stage.connection);
}

static void stage_close(void)
{
    if (stage.connection.h2 != NULL)
        net_h2_close(stage.connection.h2);
    answer_held();
    failing_malloc_disarm();
    assert_int_equal(stage.loop.lent, 0);
    assert_int_equal(stage.loop.exchange_count, 0);
    assert_int_equal(stage.net.h2_count, 0);
    assert_null(stage.loop.h2_due);
    net_exchange_free_spare(&stage.loop);
    net_hosts_release(&stage.net.hosts);
    memory_release(&stage.memory); /* asserts that all was given back */
    net_h2_release(&stage.net);
    assert_int_equal(uv_loop_close(&stage.loop.uv), 0);
}

/* POST / with six bytes in two frames, GET /nowhere, GET /, and a POST that expects to be told to go on. */
static const uint8_t client[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
                                "\0\0\0\4\0\0\0\0\0"
                                "\0\0\6\1\4\0\0\0\1\x83\x86\x84\x41\1x"
                                "\0\0\3\0\0\0\0\0\1one"
                                "\0\0\3\0\1\0\0\0\1two"
                                "\0\0\15\1\5\0\0\0\3\x82\x86\4\10/nowhere\xbe"
                                "\0\0\4\1\5\0\0\0\5\x82\x86\x84\xbe"
                                "\0\0\23\1\4\0\0\0\7\x83\x86\x84\xbe\17\24\014100-continue"
                                "\0\0\2\0\1\0\0\0\7hi";

static void play(void)
{
    const uint8_t *out;
    nghttp2_session *session = stage.connection.h2->session;
    if (nghttp2_session_mem_recv(session, client, sizeof client - 1) < 0)
        return;
    while (nghttp2_session_mem_send(session, &out) > 0)
        continue;
    answer_held();
    while (nghttp2_session_mem_send(session, &out) > 0)
        continue;
}

static void test_net_h2_memory__connection_is_served_when_there_is_memory(void **state)
{
    (void)state;
    assert_true(stage_open(-1));
    play();
    assert_int_equal(stage.requests, 3);
    assert_int_equal(counters_find(&stage.counters, COUNTER_HTTP_REQUESTS), 4);
    assert_int_equal(counters_find(&stage.counters, COUNTER_HTTP_NOT_FOUND), 1);
    assert_int_equal(stage.connection.h2->stream_count, 0);
    stage_close();
}

static void test_net_h2_memory__every_allocation_may_fail(void **state)
{
    (void)state;
    long failure = 0;
    do {
        if (stage_open(failure))
            play();
        stage_close();
    } while (failing_malloc_has_failed() && ++failure < FAILURES_MAX);
    assert_in_range(failure, 20, FAILURES_MAX - 1); /* so many there are at least */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_h2_memory__connection_is_served_when_there_is_memory),
        cmocka_unit_test(test_net_h2_memory__every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
