/*
 * NAVIGATION and the META_TRACE that belongs to it. The bridge may send the navigation again when the page is complete;
 * a beacon carries one at most, so the second goes into the next segment.
 */
#include "wasm/core/core_internal.h"

#include "wasm/core/record_phases.h"
#include "wasm/core/record_server_timing.h"

#define NAVIGATION_CLAIMS_MAX (sizeof(((vitrace_v1_Navigation *)0)->claims) / sizeof(vitrace_v1_Claim))
#define TYPE(name)            vitrace_v1_NavigationType_NAVIGATION_TYPE_##name

static const struct record_phases_fields fields = {
    .fetch_start = INBOX_NAVIGATION_FETCH_START,
    .request_start = INBOX_NAVIGATION_REQUEST_START,
    .response_start = INBOX_NAVIGATION_RESPONSE_START,
    .response_end = INBOX_NAVIGATION_RESPONSE_END,
};
_Static_assert(INBOX_NAVIGATION_CONNECT_END == INBOX_NAVIGATION_FETCH_START + 5, "record_phases reads them in a row");

static vitrace_v1_NavigationType type_of(struct slice name)
{
    static const struct {
        const char *name;
        vitrace_v1_NavigationType type;
    } types[] = {
        {"navigate", TYPE(NAVIGATE)},
        {"reload", TYPE(RELOAD)},
        {"back_forward", TYPE(BACK_FORWARD)},
        {"prerender", TYPE(PRERENDER)},
    };
    for (unsigned i = 0; i < sizeof types / sizeof types[0]; i++)
        if (slice_equal(name, slice_text(types[i].name)))
            return types[i].type;
    return TYPE(UNSPECIFIED);
}

static void read_phases(struct inbox_record *record, vitrace_v1_Navigation *out)
{
    struct record_phases phases;
    record_phases_read(record, &fields, 0, &phases);
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
    out->redirect_start_us = inbox_record_micros(record, INBOX_NAVIGATION_REDIRECT_START);
    out->redirect_end_us = inbox_record_micros(record, INBOX_NAVIGATION_REDIRECT_END);
    out->worker_start_us = inbox_record_micros(record, INBOX_NAVIGATION_WORKER_START);
    out->first_interim_response_start_us = inbox_record_micros(record, INBOX_NAVIGATION_FIRST_INTERIM_RESPONSE_START);
    out->final_response_headers_start_us = inbox_record_micros(record, INBOX_NAVIGATION_FINAL_RESPONSE_HEADERS_START);
}

static void read_document(struct inbox_record *record, vitrace_v1_Navigation *out)
{
    out->activation_start_us = inbox_record_time(record, INBOX_NAVIGATION_ACTIVATION_START);
    out->unload_event_start_us = inbox_record_micros(record, INBOX_NAVIGATION_UNLOAD_EVENT_START);
    out->unload_event_end_us = inbox_record_micros(record, INBOX_NAVIGATION_UNLOAD_EVENT_END);
    out->dom_interactive_us = inbox_record_micros(record, INBOX_NAVIGATION_DOM_INTERACTIVE);
    out->dom_content_loaded_event_start_us =
        inbox_record_micros(record, INBOX_NAVIGATION_DOM_CONTENT_LOADED_EVENT_START);
    out->dom_content_loaded_event_end_us = inbox_record_micros(record, INBOX_NAVIGATION_DOM_CONTENT_LOADED_EVENT_END);
    out->dom_complete_us = inbox_record_micros(record, INBOX_NAVIGATION_DOM_COMPLETE);
    out->load_event_start_us = inbox_record_micros(record, INBOX_NAVIGATION_LOAD_EVENT_START);
    out->load_event_end_us = inbox_record_micros(record, INBOX_NAVIGATION_LOAD_EVENT_END);
}

