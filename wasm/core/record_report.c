/* ERROR, CUSTOM_EVENT and CALL: what the page or its wrapped calls report. */
#include "wasm/core/core_internal.h"

const struct shape_row record_error_shape[] = {
    {1, INBOX_ERROR_START_TIME, SHAPE_START, 0},
    {2, INBOX_ERROR_TYPE, SHAPE_TEXT, 0},
    {3, INBOX_ERROR_MESSAGE, SHAPE_QUOTING, 0},
    {4, INBOX_ERROR_STACK, SHAPE_QUOTING, 0},
    {5, INBOX_ERROR_SOURCE, SHAPE_URL, 0},
    {6, INBOX_ERROR_LINE, SHAPE_COUNT, 0},
    {7, INBOX_ERROR_COLUMN, SHAPE_COUNT, 0},
    {8, INBOX_ERROR_ORIGIN, SHAPE_ENUM, _vitrace_v1_ErrorOrigin_MAX},
    {0},
};

const struct shape_row record_custom_event_shape[] = {
    {1, INBOX_CUSTOM_EVENT_START_TIME, SHAPE_START, 0},
    {2, INBOX_CUSTOM_EVENT_NAME, SHAPE_TEXT, 0},
    {3, INBOX_CUSTOM_EVENT_ATTRIBUTES, SHAPE_ATTRIBUTES, BEACON_ATTRIBUTES_MAX},
    {0},
};

_Static_assert(INBOX_CALL_SERVER_TIMING == INBOX_CALL_TRACEPARENT + 1, "SHAPE_CLAIMS_CALL reads them in a row");
const struct shape_row record_call_shape[] = {
    {1, INBOX_CALL_URL, SHAPE_URL, 0},
    {2, INBOX_CALL_START_TIME, SHAPE_START, 0},
    {3, INBOX_CALL_HEADERS_TIME, SHAPE_OFFSET, 0},
    {4, INBOX_CALL_END_TIME, SHAPE_OFFSET, 0},
    {5, INBOX_CALL_METHOD, SHAPE_TEXT, 0},
    {6, INBOX_CALL_STATUS, SHAPE_COUNT, 0},
    {7, INBOX_CALL_TRACEPARENT, SHAPE_CLAIMS_CALL, 0},
    {8, INBOX_CALL_REDIRECTED, SHAPE_FLAG, 0},
    {0},
};
