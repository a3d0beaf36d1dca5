#include "tests/unit/wasm/core/vitals_fixture.h"

#include <math.h>

static const enum vital_metric metrics[] = {VITAL_LCP, VITAL_INP, VITAL_CLS, VITAL_FCP, VITAL_TTFB};

static void test_vitals__rate_a_threshold_itself_as_the_better_side(void **state)
{
    (void)state;
    static const struct {
        enum vital_metric metric;
        double good, poor;
    } limits[] = {{VITAL_LCP, 2500, 4000},
                  {VITAL_INP, 200, 500},
                  {VITAL_CLS, 0.1, 0.25},
                  {VITAL_FCP, 1800, 3000},
                  {VITAL_TTFB, 800, 1800}};
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(vital_rate(limits[i].metric, 0), VITAL_GOOD);
        assert_int_equal(vital_rate(limits[i].metric, limits[i].good), VITAL_GOOD);
        assert_int_equal(vital_rate(limits[i].metric, limits[i].good + 1e-9), VITAL_NEEDS_IMPROVEMENT);
        assert_int_equal(vital_rate(limits[i].metric, limits[i].poor), VITAL_NEEDS_IMPROVEMENT);
        assert_int_equal(vital_rate(limits[i].metric, limits[i].poor + 1e-9), VITAL_POOR);
    }
}

static void test_vitals__have_no_value_at_first(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    assert_int_equal(vitals_bytes(), sizeof *page);
    for (unsigned i = 0; i < 5; i++) {
        assert_not_yet(page, metrics[i]);
        assert_int_equal(vitals_find(page, metrics[i])->revision, 0);
    }
    assert_null(vitals_find(page, (enum vital_metric)0));
    assert_null(vitals_find(page, (enum vital_metric)6));
}

static void feed_everything(struct vitals *page)
{
    take_navigation(page, 0, 100);
    vitals_take_first_contentful_paint(page, 500);
    take_paint(page, 600, 1);
    take_shift(page, 700, 0.2, 2);
    take_event(page, 7, 800, 96);
    vitals_loaded(page, 1000);
    vitals_hide(page, 2000);
}

static void test_vitals__stay_unsupported_whatever_comes(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        struct vitals *page = page_start((struct vitals_start){.supported = ALL_METRICS & ~(1u << (metrics[i] - 1))});
        assert_int_equal(vitals_find(page, metrics[i])->revision, 1);
        for (int view = 0; view < 2; view++) {
            feed_everything(page);
            assert_int_equal(vitals_find(page, metrics[i])->state, VITAL_UNSUPPORTED);
            assert_true(vitals_find(page, metrics[i])->value == 0);
            vitals_restart(page, TYPE_BFCACHE, 3000, false);
            assert_int_equal(vitals_find(page, metrics[i])->state, VITAL_UNSUPPORTED);
        }
    }
}

static void test_vitals__are_all_measured_on_an_ordinary_page(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    feed_everything(page);
    assert_measured(page, VITAL_LCP, 600);
    assert_measured(page, VITAL_INP, 96);
    assert_measured(page, VITAL_CLS, 0.2);
    assert_measured(page, VITAL_FCP, 500);
    assert_measured(page, VITAL_TTFB, 100);
}

static void test_vitals__grow_in_revision_only_when_something_changes(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 100);
    vitals_take_first_contentful_paint(page, 500);
    take_paint(page, 600, 1);
    assert_int_equal(vitals_find(page, VITAL_LCP)->revision, 1);
    take_paint(page, 600, 1);
    take_navigation(page, 0, 100);
    assert_int_equal(vitals_find(page, VITAL_LCP)->revision, 1);
    assert_int_equal(vitals_find(page, VITAL_FCP)->revision, 1);
    take_paint(page, 600, 2); /* same value, another element */
    assert_int_equal(vitals_find(page, VITAL_LCP)->revision, 2);
    vitals_hide(page, 700); /* final now */
    assert_int_equal(vitals_find(page, VITAL_LCP)->revision, 3);
    vitals_hide(page, 800);
    assert_int_equal(vitals_find(page, VITAL_LCP)->revision, 3);
    take_shift(page, 900, 0, 0);
    assert_int_equal(vitals_find(page, VITAL_CLS)->revision, 1);
}

