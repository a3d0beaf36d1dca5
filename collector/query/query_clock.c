#include "collector/query/query_clock.h"

#include <stdlib.h>

#include "collector/join/clock_axis.h"
#include "collector/join/clock_offset.h"

#define QUERY_KIND_SERVER 2u /* of OTLP */

struct query_epoch {
    struct clock_offset offset;
    int64_t receipt_us;
    int64_t from_us, until_us; /* its first and last anchor */
    int64_t origin_us;         /* by the first one */
};

struct query_clock {
    struct clock_axis axis;
    struct query_epoch epoch[CLOCK_AXIS_ANCHORS_MAX];
};

/* Pairs of all epochs, and room for those of one. */
struct query_pairs {
    struct clock_offset_pair *pair, *of_epoch;
    uint32_t *epoch;
    size_t count;
};

/* When the request was on the wire, from the time origin. */
struct query_exchange {
    int64_t from_us, first_byte_us, until_us;
};

/* `final_us`: when the headers of the answer came, where interim ones (Early Hints) may have come before; or 0. */
static bool query_exchange_of(int64_t start_us, const struct beacon_phases *phases, int64_t final_us,
                              struct query_exchange *exchange)
{
    uint32_t needed = vitrace_v1_AbsentPhase_ABSENT_PHASE_REQUEST_START |
                      vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_START |
                      vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_END;
    int64_t first_byte_us = final_us != 0 ? final_us : phases->response_start_us;
    if (phases->absent & needed || !call_facts_is_time(start_us) || !call_facts_is_time(phases->request_start_us) ||
        !call_facts_is_time(first_byte_us) || !call_facts_is_time(phases->response_end_us))
        return false;
    *exchange = (struct query_exchange){start_us + phases->request_start_us, start_us + first_byte_us,
                                        start_us + phases->response_end_us};
    return exchange->from_us <= exchange->first_byte_us && exchange->first_byte_us <= exchange->until_us;
}

/* `direct`: the network itself answered it, now. A service worker or a prefetch may have asked at any time. */
static bool query_request_exchange(const struct query_request *request, struct query_exchange *exchange, bool *direct)
{
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    vitrace_v1_Navigation navigation = vitrace_v1_Navigation_init_zero;
    struct beacon_phases phases;
    int64_t start_us = 0, final_us;
    if (request->kind == STORE_RESOURCE && beacon_decode_resource(request->body, &resource)) {
        beacon_phases_of_resource(&resource, &phases);
        start_us = request->start_us <= CALL_FACTS_TIME_MAX_US ? (int64_t)request->start_us : INT64_MAX;
        final_us = resource.final_response_headers_start_us;
        *direct = resource.worker_start_us == 0;
    } else if (request->kind == STORE_NAVIGATION &&
               beacon_decode_message(request->body, vitrace_v1_Navigation_fields, &navigation)) {
        beacon_phases_of_navigation(&navigation, &phases);
        final_us = navigation.final_response_headers_start_us;
        *direct = navigation.worker_start_us == 0 &&
                  navigation.delivery_type != vitrace_v1_DeliveryType_DELIVERY_TYPE_NAVIGATIONAL_PREFETCH;
    } else {
        return false;
    }
    return query_exchange_of(start_us, &phases, final_us, exchange);
}

/* --- the browser's clock --- */

static void query_clock_take_anchors(struct query_clock *self, const struct query_view_data *view)
{
    vitrace_v1_Header header;
    vitrace_v1_Ledger ledger;
    struct query_cursor headers = query_cursor_of(view, BEACON_FIELD_HEADER);
    struct query_cursor ledgers = query_cursor_of(view, BEACON_FIELD_LEDGER);
    while (query_cursor_next(&headers, vitrace_v1_Header_fields, &header))
        clock_axis_add(&self->axis, header.wall_unix_us, header.mono_us);
    while (query_cursor_next(&ledgers, vitrace_v1_Ledger_fields, &ledger))
        clock_axis_add(&self->axis, ledger.sealed_wall_unix_us, ledger.sealed_mono_us);
    clock_axis_finish(&self->axis);
}

static void query_clock_begin_epochs(struct query_clock *self)
{
    for (uint32_t i = 0; i < self->axis.count; i++) {
        const struct clock_anchor *anchor = &self->axis.anchor[i];
        struct query_epoch *epoch = &self->epoch[anchor->epoch];
        if (i == 0 || anchor[-1].epoch != anchor->epoch)
            *epoch = (struct query_epoch){
                .receipt_us = CLOCK_OFFSET_NO_RECEIPT, .from_us = anchor->mono_us, .origin_us = anchor->origin_us};
        epoch->until_us = anchor->mono_us;
    }
}

/* A beacon was sealed, then sent, then received. */
static void query_clock_take_receipts(struct query_clock *self, const struct query_view_data *view)
{
    vitrace_v1_Ledger ledger;
    struct clock_place place;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_LEDGER);
    while (query_cursor_next(&cursor, vitrace_v1_Ledger_fields, &ledger)) {
        int64_t mono_us = (int64_t)ledger.sealed_mono_us;
        uint64_t received_us = view->beacon[cursor.beacon].received_us;
        bool is_time = ledger.sealed_wall_unix_us > 0 && ledger.sealed_wall_unix_us <= CLOCK_OFFSET_TIME_MAX_US &&
                       received_us <= CLOCK_OFFSET_TIME_MAX_US;
        if (!is_time || mono_us < 0 || !clock_axis_find(&self->axis, mono_us, mono_us, &place))
            continue;
        int64_t *least_us = &self->epoch[place.epoch].receipt_us;
        int64_t receipt_us = (int64_t)received_us - (int64_t)ledger.sealed_wall_unix_us;
        if (receipt_us < *least_us)
            *least_us = receipt_us;
    }
}

