/* CONFIG: what the application and its visitor allow. */
#include "wasm/core/core_internal.h"

#define PPM 1000000.0

/* The session's place among all sessions, from 0 to 1: the same for every view of it, whatever the rate. */
static double place_of(const uint8_t session_id[SESSION_ID_BYTES])
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < 8; i++)
        bits = bits << 8 | session_id[i];
    return (double)(bits >> 11) * 0x1p-53;
}

/*
 * Once a document, before anything of it is written: sessions are not half sampled. 0 is how the header says "all", so
 * a rate of none is written as the smallest there is; what such a session sends names its trigger anyway.
 */
static void decide(struct core *self, double rate, bool records)
{
    self->is_decided = true;
    if (!(rate < 1))
        return;
    self->header.sample_rate_ppm = rate * PPM > 1 ? (uint32_t)(rate * PPM + 0.5) : 1;
    if (place_of(self->header.session_id) < rate)
        return;
    self->sampling = records ? CORE_RECORDS : CORE_LEAVES_OUT;
    self->header.is_recorded = records;
}

_Static_assert(INBOX_CONFIG_BUDGET_BYTES - INBOX_CONFIG_BUDGET_MS_PER_MINUTE == BUDGET_BYTES, "limits in a row");

void record_config_feed(struct core *self, struct inbox_record *record)
{
    double rate = inbox_record_number(record, INBOX_CONFIG_SAMPLE_RATE);
    uint32_t consent = inbox_record_enum(record, INBOX_CONFIG_CONSENT, INBOX_CONSENT_DENIED, INBOX_CONSENT_DENIED);
    bool records = inbox_record_flag(record, INBOX_CONFIG_FLIGHT_RECORDER);
    bool is_asked = inbox_record_flag(record, INBOX_CONFIG_TRIGGER);
    double share_of[BUDGET_LIMITS];
    for (unsigned i = 0; i < BUDGET_LIMITS; i++)
        share_of[i] = 1 / inbox_record_number(record, INBOX_CONFIG_BUDGET_MS_PER_MINUTE + i);
    struct slice query_keys = inbox_record_text(record, INBOX_CONFIG_QUERY_KEYS);
    if (record->bad)
        return;
    scrub_set_query_keys(&self->scrub, query_keys);
    memcpy(self->budget.share_of, share_of, sizeof share_of);
    if (!self->is_decided)
        decide(self, rate, records);
    core_set_consent(self, consent == INBOX_CONSENT_GRANTED);
    if (is_asked)
        core_send_recorded(self, vitrace_v1_RecorderTrigger_RECORDER_TRIGGER_API);
}
