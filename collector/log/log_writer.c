/*
 * The one thread that writes. A turn is: gather what is queued (bounded), put it into the file with one pwritev, make
 * it durable with one fdatasync, publish, answer. There is no timer: while the disk works the queue fills, so the batch
 * adapts to the load by itself, and a lone append waits for nobody. Before it gathers it yields once: where senders and
 * this thread share a core, those that are about to append do so first (57 records a sync instead of 28 with 64 clients),
 * and where nobody is ready to run it costs a system call.
 *
 *             ┌────────────── queue not empty ───────────────┐
 *             ▼                                              │
 *   sleep ─▶ gather ─▶ enough disk? ─▶ room in segment? ─▶ pwritev ─▶ fdatasync ─▶ publish durable ─▶ done()…
 *                          │no             │no: next segment  └── failed ──┘
 *                          ▼               ▼ failed                ▼
 *                     DISK_FULL       DISK_FULL / IO_ERROR   poison the segment, DISK_FULL / IO_ERROR
 *
 * Poison: after a failed write or sync nobody knows which pages the disk has, and the kernel marks them clean, so that
 * a second fdatasync succeeds without writing. The file is therefore never written or synced again. The next segment
 * begins at the durable position, which by FORMAT.md ends the poisoned one there: what the failed batch left behind is
 * not part of the log, and its records can be sent again without being stored twice.
 */
#include "collector/base/diag.h"
#include "collector/log/log_internal.h"

#include <assert.h>
#include <errno.h>
#include <sched.h>
#include <string.h>

static void writer_answer(struct append *append, enum append_result result)
{
    append->result = result;
    append->done(append); /* the append may be gone now */
}

/* Oldest append waiting, topping up from the queue; it stays pending. */
static struct append *writer_peek(struct log *self)
{
    struct log_writer *writer = &self->writer;
    if (writer->pending == NULL)
        writer->pending = log_queue_take(&self->queue);
    return writer->pending;
}

static bool batch_has_room(const struct log *self, const struct append *append)
{
    const struct log_batch *batch = &self->writer.batch;
    return batch->count == 0 || (batch->count < LOG_BATCH_RECORDS_MAX &&
                                 batch->bytes + log_frame_bytes(append->payload.size) <= self->batch_bytes_max);
}

static void writer_look_for_space(struct log *self)
{
    bool scarce = log_retention_is_scarce(self);
    if (scarce != self->writer.scarce)
        diag(scarce ? DIAG_ERROR : DIAG_INFO, scarce ? "log_headroom" : "log_headroom_over",
             scarce ? "space is short: only final beacons are taken" : "space is back: everything is taken again");
    self->writer.scarce = scarce;
}

/* True: the append has no place in the log; `result` says why. Looks again before it refuses: nothing on old news. */
static bool writer_refuses(struct log *self, const struct append *append, enum append_result *result)
{
    *result = append->payload.size > LOG_RECORD_BYTES_MAX ? APPEND_TOO_LARGE : APPEND_DISK_FULL;
    if (*result == APPEND_TOO_LARGE || append->is_final || !self->writer.scarce)
        return *result == APPEND_TOO_LARGE;
    writer_look_for_space(self);
    return self->writer.scarce;
}

static void writer_refuse(struct log *self, struct append *append, enum append_result result)
{
    if (result == APPEND_DISK_FULL)
        counters_add(self->counters, COUNTER_LOG_HEADROOM_REFUSED, 1);
    writer_answer(append, result);
}

/* Answers stay in order: an append that is refused is answered only when nothing before it waits. */
static bool writer_gather(struct log *self)
{
    struct log_batch *batch = &self->writer.batch;
    batch->count = 0;
    batch->bytes = 0;
    if (writer_peek(self) != NULL)
        writer_look_for_space(self);
    for (struct append *append = writer_peek(self); append != NULL; append = writer_peek(self)) {
        enum append_result refusal;
        bool refused = writer_refuses(self, append, &refusal);
        if (refused ? batch->count > 0 : !batch_has_room(self, append))
            break;
        self->writer.pending = append->next;
        if (refused) {
            writer_refuse(self, append, refusal);
            continue;
        }
        batch->appends[batch->count++] = append;
        batch->bytes += log_frame_bytes(append->payload.size);
    }
    return batch->count > 0;
}

