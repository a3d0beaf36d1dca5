#include <stdlib.h>

#include "collector/query/query_verify.h"

/* A snapshot stands last; one that was made before the newest beacon tells nothing that is not here. */
static bool query_is_stale(const struct query_view_data *view, uint32_t seq, const struct beacon_summary *summary)
{
    return seq == STORE_SEQ_SNAPSHOT && view->beacon_count > 0 && summary->has_ledger &&
           summary->ledger.segments_sealed <= view->beacon[view->beacon_count - 1].seq;
}

static bool query_beacon_read(struct query_view_data *view, const struct store_beacon_row *row)
{
    struct log_record record;
    struct beacon_summary summary;
    if (!query_read(view->query, row->position, APPEND_BEACON, &record) ||
        beacon_validate(record.payload, &summary) != BEACON_OK) {
        view->truncated = true; /* the log lost it: what follows is not everything */
        return true;
    }
    if (query_is_stale(view, row->seq, &summary))
        return true;
    uint8_t *copy = malloc(record.payload.size);
    if (!copy)
        return false;
    memcpy(copy, record.payload.data, record.payload.size);
    struct query_beacon *beacon = &view->beacon[view->beacon_count++];
    beacon->seq = row->seq;
    beacon->received_us = record.received_unix_us;
    beacon->payload = slice_of(copy, record.payload.size);
    beacon_strings_init(&beacon->strings, beacon->payload);
    view->newest = summary;
    return true;
}

static bool query_beacons_load(struct query_view_data *view)
{
    struct store_beacon_row row;
    size_t stored = (size_t)view->row->beacons + view->row->crashed; /* its snapshot is the last in the list */
    size_t room = stored < QUERY_BEACONS_MAX ? stored : QUERY_BEACONS_MAX;
    view->beacon = calloc(room ? room : 1, sizeof *view->beacon);
    if (!view->beacon)
        return false;
    store_reader_find_beacons(view->query->index, view->row->id);
    while (store_reader_next_beacon(view->query->index, &row)) {
        if (view->beacon_count == room) {
            view->truncated = true;
            break;
        }
        if (!query_beacon_read(view, &row))
            return false;
    }
    view->origin_unix_us = view->newest.header.time_origin_unix_us;
    return true;
}

static void query_beacons_release(struct query_view_data *view)
{
    for (size_t i = 0; i < view->beacon_count; i++)
        free((void *)(uintptr_t)view->beacon[i].payload.data);
    free(view->beacon);
}

struct query_cursor query_cursor_of(const struct query_view_data *view, enum beacon_field field)
{
    struct query_cursor self = {.view = view, .field = field};
    if (view->beacon_count > 0)
        self.reader = beacon_reader_of(view->beacon[0].payload);
    return self;
}

bool query_cursor_next(struct query_cursor *self, const pb_msgdesc_t *fields, void *out)
{
    while (self->beacon < self->view->beacon_count) {
        self->strings = &self->view->beacon[self->beacon].strings;
        while (beacon_reader_next(&self->reader, &self->record))
            if (self->record.field == self->field && beacon_decode_message(self->record.body, fields, out))
                return true;
        if (++self->beacon < self->view->beacon_count)
            self->reader = beacon_reader_of(self->view->beacon[self->beacon].payload);
    }
    return false;
}

void query_write_ref(struct json *json, const char *key, const struct beacon_strings *strings, uint32_t ref)
{
    json_text(json, key, beacon_strings_find(strings, ref));
}

static void query_write_device(struct json *json, const vitrace_v1_Device *device)
{
    json_object(json, "device");
    json_int(json, "viewport_width", device->viewport_width);
    json_int(json, "viewport_height", device->viewport_height);
    json_double(json, "device_pixel_ratio", device->device_pixel_ratio_x100 / 100.0);
    json_int(json, "hardware_concurrency", device->hardware_concurrency);
    if (device->device_memory_mib > 0)
        json_int(json, "device_memory_mib", device->device_memory_mib);
    json_text(json, "effective_connection_type", slice_text(device->effective_connection_type));
    json_text(json, "language", slice_text(device->language));
    json_bool(json, "cross_origin_isolated", device->cross_origin_isolated);
    json_object_end(json);
}

