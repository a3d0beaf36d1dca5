/* The flow: start, seal, views, losses, limits. */
#include "tests/unit/wasm/core/core_fixture.h"

static void test_core__refuses_a_batch_before_start(void **state)
{
    struct rig *rig = *state;
    rig_put_mark(rig, "a", 1);
    assert_int_equal(rig_take(rig), CORE_NOT_STARTED);
    assert_int_equal(rig_seal(rig, 1), CORE_NOT_STARTED);
    assert_true(core_open_age(rig->core, rig->clock) == 0);
}

static void test_core__refuses_a_start_that_the_collector_would_refuse(void **state)
{
    struct rig *rig = *state;
    rig_put_start(rig)[INBOX_START_APP] = rig_text(rig, "Shop!");
    assert_int_equal(rig_take(rig), CORE_NOT_STARTED);
    double *start = rig_put_start(rig);
    for (int i = 0; i < 4; i++)
        start[INBOX_START_SESSION_ID_0 + i] = 0;
    assert_int_equal(rig_take(rig), CORE_NOT_STARTED);
    rig_put_start(rig)[INBOX_START_TIME_ORIGIN] = INFINITY;
    assert_int_equal(rig_take(rig), CORE_NOT_STARTED);
    rig_put_start(rig);
    rig->word_count--; /* cut short */
    assert_int_equal(rig_take(rig), CORE_NOT_STARTED);
    rig_put_start(rig);
    assert_int_equal(rig_take(rig), CORE_OK);
}

static void test_core__refuses_sizes_out_of_bounds(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(core_take(rig->core, rig->clock, rig->words, INBOX_WORDS + 1, slice_of("", 0)), CORE_BAD_BATCH);
    memset(rig->strings, 0, sizeof rig->strings);
    struct slice strings = slice_of(rig->strings, INBOX_STRINGS_MAX + 1);
    assert_int_equal(core_take(rig->core, rig->clock, rig->words, 0, strings), CORE_BAD_BATCH);
    strings = slice_of(rig->strings, INBOX_STRING_BYTES + 1u);
    assert_int_equal(core_take(rig->core, rig->clock, rig->words, 0, strings), CORE_BAD_BATCH);
}

static void test_core__the_header_names_view_page_and_device(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
    expect_beacon(rig);
    const vitrace_v1_Header *header = &rig->summary.header;
    static const uint8_t view_id[16] = {1, 2, 3, 4, 1, 2, 3, 5, 1, 2, 3, 6, 1, 2, 3, 7};
    assert_memory_equal(header->view_id, view_id, 16);
    assert_int_equal(header->session_id[0], 0xa1);
    assert_string_equal(header->app, "shop");
    assert_string_equal(header->page.url, "https://shop.example/p/7");
    assert_string_equal(header->page.route, "/p/:id");
    assert_string_equal(header->page.referrer, "https://search.example");
    assert_int_equal(header->device.device_pixel_ratio_x100, 125);
    assert_int_equal(header->device.device_memory_mib, 512);
    assert_true(header->time_origin_unix_us == 1700000000000000u);
    assert_true(header->mono_us == 1000000u);
    assert_true(header->wall_unix_us == 1700000001000000u);
    assert_int_equal(header->transport, vitrace_v1_Transport_TRANSPORT_TRANSFER);
}

static void test_core__the_first_seal_always_sends_and_the_next_has_nothing_to_say(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
    expect_beacon(rig);
    assert_int_equal(rig->summary.ledger.segments_sealed, 1);
    assert_int_equal(rig_seal(rig, 1), CORE_OK);
    expect_no_beacon(rig);
}

