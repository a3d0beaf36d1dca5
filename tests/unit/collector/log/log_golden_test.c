/*
 * The upgrade rule: what a released version wrote, every later version reads. tests/golden/log/vN holds a log of format N as
 * that version left it (killed, with damage), and reading.txt, what there is to read in it. Never changed once released.
 *
 *   log_golden_test                 the tests
 *   log_golden_test --write FOLDER  writes such a folder in today's format
 */
#include "tests/support/log_script.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "collector/base/buf.h"
#include "collector/log/log_internal.h"
#include "proto/wire/crc32c.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GOLDEN         "tests/golden/log/v1"
#define READING        "reading.txt"
#define TEXT_BYTES_MAX (1u << 20)

static void golden_path(char out[512], const char *folder, const char *name)
{
    snprintf(out, 512, "%s/%s", folder, name);
}

static void golden_read_file(const char *folder, const char *name, struct buf *out)
{
    char path[512];
    golden_path(path, folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    buf_init(out, TEXT_BYTES_MAX);
    for (size_t got = 1; got > 0;) {
        uint8_t *room = buf_reserve(out, 4096);
        assert_non_null(room);
        got = fread(room, 1, 4096, file);
        out->size += got;
    }
    fclose(file);
}

static void golden_write_file(const char *folder, const char *name, const void *data, size_t size)
{
    char path[512];
    golden_path(path, folder, name);
    FILE *file = fopen(path, "wb");
    if (file == NULL || fwrite(data, 1, size, file) != size || fclose(file) != 0)
        abort();
}

static struct faulty_os *golden_load(const char *folder)
{
    struct faulty_os *disk = faulty_os_new();
    DIR *list = opendir(folder);
    assert_non_null(list);
    for (struct dirent *entry = readdir(list); entry != NULL; entry = readdir(list)) {
        struct buf bytes;
        if (strstr(entry->d_name, ".vtlog") == NULL)
            continue;
        golden_read_file(folder, entry->d_name, &bytes);
        faulty_os_put(disk, entry->d_name, bytes.data, bytes.size);
        buf_release(&bytes);
    }
    closedir(list);
    return disk;
}

/* A line a record or damaged place: enough to notice any other bytes. */
static void golden_describe(struct log *log, struct buf *out)
{
    struct log_reader *reader = log_reader_new(log, log_first_position(log));
    struct log_record record;
    buf_init(out, TEXT_BYTES_MAX);
    for (enum log_read_status status; (status = log_reader_next(reader, &record)) != LOG_READ_END;) {
        if (status == LOG_READ_RECORD)
            buf_add_format(out, "%llu type %d received %llu peer %02x%02x bytes %zu crc32c %08x\n",
                           (unsigned long long)record.position, record.type,
                           (unsigned long long)record.received_unix_us, record.peer[0], record.peer[15],
                           record.payload.size, crc32c(0, record.payload));
        else
            buf_add_format(out, "%llu damage to %llu\n", (unsigned long long)record.position,
                           (unsigned long long)record.next_position);
        if (status == LOG_READ_ERROR)
            abort();
    }
    log_reader_free(reader);
}

static void test_golden__a_log_of_format_1_reads_as_when_it_was_written(void **state)
{
    (void)state;
    struct faulty_os *disk = golden_load(GOLDEN);
    struct log_script *script = log_script_new(disk);
    struct buf seen, expected;
    golden_read_file(GOLDEN, READING, &expected);
    assert_true(log_script_open(script));
    golden_describe(script->log, &seen);
    assert_int_equal(seen.size, expected.size);
    assert_memory_equal(seen.data, expected.data, expected.size);
    assert_int_equal(counters_find(&script->counters, COUNTER_LOG_TORN_BYTES), 5);
    buf_release(&seen);
    buf_release(&expected);
    log_script_free(script);
    faulty_os_free(disk);
}

static void test_golden__a_log_of_format_1_is_gone_on_with(void **state)
{
    (void)state;
    struct faulty_os *disk = golden_load(GOLDEN);
    struct log_script *script = log_script_new(disk);
    struct log_script_view *view = malloc(sizeof *view);
    assert_true(view != NULL && log_script_open(script));
    log_script_read(script, view);
    size_t before = view->count;
    log_script_send(script, 100, 20);
    log_script_close(script);
    assert_true(log_script_open(script));
    log_script_read(script, view);
    assert_false(view->failed);
    assert_int_equal(view->count, before + 20);
    assert_int_equal(view->ids[view->count - 1], 119);
    free(view);
    log_script_free(script);
    faulty_os_free(disk);
}

/* As a version that knows format 2 would have written it: magic and checksum keep their places. */
static void make_newer(struct faulty_file *file, size_t copy)
{
    uint8_t *header = file->data + copy;
    header[8] = LOG_FORMAT_VERSION + 1;
    uint32_t sum = crc32c(0, slice_of(header, 60));
    for (int i = 0; i < 4; i++)
        header[60 + i] = (uint8_t)(sum >> 8 * i);
}

static void test_golden__any_segment_of_a_newer_format_refuses_the_start_by_name(void **state)
{
    (void)state;
    for (size_t index = 0;; index++) {
        struct faulty_os *disk = golden_load(GOLDEN);
        const char *name = faulty_os_name(disk, index);
        if (name == NULL) {
            assert_true(index > 3);
            faulty_os_free(disk);
            return;
        }
        struct log_script *script = log_script_new(disk);
        struct counters counters = {0};
        struct log_options options = {.folder = "log", .os = &disk->os, .counters = &counters};
        make_newer(faulty_os_find(disk, name), 0);
        make_newer(faulty_os_find(disk, name), LOG_HEADER_SECOND_COPY);
        assert_false(log_script_open(script));
        assert_non_null(strstr(script->error, name));
        assert_non_null(strstr(script->error, "newer version"));
        assert_null(log_open_read_only(&options, script->error, sizeof script->error));
        assert_non_null(strstr(script->error, "newer version"));
        log_script_free(script);
        faulty_os_free(disk);
    }
}

static uint8_t *segment_data(struct faulty_os *disk, size_t index)
{
    return faulty_os_find(disk, faulty_os_name(disk, index))->data;
}

/* Killed while open; a payload, a record header and one header copy damaged; a torn write of 5 bytes at the end. */
static int golden_write(const char *folder)
{
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    struct buf reading;
    char error[256];
    if (!log_script_open(script))
        return 1;
    for (uint64_t id = 0; id < 30; id += 3)
        log_script_send(script, id, 3);
    uint64_t end = log_durable_position(script->log);
    uint64_t first = script->log->writer.segment.first;
    struct faulty_os *killed = faulty_os_kill_at(disk, faulty_os_op_count(disk));
    segment_data(killed, 1)[LOG_HEADER_BYTES + LOG_FRAME_HEADER_BYTES + 3] ^= 0x10;
    segment_data(killed, 2)[LOG_HEADER_BYTES + 9] ^= 0x01;
    memset(segment_data(killed, 3), 0xee, LOG_HEADER_COPY_BYTES);
    size_t last = 0;
    while (faulty_os_name(killed, last + 1) != NULL)
        last++;
    memset(segment_data(killed, last) + LOG_HEADER_BYTES + (end - first), 0xab, 5);
    for (size_t i = 0; i <= last; i++) {
        struct faulty_file *file = faulty_os_find(killed, faulty_os_name(killed, i));
        golden_write_file(folder, faulty_os_name(killed, i), file->data, file->size);
    }
    struct counters counters = {0};
    struct log *log = log_open_read_only(
        &(struct log_options){.folder = "log", .os = &killed->os, .counters = &counters}, error, sizeof error);
    if (log == NULL)
        return 1;
    golden_describe(log, &reading);
    golden_write_file(folder, READING, reading.data, reading.size);
    buf_release(&reading);
    log_close(log);
    log_script_free(script);
    faulty_os_free(killed);
    faulty_os_free(disk);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0)
        return golden_write(argv[2]);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden__a_log_of_format_1_reads_as_when_it_was_written),
        cmocka_unit_test(test_golden__a_log_of_format_1_is_gone_on_with),
        cmocka_unit_test(test_golden__any_segment_of_a_newer_format_refuses_the_start_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
