/* What pages say that they sent and what is here, view by view; and pages that ended without saying anything. */
#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/store/store.h"
#include "tests/support/beacon_builder.h"
#include "tests/support/index_fixture.h"

#define VIEW_1 "views/01010101010101010101010101010101"
#define SINCE  "&since=0"
#define LCP    vitrace_v1_Metric_METRIC_LCP

static struct beacon_builder beacon;

struct sent {
    uint8_t view;
    uint32_t seq;
    uint32_t sealed, dropped; /* sealed 0 = no ledger */
    bool final;
    double lcp; /* 0 = none */
};

static void append(struct index_fixture *fixture, struct sent sent)
{
    vitrace_v1_Header header = beacon_builder_header(sent.view, sent.seq);
    vitrace_v1_Ledger ledger = {.entries_seen = 10 * sent.sealed,
                                .entries_encoded = 10 * sent.sealed,
                                .segments_sealed = sent.sealed,
                                .segments_dropped = sent.dropped,
                                .final = sent.final};
    beacon_builder_init(&beacon, &header);
    if (sent.lcp > 0)
        beacon_builder_vital(&beacon, LCP, sent.lcp,
                             sent.lcp > 4000 ? vitrace_v1_Rating_RATING_POOR : vitrace_v1_Rating_RATING_GOOD);
    if (sent.sealed > 0)
        beacon_builder_add(&beacon, BEACON_FIELD_LEDGER, vitrace_v1_Ledger_fields, &ledger);
    index_fixture_append(fixture, APPEND_BEACON, beacon_builder_bytes(&beacon));
    if (fixture->sinks)
        index_fixture_catch_up(fixture);
}

#define SNAPSHOT .seq = STORE_SEQ_SNAPSHOT

static int setup(void **state)
{
    struct index_fixture *fixture = calloc(1, sizeof *fixture);
    index_fixture_init(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    index_fixture_release(*state);
    free(*state);
    return 0;
}

static json_int_t integer(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        fail_msg("%s is no integer", key);
    return json_integer_value(value);
}

static bool truth(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_boolean(value))
        fail_msg("%s is no truth value", key);
    return json_boolean_value(value);
}

struct statement {
    json_int_t claimed, received, duplicate, lost, dropped;
    bool crashed, final;
    double lcp; /* -1 = none */
};

static struct statement statement_of(json_t *view)
{
    json_t *delivery = json_object_get(view, "delivery"), *lcp = json_object_get(json_object_get(view, "vitals"), "lcp");
    return (struct statement){.claimed = integer(delivery, "claimed"),
                              .received = integer(delivery, "received"),
                              .duplicate = integer(delivery, "duplicate"),
                              .lost = integer(delivery, "lost"),
                              .dropped = integer(delivery, "dropped"),
                              .crashed = truth(view, "crashed"),
                              .final = truth(view, "final"),
                              .lcp = lcp ? json_number_value(json_object_get(lcp, "value")) : -1};
}

/* Of view 1, from the list; the detail must say the same, whole, and its newest LCP too. */
static struct statement ask(struct index_fixture *fixture)
{
    json_t *answer = index_fixture_ask(fixture, VIEW_1, "", 200);
    struct statement whole = statement_of(json_object_get(answer, "view"));
    assert_false(truth(answer, "truncated"));
    json_t *vital = json_array_get(json_object_get(answer, "vitals"), 0);
    assert_true((vital ? json_number_value(json_object_get(vital, "value")) : -1) == whole.lcp);
    json_decref(answer);
    return whole;
}

static void check_balance(struct statement it, json_int_t claimed, json_int_t received, json_int_t lost)
{
    assert_int_equal(it.claimed, claimed);
    assert_int_equal(it.received, received);
    assert_int_equal(it.lost, lost);
}

/* How many views the rollup of the LCP counts, and of them good ones. */
static void check_rollup(struct index_fixture *fixture, json_int_t count, json_int_t good)
{
    json_t *answer = index_fixture_ask(fixture, "vitals", "app=shop&metric=lcp" SINCE, 200);
    json_t *all = json_object_get(answer, "all");
    assert_int_equal(integer(all, "count"), count);
    assert_int_equal(integer(all, "good"), good);
    json_decref(answer);
}

static void test_delivery__a_missing_number_is_lost_and_one_never_meant_to_be_sent_is_not(void **state)
{
    struct index_fixture *fixture = *state;
    append(fixture, (struct sent){.view = 1, .seq = 2, .sealed = 3, .dropped = 2});
    append(fixture, (struct sent){.view = 1, .seq = 5, .sealed = 6, .dropped = 2, .final = true});
    append(fixture, (struct sent){.view = 1, .seq = 4, .sealed = 5, .dropped = 2});
    index_fixture_start(fixture);
    struct statement it = ask(fixture);
    check_balance(it, 4, 3, 1);
    assert_int_equal(it.dropped, 2);
    assert_true(it.final && !it.crashed);
    append(fixture, (struct sent){.view = 1, .seq = 3, .sealed = 4, .dropped = 2});
    it = ask(fixture);
    check_balance(it, 4, 4, 0);
    assert_true(it.final); /* an older one that comes later does not make it unfinished */
}

