/*
 * The state behind vitals.h, shared by vitals.c (dispatch, first-hidden time, publishing) and one file per family:
 *
 *   vitals_take_* --> vitals.c --> vitals_load  FCP, TTFB      each keeps raw entries, and derives its
 *                        |    --> vitals_lcp   LCP             struct vital anew whenever an input changed
 *                        |    --> vitals_cls   CLS                          |
 *                        |    --> vitals_inp   INP                          v
 *                        |         |  vitals_long_frames: what INP waited for
 *                     struct vitals_page (what all of them read)    vitals_publish: compare, rate, revision + 1
 *
 * Ordering that the page has to keep, because web-vitals reads these from the timeline before it looks at a paint:
 * the navigation entry first, then buffered visibility-state entries, then paints. A navigation entry that comes again
 * (complete, or with its activationStart) corrects what was derived from the earlier one.
 *
 * web-vitals works in JS doubles; every sum and difference here is written in its order, so results are equal bit for
 * bit (-ffp-contract=off). Entries with a non-finite time change nothing: the caller has counted them as bad already.
 */
#ifndef VITRACE_VITALS_INTERNAL_H
#define VITRACE_VITALS_INTERNAL_H

#include "wasm/core/vitals.h"

#include <stddef.h>

/* How this view began; decides where its times count from. */
enum vitals_view {
    VITALS_VIEW_LOAD,    /* from activationStart */
    VITALS_VIEW_BFCACHE, /* from pageshow; one synthetic paint gives FCP and LCP */
    VITALS_VIEW_SOFT,    /* from the start of the soft navigation */
    VITALS_VIEW_ROUTE    /* nothing but CLS and INP can be measured */
};

struct vitals_page {
    struct vitals_navigation navigation; /* latest, optional fields that the browser lacks read as 0 */
    bool has_navigation;
    double now; /* latest clock seen: decides whether the navigation entry is sane */
    enum vitals_view view;
    uint32_t view_type; /* NavigationType given to vitals_restart */
    double view_start;
    uint32_t interaction_id; /* of the soft navigation that began the view */
    uint32_t supported;      /* by the browser: see vitals_start */
    bool was_hidden;      /* first_hidden has a value */
    bool hidden_is_guess; /* nothing but the state at start: a visibility-state entry knows better */
    double first_hidden;
    bool prerendering, was_discarded, loaded;
};

struct vitals_load {
    bool fcp_seen; /* the first entry decides, even when it does not count */
    bool fcp_counts;
    bool fcp_after_load; /* it came when the load was over */
    bool fcp_reported;  /* in this view or an earlier one: CLS has begun */
    bool ttfb_reported; /* same, for the zero of later views */
    double fcp_start;
};

/* The LCP image is among the last resources before its paint. web-vitals keeps 50, and searches the browser's timeline, of
 * 250 at most, when that is not enough; 128 of 32 bytes are 4 kB. */
#define LCP_RESOURCES_MAX 128u

struct vitals_lcp {
    struct vitals_paint paint; /* the candidate, or held back while prerendering */
    double soft_value;         /* of the candidate, when the view is a soft navigation */
    struct vitals_resource resource;
    bool has_paint, has_resource, is_held_back;
    bool closing; /* input was seen: closed at the next idle-or-hidden */
    bool closed;
    uint32_t resource_next; /* slot of the next resource */
    uint32_t resource_count;
    struct vitals_resource resources[LCP_RESOURCES_MAX];
};

/* One session window, and the shift in it that is blamed. */
struct cls_window {
    double first_time, last_time, sum;
    double largest_value, largest_time;
    uint32_t largest_target;
};

struct vitals_cls {
    bool started; /* FCP was reported */
    struct cls_window current, worst;
};

#define INP_CANDIDATES_MAX 10u
#define INP_RECENT_FRAMES  10u
/* A cleanup keeps 20 at most (a frame per candidate, and the recent ones); 12 new ones fit before the next. */
#define INP_FRAMES_MAX 32u
/* 150 entries that the browser buffers before we observe (timing-entrytypes-registry), and a click's own dozen. */
#define INP_QUEUE_MAX 162u

/* All event entries presented in one frame, as far as renderTime tells (within 8 ms). */
struct inp_frame {
    uint32_t id; /* serial, from 1 */
    double start_time, processing_start, processing_end, render_time;
};

/* One of the longest interactions: `first` is the first entry of those that have its latency. */
struct inp_candidate {
    uint32_t interaction_id, frame_id;
    uint32_t name, target;
    double latency, start_time;
};

/* One interaction on its way to the screen. */
struct inp_span {
    double start, input_delay, processing, processing_end, next_paint;
};

#define LONG_FRAMES_RECENT 10u
/* One for each event frame that a cleanup keeps, the recent ones, and as many again for interactions that span several. */
#define LONG_FRAMES_MAX 60u
/* Two scripts a frame on average; a single one brings 32 at most. 160 * 56 bytes = 9 kB. */
#define LONG_FRAME_SCRIPTS_MAX 160u

