/* TLS against OpenSSL's own client, with the bytes between them cut, stopped and spoilt where it hurts. */
#include "tests/support/certificate.h"
#include "tests/support/socket_client.h"
#include "tests/support/stream_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define BOTH   (STREAM_HTTP_1_1 | STREAM_H2)
#define DAY_S  86400l
#define NEVER  60000u /* ms: no handshake of these tests is late */

struct rig {
    struct certificate_files files;
    struct stream_tls *tls;
    struct stream_server server;
};

static struct rig *rig_new(const struct stream_server_options *options)
{
    char error[512];
    struct rig *self = calloc(1, sizeof *self);
    certificate_open(&self->files);
    certificate_write(&self->files, -DAY_S, DAY_S);
    static struct counters unused;
    self->tls = stream_tls_new(&(struct stream_tls_options){.certificate = self->files.certificate,
                                                            .key = self->files.key,
                                                            .counters = &unused},
                               error, sizeof error);
    assert_non_null(self->tls);
    struct stream_server_options own = *options;
    own.listen = "127.0.0.1:0";
    own.tls = self->tls;
    stream_server_start(&self->server, &own);
    return self;
}

static int start(void **state)
{
    *state = rig_new(&(struct stream_server_options){.protocols = BOTH, .handshake_timeout_ms = NEVER});
    return 0;
}

static int start_h2_only(void **state)
{
    *state = rig_new(&(struct stream_server_options){.protocols = STREAM_H2, .handshake_timeout_ms = NEVER});
    return 0;
}

static int start_h1_only(void **state)
{
    *state = rig_new(&(struct stream_server_options){.protocols = STREAM_HTTP_1_1, .handshake_timeout_ms = NEVER});
    return 0;
}

static int start_impatient(void **state)
{
    *state = rig_new(&(struct stream_server_options){.protocols = BOTH, .handshake_timeout_ms = 1});
    return 0;
}

static int start_closing(void **state)
{
    *state = rig_new(&(struct stream_server_options){
        .protocols = BOTH, .handshake_timeout_ms = NEVER, .closes_at_opened = true});
    return 0;
}

static int stop(void **state)
{
    struct rig *self = *state;
    stream_server_stop(&self->server);
    stream_tls_free(self->tls);
    certificate_close(&self->files);
    free(self);
    return 0;
}

static void open_client(struct rig *self, struct tls_client *client, struct tls_client_options options)
{
    options.port = self->server.address.port;
    tls_client_open(client, &options);
}

static void expect_echo(struct tls_client *client, const char *text)
{
    char back[64] = "";
    assert_true(tls_client_write(client, text, strlen(text)));
    assert_true(tls_client_read(client, back, strlen(text)));
    assert_string_equal(back, text);
}

static void expect_count(struct rig *self, enum counter id, uint64_t wanted)
{
    if (!stream_server_await_counter(&self->server, id, wanted))
        fail_msg("it is %lu, not %lu", (unsigned long)counters_find(&self->server.counters, id), (unsigned long)wanted);
}

static void test_session__speaks_tls_1_2_and_1_3(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        struct tls_client client;
        open_client(*state, &client, (struct tls_client_options){.version_max = versions[i]});
        assert_true(tls_client_shake(&client));
        assert_int_equal(SSL_version(client.session), versions[i]);
        expect_echo(&client, "hello");
        expect_echo(&client, "again");
        tls_client_close(&client);
    }
    expect_count(*state, COUNTER_TLS_HANDSHAKES, 2);
}

static void test_session__refuses_older_versions(void **state)
{
    struct rig *self = *state;
    static const int versions[] = {TLS1_VERSION, TLS1_1_VERSION};
    for (size_t i = 0; i < 2; i++) {
        struct tls_client client;
        open_client(self, &client,
                    (struct tls_client_options){.version_min = TLS1_VERSION, .version_max = versions[i]});
        assert_false(tls_client_shake(&client));
        tls_client_close(&client);
        expect_count(self, COUNTER_TLS_VERSION, i + 1);
    }
    assert_int_equal(self->server.opened, 0);
}

