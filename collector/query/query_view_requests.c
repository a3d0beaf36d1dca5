/*
 * The waterfall: every request of the view, with its phases, its join and the spans of the joined trace.
 *
 * Requests are numbered by their order in the beacon, as the sink numbered them; joins are found by (seq, ordinal). The
 * spans of all joined traces are read first, each log record once.
 */
#include <stdlib.h>

#include "collector/query/query_clock.h"

static bool query_request_kind(enum beacon_field field, enum store_request_kind *kind)
{
    if (field == BEACON_FIELD_NAVIGATION)
        *kind = STORE_NAVIGATION;
    else if (field == BEACON_FIELD_RESOURCE)
        *kind = STORE_RESOURCE;
    else if (field == BEACON_FIELD_CALL)
        *kind = STORE_CALL;
    else
        return false;
    return true;
}

/* start_us is field 2 of Resource and Call; the document starts at 0. */
static uint64_t query_request_start(enum store_request_kind kind, struct slice body)
{
    struct walk walk = walk_of(body);
    struct walk_field field;
    while (kind != STORE_NAVIGATION && walk_next(&walk, &field) == WALK_FIELD)
        if (field.number == vitrace_v1_Resource_start_us_tag && field.type == WALK_VARINT)
            return field.number_value;
    return 0;
}

static void query_requests_collect(struct query_view_data *view, struct query_requests *requests)
{
    for (size_t i = 0; i < view->beacon_count; i++) {
        struct beacon_reader reader = beacon_reader_of(view->beacon[i].payload);
        struct beacon_record record;
        enum store_request_kind kind;
        uint32_t ordinal = 0;
        while (beacon_reader_next(&reader, &record)) {
            if (!query_request_kind(record.field, &kind))
                continue;
            if (requests->count == QUERY_REQUESTS_MAX) {
                view->truncated = true;
                return;
            }
            requests->at[requests->count++] =
                (struct query_request){.kind = kind,
                                       .beacon = &view->beacon[i],
                                       .body = record.body,
                                       .start_us = query_request_start(kind, record.body),
                                       .row = {.seq = view->beacon[i].seq, .ordinal = ordinal++, .reason = -1}};
        }
    }
}

/* Both sides are in order of (seq, ordinal): one pass. */
static void query_requests_join(struct query_view_data *view, struct query_requests *requests)
{
    struct store_request_row row;
    size_t i = 0;
    store_reader_find_requests(view->query->index, view->row->id);
    while (store_reader_next_request(view->query->index, &row)) {
        while (i < requests->count &&
               (requests->at[i].row.seq < row.seq ||
                (requests->at[i].row.seq == row.seq && requests->at[i].row.ordinal < row.ordinal)))
            i++;
        if (i == requests->count)
            break;
        if (requests->at[i].row.seq == row.seq && requests->at[i].row.ordinal == row.ordinal) {
            row.ids = slice_of(NULL, 0);
            requests->at[i].row = row;
        }
    }
}

static int query_compare_request(const void *left, const void *right)
{
    const struct query_request *a = left, *b = right;
    if (a->start_us != b->start_us)
        return a->start_us < b->start_us ? -1 : 1;
    if (a->row.seq != b->row.seq)
        return a->row.seq < b->row.seq ? -1 : 1;
    return a->row.ordinal < b->row.ordinal ? -1 : a->row.ordinal > b->row.ordinal;
}

static bool query_requests_load(struct query_view_data *view, struct query_requests *requests)
{
    requests->count = 0;
    requests->at = calloc(QUERY_REQUESTS_MAX, sizeof *requests->at);
    if (!requests->at)
        return false;
    query_requests_collect(view, requests);
    query_requests_join(view, requests);
    qsort(requests->at, requests->count, sizeof *requests->at, query_compare_request);
    return query_calls_match(requests);
}

static bool query_requests_load_spans(struct query_view_data *view, const struct query_requests *requests,
                                      struct query_spans *spans)
{
    query_trace_id *trace = calloc(QUERY_TRACES_MAX, sizeof *trace);
    size_t count = 0;
    for (size_t i = 0; trace && i < requests->count; i++) {
        const struct store_request_row *row = &requests->at[i].row;
        if (row->level == JOIN_NONE || row->merged || requests->at[i].is_shown_in_resource)
            continue;
        size_t known = 0;
        while (known < count && memcmp(trace[known], row->trace_id, 16) != 0)
            known++;
        if (known < count)
            continue;
        if (count == QUERY_TRACES_MAX)
            view->truncated = true;
        else
            memcpy(trace[count++], row->trace_id, 16);
    }
    *spans = (struct query_spans){0};
    bool loaded = trace && query_spans_load(view->query, (const query_trace_id *)trace, count, spans);
    view->truncated |= spans->truncated;
    free(trace);
    return loaded;
}

