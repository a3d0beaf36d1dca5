/* Requests over HTTP/2 on real sockets: what they are answered, each on its own stream, whatever happens to the others. */
#include "tests/support/h2_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static uint8_t bytes[H2_SERVER_BODY_MAX + 1];

static void test_net_h2__request_is_answered_with_length_date_and_names_in_lower_case(void **state)
{
    (void)state;
    struct h2_client_request request = {
        .path = "/echo?a=1&b", .authority = "example.com:80", .fields = {{"x-test", "t"}, {NULL, NULL}}};
    assert_true(h2_client_run(&h2_server.client, &request));
    assert_string_equal(h2_client_header(&request, "content-length"), "31");
    assert_string_equal(h2_client_header(&request, "content-type"), "text/plain");
    assert_string_equal(h2_client_header(&request, "x-answer"), "Yes");
    assert_int_equal(strlen(h2_client_header(&request, "date")), strlen("Mon, 23 Nov 2026 00:00:00 GMT"));
    assert_string_equal(h2_client_header(&request, "connection"), "");
    h2_server_expect_answer(&request, 200, "example.com:80|/echo|a=1&b|t|0|");
}

static void test_net_h2__head_and_204_have_no_body(void **state)
{
    (void)state;
    struct h2_client_request head = {.method = "HEAD", .path = "/echo"},
                             post = {.method = "POST", .path = "/none", .body = slice_text("hi")};
    assert_true(h2_client_run(&h2_server.client, &head));
    assert_string_equal(h2_client_header(&head, "content-length"), "12");
    h2_server_expect_answer(&head, 200, "");
    assert_true(h2_client_run(&h2_server.client, &post));
    assert_string_equal(h2_client_header(&post, "content-length"), "");
    h2_server_expect_answer(&post, 204, "");
}

static void test_net_h2__bodies_of_many_streams_may_come_interleaved(void **state)
{
    (void)state;
    static struct h2_client_request request[50];
    char text[50][32], expected[96];
    for (int i = 0; i < 50; i++) {
        snprintf(text[i], sizeof text[i], "this is the body of %d", i);
        request[i] = (struct h2_client_request){.method = "POST", .path = "/echo", .open = true};
        h2_client_start(&h2_server.client, &request[i]);
    }
    for (size_t at = 0; at < 20; at += 5)
        for (int i = 0; i < 50; i++)
            h2_client_more(&h2_server.client, &request[i], slice_of(text[i] + at, 5), true);
    for (int i = 49; i >= 0; i--)
        h2_client_more(&h2_server.client, &request[i], slice_text(text[i] + 20), false);
    for (int i = 0; i < 50; i++) {
        snprintf(expected, sizeof expected, "x|/echo|||%zu|%s", strlen(text[i]), text[i]);
        h2_server_expect_answer(&request[i], 200, expected);
    }
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP_REQUESTS), 50);
}

static void test_net_h2__streams_are_answered_in_the_order_in_which_they_are_woken(void **state)
{
    (void)state;
    struct h2_client_request request[3];
    for (int i = 0; i < 3; i++) {
        request[i] = (struct h2_client_request){.method = "POST", .path = "/hold", .body = slice_text("x")};
        h2_client_start(&h2_server.client, &request[i]);
    }
    h2_server_wait(&h2_server.held_count, 3);
    h2_server_expect_alive();
    for (int i = 2; i >= 0; i--) {
        net_exchange_wake(h2_server.held[i]); /* from this thread, not the loop's */
        h2_server_expect_answer(&request[i], 204, "");
        assert_true(i == 0 || !request[i - 1].closed);
    }
}

static void test_net_h2__client_that_resets_or_leaves_before_the_wake_harms_nothing(void **state)
{
    (void)state;
    struct h2_client other = {0};
    struct h2_client_request request = {.path = "/hold"}, second = request;
    h2_client_start(&h2_server.client, &request);
    h2_server_wait(&h2_server.held_count, 1);
    h2_client_reset(&h2_server.client, &request);
    h2_server_expect_alive(); /* so the reset has been read */
    h2_client_open(&other, net_port(h2_server.net));
    h2_client_start(&other, &second);
    h2_server_wait(&h2_server.held_count, 2);
    h2_client_close(&other);
    net_exchange_wake(h2_server.held[0]);
    net_exchange_wake(h2_server.held[1]);
    h2_server_wait(&h2_server.woken, 2);
    h2_server_expect_alive();
}

