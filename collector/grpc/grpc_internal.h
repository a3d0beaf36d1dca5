/*
 * Shared by the phases of grpc; nobody else includes it.
 *
 *   grpc              listener, loop thread, start
 *   grpc_drain        the end
 *   grpc_connection   stream <-> session; timeouts
 *   grpc_session      bytes <-> frames (nghttp2 callbacks fill the call)
 *   grpc_call         one stream: message, handler, answer, wake
 *   grpc_retry        when to come back, as clients read it
 *
 * A call has up to two holders: its connection, until the stream closes, and its handler, until the reply (and the
 * wake, if one is armed). Whoever lets go last frees it; only the loop thread counts.
 *
 * What a client may cost:
 *   connections   GRPC_CONNECTIONS_DEFAULT x (GRPC_SESSION_BYTES + one write buffer of 64 KiB), out of the budget
 *   streams       GRPC_STREAMS_MAX a connection, GRPC_HEADER_BYTES_MAX of headers each
 *   messages      the method's maximum each, GRPC_MESSAGE_BYTES_TOTAL_MAX of all connections together, as received, and
 *                 what the budget has for them
 *   calls         GRPC_CALLS_MAX with handlers at one time: a client that resets its streams frees no place before the
 *                 log has answered
 *   floods        collector/h2
 */
#ifndef VITRACE_GRPC_INTERNAL_H
#define VITRACE_GRPC_INTERNAL_H

#include "collector/base/jitter.h"
#include "collector/grpc/grpc.h"
#include "collector/h2/h2.h"
#include "collector/stream/stream.h"

#include <stdatomic.h>
#include <uv.h>

#define GRPC_CONNECTIONS_DEFAULT     1000u
#define GRPC_STREAMS_MAX             64u
#define GRPC_HEADER_BYTES_MAX        (16u << 10)
#define GRPC_MESSAGE_BYTES_TOTAL_MAX (64u << 20)
/* What nghttp2 allocates for a session with its HPACK tables, accounted as a whole: 25 KiB, and the streams' own. */
#define GRPC_SESSION_BYTES           (32u << 10)
#define GRPC_CALLS_MAX               1024u
#define GRPC_WRITE_BYTES_MAX         (64u << 10)
#define GRPC_WRITE_BYTES_ENOUGH      (32u << 10) /* plus one frame of 16 KiB stays below the maximum */
#define GRPC_PREFIX_BYTES            5u          /* compressed flag, length (32 bits, big-endian) */
#define GRPC_ENCODING_BYTES_MAX      16u
#define GRPC_RETRY_S                 1u    /* what was too much may be welcome a second or two later */
#define GRPC_GOODBYE_MS              1000u /* for the client's ack of the first GOAWAY, and then for its FIN */

enum grpc_phase { GRPC_SERVING, GRPC_DRAINING, GRPC_ENDING };
/* Of a connection: nothing said, GOAWAY(2^31-1) and PING sent, GOAWAY(last stream) sent, FIN sent. */
enum grpc_farewell { GRPC_STAYING, GRPC_WARNED, GRPC_DISMISSED, GRPC_LEAVING };

/* Of a Status in base64: 12 bytes of tags, the text, and 60 of a RetryInfo in its Any. */
#define GRPC_STATUS_BYTES_MAX  (GRPC_TEXT_BYTES_MAX + 96u)
#define GRPC_DETAILS_BYTES_MAX ((GRPC_STATUS_BYTES_MAX + 2u) / 3u * 4u + 1u)

struct grpc_memory {
    struct grpc_memory *next;
    size_t size;
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
    char status[4], text[GRPC_TEXT_BYTES_MAX + 1];
    char details[GRPC_DETAILS_BYTES_MAX]; /* grpc-status-details-bin; "" = none */
};

struct grpc_connection {
    struct stream stream;
    struct grpc *grpc;
    struct grpc_connection *next, *previous;
    nghttp2_session *session;
    struct h2_budget budget;
    struct grpc_call *calls;
    unsigned call_count;
    struct buf out; /* of the write that is being put together */
    bool writing, closed;
    bool held;         /* inside nghttp2's receiver or a walk over the calls: nothing may be sent, which frees calls */
    enum grpc_farewell farewell;
    bool is_late_comer, has_called; /* accepted since grpc_drain(); its first call has come */
    bool ended;        /* for a flood, and counted */
    uint64_t idle_deadline_ms, write_deadline_ms, farewell_deadline_ms;
};

#define GRPC_CONNECTION_BYTES (sizeof(struct grpc_connection) + GRPC_SESSION_BYTES)

struct grpc {
    struct grpc_options options;
    struct stream_address address;
    uv_loop_t uv;
    struct stream_listener listener;
    uv_async_t wake;
    uv_timer_t sweep;
    uv_thread_t thread;
    bool started, closing;
    enum grpc_phase phase;
    bool is_deaf; /* the listener is closed */
    bool accept_owed; /* a client waits that there was no memory for */
    unsigned drain_ms; /* set before `draining` */
    uint64_t drain_began_ms;
    _Atomic bool draining, stop;
    uv_sem_t settled;
    bool has_posted, is_settled; /* of the loop, of who waits for it */
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    struct grpc_connection *connections;
    unsigned connection_count;
    unsigned lent; /* calls with handlers */
    struct jitter jitter;
    size_t message_bytes;
    _Atomic(struct grpc_call *) woken;
    _Atomic unsigned wakers; /* threads inside grpc_call_wake */
};

/* grpc_drain.c */
void grpc_heed(struct grpc *self); /* on every wake and sweep: what grpc_drain() and grpc_stop() asked for */
void grpc_close_handles(struct grpc *self);

/* grpc_connection.c */
extern const struct stream_calls grpc_connection_calls;
void grpc_connection_open(void *grpc); /* a client waits */
void grpc_connection_close(struct grpc_connection *self);
void grpc_connection_flush(struct grpc_connection *self); /* may close it, and free calls */
void grpc_connection_expire(struct grpc_connection *self, uint64_t now_ms);
void grpc_connection_say_goodbye(struct grpc_connection *self); /* begins the farewell, once */
void grpc_connection_ask(struct grpc_connection *self);         /* the first GOAWAY has gone: whether the client knows */
void grpc_connection_dismiss(struct grpc_connection *self);     /* the client knows, or had its time to */
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
/* Counts it, too. Only what is UNAVAILABLE may be sent again. */
void grpc_call_refuse(struct grpc_call *self, enum grpc_status status, const char *text, enum counter counter);
void grpc_call_note(const struct grpc_call *self, const struct reject_cause *cause); /* for the operator */
void grpc_call_run_woken(struct grpc *grpc);

/* grpc_retry.c */
void grpc_retry_write(enum grpc_status status, const char *text, unsigned retry_s, char out[GRPC_DETAILS_BYTES_MAX]);

#endif
