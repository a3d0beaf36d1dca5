#include "wasm/core/vitals_internal.h"

#include <stddef.h>
#include <string.h>

/* NavigationType in beacon.proto, as far as rules choose it here. */
enum navigation_type {
    NAVIGATION_TYPE_NAVIGATE = 1,
    NAVIGATION_TYPE_BACK_FORWARD_CACHE = 4,
    NAVIGATION_TYPE_PRERENDER = 5,
    NAVIGATION_TYPE_RESTORE = 6,
    NAVIGATION_TYPE_ROUTE_CHANGE = 8
};

/* What a view can have that begins without a load and without entries of the browser. */
#define ROUTE_METRICS (1u << (VITAL_INP - 1) | 1u << (VITAL_CLS - 1))

/* Inclusive on the better side: exactly 2,500 ms is a good LCP. */
static const struct {
    double good_max, poor_above;
} vital_thresholds[VITAL_METRICS] = {
    [VITAL_LCP - 1] = {2500, 4000}, [VITAL_INP - 1] = {200, 500},   [VITAL_CLS - 1] = {0.1, 0.25},
    [VITAL_FCP - 1] = {1800, 3000}, [VITAL_TTFB - 1] = {800, 1800},
};

enum vital_rating vital_rate(enum vital_metric metric, double value)
{
    if (value > vital_thresholds[metric - 1].poor_above)
        return VITAL_POOR;
    return value > vital_thresholds[metric - 1].good_max ? VITAL_NEEDS_IMPROVEMENT : VITAL_GOOD;
}

unsigned vitals_bytes(void)
{
    return (unsigned)sizeof(struct vitals);
}

struct vitals *vitals_init(void *memory, const struct vitals_start *start)
{
    struct vitals *self = memory;
    memset(self, 0, sizeof *self);
    self->page.prerendering = start->prerendering;
    self->page.was_discarded = start->was_discarded;
    /* A prerendered page is always "hidden": that tells nothing, and neither do entries from that time. */
    self->page.was_hidden = start->hidden && !start->prerendering;
    self->page.hidden_is_guess = !start->prerendering;
    self->page.supported = start->supported;
    for (unsigned i = 0; i < VITAL_METRICS; i++)
        if (!(start->supported >> i & 1u)) {
            self->vital[i].state = VITAL_UNSUPPORTED;
            self->vital[i].revision = 1;
        }
    return self;
}

const struct vitals_navigation *vitals_sane_navigation(const struct vitals *self)
{
    const struct vitals_page *page = &self->page;
    double response_start = page->navigation.response_start;
    /* Some browsers give 0 for privacy, some a negative or future value by mistake (web-vitals issues 137, 162, 275).
     */
    if (!page->has_navigation || !(response_start > 0) || !(response_start < page->now))
        return NULL;
    return &page->navigation;
}

double vitals_activation_start(const struct vitals *self)
{
    const struct vitals_navigation *navigation = vitals_sane_navigation(self);
    return navigation == NULL ? 0 : navigation->activation_start;
}

bool vitals_was_visible(const struct vitals *self, double time)
{
    return !self->page.was_hidden || time < self->page.first_hidden;
}

bool vitals_is_supported(const struct vitals *self, enum vital_metric metric)
{
    return self->page.supported >> (metric - 1) & 1u;
}

/*
 * A time of the navigation entry that is still 0 lies in the future of `time`, so that the answer is the same whenever
 * it is asked for.
 */
enum vital_load_state vitals_load_state(const struct vitals *self, double time, bool loaded)
{
    const struct vitals_navigation *navigation = vitals_sane_navigation(self);
    if (navigation == NULL)
        return loaded ? VITAL_COMPLETE : VITAL_LOADING;
    if (time < navigation->dom_interactive || (navigation->dom_interactive == 0 && !loaded))
        return VITAL_LOADING;
    if (time < navigation->dom_content_loaded || navigation->dom_content_loaded == 0)
        return VITAL_DOM_INTERACTIVE;
    if (time < navigation->dom_complete || navigation->dom_complete == 0)
        return VITAL_DOM_CONTENT_LOADED;
    return VITAL_COMPLETE;
}

