/*
 * Web Vitals as state machines, equal to web-vitals 6.2.x for the same entries. Pure: no encoding, no strings.
 * Strings are opaque 32-bit handles that the caller resolves; 0 = none. All times are DOMHighResTimeStamps in ms.
 *
 * The caller forwards what the page saw in the order it was delivered; a vital changes only inside a call.
 */
#ifndef VITRACE_VITALS_H
#define VITRACE_VITALS_H

#include <stdbool.h>
#include <stdint.h>

/* Numbers of enum Metric, Rating, VitalState, LoadState, InteractionSubpart and NavigationType in beacon.proto. */
enum vital_metric { VITAL_LCP = 1, VITAL_INP = 2, VITAL_CLS = 3, VITAL_FCP = 4, VITAL_TTFB = 5, VITAL_METRICS = 5 };
enum vital_rating { VITAL_GOOD = 1, VITAL_NEEDS_IMPROVEMENT = 2, VITAL_POOR = 3 };
enum vital_state { VITAL_NOT_YET = 0, VITAL_MEASURED = 1, VITAL_UNSUPPORTED = 2 };

enum vital_load_state {
    VITAL_LOAD_NONE = 0,
    VITAL_LOADING = 1,
    VITAL_DOM_INTERACTIVE = 2,
    VITAL_DOM_CONTENT_LOADED = 3,
    VITAL_COMPLETE = 4
};
enum vital_subpart {
    VITAL_SUBPART_NONE = 0,
    VITAL_INPUT_DELAY = 1,
    VITAL_PROCESSING_DURATION = 2,
    VITAL_PRESENTATION_DELAY = 3
};

#define VITAL_PARTS_MAX   5
#define VITAL_FRAME_PARTS 4

/* Where a script of a long animation frame came from. */
enum vital_source_text {
    VITAL_SOURCE_URL,
    VITAL_SOURCE_FUNCTION,
    VITAL_SOURCE_INVOKER,
    VITAL_SOURCE_INVOKER_TYPE,
    VITAL_SOURCE_TEXTS
};

struct vital_source {
    double position; /* in the source, -1 = not known */
    uint32_t text[VITAL_SOURCE_TEXTS]; /* handles */
};

/* What INP knows of the long animation frames that its interaction had to wait for. */
struct vital_frames {
    double parts[VITAL_FRAME_PARTS]; /* script, style and layout, paint, unattributed */
    double intersecting;
    struct vital_source longest;
    uint32_t subpart; /* enum vital_subpart, of the longest script; NONE = there was no script */
    uint32_t known;
};

/* Without padding: two are compared as bytes. */
struct vital {
    double value;
    double time;
    double parts[VITAL_PARTS_MAX]; /* meaning per metric: Vital.parts in beacon.proto */
    struct vital_frames frames;    /* INP */
    uint32_t part_count;
    uint32_t load_state; /* enum vital_load_state. CLS, INP: at `time`; FCP: at the paint */
    uint32_t final;
    uint32_t target; /* handle */
    uint32_t url;    /* handle: LCP resource */
    uint32_t name;   /* handle: INP event name */
    enum vital_state state;
    enum vital_rating rating;
    uint32_t navigation_type;
    uint32_t revision; /* grows whenever anything above changed */
};

enum vital_rating vital_rate(enum vital_metric metric, double value);

/* Views may be soft navigations; then web-vitals looks at every paint of a batch, not only at the last. */
#define VITALS_SOFT_NAVIGATIONS 32u

struct vitals_start {
    uint32_t supported; /* bit (metric - 1), and VITALS_SOFT_NAVIGATIONS */
    bool hidden, prerendering, was_discarded;
};

#define VITALS_NAVIGATION_TIMES 9

/* What the vitals need of a navigation entry. Times that are read alike can also be had as an array, here and below. */
struct vitals_navigation {
    double now; /* performance.now() when it was read: the entry is sane iff 0 < response_start < now */
    double response_start;
    union {
        struct {
            double activation_start, worker_start, fetch_start, domain_lookup_start, connect_start, connect_end;
            double dom_interactive, dom_content_loaded, dom_complete; /* 0 = not yet */
        };
        double times[VITALS_NAVIGATION_TIMES];
    };
    uint32_t type; /* NavigationType from the entry's `type`: navigate, reload, back_forward, prerender */
};

struct vitals_paint {
    double start_time;
    double size;
    uint32_t url, target;
    uint64_t url_hash; /* to find its resource entry; 0 = no URL (text) */
    bool last_of_batch;
};

/* A paint that an interaction led to: of a soft navigation it may be the LCP. `paint.start_time`: renderTime or loadTime. */
struct vitals_interaction_paint {
    struct vitals_paint paint;
    double interaction_start, render_time;
    uint32_t interaction_id;
};

