/* What a start makes of what was left: kills, crashes of the start itself, failing calls. log_states_test.c has the rest. */
#include "tests/support/log_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/log/log_internal.h"

#include <errno.h>

#define SCRIPT_IDS 44u

struct crash_run {
    struct faulty_os *disk;
    struct log_script *script;
    size_t states;
};

static void crash_run_begin(struct crash_run *run)
{
    run->disk = faulty_os_new();
    run->script = log_script_new(run->disk);
    assert_true(log_script_open(run->script));
    for (uint64_t id = 0, count = 1; id < SCRIPT_IDS; id += count, count = count % 5 + 1)
        log_script_send(run->script, id, id + count <= SCRIPT_IDS ? count : SCRIPT_IDS - id);
    log_script_close(run->script);
    for (size_t id = 0; id < SCRIPT_IDS; id++)
        assert_int_equal(run->script->results[id], APPEND_DURABLE);
}

static void crash_run_end(struct crash_run *run)
{
    log_script_free(run->script);
    faulty_os_free(run->disk);
}

/* Bit i of the answer: id i had been answered before journal entry op_count. */
static uint64_t acked_before(const struct faulty_os *disk, size_t op_count)
{
    uint64_t acked = 0, id;
    for (size_t op = 0; op < op_count; op++) {
        if (faulty_os_op_mark(disk, op, &id))
            acked |= 1ull << id;
    }
    return acked;
}

/* Each acked id once and all in order of sending; others at most once, too. */
static void assert_view_honours(const struct log_script_view *view, uint64_t acked)
{
    uint64_t seen = 0;
    assert_false(view->failed);
    for (size_t i = 0; i < view->count; i++) {
        assert_true(i == 0 || view->ids[i] > view->ids[i - 1]);
        seen |= 1ull << view->ids[i];
    }
    assert_int_equal(acked & ~seen, 0);
}

static void assert_open(struct log_script *script)
{
    if (!log_script_open(script))
        fail_msg("cannot open: %s", script->error);
}

static uint64_t ids_of(const struct log_script_view *view)
{
    uint64_t ids = 0;
    for (size_t i = 0; i < view->count; i++)
        ids |= 1ull << view->ids[i];
    return ids;
}

/* A crash, then a second one at any moment of the recovery and of the first append after it. */
static void test_recover__a_crash_during_recovery_loses_nothing(void **state)
{
    struct crash_run first = {0};
    (void)state;
    crash_run_begin(&first);
    size_t op_count = faulty_os_op_count(first.disk), states = 0;
    for (size_t op = 7; op <= op_count; op += 7) {
        struct crash_run second = {0};
        second.disk = faulty_os_crash(first.disk, op, &(struct faulty_choice){.mode = FAULTY_KEEP_RANDOM, .seed = op});
        second.script = log_script_new(second.disk);
        struct log_script_view view;
        assert_open(second.script);
        log_script_read(second.script, &view);
        assert_int_equal(acked_before(first.disk, op) & ~ids_of(&view), 0);
        log_script_send(second.script, 50, 3);
        log_script_close(second.script);
        size_t settled = 0; /* what the reader saw must hold from the end of the recovery on */
        for (size_t i = 0; i <= faulty_os_op_count(second.disk); i++) {
            for (uint64_t seed = 0; seed < 6; seed++, states++) {
                struct faulty_choice choice = {.mode = FAULTY_KEEP_RANDOM, .seed = i * 100 + seed};
                struct faulty_os *disk = faulty_os_crash(second.disk, i, &choice);
                struct log_script *script = log_script_new(disk);
                assert_open(script);
                log_script_read(script, &view);
                assert_view_honours(&view, acked_before(first.disk, op) | acked_before(second.disk, i));
                log_script_free(script);
                faulty_os_free(disk);
            }
            settled = i;
        }
        assert_true(settled > 0);
        crash_run_end(&second);
    }
    print_message("%zu states of a second crash\n", states);
    crash_run_end(&first);
}