uint32_t vitals_navigation_type(const struct vitals *self)
{
    const struct vitals_navigation *navigation = vitals_sane_navigation(self);
    if (self->page.view != VITALS_VIEW_LOAD)
        return self->page.view_type;
    if (navigation == NULL)
        return NAVIGATION_TYPE_NAVIGATE;
    if (self->page.prerendering || navigation->activation_start > 0)
        return NAVIGATION_TYPE_PRERENDER;
    if (self->page.was_discarded)
        return NAVIGATION_TYPE_RESTORE;
    return navigation->type != 0 ? navigation->type : NAVIGATION_TYPE_NAVIGATE;
}

/* All of it but the revision. */
#define VITAL_COMPARED_BYTES offsetof(struct vital, revision)

_Static_assert(sizeof(struct vital) == (2 + VITAL_PARTS_MAX + VITAL_FRAME_PARTS + 2) * sizeof(double) +
                                           (VITAL_SOURCE_TEXTS + 2 + 10) * sizeof(uint32_t),
               "a struct vital has no padding");

static bool all_finite(const double *values, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!number_is_finite(values[i]))
            return false;
    return true;
}

void vitals_publish(struct vitals *self, enum vital_metric metric, struct vital *next)
{
    struct vital *slot = &self->vital[metric - 1];
    /* Finite entries can still overflow in a difference, and a beacon must not carry that. */
    if (slot->state == VITAL_UNSUPPORTED || !(next->value >= 0) || !number_is_finite(next->value) ||
        !all_finite(next->parts, next->part_count))
        return;
    if (!all_finite(next->frames.parts, VITAL_FRAME_PARTS))
        next->frames = (struct vital_frames){0};
    next->state = VITAL_MEASURED;
    next->rating = vital_rate(metric, next->value);
    next->navigation_type = vitals_navigation_type(self);
    next->revision = slot->revision + 1;
    if (memcmp(slot, next, VITAL_COMPARED_BYTES) != 0)
        *slot = *next;
}

/* Whatever was derived from the navigation entry is derived again. */
static void vitals_refresh(struct vitals *self)
{
    vitals_load_refresh(self);
    vitals_lcp_refresh(self);
    vitals_cls_refresh(self);
    vitals_inp_refresh(self);
}

static void vitals_see_clock(struct vitals *self, double now)
{
    if (number_is_finite(now))
        self->page.now = number_max(self->page.now, now);
}

void vitals_take_navigation(struct vitals *self, const struct vitals_navigation *navigation)
{
    struct vitals_navigation *own = &self->page.navigation;
    if (!number_is_finite(navigation->response_start) || navigation->response_start <= 0)
        return; /* never sane; an earlier reading of the same entry may have been */
    *own = *navigation;
    for (unsigned i = 0; i < VITALS_NAVIGATION_TIMES; i++)
        if (!number_is_finite(own->times[i]))
            own->times[i] = 0;
    self->page.has_navigation = true;
    vitals_see_clock(self, navigation->now);
    vitals_refresh(self);
}

void vitals_take_first_contentful_paint(struct vitals *self, double start_time)
{
    if (number_is_finite(start_time))
        vitals_load_take_paint(self, start_time);
}

void vitals_take_largest_paint(struct vitals *self, const struct vitals_paint *paint)
{
    if (number_is_finite(paint->start_time))
        vitals_lcp_take_paint(self, paint);
}

void vitals_take_soft_navigation(struct vitals *self, const struct vitals_soft_navigation *navigation)
{
    if (self->page.view != VITALS_VIEW_SOFT || !all_finite(navigation->times, VITALS_SOFT_NAVIGATION_TIMES))
        return;
    self->page.interaction_id = navigation->interaction_id;
    vitals_load_take_soft_navigation(self, navigation);
}