static void test_core__vitals_are_written_when_they_changed(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Vital vital;
    put_navigation(rig);
    put_paint(rig, "first-contentful-paint", 300);
    put_largest_paint(rig, 450.5);
    take_and_seal(rig);
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_LCP, &vital));
    assert_int_equal(vital.state, vitrace_v1_VitalState_VITAL_STATE_MEASURED);
    assert_true(vital.value == 450.5);
    assert_string_equal(rig_string(rig, vital.target_ref), "main>img.hero");
    assert_string_equal(rig_string(rig, vital.url_ref), "https://shop.example/hero.png");
    assert_int_equal(vital.parts_count, 4);
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_FCP, &vital));
    assert_true(vital.value == 300);
    assert_true(rig_stat(rig, CORE_STATS_LCP) == 450.5);

    rig_put_mark(rig, "later", 500);
    take_and_seal(rig);
    assert_int_equal(rig_count(rig, BEACON_FIELD_VITAL), 0);
    put_largest_paint(rig, 600);
    take_and_seal(rig);
    assert_int_equal(rig_count(rig, BEACON_FIELD_VITAL), 1);
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_LCP, &vital));
    assert_true(vital.value == 600);
}

static void put_interaction(struct rig *rig, double start, double duration)
{
    double *event = rig_record(rig, INBOX_EVENT, INBOX_EVENT_WORDS);
    event[INBOX_EVENT_NAME] = rig_text(rig, "click");
    event[INBOX_EVENT_START_TIME] = start;
    event[INBOX_EVENT_DURATION] = duration;
    event[INBOX_EVENT_PROCESSING_START] = start + 10;
    event[INBOX_EVENT_PROCESSING_END] = start + duration - 10;
    event[INBOX_EVENT_INTERACTION_ID] = 7;
}

/* `script`: characters of its function and invoker. */
static void put_long_frame(struct rig *rig, double start, double duration, unsigned script)
{
    char name[300] = {0};
    memset(name, 'f', script);
    double *frame = rig_record(rig, INBOX_LONG_FRAME, INBOX_LONG_FRAME_WORDS);
    frame[INBOX_LONG_FRAME_START_TIME] = start;
    frame[INBOX_LONG_FRAME_DURATION] = duration;
    frame[INBOX_LONG_FRAME_STYLE_AND_LAYOUT_START] = start + duration - 5;
    frame[INBOX_LONG_FRAME_SCRIPTS] = 1;
    double *put = rig_record(rig, INBOX_FRAME_SCRIPT, INBOX_FRAME_SCRIPT_WORDS);
    put[INBOX_FRAME_SCRIPT_SOURCE_URL] = rig_text(rig, "https://shop.example/a.js?v=3");
    put[INBOX_FRAME_SCRIPT_SOURCE_FUNCTION] = rig_text(rig, name);
    put[INBOX_FRAME_SCRIPT_INVOKER] = rig_text(rig, name);
    put[INBOX_FRAME_SCRIPT_INVOKER_TYPE] = rig_text(rig, "event-listener");
    put[INBOX_FRAME_SCRIPT_START_TIME] = start + 12;
    put[INBOX_FRAME_SCRIPT_DURATION] = 30;
    put[INBOX_FRAME_SCRIPT_SOURCE_CHAR_POSITION] = 4711;
}

static void put_idle(struct rig *rig)
{
    double *idle = rig_record(rig, INBOX_LIFECYCLE, INBOX_LIFECYCLE_WORDS);
    idle[INBOX_LIFECYCLE_FIELD_EVENT] = INBOX_LIFECYCLE_IDLE;
    idle[INBOX_LIFECYCLE_FIELD_TIME] = 2000;
}

static void test_core__inp_names_the_script_that_it_waited_for(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Vital vital;
    put_interaction(rig, 1000, 104);
    put_long_frame(rig, 1000, 90, 200);
    put_idle(rig);
    take_and_seal(rig);
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_INP, &vital));
    assert_int_equal(vital.frame_parts_count, 4);
    assert_true(vital.frame_parts[0] == 30 && vital.frame_parts[1] == 5);
    assert_true(vital.has_longest_script && vital.longest_script.intersecting_ms == 30);
    assert_int_equal(vital.longest_script.subpart,
                     vitrace_v1_InteractionSubpart_INTERACTION_SUBPART_PROCESSING_DURATION);
    assert_int_equal(vital.longest_script.source_char_position, 4711);
    assert_string_equal(rig_string(rig, vital.longest_script.source_url_ref), "https://shop.example/a.js");
    assert_int_equal(strlen(rig_string(rig, vital.longest_script.source_function_ref)), 128);
    assert_string_equal(rig_string(rig, vital.longest_script.invoker_type_ref), "event-listener");
}

