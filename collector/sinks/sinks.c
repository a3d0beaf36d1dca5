#include "collector/sinks/sinks_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "collector/base/diag.h"

#define SINKS_BATCH_RECORDS 1000u
#define SINKS_EXPIRE_US     UINT64_C(10000000) /* between two looks at claims that waited long enough */
#define SINKS_IDLE_MS       50u                /* longest sleep: how late a stop is noticed */
#define SINKS_RETRY_MS      1000u              /* after SQLite or the disk failed */
/*
 * After a batch that was not full: a commit costs as much as some 20 beacons, so under load it is given more of them. How
 * late the index may be; a beacon that comes alone finds the thread waiting and is indexed at once.
 */
#define SINKS_GATHER_MS     25u

enum sinks_step { SINKS_MORE, SINKS_GATHER, SINKS_IDLE, SINKS_FAILED };

bool sinks_stopping(struct sinks *self)
{
    pthread_mutex_lock(&self->mutex);
    bool stopping = self->stopping;
    pthread_mutex_unlock(&self->mutex);
    return stopping;
}

static void sinks_publish(struct sinks *self)
{
    counters_set(self->counters, COUNTER_SINK_POSITION, self->next_position); /* before it wakes who waits for it */
    pthread_mutex_lock(&self->mutex);
    self->position = self->next_position;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
    log_hold(self->log, self->next_position); /* committed: retention may take what is before it */
}

static void sinks_deadline(struct timespec *deadline, unsigned timeout_ms)
{
    clock_gettime(CLOCK_MONOTONIC, deadline);
    deadline->tv_sec += timeout_ms / 1000;
    deadline->tv_nsec += (long)(timeout_ms % 1000) * 1000000;
    if (deadline->tv_nsec >= 1000000000) {
        deadline->tv_sec++;
        deadline->tv_nsec -= 1000000000;
    }
}

bool sinks_wait(struct sinks *self, uint64_t position, unsigned timeout_ms)
{
    struct timespec deadline;
    sinks_deadline(&deadline, timeout_ms);
    pthread_mutex_lock(&self->mutex);
    int result = 0;
    while (self->position < position && result == 0)
        result = pthread_cond_timedwait(&self->changed, &self->mutex, &deadline);
    bool reached = self->position >= position;
    pthread_mutex_unlock(&self->mutex);
    return reached;
}

static void sinks_take_result(void *context, const struct join_result *result)
{
    struct sinks *self = context;
    if (self->muted)
        return;
    self->pending_seen |= result->reason == JOIN_REASON_PENDING;
    struct store_join join = {.position = result->beacon,
                              .ordinal = result->ordinal,
                              .level = result->level,
                              .reason = result->reason};
    memcpy(join.trace_id, result->trace_id, sizeof join.trace_id);
    memcpy(join.span_id, result->span_id, sizeof join.span_id);
    store_put_join(self->store, &join);
}

/* Also when the clock was set back: or it would be never, until it has caught up. */
static bool sinks_expire_is_due(const struct sinks *self, uint64_t now_us)
{
    return now_us >= self->expired_us + SINKS_EXPIRE_US || now_us + SINKS_EXPIRE_US <= self->expired_us;
}

/* By receive time, not by the clock: a rebuild gives the same answers. */
static void sinks_expire(struct sinks *self, uint64_t now_us)
{
    if (!sinks_expire_is_due(self, now_us))
        return;
    self->expired_us = now_us;
    join_expire(self->join, now_us);
}

static void sinks_take_record(struct sinks *self, const struct log_record *record)
{
    store_mark(self->store, record->position, record->received_unix_us);
    sinks_expire(self, record->received_unix_us);
    if (record->type == APPEND_BEACON)
        sinks_take_beacon(self, record);
    else if (record->type == APPEND_SPANS)
        sinks_take_spans(self, record);
}

static void sinks_retain(struct sinks *self)
{
    uint64_t now_us = self->started_unix_us + (histogram_start() - self->started_mono_us);
    store_retain(self->store, log_first_position(self->log));
    if (self->retention_us > 0 && now_us > self->retention_us)
        store_retain_hours(self->store, (now_us - self->retention_us) / STORE_HOUR_US, STORE_ROLLUP_ROWS_MAX);
    counters_add(self->counters, COUNTER_OVERFLOW_ROUTE, store_take_overflow(self->store));
}