/* A client that asks and resets, asks and resets, must not have more at work behind it than one that waits. */
static void test_net_h2__stream_that_was_reset_holds_its_place_until_its_handler_answers(void **state)
{
    (void)state;
    static struct h2_client_request request[NET_H2_STREAMS_MAX];
    struct h2_client_request late = {.path = "/hold"};
    for (unsigned i = 0; i < NET_H2_STREAMS_MAX; i++) {
        request[i] = (struct h2_client_request){.path = "/hold"};
        h2_client_start(&h2_server.client, &request[i]);
    }
    h2_server_wait(&h2_server.held_count, NET_H2_STREAMS_MAX);
    for (unsigned i = 0; i < NET_H2_STREAMS_MAX; i++)
        h2_client_reset(&h2_server.client, &request[i]);
    assert_true(h2_client_run(&h2_server.client, &late));
    assert_int_equal(late.reset, NGHTTP2_REFUSED_STREAM);
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP2_REFUSED), 1);
    net_exchange_wake(h2_server.held[0]);
    h2_server_wait(&h2_server.woken, 1);
    do { /* the wake is counted before the place is free */
        late = (struct h2_client_request){.path = "/echo"};
        assert_true(h2_client_run(&h2_server.client, &late));
        h2_client_release(&late);
    } while (late.reset == NGHTTP2_REFUSED_STREAM);
    assert_int_equal(late.status, 200);
    for (unsigned i = 1; i < NET_H2_STREAMS_MAX; i++)
        net_exchange_wake(h2_server.held[i]);
}

static void test_net_h2__body_over_the_limit_is_refused_before_it_is_whole(void **state)
{
    (void)state;
    struct h2_client_request declared = {.method = "POST",
                                         .path = "/echo",
                                         .open = true,
                                         .fields = {{"content-length", "1001"}, {NULL, NULL}}};
    struct h2_client_request sent = {.method = "POST", .path = "/echo", .open = true, .body = slice_of(bytes, 1001)};
    struct h2_client_request fits = {.method = "POST", .path = "/none", .body = slice_of(bytes, 1000)};
    struct h2_client_request on_get = {.path = "/tree/a", .body = slice_text("x")};
    h2_server_expect(&declared, 413, NULL);
    assert_int_equal(declared.reset, NGHTTP2_NO_ERROR);
    h2_server_expect(&sent, 413, "{\"error\":{\"code\":\"body_too_large\",\"message\":\"The body is over the limit.\"}}");
    assert_int_equal(sent.reset, NGHTTP2_NO_ERROR);
    h2_server_expect(&on_get, 413, NULL);
    h2_server_expect(&fits, 204, "");
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP_BODY_TOO_LARGE), 3);
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP_REQUESTS), 4);
}

static void test_net_h2__what_http1_refuses_by_its_head_is_refused_in_the_same_words(void **state)
{
    (void)state;
    static const struct {
        const char *method, *path, *authority;
        struct h2_client_field field;
        int status;
        const char *code;
        enum counter counter;
    } heads[] = {
        {"GET", "/nowhere", "x", {NULL, NULL}, 404, "not_found", COUNTER_HTTP_NOT_FOUND},
        {"PUT", "/echo", "x", {NULL, NULL}, 405, "method_not_allowed", COUNTER_HTTP_METHOD},
        {"PRI", "/echo", "x", {NULL, NULL}, 405, "method_not_allowed", COUNTER_HTTP_METHOD},
        {"GET", "/echo", "evil.example", {NULL, NULL}, 421, "\"host\"", COUNTER_HTTP_HOST},
        {"GET", "/echo", "user@localhost", {NULL, NULL}, 400, "bad_request", COUNTER_HTTP_BAD_REQUESTS},
        {"GET", "/echo", "localhost", {"host", "127.0.0.1"}, 400, "bad_request", COUNTER_HTTP_BAD_REQUESTS},
        {"GET", "/echo#part", "x", {NULL, NULL}, 400, "bad_request", COUNTER_HTTP_BAD_REQUESTS},
        {"OPTIONS", "*", "x", {NULL, NULL}, 404, "not_found", COUNTER_HTTP_NOT_FOUND},
        {"POST", "/echo", "x", {"expect", "a-miracle"}, 417, "expectation", COUNTER_HTTP_BAD_REQUESTS},
        {"POST", "/echo", "x", {"content-length", "1001"}, 413, "body_too_large", COUNTER_HTTP_BODY_TOO_LARGE},
    };
    static const char *const hosts[] = {"x"};
    h2_server_start(&(struct net_options){.hosts_checked = true, .hosts = hosts, .host_count = 1});
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct h2_client_request request = {.method = heads[i].method,
                                            .path = heads[i].path,
                                            .authority = heads[i].authority,
                                            .fields = {heads[i].field, {NULL, NULL}},
                                            .open = heads[i].status == 413};
        uint64_t before = counters_find(&h2_server.counters, heads[i].counter);
        assert_true(h2_client_run(&h2_server.client, &request));
        if (request.status != heads[i].status)
            fail_msg("%s %s of %s is answered %d", heads[i].method, heads[i].path, heads[i].authority, request.status);
        buf_add(&request.answer, slice_of("", 1));
        assert_non_null(strstr((const char *)request.answer.data, heads[i].code));
        assert_int_equal(counters_find(&h2_server.counters, heads[i].counter), before + 1);
        if (heads[i].status == 405)
            assert_string_equal(h2_client_header(&request, "allow"), "GET, HEAD, POST");
        h2_client_release(&request);
    }
    struct h2_client_request same = {.path = "/echo", .fields = {{"host", "x"}, {NULL, NULL}}};
    h2_server_expect(&same, 200, "x|/echo|||0|");
}

