/* The same server behind a Unix socket and behind TLS: what differs from TCP is tested here, the rest in net_test.c. */
#include "collector/net/net.h"
#include "collector/stream/stream.h"
#include "tests/support/certificate.h"
#include "tests/support/socket_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define LARGE (8u << 20)
#define DAY_S 86400l

struct server {
    struct net *net;
    struct stream_tls *tls;
    struct counters counters;
    struct net_route routes[3];
    struct certificate_files files; /* its folder also holds the Unix socket */
    char listen[96];
};

static void show_peer(void *context, struct net_exchange *exchange)
{
    static const uint8_t nobody[16] = {0};
    (void)context;
    const char *text = memcmp(net_exchange_peer(exchange), nobody, 16) == 0 ? "nobody" : "somebody";
    net_reply(exchange, &(struct net_answer){.status = 200, .content_type = "text/plain", .body = slice_text(text)});
}

static void show_peer_now(struct net_exchange *exchange, void *context)
{
    show_peer(context, exchange);
}

/* In a later turn of the loop, as everything that waits for the disk. */
static void show_peer_later(void *context, struct net_exchange *exchange)
{
    net_exchange_on_wake(exchange, show_peer_now, context);
    net_exchange_wake(exchange);
}

static void large(void *context, struct net_exchange *exchange)
{
    static uint8_t bytes[LARGE];
    (void)context;
    net_reply(exchange, &(struct net_answer){.status = 200,
                                             .content_type = "application/octet-stream",
                                             .body = slice_of(bytes, sizeof bytes)});
}

static int start(void **state, struct net_options options)
{
    char error[256];
    struct server *self = *state = calloc(1, sizeof *self);
    self->routes[0] = (struct net_route){NET_GET | NET_POST, "/peer", show_peer, NULL, 1000};
    self->routes[1] = (struct net_route){NET_GET, "/large", large, NULL, 0};
    self->routes[2] = (struct net_route){NET_GET, "/late", show_peer_later, NULL, 0};
    certificate_open(&self->files);
    certificate_write(&self->files, -DAY_S, DAY_S);
    snprintf(self->listen, sizeof self->listen, "unix:%s/s", self->files.folder);
    if (options.listen != NULL)
        self->tls = stream_tls_new(&(struct stream_tls_options){.certificate = self->files.certificate,
                                                                .key = self->files.key,
                                                                .counters = &self->counters},
                                   error, sizeof error);
    else
        options.listen = self->listen;
    options.tls = self->tls;
    options.routes = self->routes;
    options.route_count = 3;
    options.counters = &self->counters;
    self->net = net_start(&options, error, sizeof error);
    if (self->net == NULL)
        print_error("%s\n", error);
    return self->net == NULL;
}

static int start_unix(void **state)
{
    return start(state, (struct net_options){.threads = 3, .connections_per_peer_max = 1});
}

static int start_tls(void **state)
{
    return start(state, (struct net_options){.listen = "127.0.0.1:0", .threads = 2});
}

static int start_impatient(void **state)
{
    return start(state, (struct net_options){.listen = "127.0.0.1:0", .head_timeout_ms = 40, .idle_timeout_ms = 60000});
}

static int start_full(void **state)
{
    return start(state, (struct net_options){.listen = "127.0.0.1:0", .connections_max = 1});
}

static int stop(void **state)
{
    struct server *self = *state;
    net_stop(self->net, 2000);
    stream_tls_free(self->tls);
    assert_int_equal(counters_find(&self->counters, COUNTER_HTTP_CONNECTIONS), 0);
    assert_int_equal(access(self->listen + 5, F_OK), -1); /* a Unix socket's file goes with it */
    certificate_close(&self->files);
    free(self);
    return 0;
}

static int connect_unix(struct server *self)
{
    int file = socket_client_open_local(self->listen + 5);
    assert_true(file >= 0);
    return file;
}

static void ask_unix(int file, const char *wanted)
{
    static const char request[] = "GET /peer HTTP/1.1\r\nHost: x\r\n\r\n";
    char reply[512] = "";
    size_t size = 0;
    assert_true(socket_client_write(file, request, sizeof request - 1));
    while (strstr(reply, wanted) == NULL && size < sizeof reply - 1 && socket_client_read(file, reply + size, 1))
        size++;
    assert_non_null(strstr(reply, "HTTP/1.1 200 OK"));
    assert_non_null(strstr(reply, wanted));
}

static void test_net__serves_a_unix_socket_from_every_loop(void **state)
{
    int files[24];
    for (size_t i = 0; i < 24; i++) {
        files[i] = connect_unix(*state); /* many at once, and no cap of one address: they have none */
        ask_unix(files[i], "nobody");
    }
    for (size_t i = 0; i < 24; i++) {
        ask_unix(files[i], "nobody");
        close(files[i]);
    }
    assert_int_equal(counters_find(&((struct server *)*state)->counters, COUNTER_HTTP_FULL_IP), 0);
}

static void open_client(struct server *self, struct tls_client *client, const char *alpn)
{
    tls_client_open(client, &(struct tls_client_options){.port = net_port(self->net), .alpn = alpn});
    assert_true(tls_client_shake(client));
}

