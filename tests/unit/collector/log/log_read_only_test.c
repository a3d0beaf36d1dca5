#include "tests/support/log_script.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "collector/log/log_internal.h"

#include <errno.h>
#include <stdlib.h>

/* Opens read-only and reads all of it into `view`. */
static void look(struct faulty_os *disk, struct log_script_view *view, struct counters *counters)
{
    char error[256] = "";
    struct log_script *script = log_script_new(disk);
    script->log = log_open_read_only(
        &(struct log_options){.folder = "log", .os = &disk->os, .counters = counters}, error, sizeof error);
    if (script->log == NULL)
        fail_msg("%s", error);
    log_script_read(script, view);
    log_script_free(script);
}

static void test_read_only__shows_what_a_start_would_keep_and_changes_nothing(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    struct log_script_view *seen = malloc(sizeof *seen), *kept = malloc(sizeof *kept);
    assert_true(log_script_open(script) && seen != NULL && kept != NULL);
    for (uint64_t i = 0; i < 24; i += 3)
        log_script_send(script, i, 3);
    uint64_t torn = 0;
    for (size_t i = 4; i <= 4 * faulty_os_op_count(disk); i++) {
        size_t op = i / 4;
        struct faulty_choice choice = {.mode = FAULTY_KEEP_PREFIX, .kept = i % 4 == 3, .sectors = i % 4};
        struct faulty_os *crashed = faulty_os_crash(disk, op, &choice), *same = faulty_os_crash(disk, op, &choice);
        struct counters counters = {0};
        look(crashed, seen, &counters);
        assert_true(faulty_os_same(crashed, same));
        struct log_script *again = log_script_new(same);
        assert_true(log_script_open(again));
        log_script_read(again, kept);
        assert_int_equal(seen->count, kept->count);
        assert_memory_equal(seen->positions, kept->positions, kept->count * sizeof kept->positions[0]);
        assert_int_equal(counters_find(&counters, COUNTER_LOG_TORN_BYTES),
                         counters_find(&again->counters, COUNTER_LOG_TORN_BYTES));
        torn += counters_find(&counters, COUNTER_LOG_TORN_BYTES);
        log_script_free(again);
        faulty_os_free(crashed);
        faulty_os_free(same);
    }
    assert_true(torn > 0);
    free(seen);
    free(kept);
    log_script_free(script);
    faulty_os_free(disk);
}

static void test_read_only__a_running_collector_and_a_missing_folder_are_told_apart(void **state)
{
    (void)state;
    char error[256] = "";
    struct counters counters = {0};
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    assert_true(log_script_open(script));
    struct log_options options = {.folder = "log", .os = &disk->os, .counters = &counters};
    assert_null(log_open_read_only(&options, error, sizeof error));
    assert_non_null(strstr(error, "another collector"));
    log_script_free(script);
    faulty_os_free(disk);
    options = (struct log_options){.folder = "/proc/no/such/folder", .counters = &counters};
    assert_null(log_open_read_only(&options, error, sizeof error));
    assert_non_null(strstr(error, "cannot open"));
}

static void test_read_only__segments_are_listed_in_order_without_a_hole(void **state)
{
    (void)state;
    char error[256] = "";
    struct counters counters = {0};
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    struct log_segment_summary summary;
    assert_true(log_script_open(script));
    for (uint64_t i = 0; i < 40; i++)
        log_script_send(script, i, 1);
    log_script_close(script);
    struct log *log = log_open_read_only(
        &(struct log_options){.folder = "log", .os = &disk->os, .counters = &counters}, error, sizeof error);
    assert_non_null(log);
    size_t count = 0;
    for (uint64_t end = 0; log_segment_at(log, count, &summary); count++) {
        assert_int_equal(summary.first, end);
        assert_true(summary.end > summary.first && summary.created_us > 0);
        assert_int_equal(summary.bytes, LOG_HEADER_BYTES + summary.end - summary.first);
        assert_string_equal(summary.name, faulty_os_name(disk, count));
        end = summary.end;
    }
    assert_int_equal(summary.end, log_durable_position(log));
    assert_int_equal(count, counters_find(&counters, COUNTER_LOG_SEGMENTS));
    assert_true(count > 3);
    log_close(log);
    log_script_free(script);
    faulty_os_free(disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read_only__shows_what_a_start_would_keep_and_changes_nothing),
        cmocka_unit_test(test_read_only__a_running_collector_and_a_missing_folder_are_told_apart),
        cmocka_unit_test(test_read_only__segments_are_listed_in_order_without_a_hole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
