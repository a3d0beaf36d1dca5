/*
 * The strings of one segment: text to the 1-based id under which the beacon lists it, ids in order of first use. The
 * texts themselves are the string records already in the segment; a slot keeps where, so equal hashes are told apart.
 */
#ifndef VITRACE_DICTIONARY_H
#define VITRACE_DICTIONARY_H

#include "proto/wire/limits.h"
#include "proto/wire/slice.h"

#define DICTIONARY_SLOTS (2u * BEACON_STRINGS_MAX) /* a power of two, so never more than half full */
_Static_assert((DICTIONARY_SLOTS & (DICTIONARY_SLOTS - 1)) == 0, "slots are found with a mask");

struct dictionary_slot {
    uint64_t hash;
    uint32_t offset; /* of the text in the segment */
    uint16_t size;
    uint16_t id; /* 0 = empty */
};

struct dictionary {
    uint32_t count;
    uint16_t slot_of[BEACON_STRINGS_MAX]; /* by id - 1, for dictionary_cut */
    struct dictionary_slot slots[DICTIONARY_SLOTS];
};

void dictionary_clear(struct dictionary *self);
/* `segment`: the bytes that offsets count from. Returns the id, or 0. */
uint32_t dictionary_find(const struct dictionary *self, const uint8_t *segment, struct slice text, uint64_t hash);
/* A text that is not in it yet. Returns its id, or 0 when the dictionary is full. */
uint32_t dictionary_add(struct dictionary *self, uint64_t hash, uint32_t offset, uint32_t size);
/* Forgets the newest ids until `count` are left: undoes a record that did not fit. */
void dictionary_cut(struct dictionary *self, uint32_t count);

#endif
