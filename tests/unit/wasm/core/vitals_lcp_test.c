#include "tests/unit/wasm/core/vitals_fixture.h"

#include <math.h>

#define IMAGE 0xfeedfacecafebeefu

static void take_image(struct vitals *page, double start_time)
{
    vitals_take_largest_paint(
        page, &(struct vitals_paint){
                  .start_time = start_time, .url = 5, .target = 6, .url_hash = IMAGE, .last_of_batch = true});
}

static void take_resource(struct vitals *page, uint64_t hash, double start, double request_start, double response_end)
{
    vitals_take_resource(page, &(struct vitals_resource){hash, start, request_start, response_end});
}

static void test_lcp__is_the_last_candidate_not_the_largest(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 100, 50);
    take_paint(page, 900.5, 1);
    take_paint(page, 1200.25, 2);
    assert_measured(page, VITAL_LCP, 1200.25 - 100);
    assert_int_equal(vitals_find(page, VITAL_LCP)->target, 2);
    assert_false(vitals_find(page, VITAL_LCP)->final);
    take_paint(page, 50, 3);
    assert_measured(page, VITAL_LCP, 0);
}

static void test_lcp__looks_only_at_the_last_entry_of_a_batch(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_largest_paint(page, &(struct vitals_paint){.start_time = 300, .target = 1});
    assert_not_yet(page, VITAL_LCP);
    vitals_take_visibility(page, 500, true, false);
    vitals_take_largest_paint(page, &(struct vitals_paint){.start_time = 400, .target = 1});
    take_paint(page, 600, 2);
    assert_not_yet(page, VITAL_LCP);
}

static void test_lcp__needs_a_paint_before_the_page_was_hidden(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_visibility(page, 1000, true, false);
    take_paint(page, 1000, 1);
    assert_not_yet(page, VITAL_LCP);
    take_paint(page, 999.9, 2); /* delivered late, painted in time */
    assert_measured(page, VITAL_LCP, 999.9);
}

static void test_lcp__is_final_at_the_first_idle_moment_after_input(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_paint(page, 900, 1);
    vitals_idle(page);
    take_paint(page, 950, 2);
    vitals_input(page, 1000);
    take_paint(page, 980, 3);
    assert_false(vitals_find(page, VITAL_LCP)->final);
    vitals_idle(page);
    assert_true(vitals_find(page, VITAL_LCP)->final);
    take_paint(page, 1100, 4);
    assert_measured(page, VITAL_LCP, 980);
    assert_int_equal(vitals_find(page, VITAL_LCP)->target, 3);
}

static void test_lcp__is_final_when_the_page_is_hidden(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_paint(page, 900, 1);
    vitals_hide(page, 1000);
    assert_true(vitals_find(page, VITAL_LCP)->final);
    take_paint(page, 990, 2);
    assert_measured(page, VITAL_LCP, 900);
}

static void test_lcp__is_not_measured_when_input_ends_the_search_before_any_paint(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_input(page, 100);
    vitals_idle(page);
    take_paint(page, 200, 1);
    assert_not_yet(page, VITAL_LCP);
}

static void test_lcp__of_text_is_first_byte_and_render_delay(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 200);
    take_paint(page, 900, 1);
    assert_parts(page, VITAL_LCP, PARTS(200, 0, 0, 700));
}

static void test_lcp__of_an_image_has_four_parts_that_add_up(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 50.5, 200.7);
    take_resource(page, IMAGE, 300.1, 320.3, 640.9);
    take_image(page, 1000.2);
    double base = 50.5;
    assert_int_equal(vitals_find(page, VITAL_LCP)->url, 5);
    assert_parts(page, VITAL_LCP,
                 PARTS(200.7 - base, (320.3 - base) - (200.7 - base), (640.9 - base) - (320.3 - base),
                       (1000.2 - base) - (640.9 - base)));
}

static void test_lcp__finds_its_resource_whichever_comes_first(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 200);
    take_image(page, 1000);
    assert_parts(page, VITAL_LCP, PARTS(200, 0, 0, 800));
    take_resource(page, IMAGE + 1, 300, 310, 600);
    assert_parts(page, VITAL_LCP, PARTS(200, 0, 0, 800));
    take_resource(page, IMAGE, 300, 310, 600);
    assert_parts(page, VITAL_LCP, PARTS(200, 110, 290, 400));
}

static void test_lcp__takes_the_latest_matching_resource_that_was_requested_before_the_paint(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 200);
    take_resource(page, IMAGE, 300, 310, 600);
    take_resource(page, IMAGE, 400, 410, 700);
    take_resource(page, IMAGE, 990, 1000.1, 1200);
    take_image(page, 1000);
    assert_parts(page, VITAL_LCP, PARTS(200, 210, 290, 300));
    take_resource(page, IMAGE, 500, 1000, 1300); /* requested at the very paint, and still loading */
    assert_parts(page, VITAL_LCP, PARTS(200, 800, 0, 0));
}

