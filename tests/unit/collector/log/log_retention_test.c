#include "tests/support/log_script.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "collector/log/log_internal.h"

#include <errno.h>
#include <stdlib.h>

#define DAY_US  (24ull * 3600 * 1000000)
#define HOUR_US (3600ull * 1000000)

/* Both clocks of the disk are now_us; the sweep's own minute has passed, and an append makes the writer look. */
static void pass_time(struct faulty_os *disk, uint64_t us)
{
    pthread_mutex_lock(&disk->lock);
    disk->now_us += us;
    pthread_mutex_unlock(&disk->lock);
}

static struct log_script *script_with(struct faulty_os *disk, uint64_t retention_us, uint64_t segments_max)
{
    struct log_script *script = log_script_new(disk);
    script->retention_us = retention_us;
    script->bytes_max = segments_max * LOG_SCRIPT_SEGMENT_BYTES;
    assert_true(log_script_open(script));
    return script;
}

static uint64_t count_of(struct log_script *script, enum counter counter)
{
    return counters_find(&script->counters, counter);
}

/* The ids that are readable are the last ones, without a hole, and positions are what was answered. */
static uint64_t assert_newest_are_left(struct log_script *script, uint64_t ids)
{
    struct log_script_view *view = malloc(sizeof *view);
    assert_non_null(view);
    log_script_read(script, view);
    assert_false(view->failed);
    assert_int_equal(view->corrupt, 0);
    for (size_t i = 0; i < view->count; i++) {
        assert_int_equal(view->ids[i], ids - view->count + i);
        assert_int_equal(view->positions[i], script->positions[view->ids[i]]);
    }
    uint64_t left = view->count;
    free(view);
    return left;
}

static void end(struct log_script *script, struct faulty_os *disk)
{
    log_script_free(script);
    faulty_os_free(disk);
}

static void test_retention__what_is_old_and_read_goes_one_segment_a_sweep(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_with(disk, DAY_US, 100);
    log_script_send(script, 0, 60);
    uint64_t segments = count_of(script, COUNTER_LOG_SEGMENTS);
    assert_true(segments > 5);
    log_hold(script->log, log_durable_position(script->log));
    pass_time(disk, DAY_US - HOUR_US);
    log_script_send(script, 60, 1);
    assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_AGE), 0);
    pass_time(disk, 2 * HOUR_US);
    for (uint64_t i = 0; i < segments + 3; i++) {
        log_script_send(script, 61 + i, 1);
        pass_time(disk, 61000000);
    }
    log_script_send(script, 64 + segments, 1);
    assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_AGE), segments - 1); /* the newest was open until today */
    assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_UNREAD), 0);
    assert_true(log_first_position(script->log) > 0);
    assert_newest_are_left(script, 65 + segments);
    end(script, disk);
}

static void test_retention__nothing_is_removed_by_age_before_it_was_read(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_with(disk, DAY_US, 100);
    log_script_send(script, 0, 40);
    for (uint64_t i = 0; i < 5; i++) {
        pass_time(disk, DAY_US);
        log_script_send(script, 40 + i, 1);
    }
    assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_AGE), 0);
    struct log_oldest oldest;
    assert_true(log_table_oldest(&script->log->table, UINT64_MAX, &oldest));
    log_hold(script->log, oldest.end - 8);
    pass_time(disk, DAY_US);
    log_script_send(script, 45, 1);
    assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_AGE), 0);
    log_hold(script->log, oldest.end);
    for (uint64_t i = 0; i < 3; i++) {
        pass_time(disk, DAY_US);
        log_script_send(script, 46 + i, 1);
    }
    assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_AGE), 1);
    assert_int_equal(log_first_position(script->log), oldest.end);
    end(script, disk);
}

