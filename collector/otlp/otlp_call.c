/*
 * One Export call over gRPC: the same request as over HTTP (otlp_request), another envelope. OK is said only after the
 * append is durable; UNAVAILABLE asks the exporter to come back, every other status makes it drop the batch.
 */
#include "collector/otlp/otlp_internal.h"

/* Lives in the call's memory. `request` is first: it begins with the append that done() is given. */
struct otlp_call {
    struct otlp_request request;
    struct grpc_call *call;
};

static void call_refuse(struct grpc_call *call, enum otlp_refusal why)
{
    const struct otlp_refusal_row *row = &otlp_refusal_rows[why];
    grpc_refuse(call, &(struct grpc_refusal){.cause = {row->counter, (int)row->grpc_code, row->code, row->message},
                                             .retry_s = row->retry_s});
}

static void call_answer(struct otlp_call *self, enum otlp_refusal why)
{
    struct otlp_response response;
    struct grpc_call *call = self->call;
    otlp_request_close(&self->request, why);
    if (why != OTLP_REFUSED_NOT) {
        call_refuse(call, why);
        return;
    }
    otlp_response_accept(&response, OTLP_PROTOBUF, self->request.accepted, self->request.rejected);
    grpc_reply(call, slice_of(response.bytes, response.size));
}

static void call_woken(struct grpc_call *call, void *context)
{
    (void)call;
    struct otlp_call *self = context;
    call_answer(self, otlp_request_result(&self->request));
}

/* On the sink's thread: the call may be touched only after the wake. */
static void append_done(struct append *append)
{
    struct otlp_call *self = (struct otlp_call *)append;
    grpc_call_wake(self->call);
}

static bool call_find_encoding(const struct grpc_call *call, enum otlp_encoding *encoding)
{
    struct slice name = grpc_call_encoding(call);
    *encoding = slice_equal(name, slice_text("gzip"))   ? OTLP_GZIP
                : slice_equal(name, slice_text("zstd")) ? OTLP_ZSTD
                                                        : OTLP_IDENTITY;
    return *encoding != OTLP_IDENTITY || name.size == 0;
}

static enum otlp_refusal call_open(struct otlp_call *self)
{
    enum otlp_encoding encoding;
    if (!call_find_encoding(self->call, &encoding))
        return OTLP_REFUSED_ENCODING;
    return otlp_request_open(&self->request, grpc_call_message(self->call), encoding, OTLP_PROTOBUF);
}

void otlp_call(void *context, struct grpc_call *call)
{
    struct otlp *otlp = context;
    struct otlp_call *self = grpc_call_memory(call, sizeof *self);
    counters_add(otlp->counters, COUNTER_SPANS_REQUESTS, 1);
    if (self == NULL) {
        counters_add(otlp->counters, COUNTER_SPANS_BUSY, 1);
        call_refuse(call, OTLP_REFUSED_BUSY);
        return;
    }
    self->request.otlp = otlp;
    self->call = call;
    enum otlp_refusal why = call_open(self);
    if (why != OTLP_REFUSED_NOT || self->request.accepted == 0) {
        call_answer(self, why);
        return;
    }
    grpc_call_on_wake(call, call_woken, self);
    otlp_request_append(&self->request, grpc_call_peer(call), append_done);
}
