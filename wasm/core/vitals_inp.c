/*
 * INP: of the ten longest interactions the one that leaves one in fifty above it.
 *
 *   event --> queue (by startTime + duration) --idle or hidden--> frame it was presented in
 *                                                        |
 *                                                        +--> candidate: entries of one interactionId and one latency
 *                                                                 |
 *                          list[min(last, count / 50)] <----------+   longest first, at most 10
 *
 * An interaction is several events (pointerdown, pointerup, click), and other events share their frame, so nothing is
 * judged until the frame's events have all come. The parts of the value count from the interaction's first entry, but
 * its processing is that of the whole frame. What the page did meanwhile is told by the long animation frames that
 * overlap it (vitals_long_frames.c).
 */
#include "wasm/core/vitals_internal.h"

/* Durations are rounded to 8 ms, so entries of one frame may disagree about its end by as much. */
#define INP_FRAME_TOLERANCE_MS    8
#define INP_INTERACTIONS_PER_STEP 50

/* --- frames --- */

static struct inp_frame *inp_find_frame(struct vitals_inp *self, uint32_t id)
{
    for (uint32_t i = self->frame_count; i-- > 0;)
        if (self->frames[i].id == id)
            return &self->frames[i];
    return NULL;
}

static bool inp_frame_is_needed(const struct vitals_inp *self, uint32_t index)
{
    if (index + INP_RECENT_FRAMES >= self->frame_count)
        return true;
    for (uint32_t i = 0; i < self->candidate_count; i++)
        if (self->candidates[i].frame_id == self->frames[index].id)
            return true;
    return false;
}

static void inp_forget_frames(struct vitals_inp *self)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < self->frame_count; i++)
        if (inp_frame_is_needed(self, i))
            self->frames[kept++] = self->frames[i];
    self->frame_count = kept;
}

static uint32_t inp_join_frame(struct vitals_inp *self, const struct vitals_event *event)
{
    double render_time = event->start_time + event->duration;
    for (uint32_t i = self->frame_count; i-- > 0;) {
        struct inp_frame *frame = &self->frames[i];
        double apart = render_time - frame->render_time;
        if ((apart < 0 ? -apart : apart) <= INP_FRAME_TOLERANCE_MS) {
            frame->start_time = number_min(frame->start_time, event->start_time);
            frame->processing_start = number_min(frame->processing_start, event->processing_start);
            frame->processing_end = number_max(frame->processing_end, event->processing_end);
            return frame->id;
        }
    }
    if (self->frame_count == INP_FRAMES_MAX)
        inp_forget_frames(self);
    self->frames[self->frame_count++] =
        (struct inp_frame){++self->frame_last_id, event->start_time, event->processing_start, event->processing_end,
                           render_time};
    return self->frame_last_id;
}

/* --- candidates --- */

static struct inp_candidate *inp_find_candidate(struct vitals_inp *self, uint32_t interaction_id)
{
    for (uint32_t i = 0; i < self->candidate_count; i++)
        if (self->candidates[i].interaction_id == interaction_id)
            return &self->candidates[i];
    return NULL;
}

/* Its latency grew, or it is new at the end: moves it before those that are shorter. Stable, as JS sort is. */
static void inp_raise(struct vitals_inp *self, struct inp_candidate *candidate)
{
    struct inp_candidate moved = *candidate;
    while (candidate > self->candidates && candidate[-1].latency < moved.latency) {
        *candidate = candidate[-1];
        candidate--;
    }
    *candidate = moved;
}

static struct inp_candidate inp_candidate_of(const struct vitals_event *event, uint32_t frame_id)
{
    return (struct inp_candidate){event->interaction_id, frame_id,        event->name,
                                  event->target,         event->duration, event->start_time};
}

static void inp_merge(struct vitals_inp *self, struct inp_candidate *candidate, const struct vitals_event *event,
                      uint32_t frame_id)
{
    uint32_t target = candidate->target;
    if (event->duration > candidate->latency) {
        *candidate = inp_candidate_of(event, frame_id);
        if (target != 0)
            candidate->target = target; /* the first element that was known stays the one to blame */
        inp_raise(self, candidate);
    } else if (event->duration == candidate->latency && event->start_time == candidate->start_time && target == 0) {
        candidate->target = event->target;
    }
}

static void inp_enter(struct vitals_inp *self, const struct vitals_event *event, uint32_t frame_id)
{
    bool is_full = self->candidate_count == INP_CANDIDATES_MAX;
    if (is_full && !(event->duration > self->candidates[INP_CANDIDATES_MAX - 1].latency))
        return;
    struct inp_candidate *last = &self->candidates[is_full ? INP_CANDIDATES_MAX - 1 : self->candidate_count++];
    *last = inp_candidate_of(event, frame_id);
    inp_raise(self, last);
}

static void inp_process(struct vitals_inp *self, const struct vitals_event *event)
{
    uint32_t frame_id = inp_join_frame(self, event);
    if (event->interaction_id == 0)
        return;
    struct inp_candidate *candidate = inp_find_candidate(self, event->interaction_id);
    if (candidate != NULL)
        inp_merge(self, candidate, event, frame_id);
    else
        inp_enter(self, event, frame_id);
}

