#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wasm/core/budget.h"

#include <math.h>

#define BIT(kind) (1u << INBOX_##kind)

static struct budget limited(double ms_per_minute, double us_per_entry, double bytes)
{
    return (struct budget){.share_of = {1 / ms_per_minute, 1 / us_per_entry, 1 / bytes}};
}

static enum budget_level level_after(struct budget *budget, const struct ledger *ledger, double now_ms)
{
    budget_evaluate(budget, ledger, now_ms);
    return budget->level;
}

static void test_budget__without_limits_nothing_is_ever_shed(void **state)
{
    (void)state;
    struct budget budget = {0};
    struct ledger ledger = {.entries_seen = 100000, .main_thread_us = 1e12, .bytes_encoded = 1u << 30};
    budget.main_thread_us = 1e12;
    assert_int_equal(level_after(&budget, &ledger, 1), BUDGET_ALL);
    assert_int_equal(budget_sheds(&budget), 0);
    assert_false(budget_refuses(&budget, INBOX_RESOURCE));
}

static void test_budget__each_rung_begins_at_its_share(void **state)
{
    (void)state;
    static const struct {
        double ms;
        enum budget_level level;
    } rungs[] = {{99.999, BUDGET_ALL},     {100, BUDGET_NO_RESOURCES}, {149.999, BUDGET_NO_RESOURCES},
                 {150, BUDGET_NO_FRAMES},  {199.999, BUDGET_NO_FRAMES}, {200, BUDGET_VITALS},
                 {299.999, BUDGET_VITALS}, {300, BUDGET_OFF},           {1e9, BUDGET_OFF}};
    struct ledger ledger = {0};
    for (unsigned i = 0; i < sizeof rungs / sizeof rungs[0]; i++) {
        struct budget budget = limited(100, NAN, NAN);
        budget.main_thread_us = rungs[i].ms * 1000;
        assert_int_equal(level_after(&budget, &ledger, 30000), rungs[i].level);
    }
}

static void test_budget__every_minute_after_the_first_adds_its_own_time(void **state)
{
    (void)state;
    struct ledger ledger = {0};
    struct budget budget = limited(100, NAN, NAN);
    budget.main_thread_us = 240000;
    assert_int_equal(level_after(&budget, &ledger, 3 * 60000.0), BUDGET_ALL);
    assert_int_equal(level_after(&budget, &ledger, 2 * 60000.0), BUDGET_NO_RESOURCES);
    budget = limited(100, NAN, NAN);
    budget.main_thread_us = 50000;
    assert_int_equal(level_after(&budget, &ledger, 1), BUDGET_ALL); /* the first minute is there at once */
}

static void test_budget__a_level_falls_only_well_below_where_it_begins(void **state)
{
    (void)state;
    struct ledger ledger = {0};
    struct budget budget = limited(100, NAN, NAN);
    budget.main_thread_us = 210000;
    assert_int_equal(level_after(&budget, &ledger, 60000), BUDGET_VITALS);
    assert_int_equal(level_after(&budget, &ledger, 80000), BUDGET_VITALS);     /* a share of 1.57 */
    assert_int_equal(level_after(&budget, &ledger, 90000), BUDGET_NO_FRAMES);  /* 1.4 */
    assert_int_equal(level_after(&budget, &ledger, 60000), BUDGET_VITALS);     /* and up again */
    assert_int_equal(level_after(&budget, &ledger, 150000), BUDGET_NO_RESOURCES); /* 0.84, two at once */
    assert_int_equal(level_after(&budget, &ledger, 180000), BUDGET_ALL);       /* 0.7 */
}

static void test_budget__off_is_for_good(void **state)
{
    (void)state;
    struct ledger ledger = {0};
    struct budget budget = limited(1, NAN, NAN);
    budget.main_thread_us = 5000;
    assert_int_equal(level_after(&budget, &ledger, 1), BUDGET_OFF);
    assert_int_equal(level_after(&budget, &ledger, 1e9), BUDGET_OFF);
    budget.share_of[BUDGET_MS_PER_MINUTE] = NAN;
    assert_int_equal(level_after(&budget, &ledger, 1e9), BUDGET_OFF);
}

