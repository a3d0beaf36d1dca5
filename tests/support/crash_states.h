/*
 * What a power loss may leave of the journal of a faulty_os, after each of its entries:
 *
 *   torn      the first k pending entries, and the first or last s sectors (512 B, 4 KiB) of the next one
 *   sets      every subset of whole entries while there are at most six, else each one alone and all but each one:
 *             writes dropped and reordered, creations, renames and removals lost
 *   random    `seeds` subsets of entries and of their pieces (8 B, 64 B, 512 B, 4 KiB); half of them with stale blocks
 *             where nothing was written
 *
 * States that were seen before are not visited again.
 */
#ifndef VITRACE_TESTS_CRASH_STATES_H
#define VITRACE_TESTS_CRASH_STATES_H

#include "tests/support/faulty_os.h"

/* `disk` is the visitor's for the call; `name` tells which state it is, for a message. */
typedef void crash_states_visit(void *context, size_t op_count, struct faulty_os *disk, const char *name);

struct crash_states {
    const struct faulty_os *origin; /* not owned */
    size_t seeds;
    crash_states_visit *visit;
    void *context;
    size_t tried, distinct; /* out */
    uint64_t *seen;
    size_t room;
};

void crash_states_run(struct crash_states *self);

#endif
