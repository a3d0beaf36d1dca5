/* What the tests of the core share: a rig for each test, and the checks that hold for every beacon. */
#ifndef VITRACE_TEST_CORE_FIXTURE_H
#define VITRACE_TEST_CORE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "tests/unit/wasm/core/rig.h"

#include <math.h>
#include <stdio.h>

#define TRACE "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

static inline int set_up(void **state)
{
    *state = rig_new();
    return *state == NULL;
}

static inline int tear_down(void **state)
{
    rig_free(*state);
    return 0;
}

static inline int set_up_started(void **state)
{
    if (set_up(state) != 0)
        return -1;
    rig_start(*state);
    return 0;
}

static inline void expect_beacon(struct rig *rig)
{
    enum beacon_status status;
    assert_true(rig_next_beacon(rig, &status));
    assert_string_equal(beacon_status_name(status), "ok");
    assert_true(rig->summary.has_ledger);
}

static inline void expect_no_beacon(struct rig *rig)
{
    enum beacon_status status;
    assert_false(rig_next_beacon(rig, &status));
}

#define DECODE(rig, field, n, fields, out) assert_true(beacon_decode_message(rig_find(rig, field, n), fields, out))

/* Takes what is in the inbox and looks at the sealed result. */
static inline void take_and_seal(struct rig *rig)
{
    assert_true(rig_take(rig) >= CORE_OK);
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
    expect_beacon(rig);
}

static inline void expect_balanced(const struct rig *rig)
{
    double lost = 0;
    for (int field = CORE_STATS_LOST_RING_FULL; field < CORE_STATS_LOST_SEND_FAILED; field++)
        lost += rig_stat(rig, (enum core_stats_field)field);
    assert_true(rig_stat(rig, CORE_STATS_ENTRIES_SEEN) == rig_stat(rig, CORE_STATS_ENTRIES_ENCODED) + lost);
}

static inline double *put_navigation(struct rig *rig)
{
    double *n = rig_record(rig, INBOX_NAVIGATION, INBOX_NAVIGATION_WORDS);
    n[INBOX_NAVIGATION_NAME] = rig_text(rig, "https://shop.example/p/7?q=1");
    n[INBOX_NAVIGATION_TYPE] = rig_text(rig, "reload");
    n[INBOX_NAVIGATION_FETCH_START] = 2;
    n[INBOX_NAVIGATION_REQUEST_START] = 5;
    n[INBOX_NAVIGATION_RESPONSE_START] = 90;
    n[INBOX_NAVIGATION_RESPONSE_END] = 95;
    n[INBOX_NAVIGATION_DOM_INTERACTIVE] = 120.5;
    n[INBOX_NAVIGATION_SERVER_TIMINGS] = 0;
    return n;
}

static inline void put_meta(struct rig *rig, const char *content)
{
    rig_record(rig, INBOX_META_TRACE, INBOX_META_TRACE_WORDS)[INBOX_META_TRACE_CONTENT] = rig_text(rig, content);
}

static inline void put_paint(struct rig *rig, const char *name, double start)
{
    double *put = rig_record(rig, INBOX_PAINT, INBOX_PAINT_WORDS);
    put[INBOX_PAINT_NAME] = rig_text(rig, name);
    put[INBOX_PAINT_START_TIME] = start;
}

static inline void put_largest_paint(struct rig *rig, double start)
{
    double *put = rig_record(rig, INBOX_LARGEST_PAINT, INBOX_LARGEST_PAINT_WORDS);
    put[INBOX_LARGEST_PAINT_START_TIME] = start;
    put[INBOX_LARGEST_PAINT_RENDER_TIME] = start;
    put[INBOX_LARGEST_PAINT_SIZE] = 5000;
    put[INBOX_LARGEST_PAINT_URL] = rig_text(rig, "https://shop.example/hero.png?w=2");
    put[INBOX_LARGEST_PAINT_TARGET] = rig_text(rig, "main>img.hero");
    put[INBOX_LARGEST_PAINT_LAST] = 1;
}

/* The session of the rig stands at 0.6314 of all. */
#define RATE_WITH_IT    0.64
#define RATE_WITHOUT_IT 0.63

static inline double *put_config(struct rig *rig, double sample_rate)
{
    double *put = rig_record(rig, INBOX_CONFIG, INBOX_CONFIG_WORDS);
    put[INBOX_CONFIG_SAMPLE_RATE] = sample_rate;
    return put;
}

static inline void put_record_config(struct rig *rig)
{
    put_config(rig, RATE_WITHOUT_IT)[INBOX_CONFIG_FLIGHT_RECORDER] = 1;
}

static inline void put_consent(struct rig *rig, bool granted)
{
    put_config(rig, 1)[INBOX_CONFIG_CONSENT] = granted ? INBOX_CONSENT_GRANTED : INBOX_CONSENT_DENIED;
}

/* A route change to a view whose id is `id` four times. */
static inline void put_view(struct rig *rig, uint32_t id, double start)
{
    double *view = rig_record(rig, INBOX_VIEW, INBOX_VIEW_WORDS);
    for (int i = 0; i < 4; i++)
        view[INBOX_VIEW_VIEW_ID_0 + i] = id;
    view[INBOX_VIEW_START_TIME] = start;
    view[INBOX_VIEW_TYPE] = vitrace_v1_NavigationType_NAVIGATION_TYPE_ROUTE_CHANGE;
    view[INBOX_VIEW_ROUTE] = rig_text(rig, "/cart");
}

static inline bool find_vital(struct rig *rig, vitrace_v1_Metric metric, vitrace_v1_Vital *out)
{
    for (unsigned n = 0; n < rig_count(rig, BEACON_FIELD_VITAL); n++) {
        DECODE(rig, BEACON_FIELD_VITAL, n, vitrace_v1_Vital_fields, out);
        if (out->metric == metric)
            return true;
    }
    return false;
}

#define FRESH(test)   cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define STARTED(test) cmocka_unit_test_setup_teardown(test, set_up_started, tear_down)

#endif
