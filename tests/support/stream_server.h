/*
 * An owner of streams for tests, with a loop thread of its own. It sends back what it is sent, unless the first byte says
 * what else to do:
 *
 *   'B'  STREAM_SERVER_BIG bytes, 0, 1, 2, ... modulo 251        'F'  stream_finish() after the echo
 *   'N'  reading off until the stream is written to or closed    'X'  stream_close() inside take()
 */
#ifndef VITRACE_TESTS_STREAM_SERVER_H
#define VITRACE_TESTS_STREAM_SERVER_H

#include "collector/stream/stream.h"

#include <stdatomic.h>

#define STREAM_SERVER_BIG     (4u << 20)
#define STREAM_SERVER_STREAMS 64u

struct stream_server_options {
    const char *listen;
    struct stream_tls *tls;
    unsigned protocols;
    unsigned handshake_timeout_ms;
    bool closes_at_opened; /* the owner may close in any callback */
};

struct stream_server {
    struct stream_server_options options;
    struct counters counters;
    struct stream_address address;
    struct stream_listener listener;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t sweep;
    uv_thread_t thread;
    struct stream *streams[STREAM_SERVER_STREAMS];
    atomic_uint opened, ended, failed, late, open; /* callbacks so far; streams now */
    atomic_uint protocol;                          /* of the last one opened */
    uint8_t peer[16];                              /* of the last one accepted; to be read when it has answered */
};

void stream_server_start(struct stream_server *self, const struct stream_server_options *options);
/* Ends all streams. Every one has been closed when it returns. */
void stream_server_stop(struct stream_server *self);
/* Waits, for 10 s at most, until `count` is `wanted`. */
bool stream_server_await(atomic_uint *count, unsigned wanted);
bool stream_server_await_counter(struct stream_server *self, enum counter id, uint64_t wanted);

#endif
