/* A page for the vitals tests: memory, and entries with the fields that a test does not care about filled in. */
#ifndef VITRACE_VITALS_FIXTURE_H
#define VITRACE_VITALS_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wasm/core/vitals_internal.h"

#include <string.h>

#define ALL_METRICS 31u

enum { TYPE_NAVIGATE = 1, TYPE_RELOAD, TYPE_BACK_FORWARD, TYPE_BFCACHE, TYPE_PRERENDER, TYPE_RESTORE, TYPE_SOFT, TYPE_ROUTE };

static struct vitals fixture_memory;

static inline struct vitals *page_start(struct vitals_start start)
{
    memset(&fixture_memory, 0xa5, sizeof fixture_memory);
    return vitals_init(&fixture_memory, &start);
}

static inline struct vitals *page_open(void)
{
    return page_start((struct vitals_start){.supported = ALL_METRICS});
}

static inline void take_navigation(struct vitals *page, double activation_start, double response_start)
{
    vitals_take_navigation(page, &(struct vitals_navigation){.now = 100000,
                                                             .activation_start = activation_start,
                                                             .response_start = response_start,
                                                             .type = TYPE_NAVIGATE});
}

static inline void take_paint(struct vitals *page, double start_time, uint32_t target)
{
    vitals_take_largest_paint(
        page, &(struct vitals_paint){.start_time = start_time, .target = target, .last_of_batch = true});
}

/* A soft navigation that began a view: SOFT_INTERACTION led to it, and it was painted at `paint_time`. */
#define SOFT_INTERACTION 77u

static inline void begin_soft_view(struct vitals *page, double start_time, double paint_time)
{
    vitals_leave(page);
    vitals_restart(page, TYPE_SOFT, start_time, false);
    vitals_take_soft_navigation(page, &(struct vitals_soft_navigation){.presentation_time = paint_time,
                                                                       .interaction_id = SOFT_INTERACTION});
}

static inline void take_interaction_paint(struct vitals *page, uint32_t interaction_id, double start_time,
                                          double render_time, uint64_t url_hash)
{
    vitals_take_interaction_paint(
        page, &(struct vitals_interaction_paint){.paint = {.start_time = render_time, .target = 9, .url_hash = url_hash},
                                                 .interaction_start = start_time,
                                                 .render_time = render_time,
                                                 .interaction_id = interaction_id});
}

static inline void take_shift(struct vitals *page, double start_time, double value, uint32_t target)
{
    vitals_take_shift(page, &(struct vitals_shift){.start_time = start_time, .value = value, .target = target});
}

/* An interaction of one event whose handlers ran from 10 to 20 ms after it. */
static inline void take_event(struct vitals *page, uint32_t interaction_id, double start_time, double duration)
{
    vitals_take_event(page, &(struct vitals_event){.start_time = start_time,
                                                   .duration = duration,
                                                   .processing_start = start_time + 10,
                                                   .processing_end = start_time + 20,
                                                   .interaction_id = interaction_id,
                                                   .name = 1000 + interaction_id,
                                                   .target = 2000 + interaction_id});
}

static inline void assert_measured(const struct vitals *page, enum vital_metric metric, double value)
{
    const struct vital *vital = vitals_find(page, metric);
    assert_int_equal(vital->state, VITAL_MEASURED);
    assert_true(vital->value == value);
    assert_int_equal(vital->rating, vital_rate(metric, value));
}

static inline void assert_not_yet(const struct vitals *page, enum vital_metric metric)
{
    assert_int_equal(vitals_find(page, metric)->state, VITAL_NOT_YET);
}

static inline void assert_parts(const struct vitals *page, enum vital_metric metric, const double *parts,
                                uint32_t count)
{
    const struct vital *vital = vitals_find(page, metric);
    assert_int_equal(vital->part_count, count);
    for (uint32_t i = 0; i < count; i++)
        assert_true(vital->parts[i] == parts[i]);
}

#define PARTS(...) (const double[]){__VA_ARGS__}, sizeof((const double[]){__VA_ARGS__}) / sizeof(double)

#endif