static void test_session__takes_the_best_protocol_that_both_know(void **state)
{
    static const struct {
        const char *alpn;
        enum stream_protocol wanted;
    } rows[] = {{"\x02h2\x08http/1.1", STREAM_H2}, {"\x08http/1.1\x02h2", STREAM_H2}, {"\x08http/1.1", STREAM_HTTP_1_1},
                {"\x05h2-14\x02h2", STREAM_H2},    {NULL, STREAM_PROTOCOL_NONE}};
    struct rig *self = *state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct tls_client client;
        open_client(self, &client, (struct tls_client_options){.alpn = rows[i].alpn});
        assert_true(tls_client_shake(&client));
        expect_echo(&client, "hello");
        assert_int_equal(self->server.protocol, rows[i].wanted);
        tls_client_close(&client);
    }
}

static void test_session__refuses_a_client_without_a_protocol_in_common(void **state)
{
    struct rig *self = *state;
    static const char *const alpn[] = {"\x08http/1.1", "\x02h3", "\x01h", NULL};
    for (size_t i = 0; i < sizeof alpn / sizeof alpn[0]; i++) {
        struct tls_client client;
        open_client(self, &client, (struct tls_client_options){.alpn = alpn[i]});
        char byte;
        assert_true(!tls_client_shake(&client) || !tls_client_read(&client, &byte, 1));
        tls_client_close(&client);
        expect_count(self, COUNTER_TLS_PROTOCOL, i + 1);
    }
    assert_int_equal(self->server.opened, 0);
}

static void test_session__offers_only_what_the_listener_has(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){.alpn = "\x02h2\x08http/1.1"});
    assert_true(tls_client_shake(&client));
    expect_echo(&client, "hello");
    assert_int_equal(self->server.protocol, STREAM_HTTP_1_1);
    tls_client_close(&client);
}

static void test_session__is_the_same_byte_by_byte(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    for (size_t i = 0; i < 2; i++) {
        struct tls_client client;
        open_client(*state, &client, (struct tls_client_options){.version_max = versions[i], .piece = 1});
        assert_true(tls_client_shake(&client));
        expect_echo(&client, "one byte a packet");
        tls_client_close(&client);
    }
}

/* Many records a read, and records that end in the next one. */
static void test_session__carries_a_megabyte_each_way(void **state)
{
    struct tls_client client;
    size_t size = 1u << 20, at = 0;
    uint8_t *bytes = malloc(size), *back = malloc(size);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)('a' + i * 7 % 23);
    open_client(*state, &client, (struct tls_client_options){0});
    assert_true(tls_client_shake(&client));
    while (at < size) {
        size_t chunk = at % 3 == 0 ? 150001 : 17; /* several reads, most of which end inside a record */
        chunk = chunk < size - at ? chunk : size - at;
        assert_true(tls_client_write(&client, bytes + at, chunk));
        assert_true(tls_client_read(&client, back, chunk));
        assert_memory_equal(back, bytes + at, chunk);
        at += chunk;
    }
    free(bytes);
    free(back);
    tls_client_close(&client);
}

static void test_session__writes_what_the_kernel_does_not_take_at_once(void **state)
{
    struct tls_client client;
    uint8_t *bytes = malloc(STREAM_SERVER_BIG);
    open_client(*state, &client, (struct tls_client_options){0});
    assert_true(tls_client_shake(&client));
    assert_true(tls_client_write(&client, "B", 1));
    assert_true(tls_client_read(&client, bytes, STREAM_SERVER_BIG));
    for (size_t i = 0; i < STREAM_SERVER_BIG; i++)
        if (bytes[i] != i % 251)
            fail_msg("byte %zu is %u", i, bytes[i]);
    expect_echo(&client, "after it");
    free(bytes);
    tls_client_close(&client);
}

static void test_session__is_closed_while_a_write_waits(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    char byte;
    open_client(self, &client, (struct tls_client_options){0});
    assert_true(tls_client_shake(&client));
    assert_true(tls_client_write(&client, "B", 1));
    assert_true(tls_client_read(&client, &byte, 1));
    tls_client_close(&client);
    assert_true(stream_server_await(&self->server.open, 0));
}

