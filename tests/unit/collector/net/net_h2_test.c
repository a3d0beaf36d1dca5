/* Requests over HTTP/2 on real sockets: what they are answered, each on its own stream, whatever happens to the others. */
#include "collector/net/net_h2.h"
#include "tests/support/h2_client.h"
#include "tests/support/http_client.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#define BODY_MAX    1000u
#define LARGE_BYTES (600u << 10)
#define HELD_MAX    (2 * NET_H2_STREAMS_MAX)

struct fixture {
    struct net *net;
    struct counters counters;
    struct h2_client client;
    struct net_route routes[6];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct net_exchange *held[HELD_MAX];
    unsigned held_count, woken, large_count;
};

static struct fixture fixture;
static uint8_t bytes[LARGE_BYTES];

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
    struct fixture *self = context;
    pthread_mutex_lock(&self->lock);
    self->large_count++;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    net_reply(exchange, &(struct net_answer){
                            .status = 200, .content_type = "text/plain", .body = slice_of(bytes, sizeof bytes)});
}

static void on_woken(struct net_exchange *exchange, void *context)
{
    struct fixture *self = context;
    pthread_mutex_lock(&self->lock);
    self->woken++;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    net_reply_status(exchange, 204);
}

static void hold(void *context, struct net_exchange *exchange)
{
    struct fixture *self = context;
    net_exchange_on_wake(exchange, on_woken, self);
    pthread_mutex_lock(&self->lock);
    self->held[self->held_count++] = exchange;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void wait_until(const unsigned *value, unsigned wanted)
{
    pthread_mutex_lock(&fixture.lock);
    while (*value < wanted)
        pthread_cond_wait(&fixture.changed, &fixture.lock);
    pthread_mutex_unlock(&fixture.lock);
}

static void start(const struct net_options *options)
{
    static const struct net_route routes[] = {
        {NET_GET | NET_HEAD | NET_POST, "/echo", echo, NULL, BODY_MAX},
        {NET_POST, "/none", nothing, NULL, BODY_MAX},
        {NET_GET, "/large", large, &fixture, 0},
        {NET_GET | NET_POST, "/hold", hold, &fixture, BODY_MAX},
        {NET_POST, "/big", echo, NULL, 1u << 20},
        {NET_GET, "/tree/*", echo, NULL, 0},
    };
    char error[256] = "";
    struct net_options whole = *options;
    memcpy(fixture.routes, routes, sizeof routes);
    whole.listen = "127.0.0.1:0";
    whole.routes = fixture.routes;
    whole.route_count = sizeof routes / sizeof routes[0];
    whole.counters = &fixture.counters;
    fixture.net = net_start(&whole, error, sizeof error);
    if (fixture.net == NULL)
        fail_msg("%s", error);
    h2_client_open(&fixture.client, net_port(fixture.net));
}

static int setup(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof fixture);
    pthread_mutex_init(&fixture.lock, NULL);
    pthread_cond_init(&fixture.changed, NULL);
    return 0;
}

static int setup_default(void **state)
{
    setup(state);
    start(&(struct net_options){.threads = 2});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    h2_client_close(&fixture.client);
    if (fixture.net != NULL)
        net_stop(fixture.net, 1000);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_CONNECTIONS), 0);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP2_CONNECTIONS), 0);
    return 0;
}

static void expect_answer(struct h2_client_request *request, int status, const char *body)
{
    assert_true(h2_client_wait(&fixture.client, request));
    assert_int_equal(request->status, status);
    if (body != NULL) {
        assert_int_equal(request->answer.size, strlen(body));
        assert_memory_equal(request->answer.data, body, strlen(body));
    }
    h2_client_release(request);
}

static void expect(struct h2_client_request *request, int status, const char *body)
{
    h2_client_start(&fixture.client, request);
    expect_answer(request, status, body);
}

static void expect_alive(void)
{
    struct h2_client_request request = {.path = "/echo?alive"};
    expect(&request, 200, "x|/echo|alive||0|");
}

