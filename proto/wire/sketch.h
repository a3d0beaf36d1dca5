/*
 * A mergeable quantile sketch: a log-linear histogram with 32 steps an octave, integers only.
 *
 * A value v (in the metric's own unit: microseconds, or CLS x 1e6) below 32 has a bucket of its own; above, the bucket
 * is (octave, top 5 bits after the leading one). The estimate is the middle of the bucket, so the relative error is at
 * most 1/64 (1.6 %). Merge is vector addition; take_back undoes an add, which lets a view's vital be revised.
 * The serialised form (sparse, LEB128 pairs of bucket gap and count) crosses program versions: see WIRE.md.
 */
#ifndef VITRACE_WIRE_SKETCH_H
#define VITRACE_WIRE_SKETCH_H

#include "proto/wire/slice.h"

#define SKETCH_STEPS 32u
#define SKETCH_OCTAVES 32u /* up to 2^37 us, 38 hours; larger values count in the last bucket */
#define SKETCH_BUCKETS (SKETCH_STEPS * (SKETCH_OCTAVES + 1u))
/* Upper bound of the serialised form: version byte, total, then at most 2 + 5 bytes a bucket. */
#define SKETCH_BYTES_MAX (16u + SKETCH_BUCKETS * 7u)

struct sketch {
    uint64_t total;
    uint32_t count[SKETCH_BUCKETS];
};

void sketch_init(struct sketch *self);
void sketch_add(struct sketch *self, uint64_t value);
/* As often as one view stands for views that were not sampled. */
void sketch_add_times(struct sketch *self, uint64_t value, uint32_t times);
/* Removes one earlier add of the same value. Returns false, and changes nothing, when there is none. */
bool sketch_take_back(struct sketch *self, uint64_t value);
bool sketch_take_back_times(struct sketch *self, uint64_t value, uint32_t times);
void sketch_merge(struct sketch *self, const struct sketch *other);
/* Nearest-rank quantile, 0 <= q <= 1; 0 when empty. */
uint64_t sketch_quantile(const struct sketch *self, double q);
/* Returns the size written, at most SKETCH_BYTES_MAX; `out` must have room for that. */
size_t sketch_encode(const struct sketch *self, uint8_t *out);
/* false = malformed; *self is then empty. */
bool sketch_decode(struct sketch *self, struct slice bytes);

#endif
