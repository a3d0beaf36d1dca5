#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "collector/store/store.h"
#include "tests/support/beacon_builder.h"
#include "tests/support/index_fixture.h"
#include "tests/support/otlp_builder.h"

#define API_URL "http://127.0.0.1:8080/api/cart"
#define VIEW_1  "views/01010101010101010101010101010101"
#define SINCE   "&since=0"

#define TIMING   vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACE
#define INJECTED vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED

/*
 * One view of three beacons and two batches of spans. Trace 0xa1 is the document's, 0xb2 that of a traced fetch: the
 * SDK injected span 0x77, the server answered with its own span 0x33.
 */
static size_t make_record(size_t number, uint8_t *out, enum append_type *type)
{
    static struct beacon_builder beacon;
    static struct otlp_builder spans;
    vitrace_v1_Claim document = beacon_builder_claim(TIMING, 0xa1, 0x11);
    vitrace_v1_Claim timing = beacon_builder_claim(TIMING, 0xb2, 0x33);
    vitrace_v1_Claim injected = beacon_builder_claim(INJECTED, 0xb2, 0x77);
    vitrace_v1_Header header = beacon_builder_header(1, (uint32_t)number);
    *type = number < 3 ? APPEND_BEACON : APPEND_SPANS;
    if (number == 0)
        snprintf(header.page.route, sizeof header.page.route, "/unknown");
    beacon_builder_init(&beacon, &header);
    otlp_builder_init(&spans);
    switch (number) {
    case 0:
        beacon_builder_navigation(&beacon, "http://127.0.0.1:8080/p/3", &document);
        beacon_builder_vital(&beacon, vitrace_v1_Metric_METRIC_LCP, 5000, vitrace_v1_Rating_RATING_POOR);
        break;
    case 1:
        beacon_builder_call(&beacon, API_URL, 100000, &injected);
        beacon_builder_vital(&beacon, vitrace_v1_Metric_METRIC_LCP, 800, vitrace_v1_Rating_RATING_GOOD);
        break;
    case 2:
        beacon_builder_resource(&beacon, API_URL, 100100, &timing);
        beacon_builder_resource(&beacon, "https://cdn.test/x.js", 50000, NULL);
        beacon_builder_ledger(&beacon, 6, 3);
        break;
    case 3:
        otlp_builder_span(&spans, &(struct otlp_builder_span){.trace = 0xa1,
                                                              .span = 0x11,
                                                              .kind = 2,
                                                              .start_unix_us = BUILDER_TIME_ORIGIN_US + 3000,
                                                              .duration_us = 15000,
                                                              .service = "web",
                                                              .name = "GET /p/:id"});
        break;
    case 4:
        otlp_builder_span(&spans, &(struct otlp_builder_span){.trace = 0xb2,
                                                              .span = 0x33,
                                                              .parent = 0x77,
                                                              .kind = 2,
                                                              .start_unix_us = BUILDER_TIME_ORIGIN_US + 102000,
                                                              .duration_us = 12000,
                                                              .service = "web",
                                                              .name = "GET /api/cart"});
        otlp_builder_span(&spans, &(struct otlp_builder_span){.trace = 0xb2,
                                                              .span = 0x44,
                                                              .parent = 0x33,
                                                              .kind = 3,
                                                              .start_unix_us = BUILDER_TIME_ORIGIN_US + 103000,
                                                              .duration_us = 9000,
                                                              .service = "cart",
                                                              .name = "SELECT carts",
                                                              .db_system = "sqlite"});
        break;
    }
    struct slice bytes = *type == APPEND_BEACON ? beacon_builder_bytes(&beacon) : otlp_builder_bytes(&spans);
    memcpy(out, bytes.data, bytes.size);
    return bytes.size;
}

#define RECORDS 5

static void append_record(struct index_fixture *fixture, size_t number)
{
    static uint8_t bytes[65536];
    enum append_type type;
    size_t size = make_record(number, bytes, &type);
    index_fixture_append(fixture, type, slice_of(bytes, size));
}

