/* EVENT and INTERACTION_COUNT: what INP is made of. */
#include "wasm/core/core_internal.h"

void record_event_encode(struct core *self, struct inbox_record *record)
{
    uint64_t start_us = inbox_record_start(record, INBOX_EVENT_START_TIME);
    vitrace_v1_EventTiming out = {
        .name_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_EVENT_NAME)),
        .start_us = start_us,
        .duration_us = inbox_record_time(record, INBOX_EVENT_DURATION),
        .processing_start_us = inbox_record_offset(record, INBOX_EVENT_PROCESSING_START, (int64_t)start_us),
        .processing_end_us = inbox_record_offset(record, INBOX_EVENT_PROCESSING_END, (int64_t)start_us),
        .interaction_id = (uint32_t)inbox_record_count(record, INBOX_EVENT_INTERACTION_ID, UINT32_MAX),
        .target_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_EVENT_TARGET)),
        .cancelable = inbox_record_flag(record, INBOX_EVENT_CANCELABLE),
        .first_input = inbox_record_flag(record, INBOX_EVENT_FIRST_INPUT),
    };
    segment_append(&self->segment, BEACON_FIELD_EVENT, vitrace_v1_EventTiming_fields, &out);
}

/* Only an interaction's texts can be reported later; pointer moves and the like need no room in the pool. */
void record_event_feed(struct core *self, struct inbox_record *record)
{
    struct slice name = inbox_record_text(record, INBOX_EVENT_NAME);
    struct slice target = inbox_record_text(record, INBOX_EVENT_TARGET);
    struct vitals_event event = {
        .start_time = inbox_record_ms(record, INBOX_EVENT_START_TIME),
        .duration = inbox_record_ms(record, INBOX_EVENT_DURATION),
        .processing_start = inbox_record_ms(record, INBOX_EVENT_PROCESSING_START),
        .processing_end = inbox_record_ms(record, INBOX_EVENT_PROCESSING_END),
        .interaction_id = (uint32_t)inbox_record_count(record, INBOX_EVENT_INTERACTION_ID, UINT32_MAX),
        .first_input = inbox_record_flag(record, INBOX_EVENT_FIRST_INPUT),
    };
    if (record->bad)
        return;
    if (event.interaction_id != 0) {
        event.name = core_keep_text(self, name, TEXT_POOL_NAME_BYTES_MAX);
        event.target = core_keep_text(self, target, TEXT_POOL_TARGET_BYTES_MAX);
    }
    vitals_take_event(self->vitals, &event);
}

void record_interaction_count_feed(struct core *self, struct inbox_record *record)
{
    double count = (double)inbox_record_count(record, INBOX_INTERACTION_COUNT_COUNT, UINT32_MAX);
    if (!record->bad)
        vitals_take_interaction_count(self->vitals, count);
}
