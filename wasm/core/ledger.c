#include "wasm/core/ledger.h"

#include <string.h>

#define REASON_SEND_FAILED vitrace_v1_LossReason_LOSS_REASON_SEND_FAILED

void ledger_init(struct ledger *self, uint32_t abandoned)
{
    memset(self, 0, sizeof *self);
    self->abandoned_before = abandoned;
}

void ledger_count(uint32_t *counter, uint32_t by)
{
    *counter = by > UINT32_MAX - *counter ? UINT32_MAX : *counter + by;
}

void ledger_take_encoded(struct ledger *self)
{
    ledger_count(&self->entries_seen, 1);
    ledger_count(&self->entries_encoded, 1);
}

void ledger_take_main_thread(struct ledger *self, double us)
{
    if (self->main_thread_us + us <= 9007199254740992.0)
        self->main_thread_us += us;
}

void ledger_take_lost(struct ledger *self, vitrace_v1_LossReason reason, uint32_t count)
{
    ledger_count(&self->losses[reason], count);
    if (reason < REASON_SEND_FAILED)
        ledger_count(&self->entries_seen, count);
}

void ledger_take_back(struct ledger *self, vitrace_v1_LossReason reason, uint32_t entries, uint32_t segments)
{
    self->entries_encoded -= entries;
    ledger_count(&self->losses[reason], entries);
    ledger_count(&self->segments_dropped, segments);
}

uint32_t ledger_lost(const struct ledger *self, vitrace_v1_LossReason reason, uint32_t abandoned)
{
    uint32_t lost = self->losses[reason];
    if (reason == REASON_SEND_FAILED)
        ledger_count(&lost, abandoned - self->abandoned_before);
    return lost;
}

uint64_t ledger_lost_total(const struct ledger *self, uint32_t abandoned)
{
    uint64_t total = self->segments_dropped;
    for (uint32_t reason = 1; reason < LEDGER_REASONS; reason++)
        total += ledger_lost(self, (vitrace_v1_LossReason)reason, abandoned);
    return total;
}

void ledger_write(const struct ledger *self, const struct ledger_seal *seal, struct writer *out)
{
    writer_uint(out, 1, self->entries_seen);
    writer_uint(out, 2, self->entries_encoded);
    for (uint32_t reason = 1; reason < LEDGER_REASONS; reason++) {
        uint32_t lost = ledger_lost(self, (vitrace_v1_LossReason)reason, seal->abandoned);
        if (lost == 0)
            continue;
        uint8_t *length = writer_open(out, 3);
        writer_uint(out, 1, reason);
        writer_uint(out, 2, lost);
        writer_close(out, length);
    }
    writer_uint(out, 4, (uint64_t)self->main_thread_us);
    writer_uint(out, 5, self->bytes_encoded + seal->open_bytes);
    writer_uint(out, 6, self->segments_sealed);
    writer_uint(out, 7, seal->wall_unix_us);
    writer_uint(out, 8, seal->mono_us);
    writer_uint(out, 9, seal->final);
    writer_uint(out, 10, self->batches);
    writer_uint(out, 11, self->segments_dropped);
    writer_uint(out, 12, seal->budget_level);
}
