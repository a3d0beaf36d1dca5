/* LONG_TASK, LONG_FRAME with its scripts, USER_TIMING: time on the main thread. Long frames explain the INP. */
#include "wasm/core/core_internal.h"

const struct shape_row record_long_task_shape[] = {
    {1, INBOX_LONG_TASK_START_TIME, SHAPE_START, 0},
    {2, INBOX_LONG_TASK_DURATION, SHAPE_TIME, 0},
    {3, INBOX_LONG_TASK_NAME, SHAPE_TEXT, 0},
    {0},
};

const struct shape_row record_long_frame_shape[] = {
    {1, INBOX_LONG_FRAME_START_TIME, SHAPE_START, 0},
    {2, INBOX_LONG_FRAME_DURATION, SHAPE_TIME, 0},
    {3, INBOX_LONG_FRAME_RENDER_START, SHAPE_OFFSET, 0},
    {4, INBOX_LONG_FRAME_STYLE_AND_LAYOUT_START, SHAPE_OFFSET, 0},
    {5, INBOX_LONG_FRAME_FIRST_UI_EVENT, SHAPE_OFFSET, 0},
    {6, INBOX_LONG_FRAME_BLOCKING_DURATION, SHAPE_TIME, 0},
    {7, INBOX_LONG_FRAME_SCRIPTS, SHAPE_SCRIPTS, BEACON_FRAME_SCRIPTS_MAX},
    {0},
};

_Static_assert(INBOX_FRAME_SCRIPT_SOURCE_URL + VITAL_SOURCE_INVOKER_TYPE == INBOX_FRAME_SCRIPT_INVOKER_TYPE,
               "texts of a script in the order of vital_source_text");

static void keep_source(struct core *self, struct inbox_record *script, struct vital_source *out)
{
    static const uint16_t bytes_max[VITAL_SOURCE_TEXTS] = {SCRUB_URL_BYTES_MAX, TEXT_POOL_SOURCE_BYTES_MAX,
                                                           TEXT_POOL_SOURCE_BYTES_MAX, TEXT_POOL_NAME_BYTES_MAX};
    for (unsigned i = 0; i < VITAL_SOURCE_TEXTS; i++) {
        struct slice text = inbox_record_text(script, INBOX_FRAME_SCRIPT_SOURCE_URL + i);
        struct slice scrubbed = i == VITAL_SOURCE_URL ? scrub_url(&self->scrub, text) : scrub_name(&self->scrub, text);
        out->text[i] = core_keep_text(self, scrubbed, bytes_max[i]);
    }
    out->position = inbox_record_number(script, INBOX_FRAME_SCRIPT_SOURCE_CHAR_POSITION);
}

static void read_scripts(struct inbox_record *record, struct vitals_long_frame *frame)
{
    static const uint8_t times[VITALS_SCRIPT_TIMES] = {INBOX_FRAME_SCRIPT_START_TIME, INBOX_FRAME_SCRIPT_DURATION,
                                                       INBOX_FRAME_SCRIPT_FORCED_STYLE_AND_LAYOUT};
    for (uint32_t i = 0; i < record->children && i < VITALS_FRAME_SCRIPTS_MAX; i++) {
        struct inbox_record script = inbox_record_child(record, i);
        inbox_record_times(&script, times, VITALS_SCRIPT_TIMES, frame->scripts[i].times);
        record->bad = record->bad || script.bad;
    }
}

/* The texts last: a bad record must leave nothing behind. */
void record_long_frame_feed(struct core *self, struct inbox_record *record)
{
    static const uint8_t times[VITALS_LONG_FRAME_TIMES] = {INBOX_LONG_FRAME_START_TIME, INBOX_LONG_FRAME_DURATION,
                                                           INBOX_LONG_FRAME_STYLE_AND_LAYOUT_START};
    struct vitals_long_frame frame;
    frame.script_count = 0;
    inbox_record_times(record, times, VITALS_LONG_FRAME_TIMES, frame.times);
    read_scripts(record, &frame);
    if (record->bad)
        return;
    for (; frame.script_count < record->children && frame.script_count < VITALS_FRAME_SCRIPTS_MAX;
         frame.script_count++) {
        struct inbox_record script = inbox_record_child(record, frame.script_count);
        keep_source(self, &script, &frame.scripts[frame.script_count].source);
    }
    vitals_take_long_frame(self->vitals, &frame);
}

const struct shape_row record_user_timing_shape[] = {
    {1, INBOX_USER_TIMING_NAME, SHAPE_QUOTING, 0},
    {2, INBOX_USER_TIMING_START_TIME, SHAPE_START, 0},
    {3, INBOX_USER_TIMING_DURATION, SHAPE_TIME, 0},
    {4, INBOX_USER_TIMING_IS_MEASURE, SHAPE_FLAG, 0},
    {0},
};

_Static_assert(VITALS_FRAME_SCRIPTS_MAX == INBOX_FRAME_SCRIPTS_MAX, "the bridge sends no more");
