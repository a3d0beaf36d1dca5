/*
 * One client's bytes, over TCP or a Unix socket, plain or TLS, on libuv. Knows nothing of HTTP.
 *
 *   accept --> OPENING --handshake; plain: at once--> OPEN --stream_finish--> HALF (only input) --+
 *                 |                                    |                                          +--> stream_close
 *                 +--late, refused: failed()-----------+------------------------------------------+       closed()
 *
 * A stream_listener is one listening socket on one loop, with what its streams share: the rooms that reads land in, the
 * owner's callbacks, the counters, the certificate. The owner allocates both structs and leaves their fields alone.
 * Everything here runs on the loop's thread, and so do the callbacks; stream_tls is for any thread.
 *
 * Memory of a stream: its struct, what the kernel did not take of one write, and under TLS the session of OpenSSL and at
 * most one record that has not come whole (18 KiB). The rooms for reads are the listener's.
 */
#ifndef VITRACE_STREAM_H
#define VITRACE_STREAM_H

#include "collector/base/rejects.h"
#include "proto/wire/slice.h"

#include <sys/types.h>
#include <time.h>
#include <uv.h>

#define STREAM_READ_BYTES (64u << 10) /* the most that one take() brings */
#define STREAM_PARTS_MAX  2u          /* of one write */
/* TLS: a record is at most 2^14 + 2,048 + 5 bytes (RFC 5246, 6.2.3). What one read brings, together with a record that was
 * begun before it, fits into the plain room. */
#define STREAM_RECORD_BYTES  18437u
#define STREAM_SEALED_BYTES  (32u << 10)
/* What TLS itself has to say (handshakes, key updates) to a client that does not read: then it is hung up on. */
#define STREAM_CONTROL_BYTES_MAX (16u << 10)

struct stream;
struct stream_tls;
struct ssl_st;

/* Each may close the stream, and all but take() come when nothing else of the stream is on the stack. */
struct stream_calls {
    void (*opened)(struct stream *self); /* writing is possible from here on. May be NULL */
    /* Borrowed for the call: what is not used up must be copied. Reading may be switched off inside. */
    void (*take)(struct stream *self, struct slice bytes);
    void (*ended)(struct stream *self);   /* the client will send no more; it may still read */
    void (*failed)(struct stream *self);  /* reset, or not what we speak: there is nothing left but to close it */
    void (*written)(struct stream *self); /* follows STREAM_WAITS, when the kernel has all of it */
    void (*closed)(struct stream *self);  /* the last one: the memory is the owner's again */
};

union stream_handle {
    uv_handle_t any;
    uv_stream_t stream;
    uv_tcp_t tcp;
    uv_pipe_t pipe;
};

/* What ALPN offers. A client that names none means HTTP/1.1, and is refused where that is not offered. */
enum stream_protocol { STREAM_PROTOCOL_NONE = 0, STREAM_HTTP_1_1 = 1, STREAM_H2 = 2 };

struct stream_listener_options {
    const struct stream_calls *calls; /* borrowed, like all below, for as long as streams live */
    struct counters *counters;
    struct memory *memory; /* pays for what a client has not read yet; NULL = not accounted */
    struct rejects *rejects;       /* of handshakes; NULL = none are kept */
    struct stream_tls *tls;        /* NULL = plain */
    unsigned protocols;            /* enum stream_protocol bits; of TLS */
    unsigned handshake_timeout_ms; /* of TLS */
    void (*connected)(void *owner); /* a client waits for stream_accept(); until then no other is announced */
    void *owner;
    int backlog;
};

struct stream_listener {
    union stream_handle handle;
    struct stream_listener_options options;
    bool is_local; /* a Unix socket */
    bool live;     /* its handle is the loop's */
    char read_room[STREAM_READ_BYTES];
    /* Of TLS, for the call under way: what came, and is not taken yet; what was opened; what is to go. Untouched, and so
     * without pages, where there is none. */
    struct slice sealed_in;
    size_t sealed_size;
    uint8_t sealed_room[STREAM_SEALED_BYTES];
    uint8_t plain_room[STREAM_READ_BYTES];
};

struct stream {
    union stream_handle handle;
    struct stream_listener *listener;
    void *owner;
    struct ssl_st *session; /* NULL = plain */
    uint64_t handshake_deadline_ms;
    enum stream_protocol protocol;
    uint32_t control_bytes; /* of TLS itself, that wait to be written */
    uint8_t peer[16];
    bool reading, open, broken, closing;
    bool owner_writes; /* what is sealed now is the owner's */
};

/* Takes the listening socket `file`, also when it fails. */
bool stream_listener_start(struct stream_listener *self, uv_loop_t *loop, int file,
                           const struct stream_listener_options *options);
