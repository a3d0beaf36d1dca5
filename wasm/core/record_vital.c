/* The vitals of a view, written when a segment is sealed: those that changed since they were last written. */
#include "wasm/core/core_internal.h"

#include <math.h>

/* What the collector accepts; one value outside would make it refuse the whole beacon. */
#define VITAL_MS_MAX  600000.0
#define VITAL_CLS_MAX 100.0

static bool value_is_sendable(enum vital_metric metric, const struct vital *vital)
{
    double max = metric == VITAL_CLS ? VITAL_CLS_MAX : VITAL_MS_MAX;
    if (!(vital->value >= 0 && vital->value <= max) || !isfinite(vital->time))
        return false;
    for (uint32_t i = 0; i < vital->part_count; i++)
        if (!isfinite(vital->parts[i]))
            return false;
    return true;
}

static bool is_due(const struct core *self, enum vital_metric metric)
{
    const struct vital *vital = vitals_find(self->vitals, metric);
    if (vital->state == VITAL_NOT_YET || self->written[metric - 1] == vital->revision + 1)
        return false;
    return vital->state == VITAL_UNSUPPORTED || value_is_sendable(metric, vital);
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

static void fill_measured(struct core *self, const struct vital *vital, vitrace_v1_Vital *out)
{
    out->value = vital->value;
    out->rating = (vitrace_v1_Rating)vital->rating;
    out->final = vital->final;
    out->target_ref = kept_text(self, vital->target);
    out->url_ref = kept_text(self, vital->url);
    out->name_ref = kept_text(self, vital->name);
    out->time = vital->time;
    out->parts_count = (pb_size_t)vital->part_count;
    memcpy(out->parts, vital->parts, vital->part_count * sizeof vital->parts[0]);
}

static void write(struct core *self, enum vital_metric metric)
{
    const struct vital *vital = vitals_find(self->vitals, metric);
    vitrace_v1_Vital out = {
        .metric = (vitrace_v1_Metric)metric,
        .state = (vitrace_v1_VitalState)vital->state,
        .navigation_type = (vitrace_v1_NavigationType)vital->navigation_type,
    };
    segment_begin(&self->segment, true);
    if (vital->state == VITAL_MEASURED)
        fill_measured(self, vital, &out);
    segment_append(&self->segment, BEACON_FIELD_VITAL, vitrace_v1_Vital_fields, &out);
    if (segment_end(&self->segment))
        self->written[metric - 1] = vital->revision + 1;
}

void record_vital_write(struct core *self)
{
    for (enum vital_metric metric = VITAL_LCP; metric <= VITAL_TTFB; metric++)
        if (is_due(self, metric))
            write(self, metric);
}

_Static_assert(VITAL_PARTS_MAX == sizeof(((vitrace_v1_Vital *)0)->parts) / sizeof(double), "parts of a Vital");
