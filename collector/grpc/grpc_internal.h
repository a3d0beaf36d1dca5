/*
 * Shared by the phases of grpc; nobody else includes it.
 *
 *   grpc              listener, loop thread, start and stop
 *   grpc_connection   socket <-> bytes; timeouts
 *   grpc_session      bytes <-> frames (nghttp2 callbacks fill the call)
 *   grpc_call         one stream: message, handler, answer, wake
 *
 * A call has up to two holders: its connection, until the stream closes, and its handler, until the reply (and the
 * wake, if one is armed). Whoever lets go last frees it; only the loop thread counts.
 *
 * What a client may cost:
 *   connections   GRPC_CONNECTIONS_DEFAULT x (session and HPACK tables about 25 KiB + one write buffer of 64 KiB)
 *   streams       GRPC_STREAMS_MAX a connection, GRPC_HEADER_BYTES_MAX of headers each
 *   messages      the method's maximum each, GRPC_MESSAGE_BYTES_TOTAL_MAX of all connections together, as received
 *   calls         GRPC_CALLS_MAX with handlers at one time: a client that resets its streams frees no place before the
 *                 log has answered
 *   resets        GRPC_RESETS_BURST, then GRPC_RESETS_PER_S (CVE-2023-44487); CONTINUATION frames 8 a block
 *                 (CVE-2024-28182); unanswered PING and SETTINGS acknowledgements 256: nghttp2 ends the connection
 */
#ifndef VITRACE_GRPC_INTERNAL_H
#define VITRACE_GRPC_INTERNAL_H

#include "collector/grpc/grpc.h"

#include <nghttp2/nghttp2.h>
#include <stdatomic.h>
#include <uv.h>

#define GRPC_CONNECTIONS_DEFAULT     1000u
#define GRPC_STREAMS_MAX             64u
#define GRPC_HEADER_BYTES_MAX        (16u << 10)
#define GRPC_MESSAGE_BYTES_TOTAL_MAX (64u << 20)
#define GRPC_CALLS_MAX               1024u
#define GRPC_RESETS_BURST            200u
#define GRPC_RESETS_PER_S            20u
#define GRPC_CONTINUATIONS_MAX       8u
#define GRPC_ACKS_MAX                256u
#define GRPC_STREAM_WINDOW_BYTES     (256 << 10)
#define GRPC_CONNECTION_WINDOW_BYTES (1 << 20)
#define GRPC_READ_BYTES              (64u << 10)
#define GRPC_WRITE_BYTES_MAX         (64u << 10)
#define GRPC_WRITE_BYTES_ENOUGH      (32u << 10) /* plus one frame of 16 KiB stays below the maximum */
#define GRPC_PREFIX_BYTES            5u          /* compressed flag, length (32 bits, big-endian) */
#define GRPC_ENCODING_BYTES_MAX      16u
#define GRPC_TEXT_BYTES_MAX          256u
#define GRPC_GOODBYE_MS              1000u /* from GOAWAY until an idle connection is cut */

struct grpc_memory {
    struct grpc_memory *next;
    _Alignas(16) uint8_t bytes[];
};

struct grpc_call {
    struct grpc *grpc;
    struct grpc_connection *connection; /* NULL: the stream is closed */
    struct grpc_call *next, *previous;  /* of the connection */
    struct grpc_call *woken_next;
    int32_t stream_id;
    uint64_t deadline_ms; /* for the whole message, then for the answer to be sent; 0 = the handler has it */

    const struct grpc_method *method;
    bool is_post, is_grpc;
    size_t header_bytes;
    char encoding[GRPC_ENCODING_BYTES_MAX];
    size_t encoding_size;
    struct buf message; /* prefix and message */
    uint8_t peer[16];

    bool lent, answered, wake_armed;
    void (*wake_run)(struct grpc_call *, void *);
    void *wake_context;
    struct grpc_memory *memory;

    struct buf response; /* prefix and message */
    size_t response_sent;
    char status[4], text[GRPC_TEXT_BYTES_MAX];
};

struct grpc_connection {
    uv_tcp_t tcp;
    uv_write_t write;
    struct grpc *grpc;
    struct grpc_connection *next, *previous;
    nghttp2_session *session;
    struct grpc_call *calls;
    unsigned call_count;
    struct buf out; /* being written while `writing` */
    bool writing, closed;
    bool held;         /* inside nghttp2's receiver or a walk over the calls: nothing may be sent, which frees calls */
    bool said_goodbye; /* GOAWAY is queued or sent */
    uint64_t idle_deadline_ms, write_deadline_ms;
    uint8_t peer[16];
};

struct grpc {
    struct grpc_options options;
    unsigned port;
    uv_loop_t uv;
    uv_tcp_t listener;
    uv_async_t wake;
    uv_timer_t sweep;
    uv_thread_t thread;
    bool started, stopping, closing;
    bool accept_owed; /* a client waits that there was no memory for */
    unsigned drain_ms;
    uint64_t drain_until_ms;
    _Atomic bool stop;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    struct grpc_connection *connections;
    unsigned connection_count;
    unsigned lent; /* calls with handlers */
    size_t message_bytes;
    _Atomic(struct grpc_call *) woken;
    _Atomic unsigned wakers; /* threads inside grpc_call_wake */
    char read_room[GRPC_READ_BYTES];
};

/* grpc_connection.c */
void grpc_connection_open(struct grpc *grpc); /* takes the client that waits in the listener */
void grpc_connection_close(struct grpc_connection *self);
void grpc_connection_flush(struct grpc_connection *self); /* may close it, and free calls */
void grpc_connection_expire(struct grpc_connection *self, uint64_t now_ms);
void grpc_connection_say_goodbye(struct grpc_connection *self);
void grpc_connection_rest(struct grpc_connection *self); /* its last call is gone: the idle time starts */

/* grpc_session.c */
bool grpc_session_prepare(struct grpc *grpc); /* callbacks and options, once */
bool grpc_session_new(struct grpc_connection *connection);
void grpc_session_answer(struct grpc_call *call);                          /* what grpc_reply() noted */
void grpc_session_refuse_http(struct grpc_call *call, const char *status); /* it does not speak gRPC */

/* grpc_call.c */
struct grpc_call *grpc_call_new(struct grpc_connection *connection, int32_t stream_id); /* NULL = out of memory */
void grpc_call_leave(struct grpc_call *self); /* the connection lets go of it */
void grpc_call_add(struct grpc_call *self, struct slice bytes);
void grpc_call_complete(struct grpc_call *self);
void grpc_call_refuse(struct grpc_call *self, enum grpc_status status, const char *text, enum counter counter);
void grpc_call_run_woken(struct grpc *grpc);

#endif
