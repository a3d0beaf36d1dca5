/* A server behind TLS with a certificate of its own, and what its tests ask of it. */
#ifndef VITRACE_TESTS_SESSION_RIG_H
#define VITRACE_TESTS_SESSION_RIG_H

#include "tests/support/certificate.h"
#include "tests/support/socket_client.h"
#include "tests/support/stream_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BOTH   (STREAM_HTTP_1_1 | STREAM_H2)
#define DAY_S  86400l
#define NEVER  60000u /* ms: no handshake of these tests is late */

struct rig {
    struct certificate_files files;
    struct stream_tls *tls;
    struct stream_server server;
};

static inline struct rig *rig_new(const struct stream_server_options *options)
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

static inline int rig_start(void **state)
{
    *state = rig_new(&(struct stream_server_options){.protocols = BOTH, .handshake_timeout_ms = NEVER});
    return 0;
}

static inline int rig_start_h2(void **state)
{
    *state = rig_new(&(struct stream_server_options){.protocols = STREAM_H2, .handshake_timeout_ms = NEVER});
    return 0;
}

static inline int rig_start_h1(void **state)
{
    *state = rig_new(&(struct stream_server_options){.protocols = STREAM_HTTP_1_1, .handshake_timeout_ms = NEVER});
    return 0;
}

static inline int rig_start_impatient(void **state)
{
    *state = rig_new(&(struct stream_server_options){.protocols = BOTH, .handshake_timeout_ms = 1});
    return 0;
}

static inline int rig_start_closing(void **state)
{
    *state = rig_new(&(struct stream_server_options){
        .protocols = BOTH, .handshake_timeout_ms = NEVER, .closes_at_opened = true});
    return 0;
}

static inline int rig_stop(void **state)
{
    struct rig *self = *state;
    stream_server_stop(&self->server);
    stream_tls_free(self->tls);
    certificate_close(&self->files);
    free(self);
    return 0;
}

static inline void open_client(struct rig *self, struct tls_client *client, struct tls_client_options options)
{
    options.port = self->server.address.port;
    tls_client_open(client, &options);
}

static inline void expect_echo(struct tls_client *client, const char *text)
{
    char back[64] = "";
    assert_true(tls_client_write(client, text, strlen(text)));
    assert_true(tls_client_read(client, back, strlen(text)));
    assert_string_equal(back, text);
}

static inline void expect_count(struct rig *self, enum counter id, uint64_t wanted)
{
    if (!stream_server_await_counter(&self->server, id, wanted))
        fail_msg("it is %lu, not %lu", (unsigned long)counters_find(&self->server.counters, id), (unsigned long)wanted);
}

#endif
