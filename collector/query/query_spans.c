/* Spans by trace: positions from the index, each log record read once, whatever the number of traces in it. */
#include <stdlib.h>

#include "collector/query/query_internal.h"

struct query_positions {
    uint64_t at[QUERY_SPAN_RECORDS_MAX];
    size_t count;
    bool truncated;
};

static void query_positions_add(struct query_positions *self, uint64_t position)
{
    for (size_t i = self->count; i > 0; i--)
        if (self->at[i - 1] == position)
            return;
    if (self->count == QUERY_SPAN_RECORDS_MAX)
        self->truncated = true;
    else
        self->at[self->count++] = position;
}

static void query_positions_load(struct query *self, const query_trace_id *trace, size_t trace_count,
                                 struct query_positions *positions)
{
    struct store_trace_part part;
    for (size_t i = 0; i < trace_count; i++) {
        store_reader_find_trace_parts(self->index, trace[i]);
        while (store_reader_next_trace_part(self->index, &part))
            query_positions_add(positions, part.position);
    }
}

static bool query_wanted(const query_trace_id *trace, size_t trace_count, const uint8_t trace_id[16])
{
    for (size_t i = 0; i < trace_count; i++)
        if (memcmp(trace[i], trace_id, 16) == 0)
            return true;
    return false;
}

static bool query_spans_reserve(struct query_spans *self)
{
    if (self->count < self->room)
        return true;
    size_t room = self->room ? 2 * self->room : 64;
    struct query_span *grown = realloc(self->span, room * sizeof *grown);
    if (!grown)
        return false;
    self->span = grown;
    self->room = room;
    return true;
}

static bool query_spans_add(struct query_spans *self, const struct otlp_span *span)
{
    if (self->count == QUERY_SPANS_MAX) {
        self->truncated = true;
        return true;
    }
    if (!query_spans_reserve(self))
        return false;
    struct query_span *added = &self->span[self->count++];
    *added = (struct query_span){.kind = span->kind,
                                 .status = span->status_code,
                                 .http_status = span->http_status,
                                 .start_unix_ns = span->start_unix_ns,
                                 .end_unix_ns = span->end_unix_ns,
                                 .name = query_text_add(&self->text, span->name),
                                 .service = query_text_add(&self->text, span->service_name),
                                 .db_system = query_text_add(&self->text, span->db_system),
                                 .db_query = query_text_add(&self->text, span->db_query),
                                 .http_route = query_text_add(&self->text, span->http_route)};
    memcpy(added->trace_id, span->trace_id, sizeof added->trace_id);
    memcpy(added->span_id, span->span_id, sizeof added->span_id);
    memcpy(added->parent_span_id, span->parent_span_id, sizeof added->parent_span_id);
    return true;
}

static bool query_spans_read(struct query_spans *self, struct slice payload, const query_trace_id *trace,
                             size_t trace_count)
{
    struct otlp_reader reader;
    struct otlp_span span;
    enum otlp_read_status status;
    otlp_reader_init(&reader, payload);
    while ((status = otlp_reader_next(&reader, &span)) != OTLP_END && status != OTLP_MALFORMED)
        if (status == OTLP_SPAN && query_wanted(trace, trace_count, span.trace_id) && !query_spans_add(self, &span))
            return false;
    return true;
}

static int query_compare_id(const struct query_span *a, const struct query_span *b)
{
    int order = memcmp(a->trace_id, b->trace_id, sizeof a->trace_id);
    return order != 0 ? order : memcmp(a->span_id, b->span_id, sizeof a->span_id);
}

/* Of a span that was sent twice with different content, the earlier and then the longer one stands first. */
static int query_compare_span(const void *left, const void *right)
{
    const struct query_span *a = left, *b = right;
    int order = query_compare_id(a, b);
    if (order != 0)
        return order;
    if (a->start_unix_ns != b->start_unix_ns)
        return a->start_unix_ns < b->start_unix_ns ? -1 : 1;
    return a->end_unix_ns == b->end_unix_ns ? 0 : a->end_unix_ns > b->end_unix_ns ? -1 : 1;
}

static int query_compare_start(const void *left, const void *right)
{
    const struct query_span *a = left, *b = right;
    int order = memcmp(a->trace_id, b->trace_id, sizeof a->trace_id);
    if (order != 0)
        return order;
    if (a->start_unix_ns != b->start_unix_ns)
        return a->start_unix_ns < b->start_unix_ns ? -1 : 1;
    if (a->end_unix_ns != b->end_unix_ns)
        return a->end_unix_ns > b->end_unix_ns ? -1 : 1; /* the outer one first */
    return memcmp(a->span_id, b->span_id, sizeof a->span_id);
}