void vitals_take_interaction_paint(struct vitals *self, const struct vitals_interaction_paint *paint)
{
    if (number_is_finite(paint->interaction_start) && number_is_finite(paint->render_time) &&
        number_is_finite(paint->paint.start_time))
        vitals_lcp_take_interaction_paint(self, paint);
}

void vitals_take_long_frame(struct vitals *self, struct vitals_long_frame *frame)
{
    if (!all_finite(frame->times, 2)) /* without styles is fine */
        return;
    if (!vitals_long_frames_have_room(&self->long_frames, frame->script_count))
        vitals_inp_forget(self);
    vitals_long_frames_make_room(&self->long_frames, frame->script_count);
    vitals_long_frames_add(&self->long_frames, frame);
}

void vitals_take_resource(struct vitals *self, const struct vitals_resource *resource)
{
    if (number_is_finite(resource->start_time) && number_is_finite(resource->response_end))
        vitals_lcp_take_resource(self, resource);
}

void vitals_take_shift(struct vitals *self, const struct vitals_shift *shift)
{
    if (number_is_finite(shift->start_time) && number_is_finite(shift->value))
        vitals_cls_take_shift(self, shift);
}

void vitals_take_event(struct vitals *self, const struct vitals_event *event)
{
    if (all_finite(event->times, VITALS_EVENT_TIMES))
        vitals_inp_queue(self, event);
}

void vitals_take_interaction_count(struct vitals *self, double count)
{
    if (number_is_finite(count))
        self->inp.count = count;
}

static void vitals_set_first_hidden(struct vitals *self, double time)
{
    self->page.was_hidden = true;
    self->page.first_hidden = time;
    self->page.hidden_is_guess = false;
}

void vitals_take_visibility(struct vitals *self, double time, bool hidden, bool buffered)
{
    if (!hidden || self->page.prerendering || !number_is_finite(time))
        return;
    if (buffered) {
        /* After the first, an entry only repeats what the event has said, at a slightly different time. */
        if (self->page.hidden_is_guess && time >= vitals_activation_start(self))
            vitals_set_first_hidden(self, time);
    } else if (!self->page.was_hidden) {
        vitals_set_first_hidden(self, time);
    }
}

void vitals_input(struct vitals *self, double time)
{
    (void)time; /* the rule counts entries up to the next idle moment, whenever they were painted */
    self->lcp.closing = !self->page.prerendering;
}

void vitals_loaded(struct vitals *self, double now)
{
    self->page.loaded = true;
    vitals_see_clock(self, now);
    vitals_refresh(self);
}

void vitals_activated(struct vitals *self, double now, bool hidden)
{
    self->page.prerendering = false;
    vitals_see_clock(self, now);
    if (hidden && !self->page.was_hidden)
        vitals_set_first_hidden(self, 0); /* activated in a background tab: was never seen */
    if (self->load.fcp_seen)
        vitals_load_take_paint(self, self->load.fcp_start);
    vitals_lcp_activate(self);
    vitals_refresh(self);
}

void vitals_idle(struct vitals *self)
{
    if (self->lcp.closing)
        vitals_lcp_close(self);
    if (self->inp.queued > 0)
        vitals_inp_evaluate(self);
}

void vitals_leave(struct vitals *self)
{
    vitals_load_leave(self);
    vitals_lcp_close(self);
    vitals_inp_evaluate(self);
}

void vitals_hide(struct vitals *self, double time)
{
    vitals_take_visibility(self, time, true, false);
    if (!self->page.prerendering)
        vitals_lcp_close(self);
    vitals_inp_evaluate(self);
}