void stream_listener_stop(struct stream_listener *self); /* accepts no more; its streams go on */
int stream_listener_socket(const struct stream_listener *self); /* borrowed */
/*
 * Stopping one of our own resets who waits in its queue. Before that: nobody new gets in, and then the queue has to be empty.
 * Where the first cannot be had (Unix sockets), who comes between the last look and the stop is reset.
 */
void stream_listener_refuse(struct stream_listener *self);
bool stream_listener_has_queue(const struct stream_listener *self);

/* Inside or after connected(). `self` is zeroed memory, and has to be closed from here on, also when this is false. */
bool stream_accept(struct stream *self, struct stream_listener *listener, void *owner);
/* Reads. opened() follows: at once, or when the handshake is done. false = close it. */
bool stream_start(struct stream *self);
/* The handshake has not ended in its time; counted, close it. To be asked now and then, `now_ms` by the loop's clock. */
bool stream_is_late(struct stream *self, uint64_t now_ms);
/* Off: the client's bytes wait in the kernel, and its FIN is not seen. false = close it. */
bool stream_read(struct stream *self, bool on);

enum stream_sent {
    STREAM_SENT,  /* the kernel has all of it */
    STREAM_WAITS, /* the rest was copied; written() follows. One write at a time */
    STREAM_BROKEN /* close it */
};
enum stream_sent stream_write(struct stream *self, const struct slice *parts, unsigned count);
/* Bytes are here that take() has not brought, or not all of them: a record of TLS that has begun. */
bool stream_has_input(const struct stream *self);
/* What may be left out when the socket is full or the stream is not open: tried once. */
void stream_say(struct stream *self, struct slice bytes);
/* FIN: nothing more is written; input still comes. false = close it. */
bool stream_finish(struct stream *self);
void stream_close(struct stream *self);

/*
 * 16 bytes, IPv4 mapped. The client of a Unix socket has no address: "::", which never is anybody's. It stands for a proxy of
 * ours, so caps of one address leave it alone (stream_is_local), and who is behind it is for X-Forwarded-For to say.
 */
static inline const uint8_t *stream_peer(const struct stream *self)
{
    return self->peer;
}
static inline bool stream_is_local(const struct stream *self)
{
    return self->listener->is_local;
}

static inline bool stream_is_open(const struct stream *self) /* opened() has been, or is being, called */
{
    return self->open;
}
static inline bool stream_is_secure(const struct stream *self)
{
    return self->listener->options.tls != NULL;
}
/* What ALPN settled, from opened() on; NONE = it was not asked, or this is no TLS. */
static inline enum stream_protocol stream_protocol(const struct stream *self)
{
    return self->protocol;
}

/*
 * stream_tls.c: the daemon's certificate. TLS 1.2 or later, OpenSSL's own choice of ciphers at security level 2, no
 * renegotiation, no compression, tickets without a cache: their keys are made anew whenever the certificate is applied.
 */
struct stream_tls_options {
    const char *certificate, *key; /* PEM files; the certificate first, then its chain. Copied */
    struct counters *counters;     /* borrowed */
};
/* Reads and applies. NULL: `error` says which file and why. An expired certificate, or a key that every user of the machine
 * may read, is only warned of. */
struct stream_tls *stream_tls_new(const struct stream_tls_options *options, char *error, size_t error_size);
/* Reads both files again, to be applied. false: `error` says why; nothing has changed. */
bool stream_tls_read(struct stream_tls *self, char *error, size_t error_size);
/* What was read last is for the connections to come; those that are open keep theirs. */
void stream_tls_apply(struct stream_tls *self);
void stream_tls_free(struct stream_tls *self); /* after its listeners */

/* stream_address.c: where every listening socket of the daemon comes from, whatever it speaks. */
struct stream_address {
    unsigned port; /* as bound; 0 = a Unix socket */
    /* The Unix socket's file that we made, to know it again: inode numbers alone are soon given to another one. */
    dev_t device;
    ino_t inode; /* 0 = none */
    struct timespec changed;
};

/*
 * Binds "127.0.0.1:4318", "[::1]:0", ":8080" (any address) or "unix:/run/vitrace/public.sock" (mode 0660; a file that
 * nobody listens on is replaced). address->port, when not 0, replaces the port; it is set to what was bound. `shared`:
 * several sockets on one port, among which the kernel spreads clients; not for Unix sockets. -1: `error` says what is
 * wrong.
 */
int stream_address_open(struct stream_address *address, const char *listen, bool shared, char *error, size_t error_size);
/* A copy of a socket that listens already, and its port. -1: `error` says why not. */
int stream_address_adopt(struct stream_address *address, int socket, char *error, size_t error_size);
/* Removes the Unix socket's file, if it is still the one that was made here. */
void stream_address_release(struct stream_address *address, const char *listen);
bool stream_address_is_local(const char *listen); /* "unix:..." */

#endif