static void test_vitals__grow_in_revision_at_a_restart_even_when_the_value_stays(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_first_contentful_paint(page, 500);
    vitals_restart(page, TYPE_SOFT, 1000, false);
    uint32_t before = vitals_find(page, VITAL_CLS)->revision;
    vitals_restart(page, TYPE_SOFT, 2000, false);
    assert_true(vitals_find(page, VITAL_CLS)->revision > before);
    assert_measured(page, VITAL_CLS, 0);
}

static uint32_t type_of(struct vitals_start start, double activation_start, uint32_t type)
{
    start.supported = ALL_METRICS;
    struct vitals *page = page_start(start);
    vitals_take_navigation(page,
                           &(struct vitals_navigation){
                               .now = 900, .activation_start = activation_start, .response_start = 50, .type = type});
    vitals_activated(page, 900, false);
    vitals_take_first_contentful_paint(page, 500);
    return vitals_find(page, VITAL_FCP)->navigation_type;
}

static void test_vitals__choose_the_navigation_type_by_the_first_rule_that_holds(void **state)
{
    (void)state;
    assert_int_equal(type_of((struct vitals_start){0}, 0, TYPE_NAVIGATE), TYPE_NAVIGATE);
    assert_int_equal(type_of((struct vitals_start){0}, 0, TYPE_RELOAD), TYPE_RELOAD);
    assert_int_equal(type_of((struct vitals_start){0}, 0, TYPE_BACK_FORWARD), TYPE_BACK_FORWARD);
    assert_int_equal(type_of((struct vitals_start){0}, 0, 0), TYPE_NAVIGATE);
    assert_int_equal(type_of((struct vitals_start){.was_discarded = true}, 0, TYPE_RELOAD), TYPE_RESTORE);
    assert_int_equal(type_of((struct vitals_start){.was_discarded = true}, 10, TYPE_RELOAD), TYPE_PRERENDER);
}

static void test_vitals__take_the_default_type_without_a_sane_navigation_entry(void **state)
{
    (void)state;
    static const double insane[] = {0, -1, 900, 901, NAN};
    for (unsigned i = 0; i < 5; i++) {
        struct vitals *page = page_start((struct vitals_start){.supported = ALL_METRICS, .was_discarded = true});
        vitals_take_navigation(
            page, &(struct vitals_navigation){
                      .now = 900, .activation_start = 100, .response_start = insane[i], .type = TYPE_RELOAD});
        vitals_take_first_contentful_paint(page, 500);
        assert_measured(page, VITAL_FCP, 500);
        assert_int_equal(vitals_find(page, VITAL_FCP)->navigation_type, TYPE_NAVIGATE);
    }
}

static void test_vitals__keep_the_explicit_type_after_a_restart(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    feed_everything(page);
    vitals_restart(page, TYPE_BFCACHE, 3000, false);
    take_navigation(page, 0, 100);
    assert_int_equal(vitals_find(page, VITAL_TTFB)->navigation_type, TYPE_BFCACHE);
    assert_int_equal(vitals_find(page, VITAL_CLS)->navigation_type, TYPE_BFCACHE);
    vitals_restart(page, TYPE_SOFT, 4000, false);
    assert_int_equal(vitals_find(page, VITAL_CLS)->navigation_type, TYPE_SOFT);
}

static void test_vitals__of_a_route_change_are_cls_and_inp_and_the_others_unsupported(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    feed_everything(page);
    vitals_leave(page);
    vitals_restart(page, TYPE_ROUTE, 3000, false);
    take_paint(page, 3100, 1);
    vitals_take_first_contentful_paint(page, 3100);
    take_navigation(page, 0, 100);
    vitals_loaded(page, 3200);
    static const enum vital_metric none[] = {VITAL_LCP, VITAL_FCP, VITAL_TTFB};
    for (unsigned i = 0; i < 3; i++)
        assert_int_equal(vitals_find(page, none[i])->state, VITAL_UNSUPPORTED);
    take_shift(page, 3300, 0.25, 0);
    assert_measured(page, VITAL_CLS, 0.25);
    take_event(page, 90, 3400, 64);
    vitals_idle(page);
    assert_measured(page, VITAL_INP, 64);
    assert_int_equal(vitals_find(page, VITAL_INP)->navigation_type, TYPE_ROUTE);
    begin_soft_view(page, 4000, 4010); /* what the browser supports is measured again */
    assert_measured(page, VITAL_FCP, 10);
    assert_measured(page, VITAL_TTFB, 0);
}

