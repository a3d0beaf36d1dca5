/*
 * gRPC over HTTP/2, cleartext (prior knowledge) or TLS (ALPN h2), unary methods only, on libuv and nghttp2. Knows nothing of spans.
 *
 * A grpc is one listener with one loop thread. A call whose message has come whole goes to its method's handler, which
 * answers with grpc_reply(), at once or later, always on the loop's thread. A stage that finishes elsewhere calls
 * grpc_call_wake() from any thread, and the call's wake function runs on the loop's thread. A call outlives its stream:
 * when the client cancels, the reply is dropped, the wake still happens. The same rules as for collector/net.
 */
#ifndef VITRACE_GRPC_H
#define VITRACE_GRPC_H

#include "collector/base/rejects.h"
#include "proto/wire/slice.h"

struct grpc;
struct grpc_call;
struct stream_tls;

/* https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
enum grpc_status {
    GRPC_OK = 0,
    GRPC_INVALID_ARGUMENT = 3,
    GRPC_DEADLINE_EXCEEDED = 4,
    GRPC_RESOURCE_EXHAUSTED = 8,
    GRPC_UNIMPLEMENTED = 12,
    GRPC_UNAVAILABLE = 14
};

typedef void grpc_handler(void *context, struct grpc_call *call);

struct grpc_method {
    const char *path; /* "/package.Service/Method" */
    grpc_handler *handle;
    void *context;
    size_t message_bytes_max; /* RESOURCE_EXHAUSTED above it, as soon as the length is announced */
};

struct grpc_options {
    const char *listen;     /* as for a net; borrowed for the life of the grpc, like tls */
    int socket; /* a listening one, taken instead of binding `listen`; borrowed for grpc_start(); 0 = none */
    struct stream_tls *tls; /* NULL = plain */
    const struct grpc_method *methods; /* borrowed for the life of the grpc */
    size_t method_count;
    struct counters *counters;   /* borrowed */
    struct memory *memory;       /* borrowed; NULL = not accounted */
    struct rejects *rejects;     /* borrowed; NULL = none are kept */
    unsigned connections_max;    /* 0 = 1,000 */
    unsigned idle_timeout_ms;    /* without a call; then GOAWAY, and clients come back by themselves. 0 = 300,000 */
    unsigned request_timeout_ms; /* from the first header to the whole message; of a stalled write; of a TLS handshake.
                                    0 = 10,000 */
};

/* Binds and starts. NULL: `error` says which address and why. */
struct grpc *grpc_start(const struct grpc_options *options, char *error, size_t error_size);
unsigned grpc_port(const struct grpc *self); /* as bound */
/*
 * The end, in the three steps of net.h: drain (returns at once; clients hear GOAWAY), settle (no client from before is left,
 * or half of drain_ms is over), stop (accepts no more, finishes calls under way until drain_ms are over, ends the thread).
 * grpc_stop() alone does all three; after grpc_drain() its own drain_ms is not looked at.
 */
void grpc_drain(struct grpc *self, unsigned drain_ms);
void grpc_settle(struct grpc *self);
void grpc_stop(struct grpc *self, unsigned drain_ms);

/* All slices are borrowed until the call is answered. */
struct slice grpc_call_message(const struct grpc_call *self); /* as sent: see grpc_call_encoding */
/* Of the message: empty when it is not compressed. */
struct slice grpc_call_encoding(const struct grpc_call *self);
const uint8_t *grpc_call_peer(const struct grpc_call *self); /* 16 bytes, v4 mapped; not truncated */
/* `bytes` of zeroed memory that lives as long as the call. NULL = out of memory. */
void *grpc_call_memory(struct grpc_call *self, size_t bytes);

/* Exactly once per call, on its thread: either of these. The message is copied, uncompressed. */
void grpc_reply(struct grpc_call *self, struct slice message);

/* The cause's status is an enum grpc_status, its message printable ASCII without '%' and at most GRPC_TEXT_BYTES_MAX long. It
 * is kept for the operator and told to the client; it is counted elsewhere. */
struct grpc_refusal {
    struct reject_cause cause;
    unsigned retry_s; /* the same message may be welcome after as long, or twice as long: RetryInfo. 0 = never */
};
#define GRPC_TEXT_BYTES_MAX 128u
void grpc_refuse(struct grpc_call *self, const struct grpc_refusal *refusal);

/* Sets what grpc_call_wake() runs. Before handing the call's memory to another thread. */
void grpc_call_on_wake(struct grpc_call *self, void (*run)(struct grpc_call *self, void *context), void *context);
/* Any thread, once per on_wake. */
void grpc_call_wake(struct grpc_call *self);

#endif
