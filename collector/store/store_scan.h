/*
 * Private to the store: a sorted walk over entries that lie in several runs.
 *
 * An entry is a key of 16 bytes and two numbers. A run is a set of entries in blocks of up to STORE_BLOCK_ENTRIES, sorted;
 * the block's row is found by its first entry. A scan holds one block of each run that it was given, and gives the smallest
 * of their next entries: what a range lookup, a merge of runs, and a list in order all need.
 */
#ifndef VITRACE_STORE_SCAN_H
#define VITRACE_STORE_SCAN_H

#include "collector/store/store_sql.h"

/* 121 x 32 bytes, its own first entry and the row's header fill a page of 4096 without an overflow page. */
#define STORE_BLOCK_ENTRIES 121u
#define STORE_FENCE_BYTES   32u

struct store_entry {
    uint8_t key[16];
    uint64_t a, b;
};

/* By key, then a, then b. */
int store_entry_compare(const struct store_entry *left, const struct store_entry *right);
/* The same order for memcmp, which is how SQLite compares blobs. */
void store_entry_fence(const struct store_entry *self, uint8_t fence[STORE_FENCE_BYTES]);

struct store_source {
    int64_t run;
    uint32_t at, count;
    struct store_entry entry[STORE_BLOCK_ENTRIES];
};

struct store_scan {
    struct sql *sql;
    size_t block_at, block_after; /* its statements: the block that may hold an entry, the one behind it */
    struct store_entry low, high; /* both inclusive */
    uint32_t source_count, source_room;
    struct store_source *source;
};

#define STORE_SCAN_BLOCK_AT                                                                                            \
    "SELECT entries FROM run_blocks WHERE run = ?1 AND first <= ?2 ORDER BY first DESC LIMIT 1"
#define STORE_SCAN_BLOCK_AFTER                                                                                         \
    "SELECT entries FROM run_blocks WHERE run = ?1 AND first > ?2 ORDER BY first LIMIT 1"

void store_scan_init(struct store_scan *self, struct sql *sql, size_t block_at, size_t block_after);
void store_scan_release(struct store_scan *self);
/* Forgets the runs of the last walk. */
void store_scan_start(struct store_scan *self, const struct store_entry *low, const struct store_entry *high);
void store_scan_add(struct store_scan *self, int64_t run);
/* An entry that lies in several runs comes once for each. */
bool store_scan_next(struct store_scan *self, struct store_entry *entry);

#endif