static double *put_interaction_paint(struct rig *rig, double start, double render)
{
    double *paint = rig_record(rig, INBOX_INTERACTION_PAINT, INBOX_INTERACTION_PAINT_WORDS);
    paint[INBOX_INTERACTION_PAINT_START_TIME] = start;
    paint[INBOX_INTERACTION_PAINT_RENDER_TIME] = render;
    paint[INBOX_INTERACTION_PAINT_TARGET] = rig_text(rig, "main>h1");
    paint[INBOX_INTERACTION_PAINT_INTERACTION_ID] = 7;
    return paint;
}

static void test_core__a_soft_navigation_ends_the_view_and_has_paints_of_its_own(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Vital vital;
    put_navigation(rig);
    put_interaction(rig, 1000, 104); /* nobody was idle since */
    put_view(rig, 9, 1000);
    rig->words[rig->word_count - INBOX_VIEW_WORDS + INBOX_VIEW_TYPE] =
        vitrace_v1_NavigationType_NAVIGATION_TYPE_SOFT_NAVIGATION;
    double *soft = rig_record(rig, INBOX_SOFT_NAVIGATION, INBOX_SOFT_NAVIGATION_WORDS);
    soft[INBOX_SOFT_NAVIGATION_NAME] = rig_text(rig, "https://shop.example/cart?x=1");
    soft[INBOX_SOFT_NAVIGATION_START_TIME] = 1000;
    soft[INBOX_SOFT_NAVIGATION_INTERACTION_ID] = 7;
    soft[INBOX_SOFT_NAVIGATION_PRESENTATION_TIME] = 1104;
    put_interaction_paint(rig, 1000, 1110);
    put_interaction_paint(rig, 1000, 1190)[INBOX_INTERACTION_PAINT_INTERACTION_ID] = 8;
    put_interaction_paint(rig, 1000, 1200)[INBOX_INTERACTION_PAINT_TARGET] = 99; /* past the batch */
    assert_int_equal(rig_take(rig), CORE_SEALED);
    expect_beacon(rig);
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_INP, &vital));
    assert_true(vital.value == 104);
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
    expect_beacon(rig);
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_FCP, &vital));
    assert_true(vital.value == 104);
    assert_int_equal(vital.load_state, vitrace_v1_LoadState_LOAD_STATE_COMPLETE);
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_LCP, &vital));
    assert_true(vital.value == 110);
    assert_string_equal(rig_string(rig, vital.target_ref), "main>h1");
    assert_int_equal(vital.navigation_type, vitrace_v1_NavigationType_NAVIGATION_TYPE_SOFT_NAVIGATION);
    assert_false(find_vital(rig, vitrace_v1_Metric_METRIC_INP, &vital));
}

static void test_core__unsupported_is_not_zero(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Vital vital;
    rig_put_start(rig)[INBOX_START_SUPPORTED] = 31 - 4; /* no CLS */
    assert_int_equal(rig_take(rig), CORE_OK);
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
    expect_beacon(rig);
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_CLS, &vital));
    assert_int_equal(vital.state, vitrace_v1_VitalState_VITAL_STATE_UNSUPPORTED);
    assert_true(isnan(rig_stat(rig, CORE_STATS_CLS)));
}

