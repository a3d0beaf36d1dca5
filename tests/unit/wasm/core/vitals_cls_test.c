#include "tests/unit/wasm/core/vitals_fixture.h"

static struct vitals *painted_page(void)
{
    struct vitals *page = page_open();
    vitals_take_first_contentful_paint(page, 1);
    return page;
}

static void test_cls__begins_with_0_when_fcp_is_reported(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    assert_not_yet(page, VITAL_CLS);
    vitals_take_first_contentful_paint(page, 100);
    assert_measured(page, VITAL_CLS, 0);
    assert_int_equal(vitals_find(page, VITAL_CLS)->revision, 1);
    assert_int_equal(vitals_find(page, VITAL_CLS)->part_count, 0);
}

static void test_cls__counts_shifts_from_before_fcp_once_fcp_is_reported(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_shift(page, 10, 0.25, 1);
    take_shift(page, 50, 0.5, 2);
    assert_not_yet(page, VITAL_CLS);
    vitals_take_first_contentful_paint(page, 100);
    assert_measured(page, VITAL_CLS, 0.75);
}

static void test_cls__has_no_value_when_fcp_was_hidden_or_is_unsupported(void **state)
{
    (void)state;
    struct vitals *page = page_start((struct vitals_start){.supported = ALL_METRICS, .hidden = true});
    vitals_take_first_contentful_paint(page, 100);
    take_shift(page, 110, 0.25, 1);
    assert_not_yet(page, VITAL_CLS);
    page = page_start((struct vitals_start){.supported = 1u << (VITAL_CLS - 1)});
    vitals_take_first_contentful_paint(page, 100);
    take_shift(page, 110, 0.25, 1);
    assert_not_yet(page, VITAL_CLS);
}

static void test_cls__ignores_shifts_after_input(void **state)
{
    (void)state;
    struct vitals *page = painted_page();
    vitals_take_shift(page, &(struct vitals_shift){.start_time = 10, .value = 0.5, .had_recent_input = true});
    assert_measured(page, VITAL_CLS, 0);
    take_shift(page, 100, 0.25, 1);
    vitals_take_shift(page, &(struct vitals_shift){.start_time = 900, .value = 0.5, .had_recent_input = true});
    take_shift(page, 1100, 0.5, 1); /* 1 s after the last that counts */
    assert_measured(page, VITAL_CLS, 0.5);
}

static void test_cls__window_ends_at_exactly_1_second_after_the_last_shift(void **state)
{
    (void)state;
    struct vitals *page = painted_page();
    take_shift(page, 100, 0.25, 1);
    take_shift(page, 1099.9, 0.25, 1);
    assert_measured(page, VITAL_CLS, 0.5);
    page = painted_page();
    take_shift(page, 100, 0.25, 1);
    take_shift(page, 1100, 0.25, 1);
    assert_measured(page, VITAL_CLS, 0.25);
}

static void test_cls__window_ends_at_exactly_5_seconds_after_the_first_shift(void **state)
{
    (void)state;
    for (int inside = 0; inside < 2; inside++) {
        struct vitals *page = painted_page();
        double step = 900;
        for (int i = 0; i < 6; i++)
            take_shift(page, i * step, 0.125, 1); /* the last at 4,500 */
        assert_measured(page, VITAL_CLS, 0.75);
        take_shift(page, inside ? 4999.9 : 5000, 0.125, 1);
        assert_measured(page, VITAL_CLS, inside ? 0.875 : 0.75);
    }
}

static void test_cls__starts_the_next_window_with_the_shift_that_ended_the_last(void **state)
{
    (void)state;
    struct vitals *page = painted_page();
    take_shift(page, 0, 0.25, 1);
    take_shift(page, 1000, 0.125, 2);
    take_shift(page, 1500, 0.25, 3);
    assert_measured(page, VITAL_CLS, 0.375);
    assert_int_equal(vitals_find(page, VITAL_CLS)->target, 3);
    take_shift(page, 2499, 0.125, 4); /* 1,499 after the window's first */
    assert_measured(page, VITAL_CLS, 0.5);
}

static void test_cls__keeps_the_worst_window_also_when_a_better_one_follows_at_once(void **state)
{
    (void)state;
    struct vitals *page = page_open();
    take_shift(page, 0, 0.25, 1);
    take_shift(page, 3000, 0.125, 2);
    vitals_take_first_contentful_paint(page, 4000);
    assert_measured(page, VITAL_CLS, 0.25);
    assert_int_equal(vitals_find(page, VITAL_CLS)->target, 1);
    assert_true(vitals_find(page, VITAL_CLS)->time == 0);
}

