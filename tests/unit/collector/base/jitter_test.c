#include "collector/base/jitter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void test_jitter__fills_its_whole_range_and_stays_in_it(void **state)
{
    struct jitter jitter;
    unsigned met[11] = {0};
    (void)state;
    jitter_init(&jitter);
    for (unsigned i = 0; i < 11000; i++) {
        unsigned value = jitter_spread(&jitter, 5, 11);
        assert_in_range(value, 5, 15);
        met[value - 5]++;
    }
    /* 1,000 each are expected; 700 is nine standard deviations below. */
    for (unsigned i = 0; i < 11; i++)
        assert_in_range(met[i], 700, 1300);
}

static void test_jitter__of_one_value_is_that_value(void **state)
{
    struct jitter jitter;
    (void)state;
    jitter_init(&jitter);
    for (unsigned i = 0; i < 100; i++)
        assert_int_equal(jitter_spread(&jitter, 7, 1), 7);
}

static void test_jitter__two_daemons_do_not_say_the_same(void **state)
{
    struct jitter a, b;
    unsigned same = 0;
    (void)state;
    jitter_init(&a);
    jitter_init(&b);
    for (unsigned i = 0; i < 64; i++)
        same += jitter_spread(&a, 0, 1000000) == jitter_spread(&b, 0, 1000000);
    assert_in_range(same, 0, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jitter__fills_its_whole_range_and_stays_in_it),
        cmocka_unit_test(test_jitter__of_one_value_is_that_value),
        cmocka_unit_test(test_jitter__two_daemons_do_not_say_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
