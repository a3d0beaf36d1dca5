#include "tests/support/log_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/log/log_internal.h"

#include <errno.h>

#define IDS 14u

static struct log_script *script_on(struct faulty_os *disk)
{
    struct log_script *script = log_script_new(disk);
    if (!log_script_open(script))
        fail_msg("cannot open: %s", script->error);
    return script;
}

static struct faulty_os *disk_with(uint64_t ids)
{
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_on(disk);
    for (uint64_t id = 0; id < ids; id++)
        log_script_send(script, id, 1);
    log_script_free(script);
    return disk;
}

static void end(struct log_script *script, struct faulty_os *disk)
{
    log_script_free(script);
    faulty_os_free(disk);
}

static void test_reader__crosses_segments_and_follows_the_writer(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_on(disk);
    struct log_reader *reader = log_reader_new(script->log, 0);
    struct log_record record;
    uint64_t id, position = 0;
    for (uint64_t next = 0; next < 50; next++) {
        assert_int_equal(log_reader_next(reader, &record), LOG_READ_END);
        assert_int_equal(log_wait(script->log, position, 0), position);
        log_script_send(script, next, 1);
        assert_true(log_wait(script->log, position, 60000) > position);
        assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
        assert_true(log_script_identify(&record, &id));
        assert_int_equal(id, next);
        assert_int_equal(record.position, position);
        assert_int_equal(record.position, script->positions[next]);
        position = record.next_position;
    }
    assert_true(counters_find(&script->counters, COUNTER_LOG_SEGMENTS) > 5);
    log_reader_free(reader);
    end(script, disk);
}

/* A reader stands at the end of a segment that is then poisoned: it must find the successor, not the failed bytes. */
static void test_reader__goes_on_behind_a_poisoned_segment(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_on(disk);
    struct log_reader *reader = log_reader_new(script->log, 0);
    struct log_record record;
    uint64_t id;
    log_script_send(script, 0, 1);
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
    faulty_os_fail(disk, 2, 1, FAULTY_AFTER, EIO); /* fdatasync of the commit */
    log_script_send(script, 1, 1);
    assert_int_equal(script->results[1], APPEND_IO_ERROR);
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_END);
    log_script_send(script, 2, 1);
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
    assert_true(log_script_identify(&record, &id));
    assert_int_equal(id, 2);
    log_reader_free(reader);
    end(script, disk);
}

static void test_reader__seeks_to_any_position_it_gave(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_on(disk);
    struct log_reader *reader = log_reader_new(script->log, 0);
    struct log_record record;
    uint64_t id;
    log_script_send(script, 0, 40);
    for (uint64_t i = 0; i < 200; i++) {
        uint64_t wanted = i * 29 % 40;
        log_reader_seek(reader, script->positions[wanted]);
        assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
        assert_true(log_script_identify(&record, &id));
        assert_int_equal(id, wanted);
    }
    log_reader_free(reader);
    end(script, disk);
}

static void test_reader__finds_its_way_from_a_position_where_no_record_starts(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_on(disk);
    struct log_reader *reader = log_reader_new(script->log, 0);
    struct log_record record;
    log_script_send(script, 0, 3);
    for (uint64_t position = 1; position < script->positions[1]; position++) {
        log_reader_seek(reader, position);
        assert_int_equal(log_reader_next(reader, &record), LOG_READ_CORRUPT);
        assert_int_equal(record.position, position);
        assert_int_equal(record.next_position, script->positions[1]);
        assert_int_equal(record.payload.size, 0);
        assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
    }
    log_reader_seek(reader, UINT64_MAX);
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_END);
    log_reader_free(reader);
    end(script, disk);
}

/* Which record owns this byte of this file: its id, or IDS for the file's header. */
static size_t owner_of(const struct log_script *origin, uint64_t first, size_t offset)
{
    if (offset < LOG_HEADER_BYTES)
        return IDS;
    size_t owner = 0;
    while (owner + 1 < IDS && origin->positions[owner + 1] <= first + (offset - LOG_HEADER_BYTES))
        owner++;
    return owner;
}

static void check_flip(struct log_script *origin, struct faulty_os *disk, const char *name, size_t offset, uint8_t mask)
{
    uint64_t first;
    struct log_script_view view;
    struct faulty_os *copy = faulty_os_crash(disk, 0, &(struct faulty_choice){0});
    for (size_t i = 0; faulty_os_name(disk, i) != NULL; i++) {
        struct faulty_file *file = faulty_os_find(disk, faulty_os_name(disk, i));
        faulty_os_put(copy, faulty_os_name(disk, i), file->data, file->size);
    }
    faulty_os_find(copy, name)->data[offset] ^= mask;
    assert_true(log_segment_parse_name(name, &first));
    size_t owner = owner_of(origin, first, offset), expected = 0;
    struct log_script *script = script_on(copy);
    log_script_read(script, &view);
    assert_false(view.failed);
    assert_int_equal(view.count, owner == IDS ? IDS : IDS - 1);
    for (size_t i = 0; i < view.count; i++, expected++) {
        expected += expected == owner;
        assert_int_equal(view.ids[i], expected);
    }
    uint64_t torn = counters_find(&script->counters, COUNTER_LOG_TORN_BYTES);
    assert_int_equal(view.corrupt + (torn > 0), owner == IDS ? 0 : 1);
    end(script, copy);
}

