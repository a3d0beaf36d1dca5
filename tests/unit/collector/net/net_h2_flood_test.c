/* What costs an HTTP/2 client nothing ends its own connection, is counted, and leaves the server to others; and bytes cut
 * or changed anywhere do no more. */
#include "collector/net/net_h2.h"
#include "tests/support/h2_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#define ROUNDS_MAX 20000 /* a flood that has not been ended by then has got through */

struct server {
    struct net *net;
    struct counters counters;
    struct net_route route;
};

static struct server server;

static void answer(void *context, struct net_exchange *exchange)
{
    (void)context;
    net_reply(exchange, &(struct net_answer){
                            .status = 200, .content_type = "text/plain", .body = net_exchange_body(exchange)});
}

static int start(void **state)
{
    (void)state;
    char error[256] = "";
    memset(&server, 0, sizeof server);
    server.route = (struct net_route){NET_GET | NET_POST, "/", answer, NULL, 1000};
    server.net = net_start(&(struct net_options){.listen = "127.0.0.1:0",
                                                 .routes = &server.route,
                                                 .route_count = 1,
                                                 .counters = &server.counters},
                           error, sizeof error);
    return server.net == NULL;
}

static int stop(void **state)
{
    (void)state;
    net_stop(server.net, 1000);
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP_CONNECTIONS), 0);
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP2_CONNECTIONS), 0);
    return 0;
}

static void expect_alive(void)
{
    struct h2_client client = {0};
    struct h2_client_request request = {.path = "/", .method = "POST", .body = slice_text("alive")};
    h2_client_open(&client, net_port(server.net));
    assert_true(h2_client_run(&client, &request));
    assert_int_equal(request.status, 200);
    assert_int_equal(request.answer.size, 5);
    h2_client_release(&request);
    h2_client_close(&client);
}

/* Reads what has come; false: the connection has ended, or was told to. */
static bool is_open(struct h2_client *client)
{
    uint8_t byte;
    while (recv(client->file, &byte, 1, MSG_PEEK | MSG_DONTWAIT) >= 0)
        if (!h2_client_step(client) || client->goaways > 0)
            return false;
    return true;
}

/* As is_open(), but the client's nghttp2 does not see what is said: it would leave for acknowledgements too many. */
static bool is_connected(struct h2_client *client)
{
    uint8_t bytes[4096];
    ssize_t size;
    while ((size = recv(client->file, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
        continue;
    return size < 0 && errno == EAGAIN;
}

/* The loop may not have had a core while the client sent: it gets 10 s to read what lies there. */
static bool ends(struct h2_client *client)
{
    for (unsigned i = 0; i < 1000 && is_connected(client); i++)
        usleep(10000);
    return !is_connected(client);
}

/* The same bytes again and again. */
static void expect_ended(const uint8_t *bytes, size_t size, enum counter counter)
{
    struct h2_client client = {0};
    uint64_t before = counters_find(&server.counters, counter);
    int rounds = 0;
    h2_client_open(&client, net_port(server.net));
    while (is_connected(&client) && rounds++ < ROUNDS_MAX)
        h2_client_send(&client, bytes, size);
    if (!ends(&client))
        fail_msg("frames of type %u get through", bytes[3]);
    h2_client_close(&client);
    expect_alive();
    assert_int_equal(counters_find(&server.counters, counter), before + 1);
}

static void test_net_h2_flood__of_useless_frames_ends_the_connection(void **state)
{
    (void)state;
    static const struct {
        uint8_t type, flags;
        int32_t id;
        const char *payload;
        size_t size;
    } useless[] = {
        {NGHTTP2_PING, 0, 0, "12345678", 8},          {NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, "12345678", 8},
        {NGHTTP2_SETTINGS, 0, 0, NULL, 0},            {NGHTTP2_SETTINGS, 0, 0, "\0\3\0\0\0\1", 6},
        {NGHTTP2_WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4}, {NGHTTP2_PRIORITY, 0, 1, "\0\0\0\0\1", 5},
    };
    for (size_t i = 0; i < sizeof useless / sizeof useless[0]; i++) {
        uint8_t frame[32];
        size_t size = h2_frame(frame, useless[i].type, useless[i].flags, useless[i].id,
                               slice_of(useless[i].payload, useless[i].size));
        expect_ended(frame, size, COUNTER_HTTP2_FLOOD);
    }
}

static void test_net_h2_flood__frames_nobody_knows_are_passed_over(void **state)
{
    (void)state;
    uint8_t frame[32];
    struct h2_client client = {0};
    struct h2_client_request request = {.path = "/"};
    h2_client_open(&client, net_port(server.net));
    size_t size = h2_frame(frame, 0x42, 0xff, 7, slice_text("what"));
    for (unsigned i = 0; i < 2 * H2_BUDGET_MAX; i++)
        h2_client_send(&client, frame, size);
    assert_true(h2_client_run(&client, &request));
    assert_int_equal(request.status, 200);
    h2_client_release(&request);
    h2_client_close(&client);
}

static void test_net_h2_flood__of_empty_data_in_an_open_request_ends_the_connection(void **state)
{
    (void)state;
    uint8_t frame[32];
    struct h2_client client = {0};
    struct h2_client_request request = {.path = "/", .method = "POST", .open = true};
    int rounds = 0;
    h2_client_open(&client, net_port(server.net));
    h2_client_start(&client, &request);
    size_t size = h2_frame(frame, NGHTTP2_DATA, 0, request.id, slice_of(NULL, 0));
    while (is_open(&client) && rounds++ < ROUNDS_MAX)
        h2_client_send(&client, frame, size);
    assert_int_equal(client.goaway_error, NGHTTP2_ENHANCE_YOUR_CALM);
    assert_true(rounds < ROUNDS_MAX);
    h2_client_close(&client);
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP2_FLOOD), 1);
}

/* CVE-2023-44487: each request is whole, and reset at once. */
static void test_net_h2_flood__of_requests_that_are_reset_ends_the_connection(void **state)
{
    (void)state;
    struct h2_client client = {0};
    struct h2_client_request request = {.path = "/"};
    int rounds = 0;
    h2_client_open(&client, net_port(server.net));
    while (is_open(&client) && rounds++ < ROUNDS_MAX) {
        h2_client_release(&request);
        h2_client_start(&client, &request);
        h2_client_reset(&client, &request);
    }
    assert_true(rounds < ROUNDS_MAX);
    h2_client_release(&request);
    h2_client_close(&client);
    expect_alive();
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP2_FLOOD), 1);
}