static void append_all(struct index_fixture *fixture)
{
    for (size_t i = 0; i < RECORDS; i++)
        append_record(fixture, i);
}

#define DUPLICATE "\"duplicate\": "

/* Every answer that does not depend on when records came. */
static char *all_answers(struct index_fixture *fixture)
{
    static const char *const asked[][2] = {
        {"apps", ""},
        {"views", "app=shop" SINCE},
        {VIEW_1, ""},
        {"vitals", "app=shop&metric=lcp" SINCE},
        {"joins", "app=shop" SINCE},
        {"traces/a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1", ""},
        {"traces/b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2", ""},
    };
    char *all = calloc(1, 1);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        char *text = index_fixture_ask_text(fixture, asked[i][0], asked[i][1]);
        all = realloc(all, strlen(all) + strlen(text) + 1);
        assert_non_null(all);
        strcat(all, text);
        free(text);
    }
    for (char *at = all; (at = strstr(at, DUPLICATE)) != NULL;) /* how often a record came is the one thing that does */
        for (at += strlen(DUPLICATE); *at >= '0' && *at <= '9'; at++)
            *at = '#';
    return all;
}

static char *expected_answers(void)
{
    struct index_fixture fixture;
    index_fixture_init(&fixture);
    append_all(&fixture);
    index_fixture_start(&fixture);
    char *text = all_answers(&fixture);
    index_fixture_release(&fixture);
    return text;
}

static void check_answers(struct index_fixture *fixture, const char *expected)
{
    char *text = all_answers(fixture);
    assert_string_equal(text, expected);
    free(text);
}

static void test_sinks__a_view_is_told_whole(void **state)
{
    (void)state;
    struct index_fixture fixture;
    index_fixture_init(&fixture);
    append_all(&fixture);
    index_fixture_start(&fixture);
    json_t *views = index_fixture_ask(&fixture, "views", "app=shop" SINCE, 200);
    json_t *view = json_array_get(json_object_get(views, "views"), 0);
    assert_string_equal(json_string_value(json_object_get(view, "route")), "/p/:id");
    assert_int_equal(json_integer_value(json_object_get(view, "requests")), 3);
    assert_int_equal(json_integer_value(json_object_get(view, "beacons")), 3);
    json_t *joined = json_object_get(view, "joined");
    assert_int_equal(json_integer_value(json_object_get(joined, "exact_parent")), 1);
    assert_int_equal(json_integer_value(json_object_get(joined, "exact_trace")), 1);
    assert_int_equal(json_integer_value(json_object_get(joined, "none")), 1);
    json_t *slowest = json_object_get(view, "slowest_span");
    assert_string_equal(json_string_value(json_object_get(slowest, "name")), "SELECT carts");
    assert_string_equal(json_string_value(json_object_get(slowest, "service")), "cart");
    json_t *lcp = json_object_get(json_object_get(view, "vitals"), "lcp");
    assert_true(json_number_value(json_object_get(lcp, "value")) == 800);
    json_decref(views);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_SINK_ERRORS), 0);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_SINK_POSITION), fixture.position);
    index_fixture_release(&fixture);
}

/* All 120 orders of the five records, once from a log that is there already. */
static void test_sinks__the_order_of_arrival_changes_nothing(void **state)
{
    (void)state;
    char *expected = expected_answers();
    for (unsigned order = 0; order < 120; order++) {
        struct index_fixture fixture;
        size_t left[RECORDS] = {0, 1, 2, 3, 4}, count = RECORDS;
        unsigned rest = order;
        index_fixture_init(&fixture);
        while (count > 0) {
            size_t at = rest % count;
            rest /= (unsigned)count;
            append_record(&fixture, left[at]);
            memmove(left + at, left + at + 1, (--count - at) * sizeof left[0]);
        }
        index_fixture_start(&fixture);
        check_answers(&fixture, expected);
        index_fixture_release(&fixture);
    }
    free(expected);
}

