/*
 * The entries of a view, a list a kind. A kind is a row of `lists`, and a row of its table a member of the answer: what
 * the page sends in microseconds is answered in milliseconds. Times named start are from the time origin, and so are the
 * paints' and loads'; the others are from start.
 */
#include "collector/query/query_view_internal.h"

#include <stddef.h>

enum query_member_as {
    QUERY_REF,  /* uint32_t, of the dictionary */
    QUERY_US,   /* 64 bits, signed or below 2^53 */
    QUERY_U32,
    QUERY_U64,
    QUERY_DOUBLE,
    QUERY_BOOL,
    QUERY_ENUM,   /* `name` */
    QUERY_CHOICE, /* a bool, by `name` */
    QUERY_ATTRIBUTES
};

struct query_member {
    const char *key;
    enum query_member_as as;
    size_t at;
    size_t count_at;
    const char *(*name)(uint32_t number);
};

struct query_list {
    const char *key;
    enum beacon_field field;
    const pb_msgdesc_t *fields;
    const struct query_member *members; /* up to one without a key */
};

#define MEMBER(type, label, member, as_)                                                                               \
    {                                                                                                                  \
        .key = label, .as = QUERY_##as_, .at = offsetof(vitrace_v1_##type, member)                                     \
    }
#define NAMED(type, label, member, as_, name_)                                                                         \
    {                                                                                                                  \
        .key = label, .as = QUERY_##as_, .at = offsetof(vitrace_v1_##type, member), .name = name_                      \
    }
