#include "tests/unit/wasm/core/vitals_fixture.h"

static void take_full_event(struct vitals *page, struct vitals_event event)
{
    vitals_take_event(page, &event);
}

static void test_inp__waits_for_an_idle_moment(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_event(page, 7, 100, 96);
    assert_not_yet(page, VITAL_INP);
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 96);
    assert_false(vitals_find(page, VITAL_INP)->final);
    take_event(page, 14, 300, 120);
    vitals_hide(page, 500);
    assert_measured(page, VITAL_INP, 120);
}

static void test_inp__is_not_measured_without_an_interaction(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_interaction_count(page, 3);
    take_event(page, 0, 100, 400);
    take_full_event(page, (struct vitals_event){.start_time = 100, .duration = 400, .first_input = true});
    vitals_hide(page, 1000);
    assert_not_yet(page, VITAL_INP);
}

static void test_inp__tells_where_the_time_of_the_interaction_went(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_full_event(page, (struct vitals_event){.start_time = 100.5,
                                                .duration = 104,
                                                .processing_start = 112.25,
                                                .processing_end = 180.75,
                                                .interaction_id = 7,
                                                .name = 3,
                                                .target = 4});
    vitals_idle(page);
    const struct vital *inp = vitals_find(page, VITAL_INP);
    assert_parts(page, VITAL_INP, PARTS(112.25 - 100.5, 180.75 - 112.25, 204.5 - 180.75));
    assert_true(inp->time == 100.5);
    assert_int_equal(inp->name, 3);
    assert_int_equal(inp->target, 4);
}

static void test_inp__is_the_longest_of_up_to_49_interactions(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    for (uint32_t i = 1; i <= 49; i++) {
        vitals_take_interaction_count(page, i);
        take_event(page, i * 7, i * 1000, i == 20 ? 400 : 40 + 8 * (i % 5));
        vitals_idle(page);
    }
    assert_measured(page, VITAL_INP, 400);
}

static void test_inp__leaves_out_one_interaction_in_50(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    /* 600 interactions, the ten longest of 1,000, 992, ... */
    for (uint32_t i = 0; i < 600; i++) {
        double expected_index = (i + 1) / 50 < 9 ? (i + 1) / 50 : 9;
        vitals_take_interaction_count(page, i + 1);
        take_event(page, 7 + i * 7, i * 1000, i < 10 ? 1000 - 8 * (double)i : 40);
        vitals_idle(page);
        assert_measured(page, VITAL_INP, 1000 - 8 * expected_index);
    }
}

static void test_inp__takes_the_last_candidate_when_fewer_are_known_than_counted(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_interaction_count(page, 200); /* index 4 */
    take_event(page, 7, 1000, 100);
    take_event(page, 14, 2000, 80);
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 80);
}

static void test_inp__sees_a_new_count_with_the_next_entries_or_when_hidden(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_event(page, 7, 1000, 100);
    take_event(page, 14, 2000, 80);
    vitals_idle(page);
    vitals_take_interaction_count(page, 50);
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 100);
    vitals_hide(page, 3000);
    assert_measured(page, VITAL_INP, 80);
}

static void test_inp__keeps_the_ten_longest(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    for (uint32_t i = 1; i <= 15; i++)
        take_event(page, i, i * 1000, 40 + 8 * (double)i); /* 48 ... 160: 88 is the tenth */
    vitals_take_interaction_count(page, 1000);
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 88);
    take_event(page, 16, 20000, 88); /* not longer than the tenth */
    vitals_idle(page);
    assert_int_equal(vitals_find(page, VITAL_INP)->name, 1006);
    take_event(page, 17, 21000, 96); /* takes the place of the 88; equal to the ninth, and after it */
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 96);
    assert_int_equal(vitals_find(page, VITAL_INP)->name, 1017);
}

static void test_inp__keeps_showing_the_first_of_equal_interactions(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_event(page, 1, 1000, 96);
    take_event(page, 2, 2000, 96);
    vitals_idle(page);
    assert_int_equal(vitals_find(page, VITAL_INP)->name, 1001);
    take_event(page, 3, 3000, 96);
    vitals_take_interaction_count(page, 100);
    vitals_idle(page); /* the third of the list now, as long as the one shown */
    assert_int_equal(vitals_find(page, VITAL_INP)->name, 1001);
    assert_int_equal(vitals_find(page, VITAL_INP)->revision, 1);
}

static void test_inp__takes_the_longest_event_of_an_interaction(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_full_event(page, (struct vitals_event){{{100, 80, 105, 110}}, 7, 1, 11, false});
    take_full_event(page, (struct vitals_event){{{160, 120, 170, 190}}, 7, 2, 12, false});
    take_full_event(page, (struct vitals_event){{{200, 40, 210, 220}}, 7, 3, 13, false});
    vitals_idle(page);
    const struct vital *inp = vitals_find(page, VITAL_INP);
    assert_measured(page, VITAL_INP, 120);
    assert_int_equal(inp->name, 2);
    assert_int_equal(inp->target, 11); /* the first element that was known */
    assert_true(inp->time == 160);
}

