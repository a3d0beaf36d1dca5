/*
 * Retention removes whole segments, oldest first, and never the last one:
 *
 *   by age    every minute: all records are older than age_us, and the reader that log_hold() speaks for has them
 *   by bytes  before a segment is created: the files would be more than bytes_max
 *
 * The clock decides what is lost for good, so it is not trusted twice: it is read once, at start, and goes on by the
 * monotonic clock, so that a clock that jumps while we run removes nothing; one sweep removes at most one segment
 * and a 512th of all, and none for the first hour where all would be due, so that a start with a clock years ahead costs
 * little until somebody looks; and a segment whose date
 * is before there was such a log, or to come, is dated by those after it, so that what was written under a wrong clock neither
 * goes at once when it is right again, nor stays for ever and everything behind it.
 *
 * The file goes before its row: a reader in between finds no file, which it takes as it takes a removed range. A crash
 * in between leaves nothing to repair. The folder is synced, so that what was removed does not come back.
 */
#include "collector/base/diag.h"
#include "collector/log/log_internal.h"

#include <errno.h>
#include <inttypes.h>

#define RETENTION_SWEEP_DIVISOR 512u

/* Everything would go: either nothing was received for as long as it is kept, or the clock is wrong. */
static bool retention_doubts_clock(struct log *self)
{
    const struct log_table *table = &self->table; /* nobody else has it yet */
    uint64_t newest_us = table->count > 0 ? table->rows[table->count - 1].created_us : 0;
    return newest_us >= LOG_CLOCK_LEAST_US && self->retention.started_unix_us > newest_us + self->retention.age_us;
}

void log_retention_start(struct log *self)
{
    struct log_retention *retention = &self->retention;
    retention->opened_at = atomic_load(&self->durable);
    retention->started_unix_us = self->os->unix_us(self->os->context);
    retention->started_mono_us = self->os->mono_us(self->os->context);
    retention->next_sweep_us = retention->started_mono_us;
    if (!retention_doubts_clock(self))
        return;
    retention->next_sweep_us += LOG_CLOCK_DOUBT_MS * 1000ull;
    diag(DIAG_WARNING, "log_clock", "by the clock every segment is older than it is kept; removing begins in %u minutes",
         LOG_CLOCK_DOUBT_MS / 60000);
}

void log_hold(struct log *self, uint64_t position)
{
    atomic_store_explicit(&self->retention.hold, position, memory_order_relaxed);
}

static uint64_t retention_hold(const struct log *self)
{
    return atomic_load_explicit(&self->retention.hold, memory_order_relaxed);
}

/* False: it is still there; tried again at the next occasion. */
static bool retention_remove(struct log *self, const struct log_oldest *oldest, enum counter reason)
{
    char name[LOG_NAME_BYTES];
    log_segment_name(oldest->first, name);
    if (self->os->unlink(self->os->context, self->folder, name) != 0 && errno != ENOENT) {
        diag(DIAG_ERROR, "log_not_removed", "%s: %s; the log stays larger than configured", name, strerror(errno));
        return false;
    }
    log_table_remove_oldest(&self->table);
    counters_add(self->counters, reason, 1);
    if (oldest->end > retention_hold(self)) {
        counters_add(self->counters, COUNTER_LOG_REMOVED_UNREAD, 1);
        diag(DIAG_ERROR, "log_removed_unread", "%s was removed before the index had read it: log_bytes_max", name);
    }
    return true;
}

static void retention_settle(struct log *self)
{
    if (self->os->fsync(self->os->context, self->folder) != 0)
        diag(DIAG_ERROR, "log_not_removed", "the folder cannot be synced: %s", strerror(errno));
}

static uint64_t retention_now_us(const struct log *self)
{
    const struct log_retention *retention = &self->retention;
    return retention->started_unix_us + (self->os->mono_us(self->os->context) - retention->started_mono_us);
}

static bool retention_is_over(const struct log *self, const struct log_oldest *oldest, uint64_t now_us)
{
    return oldest->closed_us != 0 && now_us - oldest->closed_us > self->retention.age_us &&
           oldest->end <= retention_hold(self);
}

void log_retention_sweep(struct log *self)
{
    struct log_oldest oldest;
    uint64_t mono_us = self->os->mono_us(self->os->context);
    if (mono_us < self->retention.next_sweep_us)
        return;
    self->retention.next_sweep_us = mono_us + LOG_SWEEP_MS * 1000ull;
    uint64_t now_us = retention_now_us(self);
    size_t removed = 0, removed_max = 1;
    while (removed < removed_max && log_table_oldest(&self->table, now_us, &oldest) &&
           retention_is_over(self, &oldest, now_us)) {
        if (removed == 0)
            removed_max += oldest.count / RETENTION_SWEEP_DIVISOR;
        if (!retention_remove(self, &oldest, COUNTER_LOG_REMOVED_AGE))
            break;
        removed++;
    }
    if (removed > 0)
        retention_settle(self);
}

void log_retention_make_room(struct log *self, uint64_t bytes)
{
    struct log_oldest oldest;
    bool removed = false;
    while (log_table_oldest(&self->table, retention_now_us(self), &oldest) &&
           oldest.total_bytes + bytes > self->retention.bytes_max &&
           retention_remove(self, &oldest, COUNTER_LOG_REMOVED_BYTES))
        removed = true;
    if (removed)
        retention_settle(self);
}

/* Unread since this start: what an index that is built anew has before it is old, and would block for nothing. */
bool log_retention_is_scarce(struct log *self)
{
    const struct log_retention *retention = &self->retention;
    uint64_t durable = atomic_load(&self->durable), hold = retention_hold(self);
    uint64_t from = hold > retention->opened_at ? hold : retention->opened_at;
    if (durable > from && durable - from > retention->bytes_max - retention->bytes_max / LOG_HEADROOM_DIVISOR)
        return true;
    int64_t available = self->os->disk_free(self->os->context, self->folder);
    return available >= 0 && (uint64_t)available < self->free_bytes_floor + self->headroom_bytes;
}
