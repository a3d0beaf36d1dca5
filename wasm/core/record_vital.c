/* The vitals of a view, written when a segment is sealed: those that changed since they were last written. */
#include "wasm/core/core_internal.h"

/* What the collector accepts; one value outside would make it refuse the whole beacon. */
#define VITAL_MS_MAX  600000.0
#define VITAL_CLS_MAX 100.0

static bool value_is_sendable(enum vital_metric metric, const struct vital *vital)
{
    double max = metric == VITAL_CLS ? VITAL_CLS_MAX : VITAL_MS_MAX;
    bool is_finite = vital->time - vital->time == 0;
    for (uint32_t i = 0; i < vital->part_count; i++)
        is_finite = is_finite && vital->parts[i] - vital->parts[i] == 0;
    return is_finite && vital->value >= 0 && vital->value <= max;
}

static bool is_known(const struct core *self, enum vital_metric metric)
{
    const struct vital *vital = vitals_find(self->vitals, metric);
    return vital->state == VITAL_UNSUPPORTED || (vital->state == VITAL_MEASURED && value_is_sendable(metric, vital));
}

static bool is_due(const struct core *self, enum vital_metric metric)
{
    return self->written[metric - 1] != vitals_find(self->vitals, metric)->revision + 1 && is_known(self, metric);
}

bool record_vital_is_due(const struct core *self)
{
    for (enum vital_metric metric = VITAL_LCP; metric <= VITAL_TTFB; metric++)
        if (is_due(self, metric))
            return true;
    return false;
}

static uint32_t kept_text(struct core *self, uint32_t handle)
{
    return segment_text(&self->segment, text_pool_find(&self->texts, handle));
}

static void write_parts(struct writer *out, uint32_t field, const double *parts, uint32_t count)
{
    if (count == 0)
        return;
    uint8_t *length = writer_open(out, field);
    for (uint32_t i = 0; i < count; i++)
        writer_packed(out, parts[i]);
    writer_close(out, length);
}

static void write_longest_script(struct core *self, const struct vital_frames *frames, struct writer *out)
{
    const struct vital_source *source = &frames->longest;
    if (frames->subpart == VITAL_SUBPART_NONE)
        return;
    uint8_t *length = writer_open(out, 14);
    writer_uint(out, 1, frames->subpart);
    writer_double(out, 2, frames->intersecting);
    for (unsigned i = 0; i < VITAL_SOURCE_TEXTS; i++)
        writer_uint(out, 3 + i, kept_text(self, source->text[i]));
    if (source->position >= 1 && source->position <= UINT32_MAX)
        writer_uint(out, 7, writer_zigzag((int64_t)source->position));
    writer_close(out, length);
}

/* One that is unsupported has nothing but its state and the type of the view. */
static void write_vital(struct core *self, const struct vital *vital, enum vital_metric metric, struct writer *out)
{
    bool is_measured = vital->state == VITAL_MEASURED;
    writer_uint(out, 1, metric);
    writer_uint(out, 2, vital->state);
    if (is_measured) {
        writer_double(out, 3, vital->value);
        writer_uint(out, 4, vital->rating);
    }
    writer_uint(out, 5, vital->navigation_type);
    if (!is_measured)
        return;
    writer_uint(out, 6, vital->final);
    writer_uint(out, 7, kept_text(self, vital->target));
    writer_uint(out, 8, kept_text(self, vital->url));
    write_parts(out, 9, vital->parts, vital->part_count);
    writer_double(out, 10, vital->time);
    writer_uint(out, 11, kept_text(self, vital->name));
    writer_uint(out, 12, vital->load_state);
    write_parts(out, 13, vital->frames.parts, vital->frames.known ? VITAL_FRAME_PARTS : 0);
    write_longest_script(self, &vital->frames, out);
}

static bool append(struct core *self, enum vital_metric metric)
{
    struct writer body = core_body(self);
    segment_begin(&self->segment, true);
    write_vital(self, vitals_find(self->vitals, metric), metric, &body);
    core_append(self, BEACON_FIELD_VITAL, &body);
    return segment_end(&self->segment);
}

void record_vital_write(struct core *self)
{
    for (enum vital_metric metric = VITAL_LCP; metric <= VITAL_TTFB; metric++)
        if (is_due(self, metric) && append(self, metric))
            self->written[metric - 1] = vitals_find(self->vitals, metric)->revision + 1;
}

void record_vital_write_all(struct core *self)
{
    for (enum vital_metric metric = VITAL_LCP; metric <= VITAL_TTFB; metric++)
        if (is_known(self, metric))
            append(self, metric);
}

uint32_t record_vital_mark(const struct core *self)
{
    uint32_t mark = 0;
    for (enum vital_metric metric = VITAL_LCP; metric <= VITAL_TTFB; metric++)
        if (is_known(self, metric))
            mark += vitals_find(self->vitals, metric)->revision + 1;
    return mark;
}

_Static_assert(VITAL_FRAME_PARTS == sizeof(((vitrace_v1_Vital *)0)->frame_parts) / sizeof(double), "of a Vital");
_Static_assert(vitrace_v1_LongestScript_size <= WRITER_SUBMESSAGE_BYTES_MAX, "writer_open");
_Static_assert(VITAL_PARTS_MAX == sizeof(((vitrace_v1_Vital *)0)->parts) / sizeof(double), "parts of a Vital");