static void test_inp__looks_for_a_target_among_the_entries_that_have_the_latency(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_full_event(page, (struct vitals_event){{{100, 80, 105, 110}}, 7, 1, 0, false});
    take_full_event(page, (struct vitals_event){{{100, 40, 105, 110}}, 7, 2, 12, false}); /* shorter: ends earlier */
    take_full_event(page, (struct vitals_event){{{110, 80, 115, 119}}, 7, 3, 13, false}); /* as long, another start */
    vitals_idle(page);
    assert_int_equal(vitals_find(page, VITAL_INP)->target, 12);
    page = page_open();
    take_full_event(page, (struct vitals_event){{{100, 80, 105, 110}}, 7, 1, 0, false});
    take_full_event(page, (struct vitals_event){{{110, 80, 115, 119}}, 7, 3, 13, false});
    vitals_idle(page);
    assert_int_equal(vitals_find(page, VITAL_INP)->target, 0);
    take_full_event(page, (struct vitals_event){{{100, 80, 110, 120}}, 7, 4, 14, false});
    vitals_idle(page);
    assert_int_equal(vitals_find(page, VITAL_INP)->target, 14);
    assert_int_equal(vitals_find(page, VITAL_INP)->name, 1);
}

static void test_inp__joins_events_of_one_frame_within_8_ms(void **state)
{
    (void)state;
    for (int apart = 8; apart <= 9; apart++) {
        struct vitals *page = page_open();
        take_full_event(page, (struct vitals_event){{{100, 96, 120, 130}}, 7, 1, 11, false}); /* presented at 196 */
        /* another event, presented `apart` ms later, whose handlers ran around those of the first */
        take_full_event(page, (struct vitals_event){{{102, 94 + apart, 110, 150}}, 0, 2, 12, false});
        vitals_idle(page);
        if (apart == 8)
            assert_parts(page, VITAL_INP, PARTS(10, 40, 46));
        else
            assert_parts(page, VITAL_INP, PARTS(20, 10, 66));
    }
}

static void test_inp__follows_its_frame_as_later_batches_widen_it(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_full_event(page, (struct vitals_event){{{100, 96, 120, 130}}, 7, 1, 11, false});
    vitals_idle(page);
    assert_parts(page, VITAL_INP, PARTS(20, 10, 66));
    take_full_event(page, (struct vitals_event){{{100, 96, 120, 160}}, 0, 2, 12, false});
    vitals_idle(page);
    assert_parts(page, VITAL_INP, PARTS(20, 40, 36));
    assert_int_equal(vitals_find(page, VITAL_INP)->revision, 2);
}

static void test_inp__clamps_processing_to_the_interaction(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    /* A pointerover handler of the same frame ran before the click began. */
    take_full_event(page, (struct vitals_event){{{80, 116, 90, 110}}, 0, 2, 12, false});
    take_full_event(page, (struct vitals_event){{{100, 96, 120, 130}}, 7, 1, 11, false});
    vitals_idle(page);
    assert_parts(page, VITAL_INP, PARTS(0, 30, 66));
    /* A sync dialog: processing goes on after the paint. */
    page = page_open();
    take_full_event(page, (struct vitals_event){{{100, 96, 120, 5000}}, 7, 1, 11, false});
    vitals_idle(page);
    assert_parts(page, VITAL_INP, PARTS(20, 76, 0));
    /* A duration that was rounded down to before the processing. */
    page = page_open();
    take_full_event(page, (struct vitals_event){{{100, 8, 110, 112}}, 7, 1, 11, false});
    vitals_idle(page);
    assert_parts(page, VITAL_INP, PARTS(10, 0, 0));
}

static void test_inp__keeps_the_frames_of_candidates_and_the_last_ten(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_full_event(page, (struct vitals_event){{{100, 400, 120, 130}}, 7, 1, 11, false}); /* presented at 500 */
    vitals_idle(page);
    for (int i = 1; i <= 200; i++) {
        take_event(page, 0, i * 1000, 48);
        if (i % 30 == 0)
            vitals_idle(page);
    }
    take_full_event(page, (struct vitals_event){{{100, 400, 110, 130}}, 0, 2, 11, false});
    vitals_idle(page);
    assert_parts(page, VITAL_INP, PARTS(10, 20, 370));
    assert_true(page->inp.frame_count <= INP_CANDIDATES_MAX + INP_RECENT_FRAMES);
}

static void test_inp__evaluates_early_when_the_queue_is_full(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    for (uint32_t i = 0; i < INP_QUEUE_MAX; i++)
        take_event(page, i + 1, 100 + i * 50, i == 3 ? 480 : 48);
    assert_int_equal(page->inp.queued, INP_QUEUE_MAX);
    take_event(page, 9999, 50000, 48);
    assert_int_equal(page->inp.queued, 1);
    assert_not_yet(page, VITAL_INP); /* the metric waits for idle all the same */
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 480);
    assert_int_equal(vitals_find(page, VITAL_INP)->name, 1004);
}

static void test_inp__judges_events_by_their_end_whatever_the_order_of_delivery(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_event(page, 3, 3000, 96);
    take_event(page, 1, 1000, 96);
    take_event(page, 2, 2000, 96);
    vitals_idle(page);
    assert_int_equal(vitals_find(page, VITAL_INP)->name, 1001);
}

