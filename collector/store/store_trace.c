#include "collector/store/store_internal.h"

struct store_trace_key store_trace_key_of(const uint8_t trace_id[16])
{
    uint64_t high = 0, low = 0;
    for (int i = 0; i < 8; i++) {
        high = high << 8 | trace_id[i];
        low = low << 8 | trace_id[8 + i];
    }
    return (struct store_trace_key){.low = (int64_t)low, .high = (int64_t)high};
}

void store_put_trace_view(struct store *self, const uint8_t trace_id[16], int64_t view, uint32_t seq, uint32_t ordinal)
{
    struct sql *sql = &self->sql;
    struct store_trace_key key = store_trace_key_of(trace_id);
    sqlite3_stmt *add = sql_use(sql, STORE_ADD_TRACE_VIEW);
    sql_bind_int(sql, add, 1, key.low);
    sql_bind_int(sql, add, 2, key.high);
    sql_bind_int(sql, add, 3, view);
    sql_bind_int(sql, add, 4, seq);
    sql_bind_int(sql, add, 5, ordinal);
    sql_finish(sql, add);
}

void store_put_trace_part(struct store *self, const struct store_trace_part *part)
{
    struct sql *sql = &self->sql;
    struct store_trace_key key = store_trace_key_of(part->trace_id);
    sqlite3_stmt *set = sql_use(sql, STORE_SET_TRACE_PART);
    sql_bind_int(sql, set, 1, key.low);
    sql_bind_int(sql, set, 2, key.high);
    sql_bind_int(sql, set, 3, (int64_t)part->position);
    sql_bind_int(sql, set, 4, part->span_count);
    sql_bind_int(sql, set, 5, part->top_count);
    int64_t waits = 0; /* bit i: of top i */
    for (uint32_t i = 0; i < part->top_count && i < STORE_TRACE_TOPS; i++) {
        const struct store_trace_top *top = &part->top[i];
        int at = 6 + 4 * (int)i;
        sql_bind_blob(sql, set, at, slice_of(top->span_id, 8));
        sql_bind_int(sql, set, at + 1, (int64_t)top->duration_ns);
        sql_bind_text(sql, set, at + 2, top->name);
        sql_bind_text(sql, set, at + 3, top->service);
        waits |= (int64_t)top->waits << i;
    }
    sql_bind_int(sql, set, 14, waits);
    sql_finish(sql, set);
}

size_t store_find_trace_positions(struct store *self, const uint8_t trace_id[16], uint64_t *positions, size_t max)
{
    struct sql *sql = &self->sql;
    struct store_trace_key key = store_trace_key_of(trace_id);
    sqlite3_stmt *find = sql_use(sql, STORE_FIND_POSITIONS);
    sql_bind_int(sql, find, 1, key.low);
    sql_bind_int(sql, find, 2, key.high);
    sql_bind_int(sql, find, 3, (int64_t)max);
    size_t count = 0;
    while (count < max && sql_step(sql, find))
        positions[count++] = (uint64_t)sqlite3_column_int64(find, 0);
    if (find)
        sqlite3_reset(find);
    return count;
}
