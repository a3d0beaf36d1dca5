/* The flight recorder: nothing leaves a good page, and of a bad one what the ledger says. */
#include "tests/unit/wasm/core/core_fixture.h"

#define TRIGGER(name) vitrace_v1_RecorderTrigger_RECORDER_TRIGGER_##name

static int set_up_recording(void **state)
{
    if (set_up_started(state) != 0)
        return -1;
    put_record_config(*state);
    return rig_take(*state) != CORE_OK;
}

static void take(struct rig *rig)
{
    assert_true(rig_take(rig) >= CORE_OK);
    assert_true(ring_producer_validate(&rig->producer));
    expect_balanced(rig);
}

/* Of words: a long run of digits or letters would be redacted to a short one. */
static void put_bulky_resource(struct rig *rig, unsigned i)
{
    char url[400];
    int size = snprintf(url, sizeof url, "https://shop.example/%u", i);
    while (size < 300)
        size += snprintf(url + size, sizeof url - (size_t)size, "/aisle");
    rig_put_resource(rig, url, i);
}

static void put_error(struct rig *rig)
{
    double *put = rig_record(rig, INBOX_ERROR, INBOX_ERROR_WORDS);
    put[INBOX_ERROR_START_TIME] = 77;
    put[INBOX_ERROR_MESSAGE] = rig_text(rig, "x is not a function");
}

/* What a view's beacons claim, and what came. */
struct statement {
    uint32_t received, entries, claimed_segments, claimed_entries, next_seq, gaps;
};

/* Takes all beacons that there are, of one view after the other, and adds up those of the last view. */
static struct statement receive_all(struct rig *rig, uint32_t trigger)
{
    struct statement sum = {0};
    enum beacon_status status;
    uint8_t view[16] = {0};
    while (rig_next_beacon(rig, &status)) {
        assert_string_equal(beacon_status_name(status), "ok");
        assert_int_equal(rig->summary.header.trigger, trigger);
        assert_int_equal(rig->summary.header.sample_rate_ppm, 630000);
        if (memcmp(view, rig->summary.header.view_id, 16) != 0)
            sum = (struct statement){.next_seq = rig->summary.header.seq};
        memcpy(view, rig->summary.header.view_id, 16);
        sum.gaps += rig->summary.header.seq != sum.next_seq;
        sum.next_seq = rig->summary.header.seq + 1;
        sum.received++;
        sum.entries += rig_count(rig, BEACON_FIELD_RESOURCE) + rig_count(rig, BEACON_FIELD_USER_TIMING) +
                       rig_count(rig, BEACON_FIELD_ERROR);
        sum.claimed_segments = rig->summary.ledger.segments_sealed - rig->summary.ledger.segments_dropped;
        sum.claimed_entries = rig->summary.ledger.entries_encoded;
    }
    return sum;
}

static void expect_statement_balances(struct statement sum)
{
    assert_true(sum.received > 0);
    assert_int_equal(sum.received, sum.claimed_segments);
    assert_int_equal(sum.entries, sum.claimed_entries);
    assert_int_equal(sum.gaps, 0);
}

static void test_recorder__a_good_page_sends_nothing_at_all(void **state)
{
    struct rig *rig = *state;
    put_navigation(rig);
    put_paint(rig, "first-contentful-paint", 300);
    put_largest_paint(rig, 2000);
    take(rig);
    assert_int_equal(rig_seal(rig, 0), CORE_OK);
    rig_put_mark(rig, "a", 1);
    put_view(rig, 9, 500);
    rig_put_mark(rig, "b", 600);
    take(rig);
    assert_true(core_open_age(rig->core, rig->clock) == 0); /* nobody waits for it */
    assert_int_equal(rig_seal(rig, 1), CORE_OK);
    expect_no_beacon(rig);
    assert_int_equal(rig->producer.header->sealed, 0);
    assert_true(rig->producer.held >= 3);
}

static void test_recorder__an_error_sends_what_was_held_in_order(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < 60; i++)
        put_bulky_resource(rig, i);
    take(rig);
    assert_true(rig->producer.held >= 1);
    put_error(rig);
    assert_int_equal(rig_take(rig), CORE_SEALED);
    struct statement sum = receive_all(rig, TRIGGER(ERROR));
    expect_statement_balances(sum);
    assert_int_equal(sum.entries, 61);
    rig_put_mark(rig, "after", 100);
    take_and_seal(rig); /* from now on as if it had been sampled */
    assert_int_equal(rig->summary.header.trigger, TRIGGER(ERROR));
    put_error(rig);
    assert_int_equal(rig_take(rig), CORE_OK);
    put_view(rig, 9, 500);
    rig_put_mark(rig, "next view", 600);
    take(rig);
    assert_int_equal(rig_seal(rig, 1), CORE_SEALED);
    expect_beacon(rig);
    expect_beacon(rig);
    assert_int_equal(rig->summary.header.trigger, TRIGGER(ERROR));
}