static void test_budget__the_mean_of_an_entry_counts_from_enough_entries_on(void **state)
{
    (void)state;
    struct ledger ledger = {.entries_seen = BUDGET_ENTRIES_MIN - 1, .main_thread_us = 1e6};
    struct budget budget = limited(NAN, 250, NAN);
    assert_int_equal(level_after(&budget, &ledger, 1), BUDGET_ALL);
    ledger.entries_seen++; /* now 5,000 us an entry */
    assert_int_equal(level_after(&budget, &ledger, 1), BUDGET_OFF);
    budget = limited(NAN, 250, NAN);
    ledger = (struct ledger){.entries_seen = 1000, .main_thread_us = 249000};
    assert_int_equal(level_after(&budget, &ledger, 1), BUDGET_ALL);
    ledger.main_thread_us = 250000;
    assert_int_equal(level_after(&budget, &ledger, 1), BUDGET_NO_RESOURCES);
}

static void test_budget__bytes_are_of_the_view_and_the_largest_share_decides(void **state)
{
    (void)state;
    struct ledger ledger = {.bytes_encoded = 1600};
    struct budget budget = limited(100, 250, 1000);
    budget.main_thread_us = 100000;
    assert_int_equal(level_after(&budget, &ledger, 1), BUDGET_NO_FRAMES);
    ledger.bytes_encoded = 0; /* a new view: what is left is the time */
    assert_int_equal(level_after(&budget, &ledger, 1), BUDGET_NO_RESOURCES);
}

static void test_budget__a_limit_of_nothing_is_reached_by_anything(void **state)
{
    (void)state;
    struct ledger ledger = {0};
    struct budget budget = limited(NAN, NAN, 0);
    assert_int_equal(level_after(&budget, &ledger, 1), BUDGET_ALL);
    ledger.bytes_encoded = 1;
    assert_int_equal(level_after(&budget, &ledger, 1), BUDGET_OFF);
}

static void test_budget__what_the_vitals_are_made_of_is_never_shed_before_off(void **state)
{
    (void)state;
    struct budget budget = limited(100, NAN, NAN);
    const uint32_t vital = BIT(NAVIGATION) | BIT(PAINT) | BIT(LARGEST_PAINT) | BIT(LAYOUT_SHIFT) | BIT(EVENT) |
                           BIT(INTERACTION_COUNT) | BIT(VISIBILITY) | BIT(LIFECYCLE) | BIT(VIEW) | BIT(CONFIG) |
                           BIT(SOFT_NAVIGATION) | BIT(INTERACTION_PAINT);
    uint32_t before = 0;
    for (int level = BUDGET_ALL; level < BUDGET_OFF; level++) {
        budget.level = (enum budget_level)level;
        assert_int_equal(budget_sheds(&budget) & vital, 0);
        assert_int_equal(budget_sheds(&budget) & before, before); /* a rung takes nothing back */
        before = budget_sheds(&budget);
    }
    budget.level = BUDGET_NO_RESOURCES;
    assert_int_equal(budget_sheds(&budget), BIT(RESOURCE));
    assert_true(budget_refuses(&budget, INBOX_RESOURCE));
    assert_false(budget_refuses(&budget, INBOX_LONG_FRAME));
    budget.level = BUDGET_VITALS;
    assert_true(budget_refuses(&budget, INBOX_EVENT)); /* brought for the vitals, but not written */
    budget.level = BUDGET_OFF;
    assert_int_equal(budget_sheds(&budget), UINT32_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budget__without_limits_nothing_is_ever_shed),
        cmocka_unit_test(test_budget__each_rung_begins_at_its_share),
        cmocka_unit_test(test_budget__every_minute_after_the_first_adds_its_own_time),
        cmocka_unit_test(test_budget__a_level_falls_only_well_below_where_it_begins),
        cmocka_unit_test(test_budget__off_is_for_good),
        cmocka_unit_test(test_budget__the_mean_of_an_entry_counts_from_enough_entries_on),
        cmocka_unit_test(test_budget__bytes_are_of_the_view_and_the_largest_share_decides),
        cmocka_unit_test(test_budget__a_limit_of_nothing_is_reached_by_anything),
        cmocka_unit_test(test_budget__what_the_vitals_are_made_of_is_never_shed_before_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
