/*
 * Bucket of v, with `octave` = how often v must be halved to be below 64:
 *
 *   v          0 .. 63    64 .. 127   128 .. 255    ...    2^36 .. 2^37 - 1
 *   octave     0          1           2                    31
 *   width      1          2           4                    2^31
 *   bucket     v          32 + v/2    64 + v/4             32 * octave + (v >> octave)
 *
 * v >> octave is 32..63 from the first octave on, so octaves follow one another without a gap, and values below 64 are
 * exact.
 *
 * Serialised: version 1, LEB128 total, then for each bucket in use LEB128 (empty buckets since the last one) and LEB128
 * count. Every number has its shortest form and counts are not 0, so equal sketches have equal bytes; the total ends
 * the list, so no strict prefix is valid.
 */
#include "proto/wire/sketch.h"

#define SKETCH_VERSION 1u

void sketch_init(struct sketch *self)
{
    memset(self, 0, sizeof *self);
}

static uint32_t sketch_bucket(uint64_t value)
{
    uint32_t octave = 0;
    while (octave + 1 < SKETCH_OCTAVES && value >> octave >= 2 * SKETCH_STEPS)
        octave++;
    uint64_t step = value >> octave;
    if (step >= 2 * SKETCH_STEPS)
        return SKETCH_BUCKETS - 1;
    return octave * SKETCH_STEPS + (uint32_t)step;
}

static uint64_t sketch_middle(uint32_t bucket)
{
    if (bucket < 2 * SKETCH_STEPS)
        return bucket;
    uint32_t octave = bucket / SKETCH_STEPS - 1;
    uint64_t step = bucket - octave * SKETCH_STEPS;
    return (step << octave) + ((uint64_t)1 << octave >> 1);
}

/* A full bucket stays full: 2^32 views of one value are the end of any window we keep. */
static void sketch_add_count(struct sketch *self, uint32_t bucket, uint32_t count)
{
    uint32_t room = UINT32_MAX - self->count[bucket];
    uint32_t taken = count < room ? count : room;
    self->count[bucket] += taken;
    self->total += taken;
}

void sketch_add(struct sketch *self, uint64_t value)
{
    sketch_add_times(self, value, 1);
}

void sketch_add_times(struct sketch *self, uint64_t value, uint32_t times)
{
    sketch_add_count(self, sketch_bucket(value), times);
}

bool sketch_take_back(struct sketch *self, uint64_t value)
{
    return sketch_take_back_times(self, value, 1);
}

bool sketch_take_back_times(struct sketch *self, uint64_t value, uint32_t times)
{
    uint32_t bucket = sketch_bucket(value);
    if (self->count[bucket] < times)
        return false;
    self->count[bucket] -= times;
    self->total -= times;
    return true;
}

void sketch_merge(struct sketch *self, const struct sketch *other)
{
    for (uint32_t i = 0; i < SKETCH_BUCKETS; i++)
        sketch_add_count(self, i, other->count[i]);
}

/* The smallest rank that is not below q * total; at least the first. */
static uint64_t sketch_rank(uint64_t total, double q)
{
    if (!(q > 0))
        return 1;
    if (q >= 1)
        return total;
    double exact = q * (double)total;
    uint64_t rank = (uint64_t)exact;
    if ((double)rank < exact)
        rank++;
    return rank < total ? rank : total;
}

uint64_t sketch_quantile(const struct sketch *self, double q)
{
    uint64_t rank = sketch_rank(self->total, q);
    uint64_t seen = 0;
    for (uint32_t i = 0; i < SKETCH_BUCKETS; i++) {
        seen += self->count[i];
        if (seen >= rank && seen > 0)
            return sketch_middle(i);
    }
    return 0;
}

static uint8_t *sketch_put(uint8_t *out, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        *out++ = (uint8_t)(value | 0x80);
    *out++ = (uint8_t)value;
    return out;
}

size_t sketch_encode(const struct sketch *self, uint8_t *out)
{
    uint8_t *at = out;
    uint32_t empty = 0;
    *at++ = SKETCH_VERSION;
    at = sketch_put(at, self->total);
    for (uint32_t i = 0; i < SKETCH_BUCKETS; i++) {
        if (self->count[i] == 0) {
            empty++;
            continue;
        }
        at = sketch_put(at, empty);
        at = sketch_put(at, self->count[i]);
        empty = 0;
    }
    return (size_t)(at - out);
}

/* Shortest form only; false also when the bytes end inside the number. */
static bool sketch_take(struct slice *rest, uint64_t max, uint64_t *value)
{
    uint64_t number = 0;
    for (uint32_t shift = 0; shift < 64 && rest->size > 0; shift += 7) {
        uint8_t byte = rest->data[0];
        uint64_t part = byte & 0x7fu;
        *rest = slice_of(rest->data + 1, rest->size - 1);
        if (part << shift >> shift != part)
            return false;
        number |= part << shift;
        if (byte < 0x80) {
            *value = number;
            return number <= max && (byte != 0 || shift == 0);
        }
    }
    return false;
}

static bool sketch_take_buckets(struct sketch *self, struct slice rest, uint64_t total)
{
    uint64_t next = 0;
    while (rest.size > 0) {
        uint64_t empty;
        uint64_t count;
        if (!sketch_take(&rest, SKETCH_BUCKETS, &empty) || !sketch_take(&rest, UINT32_MAX, &count))
            return false;
        next += empty;
        if (next >= SKETCH_BUCKETS || count == 0)
            return false;
        sketch_add_count(self, (uint32_t)next, (uint32_t)count);
        next++;
    }
    return self->total == total;
}

bool sketch_decode(struct sketch *self, struct slice bytes)
{
    uint64_t total;
    sketch_init(self);
    if (bytes.size == 0 || bytes.data[0] != SKETCH_VERSION)
        return false;
    struct slice rest = slice_of(bytes.data + 1, bytes.size - 1);
    if (sketch_take(&rest, UINT64_MAX, &total) && sketch_take_buckets(self, rest, total))
        return true;
    sketch_init(self);
    return false;
}
