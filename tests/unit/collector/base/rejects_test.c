#include "collector/base/rejects.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static struct rejects *rejects;
static struct reject copied[REJECTS_MAX];

static int start(void **state)
{
    (void)state;
    rejects = rejects_new();
    return rejects == NULL;
}

static int stop(void **state)
{
    (void)state;
    rejects_free(rejects);
    return 0;
}

static void add(enum counter counter, uint64_t unix_us)
{
    rejects_add(rejects, &(struct reject){.cause = {counter, 400, "code", "message"}, .unix_us = unix_us});
}

static size_t copy(void)
{
    uint64_t left_out;
    return rejects_copy(rejects, copied, &left_out);
}

static void test_rejects__are_none_at_first(void **state)
{
    (void)state;
    assert_int_equal(copy(), 0);
}

static void test_rejects__come_newest_first(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 5; i++)
        add((enum counter)i, i);
    assert_int_equal(copy(), 5);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(copied[i].unix_us, 5 - i);
}

static void test_rejects__of_one_reason_leave_room_for_others(void **state)
{
    (void)state;
    add(COUNTER_REJECTED_ORIGIN, 1);
    for (uint64_t i = 2; i < 10000; i++)
        add(COUNTER_REJECTED_MALFORMED, i);
    assert_int_equal(copy(), REJECTS_OF_ONE_REASON + 1);
    for (uint64_t i = 0; i < REJECTS_OF_ONE_REASON; i++)
        assert_int_equal(copied[i].unix_us, 9999 - i);
    assert_int_equal(copied[REJECTS_OF_ONE_REASON].unix_us, 1);
}

static void test_rejects__of_many_reasons_push_the_oldest_out(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= REJECTS_MAX + 1; i++)
        add((enum counter)(i % 8), i);
    assert_int_equal(copy(), REJECTS_MAX);
    assert_int_equal(copied[0].unix_us, REJECTS_MAX + 1);
    assert_int_equal(copied[REJECTS_MAX - 1].unix_us, 2);
}

static void test_rejects__the_gate_lets_one_of_each_reason_in_at_a_time(void **state)
{
    uint64_t left_out, now = UINT64_C(1900000000000000);
    (void)state;
    assert_true(rejects_want(rejects, COUNTER_REJECTED_ORIGIN, now));
    assert_true(rejects_want(rejects, COUNTER_REJECTED_MALFORMED, now));
    for (unsigned i = 0; i < 1000; i++)
        assert_false(rejects_want(rejects, COUNTER_REJECTED_ORIGIN, now + REJECTS_INTERVAL_US - 1));
    assert_true(rejects_want(rejects, COUNTER_REJECTED_ORIGIN, now + REJECTS_INTERVAL_US));
    assert_true(rejects_want(rejects, COUNTER_REJECTED_ORIGIN, now - 5000000)); /* the clock was set back */
    rejects_copy(rejects, copied, &left_out);
    assert_int_equal(left_out, 1000);
}

static void test_rejects__nowhere_to_keep_them_is_no_harm(void **state)
{
    (void)state;
    assert_false(rejects_want(NULL, COUNTER_REJECTED_ORIGIN, 1));
}

static void *flood(void *context)
{
    enum counter counter = *(enum counter *)context;
    for (uint64_t now = 1; now < 20000; now++)
        if (rejects_want(rejects, counter, now * 10000))
            add(counter, now);
    return NULL;
}

static void test_rejects__are_whole_when_threads_add_them_at_once(void **state)
{
    static enum counter counters[4] = {COUNTER_REJECTED_ORIGIN, COUNTER_REJECTED_MALFORMED, COUNTER_REJECTED_ORIGIN,
                                       COUNTER_HTTP_METHOD};
    pthread_t thread[4];
    (void)state;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, flood, &counters[i]), 0);
    for (unsigned i = 0; i < 100; i++)
        for (size_t count = copy(), at = 0; at < count; at++)
            assert_string_equal(copied[at].cause.code, "code");
    for (unsigned i = 0; i < 4; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(copy(), 3 * REJECTS_OF_ONE_REASON);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rejects__are_none_at_first, start, stop),
        cmocka_unit_test_setup_teardown(test_rejects__come_newest_first, start, stop),
        cmocka_unit_test_setup_teardown(test_rejects__of_one_reason_leave_room_for_others, start, stop),
        cmocka_unit_test_setup_teardown(test_rejects__of_many_reasons_push_the_oldest_out, start, stop),
        cmocka_unit_test_setup_teardown(test_rejects__the_gate_lets_one_of_each_reason_in_at_a_time, start, stop),
        cmocka_unit_test(test_rejects__nowhere_to_keep_them_is_no_harm),
        cmocka_unit_test_setup_teardown(test_rejects__are_whole_when_threads_add_them_at_once, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
