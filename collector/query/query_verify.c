#include "collector/query/query_verify.h"

#include <stdlib.h>

#include "wasm/core/vitals.h"

#define TYPE(name)   vitrace_v1_NavigationType_NAVIGATION_TYPE_##name
#define METRIC(name) vitrace_v1_Metric_METRIC_##name

#define QUERY_ROUNDING_MS 0.001

/* A session window ends at 1 s and 5 s to the double: stretched or shrunk by this, 1 s is off by 2 us. */
#define QUERY_WINDOW_SKEW 2e-6

/* One pass over the view's entries. */
struct query_derivation {
    struct vitals *vitals;
    const vitrace_v1_Vital *reported;
    double now_ms, skew; /* of the times of layout shifts */
    bool lcp_matches, inp_matches;
    bool cls_is_tight; /* a window limit was met to the microsecond */
};

const char *query_verified_name(enum query_verified verified)
{
    switch (verified) {
    case QUERY_VERIFIED_UNKNOWN:
        return "unknown";
    case QUERY_VERIFIED_EQUAL:
        return "equal";
    case QUERY_VERIFIED_DIFFERS:
        return "differs";
    }
    return "unknown";
}

static double query_ms(uint64_t us)
{
    return (double)us / 1e3;
}

/* `times`: how many rounded times the value is made of. */
static bool query_is_near(double a, double b, int times)
{
    double apart = a < b ? b - a : a - b;
    return apart <= times * QUERY_ROUNDING_MS + 1e-9; /* the division by 1,000 itself is not exact */
}

/* --- entries, as the core takes them --- */

static void query_take_navigation(struct query_derivation *self, struct slice body)
{
    vitrace_v1_Navigation navigation = vitrace_v1_Navigation_init_zero;
    struct beacon_phases phases;
    if (!beacon_decode_message(body, vitrace_v1_Navigation_fields, &navigation))
        return;
    beacon_phases_of_navigation(&navigation, &phases);
    bool has_response = !(phases.absent & vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_START);
    vitals_take_navigation(
        self->vitals,
        &(struct vitals_navigation){.now = self->now_ms,
                                    .activation_start = query_ms(navigation.activation_start_us),
                                    .response_start = has_response ? (double)phases.response_start_us / 1e3 : 0});
}

static void query_take_paint(struct query_derivation *self, struct slice body, const struct beacon_strings *strings)
{
    vitrace_v1_Paint paint = vitrace_v1_Paint_init_zero;
    if (beacon_decode_message(body, vitrace_v1_Paint_fields, &paint) &&
        slice_equal(beacon_strings_find(strings, paint.name_ref), slice_text("first-contentful-paint")))
        vitals_take_first_contentful_paint(self->vitals, query_ms(paint.start_us));
}

static void query_take_largest_paint(struct query_derivation *self, struct slice body)
{
    vitrace_v1_LargestContentfulPaint paint = vitrace_v1_LargestContentfulPaint_init_zero;
    if (beacon_decode_message(body, vitrace_v1_LargestContentfulPaint_fields, &paint))
        vitals_take_largest_paint(
            self->vitals, &(struct vitals_paint){.start_time = query_ms(paint.start_us), .last_of_batch = true});
}

static void query_take_interaction_paint(struct query_derivation *self, struct slice body)
{
    vitrace_v1_InteractionContentfulPaint paint = vitrace_v1_InteractionContentfulPaint_init_zero;
    if (beacon_decode_message(body, vitrace_v1_InteractionContentfulPaint_fields, &paint))
        vitals_take_interaction_paint(self->vitals,
                                      &(struct vitals_interaction_paint){.interaction_start = query_ms(paint.start_us),
                                                                         .render_time = query_ms(paint.render_us),
                                                                         .interaction_id = paint.interaction_id});
}

static void query_take_soft_navigation(struct query_derivation *self, struct slice body)
{
    vitrace_v1_SoftNavigation soft = vitrace_v1_SoftNavigation_init_zero;
    if (beacon_decode_message(body, vitrace_v1_SoftNavigation_fields, &soft))
        vitals_take_soft_navigation(
            self->vitals, &(struct vitals_soft_navigation){.paint_time = query_ms(soft.paint_us),
                                                           .presentation_time = query_ms(soft.presentation_us),
                                                           .interaction_id = soft.interaction_id});
}

static void query_take_shift(struct query_derivation *self, struct slice body)
{
    vitrace_v1_LayoutShift shift = vitrace_v1_LayoutShift_init_zero;
    if (beacon_decode_message(body, vitrace_v1_LayoutShift_fields, &shift))
        vitals_take_shift(self->vitals, &(struct vitals_shift){.start_time = query_ms(shift.start_us) * self->skew,
                                                               .value = shift.value,
                                                               .had_recent_input = shift.had_recent_input});
}

