/* Private to the query stage: bounds, the snapshot, and writers that several answers share. */
#ifndef VITRACE_QUERY_INTERNAL_H
#define VITRACE_QUERY_INTERNAL_H

#include "collector/base/json.h"
#include "collector/otlp/otlp.h"
#include "collector/query/query.h"
#include "collector/query/query_names.h"
#include "collector/query/query_text.h"
#include "collector/store/store.h"
#include "proto/wire/beacon_decode.h"

#define QUERY_STEPS_MAX        UINT64_C(200000000) /* of SQLite's machine: a few seconds */
#define QUERY_ANSWER_BYTES     (4u << 20)          /* lists end here and say that they were cut */
#define QUERY_BEACONS_MAX      256u                /* of one view: 4 MiB of beacons, 2 MiB of dictionaries */
#define QUERY_REQUESTS_MAX     2048u               /* of one view, or claiming one trace */
#define QUERY_ENTRIES_MAX      2000u               /* of one kind in one view */
#define QUERY_TRACES_MAX       512u                /* joined by one view */
#define QUERY_SPANS_MAX        8192u               /* of one answer */
#define QUERY_SPAN_RECORDS_MAX 512u                /* log records read for them */
#define QUERY_SPAN_BYTES_MAX   (64u << 20)         /* and their bytes */

struct query {
    struct log *log;
    struct log_reader *reader;
    struct store_reader *index;
    char *store_path;
};

bool query_begin(struct query *self);
/* The status of an answer: what the snapshot, the buffer and `found` say. */
enum query_status query_end(struct query *self, const struct buf *out, bool found);
/* The record at a position that the index gave. false = gone or damaged. */
bool query_read(struct query *self, uint64_t position, enum append_type type, struct log_record *record);

static inline bool query_full(const struct json *json)
{
    return json->out->failed || json->out->size > QUERY_ANSWER_BYTES;
}

void query_write_us(struct json *json, const char *key, int64_t us); /* as milliseconds */
/* The fields of a view that the list and the detail share, into an open object. */
void query_write_view(struct query *self, struct json *json, const struct store_view_row *row);

void query_write_delivery(struct json *json, const char *key, struct store_delivery delivery);

struct query_span {
    uint8_t trace_id[16], span_id[8], parent_span_id[8];
    uint32_t kind, status, http_status;
    uint64_t start_unix_ns, end_unix_ns;
    struct slice name, service, db_system, db_query, http_route; /* in the list's text */
    bool below;                                                  /* scratch of query_spans_mark() */
};

/* Ordered by trace, then start. Each (trace, span id) once. */
struct query_spans {
    struct query_span *span;
    size_t count, room;
    struct query_text text;
    bool truncated;
};

typedef uint8_t query_trace_id[16];

/* The spans of these traces, from the log. false = out of memory. */
bool query_spans_load(struct query *self, const query_trace_id *trace, size_t trace_count, struct query_spans *spans);
void query_spans_release(struct query_spans *self);
/* The run of one trace. */
struct query_span *query_spans_find(const struct query_spans *self, const uint8_t trace_id[16], size_t *count);
/* Sets `below` on span_id and everything under it; on all of them when nothing is under it. */
void query_spans_mark(struct query_span *span, size_t count, const uint8_t span_id[8]);
/* Zero of `start` and of `aligned_start`, by the servers' clock; what is 0 is left out. */
struct query_origin {
    uint64_t page_us;   /* as if the page's clock were right */
    int64_t aligned_us; /* corrected */
};
/* One span object. */
void query_write_span(struct json *json, const struct query_span *span, struct query_origin origin);

#endif
