#include "wasm/ring/ring.h"

#include <assert.h>

/* Letters (B)..(E) refer to the memory-order argument of RING.md. */

static struct ring_segment *segment_at(const struct ring_header *header, uint32_t index)
{
    return (struct ring_segment *)(uintptr_t)(header + 1) + index % RING_SEGMENTS;
}

/*
 * `sealed` is the position after the newest sealed segment, and positions take the indexes in turn: the oldest segment
 * that can still be in use is at sealed % RING_SEGMENTS, and scanning from there is oldest first.
 */
int ring_consumer_take(struct ring_header *header)
{
    uint32_t sealed = __atomic_load_n(&header->sealed, __ATOMIC_ACQUIRE); /* (E) */
    for (uint32_t i = 0; i < RING_SEGMENTS; i++) {
        uint32_t index = (sealed + i) % RING_SEGMENTS;
        uint32_t expected = RING_SEALED;
        if (__atomic_compare_exchange_n(&segment_at(header, index)->state, &expected, RING_TAKEN, 0, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) /* (B) */
            return (int)index;
    }
    return -1;
}

static int is_taken(const struct ring_header *header, int segment)
{
    return segment >= 0 && segment < (int)RING_SEGMENTS &&
           __atomic_load_n(&segment_at(header, (uint32_t)segment)->state, __ATOMIC_RELAXED) == RING_TAKEN;
}

struct slice ring_consumer_bytes(const struct ring_header *header, int segment)
{
    assert(is_taken(header, segment));
    const struct ring_segment *taken = segment_at(header, (uint32_t)segment);
    return slice_of((const uint8_t *)header + header->data_offset + taken->offset, taken->size);
}

uint32_t ring_consumer_seq(const struct ring_header *header, int segment)
{
    assert(is_taken(header, segment));
    return segment_at(header, (uint32_t)segment)->seq;
}

void ring_consumer_release(struct ring_header *header, int segment, int sent)
{
    assert(is_taken(header, segment));
    __atomic_fetch_add(sent ? &header->sent : &header->abandoned, 1, __ATOMIC_RELAXED);            /* (D) */
    __atomic_store_n(&segment_at(header, (uint32_t)segment)->state, RING_ACKED, __ATOMIC_RELEASE); /* (C) */
}

void ring_consumer_put_back(struct ring_header *header, int segment)
{
    assert(is_taken(header, segment));
    __atomic_fetch_add(&header->retries, 1, __ATOMIC_RELAXED);
    __atomic_store_n(&segment_at(header, (uint32_t)segment)->state, RING_SEALED, __ATOMIC_RELEASE); /* (B') */
}
