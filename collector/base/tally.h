/*
 * How often something happened to which view, for a statement that another thread keeps: any thread adds, one takes
 * everything at once. Memory is fixed: TALLY_IDS_MAX different ids between two takes, 2 x 336 KiB.
 */
#ifndef VITRACE_BASE_TALLY_H
#define VITRACE_BASE_TALLY_H

#include "collector/base/memory.h"
#include "proto/wire/slice.h"

#define TALLY_IDS_MAX 12288u

struct tally;

struct tally_count {
    uint8_t id[16];
    uint32_t count;
};

/* `memory`: borrowed, pays for all of it; NULL = not accounted. NULL = out of memory. */
struct tally *tally_new(struct memory *memory);
void tally_free(struct tally *self);
/* Any thread. false: so many different ids that this one is not counted. */
bool tally_add(struct tally *self, const uint8_t id[16], uint32_t count);
/* What was added since the last take, valid until the next one. By one thread. */
const struct tally_count *tally_take(struct tally *self, uint32_t *size);

#endif