static enum sinks_step sinks_batch(struct sinks *self)
{
    struct log_record record;
    enum log_read_status status = LOG_READ_END;
    uint32_t count = 0;
    for (; count < self->batch_records; count++) {
        status = log_reader_next(self->reader, &record);
        if (status == LOG_READ_END || status == LOG_READ_ERROR)
            break;
        if (count == 0 && !store_begin(self->store))
            return SINKS_FAILED;
        if (status == LOG_READ_RECORD) {
            sinks_take_record(self, &record);
        } else {
            counters_add(self->counters, COUNTER_LOG_CORRUPT, 1);
            counters_add(self->counters, COUNTER_SINK_ERRORS, 1);
            log_reader_seek(self->reader, record.next_position);
        }
        self->next_position = record.next_position;
    }
    sinks_retain(self);
    if (count > 0 && !store_commit(self->store, self->next_position))
        return SINKS_FAILED;
    if (status == LOG_READ_ERROR)
        return SINKS_FAILED;
    sinks_publish(self);
    if (count == 0)
        return SINKS_IDLE;
    return count < self->batch_records ? SINKS_GATHER : SINKS_MORE;
}

/*
 * What was answered 204 without being stored again is in the log once: only the index counts it, so a rebuild begins
 * these counts anew. Everything durable has been read, so a view that is unknown here comes with the next record.
 */
static bool sinks_count_duplicates(struct sinks *self)
{
    uint32_t size = 0;
    const struct tally_count *count = self->duplicates ? tally_take(self->duplicates, &size) : NULL;
    if (size == 0)
        return true;
    bool begun = store_begin(self->store);
    for (uint32_t i = 0; i < size; i++)
        if (!begun || !store_count_duplicates(self->store, count[i].id, count[i].count))
            tally_add(self->duplicates, count[i].id, count[i].count);
    return begun && store_commit(self->store, self->next_position);
}

/* Claims give up by the clock only while nothing arrives; everything before now has been seen then. */
static enum sinks_step sinks_idle(struct sinks *self)
{
    uint64_t now_us = self->os->unix_us(self->os->context);
    if (sinks_expire_is_due(self, now_us)) {
        if (!store_begin(self->store))
            return SINKS_FAILED;
        sinks_expire(self, now_us);
        if (!store_commit(self->store, self->next_position))
            return SINKS_FAILED;
    }
    if (!sinks_count_duplicates(self))
        return SINKS_FAILED;
    log_wait(self->log, self->next_position, SINKS_IDLE_MS);
    return SINKS_IDLE;
}

/* Unless it is to stop. */
static void sinks_pause(struct sinks *self, unsigned timeout_ms)
{
    struct timespec deadline;
    sinks_deadline(&deadline, timeout_ms);
    pthread_mutex_lock(&self->mutex);
    int result = 0;
    while (!self->stopping && result == 0)
        result = pthread_cond_timedwait(&self->changed, &self->mutex, &deadline);
    pthread_mutex_unlock(&self->mutex);
}

/* Readers see by the new file that it is another one. false: the old one is still there. */
static bool sinks_rebuild(struct sinks *self)
{
    char error[256];
    diag(DIAG_ERROR, "index_damaged", "%s is damaged: building it anew from the log", self->store_path);
    if (!store_delete(self->store_path)) {
        diag(DIAG_ERROR, "index_error", "%s cannot be deleted", self->store_path);
        return false;
    }
    struct store *fresh = store_open(self->store_path, error, sizeof error);
    if (!fresh) {
        diag(DIAG_ERROR, "index_error", "%s", error);
        return false;
    }
    store_close(self->store);
    self->store = fresh;
    self->index_is_damaged = false;
    return true;
}

/* The joiner has seen records that the index has not kept: both begin again at the index's position. */
static bool sinks_recover(struct sinks *self)
{
    if ((self->index_is_damaged || store_is_damaged(self->store)) && sinks_rebuild(self))
        return sinks_restore(self);
    store_roll_back(self->store);
    diag(DIAG_WARNING, "index_retry", "the index stands at log position %llu; trying again",
         (unsigned long long)store_position(self->store));
    sinks_pause(self, SINKS_RETRY_MS);
    return sinks_restore(self);
}

static void *sinks_run(void *context)
{
    struct sinks *self = context;
    pthread_setname_np(pthread_self(), "vitrace-index");
    bool ready = sinks_restore(self);
    while (!sinks_stopping(self)) {
        enum sinks_step step = ready ? sinks_batch(self) : SINKS_FAILED;
        if (step == SINKS_IDLE)
            step = sinks_idle(self);
        if (step == SINKS_GATHER)
            sinks_pause(self, SINKS_GATHER_MS);
        if (step == SINKS_FAILED)
            ready = sinks_recover(self);
    }
    if (ready)
        sinks_count_duplicates(self); /* what ingest told up to its own end, which came before ours */
    return NULL;
}

