/*
 * NAVIGATION and what belongs to it: META_TRACE, NOT_RESTORED, and SOFT_NAVIGATION. The bridge may send the navigation again when the page is complete;
 * a beacon carries one at most, so the second goes into the next segment.
 */
#include "wasm/core/core_internal.h"

#define TYPE(name) vitrace_v1_NavigationType_NAVIGATION_TYPE_##name

/* Offsets count from 0, the time origin. */
const struct shape_row record_navigation_shape[] = {
    {1, INBOX_NAVIGATION_NAME, SHAPE_URL, 0},
    {2, INBOX_NAVIGATION_ACTIVATION_START, SHAPE_TIME, 0},
    {3, INBOX_NAVIGATION_REQUEST_START, SHAPE_PHASE, vitrace_v1_AbsentPhase_ABSENT_PHASE_REQUEST_START},
    {4, INBOX_NAVIGATION_RESPONSE_START, SHAPE_PHASE, vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_START},
    {5, INBOX_NAVIGATION_RESPONSE_END, SHAPE_PHASE, vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_END},
    {6, INBOX_NAVIGATION_TRANSFER_SIZE, SHAPE_SIZE, 0},
    {7, INBOX_NAVIGATION_ENCODED_BODY_SIZE, SHAPE_SIZE, 0},
    {8, INBOX_NAVIGATION_DECODED_BODY_SIZE, SHAPE_DECODED, 0},
    {9, INBOX_NAVIGATION_TYPE, SHAPE_NAVIGATION_TYPE, 0},
    {10, INBOX_NAVIGATION_NEXT_HOP_PROTOCOL, SHAPE_ENUM_TOP, vitrace_v1_NextHopProtocol_NEXT_HOP_PROTOCOL_OTHER},
    {11, INBOX_NAVIGATION_RESPONSE_STATUS, SHAPE_COUNT, 0},
    {12, INBOX_NAVIGATION_SERVER_TIMINGS, SHAPE_CLAIMS, BEACON_CLAIMS_MAX},
    {12, INBOX_NAVIGATION_SERVER_TIMINGS, SHAPE_CLAIM_META, 0},
    {13, INBOX_NAVIGATION_DELIVERY_TYPE, SHAPE_ENUM_TOP, vitrace_v1_DeliveryType_DELIVERY_TYPE_OTHER},
    {14, INBOX_NAVIGATION_REDIRECT_COUNT, SHAPE_COUNT, 0},
    {15, INBOX_NAVIGATION_FETCH_START, SHAPE_ABSENT, 0},
    {16, INBOX_NAVIGATION_SERVER_TIMINGS, SHAPE_SERVER_TIMINGS, BEACON_SERVER_TIMINGS_MAX},
    {17, INBOX_NAVIGATION_FETCH_START, SHAPE_FETCH, 0},
    {18, INBOX_NAVIGATION_REDIRECT_START, SHAPE_OFFSET, 0},
    {19, INBOX_NAVIGATION_REDIRECT_END, SHAPE_OFFSET, 0},
    {20, INBOX_NAVIGATION_WORKER_START, SHAPE_OFFSET, 0},
    {21, INBOX_NAVIGATION_DOMAIN_LOOKUP_START, SHAPE_NEXT_PHASE, 0},
    {22, INBOX_NAVIGATION_DOMAIN_LOOKUP_END, SHAPE_NEXT_PHASE, 0},
    {23, INBOX_NAVIGATION_CONNECT_START, SHAPE_NEXT_PHASE, 0},
    {24, INBOX_NAVIGATION_SECURE_CONNECTION_START, SHAPE_SECURE, 0},
    {25, INBOX_NAVIGATION_CONNECT_END, SHAPE_NEXT_PHASE, 0},
    {26, INBOX_NAVIGATION_FIRST_INTERIM_RESPONSE_START, SHAPE_OFFSET, 0},
    {27, INBOX_NAVIGATION_FINAL_RESPONSE_HEADERS_START, SHAPE_OFFSET, 0},
    {28, INBOX_NAVIGATION_UNLOAD_EVENT_START, SHAPE_OFFSET, 0},
    {29, INBOX_NAVIGATION_UNLOAD_EVENT_END, SHAPE_OFFSET, 0},
    {30, INBOX_NAVIGATION_DOM_INTERACTIVE, SHAPE_OFFSET, 0},
    {31, INBOX_NAVIGATION_DOM_CONTENT_LOADED_EVENT_START, SHAPE_OFFSET, 0},
    {32, INBOX_NAVIGATION_DOM_CONTENT_LOADED_EVENT_END, SHAPE_OFFSET, 0},
    {33, INBOX_NAVIGATION_DOM_COMPLETE, SHAPE_OFFSET, 0},
    {34, INBOX_NAVIGATION_LOAD_EVENT_START, SHAPE_OFFSET, 0},
    {35, INBOX_NAVIGATION_LOAD_EVENT_END, SHAPE_OFFSET, 0},
    {0},
};
_Static_assert(INBOX_NAVIGATION_CONNECT_END == INBOX_NAVIGATION_FETCH_START + 5, "record_phases reads them in a row");

