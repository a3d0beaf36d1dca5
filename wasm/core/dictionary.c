#include "wasm/core/dictionary.h"

#include <assert.h>

#define MASK (DICTIONARY_SLOTS - 1u)

void dictionary_clear(struct dictionary *self)
{
    memset(self, 0, sizeof *self);
}

static bool slot_holds(const struct dictionary_slot *slot, const uint8_t *segment, struct slice text, uint64_t hash)
{
    return slot->hash == hash && slice_equal(slice_of(segment + slot->offset, slot->size), text);
}

uint32_t dictionary_find(const struct dictionary *self, const uint8_t *segment, struct slice text, uint64_t hash)
{
    for (uint32_t i = (uint32_t)hash & MASK; self->slots[i].id != 0; i = (i + 1) & MASK)
        if (slot_holds(&self->slots[i], segment, text, hash))
            return self->slots[i].id;
    return 0;
}

uint32_t dictionary_add(struct dictionary *self, uint64_t hash, uint32_t offset, uint32_t size)
{
    assert(size <= UINT16_MAX);
    if (self->count == BEACON_STRINGS_MAX)
        return 0;
    uint32_t i = (uint32_t)hash & MASK;
    while (self->slots[i].id != 0)
        i = (i + 1) & MASK;
    self->slot_of[self->count++] = (uint16_t)i;
    self->slots[i] = (struct dictionary_slot){hash, offset, (uint16_t)size, (uint16_t)self->count};
    return self->count;
}

/* Newest first: with linear probing no older text was ever placed past a newer one, so no probe run is broken. */
void dictionary_cut(struct dictionary *self, uint32_t count)
{
    assert(count <= self->count);
    while (self->count > count)
        self->slots[self->slot_of[--self->count]] = (struct dictionary_slot){0};
}