static uint64_t segment_offset(const struct log_segment *segment, uint64_t position)
{
    return LOG_HEADER_BYTES + (position - segment->first);
}

static void batch_add_part(struct log_batch *batch, unsigned *count, const void *data, size_t size)
{
    if (size > 0)
        batch->parts[(*count)++] = (struct iovec){(void *)(uintptr_t)data, size};
}

/*
 * headers[i] is 8 zero bytes and a header; the padding of record i-1 is taken from the zeros before header i, so that a
 * record costs two parts. Returns the number of parts.
 */
static unsigned batch_encode(struct log_batch *batch, const struct log_segment *segment, uint64_t position)
{
    struct log_frame frame = {.batch = (uint32_t)(position - segment->first)};
    unsigned parts = 0;
    size_t padding = 0;
    for (unsigned i = 0; i < batch->count; i++) {
        struct append *append = batch->appends[i];
        assert(append->type == APPEND_BEACON || append->type == APPEND_SPANS);
        append->position = position;
        frame.payload_crc = log_frame_payload_crc(append->payload);
        frame.distance = (uint32_t)(position - segment->first);
        frame.payload_bytes = (uint32_t)append->payload.size;
        frame.received_unix_us = append->received_unix_us;
        frame.type = (uint8_t)append->type;
        memcpy(frame.peer, append->peer, sizeof frame.peer);
        log_frame_encode(&frame, segment->salt, batch->headers[i] + LOG_FRAME_ALIGN);
        batch_add_part(batch, &parts, batch->headers[i] + LOG_FRAME_ALIGN - padding, LOG_FRAME_HEADER_BYTES + padding);
        batch_add_part(batch, &parts, append->payload.data, append->payload.size);
        uint64_t bytes = log_frame_bytes(append->payload.size);
        padding = (size_t)(bytes - LOG_FRAME_HEADER_BYTES) - append->payload.size;
        position += bytes;
    }
    batch_add_part(batch, &parts, batch->headers[batch->count], padding);
    return parts;
}

static enum append_result result_of_errno(int failure)
{
    return failure == ENOSPC || failure == EDQUOT ? APPEND_DISK_FULL : APPEND_IO_ERROR;
}

static bool writer_is_below_floor(struct log *self, uint64_t needed)
{
    int64_t available = self->os->disk_free(self->os->context, self->folder);
    /* A file system that cannot tell is not a full one: the write itself will say. */
    return available >= 0 && (uint64_t)available < self->free_bytes_floor + needed;
}

static void writer_leave_segment(struct log *self)
{
    struct log_segment *segment = &self->writer.segment;
    if (segment->file < 0)
        return;
    log_segment_close(segment, self->os, segment_offset(segment, atomic_load(&self->durable)));
    log_table_put(&self->table, log_segment_row(segment));
}

/* 0 or errno. Afterwards the next `bytes` bytes have their place. */
static int writer_enter_segment(struct log *self, uint64_t bytes)
{
    uint64_t file_bytes = LOG_HEADER_BYTES + bytes;
    if (file_bytes < self->segment_bytes)
        file_bytes = self->segment_bytes;
    log_retention_make_room(self, file_bytes);
    if (writer_is_below_floor(self, file_bytes) || log_table_is_full(&self->table))
        return ENOSPC;
    struct log_segment *segment = &self->writer.segment;
    int failure = log_segment_create(segment, self->os, self->folder, atomic_load(&self->durable), file_bytes);
    if (failure == 0)
        log_table_put(&self->table, log_segment_row(segment));
    return failure;
}

/* Only the segment that was found at start is shorter than it may be: its torn or unused tail was cut. */
static int writer_extend_segment(struct log *self)
{
    struct log_segment *segment = &self->writer.segment;
    if (writer_is_below_floor(self, self->segment_bytes - segment->bytes))
        return ENOSPC;
    int failure = log_segment_extend(segment, self->os, self->segment_bytes);
    if (failure == 0)
        log_table_put(&self->table, log_segment_row(segment));
    return failure;
}