/* A phase that the browser gave as zero did not happen: left out. */
static void query_write_phase(struct json *json, const char *key, int64_t us)
{
    if (us != 0)
        query_write_us(json, key, us);
}

static void query_write_phases(struct json *json, const struct beacon_phases *phases)
{
    query_write_us(json, "fetch_start", phases->fetch_start_us);
    if (!(phases->absent & vitrace_v1_AbsentPhase_ABSENT_PHASE_CONNECTION)) {
        query_write_us(json, "domain_lookup_start", phases->domain_lookup_start_us);
        query_write_us(json, "domain_lookup_end", phases->domain_lookup_end_us);
        query_write_us(json, "connect_start", phases->connect_start_us);
        query_write_phase(json, "secure_connection_start", phases->secure_connection_start_us);
        query_write_us(json, "connect_end", phases->connect_end_us);
    }
    if (!(phases->absent & vitrace_v1_AbsentPhase_ABSENT_PHASE_REQUEST_START))
        query_write_us(json, "request_start", phases->request_start_us);
    if (!(phases->absent & vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_START))
        query_write_us(json, "response_start", phases->response_start_us);
    if (!(phases->absent & vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_END))
        query_write_us(json, "response_end", phases->response_end_us);
}

static void query_write_server_timings(struct json *json, const struct beacon_strings *strings,
                                       const vitrace_v1_ServerTiming *timing, size_t count)
{
    json_array(json, "server_timings");
    for (size_t i = 0; i < count; i++) {
        json_object(json, NULL);
        query_write_ref(json, "name", strings, timing[i].name_ref);
        query_write_ref(json, "description", strings, timing[i].description_ref);
        json_double(json, "duration", timing[i].duration_ms);
        json_object_end(json);
    }
    json_array_end(json);
}

static void query_write_sizes(struct json *json, uint64_t transfer, uint64_t encoded, uint64_t decoded)
{
    json_int(json, "transfer_size", (int64_t)transfer);
    json_int(json, "encoded_body_size", (int64_t)encoded);
    json_int(json, "decoded_body_size", (int64_t)(decoded ? decoded : encoded)); /* left out = equal */
}

static void query_write_resource(struct json *json, const struct query_request *request)
{
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    struct beacon_phases phases;
    const struct beacon_strings *strings = &request->beacon->strings;
    beacon_decode_resource(request->body, &resource);
    beacon_phases_of_resource(&resource, &phases);
    json_text(json, "kind", slice_text("resource"));
    query_write_ref(json, "url", strings, resource.name_ref);
    query_write_us(json, "start", (int64_t)resource.start_us);
    query_write_us(json, "duration", phases.response_end_us);
    json_text(json, "initiator_type", slice_text(query_name_initiator(resource.initiator_type)));
    json_text(json, "next_hop_protocol", slice_text(query_name_protocol(resource.next_hop_protocol)));
    json_text(json, "delivery_type", slice_text(query_name_delivery(resource.delivery_type)));
    json_bool(json, "render_blocking", resource.render_blocking);
    json_int(json, "status", resource.response_status);
    query_write_sizes(json, resource.transfer_size, resource.encoded_body_size, resource.decoded_body_size);
    json_object(json, "phases");
    query_write_phase(json, "redirect_start", resource.redirect_start_us);
    query_write_phase(json, "redirect_end", resource.redirect_end_us);
    query_write_phase(json, "worker_start", resource.worker_start_us);
    query_write_phases(json, &phases);
    json_object_end(json);
    query_write_server_timings(json, strings, resource.server_timings, resource.server_timings_count);
}

static void query_write_document(struct json *json, const struct query_request *request)
{
    vitrace_v1_Navigation navigation = vitrace_v1_Navigation_init_zero;
    struct beacon_phases phases;
    const struct beacon_strings *strings = &request->beacon->strings;
    beacon_decode_message(request->body, vitrace_v1_Navigation_fields, &navigation);
    beacon_phases_of_navigation(&navigation, &phases);
    json_text(json, "kind", slice_text("navigation"));
    query_write_ref(json, "url", strings, navigation.name_ref);
    json_double(json, "start", 0);
    query_write_us(json, "duration", phases.response_end_us);
    json_text(json, "initiator_type", slice_text("navigation"));
    json_text(json, "next_hop_protocol", slice_text(query_name_protocol(navigation.next_hop_protocol)));
    json_text(json, "delivery_type", slice_text(query_name_delivery(navigation.delivery_type)));
    json_int(json, "status", navigation.response_status);
    query_write_sizes(json, navigation.transfer_size, navigation.encoded_body_size, navigation.decoded_body_size);
    json_object(json, "phases");
    query_write_phase(json, "redirect_start", navigation.redirect_start_us);
    query_write_phase(json, "redirect_end", navigation.redirect_end_us);
    query_write_phase(json, "worker_start", navigation.worker_start_us);
    query_write_phases(json, &phases);
    json_object_end(json);
    query_write_server_timings(json, strings, navigation.server_timings, navigation.server_timings_count);
}