static void test_delivery__without_a_ledger_the_highest_number_is_the_claim(void **state)
{
    struct index_fixture *fixture = *state;
    append(fixture, (struct sent){.view = 1, .seq = 3});
    index_fixture_start(fixture);
    check_balance(ask(fixture), 4, 1, 3);
}

static void test_delivery__a_page_that_drops_more_than_it_sealed_claims_what_came(void **state)
{
    struct index_fixture *fixture = *state;
    append(fixture, (struct sent){.view = 1, .seq = 0, .sealed = 1, .dropped = UINT32_MAX});
    index_fixture_start(fixture);
    check_balance(ask(fixture), 1, 1, 0);
}

static void test_delivery__duplicates_are_counted_in_their_view_also_when_they_are_told_before_it(void **state)
{
    struct index_fixture *fixture = *state;
    static const uint8_t first[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}, unknown[16] = {7};
    fixture->duplicates = tally_new(NULL);
    assert_non_null(fixture->duplicates);
    assert_true(tally_add(fixture->duplicates, first, 2));
    assert_true(tally_add(fixture->duplicates, unknown, 1));
    index_fixture_start(fixture);
    append(fixture, (struct sent){.view = 1, .seq = 0, .sealed = 1});
    append(fixture, (struct sent){.view = 1, .seq = 0, .sealed = 1}); /* one that the window had forgotten */
    while (ask(fixture).duplicate < 3)
        continue; /* the thread tells when it is idle */
    check_balance(ask(fixture), 1, 1, 0);
    index_fixture_stop(fixture);
    uint32_t size;
    const struct tally_count *left = tally_take(fixture->duplicates, &size);
    assert_int_equal(size, 1); /* still waits for its view */
    assert_memory_equal(left->id, unknown, 16);
    tally_free(fixture->duplicates);
    fixture->duplicates = NULL;
}

static void test_delivery__duplicates_that_were_told_last_are_counted_before_the_end(void **state)
{
    struct index_fixture *fixture = *state;
    static const uint8_t first[16] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
    fixture->duplicates = tally_new(NULL);
    append(fixture, (struct sent){.view = 1, .seq = 0, .sealed = 1});
    index_fixture_start(fixture);
    assert_true(tally_add(fixture->duplicates, first, 4));
    index_fixture_stop(fixture);
    index_fixture_start(fixture);
    assert_int_equal(ask(fixture).duplicate, 4);
    index_fixture_stop(fixture);
    tally_free(fixture->duplicates);
    fixture->duplicates = NULL;
}

static void test_delivery__a_snapshot_marks_the_view_and_gives_it_its_last_vitals(void **state)
{
    struct index_fixture *fixture = *state;
    append(fixture, (struct sent){.view = 1, .seq = 0, .sealed = 1, .lcp = 800});
    append(fixture, (struct sent){.view = 1, SNAPSHOT, .sealed = 2, .lcp = 5000});
    index_fixture_start(fixture);
    struct statement it = ask(fixture);
    assert_true(it.crashed);
    assert_true(it.lcp == 5000);
    check_balance(it, 1, 1, 0);
    check_rollup(fixture, 1, 0);
    assert_int_equal(counters_find(&fixture->counters, COUNTER_VIEWS_CRASHED), 1);
}

static void test_delivery__a_beacon_after_the_snapshot_takes_everything_of_it_back(void **state)
{
    struct index_fixture *fixture = *state;
    append(fixture, (struct sent){.view = 1, .seq = 0, .sealed = 1, .lcp = 800});
    append(fixture, (struct sent){.view = 1, SNAPSHOT, .sealed = 2, .lcp = 5000});
    append(fixture, (struct sent){.view = 1, SNAPSHOT, .sealed = 2, .lcp = 5500}); /* replaces the first one */
    index_fixture_start(fixture);
    assert_true(ask(fixture).lcp == 5500);
    check_rollup(fixture, 1, 0);
    append(fixture, (struct sent){.view = 1, .seq = 1, .sealed = 2});
    struct statement it = ask(fixture);
    assert_false(it.crashed);
    assert_true(it.lcp == 800);
    check_balance(it, 2, 2, 0);
    check_rollup(fixture, 1, 1);
    assert_int_equal(counters_find(&fixture->counters, COUNTER_VIEWS_CRASHED), 1);
    assert_int_equal(counters_find(&fixture->counters, COUNTER_VIEWS_RECOVERED), 1);
    append(fixture, (struct sent){.view = 1, SNAPSHOT, .sealed = 3, .lcp = 6000}); /* and then it does crash */
    it = ask(fixture);
    assert_true(it.crashed && it.lcp == 6000);
    check_rollup(fixture, 1, 0);
}

