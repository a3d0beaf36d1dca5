#include "tests/support/log_script.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/log/log_internal.h"

#include <errno.h>
#include <semaphore.h>

static struct log_script *script_on(struct faulty_os *disk)
{
    struct log_script *script = log_script_new(disk);
    if (!log_script_open(script))
        fail_msg("cannot open: %s", script->error);
    return script;
}

static void end(struct log_script *script, struct faulty_os *disk)
{
    log_script_free(script);
    faulty_os_free(disk);
}

static void test_writer__answers_come_in_order_with_growing_positions(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_on(disk);
    log_script_send(script, 0, 60);
    for (uint64_t i = 0; i < 60; i++) {
        assert_int_equal(script->order[i], i);
        assert_int_equal(script->results[i], APPEND_DURABLE);
        assert_true(i == 0 || script->positions[i] > script->positions[i - 1]);
    }
    assert_int_equal(counters_find(&script->counters, COUNTER_LOG_RECORDS), 60);
    end(script, disk);
}

static void test_writer__what_waits_shares_one_commit(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    script->segment_bytes = 1 << 20;
    assert_true(log_script_open(script));
    log_script_send(script, 0, 1);
    uint64_t before = counters_find(&script->counters, COUNTER_LOG_COMMITS);
    log_script_send(script, 1, 200);
    /* The first may have been picked up alone before the rest came; all others waited while the disk was held. */
    assert_true(counters_find(&script->counters, COUNTER_LOG_COMMITS) - before <= 2);
    end(script, disk);
}

static void test_writer__segments_roll_over_and_end_where_the_next_begins(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_on(disk);
    struct log_script_view view;
    for (uint64_t id = 0; id < 40; id++)
        log_script_send(script, id, 1);
    log_script_read(script, &view);
    assert_int_equal(view.count, 40);
    assert_int_equal(view.corrupt, 0);
    uint64_t segments = counters_find(&script->counters, COUNTER_LOG_SEGMENTS), first, next, bytes = 0;
    assert_true(segments >= 5);
    log_script_close(script);
    for (size_t i = 0; i < segments; i++) {
        const char *name = faulty_os_name(disk, i), *after = faulty_os_name(disk, i + 1);
        assert_true(log_segment_parse_name(name, &first));
        bytes += faulty_os_find(disk, name)->size;
        if (after != NULL && log_segment_parse_name(after, &next))
            assert_int_equal(faulty_os_find(disk, name)->size, LOG_HEADER_BYTES + (next - first));
    }
    assert_int_equal(counters_find(&script->counters, COUNTER_LOG_BYTES), bytes);
    end(script, disk);
}

static const int errors[] = {EIO, ENOSPC, EINTR};

static bool view_has(const struct log_script_view *view, uint64_t id)
{
    for (size_t i = 0; i < view->count; i++) {
        if (view->ids[i] == id)
            return true;
    }
    return false;
}

/* Acked and only acked, unless the process ended in between: a failed append may be sent again without doubling. */
static void assert_log_is_what_was_acked(struct log_script *script, uint64_t ids)
{
    struct log_script_view view;
    log_script_read(script, &view);
    assert_false(view.failed);
    assert_int_equal(view.corrupt, 0);
    for (size_t i = 1; i < view.count; i++)
        assert_true(view.ids[i] > view.ids[i - 1]);
    for (uint64_t id = 0; id < ids; id++)
        assert_int_equal(view_has(&view, id), script->results[id] == APPEND_DURABLE);
}

/* Returns whether the failing call came at all. */
static bool run_with_failing_call(uint64_t call, uint64_t count, enum faulty_fault fault, int error)
{
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_on(disk);
    faulty_os_fail(disk, call, count, fault, error);
    for (uint64_t id = 0; id < 24; id += 2)
        log_script_send(script, id, 2);
    bool reached = faulty_os_has_failed(disk);
    faulty_os_fail(disk, 0, 0, FAULTY_ERROR, 0);
    log_script_send(script, 24, 2);
    assert_int_equal(script->results[24], APPEND_DURABLE);
    assert_int_equal(script->results[25], APPEND_DURABLE);
    for (uint64_t id = 0; id < 24; id++)
        assert_true(script->results[id] == APPEND_DURABLE ||
                    script->results[id] == (error == ENOSPC ? APPEND_DISK_FULL : APPEND_IO_ERROR));
    assert_log_is_what_was_acked(script, 26);
    log_script_close(script);
    if (!log_script_open(script))
        fail_msg("call %u: %s", (unsigned)call, script->error);
    struct log_script_view view;
    log_script_read(script, &view);
    assert_false(view.failed);
    for (uint64_t id = 0; id < 26; id++)
        assert_true(script->results[id] != APPEND_DURABLE || view_has(&view, id));
    end(script, disk);
    return reached;
}