static void test_core__a_new_view_seals_the_old_one_and_counts_anew(void **state)
{
    struct rig *rig = *state;
    rig_put_mark(rig, "old", 5);
    double *view = rig_record(rig, INBOX_VIEW, INBOX_VIEW_WORDS);
    for (int i = 0; i < 4; i++)
        view[INBOX_VIEW_VIEW_ID_0 + i] = 9;
    view[INBOX_VIEW_START_TIME] = 900;
    view[INBOX_VIEW_TYPE] = vitrace_v1_NavigationType_NAVIGATION_TYPE_SOFT_NAVIGATION;
    view[INBOX_VIEW_URL] = rig_text(rig, "https://shop.example/cart?x=1");
    view[INBOX_VIEW_ROUTE] = rig_text(rig, "/cart");
    rig_put_mark(rig, "new", 950);
    assert_int_equal(rig_take(rig), CORE_SEALED);
    expect_beacon(rig);
    assert_int_equal(rig->summary.header.view_id[0], 1);
    assert_true(rig->summary.ledger.final);
    assert_int_equal(rig->summary.ledger.entries_encoded, 1);
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
    expect_beacon(rig);
    assert_int_equal(rig->summary.header.view_id[3], 9);
    assert_int_equal(rig->summary.header.seq, 0);
    assert_string_equal(rig->summary.header.page.url, "https://shop.example/cart");
    assert_string_equal(rig->summary.header.page.route, "/cart");
    assert_true(rig->summary.header.page.view_start_us == 900000);
    assert_int_equal(rig->summary.header.page.navigation_type,
                     vitrace_v1_NavigationType_NAVIGATION_TYPE_SOFT_NAVIGATION);
    assert_int_equal(rig->summary.ledger.entries_encoded, 1);
    assert_int_equal(rig->summary.ledger.segments_sealed, 1);
}

static void put_route(struct rig *rig, const char *route)
{
    rig_record(rig, INBOX_ROUTE, INBOX_ROUTE_WORDS)[INBOX_ROUTE_ROUTE] = rig_text(rig, route);
}

static void test_core__a_view_is_renamed_and_says_so_in_any_case(void **state)
{
    struct rig *rig = *state;
    rig_put_mark(rig, "old", 5);
    put_route(rig, "/p/:slug");
    assert_int_equal(rig_take(rig), CORE_SEALED);
    expect_beacon(rig);
    assert_string_equal(rig->summary.header.page.route, "/p/:id");
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED); /* nothing else is new */
    expect_beacon(rig);
    assert_string_equal(rig->summary.header.page.route, "/p/:slug");
    assert_string_equal(rig->summary.header.page.url, "https://shop.example/p/7");
    assert_string_equal(rig->summary.header.page.referrer, "https://search.example");
    assert_int_equal(rig->summary.header.seq, 1);
    put_route(rig, "/p/:slug");
    assert_int_equal(rig_take(rig), CORE_OK);
    assert_int_equal(rig_seal(rig, 0), CORE_OK);
    expect_no_beacon(rig);
    rig_put_mark(rig, "new", 9);
    take_and_seal(rig);
    assert_string_equal(rig->summary.header.page.route, "/p/:slug");
}

static void test_core__a_route_before_the_first_entry_costs_no_beacon(void **state)
{
    struct rig *rig = *state;
    put_route(rig, "/u/bob@b.example");
    rig_put_mark(rig, "a", 5);
    take_and_seal(rig);
    expect_no_beacon(rig);
    assert_string_equal(rig->summary.header.page.route, "/u/[email]");
    assert_int_equal(rig->summary.header.seq, 0);
}

static void test_core__a_new_session_holds_from_its_view_on(void **state)
{
    struct rig *rig = *state;
    rig_put_mark(rig, "old", 5);
    double *view = rig_record(rig, INBOX_VIEW, INBOX_VIEW_WORDS);
    double *session = rig_record(rig, INBOX_SESSION, INBOX_SESSION_WORDS);
    view[INBOX_VIEW_START_TIME] = 900;
    for (int i = 0; i < 4; i++)
        view[INBOX_VIEW_VIEW_ID_0 + i] = session[INBOX_SESSION_SESSION_ID_0 + i] = 9;
    rig_record(rig, INBOX_SESSION, INBOX_SESSION_WORDS); /* without an id: refused */
    rig_put_mark(rig, "new", 950);
    take_and_seal(rig);
    assert_int_equal(rig->summary.header.session_id[0], 0xa1);
    expect_beacon(rig);
    assert_int_equal(rig->summary.header.session_id[3], 9);
    assert_true(rig_stat(rig, CORE_STATS_LOST_BAD_ENTRY) == 1);
}