static int writer_find_room(struct log *self, uint64_t bytes)
{
    struct log_segment *segment = &self->writer.segment;
    if (writer_is_below_floor(self, 0))
        return ENOSPC;
    if (segment->file >= 0) {
        uint64_t end = segment_offset(segment, atomic_load(&self->durable)) + bytes;
        if (end <= segment->bytes)
            return 0;
        if (end <= self->segment_bytes)
            return writer_extend_segment(self);
    }
    writer_leave_segment(self);
    return writer_enter_segment(self, bytes);
}

/*
 * The cut is best effort, but it matters: it throws the failed pages out of the page cache, so that a process started
 * after this one cannot take for durable what only memory has.
 */
static void writer_poison(struct log *self, int failure)
{
    counters_add(self->counters, COUNTER_LOG_POISONED, 1);
    diag(DIAG_ERROR, "log_segment_poisoned", "segment %016llx closed after a failed write: %s",
         (unsigned long long)self->writer.segment.first, strerror(failure));
    writer_leave_segment(self);
}

/* 0 or errno. */
static int writer_store(struct log *self)
{
    struct log_batch *batch = &self->writer.batch;
    int failure = writer_find_room(self, batch->bytes);
    if (failure != 0)
        return failure;
    struct log_segment *segment = &self->writer.segment;
    uint64_t position = atomic_load(&self->durable);
    unsigned parts = batch_encode(batch, segment, position);
    uint64_t offset = segment_offset(segment, position);
    parts += log_segment_add_ahead(segment, batch->parts + parts, offset, batch->bytes);
    failure = log_segment_write(segment, self->os, batch->parts, parts, offset);
    if (failure == 0 && self->os->fdatasync(self->os->context, segment->file) != 0)
        failure = errno;
    if (failure != 0)
        writer_poison(self, failure);
    return failure;
}

/* Before any answer: who was told "durable" must find the record. */
static void writer_publish(struct log *self)
{
    counters_add(self->counters, COUNTER_LOG_COMMITS, 1);
    counters_add(self->counters, COUNTER_LOG_RECORDS, self->writer.batch.count);
    pthread_mutex_lock(&self->wait_lock);
    atomic_fetch_add(&self->durable, self->writer.batch.bytes);
    pthread_cond_broadcast(&self->advanced);
    pthread_mutex_unlock(&self->wait_lock);
}

static void writer_say_refusing(struct log *self, int failure)
{
    if (failure != 0 && !self->writer.refusing)
        diag(DIAG_ERROR, "log_refusing", "appends are refused: %s; the log resumes by itself", strerror(failure));
    if (failure == 0 && self->writer.refusing)
        diag(DIAG_INFO, "log_resumed", "appends are taken again");
    self->writer.refusing = failure != 0;
    counters_set(self->counters, COUNTER_LOG_REFUSING, failure != 0);
    if (failure != 0)
        counters_add(self->counters, COUNTER_LOG_REFUSED, self->writer.batch.count);
}

static void writer_commit(struct log *self)
{
    int failure = writer_store(self);
    if (failure == 0)
        writer_publish(self);
    writer_say_refusing(self, failure);
    enum append_result result = failure == 0 ? APPEND_DURABLE : result_of_errno(failure);
    for (unsigned i = 0; i < self->writer.batch.count; i++)
        writer_answer(self->writer.batch.appends[i], result);
}

void *log_writer_run(void *context)
{
    struct log *self = context;
    pthread_setname_np(pthread_self(), "vitrace-log");
    do {
        log_retention_sweep(self);
        sched_yield();
        while (writer_gather(self)) {
            writer_commit(self);
            log_retention_sweep(self);
            sched_yield();
        }
    } while (log_queue_wait(&self->queue, LOG_SWEEP_MS));
    self->writer.pending = log_queue_close(&self->queue);
    while (writer_gather(self))
        writer_commit(self);
    writer_leave_segment(self);
    return NULL;
}