static void inp_process_queue(struct vitals *vitals)
{
    struct vitals_inp *self = &vitals->inp;
    double *processing_end = &vitals->long_frames.processing_end;
    for (uint32_t i = 0; i < self->queued; i++) {
        *processing_end = number_max(*processing_end, self->queue[i].processing_end);
        inp_process(self, &self->queue[i]);
    }
    self->queued = 0;
}

void vitals_inp_queue(struct vitals *vitals, const struct vitals_event *event)
{
    struct vitals_inp *self = &vitals->inp;
    if (self->queued == INP_QUEUE_MAX)
        inp_process_queue(vitals); /* early: the metric itself still waits for idle */
    double end = event->start_time + event->duration;
    uint32_t at = self->queued++;
    for (; at > 0 && self->queue[at - 1].start_time + self->queue[at - 1].duration > end; at--)
        self->queue[at] = self->queue[at - 1];
    self->queue[at] = *event;
}

/* --- the metric --- */

/* NULL = no interaction is long enough to be known. */
static const struct inp_candidate *inp_estimate(const struct vitals_inp *self)
{
    double steps = (self->count - self->count_base) / INP_INTERACTIONS_PER_STEP;
    if (steps < 0 || self->candidate_count == 0)
        return NULL;
    uint32_t index = 0;
    while (index + 1 < self->candidate_count && steps >= index + 1)
        index++;
    return &self->candidates[index];
}

static bool inp_is_dummy(const struct vitals *self)
{
    /* On a load, first-input stands in for interactions below the threshold; later views have no such entry. */
    return self->page.view != VITALS_VIEW_LOAD && self->inp.count - self->inp.count_base != 0;
}

/* Shows another interaction only when its latency differs: of equal ones the first that was shown stays. */
static void inp_choose(struct vitals *self)
{
    struct vitals_inp *inp = &self->inp;
    struct inp_candidate dummy = {.latency = 8};
    const struct inp_candidate *chosen = inp_estimate(inp);
    bool is_dummy = chosen == NULL && inp_is_dummy(self);
    if (is_dummy)
        chosen = &dummy;
    if (chosen == NULL || (inp->has_shown && chosen->latency == inp->shown.latency))
        return;
    inp->shown = *chosen;
    inp->has_shown = true;
    inp->shown_is_dummy = is_dummy;
}

/* The frame and the target of the interaction shown may have become better known since it was chosen. */
static void inp_follow(struct vitals_inp *self)
{
    const struct inp_frame *frame = inp_find_frame(self, self->shown.frame_id);
    const struct inp_candidate *candidate = inp_find_candidate(self, self->shown.interaction_id);
    if (frame != NULL)
        self->shown_frame = *frame;
    if (candidate != NULL && candidate->target != 0)
        self->shown.target = candidate->target;
}

static struct inp_span inp_span_of(const struct inp_candidate *shown, const struct inp_frame *frame)
{
    /* A handler of the frame may have run before this interaction began; and a sync dialog after its paint. */
    double processing_start = number_max(frame->processing_start, shown->start_time);
    double next_paint = number_max(shown->start_time + shown->latency, processing_start);
    double processing_end = number_min(frame->processing_end, next_paint);
    return (struct inp_span){shown->start_time, processing_start - shown->start_time,
                             processing_end - processing_start, processing_end, next_paint};
}

static void inp_fill(const struct vitals *self, struct vital *vital)
{
    const struct inp_candidate *shown = &self->inp.shown;
    struct inp_span span = inp_span_of(shown, &self->inp.shown_frame);
    vital->parts[0] = span.input_delay;
    vital->parts[1] = span.processing;
    vital->parts[2] = span.next_paint - span.processing_end;
    vital->time = shown->start_time;
    vital->name = shown->name;
    vital->target = shown->target;
    vitals_long_frames_explain(&self->long_frames, &span, &vital->frames);
}

void vitals_inp_refresh(struct vitals *self)
{
    if (!self->inp.has_shown)
        return;
    struct vital vital = {.value = self->inp.shown.latency, .part_count = 3};
    double time = self->page.view_start;
    if (self->inp.shown_is_dummy) {
        vital.parts[2] = vital.value;
    } else {
        inp_fill(self, &vital);
        time = vital.time;
    }
    vital.load_state = vitals_load_state(self, time, self->page.loaded);
    vitals_publish(self, VITAL_INP, &vital);
}

void vitals_inp_forget(struct vitals *self)
{
    inp_forget_frames(&self->inp);
    vitals_long_frames_forget(&self->long_frames, self->inp.frames, self->inp.frame_count);
}

void vitals_inp_evaluate(struct vitals *self)
{
    inp_process_queue(self);
    inp_choose(self);
    if (self->inp.has_shown)
        inp_follow(&self->inp);
    vitals_inp_refresh(self);
    vitals_inp_forget(self);
}

void vitals_inp_restart(struct vitals *self)
{
    struct vitals_inp *inp = &self->inp;
    inp_process_queue(self); /* what is still queued belongs to the view before; frames outlive it */
    inp->candidate_count = 0;
    inp->has_shown = false;
    inp->count_base = inp->count;
}
