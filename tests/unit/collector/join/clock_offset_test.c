#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/join/clock_offset.h"

#define NOW_US  INT64_C(1760000000000000)
#define GRAIN   CLOCK_OFFSET_GRAIN_US
#define NOTHING CLOCK_OFFSET_NO_RECEIPT

/* An exchange that begins `at` after NOW by the browser's clock, as a server that is `offset` ahead saw it. */
static struct clock_offset_pair exchange(int64_t at_us, int64_t there_us, int64_t back_us, int64_t offset_us)
{
    int64_t sent_us = NOW_US + at_us;
    return (struct clock_offset_pair){
        .sent_us = sent_us, .first_byte_us = sent_us + there_us + back_us, .began_us = sent_us + there_us + offset_us};
}

static void assert_holds(struct clock_offset answer, int64_t offset_us)
{
    assert_true(answer.is_known);
    if (offset_us < answer.offset_us - answer.error_us || offset_us > answer.offset_us + answer.error_us)
        fail_msg("%lld is not within %lld +- %lld", (long long)offset_us, (long long)answer.offset_us,
                 (long long)answer.error_us);
}

static void test_clock_offset__nothing_is_known_without_a_pair(void **state)
{
    (void)state;
    struct clock_offset answer = clock_offset_of(NULL, 0, NOTHING);
    assert_false(answer.is_known);
    assert_int_equal(answer.pairs, 0);
    answer = clock_offset_of(NULL, 0, 5);
    assert_false(answer.is_known);
    assert_int_equal(answer.conflicts, 0);
}

static void test_clock_offset__one_pair_is_known_to_half_of_its_time(void **state)
{
    (void)state;
    struct clock_offset_pair pair = exchange(0, 20000, 10000, 0);
    struct clock_offset answer = clock_offset_of(&pair, 1, NOTHING);
    assert_true(answer.is_known);
    assert_int_equal(answer.offset_us, (20000 - 10000) / 2);
    assert_int_equal(answer.error_us, (20000 + 10000) / 2 + GRAIN);
    assert_int_equal(answer.pairs, 1);
    assert_int_equal(answer.conflicts, 0);
}

/* A laptop 187 s behind, and three requests of a page. The slow document says little, the style sheet most. */
static void test_clock_offset__187_seconds_are_recovered_from_three_pairs(void **state)
{
    (void)state;
    int64_t offset_us = INT64_C(187000000);
    struct clock_offset_pair pair[] = {
        exchange(0, 60000, 215000, offset_us),
        exchange(400000, 4000, 6000, offset_us),
        exchange(500000, 9000, 160000, offset_us),
    };
    struct clock_offset answer = clock_offset_of(pair, 3, NOTHING);
    assert_holds(answer, offset_us);
    assert_int_equal(answer.error_us, (4000 + 6000) / 2 + GRAIN);
    assert_int_equal(answer.pairs, 3);
    assert_int_equal(answer.conflicts, 0);
}

/* One was quick to arrive and the other quick to come back: together they know more than each. */
static void test_clock_offset__pairs_complete_each_other(void **state)
{
    (void)state;
    struct clock_offset_pair pair[] = {exchange(0, 2000, 90000, 7000), exchange(100000, 80000, 3000, 7000)};
    struct clock_offset answer = clock_offset_of(pair, 2, NOTHING);
    assert_holds(answer, 7000);
    assert_int_equal(answer.error_us, (2000 + 3000) / 2 + GRAIN);
    assert_int_equal(answer.conflicts, 0);
}

static void test_clock_offset__a_browser_that_is_ahead_has_a_negative_offset(void **state)
{
    (void)state;
    struct clock_offset_pair pair = exchange(0, 3000, 5000, -INT64_C(86400000000));
    assert_holds(clock_offset_of(&pair, 1, NOTHING), -INT64_C(86400000000));
    assert_true(clock_offset_of(&pair, 1, NOTHING).offset_us < -INT64_C(86000000000));
}

static void test_clock_offset__the_many_outvote_the_one_that_contradicts_them(void **state)
{
    (void)state;
    struct clock_offset_pair pair[] = {
        exchange(0, 5000, 5000, 1000000),
        exchange(50000, 4000, 8000, 1000000),
        exchange(90000, 1000, 1000, -60000000), /* a host that does not keep time */
        exchange(120000, 7000, 3000, 1000000),
    };
    struct clock_offset answer = clock_offset_of(pair, 4, NOTHING);
    assert_holds(answer, 1000000);
    assert_int_equal(answer.pairs, 4);
    assert_int_equal(answer.conflicts, 1);
}

static void test_clock_offset__two_that_contradict_each_other_are_both_within_the_error(void **state)
{
    (void)state;
    struct clock_offset_pair pair[] = {exchange(0, 5000, 5000, 1000000), exchange(0, 5000, 5000, 0)};
    struct clock_offset answer = clock_offset_of(pair, 2, NOTHING);
    assert_holds(answer, 0);
    assert_holds(answer, 1000000);
    assert_int_equal(answer.conflicts, 1);
}