static void test_recorder__poor_lcp_is_a_trigger(void **state)
{
    struct rig *rig = *state;
    put_navigation(rig);
    put_paint(rig, "first-contentful-paint", 300);
    put_largest_paint(rig, 3999);
    assert_int_equal(rig_take(rig), CORE_OK);
    put_largest_paint(rig, 4001);
    assert_int_equal(rig_take(rig), CORE_SEALED);
    expect_beacon(rig);
    assert_int_equal(rig->summary.header.trigger, TRIGGER(LCP));
}

static void test_recorder__poor_inp_is_a_trigger(void **state)
{
    struct rig *rig = *state;
    double *put = rig_record(rig, INBOX_EVENT, INBOX_EVENT_WORDS);
    put[INBOX_EVENT_NAME] = rig_text(rig, "click");
    put[INBOX_EVENT_START_TIME] = 20;
    put[INBOX_EVENT_DURATION] = 504;
    put[INBOX_EVENT_INTERACTION_ID] = 7;
    rig_record(rig, INBOX_INTERACTION_COUNT, INBOX_INTERACTION_COUNT_WORDS)[INBOX_INTERACTION_COUNT_COUNT] = 1;
    rig_record(rig, INBOX_LIFECYCLE, INBOX_LIFECYCLE_WORDS)[INBOX_LIFECYCLE_FIELD_EVENT] = INBOX_LIFECYCLE_IDLE;
    assert_int_equal(rig_take(rig), CORE_SEALED);
    expect_beacon(rig);
    assert_int_equal(rig->summary.header.trigger, TRIGGER(INP));
}

static void put_click_pattern(struct rig *rig, vitrace_v1_ClickPatternType type)
{
    double *put = rig_record(rig, INBOX_CLICK_PATTERN, INBOX_CLICK_PATTERN_WORDS);
    put[INBOX_CLICK_PATTERN_START_TIME] = 5;
    put[INBOX_CLICK_PATTERN_TYPE] = type;
    put[INBOX_CLICK_PATTERN_COUNT] = 4;
}

static void test_recorder__rage_clicks_are_a_trigger_and_dead_ones_are_not(void **state)
{
    struct rig *rig = *state;
    put_click_pattern(rig, vitrace_v1_ClickPatternType_CLICK_PATTERN_TYPE_DEAD);
    assert_int_equal(rig_take(rig), CORE_OK);
    put_click_pattern(rig, vitrace_v1_ClickPatternType_CLICK_PATTERN_TYPE_RAGE);
    assert_int_equal(rig_take(rig), CORE_SEALED);
    expect_beacon(rig);
    assert_int_equal(rig->summary.header.trigger, TRIGGER(RAGE_CLICK));
}

static void test_recorder__the_application_may_ask(void **state)
{
    struct rig *rig = *state;
    rig_put_mark(rig, "a", 1);
    put_record_config(rig);
    rig->words[rig->word_count - INBOX_CONFIG_WORDS + INBOX_CONFIG_TRIGGER] = 1;
    assert_int_equal(rig_take(rig), CORE_SEALED);
    expect_statement_balances(receive_all(rig, TRIGGER(API)));
}

static void test_recorder__asked_before_anything_happened_it_sends_from_then_on(void **state)
{
    struct rig *rig = *state;
    put_record_config(rig);
    rig->words[rig->word_count - INBOX_CONFIG_WORDS + INBOX_CONFIG_TRIGGER] = 1;
    assert_int_equal(rig_take(rig), CORE_OK);
    expect_no_beacon(rig);
    rig_put_mark(rig, "a", 1);
    take_and_seal(rig);
    assert_int_equal(rig->summary.header.trigger, TRIGGER(API));
}

static void test_recorder__a_bad_error_record_is_no_trigger(void **state)
{
    struct rig *rig = *state;
    rig_record(rig, INBOX_ERROR, INBOX_ERROR_WORDS); /* without a time */
    assert_int_equal(rig_take(rig), CORE_OK);
    assert_true(rig_stat(rig, CORE_STATS_LOST_BAD_ENTRY) == 1);
}

