/*
 * The flight recorder: what a session that sampling left out has written lately, in full detail, in case the page turns
 * bad. It has no memory of its own: its segments are those of the ring, HELD (wasm/ring/RING.md).
 *
 *   oldest                                                newest
 *   | view 1: seq 0 | seq 1 | seq 2 | view 2: seq 4 | seq 5 |  open  |        dropped: 3
 *     ^ goes first, and with it all of view 1      ^ then one by one, counted in the ledger of view 2
 *
 * Room is made before a segment is opened, never after its ledger was written: so what a ledger says of dropped
 * segments is what the collector will find missing. A view that is over writes no ledger any more, so it stays whole or
 * goes whole.
 */
#ifndef VITRACE_RECORDER_H
#define VITRACE_RECORDER_H

#include "wasm/core/ledger.h"
#include "wasm/ring/ring.h"

struct recorder_segment {
    uint32_t view;
    uint32_t entries;
};

struct recorder {
    struct ring_producer *ring;
    uint32_t view;  /* number of the view in progress */
    uint32_t first; /* of the HELD segments, and their number is the ring's own */
    struct recorder_segment segments[RING_HELD_SEGMENTS];
};

void recorder_init(struct recorder *self, struct ring_producer *ring);
/* Drops what another HELD segment of `bytes_max` needs. Entries of the view in progress are counted SAMPLED_OUT. */
void recorder_make_room(struct recorder *self, struct ledger *ledger, uint32_t bytes_max);
/* The open segment was held. */
void recorder_add(struct recorder *self, uint32_t entries);
/* Drops all, for another reason. */
void recorder_discard(struct recorder *self, struct ledger *ledger, vitrace_v1_LossReason reason);
/*
 * Seals all, each header saying why: its record comes first in the segment and ends with the byte of Header.trigger.
 * Returns how many.
 */
uint32_t recorder_promote(struct recorder *self, uint32_t trigger);

#endif