/* --- the servers' --- */

static void query_pairs_add(struct query_pairs *self, const struct query_clock *clock,
                            const struct query_request *request, const struct query_spans *spans)
{
    struct query_exchange exchange;
    struct clock_place place;
    bool direct = false;
    const struct query_span *server = query_request_server(request, spans);
    if (!server || server->kind != QUERY_KIND_SERVER || !query_request_exchange(request, &exchange, &direct) ||
        !direct || !clock_axis_find(&clock->axis, exchange.from_us, exchange.until_us, &place))
        return;
    self->epoch[self->count] = place.epoch;
    self->pair[self->count++] = (struct clock_offset_pair){.sent_us = place.origin_us + exchange.from_us,
                                                           .first_byte_us = place.origin_us + exchange.first_byte_us,
                                                           .began_us = (int64_t)(server->start_unix_ns / 1000)};
}

static bool query_pairs_init(struct query_pairs *self, size_t room)
{
    *self = (struct query_pairs){.pair = calloc(room + 1, sizeof *self->pair),
                                 .of_epoch = calloc(room + 1, sizeof *self->of_epoch),
                                 .epoch = calloc(room + 1, sizeof *self->epoch)};
    return self->pair && self->of_epoch && self->epoch;
}

static void query_pairs_release(struct query_pairs *self)
{
    free(self->pair);
    free(self->of_epoch);
    free(self->epoch);
}

static void query_clock_estimate(struct query_clock *self, struct query_pairs *pairs)
{
    for (uint32_t epoch = 0; epoch < self->axis.epochs; epoch++) {
        size_t count = 0;
        for (size_t i = 0; i < pairs->count; i++)
            if (pairs->epoch[i] == epoch)
                pairs->of_epoch[count++] = pairs->pair[i];
        self->epoch[epoch].offset = clock_offset_of(pairs->of_epoch, count, self->epoch[epoch].receipt_us);
    }
}

struct query_clock *query_clock_new(const struct query_view_data *view, const struct query_requests *requests,
                                    const struct query_spans *spans)
{
    struct query_pairs pairs;
    struct query_clock *self = malloc(sizeof *self);
    bool good = query_pairs_init(&pairs, requests->count) && self;
    if (good) {
        clock_axis_init(&self->axis);
        query_clock_take_anchors(self, view);
        query_clock_begin_epochs(self);
        query_clock_take_receipts(self, view);
        for (size_t i = 0; i < requests->count; i++)
            if (!requests->at[i].row.merged && !requests->at[i].is_shown_in_resource)
                query_pairs_add(&pairs, self, &requests->at[i], spans);
        query_clock_estimate(self, &pairs);
    }
    query_pairs_release(&pairs);
    if (good)
        return self;
    free(self);
    return NULL;
}

void query_clock_free(struct query_clock *self)
{
    free(self);
}

bool query_clock_find(const struct query_clock *self, const struct query_request *request,
                      struct query_alignment *alignment)
{
    struct query_exchange exchange;
    struct clock_place place;
    bool direct;
    if (!query_request_exchange(request, &exchange, &direct)) {
        if (request->start_us > CALL_FACTS_TIME_MAX_US)
            return false;
        exchange.from_us = exchange.until_us = (int64_t)request->start_us;
    }
    if (!clock_axis_find(&self->axis, exchange.from_us, exchange.until_us, &place) ||
        !self->epoch[place.epoch].offset.is_known)
        return false;
    const struct clock_offset *offset = &self->epoch[place.epoch].offset;
    *alignment = (struct query_alignment){place.origin_us + offset->offset_us, offset->error_us};
    return true;
}

/* --- the answer --- */

static void query_write_offset(struct json *json, const struct clock_offset *offset)
{
    if (offset->is_known) {
        query_write_us(json, "offset_ms", offset->offset_us);
        query_write_us(json, "error_ms", offset->error_us);
    }
    json_int(json, "pairs", offset->pairs);
    json_int(json, "conflicts", offset->conflicts);
}

static void query_write_epoch(const struct query_clock *self, struct json *json, uint32_t at)
{
    const struct query_epoch *epoch = &self->epoch[at];
    json_object(json, NULL);
    if (at > 0) {
        query_write_us(json, "from", epoch->from_us);
        query_write_us(json, "jump_ms", epoch->origin_us - epoch[-1].origin_us);
    }
    if (at + 1 < self->axis.epochs)
        query_write_us(json, "until", epoch->until_us);
    query_write_offset(json, &epoch->offset);
    json_object_end(json);
}

void query_clock_write(const struct query_clock *self, struct json *json)
{
    struct clock_offset most = {0};
    for (uint32_t i = 0; i < self->axis.epochs; i++)
        if (i == 0 || self->epoch[i].offset.pairs > most.pairs)
            most = self->epoch[i].offset;
    json_object(json, "clock");
    query_write_offset(json, &most);
    json_array(json, "epochs");
    for (uint32_t i = 0; i < self->axis.epochs; i++)
        query_write_epoch(self, json, i);
    json_array_end(json);
    json_object_end(json);
}
