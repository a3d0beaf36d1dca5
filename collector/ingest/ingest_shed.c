#include "collector/ingest/ingest_shed.h"

#include <stdatomic.h>

#define INGEST_SHED_WHOLE 256u /* a pressure at its limit */

void ingest_shed_init(struct ingest_shed *self, const struct memory *memory, struct counters *counters)
{
    *self = (struct ingest_shed){.key = siphash_key_random(),
                                 .memory = memory,
                                 .counters = counters,
                                 .least_round_us = UINT64_MAX,
                                 .least_wait_us = UINT64_MAX};
}

static void shed_note_least(_Atomic uint64_t *least, uint64_t value)
{
    uint64_t before = atomic_load_explicit(least, memory_order_relaxed);
    while (value < before && !atomic_compare_exchange_weak_explicit(least, &before, value, memory_order_relaxed,
                                                                    memory_order_relaxed))
        ;
}

/* Up to twice the limit, which is as bad as it gets. */
static unsigned shed_pressure(uint64_t value, uint64_t limit)
{
    if (value == UINT64_MAX)
        return 0;
    return value >= 2 * limit ? 2 * INGEST_SHED_WHOLE : (unsigned)(value * INGEST_SHED_WHOLE / limit);
}

static unsigned shed_greater(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

/* Of the window that ended, and begins the next. */
static unsigned shed_take_pressure(struct ingest_shed *self)
{
    uint64_t round = atomic_exchange_explicit(&self->least_round_us, UINT64_MAX, memory_order_relaxed);
    uint64_t wait = atomic_exchange_explicit(&self->least_wait_us, UINT64_MAX, memory_order_relaxed);
    uint32_t seen = atomic_exchange_explicit(&self->seen, 0, memory_order_relaxed);
    unsigned memory = shed_pressure(memory_fullness(self->memory), INGEST_SHED_FULL);
    if (seen < INGEST_SHED_SEEN_LEAST)
        return memory;
    unsigned waiting = shed_greater(shed_pressure(round, INGEST_SHED_ROUND_US_MAX),
                                    shed_pressure(wait, INGEST_SHED_WAIT_US_MAX));
    return shed_greater(memory, waiting);
}

/* Up in steps that are small beside what is left to shed; down within 2 s when the load is gone. */
static uint32_t shed_next_level(struct ingest_shed *self, uint32_t level, unsigned pressure)
{
    uint32_t over = pressure > INGEST_SHED_WHOLE ? atomic_load_explicit(&self->over, memory_order_relaxed) + 1 : 0;
    atomic_store_explicit(&self->over, over, memory_order_relaxed);
    level = level == INGEST_SHED_ALL ? INGEST_SHED_ALL - 1 : level;
    if (memory_fullness(self->memory) >= INGEST_SHED_WHOLE - 4)
        return INGEST_SHED_ALL;
    if (over > 1)
        level += 4 + (INGEST_SHED_ALL - level) / 16;
    else if (pressure < INGEST_SHED_WHOLE / 2 && level > 0)
        level -= level / 4 + 4 < level ? level / 4 + 4 : level;
    return level < INGEST_SHED_ALL ? level : INGEST_SHED_ALL - 1;
}

/* Whoever moves the end of the window ends it; the others go on. */
void ingest_shed_note(struct ingest_shed *self, uint64_t now_us, uint64_t round_us)
{
    uint64_t end = atomic_load_explicit(&self->window_end_us, memory_order_relaxed);
    shed_note_least(&self->least_round_us, round_us);
    atomic_fetch_add_explicit(&self->seen, 1, memory_order_relaxed);
    if (now_us < end || !atomic_compare_exchange_strong_explicit(&self->window_end_us, &end,
                                                                 now_us + INGEST_SHED_WINDOW_MS * 1000u,
                                                                 memory_order_relaxed, memory_order_relaxed))
        return;
    uint32_t level = shed_next_level(self, ingest_shed_level(self), shed_take_pressure(self));
    /* A window with no beacon at all is one of no pressure: after a pause the level starts from what is left of it. */
    uint64_t quiet = end == 0 ? 0 : (now_us - end) / (INGEST_SHED_WINDOW_MS * 1000u);
    level = quiet >= 32 ? level >> 5 : level >> quiet / 8;
    atomic_store_explicit(&self->level, level, memory_order_relaxed);
    counters_set(self->counters, COUNTER_SHED_LEVEL, level);
}

void ingest_shed_note_wait(struct ingest_shed *self, uint64_t wait_us)
{
    shed_note_least(&self->least_wait_us, wait_us);
}

unsigned ingest_shed_level(const struct ingest_shed *self)
{
    return atomic_load_explicit(&self->level, memory_order_relaxed);
}

bool ingest_shed_drops(const struct ingest_shed *self, const uint8_t view_id[VIEW_ID_BYTES], bool has_begun)
{
    unsigned level = ingest_shed_level(self), half = INGEST_SHED_ALL / 2;
    if (level == 0 || level == INGEST_SHED_ALL)
        return level != 0;
    unsigned share = has_begun ? (level > half ? 2 * (level - half) : 0) : 2 * level;
    if (share > INGEST_SHED_MOST)
        share = INGEST_SHED_MOST;
    return siphash(self->key, slice_of(view_id, VIEW_ID_BYTES)) % INGEST_SHED_ALL < share;
}