static void test_retention__the_bytes_never_pass_the_maximum(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_with(disk, DAY_US, 4);
    for (uint64_t i = 0; i < 100; i++) {
        log_script_send(script, i, 1);
        assert_int_equal(script->results[i], APPEND_DURABLE);
        assert_true(faulty_os_name(disk, 5) == NULL);
        assert_true(count_of(script, COUNTER_LOG_BYTES) <= 4 * LOG_SCRIPT_SEGMENT_BYTES);
        log_hold(script->log, log_durable_position(script->log));
    }
    assert_true(count_of(script, COUNTER_LOG_REMOVED_BYTES) > 5);
    assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_UNREAD), 0);
    assert_true(assert_newest_are_left(script, 100) > 5);
    log_script_close(script);
    assert_true(log_script_open(script));
    assert_true(assert_newest_are_left(script, 100) > 5);
    end(script, disk);
}

static void test_retention__an_unread_segment_that_the_maximum_takes_is_counted(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_with(disk, DAY_US, 4);
    script->finals = UINT64_MAX;
    for (uint64_t i = 0; i < 100; i++)
        log_script_send(script, i, 1);
    assert_true(count_of(script, COUNTER_LOG_REMOVED_UNREAD) > 5);
    assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_UNREAD), count_of(script, COUNTER_LOG_REMOVED_BYTES));
    assert_newest_are_left(script, 100);
    end(script, disk);
}

static void test_retention__when_the_reader_is_far_behind_only_final_beacons_are_taken(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    script->segment_bytes = 64 << 10;
    script->bytes_max = 128 << 10;
    assert_true(log_script_open(script));
    uint64_t id = 0;
    do
        log_script_send(script, id, 1);
    while (script->results[id++] == APPEND_DURABLE && id < 450);
    assert_int_equal(script->results[id - 1], APPEND_DISK_FULL);
    assert_true(log_durable_position(script->log) > (128 << 10) / 5 * 4);
    assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_BYTES), 0);
    script->finals = 1ull << id % 64 | 1ull << (id + 2) % 64;
    log_script_send(script, id, 4);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(script->results[id + i], i % 2 == 0 ? APPEND_DURABLE : APPEND_DISK_FULL);
    for (uint64_t i = 0; i < 4; i++)
        assert_int_equal(script->order[id + i], id + i);
    assert_int_equal(count_of(script, COUNTER_LOG_HEADROOM_REFUSED), 3);
    log_hold(script->log, log_durable_position(script->log));
    log_script_send(script, id + 4, 1);
    assert_int_equal(script->results[id + 4], APPEND_DURABLE);
    end(script, disk);
}

static void test_retention__headroom_above_the_floor_is_for_final_beacons(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    script->free_bytes_floor = 1 << 20;
    script->headroom_bytes = 4 * LOG_SCRIPT_SEGMENT_BYTES;
    faulty_os_set_disk(disk, (1 << 20) + 4 * LOG_SCRIPT_SEGMENT_BYTES - 1);
    assert_true(log_script_open(script));
    script->finals = 1ull << 1;
    log_script_send(script, 0, 2);
    assert_int_equal(script->results[0], APPEND_DISK_FULL);
    assert_int_equal(script->results[1], APPEND_DURABLE);
    faulty_os_set_disk(disk, (1 << 20) - 1);
    script->finals = UINT64_MAX;
    log_script_send(script, 2, 1);
    assert_int_equal(script->results[2], APPEND_DISK_FULL);
    faulty_os_set_disk(disk, (1 << 20) + 6 * LOG_SCRIPT_SEGMENT_BYTES);
    script->finals = 0;
    log_script_send(script, 3, 1);
    assert_int_equal(script->results[3], APPEND_DURABLE);
    end(script, disk);
}

static int64_t wall_offset_us;

static uint64_t wall_clock(void *context)
{
    struct faulty_os *disk = context;
    return (uint64_t)((int64_t)disk->os.mono_us(disk) + wall_offset_us);
}

