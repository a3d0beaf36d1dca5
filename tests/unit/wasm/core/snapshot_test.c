/* The snapshot: a whole beacon at any time, and the ring never notices. */
#include "tests/unit/wasm/core/core_fixture.h"

static struct slice snapshot_of(struct rig *rig)
{
    static uint8_t bytes[CORE_SNAPSHOT_BYTES_MAX];
    memset(bytes, 0xee, sizeof bytes);
    return slice_of(bytes, core_snapshot(rig->core, rig->clock, bytes));
}

static void expect_snapshot(struct rig *rig)
{
    assert_string_equal(beacon_status_name(rig_look_at(rig, snapshot_of(rig))), "ok");
    assert_true(rig->summary.has_ledger);
    assert_true(rig->summary.header.seq == CORE_SNAPSHOT_SEQ);
    assert_false(rig->summary.ledger.final);
}

/* The TTFB is reported one task after the load. */
static void put_loaded(struct rig *rig)
{
    double *put = rig_record(rig, INBOX_LIFECYCLE, INBOX_LIFECYCLE_WORDS);
    put[INBOX_LIFECYCLE_FIELD_EVENT] = INBOX_LIFECYCLE_LOADED;
    put[INBOX_LIFECYCLE_FIELD_TIME] = 400;
}

static void test_snapshot__there_is_none_before_start(void **state)
{
    assert_int_equal(snapshot_of(*state).size, 0);
}

static void test_snapshot__the_first_names_the_view_before_any_vital_is_known(void **state)
{
    struct rig *rig = *state;
    expect_snapshot(rig);
    assert_string_equal(rig->summary.header.page.route, "/p/:id");
    assert_int_equal(rig_count(rig, BEACON_FIELD_VITAL), 0);
    assert_int_equal(snapshot_of(rig).size, 0);
}

static void test_snapshot__tells_of_every_vital_also_of_those_that_were_sent(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Vital vital;
    put_navigation(rig);
    put_paint(rig, "first-contentful-paint", 300);
    take_and_seal(rig);
    put_largest_paint(rig, 450.5);
    rig_put_mark(rig, "waits", 460);
    assert_int_equal(rig_take(rig), CORE_OK);
    expect_snapshot(rig);
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_FCP, &vital));
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_LCP, &vital));
    assert_true(vital.value == 450.5);
    assert_string_equal(rig_string(rig, vital.target_ref), "main>img.hero");
    assert_int_equal(rig_count(rig, BEACON_FIELD_USER_TIMING), 0);
    assert_true(rig->summary.ledger.entries_encoded >= 4);
    assert_int_equal(rig->summary.ledger.segments_sealed, 1);
}

static void test_snapshot__comes_again_when_a_vital_changed_and_for_a_new_view(void **state)
{
    struct rig *rig = *state;
    expect_snapshot(rig);
    rig_put_mark(rig, "no vital", 5);
    assert_int_equal(rig_take(rig), CORE_OK);
    assert_int_equal(snapshot_of(rig).size, 0);
    put_navigation(rig);
    put_loaded(rig);
    assert_int_equal(rig_take(rig), CORE_OK);
    expect_snapshot(rig);
    double *view = rig_record(rig, INBOX_VIEW, INBOX_VIEW_WORDS);
    for (unsigned i = 0; i < 4; i++)
        view[INBOX_VIEW_VIEW_ID_0 + i] = 9;
    view[INBOX_VIEW_START_TIME] = 900;
    view[INBOX_VIEW_TYPE] = vitrace_v1_NavigationType_NAVIGATION_TYPE_BACK_FORWARD_CACHE;
    assert_true(rig_take(rig) >= CORE_OK);
    expect_snapshot(rig);
    assert_int_equal(rig->summary.header.view_id[3], 9);
}

