/*
 * The cheapest assignment of rows to columns of a small square matrix (the Hungarian method by shortest augmenting
 * paths), and what it would cost to decide otherwise. Fixed size, no allocation: 33 KB, for a stack or a larger struct.
 */
#ifndef VITRACE_JOIN_ASSIGNMENT_H
#define VITRACE_JOIN_ASSIGNMENT_H

#include <stdbool.h>
#include <stdint.h>

#define ASSIGNMENT_MAX        64u
#define ASSIGNMENT_IMPOSSIBLE 1e12 /* of a pair; a row and a column that are left over meet in one */

struct assignment {
    uint32_t size;
    double cost[ASSIGNMENT_MAX][ASSIGNMENT_MAX]; /* [row][column], not negative */
    /* After assignment_solve(). Index size stands for "none" in `row_of` and for the search's start. */
    uint32_t row_of[ASSIGNMENT_MAX + 1], column_of[ASSIGNMENT_MAX];
    double row_price[ASSIGNMENT_MAX + 1], column_price[ASSIGNMENT_MAX + 1];
};

/* O(size^3). Every row gets a column: self->column_of. */
void assignment_solve(struct assignment *self);
/* How much dearer the whole gets when `row` may have none of the columns [from, to), its own among them. O(size^2). */
double assignment_regret(const struct assignment *self, uint32_t row, uint32_t from, uint32_t to);

#endif
