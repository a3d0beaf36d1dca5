#include "collector/ingest/ingest_shed.h"

#include <stdatomic.h>

#define INGEST_SHED_WHOLE 256u /* a pressure at its limit */

void ingest_shed_init(struct ingest_shed *self, const struct memory *memory, struct counters *counters)
{
    *self = (struct ingest_shed){.key = siphash_key_random(),
                                 .memory = memory,
                                 .counters = counters};
}

static void shed_mean_add(struct ingest_shed_mean *self, uint64_t us)
{
    atomic_fetch_add_explicit(&self->sum_us, us, memory_order_relaxed);
    atomic_fetch_add_explicit(&self->count, 1, memory_order_relaxed);
}

/* And begins anew. One that is added between the two reads counts for the wrong window: nothing hangs on it. */
static uint64_t shed_mean_take(struct ingest_shed_mean *self)
{
    uint64_t sum = atomic_exchange_explicit(&self->sum_us, 0, memory_order_relaxed);
    uint32_t count = atomic_exchange_explicit(&self->count, 0, memory_order_relaxed);
    return count < INGEST_SHED_SEEN_LEAST ? 0 : sum / count;
}

/* Up to twice the limit, which is as bad as it gets. */
static unsigned shed_pressure(uint64_t value, uint64_t limit)
{
    return value >= 2 * limit ? 2 * INGEST_SHED_WHOLE : (unsigned)(value * INGEST_SHED_WHOLE / limit);
}

static unsigned shed_greater(unsigned a, unsigned b)
{
    return a > b ? a : b;
}

/* Of the window that ended, and begins the next. */
static unsigned shed_take_pressure(struct ingest_shed *self)
{
    unsigned round = shed_pressure(shed_mean_take(&self->round), INGEST_SHED_ROUND_US_MAX);
    unsigned wait = shed_pressure(shed_mean_take(&self->wait), INGEST_SHED_WAIT_US_MAX);
    unsigned memory = shed_pressure(memory_fullness(self->memory), INGEST_SHED_FULL);
    return shed_greater(memory, shed_greater(round, wait));
}

/*
 * Small steps in both directions: what a step does shows only when those who were told to wait come back, a second later,
 * and a controller that is faster than that swings between all and nothing. Only when nothing waits any more, for some
 * windows, has the load gone, and the level may follow it within 2 s.
 */
static uint32_t shed_next_level(struct ingest_shed *self, uint32_t level, unsigned pressure)
{
    self->over = pressure > INGEST_SHED_WHOLE ? self->over + 1 : 0;
    self->calm = pressure < INGEST_SHED_WHOLE / 16 ? self->calm + 1 : 0;
    level = level == INGEST_SHED_ALL ? INGEST_SHED_ALL - 1 : level;
    uint32_t down = self->calm >= INGEST_SHED_CALM_LEAST ? 8 + level / 3 : 1 + level / 16;
    if (memory_fullness(self->memory) >= INGEST_SHED_WHOLE - 4)
        return INGEST_SHED_ALL;
    if (self->over >= INGEST_SHED_OVER_LEAST)
        level += 1 + level / 16;
    else if (pressure < INGEST_SHED_WHOLE / 2)
        level -= down < level ? down : level;
    return level < INGEST_SHED_ALL ? level : INGEST_SHED_ALL - 1;
}

/* Whoever moves the end of the window ends it; the others go on. */
void ingest_shed_note(struct ingest_shed *self, uint64_t now_us, uint64_t round_us)
{
    uint64_t end = atomic_load_explicit(&self->window_end_us, memory_order_relaxed);
    shed_mean_add(&self->round, round_us);
    if (now_us < end || !atomic_compare_exchange_strong_explicit(&self->window_end_us, &end,
                                                                 now_us + INGEST_SHED_WINDOW_MS * 1000u,
                                                                 memory_order_relaxed, memory_order_relaxed))
        return;
    uint32_t level = shed_next_level(self, ingest_shed_level(self), shed_take_pressure(self));
    /* A window with no beacon at all is one of no pressure: after a pause the level starts from what is left of it. */
    uint64_t quiet = end == 0 ? 0 : (now_us - end) / (INGEST_SHED_WINDOW_MS * 1000u);
    level = quiet >= 16 ? 0 : level >> quiet / 2;
    atomic_store_explicit(&self->level, level, memory_order_relaxed);
    counters_set(self->counters, COUNTER_SHED_LEVEL, level);
}

void ingest_shed_note_wait(struct ingest_shed *self, uint64_t wait_us)
{
    shed_mean_add(&self->wait, wait_us);
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