static void test_vitals__of_a_route_change_wait_for_the_first_paint_of_the_page(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_restart(page, TYPE_ROUTE, 300, false);
    take_shift(page, 310, 0.1, 0);
    assert_not_yet(page, VITAL_CLS);
    vitals_take_first_contentful_paint(page, 400);
    assert_measured(page, VITAL_CLS, 0.1);
    page = page_start((struct vitals_start){.supported = 0});
    vitals_restart(page, TYPE_ROUTE, 300, false);
    vitals_restart(page, TYPE_SOFT, 400, false);
    for (unsigned metric = 1; metric <= VITAL_METRICS; metric++)
        assert_int_equal(vitals_find(page, (enum vital_metric)metric)->state, VITAL_UNSUPPORTED);
}

static bool fcp_counts(struct vitals *page, double start_time)
{
    take_navigation(page, 0, 1);
    vitals_take_first_contentful_paint(page, start_time);
    return vitals_find(page, VITAL_FCP)->state == VITAL_MEASURED;
}

static void test_vitals__know_a_page_opened_in_the_background_as_hidden_from_the_start(void **state)
{
    (void)state;
    const struct vitals_start hidden = {.supported = ALL_METRICS, .hidden = true};
    assert_false(fcp_counts(page_start(hidden), 0));
    struct vitals *page = page_start(hidden);
    vitals_take_visibility(page, 100, false, false);
    vitals_take_visibility(page, 900, true, false);
    assert_false(fcp_counts(page, 500));
}

static void test_vitals__believe_a_visibility_entry_more_than_the_state_at_start(void **state)
{
    (void)state;
    /* Was visible until 1,000; the SDK came later and found it hidden. */
    struct vitals *page = page_start((struct vitals_start){.supported = ALL_METRICS, .hidden = true});
    vitals_take_visibility(page, 1000, true, true);
    assert_true(fcp_counts(page, 999));
    /* Was hidden for a while before the SDK came and found it visible. */
    page = page_open();
    vitals_take_visibility(page, 300, true, true);
    vitals_take_visibility(page, 600, false, true);
    vitals_take_visibility(page, 700, true, true);
    assert_false(fcp_counts(page, 300));
}

static void test_vitals__keep_the_first_time_of_several(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_visibility(page, 400, true, false);
    vitals_take_visibility(page, 399, true, true); /* the entry of the same change */
    vitals_take_visibility(page, 500, true, false);
    vitals_hide(page, 600);
    assert_true(fcp_counts(page, 399.9));
    page = page_open();
    vitals_take_visibility(page, 400, true, false);
    assert_false(fcp_counts(page, 400));
}

static void test_vitals__ignore_entries_from_before_the_activation(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 500, 1);
    vitals_take_visibility(page, 0, true, true);
    vitals_take_first_contentful_paint(page, 600);
    assert_measured(page, VITAL_FCP, 100);
}

static void test_vitals__do_not_take_prerendering_for_hidden(void **state)
{
    (void)state;
    const struct vitals_start start = {.supported = ALL_METRICS, .hidden = true, .prerendering = true};
    struct vitals *page = page_start(start);
    vitals_take_visibility(page, 0, true, true);
    take_navigation(page, 500, 1);
    vitals_activated(page, 500, false);
    vitals_take_first_contentful_paint(page, 600);
    assert_measured(page, VITAL_FCP, 100);
    page = page_start(start);
    take_navigation(page, 500, 1);
    vitals_activated(page, 500, true);
    vitals_take_first_contentful_paint(page, 600);
    assert_not_yet(page, VITAL_FCP);
}

