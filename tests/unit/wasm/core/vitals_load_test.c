#include "tests/unit/wasm/core/vitals_fixture.h"

#include <math.h>

static void test_fcp__counts_from_the_activation(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 300.25, 200.5);
    vitals_take_first_contentful_paint(page, 1000.75);
    assert_measured(page, VITAL_FCP, 1000.75 - 300.25);
    assert_parts(page, VITAL_FCP, PARTS(0, 700.5));
    assert_true(vitals_find(page, VITAL_FCP)->final);
}

static void test_fcp__is_0_when_painted_before_the_activation(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 300, 200);
    vitals_take_first_contentful_paint(page, 250);
    assert_measured(page, VITAL_FCP, 0);
}

static void test_fcp__splits_at_the_first_byte(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 100, 350);
    vitals_take_first_contentful_paint(page, 1100);
    assert_parts(page, VITAL_FCP, PARTS(250, 750));
    page = page_open();
    vitals_take_first_contentful_paint(page, 1100);
    assert_parts(page, VITAL_FCP, PARTS(0, 1100));
}

static void test_fcp__takes_the_first_entry_only(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_first_contentful_paint(page, 1100);
    vitals_take_first_contentful_paint(page, 900);
    assert_measured(page, VITAL_FCP, 1100);
}

static void test_fcp__is_never_measured_when_the_first_entry_came_while_hidden(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_visibility(page, 500, true, false);
    vitals_take_first_contentful_paint(page, 500);
    vitals_take_first_contentful_paint(page, 400);
    assert_not_yet(page, VITAL_FCP);
    assert_not_yet(page, VITAL_CLS);
}

static void test_fcp__waits_for_the_activation_of_a_prerendered_page(void **state)
{
    (void)state;
    struct vitals *page = page_start((struct vitals_start){.supported = ALL_METRICS, .prerendering = true});
    take_navigation(page, 0, 100);
    vitals_take_first_contentful_paint(page, 900);
    assert_not_yet(page, VITAL_FCP);
    take_navigation(page, 700, 100);
    vitals_activated(page, 700, false);
    assert_measured(page, VITAL_FCP, 200);
    assert_int_equal(vitals_find(page, VITAL_FCP)->navigation_type, TYPE_PRERENDER);
}

static void test_fcp__is_corrected_when_the_navigation_entry_comes_later(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_first_contentful_paint(page, 900);
    take_navigation(page, 700, 750);
    assert_measured(page, VITAL_FCP, 200);
    assert_parts(page, VITAL_FCP, PARTS(50, 150));
}

static void test_fcp__of_a_restored_page_is_the_time_since_pageshow(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 100);
    vitals_take_first_contentful_paint(page, 900);
    vitals_restart(page, TYPE_BFCACHE, 5000.1, false);
    assert_not_yet(page, VITAL_FCP);
    vitals_take_first_contentful_paint(page, 5033.4);
    assert_measured(page, VITAL_FCP, 5033.4 - 5000.1);
    assert_parts(page, VITAL_FCP, PARTS(0, 5033.4 - 5000.1));
    assert_int_equal(vitals_find(page, VITAL_FCP)->navigation_type, TYPE_BFCACHE);
}

static void test_fcp__of_a_soft_navigation_is_the_time_since_its_start(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_navigation(page, 0, 100);
    begin_soft_view(page, 5000, 5100);
    assert_measured(page, VITAL_FCP, 100);
    assert_parts(page, VITAL_FCP, PARTS(0, 100));
    assert_int_equal(vitals_find(page, VITAL_FCP)->load_state, VITAL_COMPLETE);
    assert_not_yet(page, VITAL_CLS); /* begins with the first paint of the page itself */
    vitals_take_first_contentful_paint(page, 5300); /* of the load */
    assert_measured(page, VITAL_FCP, 100);
    begin_soft_view(page, 6000, 5900);
    assert_measured(page, VITAL_FCP, 0);
    vitals_restart(page, TYPE_SOFT, 7000, false);
    vitals_take_soft_navigation(page, &(struct vitals_soft_navigation){.paint_time = 7008});
    assert_measured(page, VITAL_FCP, 8);
    vitals_restart(page, TYPE_SOFT, 8000, false);
    vitals_take_soft_navigation(page, &(struct vitals_soft_navigation){.paint_time = 8008, .presentation_time = 8016});
    assert_measured(page, VITAL_FCP, 16);
}

