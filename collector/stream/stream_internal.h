/*
 * Shared by the phases of stream; nobody else includes it.
 *
 *   stream_address    where listening sockets come from
 *   stream_listener   one of them on a loop
 *   stream            a client: handle <-> bytes
 *   stream_session    its TLS: bytes <-> records, between the handle and the owner
 *   stream_tls        the certificate that sessions begin with
 */
#ifndef VITRACE_STREAM_INTERNAL_H
#define VITRACE_STREAM_INTERNAL_H

#include "collector/stream/stream.h"

#include <openssl/ssl.h>
#include <pthread.h>

enum stream_kind {
    STREAM_OWNERS,  /* written() follows when it waits */
    STREAM_PART,    /* of an owner's write: more follows */
    STREAM_CONTROL, /* of TLS itself: bounded while it waits */
};

/* What OpenSSL allocates for a session at rest, accounted as a whole; a record that has not come whole is not. */
#define STREAM_SESSION_BYTES (15u << 10)

/* One write that the kernel did not take at once. */
struct stream_rest {
    uv_write_t request;
    struct stream *stream;
    enum stream_kind kind;
    uint32_t size;
    uint8_t bytes[];
};

/* stream.c: bytes as they go over the wire. */
enum stream_sent stream_offer(struct stream *self, const struct slice *parts, unsigned count, enum stream_kind kind);

/* stream_session.c */
BIO_METHOD *stream_session_method(void); /* NULL = out of memory */
/* SSL_CTX_set_alpn_select_cb() */
int stream_session_select(SSL *session, const unsigned char **chosen, unsigned char *chosen_size,
                          const unsigned char *offered, unsigned offered_size, void *context);
bool stream_session_new(struct stream *self);
void stream_session_free(struct stream *self);
void stream_session_take(struct stream *self, struct slice sealed); /* as read; makes the owner's calls */
enum stream_sent stream_session_write(struct stream *self, const struct slice *parts, unsigned count, enum stream_kind kind);
void stream_session_end(struct stream *self); /* tells the client that nothing more comes */
/* A handshake that came to nothing, and why: counts it, and keeps it for the operator. */
void stream_session_note(struct stream *self, enum counter reason);
void stream_session_count_closed(struct stream *self); /* the client went away during the handshake */

/* stream_tls.c */
struct stream_tls {
    char *certificate, *key; /* paths */
    struct counters *counters;
    BIO_METHOD *method;
    pthread_mutex_t lock; /* of `current`: a loop begins a session while a reload puts another one there */
    SSL_CTX *current;
    SSL_CTX *fresh; /* read, and not applied; of the thread that reloads */
};
SSL *stream_tls_session(struct stream_tls *self); /* NULL = out of memory */

#endif