static void test_core__allowed_query_keys_hold_for_the_start_too(void **state)
{
    struct rig *rig = *state;
    double *start = rig_put_start(rig);
    start[INBOX_START_URL] = rig_text(rig, "https://shop.example/p?sort=up&id=7");
    put_config(rig, 1)[INBOX_CONFIG_QUERY_KEYS] = rig_text(rig, "sort");
    assert_int_equal(rig_take(rig), CORE_OK);
    put_navigation(rig);
    take_and_seal(rig);
    assert_string_equal(rig->summary.header.page.url, "https://shop.example/p?sort=up");
}

static void test_core__a_bad_record_is_counted_and_the_next_is_read(void **state)
{
    struct rig *rig = *state;
    rig_put_mark(rig, "a", NAN); /* no start */
    rig_put_mark(rig, "b", INFINITY);
    rig_put_mark(rig, "c", -1);
    rig_put_mark(rig, "d", 1)[INBOX_USER_TIMING_NAME] = 99; /* past the batch */
    rig_put_mark(rig, "e", 1)[INBOX_USER_TIMING_NAME] = -1;
    rig_put_mark(rig, "\xff", 1); /* not UTF-8 */
    rig_put_server_timing(rig, "stray", "");
    rig_put_start(rig);                                                                   /* a second one */
    rig_put_resource(rig, "https://shop.example/", 1)[INBOX_RESOURCE_SERVER_TIMINGS] = 2; /* but there is one */
    rig_put_server_timing(rig, "db", "");
    rig_put_mark(rig, "good", 2);
    take_and_seal(rig);
    assert_int_equal(rig->summary.ledger.entries_seen, 10);
    assert_int_equal(rig->summary.ledger.entries_encoded, 1);
    assert_int_equal(rig->summary.ledger.losses[0].reason, vitrace_v1_LossReason_LOSS_REASON_BAD_ENTRY);
    assert_int_equal(rig->summary.ledger.losses[0].count, 9);
    assert_int_equal(rig_count(rig, BEACON_FIELD_STRING), 1); /* nothing of the bad ones is left behind */
    expect_balanced(rig);
}

static void test_core__an_unknown_kind_ends_the_batch(void **state)
{
    struct rig *rig = *state;
    static const double kinds[] = {0, INBOX_KIND_COUNT, 1.5e300, -3, NAN};
    for (unsigned i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        rig_put_mark(rig, "before", 1);
        rig_put_mark(rig, "odd", 1)[0] = kinds[i];
        rig_put_mark(rig, "after", 1);
        assert_int_equal(rig_take(rig), CORE_OK);
        assert_true(rig_stat(rig, CORE_STATS_LOST_BAD_ENTRY) == i + 1);
        assert_true(rig_stat(rig, CORE_STATS_ENTRIES_ENCODED) == i + 1);
    }
}

static void test_core__losses_of_the_bridge_reach_the_ledger(void **state)
{
    struct rig *rig = *state;
    double *put = rig_record(rig, INBOX_LOSS, INBOX_LOSS_WORDS);
    put[INBOX_LOSS_REASON] = vitrace_v1_LossReason_LOSS_REASON_BROWSER_DROPPED;
    put[INBOX_LOSS_COUNT] = 74;
    put = rig_record(rig, INBOX_METER, INBOX_METER_WORDS);
    put[INBOX_METER_MAIN_THREAD_US] = 1234.5;
    take_and_seal(rig);
    assert_int_equal(rig->summary.ledger.losses_count, 1);
    assert_int_equal(rig->summary.ledger.losses[0].count, 74);
    assert_true(rig->summary.ledger.main_thread_us == 1234);
    put = rig_record(rig, INBOX_LOSS, INBOX_LOSS_WORDS);
    put[INBOX_LOSS_REASON] = vitrace_v1_LossReason_LOSS_REASON_BUDGET;
    put[INBOX_LOSS_COUNT] = 1;
    take_and_seal(rig); /* a new loss is reason enough to send */
    expect_balanced(rig);
}