static void test_fcp__has_the_state_of_the_load_at_the_paint(void **state)
{
    (void)state;
    static const struct {
        double paint;
        enum vital_load_state state;
    } cases[] = {{199, VITAL_LOADING},
                 {200, VITAL_DOM_INTERACTIVE},
                 {299, VITAL_DOM_INTERACTIVE},
                 {300, VITAL_DOM_CONTENT_LOADED},
                 {399, VITAL_DOM_CONTENT_LOADED},
                 {400, VITAL_COMPLETE}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct vitals *page = page_open();
        vitals_take_first_contentful_paint(page, cases[i].paint);
        assert_int_equal(vitals_find(page, VITAL_FCP)->load_state, VITAL_LOADING); /* nothing else is known */
        vitals_take_navigation(page, &(struct vitals_navigation){.now = 1000,
                                                                 .response_start = 100,
                                                                 .dom_interactive = 200,
                                                                 .dom_content_loaded = 300,
                                                                 .dom_complete = 400});
        assert_int_equal(vitals_find(page, VITAL_FCP)->load_state, cases[i].state);
    }
    struct vitals *page = page_open();
    vitals_take_navigation(page, &(struct vitals_navigation){.now = 1000, .response_start = 100, .dom_interactive = 200});
    vitals_take_first_contentful_paint(page, 900);
    assert_int_equal(vitals_find(page, VITAL_FCP)->load_state, VITAL_DOM_INTERACTIVE); /* the rest is still to come */
    page = page_open();
    vitals_loaded(page, 500);
    vitals_take_first_contentful_paint(page, 400);
    assert_int_equal(vitals_find(page, VITAL_FCP)->load_state, VITAL_COMPLETE); /* no navigation entry at all */
}

static const struct vitals_navigation ordinary = {.now = 1000,
                                                  .activation_start = 0,
                                                  .worker_start = 0,
                                                  .fetch_start = 5.1,
                                                  .domain_lookup_start = 7.3,
                                                  .connect_start = 20.7,
                                                  .connect_end = 60.9,
                                                  .response_start = 200.2,
                                                  .type = TYPE_NAVIGATE};

static void test_ttfb__comes_when_the_page_is_loaded(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_navigation(page, &ordinary);
    assert_not_yet(page, VITAL_TTFB);
    vitals_loaded(page, 1500);
    assert_measured(page, VITAL_TTFB, 200.2);
    assert_true(vitals_find(page, VITAL_TTFB)->final);
    assert_parts(page, VITAL_TTFB, PARTS(5.1, 7.3 - 5.1, 20.7 - 7.3, 60.9 - 20.7, 200.2 - 60.9));
}

static void test_ttfb__comes_with_a_navigation_entry_that_is_late(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_loaded(page, 1500);
    assert_not_yet(page, VITAL_TTFB);
    vitals_take_navigation(page, &ordinary);
    assert_measured(page, VITAL_TTFB, 200.2);
}

static void test_ttfb__counts_from_the_worker_start_when_there_is_one(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    struct vitals_navigation navigation = ordinary;
    navigation.worker_start = 2;
    vitals_take_navigation(page, &navigation);
    vitals_loaded(page, 1500);
    assert_true(vitals_find(page, VITAL_TTFB)->parts[0] == 2);
    assert_true(vitals_find(page, VITAL_TTFB)->parts[1] == 7.3 - 2);
}

static void test_ttfb__reads_fields_that_the_browser_lacks_as_0(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_navigation(page, &(struct vitals_navigation){.now = 1000,
                                                             .activation_start = NAN,
                                                             .worker_start = NAN,
                                                             .fetch_start = 4,
                                                             .domain_lookup_start = NAN,
                                                             .connect_start = NAN,
                                                             .connect_end = NAN,
                                                             .response_start = 100});
    vitals_loaded(page, 1500);
    assert_measured(page, VITAL_TTFB, 100);
    assert_parts(page, VITAL_TTFB, PARTS(4, -4, 0, 0, 100));
}

static void test_ttfb__clamps_what_came_before_the_activation(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    struct vitals_navigation navigation = ordinary;
    navigation.activation_start = 50;
    vitals_take_navigation(page, &navigation);
    vitals_loaded(page, 1500);
    assert_measured(page, VITAL_TTFB, 200.2 - 50);
    assert_parts(page, VITAL_TTFB, PARTS(0, 0, 0, 60.9 - 50, (200.2 - 50) - (60.9 - 50)));
    navigation.activation_start = 900;
    vitals_take_navigation(page, &navigation);
    assert_measured(page, VITAL_TTFB, 0);
}