static void test_retention__a_jump_of_the_wall_clock_removes_nothing(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    disk->os.unix_us = wall_clock;
    wall_offset_us = 0;
    struct log_script *script = script_with(disk, DAY_US, 100);
    log_script_send(script, 0, 20);
    wall_offset_us = (int64_t)(30 * 365 * DAY_US);
    log_script_send(script, 20, 20);
    wall_offset_us = -(int64_t)(30 * 365 * DAY_US);
    log_script_send(script, 40, 20);
    log_hold(script->log, log_durable_position(script->log));
    for (uint64_t i = 0; i < 20; i++) {
        pass_time(disk, 61000000);
        log_script_send(script, 60 + i, 1);
    }
    assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_AGE), 0);
    end(script, disk);
}

/* As a machine does that has no clock of its own: it begins in 1996 and learns better later, or the other way round. */
static void test_retention__what_was_written_under_a_wrong_clock_stays_when_it_is_right(void **state)
{
    (void)state;
    const int64_t years[] = {-27, 30};
    for (size_t i = 0; i < 2; i++) {
        struct faulty_os *disk = faulty_os_new();
        disk->os.unix_us = wall_clock;
        wall_offset_us = years[i] * 365 * (int64_t)DAY_US;
        struct log_script *script = script_with(disk, DAY_US, 100);
        log_script_send(script, 0, 40);
        log_script_close(script);
        wall_offset_us = 0;
        assert_true(log_script_open(script));
        log_script_send(script, 40, 40);
        log_hold(script->log, log_durable_position(script->log));
        for (uint64_t sweep = 0; sweep < 20; sweep++) {
            pass_time(disk, 61000000);
            log_script_send(script, 80 + sweep, 1);
        }
        assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_AGE), 0);
        pass_time(disk, 2 * DAY_US); /* all that is closed is old now, whatever it is dated */
        /* The writer may sweep only after the time has passed again: at least every second one removes a segment. */
        for (uint64_t sweep = 0; sweep < 10; sweep++) {
            log_hold(script->log, log_durable_position(script->log));
            pass_time(disk, 61000000);
            log_script_send(script, 100 + sweep, 1);
        }
        assert_true(count_of(script, COUNTER_LOG_REMOVED_AGE) >= 3);
        end(script, disk);
    }
}

static void test_retention__a_start_by_whose_clock_all_is_old_removes_nothing_for_an_hour(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    disk->os.unix_us = wall_clock;
    wall_offset_us = 0;
    struct log_script *script = script_with(disk, DAY_US, 100);
    log_script_send(script, 0, 40);
    log_script_close(script);
    wall_offset_us = 30 * 365 * (int64_t)DAY_US;
    assert_true(log_script_open(script));
    log_hold(script->log, log_durable_position(script->log));
    for (uint64_t minute = 0; minute < 58; minute++) {
        pass_time(disk, 61000000);
        log_script_send(script, 40 + minute, 1);
    }
    assert_int_equal(count_of(script, COUNTER_LOG_REMOVED_AGE), 0);
    for (uint64_t minute = 58; minute < 64; minute++) {
        pass_time(disk, 61000000);
        log_script_send(script, 40 + minute, 1);
    }
    assert_true(count_of(script, COUNTER_LOG_REMOVED_AGE) > 0);
    end(script, disk);
}

static void test_retention__a_failing_call_of_a_sweep_loses_nothing_and_is_tried_again(void **state)
{
    (void)state;
    for (uint64_t call = 0; call < 12; call++) {
        for (int fault = FAULTY_ERROR; fault <= FAULTY_AFTER; fault++) {
            struct faulty_os *disk = faulty_os_new();
            struct log_script *script = script_with(disk, DAY_US, 4);
            log_script_send(script, 0, 12);
            uint64_t id = 12;
            faulty_os_fail(disk, call, 1, (enum faulty_fault)fault, EIO);
            for (; id < 60; id++) {
                log_hold(script->log, log_durable_position(script->log));
                log_script_send(script, id, 1);
            }
            faulty_os_fail(disk, 0, 0, FAULTY_ERROR, 0);
            assert_true(count_of(script, COUNTER_LOG_BYTES) <= 4 * LOG_SCRIPT_SEGMENT_BYTES);
            assert_int_equal(script->results[59], APPEND_DURABLE);
            struct log_script_view *view = malloc(sizeof *view);
            assert_non_null(view);
            log_script_read(script, view);
            assert_false(view->failed);
            assert_int_equal(view->corrupt, 0);
            free(view);
            end(script, disk);
        }
    }
}

