/*
 * T6: hundreds of clients that send and read as slowly as they can, from many addresses, beside one that behaves. Nothing
 * here measures time: the honest client must be answered every time, and every slow one must be told so and hung up on.
 */
#include "collector/net/net.h"

#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define BODY_MAX       100000u
#define PER_PEER       40u
#define ADDRESSES      10u /* few: two of them share a count, and are turned away, once in 1,500 runs (net_peers) */
#define SLOW           (PER_PEER * ADDRESSES)
#define TURNED_AWAY    64u /* of net_internal.h, and one that each loop holds */

struct server {
    struct net *net;
    struct counters counters;
    struct net_route route;
};

static void no_content(void *context, struct net_exchange *exchange)
{
    (void)context;
    net_reply_status(exchange, 204);
}

static void server_start(struct server *self, struct net_options options)
{
    char error[256];
    *self = (struct server){.route = {NET_POST, "/none", no_content, NULL, BODY_MAX}};
    options.listen = "127.0.0.1:0";
    options.routes = &self->route;
    options.route_count = 1;
    options.counters = &self->counters;
    self->net = net_start(&options, error, sizeof error);
    assert_non_null(self->net);
}

static void server_stop(struct server *self)
{
    net_stop(self->net, 1000);
    assert_int_equal(counters_find(&self->counters, COUNTER_HTTP_CONNECTIONS), 0);
}

/* From 127.0.1.`last`. */
static void open_from(const struct server *self, struct http_client *client, unsigned last)
{
    struct sockaddr_in from = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(0x7f000100u + last)};
    struct sockaddr_in to = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)net_port(self->net)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10};
    client->file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(client->file >= 0);
    setsockopt(client->file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    assert_int_equal(bind(client->file, (struct sockaddr *)&from, sizeof from), 0);
    assert_int_equal(connect(client->file, (struct sockaddr *)&to, sizeof to), 0);
    buf_init(&client->in, 1u << 20);
}

static void expect_status(struct http_client *client, int status)
{
    struct http_reply reply;
    assert_true(http_client_read(client, &reply));
    assert_int_equal(reply.status, status);
}

static void expect_served(struct http_client *client)
{
    http_client_send_text(client, "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
    expect_status(client, 204);
}

static const char *const slow_beginnings[] = {
    "POST /none HTT",                                                                     /* half a head */
    "POST /none HTTP/1.1\r\nHost: x\r\nX-Slow: aaaaaaaa",                                /* a header without end */
    "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\nabc",                /* a body that does not come */
    "POST /none HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n1\r\n", /* in chunks of one byte */
};

static void test_net__slow_clients_do_not_keep_an_honest_one_from_being_served(void **state)
{
    (void)state;
    static struct http_client slow[SLOW];
    struct server server;
    struct http_client honest;
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    server_start(&server, (struct net_options){.threads = 2,
                                               .connections_max = SLOW + 10,
                                               .connections_per_peer_max = PER_PEER,
                                               .head_timeout_ms = 300,
                                               .body_grace_ms = 200});
    http_client_open(&honest, net_port(server.net));
    for (unsigned i = 0; i < SLOW; i++) {
        open_from(&server, &slow[i], 1 + i % ADDRESSES);
        http_client_send_text(&slow[i], slow_beginnings[i % 4]);
        if (i % 8 == 0)
            expect_served(&honest);
    }
    for (unsigned i = 0; i < SLOW; i++) {
        expect_status(&slow[i], 408);
        assert_true(http_client_at_end(&slow[i]));
        http_client_close(&slow[i]);
        if (i % 8 == 0)
            expect_served(&honest);
    }
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP_TIMEOUT), SLOW / 2);
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP_SLOW_BODY), SLOW / 2);
    for (unsigned i = 0; i < ADDRESSES; i++) { /* and the same addresses are welcome again */
        struct http_client client;
        open_from(&server, &client, 1 + i);
        expect_served(&client);
        http_client_close(&client);
    }
    http_client_close(&honest);
    server_stop(&server);
}

