/* VISIBILITY, LIFECYCLE, MEMORY_MEASUREMENT, LOSS and METER: what happened to the page and to the bridge. */
#include "wasm/core/core_internal.h"

const struct shape_row record_visibility_shape[] = {
    {1, INBOX_VISIBILITY_START_TIME, SHAPE_START, 0},
    {2, INBOX_VISIBILITY_HIDDEN, SHAPE_FLAG, 0},
    {0},
};

/* Only the live event finalises: a buffered entry tells of a time when nobody was listening yet. */
void record_visibility_feed(struct core *self, struct inbox_record *record)
{
    double time = inbox_record_ms(record, INBOX_VISIBILITY_START_TIME);
    bool hidden = inbox_record_flag(record, INBOX_VISIBILITY_HIDDEN);
    bool buffered = inbox_record_flag(record, INBOX_VISIBILITY_BUFFERED);
    if (record->bad)
        return;
    vitals_take_visibility(self->vitals, time, hidden, buffered);
    if (buffered)
        return;
    self->is_hidden = hidden;
    if (hidden)
        vitals_hide(self->vitals, time);
}

const struct shape_row record_memory_measurement_shape[] = {
    {1, INBOX_MEMORY_MEASUREMENT_START_TIME, SHAPE_START, 0},
    {2, INBOX_MEMORY_MEASUREMENT_BYTES, SHAPE_SIZE, 0},
    {3, INBOX_MEMORY_MEASUREMENT_JS_BYTES, SHAPE_SIZE, 0},
    {4, INBOX_MEMORY_MEASUREMENT_DOM_BYTES, SHAPE_SIZE, 0},
    {0},
};

static void apply(struct core *self, enum inbox_lifecycle event, double time)
{
    switch (event) {
    case INBOX_LIFECYCLE_INPUT:
        vitals_input(self->vitals, time);
        return;
    case INBOX_LIFECYCLE_LOADED:
        vitals_loaded(self->vitals, time);
        return;
    case INBOX_LIFECYCLE_ACTIVATED:
        vitals_activated(self->vitals, time, self->is_hidden);
        return;
    case INBOX_LIFECYCLE_PAGEHIDE:
        vitals_hide(self->vitals, time);
        return;
    case INBOX_LIFECYCLE_IDLE:
        vitals_idle(self->vitals);
        return;
    }
}

void record_lifecycle_feed(struct core *self, struct inbox_record *record)
{
    double time = inbox_record_ms(record, INBOX_LIFECYCLE_FIELD_TIME);
    uint32_t event = inbox_record_enum(record, INBOX_LIFECYCLE_FIELD_EVENT, INBOX_LIFECYCLE_IDLE, 0);
    record->bad = record->bad || event == 0;
    if (!record->bad)
        apply(self, (enum inbox_lifecycle)event, time);
}

void record_loss_feed(struct core *self, struct inbox_record *record)
{
    uint32_t reason = inbox_record_enum(record, INBOX_LOSS_REASON, _vitrace_v1_LossReason_MAX, 0);
    uint32_t count = inbox_record_count(record, INBOX_LOSS_COUNT, UINT32_MAX);
    record->bad = record->bad || reason == 0;
    if (!record->bad)
        ledger_take_lost(&self->ledger, (vitrace_v1_LossReason)reason, count);
}

void record_meter_feed(struct core *self, struct inbox_record *record)
{
    double us = inbox_record_ms(record, INBOX_METER_MAIN_THREAD_US);
    record->bad = record->bad || us < 0;
    if (record->bad)
        return;
    ledger_take_main_thread(&self->ledger, us);
    self->budget.main_thread_us += us;
}
