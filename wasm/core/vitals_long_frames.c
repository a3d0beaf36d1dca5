/*
 * Long animation frames, as far as INP needs them: what the page did between an interaction and its paint.
 *
 *        interaction           processing starts     processing ends        next paint
 *             |---- input delay ----|----- processing ----|---- presentation ----|
 *   |----------- frame ------------||------- frame with scripts ------|
 *        [script]   [script]           [script ] [script]  (style)
 *             '--- only what lies behind the start of the interaction counts
 *
 * An entry comes after its frame was rendered, about when the events of that frame come, and before or after them. So
 * frames are kept while an event that is still remembered may have waited for them, and for a few frames more.
 *
 * The sums are web-vitals', term for term and in its order. One thing is not: it takes a frame without a rendering phase
 * (styleAndLayoutStart 0) as one that has styled since the time origin.
 */
#include "wasm/core/vitals_internal.h"

#include <string.h>

/* --- what is kept --- */

static bool long_frame_overlaps(const struct long_frame *self, double start, double end)
{
    return self->start_time + self->duration >= start && self->start_time <= end;
}

static bool long_frame_is_needed(const struct vitals_long_frames *self, uint32_t index, const struct inp_frame *frames,
                                 uint32_t frame_count)
{
    const struct long_frame *frame = &self->frames[index];
    if (index + LONG_FRAMES_RECENT >= self->count && frame->start_time > self->processing_end)
        return true;
    for (uint32_t i = 0; i < frame_count; i++)
        if (long_frame_overlaps(frame, frames[i].start_time, frames[i].processing_end))
            return true;
    return false;
}

static void move_scripts(struct vitals_long_frames *self, uint32_t to, uint32_t from, uint32_t count)
{
    memmove(self->scripts + to, self->scripts + from, count * sizeof *self->scripts);
}

void vitals_long_frames_forget(struct vitals_long_frames *self, const struct inp_frame *frames, uint32_t frame_count)
{
    uint32_t kept = 0, scripts_kept = 0, script = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        struct long_frame frame = self->frames[i];
        bool is_needed = long_frame_is_needed(self, i, frames, frame_count);
        if (is_needed) {
            move_scripts(self, scripts_kept, script, frame.script_count);
            scripts_kept += frame.script_count;
            self->frames[kept++] = frame;
        }
        script += frame.script_count;
    }
    self->count = kept;
    self->script_count = scripts_kept;
}

bool vitals_long_frames_have_room(const struct vitals_long_frames *self, uint32_t script_count)
{
    return self->count < LONG_FRAMES_MAX && self->script_count + script_count <= LONG_FRAME_SCRIPTS_MAX;
}

static void forget_oldest(struct vitals_long_frames *self)
{
    uint32_t scripts = self->frames[0].script_count;
    self->count--;
    self->script_count -= scripts;
    memmove(self->frames, self->frames + 1, self->count * sizeof *self->frames);
    move_scripts(self, 0, scripts, self->script_count);
}

void vitals_long_frames_make_room(struct vitals_long_frames *self, uint32_t script_count)
{
    while (!vitals_long_frames_have_room(self, script_count))
        forget_oldest(self);
}

/* The bridge sends those first that are written to the beacon; sums are made in order of time. */
static void sort_scripts(struct vitals_long_frame *frame)
{
    for (uint32_t i = 1; i < frame->script_count; i++) {
        struct vitals_script moved = frame->scripts[i];
        uint32_t at = i;
        for (; at > 0 && frame->scripts[at - 1].start_time > moved.start_time; at--)
            frame->scripts[at] = frame->scripts[at - 1];
        frame->scripts[at] = moved;
    }
}

void vitals_long_frames_add(struct vitals_long_frames *self, struct vitals_long_frame *frame)
{
    sort_scripts(frame);
    double style_start = number_or(frame->style_and_layout_start, frame->start_time + frame->duration);
    self->frames[self->count++] =
        (struct long_frame){frame->start_time, frame->duration, style_start, frame->script_count};
    memcpy(self->scripts + self->script_count, frame->scripts, frame->script_count * sizeof *frame->scripts);
    self->script_count += frame->script_count;
}

/* --- what it says of an interaction --- */

enum { PART_SCRIPT, PART_STYLE_AND_LAYOUT, PART_PAINT, PART_UNATTRIBUTED };

static enum vital_subpart subpart_of(const struct inp_span *span, double script_start)
{
    if (script_start < span->start + span->input_delay)
        return VITAL_INPUT_DELAY;
    if (script_start >= span->start + span->input_delay + span->processing)
        return VITAL_PRESENTATION_DELAY;
    return VITAL_PROCESSING_DURATION;
}

static void add_script(struct vital_frames *out, const struct inp_span *span, const struct vitals_script *script)
{
    double end = script->start_time + script->duration;
    if (end < span->start)
        return;
    double intersecting = end - number_max(span->start, script->start_time);
    /* When the forced layouts were is not known: they are spread evenly over the script. */
    double forced =
        script->duration != 0 ? intersecting / script->duration * script->forced_style_and_layout : 0;
    out->parts[PART_SCRIPT] += intersecting - forced;
    out->parts[PART_STYLE_AND_LAYOUT] += forced;
    if (intersecting > out->intersecting) {
        out->intersecting = intersecting;
        out->subpart = subpart_of(span, script->start_time);
        out->longest = script->source;
    }
}

static void add_frame(struct vital_frames *out, const struct inp_span *span, const struct long_frame *frame,
                      const struct vitals_script *scripts)
{
    double *style = &out->parts[PART_STYLE_AND_LAYOUT];
    *style = *style + frame->start_time + frame->duration - frame->style_and_layout_start;
    for (uint32_t i = 0; i < frame->script_count; i++)
        add_script(out, span, &scripts[i]);
}

void vitals_long_frames_explain(const struct vitals_long_frames *self, const struct inp_span *span,
                                struct vital_frames *out)
{
    double last_end = 0;
    uint32_t script = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        const struct long_frame *frame = &self->frames[i];
        if (long_frame_overlaps(frame, span->start, span->processing_end)) {
            add_frame(out, span, frame, &self->scripts[script]);
            last_end = frame->start_time + frame->duration;
            out->known = true;
        }
        script += frame->script_count;
    }
    if (!out->known)
        return;
    if (last_end >= span->start + span->input_delay + span->processing)
        out->parts[PART_PAINT] = span->next_paint - last_end;
    out->parts[PART_UNATTRIBUTED] = span->next_paint - span->start - out->parts[PART_SCRIPT] -
                                   out->parts[PART_STYLE_AND_LAYOUT] - out->parts[PART_PAINT];
}