static void test_core__a_segment_given_up_by_the_sender_is_reported(void **state)
{
    struct rig *rig = *state;
    rig_put_mark(rig, "a", 1);
    assert_int_equal(rig_take(rig), CORE_OK);
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
    ring_consumer_release(rig->producer.header, ring_consumer_take(rig->producer.header), 0);
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
    expect_beacon(rig);
    assert_int_equal(rig->summary.ledger.losses[0].reason, vitrace_v1_LossReason_LOSS_REASON_SEND_FAILED);
    assert_int_equal(rig->summary.ledger.losses[0].count, 1);
}

static void test_core__seals_by_itself_when_a_segment_is_full(void **state)
{
    struct rig *rig = *state;
    unsigned sent = 0;
    enum beacon_status status;
    for (unsigned i = 0; i < 1000; i++) {
        char url[64];
        snprintf(url, sizeof url, "https://shop.example/%u/image.png", i);
        rig_put_resource(rig, url, i);
        assert_true(rig_take(rig) >= CORE_OK);
        while (rig_next_beacon(rig, &status)) {
            assert_int_equal(status, BEACON_OK);
            assert_true(rig->beacon.size <= BEACON_BYTES_MAX && rig->beacon.size > BEACON_BYTES_MAX / 2);
            sent += rig_count(rig, BEACON_FIELD_RESOURCE);
        }
    }
    assert_int_equal(rig_seal(rig, 1), CORE_SEALED);
    expect_beacon(rig);
    sent += rig_count(rig, BEACON_FIELD_RESOURCE);
    assert_int_equal(sent, 1000);
    assert_int_equal(rig->summary.ledger.entries_encoded, 1000);
    assert_true(rig->summary.ledger.final);
}

static void test_core__a_full_dictionary_or_record_table_seals_and_reopens(void **state)
{
    struct rig *rig = *state;
    enum beacon_status status;
    unsigned sent = 0;
    for (unsigned i = 0; i < 3000; i++) {
        char name[16];
        snprintf(name, sizeof name, "%u", i);
        rig_put_mark(rig, i < 1200 ? name : "", i < 1200 ? i : 0); /* then records of 3 bytes */
        assert_true(rig_take(rig) >= CORE_OK);
    }
    rig_seal(rig, 1);
    while (rig_next_beacon(rig, &status)) {
        assert_int_equal(status, BEACON_OK);
        assert_true(rig->summary.strings <= BEACON_STRINGS_MAX && rig->summary.records <= BEACON_RECORDS_MAX);
        sent += rig_count(rig, BEACON_FIELD_USER_TIMING);
    }
    assert_int_equal(sent, 3000);
}

static void test_core__a_full_ring_is_a_counted_loss_and_the_vitals_go_on(void **state)
{
    struct rig *rig = *state;
    enum beacon_status status;
    for (unsigned i = 0; i < 4000; i++) {
        char url[400];
        snprintf(url, sizeof url, "https://shop.example/%0300u", i);
        rig_put_resource(rig, url, i);
        assert_true(rig_take(rig) >= CORE_OK);
    }
    double lost = rig_stat(rig, CORE_STATS_LOST_RING_FULL);
    assert_true(lost > 1000);
    expect_balanced(rig);
    put_navigation(rig);
    put_paint(rig, "first-contentful-paint", 300);
    put_largest_paint(rig, 700);
    assert_int_equal(rig_take(rig), CORE_OK);
    assert_true(rig_stat(rig, CORE_STATS_LOST_RING_FULL) == lost + 3);
    assert_int_equal(rig_seal(rig, 1), CORE_OK); /* nothing could be opened */
    while (rig_next_beacon(rig, &status))
        assert_int_equal(status, BEACON_OK);
    assert_int_equal(rig_seal(rig, 1), CORE_SEALED);
    expect_beacon(rig);
    assert_int_equal(rig->summary.ledger.losses[0].reason, vitrace_v1_LossReason_LOSS_REASON_RING_FULL);
    assert_true(rig->summary.ledger.losses[0].count == lost + 3);
    vitrace_v1_Vital vital;
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_LCP, &vital));
    assert_true(vital.value == 700);
}

