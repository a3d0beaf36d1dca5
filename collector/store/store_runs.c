#include "collector/store/store_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "collector/store/store_filter.h"

#define STORE_FRESH_MIN 256u

static uint64_t store_runs_hash(const struct store_runs *self, const uint8_t key[16])
{
    return siphash(self->key, slice_of(key, 16));
}

void store_runs_init(struct store_runs *self, struct sql *sql, struct siphash_key key)
{
    *self = (struct store_runs){
        .sql = sql, .key = key, .filter_bytes_max = STORE_FILTER_BYTES_MAX, .fresh_max = STORE_FRESH_MAX};
    store_scan_init(&self->scan, sql, STORE_BLOCK_AT, STORE_BLOCK_AFTER);
}

static void store_runs_trim_filters(struct store_runs *self);

static void store_runs_clear(struct store_runs *self)
{
    for (unsigned kind = 0; kind < STORE_KIND_COUNT; kind++) {
        for (uint32_t i = 0; i < self->list[kind].count; i++)
            free(self->list[kind].run[i].filter);
        self->list[kind].count = 0;
        struct store_fresh *fresh = &self->fresh[kind];
        if (fresh->count > 0)
            memset(fresh->bucket, 0, fresh->room * sizeof *fresh->bucket);
        fresh->count = 0;
    }
    self->filter_bytes = 0;
}

void store_runs_limit(struct store_runs *self, size_t filter_bytes_max, uint32_t fresh_max)
{
    assert(fresh_max >= STORE_FRESH_LEAST && fresh_max <= STORE_FRESH_MAX && (fresh_max & (fresh_max - 1)) == 0);
    self->filter_bytes_max = filter_bytes_max;
    self->fresh_max = fresh_max;
    store_runs_trim_filters(self);
}

void store_runs_release(struct store_runs *self)
{
    store_runs_clear(self);
    for (unsigned kind = 0; kind < STORE_KIND_COUNT; kind++) {
        free(self->list[kind].run);
        free(self->fresh[kind].entry);
        free(self->fresh[kind].hash);
        free(self->fresh[kind].next);
        free(self->fresh[kind].bucket);
    }
    store_scan_release(&self->scan);
}

/* The runs of the oldest entries do without, when there are too many. */
static void store_runs_trim_filters(struct store_runs *self)
{
    while (self->filter_bytes > self->filter_bytes_max) {
        struct store_run *oldest = NULL;
        for (unsigned kind = 0; kind < STORE_KIND_COUNT; kind++) {
            for (uint32_t i = 0; i < self->list[kind].count; i++) {
                struct store_run *run = &self->list[kind].run[i];
                if (run->filter && (!oldest || run->newest < oldest->newest))
                    oldest = run;
            }
        }
        free(oldest->filter);
        oldest->filter = NULL;
        self->filter_bytes -= (size_t)STORE_FILTER_LINE * oldest->filter_lines;
    }
}

static struct store_run *store_runs_append(struct store_runs *self, enum store_kind kind)
{
    struct store_run_list *list = &self->list[kind];
    if (list->count == list->room) {
        uint32_t room = list->room ? 2 * list->room : STORE_RUN_FANOUT;
        struct store_run *grown = realloc(list->run, room * sizeof *grown);
        if (!grown) {
            self->sql->failed = true;
            return NULL;
        }
        list->run = grown;
        list->room = room;
    }
    list->run[list->count] = (struct store_run){0};
    return &list->run[list->count++];
}

static void store_run_set_filter(struct store_runs *self, struct store_run *run, struct slice filter)
{
    run->filter_lines = (uint32_t)(filter.size / STORE_FILTER_LINE);
    run->filter = filter.size > 0 ? malloc(filter.size) : NULL;
    if (!run->filter)
        return;
    memcpy(run->filter, filter.data, filter.size);
    self->filter_bytes += filter.size;
}

void store_runs_load(struct store_runs *self)
{
    store_runs_clear(self);
    self->next_run = 1;
    sqlite3_stmt *list = sql_use(self->sql, STORE_LIST_RUNS);
    while (sql_step(self->sql, list)) {
        int64_t kind = sqlite3_column_int64(list, 1);
        struct store_run *run = kind >= 0 && kind < STORE_KIND_COUNT ? store_runs_append(self, (enum store_kind)kind) : NULL;
        if (!run)
            continue;
        run->id = sqlite3_column_int64(list, 0);
        run->level = (uint32_t)sqlite3_column_int64(list, 2);
        run->entries = (uint32_t)sqlite3_column_int64(list, 3);
        run->newest = (uint64_t)sqlite3_column_int64(list, 4);
        store_run_set_filter(self, run, sql_bytes(list, 5));
        self->next_run = run->id + 1;
        store_runs_trim_filters(self);
    }
}

