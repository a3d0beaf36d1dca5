/*
 * One beacon into the index. Requests are written first, then calls find their resources (in this beacon or an earlier
 * one, in either order of arrival), then each request that stands alone claims its trace.
 */
#include "collector/sinks/sinks_internal.h"

static uint64_t sinks_lost(const vitrace_v1_Ledger *ledger)
{
    uint64_t lost = 0;
    for (size_t i = 0; i < ledger->losses_count; i++)
        lost += ledger->losses[i].count;
    return lost;
}

static bool sinks_read_vital(struct sinks *self, struct slice body)
{
    vitrace_v1_Vital vital = vitrace_v1_Vital_init_zero;
    if (!beacon_decode_message(body, vitrace_v1_Vital_fields, &vital))
        return false;
    if (vital.metric >= SINKS_METRICS || vital.metric == vitrace_v1_Metric_METRIC_UNSPECIFIED)
        return true; /* of a later schema */
    self->vital_known[vital.metric] = true; /* of several the last */
    self->vital[vital.metric] = (struct store_vital){
        .metric = vital.metric, .state = vital.state, .rating = vital.rating, .value = vital.value};
    return true;
}

/*
 * Header, ledger, vitals and dictionary: everything but the requests, which need the whole dictionary. Not the whole
 * check again: what is in the log was validated before it got there, and its checksum has been looked at. False: it is
 * not a beacon of this schema.
 */
static bool sinks_read(struct sinks *self, struct slice payload)
{
    struct beacon_reader reader = beacon_reader_of(payload);
    struct beacon_record record;
    bool good = true, has_header = false;
    memset(&self->summary, 0, sizeof self->summary);
    memset(self->vital_known, 0, sizeof self->vital_known);
    self->strings.count = self->errors = 0;
    while (good && beacon_reader_next(&reader, &record)) {
        if (record.field == BEACON_FIELD_STRING && self->strings.count < BEACON_STRINGS_MAX)
            self->strings.at[self->strings.count++] = record.body;
        else if (record.field == BEACON_FIELD_ERROR)
            self->errors++;
        else if (record.field == BEACON_FIELD_VITAL)
            good = sinks_read_vital(self, record.body);
        else if (record.field == BEACON_FIELD_HEADER)
            good = has_header =
                beacon_decode_message(record.body, vitrace_v1_Header_fields, &self->summary.header);
        else if (record.field == BEACON_FIELD_LEDGER)
            good = self->summary.has_ledger =
                beacon_decode_message(record.body, vitrace_v1_Ledger_fields, &self->summary.ledger);
    }
    return good && has_header && reader.walk.at == reader.walk.end;
}

/* Numbers the requests of the beacon in record order; the query numbers them alike. */
static void sinks_collect(struct sinks *self, struct slice payload)
{
    struct slice page_url = slice_text(self->summary.header.page.url);
    struct beacon_reader reader = beacon_reader_of(payload);
    struct beacon_record record;
    self->request_count = 0;
    while (self->request_count < SINKS_REQUESTS_MAX && beacon_reader_next(&reader, &record)) {
        struct sinks_request *request = &self->request[self->request_count];
        if (!sinks_request_read(request, &record, &self->strings, page_url))
            continue;
        request->row.seq = self->summary.header.seq;
        request->row.ordinal = self->request_count++;
    }
}

static struct store_beacon sinks_row(const struct sinks *self, const struct log_record *record)
{
    const vitrace_v1_Header *header = &self->summary.header;
    const vitrace_v1_Ledger *ledger = &self->summary.ledger;
    struct store_beacon beacon = {.app = slice_text(header->app),
                                  .route = slice_text(header->page.route),
                                  .url = slice_text(header->page.url),
                                  .seq = header->seq,
                                  .position = record->position,
                                  .received_us = record->received_unix_us,
                                  .started_us = header->time_origin_unix_us + header->page.view_start_us,
                                  .navigation_type = header->page.navigation_type,
                                  .transport = header->transport,
                                  .segments = ledger->segments_sealed, /* a summary without a ledger has zeros */
                                  .dropped = ledger->segments_dropped,
                                  .sample_rate_ppm = header->sample_rate_ppm,
                                  .recorder_trigger = header->trigger,
                                  .has_ledger = self->summary.has_ledger,
                                  .final = ledger->final,
                                  .ledger = {.entries_seen = ledger->entries_seen,
                                             .entries_encoded = ledger->entries_encoded,
                                             .lost = sinks_lost(ledger),
                                             .main_thread_us = ledger->main_thread_us},
                                  .errors = self->errors};
    if (beacon.segments <= header->seq && header->seq < STORE_SEQ_SNAPSHOT)
        beacon.segments = header->seq + 1;
    memcpy(beacon.view_id, header->view_id, sizeof beacon.view_id);
    memcpy(beacon.session_id, header->session_id, sizeof beacon.session_id);
    return beacon;
}

