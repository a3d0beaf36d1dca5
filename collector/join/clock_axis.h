/*
 * The browser's wall clock over the life of a page. Entries are stamped by a clock that only goes forward
 * (performance.now) and stands still while some machines sleep; the wall clock (Date.now) is set, slewed and right
 * after a sleep. Pages read both together whenever a segment is opened and sealed: these are the anchors.
 *
 *     wall - mono
 *        ^                        o--o
 *        |                       .        more than 50 ms: a sleep, or somebody set the clock
 *        |  o--o-----o--o-o . . .
 *        +--[ epoch 0    ]  gap   [ epoch 1 ----------> mono
 *
 * Within an epoch the wall clock at a time is that of the nearest anchor. What happened in a gap is in no epoch: nobody
 * knows on which side of the jump it was.
 */
#ifndef VITRACE_CLOCK_AXIS_H
#define VITRACE_CLOCK_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLOCK_AXIS_ANCHORS_MAX 512u /* two a beacon, of 256 beacons: 12 KiB */
#define CLOCK_AXIS_JUMP_US     50000

struct clock_anchor {
    int64_t mono_us;
    int64_t origin_us; /* wall - mono: when the page's time began, by the wall clock of this moment */
    uint32_t epoch;
};

struct clock_axis {
    uint32_t count, epochs;
    struct clock_anchor anchor[CLOCK_AXIS_ANCHORS_MAX]; /* by time, once it is finished */
};

void clock_axis_init(struct clock_axis *self);
/* In any order. Ignored: clocks that were not read (0), or that no clock shows, and what is past the last anchor. */
void clock_axis_add(struct clock_axis *self, uint64_t wall_us, uint64_t mono_us);
/* Numbers the epochs; before, nothing can be found. */
void clock_axis_finish(struct clock_axis *self);

struct clock_place {
    uint32_t epoch;
    int64_t origin_us; /* add a time of the page to it for the browser's wall clock */
};
/* false = it began and ended in different epochs, or in a gap. The first epoch has no beginning, the last has no end.
 */
bool clock_axis_find(const struct clock_axis *self, int64_t from_us, int64_t until_us, struct clock_place *place);

#endif
