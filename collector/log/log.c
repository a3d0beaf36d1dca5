#include "collector/log/log_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void log_fail(char *error, size_t error_size, const char *what, const char *folder, const char *advice)
{
    snprintf(error, error_size, "log: %s %s: %s; %s", what, folder, strerror(errno), advice);
}

static uint64_t option_or(uint64_t value, uint64_t preset)
{
    return value != 0 ? value : preset;
}

static void log_apply(struct log *self, const struct log_options *options)
{
    self->os = options->os != NULL ? options->os : os_posix();
    self->counters = options->counters;
    self->free_bytes_floor = option_or(options->free_bytes_floor, LOG_FREE_FLOOR_DEFAULT);
    self->segment_bytes = option_or(options->segment_bytes, LOG_SEGMENT_BYTES_DEFAULT);
    if (self->segment_bytes < LOG_SEGMENT_BYTES_MIN)
        self->segment_bytes = LOG_SEGMENT_BYTES_MIN;
    if (self->segment_bytes > LOG_SEGMENT_BYTES_MAX)
        self->segment_bytes = LOG_SEGMENT_BYTES_MAX;
    self->batch_bytes_max = self->segment_bytes - LOG_HEADER_BYTES;
    if (self->batch_bytes_max > LOG_BATCH_BYTES_MAX)
        self->batch_bytes_max = LOG_BATCH_BYTES_MAX;
    self->headroom_bytes = option_or(options->headroom_bytes, LOG_HEADROOM_SEGMENTS * self->segment_bytes);
    self->retention.age_us = option_or(options->retention_us, LOG_RETENTION_US_DEFAULT);
    self->retention.bytes_max = option_or(options->bytes_max, LOG_BYTES_MAX_DEFAULT);
    if (self->retention.bytes_max < LOG_BYTES_SEGMENTS_MIN * self->segment_bytes)
        self->retention.bytes_max = LOG_BYTES_SEGMENTS_MIN * self->segment_bytes;
    self->folder = self->writer.segment.file = -1;
}

/*
 * A new folder's own name must be on disk too, or everything in it can vanish with it. Where there is a segment, whoever made
 * it came through here before: then it is left out, because in a folder in which others write (addresses.json, the index) it
 * is a commit of the file system's journal with all that waits for it, which on a busy disk takes seconds.
 */
static bool log_sync_parent(struct log *self)
{
    if (self->read_only || self->table.count > 0)
        return true;
    int parent = self->os->open(self->os->context, self->folder, "..", O_RDONLY | O_DIRECTORY, 0);
    if (parent < 0)
        return false;
    int result = self->os->fsync(self->os->context, parent);
    int failure = errno;
    self->os->close(self->os->context, parent);
    errno = failure;
    return result == 0;
}

static bool log_open_folder(struct log *self, const char *folder, char *error, size_t error_size)
{
    const struct os *os = self->os;
    if (!self->read_only && os->mkdir(os->context, AT_FDCWD, folder, 0750) != 0 && errno != EEXIST) {
        log_fail(error, error_size, "cannot create", folder, "its parent must exist and be writable");
        return false;
    }
    self->folder = os->open(os->context, AT_FDCWD, folder, O_RDONLY | O_DIRECTORY, 0);
    if (self->folder < 0) {
        log_fail(error, error_size, "cannot open", folder, "it must be a folder that this user may read and write");
        return false;
    }
    if (os->lock(os->context, self->folder) != 0) {
        log_fail(error, error_size, "cannot lock", folder, "is another collector using it?");
        return false;
    }
    return true;
}

/* Waiting is measured by the real monotonic clock: it bounds a sleep and decides nothing. */
static int log_init_wait(struct log *self)
{
    pthread_condattr_t attributes;
    int failure = pthread_condattr_init(&attributes);
    if (failure != 0)
        return failure;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    failure = pthread_cond_init(&self->advanced, &attributes);
    pthread_condattr_destroy(&attributes);
    return failure != 0 ? failure : pthread_mutex_init(&self->wait_lock, NULL);
}

static void log_release(struct log *self)
{
    if (self->writer.segment.file >= 0)
        self->os->close(self->os->context, self->writer.segment.file);
    if (self->folder >= 0)
        self->os->close(self->os->context, self->folder);
    pthread_cond_destroy(&self->advanced);
    pthread_mutex_destroy(&self->wait_lock);
    log_queue_release(&self->queue);
    log_table_release(&self->table);
    memory_give(self->memory, MEMORY_LOG, LOG_MEMORY_BYTES);
    free(self);
}