/* Rehashes into twice as many buckets. */
static bool store_fresh_grow(struct store_fresh *self)
{
    uint32_t room = self->room ? 2 * self->room : STORE_FRESH_MIN;
    struct store_entry *entry = realloc(self->entry, room * sizeof *entry);
    self->entry = entry ? entry : self->entry;
    uint64_t *hash = realloc(self->hash, room * sizeof *hash);
    self->hash = hash ? hash : self->hash;
    uint32_t *next = realloc(self->next, room * sizeof *next);
    self->next = next ? next : self->next;
    uint32_t *bucket = calloc(room, sizeof *bucket);
    if (!entry || !hash || !next || !bucket) {
        free(bucket);
        return false;
    }
    free(self->bucket);
    self->bucket = bucket;
    self->room = room;
    for (uint32_t i = 0; i < self->count; i++) {
        uint32_t *at = &bucket[hash[i] & (room - 1)];
        next[i] = *at;
        *at = i + 1;
    }
    return true;
}

void store_runs_add(struct store_runs *self, enum store_kind kind, const struct store_entry *entry)
{
    struct store_fresh *fresh = &self->fresh[kind];
    if (fresh->count == self->fresh_max)
        store_runs_flush(self, self->position);
    if (fresh->count == fresh->room && !store_fresh_grow(fresh)) {
        self->sql->failed = true;
        return;
    }
    uint64_t hash = store_runs_hash(self, entry->key);
    uint32_t *at = &fresh->bucket[hash & (fresh->room - 1)];
    fresh->entry[fresh->count] = *entry;
    fresh->hash[fresh->count] = hash;
    fresh->next[fresh->count] = *at;
    *at = ++fresh->count;
}

static void store_find_runs(struct store_find *self, uint64_t hash)
{
    struct store_runs *runs = self->runs;
    const struct store_run_list *list = &runs->list[self->kind];
    store_scan_start(&runs->scan, &self->low, &self->high);
    for (uint32_t i = list->count; i > 0; i--) {
        const struct store_run *run = &list->run[i - 1];
        if (!run->filter || store_filter_has(run->filter, run->filter_lines, hash))
            store_scan_add(&runs->scan, run->id);
    }
}

void store_runs_find(struct store_runs *self, enum store_kind kind, const struct store_entry *low,
                     const struct store_entry *high, bool stored, struct store_find *find)
{
    const struct store_fresh *fresh = &self->fresh[kind];
    uint64_t hash = store_runs_hash(self, low->key);
    *find = (struct store_find){.runs = self, .kind = kind, .low = *low, .high = *high, .stored = stored};
    find->fresh = fresh->room ? fresh->bucket[hash & (fresh->room - 1)] : 0;
    if (stored)
        store_find_runs(find, hash);
}

bool store_find_next(struct store_find *self, struct store_entry *entry)
{
    const struct store_fresh *fresh = &self->runs->fresh[self->kind];
    while (self->fresh != 0) {
        *entry = fresh->entry[self->fresh - 1];
        self->fresh = fresh->next[self->fresh - 1];
        if (store_entry_compare(entry, &self->low) >= 0 && store_entry_compare(entry, &self->high) <= 0)
            return true;
    }
    return self->stored && store_scan_next(&self->runs->scan, entry);
}

/* A run under construction. */
struct store_run_writer {
    struct store_runs *runs;
    struct store_run *run;
    struct store_entry block[STORE_BLOCK_ENTRIES], last;
    uint32_t used;
};

static void store_run_write_block(struct store_run_writer *self)
{
    struct sql *sql = self->runs->sql;
    uint8_t fence[STORE_FENCE_BYTES];
    if (self->used == 0)
        return;
    store_entry_fence(&self->block[0], fence);
    sqlite3_stmt *add = sql_use(sql, STORE_ADD_BLOCK);
    sql_bind_int(sql, add, 1, self->run->id);
    sql_bind_blob(sql, add, 2, slice_of(fence, sizeof fence));
    sql_bind_blob(sql, add, 3, slice_of(self->block, self->used * sizeof self->block[0]));
    sql_finish(sql, add);
    self->used = 0;
}

static void store_run_write(struct store_run_writer *self, const struct store_entry *entry, uint64_t hash)
{
    if (self->run->entries > 0 && store_entry_compare(&self->last, entry) == 0)
        return;
    self->last = *entry;
    self->run->entries++;
    if (self->run->filter)
        store_filter_add(self->run->filter, self->run->filter_lines, hash);
    self->block[self->used++] = *entry;
    if (self->used == STORE_BLOCK_ENTRIES)
        store_run_write_block(self);
}

/* `entries`: at most that many will be written; fewer when some are equal. */
static bool store_run_begin(struct store_run_writer *self, struct store_runs *runs, enum store_kind kind, uint32_t level,
                            uint32_t entries)
{
    *self = (struct store_run_writer){.runs = runs, .run = store_runs_append(runs, kind)};
    if (!self->run)
        return false;
    self->run->id = runs->next_run++;
    self->run->level = level;
    if (kind == STORE_KIND_SESSION)
        return true;
    size_t filter_bytes = (size_t)STORE_FILTER_LINE * store_filter_lines(entries);
    if (filter_bytes > runs->filter_bytes_max)
        return true; /* alone it would be more than all may be */
    self->run->filter_lines = store_filter_lines(entries);
    self->run->filter = calloc(self->run->filter_lines, STORE_FILTER_LINE);
    if (self->run->filter)
        runs->filter_bytes += filter_bytes;
    return true;
}