static void test_session__ends_cleanly_on_both_sides(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    char back[3];
    open_client(self, &client, (struct tls_client_options){0});
    assert_true(tls_client_shake(&client));
    SSL_shutdown(client.session); /* close_notify, and the socket stays open */
    assert_true(tls_client_flush(&client));
    assert_true(tls_client_read(&client, back, 3));
    assert_memory_equal(back, "bye", 3);
    assert_true(tls_client_ends_cleanly(&client));
    assert_int_equal(self->server.ended, 1);
    tls_client_close(&client);
}

static void test_session__finishes_cleanly_and_still_reads(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    char back[4];
    open_client(self, &client, (struct tls_client_options){0});
    assert_true(tls_client_shake(&client));
    assert_true(tls_client_write(&client, "Fine", 4));
    assert_true(tls_client_read(&client, back, 4));
    assert_true(tls_client_ends_cleanly(&client));
    assert_int_equal(self->server.ended, 0);
    assert_int_equal(shutdown(client.file, SHUT_WR), 0);
    assert_true(stream_server_await(&self->server.ended, 1));
    tls_client_close(&client);
}

static void test_session__may_be_closed_when_it_opens_and_inside_take(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){0});
    tls_client_shake(&client);
    assert_true(tls_client_ends_cleanly(&client));
    tls_client_close(&client);
    self->server.options.closes_at_opened = false; /* no stream is open: nobody reads it */
    open_client(self, &client, (struct tls_client_options){0});
    assert_true(tls_client_shake(&client));
    assert_true(tls_client_write(&client, "X", 1));
    assert_true(tls_client_ends_cleanly(&client));
    tls_client_close(&client);
}

/* The first flight, as this library sends it. */
static size_t client_hello(struct rig *self, uint8_t *out, size_t room)
{
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){.alpn = "\x08http/1.1"});
    SSL_do_handshake(client.session);
    int size = BIO_read(client.out, out, (int)room);
    assert_true(size > 0);
    tls_client_close(&client);
    return (size_t)size;
}

static void test_session__ends_with_every_strict_prefix_of_a_hello(void **state)
{
    struct rig *self = *state;
    uint8_t hello[2048];
    char back[64];
    bool reset;
    size_t size = client_hello(self, hello, sizeof hello);
    expect_count(self, COUNTER_TLS_CLOSED, 1); /* that client's own */
    for (size_t cut = 0; cut < size; cut++) {
        int file = socket_client_open(self->server.address.port);
        assert_true(socket_client_write(file, hello, cut));
        assert_int_equal(shutdown(file, SHUT_WR), 0);
        assert_int_equal(socket_client_read_all(file, back, sizeof back, &reset), 0);
        assert_false(reset);
        close(file);
    }
    expect_count(self, COUNTER_TLS_CLOSED, size + 1);
    assert_int_equal(self->server.opened, 0);
}

static void test_session__survives_every_flipped_byte_of_a_hello(void **state)
{
    struct rig *self = *state;
    uint8_t hello[2048];
    char back[8192];
    bool reset;
    size_t size = client_hello(self, hello, sizeof hello);
    for (size_t at = 0; at < size; at++) {
        int file = socket_client_open(self->server.address.port);
        hello[at] ^= 0x55;
        assert_true(socket_client_write(file, hello, size));
        shutdown(file, SHUT_WR); /* it may have been refused and reset already */
        socket_client_read_all(file, back, sizeof back, &reset);
        hello[at] ^= 0x55;
        close(file);
    }
    assert_true(stream_server_await(&self->server.open, 0));
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){0});
    assert_true(tls_client_shake(&client));
    expect_echo(&client, "still here");
    tls_client_close(&client);
}