/* An index that is ahead of the log was built from another one. */
static bool sinks_open_store(struct sinks *self, char *error, size_t error_size)
{
    self->store = store_open(self->store_path, error, error_size);
    if (self->store && store_position(self->store) > log_durable_position(self->log)) {
        diag(DIAG_WARNING, "index_rebuild", "%s is ahead of the log: building it anew", self->store_path);
        store_close(self->store);
        if (!store_delete(self->store_path))
            diag(DIAG_ERROR, "index_error", "%s cannot be deleted", self->store_path);
        self->store = store_open(self->store_path, error, error_size);
    }
    if (self->store && self->index_bytes > 0)
        store_limit_memory(self->store, self->index_bytes - STORE_READER_BYTES);
    return self->store != NULL;
}

/* Whole and at once, although the thread makes the window later and more than once: it must never be refused there. */
static bool sinks_take_memory(struct sinks *self, const struct sinks_options *options)
{
    struct join_options *join = &self->join_options;
    if (options->join_bytes > 0 && join->claims_max == 0) {
        join->claims_max = join_claims_within(options->join_bytes);
        join->spans_max = join->claims_max * JOIN_SPANS_PER_CLAIM;
    }
    uint64_t join_bytes = options->join_bytes > 0 ? join_memory_bytes(join->claims_max, join->spans_max) : 0;
    if (!memory_take(options->memory, MEMORY_JOIN, join_bytes))
        return false;
    self->memory = options->memory;
    self->join_bytes = join_bytes;
    uint64_t index_bytes = options->index_bytes > 0 ? options->index_bytes + STORE_READER_BYTES : 0;
    if (!memory_take(options->memory, MEMORY_INDEX, index_bytes))
        return false;
    self->index_bytes = index_bytes;
    return true;
}

static void sinks_free(struct sinks *self)
{
    memory_give(self->memory, MEMORY_JOIN, self->join_bytes);
    memory_give(self->memory, MEMORY_INDEX, self->index_bytes);
    store_close(self->store);
    join_free(self->join);
    log_reader_free(self->reader);
    log_reader_free(self->recall);
    pthread_cond_destroy(&self->changed);
    pthread_mutex_destroy(&self->mutex);
    free(self->span);
    free(self->store_path);
    free(self);
}

static struct sinks *sinks_new(const struct sinks_options *options)
{
    struct sinks *self = calloc(1, sizeof *self);
    if (!self)
        return NULL;
    pthread_condattr_t monotonic;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&self->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&self->mutex, NULL);
    self->log = options->log;
    self->os = options->os ? options->os : os_posix();
    self->counters = options->counters;
    self->duplicates = options->duplicates;
    self->retention_us = options->retention_us;
    self->started_unix_us = self->os->unix_us(self->os->context);
    self->started_mono_us = histogram_start();
    self->batch_records = options->batch_records ? options->batch_records : SINKS_BATCH_RECORDS;
    self->join_options = (struct join_options){.claims_max = options->claims_max,
                                               .spans_max = options->spans_max,
                                               .pending_us = options->pending_us,
                                               .sink = {self, sinks_take_result},
                                               .counters = options->counters};
    self->store_path = strdup(options->store_path);
    self->reader = log_reader_new(options->log, log_first_position(options->log));
    self->recall = log_reader_new(options->log, log_first_position(options->log));
    return self;
}

struct sinks *sinks_start(const struct sinks_options *options, char *error, size_t error_size)
{
    struct sinks *self = sinks_new(options);
    if (!self || !self->store_path || !self->reader || !self->recall || !sinks_take_memory(self, options)) {
        snprintf(error, error_size, "out of memory for the index of %s", options->store_path);
    } else if (sinks_open_store(self, error, error_size)) {
        int result = pthread_create(&self->thread, NULL, sinks_run, self);
        if (result == 0)
            return self;
        snprintf(error, error_size, "cannot start the index thread: %s", strerror(result));
    }
    if (self)
        sinks_free(self);
    return NULL;
}

void sinks_stop(struct sinks *self)
{
    if (!self)
        return;
    pthread_mutex_lock(&self->mutex);
    self->stopping = true;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->mutex);
    pthread_join(self->thread, NULL);
    sinks_free(self);
}
