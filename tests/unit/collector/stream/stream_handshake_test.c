/* Handshakes against OpenSSL's own client, with the bytes between them cut, stopped and spoilt where it hurts. */
#include "tests/unit/collector/stream/session_rig.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static void test_handshake__refuses_older_versions(void **state)
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

static void test_handshake__takes_the_best_protocol_that_both_know(void **state)
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

static void test_handshake__refuses_a_client_without_a_protocol_in_common(void **state)
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

static void test_handshake__offers_only_what_the_listener_has(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){.alpn = "\x02h2\x08http/1.1"});
    assert_true(tls_client_shake(&client));
    expect_echo(&client, "hello");
    assert_int_equal(self->server.protocol, STREAM_HTTP_1_1);
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

static void test_handshake__ends_with_every_strict_prefix_of_a_hello(void **state)
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

static void test_handshake__survives_every_flipped_byte_of_a_hello(void **state)
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

static void test_handshake__ends_when_the_client_leaves_during_the_second_flight(void **state)
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

static void test_handshake__that_goes_on_too_slowly_is_late(void **state)
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

static void test_handshake__that_is_open_is_never_late(void **state)
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

static void test_handshake__refuses_garbage(void **state)
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

static void test_handshake__tells_a_plain_client_what_to_do(void **state)
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

static void test_handshake__counts_a_client_that_does_not_trust_it(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){.version_max = TLS1_2_VERSION});
    SSL_set_verify(client.session, SSL_VERIFY_PEER, NULL);
    assert_false(tls_client_shake(&client));
    expect_count(self, COUNTER_TLS_ALERT, 1);
    tls_client_close(&client);
}

static void test_handshake__counts_a_client_without_a_cipher_in_common(void **state)
{
    struct rig *self = *state;
    struct tls_client client;
    open_client(self, &client, (struct tls_client_options){.version_max = TLS1_2_VERSION});
    assert_int_equal(SSL_set_cipher_list(client.session, "AES128-SHA"), 1); /* for RSA keys; ours is P-256 */
    assert_false(tls_client_shake(&client));
    expect_count(self, COUNTER_TLS_CIPHER, 1);
    tls_client_close(&client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, rig_stop)
        WITH(rig_start, test_handshake__refuses_older_versions),
        WITH(rig_start, test_handshake__takes_the_best_protocol_that_both_know),
        WITH(rig_start_h2, test_handshake__refuses_a_client_without_a_protocol_in_common),
        WITH(rig_start_h1, test_handshake__offers_only_what_the_listener_has),
        WITH(rig_start, test_handshake__ends_with_every_strict_prefix_of_a_hello),
        WITH(rig_start, test_handshake__survives_every_flipped_byte_of_a_hello),
        WITH(rig_start, test_handshake__ends_when_the_client_leaves_during_the_second_flight),
        WITH(rig_start_impatient, test_handshake__that_goes_on_too_slowly_is_late),
        WITH(rig_start, test_handshake__that_is_open_is_never_late),
        WITH(rig_start, test_handshake__refuses_garbage),
        WITH(rig_start, test_handshake__tells_a_plain_client_what_to_do),
        WITH(rig_start, test_handshake__counts_a_client_that_does_not_trust_it),
        WITH(rig_start, test_handshake__counts_a_client_without_a_cipher_in_common),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
