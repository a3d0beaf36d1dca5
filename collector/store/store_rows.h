/*
 * Private to the store: what stands in the blobs of a row, as both the writer and the readers take it.
 *
 *   views.facts   struct store_view_facts
 *   views.vitals  struct store_vital_fact ..., each with its metric; those that a crash snapshot covers are marked
 *   beacons.body  struct store_beacon_fact, then for each request: struct store_request_fact, its ids, and, when it is
 *                 joined or has been, struct store_join_fact
 *
 * The structs are stored as they are in memory: the index is derived and never leaves its machine. Their sizes are held to
 * have no padding, and the schema version tells the byte orders apart, so a foreign file is rebuilt and not misread.
 */
#ifndef VITRACE_STORE_ROWS_H
#define VITRACE_STORE_ROWS_H

#include <assert.h>

#include "collector/store/store.h"
#include "collector/store/store_runs.h"

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define STORE_SCHEMA_VERSION 3
#else
#define STORE_SCHEMA_VERSION 1003
#endif

struct store_view_facts {
    uint8_t view_id[16], session_id[16];
    uint64_t hour, started_us, errors;
    struct store_ledger ledger;
    uint64_t first_position, newest_position; /* of its beacons */
    uint64_t snapshot_position; /* STORE_NOWHERE = none, or taken back */
    int64_t newest_seq, ledger_seq;
    uint32_t navigation_type, transport, segments, dropped, beacons, duplicates, sample_rate_ppm, recorder_trigger;
    uint32_t crashed, final;
};
static_assert(sizeof(struct store_view_facts) == 32 + 12 * 8 + 10 * 4, "no padding");

#define STORE_NOWHERE UINT64_MAX /* 0 is the position of the log's first record */

#define STORE_METRICS 8u /* one past the largest metric, with room */

struct store_vital_fact {
    uint64_t seq;
    double value;
    uint32_t state;
    uint8_t metric, rating, known, covered;
};
static_assert(sizeof(struct store_vital_fact) == 24, "no padding");

struct store_beacon_fact {
    int64_t view, app;
    uint64_t hour;
    uint32_t seq, requests;
};
static_assert(sizeof(struct store_beacon_fact) == 32, "no padding");

enum store_merged { STORE_ALONE = 0, STORE_MERGED_CALL = 1, STORE_HAS_CALL = 2 };

struct store_request_fact {
    int64_t start_us;
    uint32_t url_hash;
    uint16_t ordinal, flags, ids_size;
    uint8_t kind, merged, level;
    int8_t reason;  /* -1 = not answered yet */
    uint8_t joined; /* has a struct store_join_fact */
    uint8_t unused;
};
static_assert(sizeof(struct store_request_fact) == 24, "no padding");

struct store_join_fact {
    uint8_t trace_id[16], span_id[8];
};
static_assert(sizeof(struct store_join_fact) == 24, "no padding");

/* Reads a beacon's body request by request; slices borrow from it. */
struct store_body {
    struct slice rest;
    struct store_beacon_fact fact;
};
bool store_body_init(struct store_body *self, struct slice body);
bool store_body_next(struct store_body *self, struct store_request_fact *fact, struct slice *ids,
                     struct store_join_fact *join);

static inline struct store_entry store_key_of(const uint8_t id[16])
{
    struct store_entry entry = {.a = 0};
    memcpy(entry.key, id, sizeof entry.key);
    return entry;
}

/* Big-endian, so that the beacons of a view lie in the order of their seq. */
static inline struct store_entry store_beacon_key(int64_t view, uint32_t seq)
{
    struct store_entry entry = {.a = 0};
    for (int i = 0; i < 8; i++)
        entry.key[i] = (uint8_t)((uint64_t)view >> (56 - 8 * i));
    for (int i = 0; i < 4; i++)
        entry.key[8 + i] = (uint8_t)(seq >> (24 - 8 * i));
    return entry;
}

static inline uint32_t store_beacon_key_seq(const struct store_entry *entry)
{
    return (uint32_t)entry->key[8] << 24 | (uint32_t)entry->key[9] << 16 | (uint32_t)entry->key[10] << 8 |
           entry->key[11];
}

/* The last entry with the same key. */
static inline struct store_entry store_key_end(const struct store_entry *low)
{
    struct store_entry high = *low;
    high.a = high.b = UINT64_MAX;
    return high;
}

/* One part of a trace, as it stands in a chunk. */
size_t store_part_encode(const struct store_trace_part *part, uint8_t *out, size_t room); /* 0 = no room */
bool store_part_decode(struct slice bytes, struct store_trace_part *part);

#endif