static void test_clock_offset__a_beacon_cannot_arrive_before_it_was_sent(void **state)
{
    (void)state;
    struct clock_offset_pair pair = exchange(0, 40000, 5000, 1000);
    struct clock_offset loose = clock_offset_of(&pair, 1, 1000000), tight = clock_offset_of(&pair, 1, 6000);
    assert_int_equal(loose.error_us, clock_offset_of(&pair, 1, NOTHING).error_us);
    assert_holds(tight, 1000);
    assert_true(tight.error_us < loose.error_us);
    assert_int_equal(tight.conflicts, 0);
}

/* The collector's own clock is behind the servers': their pairs count. */
static void test_clock_offset__a_receipt_that_contradicts_the_pairs_is_counted_and_not_used(void **state)
{
    (void)state;
    struct clock_offset_pair pair = exchange(0, 5000, 5000, 0);
    struct clock_offset answer = clock_offset_of(&pair, 1, -5000000);
    assert_holds(answer, 0);
    assert_int_equal(answer.error_us, clock_offset_of(&pair, 1, NOTHING).error_us);
    assert_int_equal(answer.conflicts, 1);
}

static void test_clock_offset__what_is_no_exchange_is_no_pair(void **state)
{
    (void)state;
    struct clock_offset_pair good = exchange(0, 5000, 5000, 0), byte_first = good, far = good, farther = good;
    byte_first.first_byte_us = good.sent_us - 1;
    far.began_us = INT64_MAX;
    farther.sent_us = INT64_MIN;
    struct clock_offset_pair pair[] = {byte_first, far, farther};
    struct clock_offset answer = clock_offset_of(pair, 3, NOTHING);
    assert_false(answer.is_known);
    assert_int_equal(answer.pairs, 0);
}

static void test_clock_offset__times_at_the_bounds_and_before_1970_do_not_overflow(void **state)
{
    (void)state;
    int64_t max = CLOCK_OFFSET_TIME_MAX_US;
    struct clock_offset_pair pair = {-max, -max, max};
    assert_holds(clock_offset_of(&pair, 1, NOTHING), 2 * max);
    pair = (struct clock_offset_pair){max, max, -max};
    assert_holds(clock_offset_of(&pair, 1, NOTHING), -2 * max);
    pair = (struct clock_offset_pair){-max, max, 0};
    assert_holds(clock_offset_of(&pair, 1, NOTHING), 0);
    pair.first_byte_us++;
    assert_int_equal(clock_offset_of(&pair, 1, NOTHING).pairs, 0);
}

static uint64_t seed = 20261123;

static int64_t draw(int64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int64_t)((seed >> 33) % (uint64_t)below);
}

/* Any offset up to a year, any network and any time that a server takes. */
static void test_clock_offset__the_true_offset_is_always_within_the_error(void **state)
{
    (void)state;
    struct clock_offset_pair pair[12];
    for (int round = 0; round < 20000; round++) {
        int64_t offset_us = draw(INT64_C(63072000000000)) - INT64_C(31536000000000);
        size_t count = (size_t)draw(12) + 1;
        for (size_t i = 0; i < count; i++) {
            pair[i] = exchange(draw(60000000), draw(300000), draw(3000000), offset_us);
            /* What clocks of whole milliseconds do to them: the page's, and the wall clock that it is anchored to. */
            int64_t floor_us = draw(1000);
            pair[i].sent_us -= floor_us + draw(1000);
            pair[i].first_byte_us += draw(1000) - floor_us;
        }
        int64_t receipt_us = draw(2) ? NOTHING : offset_us + draw(500000);
        struct clock_offset answer = clock_offset_of(pair, count, receipt_us);
        assert_int_equal(answer.pairs, count);
        assert_int_equal(answer.conflicts, 0);
        assert_holds(answer, offset_us);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_offset__nothing_is_known_without_a_pair),
        cmocka_unit_test(test_clock_offset__one_pair_is_known_to_half_of_its_time),
        cmocka_unit_test(test_clock_offset__187_seconds_are_recovered_from_three_pairs),
        cmocka_unit_test(test_clock_offset__pairs_complete_each_other),
        cmocka_unit_test(test_clock_offset__a_browser_that_is_ahead_has_a_negative_offset),
        cmocka_unit_test(test_clock_offset__the_many_outvote_the_one_that_contradicts_them),
        cmocka_unit_test(test_clock_offset__two_that_contradict_each_other_are_both_within_the_error),
        cmocka_unit_test(test_clock_offset__a_beacon_cannot_arrive_before_it_was_sent),
        cmocka_unit_test(test_clock_offset__a_receipt_that_contradicts_the_pairs_is_counted_and_not_used),
        cmocka_unit_test(test_clock_offset__what_is_no_exchange_is_no_pair),
        cmocka_unit_test(test_clock_offset__times_at_the_bounds_and_before_1970_do_not_overflow),
        cmocka_unit_test(test_clock_offset__the_true_offset_is_always_within_the_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