static void test_net_h2__head_may_be_as_large_as_in_http1_and_no_larger(void **state)
{
    (void)state;
    static char value[NET_HEAD_BYTES_MAX + 1];
    struct h2_client_request request = {.path = "/echo"};
    for (unsigned i = 0; i < NET_HEADERS_MAX; i++)
        request.fields[i] = (struct h2_client_field){"x-many", "v"}; /* one more with the host's */
    h2_server_expect(&request, 431, NULL);
    request.fields[NET_HEADERS_MAX - 1].name = NULL;
    h2_server_expect(&request, 200, NULL);
    /* method, scheme, authority, path and x-fill: their names, values and 32 bytes each */
    size_t others = strlen(":methodGET:schemehttp:authorityx:path/echox-fill") + 5 * (size_t)H2_FIELD_BYTES;
    memset(value, 'v', sizeof value);
    value[NET_HEAD_BYTES_MAX - others] = '\0';
    request.fields[0] = (struct h2_client_field){"x-fill", value};
    request.fields[1].name = NULL;
    h2_server_expect(&request, 200, NULL);
    value[NET_HEAD_BYTES_MAX - others] = 'v';
    value[NET_HEAD_BYTES_MAX - others + 1] = '\0';
    h2_server_expect(&request, 431, NULL);
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP_HEADERS_TOO_LARGE), 2);
    h2_server_expect_alive();
}

static void test_net_h2__malformed_requests_reset_their_stream_and_reach_no_handler(void **state)
{
    (void)state;
    static const struct h2_client_field malformed[] = {
        {"X-Capital", "v"},           {"connection", "close"},     {"keep-alive", "5"},
        {"proxy-connection", "x"},    {"transfer-encoding", "chunked"}, {"upgrade", "h2c"},
        {"te", "gzip"},               {"content-length", "-1"},    {"content-length", "5x"},
        {"content-length", ""},       {":path", "/echo"},          {":method", "GET"},
        {":authority", "y"},          {":status", "200"},          {":unknown", "v"},
        {"x-break", "a\r\nb: c"},     {"x-feed", "a\nb"},          {"x-return", "a\rb"},
        {"x-bad name", "v"},          {"x-colon:", "v"},           {"x-break\r\nb", "v"},
        {"x-blank", " v"},            {"x-blank", "v "},           {"", "v"},
        {"host", "x/"},               {"x-high\xff", "v"},         {"content-length", "18446744073709551621"},
    };
    uint64_t resets = 0;
    for (size_t i = 0; i < sizeof malformed / sizeof malformed[0]; i++) {
        struct h2_client_request request = {.method = "POST", .path = "/hold", .fields = {malformed[i], {NULL, NULL}}};
        assert_true(h2_client_run(&h2_server.client, &request));
        if (request.reset != NGHTTP2_PROTOCOL_ERROR || request.status != 0)
            fail_msg("%s: %s is answered %d, reset %u", malformed[i].name, malformed[i].value, request.status, request.reset);
        resets++;
    }
    h2_server_expect_alive();
    assert_int_equal(h2_server.held_count, 0);
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP_BAD_REQUESTS), resets);
}

static void test_net_h2__body_that_is_not_as_long_as_declared_is_malformed(void **state)
{
    (void)state;
    struct h2_client_request request = {
        .method = "POST", .path = "/hold", .body = slice_text("hello"), .fields = {{"content-length", "4"}, {NULL, NULL}}};
    assert_true(h2_client_run(&h2_server.client, &request));
    assert_int_equal(request.reset, NGHTTP2_PROTOCOL_ERROR);
    request.fields[0].value = "6";
    assert_true(h2_client_run(&h2_server.client, &request));
    assert_int_equal(request.reset, NGHTTP2_PROTOCOL_ERROR);
    request.fields[1] = (struct h2_client_field){"content-length", "5"};
    request.fields[0].value = "5";
    request.fields[2].name = NULL;
    assert_true(h2_client_run(&h2_server.client, &request));
    assert_int_equal(request.reset, NGHTTP2_PROTOCOL_ERROR);
    h2_server_expect_alive();
    assert_int_equal(h2_server.held_count, 0);
}