#define ATTRIBUTES(type)                                                                                               \
    {                                                                                                                  \
        .key = "attributes", .as = QUERY_ATTRIBUTES, .at = offsetof(vitrace_v1_##type, attributes),                    \
        .count_at = offsetof(vitrace_v1_##type, attributes_count)                                                      \
    }
#define END                                                                                                            \
    {                                                                                                                  \
        .key = NULL                                                                                                    \
    }

static const char *query_name_user_timing(uint32_t is_measure)
{
    return is_measure ? "measure" : "mark";
}

static const char *query_name_visibility(uint32_t hidden)
{
    return hidden ? "hidden" : "visible";
}

static const struct query_member event_members[] = {
    MEMBER(EventTiming, "name", name_ref, REF),
    MEMBER(EventTiming, "start", start_us, US),
    MEMBER(EventTiming, "duration", duration_us, US),
    MEMBER(EventTiming, "processing_start", processing_start_us, US),
    MEMBER(EventTiming, "processing_end", processing_end_us, US),
    MEMBER(EventTiming, "interaction_id", interaction_id, U32),
    MEMBER(EventTiming, "target", target_ref, REF),
    MEMBER(EventTiming, "cancelable", cancelable, BOOL),
    MEMBER(EventTiming, "first_input", first_input, BOOL),
    END,
};

static const struct query_member layout_shift_members[] = {
    MEMBER(LayoutShift, "start", start_us, US),
    MEMBER(LayoutShift, "value", value, DOUBLE),
    MEMBER(LayoutShift, "had_recent_input", had_recent_input, BOOL),
    MEMBER(LayoutShift, "target", target_ref, REF),
    END,
};

static const struct query_member user_timing_members[] = {
    MEMBER(UserTiming, "name", name_ref, REF),
    NAMED(UserTiming, "kind", is_measure, CHOICE, query_name_user_timing),
    MEMBER(UserTiming, "start", start_us, US),
    MEMBER(UserTiming, "duration", duration_us, US),
    END,
};

static const struct query_member paint_members[] = {
    MEMBER(Paint, "name", name_ref, REF),
    MEMBER(Paint, "start", start_us, US),
    END,
};

static const struct query_member largest_paint_members[] = {
    MEMBER(LargestContentfulPaint, "start", start_us, US),
    MEMBER(LargestContentfulPaint, "render_time", render_us, US),
    MEMBER(LargestContentfulPaint, "load_time", load_us, US),
    MEMBER(LargestContentfulPaint, "size", size, U64),
    MEMBER(LargestContentfulPaint, "url", url_ref, REF),
    MEMBER(LargestContentfulPaint, "target", target_ref, REF),
    END,
};

static const struct query_member element_timing_members[] = {
    MEMBER(ElementTiming, "name", name_ref, REF),
    MEMBER(ElementTiming, "identifier", identifier_ref, REF),
    MEMBER(ElementTiming, "start", start_us, US),
    MEMBER(ElementTiming, "render_time", render_us, US),
    MEMBER(ElementTiming, "load_time", load_us, US),
    MEMBER(ElementTiming, "size", size, U64),
    MEMBER(ElementTiming, "url", url_ref, REF),
    MEMBER(ElementTiming, "target", target_ref, REF),
    END,
};

static const struct query_member soft_navigation_members[] = {
    MEMBER(SoftNavigation, "url", name_ref, REF),
    MEMBER(SoftNavigation, "start", start_us, US),
    MEMBER(SoftNavigation, "interaction_id", interaction_id, U32),
    MEMBER(SoftNavigation, "paint_time", paint_us, US),
    MEMBER(SoftNavigation, "presentation_time", presentation_us, US),
    END,
};

static const struct query_member interaction_paint_members[] = {
    MEMBER(InteractionContentfulPaint, "start", start_us, US),
    MEMBER(InteractionContentfulPaint, "render_time", render_us, US),
    MEMBER(InteractionContentfulPaint, "load_time", load_us, US),
    MEMBER(InteractionContentfulPaint, "size", size, U64),
    MEMBER(InteractionContentfulPaint, "url", url_ref, REF),
    MEMBER(InteractionContentfulPaint, "target", target_ref, REF),
    MEMBER(InteractionContentfulPaint, "interaction_id", interaction_id, U32),
    END,
};

static const struct query_member not_restored_members[] = {
    MEMBER(NotRestoredReason, "reason", reason_ref, REF),
    MEMBER(NotRestoredReason, "url", url_ref, REF),
    MEMBER(NotRestoredReason, "depth", depth, U32),
    END,
};

static const struct query_member memory_members[] = {
    MEMBER(MemoryMeasurement, "start", start_us, US),
    MEMBER(MemoryMeasurement, "bytes", bytes, U64),
    MEMBER(MemoryMeasurement, "js_bytes", js_bytes, U64),
    MEMBER(MemoryMeasurement, "dom_bytes", dom_bytes, U64),
    END,
};

static const struct query_member click_pattern_members[] = {
    MEMBER(ClickPattern, "start", start_us, US),
    NAMED(ClickPattern, "type", type, ENUM, query_name_click_pattern),
    MEMBER(ClickPattern, "count", count, U32),
    MEMBER(ClickPattern, "target", target_ref, REF),
    MEMBER(ClickPattern, "duration", duration_us, US),
    END,
};

static const struct query_member visibility_members[] = {
    MEMBER(VisibilityState, "start", start_us, US),
    NAMED(VisibilityState, "state", hidden, CHOICE, query_name_visibility),
    END,
};

static const struct query_member error_members[] = {
    MEMBER(ErrorEvent, "start", start_us, US),
    MEMBER(ErrorEvent, "type", type_ref, REF),
    MEMBER(ErrorEvent, "message", message_ref, REF),
    MEMBER(ErrorEvent, "stack", stack_ref, REF),
    MEMBER(ErrorEvent, "source", source_ref, REF),
    MEMBER(ErrorEvent, "line", line, U32),
    MEMBER(ErrorEvent, "column", column, U32),
    NAMED(ErrorEvent, "origin", origin, ENUM, query_name_error_origin),
    END,
};

static const struct query_member custom_event_members[] = {
    MEMBER(CustomEvent, "name", name_ref, REF),
    MEMBER(CustomEvent, "start", start_us, US),
    ATTRIBUTES(CustomEvent),
    END,
};

static const struct query_member custom_metric_members[] = {
    MEMBER(CustomMetric, "name", name_ref, REF),
    MEMBER(CustomMetric, "start", start_us, US),
    MEMBER(CustomMetric, "value", value, DOUBLE),
    MEMBER(CustomMetric, "unit", unit_ref, REF),
    ATTRIBUTES(CustomMetric),
    END,
};

#define LIST(label, number, type, table)                                                                               \
    {                                                                                                                  \
        label, BEACON_FIELD_##number, vitrace_v1_##type##_fields, table##_members                                      \
    }
static const struct query_list lists[] = {
    LIST("events", EVENT, EventTiming, event),
    LIST("layout_shifts", LAYOUT_SHIFT, LayoutShift, layout_shift),
    LIST("user_timings", USER_TIMING, UserTiming, user_timing),
    LIST("paints", PAINT, Paint, paint),
    LIST("largest_contentful_paints", LARGEST_CONTENTFUL_PAINT, LargestContentfulPaint, largest_paint),
    LIST("visibility_states", VISIBILITY_STATE, VisibilityState, visibility),
    LIST("errors", ERROR, ErrorEvent, error),
    LIST("custom_events", CUSTOM_EVENT, CustomEvent, custom_event),
    LIST("element_timings", ELEMENT_TIMING, ElementTiming, element_timing),
    LIST("soft_navigations", SOFT_NAVIGATION, SoftNavigation, soft_navigation),
    LIST("interaction_contentful_paints", INTERACTION_CONTENTFUL_PAINT, InteractionContentfulPaint, interaction_paint),
    LIST("not_restored_reasons", NOT_RESTORED_REASON, NotRestoredReason, not_restored),
    LIST("memory_measurements", MEMORY_MEASUREMENT, MemoryMeasurement, memory),
    LIST("click_patterns", CLICK_PATTERN, ClickPattern, click_pattern),
    LIST("custom_metrics", CUSTOM_METRIC, CustomMetric, custom_metric),
};

/* What any row of `lists` decodes into. */
union query_entry {
    vitrace_v1_EventTiming event;
    vitrace_v1_LayoutShift layout_shift;
    vitrace_v1_UserTiming user_timing;
    vitrace_v1_Paint paint;
    vitrace_v1_LargestContentfulPaint largest_paint;
    vitrace_v1_VisibilityState visibility;
    vitrace_v1_ErrorEvent error;
    vitrace_v1_CustomEvent custom_event;
    vitrace_v1_ElementTiming element_timing;
    vitrace_v1_SoftNavigation soft_navigation;
    vitrace_v1_InteractionContentfulPaint interaction_paint;
    vitrace_v1_NotRestoredReason not_restored;
    vitrace_v1_MemoryMeasurement memory;
    vitrace_v1_ClickPattern click_pattern;
    vitrace_v1_CustomMetric custom_metric;
};

bool query_entry_begin(struct query_view_data *view, struct json *json, size_t *count)
{
    if ((*count)++ == QUERY_ENTRIES_MAX || query_full(json)) {
        view->truncated = true;
        return false;
    }
    json_object(json, NULL);
    return true;
}

/* Keys are the page's: a pair a member, not a member of an object, so that a repeated key stays valid JSON. */
static void query_write_attributes(struct json *json, const uint8_t *at, pb_size_t count,
                                   const struct beacon_strings *strings)
{
    json_array(json, "attributes");
    for (size_t i = 0; i < count; i++) {
        vitrace_v1_Attribute attribute;
        memcpy(&attribute, at + i * sizeof attribute, sizeof attribute);
        json_object(json, NULL);
        query_write_ref(json, "key", strings, attribute.key_ref);
        if (attribute.text_ref != 0)
            query_write_ref(json, "value", strings, attribute.text_ref);
        else
            json_double(json, "value", attribute.number);
        json_object_end(json);
    }
    json_array_end(json);
}

static void query_write_member(struct json *json, const struct query_member *member, const uint8_t *entry,
                               const struct beacon_strings *strings)
{
    const uint8_t *at = entry + member->at;
    uint32_t u32 = 0;
    int64_t s64 = 0;
    double number = 0;
    bool flag = false;
    pb_size_t count = 0;
    switch (member->as) {
    case QUERY_REF:
        memcpy(&u32, at, sizeof u32);
        query_write_ref(json, member->key, strings, u32);
        return;
    case QUERY_US:
        memcpy(&s64, at, sizeof s64);
        query_write_us(json, member->key, s64);
        return;
    case QUERY_U32:
        memcpy(&u32, at, sizeof u32);
        json_int(json, member->key, u32);
        return;
    case QUERY_U64:
        memcpy(&s64, at, sizeof s64);
        json_int(json, member->key, s64);
        return;
    case QUERY_DOUBLE:
        memcpy(&number, at, sizeof number);
        json_double(json, member->key, number);
        return;
    case QUERY_BOOL:
        memcpy(&flag, at, sizeof flag);
        json_bool(json, member->key, flag);
        return;
    case QUERY_ENUM:
        memcpy(&u32, at, sizeof u32);
        json_text(json, member->key, slice_text(member->name(u32)));
        return;
    case QUERY_CHOICE:
        memcpy(&flag, at, sizeof flag);
        json_text(json, member->key, slice_text(member->name(flag)));
        return;
    case QUERY_ATTRIBUTES:
        memcpy(&count, entry + member->count_at, sizeof count);
        query_write_attributes(json, at, count, strings);
        return;
    }
}

static void query_write_list(struct query_view_data *view, struct json *json, const struct query_list *list)
{
    union query_entry entry;
    struct query_cursor cursor = query_cursor_of(view, list->field);
    size_t count = 0;
    json_array(json, list->key);
    while (query_cursor_next(&cursor, list->fields, &entry) && query_entry_begin(view, json, &count)) {
        for (const struct query_member *member = list->members; member->key != NULL; member++)
            query_write_member(json, member, (const uint8_t *)&entry, cursor.strings);
        json_object_end(json);
    }
    json_array_end(json);
}

void query_write_entries(struct query_view_data *view, struct json *json)
{
    for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++)
        query_write_list(view, json, &lists[i]);
}
