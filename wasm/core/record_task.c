/* LONG_TASK, LONG_FRAME with its scripts, USER_TIMING: time on the main thread. The vitals do not depend on them. */
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

const struct shape_row record_user_timing_shape[] = {
    {1, INBOX_USER_TIMING_NAME, SHAPE_QUOTING, 0},
    {2, INBOX_USER_TIMING_START_TIME, SHAPE_START, 0},
    {3, INBOX_USER_TIMING_DURATION, SHAPE_TIME, 0},
    {4, INBOX_USER_TIMING_IS_MEASURE, SHAPE_FLAG, 0},
    {0},
};
