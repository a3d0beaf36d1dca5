/* Long tasks and frames, and the navigation's own timeline. */
#include "collector/query/query_view_internal.h"

static void query_write_long_tasks(struct query_view_data *view, struct json *json)
{
    vitrace_v1_LongTask task;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_LONG_TASK);
    size_t count = 0;
    json_array(json, "long_tasks");
    while (query_cursor_next(&cursor, vitrace_v1_LongTask_fields, &task) && query_entry_begin(view, json, &count)) {
        query_write_us(json, "start", (int64_t)task.start_us);
        query_write_us(json, "duration", (int64_t)task.duration_us);
        query_write_ref(json, "name", cursor.strings, task.name_ref);
        json_object_end(json);
    }
    json_array_end(json);
}

static void query_write_scripts(struct json *json, const vitrace_v1_LongAnimationFrame *frame,
                                const struct beacon_strings *strings)
{
    json_array(json, "scripts");
    for (size_t i = 0; i < frame->scripts_count; i++) {
        const vitrace_v1_LongFrameScript *script = &frame->scripts[i];
        json_object(json, NULL);
        query_write_ref(json, "source_url", strings, script->source_url_ref);
        query_write_ref(json, "source_function", strings, script->source_function_ref);
        query_write_ref(json, "invoker", strings, script->invoker_ref);
        query_write_ref(json, "invoker_type", strings, script->invoker_type_ref);
        query_write_us(json, "start", (int64_t)frame->start_us + script->start_us);
        query_write_us(json, "duration", (int64_t)script->duration_us);
        query_write_us(json, "forced_style_and_layout", (int64_t)script->forced_style_and_layout_us);
        query_write_us(json, "pause", (int64_t)script->pause_us);
        json_int(json, "source_char_position", script->source_char_position);
        json_object_end(json);
    }
    json_array_end(json);
}

static void query_write_long_frames(struct query_view_data *view, struct json *json)
{
    vitrace_v1_LongAnimationFrame frame;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_LONG_ANIMATION_FRAME);
    size_t count = 0;
    json_array(json, "long_animation_frames");
    while (query_cursor_next(&cursor, vitrace_v1_LongAnimationFrame_fields, &frame) &&
           query_entry_begin(view, json, &count)) {
        query_write_us(json, "start", (int64_t)frame.start_us);
        query_write_us(json, "duration", (int64_t)frame.duration_us);
        query_write_us(json, "blocking_duration", (int64_t)frame.blocking_duration_us);
        query_write_us(json, "render_start", frame.render_start_us);
        query_write_us(json, "style_and_layout_start", frame.style_and_layout_start_us);
        query_write_us(json, "first_ui_event", frame.first_ui_event_us);
        query_write_scripts(json, &frame, cursor.strings);
        json_object_end(json);
    }
    json_array_end(json);
}

void query_write_frames(struct query_view_data *view, struct json *json)
{
    query_write_long_tasks(view, json);
    query_write_long_frames(view, json);
}

static void query_write_document_phases(struct json *json, const vitrace_v1_Navigation *navigation)
{
    struct beacon_phases phases;
    beacon_phases_of_navigation(navigation, &phases);
    query_write_us(json, "activation_start", (int64_t)navigation->activation_start_us);
    query_write_us(json, "redirect_start", navigation->redirect_start_us);
    query_write_us(json, "redirect_end", navigation->redirect_end_us);
    query_write_us(json, "worker_start", navigation->worker_start_us);
    query_write_us(json, "fetch_start", phases.fetch_start_us);
    query_write_us(json, "domain_lookup_start", phases.domain_lookup_start_us);
    query_write_us(json, "domain_lookup_end", phases.domain_lookup_end_us);
    query_write_us(json, "connect_start", phases.connect_start_us);
    query_write_us(json, "secure_connection_start", phases.secure_connection_start_us);
    query_write_us(json, "connect_end", phases.connect_end_us);
    query_write_us(json, "request_start", phases.request_start_us);
    query_write_us(json, "response_start", phases.response_start_us);
    query_write_us(json, "response_end", phases.response_end_us);
    query_write_us(json, "unload_event_start", navigation->unload_event_start_us);
    query_write_us(json, "unload_event_end", navigation->unload_event_end_us);
    query_write_us(json, "dom_interactive", navigation->dom_interactive_us);
    query_write_us(json, "dom_content_loaded_event_start", navigation->dom_content_loaded_event_start_us);
    query_write_us(json, "dom_content_loaded_event_end", navigation->dom_content_loaded_event_end_us);
    query_write_us(json, "dom_complete", navigation->dom_complete_us);
    query_write_us(json, "load_event_start", navigation->load_event_start_us);
    query_write_us(json, "load_event_end", navigation->load_event_end_us);
}

/* A navigation is reported again when the load event has ended: the newest record has the most. */
void query_write_navigation(struct query_view_data *view, struct json *json)
{
    vitrace_v1_Navigation navigation, newest;
    const struct beacon_strings *strings = NULL;
    struct query_cursor cursor = query_cursor_of(view, BEACON_FIELD_NAVIGATION);
    while (query_cursor_next(&cursor, vitrace_v1_Navigation_fields, &navigation)) {
        newest = navigation;
        strings = cursor.strings;
    }
    if (!strings)
        return;
    json_object(json, "navigation");
    query_write_ref(json, "url", strings, newest.name_ref);
    json_text(json, "type", slice_text(query_name_navigation(newest.type)));
    json_object(json, "phases");
    query_write_document_phases(json, &newest);
    json_object_end(json);
    json_object_end(json);
}