static void test_net_h2__expected_continue_comes_before_the_body(void **state)
{
    (void)state;
    struct h2_client_request request = {
        .method = "POST", .path = "/echo", .open = true, .fields = {{"expect", "100-continue"}, {NULL, NULL}}};
    h2_client_start(&h2_server.client, &request);
    while (request.continues == 0)
        assert_true(h2_client_step(&h2_server.client));
    h2_client_more(&h2_server.client, &request, slice_text("hi"), false);
    h2_server_expect_answer(&request, 200, "x|/echo|||2|hi");
    assert_int_equal(request.continues, 1);
}

static void test_net_h2__bodies_of_one_connection_are_bounded_together(void **state)
{
    (void)state;
    static uint8_t megabyte[(1u << 20) - 1024]; /* heads are counted, too */
    static struct h2_client_request request[20];
    unsigned refused = 0;
    for (int i = 0; i < 20; i++) {
        request[i] = (struct h2_client_request){
            .method = "POST", .path = "/big", .body = slice_of(megabyte, sizeof megabyte), .open = true};
        h2_client_start(&h2_server.client, &request[i]);
        while (!request[i].closed && request[i].sent < sizeof megabyte)
            assert_true(h2_client_step(&h2_server.client)); /* windows */
    }
    h2_server_expect_alive();
    for (int i = 0; i < 20; i++) {
        refused += request[i].closed;
        assert_true(!request[i].closed || request[i].status == 503);
        h2_client_release(&request[i]);
    }
    assert_int_equal(refused, 20 - (NET_H2_HELD_BYTES_MAX >> 20));
    assert_int_equal(counters_find(&h2_server.counters, COUNTER_HTTP_BUSY), refused);
}

/* With windows that stay shut, one large answer after the other would pile up. */
static void test_net_h2__answers_that_are_not_read_hold_up_further_requests_and_not_the_memory(void **state)
{
    (void)state;
    static struct h2_client_request request[20];
    struct h2_client other = {.reads_slowly = true};
    h2_client_open(&other, net_port(h2_server.net));
    for (int i = 0; i < 20; i++) {
        request[i] = (struct h2_client_request){.path = "/large"};
        h2_client_start(&other, &request[i]);
    }
    nghttp2_submit_ping(other.session, NGHTTP2_FLAG_NONE, NULL);
    h2_client_flush(&other);
    h2_server_wait(&h2_server.large_count, NET_H2_ANSWER_BYTES_MAX / H2_SERVER_LARGE_BYTES + 1);
    h2_server_expect_alive();
    assert_int_equal(h2_server.large_count, NET_H2_ANSWER_BYTES_MAX / H2_SERVER_LARGE_BYTES + 1);
    nghttp2_session_set_local_window_size(other.session, NGHTTP2_FLAG_NONE, 0, 64 << 20);
    for (int i = 0; i < 20; i++)
        nghttp2_session_set_local_window_size(other.session, NGHTTP2_FLAG_NONE, request[i].id, 1 << 20);
    h2_client_flush(&other);
    for (int i = 0; i < 20; i++) {
        assert_true(h2_client_wait(&other, &request[i]));
        assert_int_equal(request[i].answer.size, H2_SERVER_LARGE_BYTES);
        h2_client_release(&request[i]);
    }
    assert_int_equal(h2_server.large_count, 20);
    h2_client_close(&other);
}

#define TEST(name)     cmocka_unit_test_setup_teardown(test_net_h2__##name, h2_server_setup_default, h2_server_teardown)
#define TEST_OWN(name) cmocka_unit_test_setup_teardown(test_net_h2__##name, h2_server_setup, h2_server_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(request_is_answered_with_length_date_and_names_in_lower_case),
        TEST(head_and_204_have_no_body),
        TEST(bodies_of_many_streams_may_come_interleaved),
        TEST(streams_are_answered_in_the_order_in_which_they_are_woken),
        TEST(client_that_resets_or_leaves_before_the_wake_harms_nothing),
        TEST(stream_that_was_reset_holds_its_place_until_its_handler_answers),
        TEST(body_over_the_limit_is_refused_before_it_is_whole),
        TEST_OWN(what_http1_refuses_by_its_head_is_refused_in_the_same_words),
        TEST(head_may_be_as_large_as_in_http1_and_no_larger),
        TEST(malformed_requests_reset_their_stream_and_reach_no_handler),
        TEST(body_that_is_not_as_long_as_declared_is_malformed),
        TEST(expected_continue_comes_before_the_body),
        TEST(bodies_of_one_connection_are_bounded_together),
        TEST(answers_that_are_not_read_hold_up_further_requests_and_not_the_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
