#include "wasm/core/recorder.h"

#include <assert.h>

#define RECORD_PREFIX_BYTES 3u /* a tag of one byte, a length of two */

void recorder_init(struct recorder *self, struct ring_producer *ring)
{
    *self = (struct recorder){.ring = ring};
}

static struct recorder_segment *segment_at(struct recorder *self, uint32_t n)
{
    return &self->segments[(self->first + n) % RING_HELD_SEGMENTS];
}

/* The decision to record precedes the first segment: so nothing older is with the consumers, and a drop succeeds. */
static void drop_oldest(struct recorder *self, struct ledger *ledger, vitrace_v1_LossReason reason)
{
    const struct recorder_segment *oldest = segment_at(self, 0);
    int dropped = ring_producer_drop(self->ring);
    assert(dropped == 0);
    (void)dropped;
    if (oldest->view == self->view)
        ledger_take_back(ledger, reason, oldest->entries, 1);
    self->first++;
}

void recorder_make_room(struct recorder *self, struct ledger *ledger, uint32_t bytes_max)
{
    while (!ring_producer_may_hold(self->ring, bytes_max)) {
        uint32_t view = segment_at(self, 0)->view;
        do
            drop_oldest(self, ledger, vitrace_v1_LossReason_LOSS_REASON_SAMPLED_OUT);
        while (view != self->view && self->ring->held > 0 && segment_at(self, 0)->view == view);
    }
}

void recorder_add(struct recorder *self, uint32_t entries)
{
    *segment_at(self, self->ring->held - 1) = (struct recorder_segment){self->view, entries};
}

void recorder_discard(struct recorder *self, struct ledger *ledger, vitrace_v1_LossReason reason)
{
    while (self->ring->held > 0)
        drop_oldest(self, ledger, reason);
}

uint32_t recorder_promote(struct recorder *self, uint32_t trigger)
{
    for (uint32_t n = 0; n < self->ring->held; n++) {
        uint8_t *header = ring_producer_held_at(self->ring, n);
        header[RECORD_PREFIX_BYTES + (header[1] & 0x7fu) + ((uint32_t)header[2] << 7) - 1] = (uint8_t)trigger;
    }
    return ring_producer_promote(self->ring);
}
