#include "collector/join/join.h"
#include "collector/query/query_internal.h"

/*
 * Coverage asks: of the requests that reached a server of the site, how many met their trace? A response from the
 * browser's cache or a failed request reached none. One that met a trace is the site's own, whatever its host.
 */
struct query_coverage {
    uint64_t requests, first_party, reached, joined;
    uint64_t level[JOIN_EXACT_PARENT + 1];
    uint64_t reason[JOIN_REASON_COUNT];
};

static void query_coverage_add(struct query_coverage *self, const struct store_join_count_row *row)
{
    bool joined = row->level != JOIN_NONE;
    bool first_party = joined || !(row->flags & JOIN_REQUEST_THIRD_PARTY);
    bool reached = joined || (first_party && !(row->flags & (JOIN_REQUEST_CACHED | JOIN_REQUEST_FAILED)));
    self->requests += row->count;
    self->first_party += first_party ? row->count : 0;
    self->reached += reached ? row->count : 0;
    self->joined += joined ? row->count : 0;
    if (row->level <= JOIN_EXACT_PARENT)
        self->level[row->level] += row->count;
    if (row->reason < JOIN_REASON_COUNT)
        self->reason[row->reason] += row->count;
}

static void query_write_coverage(struct json *json, const struct query_coverage *coverage)
{
    json_object(json, NULL);
    json_int(json, "requests", (int64_t)coverage->requests);
    json_int(json, "first_party", (int64_t)coverage->first_party);
    json_int(json, "reached_server", (int64_t)coverage->reached);
    json_int(json, "joined", (int64_t)coverage->joined);
    if (coverage->reached == 0)
        json_null(json, "coverage");
    else
        json_double(json, "coverage", (double)coverage->joined / (double)coverage->reached);
    json_object(json, "levels");
    for (int i = JOIN_EXACT_PARENT; i >= JOIN_NONE; i--)
        json_int(json, join_level_name((enum join_level)i), (int64_t)coverage->level[i]);
    json_object_end(json);
    json_object(json, "reasons");
    for (int i = 0; i < JOIN_REASON_COUNT; i++)
        if (coverage->reason[i] > 0)
            json_int(json, join_reason_name((enum join_reason)i), (int64_t)coverage->reason[i]);
    json_object_end(json);
    json_object_end(json);
}

enum query_status query_joins(struct query *self, struct slice app, uint64_t since_us, struct buf *out)
{
    struct json json;
    struct query_coverage coverage = {0};
    struct store_join_count_row row;
    if (!query_begin(self))
        return QUERY_FAILED;
    store_reader_find_join_counts(self->index, app, since_us / STORE_HOUR_US);
    while (store_reader_next_join_count(self->index, &row))
        query_coverage_add(&coverage, &row);
    json_init(&json, out);
    query_write_coverage(&json, &coverage);
    return query_end(self, out, true);
}
