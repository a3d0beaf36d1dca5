/*
 * How far a server's wall clock is ahead of a browser's, from exchanges that both saw, with the error of the answer.
 *
 *     browser   sent |----------------------- first byte
 *     server            began |==============
 *
 *     offset = server - browser:   began - first byte <= offset <= began - sent
 *
 * A server cannot begin before it is asked, nor answer before it has begun: nothing else is sure. When its span ends is
 * not: it ends when all is cleaned up, and a busy server was seen to do that 30 ms after the browser had the whole
 * answer.
 *
 * Each exchange is an interval; the offset lies in all of them, and the shortest exchange says most. When intervals
 * disagree, the answer is where most of them meet, as Marzullo has it; several places that are met by as many are
 * answered as one that spans them all.
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
    int64_t sent_us, first_byte_us; /* the browser's */
    int64_t began_us;               /* the server's */
};

struct clock_offset {
    bool is_known;
    int64_t offset_us, error_us; /* the true offset is within offset +- error */
    uint32_t pairs;
    uint32_t conflicts; /* of the pairs and the receipt, those that the answer contradicts */
};

/* No receipt: nothing arrived, or it is not known when. */
#define CLOCK_OFFSET_NO_RECEIPT INT64_MAX

/*
 * Compares every pair with every other: the caller bounds `count` (2,048 requests of a view are 4 million steps).
 * `receipt_us`: the least that anything of the browser took to arrive, by the two clocks; the offset is not above it.
 */
struct clock_offset clock_offset_of(const struct clock_offset_pair *pair, size_t count, int64_t receipt_us);

#endif
