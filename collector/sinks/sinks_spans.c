/*
 * One OTLP batch: every span goes to the joiner, and the index notes for each trace where its spans are and which two
 * worked longest here: the longest that have no child in the batch, since a parent only waited for its child. A batch of 4 MiB has at most some 60,000 spans (an id pair alone takes 30 bytes).
 */
#include <stdlib.h>

#include "collector/sinks/sinks_internal.h"

#define SINKS_SPANS_MAX   131072u
#define SINKS_TEXT_MAX    256u /* of a span's name or service in the index */
#define SINKS_RECALLS_MAX 16u  /* log records read for one trace */
#define SINKS_LEAVES_MAX  64u  /* spans of one trace looked at to find two without children: work stays linear */
#define SPAN_KIND_CLIENT  3u

struct sinks_span {
    uint8_t trace_id[16], span_id[8], parent_span_id[8];
    uint64_t duration_ns;
    bool waits; /* an outgoing call that is not to a database */
    struct slice name, service; /* borrowed from the record */
};

static uint64_t sinks_duration(const struct otlp_span *span)
{
    return span->end_unix_ns > span->start_unix_ns ? span->end_unix_ns - span->start_unix_ns : 0;
}

void sinks_give_span(struct sinks *self, const struct otlp_span *span, uint64_t position, uint64_t now_us)
{
    struct join_span summary = {.kind = span->kind,
                                .flags = span->flags,
                                .start_unix_ns = span->start_unix_ns,
                                .end_unix_ns = span->end_unix_ns,
                                .position = position};
    memcpy(summary.trace_id, span->trace_id, sizeof summary.trace_id);
    memcpy(summary.span_id, span->span_id, sizeof summary.span_id);
    memcpy(summary.parent_span_id, span->parent_span_id, sizeof summary.parent_span_id);
    join_take_span(self->join, &summary, now_us);
}

static struct slice sinks_cut(struct slice text)
{
    if (text.size <= SINKS_TEXT_MAX)
        return text;
    text.size = SINKS_TEXT_MAX;
    while (text.size > 0 && (text.data[text.size] & 0xc0) == 0x80) /* not inside a character */
        text.size--;
    return text;
}

static bool sinks_keep_span(struct sinks *self, const struct otlp_span *span)
{
    if (self->span_count == self->span_room) {
        size_t room = self->span_room ? 2 * self->span_room : 512;
        struct sinks_span *grown = room <= SINKS_SPANS_MAX ? realloc(self->span, room * sizeof *grown) : NULL;
        if (!grown)
            return false;
        self->span = grown;
        self->span_room = room;
    }
    struct sinks_span *kept = &self->span[self->span_count++];
    memcpy(kept->trace_id, span->trace_id, sizeof kept->trace_id);
    memcpy(kept->span_id, span->span_id, sizeof kept->span_id);
    memcpy(kept->parent_span_id, span->parent_span_id, sizeof kept->parent_span_id);
    kept->duration_ns = sinks_duration(span);
    kept->waits = span->kind == SPAN_KIND_CLIENT && span->db_system.size == 0;
    kept->name = sinks_cut(span->name);
    kept->service = sinks_cut(span->service_name);
    return true;
}

/* By trace, longest first; the id breaks ties so that the order never depends on the sort. */
static int sinks_compare_spans(const void *left, const void *right)
{
    const struct sinks_span *a = left, *b = right;
    int order = memcmp(a->trace_id, b->trace_id, sizeof a->trace_id);
    if (order != 0)
        return order;
    if (a->duration_ns != b->duration_ns)
        return a->duration_ns > b->duration_ns ? -1 : 1;
    return memcmp(a->span_id, b->span_id, sizeof a->span_id);
}

static bool sinks_has_child(const struct sinks_span *span, size_t count, const uint8_t span_id[8])
{
    for (size_t i = 0; i < count; i++)
        if (memcmp(span[i].parent_span_id, span_id, 8) == 0)
            return true;
    return false;
}

static void sinks_put_trace(struct sinks *self, const struct sinks_span *span, size_t count, uint64_t position)
{
    struct store_trace_part part = {.position = position, .span_count = (uint32_t)count};
    memcpy(part.trace_id, span->trace_id, sizeof part.trace_id);
    for (size_t i = 0; i < count && i < SINKS_LEAVES_MAX && part.top_count < STORE_TRACE_TOPS; i++) {
        if (i > 0 && memcmp(span[i].span_id, span[i - 1].span_id, 8) == 0)
            continue; /* sent twice in one batch */
        if (sinks_has_child(span, count, span[i].span_id))
            continue;
        struct store_trace_top *top = &part.top[part.top_count++];
        memcpy(top->span_id, span[i].span_id, sizeof top->span_id);
        top->duration_ns = span[i].duration_ns;
        top->name = span[i].name;
        top->service = span[i].service;
        top->waits = span[i].waits;
    }
    store_put_trace_part(self->store, &part);
}

static void sinks_put_traces(struct sinks *self, uint64_t position)
{
    if (self->span_count == 0)
        return;
    qsort(self->span, self->span_count, sizeof *self->span, sinks_compare_spans);
    for (size_t begin = 0, end; begin < self->span_count; begin = end) {
        for (end = begin + 1; end < self->span_count; end++)
            if (memcmp(self->span[end].trace_id, self->span[begin].trace_id, 16) != 0)
                break;
        sinks_put_trace(self, self->span + begin, end - begin, position);
    }
}

void sinks_take_spans(struct sinks *self, const struct log_record *record)
{
    struct otlp_reader reader;
    struct otlp_span span;
    enum otlp_read_status status;
    self->span_count = 0;
    otlp_reader_init(&reader, record->payload);
    while ((status = otlp_reader_next(&reader, &span)) != OTLP_END && status != OTLP_MALFORMED) {
        if (status == OTLP_BAD_SPAN)
            continue; /* refused and counted when it was received */
        if (!sinks_keep_span(self, &span))
            counters_add(self->counters, COUNTER_SINK_ERRORS, 1);
        sinks_give_span(self, &span, record->position, record->received_unix_us);
    }
    if (status == OTLP_MALFORMED)
        counters_add(self->counters, COUNTER_SINK_ERRORS, 1);
    sinks_put_traces(self, record->position);
}

static void sinks_recall_record(struct sinks *self, const struct log_record *record, const uint8_t trace_id[16],
                                uint64_t now_us)
{
    struct otlp_reader reader;
    struct otlp_span span;
    enum otlp_read_status status;
    otlp_reader_init(&reader, record->payload);
    while ((status = otlp_reader_next(&reader, &span)) != OTLP_END && status != OTLP_MALFORMED)
        if (status == OTLP_SPAN && memcmp(span.trace_id, trace_id, 16) == 0)
            sinks_give_span(self, &span, record->position, now_us);
}

void sinks_recall_trace(struct sinks *self, const uint8_t trace_id[16], uint64_t now_us)
{
    uint64_t position[SINKS_RECALLS_MAX];
    size_t count = store_find_trace_positions(self->store, trace_id, position, SINKS_RECALLS_MAX);
    for (size_t i = 0; i < count; i++) {
        struct log_record record;
        log_reader_seek(self->recall, position[i]);
        if (log_reader_next(self->recall, &record) == LOG_READ_RECORD && record.type == APPEND_SPANS &&
            record.position == position[i])
            sinks_recall_record(self, &record, trace_id, now_us);
    }
}