static void query_write_head(struct query_view_data *view, struct json *json)
{
    const vitrace_v1_Header *header = &view->newest.header;
    json_object(json, "view");
    query_write_view(view->query, json, view->row);
    json_text(json, "release", slice_text(header->release));
    json_text(json, "environment", slice_text(header->environment));
    json_text(json, "sdk_version", slice_text(header->sdk_version));
    json_text(json, "referrer", slice_text(header->page.referrer));
    query_write_device(json, &header->device);
    json_object_end(json);
}

static void query_write_parts(struct json *json, const vitrace_v1_Vital *vital)
{
    json_object(json, "parts");
    for (uint32_t i = 0; i < vital->parts_count; i++)
        if (query_name_part(vital->metric, i))
            json_double(json, query_name_part(vital->metric, i), vital->parts[i]);
    json_object_end(json);
}

/* What INP knows of the long animation frames that the interaction waited for. */
static void query_write_vital_frames(struct json *json, const vitrace_v1_Vital *vital,
                                     const struct beacon_strings *strings)
{
    const vitrace_v1_LongestScript *script = &vital->longest_script;
    if (vital->frame_parts_count > 0) {
        json_object(json, "frame_parts");
        for (uint32_t i = 0; i < vital->frame_parts_count; i++)
            json_double(json, query_name_frame_part(i), vital->frame_parts[i]);
        json_object_end(json);
    }
    if (!vital->has_longest_script)
        return;
    json_object(json, "longest_script");
    json_text(json, "subpart", slice_text(query_name_subpart(script->subpart)));
    json_double(json, "intersecting", script->intersecting_ms);
    query_write_ref(json, "source_url", strings, script->source_url_ref);
    query_write_ref(json, "source_function", strings, script->source_function_ref);
    query_write_ref(json, "invoker", strings, script->invoker_ref);
    query_write_ref(json, "invoker_type", strings, script->invoker_type_ref);
    json_int(json, "source_char_position", script->source_char_position);
    json_object_end(json);
}

static void query_write_verdict(struct json *json, const struct query_verdict *verdict)
{
    json_text(json, "verified", slice_text(query_verified_name(verdict->verified)));
    if (verdict->verified == QUERY_VERIFIED_DIFFERS && verdict->has_derived)
        json_double(json, "derived", verdict->derived);
}

static void query_write_vital(struct json *json, const vitrace_v1_Vital *vital, const struct beacon_strings *strings,
                              const struct query_verdict *verdict)
{
    json_object(json, NULL);
    json_text(json, "metric", slice_text(query_name_metric(vital->metric)));
    json_text(json, "state", slice_text(query_name_vital_state(vital->state)));
    if (vital->state == vitrace_v1_VitalState_VITAL_STATE_MEASURED) {
        json_double(json, "value", vital->value);
        json_text(json, "rating", slice_text(query_name_rating(vital->rating)));
        json_bool(json, "final", vital->final);
        json_text(json, "navigation_type", slice_text(query_name_navigation(vital->navigation_type)));
        query_write_ref(json, "target", strings, vital->target_ref);
        query_write_ref(json, "url", strings, vital->url_ref);
        query_write_ref(json, "name", strings, vital->name_ref);
        json_double(json, "time", vital->time);
        if (vital->load_state != vitrace_v1_LoadState_LOAD_STATE_UNSPECIFIED)
            json_text(json, "load_state", slice_text(query_name_load_state(vital->load_state)));
        query_write_parts(json, vital);
        query_write_vital_frames(json, vital, strings);
        query_write_verdict(json, verdict);
    }
    json_object_end(json);
}

