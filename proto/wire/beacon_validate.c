/*
 * The whole check of a beacon from the network, in one pass over its bytes: each record is decoded and held to the
 * schema's bounds. The dictionary may stand after the records that use it, so that of the references only the largest is
 * kept, and compared with the number of strings at the end.
 *
 * What is wrong with the framing, or how much there is of everything, is told before what is wrong with a record, of
 * several bad records the first is told: a beacon that was cut on the way is called truncated wherever that was. So the
 * pass goes on behind a bad record, looking at the framing alone.
 */
#include "proto/wire/beacon_decode.h"
#include "proto/wire/layout.h"

#include <math.h>
#include <stddef.h>

#define APP_BYTES_MAX    64u
#define VITAL_MS_MAX     600000.0 /* ten minutes: no page is waited for longer */
#define CLS_MAX          100.0
#define TIME_US_MAX      ((uint64_t)1 << 53)

union record {
    vitrace_v1_Header header;
    vitrace_v1_Resource resource;
    vitrace_v1_EventTiming event;
    vitrace_v1_LayoutShift layout_shift;
    vitrace_v1_UserTiming user_timing;
    vitrace_v1_LongTask long_task;
    vitrace_v1_LongAnimationFrame long_animation_frame;
    vitrace_v1_Paint paint;
    vitrace_v1_LargestContentfulPaint largest_contentful_paint;
    vitrace_v1_VisibilityState visibility_state;
    vitrace_v1_Call call;
    vitrace_v1_Vital vital;
    vitrace_v1_CustomEvent custom_event;
    vitrace_v1_Ledger ledger;
    vitrace_v1_Navigation navigation;
    vitrace_v1_ErrorEvent error;
    vitrace_v1_ElementTiming element_timing;
    vitrace_v1_SoftNavigation soft_navigation;
    vitrace_v1_InteractionContentfulPaint interaction_contentful_paint;
    vitrace_v1_NotRestoredReason not_restored_reason;
    vitrace_v1_MemoryMeasurement memory_measurement;
    vitrace_v1_ClickPattern click_pattern;
    vitrace_v1_CustomMetric custom_metric;
};

struct check {
    uint32_t ref_max; /* of the records up to the first bad one, and of that one what was read before it was found bad */
    struct beacon_summary *summary;
    unsigned headers;
    unsigned ledgers;
    unsigned navigations;
    union record record; /* scratch */
};

typedef enum beacon_status check_record(struct check *self, struct slice body);

static void note_ref(struct check *self, uint32_t ref)
{
    if (ref > self->ref_max)
        self->ref_max = ref;
}

static bool text_is_utf8(struct slice text)
{
    size_t i = 0;
    while (i < text.size) {
        uint8_t lead = text.data[i];
        unsigned more = lead < 0x80 ? 0 : (lead & 0xe0) == 0xc0 ? 1 : (lead & 0xf0) == 0xe0 ? 2 : (lead & 0xf8) == 0xf0 ? 3 : 9;
        if (more == 9 || text.size - i <= more)
            return false;
        uint32_t point = more == 0 ? lead : lead & (0x3fu >> more);
        for (unsigned k = 1; k <= more; k++) {
            if ((text.data[i + k] & 0xc0) != 0x80)
                return false;
            point = point << 6 | (text.data[i + k] & 0x3f);
        }
        static const uint32_t least[4] = {0, 0x80, 0x800, 0x10000};
        if (point < least[more] || point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff))
            return false;
        i += more + 1u;
    }
    return true;
}

