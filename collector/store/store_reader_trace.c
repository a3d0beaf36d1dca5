/* The reader's lists that start from a trace, and the counted ones. */
#include "collector/store/store_internal.h"
#include "collector/store/store_reader_internal.h"

static void store_reader_bind_trace(struct store_reader *self, enum store_reader_statement id,
                                    const uint8_t trace_id[16])
{
    sqlite3_stmt *statement = sql_use(&self->sql, id);
    struct store_trace_key key = store_trace_key_of(trace_id);
    sql_bind_int(&self->sql, statement, 1, key.low);
    sql_bind_int(&self->sql, statement, 2, key.high);
}

void store_reader_find_trace_parts(struct store_reader *self, const uint8_t trace_id[16])
{
    store_reader_bind_trace(self, STORE_READER_TRACE_PARTS, trace_id);
}

/* part->trace_id is the caller's. */
bool store_reader_next_trace_part(struct store_reader *self, struct store_trace_part *part)
{
    sqlite3_stmt *parts = store_reader_current(self, STORE_READER_TRACE_PARTS);
    if (!sql_step(&self->sql, parts))
        return false;
    part->position = (uint64_t)sqlite3_column_int64(parts, 0);
    part->span_count = (uint32_t)sqlite3_column_int64(parts, 1);
    part->top_count = (uint32_t)sqlite3_column_int64(parts, 2);
    if (part->top_count > STORE_TRACE_TOPS)
        part->top_count = STORE_TRACE_TOPS;
    int64_t waits = sqlite3_column_int64(parts, 3 + 4 * STORE_TRACE_TOPS);
    for (uint32_t i = 0; i < part->top_count; i++) {
        int at = 3 + 4 * (int)i;
        sql_id(parts, at, part->top[i].span_id, 8);
        part->top[i].duration_ns = (uint64_t)sqlite3_column_int64(parts, at + 1);
        part->top[i].name = sql_bytes(parts, at + 2);
        part->top[i].service = sql_bytes(parts, at + 3);
        part->top[i].waits = waits >> i & 1;
    }
    return true;
}

void store_reader_find_trace_views(struct store_reader *self, const uint8_t trace_id[16])
{
    store_reader_bind_trace(self, STORE_READER_TRACE_VIEWS, trace_id);
}

bool store_reader_next_trace_view(struct store_reader *self, struct store_trace_view_row *row)
{
    sqlite3_stmt *views = store_reader_current(self, STORE_READER_TRACE_VIEWS);
    if (!sql_step(&self->sql, views))
        return false;
    store_reader_read_view(views, &row->view);
    row->seq = (uint32_t)sqlite3_column_int64(views, STORE_VIEW_COLUMN_COUNT);
    row->ordinal = (uint32_t)sqlite3_column_int64(views, STORE_VIEW_COLUMN_COUNT + 1);
    row->level = (uint32_t)sqlite3_column_int64(views, STORE_VIEW_COLUMN_COUNT + 2);
    row->position = (uint64_t)sqlite3_column_int64(views, STORE_VIEW_COLUMN_COUNT + 3);
    return true;
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
