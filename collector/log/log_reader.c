#include "collector/log/log_internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>

struct log_reader {
    struct log *log;
    uint64_t position;
    uint64_t generation;    /* of the table, when range was looked up */
    struct log_range range; /* the segment that position is in */
    bool sound;             /* the open file has a header: records can be checked */
    struct log_scan scan;   /* scan.file: -1 = none open */
};

struct log_reader *log_reader_new(struct log *log, uint64_t position)
{
    if (!memory_take(log->memory, MEMORY_LOG, LOG_READER_MEMORY_BYTES))
        return NULL;
    struct log_reader *self = calloc(1, sizeof *self);
    if (self == NULL) {
        memory_give(log->memory, MEMORY_LOG, LOG_READER_MEMORY_BYTES);
        return NULL;
    }
    self->log = log;
    self->position = position;
    log_scan_init(&self->scan, log->os);
    return self;
}

static void reader_close_file(struct log_reader *self)
{
    if (self->scan.file >= 0)
        self->log->os->close(self->log->os->context, self->scan.file);
    log_scan_attach(&self->scan, -1, 0);
    self->sound = false;
}

void log_reader_free(struct log_reader *self)
{
    if (self == NULL)
        return;
    reader_close_file(self);
    log_scan_release(&self->scan);
    memory_give(self->log->memory, MEMORY_LOG, LOG_READER_MEMORY_BYTES);
    free(self);
}

void log_reader_seek(struct log_reader *self, uint64_t position)
{
    self->position = position;
}

/* False: errno. A file that is gone or has no header is not an error but loss: `sound` stays false. */
static bool reader_open_file(struct log_reader *self)
{
    const struct os *os = self->log->os;
    char name[LOG_NAME_BYTES];
    log_segment_name(self->range.first, name);
    int file = os->open(os->context, self->log->folder, name, O_RDONLY, 0);
    if (file < 0)
        return errno == ENOENT;
    struct log_header header;
    enum log_header_status status = log_segment_read_header(os, file, self->range.first, &header);
    log_scan_attach(&self->scan, file, header.salt);
    self->sound = status == LOG_HEADER_GOOD;
    if (status == LOG_HEADER_ERROR)
        reader_close_file(self);
    return status != LOG_HEADER_ERROR;
}

/*
 * Looks again whenever the table changed: a poisoned segment ends earlier than it seemed, its successor takes over.
 * Called only with durable beyond position, so that no segment is opened which may still be replaced.
 */
static bool reader_enter(struct log_reader *self)
{
    uint64_t generation = atomic_load_explicit(&self->log->table.generation, memory_order_acquire);
    bool inside = self->range.exists && self->position >= self->range.first && self->position < self->range.end;
    if (generation == self->generation && inside && self->scan.file >= 0)
        return true;
    struct log_range range = log_table_find(&self->log->table, self->position);
    bool same_file = range.exists && self->range.exists && range.first == self->range.first && self->scan.file >= 0;
    self->range = range;
    self->generation = generation;
    if (same_file)
        return true;
    reader_close_file(self);
    return !range.exists || reader_open_file(self);
}

static enum log_read_status reader_skip(struct log_reader *self, uint64_t position, struct log_record *record)
{
    assert(position > self->position);
    record->next_position = self->position = position;
    return LOG_READ_CORRUPT;
}

static enum log_read_status reader_take(struct log_reader *self, const struct log_found *found,
                                        struct log_record *record)
{
    record->next_position = self->range.first + (found->next_offset - LOG_HEADER_BYTES);
    record->type = (enum append_type)found->frame.type;
    record->received_unix_us = found->frame.received_unix_us;
    memcpy(record->peer, found->frame.peer, sizeof record->peer);
    record->payload = found->payload;
    self->position = record->next_position;
    return LOG_READ_RECORD;
}

enum log_read_status log_reader_next(struct log_reader *self, struct log_record *record)
{
    uint64_t durable = log_durable_position(self->log);
    *record = (struct log_record){.position = self->position, .next_position = self->position};
    if (self->position >= durable)
        return LOG_READ_END;
    if (!reader_enter(self))
        return LOG_READ_ERROR;
    uint64_t end = self->range.end < durable ? self->range.end : durable;
    if (!self->sound)
        return reader_skip(self, end, record);
    struct log_found found;
    uint64_t shift = LOG_HEADER_BYTES - self->range.first; /* modulo 2^64: position to file offset */
    switch (log_scan_next(&self->scan, self->position + shift, end + shift, &found)) {
    case LOG_SCAN_RECORD:
        return reader_take(self, &found, record);
    case LOG_SCAN_CORRUPT:
        return reader_skip(self, found.next_offset - shift, record);
    case LOG_SCAN_ERROR:
        break;
    }
    return LOG_READ_ERROR;
}