static bool read_until(struct tls_client *client, char *out, size_t room, const char *wanted)
{
    size_t size = 0;
    while (size < room - 1 && tls_client_read(client, out + size, 1)) {
        out[++size] = '\0';
        if (size >= strlen(wanted) && strcmp(out + size - strlen(wanted), wanted) == 0)
            return true;
    }
    return false;
}

static void test_net__keeps_a_tls_connection_and_ends_it_cleanly(void **state)
{
    struct tls_client client;
    char reply[512] = "";
    open_client(*state, &client, "\x08http/1.1");
    for (unsigned i = 0; i < 3; i++) {
        assert_true(tls_client_write(&client, "GET /peer HTTP/1.1\r\nHost: x\r\n\r\n", 31));
        assert_true(read_until(&client, reply, sizeof reply, "somebody"));
    }
    assert_true(tls_client_write(&client, "GET /peer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", 50));
    assert_true(read_until(&client, reply, sizeof reply, "somebody"));
    assert_true(tls_client_ends_cleanly(&client));
    tls_client_close(&client);
}

/* The end comes in the same read as the requests, while the first one is lent: it must not overtake the others. */
static void test_net__answers_all_that_was_pipelined_before_close_notify(void **state)
{
    struct tls_client client;
    char reply[512];
    size_t done;
    open_client(*state, &client, NULL);
    for (unsigned i = 0; i < 5; i++)
        assert_int_equal(SSL_write_ex(client.session, "GET /late HTTP/1.1\r\nHost: x\r\n\r\n", 31, &done), 1);
    SSL_shutdown(client.session);
    assert_true(tls_client_flush(&client));
    assert_int_equal(shutdown(client.file, SHUT_WR), 0);
    for (unsigned i = 0; i < 5; i++)
        assert_true(read_until(&client, reply, sizeof reply, "somebody"));
    assert_true(tls_client_ends_cleanly(&client));
    tls_client_close(&client);
}

static void test_net__sends_a_large_answer_over_tls(void **state)
{
    struct tls_client client;
    char head[512] = "";
    uint8_t *body = malloc(LARGE);
    open_client(*state, &client, NULL);
    for (unsigned i = 0; i < 2; i++) {
        assert_true(tls_client_write(&client, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n", 32));
        assert_true(read_until(&client, head, sizeof head, "\r\n\r\n"));
        assert_true(tls_client_read(&client, body, LARGE));
    }
    free(body);
    tls_client_close(&client);
}

/* A refused request leaves input unread; the client still gets the answer, and a clean end. */
static void test_net__lingers_over_tls(void **state)
{
    static const char request[] = "POST /peer HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n";
    struct tls_client client;
    char reply[1024] = "", zeros[10000] = {0};
    open_client(*state, &client, NULL);
    assert_true(tls_client_write(&client, request, sizeof request - 1));
    for (unsigned i = 0; i < 90; i++)
        if (!tls_client_write(&client, zeros, sizeof zeros))
            break;
    assert_true(read_until(&client, reply, sizeof reply, "\r\n\r\n"));
    assert_non_null(strstr(reply, "HTTP/1.1 413 "));
    assert_true(tls_client_ends_cleanly(&client));
    tls_client_close(&client);
}

static void test_net__gives_a_handshake_the_time_of_a_head(void **state)
{
    struct server *self = *state;
    char byte;
    int file = socket_client_open(net_port(self->net));
    assert_false(socket_client_read(file, &byte, 1)); /* 10 s would fail by the client's own clock, idle time is 60 s */
    close(file);
    assert_int_equal(counters_find(&self->counters, COUNTER_TLS_TIMEOUT), 1);
    assert_int_equal(counters_find(&self->counters, COUNTER_HTTP_TIMEOUT), 0);
}

static void test_net__turns_away_without_a_handshake(void **state)
{
    struct server *self = *state;
    struct tls_client first, second;
    char reply[512] = "";
    open_client(self, &first, NULL);
    tls_client_open(&second, &(struct tls_client_options){.port = net_port(self->net)});
    assert_false(tls_client_shake(&second));
    tls_client_close(&second);
    assert_int_equal(counters_find(&self->counters, COUNTER_HTTP_FULL), 1);
    assert_true(tls_client_write(&first, "GET /peer HTTP/1.1\r\nHost: x\r\n\r\n", 31));
    assert_true(read_until(&first, reply, sizeof reply, "somebody"));
    tls_client_close(&first);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, stop)
        WITH(start_unix, test_net__serves_a_unix_socket_from_every_loop),
        WITH(start_tls, test_net__keeps_a_tls_connection_and_ends_it_cleanly),
        WITH(start_tls, test_net__answers_all_that_was_pipelined_before_close_notify),
        WITH(start_tls, test_net__sends_a_large_answer_over_tls),
        WITH(start_tls, test_net__lingers_over_tls),
        WITH(start_impatient, test_net__gives_a_handshake_the_time_of_a_head),
        WITH(start_full, test_net__turns_away_without_a_handshake),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
