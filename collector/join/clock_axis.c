#include "collector/join/clock_axis.h"

#include <stdlib.h>

#include "collector/join/clock_offset.h"

void clock_axis_init(struct clock_axis *self)
{
    self->count = self->epochs = 0;
}

void clock_axis_add(struct clock_axis *self, uint64_t wall_us, uint64_t mono_us)
{
    bool is_read = wall_us > 0 && wall_us <= CLOCK_OFFSET_TIME_MAX_US && mono_us <= CLOCK_OFFSET_TIME_MAX_US;
    if (!is_read || self->count == CLOCK_AXIS_ANCHORS_MAX)
        return;
    self->anchor[self->count++] =
        (struct clock_anchor){.mono_us = (int64_t)mono_us, .origin_us = (int64_t)wall_us - (int64_t)mono_us};
}

static int compare_anchor(const void *left, const void *right)
{
    const struct clock_anchor *a = left, *b = right;
    if (a->mono_us != b->mono_us)
        return a->mono_us < b->mono_us ? -1 : 1;
    return a->origin_us < b->origin_us ? -1 : a->origin_us > b->origin_us;
}

void clock_axis_finish(struct clock_axis *self)
{
    qsort(self->anchor, self->count, sizeof self->anchor[0], compare_anchor);
    for (uint32_t i = 0; i < self->count; i++) {
        int64_t step_us = i == 0 ? 0 : self->anchor[i].origin_us - self->anchor[i - 1].origin_us;
        bool is_jump = step_us > CLOCK_AXIS_JUMP_US || step_us < -CLOCK_AXIS_JUMP_US;
        self->epochs += i == 0 || is_jump;
        self->anchor[i].epoch = self->epochs - 1;
    }
}

/* The last anchor that is not after `us`; the first one when all are. */
static uint32_t anchor_before(const struct clock_axis *self, int64_t us)
{
    uint32_t at = 0;
    while (at + 1 < self->count && self->anchor[at + 1].mono_us <= us)
        at++;
    return at;
}

static const struct clock_anchor *nearest_of(const struct clock_axis *self, uint32_t before, int64_t us)
{
    const struct clock_anchor *a = &self->anchor[before], *b = a + 1;
    bool is_b = before + 1 < self->count && b->epoch == a->epoch && b->mono_us - us < us - a->mono_us;
    return is_b ? b : a;
}

bool clock_axis_find(const struct clock_axis *self, int64_t from_us, int64_t until_us, struct clock_place *place)
{
    if (self->epochs == 0 || until_us < from_us)
        return false;
    uint32_t before = anchor_before(self, from_us), after = anchor_before(self, until_us);
    if (after + 1 < self->count && self->anchor[after].mono_us < until_us)
        after++;
    if (self->anchor[before].epoch != self->anchor[after].epoch)
        return false;
    const struct clock_anchor *anchor = nearest_of(self, before, from_us);
    *place = (struct clock_place){anchor->epoch, anchor->origin_us};
    return true;
}
