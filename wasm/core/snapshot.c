/* The snapshot: the records that a seal writes, in the same order, laid beside the ring. */
#include "wasm/core/core_internal.h"

_Static_assert(CORE_SNAPSHOT_BYTES_MAX == SEGMENT_LAID_BYTES_MAX, "the snapshot is one laid segment");
_Static_assert(CORE_BODY_BYTES + SEGMENT_RESERVE_BYTES < CORE_SNAPSHOT_BYTES_MAX, "header, vitals and ledger fit");

static uint32_t write_records(struct core *self)
{
    core_write_header(self);
    record_vital_write_all(self);
    core_write_ledger(self, false);
    return self->segment.size;
}

unsigned core_snapshot(struct core *self, struct core_clock clock, uint8_t out[CORE_SNAPSHOT_BYTES_MAX])
{
    uint32_t mark = record_vital_mark(self) + 1;
    bool is_private = self->is_denied || self->is_blind || self->sampling != CORE_KEEPS;
    if (!self->is_started || is_private || mark == self->snapshot_mark)
        return 0;
    self->snapshot_mark = mark;
    self->clock = clock;
    struct segment open = self->segment;
    uint32_t seq = self->header.seq;
    self->header.seq = CORE_SNAPSHOT_SEQ;
    segment_lay(&self->segment, out);
    uint32_t size = write_records(self);
    self->segment = open;
    self->header.seq = seq;
    return size;
}