/* CVE-2025-8671: the client makes the server reset them, by a window that overflows. */
static void test_net_h2_flood__of_requests_that_the_server_has_to_reset_ends_the_connection(void **state)
{
    (void)state;
    struct h2_client client = {0};
    int rounds = 0;
    h2_client_open(&client, net_port(server.net));
    while (is_open(&client) && rounds++ < ROUNDS_MAX) {
        uint8_t frame[32];
        struct h2_client_request request = {.path = "/", .method = "POST", .open = true};
        h2_client_start(&client, &request);
        size_t size = h2_frame(frame, NGHTTP2_WINDOW_UPDATE, 0, request.id, slice_of("\x7f\xff\xff\xff", 4));
        h2_client_send(&client, frame, size);
        h2_client_wait(&client, &request);
        h2_client_release(&request);
    }
    assert_true(rounds < ROUNDS_MAX);
    h2_client_close(&client);
    expect_alive();
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP2_FLOOD), 1);
}

/* CVE-2024-28182: a block that never ends. */
static void test_net_h2_flood__of_continuations_ends_the_connection(void **state)
{
    (void)state;
    struct h2_client client = {0};
    uint8_t frame[32];
    h2_client_open(&client, net_port(server.net));
    size_t size = h2_frame(frame, NGHTTP2_HEADERS, 0, 1, slice_of("\x82", 1));
    h2_client_send(&client, frame, size);
    size = h2_frame(frame, NGHTTP2_CONTINUATION, 0, 1, slice_of(NULL, 0));
    for (unsigned i = 0; i < 4 * H2_CONTINUATIONS_MAX; i++)
        h2_client_send(&client, frame, size); /* fails once it is cut off */
    h2_client_wait_end(&client);
    h2_client_close(&client);
    expect_alive();
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP2_FLOOD) +
                         counters_find(&server.counters, COUNTER_HTTP2_PROTOCOL),
                     1);
}

/* One entry of 4,000 bytes in the table, named again and again by one byte: far over a head in a small block. */
static void test_net_h2_flood__of_a_small_block_that_unpacks_to_much_resets_its_stream(void **state)
{
    (void)state;
    static uint8_t value[3000], block[16000], frame[16100];
    struct h2_client client = {0};
    uint64_t before = counters_find(&server.counters, COUNTER_HTTP_REQUESTS);
    memset(value, 'v', sizeof value);
    size_t size = 0;
    memcpy(block, "\x82\x86\x84\x41\x01x", 6); /* GET, http, /, and an authority for the table */
    size = 6 + h2_literal(block + 6, slice_text("x-long"), slice_of(value, sizeof value));
    block[6] = 0x40;                                 /* this one too */
    memset(block + size, 0xbe, sizeof block - size); /* 62: the latest entry */
    h2_client_open(&client, net_port(server.net));
    size = h2_frame(frame, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 1,
                    slice_of(block, sizeof block));
    h2_client_send(&client, frame, size);
    struct h2_client_request request = {.path = "/"};
    nghttp2_session_set_next_stream_id(client.session, 3);
    /* The table of the connection is still in step. */
    assert_true(h2_client_run(&client, &request));
    assert_int_equal(request.status, 200);
    h2_client_release(&request);
    h2_client_close(&client);
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP_REQUESTS), before + 1);
}

