#include "collector/ingest/ingest_dedup.h"

#include <assert.h>
#include <stdlib.h>

/* 0 marks a free slot, so a hash of 0 is told as 1. */
struct ingest_key ingest_key_of(struct siphash_key secret, const uint8_t view_id[VIEW_ID_BYTES], uint32_t seq)
{
    struct ingest_key key;
    memcpy(key.bytes, view_id, VIEW_ID_BYTES);
    memcpy(key.bytes + VIEW_ID_BYTES, &seq, sizeof seq);
    key.hash = siphash(secret, slice_of(key.bytes, sizeof key.bytes));
    key.hash += key.hash == 0;
    return key;
}

bool ingest_dedup_init(struct ingest_dedup *self, uint32_t slot_count)
{
    assert(slot_count >= 4 && (slot_count & (slot_count - 1)) == 0);
    *self = (struct ingest_dedup){.secret = siphash_key_random(), .slot_count = slot_count};
    for (unsigned i = 0; i < INGEST_DEDUP_GENERATIONS; i++) {
        self->slot[i] = calloc(slot_count, sizeof *self->slot[i]);
        if (self->slot[i] == NULL) {
            ingest_dedup_release(self);
            return false;
        }
    }
    return true;
}

void ingest_dedup_release(struct ingest_dedup *self)
{
    for (unsigned i = 0; i < INGEST_DEDUP_GENERATIONS; i++)
        free(self->slot[i]);
    *self = (struct ingest_dedup){0};
}

/* The slot that has the hash, or the free one where it would go. A generation is never full, so there is one. */
static uint64_t *ingest_dedup_find(const struct ingest_dedup *self, unsigned generation, uint64_t hash)
{
    uint32_t mask = self->slot_count - 1;
    uint64_t *slots = self->slot[generation];
    uint32_t at = (uint32_t)hash & mask;
    while (slots[at] != 0 && slots[at] != hash)
        at = (at + 1) & mask;
    return &slots[at];
}

void ingest_dedup_prefetch(const struct ingest_dedup *self, const struct ingest_key *key)
{
    for (unsigned i = 0; i < INGEST_DEDUP_GENERATIONS; i++)
        __builtin_prefetch(&self->slot[i][key->hash & (self->slot_count - 1)]);
}

bool ingest_dedup_has(const struct ingest_dedup *self, const struct ingest_key *key)
{
    for (unsigned i = 0; i < INGEST_DEDUP_GENERATIONS; i++)
        if (*ingest_dedup_find(self, i, key->hash) == key->hash)
            return true;
    return false;
}

void ingest_dedup_add(struct ingest_dedup *self, const struct ingest_key *key)
{
    uint64_t hash = key->hash;
    if (*ingest_dedup_find(self, self->newest, hash) == hash)
        return; /* in the older one it may be: then it lives longer */
    if (self->used >= self->slot_count / 4 * 3) {
        self->newest = (self->newest + 1) % INGEST_DEDUP_GENERATIONS; /* which was the oldest */
        memset(self->slot[self->newest], 0, self->slot_count * sizeof *self->slot[0]);
        self->used = 0;
    }
    *ingest_dedup_find(self, self->newest, hash) = hash;
    self->used++;
}
