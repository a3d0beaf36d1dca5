#include "collector/store/store_scan.h"

#include <assert.h>
#include <stdlib.h>

#define STORE_SOURCES_MIN 8u

int store_entry_compare(const struct store_entry *left, const struct store_entry *right)
{
    int order = memcmp(left->key, right->key, sizeof left->key);
    if (order != 0)
        return order;
    if (left->a != right->a)
        return left->a < right->a ? -1 : 1;
    return left->b < right->b ? -1 : left->b > right->b;
}

static void store_fence_number(uint8_t *out, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(value >> (56 - 8 * i));
}

void store_entry_fence(const struct store_entry *self, uint8_t fence[STORE_FENCE_BYTES])
{
    memcpy(fence, self->key, sizeof self->key);
    store_fence_number(fence + 16, self->a);
    store_fence_number(fence + 24, self->b);
}

void store_scan_init(struct store_scan *self, struct sql *sql, size_t block_at, size_t block_after)
{
    *self = (struct store_scan){.sql = sql, .block_at = block_at, .block_after = block_after};
}

void store_scan_release(struct store_scan *self)
{
    free(self->source);
    self->source = NULL;
    self->source_room = self->source_count = 0;
}

void store_scan_start(struct store_scan *self, const struct store_entry *low, const struct store_entry *high)
{
    self->low = *low;
    self->high = *high;
    self->source_count = 0;
}

/* A block that is not whole entries was not written by us: the index is begun anew, as after any other failure. */
static bool store_source_take(struct store_scan *self, struct store_source *source, struct slice block)
{
    source->at = 0;
    source->count = (uint32_t)(block.size / sizeof source->entry[0]);
    if (source->count == 0 || source->count > STORE_BLOCK_ENTRIES || block.size % sizeof source->entry[0] != 0) {
        self->sql->failed = true;
        return false;
    }
    memcpy(source->entry, block.data, block.size);
    return true;
}

static bool store_source_read(struct store_scan *self, struct store_source *source, size_t statement,
                              const struct store_entry *entry)
{
    uint8_t fence[STORE_FENCE_BYTES];
    store_entry_fence(entry, fence);
    sqlite3_stmt *find = sql_use(self->sql, statement);
    sql_bind_int(self->sql, find, 1, source->run);
    sql_bind_blob(self->sql, find, 2, slice_of(fence, sizeof fence));
    if (!sql_step(self->sql, find))
        return false;
    bool good = store_source_take(self, source, sql_bytes(find, 0));
    sqlite3_reset(find);
    return good;
}

/* Stands at the first entry that is not below `low`; false = the run has none up to `high`. */
static bool store_source_seek(struct store_scan *self, struct store_source *source)
{
    bool found = store_source_read(self, source, self->block_at, &self->low) ||
                 store_source_read(self, source, self->block_after, &self->low);
    if (!found)
        return false;
    uint32_t end = source->count;
    for (uint32_t begin = 0; begin < end;) {
        uint32_t middle = (begin + end) / 2;
        if (store_entry_compare(&source->entry[middle], &self->low) < 0)
            begin = middle + 1;
        else
            end = middle;
        source->at = begin;
    }
    if (source->at == source->count &&
        !store_source_read(self, source, self->block_after, &source->entry[source->count - 1]))
        return false;
    return store_entry_compare(&source->entry[source->at], &self->high) <= 0;
}

static bool store_source_advance(struct store_scan *self, struct store_source *source)
{
    if (++source->at == source->count &&
        !store_source_read(self, source, self->block_after, &source->entry[source->count - 1]))
        return false;
    return store_entry_compare(&source->entry[source->at], &self->high) <= 0;
}

void store_scan_add(struct store_scan *self, int64_t run)
{
    if (self->source_count == self->source_room) {
        uint32_t room = self->source_room ? 2 * self->source_room : STORE_SOURCES_MIN;
        struct store_source *grown = realloc(self->source, room * sizeof *grown);
        if (!grown) {
            self->sql->failed = true;
            return;
        }
        self->source = grown;
        self->source_room = room;
    }
    struct store_source *source = &self->source[self->source_count];
    source->run = run;
    if (store_source_seek(self, source))
        self->source_count++;
}

bool store_scan_next(struct store_scan *self, struct store_entry *entry)
{
    if (self->source_count == 0 || self->sql->failed)
        return false;
    uint32_t least = 0;
    for (uint32_t i = 1; i < self->source_count; i++) {
        const struct store_source *a = &self->source[i], *b = &self->source[least];
        if (store_entry_compare(&a->entry[a->at], &b->entry[b->at]) < 0)
            least = i;
    }
    struct store_source *source = &self->source[least];
    *entry = source->entry[source->at];
    if (!store_source_advance(self, source) && --self->source_count != least)
        *source = self->source[self->source_count];
    return true;
}