/* As script saw it: no network phases. */
static void query_write_call(struct json *json, const struct query_request *request)
{
    vitrace_v1_Call call = vitrace_v1_Call_init_zero;
    beacon_decode_message(request->body, vitrace_v1_Call_fields, &call);
    json_text(json, "kind", slice_text("call"));
    query_write_ref(json, "url", &request->beacon->strings, call.url_ref);
    query_write_ref(json, "method", &request->beacon->strings, call.method_ref);
    json_text(json, "match", slice_text(call_match_kind_name(request->match)));
    json_bool(json, "aborted", call.aborted);
    query_write_us(json, "start", (int64_t)call.start_us);
    query_write_us(json, "duration", call.end_us != 0 ? call.end_us : call.headers_us);
    json_text(json, "initiator_type", slice_text("fetch"));
    json_text(json, "next_hop_protocol", slice_text(""));
    json_int(json, "status", call.status);
    query_write_sizes(json, 0, 0, 0);
    json_object(json, "phases");
    query_write_phase(json, "response_start", call.headers_us);
    query_write_phase(json, "response_end", call.end_us);
    json_object_end(json);
    json_array(json, "server_timings");
    json_array_end(json);
}

static void query_write_join(struct json *json, const struct store_request_row *row)
{
    enum join_reason reason = row->reason >= 0 ? (enum join_reason)row->reason : JOIN_REASON_PENDING;
    json_object(json, "join");
    json_text(json, "level", slice_text(join_level_name((enum join_level)row->level)));
    json_text(json, "reason", slice_text(join_reason_name(reason)));
    if (!ids_is_zero(row->trace_id, sizeof row->trace_id))
        json_hex(json, "trace_id", slice_of(row->trace_id, sizeof row->trace_id));
    if (!ids_is_zero(row->span_id, sizeof row->span_id))
        json_hex(json, "span_id", slice_of(row->span_id, sizeof row->span_id));
    json_object_end(json);
}

static void query_write_request_spans(struct query_view_data *view, struct json *json, const struct query_spans *spans,
                                      const struct query_request *request)
{
    const struct store_request_row *row = &request->row;
    struct query_origin origin = {.page_us = view->origin_unix_us};
    struct query_alignment alignment;
    size_t count = 0;
    if (row->level != JOIN_NONE && query_clock_find(view->clock, request, &alignment)) {
        origin.aligned_us = alignment.origin_us;
        query_write_us(json, "aligned_error", alignment.error_us);
    }
    json_array(json, "spans");
    if (row->level != JOIN_NONE) {
        struct query_span *span = query_spans_find(spans, row->trace_id, &count);
        query_spans_mark(span, count, row->span_id);
        for (size_t i = 0; i < count; i++) {
            if (!span[i].below)
                continue;
            if (query_full(json)) {
                view->truncated = true;
                break;
            }
            query_write_span(json, &span[i], origin);
        }
    }
    json_array_end(json);
}

static void query_write_request(struct query_view_data *view, struct json *json, const struct query_request *request,
                                const struct query_spans *spans)
{
    json_object(json, NULL);
    json_int(json, "seq", request->row.seq);
    json_int(json, "ordinal", request->row.ordinal);
    switch (request->kind) {
    case STORE_NAVIGATION:
        query_write_document(json, request);
        break;
    case STORE_RESOURCE:
        query_write_resource(json, request);
        break;
    case STORE_CALL:
        query_write_call(json, request);
        break;
    }
    query_write_join(json, &request->row);
    query_calls_write(view, json, request, spans);
    query_write_request_spans(view, json, spans, request);
    json_object_end(json);
}

void query_write_requests(struct query_view_data *view, struct json *json)
{
    struct query_requests requests;
    struct query_spans spans = {0};
    if (!query_requests_load(view, &requests) || !query_requests_load_spans(view, &requests, &spans))
        view->out_of_memory = true;
    else
        view->clock = query_clock_new(view, &requests, &spans);
    view->out_of_memory |= !view->clock;
    json_array(json, "requests");
    for (size_t i = 0; i < requests.count && !view->out_of_memory; i++) {
        if (requests.at[i].row.merged || requests.at[i].is_shown_in_resource)
            continue;
        if (query_full(json)) {
            view->truncated = true;
            break;
        }
        query_write_request(view, json, &requests.at[i], &spans);
    }
    json_array_end(json);
    if (view->clock)
        query_clock_write(view->clock, json);
    query_clock_free(view->clock);
    view->clock = NULL;
    query_spans_release(&spans);
    free(requests.at);
}
