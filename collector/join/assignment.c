/*
 * Prices keep every reduced cost (cost - row price - column price) at 0 or above, and at 0 for assigned pairs. Then the
 * cheapest way to change the assignment is a shortest path over reduced costs:
 *
 *      row ──reduced──> column ──its row, 0──> row ──reduced──> column ...  until a column that is free
 *
 * Solving adds row after row along such a path. A regret is the length of the path that brings a row to a new column
 * and ends in the column that it left; it changes nothing.
 */
#include "collector/join/assignment.h"

#include <assert.h>
#include <math.h>

struct search {
    double distance[ASSIGNMENT_MAX + 1];
    uint32_t before[ASSIGNMENT_MAX + 1]; /* column of the path before this one */
    bool done[ASSIGNMENT_MAX + 1];
};

static double reduced(const struct assignment *self, uint32_t row, uint32_t column)
{
    return self->cost[row][column] - self->row_price[row] - self->column_price[column];
}

static uint32_t search_nearest(const struct assignment *self, const struct search *search)
{
    uint32_t nearest = self->size;
    for (uint32_t column = 0; column < self->size; column++)
        if (!search->done[column] && (nearest == self->size || search->distance[column] < search->distance[nearest]))
            nearest = column;
    return nearest;
}

static void search_relax(const struct assignment *self, struct search *search, uint32_t from, uint32_t row,
                         double so_far)
{
    for (uint32_t column = 0; column < self->size; column++) {
        double distance = so_far + reduced(self, row, column);
        if (!search->done[column] && distance < search->distance[column]) {
            search->distance[column] = distance;
            search->before[column] = from;
        }
    }
}

static struct search search_of(const struct assignment *self)
{
    struct search search = {.done = {false}};
    for (uint32_t column = 0; column <= self->size; column++)
        search.distance[column] = INFINITY;
    return search;
}

/* Grows the paths from `row` until they reach a column without a row. */
static uint32_t search_free_column(const struct assignment *self, struct search *search, uint32_t row)
{
    search_relax(self, search, self->size, row, 0);
    for (;;) {
        uint32_t column = search_nearest(self, search);
        search->done[column] = true;
        if (self->row_of[column] == self->size)
            return column;
        search_relax(self, search, column, self->row_of[column], search->distance[column]);
    }
}

/* Reduced costs stay at 0 or above when everything nearer than the goal moves by what it is nearer. */
static void assignment_reprice(struct assignment *self, const struct search *search, uint32_t row, double goal)
{
    self->row_price[row] += goal;
    for (uint32_t column = 0; column < self->size; column++) {
        if (!search->done[column] || search->distance[column] >= goal)
            continue;
        self->column_price[column] -= goal - search->distance[column];
        self->row_price[self->row_of[column]] += goal - search->distance[column];
    }
}

static void assignment_add_row(struct assignment *self, uint32_t row)
{
    struct search search = search_of(self);
    uint32_t column = search_free_column(self, &search, row);
    assignment_reprice(self, &search, row, search.distance[column]);
    while (column != self->size) {
        uint32_t before = search.before[column];
        self->row_of[column] = before == self->size ? row : self->row_of[before];
        column = before;
    }
}

void assignment_solve(struct assignment *self)
{
    assert(self->size <= ASSIGNMENT_MAX);
    for (uint32_t i = 0; i < self->size; i++) {
        self->row_of[i] = self->size;
        self->row_price[i] = self->column_price[i] = 0;
    }
    for (uint32_t row = 0; row < self->size; row++)
        assignment_add_row(self, row);
    for (uint32_t column = 0; column < self->size; column++)
        self->column_of[self->row_of[column]] = column;
}

double assignment_regret(const struct assignment *self, uint32_t row, uint32_t from, uint32_t to)
{
    struct search search = search_of(self);
    uint32_t left = self->column_of[row];
    assert(from <= left && left < to && to <= self->size);
    for (uint32_t column = 0; column < self->size; column++)
        if (column < from || column >= to)
            search.distance[column] = reduced(self, row, column);
    for (;;) {
        uint32_t column = search_nearest(self, &search);
        if (column == self->size || !isfinite(search.distance[column]))
            return INFINITY;
        if (column == left)
            return search.distance[column];
        search.done[column] = true;
        search_relax(self, &search, column, self->row_of[column], search.distance[column]);
    }
}