static void test_lcp__uses_the_start_when_the_request_is_not_disclosed(void **state)
{
    (void)state;
    static const double hidden[] = {0, NAN};
    for (unsigned i = 0; i < 2; i++) {
        struct vitals *page = page_open();
        take_navigation(page, 0, 200);
        take_resource(page, IMAGE, 300, hidden[i], 600);
        take_image(page, 1000);
        assert_parts(page, VITAL_LCP, PARTS(200, 100, 300, 400));
    }
}

static void test_lcp__never_splits_into_negative_parts(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 500);
    take_resource(page, IMAGE, 100, 110, 300); /* preloaded by an early hint, before the first byte */
    take_image(page, 1000);
    assert_parts(page, VITAL_LCP, PARTS(500, 0, 0, 500));
}

static void test_lcp__matches_no_resource_without_a_url(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 200);
    take_resource(page, 0, 300, 310, 600);
    take_paint(page, 1000, 1);
    take_resource(page, 0, 300, 310, 600);
    assert_parts(page, VITAL_LCP, PARTS(200, 0, 0, 800));
}

static void test_lcp__remembers_the_last_128_resources(void **state)
{
    (void)state;
    for (unsigned others = LCP_RESOURCES_MAX - 2; others <= LCP_RESOURCES_MAX + 1; others++) {
        struct vitals *page = page_open();
        take_navigation(page, 0, 200);
        take_resource(page, 1, 1, 1, 1);
        take_resource(page, IMAGE, 300, 310, 600);
        for (unsigned i = 0; i < others; i++)
            take_resource(page, 2 + i, 400, 410, 500);
        take_image(page, 1000);
        assert_true(vitals_find(page, VITAL_LCP)->parts[1] == (others < LCP_RESOURCES_MAX ? 110 : 0));
    }
}

static void test_lcp__keeps_its_resource_when_the_buffer_rolls_on(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 200);
    take_resource(page, IMAGE, 300, 310, 600);
    take_image(page, 1000);
    for (unsigned i = 0; i < 120; i++)
        take_resource(page, 2 + i, 400, 410, 500);
    vitals_hide(page, 2000);
    assert_parts(page, VITAL_LCP, PARTS(200, 110, 290, 400));
}

static void test_lcp__does_not_change_its_parts_after_it_is_final(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 200);
    take_image(page, 1000);
    vitals_hide(page, 2000);
    take_resource(page, IMAGE, 300, 310, 600);
    assert_parts(page, VITAL_LCP, PARTS(200, 0, 0, 800));
}

static void test_lcp__is_not_split_without_a_navigation_entry(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_resource(page, IMAGE, 300, 310, 600);
    take_image(page, 1000);
    assert_parts(page, VITAL_LCP, PARTS(0, 0, 0, 1000));
    take_navigation(page, 0, 200);
    assert_parts(page, VITAL_LCP, PARTS(200, 110, 290, 400));
}

static void test_lcp__waits_for_the_activation_and_counts_from_it(void **state)
{
    (void)state;
    struct vitals *page = page_start((struct vitals_start){.supported = ALL_METRICS, .prerendering = true});
    take_navigation(page, 0, 100);
    take_paint(page, 600, 1);
    take_paint(page, 900, 2);
    vitals_input(page, 950);
    vitals_idle(page);
    assert_not_yet(page, VITAL_LCP);
    take_navigation(page, 800, 100);
    vitals_activated(page, 801, false);
    assert_measured(page, VITAL_LCP, 100);
    take_paint(page, 1000, 3);
    assert_measured(page, VITAL_LCP, 200);
}

static void test_lcp__is_not_measured_when_activated_in_the_background(void **state)
{
    (void)state;
    struct vitals *page = page_start((struct vitals_start){.supported = ALL_METRICS, .prerendering = true});
    take_navigation(page, 800, 100);
    take_paint(page, 900, 2);
    vitals_activated(page, 801, true);
    take_paint(page, 1000, 3);
    assert_not_yet(page, VITAL_LCP);
    assert_false(vitals_holds(page, 2));
}

static void test_lcp__of_a_restored_page_is_its_paint_and_final(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 100);
    take_paint(page, 900, 1);
    vitals_hide(page, 1000);
    vitals_restart(page, TYPE_BFCACHE, 5000.1, false);
    take_paint(page, 5010, 2);
    assert_not_yet(page, VITAL_LCP);
    vitals_take_first_contentful_paint(page, 5033.4);
    assert_measured(page, VITAL_LCP, 5033.4 - 5000.1);
    assert_true(vitals_find(page, VITAL_LCP)->final);
    assert_parts(page, VITAL_LCP, PARTS(0, 0, 0, 5033.4 - 5000.1));
    assert_int_equal(vitals_find(page, VITAL_LCP)->target, 0);
    assert_int_equal(vitals_find(page, VITAL_LCP)->navigation_type, TYPE_BFCACHE);
}

