/*
 * The batch, level by level:
 *
 *   ExportTraceServiceRequest  1: ResourceSpans*          cursor `batch`
 *     ResourceSpans            1: Resource, 2: ScopeSpans*  cursor `resource_spans`
 *       ScopeSpans             2: Span*                     cursor `scope_spans`
 *         Span                 otlp_span.c
 *
 * Three cursors and no recursion, so hostile nesting costs nothing. The fields of a message may come in any order:
 * a Resource after its ScopeSpans still names the service of their spans. So each ResourceSpans is walked twice at its
 * own level (its children are skipped by length), and the whole cost stays linear in the request.
 *
 * A field of a known number with another wire type is skipped as unknown, as protobuf's own parsers do.
 */
#include "collector/otlp/otlp_internal.h"

enum { BATCH_RESOURCE_SPANS = 1, RESOURCE_SPANS_RESOURCE = 1, RESOURCE_SPANS_SCOPE_SPANS = 2, SCOPE_SPANS_SPAN = 2 };

void otlp_reader_init(struct otlp_reader *self, struct slice request)
{
    struct slice nothing = {NULL, 0};
    *self = (struct otlp_reader){
        .request = request,
        .batch = walk_of(request),
        .resource_spans = walk_of(nothing),
        .scope_spans = walk_of(nothing),
    };
}

/* The next field `number` that holds bytes. OTLP_SPAN stands for "there is one", OTLP_END for "no more". */
static enum otlp_read_status reader_find(struct walk *walk, uint32_t number, struct slice *bytes)
{
    struct walk_field field;
    enum walk_status status;
    while ((status = walk_next(walk, &field)) == WALK_FIELD) {
        if (field.number == number && field.type == WALK_BYTES) {
            *bytes = field.bytes;
            return OTLP_SPAN;
        }
    }
    return status == WALK_END ? OTLP_END : OTLP_MALFORMED;
}

/* Several Resource fields in one ResourceSpans merge, as protobuf defines it for a singular message. */
static enum otlp_read_status reader_enter_resource_spans(struct otlp_reader *self, struct slice message)
{
    self->resource_spans = walk_of(message);
    self->service_name = slice_of(NULL, 0);
    struct walk walk = walk_of(message);
    struct slice resource;
    enum otlp_read_status status;
    while ((status = reader_find(&walk, RESOURCE_SPANS_RESOURCE, &resource)) == OTLP_SPAN) {
        if (otlp_resource_decode(resource, &self->service_name) == OTLP_MALFORMED)
            return OTLP_MALFORMED;
    }
    self->service_name_bad = !otlp_text_valid(self->service_name);
    return status;
}

/* The body of the next span, wherever it is. */
static enum otlp_read_status reader_find_span(struct otlp_reader *self, struct slice *message)
{
    for (;;) {
        struct slice inner;
        enum otlp_read_status status = reader_find(&self->scope_spans, SCOPE_SPANS_SPAN, message);
        if (status != OTLP_END)
            return status;
        status = reader_find(&self->resource_spans, RESOURCE_SPANS_SCOPE_SPANS, &inner);
        if (status == OTLP_SPAN) {
            self->scope_spans = walk_of(inner);
            continue;
        }
        if (status == OTLP_END)
            status = reader_find(&self->batch, BATCH_RESOURCE_SPANS, &inner);
        if (status == OTLP_SPAN)
            status = reader_enter_resource_spans(self, inner) == OTLP_MALFORMED ? OTLP_MALFORMED : OTLP_SPAN;
        if (status != OTLP_SPAN)
            return status;
    }
}

enum otlp_read_status otlp_reader_next(struct otlp_reader *self, struct otlp_span *span)
{
    struct slice message;
    if (self->malformed)
        return OTLP_MALFORMED;
    enum otlp_read_status status = reader_find_span(self, &message);
    if (status == OTLP_SPAN)
        status = otlp_span_decode(message, span);
    if (status == OTLP_SPAN) {
        span->service_name = self->service_name;
        if (self->service_name_bad)
            status = OTLP_BAD_SPAN;
    }
    self->malformed = status == OTLP_MALFORMED;
    return status;
}
