#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/join/clock_axis.h"

#define NOW_US UINT64_C(1760000000000000)

static struct clock_axis axis;

/* The wall clock shows `shift_us` more than NOW + mono. */
static void add(uint64_t mono_us, int64_t shift_us)
{
    clock_axis_add(&axis, NOW_US + mono_us + (uint64_t)shift_us, mono_us);
}

static void assert_place(int64_t from_us, int64_t until_us, uint32_t epoch, int64_t shift_us)
{
    struct clock_place place;
    assert_true(clock_axis_find(&axis, from_us, until_us, &place));
    assert_int_equal(place.epoch, epoch);
    assert_int_equal(place.origin_us, (int64_t)NOW_US + shift_us);
}

static void test_clock_axis__without_an_anchor_nothing_has_a_place(void **state)
{
    (void)state;
    struct clock_place place;
    clock_axis_init(&axis);
    clock_axis_add(&axis, 0, 5);          /* not read */
    clock_axis_add(&axis, UINT64_MAX, 5); /* no clock shows that */
    clock_axis_add(&axis, NOW_US, UINT64_MAX);
    clock_axis_finish(&axis);
    assert_int_equal(axis.epochs, 0);
    assert_false(clock_axis_find(&axis, 0, 1, &place));
}

static void test_clock_axis__one_anchor_places_all_of_the_page(void **state)
{
    (void)state;
    clock_axis_init(&axis);
    add(5000000, 700);
    clock_axis_finish(&axis);
    assert_int_equal(axis.epochs, 1);
    assert_place(0, 10, 0, 700);
    assert_place(-500, 90000000, 0, 700);
}

static void test_clock_axis__the_nearest_anchor_counts_as_a_clock_drifts(void **state)
{
    (void)state;
    clock_axis_init(&axis);
    add(2000000, 40000);
    add(1000000, 0); /* beacons may be read in any order */
    clock_axis_finish(&axis);
    assert_int_equal(axis.epochs, 1);
    assert_place(1400000, 1900000, 0, 0);
    assert_place(1600000, 1900000, 0, 40000);
    assert_place(0, 1, 0, 0);
    assert_place(3000000, 4000000, 0, 40000);
}

static void test_clock_axis__fifty_milliseconds_are_drift_and_more_are_a_jump(void **state)
{
    (void)state;
    clock_axis_init(&axis);
    add(1000000, 0);
    add(2000000, 50000);
    add(3000000, 0);
    clock_axis_finish(&axis);
    assert_int_equal(axis.epochs, 1);
    clock_axis_init(&axis);
    add(1000000, 0);
    add(2000000, 50001);
    add(3000000, 0);
    clock_axis_finish(&axis);
    assert_int_equal(axis.epochs, 3);
}

/* The machine slept for an hour between 2 s and 9 s of the page's clock. */
static void test_clock_axis__a_sleep_begins_an_epoch_and_leaves_a_gap(void **state)
{
    (void)state;
    struct clock_place place;
    clock_axis_init(&axis);
    add(1000000, 0);
    add(2000000, 0);
    add(9000000, INT64_C(3600000000));
    add(9500000, INT64_C(3600000000));
    clock_axis_finish(&axis);
    assert_int_equal(axis.epochs, 2);
    assert_place(0, 1500000, 0, 0);
    assert_place(0, 2000000, 0, 0);
    assert_place(9000000, 9100000, 1, INT64_C(3600000000));
    assert_place(20000000, 30000000, 1, INT64_C(3600000000));
    assert_false(clock_axis_find(&axis, 1500000, 2000001, &place));
    assert_false(clock_axis_find(&axis, 3000000, 4000000, &place));
    assert_false(clock_axis_find(&axis, 8999999, 9100000, &place));
    assert_false(clock_axis_find(&axis, 1000000, 9500000, &place));
    assert_false(clock_axis_find(&axis, 1500000, 1400000, &place));
}

static void test_clock_axis__anchors_past_the_last_are_left_out(void **state)
{
    (void)state;
    clock_axis_init(&axis);
    for (uint32_t i = 0; i < CLOCK_AXIS_ANCHORS_MAX; i++)
        add(i * 1000, 0);
    add(90000000, 1000000);
    clock_axis_finish(&axis);
    assert_int_equal(axis.count, CLOCK_AXIS_ANCHORS_MAX);
    assert_int_equal(axis.epochs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock_axis__without_an_anchor_nothing_has_a_place),
        cmocka_unit_test(test_clock_axis__one_anchor_places_all_of_the_page),
        cmocka_unit_test(test_clock_axis__the_nearest_anchor_counts_as_a_clock_drifts),
        cmocka_unit_test(test_clock_axis__fifty_milliseconds_are_drift_and_more_are_a_jump),
        cmocka_unit_test(test_clock_axis__a_sleep_begins_an_epoch_and_leaves_a_gap),
        cmocka_unit_test(test_clock_axis__anchors_past_the_last_are_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