static void test_retention__a_reader_inside_a_removed_segment_goes_on_at_the_first_one_left(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_with(disk, DAY_US, 4);
    struct log_record record;
    log_script_send(script, 0, 12);
    struct log_reader *reader = log_reader_new(script->log, 0);
    struct log_reader *late = log_reader_new(script->log, 0);
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
    uint64_t next = record.next_position;
    log_script_send(script, 12, 60);
    uint64_t first = log_first_position(script->log);
    assert_true(first > next);
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_CORRUPT);
    assert_int_equal(record.position, next);
    assert_int_equal(record.next_position, first);
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
    assert_int_equal(record.position, first);
    assert_int_equal(log_reader_next(late, &record), LOG_READ_CORRUPT);
    assert_int_equal(record.next_position, first);
    log_reader_free(reader);
    log_reader_free(late);
    end(script, disk);
}

static void test_retention__a_power_loss_at_any_entry_leaves_a_log_of_whole_segments(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_with(disk, DAY_US, 4);
    script->finals = UINT64_MAX;
    for (uint64_t i = 0; i < 40; i++)
        log_script_send(script, i, 1);
    for (size_t op = 0; op <= faulty_os_op_count(disk); op++) {
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct faulty_choice choice = {.mode = FAULTY_KEEP_RANDOM, .seed = op * 4 + seed};
            struct faulty_os *after = faulty_os_crash(disk, op, &choice);
            struct log_script *again = log_script_new(after);
            again->retention_us = DAY_US;
            again->bytes_max = 4 * LOG_SCRIPT_SEGMENT_BYTES;
            again->finals = UINT64_MAX;
            assert_true(log_script_open(again));
            log_script_send(again, 100, 1);
            assert_int_equal(again->results[100], APPEND_DURABLE);
            struct log_script_view *view = malloc(sizeof *view);
            assert_non_null(view);
            log_script_read(again, view);
            assert_false(view->failed);
            for (size_t i = 1; i + 1 < view->count; i++)
                assert_true(view->ids[i] > view->ids[i - 1]);
            assert_int_equal(view->ids[view->count - 1], 100);
            free(view);
            end(again, after);
        }
    }
    end(script, disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_retention__what_is_old_and_read_goes_one_segment_a_sweep),
        cmocka_unit_test(test_retention__nothing_is_removed_by_age_before_it_was_read),
        cmocka_unit_test(test_retention__the_bytes_never_pass_the_maximum),
        cmocka_unit_test(test_retention__an_unread_segment_that_the_maximum_takes_is_counted),
        cmocka_unit_test(test_retention__when_the_reader_is_far_behind_only_final_beacons_are_taken),
        cmocka_unit_test(test_retention__headroom_above_the_floor_is_for_final_beacons),
        cmocka_unit_test(test_retention__a_jump_of_the_wall_clock_removes_nothing),
        cmocka_unit_test(test_retention__what_was_written_under_a_wrong_clock_stays_when_it_is_right),
        cmocka_unit_test(test_retention__a_start_by_whose_clock_all_is_old_removes_nothing_for_an_hour),
        cmocka_unit_test(test_retention__a_failing_call_of_a_sweep_loses_nothing_and_is_tried_again),
        cmocka_unit_test(test_retention__a_reader_inside_a_removed_segment_goes_on_at_the_first_one_left),
        cmocka_unit_test(test_retention__a_power_loss_at_any_entry_leaves_a_log_of_whole_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