static void test_sinks__a_restart_between_any_two_records_changes_nothing(void **state)
{
    (void)state;
    char *expected = expected_answers();
    for (size_t cut = 0; cut <= RECORDS; cut++) {
        struct index_fixture fixture;
        index_fixture_init(&fixture);
        for (size_t i = 0; i < cut; i++)
            append_record(&fixture, RECORDS - 1 - i);
        index_fixture_start(&fixture);
        index_fixture_stop(&fixture);
        for (size_t i = cut; i < RECORDS; i++)
            append_record(&fixture, RECORDS - 1 - i);
        index_fixture_start(&fixture);
        check_answers(&fixture, expected);
        index_fixture_release(&fixture);
    }
    free(expected);
}

static void test_sinks__records_that_come_one_by_one_give_the_same_answers(void **state)
{
    (void)state;
    char *expected = expected_answers();
    struct index_fixture fixture;
    index_fixture_init(&fixture);
    fixture.batch_records = 1;
    index_fixture_start(&fixture);
    for (size_t i = 0; i < RECORDS; i++) {
        append_record(&fixture, i);
        index_fixture_catch_up(&fixture);
    }
    check_answers(&fixture, expected);
    index_fixture_release(&fixture);
    free(expected);
}

static void copy_file(const char *from, const char *to)
{
    static char data[1 << 16];
    int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(in >= 0 && out >= 0);
    for (ssize_t size; (size = read(in, data, sizeof data)) > 0;)
        assert_int_equal(write(out, data, (size_t)size), size);
    close(in);
    close(out);
}

/* An index that is older than the log is what a crash leaves: its last transactions are gone, the log's are not. */
static void test_sinks__an_index_that_lost_its_last_batches_counts_nothing_twice(void **state)
{
    (void)state;
    char *expected = expected_answers(), saved[128];
    struct index_fixture fixture;
    index_fixture_init(&fixture);
    snprintf(saved, sizeof saved, "%s/saved", fixture.folder);
    append_record(&fixture, 0);
    append_record(&fixture, 3);
    index_fixture_start(&fixture);
    index_fixture_stop(&fixture);
    copy_file(fixture.index_path, saved);
    for (size_t i = 1; i < RECORDS; i++)
        if (i != 3)
            append_record(&fixture, i);
    index_fixture_start(&fixture);
    check_answers(&fixture, expected);
    index_fixture_stop(&fixture);
    assert_true(store_delete(fixture.index_path));
    copy_file(saved, fixture.index_path);
    index_fixture_start(&fixture);
    check_answers(&fixture, expected);
    index_fixture_release(&fixture);
    free(expected);
}

static void test_sinks__a_deleted_index_is_rebuilt_to_the_same_answers(void **state)
{
    (void)state;
    char *expected = expected_answers();
    struct index_fixture fixture;
    index_fixture_init(&fixture);
    append_all(&fixture);
    index_fixture_start(&fixture);
    index_fixture_stop(&fixture);
    assert_true(store_delete(fixture.index_path));
    index_fixture_start(&fixture);
    check_answers(&fixture, expected);
    index_fixture_release(&fixture);
    free(expected);
}

static void test_sinks__an_index_of_another_log_is_rebuilt(void **state)
{
    (void)state;
    char *expected = expected_answers();
    struct index_fixture other, fixture;
    index_fixture_init(&other);
    index_fixture_init(&fixture);
    for (int i = 0; i < 3; i++)
        append_all(&other);
    index_fixture_start(&other);
    index_fixture_stop(&other);
    append_all(&fixture);
    copy_file(other.index_path, fixture.index_path);
    index_fixture_start(&fixture);
    check_answers(&fixture, expected);
    index_fixture_release(&other);
    index_fixture_release(&fixture);
    free(expected);
}

