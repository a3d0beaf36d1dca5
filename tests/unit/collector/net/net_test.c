/* One server for all tests of this file; each opens its own connections and sends exactly the bytes it means. */
#include "collector/net/net.h"
#include "tests/support/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#define BODY_MAX        1000u
#define CONNECTIONS_MAX 40u

struct server {
    struct net *net;
    struct counters counters;
    struct net_route routes[6];
};

/* Answers what it was sent: path, rest, query, body size, body. */
static void echo(void *context, struct net_exchange *exchange)
{
    (void)context;
    struct slice path = net_exchange_path(exchange), rest = net_exchange_rest(exchange),
                 query = net_exchange_query(exchange), body = net_exchange_body(exchange);
    char *text = net_exchange_memory(exchange, 8192); /* the answer may borrow from it */
    int size =
        snprintf(text, 8192, "%.*s|%.*s|%.*s|%zu|%.*s", (int)path.size, (char *)path.data, (int)rest.size,
                 (char *)rest.data, (int)query.size, (char *)query.data, body.size, (int)body.size, (char *)body.data);
    net_reply(exchange,
              &(struct net_answer){.status = 200, .content_type = "text/plain", .body = slice_of(text, (size_t)size)});
}

static void show_headers(void *context, struct net_exchange *exchange)
{
    (void)context;
    struct slice a = net_exchange_header(exchange, "X-Test"), b = net_exchange_header(exchange, "x-missing");
    const uint8_t *peer = net_exchange_peer(exchange);
    char text[512];
    int size = snprintf(text, sizeof text, "%.*s|%zu|%u.%u.%u.%u", (int)a.size, (char *)a.data, b.size, peer[12],
                        peer[13], peer[14], peer[15]);
    net_reply(exchange,
              &(struct net_answer){.status = 200, .content_type = "text/plain", .body = slice_of(text, (size_t)size)});
}

static void large(void *context, struct net_exchange *exchange)
{
    static uint8_t bytes[8u << 20];
    (void)context;
    net_reply(exchange, &(struct net_answer){.status = 200,
                                             .content_type = "application/octet-stream",
                                             .body = slice_of(bytes, sizeof bytes)});
}

static void no_content(void *context, struct net_exchange *exchange)
{
    (void)context;
    net_reply_status(exchange, 204);
}

static int start(void **state)
{
    char error[256];
    struct server *self = calloc(1, sizeof *self);
    const struct net_route routes[] = {
        {NET_GET | NET_HEAD | NET_POST, "/echo", echo, NULL, BODY_MAX},
        {NET_GET, "/tree/*", echo, NULL, 0},
        {NET_GET, "/headers", show_headers, NULL, 0},
        {NET_GET, "/large", large, NULL, 0},
        {NET_POST, "/none", no_content, NULL, BODY_MAX},
        {NET_OPTIONS, "/none", no_content, NULL, 0},
    };
    memcpy(self->routes, routes, sizeof routes);
    self->net = net_start(&(struct net_options){.listen = "127.0.0.1:0",
                                                .threads = 2,
                                                .routes = self->routes,
                                                .route_count = sizeof routes / sizeof routes[0],
                                                .counters = &self->counters,
                                                .connections_max = CONNECTIONS_MAX},
                          error, sizeof error);
    *state = self;
    return self->net == NULL;
}

static int stop(void **state)
{
    struct server *self = *state;
    net_stop(self->net, 2000);
    assert_int_equal(counters_find(&self->counters, COUNTER_HTTP_CONNECTIONS), 0);
    free(self);
    return 0;
}

static void connect_to(void **state, struct http_client *client)
{
    http_client_open(client, net_port(((struct server *)*state)->net));
}

static void expect_reply(struct http_client *client, int status, const char *body)
{
    struct http_reply reply;
    assert_true(http_client_read(client, &reply));
    assert_int_equal(reply.status, status);
    if (body != NULL)
        assert_string_equal(reply.body, body);
}

/* Sends on a fresh connection; expects one reply of this status and then the end of the connection. */
static void expect_refused(void **state, const char *request, size_t size, int status)
{
    struct http_client client;
    connect_to(state, &client);
    http_client_send(&client, request, size);
    expect_reply(&client, status, NULL);
    assert_true(http_client_at_end(&client));
    http_client_close(&client);
}

