#include "collector/base/histogram.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <time.h>

static unsigned histogram_find(uint64_t us)
{
    unsigned at = 0;
    while (at < HISTOGRAM_BUCKETS - 1 && us > (uint64_t)HISTOGRAM_LEAST_US << at)
        at++;
    return at;
}

/* Relaxed: a scrape needs some recent value of each; it may see a sum without its bucket. */
void histogram_add(struct histogram *self, uint64_t us)
{
    atomic_fetch_add_explicit(&self->bucket[histogram_find(us)], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&self->sum_us, us, memory_order_relaxed);
}

uint64_t histogram_start(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void histogram_stop(struct histogram *self, uint64_t started)
{
    histogram_add(self, histogram_start() - started);
}

/* The count is the last bucket's, so that one scrape agrees with itself. */
void histogram_write(const struct histogram *self, const char *name, const char *help, struct buf *out)
{
    uint64_t count = 0, sum_us = atomic_load_explicit(&self->sum_us, memory_order_relaxed);
    buf_add_format(out, "# HELP %s %s\n# TYPE %s histogram\n", name, help, name);
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS; i++) {
        uint64_t most_us = (uint64_t)HISTOGRAM_LEAST_US << i;
        count += atomic_load_explicit(&self->bucket[i], memory_order_relaxed);
        if (i == HISTOGRAM_BUCKETS - 1)
            buf_add_format(out, "%s_bucket{le=\"+Inf\"} %" PRIu64 "\n", name, count);
        else
            buf_add_format(out, "%s_bucket{le=\"%g\"} %" PRIu64 "\n", name, (double)most_us / 1e6, count);
    }
    buf_add_format(out, "%s_sum %" PRIu64 ".%06" PRIu64 "\n%s_count %" PRIu64 "\n", name, sum_us / 1000000,
                   sum_us % 1000000, name, count);
}