static void test_sinks__a_beacon_stored_twice_counts_once(void **state)
{
    (void)state;
    char *expected = expected_answers();
    struct index_fixture fixture;
    index_fixture_init(&fixture);
    append_all(&fixture);
    append_all(&fixture);
    index_fixture_start(&fixture);
    check_answers(&fixture, expected);
    index_fixture_stop(&fixture);
    append_all(&fixture); /* and after a restart */
    index_fixture_start(&fixture);
    check_answers(&fixture, expected);
    index_fixture_release(&fixture);
    free(expected);
}

static void test_sinks__a_record_that_does_not_decode_is_counted_and_passed(void **state)
{
    (void)state;
    char *expected = expected_answers();
    struct index_fixture fixture;
    index_fixture_init(&fixture);
    index_fixture_append(&fixture, APPEND_BEACON, slice_text("not a beacon"));
    index_fixture_append(&fixture, APPEND_SPANS, slice_text("\x0a\x7f not spans"));
    append_all(&fixture);
    index_fixture_start(&fixture);
    check_answers(&fixture, expected);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_SINK_ERRORS), 2);
    index_fixture_release(&fixture);
    free(expected);
}

static json_t *reasons(struct index_fixture *fixture, json_t **answer)
{
    *answer = index_fixture_ask(fixture, "joins", "app=shop" SINCE, 200);
    return json_object_get(*answer, "reasons");
}

/* The clock stands at the receive time, then jumps past what a claim waits; the next record makes it give up. */
static void test_sinks__a_claim_waits_then_gives_up_then_still_completes(void **state)
{
    (void)state;
    struct index_fixture fixture;
    json_t *answer;
    index_fixture_init(&fixture);
    append_record(&fixture, 0);
    index_fixture_start(&fixture);
    assert_int_equal(json_integer_value(json_object_get(reasons(&fixture, &answer), "pending")), 1);
    json_decref(answer);
    atomic_fetch_add(&fixture.now_us, UINT64_C(11) * 60 * 1000000);
    append_record(&fixture, 4);
    index_fixture_catch_up(&fixture);
    assert_int_equal(json_integer_value(json_object_get(reasons(&fixture, &answer), "no_span")), 1);
    json_decref(answer);
    append_record(&fixture, 3);
    index_fixture_catch_up(&fixture);
    assert_int_equal(json_integer_value(json_object_get(reasons(&fixture, &answer), "joined")), 1);
    assert_null(json_object_get(json_object_get(answer, "reasons"), "no_span"));
    json_decref(answer);
    index_fixture_release(&fixture);
}

/* The spans came hours before the view, and the joiner was begun anew since: the index still knows where they are. */
static void test_sinks__a_claim_finds_spans_that_the_joiner_has_forgotten(void **state)
{
    (void)state;
    struct index_fixture fixture;
    json_t *answer;
    index_fixture_init(&fixture);
    append_record(&fixture, 4);
    for (int i = 0; i < 4; i++) {
        atomic_fetch_add(&fixture.now_us, UINT64_C(1800) * 1000000);
        append_record(&fixture, 3);
    }
    index_fixture_start(&fixture);
    index_fixture_stop(&fixture);
    index_fixture_start(&fixture);
    append_record(&fixture, 1);
    index_fixture_catch_up(&fixture);
    assert_int_equal(json_integer_value(json_object_get(reasons(&fixture, &answer), "joined")), 1);
    json_decref(answer);
    index_fixture_release(&fixture);
}

