#include "collector/log/log_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

int log_table_init(struct log_table *self, struct counters *counters)
{
    self->rows = calloc(LOG_SEGMENTS_MAX, sizeof *self->rows);
    if (self->rows == NULL)
        return ENOMEM;
    self->count = 0;
    self->counters = counters;
    atomic_init(&self->generation, 1);
    return pthread_mutex_init(&self->lock, NULL);
}

void log_table_release(struct log_table *self)
{
    pthread_mutex_destroy(&self->lock);
    free(self->rows);
    self->rows = NULL;
}

/* Index of the first row whose segment begins after `position`. */
static size_t table_after(const struct log_table *self, uint64_t position)
{
    size_t low = 0, high = self->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (self->rows[middle].first <= position)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t table_bytes(const struct log_table *self)
{
    uint64_t bytes = 0;
    for (size_t i = 0; i < self->count; i++)
        bytes += self->rows[i].bytes;
    return bytes;
}

static void table_count(const struct log_table *self)
{
    counters_set(self->counters, COUNTER_LOG_BYTES, table_bytes(self));
    counters_set(self->counters, COUNTER_LOG_SEGMENTS, self->count);
}

static bool table_put(struct log_table *self, struct log_table_row row)
{
    size_t at = table_after(self, row.first);
    if (at > 0 && self->rows[at - 1].first == row.first) {
        self->rows[at - 1] = row;
        return true;
    }
    if (self->count == LOG_SEGMENTS_MAX)
        return false;
    memmove(self->rows + at + 1, self->rows + at, (self->count - at) * sizeof *self->rows);
    self->rows[at] = row;
    self->count++;
    return true;
}

bool log_table_put(struct log_table *self, struct log_table_row row)
{
    pthread_mutex_lock(&self->lock);
    bool stored = table_put(self, row);
    table_count(self);
    /* Before durable passes `first` (release in the writer): who sees the records sees the segment. */
    atomic_fetch_add_explicit(&self->generation, 1, memory_order_relaxed);
    pthread_mutex_unlock(&self->lock);
    return stored;
}

/* 0 = unknown: no readable header, or a clock that was wrong by years, as before the first word from a time server. */
static uint64_t table_created_us(const struct log_table *self, size_t index, uint64_t now_us)
{
    uint64_t created_us = self->rows[index].created_us;
    return created_us >= LOG_CLOCK_LEAST_US && created_us <= now_us ? created_us : 0;
}

/*
 * A successor is created when its predecessor is closed, so the first one that says when has a bound. Not before its own
 * creation: the clock may have been set back in between.
 */
static uint64_t table_closed_us(const struct log_table *self, uint64_t now_us)
{
    uint64_t own_us = table_created_us(self, 0, now_us);
    for (size_t i = 1; i < self->count; i++) {
        uint64_t next_us = table_created_us(self, i, now_us);
        if (next_us != 0)
            return next_us > own_us ? next_us : own_us;
    }
    return 0;
}

bool log_table_oldest(struct log_table *self, uint64_t now_us, struct log_oldest *oldest)
{
    pthread_mutex_lock(&self->lock);
    bool found = self->count > 1;
    if (found)
        *oldest = (struct log_oldest){.first = self->rows[0].first,
                                      .end = self->rows[1].first,
                                      .closed_us = table_closed_us(self, now_us),
                                      .total_bytes = table_bytes(self),
                                      .count = self->count};
    pthread_mutex_unlock(&self->lock);
    return found;
}

bool log_table_at(struct log_table *self, size_t index, struct log_table_row *row, uint64_t *end)
{
    pthread_mutex_lock(&self->lock);
    bool found = index < self->count;
    if (found) {
        *row = self->rows[index];
        *end = index + 1 < self->count ? self->rows[index + 1].first : UINT64_MAX;
    }
    pthread_mutex_unlock(&self->lock);
    return found;
}

void log_table_remove_oldest(struct log_table *self)
{
    pthread_mutex_lock(&self->lock);
    assert(self->count > 1);
    self->count--;
    memmove(self->rows, self->rows + 1, self->count * sizeof *self->rows);
    table_count(self);
    atomic_fetch_add_explicit(&self->generation, 1, memory_order_relaxed);
    pthread_mutex_unlock(&self->lock);
}

bool log_table_is_full(struct log_table *self)
{
    pthread_mutex_lock(&self->lock);
    bool full = self->count == LOG_SEGMENTS_MAX;
    pthread_mutex_unlock(&self->lock);
    return full;
}

struct log_range log_table_find(struct log_table *self, uint64_t position)
{
    struct log_range range = {.end = UINT64_MAX};
    pthread_mutex_lock(&self->lock);
    size_t after = table_after(self, position);
    if (after < self->count)
        range.end = self->rows[after].first;
    if (after > 0) {
        range.first = self->rows[after - 1].first;
        range.exists = true;
    }
    pthread_mutex_unlock(&self->lock);
    return range;
}

uint64_t log_table_first(struct log_table *self)
{
    pthread_mutex_lock(&self->lock);
    uint64_t first = self->count > 0 ? self->rows[0].first : 0;
    pthread_mutex_unlock(&self->lock);
    return first;
}