static void read_response(struct inbox_record *record, vitrace_v1_Navigation *out)
{
    out->transfer_size = inbox_record_count(record, INBOX_NAVIGATION_TRANSFER_SIZE, UINT64_MAX);
    out->encoded_body_size = inbox_record_count(record, INBOX_NAVIGATION_ENCODED_BODY_SIZE, UINT64_MAX);
    uint64_t decoded = inbox_record_count(record, INBOX_NAVIGATION_DECODED_BODY_SIZE, UINT64_MAX);
    out->decoded_body_size = decoded == out->encoded_body_size ? 0 : decoded;
    out->next_hop_protocol = (vitrace_v1_NextHopProtocol)inbox_record_enum(
        record, INBOX_NAVIGATION_NEXT_HOP_PROTOCOL, _vitrace_v1_NextHopProtocol_MAX,
        vitrace_v1_NextHopProtocol_NEXT_HOP_PROTOCOL_OTHER);
    out->delivery_type =
        (vitrace_v1_DeliveryType)inbox_record_enum(record, INBOX_NAVIGATION_DELIVERY_TYPE, _vitrace_v1_DeliveryType_MAX,
                                                   vitrace_v1_DeliveryType_DELIVERY_TYPE_OTHER);
    out->response_status = (uint32_t)inbox_record_count(record, INBOX_NAVIGATION_RESPONSE_STATUS, UINT32_MAX);
    out->redirect_count = (uint32_t)inbox_record_count(record, INBOX_NAVIGATION_REDIRECT_COUNT, UINT32_MAX);
}

/*
 * Last in the array: ids of the response itself are the better evidence. The META_TRACE may have come before, or stand
 * right behind the navigation and is then read ahead.
 */
static void add_meta(const struct core *self, const struct inbox_record *record, struct claims *claims)
{
    const struct inbox_reader *inbox = record->reader;
    struct inbox_record meta = inbox_record_of(inbox, inbox->at);
    if (self->meta_count > 0)
        claims->at[(*claims->count)++] = self->meta;
    else if (inbox_reader_kind(inbox, inbox->at) == INBOX_META_TRACE &&
             inbox->count - inbox->at >= INBOX_META_TRACE_WORDS)
        claims_add(claims, inbox_record_text(&meta, INBOX_META_TRACE_CONTENT),
                   vitrace_v1_ClaimSource_CLAIM_SOURCE_META);
}

static void feed_vitals(struct core *self, struct inbox_record *record)
{
    struct vitals_navigation navigation = {
        .now = self->clock.mono_ms,
        .activation_start = inbox_record_ms(record, INBOX_NAVIGATION_ACTIVATION_START),
        .worker_start = inbox_record_ms(record, INBOX_NAVIGATION_WORKER_START),
        .fetch_start = inbox_record_ms(record, INBOX_NAVIGATION_FETCH_START),
        .domain_lookup_start = inbox_record_ms(record, INBOX_NAVIGATION_DOMAIN_LOOKUP_START),
        .connect_start = inbox_record_ms(record, INBOX_NAVIGATION_CONNECT_START),
        .connect_end = inbox_record_ms(record, INBOX_NAVIGATION_CONNECT_END),
        .response_start = inbox_record_ms(record, INBOX_NAVIGATION_RESPONSE_START),
        .type = type_of(inbox_record_text(record, INBOX_NAVIGATION_TYPE)),
    };
    if (!record->bad)
        vitals_take_navigation(self->vitals, &navigation);
}

/* The vitals come first: the header of the segment that this record may open says how the page was navigated to. */
void record_navigation_encode(struct core *self, struct inbox_record *record)
{
    vitrace_v1_Navigation *out = &self->message.navigation;
    feed_vitals(self, record);
    memset(out, 0, sizeof *out);
    out->name_ref = core_url(self, inbox_record_text(record, INBOX_NAVIGATION_NAME));
    out->type = type_of(inbox_record_text(record, INBOX_NAVIGATION_TYPE));
    read_phases(record, out);
    read_document(record, out);
    read_response(record, out);
    struct claims claims = {out->claims, &out->claims_count, BEACON_CLAIMS_MAX};
    record_server_timing_encode(self, record, &claims, out->server_timings, &out->server_timings_count);
    claims.max = NAVIGATION_CLAIMS_MAX;
    add_meta(self, record, &claims);
    if (!record->bad)
        segment_append_once(&self->segment, BEACON_FIELD_NAVIGATION, vitrace_v1_Navigation_fields, out);
}

/* The first one of a view counts; it is kept, because the navigation may come again when the page is complete. */
void record_meta_trace_feed(struct core *self, struct inbox_record *record)
{
    struct claims claims = {&self->meta, &self->meta_count, 1};
    struct slice content = inbox_record_text(record, INBOX_META_TRACE_CONTENT);
    record->bad = record->bad || !claims_add(&claims, content, vitrace_v1_ClaimSource_CLAIM_SOURCE_META);
}