static void test_net_h2__request_is_answered_with_length_date_and_names_in_lower_case(void **state)
{
    (void)state;
    struct h2_client_request request = {
        .path = "/echo?a=1&b", .authority = "example.com:80", .fields = {{"x-test", "t"}, {NULL, NULL}}};
    assert_true(h2_client_run(&fixture.client, &request));
    assert_string_equal(h2_client_header(&request, "content-length"), "31");
    assert_string_equal(h2_client_header(&request, "content-type"), "text/plain");
    assert_string_equal(h2_client_header(&request, "x-answer"), "Yes");
    assert_int_equal(strlen(h2_client_header(&request, "date")), strlen("Mon, 23 Nov 2026 00:00:00 GMT"));
    assert_string_equal(h2_client_header(&request, "connection"), "");
    expect_answer(&request, 200, "example.com:80|/echo|a=1&b|t|0|");
}

static void test_net_h2__head_and_204_have_no_body(void **state)
{
    (void)state;
    struct h2_client_request head = {.method = "HEAD", .path = "/echo"},
                             post = {.method = "POST", .path = "/none", .body = slice_text("hi")};
    assert_true(h2_client_run(&fixture.client, &head));
    assert_string_equal(h2_client_header(&head, "content-length"), "12");
    expect_answer(&head, 200, "");
    assert_true(h2_client_run(&fixture.client, &post));
    assert_string_equal(h2_client_header(&post, "content-length"), "");
    expect_answer(&post, 204, "");
}

static void test_net_h2__bodies_of_many_streams_may_come_interleaved(void **state)
{
    (void)state;
    static struct h2_client_request request[50];
    char text[50][32], expected[96];
    for (int i = 0; i < 50; i++) {
        snprintf(text[i], sizeof text[i], "this is the body of %d", i);
        request[i] = (struct h2_client_request){.method = "POST", .path = "/echo", .open = true};
        h2_client_start(&fixture.client, &request[i]);
    }
    for (size_t at = 0; at < 20; at += 5)
        for (int i = 0; i < 50; i++)
            h2_client_more(&fixture.client, &request[i], slice_of(text[i] + at, 5), true);
    for (int i = 49; i >= 0; i--)
        h2_client_more(&fixture.client, &request[i], slice_text(text[i] + 20), false);
    for (int i = 0; i < 50; i++) {
        snprintf(expected, sizeof expected, "x|/echo|||%zu|%s", strlen(text[i]), text[i]);
        expect_answer(&request[i], 200, expected);
    }
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_REQUESTS), 50);
}

static void test_net_h2__streams_are_answered_in_the_order_in_which_they_are_woken(void **state)
{
    (void)state;
    struct h2_client_request request[3];
    for (int i = 0; i < 3; i++) {
        request[i] = (struct h2_client_request){.method = "POST", .path = "/hold", .body = slice_text("x")};
        h2_client_start(&fixture.client, &request[i]);
    }
    wait_until(&fixture.held_count, 3);
    expect_alive();
    for (int i = 2; i >= 0; i--) {
        net_exchange_wake(fixture.held[i]); /* from this thread, not the loop's */
        expect_answer(&request[i], 204, "");
        assert_true(i == 0 || !request[i - 1].closed);
    }
}

static void test_net_h2__client_that_resets_or_leaves_before_the_wake_harms_nothing(void **state)
{
    (void)state;
    struct h2_client other = {0};
    struct h2_client_request request = {.path = "/hold"}, second = request;
    h2_client_start(&fixture.client, &request);
    wait_until(&fixture.held_count, 1);
    h2_client_reset(&fixture.client, &request);
    expect_alive(); /* so the reset has been read */
    h2_client_open(&other, net_port(fixture.net));
    h2_client_start(&other, &second);
    wait_until(&fixture.held_count, 2);
    h2_client_close(&other);
    net_exchange_wake(fixture.held[0]);
    net_exchange_wake(fixture.held[1]);
    wait_until(&fixture.woken, 2);
    expect_alive();
}

