/* How streams and connections of HTTP/2 begin and end: late, unread, idle, at a stop, by the preface. */
#include "tests/support/h2_server.h"
#include "tests/support/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

static void test_net_h2_end__slow_late_and_unread_streams_end_alone(void **state)
{
    (void)state;
    h2_server_start(&(struct net_options){.request_timeout_ms = 200, .head_timeout_ms = 100, .idle_timeout_ms = 100,
                                .body_grace_ms = 20, .body_bytes_per_second_min = 1u << 20});
    const nghttp2_settings_entry shut = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
    struct h2_client_request held = {.path = "/hold"}, slow = {.method = "POST", .path = "/echo", .open = true},
                             unread = {.path = "/echo"};
    h2_client_start(&h2_server.client, &held);
    h2_server_wait(&h2_server.held_count, 1);
    h2_server_expect(&slow, 408, "{\"error\":{\"code\":\"timeout\",\"message\":\"The body comes too slowly.\"}}");
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP_SLOW_BODY), 1);
    nghttp2_submit_settings(h2_server.client.session, NGHTTP2_FLAG_NONE, &shut, 1);
    assert_true(h2_client_run(&h2_server.client, &unread));
    assert_int_equal(unread.reset, NGHTTP2_CANCEL);
    assert_int_equal(unread.status, 200);
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP_TIMEOUT), 1);
    assert_false(held.closed); /* a stage of ours has it: no time runs */
    net_exchange_wake(h2_server.held[0]);
    h2_server_expect_answer(&held, 204, "");
}

static void test_net_h2_end__late_body_is_408_and_an_endless_head_ends_the_connection(void **state)
{
    (void)state;
    h2_server_start(&(struct net_options){.request_timeout_ms = 60, .head_timeout_ms = 40, .idle_timeout_ms = 40});
    struct h2_client_request late = {.method = "POST", .path = "/echo", .open = true};
    uint8_t frame[32];
    h2_server_expect(&late, 408, "{\"error\":{\"code\":\"timeout\",\"message\":\"The request took too long.\"}}");
    size_t size = h2_frame(frame, NGHTTP2_HEADERS, 0, late.id + 2, slice_of("\x82", 1));
    h2_client_send(&h2_server.client, frame, size);
    h2_client_wait_end(&h2_server.client);
    assert_int_equal(h2_server.client.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP_TIMEOUT), 2);
}

static void test_net_h2_end__idle_connection_hears_goaway_and_is_closed(void **state)
{
    (void)state;
    h2_server_start(&(struct net_options){.idle_timeout_ms = 40});
    h2_client_wait_end(&h2_server.client);
    assert_int_equal(h2_server.client.goaways, 1); /* with nothing open, nghttp2 does not look at the second one */
    assert_int_equal(h2_server.client.goaway_error, NGHTTP2_NO_ERROR);
}

static void *stop_slowly(void *net)
{
    net_stop(net, 10000);
    return NULL;
}

/* The request that crosses the first GOAWAY is answered too. */
static void test_net_h2_end__stop_finishes_the_streams_under_way(void **state)
{
    (void)state;
    pthread_t thread;
    struct net *net = h2_server.net;
    struct h2_client_request held = {.path = "/hold"};
    h2_client_start(&h2_server.client, &held);
    h2_server_wait(&h2_server.held_count, 1);
    h2_server.net = NULL;
    pthread_create(&thread, NULL, stop_slowly, net);
    uint8_t frame[64], block[64];
    size_t size = 0;
    while (h2_server.client.goaways == 0) { /* read by hand: nothing is acknowledged before the request is out */
        uint8_t data[4096];
        ssize_t got = recv(h2_server.client.file, data, sizeof data, 0);
        assert_true(got > 0 && nghttp2_session_mem_recv(h2_server.client.session, data, (size_t)got) >= 0);
    }
    assert_int_equal(h2_server.client.goaway_last, INT32_MAX);
    memcpy(block, "\x82\x86\x41\x01x\x04\x05/hold", 12);
    size = h2_frame(frame, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, held.id + 2,
                    slice_of(block, 12));
    h2_client_send(&h2_server.client, frame, size);
    h2_client_flush(&h2_server.client); /* and now the acknowledgement of the PING */
    h2_server_wait(&h2_server.held_count, 2);
    net_exchange_wake(h2_server.held[0]);
    net_exchange_wake(h2_server.held[1]);
    assert_true(h2_client_wait(&h2_server.client, &held));
    assert_int_equal(held.status, 204);
    h2_client_wait_end(&h2_server.client);
    assert_int_equal(h2_server.client.goaways, 2);
    assert_int_equal(h2_server.client.goaway_last, held.id + 2);
    pthread_join(thread, NULL);
}

static void test_net_h2_end__preface_may_come_byte_by_byte_but_only_first(void **state)
{
    (void)state;
    struct http_client old;
    struct http_reply reply;
    uint8_t beginning[H2_PREFACE_BYTES + 9], settings[9];
    memcpy(beginning, H2_PREFACE, H2_PREFACE_BYTES);
    h2_frame(beginning + H2_PREFACE_BYTES, NGHTTP2_SETTINGS, 0, 0, slice_of(NULL, 0));
    http_client_open(&old, net_port(h2_server.net));
    for (size_t i = 0; i < sizeof beginning; i++)
        http_client_send(&old, &beginning[i], 1);
    assert_int_equal(recv(old.file, settings, sizeof settings, MSG_WAITALL), sizeof settings);
    assert_int_equal(settings[3], NGHTTP2_SETTINGS);
    http_client_close(&old);
    http_client_open(&old, net_port(h2_server.net));
    http_client_send_text(&old, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n" NGHTTP2_CLIENT_MAGIC);
    assert_true(http_client_read(&old, &reply));
    assert_int_equal(reply.status, 200);
    assert_true(http_client_read(&old, &reply));
    assert_int_equal(reply.status, 400);
    assert_true(http_client_at_end(&old));
    http_client_close(&old);
}

static void test_net_h2_end__upgrade_is_not_offered(void **state)
{
    (void)state;
    struct http_client old;
    struct http_reply reply;
    http_client_open(&old, net_port(h2_server.net));
    http_client_send_text(&old, "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                                "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    assert_true(http_client_read(&old, &reply));
    assert_int_equal(reply.status, 200);
    assert_string_equal(http_reply_header(&reply, "Upgrade"), "");
    http_client_close(&old);
}

#define TEST(name)     cmocka_unit_test_setup_teardown(test_net_h2_end__##name, h2_server_setup_default, h2_server_teardown)
#define TEST_OWN(name) cmocka_unit_test_setup_teardown(test_net_h2_end__##name, h2_server_setup, h2_server_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_OWN(slow_late_and_unread_streams_end_alone),
        TEST_OWN(late_body_is_408_and_an_endless_head_ends_the_connection),
        TEST_OWN(idle_connection_hears_goaway_and_is_closed),
        TEST(stop_finishes_the_streams_under_way),
        TEST(preface_may_come_byte_by_byte_but_only_first),
        TEST(upgrade_is_not_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