/* Far slower than a read, far faster than the least rate. */
static void test_net__a_body_in_small_steps_is_taken_when_it_keeps_the_rate(void **state)
{
    (void)state;
    struct server server;
    struct http_client client;
    char step[1000];
    memset(step, 'x', sizeof step);
    server_start(&server, (struct net_options){.body_bytes_per_second_min = 1, .body_grace_ms = 60000});
    http_client_open(&client, net_port(server.net));
    http_client_send_text(&client, "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\n");
    for (unsigned i = 0; i < 50; i++)
        http_client_send(&client, step, sizeof step);
    expect_status(&client, 204);
    http_client_close(&client);
    server_stop(&server);
}

static void test_net__a_whole_request_has_its_own_end_however_steady_it_comes(void **state)
{
    (void)state;
    struct server server;
    struct http_client client;
    server_start(&server, (struct net_options){.body_grace_ms = 60000, .request_timeout_ms = 200});
    http_client_open(&client, net_port(server.net));
    http_client_send_text(&client, "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 50000\r\n\r\nabc");
    expect_status(&client, 408);
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP_TIMEOUT), 1);
    http_client_close(&client);
    server_stop(&server);
}

static void test_net__one_address_has_its_share_of_connections_and_gets_it_back(void **state)
{
    (void)state;
    struct server server;
    struct http_client client[PER_PEER], over, other;
    server_start(&server, (struct net_options){.connections_per_peer_max = PER_PEER});
    for (unsigned i = 0; i < PER_PEER; i++) {
        open_from(&server, &client[i], 1);
        expect_served(&client[i]);
    }
    open_from(&server, &over, 1);
    expect_status(&over, 503);
    assert_true(http_client_at_end(&over));
    http_client_close(&over);
    assert_int_equal(counters_find(&server.counters, COUNTER_HTTP_FULL_IP), 1);
    open_from(&server, &other, 2);
    expect_served(&other);
    http_client_close(&other);
    http_client_close(&client[0]);
    while (counters_find(&server.counters, COUNTER_HTTP_CONNECTIONS) >= PER_PEER) { /* until it has seen the close */
    }
    open_from(&server, &client[0], 1);
    expect_served(&client[0]);
    for (unsigned i = 0; i < PER_PEER; i++)
        http_client_close(&client[i]);
    server_stop(&server);
}

/* A crowd beyond the cap is told so or waits in the kernel's queue; the process holds no more than it has declared. */
static void test_net__accepting_pauses_before_descriptors_run_out(void **state)
{
    (void)state;
    enum { MAX = 4, CROWD = 300 };
    static struct http_client crowd[CROWD];
    struct server server;
    struct http_client client[MAX], late;
    uint64_t most = 0;
    server_start(&server, (struct net_options){.threads = 2, .connections_max = MAX});
    for (unsigned i = 0; i < MAX; i++) {
        http_client_open(&client[i], net_port(server.net));
        expect_served(&client[i]);
    }
    for (unsigned i = 0; i < CROWD; i++) {
        http_client_open(&crowd[i], net_port(server.net));
        uint64_t open = counters_find(&server.counters, COUNTER_HTTP_CONNECTIONS);
        most = open > most ? open : most;
    }
    assert_true(most <= MAX + TURNED_AWAY + 2);
    expect_served(&client[0]);
    for (unsigned i = 0; i < CROWD; i++)
        http_client_close(&crowd[i]);
    for (unsigned i = 1; i < MAX; i++)
        http_client_close(&client[i]);
    bool served = false;
    while (!served) { /* those of the crowd that are still queued come first, and one of ours may be told to come back */
        struct http_reply reply;
        http_client_open(&late, net_port(server.net));
        http_client_send_text(&late, "POST /none HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
        served = http_client_read(&late, &reply) && reply.status == 204;
        http_client_close(&late);
    }
    expect_served(&client[0]);
    http_client_close(&client[0]);
    assert_true(counters_find(&server.counters, COUNTER_HTTP_FULL) > 0);
    server_stop(&server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net__slow_clients_do_not_keep_an_honest_one_from_being_served),
        cmocka_unit_test(test_net__a_body_in_small_steps_is_taken_when_it_keeps_the_rate),
        cmocka_unit_test(test_net__a_whole_request_has_its_own_end_however_steady_it_comes),
        cmocka_unit_test(test_net__one_address_has_its_share_of_connections_and_gets_it_back),
        cmocka_unit_test(test_net__accepting_pauses_before_descriptors_run_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
