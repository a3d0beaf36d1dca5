/*
 * The last refused requests, in fixed memory: REJECTS_MAX entries of less than 320 bytes, 20 KiB.
 *
 *   refusal --> gate of its reason: at most one in REJECTS_INTERVAL_US ----passed----> lock, ring
 *                    '-- else one relaxed add, and it is gone
 *
 * A flood costs each of its requests two atomic operations and never waits; and it takes at most REJECTS_OF_ONE_REASON
 * entries, so that what happens once beside it can still be read an hour later. Counters count all of them.
 * Owned by app.c and passed down, as the counters are. Any thread.
 */
#ifndef VITRACE_BASE_REJECTS_H
#define VITRACE_BASE_REJECTS_H

#include "collector/base/reject.h"

#define REJECTS_MAX           64u
#define REJECTS_OF_ONE_REASON 16u
#define REJECTS_INTERVAL_US   200000u

struct rejects;
struct rejects *rejects_new(void); /* NULL = out of memory */
void rejects_free(struct rejects *self);

/* The gate. true = fill an entry with this time and add it; false = it was counted as left out. NULL self = false. */
bool rejects_want(struct rejects *self, enum counter counter, uint64_t unix_us);
/* Microseconds since 1970, of a clock that is cheap and coarse. */
uint64_t rejects_now(void);
void rejects_add(struct rejects *self, const struct reject *reject);
/* Gate and entry in one: of a connection that was refused before it could ask for anything. */
void rejects_add_connection(struct rejects *self, const struct reject_cause *cause, enum reject_via via,
                            const uint8_t peer[16]);

/* Newest first; returns how many. *left_out: refused, and not kept because of the gate. */
size_t rejects_copy(struct rejects *self, struct reject out[REJECTS_MAX], uint64_t *left_out);

#endif
