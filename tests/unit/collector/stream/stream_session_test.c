/* TLS sessions against OpenSSL's own client: what they carry, how they end, what resumes them. */
#include "tests/unit/collector/stream/session_rig.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

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
#define WITH(setup, test) cmocka_unit_test_setup_teardown(test, setup, rig_stop)
        WITH(rig_start, test_session__speaks_tls_1_2_and_1_3),
        WITH(rig_start, test_session__is_the_same_byte_by_byte),
        WITH(rig_start, test_session__carries_a_megabyte_each_way),
        WITH(rig_start, test_session__writes_what_the_kernel_does_not_take_at_once),
        WITH(rig_start, test_session__is_closed_while_a_write_waits),
        WITH(rig_start, test_session__ends_cleanly_on_both_sides),
        WITH(rig_start, test_session__finishes_cleanly_and_still_reads),
        WITH(rig_start_closing, test_session__may_be_closed_when_it_opens_and_inside_take),
        WITH(rig_start, test_session__fails_on_a_spoilt_record),
        WITH(rig_start, test_session__does_not_renegotiate),
        WITH(rig_start, test_session__hangs_up_on_a_flood_of_key_updates),
        WITH(rig_start, test_session__is_resumed_by_a_ticket_until_the_keys_are_made_anew),
        WITH(rig_start, test_session__keeps_its_certificate_while_new_ones_get_the_new_one),
        WITH(rig_start, test_session__begins_while_certificates_are_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
