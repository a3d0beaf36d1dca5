#include "collector/store/store_internal.h"

#include <stdlib.h>

void store_put_trace_view(struct store *self, const uint8_t trace_id[16], int64_t view, uint32_t seq, uint32_t ordinal)
{
    struct store_entry entry = store_key_of(trace_id);
    entry.a = (uint64_t)view;
    entry.b = (uint64_t)seq << 32 | ordinal;
    store_runs_add(&self->runs, STORE_KIND_CLAIM, &entry);
}

void store_chunk_flush(struct store *self)
{
    struct store_chunk *chunk = &self->chunk;
    if (chunk->used == 0)
        return;
    sqlite3_stmt *add = sql_use(&self->sql, STORE_ADD_CHUNK);
    sql_bind_int(&self->sql, add, 1, chunk->id);
    sql_bind_int(&self->sql, add, 2, (int64_t)chunk->position);
    sql_bind_blob(&self->sql, add, 3, slice_of(chunk->bytes, chunk->used));
    sql_finish(&self->sql, add);
    chunk->used = 0;
}

/* A part larger than a chunk's usual size has one to itself. */
void store_put_trace_part(struct store *self, const struct store_trace_part *part)
{
    struct store_chunk *chunk = &self->chunk;
    size_t size = chunk->used < STORE_CHUNK_BYTES
                      ? store_part_encode(part, chunk->bytes + chunk->used, STORE_CHUNK_BYTES - chunk->used)
                      : 0;
    if (size == 0) {
        store_chunk_flush(self);
        size = store_part_encode(part, chunk->bytes, sizeof chunk->bytes);
        assert(size > 0); /* two names of each top, which the caller has cut */
    }
    if (chunk->used == 0) {
        chunk->id = self->next_chunk++;
        chunk->position = part->position;
    }
    struct store_entry entry = store_key_of(part->trace_id);
    entry.a = part->position;
    entry.b = (uint64_t)chunk->id << 16 | chunk->used;
    self->runs.position = part->position + 1;
    store_runs_add(&self->runs, STORE_KIND_SPAN, &entry);
    chunk->used += (uint32_t)size;
}

static int store_compare_positions(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left, b = *(const uint64_t *)right;
    return a < b ? -1 : a > b;
}

/* The oldest `max`: of more, the newest is let go for an older one. */
size_t store_find_trace_positions(struct store *self, const uint8_t trace_id[16], uint64_t *positions, size_t max)
{
    struct store_entry low = store_key_of(trace_id), high = store_key_end(&low), entry;
    struct store_find find;
    size_t count = 0;
    store_runs_find(&self->runs, STORE_KIND_SPAN, &low, &high, true, &find);
    while (store_find_next(&find, &entry)) {
        if (count < max) {
            positions[count++] = entry.a;
        } else if (max > 0 && entry.a < positions[max - 1]) {
            positions[max - 1] = entry.a;
        } else {
            continue;
        }
        qsort(positions, count, sizeof *positions, store_compare_positions);
    }
    return count;
}
