/*
 * Remembers which (view_id, seq) are stored, in a fixed amount of memory.
 *
 *   generation:   newest        older         older         oldest
 *                 [..x...x.]    [.x.xx.x.]    [xx.x..x.]    [.xx.x..x]    forgotten whole when the newest is 3/4 full
 *
 * Bound of the window: the latest 3 x 196,608 = 589,824 beacons are always known (the four tables hold 786,432); that
 * is 98 minutes at 100 beacons a second. Memory: 4 x 262,144 slots x 8 bytes = 8 MiB, touched as it fills. A slot is a
 * 64-bit SipHash under a random key, so nobody can aim at a collision; by chance a fresh beacon is taken for a
 * duplicate with probability 786,432 / 2^64, once in 10^13 beacons.
 */
#ifndef VITRACE_INGEST_DEDUP_H
#define VITRACE_INGEST_DEDUP_H

#include "collector/base/siphash.h"
#include "proto/wire/ids.h"

#define INGEST_DEDUP_GENERATIONS 4u
#define INGEST_DEDUP_SLOTS       (1u << 18)
#define INGEST_DEDUP_BYTES       ((size_t)INGEST_DEDUP_GENERATIONS * INGEST_DEDUP_SLOTS * sizeof(uint64_t))

/* Hashed once, for this table and for that of the beacons in flight. */
struct ingest_key {
    uint8_t bytes[VIEW_ID_BYTES + 4];
    uint64_t hash; /* of the bytes, under the secret; never 0 */
};

struct ingest_key ingest_key_of(struct siphash_key secret, const uint8_t view_id[VIEW_ID_BYTES], uint32_t seq);

struct ingest_dedup {
    struct siphash_key secret; /* of the keys that it is asked for */
    uint64_t *slot[INGEST_DEDUP_GENERATIONS];
    uint32_t slot_count; /* of a generation; a power of two */
    uint32_t used;       /* of the newest */
    unsigned newest;
};

bool ingest_dedup_init(struct ingest_dedup *self, uint32_t slot_count); /* false = out of memory */
void ingest_dedup_release(struct ingest_dedup *self);
/* Asks for the memory that the two calls below will read: four places of 8 MiB, which no cache holds. */
void ingest_dedup_prefetch(const struct ingest_dedup *self, const struct ingest_key *key);
bool ingest_dedup_has(const struct ingest_dedup *self, const struct ingest_key *key);
/* Adding what is there already changes nothing. */
void ingest_dedup_add(struct ingest_dedup *self, const struct ingest_key *key);

#endif
