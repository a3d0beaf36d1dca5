/*
 * Wrapped calls and their timing entries, over the whole view; and where the time of a request went:
 *
 *    call                entry                                                  response in script    body read
 *     |-----script-------|--queue--|-dns-|-tcp-|-tls-|---waiting---|--download--|                        |
 *                        fetch_start           request_start   response_start   response_end --browser---|
 *
 * queue is what is left between fetch start and request start: it holds a preflight, which has no entry of its own.
 */
#include <stdlib.h>

#include "collector/query/query_clock.h"

struct query_calls {
    struct call_match_call *call;
    struct call_match_entry *entry;
    struct call_match *result;
    size_t *call_request, *entry_request;
    struct join_id (*id)[BEACON_CLAIMS_MAX]; /* by request */
    uint32_t calls, entries;
};

static bool query_calls_init(struct query_calls *self, size_t count)
{
    *self = (struct query_calls){.call = calloc(count + 1, sizeof *self->call),
                                 .entry = calloc(count + 1, sizeof *self->entry),
                                 .result = calloc(count + 1, sizeof *self->result),
                                 .call_request = calloc(count + 1, sizeof *self->call_request),
                                 .entry_request = calloc(count + 1, sizeof *self->entry_request),
                                 .id = calloc(count + 1, sizeof *self->id)};
    return self->call && self->entry && self->result && self->call_request && self->entry_request && self->id;
}

static void query_calls_release(struct query_calls *self)
{
    free(self->call);
    free(self->entry);
    free(self->result);
    free(self->call_request);
    free(self->entry_request);
    free(self->id);
}

static void query_calls_add_call(struct query_calls *self, const struct query_request *request, size_t at)
{
    vitrace_v1_Call call = vitrace_v1_Call_init_zero;
    if (!beacon_decode_message(request->body, vitrace_v1_Call_fields, &call))
        return;
    for (size_t i = 0; i < call.claims_count; i++)
        self->id[at][i] = call_facts_id(&call.claims[i]);
    struct slice url = beacon_strings_find(&request->beacon->strings, call.url_ref);
    self->call[self->calls] = call_facts_of_call(&call, url, self->id[at], call.claims_count);
    self->call_request[self->calls++] = at;
}

static void query_calls_add_resource(struct query_calls *self, const struct query_request *request, size_t at)
{
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    if (!beacon_decode_resource(request->body, &resource))
        return;
    for (size_t i = 0; i < resource.claims_count; i++)
        self->id[at][i] = call_facts_id(&resource.claims[i]);
    struct slice url = beacon_strings_find(&request->beacon->strings, resource.name_ref);
    bool failed = request->row.flags & JOIN_REQUEST_FAILED;
    self->entry[self->entries] = call_facts_of_resource(&resource, url, failed, self->id[at], resource.claims_count);
    self->entry_request[self->entries++] = at;
}

/* What the call proved counts for both: they are one request. */
static void query_request_take_call(struct query_request *resource, struct query_request *call)
{
    resource->call = call;
    call->is_shown_in_resource = true;
    if (call->row.merged || call->row.level <= resource->row.level)
        return;
    resource->row.level = call->row.level;
    resource->row.reason = call->row.reason;
    memcpy(resource->row.trace_id, call->row.trace_id, sizeof resource->row.trace_id);
    memcpy(resource->row.span_id, call->row.span_id, sizeof resource->row.span_id);
}

static void query_calls_use(const struct query_calls *self, struct query_requests *requests)
{
    for (uint32_t i = 0; i < self->calls; i++) {
        struct query_request *call = &requests->at[self->call_request[i]];
        const struct call_match *result = &self->result[i];
        call->match = result->kind;
        if (!call_match_is_sure(result))
            continue;
        struct query_request *resource = &requests->at[self->entry_request[result->entry]];
        resource->match = result->kind;
        query_request_take_call(resource, call);
    }
}

bool query_calls_match(struct query_requests *requests)
{
    struct query_calls calls;
    bool good = query_calls_init(&calls, requests->count);
    for (size_t i = 0; good && i < requests->count; i++) {
        if (requests->at[i].kind == STORE_CALL)
            query_calls_add_call(&calls, &requests->at[i], i);
        else if (requests->at[i].kind == STORE_RESOURCE)
            query_calls_add_resource(&calls, &requests->at[i], i);
    }
    good = good && call_match(calls.call, calls.calls, calls.entry, calls.entries, calls.result);
    if (good)
        query_calls_use(&calls, requests);
    query_calls_release(&calls);
    return good;
}

/* scheme://host:port */
static struct slice query_origin(struct slice url)
{
    size_t slashes = 0, end = 0;
    while (end < url.size && (slashes += url.data[end] == '/') < 3)
        end++;
    return slice_of(url.data, end);
}

static bool query_call_had_preflight(const struct query_view_data *view, const struct query_request *request,
                                     const vitrace_v1_Call *call)
{
    struct slice url = beacon_strings_find(&request->beacon->strings, call->url_ref);
    return call->claims_count > 0 && call->claims[0].source == vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED &&
           !slice_equal(query_origin(url), query_origin(view->row->url));
}

