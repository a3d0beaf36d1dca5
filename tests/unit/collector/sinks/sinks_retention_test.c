/* The index forgets with the log: what the log has removed is asked for in vain soon after. */
#include <stdio.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/beacon_builder.h"
#include "tests/support/index_fixture.h"

#define SEGMENT_BYTES 8192u

static void open_log(struct index_fixture *fixture)
{
    char error[256] = "";
    struct log_options options = {
        .folder = fixture->log_folder, .segment_bytes = SEGMENT_BYTES, .counters = &fixture->counters};
    fixture->log = log_open(&options, error, sizeof error);
    if (!fixture->log)
        fail_msg("%s", error);
}

static uint64_t append(struct index_fixture *fixture, uint8_t view, uint32_t seq)
{
    static struct beacon_builder beacon;
    vitrace_v1_Header header = beacon_builder_header(view, seq);
    beacon_builder_init(&beacon, &header);
    beacon_builder_resource(&beacon, "https://cdn.test/x.js", 50000, NULL);
    return index_fixture_append(fixture, APPEND_BEACON, beacon_builder_bytes(&beacon));
}

static int count_views(struct index_fixture *fixture)
{
    json_t *answer = index_fixture_ask(fixture, "views", "app=shop&since=0", 200);
    int count = (int)json_array_size(json_object_get(answer, "views"));
    json_decref(answer);
    return count;
}

/* As retention does it, while nobody looks. */
static void remove_oldest_segment(struct index_fixture *fixture)
{
    struct log_segment_summary oldest;
    char path[256];
    assert_true(log_segment_at(fixture->log, 0, &oldest));
    log_close(fixture->log);
    snprintf(path, sizeof path, "%s/%s", fixture->log_folder, oldest.name);
    assert_int_equal(unlink(path), 0);
    open_log(fixture);
}

static void test_sinks_retention__views_go_with_the_segment_that_had_all_of_them(void **state)
{
    (void)state;
    struct index_fixture fixture;
    struct log_segment_summary second;
    index_fixture_init(&fixture);
    log_close(fixture.log);
    open_log(&fixture);
    append(&fixture, 1, 0);
    append(&fixture, 2, 0);
    while (!log_segment_at(fixture.log, 1, &second))
        append(&fixture, 3, (uint32_t)fixture.position); /* fills the first segment */
    append(&fixture, 2, 1);
    index_fixture_start(&fixture);
    assert_int_equal(count_views(&fixture), 3);
    index_fixture_stop(&fixture);
    remove_oldest_segment(&fixture);
    index_fixture_start(&fixture);
    append(&fixture, 4, 0); /* its commit removes what is old */
    index_fixture_catch_up(&fixture);
    json_decref(index_fixture_ask(&fixture, "views/01010101010101010101010101010101", "", 404));
    json_decref(index_fixture_ask(&fixture, "views/02020202020202020202020202020202", "", 200));
    assert_int_equal(count_views(&fixture), 3);
    index_fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sinks_retention__views_go_with_the_segment_that_had_all_of_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