static enum store_status sinks_put_view(struct sinks *self, const struct store_beacon *beacon, struct store_view *view)
{
    enum store_status status = store_put_beacon(self->store, beacon, view);
    if (status == STORE_OK && view->crashed)
        counters_add(self->counters, COUNTER_VIEWS_RECOVERED, 1);
    return status;
}

static void sinks_put_vitals(struct sinks *self, const struct store_view *view)
{
    for (uint32_t metric = 0; metric < SINKS_METRICS; metric++)
        if (self->vital_known[metric])
            store_put_vital(self->store, view, self->summary.header.seq, &self->vital[metric]);
}

static void sinks_claim(struct sinks *self, const struct join_claim *claim, uint64_t now_us)
{
    self->pending_seen = false;
    join_take_claim(self->join, claim, now_us);
    for (uint32_t i = 0; self->pending_seen && i < claim->id_count; i++)
        sinks_recall_trace(self, claim->id[i].trace_id, now_us);
}

/* A request's ids as they are after pairing; all of its traces lead to it. */
static void sinks_set_ids(struct sinks *self, int64_t view, uint64_t position, const struct sinks_request *request)
{
    store_set_request_ids(self->store, position, request->row.ordinal, sinks_request_ids(request));
    for (uint32_t i = 0; i < request->id_count; i++)
        store_put_trace_view(self->store, request->id[i].trace_id, view, request->row.seq, request->row.ordinal);
}

/* The claim of a resource whose call came in a later beacon. */
static void sinks_claim_again(struct sinks *self, const struct store_view *view, const struct store_partner *partner,
                              const struct sinks_request *call, uint64_t now_us)
{
    struct sinks_request whole = {.row = {.seq = partner->seq, .ordinal = partner->ordinal}};
    whole.id_count = sinks_request_ids_read(slice_of(partner->ids, partner->ids_size), whole.id);
    sinks_request_add_ids(&whole, call->id, call->id_count);
    sinks_set_ids(self, view->id, partner->position, &whole);
    struct join_claim claim = {.beacon = partner->position,
                               .ordinal = partner->ordinal,
                               .flags = partner->flags,
                               .id_count = whole.id_count};
    memcpy(claim.id, whole.id, sizeof claim.id);
    sinks_claim(self, &claim, now_us);
}

static bool sinks_find_partner(struct sinks *self, const struct store_view *view, const struct sinks_request *request,
                               struct store_partner *partner)
{
    for (uint32_t i = 0; i < request->id_count; i++)
        if (store_find_partner(self->store, view, &request->row, request->id[i].trace_id, partner))
            return true;
    return false;
}

/* A resource of this beacon has a call from now on. */
static void sinks_merge_ids(struct sinks *self, const struct store_view *view, struct sinks_request *resource,
                            const struct join_id *id, uint32_t count)
{
    resource->has_call = true;
    sinks_request_add_ids(resource, id, count);
    sinks_set_ids(self, view->id, view->position, resource);
}

static void sinks_pair_call(struct sinks *self, const struct store_view *view, struct sinks_request *call,
                            uint64_t now_us)
{
    struct store_partner partner;
    if (!sinks_find_partner(self, view, call, &partner))
        return;
    store_merge_call(self->store, view->position, call->row.ordinal, partner.position, partner.ordinal);
    call->merged = true;
    if (partner.seq != call->row.seq) {
        sinks_claim_again(self, view, &partner, call, now_us);
        return;
    }
    sinks_merge_ids(self, view, &self->request[partner.ordinal], call->id, call->id_count);
}

void sinks_merge_call(struct sinks *self, const struct store_view *view, struct sinks_request *call,
                      struct sinks_request *resource)
{
    store_merge_call(self->store, view->position, call->row.ordinal, view->position, resource->row.ordinal);
    call->merged = true;
    resource->doubt |= call->row.flags & (JOIN_REQUEST_BLOCKED | JOIN_REQUEST_FAILED);
    sinks_merge_ids(self, view, resource, call->id, call->id_count);
}

/* The call came in an earlier beacon and claimed for itself; from now on the resource does. */
static void sinks_pair_resource(struct sinks *self, const struct store_view *view, struct sinks_request *resource)
{
    struct store_partner partner;
    if (resource->has_call || !sinks_find_partner(self, view, resource, &partner))
        return;
    struct join_id id[JOIN_IDS_MAX];
    uint32_t count = sinks_request_ids_read(slice_of(partner.ids, partner.ids_size), id);
    store_merge_call(self->store, partner.position, partner.ordinal, view->position, resource->row.ordinal);
    sinks_merge_ids(self, view, resource, id, count);
}

static void sinks_put_requests(struct sinks *self, const struct store_view *view)
{
    for (uint32_t i = 0; i < self->request_count; i++) {
        struct sinks_request *request = &self->request[i];
        request->row.ids = sinks_request_ids(request);
        store_put_request(self->store, view, &request->row);
        for (uint32_t k = 0; k < request->id_count; k++)
            store_put_trace_view(self->store, request->id[k].trace_id, view->id, request->row.seq,
                                 request->row.ordinal);
    }
}