static void query_write_call_facts(const struct query_view_data *view, struct json *json,
                                   const struct query_request *request, const vitrace_v1_Call *call)
{
    const struct query_request *from = request->call;
    json_object(json, "call");
    json_text(json, "match", slice_text(call_match_kind_name(request->match)));
    query_write_ref(json, "method", &from->beacon->strings, call->method_ref);
    query_write_us(json, "start", (int64_t)call->start_us);
    if (call->headers_us != 0)
        query_write_us(json, "headers", call->headers_us);
    if (call->end_us != 0)
        query_write_us(json, "end", call->end_us);
    json_bool(json, "aborted", call->aborted);
    json_bool(json, "redirected", call->redirected);
    json_bool(json, "preflight_possible", query_call_had_preflight(view, from, call));
    json_object_end(json);
}

const struct query_span *query_request_server(const struct query_request *request, const struct query_spans *spans)
{
    size_t count = 0;
    if (request->row.level == JOIN_NONE)
        return NULL;
    const struct query_span *span = query_spans_find(spans, request->row.trace_id, &count);
    for (size_t i = 0; i < count; i++)
        if (memcmp(span[i].span_id, request->row.span_id, sizeof span[i].span_id) == 0)
            return &span[i];
    return NULL;
}

/*
 * No clock offset is needed for `server` and `network`. A server that worked on after its answer is told as it is:
 * network < 0. The two wires are the network's two halves, as far as the offset is known.
 */
static void query_write_network(const struct query_view_data *view, struct json *json,
                                const struct query_request *request, const struct query_span *server,
                                const struct beacon_phases *phases, int64_t start_us)
{
    struct query_alignment alignment;
    int64_t began_us = (int64_t)(server->start_unix_ns / 1000), ended_us = (int64_t)(server->end_unix_ns / 1000);
    query_write_us(json, "server", ended_us - began_us);
    query_write_us(json, "network", phases->response_end_us - phases->request_start_us - (ended_us - began_us));
    if (!query_clock_find(view->clock, request, &alignment))
        return;
    query_write_us(json, "request_wire", began_us - alignment.origin_us - start_us - phases->request_start_us);
    query_write_us(json, "response_wire", alignment.origin_us + start_us + phases->response_end_us - ended_us);
    query_write_us(json, "wire_error", alignment.error_us);
}

/* Beacons may be forged: differences of what is no time could overflow. */
static bool query_phases_are_times(const struct beacon_phases *phases)
{
    const int64_t us[] = {phases->fetch_start_us,   phases->domain_lookup_start_us,     phases->domain_lookup_end_us,
                          phases->connect_start_us, phases->secure_connection_start_us, phases->connect_end_us,
                          phases->request_start_us, phases->response_start_us,          phases->response_end_us};
    for (size_t i = 0; i < sizeof us / sizeof us[0]; i++)
        if (!call_facts_is_time(us[i]))
            return false;
    return true;
}

static int64_t query_split_connection(struct json *json, const struct beacon_phases *phases)
{
    if (phases->absent & vitrace_v1_AbsentPhase_ABSENT_PHASE_CONNECTION)
        return 0;
    int64_t secure_us =
        phases->secure_connection_start_us != 0 ? phases->secure_connection_start_us : phases->connect_end_us;
    query_write_us(json, "dns", phases->domain_lookup_end_us - phases->domain_lookup_start_us);
    query_write_us(json, "tcp", secure_us - phases->connect_start_us);
    query_write_us(json, "tls", phases->connect_end_us - secure_us);
    return phases->domain_lookup_end_us - phases->domain_lookup_start_us + phases->connect_end_us -
           phases->connect_start_us;
}

static void query_write_split(const struct query_view_data *view, struct json *json,
                              const struct query_request *request, const struct query_span *server,
                              const vitrace_v1_Resource *resource, const vitrace_v1_Call *call)
{
    struct beacon_phases phases;
    beacon_phases_of_resource(resource, &phases);
    if (phases.absent &
            (vitrace_v1_AbsentPhase_ABSENT_PHASE_REQUEST_START | vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_START |
             vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_END) ||
        !query_phases_are_times(&phases))
        return;
    json_object(json, "split");
    if (call)
        query_write_us(json, "script", (int64_t)(resource->start_us - call->start_us));
    query_write_us(json, "redirect", phases.fetch_start_us);
    int64_t connection_us = query_split_connection(json, &phases);
    query_write_us(json, "queue", phases.request_start_us - phases.fetch_start_us - connection_us);
    query_write_us(json, "waiting", phases.response_start_us - phases.request_start_us);
    query_write_us(json, "download", phases.response_end_us - phases.response_start_us);
    if (call && call->end_us != 0 && call_facts_is_time(call->end_us))
        query_write_us(json, "browser",
                       call->end_us - (int64_t)(resource->start_us - call->start_us) - phases.response_end_us);
    if (server)
        query_write_network(view, json, request, server, &phases, (int64_t)resource->start_us);
    json_object_end(json);
}

void query_calls_write(const struct query_view_data *view, struct json *json, const struct query_request *request,
                       const struct query_spans *spans)
{
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    vitrace_v1_Call call = vitrace_v1_Call_init_zero;
    if (request->kind != STORE_RESOURCE || !beacon_decode_resource(request->body, &resource))
        return;
    bool has_call = request->call && beacon_decode_message(request->call->body, vitrace_v1_Call_fields, &call);
    if (has_call)
        query_write_call_facts(view, json, request, &call);
    query_write_split(view, json, request, query_request_server(request, spans), &resource, has_call ? &call : NULL);
}