/* Memory and locks only. NULL: errno. */
static struct log *log_new(const struct log_options *options)
{
    errno = ENOMEM;
    if (!memory_take(options->memory, MEMORY_LOG, LOG_MEMORY_BYTES))
        return NULL;
    struct log *self = calloc(1, sizeof *self);
    errno = self == NULL ? ENOMEM : log_table_init(&self->table, options->counters);
    if (errno != 0) {
        memory_give(options->memory, MEMORY_LOG, LOG_MEMORY_BYTES);
        free(self);
        return NULL;
    }
    log_apply(self, options);
    self->memory = options->memory;
    errno = log_queue_init(&self->queue);
    if (errno == 0)
        errno = log_init_wait(self);
    if (errno != 0) {
        log_release(self);
        return NULL;
    }
    return self;
}

static struct log *log_load(const struct log_options *options, bool read_only, char *error, size_t error_size)
{
    assert(options->folder != NULL && options->counters != NULL);
    struct log *self = log_new(options);
    if (self == NULL) {
        log_fail(error, error_size, "cannot open", options->folder, "not enough memory");
        return NULL;
    }
    self->read_only = read_only;
    if (!log_open_folder(self, options->folder, error, error_size) || !log_recover(self, error, error_size)) {
        log_release(self);
        return NULL;
    }
    if (!log_sync_parent(self)) {
        log_fail(error, error_size, "cannot sync the parent of", options->folder, "check the disk");
        log_release(self);
        return NULL;
    }
    return self;
}

struct log *log_open_read_only(const struct log_options *options, char *error, size_t error_size)
{
    return log_load(options, true, error, error_size);
}

struct log *log_open(const struct log_options *options, char *error, size_t error_size)
{
    struct log *self = log_load(options, false, error, error_size);
    if (self == NULL)
        return NULL;
    log_retention_start(self);
    errno = pthread_create(&self->writer.thread, NULL, log_writer_run, self);
    if (errno != 0) {
        log_fail(error, error_size, "cannot start the writer of", options->folder, "raise the limit of threads");
        log_release(self);
        return NULL;
    }
    return self;
}

void log_close(struct log *self)
{
    if (self == NULL)
        return;
    if (!self->read_only) {
        log_queue_stop(&self->queue);
        pthread_join(self->writer.thread, NULL);
    }
    log_release(self);
}

void log_take(void *context, struct append *append)
{
    struct log *self = context;
    assert(!self->read_only);
    if (log_queue_push(&self->queue, append))
        return;
    append->result = APPEND_STOPPING;
    append->done(append);
}

uint64_t log_first_position(const struct log *self)
{
    return log_table_first((struct log_table *)(uintptr_t)&self->table); /* locks, changes nothing */
}

bool log_segment_at(struct log *self, size_t index, struct log_segment_summary *summary)
{
    struct log_table_row row;
    if (!log_table_at(&self->table, index, &row, &summary->end))
        return false;
    uint64_t durable = log_durable_position(self);
    summary->first = row.first;
    summary->bytes = row.bytes;
    summary->created_us = row.created_us;
    if (summary->end > durable) /* the last one */
        summary->end = durable;
    static_assert(sizeof summary->name == LOG_NAME_BYTES, "a name fits");
    log_segment_name(row.first, summary->name);
    return true;
}

uint64_t log_durable_position(const struct log *self)
{
    return atomic_load_explicit(&self->durable, memory_order_acquire);
}

struct timespec log_deadline_in(unsigned timeout_ms)
{
    struct timespec deadline;
    clock_gettime(CLOCK_MONOTONIC, &deadline);
    uint64_t nanoseconds = (uint64_t)deadline.tv_nsec + (uint64_t)(timeout_ms % 1000) * 1000000u;
    deadline.tv_sec += (time_t)(timeout_ms / 1000 + nanoseconds / 1000000000u);
    deadline.tv_nsec = (long)(nanoseconds % 1000000000u);
    return deadline;
}

uint64_t log_wait(struct log *self, uint64_t position, unsigned timeout_ms)
{
    struct timespec deadline = log_deadline_in(timeout_ms);
    int timed_out = 0;
    pthread_mutex_lock(&self->wait_lock);
    while (log_durable_position(self) <= position && timed_out == 0)
        timed_out = pthread_cond_timedwait(&self->advanced, &self->wait_lock, &deadline);
    pthread_mutex_unlock(&self->wait_lock);
    return log_durable_position(self);
}