static void test_session__ends_when_the_client_leaves_during_the_second_flight(void **state)
{
    struct rig *self = *state;
    size_t size = 1;
    unsigned left = 0;
    for (size_t cut = 0; cut < size; cut++, left++) {
        struct tls_client client;
        uint8_t flight[512], byte[4096];
        open_client(self, &client, (struct tls_client_options){.version_max = TLS1_2_VERSION});
        do {
            SSL_do_handshake(client.session);
            if (BIO_pending(client.out) > 0 && left == 0)
                size = (size_t)BIO_pending(client.out);
            if (SSL_get_state(client.session) != TLS_ST_CW_CLNT_HELLO && BIO_pending(client.out) > 0 &&
                client.piece == 1)
                break;
            assert_true(tls_client_flush(&client));
            client.piece = 1;
            ssize_t got = recv(client.file, byte, sizeof byte, 0);
            assert_true(got > 0);
            BIO_write(client.in, byte, (int)got);
        } while (true);
        int flown = BIO_read(client.out, flight, sizeof flight);
        assert_true(flown > 0);
        size = (size_t)flown;
        assert_true(socket_client_write(client.file, flight, cut));
        tls_client_close(&client);
    }
    expect_count(self, COUNTER_TLS_CLOSED, left);
    assert_true(stream_server_await(&self->server.open, 0));
    assert_int_equal(self->server.opened, 0);
}

static void test_session__that_goes_on_too_slowly_is_late(void **state)
{
    struct rig *self = *state;
    uint8_t hello[2048];
    char back[8];
    bool reset;
    size_t size = client_hello(self, hello, sizeof hello);
    assert_true(stream_server_await(&self->server.open, 0));
    unsigned before = (unsigned)counters_find(&self->server.counters, COUNTER_TLS_TIMEOUT);
    for (unsigned i = 0; i < 2; i++) { /* having said nothing, and having said half */
        int file = socket_client_open(self->server.address.port);
        assert_true(socket_client_write(file, hello, i * size / 2));
        assert_int_equal(socket_client_read_all(file, back, sizeof back, &reset), 0);
        close(file);
        expect_count(self, COUNTER_TLS_TIMEOUT, before + i + 1);
    }
    assert_true(stream_server_await(&self->server.open, 0));
}

static void test_session__that_is_open_is_never_late(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){0});
    assert_true(tls_client_shake(&client));
    self->server.listener.options.handshake_timeout_ms = 1; /* of the ones to come; the sweep asks every 5 ms */
    usleep(30000);
    expect_echo(&client, "hello");
    assert_int_equal(self->server.late, 0);
    tls_client_close(&client);
}

static void test_session__refuses_garbage(void **state)
{
    struct rig *self = *state;
    char back[64];
    bool reset;
    uint8_t garbage[3000];
    for (size_t i = 0; i < sizeof garbage; i++)
        garbage[i] = (uint8_t)(i * 41 + 7);
    int file = socket_client_open(self->server.address.port);
    assert_true(socket_client_write(file, garbage, sizeof garbage));
    size_t size = socket_client_read_all(file, back, sizeof back, &reset);
    assert_true(size <= 7); /* at most an alert */
    close(file);
    expect_count(self, COUNTER_TLS_MALFORMED, 1);
}

static void test_session__tells_a_plain_client_what_to_do(void **state)
{
    struct rig *self = *state;
    static const char *const requests[] = {"GET / HTTP/1.1\r\nHost: x\r\n\r\n", "POST /v1/beacon HTTP/1.1\r\n\r\n"};
    for (size_t i = 0; i < 2; i++) {
        char back[512] = "";
        bool reset;
        int file = socket_client_open(self->server.address.port);
        assert_true(socket_client_write(file, requests[i], strlen(requests[i])));
        socket_client_read_all(file, back, sizeof back - 1, &reset);
        assert_non_null(strstr(back, "HTTP/1.1 400 Bad Request\r\n"));
        const char *body = strstr(back, "\r\n\r\n") + 4, *length = strstr(back, "Content-Length: ");
        assert_int_equal(strlen(body), atoi(length + 16));
        close(file);
        expect_count(self, COUNTER_TLS_PLAIN, i + 1);
    }
}

static void test_session__counts_a_client_that_does_not_trust_it(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){.version_max = TLS1_2_VERSION});
    SSL_set_verify(client.session, SSL_VERIFY_PEER, NULL);
    assert_false(tls_client_shake(&client));
    expect_count(self, COUNTER_TLS_ALERT, 1);
    tls_client_close(&client);
}

