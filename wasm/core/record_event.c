/* EVENT and INTERACTION_COUNT: what INP is made of. */
#include "wasm/core/core_internal.h"

const struct shape_row record_event_shape[] = {
    {1, INBOX_EVENT_NAME, SHAPE_TEXT, 0},
    {2, INBOX_EVENT_START_TIME, SHAPE_START, 0},
    {3, INBOX_EVENT_DURATION, SHAPE_TIME, 0},
    {4, INBOX_EVENT_PROCESSING_START, SHAPE_OFFSET, 0},
    {5, INBOX_EVENT_PROCESSING_END, SHAPE_OFFSET, 0},
    {6, INBOX_EVENT_INTERACTION_ID, SHAPE_COUNT, 0},
    {7, INBOX_EVENT_TARGET, SHAPE_TEXT, 0},
    {8, INBOX_EVENT_CANCELABLE, SHAPE_FLAG, 0},
    {9, INBOX_EVENT_FIRST_INPUT, SHAPE_FLAG, 0},
    {0},
};

/* Only an interaction's texts can be reported later; pointer moves and the like need no room in the pool. */
void record_event_feed(struct core *self, struct inbox_record *record)
{
    struct slice name = inbox_record_text(record, INBOX_EVENT_NAME);
    struct slice target = inbox_record_text(record, INBOX_EVENT_TARGET);
    static const uint8_t times[VITALS_EVENT_TIMES] = {INBOX_EVENT_START_TIME, INBOX_EVENT_DURATION,
                                                      INBOX_EVENT_PROCESSING_START, INBOX_EVENT_PROCESSING_END};
    struct vitals_event event = {
        .interaction_id = inbox_record_count(record, INBOX_EVENT_INTERACTION_ID, UINT32_MAX),
        .first_input = inbox_record_flag(record, INBOX_EVENT_FIRST_INPUT),
    };
    inbox_record_times(record, times, VITALS_EVENT_TIMES, event.times);
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
    double count = inbox_record_count(record, INBOX_INTERACTION_COUNT_COUNT, UINT32_MAX);
    if (!record->bad)
        vitals_take_interaction_count(self->vitals, count);
}