/* OTLP delivers at least once. */
static void query_spans_sort(struct query_spans *self)
{
    size_t kept = 0;
    if (self->count == 0)
        return;
    qsort(self->span, self->count, sizeof *self->span, query_compare_span);
    for (size_t i = 0; i < self->count; i++)
        if (i == 0 || query_compare_id(&self->span[i], &self->span[i - 1]) != 0)
            self->span[kept++] = self->span[i];
    self->count = kept;
    qsort(self->span, self->count, sizeof *self->span, query_compare_start);
}

bool query_spans_load(struct query *self, const query_trace_id *trace, size_t trace_count, struct query_spans *spans)
{
    struct query_positions positions = {0};
    size_t bytes = 0;
    *spans = (struct query_spans){0};
    query_positions_load(self, trace, trace_count, &positions);
    for (size_t i = 0; i < positions.count; i++) {
        struct log_record record;
        if (bytes >= QUERY_SPAN_BYTES_MAX || spans->count == QUERY_SPANS_MAX) {
            positions.truncated = true;
            break;
        }
        if (!query_read(self, positions.at[i], APPEND_SPANS, &record)) {
            positions.truncated = true; /* removed by retention, or damaged */
            continue;
        }
        bytes += record.payload.size;
        if (!query_spans_read(spans, record.payload, trace, trace_count))
            return false;
    }
    spans->truncated |= positions.truncated;
    query_spans_sort(spans);
    return true;
}

void query_spans_release(struct query_spans *self)
{
    query_text_release(&self->text);
    free(self->span);
    *self = (struct query_spans){0};
}

struct query_span *query_spans_find(const struct query_spans *self, const uint8_t trace_id[16], size_t *count)
{
    size_t begin = 0, end;
    while (begin < self->count && memcmp(self->span[begin].trace_id, trace_id, 16) != 0)
        begin++;
    for (end = begin; end < self->count && memcmp(self->span[end].trace_id, trace_id, 16) == 0;)
        end++;
    *count = end - begin;
    return self->span + begin;
}

static bool query_spans_parent_below(const struct query_span *span, size_t count, const uint8_t parent[8])
{
    for (size_t i = 0; i < count; i++)
        if (span[i].below && memcmp(span[i].span_id, parent, 8) == 0)
            return true;
    return false;
}

/* Repeats until nothing changes: parents may stand after their children. A cycle of parents ends it, too. */
void query_spans_mark(struct query_span *span, size_t count, const uint8_t span_id[8])
{
    size_t marked = 0, before;
    for (size_t i = 0; i < count; i++)
        marked += span[i].below = memcmp(span[i].span_id, span_id, 8) == 0;
    do {
        before = marked;
        for (size_t i = 0; i < count; i++)
            if (!span[i].below && query_spans_parent_below(span, count, span[i].parent_span_id))
                marked += span[i].below = true;
    } while (marked > before);
    for (size_t i = 0; i < count && marked < 2; i++)
        span[i].below = true;
}

static void query_write_optional(struct json *json, const char *key, struct slice text)
{
    if (text.size > 0)
        json_text(json, key, text);
}

void query_write_span(struct json *json, const struct query_span *span, struct query_origin origin)
{
    bool backwards = span->end_unix_ns < span->start_unix_ns;
    json_object(json, NULL);
    json_hex(json, "span_id", slice_of(span->span_id, sizeof span->span_id));
    json_hex(json, "parent_span_id", slice_of(span->parent_span_id, sizeof span->parent_span_id));
    json_text(json, "service", span->service);
    json_text(json, "name", span->name);
    json_text(json, "kind", slice_text(query_name_span_kind(span->kind)));
    json_double(json, "start_unix_ms", (double)span->start_unix_ns / 1e6);
    if (origin.page_us != 0)
        json_double(json, "start", (double)(int64_t)(span->start_unix_ns - origin.page_us * 1000) / 1e6);
    if (origin.aligned_us != 0)
        json_double(json, "aligned_start",
                    (double)(int64_t)(span->start_unix_ns - (uint64_t)origin.aligned_us * 1000) / 1e6);
    json_double(json, "duration", backwards ? 0 : (double)(span->end_unix_ns - span->start_unix_ns) / 1e6);
    json_text(json, "status", slice_text(query_name_span_status(span->status)));
    query_write_optional(json, "db_system", span->db_system);
    query_write_optional(json, "db_query", span->db_query);
    query_write_optional(json, "http_route", span->http_route);
    if (span->http_status != 0)
        json_int(json, "http_status", span->http_status);
    json_object_end(json);
}