static void test_core__the_open_age_counts_from_the_first_entry(void **state)
{
    struct rig *rig = *state;
    rig_put_mark(rig, "a", 1);
    assert_int_equal(rig_take(rig), CORE_OK);
    rig->clock.mono_ms += 250;
    assert_true(core_open_age(rig->core, rig->clock) == 250);
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
    assert_true(core_open_age(rig->core, rig->clock) == 0);
}

static void test_core__a_vital_that_the_collector_would_refuse_is_withheld(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Vital vital;
    put_navigation(rig);
    put_paint(rig, "first-contentful-paint", 300);
    put_largest_paint(rig, 700000);
    take_and_seal(rig); /* would be out_of_range as a whole */
    assert_false(find_vital(rig, vitrace_v1_Metric_METRIC_LCP, &vital));
}

/* A batch with one of everything, cut after every word and after every string byte. */
static void put_everything(struct rig *rig)
{
    rig_put_start(rig);
    put_navigation(rig)[INBOX_NAVIGATION_SERVER_TIMINGS] = 1;
    rig_put_server_timing(rig, "trace", TRACE);
    put_meta(rig, TRACE);
    rig_put_resource(rig, "https://shop.example/a?b", 3)[INBOX_RESOURCE_SERVER_TIMINGS] = 1;
    rig_put_server_timing(rig, "db", "x");
    put_paint(rig, "first-contentful-paint", 10);
    put_largest_paint(rig, 12);
    rig_put_mark(rig, "m\xc3\xa4rk", 13);
    double *put = rig_record(rig, INBOX_EVENT, INBOX_EVENT_WORDS);
    put[INBOX_EVENT_NAME] = rig_text(rig, "click");
    put[INBOX_EVENT_START_TIME] = 20;
    put[INBOX_EVENT_DURATION] = 120;
    put[INBOX_EVENT_INTERACTION_ID] = 7;
    put[INBOX_EVENT_TARGET] = rig_text(rig, "#buy");
    put = rig_record(rig, INBOX_CUSTOM_EVENT, INBOX_CUSTOM_EVENT_WORDS);
    put[INBOX_CUSTOM_EVENT_START_TIME] = 1;
    put[INBOX_CUSTOM_EVENT_ATTRIBUTES] = 1;
    rig_record(rig, INBOX_ATTRIBUTE, INBOX_ATTRIBUTE_WORDS);
    put = rig_record(rig, INBOX_CUSTOM_METRIC, INBOX_CUSTOM_METRIC_WORDS);
    put[INBOX_CUSTOM_METRIC_START_TIME] = put[INBOX_CUSTOM_METRIC_VALUE] = 2;
    put[INBOX_CUSTOM_METRIC_ATTRIBUTES] = 1;
    rig_record(rig, INBOX_ATTRIBUTE, INBOX_ATTRIBUTE_WORDS);
    put = rig_record(rig, INBOX_ELEMENT, INBOX_ELEMENT_WORDS);
    put[INBOX_ELEMENT_IDENTIFIER] = rig_text(rig, "hero");
    put[INBOX_ELEMENT_START_TIME] = 3;
    put = rig_record(rig, INBOX_LIFECYCLE, INBOX_LIFECYCLE_WORDS);
    put[INBOX_LIFECYCLE_FIELD_EVENT] = INBOX_LIFECYCLE_PAGEHIDE;
    put[INBOX_LIFECYCLE_FIELD_TIME] = 500;
}

