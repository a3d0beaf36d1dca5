#include "collector/join/join.h"
#include "collector/query/query_internal.h"
#include "vitrace/v1/beacon.pb.h"

#define QUERY_SLOWEST_TEXT_MAX     256u
#define QUERY_SLOWEST_REQUESTS_MAX 256u /* joined requests of one view whose traces are looked at */

struct query_slowest {
    uint64_t duration_ns;
    size_t name_size, service_size;
    uint8_t name[QUERY_SLOWEST_TEXT_MAX], service[QUERY_SLOWEST_TEXT_MAX];
};

static size_t query_copy(uint8_t *out, struct slice text)
{
    size_t size = text.size < QUERY_SLOWEST_TEXT_MAX ? text.size : QUERY_SLOWEST_TEXT_MAX;
    if (size > 0)
        memcpy(out, text.data, size);
    return size;
}

/* More than one service told of this trace: an outgoing call is then explained by whoever it called. */
static bool query_is_shared(struct query *self, const uint8_t trace_id[16])
{
    struct query_slowest first = {0};
    struct store_trace_part part;
    bool any = false, shared = false;
    store_reader_find_trace_parts(self->index, trace_id);
    while (store_reader_next_trace_part(self->index, &part)) {
        for (uint32_t i = 0; i < part.top_count; i++) {
            struct slice service = part.top[i].service;
            if (!any)
                first.service_size = query_copy(first.service, service);
            shared = shared || (any && !slice_equal(service, slice_of(first.service, first.service_size)));
            any = true;
        }
    }
    return shared;
}

/* The span of a trace that worked longest: no parents, and no outgoing calls whose other end is known. */
static void query_slowest_take(struct query *self, struct query_slowest *slowest, const uint8_t trace_id[16],
                               const uint8_t entry[8])
{
    struct store_trace_part part;
    bool shared = query_is_shared(self, trace_id);
    store_reader_find_trace_parts(self->index, trace_id);
    while (store_reader_next_trace_part(self->index, &part)) {
        for (uint32_t i = 0; i < part.top_count; i++) {
            const struct store_trace_top *top = &part.top[i];
            if (top->waits && shared)
                continue;
            if (memcmp(top->span_id, entry, 8) == 0 || top->duration_ns <= slowest->duration_ns)
                continue;
            slowest->duration_ns = top->duration_ns;
            slowest->name_size = query_copy(slowest->name, top->name);
            slowest->service_size = query_copy(slowest->service, top->service);
        }
    }
}

static void query_write_slowest(struct json *json, const struct query_slowest *slowest)
{
    if (slowest->duration_ns == 0)
        return;
    json_object(json, "slowest_span");
    json_text(json, "name", slice_of(slowest->name, slowest->name_size));
    json_text(json, "service", slice_of(slowest->service, slowest->service_size));
    json_double(json, "duration", (double)slowest->duration_ns / 1e6);
    json_object_end(json);
}

static void query_write_requests_summary(struct query *self, struct json *json, int64_t view)
{
    int64_t level[JOIN_EXACT_PARENT + 1] = {0}, requests = 0;
    struct query_slowest slowest = {0};
    struct store_request_row row;
    unsigned traces = 0;
    store_reader_find_requests(self->index, view);
    while (store_reader_next_request(self->index, &row)) {
        if (row.merged)
            continue;
        requests++;
        level[row.level <= JOIN_EXACT_PARENT ? row.level : JOIN_NONE]++;
        if (row.level != JOIN_NONE && traces++ < QUERY_SLOWEST_REQUESTS_MAX)
            query_slowest_take(self, &slowest, row.trace_id, row.span_id);
    }
    json_int(json, "requests", requests);
    json_object(json, "joined");
    for (int i = JOIN_EXACT_PARENT; i >= JOIN_NONE; i--)
        json_int(json, join_level_name((enum join_level)i), level[i]);
    json_object_end(json);
    query_write_slowest(json, &slowest);
}

static void query_write_vitals_summary(struct query *self, struct json *json, int64_t view)
{
    struct store_vital vital;
    json_object(json, "vitals");
    store_reader_find_vitals(self->index, view);
    while (store_reader_next_vital(self->index, &vital)) {
        if (vital.state != vitrace_v1_VitalState_VITAL_STATE_MEASURED &&
            vital.state != vitrace_v1_VitalState_VITAL_STATE_UNSUPPORTED)
            continue;
        json_object(json, query_name_metric(vital.metric));
        json_text(json, "state", slice_text(query_name_vital_state(vital.state)));
        if (vital.state == vitrace_v1_VitalState_VITAL_STATE_MEASURED) {
            json_double(json, "value", vital.value);
            json_text(json, "rating", slice_text(query_name_rating(vital.rating)));
        }
        json_object_end(json);
    }
    json_object_end(json);
}