static void test_inp__counts_first_input_and_its_event_as_one_interaction(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    for (int first = 0; first < 2; first++)
        take_full_event(page, (struct vitals_event){{{100, 16, 105, 110}}, 7, 1, 11, first == 0});
    take_event(page, 14, 1000, 8);
    vitals_take_interaction_count(page, 50);
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 8);
    assert_int_equal(page->inp.candidate_count, 2);
}

static void test_inp__begins_again_after_a_restart_and_counts_from_there(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_interaction_count(page, 75);
    take_event(page, 1, 1000, 400);
    take_event(page, 2, 2000, 200);
    vitals_hide(page, 2500);
    vitals_restart(page, TYPE_BFCACHE, 3000, false);
    assert_not_yet(page, VITAL_INP);
    vitals_take_interaction_count(page, 124); /* 49 in this view */
    take_event(page, 3, 4000, 80);
    take_event(page, 4, 5000, 64);
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 80);
    vitals_take_interaction_count(page, 125);
    vitals_hide(page, 6000);
    assert_measured(page, VITAL_INP, 64);
    assert_int_equal(vitals_find(page, VITAL_INP)->navigation_type, TYPE_BFCACHE);
}

static void test_inp__of_a_later_view_is_8_ms_when_interactions_were_too_short_for_entries(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_interaction_count(page, 5);
    vitals_hide(page, 900);
    assert_not_yet(page, VITAL_INP); /* a load has first-input */
    vitals_restart(page, TYPE_BFCACHE, 1000, false);
    vitals_hide(page, 2000);
    assert_not_yet(page, VITAL_INP);
    vitals_take_interaction_count(page, 6);
    vitals_hide(page, 3000);
    assert_measured(page, VITAL_INP, 8);
    assert_parts(page, VITAL_INP, PARTS(0, 0, 8));
    assert_int_equal(vitals_find(page, VITAL_INP)->name, 0);
    take_event(page, 7, 4000, 48);
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 48);
    assert_int_equal(vitals_find(page, VITAL_INP)->name, 1007);
}

static void test_inp__of_a_view_that_is_left_is_told_before_the_next_begins(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_interaction_count(page, 1);
    take_event(page, 1, 1000, 400);
    vitals_leave(page);
    assert_measured(page, VITAL_INP, 400);
    vitals_restart(page, TYPE_SOFT, 3000, false);
    assert_not_yet(page, VITAL_INP);
    vitals_take_interaction_count(page, 2);
    vitals_hide(page, 4000);
    assert_measured(page, VITAL_INP, 8);
    assert_int_equal(vitals_find(page, VITAL_INP)->navigation_type, TYPE_SOFT);
}

static void test_inp__gives_events_still_queued_at_a_restart_to_the_view_before(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_event(page, 1, 1000, 400);
    vitals_restart(page, TYPE_SOFT, 3000, false);
    vitals_idle(page);
    assert_not_yet(page, VITAL_INP);
    assert_int_equal(page->inp.queued, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inp__waits_for_an_idle_moment),
        cmocka_unit_test(test_inp__is_not_measured_without_an_interaction),
        cmocka_unit_test(test_inp__tells_where_the_time_of_the_interaction_went),
        cmocka_unit_test(test_inp__is_the_longest_of_up_to_49_interactions),
        cmocka_unit_test(test_inp__leaves_out_one_interaction_in_50),
        cmocka_unit_test(test_inp__takes_the_last_candidate_when_fewer_are_known_than_counted),
        cmocka_unit_test(test_inp__sees_a_new_count_with_the_next_entries_or_when_hidden),
        cmocka_unit_test(test_inp__keeps_the_ten_longest),
        cmocka_unit_test(test_inp__keeps_showing_the_first_of_equal_interactions),
        cmocka_unit_test(test_inp__takes_the_longest_event_of_an_interaction),
        cmocka_unit_test(test_inp__looks_for_a_target_among_the_entries_that_have_the_latency),
        cmocka_unit_test(test_inp__joins_events_of_one_frame_within_8_ms),
        cmocka_unit_test(test_inp__follows_its_frame_as_later_batches_widen_it),
        cmocka_unit_test(test_inp__clamps_processing_to_the_interaction),
        cmocka_unit_test(test_inp__keeps_the_frames_of_candidates_and_the_last_ten),
        cmocka_unit_test(test_inp__evaluates_early_when_the_queue_is_full),
        cmocka_unit_test(test_inp__judges_events_by_their_end_whatever_the_order_of_delivery),
        cmocka_unit_test(test_inp__counts_first_input_and_its_event_as_one_interaction),
        cmocka_unit_test(test_inp__begins_again_after_a_restart_and_counts_from_there),
        cmocka_unit_test(test_inp__of_a_later_view_is_8_ms_when_interactions_were_too_short_for_entries),
        cmocka_unit_test(test_inp__of_a_view_that_is_left_is_told_before_the_next_begins),
        cmocka_unit_test(test_inp__gives_events_still_queued_at_a_restart_to_the_view_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