static void test_ttfb__needs_a_response_between_0_and_now(void **state)
{
    (void)state;
    static const double insane[] = {0, -5, 1600, NAN};
    for (unsigned i = 0; i < 4; i++) {
        struct vitals *page = page_open();
        struct vitals_navigation navigation = ordinary;
        navigation.response_start = insane[i];
        vitals_take_navigation(page, &navigation);
        vitals_loaded(page, 1600);
        assert_not_yet(page, VITAL_TTFB);
        vitals_restart(page, TYPE_BFCACHE, 3000, false);
        assert_not_yet(page, VITAL_TTFB);
    }
}

static void test_ttfb__looks_at_the_entry_again_when_loaded(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    struct vitals_navigation navigation = ordinary;
    navigation.now = 150; /* the entry seemed to be from the future */
    vitals_take_navigation(page, &navigation);
    vitals_loaded(page, 1500);
    assert_measured(page, VITAL_TTFB, 200.2);
}

static void test_ttfb__keeps_a_sane_entry_when_a_later_reading_is_not(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    struct vitals_navigation navigation = ordinary;
    vitals_take_navigation(page, &ordinary);
    navigation.response_start = 0;
    vitals_take_navigation(page, &navigation);
    vitals_loaded(page, 1500);
    assert_measured(page, VITAL_TTFB, 200.2);
}

static void test_ttfb__waits_for_the_activation_of_a_prerendered_page(void **state)
{
    (void)state;
    struct vitals *page = page_start((struct vitals_start){.supported = ALL_METRICS, .prerendering = true});
    struct vitals_navigation navigation = ordinary;
    vitals_take_navigation(page, &navigation);
    vitals_loaded(page, 1500);
    assert_not_yet(page, VITAL_TTFB);
    navigation.activation_start = 2000;
    navigation.now = 2001;
    vitals_take_navigation(page, &navigation);
    vitals_activated(page, 2001, false);
    assert_measured(page, VITAL_TTFB, 0);
    assert_int_equal(vitals_find(page, VITAL_TTFB)->navigation_type, TYPE_PRERENDER);
}

static void test_ttfb__is_0_for_later_views_of_a_measured_page(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    vitals_take_navigation(page, &ordinary);
    vitals_restart(page, TYPE_SOFT, 1100, false);
    assert_not_yet(page, VITAL_TTFB); /* the load was not over */
    vitals_loaded(page, 1500);
    assert_measured(page, VITAL_TTFB, 0);
    page = page_open();
    vitals_take_navigation(page, &ordinary);
    vitals_loaded(page, 1500);
    vitals_restart(page, TYPE_BFCACHE, 3000, false);
    assert_measured(page, VITAL_TTFB, 0);
    assert_parts(page, VITAL_TTFB, PARTS(0, 0, 0, 0, 0));
    vitals_take_navigation(page, &ordinary);
    vitals_loaded(page, 3500);
    assert_measured(page, VITAL_TTFB, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fcp__counts_from_the_activation),
        cmocka_unit_test(test_fcp__is_0_when_painted_before_the_activation),
        cmocka_unit_test(test_fcp__splits_at_the_first_byte),
        cmocka_unit_test(test_fcp__takes_the_first_entry_only),
        cmocka_unit_test(test_fcp__is_never_measured_when_the_first_entry_came_while_hidden),
        cmocka_unit_test(test_fcp__waits_for_the_activation_of_a_prerendered_page),
        cmocka_unit_test(test_fcp__is_corrected_when_the_navigation_entry_comes_later),
        cmocka_unit_test(test_fcp__of_a_restored_page_is_the_time_since_pageshow),
        cmocka_unit_test(test_fcp__of_a_soft_navigation_is_the_time_since_its_start),
        cmocka_unit_test(test_fcp__has_the_state_of_the_load_at_the_paint),
        cmocka_unit_test(test_ttfb__comes_when_the_page_is_loaded),
        cmocka_unit_test(test_ttfb__comes_with_a_navigation_entry_that_is_late),
        cmocka_unit_test(test_ttfb__counts_from_the_worker_start_when_there_is_one),
        cmocka_unit_test(test_ttfb__reads_fields_that_the_browser_lacks_as_0),
        cmocka_unit_test(test_ttfb__clamps_what_came_before_the_activation),
        cmocka_unit_test(test_ttfb__needs_a_response_between_0_and_now),
        cmocka_unit_test(test_ttfb__looks_at_the_entry_again_when_loaded),
        cmocka_unit_test(test_ttfb__keeps_a_sane_entry_when_a_later_reading_is_not),
        cmocka_unit_test(test_ttfb__waits_for_the_activation_of_a_prerendered_page),
        cmocka_unit_test(test_ttfb__is_0_for_later_views_of_a_measured_page),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
