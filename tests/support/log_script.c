#include "tests/support/log_script.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void log_script_reset(struct log_script *self, struct faulty_os *os)
{
    assert(self->log == NULL);
    self->os = os;
    self->order_count = 0;
    memset(&self->counters, 0, sizeof self->counters);
    for (size_t i = 0; i < LOG_SCRIPT_IDS_MAX; i++)
        self->results[i] = LOG_SCRIPT_UNANSWERED;
}

struct log_script *log_script_new(struct faulty_os *os)
{
    struct log_script *self = calloc(1, sizeof *self);
    assert(self != NULL);
    self->segment_bytes = LOG_SCRIPT_SEGMENT_BYTES;
    self->free_bytes_floor = 1;
    self->headroom_bytes = 1;
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->answered, NULL);
    log_script_reset(self, os);
    return self;
}

void log_script_free(struct log_script *self)
{
    log_script_close(self);
    pthread_mutex_destroy(&self->lock);
    pthread_cond_destroy(&self->answered);
    free(self);
}

bool log_script_open(struct log_script *self)
{
    struct log_options options = {.folder = "log",
                                  .segment_bytes = self->segment_bytes,
                                  .free_bytes_floor = self->free_bytes_floor,
                                  .headroom_bytes = self->headroom_bytes,
                                  .retention_us = self->retention_us,
                                  .bytes_max = self->bytes_max,
                                  .os = &self->os->os,
                                  .counters = &self->counters};
    assert(self->log == NULL);
    self->log = log_open(&options, self->error, sizeof self->error);
    return self->log != NULL;
}

void log_script_close(struct log_script *self)
{
    log_close(self->log);
    self->log = NULL;
}

struct slice log_script_payload(uint64_t id, uint8_t *out)
{
    size_t size = 8 + (size_t)(id * 37 % 600);
    for (size_t i = 0; i < size; i++)
        out[i] = i < 8 ? (uint8_t)(id >> (8 * i)) : (uint8_t)(id * 131 + i * 7 + 1);
    return slice_of(out, size);
}

static void script_fill(struct append *append, uint64_t id, uint8_t *payload)
{
    append->type = id % 3 == 0 ? APPEND_SPANS : APPEND_BEACON;
    append->payload = log_script_payload(id, payload);
    append->received_unix_us = 1000 + id;
    memset(append->peer, (int)(id & 0xff), sizeof append->peer);
}

bool log_script_identify(const struct log_record *record, uint64_t *id)
{
    uint8_t payload[LOG_SCRIPT_PAYLOAD_MAX];
    struct append expected = {0};
    *id = 0;
    if (record->payload.size < 8)
        return false;
    for (size_t i = 0; i < 8; i++)
        *id |= (uint64_t)record->payload.data[i] << (8 * i);
    if (*id >= LOG_SCRIPT_IDS_MAX)
        return false;
    script_fill(&expected, *id, payload);
    return record->type == expected.type && record->received_unix_us == expected.received_unix_us &&
           memcmp(record->peer, expected.peer, sizeof expected.peer) == 0 &&
           slice_equal(record->payload, expected.payload);
}

static void script_done(struct append *append)
{
    struct log_script_append *self = (struct log_script_append *)append;
    struct log_script *script = self->script;
    if (append->result == APPEND_DURABLE)
        faulty_os_mark(script->os, self->id);
    pthread_mutex_lock(&script->lock);
    assert(script->results[self->id] == LOG_SCRIPT_UNANSWERED);
    script->results[self->id] = (int)append->result;
    script->positions[self->id] = append->position;
    script->order[script->order_count++] = self->id;
    if (--script->waiting == 0)
        pthread_cond_signal(&script->answered);
    pthread_mutex_unlock(&script->lock);
}

void log_script_send(struct log_script *self, uint64_t first, size_t count)
{
    self->waiting = count;
    faulty_os_hold(self->os);
    for (uint64_t id = first; id < first + count; id++) {
        struct log_script_append *append = &self->appends[id];
        append->script = self;
        append->id = id;
        append->append.done = script_done;
        append->append.is_final = self->finals >> id % 64 & 1;
        script_fill(&append->append, id, append->payload);
        log_take(self->log, &append->append);
    }
    faulty_os_release(self->os);
    pthread_mutex_lock(&self->lock);
    while (self->waiting > 0)
        pthread_cond_wait(&self->answered, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

static void view_add(struct log_script_view *view, const struct log_record *record)
{
    uint64_t id;
    if (!log_script_identify(record, &id) || view->count == LOG_SCRIPT_IDS_MAX) {
        view->failed = true;
        return;
    }
    view->positions[view->count] = record->position;
    view->ids[view->count++] = id;
}

void log_script_read(struct log_script *self, struct log_script_view *view)
{
    struct log_reader *reader = log_reader_new(self->log, log_first_position(self->log));
    struct log_record record;
    memset(view, 0, sizeof *view);
    assert(reader != NULL);
    for (;;) {
        enum log_read_status status = log_reader_next(reader, &record);
        if (status == LOG_READ_RECORD)
            view_add(view, &record);
        view->corrupt += status == LOG_READ_CORRUPT;
        view->failed |= status == LOG_READ_ERROR;
        if (status == LOG_READ_END || view->failed)
            break;
        if (record.next_position <= record.position)
            view->failed = true;
    }
    log_reader_free(reader);
}