/* Power fails at once after the start that followed the kill, and again after a first append. */
static size_t check_kill(const struct faulty_os *origin, size_t op_count)
{
    struct faulty_os *disk = faulty_os_kill_at(origin, op_count);
    struct log_script *script = log_script_new(disk);
    struct log_script_view view;
    uint64_t promised = acked_before(origin, op_count);
    assert_open(script);
    log_script_read(script, &view);
    assert_view_honours(&view, promised);
    promised |= ids_of(&view); /* a sink has seen them: they must stay */
    size_t opened = faulty_os_op_count(disk), states = 0;
    log_script_send(script, 50, 2);
    log_script_close(script);
    size_t ends[2] = {opened, faulty_os_op_count(disk)};
    for (size_t i = 0; i < 2; i++) {
        for (uint64_t seed = 0; seed < 3; seed++, states++) {
            struct faulty_choice choice = {.mode = seed == 0 ? FAULTY_KEEP_PREFIX : FAULTY_KEEP_RANDOM,
                                           .seed = op_count + seed};
            struct faulty_os *later = faulty_os_crash(disk, ends[i], &choice);
            struct log_script *again = log_script_new(later);
            assert_open(again);
            log_script_read(again, &view);
            assert_view_honours(&view, promised | acked_before(disk, ends[i]));
            log_script_free(again);
            faulty_os_free(later);
        }
    }
    log_script_free(script);
    faulty_os_free(disk);
    return states;
}

static void test_recover__what_was_read_after_a_kill_survives_a_power_loss(void **state)
{
    struct crash_run run = {0};
    (void)state;
    crash_run_begin(&run);
    for (size_t op = 0; op <= faulty_os_op_count(run.disk); op++)
        run.states += check_kill(run.disk, op);
    print_message("%zu states of a kill, then a power loss\n", run.states);
    crash_run_end(&run);
}

/*
 * A sync fails: the kernel keeps the pages but calls them clean. The process is killed before it can cut the segment;
 * the next one finds the records in the page cache, shows them to readers, and must have written them again, as a
 * second sync alone would do nothing. Every call fails once, and after each journal entry the process is killed.
 */
static void test_recover__pages_of_a_failed_sync_are_written_again(void **state)
{
    (void)state;
    size_t states = 0;
    bool reached = true;
    for (uint64_t call = 0; reached; call++) {
        struct faulty_os *disk = faulty_os_new();
        struct log_script *script = log_script_new(disk);
        assert_open(script);
        faulty_os_fail(disk, call, 1, FAULTY_ERROR, EIO);
        for (uint64_t id = 0; id < 12; id += 3)
            log_script_send(script, id, 3);
        reached = faulty_os_has_failed(disk);
        faulty_os_fail(disk, 0, 0, FAULTY_ERROR, 0);
        log_script_close(script);
        for (size_t op = 0; op <= faulty_os_op_count(disk); op++)
            states += check_kill(disk, op);
        log_script_free(script);
        faulty_os_free(disk);
    }
    print_message("%zu states of a failed call, a kill, then a power loss\n", states);
}

static void test_recover__failing_any_call_of_the_start_loses_nothing(void **state)
{
    (void)state;
    struct crash_run run = {0};
    crash_run_begin(&run);
    const enum faulty_fault faults[] = {FAULTY_ERROR, FAULTY_SHORT, FAULTY_AFTER};
    for (size_t i = 0; i < 3; i++) {
        bool reached = true;
        for (uint64_t call = 0; reached; call++) {
            struct faulty_os *disk =
                faulty_os_crash(run.disk, faulty_os_op_count(run.disk), &(struct faulty_choice){0});
            struct log_script *script = log_script_new(disk);
            struct log_script_view view;
            faulty_os_fail(disk, call, 1, faults[i], EIO);
            bool opened = log_script_open(script);
            reached = faulty_os_has_failed(disk);
            assert_true(opened || script->error[0] != '\0');
            faulty_os_fail(disk, 0, 0, FAULTY_ERROR, 0);
            if (opened)
                log_script_send(script, 50, 2);
            if (opened)
                log_script_close(script);
            faulty_os_kill(disk);
            assert_open(script);
            log_script_read(script, &view);
            assert_view_honours(&view, ((1ull << SCRIPT_IDS) - 1) | (opened ? 3ull << 50 : 0));
            log_script_free(script);
            faulty_os_free(disk);
        }
    }
    crash_run_end(&run);
}