static void test_session__counts_a_client_without_a_cipher_in_common(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){.version_max = TLS1_2_VERSION});
    assert_int_equal(SSL_set_cipher_list(client.session, "AES128-SHA"), 1); /* for RSA keys; ours is P-256 */
    assert_false(tls_client_shake(&client));
    expect_count(self, COUNTER_TLS_CIPHER, 1);
    tls_client_close(&client);
}

static void test_session__fails_on_a_spoilt_record(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    char record[256], byte;
    open_client(self, &client, (struct tls_client_options){0});
    assert_true(tls_client_shake(&client));
    expect_echo(&client, "good");
    assert_int_equal(SSL_write(client.session, "bad", 3), 3);
    int size = BIO_read(client.out, record, sizeof record);
    record[size - 1] ^= 1;
    assert_true(socket_client_write(client.file, record, (size_t)size));
    assert_false(tls_client_read(&client, &byte, 1));
    assert_true(stream_server_await(&self->server.failed, 1));
    assert_true(stream_server_await(&self->server.open, 0));
    tls_client_close(&client);
}

static void test_session__does_not_renegotiate(void **state)
{
    struct tls_client client;
    char byte;
    open_client(*state, &client, (struct tls_client_options){.version_max = TLS1_2_VERSION});
    assert_true(tls_client_shake(&client));
    assert_int_equal(SSL_renegotiate(client.session), 1);
    SSL_do_handshake(client.session);
    tls_client_flush(&client);
    assert_false(tls_client_read(&client, &byte, 1)); /* our alert ends OpenSSL's client */
    expect_count(*state, COUNTER_TLS_HANDSHAKES, 1);
    tls_client_close(&client);
}

/* Each asks for one in return, of about 30 bytes, which this client never reads: the socket's buffers fill, and what
 * waits behind them is bounded. */
static void test_session__hangs_up_on_a_flood_of_key_updates(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    bool alive = true;
    int small = 4096;
    setsockopt(stream_listener_socket(&self->server.listener), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
    open_client(self, &client, (struct tls_client_options){.version_min = TLS1_3_VERSION});
    setsockopt(client.file, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    assert_true(tls_client_shake(&client));
    for (unsigned i = 0; alive && i < 1000000 && self->server.open > 0; i++) {
        SSL_key_update(client.session, SSL_KEY_UPDATE_REQUESTED);
        SSL_do_handshake(client.session);
        if (BIO_pending(client.out) > 8192)
            alive = tls_client_flush(&client);
    }
    assert_true(stream_server_await(&self->server.open, 0));
    assert_int_equal(self->server.failed, 1);
    tls_client_close(&client);
}

static SSL_SESSION *ticket_of(struct rig *self, SSL_SESSION *resumes, int version, bool *resumed)
{
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){.resumes = resumes, .version_max = version});
    assert_true(tls_client_shake(&client));
    expect_echo(&client, "hello"); /* the tickets of TLS 1.3 come with the first answer */
    *resumed = SSL_session_reused(client.session) == 1;
    SSL_SESSION *ticket = SSL_get1_session(client.session);
    SSL_shutdown(client.session); /* a session that was not ended is not taken up again */
    tls_client_flush(&client);
    tls_client_close(&client);
    return ticket;
}

static void test_session__is_resumed_by_a_ticket_until_the_keys_are_made_anew(void **state)
{
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    struct rig *self = *state;
    for (unsigned i = 0; i < 2; i++) {
        bool resumed;
        char error[256];
        SSL_SESSION *first = ticket_of(self, NULL, versions[i], &resumed);
        assert_false(resumed);
        SSL_SESSION *second = ticket_of(self, first, versions[i], &resumed);
        assert_true(resumed);
        expect_count(self, COUNTER_TLS_RESUMED, i + 1);
        assert_true(stream_tls_read(self->tls, error, sizeof error));
        stream_tls_apply(self->tls);
        SSL_SESSION *third = ticket_of(self, second, versions[i], &resumed);
        assert_false(resumed);
        SSL_SESSION_free(first);
        SSL_SESSION_free(second);
        SSL_SESSION_free(third);
    }
}