/* One bit in every byte of every file: either it does not matter, or exactly the record it is in is reported lost. */
static void test_reader__a_bit_flip_in_any_byte_is_detected_and_confined(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *origin = script_on(disk);
    size_t flips = 0, files = 0;
    for (uint64_t id = 0; id < IDS; id++)
        log_script_send(origin, id, 1);
    log_script_close(origin);
    for (; faulty_os_name(disk, files) != NULL; files++) {
        const char *name = faulty_os_name(disk, files);
        for (size_t offset = 0; offset < faulty_os_find(disk, name)->size; offset++, flips++) {
            bool unread = offset >= LOG_HEADER_COPY_BYTES && offset < LOG_HEADER_BYTES;
            if (!unread || offset % 64 == 0)
                check_flip(origin, disk, name, offset, (uint8_t)(1u << (flips * 5 + flips / 8) % 8));
        }
    }
    assert_true(files > 2);
    end(origin, disk);
}

static void test_reader__a_missing_segment_is_passed_and_reported_once(void **state)
{
    (void)state;
    struct faulty_os *disk = disk_with(40);
    uint64_t first, next;
    assert_true(log_segment_parse_name(faulty_os_name(disk, 2), &next));
    struct log_script *script = script_on(disk);
    assert_true(log_segment_parse_name(faulty_os_name(disk, 1), &first));
    faulty_os_remove(disk, faulty_os_name(disk, 1)); /* while the log is open, as retention would */
    struct log_reader *reader = log_reader_new(script->log, first);
    struct log_record record;
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_CORRUPT);
    assert_int_equal(record.position, first);
    assert_int_equal(record.next_position, next);
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
    log_reader_free(reader);
    end(script, disk);
}

static void test_reader__below_the_first_position_it_is_sent_to_the_first(void **state)
{
    (void)state;
    struct faulty_os *disk = disk_with(30);
    faulty_os_remove(disk, faulty_os_name(disk, 0));
    struct log_script *script = script_on(disk);
    struct log_reader *reader = log_reader_new(script->log, 0);
    struct log_record record;
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_CORRUPT);
    assert_int_equal(record.next_position, log_first_position(script->log));
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
    log_reader_free(reader);
    end(script, disk);
}

static void test_reader__any_failing_call_is_an_error_and_the_next_try_goes_on(void **state)
{
    (void)state;
    struct faulty_os *disk = disk_with(20);
    struct log_script *script = script_on(disk);
    bool reached = true;
    for (uint64_t call = 0; reached; call++) {
        struct log_reader *reader = log_reader_new(script->log, 0);
        struct log_record record;
        enum log_read_status status;
        uint64_t expected = 0, id, failures = 0;
        faulty_os_fail(disk, call, 1, FAULTY_ERROR, EIO);
        while ((status = log_reader_next(reader, &record)) != LOG_READ_END) {
            assert_int_not_equal(status, LOG_READ_CORRUPT);
            failures += status == LOG_READ_ERROR;
            if (status == LOG_READ_RECORD) {
                assert_true(log_script_identify(&record, &id));
                assert_int_equal(id, expected++);
            }
        }
        reached = faulty_os_has_failed(disk);
        assert_true(failures <= 1);
        assert_int_equal(expected, 20);
        log_reader_free(reader);
    }
    end(script, disk);
}

/* A payload full of record headers that are right in all but the salt; then its own header is damaged. */
static void test_reader__forged_records_inside_a_damaged_one_are_not_believed(void **state)
{
    (void)state;
    struct faulty_os *disk = disk_with(1);
    const char *name = faulty_os_name(disk, 0);
    struct faulty_file *file = faulty_os_find(disk, name);
    uint8_t bytes[LOG_HEADER_BYTES + 4096] = {0};
    uint32_t salt = (uint32_t)file->data[32] | (uint32_t)file->data[33] << 8 | (uint32_t)file->data[34] << 16 |
                    (uint32_t)file->data[35] << 24;
    memcpy(bytes, file->data, LOG_HEADER_BYTES);
    for (uint32_t at = 48; at + 48 < 4048; at += 48) {
        struct log_frame forged = {.distance = at, .type = APPEND_BEACON};
        log_frame_encode(&forged, salt ^ 1u, bytes + LOG_HEADER_BYTES + at);
    }
    struct log_frame outer = {.payload_bytes = 4000, .type = APPEND_BEACON};
    outer.payload_crc = log_frame_payload_crc(slice_of(bytes + LOG_HEADER_BYTES + 48, 4000));
    log_frame_encode(&outer, salt, bytes + LOG_HEADER_BYTES);
    struct log_frame last = {.distance = 4048, .type = APPEND_BEACON, .batch = 4048};
    log_frame_encode(&last, salt, bytes + LOG_HEADER_BYTES + 4048);
    bytes[LOG_HEADER_BYTES + 17] ^= 4;
    faulty_os_put(disk, name, bytes, sizeof bytes);
    struct log_script *script = script_on(disk);
    struct log_reader *reader = log_reader_new(script->log, 0);
    struct log_record record;
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_CORRUPT);
    assert_int_equal(record.next_position, 4048);
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_END);
    log_reader_free(reader);
    end(script, disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reader__crosses_segments_and_follows_the_writer),
        cmocka_unit_test(test_reader__goes_on_behind_a_poisoned_segment),
        cmocka_unit_test(test_reader__seeks_to_any_position_it_gave),
        cmocka_unit_test(test_reader__finds_its_way_from_a_position_where_no_record_starts),
        cmocka_unit_test(test_reader__a_bit_flip_in_any_byte_is_detected_and_confined),
        cmocka_unit_test(test_reader__a_missing_segment_is_passed_and_reported_once),
        cmocka_unit_test(test_reader__below_the_first_position_it_is_sent_to_the_first),
        cmocka_unit_test(test_reader__any_failing_call_is_an_error_and_the_next_try_goes_on),
        cmocka_unit_test(test_reader__forged_records_inside_a_damaged_one_are_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