/* A client that asks and resets, asks and resets, must not have more at work behind it than one that waits. */
static void test_net_h2__stream_that_was_reset_holds_its_place_until_its_handler_answers(void **state)
{
    (void)state;
    static struct h2_client_request request[NET_H2_STREAMS_MAX];
    struct h2_client_request late = {.path = "/hold"};
    for (unsigned i = 0; i < NET_H2_STREAMS_MAX; i++) {
        request[i] = (struct h2_client_request){.path = "/hold"};
        h2_client_start(&fixture.client, &request[i]);
    }
    wait_until(&fixture.held_count, NET_H2_STREAMS_MAX);
    for (unsigned i = 0; i < NET_H2_STREAMS_MAX; i++)
        h2_client_reset(&fixture.client, &request[i]);
    assert_true(h2_client_run(&fixture.client, &late));
    assert_int_equal(late.reset, NGHTTP2_REFUSED_STREAM);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP2_REFUSED), 1);
    net_exchange_wake(fixture.held[0]);
    wait_until(&fixture.woken, 1);
    do { /* the wake is counted before the place is free */
        late = (struct h2_client_request){.path = "/echo"};
        assert_true(h2_client_run(&fixture.client, &late));
        h2_client_release(&late);
    } while (late.reset == NGHTTP2_REFUSED_STREAM);
    assert_int_equal(late.status, 200);
    for (unsigned i = 1; i < NET_H2_STREAMS_MAX; i++)
        net_exchange_wake(fixture.held[i]);
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
    expect(&declared, 413, NULL);
    assert_int_equal(declared.reset, NGHTTP2_NO_ERROR);
    expect(&sent, 413, "{\"error\":{\"code\":\"body_too_large\",\"message\":\"The body is over the limit.\"}}");
    assert_int_equal(sent.reset, NGHTTP2_NO_ERROR);
    expect(&on_get, 413, NULL);
    expect(&fits, 204, "");
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_BODY_TOO_LARGE), 3);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_REQUESTS), 4);
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
    start(&(struct net_options){.hosts_checked = true, .hosts = hosts, .host_count = 1});
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        struct h2_client_request request = {.method = heads[i].method,
                                            .path = heads[i].path,
                                            .authority = heads[i].authority,
                                            .fields = {heads[i].field, {NULL, NULL}},
                                            .open = heads[i].status == 413};
        uint64_t before = counters_find(&fixture.counters, heads[i].counter);
        assert_true(h2_client_run(&fixture.client, &request));
        if (request.status != heads[i].status)
            fail_msg("%s %s of %s is answered %d", heads[i].method, heads[i].path, heads[i].authority, request.status);
        buf_add(&request.answer, slice_of("", 1));
        assert_non_null(strstr((const char *)request.answer.data, heads[i].code));
        assert_int_equal(counters_find(&fixture.counters, heads[i].counter), before + 1);
        if (heads[i].status == 405)
            assert_string_equal(h2_client_header(&request, "allow"), "GET, HEAD, POST");
        h2_client_release(&request);
    }
    struct h2_client_request same = {.path = "/echo", .fields = {{"host", "x"}, {NULL, NULL}}};
    expect(&same, 200, "x|/echo|||0|");
}

