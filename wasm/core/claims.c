#include "wasm/core/claims.h"

#define SOURCE(name) ((uint32_t)vitrace_v1_ClaimSource_CLAIM_SOURCE_##name)

/* A claim of trace metric n has the source n + 1. */
_Static_assert(SOURCE(SERVER_TIMING_TRACE) == SERVER_TIMING_TRACE + 1, "source of a metric");
_Static_assert(SOURCE(SERVER_TIMING_TRACEPARENT) == SERVER_TIMING_TRACEPARENT + 1, "source of a metric");
_Static_assert(SOURCE(SERVER_TIMING_TRACERESPONSE) == SERVER_TIMING_TRACERESPONSE + 1, "source of a metric");
_Static_assert(vitrace_v1_Claim_size <= WRITER_SUBMESSAGE_BYTES_MAX, "writer_open");

void claims_put(struct claims *self, const struct traceparent *parsed, vitrace_v1_ClaimSource source)
{
    if (self->left == 0)
        return;
    self->left--;
    uint8_t *length = writer_open(self->out, self->field);
    writer_bytes(self->out, 1, slice_of(parsed->trace_id, sizeof parsed->trace_id));
    writer_bytes(self->out, 2, slice_of(parsed->span_id, sizeof parsed->span_id));
    writer_uint(self->out, 3, parsed->flags);
    writer_uint(self->out, 4, source);
    writer_close(self->out, length);
}

bool claims_add(struct claims *self, struct slice traceparent, vitrace_v1_ClaimSource source)
{
    struct traceparent parsed;
    if (traceparent_parse(traceparent, &parsed) != TRACEPARENT_OK)
        return false;
    claims_put(self, &parsed, source);
    return true;
}

bool claims_add_metric(struct claims *self, struct slice name, struct slice description)
{
    enum server_timing_trace trace = server_timing_trace_of(name);
    return trace != SERVER_TIMING_TRACE_NONE && claims_add(self, description, (vitrace_v1_ClaimSource)(trace + 1));
}

void claims_add_header(struct claims *self, struct slice header)
{
    struct server_timing_reader reader = server_timing_reader_of(header);
    struct server_timing metric;
    while (server_timing_reader_next_texts(&reader, &metric))
        claims_add_metric(self, slice_of(metric.name, metric.name_size),
                          slice_of(metric.description, metric.description_size));
}
