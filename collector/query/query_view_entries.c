/* The simple entries of a view, kind by kind. Times named start are from the time origin, the others from start. */
#include "collector/query/query_view_internal.h"

bool query_entry_begin(struct query_view_data *view, struct json *json, size_t *count)
{
    if ((*count)++ == QUERY_ENTRIES_MAX || query_full(json)) {
        view->truncated = true;
        return false;
    }
    json_object(json, NULL);
    return true;
}

static void query_write_events(struct query_view_data *view, struct json *json)
{
    vitrace_v1_EventTiming event;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_EVENT);
    size_t count = 0;
    json_array(json, "events");
    while (query_cursor_next(&cursor, vitrace_v1_EventTiming_fields, &event) && query_entry_begin(view, json, &count)) {
        query_write_ref(json, "name", cursor.strings, event.name_ref);
        query_write_us(json, "start", (int64_t)event.start_us);
        query_write_us(json, "duration", (int64_t)event.duration_us);
        query_write_us(json, "processing_start", event.processing_start_us);
        query_write_us(json, "processing_end", event.processing_end_us);
        json_int(json, "interaction_id", event.interaction_id);
        query_write_ref(json, "target", cursor.strings, event.target_ref);
        json_bool(json, "cancelable", event.cancelable);
        json_bool(json, "first_input", event.first_input);
        json_object_end(json);
    }
    json_array_end(json);
}

static void query_write_layout_shifts(struct query_view_data *view, struct json *json)
{
    vitrace_v1_LayoutShift shift;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_LAYOUT_SHIFT);
    size_t count = 0;
    json_array(json, "layout_shifts");
    while (query_cursor_next(&cursor, vitrace_v1_LayoutShift_fields, &shift) && query_entry_begin(view, json, &count)) {
        query_write_us(json, "start", (int64_t)shift.start_us);
        json_double(json, "value", shift.value);
        json_bool(json, "had_recent_input", shift.had_recent_input);
        query_write_ref(json, "target", cursor.strings, shift.target_ref);
        json_object_end(json);
    }
    json_array_end(json);
}

static void query_write_user_timings(struct query_view_data *view, struct json *json)
{
    vitrace_v1_UserTiming timing;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_USER_TIMING);
    size_t count = 0;
    json_array(json, "user_timings");
    while (query_cursor_next(&cursor, vitrace_v1_UserTiming_fields, &timing) && query_entry_begin(view, json, &count)) {
        query_write_ref(json, "name", cursor.strings, timing.name_ref);
        json_text(json, "kind", slice_text(timing.is_measure ? "measure" : "mark"));
        query_write_us(json, "start", (int64_t)timing.start_us);
        query_write_us(json, "duration", (int64_t)timing.duration_us);
        json_object_end(json);
    }
    json_array_end(json);
}

static void query_write_paints(struct query_view_data *view, struct json *json)
{
    vitrace_v1_Paint paint;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_PAINT);
    size_t count = 0;
    json_array(json, "paints");
    while (query_cursor_next(&cursor, vitrace_v1_Paint_fields, &paint) && query_entry_begin(view, json, &count)) {
        query_write_ref(json, "name", cursor.strings, paint.name_ref);
        query_write_us(json, "start", (int64_t)paint.start_us);
        json_object_end(json);
    }
    json_array_end(json);
}

static void query_write_largest_paints(struct query_view_data *view, struct json *json)
{
    vitrace_v1_LargestContentfulPaint paint;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_LARGEST_CONTENTFUL_PAINT);
    size_t count = 0;
    json_array(json, "largest_contentful_paints");
    while (query_cursor_next(&cursor, vitrace_v1_LargestContentfulPaint_fields, &paint) &&
           query_entry_begin(view, json, &count)) {
        query_write_us(json, "start", (int64_t)paint.start_us);
        query_write_us(json, "render_time", (int64_t)paint.render_us);
        query_write_us(json, "load_time", (int64_t)paint.load_us);
        json_int(json, "size", (int64_t)paint.size);
        query_write_ref(json, "url", cursor.strings, paint.url_ref);
        query_write_ref(json, "target", cursor.strings, paint.target_ref);
        json_object_end(json);
    }
    json_array_end(json);
}

static void query_write_visibility_states(struct query_view_data *view, struct json *json)
{
    vitrace_v1_VisibilityState state;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_VISIBILITY_STATE);
    size_t count = 0;
    json_array(json, "visibility_states");
    while (query_cursor_next(&cursor, vitrace_v1_VisibilityState_fields, &state) &&
           query_entry_begin(view, json, &count)) {
        query_write_us(json, "start", (int64_t)state.start_us);
        json_text(json, "state", slice_text(state.hidden ? "hidden" : "visible"));
        json_object_end(json);
    }
    json_array_end(json);
}

static void query_write_errors(struct query_view_data *view, struct json *json)
{
    vitrace_v1_ErrorEvent error;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_ERROR);
    size_t count = 0;
    json_array(json, "errors");
    while (query_cursor_next(&cursor, vitrace_v1_ErrorEvent_fields, &error) && query_entry_begin(view, json, &count)) {
        query_write_us(json, "start", (int64_t)error.start_us);
        query_write_ref(json, "type", cursor.strings, error.type_ref);
        query_write_ref(json, "message", cursor.strings, error.message_ref);
        query_write_ref(json, "stack", cursor.strings, error.stack_ref);
        query_write_ref(json, "source", cursor.strings, error.source_ref);
        json_int(json, "line", error.line);
        json_int(json, "column", error.column);
        json_text(json, "origin", slice_text(query_name_error_origin(error.origin)));
        json_object_end(json);
    }
    json_array_end(json);
}

/* Keys are the page's: a pair a member, not a member of an object, so that a repeated key stays valid JSON. */
static void query_write_attributes(struct json *json, const vitrace_v1_CustomEvent *event,
                                   const struct beacon_strings *strings)
{
    json_array(json, "attributes");
    for (size_t i = 0; i < event->attributes_count; i++) {
        const vitrace_v1_Attribute *attribute = &event->attributes[i];
        json_object(json, NULL);
        query_write_ref(json, "key", strings, attribute->key_ref);
        if (attribute->text_ref != 0)
            query_write_ref(json, "value", strings, attribute->text_ref);
        else
            json_double(json, "value", attribute->number);
        json_object_end(json);
    }
    json_array_end(json);
}

static void query_write_custom_events(struct query_view_data *view, struct json *json)
{
    vitrace_v1_CustomEvent event;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_CUSTOM_EVENT);
    size_t count = 0;
    json_array(json, "custom_events");
    while (query_cursor_next(&cursor, vitrace_v1_CustomEvent_fields, &event) && query_entry_begin(view, json, &count)) {
        query_write_ref(json, "name", cursor.strings, event.name_ref);
        query_write_us(json, "start", (int64_t)event.start_us);
        query_write_attributes(json, &event, cursor.strings);
        json_object_end(json);
    }
    json_array_end(json);
}

void query_write_entries(struct query_view_data *view, struct json *json)
{
    query_write_events(view, json);
    query_write_layout_shifts(view, json);
    query_write_user_timings(view, json);
    query_write_paints(view, json);
    query_write_largest_paints(view, json);
    query_write_visibility_states(view, json);
    query_write_errors(view, json);
    query_write_custom_events(view, json);
}