static void query_take_event(struct query_derivation *self, struct slice body)
{
    vitrace_v1_EventTiming event = vitrace_v1_EventTiming_init_zero;
    const vitrace_v1_Vital *inp = &self->reported[METRIC(INP)];
    if (!beacon_decode_message(body, vitrace_v1_EventTiming_fields, &event))
        return;
    double start = query_ms(event.start_us), duration = query_ms(event.duration_us);
    vitals_take_event(self->vitals,
                      &(struct vitals_event){.start_time = start,
                                             .duration = duration,
                                             .processing_start = start + (double)event.processing_start_us / 1e3,
                                             .processing_end = start + (double)event.processing_end_us / 1e3,
                                             .interaction_id = event.interaction_id,
                                             .first_input = event.first_input});
    if (event.interaction_id != 0 && query_is_near(duration, inp->value, 1) && query_is_near(start, inp->time, 1))
        self->inp_matches = true;
}

/* Whether it was told when it happened or later is not stored: the first one since the activation is what counts. */
static void query_take_visibility(struct query_derivation *self, struct slice body)
{
    vitrace_v1_VisibilityState state = vitrace_v1_VisibilityState_init_zero;
    if (beacon_decode_message(body, vitrace_v1_VisibilityState_fields, &state))
        vitals_take_visibility(self->vitals, query_ms(state.start_us), state.hidden, true);
}

static void query_take_record(struct query_derivation *self, const struct beacon_record *record,
                              const struct beacon_strings *strings)
{
    if (record->field == BEACON_FIELD_NAVIGATION)
        query_take_navigation(self, record->body);
    else if (record->field == BEACON_FIELD_PAINT)
        query_take_paint(self, record->body, strings);
    else if (record->field == BEACON_FIELD_LARGEST_CONTENTFUL_PAINT)
        query_take_largest_paint(self, record->body);
    else if (record->field == BEACON_FIELD_INTERACTION_CONTENTFUL_PAINT)
        query_take_interaction_paint(self, record->body);
    else if (record->field == BEACON_FIELD_SOFT_NAVIGATION)
        query_take_soft_navigation(self, record->body);
    else if (record->field == BEACON_FIELD_LAYOUT_SHIFT)
        query_take_shift(self, record->body);
    else if (record->field == BEACON_FIELD_EVENT)
        query_take_event(self, record->body);
    else if (record->field == BEACON_FIELD_VISIBILITY_STATE)
        query_take_visibility(self, record->body);
    else
        return;
    const struct vital *lcp = vitals_find(self->vitals, VITAL_LCP);
    if (lcp->state == VITAL_MEASURED && query_is_near(lcp->value, self->reported[METRIC(LCP)].value, 2))
        self->lcp_matches = true;
}

/* --- the pass --- */

/* A view that began in a document that was there already: its load was measured, in beacons of another view. */
static void query_derivation_restart(struct query_derivation *self, const vitrace_v1_Page *page)
{
    uint32_t type = page->navigation_type;
    if (type != TYPE(BACK_FORWARD_CACHE) && type != TYPE(SOFT_NAVIGATION) && type != TYPE(ROUTE_CHANGE))
        return;
    vitals_take_navigation(self->vitals, &(struct vitals_navigation){.now = 2, .response_start = 1});
    vitals_take_first_contentful_paint(self->vitals, 1);
    vitals_loaded(self->vitals, 2);
    vitals_restart(self->vitals, type, query_ms(page->view_start_us), false);
}

static void query_derive(struct query_derivation *self, const struct query_view_data *view, double skew)
{
    self->skew = skew;
    self->now_ms = query_ms(view->newest.ledger.sealed_mono_us);
    vitals_init(self->vitals, &(struct vitals_start){.supported = ~0u});
    query_derivation_restart(self, &view->newest.header.page);
    for (size_t i = 0; i < view->beacon_count; i++) {
        struct beacon_reader reader = beacon_reader_of(view->beacon[i].payload);
        struct beacon_record record;
        while (beacon_reader_next(&reader, &record))
            query_take_record(self, &record, &view->beacon[i].strings);
    }
    vitals_loaded(self->vitals, self->now_ms);
    vitals_leave(self->vitals);
}

static bool query_cls_is(const struct query_derivation *self, double value)
{
    const struct vital *cls = vitals_find(self->vitals, VITAL_CLS);
    return cls->state == VITAL_MEASURED && cls->value >= value && cls->value <= value;
}

/*
 * All limits met one way, or all the other. When that makes a difference and neither is the page's, some were met this
 * way and some that way: nobody can tell any more. Leaves the vitals as the entries' own times give them.
 */
