/* The hot record: nine of ten entries on a busy page. */
#include "wasm/core/core_internal.h"

#include "wasm/core/record_phases.h"
#include "wasm/core/text_hash.h"

const struct shape_row record_resource_shape[] = {
    {1, INBOX_RESOURCE_NAME, SHAPE_URL, 0},
    {2, INBOX_RESOURCE_START_TIME, SHAPE_START, 0},
    {3, INBOX_RESOURCE_REQUEST_START, SHAPE_PHASE, vitrace_v1_AbsentPhase_ABSENT_PHASE_REQUEST_START},
    {4, INBOX_RESOURCE_RESPONSE_START, SHAPE_PHASE, vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_START},
    {5, INBOX_RESOURCE_RESPONSE_END, SHAPE_PHASE, vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_END},
    {6, INBOX_RESOURCE_TRANSFER_SIZE, SHAPE_SIZE, 0},
    {7, INBOX_RESOURCE_ENCODED_BODY_SIZE, SHAPE_SIZE, 0},
    {8, INBOX_RESOURCE_DECODED_BODY_SIZE, SHAPE_DECODED, 0},
    {9, INBOX_RESOURCE_INITIATOR_TYPE, SHAPE_ENUM, _vitrace_v1_InitiatorType_MAX}, /* 0 is OTHER */
    {10, INBOX_RESOURCE_NEXT_HOP_PROTOCOL, SHAPE_ENUM_TOP, vitrace_v1_NextHopProtocol_NEXT_HOP_PROTOCOL_OTHER},
    {11, INBOX_RESOURCE_RESPONSE_STATUS, SHAPE_COUNT, 0},
    {12, INBOX_RESOURCE_SERVER_TIMINGS, SHAPE_CLAIMS, BEACON_CLAIMS_MAX},
    {13, INBOX_RESOURCE_DELIVERY_TYPE, SHAPE_ENUM_TOP, vitrace_v1_DeliveryType_DELIVERY_TYPE_OTHER},
    {14, INBOX_RESOURCE_RENDER_BLOCKING, SHAPE_FLAG, 0},
    {15, INBOX_RESOURCE_FETCH_START, SHAPE_ABSENT, 0},
    {16, INBOX_RESOURCE_SERVER_TIMINGS, SHAPE_SERVER_TIMINGS, BEACON_SERVER_TIMINGS_MAX},
    {17, INBOX_RESOURCE_FETCH_START, SHAPE_FETCH, 0},
    {18, INBOX_RESOURCE_REDIRECT_START, SHAPE_OFFSET, 0},
    {19, INBOX_RESOURCE_REDIRECT_END, SHAPE_OFFSET, 0},
    {20, INBOX_RESOURCE_WORKER_START, SHAPE_OFFSET, 0},
    {21, INBOX_RESOURCE_DOMAIN_LOOKUP_START, SHAPE_NEXT_PHASE, 0},
    {22, INBOX_RESOURCE_DOMAIN_LOOKUP_END, SHAPE_NEXT_PHASE, 0},
    {23, INBOX_RESOURCE_CONNECT_START, SHAPE_NEXT_PHASE, 0},
    {24, INBOX_RESOURCE_SECURE_CONNECTION_START, SHAPE_SECURE, 0},
    {25, INBOX_RESOURCE_CONNECT_END, SHAPE_NEXT_PHASE, 0},
    {26, INBOX_RESOURCE_FIRST_INTERIM_RESPONSE_START, SHAPE_OFFSET, 0},
    {27, INBOX_RESOURCE_FINAL_RESPONSE_HEADERS_START, SHAPE_OFFSET, 0},
    {28, INBOX_RESOURCE_NAME, SHAPE_CALL_TAG, 0},
    {0},
};

_Static_assert(vitrace_v1_NextHopProtocol_NEXT_HOP_PROTOCOL_OTHER == _vitrace_v1_NextHopProtocol_MAX, "SHAPE_ENUM_TOP");
_Static_assert(vitrace_v1_DeliveryType_DELIVERY_TYPE_OTHER == _vitrace_v1_DeliveryType_MAX, "SHAPE_ENUM_TOP");
_Static_assert(INBOX_RESOURCE_CONNECT_END == INBOX_RESOURCE_FETCH_START + 5, "record_phases reads them in a row");

void record_resource_feed(struct core *self, struct inbox_record *record)
{
    struct vitals_resource resource = {
        .name_hash = text_hash(inbox_record_text(record, INBOX_RESOURCE_NAME)),
        .start_time = inbox_record_ms(record, INBOX_RESOURCE_START_TIME),
        .request_start = inbox_record_ms(record, INBOX_RESOURCE_REQUEST_START),
        .response_end = inbox_record_ms(record, INBOX_RESOURCE_RESPONSE_END),
    };
    if (!record->bad)
        vitals_take_resource(self->vitals, &resource);
}