/* Somebody holds the index's write lock: nothing is indexed; when it is free again, everything is, once. */
static void test_sinks__an_index_that_cannot_be_written_is_tried_again(void **state)
{
    (void)state;
    char *expected = expected_answers();
    struct index_fixture fixture;
    sqlite3 *other;
    index_fixture_init(&fixture);
    append_record(&fixture, 0);
    index_fixture_start(&fixture);
    assert_int_equal(sqlite3_open(fixture.index_path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    for (size_t i = 1; i < RECORDS; i++)
        append_record(&fixture, i);
    assert_false(sinks_wait(fixture.sinks, fixture.position, 200));
    sqlite3_close(other);
    index_fixture_catch_up(&fixture);
    check_answers(&fixture, expected);
    index_fixture_release(&fixture);
    free(expected);
}

struct header_list {
    size_t count;
    uint32_t seq[64];
};

static void take_header(void *context, const uint8_t view_id[16], uint32_t seq)
{
    struct header_list *list = context;
    assert_int_equal(view_id[0], 1);
    assert_true(list->count < 64);
    list->seq[list->count++] = seq;
}

static void test_sinks__headers_are_replayed_with_and_without_an_index(void **state)
{
    (void)state;
    struct index_fixture fixture;
    struct header_list before = {0}, after = {0};
    index_fixture_init(&fixture);
    append_all(&fixture);
    assert_true(sinks_replay_headers(fixture.log, fixture.index_path, take_header, &before));
    index_fixture_start(&fixture);
    assert_true(sinks_replay_headers(fixture.log, fixture.index_path, take_header, &after));
    assert_int_equal(before.count, 3);
    assert_memory_equal(&before, &after, sizeof before);
    index_fixture_release(&fixture);
}

/* Old records are left out once a mark an hour back is known; newer ones than the index are in. */
static void test_sinks__only_the_newest_hour_of_headers_is_replayed(void **state)
{
    (void)state;
    struct index_fixture fixture;
    struct header_list list = {0};
    index_fixture_init(&fixture);
    append_record(&fixture, 0);
    for (int i = 0; i < 4; i++) {
        atomic_fetch_add(&fixture.now_us, UINT64_C(1800) * 1000000);
        append_record(&fixture, 3);
    }
    append_record(&fixture, 1);
    index_fixture_start(&fixture);
    index_fixture_stop(&fixture);
    append_record(&fixture, 2);
    assert_true(sinks_replay_headers(fixture.log, fixture.index_path, take_header, &list));
    assert_int_equal(list.count, 2);
    assert_int_equal(list.seq[0], 1);
    assert_int_equal(list.seq[1], 2);
    index_fixture_release(&fixture);
}

static void test_sinks__an_index_in_a_missing_folder_is_refused_with_its_path(void **state)
{
    (void)state;
    struct index_fixture fixture;
    char error[256] = "";
    index_fixture_init(&fixture);
    struct sinks_options options = {
        .log = fixture.log, .store_path = "/nonexistent/index.db", .counters = &fixture.counters};
    assert_null(sinks_start(&options, error, sizeof error));
    assert_non_null(strstr(error, "/nonexistent/index.db"));
    index_fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sinks__a_view_is_told_whole),
        cmocka_unit_test(test_sinks__the_order_of_arrival_changes_nothing),
        cmocka_unit_test(test_sinks__a_restart_between_any_two_records_changes_nothing),
        cmocka_unit_test(test_sinks__records_that_come_one_by_one_give_the_same_answers),
        cmocka_unit_test(test_sinks__an_index_that_lost_its_last_batches_counts_nothing_twice),
        cmocka_unit_test(test_sinks__a_deleted_index_is_rebuilt_to_the_same_answers),
        cmocka_unit_test(test_sinks__an_index_of_another_log_is_rebuilt),
        cmocka_unit_test(test_sinks__a_beacon_stored_twice_counts_once),
        cmocka_unit_test(test_sinks__a_record_that_does_not_decode_is_counted_and_passed),
        cmocka_unit_test(test_sinks__a_claim_waits_then_gives_up_then_still_completes),
        cmocka_unit_test(test_sinks__a_claim_finds_spans_that_the_joiner_has_forgotten),
        cmocka_unit_test(test_sinks__an_index_that_cannot_be_written_is_tried_again),
        cmocka_unit_test(test_sinks__headers_are_replayed_with_and_without_an_index),
        cmocka_unit_test(test_sinks__only_the_newest_hour_of_headers_is_replayed),
        cmocka_unit_test(test_sinks__an_index_in_a_missing_folder_is_refused_with_its_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