static void sinks_pair_requests(struct sinks *self, const struct store_view *view, uint64_t now_us)
{
    for (uint32_t i = 0; i < self->request_count; i++)
        if (self->request[i].row.kind == STORE_CALL)
            sinks_pair_call(self, view, &self->request[i], now_us);
    for (uint32_t i = 0; i < self->request_count; i++)
        if (self->request[i].row.kind == STORE_RESOURCE)
            sinks_pair_resource(self, view, &self->request[i]);
    if (!sinks_match_calls(self, view))
        counters_add(self->counters, COUNTER_SINK_ERRORS, 1);
}

#define SINKS_WALL_MAX_US INT64_C(4000000000000000) /* the year 2096: nanoseconds still fit */

/* Two clocks of the page that were read together, as late as possible. */
static void sinks_page_clocks(const struct beacon_summary *summary, int64_t *wall_us, int64_t *mono_us)
{
    bool sealed = summary->has_ledger && summary->ledger.sealed_wall_unix_us != 0;
    *wall_us = (int64_t)(sealed ? summary->ledger.sealed_wall_unix_us : summary->header.wall_unix_us);
    *mono_us = (int64_t)(sealed ? summary->ledger.sealed_mono_us : summary->header.mono_us);
}

/* Of a response that came: of any other, no span is refused. A call's ids are those of its own request. */
static void sinks_set_window(const struct sinks *self, const struct sinks_request *request, uint64_t now_us,
                             struct join_claim *claim)
{
    int64_t wall_us, mono_us;
    sinks_page_clocks(&self->summary, &wall_us, &mono_us);
    if (wall_us <= 0 || wall_us > SINKS_WALL_MAX_US || !call_facts_is_time(mono_us) || request->end_us <= 0 ||
        request->end_us < request->row.start_us)
        return;
    int64_t origin_us = wall_us - mono_us;
    claim->from_ns = (origin_us + request->row.start_us) * 1000;
    claim->until_ns = (origin_us + request->end_us) * 1000;
    claim->shift_ns = ((int64_t)now_us - wall_us) * 1000;
}

static void sinks_claim_requests(struct sinks *self, const struct store_view *view, uint64_t now_us)
{
    for (uint32_t i = 0; i < self->request_count; i++) {
        const struct sinks_request *request = &self->request[i];
        if (request->merged)
            continue;
        struct join_claim claim = {.beacon = view->position,
                                   .ordinal = request->row.ordinal,
                                   .flags = request->row.flags | request->doubt,
                                   .id_count = request->id_count};
        if (request->id_count > 0) {
            memcpy(claim.id, request->id, request->id_count * sizeof claim.id[0]);
            sinks_set_window(self, request, now_us, &claim);
        }
        sinks_claim(self, &claim, now_us);
    }
}

/* Sealed later than a beacon that is here already, or it tells nothing new of the vitals. */
static bool sinks_snapshot_is_news(const struct store_beacon *beacon, const struct store_view *view)
{
    return !beacon->has_ledger || (int64_t)beacon->segments > view->newest_seq;
}

/* The only bound that refuses a whole beacon is that of the apps' names. */
static void sinks_count_refused(struct sinks *self)
{
    counters_add(self->counters, COUNTER_SINK_ERRORS, 1);
    counters_add(self->counters, COUNTER_OVERFLOW_APP, 1);
}

static void sinks_take_snapshot(struct sinks *self, const struct log_record *record)
{
    struct store_beacon beacon = sinks_row(self, record);
    beacon.errors = 0;
    struct store_view view;
    enum store_status status = store_put_snapshot(self->store, &beacon, &view);
    if (status == STORE_REFUSED)
        sinks_count_refused(self);
    if (status != STORE_OK)
        return;
    if (!view.crashed)
        counters_add(self->counters, COUNTER_VIEWS_CRASHED, 1);
    if (sinks_snapshot_is_news(&beacon, &view))
        sinks_put_vitals(self, &view);
}

void sinks_take_beacon(struct sinks *self, const struct log_record *record)
{
    if (!sinks_read(self, record->payload)) {
        counters_add(self->counters, COUNTER_SINK_ERRORS, 1);
        return;
    }
    if (self->summary.header.seq == STORE_SEQ_SNAPSHOT) {
        sinks_take_snapshot(self, record);
        return;
    }
    struct store_view view;
    struct store_beacon beacon = sinks_row(self, record);
    enum store_status status = sinks_put_view(self, &beacon, &view);
    if (status == STORE_REFUSED)
        sinks_count_refused(self);
    if (status != STORE_OK)
        return;
    sinks_collect(self, record->payload);
    sinks_put_vitals(self, &view);
    sinks_put_requests(self, &view);
    sinks_pair_requests(self, &view, record->received_unix_us);
    sinks_claim_requests(self, &view, record->received_unix_us);
}
