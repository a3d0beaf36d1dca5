/* ERROR, CUSTOM_EVENT and CALL: what the page or its wrapped calls report. */
#include "wasm/core/core_internal.h"

#include "wasm/core/claims.h"

static uint32_t quoting_text(struct core *self, struct inbox_record *record, unsigned field)
{
    return segment_text(&self->segment, scrub_text(&self->scrub, inbox_record_text(record, field)));
}

void record_error_encode(struct core *self, struct inbox_record *record)
{
    vitrace_v1_ErrorEvent out = {
        .start_us = inbox_record_start(record, INBOX_ERROR_START_TIME),
        .type_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_ERROR_TYPE)),
        .message_ref = quoting_text(self, record, INBOX_ERROR_MESSAGE),
        .stack_ref = quoting_text(self, record, INBOX_ERROR_STACK),
        .source_ref = core_url(self, inbox_record_text(record, INBOX_ERROR_SOURCE)),
        .line = (uint32_t)inbox_record_count(record, INBOX_ERROR_LINE, UINT32_MAX),
        .column = (uint32_t)inbox_record_count(record, INBOX_ERROR_COLUMN, UINT32_MAX),
        .origin = (vitrace_v1_ErrorOrigin)inbox_record_enum(record, INBOX_ERROR_ORIGIN, _vitrace_v1_ErrorOrigin_MAX,
                                                            vitrace_v1_ErrorOrigin_ERROR_ORIGIN_UNSPECIFIED),
    };
    segment_append(&self->segment, BEACON_FIELD_ERROR, vitrace_v1_ErrorEvent_fields, &out);
}

static void read_attribute(struct core *self, struct inbox_record *record, vitrace_v1_Attribute *out)
{
    out->key_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_ATTRIBUTE_KEY));
    out->text_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_ATTRIBUTE_TEXT));
    double number = inbox_record_number(record, INBOX_ATTRIBUTE_NUMBER);
    out->number = out->text_ref == 0 && number == number ? number : 0;
}

/* Attributes past BEACON_ATTRIBUTES_MAX are left out. */
void record_custom_event_encode(struct core *self, struct inbox_record *record)
{
    vitrace_v1_CustomEvent *out = &self->message.custom_event;
    memset(out, 0, sizeof *out);
    out->start_us = inbox_record_start(record, INBOX_CUSTOM_EVENT_START_TIME);
    out->name_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_CUSTOM_EVENT_NAME));
    for (uint32_t i = 0; i < record->children && i < BEACON_ATTRIBUTES_MAX; i++) {
        struct inbox_record child = inbox_record_child(record, i);
        read_attribute(self, &child, &out->attributes[out->attributes_count++]);
        record->bad = record->bad || child.bad;
    }
    segment_append(&self->segment, BEACON_FIELD_CUSTOM_EVENT, vitrace_v1_CustomEvent_fields, out);
}

/* The injected id first: when a response names the same trace, the reader meets the stronger evidence before it. */
static void read_claims(struct inbox_record *record, vitrace_v1_Call *out)
{
    struct claims claims = {out->claims, &out->claims_count, BEACON_CLAIMS_MAX};
    struct slice injected = inbox_record_text(record, INBOX_CALL_TRACEPARENT);
    if (injected.size > 0 && !claims_add(&claims, injected, vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED))
        record->bad = true; /* the SDK wrote it itself */
    claims_add_header(&claims, inbox_record_text(record, INBOX_CALL_SERVER_TIMING));
}

void record_call_encode(struct core *self, struct inbox_record *record)
{
    vitrace_v1_Call *out = &self->message.call;
    int64_t start_us = (int64_t)inbox_record_start(record, INBOX_CALL_START_TIME);
    memset(out, 0, sizeof *out);
    out->url_ref = core_url(self, inbox_record_text(record, INBOX_CALL_URL));
    out->method_ref = segment_text(&self->segment, inbox_record_text(record, INBOX_CALL_METHOD));
    out->start_us = (uint64_t)start_us;
    out->headers_us = inbox_record_offset(record, INBOX_CALL_HEADERS_TIME, start_us);
    out->end_us = inbox_record_offset(record, INBOX_CALL_END_TIME, start_us);
    out->status = (uint32_t)inbox_record_count(record, INBOX_CALL_STATUS, UINT32_MAX);
    out->redirected = inbox_record_flag(record, INBOX_CALL_REDIRECTED);
    read_claims(record, out);
    segment_append(&self->segment, BEACON_FIELD_CALL, vitrace_v1_Call_fields, out);
}