static void store_run_end(struct store_run_writer *self, enum store_kind kind, uint64_t newest)
{
    struct sql *sql = self->runs->sql;
    struct store_run *run = self->run;
    store_run_write_block(self);
    run->newest = newest;
    sqlite3_stmt *add = sql_use(sql, STORE_ADD_RUN);
    sql_bind_int(sql, add, 1, run->id);
    sql_bind_int(sql, add, 2, kind);
    sql_bind_int(sql, add, 3, run->level);
    sql_bind_int(sql, add, 4, run->entries);
    sql_bind_int(sql, add, 5, (int64_t)newest);
    sql_bind_blob(sql, add, 6, slice_of(run->filter, run->filter ? STORE_FILTER_LINE * run->filter_lines : 0));
    sql_finish(sql, add);
    store_runs_trim_filters(self->runs);
}

static int store_compare_entries(const void *left, const void *right)
{
    return store_entry_compare(left, right);
}

/* Sorts entries alone: their hashes are computed again for the filter, which is cheaper than moving both. */
static void store_fresh_write(struct store_runs *self, enum store_kind kind, uint64_t position)
{
    struct store_fresh *fresh = &self->fresh[kind];
    struct store_run_writer writer;
    if (fresh->count == 0 || !store_run_begin(&writer, self, kind, 0, fresh->count))
        return;
    qsort(fresh->entry, fresh->count, sizeof *fresh->entry, store_compare_entries);
    for (uint32_t i = 0; i < fresh->count; i++)
        store_run_write(&writer, &fresh->entry[i], store_runs_hash(self, fresh->entry[i].key));
    store_run_end(&writer, kind, position);
    memset(fresh->bucket, 0, fresh->room * sizeof *fresh->bucket);
    fresh->count = 0;
}

static void store_run_delete(struct store_runs *self, enum store_kind kind, uint32_t at)
{
    static const enum store_statement steps[] = {STORE_DELETE_BLOCKS, STORE_DELETE_RUN};
    struct store_run_list *list = &self->list[kind];
    struct store_run *run = &list->run[at];
    for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++) {
        sqlite3_stmt *step = sql_use(self->sql, steps[i]);
        sql_bind_int(self->sql, step, 1, run->id);
        sql_finish(self->sql, step);
    }
    if (run->filter)
        self->filter_bytes -= (size_t)STORE_FILTER_LINE * run->filter_lines;
    free(run->filter);
    memmove(run, run + 1, (list->count - at - 1) * sizeof *run);
    list->count--;
}

/* The runs of one level become one of the next. */
static void store_runs_merge(struct store_runs *self, enum store_kind kind, uint32_t level, uint32_t entries)
{
    static const struct store_entry low = {.a = 0};
    struct store_run_list *list = &self->list[kind];
    struct store_entry high = {.a = UINT64_MAX, .b = UINT64_MAX}, entry;
    struct store_run_writer writer;
    uint64_t newest = 0;
    memset(high.key, 0xff, sizeof high.key);
    store_scan_start(&self->scan, &low, &high);
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->run[i].level != level)
            continue;
        store_scan_add(&self->scan, list->run[i].id);
        newest = list->run[i].newest > newest ? list->run[i].newest : newest;
    }
    if (!store_run_begin(&writer, self, kind, level + 1, entries))
        return;
    while (store_scan_next(&self->scan, &entry))
        store_run_write(&writer, &entry, store_runs_hash(self, entry.key));
    store_run_end(&writer, kind, newest);
    for (uint32_t i = list->count; i > 0; i--)
        if (list->run[i - 1].level == level)
            store_run_delete(self, kind, i - 1);
}

static void store_runs_merge_levels(struct store_runs *self, enum store_kind kind)
{
    const struct store_run_list *list = &self->list[kind];
    for (uint32_t level = 0; !self->sql->failed; level++) {
        uint32_t runs = 0;
        uint64_t entries = 0;
        for (uint32_t i = 0; i < list->count; i++) {
            runs += list->run[i].level == level;
            entries += list->run[i].level == level ? list->run[i].entries : 0;
        }
        if (runs < STORE_RUN_FANOUT || entries > STORE_RUN_ENTRIES_MAX)
            return;
        store_runs_merge(self, kind, level, (uint32_t)entries);
    }
}

void store_runs_flush(struct store_runs *self, uint64_t position)
{
    for (unsigned kind = 0; kind < STORE_KIND_COUNT; kind++) {
        store_fresh_write(self, (enum store_kind)kind, position);
        store_runs_merge_levels(self, (enum store_kind)kind);
    }
}

void store_runs_drop(struct store_runs *self, uint64_t position)
{
    for (unsigned kind = 0; kind < STORE_KIND_COUNT; kind++)
        for (uint32_t i = self->list[kind].count; i > 0; i--)
            if (self->list[kind].run[i - 1].newest <= position)
                store_run_delete(self, (enum store_kind)kind, i - 1);
}