static void test_writer__any_failing_call_is_never_acked_and_service_recovers(void **state)
{
    (void)state;
    size_t runs = 0;
    for (int fault = FAULTY_ERROR; fault <= FAULTY_AFTER; fault++) {
        for (size_t e = 0; e < sizeof errors / sizeof errors[0]; e++) {
            for (uint64_t call = 0; run_with_failing_call(call, 1, (enum faulty_fault)fault, errors[e]); call++)
                runs++;
            for (uint64_t call = 0; run_with_failing_call(call, 5, (enum faulty_fault)fault, errors[e]); call++)
                runs++;
        }
    }
    print_message("%zu runs, each with a different failing call\n", runs);
    assert_true(runs > 500);
}

/* The same, with a power loss at the end: what the failed calls left behind must not cost an acked record. */
static void test_writer__failed_calls_and_a_power_loss_lose_nothing_acked(void **state)
{
    (void)state;
    bool reached = true;
    for (uint64_t call = 0; reached; call++) {
        struct faulty_os *disk = faulty_os_new();
        struct log_script *script = script_on(disk);
        faulty_os_fail(disk, call, 2, call % 2 ? FAULTY_AFTER : FAULTY_ERROR, EIO);
        for (uint64_t id = 0; id < 24; id += 2)
            log_script_send(script, id, 2);
        reached = faulty_os_has_failed(disk);
        for (uint64_t seed = 0; seed < 8; seed++) {
            struct faulty_os *later = faulty_os_crash(disk, faulty_os_op_count(disk),
                                                      &(struct faulty_choice){.mode = FAULTY_KEEP_RANDOM, .seed = seed});
            struct log_script *again = script_on(later);
            struct log_script_view view;
            log_script_read(again, &view);
            assert_false(view.failed);
            for (uint64_t id = 0; id < 24; id++)
                assert_true(script->results[id] != APPEND_DURABLE || view_has(&view, id));
            for (size_t i = 1; i < view.count; i++)
                assert_true(view.ids[i] > view.ids[i - 1]);
            end(again, later);
        }
        end(script, disk);
    }
}

static void test_writer__a_failed_sync_poisons_the_segment_for_good(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    script->segment_bytes = 1 << 16;
    assert_true(log_script_open(script));
    log_script_send(script, 0, 1);
    uint64_t before = disk->calls;
    log_script_send(script, 1, 1); /* disk_free for the headroom and for the floor, pwritev, fdatasync */
    assert_int_equal(disk->calls - before, 4);
    faulty_os_fail(disk, 3, 1, FAULTY_ERROR, EIO);
    log_script_send(script, 2, 1);
    assert_int_equal(script->results[2], APPEND_IO_ERROR);
    assert_int_equal(counters_find(&script->counters, COUNTER_LOG_POISONED), 1);
    log_script_send(script, 3, 1);
    assert_int_equal(script->results[3], APPEND_DURABLE);
    assert_int_equal(counters_find(&script->counters, COUNTER_LOG_SEGMENTS), 2);
    assert_int_equal(script->positions[3],
                     script->positions[1] + log_frame_bytes(script->appends[1].append.payload.size));
    assert_log_is_what_was_acked(script, 4);
    end(script, disk);
}

static void test_writer__a_full_disk_is_said_and_service_resumes_when_space_returns(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    faulty_os_set_disk(disk, 3 * LOG_SCRIPT_SEGMENT_BYTES);
    struct log_script *script = script_on(disk);
    uint64_t id = 0;
    do
        log_script_send(script, id, 1);
    while (script->results[id++] == APPEND_DURABLE && id < 200);
    assert_int_equal(script->results[id - 1], APPEND_DISK_FULL);
    log_script_send(script, id, 3);
    assert_int_equal(script->results[id], APPEND_DISK_FULL);
    faulty_os_set_disk(disk, 1 << 20);
    log_script_send(script, id + 3, 3);
    assert_int_equal(script->results[id + 5], APPEND_DURABLE);
    assert_log_is_what_was_acked(script, id + 6);
    end(script, disk);
}

