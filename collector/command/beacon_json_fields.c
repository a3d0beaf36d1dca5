/*
 * The schema once more, as tables: nanopb keeps no field names. A field that is missing here is only missing from
 * `vitrace decode`; beacon_json_test compares the tables with the schema.
 */
#include "collector/command/beacon_json.h"

#include <stddef.h>

#define FIELD(type, member, label, kind_)                                                                              \
    {                                                                                                                  \
        .key = label, .kind = BEACON_JSON_##kind_, .at = offsetof(vitrace_v1_##type, member)                           \
    }
#define ID(type, member)                                                                                               \
    {                                                                                                                  \
        .key = #member, .kind = BEACON_JSON_ID, .at = offsetof(vitrace_v1_##type, member),                             \
        .count = sizeof((vitrace_v1_##type *)0)->member                                                                \
    }
#define ENUM(type, member, names_)                                                                                     \
    {                                                                                                                  \
        .key = #member, .kind = BEACON_JSON_ENUM, .at = offsetof(vitrace_v1_##type, member), .names = &names_          \
    }
#define LIST(type, member, kind_, message_)                                                                            \
    {                                                                                                                  \
        .key = #member, .kind = kind_, .at = offsetof(vitrace_v1_##type, member),                                      \
        .count_at = offsetof(vitrace_v1_##type, member##_count), .message = message_                                   \
    }
#define INNER(type, member, message_)                                                                                  \
    {                                                                                                                  \
        .key = #member, .kind = BEACON_JSON_MESSAGE, .at = offsetof(vitrace_v1_##type, member),                        \
        .count_at = offsetof(vitrace_v1_##type, has_##member), .message = &message_                                    \
    }
#define NAMES(table, ...)                                                                                              \
    static const char *const table##_text[] = {__VA_ARGS__};                                                           \
    static const struct beacon_json_names table = {table##_text, sizeof table##_text / sizeof table##_text[0]}
#define MESSAGE(type, label, fields)                                                                                   \
    {                                                                                                                  \
        label, vitrace_v1_##type##_fields, sizeof(vitrace_v1_##type), fields, sizeof fields / sizeof fields[0]         \
    }

NAMES(transport_names, "unspecified", "shared_ring", "transfer", "main_thread", "raw_inbox");
NAMES(navigation_type_names, "unspecified", "navigate", "reload", "back_forward", "back_forward_cache", "prerender",
      "restore", "soft_navigation", "route_change");
NAMES(claim_source_names, "unspecified", "injected", "server_timing_trace", "server_timing_traceparent",
      "server_timing_traceresponse", "meta");
NAMES(initiator_type_names, "other", "fetch", "xmlhttprequest", "script", "link", "css", "img", "image", "iframe",
      "beacon", "video", "audio", "track", "embed", "object", "early_hint", "navigation", "input");
NAMES(next_hop_protocol_names, "unknown", "http_1_0", "http_1_1", "h2", "h3", "h2c", "other");
NAMES(delivery_type_names, "network", "cache", "navigational_prefetch", "other");
NAMES(error_origin_names, "unspecified", "window", "unhandled_rejection", "api");
NAMES(metric_names, "unspecified", "lcp", "inp", "cls", "fcp", "ttfb");
NAMES(rating_names, "unspecified", "good", "needs_improvement", "poor");
NAMES(vital_state_names, "unspecified", "measured", "unsupported");
NAMES(click_pattern_type_names, "unspecified", "rage", "dead");
NAMES(recorder_trigger_names, "none", "inp", "lcp", "error", "rage_click", "api");
NAMES(load_state_names, "unspecified", "loading", "dom_interactive", "dom_content_loaded", "complete");
NAMES(interaction_subpart_names, "unspecified", "input_delay", "processing_duration", "presentation_delay");
NAMES(loss_reason_names, "unspecified", "ring_full", "bad_entry", "too_large", "queue_full", "browser_dropped",
      "budget", "consent", "sampled_out", "dictionary_full", "send_failed", "page_left", "offline_full");

static const struct beacon_json_field page_fields[] = {
    FIELD(Page, url, "url", TEXT),
    FIELD(Page, route, "route", TEXT),
    FIELD(Page, referrer, "referrer", TEXT),
    ENUM(Page, navigation_type, navigation_type_names),
    FIELD(Page, view_start_us, "view_start_us", U64),
};
static const struct beacon_json_message page_message = MESSAGE(Page, "page", page_fields);

static const struct beacon_json_field device_fields[] = {
    FIELD(Device, viewport_width, "viewport_width", U32),
    FIELD(Device, viewport_height, "viewport_height", U32),
    FIELD(Device, device_pixel_ratio_x100, "device_pixel_ratio_x100", U32),
    FIELD(Device, hardware_concurrency, "hardware_concurrency", U32),
    FIELD(Device, device_memory_mib, "device_memory_mib", U32),
    FIELD(Device, effective_connection_type, "effective_connection_type", TEXT),
    FIELD(Device, language, "language", TEXT),
    FIELD(Device, cross_origin_isolated, "cross_origin_isolated", BOOL),
};
static const struct beacon_json_message device_message = MESSAGE(Device, "device", device_fields);

static const struct beacon_json_field header_fields[] = {
    FIELD(Header, schema_version, "schema_version", U32),
    FIELD(Header, app, "app", TEXT),
    ID(Header, view_id),
    ID(Header, session_id),
    FIELD(Header, seq, "seq", U32),
    FIELD(Header, wall_unix_us, "wall_unix_us", U64),
    FIELD(Header, mono_us, "mono_us", U64),
    FIELD(Header, time_origin_unix_us, "time_origin_unix_us", U64),
    ENUM(Header, transport, transport_names),
    FIELD(Header, sdk_version, "sdk_version", TEXT),
    FIELD(Header, release, "release", TEXT),
    FIELD(Header, environment, "environment", TEXT),
    INNER(Header, page, page_message),
    INNER(Header, device, device_message),
    FIELD(Header, sample_rate_ppm, "sample_rate_ppm", U32),
    ENUM(Header, trigger, recorder_trigger_names),
};

static const struct beacon_json_field claim_fields[] = {
    ID(Claim, trace_id),
    ID(Claim, span_id),
    FIELD(Claim, trace_flags, "trace_flags", U32),
    ENUM(Claim, source, claim_source_names),
};
static const struct beacon_json_message claim_message = MESSAGE(Claim, "claim", claim_fields);

static const struct beacon_json_field server_timing_fields[] = {
    FIELD(ServerTiming, name_ref, "name", REF),
    FIELD(ServerTiming, description_ref, "description", REF),
    FIELD(ServerTiming, duration_ms, "duration_ms", DOUBLE),
};
static const struct beacon_json_message server_timing_message =
    MESSAGE(ServerTiming, "server_timing", server_timing_fields);

static const struct beacon_json_field resource_fields[] = {
    FIELD(Resource, name_ref, "name", REF),
    FIELD(Resource, start_us, "start_us", U64),
    FIELD(Resource, request_start_us, "request_start_us", S64),
    FIELD(Resource, response_start_us, "response_start_us", S64),
    FIELD(Resource, response_end_us, "response_end_us", S64),
    FIELD(Resource, transfer_size, "transfer_size", U64),
    FIELD(Resource, encoded_body_size, "encoded_body_size", U64),
    FIELD(Resource, decoded_body_size, "decoded_body_size", U64),
    ENUM(Resource, initiator_type, initiator_type_names),
    ENUM(Resource, next_hop_protocol, next_hop_protocol_names),
    FIELD(Resource, response_status, "response_status", U32),
    LIST(Resource, claims, BEACON_JSON_MESSAGES, &claim_message),
    ENUM(Resource, delivery_type, delivery_type_names),
    FIELD(Resource, render_blocking, "render_blocking", BOOL),
    FIELD(Resource, absent_phases, "absent_phases", U32),
    LIST(Resource, server_timings, BEACON_JSON_MESSAGES, &server_timing_message),
    FIELD(Resource, fetch_start_us, "fetch_start_us", S64),
    FIELD(Resource, redirect_start_us, "redirect_start_us", S64),
    FIELD(Resource, redirect_end_us, "redirect_end_us", S64),
    FIELD(Resource, worker_start_us, "worker_start_us", S64),
    FIELD(Resource, domain_lookup_start_us, "domain_lookup_start_us", S64),
    FIELD(Resource, domain_lookup_end_us, "domain_lookup_end_us", S64),
    FIELD(Resource, connect_start_us, "connect_start_us", S64),
    FIELD(Resource, secure_connection_start_us, "secure_connection_start_us", S64),
    FIELD(Resource, connect_end_us, "connect_end_us", S64),
    FIELD(Resource, first_interim_response_start_us, "first_interim_response_start_us", S64),
    FIELD(Resource, final_response_headers_start_us, "final_response_headers_start_us", S64),
    FIELD(Resource, call_tag, "call_tag", U32),
};

static const struct beacon_json_field event_timing_fields[] = {
    FIELD(EventTiming, name_ref, "name", REF),
    FIELD(EventTiming, start_us, "start_us", U64),
    FIELD(EventTiming, duration_us, "duration_us", U64),
    FIELD(EventTiming, processing_start_us, "processing_start_us", S64),
    FIELD(EventTiming, processing_end_us, "processing_end_us", S64),
    FIELD(EventTiming, interaction_id, "interaction_id", U32),
    FIELD(EventTiming, target_ref, "target", REF),
    FIELD(EventTiming, cancelable, "cancelable", BOOL),
    FIELD(EventTiming, first_input, "first_input", BOOL),
};

static const struct beacon_json_field layout_shift_fields[] = {
    FIELD(LayoutShift, start_us, "start_us", U64),
    FIELD(LayoutShift, value, "value", DOUBLE),
    FIELD(LayoutShift, had_recent_input, "had_recent_input", BOOL),
    FIELD(LayoutShift, target_ref, "target", REF),
};

static const struct beacon_json_field user_timing_fields[] = {
    FIELD(UserTiming, name_ref, "name", REF),
    FIELD(UserTiming, start_us, "start_us", U64),
    FIELD(UserTiming, duration_us, "duration_us", U64),
    FIELD(UserTiming, is_measure, "is_measure", BOOL),
};

static const struct beacon_json_field long_task_fields[] = {
    FIELD(LongTask, start_us, "start_us", U64),
    FIELD(LongTask, duration_us, "duration_us", U64),
    FIELD(LongTask, name_ref, "name", REF),
};

static const struct beacon_json_field long_frame_script_fields[] = {
    FIELD(LongFrameScript, source_url_ref, "source_url", REF),
    FIELD(LongFrameScript, source_function_ref, "source_function", REF),
    FIELD(LongFrameScript, invoker_ref, "invoker", REF),
    FIELD(LongFrameScript, invoker_type_ref, "invoker_type", REF),
    FIELD(LongFrameScript, start_us, "start_us", S64),
    FIELD(LongFrameScript, duration_us, "duration_us", U64),
    FIELD(LongFrameScript, forced_style_and_layout_us, "forced_style_and_layout_us", U64),
    FIELD(LongFrameScript, pause_us, "pause_us", U64),
    FIELD(LongFrameScript, source_char_position, "source_char_position", S64),
};
static const struct beacon_json_message long_frame_script_message =
    MESSAGE(LongFrameScript, "long_frame_script", long_frame_script_fields);

static const struct beacon_json_field long_animation_frame_fields[] = {
    FIELD(LongAnimationFrame, start_us, "start_us", U64),
    FIELD(LongAnimationFrame, duration_us, "duration_us", U64),
    FIELD(LongAnimationFrame, render_start_us, "render_start_us", S64),
    FIELD(LongAnimationFrame, style_and_layout_start_us, "style_and_layout_start_us", S64),
    FIELD(LongAnimationFrame, first_ui_event_us, "first_ui_event_us", S64),
    FIELD(LongAnimationFrame, blocking_duration_us, "blocking_duration_us", U64),
    LIST(LongAnimationFrame, scripts, BEACON_JSON_MESSAGES, &long_frame_script_message),
};

static const struct beacon_json_field paint_fields[] = {
    FIELD(Paint, name_ref, "name", REF),
    FIELD(Paint, start_us, "start_us", U64),
};

static const struct beacon_json_field largest_contentful_paint_fields[] = {
    FIELD(LargestContentfulPaint, start_us, "start_us", U64),
    FIELD(LargestContentfulPaint, render_us, "render_us", U64),
    FIELD(LargestContentfulPaint, load_us, "load_us", U64),
    FIELD(LargestContentfulPaint, size, "size", U64),
    FIELD(LargestContentfulPaint, url_ref, "url", REF),
    FIELD(LargestContentfulPaint, target_ref, "target", REF),
};

static const struct beacon_json_field visibility_state_fields[] = {
    FIELD(VisibilityState, start_us, "start_us", U64),
    FIELD(VisibilityState, hidden, "hidden", BOOL),
};

static const struct beacon_json_field call_fields[] = {
    FIELD(Call, url_ref, "url", REF),
    FIELD(Call, start_us, "start_us", U64),
    FIELD(Call, headers_us, "headers_us", S64),
    FIELD(Call, end_us, "end_us", S64),
    FIELD(Call, method_ref, "method", REF),
    FIELD(Call, status, "status", U32),
    LIST(Call, claims, BEACON_JSON_MESSAGES, &claim_message),
    FIELD(Call, redirected, "redirected", BOOL),
    FIELD(Call, content_length, "content_length", U64),
    FIELD(Call, tag, "tag", U32),
    FIELD(Call, aborted, "aborted", BOOL),
};

static const struct beacon_json_field longest_script_fields[] = {
    ENUM(LongestScript, subpart, interaction_subpart_names),
    FIELD(LongestScript, intersecting_ms, "intersecting_ms", DOUBLE),
    FIELD(LongestScript, source_url_ref, "source_url", REF),
    FIELD(LongestScript, source_function_ref, "source_function", REF),
    FIELD(LongestScript, invoker_ref, "invoker", REF),
    FIELD(LongestScript, invoker_type_ref, "invoker_type", REF),
    FIELD(LongestScript, source_char_position, "source_char_position", S64),
};
static const struct beacon_json_message longest_script_message =
    MESSAGE(LongestScript, "longest_script", longest_script_fields);

static const struct beacon_json_field vital_fields[] = {
    ENUM(Vital, metric, metric_names),
    ENUM(Vital, state, vital_state_names),
    FIELD(Vital, value, "value", DOUBLE),
    ENUM(Vital, rating, rating_names),
    ENUM(Vital, navigation_type, navigation_type_names),
    FIELD(Vital, final, "final", BOOL),
    FIELD(Vital, target_ref, "target", REF),
    FIELD(Vital, url_ref, "url", REF),
    LIST(Vital, parts, BEACON_JSON_DOUBLES, NULL),
    FIELD(Vital, time, "time", DOUBLE),
    FIELD(Vital, name_ref, "name", REF),
    ENUM(Vital, load_state, load_state_names),
    LIST(Vital, frame_parts, BEACON_JSON_DOUBLES, NULL),
    INNER(Vital, longest_script, longest_script_message),
};

static const struct beacon_json_field attribute_fields[] = {
    FIELD(Attribute, key_ref, "key", REF),
    FIELD(Attribute, text_ref, "text", REF),
    FIELD(Attribute, number, "number", DOUBLE),
};
static const struct beacon_json_message attribute_message = MESSAGE(Attribute, "attribute", attribute_fields);

static const struct beacon_json_field custom_event_fields[] = {
    FIELD(CustomEvent, start_us, "start_us", U64),
    FIELD(CustomEvent, name_ref, "name", REF),
    LIST(CustomEvent, attributes, BEACON_JSON_MESSAGES, &attribute_message),
};

static const struct beacon_json_field loss_count_fields[] = {
    ENUM(LossCount, reason, loss_reason_names),
    FIELD(LossCount, count, "count", U32),
};
static const struct beacon_json_message loss_count_message = MESSAGE(LossCount, "loss_count", loss_count_fields);

static const struct beacon_json_field ledger_fields[] = {
    FIELD(Ledger, entries_seen, "entries_seen", U32),
    FIELD(Ledger, entries_encoded, "entries_encoded", U32),
    LIST(Ledger, losses, BEACON_JSON_MESSAGES, &loss_count_message),
    FIELD(Ledger, main_thread_us, "main_thread_us", U64),
    FIELD(Ledger, bytes_encoded, "bytes_encoded", U64),
    FIELD(Ledger, segments_sealed, "segments_sealed", U32),
    FIELD(Ledger, sealed_wall_unix_us, "sealed_wall_unix_us", U64),
    FIELD(Ledger, sealed_mono_us, "sealed_mono_us", U64),
    FIELD(Ledger, final, "final", BOOL),
    FIELD(Ledger, batches, "batches", U32),
    FIELD(Ledger, segments_dropped, "segments_dropped", U32),
    FIELD(Ledger, budget_level, "budget_level", U32),
};

static const struct beacon_json_field navigation_fields[] = {
    FIELD(Navigation, name_ref, "name", REF),
    FIELD(Navigation, activation_start_us, "activation_start_us", U64),
    FIELD(Navigation, request_start_us, "request_start_us", S64),
    FIELD(Navigation, response_start_us, "response_start_us", S64),
    FIELD(Navigation, response_end_us, "response_end_us", S64),
    FIELD(Navigation, transfer_size, "transfer_size", U64),
    FIELD(Navigation, encoded_body_size, "encoded_body_size", U64),
    FIELD(Navigation, decoded_body_size, "decoded_body_size", U64),
    ENUM(Navigation, type, navigation_type_names),
    ENUM(Navigation, next_hop_protocol, next_hop_protocol_names),
    FIELD(Navigation, response_status, "response_status", U32),
    LIST(Navigation, claims, BEACON_JSON_MESSAGES, &claim_message),
    ENUM(Navigation, delivery_type, delivery_type_names),
    FIELD(Navigation, redirect_count, "redirect_count", U32),
    FIELD(Navigation, absent_phases, "absent_phases", U32),
    LIST(Navigation, server_timings, BEACON_JSON_MESSAGES, &server_timing_message),
    FIELD(Navigation, fetch_start_us, "fetch_start_us", S64),
    FIELD(Navigation, redirect_start_us, "redirect_start_us", S64),
    FIELD(Navigation, redirect_end_us, "redirect_end_us", S64),
    FIELD(Navigation, worker_start_us, "worker_start_us", S64),
    FIELD(Navigation, domain_lookup_start_us, "domain_lookup_start_us", S64),
    FIELD(Navigation, domain_lookup_end_us, "domain_lookup_end_us", S64),
    FIELD(Navigation, connect_start_us, "connect_start_us", S64),
    FIELD(Navigation, secure_connection_start_us, "secure_connection_start_us", S64),
    FIELD(Navigation, connect_end_us, "connect_end_us", S64),
    FIELD(Navigation, first_interim_response_start_us, "first_interim_response_start_us", S64),
    FIELD(Navigation, final_response_headers_start_us, "final_response_headers_start_us", S64),
    FIELD(Navigation, unload_event_start_us, "unload_event_start_us", S64),
    FIELD(Navigation, unload_event_end_us, "unload_event_end_us", S64),
    FIELD(Navigation, dom_interactive_us, "dom_interactive_us", S64),
    FIELD(Navigation, dom_content_loaded_event_start_us, "dom_content_loaded_event_start_us", S64),
    FIELD(Navigation, dom_content_loaded_event_end_us, "dom_content_loaded_event_end_us", S64),
    FIELD(Navigation, dom_complete_us, "dom_complete_us", S64),
    FIELD(Navigation, load_event_start_us, "load_event_start_us", S64),
    FIELD(Navigation, load_event_end_us, "load_event_end_us", S64),
};

static const struct beacon_json_field error_event_fields[] = {
    FIELD(ErrorEvent, start_us, "start_us", U64),   FIELD(ErrorEvent, type_ref, "type", REF),
    FIELD(ErrorEvent, message_ref, "message", REF), FIELD(ErrorEvent, stack_ref, "stack", REF),
    FIELD(ErrorEvent, source_ref, "source", REF),   FIELD(ErrorEvent, line, "line", U32),
    FIELD(ErrorEvent, column, "column", U32),       ENUM(ErrorEvent, origin, error_origin_names),
};

static const struct beacon_json_field element_timing_fields[] = {
    FIELD(ElementTiming, name_ref, "name", REF),
    FIELD(ElementTiming, identifier_ref, "identifier", REF),
    FIELD(ElementTiming, start_us, "start_us", U64),
    FIELD(ElementTiming, render_us, "render_us", U64),
    FIELD(ElementTiming, load_us, "load_us", U64),
    FIELD(ElementTiming, size, "size", U64),
    FIELD(ElementTiming, url_ref, "url", REF),
    FIELD(ElementTiming, target_ref, "target", REF),
};

static const struct beacon_json_field soft_navigation_fields[] = {
    FIELD(SoftNavigation, name_ref, "name", REF),
    FIELD(SoftNavigation, start_us, "start_us", U64),
    FIELD(SoftNavigation, interaction_id, "interaction_id", U32),
    FIELD(SoftNavigation, paint_us, "paint_us", U64),
    FIELD(SoftNavigation, presentation_us, "presentation_us", U64),
};

static const struct beacon_json_field interaction_contentful_paint_fields[] = {
    FIELD(InteractionContentfulPaint, start_us, "start_us", U64),
    FIELD(InteractionContentfulPaint, render_us, "render_us", U64),
    FIELD(InteractionContentfulPaint, load_us, "load_us", U64),
    FIELD(InteractionContentfulPaint, size, "size", U64),
    FIELD(InteractionContentfulPaint, url_ref, "url", REF),
    FIELD(InteractionContentfulPaint, target_ref, "target", REF),
    FIELD(InteractionContentfulPaint, interaction_id, "interaction_id", U32),
};

static const struct beacon_json_field not_restored_reason_fields[] = {
    FIELD(NotRestoredReason, reason_ref, "reason", REF),
    FIELD(NotRestoredReason, url_ref, "url", REF),
    FIELD(NotRestoredReason, depth, "depth", U32),
};

static const struct beacon_json_field memory_measurement_fields[] = {
    FIELD(MemoryMeasurement, start_us, "start_us", U64),
    FIELD(MemoryMeasurement, bytes, "bytes", U64),
    FIELD(MemoryMeasurement, js_bytes, "js_bytes", U64),
    FIELD(MemoryMeasurement, dom_bytes, "dom_bytes", U64),
};

static const struct beacon_json_field click_pattern_fields[] = {
    FIELD(ClickPattern, start_us, "start_us", U64),
    ENUM(ClickPattern, type, click_pattern_type_names),
    FIELD(ClickPattern, count, "count", U32),
    FIELD(ClickPattern, target_ref, "target", REF),
    FIELD(ClickPattern, duration_us, "duration_us", U64),
};

static const struct beacon_json_field custom_metric_fields[] = {
    FIELD(CustomMetric, start_us, "start_us", U64),
    FIELD(CustomMetric, name_ref, "name", REF),
    FIELD(CustomMetric, value, "value", DOUBLE),
    FIELD(CustomMetric, unit_ref, "unit", REF),
    LIST(CustomMetric, attributes, BEACON_JSON_MESSAGES, &attribute_message),
};

const struct beacon_json_message beacon_json_messages[BEACON_FIELD_LAST + 1] = {
    [BEACON_FIELD_HEADER] = MESSAGE(Header, "header", header_fields),
    [BEACON_FIELD_RESOURCE] = MESSAGE(Resource, "resource", resource_fields),
    [BEACON_FIELD_EVENT] = MESSAGE(EventTiming, "event", event_timing_fields),
    [BEACON_FIELD_LAYOUT_SHIFT] = MESSAGE(LayoutShift, "layout_shift", layout_shift_fields),
    [BEACON_FIELD_USER_TIMING] = MESSAGE(UserTiming, "user_timing", user_timing_fields),
    [BEACON_FIELD_LONG_TASK] = MESSAGE(LongTask, "long_task", long_task_fields),
    [BEACON_FIELD_LONG_ANIMATION_FRAME] =
        MESSAGE(LongAnimationFrame, "long_animation_frame", long_animation_frame_fields),
    [BEACON_FIELD_PAINT] = MESSAGE(Paint, "paint", paint_fields),
    [BEACON_FIELD_LARGEST_CONTENTFUL_PAINT] =
        MESSAGE(LargestContentfulPaint, "largest_contentful_paint", largest_contentful_paint_fields),
    [BEACON_FIELD_VISIBILITY_STATE] = MESSAGE(VisibilityState, "visibility_state", visibility_state_fields),
    [BEACON_FIELD_CALL] = MESSAGE(Call, "call", call_fields),
    [BEACON_FIELD_VITAL] = MESSAGE(Vital, "vital", vital_fields),
    [BEACON_FIELD_CUSTOM_EVENT] = MESSAGE(CustomEvent, "custom_event", custom_event_fields),
    [BEACON_FIELD_LEDGER] = MESSAGE(Ledger, "ledger", ledger_fields),
    [BEACON_FIELD_NAVIGATION] = MESSAGE(Navigation, "navigation", navigation_fields),
    [BEACON_FIELD_ERROR] = MESSAGE(ErrorEvent, "error", error_event_fields),
    [BEACON_FIELD_ELEMENT_TIMING] = MESSAGE(ElementTiming, "element_timing", element_timing_fields),
    [BEACON_FIELD_SOFT_NAVIGATION] = MESSAGE(SoftNavigation, "soft_navigation", soft_navigation_fields),
    [BEACON_FIELD_INTERACTION_CONTENTFUL_PAINT] =
        MESSAGE(InteractionContentfulPaint, "interaction_contentful_paint", interaction_contentful_paint_fields),
    [BEACON_FIELD_NOT_RESTORED_REASON] = MESSAGE(NotRestoredReason, "not_restored_reason", not_restored_reason_fields),
    [BEACON_FIELD_MEMORY_MEASUREMENT] = MESSAGE(MemoryMeasurement, "memory_measurement", memory_measurement_fields),
    [BEACON_FIELD_CLICK_PATTERN] = MESSAGE(ClickPattern, "click_pattern", click_pattern_fields),
    [BEACON_FIELD_CUSTOM_METRIC] = MESSAGE(CustomMetric, "custom_metric", custom_metric_fields),
};