static bool app_is_well_formed(const char *app)
{
    size_t size = strlen(app);
    if (size == 0 || size > APP_BYTES_MAX || app[0] == '_' || app[0] == '-')
        return false;
    for (size_t i = 0; i < size; i++) {
        char c = app[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return true;
}

static enum beacon_status check_header(struct check *self, struct slice body)
{
    vitrace_v1_Header *h = &self->summary->header;
    if (self->headers++ > 0)
        return BEACON_NO_HEADER;
    if (!layout_decode(&layout_of_Header, body, h))
        return BEACON_BAD_HEADER;
    if (h->schema_version != VITRACE_SCHEMA_VERSION)
        return BEACON_BAD_VERSION;
    if (!app_is_well_formed(h->app) || ids_is_zero(h->view_id, sizeof h->view_id) ||
        ids_is_zero(h->session_id, sizeof h->session_id))
        return BEACON_BAD_HEADER;
    return BEACON_OK;
}

static enum beacon_status check_string(struct check *self, struct slice body)
{
    (void)self;
    return body.size <= BEACON_STRING_BYTES_MAX && (slice_is_ascii(body) || text_is_utf8(body)) ? BEACON_OK : BEACON_BAD_STRING;
}

static enum beacon_status check_claims(const vitrace_v1_Claim *claims, pb_size_t count)
{
    for (pb_size_t i = 0; i < count; i++)
        if (ids_is_zero(claims[i].trace_id, sizeof claims[i].trace_id))
            return BEACON_MALFORMED;
    return BEACON_OK;
}

static enum beacon_status check_server_timings(struct check *self, const vitrace_v1_ServerTiming *timings, pb_size_t count)
{
    for (pb_size_t i = 0; i < count; i++) {
        note_ref(self, timings[i].name_ref);
        note_ref(self, timings[i].description_ref);
        if (!isfinite(timings[i].duration_ms))
            return BEACON_OUT_OF_RANGE;
    }
    return BEACON_OK;
}

static enum beacon_status check_resource(struct check *self, struct slice body)
{
    vitrace_v1_Resource *r = &self->record.resource;
    if (!layout_decode(&layout_of_Resource, body, r))
        return BEACON_MALFORMED;
    note_ref(self, r->name_ref);
    if (r->start_us > TIME_US_MAX)
        return BEACON_OUT_OF_RANGE;
    enum beacon_status status = check_claims(r->claims, r->claims_count);
    return status != BEACON_OK ? status : check_server_timings(self, r->server_timings, r->server_timings_count);
}

static enum beacon_status check_navigation(struct check *self, struct slice body)
{
    vitrace_v1_Navigation *n = &self->record.navigation;
    if (self->navigations++ > 0 || !layout_decode(&layout_of_Navigation, body, n))
        return BEACON_MALFORMED;
    note_ref(self, n->name_ref);
    enum beacon_status status = check_claims(n->claims, n->claims_count);
    return status != BEACON_OK ? status : check_server_timings(self, n->server_timings, n->server_timings_count);
}

static enum beacon_status check_call(struct check *self, struct slice body)
{
    vitrace_v1_Call *c = &self->record.call;
    if (!layout_decode(&layout_of_Call, body, c))
        return BEACON_MALFORMED;
    note_ref(self, c->url_ref);
    note_ref(self, c->method_ref);
    return check_claims(c->claims, c->claims_count);
}

static enum beacon_status check_layout_shift(struct check *self, struct slice body)
{
    vitrace_v1_LayoutShift *s = &self->record.layout_shift;
    if (!layout_decode(&layout_of_LayoutShift, body, s))
        return BEACON_MALFORMED;
    note_ref(self, s->target_ref);
    return isfinite(s->value) && s->value >= 0 && s->value <= CLS_MAX ? BEACON_OK : BEACON_OUT_OF_RANGE;
}

static enum beacon_status check_long_animation_frame(struct check *self, struct slice body)
{
    vitrace_v1_LongAnimationFrame *f = &self->record.long_animation_frame;
    if (!layout_decode(&layout_of_LongAnimationFrame, body, f))
        return BEACON_MALFORMED;
    for (pb_size_t i = 0; i < f->scripts_count; i++) {
        const vitrace_v1_LongFrameScript *s = &f->scripts[i];
        note_ref(self, s->source_url_ref);
        note_ref(self, s->source_function_ref);
        note_ref(self, s->invoker_ref);
        note_ref(self, s->invoker_type_ref);
    }
    return BEACON_OK;
}

static bool all_finite(const double *values, pb_size_t count)
{
    for (pb_size_t i = 0; i < count; i++)
        if (!isfinite(values[i]))
            return false;
    return true;
}

static void note_longest_script(struct check *self, const vitrace_v1_LongestScript *s)
{
    note_ref(self, s->source_url_ref);
    note_ref(self, s->source_function_ref);
    note_ref(self, s->invoker_ref);
    note_ref(self, s->invoker_type_ref);
}

static enum beacon_status check_vital(struct check *self, struct slice body)
{
    vitrace_v1_Vital *v = &self->record.vital;
    if (!layout_decode(&layout_of_Vital, body, v))
        return BEACON_MALFORMED;
    note_ref(self, v->target_ref);
    note_ref(self, v->url_ref);
    note_ref(self, v->name_ref);
    note_longest_script(self, &v->longest_script);
    double most = v->metric == vitrace_v1_Metric_METRIC_CLS ? CLS_MAX : VITAL_MS_MAX;
    if (!isfinite(v->value) || v->value < 0 || v->value > most || !isfinite(v->time))
        return BEACON_OUT_OF_RANGE;
    bool is_sane = all_finite(v->parts, v->parts_count) && all_finite(v->frame_parts, v->frame_parts_count) &&
                   isfinite(v->longest_script.intersecting_ms);
    return is_sane ? BEACON_OK : BEACON_OUT_OF_RANGE;
}

static enum beacon_status check_attributes(struct check *self, const vitrace_v1_Attribute *attributes, pb_size_t count)
{
    for (pb_size_t i = 0; i < count; i++) {
        note_ref(self, attributes[i].key_ref);
        note_ref(self, attributes[i].text_ref);
        if (!isfinite(attributes[i].number))
            return BEACON_OUT_OF_RANGE;
    }
    return BEACON_OK;
}

static enum beacon_status check_custom_event(struct check *self, struct slice body)
{
    vitrace_v1_CustomEvent *e = &self->record.custom_event;
    if (!layout_decode(&layout_of_CustomEvent, body, e))
        return BEACON_MALFORMED;
    note_ref(self, e->name_ref);
    return check_attributes(self, e->attributes, e->attributes_count);
}

static enum beacon_status check_custom_metric(struct check *self, struct slice body)
{
    vitrace_v1_CustomMetric *m = &self->record.custom_metric;
    if (!layout_decode(&layout_of_CustomMetric, body, m))
        return BEACON_MALFORMED;
    note_ref(self, m->name_ref);
    note_ref(self, m->unit_ref);
    if (!isfinite(m->value))
        return BEACON_OUT_OF_RANGE;
    return check_attributes(self, m->attributes, m->attributes_count);
}

static enum beacon_status check_ledger(struct check *self, struct slice body)
{
    if (self->ledgers++ > 0 || !layout_decode(&layout_of_Ledger, body, &self->summary->ledger))
        return BEACON_MALFORMED;
    self->summary->has_ledger = true;
    return BEACON_OK;
}

/* Records of which nothing but the references is left to check once they have decoded: a row each. */
#define REFS_MAX 4

struct plain_record {
    const struct layout *layout;
    uint8_t refs;
    uint8_t ref_at[REFS_MAX]; /* offsets in the struct */
};

#define AT(type, member)       offsetof(vitrace_v1_##type, member)
#define REFS(type, count, ...) {&layout_of_##type, count, {__VA_ARGS__}}

static const struct plain_record plain_records[BEACON_FIELD_LAST + 1] = {
    [BEACON_FIELD_EVENT] = REFS(EventTiming, 2, AT(EventTiming, name_ref), AT(EventTiming, target_ref)),
    [BEACON_FIELD_USER_TIMING] = REFS(UserTiming, 1, AT(UserTiming, name_ref)),
    [BEACON_FIELD_LONG_TASK] = REFS(LongTask, 1, AT(LongTask, name_ref)),
    [BEACON_FIELD_PAINT] = REFS(Paint, 1, AT(Paint, name_ref)),
    [BEACON_FIELD_LARGEST_CONTENTFUL_PAINT] =
        REFS(LargestContentfulPaint, 2, AT(LargestContentfulPaint, url_ref), AT(LargestContentfulPaint, target_ref)),
    [BEACON_FIELD_VISIBILITY_STATE] = REFS(VisibilityState, 0, 0),
    [BEACON_FIELD_ERROR] = REFS(ErrorEvent, 4, AT(ErrorEvent, type_ref), AT(ErrorEvent, message_ref),
                                AT(ErrorEvent, stack_ref), AT(ErrorEvent, source_ref)),
    [BEACON_FIELD_ELEMENT_TIMING] = REFS(ElementTiming, 4, AT(ElementTiming, name_ref),
                                         AT(ElementTiming, identifier_ref), AT(ElementTiming, url_ref),
                                         AT(ElementTiming, target_ref)),
    [BEACON_FIELD_SOFT_NAVIGATION] = REFS(SoftNavigation, 1, AT(SoftNavigation, name_ref)),
    [BEACON_FIELD_INTERACTION_CONTENTFUL_PAINT] =
        REFS(InteractionContentfulPaint, 2, AT(InteractionContentfulPaint, url_ref),
             AT(InteractionContentfulPaint, target_ref)),
    [BEACON_FIELD_NOT_RESTORED_REASON] =
        REFS(NotRestoredReason, 2, AT(NotRestoredReason, reason_ref), AT(NotRestoredReason, url_ref)),
    [BEACON_FIELD_MEMORY_MEASUREMENT] = REFS(MemoryMeasurement, 0, 0),
    [BEACON_FIELD_CLICK_PATTERN] = REFS(ClickPattern, 1, AT(ClickPattern, target_ref)),
};

static enum beacon_status check_plain(struct check *self, const struct plain_record *plain, struct slice body)
{
    if (!layout_decode(plain->layout, body, &self->record))
        return BEACON_MALFORMED;
    for (unsigned i = 0; i < plain->refs; i++) {
        uint32_t ref;
        memcpy(&ref, (const uint8_t *)&self->record + plain->ref_at[i], sizeof ref);
        note_ref(self, ref);
    }
    return BEACON_OK;
}

static check_record *const checks[BEACON_FIELD_LAST + 1] = {
    [BEACON_FIELD_HEADER] = check_header,
    [BEACON_FIELD_STRING] = check_string,
    [BEACON_FIELD_RESOURCE] = check_resource,
    [BEACON_FIELD_LAYOUT_SHIFT] = check_layout_shift,
    [BEACON_FIELD_LONG_ANIMATION_FRAME] = check_long_animation_frame,
    [BEACON_FIELD_CALL] = check_call,
    [BEACON_FIELD_VITAL] = check_vital,
    [BEACON_FIELD_CUSTOM_EVENT] = check_custom_event,
    [BEACON_FIELD_LEDGER] = check_ledger,
    [BEACON_FIELD_NAVIGATION] = check_navigation,
    [BEACON_FIELD_CUSTOM_METRIC] = check_custom_metric,
};

static enum beacon_status check_one(struct check *self, const struct walk_field *record)
{
    check_record *check = checks[record->number];
    return check != NULL ? check(self, record->bytes) : check_plain(self, &plain_records[record->number], record->bytes);
}

/* Framing and amounts. */
static enum beacon_status check_frame(struct beacon_summary *summary, const struct walk_field *record)
{
    if (record->number <= BEACON_FIELD_LAST && record->type != WALK_BYTES)
        return BEACON_MALFORMED;
    if (++summary->records > BEACON_RECORDS_MAX)
        return BEACON_TOO_LARGE;
    if (record->number == BEACON_FIELD_STRING && ++summary->strings > BEACON_STRINGS_MAX)
        return BEACON_TOO_LARGE;
    return BEACON_OK;
}

/* Returns what is wrong with the framing; *verdict is what is wrong with the first bad record. */
static enum beacon_status check_all(struct check *self, struct slice beacon, enum beacon_status *verdict)
{
    struct walk walk = walk_of(beacon);
    struct walk_field record;
    enum walk_status status;
    while ((status = walk_next(&walk, &record)) == WALK_FIELD) {
        enum beacon_status framing = check_frame(self->summary, &record);
        if (framing != BEACON_OK)
            return framing;
        if (*verdict == BEACON_OK && record.number <= BEACON_FIELD_LAST)
            *verdict = check_one(self, &record);
    }
    if (status == WALK_INCOMPLETE)
        return BEACON_TRUNCATED;
    return status == WALK_END ? BEACON_OK : BEACON_MALFORMED;
}

enum beacon_status beacon_validate(struct slice beacon, struct beacon_summary *summary)
{
    summary->has_ledger = false;
    summary->records = summary->strings = 0;
    memset(&summary->ledger, 0, sizeof summary->ledger);
    if (beacon.size == 0)
        return BEACON_EMPTY;
    if (beacon.size > BEACON_BYTES_MAX)
        return BEACON_TOO_LARGE;
    struct check check;
    check.ref_max = check.headers = check.ledgers = check.navigations = 0;
    check.summary = summary;
    enum beacon_status verdict = BEACON_OK;
    enum beacon_status framing = check_all(&check, beacon, &verdict);
    if (framing != BEACON_OK)
        return framing;
    if (check.ref_max > summary->strings)
        return BEACON_BAD_REFERENCE;
    return verdict == BEACON_OK && check.headers == 0 ? BEACON_NO_HEADER : verdict;
}
