#include "wasm/ring/ring.h"

#include <assert.h>

/* The state machine, the room rule and the memory-order argument are in RING.md; letters (A)..(F) refer to it. */

static struct ring_segment *segment_table(const struct ring_header *header)
{
    return (struct ring_segment *)(uintptr_t)(header + 1);
}

static struct ring_segment *segment_at(const struct ring_producer *self, uint32_t position)
{
    return &segment_table(self->header)[position % RING_SEGMENTS];
}

static uint8_t *data_of(const struct ring_producer *self)
{
    return (uint8_t *)self->header + self->header->data_offset;
}

static void set_state(struct ring_segment *segment, enum ring_state state)
{
    __atomic_store_n(&segment->state, (uint32_t)state, __ATOMIC_RELEASE); /* (A) when SEALED */
}

static enum ring_state get_state(const struct ring_segment *segment)
{
    return (enum ring_state)__atomic_load_n(&segment->state, __ATOMIC_ACQUIRE); /* (C) when ACKED */
}

void ring_producer_init(struct ring_producer *self, void *memory)
{
    assert((uintptr_t)memory % RING_CACHE_LINE == 0);
    struct ring_header *header = memory;
    memset(header, 0, sizeof *header + RING_SEGMENTS * sizeof(struct ring_segment));
    header->magic = RING_MAGIC;
    header->segments = RING_SEGMENTS;
    header->data_bytes = RING_DATA_BYTES;
    header->data_offset = sizeof *header + RING_SEGMENTS * sizeof(struct ring_segment);
    *self = (struct ring_producer){.header = header};
}

/* In order only: a segment that was acked early waits for the ones before it, so that free room stays one run. */
static void reclaim(struct ring_producer *self)
{
    while (self->first != self->next && get_state(segment_at(self, self->first)) == RING_ACKED) {
        set_state(segment_at(self, self->first), RING_FREE);
        self->first++;
    }
    if (self->first == self->next)
        self->head = 0;
}

/* Where `bytes` fit in one run, or -1. Changes nothing: bytes skipped at the end belong to the segments before. */
static int64_t find_room(const struct ring_producer *self, uint32_t bytes)
{
    if (self->first == self->next)
        return bytes <= RING_DATA_BYTES ? 0 : -1;
    uint32_t tail = segment_at(self, self->first)->offset;
    if (self->head <= tail) /* wrapped; equal is full, because no sealed segment is empty */
        return bytes <= tail - self->head ? (int64_t)self->head : -1;
    if (bytes <= RING_DATA_BYTES - self->head)
        return self->head;
    return bytes <= tail ? 0 : -1;
}

int ring_producer_open(struct ring_producer *self, uint32_t bytes_max, uint32_t seq)
{
    assert(!self->is_open && bytes_max > 0);
    reclaim(self);
    if (self->next - self->first == RING_SEGMENTS)
        return -1;
    int64_t offset = find_room(self, bytes_max);
    if (offset < 0)
        return -1;
    struct ring_segment *segment = segment_at(self, self->next);
    segment->offset = (uint32_t)offset;
    segment->size = 0;
    segment->seq = seq;
    set_state(segment, RING_OPEN);
    self->open_offset = (uint32_t)offset;
    self->open_size = 0;
    self->open_limit = bytes_max;
    self->is_open = 1;
    self->next++;
    return 0;
}

uint8_t *ring_producer_claim(struct ring_producer *self, uint32_t *room)
{
    assert(self->is_open);
    *room = self->open_limit - self->open_size;
    return data_of(self) + self->open_offset + self->open_size;
}

void ring_producer_commit(struct ring_producer *self, uint32_t size)
{
    assert(self->is_open && size <= self->open_limit - self->open_size);
    self->open_size += size;
}

static uint32_t close_as(struct ring_producer *self, enum ring_state state)
{
    assert(self->is_open);
    uint32_t size = self->open_size;
    if (size == 0) {
        ring_producer_abort(self);
        return 0;
    }
    struct ring_segment *segment = segment_at(self, self->next - 1);
    segment->size = size;
    set_state(segment, state);
    self->head = self->open_offset + size;
    self->is_open = 0;
    return size;
}

/* Everything before `next` is sealed, or was: the producer is the only writer, so a store does. */
static void publish(struct ring_producer *self)
{
    __atomic_store_n(&self->header->sealed, self->next, __ATOMIC_RELEASE); /* (E) */
}

uint32_t ring_producer_seal(struct ring_producer *self)
{
    assert(self->held == 0); /* what is older goes first: promote */
    uint32_t size = close_as(self, RING_SEALED);
    if (size > 0)
        publish(self);
    return size;
}