static void test_lcp__of_a_soft_navigation_counts_from_its_start(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 100);
    take_paint(page, 900, 1);
    vitals_hide(page, 1000);
    begin_soft_view(page, 5000, 5020);
    take_resource(page, IMAGE, 5100, 5110, 5200);
    take_interaction_paint(page, SOFT_INTERACTION, 5000, 5300, IMAGE);
    assert_measured(page, VITAL_LCP, 300);
    assert_int_equal(vitals_find(page, VITAL_LCP)->target, 9);
    assert_parts(page, VITAL_LCP, PARTS(0, 110, 90, 100));
    vitals_input(page, 5400);
    vitals_idle(page);
    assert_true(vitals_find(page, VITAL_LCP)->final);
    take_interaction_paint(page, SOFT_INTERACTION, 5000, 5500, IMAGE);
    assert_measured(page, VITAL_LCP, 300);
}

static void test_lcp__of_a_soft_navigation_is_a_paint_of_its_own_interaction(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_interaction_paint(page, SOFT_INTERACTION, 5000, 5030, 0); /* the load's view is not a soft navigation */
    assert_not_yet(page, VITAL_LCP);
    begin_soft_view(page, 5000, 5020);
    take_paint(page, 5100, 2); /* of the load, delivered late */
    take_interaction_paint(page, SOFT_INTERACTION + 1, 5200, 5230, 0);
    take_interaction_paint(page, 0, 5200, 5230, 0);
    assert_not_yet(page, VITAL_LCP);
    take_interaction_paint(page, SOFT_INTERACTION, 5000.5, 5030, 0);
    assert_measured(page, VITAL_LCP, 29.5); /* from the interaction that painted, as web-vitals has it */
    take_interaction_paint(page, SOFT_INTERACTION, 5040, 5030, 0);
    assert_measured(page, VITAL_LCP, 0);
    vitals_hide(page, 5050);
    take_interaction_paint(page, SOFT_INTERACTION, 5000, 5300, 0);
    assert_measured(page, VITAL_LCP, 0);
    begin_soft_view(page, 6000, 6020); /* it is seen, whatever was hidden before */
    take_interaction_paint(page, SOFT_INTERACTION, 6000, 6030, 0);
    assert_measured(page, VITAL_LCP, 30);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lcp__is_the_last_candidate_not_the_largest),
        cmocka_unit_test(test_lcp__looks_only_at_the_last_entry_of_a_batch),
        cmocka_unit_test(test_lcp__needs_a_paint_before_the_page_was_hidden),
        cmocka_unit_test(test_lcp__is_final_at_the_first_idle_moment_after_input),
        cmocka_unit_test(test_lcp__is_final_when_the_page_is_hidden),
        cmocka_unit_test(test_lcp__is_not_measured_when_input_ends_the_search_before_any_paint),
        cmocka_unit_test(test_lcp__of_text_is_first_byte_and_render_delay),
        cmocka_unit_test(test_lcp__of_an_image_has_four_parts_that_add_up),
        cmocka_unit_test(test_lcp__finds_its_resource_whichever_comes_first),
        cmocka_unit_test(test_lcp__takes_the_latest_matching_resource_that_was_requested_before_the_paint),
        cmocka_unit_test(test_lcp__uses_the_start_when_the_request_is_not_disclosed),
        cmocka_unit_test(test_lcp__never_splits_into_negative_parts),
        cmocka_unit_test(test_lcp__matches_no_resource_without_a_url),
        cmocka_unit_test(test_lcp__remembers_the_last_128_resources),
        cmocka_unit_test(test_lcp__keeps_its_resource_when_the_buffer_rolls_on),
        cmocka_unit_test(test_lcp__does_not_change_its_parts_after_it_is_final),
        cmocka_unit_test(test_lcp__is_not_split_without_a_navigation_entry),
        cmocka_unit_test(test_lcp__waits_for_the_activation_and_counts_from_it),
        cmocka_unit_test(test_lcp__is_not_measured_when_activated_in_the_background),
        cmocka_unit_test(test_lcp__of_a_restored_page_is_its_paint_and_final),
        cmocka_unit_test(test_lcp__of_a_soft_navigation_counts_from_its_start),
        cmocka_unit_test(test_lcp__of_a_soft_navigation_is_a_paint_of_its_own_interaction),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