/* The newest record of each metric, by seq and then by place in the beacon, as the index counts it. */
static void query_write_vitals(struct query_view_data *view, struct json *json)
{
    vitrace_v1_Vital vital, newest[QUERY_VERIFY_METRICS] = {0};
    const struct beacon_strings *strings[QUERY_VERIFY_METRICS] = {NULL};
    struct query_verdict verdict[QUERY_VERIFY_METRICS] = {0};
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_VITAL);
    while (query_cursor_next(&cursor, vitrace_v1_Vital_fields, &vital)) {
        if ((unsigned)vital.metric >= QUERY_VERIFY_METRICS)
            continue;
        newest[vital.metric] = vital;
        strings[vital.metric] = cursor.strings;
    }
    if (!query_verify(view, newest, verdict))
        view->out_of_memory = true;
    json_array(json, "vitals");
    for (size_t i = 1; i < QUERY_VERIFY_METRICS; i++)
        if (strings[i] && newest[i].state != vitrace_v1_VitalState_VITAL_STATE_UNSPECIFIED)
            query_write_vital(json, &newest[i], strings[i], &verdict[i]);
    json_array_end(json);
}

static void query_write_losses(struct json *json, const vitrace_v1_Ledger *ledger)
{
    uint64_t lost[_vitrace_v1_LossReason_MAX + 1] = {0};
    size_t reasons = sizeof lost / sizeof lost[0];
    for (size_t i = 0; i < ledger->losses_count; i++)
        lost[(unsigned)ledger->losses[i].reason < reasons ? ledger->losses[i].reason : 0] += ledger->losses[i].count;
    json_object(json, "losses");
    for (uint32_t i = 0; i < reasons; i++)
        if (i > 0 || lost[i] > 0)
            json_int(json, query_name_loss(i), (int64_t)lost[i]);
    json_object_end(json);
}

static void query_write_ledger(struct query_view_data *view, struct json *json)
{
    vitrace_v1_Ledger ledger = vitrace_v1_Ledger_init_zero, newer;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_LEDGER);
    while (query_cursor_next(&cursor, vitrace_v1_Ledger_fields, &newer))
        ledger = newer;
    struct store_delivery delivery = store_view_delivery(view->row);
    json_object(json, "ledger");
    json_int(json, "entries_seen", ledger.entries_seen);
    json_int(json, "entries_encoded", ledger.entries_encoded);
    query_write_losses(json, &ledger);
    json_int(json, "main_thread_us", (int64_t)ledger.main_thread_us);
    json_int(json, "bytes_encoded", (int64_t)ledger.bytes_encoded);
    json_int(json, "segments_sealed", ledger.segments_sealed);
    json_int(json, "segments_dropped", ledger.segments_dropped);
    json_int(json, "budget_level", ledger.budget_level);
    json_int(json, "beacons_received", (int64_t)delivery.received);
    json_int(json, "beacons_missing", (int64_t)delivery.lost);
    json_object_end(json);
}

static void query_write_view_answer(struct query_view_data *view, struct json *json)
{
    json_object(json, NULL);
    query_write_head(view, json);
    query_write_vitals(view, json);
    query_write_navigation(view, json);
    query_write_requests(view, json);
    json_object(json, "entries");
    query_write_entries(view, json);
    query_write_frames(view, json);
    json_object_end(json);
    query_write_ledger(view, json);
    json_bool(json, "truncated", view->truncated);
    json_object_end(json);
}

enum query_status query_view(struct query *self, const uint8_t view_id[16], struct buf *out)
{
    struct store_view_row row;
    struct query_view_data view = {.query = self, .row = &row};
    struct json json;
    if (!query_begin(self))
        return QUERY_FAILED;
    if (!store_reader_view(self->index, view_id, &row))
        return query_end(self, out, false);
    json_init(&json, out);
    if (query_beacons_load(&view))
        query_write_view_answer(&view, &json);
    else
        view.out_of_memory = true;
    query_beacons_release(&view);
    if (view.out_of_memory)
        out->failed = true;
    return query_end(self, out, true);
}