static void test_net__answers_a_get_with_length_and_date(void **state)
{
    struct http_client client;
    struct http_reply reply;
    connect_to(state, &client);
    http_client_send_text(&client, "GET /echo?a=1&b HTTP/1.1\r\nHost: x\r\n\r\n");
    assert_true(http_client_read(&client, &reply));
    assert_int_equal(reply.status, 200);
    assert_string_equal(reply.body, "/echo||a=1&b|0|");
    assert_string_equal(http_reply_header(&reply, "Content-Length"), "15");
    assert_int_equal(strlen(http_reply_header(&reply, "Date")), strlen("Mon, 23 Nov 2026 00:00:00 GMT"));
    assert_string_equal(http_reply_header(&reply, "Connection"), "");
    http_client_close(&client);
}

static void test_net__keeps_the_connection_for_many_requests(void **state)
{
    struct http_client client;
    connect_to(state, &client);
    for (int i = 0; i < 100; i++) {
        http_client_send_text(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
        expect_reply(&client, 200, "/echo|||2|hi");
    }
    http_client_close(&client);
}

static void test_net__answers_pipelined_requests_in_order(void **state)
{
    struct http_client client;
    char request[128], expected[64];
    connect_to(state, &client);
    for (int i = 0; i < 2000; i++) { /* more than one read's worth: what waits is bounded, nothing is lost */
        snprintf(request, sizeof request, "POST /echo?%d HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\n%d", i,
                 i % 10);
        http_client_send_text(&client, request);
    }
    for (int i = 0; i < 2000; i++) {
        snprintf(expected, sizeof expected, "/echo||%d|1|%d", i, i % 10);
        expect_reply(&client, 200, expected);
    }
    http_client_close(&client);
}

static void test_net__a_request_may_come_byte_by_byte(void **state)
{
    const char *request =
        "POST /echo?q HTTP/1.1\r\nHost: x\r\nX-Long: some value, with blanks \r\nTransfer-Encoding: chunked\r\n\r\n"
        "3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nTrailer: y\r\n\r\n";
    struct http_client client;
    connect_to(state, &client);
    for (const char *at = request; *at != '\0'; at++)
        http_client_send(&client, at, 1);
    expect_reply(&client, 200, "/echo||q|5|abcde");
    http_client_close(&client);
}

static void test_net__takes_chunked_bodies_and_ignores_trailers(void **state)
{
    struct http_client client;
    connect_to(state, &client);
    http_client_send_text(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: "
                                   "chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nContent-Length: 9\r\n\r\n"
                                   "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply(&client, 200, "/echo|||11|hello world");
    expect_reply(&client, 200, "/echo|||0|");
    http_client_close(&client);
}

static void test_net__headers_are_found_whatever_their_case_and_trimmed(void **state)
{
    struct http_client client;
    connect_to(state, &client);
    http_client_send_text(
        &client, "GET /headers HTTP/1.1\r\nhost: x\r\nX-Empty:\r\nx-TEST: \t first one \t\r\nX-Test: second\r\n\r\n");
    expect_reply(&client, 200, "first one|0|127.0.0.1");
    http_client_close(&client);
}

static void test_net__a_trailing_star_matches_any_rest(void **state)
{
    struct http_client client;
    connect_to(state, &client);
    http_client_send_text(&client, "GET /tree/a/b?c HTTP/1.1\r\nHost: x\r\n\r\nGET /tree/ HTTP/1.1\r\nHost: "
                                   "x\r\n\r\nGET /tree HTTP/1.1\r\nHost: x\r\n\r\n"
                                   "GET http://X/echo?z HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply(&client, 200, "/tree/a/b|a/b|c|0|");
    expect_reply(&client, 200, "/tree/|||0|");
    expect_reply(&client, 404, NULL);
    expect_reply(&client, 200, "/echo||z|0|");
    http_client_close(&client);
}

static void test_net__head_has_the_length_of_get_and_no_body(void **state)
{
    struct http_client client;
    char bytes[1024] = "";
    connect_to(state, &client);
    http_client_send_text(&client, "HEAD /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    ssize_t size = recv(client.file, bytes, sizeof bytes - 1, MSG_WAITALL);
    assert_true(size > 0);
    assert_non_null(strstr(bytes, "Content-Length: 10\r\n"));
    assert_string_equal(strstr(bytes, "\r\n\r\n"), "\r\n\r\n");
    http_client_close(&client);
}

static void test_net__204_has_no_length(void **state)
{
    struct http_client client;
    struct http_reply reply;
    connect_to(state, &client);
    http_client_send_text(&client, "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
    assert_true(http_client_read(&client, &reply));
    assert_int_equal(reply.status, 204);
    assert_string_equal(http_reply_header(&reply, "Content-Length"), "");
    http_client_close(&client);
}

static void test_net__unknown_path_and_method_are_told_and_the_connection_goes_on(void **state)
{
    struct http_client client;
    struct http_reply reply;
    connect_to(state, &client);
    http_client_send_text(&client, "GET /nope HTTP/1.1\r\nHost: x\r\n\r\nDELETE /none HTTP/1.1\r\nHost: x\r\n\r\nPUT "
                                   "/echo HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply(&client, 404, "{\"error\":{\"code\":\"not_found\",\"message\":\"There is nothing at this path.\"}}");
    assert_true(http_client_read(&client, &reply));
    assert_int_equal(reply.status, 405);
    assert_string_equal(http_reply_header(&reply, "Allow"), "POST, OPTIONS");
    assert_true(http_client_read(&client, &reply));
    assert_string_equal(http_reply_header(&reply, "Allow"), "GET, HEAD, POST");
    http_client_send_text(&client, "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply(&client, 200, "/echo|||0|");
    http_client_close(&client);
}

static void test_net__a_refused_request_with_a_body_ends_the_connection(void **state)
{
    const char *request = "POST /nope HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello";
    expect_refused(state, request, strlen(request), 404);
}

static void test_net__connection_close_is_honoured(void **state)
{
    const char *request =
        "GET /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n";
    const char *old = "GET /echo HTTP/1.0\r\n\r\n";
    struct http_client client;
    struct http_reply reply;
    connect_to(state, &client);
    http_client_send_text(&client, request);
    assert_true(http_client_read(&client, &reply));
    assert_string_equal(http_reply_header(&reply, "Connection"), "close");
    assert_true(http_client_at_end(&client));
    http_client_close(&client);
    expect_refused(state, old, strlen(old), 200);
}

static void test_net__a_half_closed_client_still_gets_its_answers(void **state)
{
    struct http_client client;
    connect_to(state, &client);
    http_client_send_text(&client, "GET /echo?1 HTTP/1.1\r\nHost: x\r\n\r\nGET /echo?2 HTTP/1.1\r\nHost: x\r\n\r\n");
    http_client_finish_sending(&client);
    expect_reply(&client, 200, "/echo||1|0|");
    expect_reply(&client, 200, "/echo||2|0|");
    assert_true(http_client_at_end(&client));
    http_client_close(&client);
}

static void test_net__expect_100_continue_is_answered_before_the_body(void **state)
{
    struct http_client client;
    connect_to(state, &client);
    http_client_send_text(&client,
                          "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
    expect_reply(&client, 100, NULL);
    http_client_send_text(&client, "ok");
    expect_reply(&client, 200, "/echo|||2|ok");
    http_client_close(&client);
}

static void test_net__expect_is_refused_before_the_body_when_that_is_too_large(void **state)
{
    const char *request = "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n";
    const char *other = "POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 200-maybe\r\nContent-Length: 1\r\n\r\nx";
    expect_refused(state, request, strlen(request), 413);
    expect_refused(state, other, strlen(other), 417);
}

static void test_net__a_body_of_the_maximum_is_taken_and_one_more_is_not(void **state)
{
    char request[2048];
    struct http_client client;
    struct http_reply reply;
    connect_to(state, &client);
    snprintf(request, sizeof request, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n%0*d", BODY_MAX,
             BODY_MAX, 0);
    http_client_send_text(&client, request);
    assert_true(http_client_read(&client, &reply));
    assert_int_equal(reply.status, 200);
    http_client_close(&client);

    snprintf(request, sizeof request, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: %u\r\n\r\n", BODY_MAX + 1);
    expect_refused(state, request, strlen(request), 413); /* not a byte of it was sent */
    snprintf(request, sizeof request, "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%0*d",
             BODY_MAX + 1, BODY_MAX + 1, 0);
    expect_refused(state, request, strlen(request), 413);
}

static void test_net__an_eager_sender_of_5_megabytes_can_read_its_413(void **state)
{
    static char bytes[5u << 20];
    struct http_client client;
    connect_to(state, &client);
    http_client_send_text(&client, "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5242880\r\n\r\n");
    http_client_send(&client, bytes, sizeof bytes);
    expect_reply(&client, 413, NULL);
    http_client_close(&client);
}

static void test_net__heads_over_the_limits_are_431(void **state)
{
    static char request[64u << 10];
    int size = snprintf(request, sizeof request, "GET /echo HTTP/1.1\r\nHost: x\r\nX: %0*d\r\n\r\n", 17000, 0);
    expect_refused(state, request, (size_t)size, 431);
    size = snprintf(request, sizeof request, "GET /echo?%0*d HTTP/1.1\r\nHost: x\r\n\r\n", 17000, 0);
    expect_refused(state, request, (size_t)size, 431);
    size = snprintf(request, sizeof request, "GET /echo HTTP/1.1\r\nHost: x\r\nX:%*s", 17000,
                    ""); /* blanks only, never ended */
    expect_refused(state, request, (size_t)size, 431);
}

static void test_net__64_headers_are_taken_and_65_are_not(void **state)
{
    char request[4096];
    struct http_client client;
    for (int headers = 64; headers <= 65; headers++) {
        int size = snprintf(request, sizeof request, "GET /echo HTTP/1.1\r\nHost: x\r\n");
        for (int i = 1; i < headers; i++)
            size += snprintf(request + size, sizeof request - (size_t)size, "X%d: y\r\n", i);
        size += snprintf(request + size, sizeof request - (size_t)size, "\r\n");
        if (headers == 65) {
            expect_refused(state, request, (size_t)size, 431);
            continue;
        }
        connect_to(state, &client);
        http_client_send(&client, request, (size_t)size);
        expect_reply(&client, 200, NULL);
        http_client_close(&client);
    }
}

/* What servers and proxies in front of them read differently: each must end in one error and a closed connection. */
static void test_net__smuggling_probes_are_refused_and_the_connection_closed(void **state)
{
    static const struct {
        const char *name, *request;
    } table[] = {
        {"length and coding",
         "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"coding and length",
         "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n"},
        {"two lengths", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"},
        {"same length twice", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello"},
        {"length list", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 5\r\n\r\nhello"},
        {"length with sign", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: +5\r\n\r\nhello"},
        {"negative length", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\nhello"},
        {"length in hex", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0x5\r\n\r\nhello"},
        {"length over 64 bits", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\nhello"},
        {"foreign coding", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n"},
        {"coding list", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"},
        {"chunked not last", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n"},
        {"chunked twice",
         "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"identity coding", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: identity\r\n\r\n"},
        {"coding in HTTP/1.0", "POST /echo HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
        {"bare LF lines", "POST /echo HTTP/1.1\nHost: x\nContent-Length: 5\n\nhello"},
        {"bare LF after a value", "GET /echo HTTP/1.1\r\nHost: x\nX: y\r\n\r\n"},
        {"bare LF behind the request line", "GET /echo HTTP/1.1\nHost: x\r\n\r\n"},
        {"bare LF behind the head", "GET /echo HTTP/1.1\r\nHost: x\r\n\n"},
        {"bare LF in front", "\nGET /echo HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"bare CR in a value", "GET /echo HTTP/1.1\r\nHost: x\r\nX: a\rb\r\n\r\n"},
        {"blank before colon", "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length : 5\r\n\r\nhello"},
        {"blank before name", "GET /echo HTTP/1.1\r\n Host: x\r\n\r\n"},
        {"folded value", "GET /echo HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n"},
        {"folded coding", "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n"},
        {"NUL in a value", NULL},
        {"no host", "GET /echo HTTP/1.1\r\n\r\n"},
        {"two hosts", "GET /echo HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"},
        {"a host that is two", "GET /echo HTTP/1.1\r\nHost: x, y\r\n\r\n"},
        {"a host with a path", "GET /echo HTTP/1.1\r\nHost: x/y\r\n\r\n"},
        {"a host with a user", "GET /echo HTTP/1.1\r\nHost: x@y\r\n\r\n"},
        {"a host with a blank", "GET /echo HTTP/1.1\r\nHost: x y\r\n\r\n"},
        {"another host in the target", "GET http://y/echo HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"a longer host in the target", "GET http://xy/echo HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"no host in the target", "GET http:///echo HTTP/1.1\r\nHost:\r\n\r\n"},
        {"a user in the target", "GET http://x@x/echo HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"a header without a name", "GET /echo HTTP/1.1\r\nHost: x\r\n: y\r\n\r\n"},
        {"a first header without a name", "GET /echo HTTP/1.1\r\n: y\r\nHost: x\r\n\r\n"},
        {"chunk size not hex",
         "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n"},
        {"chunk size over 64 bits",
         "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\nhello\r\n"},
        {"chunk without its end",
         "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n0\r\n\r\n"},
        {"long chunk extension",
         "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
         "1;0123456789012345678901234567890123456789012345678901234567890123456789=1\r\na\r\n0\r\n\r\n"},
        {"unknown method", "FROB /echo HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"lowercase method", "get /echo HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"no version", "GET /echo\r\n\r\n"},
        {"an HTTP/2 preface that is none", "PRI * HTTP/2.0\r\n\r\nXM\r\n\r\n"},
        {"TLS hello", "\x16\x03\x01\x02\x01\x01\x01\xfc\x03\x03"},
        {"authority without path", "CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"blank in target", "GET /ec ho HTTP/1.1\r\nHost: x\r\n\r\n"},
        {"fragment in target", "GET /echo#x HTTP/1.1\r\nHost: x\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        static const char with_nul[] = "GET /echo HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n";
        struct http_client client;
        struct http_reply reply;
        connect_to(state, &client);
        if (table[i].request == NULL)
            http_client_send(&client, with_nul, sizeof with_nul - 1);
        else
            http_client_send_text(&client, table[i].request);
        bool answered = http_client_read(&client, &reply);
        if (!answered || reply.status < 400 || !http_client_at_end(&client))
            fail_msg("%s: %s, status %d", table[i].name, answered ? "answered" : "no answer",
                     answered ? reply.status : 0);
        http_client_close(&client);
    }
}

/* A fold is seen wherever the reads cut it. */
static void test_net__folded_values_are_refused_at_every_cut(void **state)
{
    static const char *const requests[] = {"GET /echo HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n",
                                           "GET /echo HTTP/1.1\r\nHost: x\r\nX:\r\n \tb\r\n\r\n"};
    for (unsigned i = 0; i < 2; i++) {
        struct http_client client;
        connect_to(state, &client);
        for (const char *at = requests[i]; *at != '\0'; at++)
            http_client_send(&client, at, 1);
        expect_reply(&client, 400, NULL);
        assert_true(http_client_at_end(&client));
        http_client_close(&client);
    }
}

/* RFC 9110, 7.8: a server may ignore Upgrade; what follows is still HTTP/1.1. */
static void test_net__upgrade_offers_are_ignored(void **state)
{
    struct http_client client;
    connect_to(state, &client);
    http_client_send_text(&client, "GET /echo?1 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\nGET "
                                   "/echo?2 HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply(&client, 200, "/echo||1|0|");
    expect_reply(&client, 200, "/echo||2|0|");
    http_client_close(&client);
}

static void test_net__every_prefix_of_a_request_is_waited_for_and_leaves_nothing_behind(void **state)
{
    const char *request = "POST /echo?q HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc";
    for (size_t size = 0; size < strlen(request); size++) {
        struct http_client client;
        connect_to(state, &client);
        http_client_send(&client, request, size);
        http_client_finish_sending(&client);
        assert_true(http_client_at_end(&client)); /* closed without an answer: nothing whole was asked */
        http_client_close(&client);
    }
}

static void test_net__an_answer_larger_than_the_socket_buffers_arrives_whole(void **state)
{
    struct http_client client;
    size_t total = 0;
    char bytes[65536];
    connect_to(state, &client);
    http_client_send_text(&client, "GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    for (ssize_t got; (got = recv(client.file, bytes, sizeof bytes, 0)) > 0;)
        total += (size_t)got;
    assert_true(total > (8u << 20) && total < (8u << 20) + 1000);
    http_client_close(&client);
}

static void test_net__one_client_over_the_cap_is_turned_away_with_503(void **state)
{
    struct http_client client[CONNECTIONS_MAX], late;
    struct http_reply reply;
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++) {
        connect_to(state, &client[i]);
        http_client_send_text(&client[i], "GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
        expect_reply(&client[i], 200, NULL);
    }
    unsigned met = 0;
    for (unsigned i = 0; i < 24; i++) {
        connect_to(state, &late);
        assert_true(http_client_read(&late, &reply));
        assert_int_equal(reply.status, 503);
        unsigned long seconds = strtoul(http_reply_header(&reply, "Retry-After"), NULL, 10);
        assert_in_range(seconds, 2, 4);
        met |= 1u << seconds;
        assert_true(http_client_at_end(&late));
        http_client_close(&late);
    }
    assert_true((met & (met - 1)) != 0); /* not the same to all: they would come back together */
    for (unsigned i = 0; i < CONNECTIONS_MAX; i++)
        http_client_close(&client[i]);
}

static void test_net__refusals_are_counted_by_reason(void **state)
{
    struct server *server = *state;
    uint64_t parse = counters_find(&server->counters, COUNTER_HTTP_BAD_REQUESTS),
             method = counters_find(&server->counters, COUNTER_HTTP_METHOD);
    const char *bad = "BAD\r\n\r\n";
    struct http_client client;
    expect_refused(state, bad, strlen(bad), 400);
    connect_to(state, &client);
    http_client_send_text(&client, "PUT /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    expect_reply(&client, 405, NULL);
    http_client_close(&client);
    assert_int_equal(counters_find(&server->counters, COUNTER_HTTP_BAD_REQUESTS), parse + 1);
    assert_int_equal(counters_find(&server->counters, COUNTER_HTTP_METHOD), method + 1);
}

int main(void)
{
    /* The cap has a server of its own: the connections of other tests would count. */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net__answers_a_get_with_length_and_date),
        cmocka_unit_test(test_net__keeps_the_connection_for_many_requests),
        cmocka_unit_test(test_net__answers_pipelined_requests_in_order),
        cmocka_unit_test(test_net__a_request_may_come_byte_by_byte),
        cmocka_unit_test(test_net__takes_chunked_bodies_and_ignores_trailers),
        cmocka_unit_test(test_net__headers_are_found_whatever_their_case_and_trimmed),
        cmocka_unit_test(test_net__a_trailing_star_matches_any_rest),
        cmocka_unit_test(test_net__head_has_the_length_of_get_and_no_body),
        cmocka_unit_test(test_net__204_has_no_length),
        cmocka_unit_test(test_net__unknown_path_and_method_are_told_and_the_connection_goes_on),
        cmocka_unit_test(test_net__a_refused_request_with_a_body_ends_the_connection),
        cmocka_unit_test(test_net__connection_close_is_honoured),
        cmocka_unit_test(test_net__a_half_closed_client_still_gets_its_answers),
        cmocka_unit_test(test_net__expect_100_continue_is_answered_before_the_body),
        cmocka_unit_test(test_net__expect_is_refused_before_the_body_when_that_is_too_large),
        cmocka_unit_test(test_net__a_body_of_the_maximum_is_taken_and_one_more_is_not),
        cmocka_unit_test(test_net__an_eager_sender_of_5_megabytes_can_read_its_413),
        cmocka_unit_test(test_net__heads_over_the_limits_are_431),
        cmocka_unit_test(test_net__64_headers_are_taken_and_65_are_not),
        cmocka_unit_test(test_net__smuggling_probes_are_refused_and_the_connection_closed),
        cmocka_unit_test(test_net__folded_values_are_refused_at_every_cut),
        cmocka_unit_test(test_net__upgrade_offers_are_ignored),
        cmocka_unit_test(test_net__every_prefix_of_a_request_is_waited_for_and_leaves_nothing_behind),
        cmocka_unit_test(test_net__an_answer_larger_than_the_socket_buffers_arrives_whole),
        cmocka_unit_test(test_net__refusals_are_counted_by_reason),
    };
    const struct CMUnitTest cap[] = {cmocka_unit_test(test_net__one_client_over_the_cap_is_turned_away_with_503)};
    int failed = cmocka_run_group_tests(tests, start, stop);
    return cmocka_run_group_tests(cap, start, stop) + failed;
}
