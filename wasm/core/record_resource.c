/*
 * The hot record. Every field of the scratch message is assigned, so that it need not be cleared: the arrays are read
 * only up to their counts.
 */
#include "wasm/core/core_internal.h"

#include "wasm/core/record_phases.h"
#include "wasm/core/record_server_timing.h"
#include "wasm/core/text_hash.h"

static const struct record_phases_fields fields = {
    .fetch_start = INBOX_RESOURCE_FETCH_START,
    .request_start = INBOX_RESOURCE_REQUEST_START,
    .response_start = INBOX_RESOURCE_RESPONSE_START,
    .response_end = INBOX_RESOURCE_RESPONSE_END,
};
_Static_assert(INBOX_RESOURCE_CONNECT_END == INBOX_RESOURCE_FETCH_START + 5, "record_phases reads them in a row");

static void read_phases(struct inbox_record *record, vitrace_v1_Resource *out)
{
    struct record_phases phases;
    int64_t start_us = (int64_t)out->start_us;
    record_phases_read(record, &fields, start_us, &phases);
    out->fetch_start_us = phases.fetch_start_us;
    out->domain_lookup_start_us = phases.domain_lookup_start_us;
    out->domain_lookup_end_us = phases.domain_lookup_end_us;
    out->connect_start_us = phases.connect_start_us;
    out->secure_connection_start_us = phases.secure_connection_start_us;
    out->connect_end_us = phases.connect_end_us;
    out->request_start_us = phases.request_start_us;
    out->response_start_us = phases.response_start_us;
    out->response_end_us = phases.response_end_us;
    out->absent_phases = phases.absent;
    out->redirect_start_us = inbox_record_offset(record, INBOX_RESOURCE_REDIRECT_START, start_us);
    out->redirect_end_us = inbox_record_offset(record, INBOX_RESOURCE_REDIRECT_END, start_us);
    out->worker_start_us = inbox_record_offset(record, INBOX_RESOURCE_WORKER_START, start_us);
    out->first_interim_response_start_us =
        inbox_record_offset(record, INBOX_RESOURCE_FIRST_INTERIM_RESPONSE_START, start_us);
    out->final_response_headers_start_us =
        inbox_record_offset(record, INBOX_RESOURCE_FINAL_RESPONSE_HEADERS_START, start_us);
}

static void read_sizes(struct inbox_record *record, vitrace_v1_Resource *out)
{
    out->transfer_size = inbox_record_count(record, INBOX_RESOURCE_TRANSFER_SIZE, UINT64_MAX);
    out->encoded_body_size = inbox_record_count(record, INBOX_RESOURCE_ENCODED_BODY_SIZE, UINT64_MAX);
    uint64_t decoded = inbox_record_count(record, INBOX_RESOURCE_DECODED_BODY_SIZE, UINT64_MAX);
    out->decoded_body_size = decoded == out->encoded_body_size ? 0 : decoded;
}

static void read_protocol(struct inbox_record *record, vitrace_v1_Resource *out)
{
    out->initiator_type = (vitrace_v1_InitiatorType)inbox_record_enum(record, INBOX_RESOURCE_INITIATOR_TYPE,
                                                                      _vitrace_v1_InitiatorType_MAX,
                                                                      vitrace_v1_InitiatorType_INITIATOR_TYPE_OTHER);
    out->next_hop_protocol = (vitrace_v1_NextHopProtocol)inbox_record_enum(
        record, INBOX_RESOURCE_NEXT_HOP_PROTOCOL, _vitrace_v1_NextHopProtocol_MAX,
        vitrace_v1_NextHopProtocol_NEXT_HOP_PROTOCOL_OTHER);
    out->delivery_type =
        (vitrace_v1_DeliveryType)inbox_record_enum(record, INBOX_RESOURCE_DELIVERY_TYPE, _vitrace_v1_DeliveryType_MAX,
                                                   vitrace_v1_DeliveryType_DELIVERY_TYPE_OTHER);
    out->response_status = (uint32_t)inbox_record_count(record, INBOX_RESOURCE_RESPONSE_STATUS, UINT32_MAX);
    out->render_blocking = inbox_record_flag(record, INBOX_RESOURCE_RENDER_BLOCKING);
}

void record_resource_encode(struct core *self, struct inbox_record *record)
{
    vitrace_v1_Resource *out = &self->message.resource;
    out->name_ref = core_url(self, inbox_record_text(record, INBOX_RESOURCE_NAME));
    out->start_us = inbox_record_start(record, INBOX_RESOURCE_START_TIME);
    read_phases(record, out);
    read_sizes(record, out);
    read_protocol(record, out);
    out->claims_count = 0;
    out->server_timings_count = 0;
    struct claims claims = {out->claims, &out->claims_count, BEACON_CLAIMS_MAX};
    record_server_timing_encode(self, record, &claims, out->server_timings, &out->server_timings_count);
    if (!record->bad)
        segment_append_resource(&self->segment, out);
}

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