static void test_net_h2_flood__clients_that_work_hard_are_not_taken_for_one(void **state)
{
    (void)state;
    struct h2_client client = {0};
    static struct h2_client_request request;
    h2_client_open(&client, net_port(server.net));
    for (int i = 0; i < 5000; i++) {
        request = (struct h2_client_request){
            .path = "/", .method = "POST", .body = slice_text("a body byte by byte"), .frame_bytes = 1};
        assert_true(h2_client_run(&client, &request));
        assert_int_equal(request.status, 200);
        nghttp2_submit_window_update(client.session, NGHTTP2_FLAG_NONE, 0, 1);
        for (int pings = 0; pings < 4; pings++) /* more than what its DATA frame allows: the answer counts too */
            nghttp2_submit_ping(client.session, NGHTTP2_FLAG_NONE, NULL);
        h2_client_release(&request);
    }
    assert_int_equal(client.goaways, 0);
    h2_client_close(&client);
}

/* A connection of three requests, as bytes: two bodies interleaved, and a head in two frames. */
static size_t record(uint8_t *out)
{
    uint8_t block[256];
    size_t size = 0, at = 0;
    memcpy(out, H2_PREFACE, H2_PREFACE_BYTES);
    at = H2_PREFACE_BYTES;
    at += h2_frame(out + at, NGHTTP2_SETTINGS, 0, 0, slice_of("\0\4\0\1\0\0", 6));
    memcpy(block, "\x83\x86\x84\x41\x01x", 6); /* POST, http, / */
    size = 6 + h2_literal(block + 6, slice_text("content-length"), slice_text("6"));
    at += h2_frame(out + at, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1, slice_of(block, size));
    at += h2_frame(out + at, NGHTTP2_HEADERS, 0, 3, slice_of("\x83\x86", 2));
    at += h2_frame(out + at, NGHTTP2_CONTINUATION, NGHTTP2_FLAG_END_HEADERS, 3, slice_of("\x84\xbe", 2));
    at += h2_frame(out + at, NGHTTP2_DATA, 0, 1, slice_of("one", 3));
    at += h2_frame(out + at, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 3, slice_of("three", 5));
    at += h2_frame(out + at, NGHTTP2_PING, 0, 0, slice_of("12345678", 8));
    at += h2_frame(out + at, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM | NGHTTP2_FLAG_PADDED, 1, slice_of("\2two\0\0", 6));
    at += h2_frame(out + at, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS | NGHTTP2_FLAG_END_STREAM, 5,
                   slice_of("\x82\x86\x84\xbe", 4));
    return at;
}

/* Sends, says that nothing follows, and reads to the end, which must come. */
static void play(const uint8_t *bytes, size_t size)
{
    struct h2_client client = {0};
    uint8_t room[4096];
    struct timeval limit = {.tv_sec = 10};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)net_port(server.net)), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    client.file = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(client.file, (struct sockaddr *)&to, sizeof to), 0);
    setsockopt(client.file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    h2_client_send(&client, bytes, size);
    shutdown(client.file, SHUT_WR);
    ssize_t got;
    while ((got = recv(client.file, room, sizeof room, 0)) > 0)
        continue;
    assert_true(got == 0 || errno == ECONNRESET);
    close(client.file);
}

static void test_net_h2_flood__every_beginning_of_a_connection_may_be_its_end(void **state)
{
    (void)state;
    uint8_t bytes[512];
    size_t size = record(bytes);
    for (size_t cut = 0; cut <= size; cut++)
        play(bytes, cut);
    expect_alive();
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP2_PROTOCOL), 0);
}

static void test_net_h2_flood__every_bit_of_a_connection_may_be_wrong(void **state)
{
    (void)state;
    uint8_t bytes[512];
    size_t size = record(bytes);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        play(bytes, size);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    expect_alive();
}

#define TEST(name) cmocka_unit_test_setup_teardown(test_net_h2_flood__##name, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(of_useless_frames_ends_the_connection),
        TEST(frames_nobody_knows_are_passed_over),
        TEST(of_empty_data_in_an_open_request_ends_the_connection),
        TEST(of_requests_that_are_reset_ends_the_connection),
        TEST(of_requests_that_the_server_has_to_reset_ends_the_connection),
        TEST(of_continuations_ends_the_connection),
        TEST(of_a_small_block_that_unpacks_to_much_resets_its_stream),
        TEST(clients_that_work_hard_are_not_taken_for_one),
        TEST(every_beginning_of_a_connection_may_be_its_end),
        TEST(every_bit_of_a_connection_may_be_wrong),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
