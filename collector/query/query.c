#include <stdio.h>
#include <stdlib.h>

#include "collector/query/query_internal.h"

struct query *query_new(struct log *log, const char *store_path, char *error, size_t error_size)
{
    struct query *self = calloc(1, sizeof *self);
    if (!self) {
        snprintf(error, error_size, "out of memory");
        return NULL;
    }
    self->log = log;
    self->store_path = strdup(store_path);
    self->index = self->store_path ? store_reader_open(store_path, error, error_size) : NULL;
    self->reader = self->index ? log_reader_new(log, log_first_position(log)) : NULL;
    if (self->reader)
        return self;
    if (self->index || !self->store_path)
        snprintf(error, error_size, "out of memory");
    query_free(self);
    return NULL;
}

void query_free(struct query *self)
{
    if (!self)
        return;
    store_reader_close(self->index);
    log_reader_free(self->reader);
    free(self->store_path);
    free(self);
}

/* An index that was damaged has been begun anew beside the open one. */
static void query_follow_index(struct query *self)
{
    char error[256];
    if (!store_reader_is_stale(self->index))
        return;
    struct store_reader *fresh = store_reader_open(self->store_path, error, sizeof error);
    if (fresh == NULL)
        return;
    store_reader_close(self->index);
    self->index = fresh;
}

bool query_begin(struct query *self)
{
    query_follow_index(self);
    return store_reader_begin(self->index, QUERY_STEPS_MAX);
}

enum query_status query_end(struct query *self, const struct buf *out, bool found)
{
    if (!store_reader_end(self->index))
        return QUERY_FAILED;
    if (out->failed)
        return QUERY_TOO_LARGE;
    return found ? QUERY_OK : QUERY_NOT_FOUND;
}

bool query_read(struct query *self, uint64_t position, enum append_type type, struct log_record *record)
{
    log_reader_seek(self->reader, position);
    return log_reader_next(self->reader, record) == LOG_READ_RECORD && record->position == position &&
           record->type == type;
}

void query_write_us(struct json *json, const char *key, int64_t us)
{
    json_double(json, key, (double)us / 1e3);
}