static struct faulty_os *disk_with(uint64_t ids)
{
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    assert_open(script);
    for (uint64_t id = 0; id < ids; id++)
        log_script_send(script, id, 1);
    log_script_free(script);
    return disk;
}

static void test_recover__an_empty_folder_is_an_empty_log(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    struct log_script_view view;
    assert_open(script);
    assert_int_equal(log_first_position(script->log), 0);
    assert_int_equal(log_durable_position(script->log), 0);
    log_script_read(script, &view);
    assert_int_equal(view.count + view.corrupt, 0);
    assert_null(faulty_os_name(disk, 0));
    log_script_free(script);
    faulty_os_free(disk);
}

static void test_recover__a_newer_format_is_refused_by_name(void **state)
{
    (void)state;
    struct faulty_os *disk = disk_with(2);
    struct log_script *script = log_script_new(disk);
    struct faulty_file *file = faulty_os_find(disk, faulty_os_name(disk, 0));
    /* Format 2 with a checksum that fits, as its own program would have written it (golden: both copies). */
    extern uint32_t crc32c(uint32_t seed, struct slice bytes);
    for (size_t at = 0; at <= LOG_HEADER_SECOND_COPY; at += LOG_HEADER_SECOND_COPY) {
        file->data[at + 8] = 2;
        uint32_t sum = crc32c(0, slice_of(file->data + at, 60));
        for (int i = 0; i < 4; i++)
            file->data[at + 60 + (size_t)i] = (uint8_t)(sum >> (8 * i));
    }
    assert_false(log_script_open(script));
    assert_non_null(strstr(script->error, "0000000000000000.vtlog"));
    assert_non_null(strstr(script->error, "newer version"));
    log_script_free(script);
    faulty_os_free(disk);
}

static void test_recover__foreign_files_are_left_and_unfinished_segments_removed(void **state)
{
    (void)state;
    struct faulty_os *disk = disk_with(1);
    struct log_script *script = log_script_new(disk);
    const char *foreign[] = {"README",
                             "0000.vtlog",
                             "000000000000000G.vtlog",
                             "0000000000000ABC.vtlog",
                             "0000000000000010.vtlog.old",
                             "0000000000000010.vtlogx"};
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        faulty_os_put(disk, foreign[i], "x", 1);
    faulty_os_put(disk, "0000000000000010.vtlog.new", "x", 1);
    assert_open(script);
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        assert_non_null(faulty_os_find(disk, foreign[i]));
    assert_null(faulty_os_find(disk, "0000000000000010.vtlog.new"));
    assert_int_equal(counters_find(&script->counters, COUNTER_LOG_SEGMENTS), 1);
    assert_int_equal(counters_find(&script->counters, COUNTER_LOG_RECOVERED), 1);
    log_script_free(script);
    faulty_os_free(disk);
}