static void test_cls__keeps_the_earlier_of_two_equal_windows(void **state)
{
    (void)state;
    struct vitals *page = painted_page();
    take_shift(page, 0, 0.25, 1);
    uint32_t revision = vitals_find(page, VITAL_CLS)->revision;
    take_shift(page, 3000, 0.25, 2);
    assert_int_equal(vitals_find(page, VITAL_CLS)->target, 1);
    assert_int_equal(vitals_find(page, VITAL_CLS)->revision, revision);
}

static void test_cls__blames_the_largest_shift_of_the_window_and_the_later_of_equal_ones(void **state)
{
    (void)state;
    struct vitals *page = painted_page();
    take_shift(page, 100, 0.125, 1);
    take_shift(page, 200, 0.25, 2);
    take_shift(page, 300, 0.0625, 3);
    assert_int_equal(vitals_find(page, VITAL_CLS)->target, 2);
    assert_true(vitals_find(page, VITAL_CLS)->time == 200);
    take_shift(page, 400, 0.25, 4);
    assert_int_equal(vitals_find(page, VITAL_CLS)->target, 4);
    assert_true(vitals_find(page, VITAL_CLS)->time == 400);
}

static void test_cls__adds_in_order_of_arrival(void **state)
{
    (void)state;
    struct vitals *page = painted_page();
    take_shift(page, 1, 0.1, 1);
    take_shift(page, 2, 0.2, 1);
    take_shift(page, 3, 0.3, 1);
    double sum = 0.1;
    sum += 0.2;
    sum += 0.3;
    assert_measured(page, VITAL_CLS, sum);
}

static void test_cls__starts_a_new_window_after_one_that_sums_to_0(void **state)
{
    (void)state;
    struct vitals *page = painted_page();
    take_shift(page, 0, 0, 1);
    for (int i = 1; i <= 6; i++)
        take_shift(page, i * 900, 0.125, 2); /* 900 to 5,400: in 5 s only when the window began at 900 */
    assert_measured(page, VITAL_CLS, 0.75);
}

static void test_cls__can_grow_after_the_page_was_hidden(void **state)
{
    (void)state;
    struct vitals *page = painted_page();
    take_shift(page, 100, 0.125, 1);
    vitals_hide(page, 200);
    assert_false(vitals_find(page, VITAL_CLS)->final);
    take_shift(page, 300, 0.125, 1);
    assert_measured(page, VITAL_CLS, 0.25);
}

static void test_cls__begins_again_with_0_after_a_restart(void **state)
{
    (void)state;
    struct vitals *page = painted_page();
    take_shift(page, 100, 0.25, 1);
    vitals_restart(page, TYPE_BFCACHE, 200, false);
    assert_measured(page, VITAL_CLS, 0);
    assert_int_equal(vitals_find(page, VITAL_CLS)->target, 0);
    take_shift(page, 300, 0.125, 2); /* within 1 s of the old window, and not part of it */
    assert_measured(page, VITAL_CLS, 0.125);
}

static void test_cls__of_a_restored_page_waits_for_its_first_fcp(void **state)
{
    (void)state;
    struct vitals *page = page_start((struct vitals_start){.supported = ALL_METRICS, .hidden = true});
    vitals_take_first_contentful_paint(page, 100);
    vitals_restart(page, TYPE_BFCACHE, 200, false);
    assert_not_yet(page, VITAL_CLS);
    take_shift(page, 210, 0.125, 2);
    vitals_take_first_contentful_paint(page, 216);
    assert_measured(page, VITAL_CLS, 0.125);
    assert_int_equal(vitals_find(page, VITAL_CLS)->navigation_type, TYPE_BFCACHE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cls__begins_with_0_when_fcp_is_reported),
        cmocka_unit_test(test_cls__counts_shifts_from_before_fcp_once_fcp_is_reported),
        cmocka_unit_test(test_cls__has_no_value_when_fcp_was_hidden_or_is_unsupported),
        cmocka_unit_test(test_cls__ignores_shifts_after_input),
        cmocka_unit_test(test_cls__window_ends_at_exactly_1_second_after_the_last_shift),
        cmocka_unit_test(test_cls__window_ends_at_exactly_5_seconds_after_the_first_shift),
        cmocka_unit_test(test_cls__starts_the_next_window_with_the_shift_that_ended_the_last),
        cmocka_unit_test(test_cls__keeps_the_worst_window_also_when_a_better_one_follows_at_once),
        cmocka_unit_test(test_cls__keeps_the_earlier_of_two_equal_windows),
        cmocka_unit_test(test_cls__blames_the_largest_shift_of_the_window_and_the_later_of_equal_ones),
        cmocka_unit_test(test_cls__adds_in_order_of_arrival),
        cmocka_unit_test(test_cls__starts_a_new_window_after_one_that_sums_to_0),
        cmocka_unit_test(test_cls__can_grow_after_the_page_was_hidden),
        cmocka_unit_test(test_cls__begins_again_with_0_after_a_restart),
        cmocka_unit_test(test_cls__of_a_restored_page_waits_for_its_first_fcp),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