static void test_writer__the_floor_of_free_bytes_is_kept(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = log_script_new(disk);
    script->free_bytes_floor = 1 << 20;
    faulty_os_set_disk(disk, (1 << 20) + LOG_SCRIPT_SEGMENT_BYTES - 1);
    assert_true(log_script_open(script));
    log_script_send(script, 0, 1);
    assert_int_equal(script->results[0], APPEND_DISK_FULL);
    assert_null(faulty_os_name(disk, 0));
    faulty_os_set_disk(disk, (1 << 20) + LOG_SCRIPT_SEGMENT_BYTES);
    log_script_send(script, 1, 1);
    assert_int_equal(script->results[1], APPEND_DURABLE);
    faulty_os_set_disk(disk, 1 << 20);
    log_script_send(script, 2, 1);
    assert_int_equal(script->results[2], APPEND_DISK_FULL);
    end(script, disk);
}

struct big_append {
    struct append append;
    sem_t answered;
};

static void big_done(struct append *append)
{
    sem_post(&((struct big_append *)append)->answered);
}

static enum append_result send_size(struct log *log, const uint8_t *data, size_t size)
{
    struct big_append big = {.append = {.type = APPEND_SPANS, .payload = slice_of(data, size), .done = big_done}};
    sem_init(&big.answered, 0, 0);
    log_take(log, &big.append);
    while (sem_wait(&big.answered) != 0)
        ;
    sem_destroy(&big.answered);
    return big.append.result;
}

static void test_writer__sizes_up_to_the_limit_are_taken_and_one_more_byte_is_not(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_on(disk);
    uint8_t *data = malloc(LOG_RECORD_BYTES_MAX + 1);
    assert_non_null(data);
    memset(data, 0x5a, LOG_RECORD_BYTES_MAX + 1);
    const size_t sizes[] = {0, 1, 7, 8, 9, LOG_RECORD_BYTES_MAX - 1, LOG_RECORD_BYTES_MAX};
    const size_t count = sizeof sizes / sizeof sizes[0];
    for (size_t i = 0; i < count; i++)
        assert_int_equal(send_size(script->log, data, sizes[i]), APPEND_DURABLE);
    assert_int_equal(send_size(script->log, data, LOG_RECORD_BYTES_MAX + 1), APPEND_TOO_LARGE);
    assert_int_equal(send_size(script->log, data, 3), APPEND_DURABLE);
    struct log_reader *reader = log_reader_new(script->log, 0);
    struct log_record record;
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
        assert_true(slice_equal(record.payload, slice_of(data, sizes[i])));
    }
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_RECORD);
    assert_int_equal(record.payload.size, 3);
    assert_int_equal(log_reader_next(reader, &record), LOG_READ_END);
    log_reader_free(reader);
    free(data);
    end(script, disk);
}

static void test_writer__close_commits_what_is_queued(void **state)
{
    (void)state;
    struct faulty_os *disk = faulty_os_new();
    struct log_script *script = script_on(disk);
    struct big_append queued[8];
    faulty_os_hold(disk);
    for (size_t i = 0; i < 8; i++) {
        queued[i] =
            (struct big_append){.append = {.type = APPEND_BEACON, .payload = slice_text("queued"), .done = big_done}};
        sem_init(&queued[i].answered, 0, 0);
        log_take(script->log, &queued[i].append);
    }
    faulty_os_release(disk);
    log_script_close(script);
    for (size_t i = 0; i < 8; i++) {
        int answers;
        sem_getvalue(&queued[i].answered, &answers);
        assert_int_equal(answers, 1);
        assert_int_equal(queued[i].append.result, APPEND_DURABLE);
        sem_destroy(&queued[i].answered);
    }
    end(script, disk);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_writer__answers_come_in_order_with_growing_positions),
        cmocka_unit_test(test_writer__what_waits_shares_one_commit),
        cmocka_unit_test(test_writer__segments_roll_over_and_end_where_the_next_begins),
        cmocka_unit_test(test_writer__any_failing_call_is_never_acked_and_service_recovers),
        cmocka_unit_test(test_writer__failed_calls_and_a_power_loss_lose_nothing_acked),
        cmocka_unit_test(test_writer__a_failed_sync_poisons_the_segment_for_good),
        cmocka_unit_test(test_writer__a_full_disk_is_said_and_service_resumes_when_space_returns),
        cmocka_unit_test(test_writer__the_floor_of_free_bytes_is_kept),
        cmocka_unit_test(test_writer__sizes_up_to_the_limit_are_taken_and_one_more_byte_is_not),
        cmocka_unit_test(test_writer__close_commits_what_is_queued),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