static void test_recorder__the_oldest_segments_make_room_and_the_ledger_says_so(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Vital vital;
    put_navigation(rig);
    put_paint(rig, "first-contentful-paint", 300);
    take(rig);
    assert_int_equal(rig_seal(rig, 0), CORE_OK);
    for (unsigned i = 0; i < 4000; i++) {
        put_bulky_resource(rig, i);
        take(rig);
        assert_true(rig->producer.held_bytes <= RING_HELD_BYTES);
    }
    assert_true(rig_stat(rig, CORE_STATS_LOST_RING_FULL) == 0);
    assert_true(rig_stat(rig, CORE_STATS_LOST_SAMPLED_OUT) > 3000);
    assert_true(rig_stat(rig, CORE_STATS_SEGMENTS_DROPPED) > 50);
    put_error(rig);
    assert_int_equal(rig_take(rig), CORE_SEALED);
    struct statement sum = receive_all(rig, TRIGGER(ERROR));
    expect_statement_balances(sum);
    assert_true(sum.entries > 100);
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_FCP, &vital)); /* it was in a segment that is gone */
    assert_true(vital.value == 300);
}

static void test_recorder__a_view_that_is_over_stays_whole_or_goes_whole(void **state)
{
    struct rig *rig = *state;
    for (uint32_t view = 1; view <= 30; view++) {
        put_view(rig, view, view * 100);
        for (unsigned i = 0; i < (view * 37) % 150; i++) {
            put_bulky_resource(rig, i);
            take(rig);
        }
        if (view % 5 == 0)
            rig_seal(rig, 0);
    }
    put_error(rig);
    assert_int_equal(rig_take(rig), CORE_SEALED);

    enum beacon_status status;
    uint32_t view = 0, received = 0, claimed = 0, views = 0;
    for (bool more = true; more;) {
        more = rig_next_beacon(rig, &status);
        uint32_t next = more ? rig->summary.header.view_id[3] : 0;
        if (next != view && view != 0) {
            assert_int_equal(received, claimed);
            views++;
        }
        received = next == view ? received + 1 : 1;
        claimed = rig->summary.ledger.segments_sealed - rig->summary.ledger.segments_dropped;
        view = next;
    }
    assert_true(views >= 2);
}

static void test_recorder__denied_consent_empties_it(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < 100; i++)
        put_bulky_resource(rig, i);
    take(rig);
    assert_true(rig->producer.held >= 1);
    put_consent(rig, false);
    put_error(rig);
    take(rig);
    assert_int_equal(rig->producer.held, 0);
    assert_true(rig_stat(rig, CORE_STATS_LOST_CONSENT) == 101);
    assert_true(rig_stat(rig, CORE_STATS_ENTRIES_ENCODED) == 0);
    put_consent(rig, true);
    put_error(rig);
    assert_int_equal(rig_take(rig), CORE_SEALED);
    struct statement sum = receive_all(rig, TRIGGER(ERROR));
    expect_statement_balances(sum);
    assert_int_equal(sum.entries, 1);
}

static void test_recorder__a_batch_that_fills_the_ring_after_the_trigger_loses_only_what_does_not_fit(void **state)
{
    struct rig *rig = *state;
    for (unsigned i = 0; i < 300; i++) {
        put_bulky_resource(rig, i);
        take(rig);
    }
    put_error(rig);
    assert_int_equal(rig_take(rig), CORE_SEALED);
    for (unsigned i = 0; i < 80; i++) { /* two full segments, before anything was sent */
        put_bulky_resource(rig, i);
        take(rig);
    }
    assert_true(rig_stat(rig, CORE_STATS_LOST_RING_FULL) == 0);
    rig_seal(rig, 1);
    expect_statement_balances(receive_all(rig, TRIGGER(ERROR)));
}

#define RECORDING(test) cmocka_unit_test_setup_teardown(test, set_up_recording, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        RECORDING(test_recorder__a_good_page_sends_nothing_at_all),
        RECORDING(test_recorder__an_error_sends_what_was_held_in_order),
        RECORDING(test_recorder__poor_lcp_is_a_trigger),
        RECORDING(test_recorder__poor_inp_is_a_trigger),
        RECORDING(test_recorder__rage_clicks_are_a_trigger_and_dead_ones_are_not),
        RECORDING(test_recorder__the_application_may_ask),
        RECORDING(test_recorder__asked_before_anything_happened_it_sends_from_then_on),
        RECORDING(test_recorder__a_bad_error_record_is_no_trigger),
        RECORDING(test_recorder__the_oldest_segments_make_room_and_the_ledger_says_so),
        RECORDING(test_recorder__a_view_that_is_over_stays_whole_or_goes_whole),
        RECORDING(test_recorder__denied_consent_empties_it),
        RECORDING(test_recorder__a_batch_that_fills_the_ring_after_the_trigger_loses_only_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