void vitals_restart(struct vitals *self, uint32_t navigation_type, double start_time, bool hidden)
{
    bool is_restore = navigation_type == NAVIGATION_TYPE_BACK_FORWARD_CACHE;
    bool is_route = navigation_type == NAVIGATION_TYPE_ROUTE_CHANGE;
    uint32_t measurable = self->page.supported & (is_route ? ROUTE_METRICS : ~0u);
    self->page.view = is_restore ? VITALS_VIEW_BFCACHE : is_route ? VITALS_VIEW_ROUTE : VITALS_VIEW_SOFT;
    self->page.view_type = navigation_type;
    self->page.view_start = start_time;
    self->page.interaction_id = 0;
    /* A soft navigation is made by a person who looks at it, whatever came before. */
    self->page.was_hidden = is_restore && hidden;
    self->page.first_hidden = 0;
    self->page.hidden_is_guess = false;
    for (unsigned i = 0; i < VITAL_METRICS; i++) {
        uint32_t revision = self->vital[i].revision + 1;
        self->vital[i] = (struct vital){.revision = revision};
        if (!(measurable >> i & 1u))
            self->vital[i].state = VITAL_UNSUPPORTED;
    }
    vitals_load_restart(self);
    vitals_lcp_restart(self);
    vitals_cls_restart(self);
    vitals_inp_restart(self);
}

const struct vital *vitals_find(const struct vitals *self, enum vital_metric metric)
{
    return metric >= VITAL_LCP && metric <= VITAL_METRICS ? &self->vital[metric - 1] : NULL;
}

/*
 * Where handles stand: `in_a_row` from `first` on, in each of so many elements `stride` bytes apart. How many is said by
 * the byte at `count_at`, the low one of a number that is never above 255, unless it is always `count`.
 */
struct handle_place {
    uint16_t first, stride, count_at;
    uint8_t count, in_a_row;
};

#define AT(member)    offsetof(struct vitals, member)
#define SIZE(element) sizeof(((struct vitals *)0)->element)

static const struct handle_place handle_places[] = {
    {AT(vital[0].target), SIZE(vital[0]), 0, VITAL_METRICS, 3},
    {AT(vital[0].frames.longest.text), SIZE(vital[0]), 0, VITAL_METRICS, VITAL_SOURCE_TEXTS},
    {AT(lcp.paint.url), 0, AT(lcp.has_paint), 0, 2},
    {AT(cls.current.largest_target), SIZE(cls.current), 0, 2, 1},
    {AT(inp.queue[0].name), SIZE(inp.queue[0]), AT(inp.queued), 0, 2},
    {AT(inp.candidates[0].name), SIZE(inp.candidates[0]), AT(inp.candidate_count), 0, 2},
    {AT(inp.shown.name), 0, AT(inp.has_shown), 0, 2},
    {AT(long_frames.scripts[0].source.text), SIZE(long_frames.scripts[0]), AT(long_frames.script_count), 0,
     VITAL_SOURCE_TEXTS},
};

#define IN_A_ROW(type, first, last, count)                                                                             \
    _Static_assert(offsetof(type, last) - offsetof(type, first) == ((count) - 1) * sizeof(uint32_t), "handles in a row")
IN_A_ROW(struct vital, target, name, 3);
IN_A_ROW(struct vitals_paint, url, target, 2);
IN_A_ROW(struct vitals_event, name, target, 2);
IN_A_ROW(struct inp_candidate, name, target, 2);
_Static_assert(offsetof(struct vitals_cls, worst) == offsetof(struct vitals_cls, current) + sizeof(struct cls_window),
               "two windows in a row");
_Static_assert(INP_QUEUE_MAX < 256 && INP_CANDIDATES_MAX < 256 && LONG_FRAME_SCRIPTS_MAX < 256, "counts of one byte");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the low byte comes first");

static bool place_holds(const uint8_t *self, const struct handle_place *place, uint32_t handle)
{
    unsigned count = place->count > 0 ? place->count : self[place->count_at];
    for (unsigned i = 0; i < count; i++)
        for (unsigned n = 0; n < place->in_a_row; n++) {
            uint32_t held;
            memcpy(&held, self + place->first + i * place->stride + n * sizeof held, sizeof held);
            if (held == handle)
                return true;
        }
    return false;
}

bool vitals_holds(const struct vitals *self, uint32_t handle)
{
    for (unsigned i = 0; handle != 0 && i < sizeof handle_places / sizeof *handle_places; i++)
        if (place_holds((const uint8_t *)self, &handle_places[i], handle))
            return true;
    return false;
}