static void test_delivery__a_vital_that_only_the_snapshot_had_goes_with_it(void **state)
{
    struct index_fixture *fixture = *state;
    append(fixture, (struct sent){.view = 1, SNAPSHOT, .sealed = 1, .lcp = 800});
    index_fixture_start(fixture);
    struct statement it = ask(fixture);
    assert_true(it.crashed && it.lcp == 800);
    check_balance(it, 0, 0, 0); /* a view of which nothing else ever came */
    append(fixture, (struct sent){.view = 1, .seq = 0, .sealed = 1});
    it = ask(fixture);
    assert_true(!it.crashed && it.lcp == -1);
    check_rollup(fixture, 0, 0);
}

static void test_delivery__a_snapshot_of_a_view_that_ended_well_changes_nothing(void **state)
{
    struct index_fixture *fixture = *state;
    append(fixture, (struct sent){.view = 1, .seq = 0, .sealed = 1, .lcp = 800, .final = true});
    append(fixture, (struct sent){.view = 1, SNAPSHOT, .sealed = 1, .lcp = 5000});
    index_fixture_start(fixture);
    struct statement it = ask(fixture);
    assert_true(!it.crashed && it.lcp == 800);
    assert_int_equal(counters_find(&fixture->counters, COUNTER_VIEWS_CRASHED), 0);
}

static void test_delivery__a_page_that_was_hidden_once_and_came_back_can_crash(void **state)
{
    struct index_fixture *fixture = *state;
    append(fixture, (struct sent){.view = 1, .seq = 0, .sealed = 1, .final = true});
    append(fixture, (struct sent){.view = 1, .seq = 1, .sealed = 2});
    append(fixture, (struct sent){.view = 1, SNAPSHOT, .sealed = 3});
    index_fixture_start(fixture);
    assert_true(ask(fixture).crashed);
}

static void test_delivery__a_snapshot_older_than_a_beacon_leaves_its_vitals_alone(void **state)
{
    struct index_fixture *fixture = *state;
    append(fixture, (struct sent){.view = 1, .seq = 2, .sealed = 3, .lcp = 5000});
    append(fixture, (struct sent){.view = 1, SNAPSHOT, .sealed = 2, .lcp = 800});
    index_fixture_start(fixture);
    struct statement it = ask(fixture);
    assert_true(it.crashed && it.lcp == 5000);
    check_rollup(fixture, 1, 0);
}

static void test_delivery__a_rebuilt_index_says_the_same_of_crashes(void **state)
{
    struct index_fixture *fixture = *state;
    append(fixture, (struct sent){.view = 1, .seq = 0, .sealed = 1, .lcp = 800});
    append(fixture, (struct sent){.view = 1, SNAPSHOT, .sealed = 2, .lcp = 5000});
    append(fixture, (struct sent){.view = 2, .seq = 0, .sealed = 1, .lcp = 800});
    fixture->batch_records = 1; /* every record a transaction of its own */
    index_fixture_start(fixture);
    char *before = index_fixture_ask_text(fixture, "loss", "app=shop" SINCE);
    index_fixture_stop(fixture);
    assert_true(store_delete(fixture->index_path));
    fixture->batch_records = 0;
    index_fixture_start(fixture);
    char *after = index_fixture_ask_text(fixture, "loss", "app=shop" SINCE);
    assert_string_equal(before, after);
    assert_true(ask(fixture).crashed);
    free(before);
    free(after);
}

static void check_loss(struct index_fixture *fixture, const char *query, const json_int_t expected[4])
{
    json_t *answer = index_fixture_ask(fixture, "loss", query, 200), *beacons = json_object_get(answer, "beacons");
    assert_int_equal(integer(answer, "views"), expected[0]);
    assert_int_equal(integer(beacons, "claimed"), expected[1]);
    assert_int_equal(integer(beacons, "received"), expected[2]);
    assert_int_equal(integer(beacons, "lost"), expected[3]);
    assert_int_equal(integer(beacons, "claimed"), integer(beacons, "received") + integer(beacons, "lost"));
    json_decref(answer);
}