static void take_cut(unsigned words, unsigned string_bytes)
{
    struct rig *rig = rig_new();
    enum beacon_status status;
    assert_non_null(rig);
    put_everything(rig);
    if (words < rig->word_count)
        rig->word_count = words;
    if (string_bytes < rig->string_bytes)
        rig->string_bytes = string_bytes;
    rig_take(rig);
    rig_seal(rig, 1);
    expect_balanced(rig);
    while (rig_next_beacon(rig, &status))
        assert_int_equal(status, BEACON_OK);
    rig_free(rig);
}

static void test_core__any_prefix_of_a_batch_gives_valid_beacons_or_none(void **state)
{
    struct rig *rig = *state;
    put_everything(rig);
    unsigned words = rig->word_count, bytes = rig->string_bytes;
    for (unsigned cut = 0; cut <= words; cut++)
        take_cut(cut, bytes);
    for (unsigned cut = 0; cut <= bytes; cut++)
        take_cut(words, cut);
}

static void test_core__the_same_input_gives_the_same_bytes(void **state)
{
    struct rig *rig = *state, *other = rig_new();
    assert_non_null(other);
    put_everything(rig);
    put_everything(other);
    assert_int_equal(rig_take(rig), rig_take(other));
    assert_int_equal(rig_seal(rig, 1), rig_seal(other, 1));
    expect_beacon(rig);
    expect_beacon(other);
    assert_int_equal(rig->beacon.size, other->beacon.size);
    assert_memory_equal(rig->beacon.data, other->beacon.data, rig->beacon.size);
    rig_free(other);
}

/* wasm/exports.c reserves this much for the core. */
static void test_core__fits_the_memory_of_the_module(void **state)
{
    (void)state;
    assert_true(core_bytes() <= 81920);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FRESH(test_core__refuses_a_batch_before_start),
        FRESH(test_core__refuses_a_start_that_the_collector_would_refuse),
        FRESH(test_core__refuses_sizes_out_of_bounds),
        STARTED(test_core__the_header_names_view_page_and_device),
        STARTED(test_core__the_first_seal_always_sends_and_the_next_has_nothing_to_say),
        STARTED(test_core__vitals_are_written_when_they_changed),
        STARTED(test_core__inp_names_the_script_that_it_waited_for),
        STARTED(test_core__a_soft_navigation_ends_the_view_and_has_paints_of_its_own),
        FRESH(test_core__unsupported_is_not_zero),
        STARTED(test_core__a_new_view_seals_the_old_one_and_counts_anew),
        STARTED(test_core__a_view_is_renamed_and_says_so_in_any_case),
        STARTED(test_core__a_route_before_the_first_entry_costs_no_beacon),
        STARTED(test_core__a_new_session_holds_from_its_view_on),
        FRESH(test_core__allowed_query_keys_hold_for_the_start_too),
        STARTED(test_core__a_bad_record_is_counted_and_the_next_is_read),
        STARTED(test_core__an_unknown_kind_ends_the_batch),
        STARTED(test_core__losses_of_the_bridge_reach_the_ledger),
        STARTED(test_core__a_segment_given_up_by_the_sender_is_reported),
        STARTED(test_core__seals_by_itself_when_a_segment_is_full),
        STARTED(test_core__a_full_dictionary_or_record_table_seals_and_reopens),
        STARTED(test_core__a_full_ring_is_a_counted_loss_and_the_vitals_go_on),
        STARTED(test_core__the_open_age_counts_from_the_first_entry),
        STARTED(test_core__a_vital_that_the_collector_would_refuse_is_withheld),
        FRESH(test_core__any_prefix_of_a_batch_gives_valid_beacons_or_none),
        FRESH(test_core__the_same_input_gives_the_same_bytes),
        FRESH(test_core__fits_the_memory_of_the_module),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
