/*
 * Private to the store: who is where, for ids that come from outside and are as good as random.
 *
 *   added in this batch      table in memory, found by hash
 *        | commit            sorted, written as a run of level 0
 *        v
 *   level 0  [][][][]...     STORE_RUN_FANOUT runs of a level become one of the next: an entry is written once a level,
 *   level 1  [    ][    ]    always in order, where a row of a b-tree would touch a page of its own
 *   level 2  [            ]  until a run has STORE_RUN_ENTRIES_MAX entries, which stays as it is
 *
 * A lookup would have to look into every run, so each has a filter in memory (blocked Bloom, 16 bits and six probes an
 * entry: about 1 of 500 absent keys is looked for in vain). The filters of the oldest runs are let go above
 * STORE_FILTER_BYTES_MAX; these runs are then looked into each time.
 *
 * Memory: filters 16 MiB, fresh entries 48 bytes each and at most 65,536 of a kind (15 MiB, in a batch of millions of
 * spans) unless store_runs_limit() says less; a block of 4 KB for each run that a lookup has to look into.
 *
 * Entries are a set: adding one twice is the same as once. They leave with their run, when everything in it is older than
 * the log's first record (store_retain.c).
 */
#ifndef VITRACE_STORE_RUNS_H
#define VITRACE_STORE_RUNS_H

#include "collector/base/siphash.h"
#include "collector/store/store_scan.h"

enum store_kind {
    STORE_KIND_VIEW = 0,    /* view id -> a: row of the view */
    STORE_KIND_SESSION = 1, /* session id -> a: row of a view; found by readers alone, has no filter */
    STORE_KIND_BEACON = 2,  /* row of the view, seq -> a: log position; see store_beacon_key() */
    STORE_KIND_CLAIM = 3,   /* trace id -> a: row of the view, b: seq << 32 | ordinal */
    STORE_KIND_SPAN = 4,    /* trace id -> a: log position, b: chunk << 16 | offset of the part */
    STORE_KIND_COUNT = 5
};

#define STORE_RUN_FANOUT       8u
#define STORE_RUN_ENTRIES_MAX  (1u << 22)         /* 128 MB of blocks, 8 MB of filter */
#define STORE_FILTER_BYTES_MAX ((size_t)16 << 20) /* of all runs: 8 million entries */
#define STORE_FRESH_LEAST      (1u << 10)
#define STORE_FRESH_MAX        (1u << 16)         /* entries of a batch and kind before they become a run */

struct store_run {
    int64_t id;
    uint32_t level, entries;
    uint64_t newest; /* log position: everything in it is from before */
    uint8_t *filter; /* NULL = too old to have one */
    uint32_t filter_lines;
};

struct store_run_list {
    struct store_run *run; /* by age */
    uint32_t count, room;
};

/* The entries of the batch under way. */
struct store_fresh {
    struct store_entry *entry;
    uint64_t *hash;
    uint32_t *next, *bucket; /* 1-based, 0 = none */
    uint32_t count, room;    /* room is a power of two, and the number of buckets */
};

struct store_runs {
    struct sql *sql;
    struct siphash_key key;
    int64_t next_run;
    uint64_t position; /* after the record that is being put, set by who puts it */
    size_t filter_bytes, filter_bytes_max;
    uint32_t fresh_max;
    struct store_run_list list[STORE_KIND_COUNT];
    struct store_fresh fresh[STORE_KIND_COUNT];
    struct store_scan scan;
};

/* `key` is the file's own and never changes: the filters depend on it. */
void store_runs_init(struct store_runs *self, struct sql *sql, struct siphash_key key);
/* `fresh_max`: a power of two from STORE_FRESH_LEAST to STORE_FRESH_MAX. */
void store_runs_limit(struct store_runs *self, size_t filter_bytes_max, uint32_t fresh_max);
void store_runs_release(struct store_runs *self);
/* Reads the list of runs again, and forgets what is fresh: at the start and after a batch was rolled back. */
void store_runs_load(struct store_runs *self);

void store_runs_add(struct store_runs *self, enum store_kind kind, const struct store_entry *entry);
/* Walks all entries with low <= entry <= high that have the key of `low`; fresh ones come first. */
struct store_find {
    struct store_runs *runs;
    enum store_kind kind;
    struct store_entry low, high;
    uint32_t fresh; /* the next one in memory; 0 = on to the runs */
    bool stored;    /* false = the runs cannot have it */
};
void store_runs_find(struct store_runs *self, enum store_kind kind, const struct store_entry *low,
                     const struct store_entry *high, bool stored, struct store_find *find);
bool store_find_next(struct store_find *self, struct store_entry *entry);

/* Makes runs of what is fresh and merges full levels. `position`: log position after the batch. */
void store_runs_flush(struct store_runs *self, uint64_t position);
/* Removes runs that hold only what is from before `position`. */
void store_runs_drop(struct store_runs *self, uint64_t position);

#endif
