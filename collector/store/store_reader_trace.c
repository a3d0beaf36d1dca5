/* The reader's lists that start from a trace, and the counted ones. */
#include "collector/store/store_reader_internal.h"

static void store_reader_scan_trace(struct store_reader *self, struct store_scan *scan, enum store_kind kind,
                                    const uint8_t trace_id[16])
{
    struct store_entry low = store_key_of(trace_id), high = store_key_end(&low);
    store_reader_scan(self, scan, kind, &low, &high);
}

void store_reader_find_trace_parts(struct store_reader *self, const uint8_t trace_id[16])
{
    store_reader_scan_trace(self, &self->trace_parts, STORE_KIND_SPAN, trace_id);
}

/* part->trace_id is the caller's. */
bool store_reader_next_trace_part(struct store_reader *self, struct store_trace_part *part)
{
    struct store_entry entry;
    while (store_scan_next(&self->trace_parts, &entry)) {
        sqlite3_stmt *chunk = sql_use(&self->sql, STORE_READER_CHUNK);
        sql_bind_int(&self->sql, chunk, 1, (int64_t)(entry.b >> 16));
        if (!sql_step(&self->sql, chunk))
            continue; /* gone with its part of the log */
        struct slice parts = sql_bytes(chunk, 0);
        size_t at = entry.b & 0xffff;
        if (at <= parts.size && store_part_decode(slice_of(parts.data + at, parts.size - at), part))
            return true;
    }
    return false;
}

void store_reader_find_trace_views(struct store_reader *self, const uint8_t trace_id[16])
{
    self->trace_view = (struct store_entry){.a = 0};
    store_reader_scan_trace(self, &self->trace_views, STORE_KIND_CLAIM, trace_id);
}

/* false = merged into another, or gone. */
static bool store_reader_claim_level(struct store_reader *self, const struct store_trace_view_row *row, uint32_t *level)
{
    struct store_body body;
    struct store_request_fact fact;
    struct store_join_fact join;
    struct slice ids;
    if (row->position == STORE_NOWHERE || !store_reader_body(self, STORE_READER_CLAIM_BEACON, row->position, &body))
        return false;
    while (store_body_next(&body, &fact, &ids, &join)) {
        if (fact.ordinal != row->ordinal)
            continue;
        *level = fact.level;
        return fact.merged != STORE_MERGED_CALL;
    }
    return false;
}

/* Entries lie in the order of view, seq and ordinal; one that several runs hold comes several times in a row. */
bool store_reader_next_trace_view(struct store_reader *self, struct store_trace_view_row *row)
{
    struct store_entry entry;
    while (store_scan_next(&self->trace_views, &entry)) {
        if (store_entry_compare(&entry, &self->trace_view) == 0)
            continue;
        self->trace_view = entry;
        row->seq = (uint32_t)(entry.b >> 32);
        row->ordinal = (uint32_t)entry.b;
        row->position = store_reader_position_of(self, (int64_t)entry.a, row->seq);
        if (store_reader_claim_level(self, row, &row->level) &&
            store_reader_view_by_id(self, STORE_READER_TRACE_VIEW, (int64_t)entry.a, &row->view))
            return true;
    }
    return false;
}

static sqlite3_stmt *store_reader_bind_app(struct store_reader *self, enum store_reader_statement id, struct slice app)
{
    sqlite3_stmt *statement = sql_use(&self->sql, id);
    /* A copy: the list may be stepped through after the caller's name is gone. */
    if (statement)
        sqlite3_bind_text(statement, 1, app.data ? (const char *)app.data : "", (int)app.size, SQLITE_TRANSIENT);
    return statement;
}

void store_reader_find_rollups(struct store_reader *self, struct slice app, uint32_t metric, uint64_t since_hour)
{
    sqlite3_stmt *rollups = store_reader_bind_app(self, STORE_READER_ROLLUPS, app);
    sql_bind_int(&self->sql, rollups, 2, metric);
    sql_bind_int(&self->sql, rollups, 3, (int64_t)since_hour);
}

bool store_reader_next_rollup(struct store_reader *self, struct store_rollup_row *row)
{
    sqlite3_stmt *rollups = store_reader_current(self, STORE_READER_ROLLUPS);
    if (!sql_step(&self->sql, rollups))
        return false;
    row->route = sql_bytes(rollups, 0);
    row->good = (uint64_t)sqlite3_column_int64(rollups, 1);
    row->needs_improvement = (uint64_t)sqlite3_column_int64(rollups, 2);
    row->poor = (uint64_t)sqlite3_column_int64(rollups, 3);
    row->sketch = sql_bytes(rollups, 4);
    return true;
}

void store_reader_find_join_counts(struct store_reader *self, struct slice app, uint64_t since_hour)
{
    sqlite3_stmt *counts = store_reader_bind_app(self, STORE_READER_JOIN_COUNTS, app);
    sql_bind_int(&self->sql, counts, 2, (int64_t)since_hour);
}

bool store_reader_next_join_count(struct store_reader *self, struct store_join_count_row *row)
{
    sqlite3_stmt *counts = store_reader_current(self, STORE_READER_JOIN_COUNTS);
    if (!sql_step(&self->sql, counts))
        return false;
    row->flags = (uint32_t)sqlite3_column_int64(counts, 0);
    row->level = (uint32_t)sqlite3_column_int64(counts, 1);
    row->reason = (uint32_t)sqlite3_column_int64(counts, 2);
    row->count = (uint64_t)sqlite3_column_int64(counts, 3);
    return true;
}
