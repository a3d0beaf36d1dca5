/*
 * How far a server's wall clock is ahead of a browser's, from exchanges that both saw, with the error of the answer.
 *
 *     browser   sent |------------------------------------| answered
 *     server            began |=================| ended
 *
 *     offset = server - browser:   ended - answered <= offset <= began - sent
 *
 * Each exchange is an interval; the offset lies in all of them, and the shortest exchange says most. A span that goes on
 * after the answer (a stream, work in the background) has no lower bound to give once it is longer than the exchange.
 *
 * When intervals disagree, the answer is where most of them meet, as Marzullo has it; several places that are met by as
 * many are answered as one that spans them all. Nothing is answered without a lower bound.
 *
 * One offset stands for all servers of a page: hosts that keep time by NTP differ by less than the network. A host that
 * does not shows as conflicts.
 */
#ifndef VITRACE_CLOCK_OFFSET_H
#define VITRACE_CLOCK_OFFSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The year 2255. What is farther from 1970 than that is forged, and differences of the others cannot overflow. */
#define CLOCK_OFFSET_TIME_MAX_US INT64_C(9000000000000000)

/*
 * How wrong a bound may be although nobody lies: Date.now() is in whole milliseconds, and some browsers round the times
 * of their entries to as much again.
 */
#define CLOCK_OFFSET_GRAIN_US 2000

/* Wall clocks, microseconds since 1970. */
struct clock_offset_pair {
    int64_t sent_us, answered_us;
    int64_t began_us, ended_us;
};

struct clock_offset {
    bool is_known;
    int64_t offset_us, error_us; /* the true offset is within offset +- error */
    uint32_t pairs;              /* that bound it from any side */
    uint32_t conflicts;          /* of the pairs and the receipt, those that the answer contradicts */
};

/* No receipt: nothing arrived, or it is not known when. */
#define CLOCK_OFFSET_NO_RECEIPT INT64_MAX

/*
 * Compares every pair with every other: the caller bounds `count` (2,048 requests of a view are 4 million steps).
 * `receipt_us`: the least that anything of the browser took to arrive, by the two clocks; the offset is not above it.
 */
struct clock_offset clock_offset_of(const struct clock_offset_pair *pair, size_t count, int64_t receipt_us);

#endif