/* Texts of the largest sizes that the vitals keep, in every vital that has one. */
static void test_snapshot__fits_when_every_text_is_as_long_as_can_be(void **state)
{
    struct rig *rig = *state;
    static char url[2000], route[600], target[600];
    memset(url, 'u', sizeof url - 1);
    memcpy(url, "https://shop.example/", 21);
    memset(route, 'r', sizeof route - 1);
    memset(target, 't', sizeof target - 1);
    double *start = rig_put_start(rig);
    start[INBOX_START_URL] = start[INBOX_START_REFERRER] = rig_text(rig, url);
    start[INBOX_START_ROUTE] = start[INBOX_START_APP] = rig_text(rig, route);
    start[INBOX_START_APP] = rig_text(rig, "shop");
    start[INBOX_START_RELEASE] = start[INBOX_START_ENVIRONMENT] = rig_text(rig, target);
    put_navigation(rig);
    put_loaded(rig);
    put_paint(rig, "first-contentful-paint", 300);
    put_largest_paint(rig, 450);
    double *paint = rig->words + rig->word_count - INBOX_LARGEST_PAINT_WORDS;
    paint[INBOX_LARGEST_PAINT_URL] = rig_text(rig, url);
    paint[INBOX_LARGEST_PAINT_TARGET] = rig_text(rig, target);
    double *shift = rig_record(rig, INBOX_LAYOUT_SHIFT, INBOX_LAYOUT_SHIFT_WORDS);
    shift[INBOX_LAYOUT_SHIFT_START_TIME] = 500;
    shift[INBOX_LAYOUT_SHIFT_VALUE] = 0.25;
    shift[INBOX_LAYOUT_SHIFT_HAD_RECENT_INPUT] = 0;
    shift[INBOX_LAYOUT_SHIFT_TARGET] = rig_text(rig, target);
    assert_int_equal(rig_take(rig), CORE_OK);
    expect_snapshot(rig);
    assert_int_equal(rig_count(rig, BEACON_FIELD_VITAL), 4);
    assert_true(rig->beacon.size > 2000);
}

static void test_snapshot__there_is_none_without_consent_nor_of_a_view_that_was_not_looked_at(void **state)
{
    struct rig *rig = *state;
    put_consent(rig, false);
    assert_true(rig_take(rig) >= CORE_OK);
    assert_int_equal(snapshot_of(rig).size, 0);
    put_consent(rig, true);
    assert_true(rig_take(rig) >= CORE_OK);
    assert_int_equal(snapshot_of(rig).size, 0);
}

static void test_snapshot__there_is_none_of_a_session_that_only_the_recorder_knows(void **state)
{
    struct rig *rig = *state;
    put_record_config(rig);
    assert_true(rig_take(rig) >= CORE_OK);
    assert_int_equal(snapshot_of(rig).size, 0);
}

static void run_session(struct rig *rig, bool with_snapshots, uint8_t *out, size_t *size)
{
    *size = 0;
    for (unsigned step = 0; step < 60; step++) {
        char name[16];
        snprintf(name, sizeof name, "mark%u", step % 7);
        rig_put_mark(rig, name, step * 10.0);
        if (step % 9 == 3)
            put_largest_paint(rig, step * 10.0);
        rig->clock.mono_ms = 1000 + step;
        assert_true(rig_take(rig) >= CORE_OK);
        if (with_snapshots)
            snapshot_of(rig);
        enum beacon_status status;
        if (step % 20 == 19)
            assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
        while (rig_next_beacon(rig, &status)) {
            memcpy(out + *size, rig->beacon.data, rig->beacon.size);
            *size += rig->beacon.size;
        }
    }
}

static void test_snapshot__leaves_every_byte_of_the_beacons_as_it_is(void **state)
{
    static uint8_t with[65536], without[65536];
    size_t with_size, without_size;
    struct rig *other = rig_new();
    assert_non_null(other);
    rig_start(other);
    run_session(*state, true, with, &with_size);
    run_session(other, false, without, &without_size);
    rig_free(other);
    assert_int_equal(with_size, without_size);
    assert_true(with_size > 1000);
    assert_memory_equal(with, without, with_size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_snapshot__there_is_none_before_start),
        STARTED(test_snapshot__the_first_names_the_view_before_any_vital_is_known),
        STARTED(test_snapshot__tells_of_every_vital_also_of_those_that_were_sent),
        STARTED(test_snapshot__comes_again_when_a_vital_changed_and_for_a_new_view),
        FRESH(test_snapshot__fits_when_every_text_is_as_long_as_can_be),
        STARTED(test_snapshot__there_is_none_without_consent_nor_of_a_view_that_was_not_looked_at),
        STARTED(test_snapshot__there_is_none_of_a_session_that_only_the_recorder_knows),
        STARTED(test_snapshot__leaves_every_byte_of_the_beacons_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