static bool query_cls_matches(struct query_derivation *self, const struct query_view_data *view)
{
    double value = self->reported[METRIC(CLS)].value, plain = vitals_find(self->vitals, VITAL_CLS)->value;
    bool matches = query_cls_is(self, value);
    if (matches)
        return true;
    for (int side = -1; side <= 1 && !matches; side += 2) {
        query_derive(self, view, 1 + side * QUERY_WINDOW_SKEW);
        matches = query_cls_is(self, value);
        self->cls_is_tight |= !query_cls_is(self, plain);
    }
    query_derive(self, view, 1);
    return matches;
}

/* --- the verdict --- */

/* Of an interaction whose handlers ran past its paint (a dialog held them), the delay alone is longer than the value.
 */
static bool query_parts_add_up(const vitrace_v1_Vital *vital)
{
    double sum = 0, rest = 0;
    for (size_t i = 0; i < vital->parts_count; i++)
        sum += vital->parts[i];
    for (size_t i = 1; i < vital->parts_count; i++)
        rest += vital->parts[i] < 0 ? -vital->parts[i] : vital->parts[i];
    bool is_clamped = vital->metric == METRIC(INP) && sum > vital->value && query_is_near(rest, 0, 1);
    return vital->parts_count == 0 || is_clamped || query_is_near(sum, vital->value, 1);
}

static bool query_is_consistent(const vitrace_v1_Vital *vital)
{
    return (uint32_t)vital->rating == (uint32_t)vital_rate((enum vital_metric)vital->metric, vital->value) &&
           query_parts_add_up(vital);
}

/* Everything that the page saw of this view is here. */
static bool query_is_complete(const struct query_view_data *view)
{
    const vitrace_v1_Ledger *ledger = &view->newest.ledger;
    uint64_t lost = store_view_delivery(view->row).lost + ledger->segments_dropped + ledger->budget_level;
    for (size_t i = 0; i < ledger->losses_count; i++)
        if (ledger->losses[i].reason != vitrace_v1_LossReason_LOSS_REASON_PAGE_LEFT)
            lost += ledger->losses[i].count;
    bool has_crashed = view->beacon_count > 0 && view->beacon[view->beacon_count - 1].seq == STORE_SEQ_SNAPSHOT;
    return view->newest.has_ledger && lost == 0 && ledger->entries_encoded == ledger->entries_seen && !has_crashed &&
           !view->truncated;
}

static bool query_matches(struct query_derivation *self, const struct query_view_data *view, uint32_t metric)
{
    const vitrace_v1_Vital *reported = &self->reported[metric];
    const struct vital *derived = vitals_find(self->vitals, (enum vital_metric)metric);
    switch ((enum vital_metric)metric) {
    case VITAL_LCP:
        return self->lcp_matches;
    case VITAL_INP:
        return self->inp_matches;
    case VITAL_CLS:
        return query_cls_matches(self, view);
    case VITAL_FCP:
    case VITAL_TTFB:
        break;
    }
    return derived->state == VITAL_MEASURED && query_is_near(derived->value, reported->value, 2);
}

static struct query_verdict query_judge(struct query_derivation *self, const struct query_view_data *view,
                                        uint32_t metric)
{
    const struct vital *derived = vitals_find(self->vitals, (enum vital_metric)metric);
    struct query_verdict verdict = {.has_derived = derived->state == VITAL_MEASURED, .derived = derived->value};
    bool is_consistent = query_is_consistent(&self->reported[metric]);
    bool matches = query_matches(self, view, metric), is_tight = metric == METRIC(CLS) && self->cls_is_tight;
    if (is_consistent && matches)
        verdict.verified = QUERY_VERIFIED_EQUAL;
    else if (!is_consistent || (verdict.has_derived && query_is_complete(view) && !is_tight))
        verdict.verified = QUERY_VERIFIED_DIFFERS;
    return verdict;
}

bool query_verify(const struct query_view_data *view, const vitrace_v1_Vital reported[QUERY_VERIFY_METRICS],
                  struct query_verdict verdict[QUERY_VERIFY_METRICS])
{
    struct query_derivation derivation = {.vitals = malloc(vitals_bytes()), .reported = reported};
    if (!derivation.vitals)
        return false;
    query_derive(&derivation, view, 1);
    for (uint32_t metric = VITAL_LCP; metric <= VITAL_TTFB; metric++)
        verdict[metric] = reported[metric].state == vitrace_v1_VitalState_VITAL_STATE_MEASURED
                              ? query_judge(&derivation, view, metric)
                              : (struct query_verdict){0};
    free(derivation.vitals);
    return true;
}