static void test_vitals__hold_a_handle_until_nothing_can_name_it(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    assert_false(vitals_holds(page, 0));
    assert_false(vitals_holds(page, 11));
    vitals_take_largest_paint(page,
                              &(struct vitals_paint){.start_time = 5, .target = 11, .url = 12, .last_of_batch = true});
    take_shift(page, 10, 0.1, 13); /* not published before FCP */
    take_event(page, 1, 20, 48);   /* queued */
    for (uint32_t handle = 11; handle <= 13; handle++)
        assert_true(vitals_holds(page, handle));
    assert_true(vitals_holds(page, 1001) && vitals_holds(page, 2001));
    vitals_idle(page);
    assert_true(vitals_holds(page, 1001) && vitals_holds(page, 2001));
    take_paint(page, 30, 14);
    assert_false(vitals_holds(page, 11) || vitals_holds(page, 12));
    vitals_restart(page, TYPE_SOFT, 40, false);
    for (uint32_t handle = 11; handle <= 14; handle++)
        assert_false(vitals_holds(page, handle));
    assert_false(vitals_holds(page, 1001) || vitals_holds(page, 2001));
}

static void test_vitals__are_never_changed_by_numbers_that_are_not_finite(void **state)
{
    (void)state;
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    for (unsigned i = 0; i < 3; i++) {
        struct vitals *page = page_open();
        double x = bad[i];
        vitals_take_first_contentful_paint(page, x);
        take_paint(page, x, 1);
        take_shift(page, x, 0.1, 1);
        take_shift(page, 1, x, 1);
        take_event(page, 1, x, 48);
        take_event(page, 1, 10, x);
        vitals_take_interaction_count(page, x);
        vitals_take_visibility(page, x, true, false);
        vitals_loaded(page, x);
        vitals_idle(page);
        for (unsigned j = 0; j < 5; j++)
            assert_int_equal(vitals_find(page, metrics[j])->revision, 0);
        assert_true(fcp_counts(page, 10));
    }
}

static void test_vitals__stay_finite_when_entries_are_huge(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, -1.7e308, 5);
    vitals_take_first_contentful_paint(page, 1.7e308);
    take_paint(page, 1.7e308, 1);
    take_shift(page, 1, 1.7e308, 1);
    take_shift(page, 2, 1.7e308, 1);
    take_event(page, 1, 1.7e308, 1.7e308);
    vitals_take_interaction_count(page, 1.7e308);
    vitals_hide(page, 5);
    for (unsigned i = 0; i < 5; i++) {
        const struct vital *vital = vitals_find(page, metrics[i]);
        assert_true(number_is_finite(vital->value));
        for (uint32_t part = 0; part < vital->part_count; part++)
            assert_true(number_is_finite(vital->parts[part]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vitals__rate_a_threshold_itself_as_the_better_side),
        cmocka_unit_test(test_vitals__have_no_value_at_first),
        cmocka_unit_test(test_vitals__stay_unsupported_whatever_comes),
        cmocka_unit_test(test_vitals__are_all_measured_on_an_ordinary_page),
        cmocka_unit_test(test_vitals__grow_in_revision_only_when_something_changes),
        cmocka_unit_test(test_vitals__grow_in_revision_at_a_restart_even_when_the_value_stays),
        cmocka_unit_test(test_vitals__choose_the_navigation_type_by_the_first_rule_that_holds),
        cmocka_unit_test(test_vitals__take_the_default_type_without_a_sane_navigation_entry),
        cmocka_unit_test(test_vitals__keep_the_explicit_type_after_a_restart),
        cmocka_unit_test(test_vitals__of_a_route_change_are_cls_and_inp_and_the_others_unsupported),
        cmocka_unit_test(test_vitals__of_a_route_change_wait_for_the_first_paint_of_the_page),
        cmocka_unit_test(test_vitals__know_a_page_opened_in_the_background_as_hidden_from_the_start),
        cmocka_unit_test(test_vitals__believe_a_visibility_entry_more_than_the_state_at_start),
        cmocka_unit_test(test_vitals__keep_the_first_time_of_several),
        cmocka_unit_test(test_vitals__ignore_entries_from_before_the_activation),
        cmocka_unit_test(test_vitals__do_not_take_prerendering_for_hidden),
        cmocka_unit_test(test_vitals__hold_a_handle_until_nothing_can_name_it),
        cmocka_unit_test(test_vitals__are_never_changed_by_numbers_that_are_not_finite),
        cmocka_unit_test(test_vitals__stay_finite_when_entries_are_huge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
