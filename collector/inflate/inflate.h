/*
 * Compressed bodies -> bytes, with hard bounds: `bytes_max` of one body, a ceiling for all bodies of one stage, and the
 * daemon's memory. All hold before a byte is written, so a bomb costs what a large body costs, and never more than those.
 */
#ifndef VITRACE_INFLATE_H
#define VITRACE_INFLATE_H

#include "collector/base/memory.h"
#include "proto/wire/slice.h"

#include <stdatomic.h>

/* Relaxed: a budget, it orders nothing. */
struct inflate_budget {
    uint64_t bytes_max; /* of this stage */
    _Atomic uint64_t bytes;
    struct memory *memory; /* borrowed; NULL = not accounted */
};

/* What one body may become. Deflate cannot do better than 1032:1, so that ratio only spares small bodies large room. */
#define INFLATE_DEFLATE_RATIO_MAX 1032u
struct inflate_limits {
    size_t bytes_max;
    size_t ratio_max; /* bytes out for a byte in */
};

/* Bytes of ours for one request. `room` counts against the budget until inflate_body_release(). */
struct inflate_body {
    uint8_t *data;
    size_t size, room;
};

enum inflate_status {
    INFLATE_OK = 0,
    INFLATE_MALFORMED, /* cut short, or not what it claims to be */
    INFLATE_TOO_LARGE, /* over one of the limits */
    INFLATE_BUSY       /* budget or memory used up: later */
};

/* `self` must be zero or released. false: nothing is held. */
bool inflate_body_reserve(struct inflate_budget *budget, struct inflate_body *self, size_t room);
void inflate_body_shrink(struct inflate_budget *budget, struct inflate_body *self); /* to its size */
void inflate_body_release(struct inflate_budget *budget, struct inflate_body *self);

/* These three: nothing is held unless the answer is INFLATE_OK. `out` must be zero or released. */
enum inflate_status inflate_gzip(struct inflate_budget *budget, struct inflate_limits limits, struct slice gzip,
                                 struct inflate_body *out);
enum inflate_status inflate_zlib(struct inflate_budget *budget, struct inflate_limits limits, struct slice zlib,
                                 struct inflate_body *out);
enum inflate_status inflate_zstd(struct inflate_budget *budget, struct inflate_limits limits, struct slice zstd,
                                 struct inflate_body *out);

#endif
