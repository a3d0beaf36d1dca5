#include "collector/ingest/ingest_shed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>

#define WINDOW_US (INGEST_SHED_WINDOW_MS * UINT64_C(1000))
#define MIB       (UINT64_C(1) << 20)

static struct counters counters;
static struct memory memory;
static struct ingest_shed shed;
static uint64_t now_us;

static int begin(void **state)
{
    (void)state;
    memory_init(&memory, 16 * MIB);
    memory_divide(&memory);
    ingest_shed_init(&shed, &memory, &counters);
    now_us = 10 * WINDOW_US;
    ingest_shed_note(&shed, now_us, 0);
    return 0;
}

/* One window of `beacons` that met rounds of `round_us`, and then the first beacon of the next. */
static unsigned window(unsigned beacons, uint64_t round_us)
{
    for (unsigned i = 0; i < beacons; i++)
        ingest_shed_note(&shed, now_us + 1, round_us);
    now_us += WINDOW_US;
    ingest_shed_note(&shed, now_us, round_us);
    return ingest_shed_level(&shed);
}

static unsigned windows(unsigned count, uint64_t round_us)
{
    unsigned level = 0;
    while (count-- > 0)
        level = window(100, round_us);
    return level;
}

static void test_ingest_shed__sheds_nothing_while_requests_have_their_turn_in_time(void **state)
{
    (void)state;
    uint8_t view[16] = {7};
    assert_int_equal(windows(50, INGEST_SHED_ROUND_US_MAX), 0);
    assert_false(ingest_shed_drops(&shed, view, false));
}

static void test_ingest_shed__a_queue_that_stands_raises_the_level_and_it_settles_between_the_limits(void **state)
{
    (void)state;
    unsigned before = 0;
    assert_int_equal(windows(INGEST_SHED_OVER_LEAST - 1, 2 * INGEST_SHED_ROUND_US_MAX), 0); /* may be a stall */
    for (unsigned i = 0; i < 20; i++) {
        unsigned level = window(100, 2 * INGEST_SHED_ROUND_US_MAX);
        assert_true(level > before);
        before = level;
    }
    assert_int_equal(windows(20, INGEST_SHED_ROUND_US_MAX * 3 / 4), before);
    assert_int_equal(counters_find(&counters, COUNTER_SHED_LEVEL), before);
    assert_true(windows(100, 2 * INGEST_SHED_ROUND_US_MAX) < INGEST_SHED_ALL);
}

static void test_ingest_shed__is_gone_two_seconds_after_the_load(void **state)
{
    (void)state;
    assert_true(windows(200, 2 * INGEST_SHED_ROUND_US_MAX) > 250);
    assert_int_equal(windows(10, 0), 0);
    windows(40, 2 * INGEST_SHED_ROUND_US_MAX);
    now_us += 400 * WINDOW_US; /* and also when nobody came meanwhile */
    assert_int_equal(windows(1, 0), 0);
}

static void test_ingest_shed__stalls_with_time_between_them_and_few_beacons_are_no_queue(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        assert_int_equal(windows(INGEST_SHED_OVER_LEAST - 1, 9 * INGEST_SHED_ROUND_US_MAX), 0);
        assert_int_equal(window(100, 0), 0);
    }
    for (unsigned i = 0; i < 20; i++)
        assert_int_equal(window(INGEST_SHED_SEEN_LEAST - 2, 9 * INGEST_SHED_ROUND_US_MAX), 0);
}

static void test_ingest_shed__appends_that_all_wait_too_long_are_pressure(void **state)
{
    (void)state;
    unsigned level = 0;
    for (unsigned i = 0; i < 20; i++) {
        for (unsigned j = 0; j < INGEST_SHED_SEEN_LEAST; j++)
            ingest_shed_note_wait(&shed, INGEST_SHED_WAIT_US_MAX * 2);
        level = window(100, 0);
    }
    assert_true(level > 10);
}

static void test_ingest_shed__memory_that_is_used_up_sheds_everything_and_at_once(void **state)
{
    (void)state;
    uint8_t view[16] = {7};
    assert_true(memory_take(&memory, MEMORY_CONNECTIONS, 12 * MIB));
    assert_int_equal(window(1, 0), 0); /* one use alone is refused what it asks for, and nobody else is */
    assert_true(memory_take(&memory, MEMORY_REPLIES, 4 * MIB));
    assert_int_equal(window(1, 0), INGEST_SHED_ALL);
    assert_true(ingest_shed_drops(&shed, view, true));
    memory_give(&memory, MEMORY_CONNECTIONS, 12 * MIB);
    memory_give(&memory, MEMORY_REPLIES, 4 * MIB);
    assert_true(window(1, 0) < INGEST_SHED_ALL);
    assert_int_equal(windows(12, 0), 0);
}

/* Of 1,000 views. */
static unsigned count_dropped(bool has_begun)
{
    unsigned dropped = 0;
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t view[16] = {(uint8_t)i, (uint8_t)(i >> 8)};
        dropped += ingest_shed_drops(&shed, view, has_begun);
    }
    return dropped;
}

static void test_ingest_shed__views_that_begin_go_before_those_under_way_and_never_all(void **state)
{
    (void)state;
    atomic_store(&shed.level, 64);
    assert_in_range(count_dropped(false), 400, 600);
    assert_int_equal(count_dropped(true), 0);
    atomic_store(&shed.level, 192);
    assert_in_range(count_dropped(false), 900, 970);
    assert_in_range(count_dropped(true), 400, 600);
    atomic_store(&shed.level, 255);
    assert_in_range(count_dropped(false), 900, 970);
    assert_in_range(count_dropped(true), 900, 970);
}

static void test_ingest_shed__a_higher_level_sheds_the_same_views_and_more(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t view[16] = {(uint8_t)i, (uint8_t)(i >> 8), 3};
        atomic_store(&shed.level, 30);
        bool before = ingest_shed_drops(&shed, view, false);
        atomic_store(&shed.level, 60);
        if (before)
            assert_true(ingest_shed_drops(&shed, view, false));
    }
}

#define SHED_TEST(name) cmocka_unit_test_setup(name, begin)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SHED_TEST(test_ingest_shed__sheds_nothing_while_requests_have_their_turn_in_time),
        SHED_TEST(test_ingest_shed__a_queue_that_stands_raises_the_level_and_it_settles_between_the_limits),
        SHED_TEST(test_ingest_shed__is_gone_two_seconds_after_the_load),
        SHED_TEST(test_ingest_shed__stalls_with_time_between_them_and_few_beacons_are_no_queue),
        SHED_TEST(test_ingest_shed__appends_that_all_wait_too_long_are_pressure),
        SHED_TEST(test_ingest_shed__memory_that_is_used_up_sheds_everything_and_at_once),
        SHED_TEST(test_ingest_shed__views_that_begin_go_before_those_under_way_and_never_all),
        SHED_TEST(test_ingest_shed__a_higher_level_sheds_the_same_views_and_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
