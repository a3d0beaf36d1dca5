#include "collector/join/assignment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>

#define SMALL 6u

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 33);
}

static void fill(struct assignment *self, uint32_t size, uint64_t *seed)
{
    self->size = size;
    for (uint32_t row = 0; row < size; row++)
        for (uint32_t column = 0; column < size; column++)
            self->cost[row][column] = next_random(seed) % 6 == 0 ? ASSIGNMENT_IMPOSSIBLE : next_random(seed) % 40;
}

/* Of all ways to give the rows from `row` on a column that is not in `used`; `ban_row` may have none of [from, to). */
static double cheapest(const struct assignment *self, uint32_t row, uint32_t used, uint32_t ban_row, uint32_t from,
                       uint32_t to)
{
    double best = INFINITY;
    if (row == self->size)
        return 0;
    for (uint32_t column = 0; column < self->size; column++) {
        if ((used >> column & 1) != 0 || (row == ban_row && column >= from && column < to))
            continue;
        double cost = self->cost[row][column] + cheapest(self, row + 1, used | 1u << column, ban_row, from, to);
        best = cost < best ? cost : best;
    }
    return best;
}

static double cost_of(const struct assignment *self)
{
    double cost = 0;
    uint32_t seen = 0;
    for (uint32_t row = 0; row < self->size; row++) {
        assert_int_equal(seen >> self->column_of[row] & 1, 0);
        seen |= 1u << self->column_of[row];
        cost += self->cost[row][self->column_of[row]];
    }
    return cost;
}

static void test_assignment__is_the_cheapest_of_all(void **state)
{
    (void)state;
    static struct assignment self;
    uint64_t seed = 1;
    for (unsigned round = 0; round < 500; round++) {
        fill(&self, round % (SMALL + 1), &seed);
        assignment_solve(&self);
        assert_true(fabs(cost_of(&self) - cheapest(&self, 0, 0, SMALL, 0, 0)) < 1e-3);
    }
}

static void test_assignment__regret_is_what_the_next_best_way_costs_more(void **state)
{
    (void)state;
    static struct assignment self;
    uint64_t seed = 2;
    for (unsigned round = 0; round < 300; round++) {
        fill(&self, 1 + round % SMALL, &seed);
        assignment_solve(&self);
        double best = cost_of(&self);
        for (uint32_t row = 0; row < self.size; row++) {
            uint32_t from = self.column_of[row], to = from + 1 + next_random(&seed) % (self.size - from);
            double other = cheapest(&self, 0, 0, row, from, to), regret = assignment_regret(&self, row, from, to);
            if (isinf(other))
                assert_true(isinf(regret));
            else
                assert_true(fabs(regret - (other - best)) < 1e-3);
        }
    }
}

static void test_assignment__the_largest_one_is_solved(void **state)
{
    (void)state;
    static struct assignment self;
    self.size = ASSIGNMENT_MAX;
    for (uint32_t row = 0; row < self.size; row++)
        for (uint32_t column = 0; column < self.size; column++)
            self.cost[row][column] = (double)((row + column) % self.size == 7 ? 0 : 1);
    assignment_solve(&self);
    for (uint32_t row = 0; row < self.size; row++)
        assert_int_equal((row + self.column_of[row]) % self.size, 7);
    assert_true(assignment_regret(&self, 3, 4, 5) == 2); /* two rows change places */
    assert_true(isinf(assignment_regret(&self, 3, 0, ASSIGNMENT_MAX)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_assignment__is_the_cheapest_of_all),
        cmocka_unit_test(test_assignment__regret_is_what_the_next_best_way_costs_more),
        cmocka_unit_test(test_assignment__the_largest_one_is_solved),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
