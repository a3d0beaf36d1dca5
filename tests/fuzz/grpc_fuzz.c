/*
 * Any bytes behind a client's HTTP/2 preface, into the real session and calls, without a socket: whole, and again byte
 * by byte. The handler must see the same messages, as far as both are read; nothing may look outside what was received;
 * every call and byte is given back at the end.
 */
#include "collector/grpc/grpc_internal.h"

#include <assert.h>
#include <stdlib.h>

#define MESSAGE_MAX 1024u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct seen {
    uint64_t messages, bytes;
};

static void handle(void *context, struct grpc_call *call)
{
    struct seen *seen = context;
    struct slice message = grpc_call_message(call);
    assert(message.size <= MESSAGE_MAX && grpc_call_encoding(call).size <= GRPC_ENCODING_BYTES_MAX);
    seen->messages++;
    for (size_t i = 0; i < message.size; i++)
        seen->bytes = seen->bytes * 31 + message.data[i];
    if (message.size % 2 == 0)
        grpc_reply(call, message);
    else
        grpc_refuse(call, &(struct grpc_refusal){{COUNTER_HTTP_BAD_REQUESTS, GRPC_INVALID_ARGUMENT, "odd", "odd"}, message.size % 3 == 0 ? 5 : 0});
}

/* Nothing but the loop's clock is needed of it. */
static void rig_open(struct grpc *grpc, struct grpc_connection *connection, const struct grpc_method *method,
                     struct counters *counters)
{
    *grpc = (struct grpc){
        .options = {.methods = method, .method_count = 1, .counters = counters, .request_timeout_ms = 1000}};
    *connection = (struct grpc_connection){.grpc = grpc, .held = true};
    bool good = uv_loop_init(&grpc->uv) == 0 && grpc_session_prepare(grpc) && grpc_session_new(connection);
    assert(good);
    (void)good;
}

static bool rig_send(struct grpc_connection *connection)
{
    const uint8_t *out;
    ssize_t size;
    while ((size = nghttp2_session_mem_send(connection->session, &out)) > 0)
        continue;
    return size == 0;
}

static void rig_close(struct grpc *grpc, struct grpc_connection *connection)
{
    while (connection->calls != NULL)
        grpc_call_leave(connection->calls);
    assert(grpc->lent == 0 && grpc->message_bytes == 0 && connection->call_count == 0);
    nghttp2_session_del(connection->session);
    nghttp2_session_callbacks_del(grpc->callbacks);
    nghttp2_option_del(grpc->option);
    uv_loop_close(&grpc->uv);
}

static struct seen rig_run(struct slice input, size_t step)
{
    static struct grpc grpc;
    struct grpc_connection connection;
    struct counters counters = {0};
    struct seen seen = {0};
    const struct grpc_method method = {"/s/M", handle, &seen, MESSAGE_MAX};
    rig_open(&grpc, &connection, &method, &counters);
    bool alive = nghttp2_session_mem_recv(connection.session, (const uint8_t *)NGHTTP2_CLIENT_MAGIC,
                                          NGHTTP2_CLIENT_MAGIC_LEN) > 0;
    for (size_t at = 0; alive && at < input.size; at += step) {
        size_t size = input.size - at < step ? input.size - at : step;
        alive = nghttp2_session_mem_recv(connection.session, input.data + at, size) >= 0;
    }
    if (alive)
        rig_send(&connection);
    rig_close(&grpc, &connection);
    return seen;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct seen whole = rig_run(slice_of(data, size), size), bytes = rig_run(slice_of(data, size), 1);
    /* After a client's GOAWAY, nghttp2 reads no more than the call it is in. */
    assert(bytes.messages <= whole.messages);
    assert(bytes.messages != whole.messages || bytes.bytes == whole.bytes);
    return 0;
}
