#include "tests/support/crash_states.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SETS_PENDING_MAX 6u /* 64 subsets */

static bool seen_add(uint64_t *seen, size_t room, uint64_t key)
{
    size_t at = (size_t)key & (room - 1);
    while (seen[at] != 0 && seen[at] != key)
        at = (at + 1) & (room - 1);
    bool added = seen[at] == 0;
    seen[at] = key;
    return added;
}

/* Half full at most. */
static void seen_grow(struct crash_states *self)
{
    size_t room = self->room == 0 ? 1024 : self->room * 2;
    uint64_t *seen = calloc(room, sizeof *seen);
    assert(seen != NULL);
    for (size_t i = 0; i < self->room; i++) {
        if (self->seen[i] != 0)
            seen_add(seen, room, self->seen[i]);
    }
    free(self->seen);
    self->seen = seen;
    self->room = room;
}

/* What was promised until then belongs to the state: the same bytes may be enough before an answer, and not after it. */
static uint64_t count_marks(const struct faulty_os *origin, size_t op_count)
{
    uint64_t marks = 0, value;
    for (size_t op = 0; op < op_count; op++)
        marks += faulty_os_op_mark(origin, op, &value);
    return marks;
}

static void try_state(struct crash_states *self, size_t op_count, const struct faulty_choice *choice)
{
    struct faulty_os *disk = faulty_os_crash(self->origin, op_count, choice);
    uint64_t key = (faulty_os_hash(disk) ^ count_marks(self->origin, op_count) * 0x9e3779b97f4a7c15u) | 1;
    self->tried++;
    if (self->distinct * 2 >= self->room)
        seen_grow(self);
    if (seen_add(self->seen, self->room, key)) {
        char name[128];
        snprintf(name, sizeof name, "entry %zu, mode %d, kept %zu, sectors %zu of %zu, seed %llu, stale %d", op_count,
                 (int)choice->mode, choice->kept, choice->sectors, choice->sector_bytes,
                 (unsigned long long)choice->seed, choice->stale);
        self->distinct++;
        self->visit(self->context, op_count, disk, name);
    }
    faulty_os_free(disk);
}

static void try_torn(struct crash_states *self, size_t op_count, size_t pending, size_t sector_bytes)
{
    for (size_t kept = 0; kept <= pending; kept++) {
        size_t sectors =
            kept < pending ? faulty_os_pending_sectors(self->origin, op_count, kept, sector_bytes) : 0;
        for (size_t part = 0; part <= sectors; part++) {
            struct faulty_choice choice = {
                .mode = FAULTY_KEEP_PREFIX, .kept = kept, .sectors = part, .sector_bytes = sector_bytes};
            try_state(self, op_count, &choice);
            choice.mode = FAULTY_KEEP_SUFFIX;
            if (part > 0)
                try_state(self, op_count, &choice);
        }
    }
}

static void try_set(struct crash_states *self, size_t op_count, uint64_t set)
{
    try_state(self, op_count, &(struct faulty_choice){.mode = FAULTY_KEEP_SET, .seed = set});
}

static void try_sets(struct crash_states *self, size_t op_count, size_t pending)
{
    for (uint64_t set = 0; pending <= SETS_PENDING_MAX && set < 1ull << pending; set++)
        try_set(self, op_count, set);
    for (size_t i = 0; pending > SETS_PENDING_MAX && i < pending && i < 64; i++) {
        try_set(self, op_count, 1ull << i);
        try_set(self, op_count, ~(1ull << i));
    }
}

static bool has_write(const struct crash_states *self, size_t op_count, size_t pending)
{
    for (size_t i = 0; i < pending; i++) {
        if (faulty_os_pending_sectors(self->origin, op_count, i, FAULTY_SECTOR) > 0)
            return true;
    }
    return false;
}

static void try_random(struct crash_states *self, size_t op_count, size_t pending)
{
    static const size_t sizes[] = {512, 4096, 64, 8};
    size_t seeds = has_write(self, op_count, pending) ? self->seeds : pending > SETS_PENDING_MAX ? self->seeds / 8 : 0;
    for (uint64_t seed = 0; seed < seeds; seed++) {
        struct faulty_choice choice = {.mode = FAULTY_KEEP_RANDOM,
                                       .seed = op_count * 1000003 + seed,
                                       .sector_bytes = sizes[seed % 4],
                                       .stale = seed / 4 % 2 == 1};
        try_state(self, op_count, &choice);
    }
}

void crash_states_run(struct crash_states *self)
{
    for (size_t op = 0; op <= faulty_os_op_count(self->origin); op++) {
        size_t pending = faulty_os_pending(self->origin, op);
        try_torn(self, op, pending, 512);
        try_torn(self, op, pending, 4096);
        try_sets(self, op, pending);
        try_random(self, op, pending);
    }
    free(self->seen);
    self->seen = NULL;
    self->room = 0;
}