#define VITALS_SOFT_NAVIGATION_TIMES 2

struct vitals_soft_navigation {
    union {
        struct {
            double paint_time, presentation_time; /* 0 = not disclosed */
        };
        double times[VITALS_SOFT_NAVIGATION_TIMES];
    };
    uint32_t interaction_id;
};

/* A resource, as far as the LCP sub-parts need it. */
struct vitals_resource {
    uint64_t name_hash; /* of the entry's name, same function as vitals_paint.url_hash */
    double start_time, request_start, response_end;
};

struct vitals_shift {
    double start_time, value;
    bool had_recent_input;
    uint32_t target;
};

#define VITALS_EVENT_TIMES 4

struct vitals_event {
    union {
        struct {
            double start_time, duration, processing_start, processing_end;
        };
        double times[VITALS_EVENT_TIMES];
    };
    uint32_t interaction_id;
    uint32_t name, target;
    bool first_input;
};

#define VITALS_SCRIPT_TIMES 3

struct vitals_script {
    union {
        struct {
            double start_time, duration, forced_style_and_layout;
        };
        double times[VITALS_SCRIPT_TIMES];
    };
    struct vital_source source;
};

/* Of a frame's scripts the vitals keep the first VITALS_FRAME_SCRIPTS_MAX. */
#define VITALS_FRAME_SCRIPTS_MAX 32u

#define VITALS_LONG_FRAME_TIMES 3

struct vitals_long_frame {
    union {
        struct {
            double start_time, duration, style_and_layout_start;
        };
        double times[VITALS_LONG_FRAME_TIMES];
    };
    uint32_t script_count;
    struct vitals_script scripts[VITALS_FRAME_SCRIPTS_MAX]; /* in any order */
};

struct vitals; /* defined in vitals_internal.h; sizes are fixed, see vitals_bytes() */
unsigned vitals_bytes(void);
struct vitals *vitals_init(void *memory, const struct vitals_start *start);

void vitals_take_navigation(struct vitals *self, const struct vitals_navigation *navigation);
void vitals_take_first_contentful_paint(struct vitals *self, double start_time);
void vitals_take_largest_paint(struct vitals *self, const struct vitals_paint *paint);
/* After the vitals_restart of its view, and before that view's paints. */
void vitals_take_soft_navigation(struct vitals *self, const struct vitals_soft_navigation *navigation);
void vitals_take_interaction_paint(struct vitals *self, const struct vitals_interaction_paint *paint);
/* Sorts the frame's scripts by time. */
void vitals_take_long_frame(struct vitals *self, struct vitals_long_frame *frame);
void vitals_take_resource(struct vitals *self, const struct vitals_resource *resource);
void vitals_take_shift(struct vitals *self, const struct vitals_shift *shift);
/* Queued; evaluated at the next vitals_idle or vitals_hide. */
void vitals_take_event(struct vitals *self, const struct vitals_event *event);
void vitals_take_interaction_count(struct vitals *self, double count);
/* buffered: from a visibility-state entry rather than from the event itself. */
void vitals_take_visibility(struct vitals *self, double time, bool hidden, bool buffered);
void vitals_input(struct vitals *self, double time); /* first trusted keydown or click */
void vitals_loaded(struct vitals *self, double now);
void vitals_activated(struct vitals *self, double now, bool hidden);
void vitals_idle(struct vitals *self); /* idle-or-hidden: evaluate queued events */
void vitals_hide(struct vitals *self, double time); /* finalise what hidden finalises */
/* The view ends although the page stays visible: what vitals_hide finalises. */
void vitals_leave(struct vitals *self);
/*
 * A new view of the document, by its navigation_type:
 *
 *   BACK_FORWARD_CACHE  FCP and LCP come from one vitals_take_first_contentful_paint with performance.now() after the
 *                       double rAF; `start_time` is pageshow.timeStamp
 *   ROUTE_CHANGE        CLS and INP begin anew; nothing tells when the new route was painted, so that LCP, FCP and TTFB
 *                       are unsupported in this view
 *   SOFT_NAVIGATION     FCP comes from vitals_take_soft_navigation, LCP from vitals_take_interaction_paint
 */
void vitals_restart(struct vitals *self, uint32_t navigation_type, double start_time, bool hidden);

/* NavigationType of the view as far as it is known now. */
uint32_t vitals_navigation_type(const struct vitals *self);
const struct vital *vitals_find(const struct vitals *self, enum vital_metric metric);
/* true while the vitals still hold this handle: the caller must not reuse it. */
bool vitals_holds(const struct vitals *self, uint32_t handle);

#endif
