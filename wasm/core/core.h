/*
 * The core: everything between the inbox and the ring. The same source runs in the page (Wasm), as a WASI command and
 * inside the collector. No clock, no randomness, no allocation, no globals: time, ids and entries come in through
 * arguments and the inbox, so the same input gives the same bytes everywhere.
 *
 *   inbox words --validate--> entry --+--> vitals (state machines)
 *                                     +--> scrub --> dictionary --> record --> open segment of the ring
 *
 * A bad record never stops the batch: it is counted (LOSS_REASON_BAD_ENTRY) and the next one is read, as far as record
 * boundaries can be trusted.
 */
#ifndef VITRACE_CORE_H
#define VITRACE_CORE_H

#include "proto/wire/slice.h"
#include "wasm/abi/inbox.h"
#include "wasm/ring/ring.h"

struct core;

/* Bytes that core_init needs, aligned to 8. */
unsigned core_bytes(void);
/* `ring` is borrowed for the life of the core. Returns the core, laid over `memory`. */
struct core *core_init(void *memory, struct ring_producer *ring);

enum core_status {
    CORE_OK = 0,
    CORE_SEALED = 1,       /* fine, and at least one segment was sealed during the call: wake the sender */
    CORE_NOT_STARTED = -1, /* the first record must be START */
    CORE_BAD_BATCH = -2    /* sizes are out of bounds, or the strings do not match their count */
};

/* The clocks of one call, read together by the bridge. */
struct core_clock {
    double mono_ms; /* performance.now() */
    double wall_ms; /* Date.now() */
};

/* One batch: `words` doubles of records, and `strings` bytes of NUL-joined UTF-8. Both are borrowed for the call. */
enum core_status core_take(struct core *self, struct core_clock clock, const double *words, unsigned word_count,
                           struct slice strings);

/*
 * Seals the open segment with the vitals that changed and the ledger. `final`: the page is hidden or left.
 * A view's first seal always sends a segment; later ones send nothing when nothing changed since the last.
 */
enum core_status core_seal(struct core *self, struct core_clock clock, int final);

/* Age of the open segment in milliseconds; 0 when there is none, without an entry, or recorded: nobody waits for it. */
double core_open_age(const struct core *self, struct core_clock clock);

/*
 * What is known of the view so far, as a beacon of its own: header, vitals, ledger and their texts, with the sequence
 * number CORE_SNAPSHOT_SEQ. The browser keeps it and sends it if the page dies without a word. Written to `out`, and
 * the open segment is as before. Returns its size, or 0 when no vital changed since the view's last snapshot, or
 * nothing may be sent (consent, sampling).
 */
#define CORE_SNAPSHOT_SEQ       0xffffffffu
#define CORE_SNAPSHOT_BYTES_MAX 4608u
unsigned core_snapshot(struct core *self, struct core_clock clock, uint8_t out[CORE_SNAPSHOT_BYTES_MAX]);

/*
 * The ledger as the bridge's stats() shows it. Layout is part of the ABI (abi_dump): all doubles. SHEDS: bit n = the
 * bridge need not bring records of kind n, and counts each as lost for SHED_REASON; all bits = off, and the last ledger is
 * sealed.
 */
#define CORE_STATS_FIELDS(F)                                                                                           \
    F(ENTRIES_SEEN) F(ENTRIES_ENCODED) F(MAIN_THREAD_US) F(BYTES_ENCODED) F(SEGMENTS_SEALED) F(BATCHES)                \
    F(SEGMENTS_DROPPED) F(BUDGET_LEVEL) F(SHEDS) F(SHED_REASON)                                                        \
    F(LOST_RING_FULL) F(LOST_BAD_ENTRY) F(LOST_TOO_LARGE) F(LOST_QUEUE_FULL) F(LOST_BROWSER_DROPPED) F(LOST_BUDGET)    \
    F(LOST_CONSENT) F(LOST_SAMPLED_OUT) F(LOST_DICTIONARY_FULL) F(LOST_SEND_FAILED)                                    \
    F(LOST_PAGE_LEFT) F(LOST_OFFLINE_FULL)                                                                             \
    F(LCP) F(INP) F(CLS) F(FCP) F(TTFB)
#define CORE_STATS_ENUM(name) CORE_STATS_##name,
enum core_stats_field { CORE_STATS_FIELDS(CORE_STATS_ENUM) CORE_STATS_WORDS };
/* Vitals that have no value are NaN. */
void core_stats(const struct core *self, double out[CORE_STATS_WORDS]);

#endif