static void test_delivery__the_sum_over_views_balances_and_can_be_asked_for_one_app(void **state)
{
    struct index_fixture *fixture = *state;
    static const json_int_t all[] = {3, 8, 4, 4}, none[] = {0, 0, 0, 0};
    append(fixture, (struct sent){.view = 1, .seq = 3, .sealed = 4});
    append(fixture, (struct sent){.view = 2, .seq = 0, .sealed = 1});
    append(fixture, (struct sent){.view = 2, .seq = 1, .sealed = 2, .final = true});
    append(fixture, (struct sent){.view = 3, .seq = 9, .sealed = 10, .dropped = 8});
    append(fixture, (struct sent){.view = 3, SNAPSHOT, .sealed = 11});
    index_fixture_start(fixture);
    check_loss(fixture, "app=shop" SINCE, all);
    check_loss(fixture, "since=0", all);
    check_loss(fixture, "app=nobody" SINCE, none);
    json_t *answer = index_fixture_ask(fixture, "loss", "since=0", 200);
    assert_int_equal(integer(answer, "crashed"), 1);
    assert_int_equal(integer(answer, "final"), 1);
    assert_int_equal(integer(json_object_get(answer, "beacons"), "dropped"), 8);
    json_decref(answer);
    json_decref(index_fixture_ask(fixture, "loss", "app=Not%20one", 400));
}

static void append_view(struct index_fixture *fixture, uint8_t view, uint8_t session, uint64_t start_us,
                        vitrace_v1_NavigationType type)
{
    vitrace_v1_Header header = beacon_builder_header(view, 0);
    memset(header.session_id, session, sizeof header.session_id);
    header.page.view_start_us = start_us;
    header.page.navigation_type = type;
    header.sample_rate_ppm = 250000;
    header.trigger = vitrace_v1_RecorderTrigger_RECORDER_TRIGGER_ERROR;
    beacon_builder_init(&beacon, &header);
    index_fixture_append(fixture, APPEND_BEACON, beacon_builder_bytes(&beacon));
}

static void test_delivery__a_session_is_told_in_order_with_why_it_was_sent(void **state)
{
    struct index_fixture *fixture = *state;
    static const char *const types[] = {"navigate", "route_change", "soft_navigation"};
    append_view(fixture, 3, 8, 3000000, vitrace_v1_NavigationType_NAVIGATION_TYPE_SOFT_NAVIGATION);
    append_view(fixture, 1, 8, 0, vitrace_v1_NavigationType_NAVIGATION_TYPE_NAVIGATE);
    append_view(fixture, 2, 8, 2000000, vitrace_v1_NavigationType_NAVIGATION_TYPE_ROUTE_CHANGE);
    append_view(fixture, 4, 9, 1000000, vitrace_v1_NavigationType_NAVIGATION_TYPE_NAVIGATE);
    index_fixture_start(fixture);
    json_t *answer =
        index_fixture_ask(fixture, "views", "app=shop&session=08080808080808080808080808080808", 200);
    json_t *views = json_object_get(answer, "views");
    assert_int_equal(json_array_size(views), 3);
    for (size_t i = 0; i < 3; i++) {
        json_t *view = json_array_get(views, i);
        assert_string_equal(json_string_value(json_object_get(view, "navigation_type")), types[i]);
        assert_string_equal(json_string_value(json_object_get(view, "trigger")), "error");
        assert_true(json_number_value(json_object_get(view, "sample_rate")) == 0.25);
    }
    json_decref(answer);
    answer = index_fixture_ask(fixture, "views", "app=shop&limit=2&session=08080808080808080808080808080808", 200);
    assert_true(truth(answer, "truncated"));
    json_decref(answer);
    json_decref(index_fixture_ask(fixture, "views", "app=shop&session=08", 400));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_delivery__##name, setup, teardown)
        TEST(a_missing_number_is_lost_and_one_never_meant_to_be_sent_is_not),
        TEST(without_a_ledger_the_highest_number_is_the_claim),
        TEST(a_page_that_drops_more_than_it_sealed_claims_what_came),
        TEST(duplicates_are_counted_in_their_view_also_when_they_are_told_before_it),
        TEST(duplicates_that_were_told_last_are_counted_before_the_end),
        TEST(a_snapshot_marks_the_view_and_gives_it_its_last_vitals),
        TEST(a_beacon_after_the_snapshot_takes_everything_of_it_back),
        TEST(a_vital_that_only_the_snapshot_had_goes_with_it),
        TEST(a_snapshot_of_a_view_that_ended_well_changes_nothing),
        TEST(a_page_that_was_hidden_once_and_came_back_can_crash),
        TEST(a_snapshot_older_than_a_beacon_leaves_its_vitals_alone),
        TEST(a_rebuilt_index_says_the_same_of_crashes),
        TEST(the_sum_over_views_balances_and_can_be_asked_for_one_app),
        TEST(a_session_is_told_in_order_with_why_it_was_sent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
