/*
 * gRPC over cleartext HTTP/2 (prior knowledge), unary methods only, on libuv and nghttp2. Knows nothing of spans.
 *
 * A grpc is one listener with one loop thread. A call whose message has come whole goes to its method's handler, which
 * answers with grpc_reply(), at once or later, always on the loop's thread. A stage that finishes elsewhere calls
 * grpc_call_wake() from any thread, and the call's wake function runs on the loop's thread. A call outlives its stream:
 * when the client cancels, the reply is dropped, the wake still happens. The same rules as for collector/net.
 */
#ifndef VITRACE_GRPC_H
#define VITRACE_GRPC_H

#include "collector/base/counters.h"
#include "proto/wire/slice.h"

struct grpc;
struct grpc_call;

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
    const char *listen;
    const struct grpc_method *methods; /* borrowed for the life of the grpc */
    size_t method_count;
    struct counters *counters;   /* borrowed */
    struct memory *memory;       /* borrowed; NULL = not accounted */
    unsigned connections_max;    /* 0 = 1,000 */
    unsigned idle_timeout_ms;    /* without a call; then GOAWAY, and clients come back by themselves. 0 = 300,000 */
    unsigned request_timeout_ms; /* from the first header to the whole message; also of a stalled write. 0 = 10,000 */
};

/* Binds and starts. NULL: `error` says which address and why. */
struct grpc *grpc_start(const struct grpc_options *options, char *error, size_t error_size);
unsigned grpc_port(const struct grpc *self); /* as bound */
/* Sends GOAWAY, finishes calls under way (at most drain_ms), ends the thread. */
void grpc_stop(struct grpc *self, unsigned drain_ms);

/* All slices are borrowed until the call is answered. */
struct slice grpc_call_message(const struct grpc_call *self); /* as sent: see grpc_call_encoding */
/* Of the message: empty when it is not compressed. */
struct slice grpc_call_encoding(const struct grpc_call *self);
const uint8_t *grpc_call_peer(const struct grpc_call *self); /* 16 bytes, v4 mapped; not truncated */
/* `bytes` of zeroed memory that lives as long as the call. NULL = out of memory. */
void *grpc_call_memory(struct grpc_call *self, size_t bytes);

/* Exactly once per call, on its thread. `text` (of an error) is printable ASCII without '%'; `message` (of GRPC_OK) is
 * copied, uncompressed. */
void grpc_reply(struct grpc_call *self, enum grpc_status status, const char *text, struct slice message);

/* Sets what grpc_call_wake() runs. Before handing the call's memory to another thread. */
void grpc_call_on_wake(struct grpc_call *self, void (*run)(struct grpc_call *self, void *context), void *context);
/* Any thread, once per on_wake. */
void grpc_call_wake(struct grpc_call *self);

#endif
