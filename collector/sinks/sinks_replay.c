
#include "collector/base/diag.h"
#include "collector/sinks/sinks_internal.h"

/* A claim waits 10 minutes for its span and may complete for an hour; what is older can no longer change. */
#define SINKS_REPLAY_US    UINT64_C(3600000000)
#define SINKS_REPLAY_BYTES (UINT64_C(512) << 20)

/* Where to begin so that about `age_us` or `bytes` of the newest records are read. */
static uint64_t sinks_replay_begin(struct log *log, struct store_reader *index, uint64_t age_us, uint64_t bytes)
{
    uint64_t first = log_first_position(log);
    if (!index || !store_reader_begin(index, 0))
        return first;
    uint64_t mark = store_reader_mark(index, age_us, bytes);
    bool known = store_reader_end(index) && mark > first && mark <= log_durable_position(log);
    return known ? mark : first;
}

static void sinks_replay_claim(struct sinks *self, uint64_t beacon, const struct store_request_row *row,
                               uint64_t now_us)
{
    struct join_claim claim = {.beacon = beacon, .ordinal = row->ordinal, .flags = row->flags};
    claim.id_count = sinks_request_ids_read(row->ids, claim.id);
    if (claim.id_count > 0 && !row->merged)
        join_take_claim(self->join, &claim, now_us);
}

/* Claims come from the index, where calls and resources are paired already; a duplicate has no row there. */
static void sinks_replay_beacon(struct sinks *self, struct store_reader *index, const struct log_record *record)
{
    struct store_request_row row;
    store_reader_find_beacon_requests(index, record->position);
    while (store_reader_next_request(index, &row))
        sinks_replay_claim(self, record->position, &row, record->received_unix_us);
}

static void sinks_replay_spans(struct sinks *self, const struct log_record *record)
{
    struct otlp_reader reader;
    struct otlp_span span;
    enum otlp_read_status status;
    otlp_reader_init(&reader, record->payload);
    while ((status = otlp_reader_next(&reader, &span)) != OTLP_END && status != OTLP_MALFORMED)
        if (status == OTLP_SPAN)
            sinks_give_span(self, &span, record->position, record->received_unix_us);
}

static bool sinks_replay_joiner(struct sinks *self, struct store_reader *index, uint64_t end)
{
    struct log_record record;
    enum log_read_status status = LOG_READ_END;
    uint64_t begin = sinks_replay_begin(self->log, index, SINKS_REPLAY_US, SINKS_REPLAY_BYTES);
    if (!store_reader_begin(index, 0))
        return false;
    log_reader_seek(self->reader, begin);
    for (uint64_t at = begin; at < end && !sinks_stopping(self); at = record.next_position) {
        status = log_reader_next(self->reader, &record);
        if (status == LOG_READ_END || status == LOG_READ_ERROR || record.position >= end)
            break;
        if (status == LOG_READ_CORRUPT)
            log_reader_seek(self->reader, record.next_position);
        else if (record.type == APPEND_BEACON)
            sinks_replay_beacon(self, index, &record);
        else if (record.type == APPEND_SPANS)
            sinks_replay_spans(self, &record);
    }
    return store_reader_end(index) && status != LOG_READ_ERROR;
}

bool sinks_restore(struct sinks *self)
{
    char error[256];
    uint64_t first = log_first_position(self->log), position = store_position(self->store);
    if (position < first)
        position = first;
    join_free(self->join);
    self->join = join_new(&self->join_options);
    struct store_reader *index = store_reader_open(self->store_path, error, sizeof error);
    bool whole = self->join && index;
    if (!index)
        diag(DIAG_WARNING, "index_error", "%s", error);
    self->muted = true;
    if (whole && position > first)
        whole = sinks_replay_joiner(self, index, position);
    self->muted = false;
    self->index_is_damaged = self->index_is_damaged || (index && store_reader_is_damaged(index));
    store_reader_close(index);
    self->next_position = position;
    log_reader_seek(self->reader, position);
    return whole;
}

bool sinks_replay_headers(struct log *log, const char *store_path, sinks_header *take, void *context)
{
    char error[256];
    struct store_reader *index = store_reader_open(store_path, error, sizeof error);
    uint64_t begin = sinks_replay_begin(log, index, SINKS_HEADERS_US, SINKS_HEADERS_BYTES);
    store_reader_close(index);
    struct log_reader *reader = log_reader_new(log, begin);
    struct log_record record;
    enum log_read_status status = LOG_READ_ERROR;
    while (reader && (status = log_reader_next(reader, &record)) != LOG_READ_END && status != LOG_READ_ERROR) {
        uint8_t view_id[16];
        uint32_t seq;
        if (status == LOG_READ_CORRUPT)
            log_reader_seek(reader, record.next_position);
        else if (record.type == APPEND_BEACON && beacon_find_key(record.payload, view_id, &seq))
            take(context, view_id, seq);
    }
    log_reader_free(reader);
    return status == LOG_READ_END;
}
