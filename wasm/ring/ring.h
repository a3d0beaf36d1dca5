/*
 * The ring between the core and whoever sends: one producer, one consumer of a segment at a time, no locks, no waits.
 * "Full" is a result. The ring never allocates: it is laid over memory that the caller owns.
 */
#ifndef VITRACE_RING_H
#define VITRACE_RING_H

#include "proto/wire/slice.h"
#include "wasm/ring/ring_layout.h"

#define RING_BYTES (sizeof(struct ring_header) + RING_SEGMENTS * sizeof(struct ring_segment) + RING_DATA_BYTES)

/* Producer side: owned by one thread. Not shared; the shared part is what `header` points at. */
struct ring_producer {
    struct ring_header *header;
    uint32_t first;       /* oldest segment that is not FREE */
    uint32_t next;        /* segment that the next open takes; next - first segments are in use */
    uint32_t head;        /* next free byte in data */
    uint32_t open_offset; /* of the OPEN segment */
    uint32_t open_size;   /* committed bytes of the OPEN segment */
    uint32_t open_limit;  /* bytes it may grow to */
    uint32_t held;        /* the newest complete segments, so many, are HELD */
    uint32_t held_bytes;
    int is_open;
};

/* `memory`: RING_BYTES, aligned to RING_CACHE_LINE. Formats the shared part: call before any consumer sees it. */
void ring_producer_init(struct ring_producer *self, void *memory);

/*
 * Opens a segment that may grow to `bytes_max`. Reclaims ACKED segments first. Returns 0, or -1 when the ring is full
 * (no free segment, or no contiguous room): nothing changed, the caller counts the loss. A segment must not be open.
 */
int ring_producer_open(struct ring_producer *self, uint32_t bytes_max, uint32_t seq);

/* Room for the next record in the open segment: write at most *room bytes there, then commit what was written. */
uint8_t *ring_producer_claim(struct ring_producer *self, uint32_t *room);
void ring_producer_commit(struct ring_producer *self, uint32_t size);

/* SEALED: from here on only consumers touch its bytes. An empty segment is dropped instead. Returns its size. */
uint32_t ring_producer_seal(struct ring_producer *self);
/* Forgets an open segment and its bytes. */
void ring_producer_abort(struct ring_producer *self);

/* HELD instead of SEALED: complete, but the producer keeps it, and its bytes, to itself. An empty one is dropped. */
uint32_t ring_producer_hold(struct ring_producer *self);
/* false: with one more of `bytes_max`, HELD segments would use more than their share of the ring. Drop some first. */
int ring_producer_may_hold(const struct ring_producer *self, uint32_t bytes_max);
/* The oldest HELD segment becomes FREE. -1: there is none, or an older segment is still with its consumers. */
int ring_producer_drop(struct ring_producer *self);
/* Where the bytes of the n-th HELD segment start, oldest first: they may still be changed in place. */
uint8_t *ring_producer_held_at(const struct ring_producer *self, uint32_t n);
/* Every HELD segment becomes SEALED, oldest first. No segment may be open. Returns how many. */
uint32_t ring_producer_promote(struct ring_producer *self);

void ring_producer_stop(struct ring_producer *self);

/* true when every struct invariant of RING.md holds; tests call it after each step. */
int ring_producer_validate(const struct ring_producer *self);

/* Consumer side: stateless over the shared memory; any thread may try, the CAS decides. */

/* Takes the SEALED segment with the lowest index of the in-use range. Returns its index, or -1: nothing to take. */
int ring_consumer_take(struct ring_header *header);
struct slice ring_consumer_bytes(const struct ring_header *header, int segment);
uint32_t ring_consumer_seq(const struct ring_header *header, int segment);
/* sent: acked by the collector; otherwise given up and counted as abandoned. */
void ring_consumer_release(struct ring_header *header, int segment, int sent);
/* Back to SEALED, to be taken again. */
void ring_consumer_put_back(struct ring_header *header, int segment);

#endif
