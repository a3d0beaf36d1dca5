#include "wasm/core/claims.h"

bool claims_add(struct claims *self, struct slice traceparent, vitrace_v1_ClaimSource source)
{
    struct traceparent parsed;
    if (traceparent_parse(traceparent, &parsed) != TRACEPARENT_OK)
        return false;
    if (*self->count == self->max)
        return true;
    vitrace_v1_Claim *claim = &self->at[(*self->count)++];
    memcpy(claim->trace_id, parsed.trace_id, sizeof claim->trace_id);
    memcpy(claim->span_id, parsed.span_id, sizeof claim->span_id);
    claim->trace_flags = parsed.flags;
    claim->source = source;
    return true;
}

static vitrace_v1_ClaimSource source_of(enum server_timing_trace trace)
{
    switch (trace) {
    case SERVER_TIMING_TRACE:
        return vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACE;
    case SERVER_TIMING_TRACEPARENT:
        return vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACEPARENT;
    case SERVER_TIMING_TRACERESPONSE:
        return vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACERESPONSE;
    case SERVER_TIMING_TRACE_NONE:
        break;
    }
    return vitrace_v1_ClaimSource_CLAIM_SOURCE_UNSPECIFIED;
}

bool claims_add_metric(struct claims *self, struct slice name, struct slice description)
{
    vitrace_v1_ClaimSource source = source_of(server_timing_trace_of(name));
    return source != vitrace_v1_ClaimSource_CLAIM_SOURCE_UNSPECIFIED && claims_add(self, description, source);
}

void claims_add_header(struct claims *self, struct slice header)
{
    struct server_timing_reader reader = server_timing_reader_of(header);
    struct server_timing metric;
    while (server_timing_reader_next(&reader, &metric))
        claims_add_metric(self, slice_of(metric.name, metric.name_size),
                          slice_of(metric.description, metric.description_size));
}
