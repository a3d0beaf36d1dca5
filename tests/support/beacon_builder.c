#include "tests/support/beacon_builder.h"

#include <assert.h>
#include <stdio.h>

vitrace_v1_Header beacon_builder_header(uint8_t view, uint32_t seq)
{
    vitrace_v1_Header header = vitrace_v1_Header_init_zero;
    header.schema_version = VITRACE_SCHEMA_VERSION;
    snprintf(header.app, sizeof header.app, "shop");
    memset(header.view_id, view, sizeof header.view_id);
    memset(header.session_id, 0x55, sizeof header.session_id);
    header.seq = seq;
    header.time_origin_unix_us = BUILDER_TIME_ORIGIN_US;
    header.wall_unix_us = BUILDER_TIME_ORIGIN_US + 1000;
    header.mono_us = 1000;
    header.transport = vitrace_v1_Transport_TRANSPORT_SHARED_RING;
    snprintf(header.sdk_version, sizeof header.sdk_version, "0.1.0");
    snprintf(header.release, sizeof header.release, "1.4.0");
    header.has_page = true;
    snprintf(header.page.url, sizeof header.page.url, "http://127.0.0.1:8080/p/3");
    snprintf(header.page.route, sizeof header.page.route, "/p/:id");
    header.page.navigation_type = vitrace_v1_NavigationType_NAVIGATION_TYPE_NAVIGATE;
    header.has_device = true;
    header.device.viewport_width = 1280;
    header.device.device_pixel_ratio_x100 = 200;
    return header;
}

void beacon_builder_add(struct beacon_builder *self, uint32_t field, const pb_msgdesc_t *fields, const void *message)
{
    size_t size =
        beacon_encode_message(self->bytes + self->size, sizeof self->bytes - self->size, field, fields, message);
    assert(size > 0);
    self->size += size;
}

void beacon_builder_init(struct beacon_builder *self, const vitrace_v1_Header *header)
{
    self->size = self->strings = 0;
    beacon_builder_add(self, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, header);
}

uint32_t beacon_builder_string(struct beacon_builder *self, const char *text)
{
    size_t size = beacon_encode_string(self->bytes + self->size, sizeof self->bytes - self->size, slice_text(text));
    assert(size > 0);
    self->size += size;
    return ++self->strings;
}

void beacon_builder_vital(struct beacon_builder *self, vitrace_v1_Metric metric, double value, vitrace_v1_Rating rating)
{
    vitrace_v1_Vital vital = vitrace_v1_Vital_init_zero;
    vital.metric = metric;
    vital.state = vitrace_v1_VitalState_VITAL_STATE_MEASURED;
    vital.value = value;
    vital.rating = rating;
    beacon_builder_add(self, BEACON_FIELD_VITAL, vitrace_v1_Vital_fields, &vital);
}

void beacon_builder_resource(struct beacon_builder *self, const char *url, uint64_t start_us,
                             const vitrace_v1_Claim *claim)
{
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    resource.name_ref = beacon_builder_string(self, url);
    resource.start_us = start_us;
    resource.request_start_us = 1000;
    resource.response_start_us = 15000;
    resource.response_end_us = 20000;
    resource.transfer_size = 1200;
    resource.encoded_body_size = 900;
    resource.initiator_type = vitrace_v1_InitiatorType_INITIATOR_TYPE_FETCH;
    resource.next_hop_protocol = vitrace_v1_NextHopProtocol_NEXT_HOP_PROTOCOL_HTTP_1_1;
    resource.response_status = 200;
    if (claim)
        resource.claims[resource.claims_count++] = *claim;
    size_t size = beacon_encode_resource(self->bytes + self->size, sizeof self->bytes - self->size, &resource);
    assert(size > 0);
    self->size += size;
}

void beacon_builder_call(struct beacon_builder *self, const char *url, uint64_t start_us, const vitrace_v1_Claim *claim)
{
    vitrace_v1_Call call = vitrace_v1_Call_init_zero;
    call.url_ref = beacon_builder_string(self, url);
    call.method_ref = beacon_builder_string(self, "GET");
    call.start_us = start_us;
    call.headers_us = 16000;
    call.end_us = 21000;
    call.status = 200;
    if (claim)
        call.claims[call.claims_count++] = *claim;
    beacon_builder_add(self, BEACON_FIELD_CALL, vitrace_v1_Call_fields, &call);
}

void beacon_builder_navigation(struct beacon_builder *self, const char *url, const vitrace_v1_Claim *claim)
{
    vitrace_v1_Navigation navigation = vitrace_v1_Navigation_init_zero;
    navigation.name_ref = beacon_builder_string(self, url);
    navigation.type = vitrace_v1_NavigationType_NAVIGATION_TYPE_NAVIGATE;
    navigation.fetch_start_us = 1200;
    navigation.request_start_us = 2000;
    navigation.response_start_us = 20000;
    navigation.response_end_us = 25000;
    navigation.load_event_end_us = 300000;
    navigation.transfer_size = 5300;
    navigation.encoded_body_size = 5000;
    navigation.response_status = 200;
    if (claim)
        navigation.claims[navigation.claims_count++] = *claim;
    beacon_builder_add(self, BEACON_FIELD_NAVIGATION, vitrace_v1_Navigation_fields, &navigation);
}

void beacon_builder_ledger(struct beacon_builder *self, uint32_t entries, uint32_t segments)
{
    vitrace_v1_Ledger ledger = vitrace_v1_Ledger_init_zero;
    ledger.entries_seen = entries + 2;
    ledger.entries_encoded = entries;
    ledger.losses_count = 1;
    ledger.losses[0].reason = vitrace_v1_LossReason_LOSS_REASON_RING_FULL;
    ledger.losses[0].count = 2;
    ledger.main_thread_us = 5321;
    ledger.bytes_encoded = 4211;
    ledger.segments_sealed = segments;
    beacon_builder_add(self, BEACON_FIELD_LEDGER, vitrace_v1_Ledger_fields, &ledger);
}

struct slice beacon_builder_bytes(const struct beacon_builder *self)
{
    return slice_of(self->bytes, self->size);
}

vitrace_v1_Claim beacon_builder_claim(vitrace_v1_ClaimSource source, uint8_t trace, uint8_t span)
{
    vitrace_v1_Claim claim = vitrace_v1_Claim_init_zero;
    memset(claim.trace_id, trace, sizeof claim.trace_id);
    memset(claim.span_id, span, sizeof claim.span_id);
    claim.trace_flags = 1;
    claim.source = source;
    return claim;
}
