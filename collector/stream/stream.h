/*
 * One client's bytes, over TCP or a Unix socket, on libuv. Knows nothing of HTTP.
 *
 *   accept --> OPENING --stream_start--> OPEN --stream_finish--> HALF (only input) --+
 *                 |                       |                                          +--> stream_close --> closed()
 *                 +-----------------------+------------------------------------------+
 *
 * A stream_listener is one listening socket on one loop, with what its streams share: the room that reads land in, the
 * owner's callbacks, the counters. The owner allocates both structs and leaves their fields alone. Everything here runs on
 * the loop's thread; so do the callbacks.
 *
 * Memory of a stream: its struct, and what the kernel did not take of one write. The room for reads is the listener's.
 */
#ifndef VITRACE_STREAM_H
#define VITRACE_STREAM_H

#include "collector/base/counters.h"
#include "proto/wire/slice.h"

#include <sys/types.h>
#include <uv.h>

#define STREAM_READ_BYTES (64u << 10) /* the most that one take() brings */
#define STREAM_PARTS_MAX  2u          /* of one write */

struct stream;

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

struct stream_listener_options {
    const struct stream_calls *calls; /* borrowed, like all below, for as long as streams live */
    struct counters *counters;
    struct memory *memory; /* pays for what a client has not read yet; NULL = not accounted */
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
};

struct stream {
    union stream_handle handle;
    struct stream_listener *listener;
    void *owner;
    uint8_t peer[16];
    bool reading, open, closing;
};

/* Takes the listening socket `file`, also when it fails. */
bool stream_listener_start(struct stream_listener *self, uv_loop_t *loop, int file,
                           const struct stream_listener_options *options);
void stream_listener_stop(struct stream_listener *self); /* accepts no more; its streams go on */
int stream_listener_socket(const struct stream_listener *self); /* borrowed */

/* Inside or after connected(). `self` is zeroed memory, and has to be closed from here on, also when this is false. */
bool stream_accept(struct stream *self, struct stream_listener *listener, void *owner);
bool stream_start(struct stream *self); /* reads, and calls opened(); false = close it */
/* Off: the client's bytes wait in the kernel, and its FIN is not seen. false = close it. */
bool stream_read(struct stream *self, bool on);

enum stream_sent {
    STREAM_SENT,  /* the kernel has all of it */
    STREAM_WAITS, /* the rest was copied; written() follows. One write at a time */
    STREAM_BROKEN /* close it */
};
enum stream_sent stream_write(struct stream *self, const struct slice *parts, unsigned count);
/* What may be left out when the socket is full: tried once. */
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

/* stream_address.c: where every listening socket of the daemon comes from, whatever it speaks. */
struct stream_address {
    unsigned port;  /* as bound; 0 = a Unix socket */
    dev_t device;   /* of the Unix socket's file that we made */
    ino_t inode;    /* 0 = none */
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
