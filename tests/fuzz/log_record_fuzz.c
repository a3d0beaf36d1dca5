/*
 * Arbitrary bytes as the files of a log: recovered, read to the end, appended to, recovered again. Byte 0 chooses how
 * much help the input gets, so that the fuzzer is not stopped by checksums alone: with bit 0 a sound segment header is
 * put before the bytes, with bit 1 the checksums of headers that lie on the record path are made right, with bit 2 a
 * second, older segment of the same bytes stands before it.
 */
#include "collector/base/diag.h"
#include "collector/log/log_internal.h"
#include "proto/wire/crc32c.h"
#include "tests/support/faulty_os.h"

#include <assert.h>
#include <semaphore.h>
#include <stdlib.h>

#define FUZZ_SALT      0x5eed5a17u
#define FUZZ_BYTES_MAX (64u << 10)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void put_le(uint8_t *out, uint64_t value, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)(value >> (8 * i));
}

static uint32_t get_le32(const uint8_t *in)
{
    return (uint32_t)in[0] | (uint32_t)in[1] << 8 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 24;
}

static void write_header(uint8_t *out, uint64_t first)
{
    memcpy(out, "\x89VTLOG\r\n", 8);
    put_le(out + 8, LOG_FORMAT_VERSION, 4);
    put_le(out + 12, LOG_HEADER_BYTES, 4);
    put_le(out + 16, first, 8);
    put_le(out + 32, FUZZ_SALT, 4);
    put_le(out + 60, crc32c(0, slice_of(out, 60)), 4);
}

static void mend_records(uint8_t *records, size_t size)
{
    size_t at = 0;
    while (size - at >= LOG_FRAME_HEADER_BYTES) {
        uint64_t frame = log_frame_bytes(get_le32(records + at + 16));
        if (frame > size - at)
            break;
        put_le(records + at + 4, crc32c(0, slice_of(records + at + 48, (size_t)frame - 48)), 4);
        put_le(records + at, crc32c(FUZZ_SALT, slice_of(records + at + 4, 44)), 4);
        at += (size_t)frame;
    }
}

static void put_segment(struct faulty_os *disk, uint64_t first, uint8_t help, const uint8_t *data, size_t size)
{
    size_t before = help & 1 ? LOG_HEADER_BYTES : 0;
    uint8_t *file = calloc(1, before + size + 1);
    char name[LOG_NAME_BYTES];
    assert(file != NULL);
    if (size > 0)
        memcpy(file + before, data, size);
    if (before > 0)
        write_header(file, first);
    if ((help & 2) && before > 0)
        mend_records(file + before, size);
    log_segment_name(first, name);
    faulty_os_put(disk, name, file, before + size);
    free(file);
}

static struct log *open_log(struct faulty_os *disk, struct counters *counters)
{
    char error[200];
    struct log_options options = {
        .folder = "log", .segment_bytes = 16384, .free_bytes_floor = 1, .os = &disk->os, .counters = counters};
    return log_open(&options, error, sizeof error);
}

/* Returns the number of records; positions must grow and the end must be reached. */
static size_t read_all(struct log *log)
{
    struct log_reader *reader = log_reader_new(log, 0);
    struct log_record record;
    enum log_read_status status;
    size_t records = 0;
    uint64_t position = 0, sum = 0;
    assert(reader != NULL);
    while ((status = log_reader_next(reader, &record)) != LOG_READ_END) {
        assert(status != LOG_READ_ERROR && record.position == position && record.next_position > position);
        position = record.next_position;
        records += status == LOG_READ_RECORD;
        for (size_t i = 0; i < record.payload.size; i++)
            sum += record.payload.data[i];
    }
    assert(position == log_durable_position(log) && sum <= UINT64_MAX / 2);
    log_reader_free(reader);
    return records;
}

struct fuzz_append {
    struct append append;
    sem_t answered;
};

static void fuzz_done(struct append *append)
{
    sem_post(&((struct fuzz_append *)append)->answered);
}

static void append_one(struct log *log)
{
    struct fuzz_append one = {
        .append = {.type = APPEND_BEACON, .payload = slice_text("behind the damage"), .done = fuzz_done}};
    sem_init(&one.answered, 0, 0);
    log_take(log, &one.append);
    while (sem_wait(&one.answered) != 0)
        ;
    sem_destroy(&one.answered);
    assert(one.append.result == APPEND_DURABLE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t help = size > 0 ? data[0] : 0;
    if (size > FUZZ_BYTES_MAX)
        return 0;
    diag_set_level((enum diag_level)-1); /* nothing: every input is damaged */
    struct faulty_os *disk = faulty_os_new();
    struct counters counters = {0};
    size_t rest = size > 0 ? size - 1 : 0;
    if (help & 4)
        put_segment(disk, 0, help, data + 1, rest);
    put_segment(disk, help & 4 ? (rest + 7) / 8 * 4 / 8 * 8 : 0, help, data + 1, rest);
    struct log *log = open_log(disk, &counters);
    if (log != NULL) {
        size_t before = read_all(log);
        append_one(log);
        assert(read_all(log) == before + 1);
        log_close(log);
        log = open_log(disk, &counters);
        assert(log != NULL && read_all(log) == before + 1);
        log_close(log);
    }
    faulty_os_free(disk);
    return 0;
}
