/*
 * Answers from the index and the log, as the JSON of API.md.
 *
 * One query object belongs to one thread at a time. Every answer is read from one snapshot of the index; details come
 * from the log by position. Rows, log records, bytes and SQLite steps are bounded; a list that was cut says so.
 */
#ifndef VITRACE_QUERY_H
#define VITRACE_QUERY_H

#include "collector/base/buf.h"
#include "collector/log/log.h"

#define QUERY_VIEWS_MAX 500u

struct query;

/* The index must exist. NULL: `error` says why not. */
struct query *query_new(struct log *log, const char *store_path, char *error, size_t error_size);
void query_free(struct query *self);

enum query_status {
    QUERY_OK = 0,    /* `out` holds the answer */
    QUERY_NOT_FOUND, /* nobody knows the id */
    QUERY_FAILED,    /* the index cannot be read, or the query took too many steps: the operator's business */
    QUERY_TOO_LARGE  /* the answer does not fit `out`, or memory is short */
};

enum query_status query_apps(struct query *self, struct buf *out);
enum query_status query_views(struct query *self, struct slice app, uint64_t since_us, uint32_t limit, struct buf *out);
/* The views of one session, in the order in which they began. */
enum query_status query_session(struct query *self, struct slice app, const uint8_t session_id[16], uint32_t limit,
                                struct buf *out);
/* What pages said that they sent and what is here, summed; `app` empty = of all apps. */
enum query_status query_loss(struct query *self, struct slice app, uint64_t since_us, struct buf *out);
enum query_status query_view(struct query *self, const uint8_t view_id[16], struct buf *out);
/* `metric`: a number of beacon.proto. Whole hours: since_us is rounded down. */
enum query_status query_vitals(struct query *self, struct slice app, uint32_t metric, uint64_t since_us,
                               struct buf *out);
enum query_status query_trace(struct query *self, const uint8_t trace_id[16], struct buf *out);
enum query_status query_joins(struct query *self, struct slice app, uint64_t since_us, struct buf *out);

/* Number of a metric's name ("lcp"); 0 = unknown. */
uint32_t query_metric_find(struct slice name);

#endif
