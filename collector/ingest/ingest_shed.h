/*
 * Overload: what is refused so that the rest is served.
 *
 *   pressure   the greatest of: how long a request waits for its turn on its thread, how long an append waits for its
 *              answer, how full the memory for clients is; each by its limit
 *   level      0 to 256, changed every INGEST_SHED_WINDOW_MS: up a step while the pressure is over 1, down a step below
 *              1/2, as it is in between. So it settles where what is let in is what can be done.
 *   who        by a keyed hash of the view id: a view is shed whole, and the same views as long as the level holds
 *
 *              level 0 ............. 128 ............. 256
 *              views that begin      0 ---> 240/256
 *              views under way                 0 ---> 240/256      (their first beacon is stored)
 *
 * First views that have not begun, as a sample of whole views is worth more than all views with holes; only then those
 * under way. A final beacon goes with its view: of a view that was shed it is of no use, and one that is kept is not shed
 * before the upper half. Something is always let in, or the level would swing between all and nothing; only when the
 * memory is used up is everything refused, before the body is looked at.
 *
 * Waiting is judged by its mean over a window, and acted on when INGEST_SHED_OVER_LEAST windows in a row were over it: a
 * queue that stands is overload, a stall of the machine or of the disk is not (the idea of CoDel, RFC 8289). Fewer than
 * INGEST_SHED_SEEN_LEAST beacons in a window are no load, whatever they waited.
 *
 * The refused get 503 and a Retry-After that grows with the level and is spread over more than its own length. Who sends
 * on before that, on the same connection, is not read from for 1.5 to 2 seconds, unless the connection is a proxy's.
 *
 * Any thread. Relaxed atomics: a level that is one beacon late changes nothing.
 */
#ifndef VITRACE_INGEST_SHED_H
#define VITRACE_INGEST_SHED_H

#include "collector/base/counters.h"
#include "collector/base/siphash.h"
#include "proto/wire/ids.h"

#define INGEST_SHED_ALL          256u
#define INGEST_SHED_MOST         240u /* of a half, in 256ths */
#define INGEST_SHED_WINDOW_MS    200u
#define INGEST_SHED_SEEN_LEAST   16u
#define INGEST_SHED_OVER_LEAST   3u
#define INGEST_SHED_CALM_LEAST   3u
#define INGEST_SHED_ROUND_US_MAX 20000u  /* 1,000 requests of 20 us that were ready before it */
#define INGEST_SHED_WAIT_US_MAX  1000000u /* of an append: twenty times what a busy disk takes */
#define INGEST_SHED_FULL         224u /* of 256 of the memory */

struct ingest_shed {
    struct siphash_key key;
    const struct memory *memory; /* NULL = not looked at */
    struct counters *counters;
    _Atomic uint32_t level; /* INGEST_SHED_ALL: memory is used up */
    _Atomic uint64_t window_end_us;
    struct ingest_shed_mean {
        _Atomic uint64_t sum_us;
        _Atomic uint32_t count;
    } round, wait;         /* of this window */
    _Atomic uint32_t over, calm; /* windows in a row with too much pressure, and with next to none */
};

void ingest_shed_init(struct ingest_shed *self, const struct memory *memory, struct counters *counters);
/* A beacon came; its thread's last round took so long. Once a window this sets the level anew. */
void ingest_shed_note(struct ingest_shed *self, uint64_t now_us, uint64_t round_us);
/* An append has been answered. */
void ingest_shed_note_wait(struct ingest_shed *self, uint64_t wait_us);

unsigned ingest_shed_level(const struct ingest_shed *self);
bool ingest_shed_drops(const struct ingest_shed *self, const uint8_t view_id[VIEW_ID_BYTES], bool has_begun);

#endif
