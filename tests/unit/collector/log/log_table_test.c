#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/log/log_internal.h"

struct fixture {
    struct counters counters;
    struct log_table table;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    memset(&fixture.counters, 0, sizeof fixture.counters);
    *state = &fixture;
    return log_table_init(&fixture.table, &fixture.counters);
}

static int tear_down(void **state)
{
    log_table_release(&((struct fixture *)*state)->table);
    return 0;
}

static void test_table__empty_has_no_range(void **state)
{
    struct fixture *self = *state;
    struct log_range range = log_table_find(&self->table, 5);
    assert_false(range.exists);
    assert_true(range.end == UINT64_MAX);
    assert_int_equal(log_table_first(&self->table), 0);
}

static void test_table__finds_the_segment_of_each_position(void **state)
{
    struct fixture *self = *state;
    const uint64_t firsts[] = {300, 100, 200}; /* any order of arrival */
    for (size_t i = 0; i < 3; i++)
        assert_true(log_table_put(&self->table, (struct log_table_row){firsts[i], 10, 0}));
    assert_int_equal(log_table_first(&self->table), 100);
    for (uint64_t position = 0; position < 500; position++) {
        struct log_range range = log_table_find(&self->table, position);
        uint64_t hundred = position / 100;
        assert_int_equal(range.exists, position >= 100);
        if (range.exists)
            assert_int_equal(range.first, hundred > 3 ? 300 : hundred * 100);
        assert_true(range.end == (hundred >= 3 ? UINT64_MAX : (hundred + 1) * 100));
    }
    assert_int_equal(counters_find(&self->counters, COUNTER_LOG_BYTES), 30);
    assert_int_equal(counters_find(&self->counters, COUNTER_LOG_SEGMENTS), 3);
}

static void test_table__the_same_first_position_replaces(void **state)
{
    struct fixture *self = *state;
    uint64_t generation = self->table.generation;
    assert_true(log_table_put(&self->table, (struct log_table_row){7, 10, 0}));
    assert_true(log_table_put(&self->table, (struct log_table_row){7, 20, 0}));
    assert_int_equal(self->table.generation, generation + 2);
    assert_int_equal(counters_find(&self->counters, COUNTER_LOG_BYTES), 20);
    assert_int_equal(counters_find(&self->counters, COUNTER_LOG_SEGMENTS), 1);
}

static void test_table__full_refuses_one_more(void **state)
{
    struct fixture *self = *state;
    self->table.count = LOG_SEGMENTS_MAX - 1; /* as if filled with zero rows; one by one counts quadratically */
    assert_false(log_table_is_full(&self->table));
    assert_true(log_table_put(&self->table, (struct log_table_row){1, 1, 0}));
    assert_true(log_table_is_full(&self->table));
    assert_false(log_table_put(&self->table, (struct log_table_row){2, 1, 0}));
    assert_true(log_table_put(&self->table, (struct log_table_row){1, 2, 0}));
}

static void test_table__closing_times_are_believed_within_reason(void **state)
{
    struct fixture *self = *state;
    const uint64_t day = UINT64_C(24) * 3600 * 1000000, now = LOG_CLOCK_LEAST_US + 1000 * day, year = 365 * day;
    const struct {
        uint64_t created[4], closed;
    } cases[] = {
        {{now - 40 * day, now - 30 * day, now - 20 * day, now - 10 * day}, now - 30 * day},
        {{now - 40 * day, 0, now - 20 * day, now - 10 * day}, now - 20 * day},              /* no readable header */
        {{now - 40 * day, now + 30 * year, now - 20 * day, now - 10 * day}, now - 20 * day}, /* set forth, and back */
        {{now + 30 * year, now + 30 * year, now - 20 * day, now - 10 * day}, now - 20 * day},
        {{now - 40 * day, 5 * day, now - 20 * day, now - 10 * day}, now - 20 * day}, /* the first days of 1970 */
        {{5 * day, 6 * day, 7 * day, now - 10 * day}, now - 10 * day},
        {{now - 20 * day, now - 21 * day, now - 19 * day, now - 10 * day}, now - 20 * day}, /* set back by a day */
        {{5 * day, 6 * day, 7 * day, 8 * day}, 0},
        {{now, now + day, now + 2 * day, now + 3 * day}, 0},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct log_oldest oldest;
        for (uint64_t row = 0; row < 4; row++)
            assert_true(log_table_put(&self->table, (struct log_table_row){row * 100, 10, cases[i].created[row]}));
        assert_true(log_table_oldest(&self->table, now, &oldest));
        assert_int_equal(oldest.closed_us, cases[i].closed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_table__empty_has_no_range, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table__closing_times_are_believed_within_reason, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table__finds_the_segment_of_each_position, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table__the_same_first_position_replaces, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_table__full_refuses_one_more, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