static void test_net_h2__head_may_be_as_large_as_in_http1_and_no_larger(void **state)
{
    (void)state;
    static char value[NET_HEAD_BYTES_MAX + 1];
    struct h2_client_request request = {.path = "/echo"};
    for (unsigned i = 0; i < NET_HEADERS_MAX; i++)
        request.fields[i] = (struct h2_client_field){"x-many", "v"}; /* one more with the host's */
    expect(&request, 431, NULL);
    request.fields[NET_HEADERS_MAX - 1].name = NULL;
    expect(&request, 200, NULL);
    /* method, scheme, authority, path and x-fill: their names, values and 32 bytes each */
    size_t others = strlen(":methodGET:schemehttp:authorityx:path/echox-fill") + 5 * (size_t)H2_FIELD_BYTES;
    memset(value, 'v', sizeof value);
    value[NET_HEAD_BYTES_MAX - others] = '\0';
    request.fields[0] = (struct h2_client_field){"x-fill", value};
    request.fields[1].name = NULL;
    expect(&request, 200, NULL);
    value[NET_HEAD_BYTES_MAX - others] = 'v';
    value[NET_HEAD_BYTES_MAX - others + 1] = '\0';
    expect(&request, 431, NULL);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_HEADERS_TOO_LARGE), 2);
    expect_alive();
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
        assert_true(h2_client_run(&fixture.client, &request));
        if (request.reset != NGHTTP2_PROTOCOL_ERROR || request.status != 0)
            fail_msg("%s: %s is answered %d, reset %u", malformed[i].name, malformed[i].value, request.status, request.reset);
        resets++;
    }
    expect_alive();
    assert_int_equal(fixture.held_count, 0);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_BAD_REQUESTS), resets);
}

static void test_net_h2__body_that_is_not_as_long_as_declared_is_malformed(void **state)
{
    (void)state;
    struct h2_client_request request = {
        .method = "POST", .path = "/hold", .body = slice_text("hello"), .fields = {{"content-length", "4"}, {NULL, NULL}}};
    assert_true(h2_client_run(&fixture.client, &request));
    assert_int_equal(request.reset, NGHTTP2_PROTOCOL_ERROR);
    request.fields[0].value = "6";
    assert_true(h2_client_run(&fixture.client, &request));
    assert_int_equal(request.reset, NGHTTP2_PROTOCOL_ERROR);
    request.fields[1] = (struct h2_client_field){"content-length", "5"};
    request.fields[0].value = "5";
    request.fields[2].name = NULL;
    assert_true(h2_client_run(&fixture.client, &request));
    assert_int_equal(request.reset, NGHTTP2_PROTOCOL_ERROR);
    expect_alive();
    assert_int_equal(fixture.held_count, 0);
}

static void test_net_h2__expected_continue_comes_before_the_body(void **state)
{
    (void)state;
    struct h2_client_request request = {
        .method = "POST", .path = "/echo", .open = true, .fields = {{"expect", "100-continue"}, {NULL, NULL}}};
    h2_client_start(&fixture.client, &request);
    while (request.continues == 0)
        assert_true(h2_client_step(&fixture.client));
    h2_client_more(&fixture.client, &request, slice_text("hi"), false);
    expect_answer(&request, 200, "x|/echo|||2|hi");
    assert_int_equal(request.continues, 1);
}

static void test_net_h2__bodies_of_one_connection_are_bounded_together(void **state)
{
    (void)state;
    static uint8_t megabyte[1u << 20];
    static struct h2_client_request request[20];
    unsigned refused = 0;
    for (int i = 0; i < 20; i++) {
        request[i] = (struct h2_client_request){
            .method = "POST", .path = "/big", .body = slice_of(megabyte, sizeof megabyte), .open = true};
        h2_client_start(&fixture.client, &request[i]);
        while (!request[i].closed && request[i].sent < sizeof megabyte)
            assert_true(h2_client_step(&fixture.client)); /* windows */
    }
    expect_alive();
    for (int i = 0; i < 20; i++) {
        refused += request[i].closed;
        assert_true(!request[i].closed || request[i].status == 503);
        h2_client_release(&request[i]);
    }
    assert_int_equal(refused, 20 - (NET_H2_BODY_BYTES_MAX >> 20));
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_BUSY), refused);
}

