/*
 * Lossless accounting of one view: entries_seen = entries_encoded + the losses that count entries, always. Counters
 * stop at their maximum instead of wrapping.
 */
#ifndef VITRACE_LEDGER_H
#define VITRACE_LEDGER_H

#include "proto/wire/writer.h"
#include "vitrace/v1/beacon.pb.h"

#define LEDGER_REASONS (_vitrace_v1_LossReason_MAX + 1)

struct ledger {
    uint32_t entries_seen;
    uint32_t entries_encoded;
    uint32_t losses[LEDGER_REASONS];
    double main_thread_us;
    uint64_t bytes_encoded; /* of sealed segments */
    uint32_t segments_sealed;
    uint32_t segments_dropped; /* of those */
    uint32_t batches;
    uint32_t abandoned_before; /* segments given up by the senders before this view began */
};

void ledger_init(struct ledger *self, uint32_t abandoned);
void ledger_count(uint32_t *counter, uint32_t by);
void ledger_take_encoded(struct ledger *self);
/* Stops at 2^53, where adding would no longer be exact. */
void ledger_take_main_thread(struct ledger *self, double us);
/* From SEND_FAILED on, a reason counts segments or pages, not entries, so it leaves entries_seen alone. */
void ledger_take_lost(struct ledger *self, vitrace_v1_LossReason reason, uint32_t count);
/* Entries that were encoded, and `segments` that were sealed, do not leave the page after all. */
void ledger_take_back(struct ledger *self, vitrace_v1_LossReason reason, uint32_t entries, uint32_t segments);
/* Includes the segments that senders gave up, `abandoned` since the ring began. */
uint32_t ledger_lost(const struct ledger *self, vitrace_v1_LossReason reason, uint32_t abandoned);
/* Of all reasons, and dropped segments: changes when there is a new loss to report. */
uint64_t ledger_lost_total(const struct ledger *self, uint32_t abandoned);
/* What only the moment of sealing knows. */
struct ledger_seal {
    uint32_t abandoned;
    uint32_t open_bytes; /* of the segment so far */
    uint64_t mono_us, wall_unix_us;
    uint32_t budget_level;
    bool final;
};
void ledger_write(const struct ledger *self, const struct ledger_seal *seal, struct writer *out);

#endif