static void test_recover__a_torn_tail_is_cut_and_counted(void **state)
{
    (void)state;
    struct faulty_os *disk = disk_with(2);
    struct log_script *script = log_script_new(disk);
    struct log_script_view view;
    struct faulty_file *file = faulty_os_find(disk, faulty_os_name(disk, 0));
    size_t whole = file->size;
    faulty_os_put(disk, "keep", file->data, whole);
    uint8_t longer[8192] = {0};
    memcpy(longer, file->data, whole);
    longer[whole + 9] = 1;
    faulty_os_put(disk, faulty_os_name(disk, 0), longer, whole + 500);
    assert_open(script);
    log_script_read(script, &view);
    assert_int_equal(view.count, 2);
    assert_int_equal(view.corrupt, 0);
    assert_int_equal(counters_find(&script->counters, COUNTER_LOG_TORN_BYTES), 10);
    assert_int_equal(faulty_os_find(disk, faulty_os_name(disk, 0))->size, whole);
    log_script_free(script);
    faulty_os_free(disk);
}

/* Both header copies gone: the file may hold acked records, so it is not touched, and positions go on behind it. */
static void test_recover__a_last_segment_without_header_is_left_and_passed(void **state)
{
    (void)state;
    struct faulty_os *disk = disk_with(3);
    struct log_script *script = log_script_new(disk);
    struct log_script_view view;
    char name[FAULTY_NAME_MAX];
    snprintf(name, sizeof name, "%s", faulty_os_name(disk, 0));
    struct faulty_file *file = faulty_os_find(disk, name);
    file->data[3] ^= 1;
    file->data[LOG_HEADER_SECOND_COPY + 3] ^= 1;
    size_t size = file->size;
    assert_open(script);
    log_script_send(script, 100, 1);
    log_script_read(script, &view);
    assert_int_equal(view.count, 1);
    assert_int_equal(view.ids[0], 100);
    assert_int_equal(view.corrupt, 1);
    assert_int_equal(faulty_os_find(disk, name)->size, size);
    assert_true(script->positions[100] >= size - LOG_HEADER_BYTES);
    log_script_free(script);
    faulty_os_free(disk);
}

static void test_recover__a_restart_goes_on_in_the_same_segment(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    struct log_script_view view;
    script->segment_bytes = 1 << 20;
    for (uint64_t id = 0; id < 20; id++) {
        assert_open(script);
        log_script_send(script, id, 1);
        log_script_close(script);
    }
    assert_open(script);
    log_script_read(script, &view);
    assert_int_equal(view.count, 20);
    assert_int_equal(counters_find(&script->counters, COUNTER_LOG_SEGMENTS), 1);
    log_script_free(script);
    faulty_os_free(disk);
}

static void test_recover__missing_old_segments_move_the_first_position(void **state)
{
    (void)state;
    struct faulty_os *disk = disk_with(30);
    struct log_script *script = log_script_new(disk);
    struct log_script_view view;
    uint64_t first;
    faulty_os_remove(disk, faulty_os_name(disk, 0));
    assert_true(log_segment_parse_name(faulty_os_name(disk, 0), &first));
    assert_open(script);
    assert_int_equal(log_first_position(script->log), first);
    assert_true(first > 0);
    log_script_read(script, &view);
    assert_false(view.failed);
    assert_int_equal(view.corrupt, 0);
    assert_int_equal(view.ids[view.count - 1], 29);
    log_script_free(script);
    faulty_os_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_recover__a_crash_during_recovery_loses_nothing),
        cmocka_unit_test(test_recover__what_was_read_after_a_kill_survives_a_power_loss),
        cmocka_unit_test(test_recover__pages_of_a_failed_sync_are_written_again),
        cmocka_unit_test(test_recover__failing_any_call_of_the_start_loses_nothing),
        cmocka_unit_test(test_recover__an_empty_folder_is_an_empty_log),
        cmocka_unit_test(test_recover__a_newer_format_is_refused_by_name),
        cmocka_unit_test(test_recover__foreign_files_are_left_and_unfinished_segments_removed),
        cmocka_unit_test(test_recover__a_torn_tail_is_cut_and_counted),
        cmocka_unit_test(test_recover__a_last_segment_without_header_is_left_and_passed),
        cmocka_unit_test(test_recover__a_restart_goes_on_in_the_same_segment),
        cmocka_unit_test(test_recover__missing_old_segments_move_the_first_position),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
