#include "collector/join/join.h"
#include "collector/query/query_internal.h"

/* The URL of the `ordinal`-th request of a beacon; empty when the record is gone. Borrowed until the next read. */
static struct slice query_request_url(struct query *self, uint64_t position, uint32_t ordinal)
{
    struct log_record log_record;
    struct beacon_record record;
    struct beacon_strings strings;
    uint32_t ref = 0, at = 0;
    if (!query_read(self, position, APPEND_BEACON, &log_record))
        return slice_of(NULL, 0);
    struct beacon_reader reader = beacon_reader_of(log_record.payload);
    while (beacon_reader_next(&reader, &record)) {
        bool is_request = record.field == BEACON_FIELD_RESOURCE || record.field == BEACON_FIELD_NAVIGATION ||
                          record.field == BEACON_FIELD_CALL;
        if (!is_request || at++ != ordinal)
            continue;
        struct walk walk = walk_of(record.body);
        struct walk_field field;
        while (walk_next(&walk, &field) == WALK_FIELD)
            if (field.number == 1) /* name_ref or url_ref in all three */
                ref = (uint32_t)field.number_value;
        break;
    }
    beacon_strings_init(&strings, log_record.payload);
    return beacon_strings_find(&strings, ref);
}

static void query_write_trace_view(struct json *json, const struct store_view_row *view)
{
    json_object(json, NULL);
    json_hex(json, "view_id", slice_of(view->view_id, sizeof view->view_id));
    json_text(json, "app", view->app);
    json_text(json, "route", view->route);
    json_text(json, "url", view->url);
    json_array(json, "requests");
}

static void query_write_trace_request(struct query *self, struct json *json, const struct store_trace_view_row *row)
{
    json_object(json, NULL);
    json_text(json, "url", query_request_url(self, row->position, row->ordinal));
    json_text(json, "level", slice_text(join_level_name((enum join_level)row->level)));
    json_object_end(json);
}

/* Returns the number of requests; *truncated when there are more. */
static size_t query_write_trace_views(struct query *self, struct json *json, const uint8_t trace_id[16],
                                      bool *truncated)
{
    struct store_trace_view_row row;
    int64_t view = 0;
    size_t count = 0;
    json_array(json, "views");
    store_reader_find_trace_views(self->index, trace_id);
    while (store_reader_next_trace_view(self->index, &row)) {
        if (count++ == QUERY_REQUESTS_MAX || query_full(json)) {
            *truncated = true;
            break;
        }
        if (row.view.id != view && view != 0) {
            json_array_end(json);
            json_object_end(json);
        }
        if (row.view.id != view)
            query_write_trace_view(json, &row.view);
        view = row.view.id;
        query_write_trace_request(self, json, &row);
    }
    if (view != 0) {
        json_array_end(json);
        json_object_end(json);
    }
    json_array_end(json);
    return count;
}

enum query_status query_trace(struct query *self, const uint8_t trace_id[16], struct buf *out)
{
    struct json json;
    struct query_spans spans;
    query_trace_id trace[1];
    memcpy(trace[0], trace_id, sizeof trace[0]);
    if (!query_begin(self))
        return QUERY_FAILED;
    if (!query_spans_load(self, (const query_trace_id *)trace, 1, &spans))
        out->failed = true;
    bool truncated = spans.truncated;
    json_init(&json, out);
    json_object(&json, NULL);
    json_hex(&json, "trace_id", slice_of(trace_id, 16));
    size_t found = query_write_trace_views(self, &json, trace_id, &truncated) + spans.count;
    json_array(&json, "spans");
    for (size_t i = 0; i < spans.count && !query_full(&json); i++)
        query_write_span(&json, &spans.span[i], (struct query_origin){0});
    truncated |= query_full(&json);
    json_array_end(&json);
    json_bool(&json, "truncated", truncated);
    json_object_end(&json);
    query_spans_release(&spans);
    return query_end(self, out, found > 0);
}