static X509 *certificate_seen(struct rig *self)
{
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){0});
    assert_true(tls_client_shake(&client));
    X509 *seen = SSL_get1_peer_certificate(client.session);
    tls_client_close(&client);
    return seen;
}

static void test_session__keeps_its_certificate_while_new_ones_get_the_new_one(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    char error[256];
    open_client(self, &client, (struct tls_client_options){0});
    assert_true(tls_client_shake(&client));
    X509 *before = SSL_get1_peer_certificate(client.session);
    certificate_write(&self->files, -DAY_S, 2 * DAY_S);
    assert_true(stream_tls_read(self->tls, error, sizeof error));
    X509 *unapplied = certificate_seen(self);
    assert_int_equal(X509_cmp(before, unapplied), 0);
    stream_tls_apply(self->tls);
    X509 *after = certificate_seen(self);
    assert_int_not_equal(X509_cmp(before, after), 0);
    expect_echo(&client, "as before");
    tls_client_close(&client);
    X509_free(before);
    X509_free(unapplied);
    X509_free(after);
}

struct shaker {
    struct rig *rig;
    atomic_uint done;
};

static void shake_often(void *context)
{
    struct shaker *self = context;
    for (unsigned i = 0; i < 40; i++) {
        struct tls_client client;
        char back[5];
        open_client(self->rig, &client, (struct tls_client_options){0});
        if (tls_client_shake(&client) && tls_client_write(&client, "hello", 5) && tls_client_read(&client, back, 5))
            atomic_fetch_add(&self->done, 1);
        tls_client_close(&client);
    }
}

static void test_session__begins_while_certificates_are_replaced(void **state)
{
    struct rig *self = *state;
    struct shaker shaker = {.rig = self};
    uv_thread_t thread;
    char error[256];
    uv_thread_create(&thread, shake_often, &shaker);
    for (unsigned i = 0; i < 40; i++) {
        assert_true(stream_tls_read(self->tls, error, sizeof error));
        stream_tls_apply(self->tls);
    }
    uv_thread_join(&thread);
    assert_int_equal(shaker.done, 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, stop)
        WITH(start, test_session__speaks_tls_1_2_and_1_3),
        WITH(start, test_session__refuses_older_versions),
        WITH(start, test_session__takes_the_best_protocol_that_both_know),
        WITH(start_h2_only, test_session__refuses_a_client_without_a_protocol_in_common),
        WITH(start_h1_only, test_session__offers_only_what_the_listener_has),
        WITH(start, test_session__is_the_same_byte_by_byte),
        WITH(start, test_session__carries_a_megabyte_each_way),
        WITH(start, test_session__writes_what_the_kernel_does_not_take_at_once),
        WITH(start, test_session__is_closed_while_a_write_waits),
        WITH(start, test_session__ends_cleanly_on_both_sides),
        WITH(start, test_session__finishes_cleanly_and_still_reads),
        WITH(start_closing, test_session__may_be_closed_when_it_opens_and_inside_take),
        WITH(start, test_session__ends_with_every_strict_prefix_of_a_hello),
        WITH(start, test_session__survives_every_flipped_byte_of_a_hello),
        WITH(start, test_session__ends_when_the_client_leaves_during_the_second_flight),
        WITH(start_impatient, test_session__that_goes_on_too_slowly_is_late),
        WITH(start, test_session__that_is_open_is_never_late),
        WITH(start, test_session__refuses_garbage),
        WITH(start, test_session__tells_a_plain_client_what_to_do),
        WITH(start, test_session__counts_a_client_that_does_not_trust_it),
        WITH(start, test_session__counts_a_client_without_a_cipher_in_common),
        WITH(start, test_session__fails_on_a_spoilt_record),
        WITH(start, test_session__does_not_renegotiate),
        WITH(start, test_session__hangs_up_on_a_flood_of_key_updates),
        WITH(start, test_session__is_resumed_by_a_ticket_until_the_keys_are_made_anew),
        WITH(start, test_session__keeps_its_certificate_while_new_ones_get_the_new_one),
        WITH(start, test_session__begins_while_certificates_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