/* With windows that stay shut, one large answer after the other would pile up. */
static void test_net_h2__answers_that_are_not_read_hold_up_further_requests_and_not_the_memory(void **state)
{
    (void)state;
    static struct h2_client_request request[20];
    struct h2_client other = {.reads_slowly = true};
    h2_client_open(&other, net_port(fixture.net));
    for (int i = 0; i < 20; i++) {
        request[i] = (struct h2_client_request){.path = "/large"};
        h2_client_start(&other, &request[i]);
    }
    nghttp2_submit_ping(other.session, NGHTTP2_FLAG_NONE, NULL);
    h2_client_flush(&other);
    wait_until(&fixture.large_count, NET_H2_ANSWER_BYTES_MAX / LARGE_BYTES + 1);
    expect_alive();
    assert_int_equal(fixture.large_count, NET_H2_ANSWER_BYTES_MAX / LARGE_BYTES + 1);
    nghttp2_session_set_local_window_size(other.session, NGHTTP2_FLAG_NONE, 0, 64 << 20);
    for (int i = 0; i < 20; i++)
        nghttp2_session_set_local_window_size(other.session, NGHTTP2_FLAG_NONE, request[i].id, 1 << 20);
    h2_client_flush(&other);
    for (int i = 0; i < 20; i++) {
        assert_true(h2_client_wait(&other, &request[i]));
        assert_int_equal(request[i].answer.size, LARGE_BYTES);
        h2_client_release(&request[i]);
    }
    assert_int_equal(fixture.large_count, 20);
    h2_client_close(&other);
}

static void test_net_h2__slow_late_and_unread_streams_end_alone(void **state)
{
    (void)state;
    start(&(struct net_options){.request_timeout_ms = 200, .head_timeout_ms = 100, .idle_timeout_ms = 100,
                                .body_grace_ms = 20, .body_bytes_per_second_min = 1u << 20});
    const nghttp2_settings_entry shut = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
    struct h2_client_request held = {.path = "/hold"}, slow = {.method = "POST", .path = "/echo", .open = true},
                             unread = {.path = "/echo"};
    h2_client_start(&fixture.client, &held);
    wait_until(&fixture.held_count, 1);
    expect(&slow, 408, "{\"error\":{\"code\":\"timeout\",\"message\":\"The body comes too slowly.\"}}");
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_SLOW_BODY), 1);
    nghttp2_submit_settings(fixture.client.session, NGHTTP2_FLAG_NONE, &shut, 1);
    assert_true(h2_client_run(&fixture.client, &unread));
    assert_int_equal(unread.reset, NGHTTP2_CANCEL);
    assert_int_equal(unread.status, 200);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_TIMEOUT), 1);
    assert_false(held.closed); /* a stage of ours has it: no time runs */
    net_exchange_wake(fixture.held[0]);
    expect_answer(&held, 204, "");
}

static void test_net_h2__late_body_is_408_and_an_endless_head_ends_the_connection(void **state)
{
    (void)state;
    start(&(struct net_options){.request_timeout_ms = 60, .head_timeout_ms = 40, .idle_timeout_ms = 40});
    struct h2_client_request late = {.method = "POST", .path = "/echo", .open = true};
    uint8_t frame[32];
    expect(&late, 408, "{\"error\":{\"code\":\"timeout\",\"message\":\"The request took too long.\"}}");
    size_t size = h2_frame(frame, NGHTTP2_HEADERS, 0, late.id + 2, slice_of("\x82", 1));
    h2_client_send(&fixture.client, frame, size);
    h2_client_wait_end(&fixture.client);
    assert_int_equal(fixture.client.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_TIMEOUT), 2);
}

static void test_net_h2__idle_connection_hears_goaway_and_is_closed(void **state)
{
    (void)state;
    start(&(struct net_options){.idle_timeout_ms = 40});
    h2_client_wait_end(&fixture.client);
    assert_int_equal(fixture.client.goaways, 1); /* with nothing open, nghttp2 does not look at the second one */
    assert_int_equal(fixture.client.goaway_error, NGHTTP2_NO_ERROR);
}

static void *stop_slowly(void *net)
{
    net_stop(net, 10000);
    return NULL;
}