struct long_frame {
    double start_time, duration, style_and_layout_start;
    uint32_t script_count;
};

/* In order of arrival, which is that of time; the scripts of all of them stand in the same order. */
struct vitals_long_frames {
    uint32_t count, script_count;
    double processing_end; /* latest of all events so far */
    struct long_frame frames[LONG_FRAMES_MAX];
    struct vitals_script scripts[LONG_FRAME_SCRIPTS_MAX];
};

struct vitals_inp {
    uint32_t queued, candidate_count, frame_count, frame_last_id;
    double count, count_base; /* interactions of the page, and of those before this view */
    bool has_shown;
    bool shown_is_dummy; /* interactions were counted, and all were too short for an entry */
    struct inp_candidate shown;
    struct inp_frame shown_frame; /* a copy: the frame may be forgotten before the interaction is */
    struct inp_candidate candidates[INP_CANDIDATES_MAX]; /* longest first */
    struct inp_frame frames[INP_FRAMES_MAX];             /* oldest first */
    struct vitals_event queue[INP_QUEUE_MAX];            /* in order of startTime + duration */
};

struct vitals {
    struct vital vital[VITAL_METRICS];
    struct vitals_page page;
    struct vitals_load load;
    struct vitals_lcp lcp;
    struct vitals_cls cls;
    struct vitals_inp inp;
    struct vitals_long_frames long_frames;
};

static inline bool number_is_finite(double value)
{
    return value - value == 0;
}

/* JS `a || b` for numbers: NaN stands for undefined here, as in the inbox. */
static inline double number_or(double value, double otherwise)
{
    return value == value && value != 0 ? value : otherwise;
}

static inline double number_min(double a, double b)
{
    return b < a ? b : a;
}

static inline double number_max(double a, double b)
{
    return b > a ? b : a;
}

/* vitals.c: what the metrics ask of the page. */
const struct vitals_navigation *vitals_sane_navigation(const struct vitals *self); /* NULL = as if there were none */
double vitals_activation_start(const struct vitals *self);
bool vitals_was_visible(const struct vitals *self, double time); /* never hidden up to and including `time` */
bool vitals_is_supported(const struct vitals *self, enum vital_metric metric); /* by the browser, whatever the view */
/* How far the load had come at `time`, which is not in the future. `loaded`: whether it was over when this was asked first. */
enum vital_load_state vitals_load_state(const struct vitals *self, double time, bool loaded);
/* Fills in state, rating and navigation type. Ignored for a metric that is unsupported. */
void vitals_publish(struct vitals *self, enum vital_metric metric, struct vital *next);

void vitals_load_take_paint(struct vitals *self, double start_time);
void vitals_load_take_soft_navigation(struct vitals *self, const struct vitals_soft_navigation *navigation);
/* The first byte is known long before the load is over; there is no later moment to tell of it. */
void vitals_load_leave(struct vitals *self);
void vitals_load_restart(struct vitals *self);
void vitals_load_refresh(struct vitals *self); /* the navigation, readiness or activation changed */

void vitals_lcp_take_paint(struct vitals *self, const struct vitals_paint *paint);
void vitals_lcp_take_interaction_paint(struct vitals *self, const struct vitals_interaction_paint *paint);
void vitals_lcp_take_resource(struct vitals *self, const struct vitals_resource *resource);
void vitals_lcp_activate(struct vitals *self);
void vitals_lcp_close(struct vitals *self);
void vitals_lcp_restart(struct vitals *self);
void vitals_lcp_restore(struct vitals *self, double value); /* the paint after a bfcache restore: final at once */
void vitals_lcp_refresh(struct vitals *self);

void vitals_cls_start(struct vitals *self);
void vitals_cls_take_shift(struct vitals *self, const struct vitals_shift *shift);
void vitals_cls_restart(struct vitals *self);
void vitals_cls_refresh(struct vitals *self);

void vitals_inp_queue(struct vitals *vitals, const struct vitals_event *event);
void vitals_inp_evaluate(struct vitals *self); /* queued events, then the metric */
void vitals_inp_restart(struct vitals *self);
void vitals_inp_refresh(struct vitals *self);
/* Forgets event frames that no candidate needs, and long frames that no event frame needs. */
void vitals_inp_forget(struct vitals *self);

void vitals_long_frames_add(struct vitals_long_frames *self, struct vitals_long_frame *frame);
/* Keeps those that overlap one of the event frames, and recent ones whose events have not come yet. */
void vitals_long_frames_forget(struct vitals_long_frames *self, const struct inp_frame *frames, uint32_t frame_count);
bool vitals_long_frames_have_room(const struct vitals_long_frames *self, uint32_t script_count);
/* The oldest goes until there is room. */
void vitals_long_frames_make_room(struct vitals_long_frames *self, uint32_t script_count);
/* Into `out`, which is all zero. */
void vitals_long_frames_explain(const struct vitals_long_frames *self, const struct inp_span *span,
                                struct vital_frames *out);

#endif