void query_write_delivery(struct json *json, const char *key, struct store_delivery delivery)
{
    json_object(json, key);
    json_int(json, "claimed", (int64_t)delivery.claimed);
    json_int(json, "received", (int64_t)delivery.received);
    json_int(json, "duplicate", (int64_t)delivery.duplicate);
    json_int(json, "lost", (int64_t)delivery.lost);
    json_int(json, "dropped", (int64_t)delivery.dropped);
    json_object_end(json);
}

void query_write_view(struct query *self, struct json *json, const struct store_view_row *row)
{
    json_hex(json, "view_id", slice_of(row->view_id, sizeof row->view_id));
    json_hex(json, "session_id", slice_of(row->session_id, sizeof row->session_id));
    json_text(json, "app", row->app);
    json_text(json, "route", row->route);
    json_text(json, "url", row->url);
    query_write_us(json, "started_unix_ms", (int64_t)row->started_us);
    json_text(json, "navigation_type", slice_text(query_name_navigation(row->navigation_type)));
    json_text(json, "transport", slice_text(query_name_transport(row->transport)));
    query_write_vitals_summary(self, json, row->id);
    query_write_requests_summary(self, json, row->id);
    json_int(json, "errors", (int64_t)row->errors);
    json_int(json, "beacons", row->beacons);
    query_write_delivery(json, "delivery", store_view_delivery(row));
    json_bool(json, "final", row->final);
    json_bool(json, "crashed", row->crashed);
    json_double(json, "sample_rate", row->sample_rate_ppm == 0 ? 1.0 : row->sample_rate_ppm / 1e6);
    json_text(json, "trigger", slice_text(query_name_trigger(row->recorder_trigger)));
    json_object(json, "ledger");
    json_int(json, "entries_seen", (int64_t)row->ledger.entries_seen);
    json_int(json, "entries_encoded", (int64_t)row->ledger.entries_encoded);
    json_int(json, "lost", (int64_t)row->ledger.lost);
    json_int(json, "main_thread_us", (int64_t)row->ledger.main_thread_us);
    json_object_end(json);
}

static void query_write_views(struct query *self, struct json *json, uint32_t limit,
                              bool (*next)(struct store_reader *index, struct store_view_row *row))
{
    struct store_view_row row;
    uint32_t count = 0;
    bool truncated = false;
    json_object(json, NULL);
    json_array(json, "views");
    while (!truncated && next(self->index, &row)) {
        truncated = count++ == limit || query_full(json);
        if (truncated)
            break;
        json_object(json, NULL);
        query_write_view(self, json, &row);
        json_object_end(json);
    }
    json_array_end(json);
    json_bool(json, "truncated", truncated);
    json_object_end(json);
}

enum query_status query_views(struct query *self, struct slice app, uint64_t since_us, uint32_t limit, struct buf *out)
{
    struct json json;
    if (!query_begin(self))
        return QUERY_FAILED;
    json_init(&json, out);
    store_reader_find_views(self->index, app, since_us, limit + 1);
    query_write_views(self, &json, limit, store_reader_next_view);
    return query_end(self, out, true);
}

enum query_status query_session(struct query *self, struct slice app, const uint8_t session_id[16], uint32_t limit,
                                struct buf *out)
{
    struct json json;
    if (!query_begin(self))
        return QUERY_FAILED;
    json_init(&json, out);
    store_reader_find_session(self->index, app, session_id, limit + 1);
    query_write_views(self, &json, limit, store_reader_next_session_view);
    return query_end(self, out, true);
}

enum query_status query_loss(struct query *self, struct slice app, uint64_t since_us, struct buf *out)
{
    struct json json;
    struct store_delivery all = {0};
    if (!query_begin(self))
        return QUERY_FAILED;
    store_reader_delivery(self->index, app, since_us, &all);
    json_init(&json, out);
    json_object(&json, NULL);
    json_int(&json, "views", (int64_t)all.views);
    query_write_delivery(&json, "beacons", all);
    json_int(&json, "final", (int64_t)all.final);
    json_int(&json, "crashed", (int64_t)all.crashed);
    json_object(&json, "entries");
    json_int(&json, "seen", (int64_t)all.entries_seen);
    json_int(&json, "lost", (int64_t)all.entries_lost);
    json_object_end(&json);
    json_object_end(&json);
    return query_end(self, out, true);
}