const struct shape_row record_soft_navigation_shape[] = {
    {1, INBOX_SOFT_NAVIGATION_NAME, SHAPE_URL, 0},
    {2, INBOX_SOFT_NAVIGATION_START_TIME, SHAPE_START, 0},
    {3, INBOX_SOFT_NAVIGATION_INTERACTION_ID, SHAPE_COUNT, 0},
    {4, INBOX_SOFT_NAVIGATION_PAINT_TIME, SHAPE_TIME, 0},
    {5, INBOX_SOFT_NAVIGATION_PRESENTATION_TIME, SHAPE_TIME, 0},
    {0},
};

const struct shape_row record_not_restored_shape[] = {
    {1, INBOX_NOT_RESTORED_REASON, SHAPE_NAME, 0},
    {2, INBOX_NOT_RESTORED_URL, SHAPE_URL, 0},
    {3, INBOX_NOT_RESTORED_DEPTH, SHAPE_COUNT, 0},
    {0},
};

uint32_t record_navigation_type(struct slice name)
{
    static const struct {
        char name[15];
        uint8_t type;
    } types[] = {
        {"navigate", TYPE(NAVIGATE)},
        {"reload", TYPE(RELOAD)},
        {"back_forward", TYPE(BACK_FORWARD)},
        {"prerender", TYPE(PRERENDER)},
    };
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++)
        if (name.size < sizeof types[i].name && types[i].name[name.size] == '\0' &&
            memcmp(types[i].name, name.data, name.size) == 0)
            return types[i].type;
    return TYPE(UNSPECIFIED);
}

/* Before the record is written: the header of the segment that it may open says how the page was navigated to. */
void record_navigation_feed(struct core *self, struct inbox_record *record)
{
    static const uint8_t times[VITALS_NAVIGATION_TIMES] = {
        INBOX_NAVIGATION_ACTIVATION_START,     INBOX_NAVIGATION_WORKER_START,
        INBOX_NAVIGATION_FETCH_START,          INBOX_NAVIGATION_DOMAIN_LOOKUP_START,
        INBOX_NAVIGATION_CONNECT_START,        INBOX_NAVIGATION_CONNECT_END,
        INBOX_NAVIGATION_DOM_INTERACTIVE,      INBOX_NAVIGATION_DOM_CONTENT_LOADED_EVENT_START,
        INBOX_NAVIGATION_DOM_COMPLETE,
    };
    struct vitals_navigation navigation = {
        .now = self->clock.mono_ms,
        .response_start = inbox_record_ms(record, INBOX_NAVIGATION_RESPONSE_START),
        .type = record_navigation_type(inbox_record_text(record, INBOX_NAVIGATION_TYPE)),
    };
    inbox_record_times(record, times, VITALS_NAVIGATION_TIMES, navigation.times);
    if (!record->bad)
        vitals_take_navigation(self->vitals, &navigation);
}

/* The first one of a view counts; it is kept, because the navigation may come again when the page is complete. */
void record_meta_trace_feed(struct core *self, struct inbox_record *record)
{
    struct traceparent parsed;
    struct slice content = inbox_record_text(record, INBOX_META_TRACE_CONTENT);
    record->bad = record->bad || traceparent_parse(content, &parsed) != TRACEPARENT_OK;
    if (record->bad || self->has_meta)
        return;
    self->meta = parsed;
    self->has_meta = true;
}

/* The VIEW before it has begun the view. */
void record_soft_navigation_feed(struct core *self, struct inbox_record *record)
{
    static const uint8_t times[] = {INBOX_SOFT_NAVIGATION_PAINT_TIME, INBOX_SOFT_NAVIGATION_PRESENTATION_TIME};
    struct vitals_soft_navigation navigation = {
        .interaction_id = inbox_record_count(record, INBOX_SOFT_NAVIGATION_INTERACTION_ID, UINT32_MAX),
    };
    inbox_record_times(record, times, sizeof times, navigation.times);
    if (!record->bad)
        vitals_take_soft_navigation(self->vitals, &navigation);
}
