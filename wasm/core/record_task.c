/* LONG_TASK, LONG_FRAME with its scripts, USER_TIMING: time on the main thread. The vitals do not depend on them. */
#include "wasm/core/core_internal.h"

void record_long_task_encode(struct core *self, struct inbox_record *record)
{
    vitrace_v1_LongTask out = {
        .start_us = inbox_record_start(record, INBOX_LONG_TASK_START_TIME),
        .duration_us = inbox_record_time(record, INBOX_LONG_TASK_DURATION),
        .name_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_LONG_TASK_NAME)),
    };
    segment_append(&self->segment, BEACON_FIELD_LONG_TASK, vitrace_v1_LongTask_fields, &out);
}

/* The browser says -1 when it does not know the position, and so does the wire by leaving it out. */
static int64_t read_position(struct inbox_record *script)
{
    double position = inbox_record_number(script, INBOX_FRAME_SCRIPT_SOURCE_CHAR_POSITION);
    return position == -1 ? 0
                          : (int64_t)inbox_record_count(script, INBOX_FRAME_SCRIPT_SOURCE_CHAR_POSITION, UINT32_MAX);
}

static uint32_t intern(struct core *self, struct inbox_record *script, unsigned field)
{
    return segment_text(&self->segment, scrub_name(&self->scrub, inbox_record_text(script, field)));
}

static void read_script(struct core *self, struct inbox_record *script, int64_t frame_us,
                        vitrace_v1_LongFrameScript *out)
{
    out->source_url_ref = core_url(self, inbox_record_text(script, INBOX_FRAME_SCRIPT_SOURCE_URL));
    out->source_function_ref = intern(self, script, INBOX_FRAME_SCRIPT_SOURCE_FUNCTION);
    out->invoker_ref = intern(self, script, INBOX_FRAME_SCRIPT_INVOKER);
    out->invoker_type_ref = intern(self, script, INBOX_FRAME_SCRIPT_INVOKER_TYPE);
    out->start_us = inbox_record_offset(script, INBOX_FRAME_SCRIPT_START_TIME, frame_us);
    out->duration_us = inbox_record_time(script, INBOX_FRAME_SCRIPT_DURATION);
    out->forced_style_and_layout_us = inbox_record_time(script, INBOX_FRAME_SCRIPT_FORCED_STYLE_AND_LAYOUT);
    out->pause_us = inbox_record_time(script, INBOX_FRAME_SCRIPT_PAUSE);
    out->source_char_position = read_position(script);
}

/* Scripts past BEACON_FRAME_SCRIPTS_MAX are left out; the bridge sends the longest first. */
void record_long_frame_encode(struct core *self, struct inbox_record *record)
{
    vitrace_v1_LongAnimationFrame *out = &self->message.long_frame;
    int64_t start_us = (int64_t)inbox_record_start(record, INBOX_LONG_FRAME_START_TIME);
    memset(out, 0, sizeof *out);
    out->start_us = (uint64_t)start_us;
    out->duration_us = inbox_record_time(record, INBOX_LONG_FRAME_DURATION);
    out->render_start_us = inbox_record_offset(record, INBOX_LONG_FRAME_RENDER_START, start_us);
    out->style_and_layout_start_us = inbox_record_offset(record, INBOX_LONG_FRAME_STYLE_AND_LAYOUT_START, start_us);
    out->first_ui_event_us = inbox_record_offset(record, INBOX_LONG_FRAME_FIRST_UI_EVENT, start_us);
    out->blocking_duration_us = inbox_record_time(record, INBOX_LONG_FRAME_BLOCKING_DURATION);
    for (uint32_t i = 0; i < record->children && i < BEACON_FRAME_SCRIPTS_MAX; i++) {
        struct inbox_record script = inbox_record_child(record, i);
        read_script(self, &script, start_us, &out->scripts[out->scripts_count++]);
        record->bad = record->bad || script.bad;
    }
    segment_append(&self->segment, BEACON_FIELD_LONG_ANIMATION_FRAME, vitrace_v1_LongAnimationFrame_fields, out);
}

void record_user_timing_encode(struct core *self, struct inbox_record *record)
{
    vitrace_v1_UserTiming out = {
        .name_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_USER_TIMING_NAME)),
        .start_us = inbox_record_start(record, INBOX_USER_TIMING_START_TIME),
        .duration_us = inbox_record_time(record, INBOX_USER_TIMING_DURATION),
        .is_measure = inbox_record_flag(record, INBOX_USER_TIMING_IS_MEASURE),
    };
    segment_append(&self->segment, BEACON_FIELD_USER_TIMING, vitrace_v1_UserTiming_fields, &out);
}