/* The request that crosses the first GOAWAY is answered too. */
static void test_net_h2__stop_finishes_the_streams_under_way(void **state)
{
    (void)state;
    pthread_t thread;
    struct net *net = fixture.net;
    struct h2_client_request held = {.path = "/hold"};
    h2_client_start(&fixture.client, &held);
    wait_until(&fixture.held_count, 1);
    fixture.net = NULL;
    pthread_create(&thread, NULL, stop_slowly, net);
    uint8_t frame[64], block[64];
    size_t size = 0;
    while (fixture.client.goaways == 0) { /* read by hand: nothing is acknowledged before the request is out */
        uint8_t data[4096];
        ssize_t got = recv(fixture.client.file, data, sizeof data, 0);
        assert_true(got > 0 && nghttp2_session_mem_recv(fixture.client.session, data, (size_t)got) >= 0);
    }
    assert_int_equal(fixture.client.goaway_last, INT32_MAX);
    memcpy(block, "\x82\x86\x41\x01x\x04\x05/hold", 12);
    size = h2_frame(frame, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, held.id + 2,
                    slice_of(block, 12));
    h2_client_send(&fixture.client, frame, size);
    h2_client_flush(&fixture.client); /* and now the acknowledgement of the PING */
    wait_until(&fixture.held_count, 2);
    net_exchange_wake(fixture.held[0]);
    net_exchange_wake(fixture.held[1]);
    assert_true(h2_client_wait(&fixture.client, &held));
    assert_int_equal(held.status, 204);
    h2_client_wait_end(&fixture.client);
    assert_int_equal(fixture.client.goaways, 2);
    assert_int_equal(fixture.client.goaway_last, held.id + 2);
    pthread_join(thread, NULL);
}

static void test_net_h2__preface_may_come_byte_by_byte_but_only_first(void **state)
{
    (void)state;
    struct http_client old;
    struct http_reply reply;
    uint8_t beginning[H2_PREFACE_BYTES + 9], settings[9];
    memcpy(beginning, H2_PREFACE, H2_PREFACE_BYTES);
    h2_frame(beginning + H2_PREFACE_BYTES, NGHTTP2_SETTINGS, 0, 0, slice_of(NULL, 0));
    http_client_open(&old, net_port(fixture.net));
    for (size_t i = 0; i < sizeof beginning; i++)
        http_client_send(&old, &beginning[i], 1);
    assert_int_equal(recv(old.file, settings, sizeof settings, MSG_WAITALL), sizeof settings);
    assert_int_equal(settings[3], NGHTTP2_SETTINGS);
    http_client_close(&old);
    http_client_open(&old, net_port(fixture.net));
    http_client_send_text(&old, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n" NGHTTP2_CLIENT_MAGIC);
    assert_true(http_client_read(&old, &reply));
    assert_int_equal(reply.status, 200);
    assert_true(http_client_read(&old, &reply));
    assert_int_equal(reply.status, 400);
    assert_true(http_client_at_end(&old));
    http_client_close(&old);
}

static void test_net_h2__upgrade_is_not_offered(void **state)
{
    (void)state;
    struct http_client old;
    struct http_reply reply;
    http_client_open(&old, net_port(fixture.net));
    http_client_send_text(&old, "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                                "HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    assert_true(http_client_read(&old, &reply));
    assert_int_equal(reply.status, 200);
    assert_string_equal(http_reply_header(&reply, "Upgrade"), "");
    http_client_close(&old);
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_net_h2__##name, setup_default, teardown)
#define TEST_OWN(name) cmocka_unit_test_setup_teardown(test_net_h2__##name, setup, teardown)

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
        TEST_OWN(slow_late_and_unread_streams_end_alone),
        TEST_OWN(late_body_is_408_and_an_endless_head_ends_the_connection),
        TEST_OWN(idle_connection_hears_goaway_and_is_closed),
        TEST(stop_finishes_the_streams_under_way),
        TEST(preface_may_come_byte_by_byte_but_only_first),
        TEST(upgrade_is_not_offered),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