uint32_t ring_producer_hold(struct ring_producer *self)
{
    uint32_t size = close_as(self, RING_HELD);
    self->held += size > 0;
    self->held_bytes += size;
    return size;
}

int ring_producer_may_hold(const struct ring_producer *self, uint32_t bytes_max)
{
    return self->held < RING_HELD_SEGMENTS && self->held_bytes + bytes_max <= RING_HELD_BYTES;
}

int ring_producer_drop(struct ring_producer *self)
{
    reclaim(self);
    struct ring_segment *oldest = segment_at(self, self->first);
    if (self->held == 0 || get_state(oldest) != RING_HELD)
        return -1;
    self->held--;
    self->held_bytes -= oldest->size;
    set_state(oldest, RING_FREE);
    self->first++;
    return 0;
}

static struct ring_segment *held_segment(const struct ring_producer *self, uint32_t n)
{
    assert(n < self->held);
    return segment_at(self, self->next - (uint32_t)self->is_open - self->held + n);
}

uint8_t *ring_producer_held_at(const struct ring_producer *self, uint32_t n)
{
    return data_of(self) + held_segment(self, n)->offset;
}

uint32_t ring_producer_promote(struct ring_producer *self)
{
    assert(!self->is_open);
    uint32_t count = self->held;
    for (uint32_t n = 0; n < count; n++)
        set_state(held_segment(self, n), RING_SEALED);
    self->held = self->held_bytes = 0;
    if (count > 0)
        publish(self);
    return count;
}

void ring_producer_abort(struct ring_producer *self)
{
    assert(self->is_open);
    self->next--;
    set_state(segment_at(self, self->next), RING_FREE);
    self->is_open = 0;
}

void ring_producer_stop(struct ring_producer *self)
{
    __atomic_store_n(&self->header->stopped, 1, __ATOMIC_RELEASE); /* (F) */
}

static int header_is_valid(const struct ring_header *header)
{
    return header->magic == RING_MAGIC && header->segments == RING_SEGMENTS && header->data_bytes == RING_DATA_BYTES &&
           header->data_offset == sizeof *header + RING_SEGMENTS * sizeof(struct ring_segment);
}

/* From the oldest on, `complete` of them: those with consumers, then those HELD; then the OPEN one, and FREE ones. */
static int state_is_valid(const struct ring_producer *self, uint32_t i, uint32_t complete)
{
    enum ring_state state = get_state(segment_at(self, self->first + i));
    if (i < complete - self->held)
        return state >= RING_SEALED && state <= RING_ACKED;
    if (i < complete)
        return state == RING_HELD;
    return state == (i == complete && self->is_open ? RING_OPEN : RING_FREE);
}

static int states_are_valid(const struct ring_producer *self)
{
    uint32_t complete = self->next - self->first - (uint32_t)self->is_open;
    int is_valid = self->held <= complete;
    for (uint32_t i = 0; i < RING_SEGMENTS; i++)
        is_valid = is_valid && state_is_valid(self, i, complete);
    return is_valid;
}

static int held_bytes_are_valid(const struct ring_producer *self)
{
    uint32_t bytes = 0;
    for (uint32_t n = 0; n < self->held; n++)
        bytes += held_segment(self, n)->size;
    return bytes == self->held_bytes;
}

/* Segments in use follow each other in data; at most one step goes back to 0, and nothing overlaps. */
static int offsets_are_valid(const struct ring_producer *self)
{
    uint32_t wraps = 0, tail = 0, end = 0;
    for (uint32_t position = self->first; position != self->next; position++) {
        const struct ring_segment *segment = segment_at(self, position);
        int open = self->is_open && position == self->next - 1;
        uint32_t size = open ? self->open_limit : segment->size;
        if (size == 0 || size > RING_DATA_BYTES || segment->offset > RING_DATA_BYTES - size)
            return 0;
        if (position == self->first)
            tail = segment->offset;
        else if (segment->offset != end && (segment->offset != 0 || ++wraps > 1))
            return 0;
        end = segment->offset + size;
        if (wraps == 1 && end > tail)
            return 0;
        if (!open && position == self->next - 1 && end != self->head)
            return 0;
    }
    return 1;
}

int ring_producer_validate(const struct ring_producer *self)
{
    if (!header_is_valid(self->header) || self->next - self->first > RING_SEGMENTS || self->head > RING_DATA_BYTES)
        return 0;
    if (self->is_open && (self->next == self->first || self->open_size > self->open_limit))
        return 0;
    return states_are_valid(self) && held_bytes_are_valid(self) && offsets_are_valid(self);
}
