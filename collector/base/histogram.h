/*
 * How long something took, as a Prometheus histogram of fixed buckets: any thread may add, nothing is allocated. The
 * buckets are powers of two from 0.25 ms (a disk that answers from its cache) to 8.192 s (longer than a request may
 * take), so that a percentile read from them is at most a factor of two off.
 */
#ifndef VITRACE_BASE_HISTOGRAM_H
#define VITRACE_BASE_HISTOGRAM_H

#include "collector/base/buf.h"

#define HISTOGRAM_LEAST_US 250u
#define HISTOGRAM_BUCKETS  17u /* 250 us << 0 .. 250 us << 15, and +Inf */

/* Zeroed memory is an empty one. */
struct histogram {
    _Atomic uint64_t bucket[HISTOGRAM_BUCKETS]; /* not cumulative */
    _Atomic uint64_t sum_us;
};

void histogram_add(struct histogram *self, uint64_t us);
/* A stopwatch on the monotonic clock: histogram_stop() adds the time since histogram_start(). */
uint64_t histogram_start(void);
void histogram_stop(struct histogram *self, uint64_t started);
/* Help, type, buckets, sum and count; in seconds. */
void histogram_write(const struct histogram *self, const char *name, const char *help, struct buf *out);

#endif
