/* Kinds of records: from inbox fields to decoded messages. */
#include "tests/unit/wasm/core/core_fixture.h"

static void test_core_record__a_resource_keeps_its_phases_in_microseconds(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Resource r;
    struct beacon_phases phases;
    rig_put_resource(rig, "https://shop.example/api?token=x#y", 100.0005);
    take_and_seal(rig);
    assert_true(beacon_decode_resource(rig_find(rig, BEACON_FIELD_RESOURCE, 0), &r));
    assert_string_equal(rig_string(rig, r.name_ref), "https://shop.example/api");
    assert_true(r.start_us == 100001); /* half away from zero */
    beacon_phases_of_resource(&r, &phases);
    assert_true(phases.fetch_start_us == 500 && phases.domain_lookup_start_us == 1000);
    assert_true(phases.domain_lookup_end_us == 3000 && phases.connect_start_us == 3000);
    assert_true(phases.secure_connection_start_us == 4000 && phases.connect_end_us == 6000);
    assert_true(phases.request_start_us == 6250 && phases.response_start_us == 20000);
    assert_true(r.start_us + (uint64_t)phases.response_end_us == 125126); /* start + offset = the rounded time */
    assert_int_equal(phases.absent, 0);
    assert_true(r.connect_start_us == 0); /* left out: equals domain_lookup_end */
    assert_true(r.transfer_size == 1300 && r.encoded_body_size == 1000 && r.decoded_body_size == 4000);
    assert_int_equal(r.response_status, 200);
    assert_int_equal(r.next_hop_protocol, vitrace_v1_NextHopProtocol_NEXT_HOP_PROTOCOL_H2);
}

static void test_core_record__the_tag_of_a_call_is_read_and_its_fragment_dropped(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Resource r;
    rig_put_resource(rig, "https://shop.example/api?token=x#vt-12", 100);
    rig_put_resource(rig, "https://shop.example/api#top", 101);
    take_and_seal(rig);
    assert_true(beacon_decode_resource(rig_find(rig, BEACON_FIELD_RESOURCE, 0), &r));
    assert_string_equal(rig_string(rig, r.name_ref), "https://shop.example/api");
    assert_int_equal(r.call_tag, 12);
    assert_true(beacon_decode_resource(rig_find(rig, BEACON_FIELD_RESOURCE, 1), &r));
    assert_int_equal(r.call_tag, 0);
}

static void test_core_record__a_reused_connection_leaves_its_phases_out(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Resource r;
    struct beacon_phases phases;
    double *put = rig_put_resource(rig, "https://shop.example/a", 50);
    for (int field = INBOX_RESOURCE_DOMAIN_LOOKUP_START; field <= INBOX_RESOURCE_CONNECT_END; field++)
        put[field] = put[INBOX_RESOURCE_FETCH_START];
    put = rig_put_resource(rig, "https://shop.example/a", 60); /* a bridge that does not even read them */
    for (int field = INBOX_RESOURCE_DOMAIN_LOOKUP_START; field <= INBOX_RESOURCE_CONNECT_END; field++)
        put[field] = NAN;
    put[INBOX_RESOURCE_DECODED_BODY_SIZE] = put[INBOX_RESOURCE_ENCODED_BODY_SIZE];
    take_and_seal(rig);
    for (unsigned n = 0; n < 2; n++) {
        assert_true(beacon_decode_resource(rig_find(rig, BEACON_FIELD_RESOURCE, n), &r));
        assert_true(r.domain_lookup_start_us == 0 && r.connect_end_us == 0 && r.secure_connection_start_us == 0);
        beacon_phases_of_resource(&r, &phases);
        assert_true(phases.domain_lookup_start_us == 500 && phases.connect_end_us == 500);
        assert_int_equal(phases.absent, 0);
    }
    assert_true(r.decoded_body_size == 0);
}

static void test_core_record__an_opaque_resource_names_its_absent_phases(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Resource r;
    double *put = rig_put_resource(rig, "https://cdn.example/a.js", 50);
    for (int field = INBOX_RESOURCE_DOMAIN_LOOKUP_START; field <= INBOX_RESOURCE_RESPONSE_START; field++)
        put[field] = 0;
    put[INBOX_RESOURCE_FETCH_START] = 50;
    take_and_seal(rig);
    assert_true(beacon_decode_resource(rig_find(rig, BEACON_FIELD_RESOURCE, 0), &r));
    assert_int_equal(r.absent_phases, vitrace_v1_AbsentPhase_ABSENT_PHASE_CONNECTION |
                                          vitrace_v1_AbsentPhase_ABSENT_PHASE_REQUEST_START |
                                          vitrace_v1_AbsentPhase_ABSENT_PHASE_RESPONSE_START);
    assert_true(r.response_end_us == 25125);
}

static void test_core_record__trace_metrics_become_claims_and_the_rest_stay_metrics(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Resource r;
    double *put = rig_put_resource(rig, "https://shop.example/api", 10);
    put[INBOX_RESOURCE_SERVER_TIMINGS] = 4;
    rig_put_server_timing(rig, "db", "primary");
    rig_put_server_timing(rig, "TraceParent", TRACE);
    rig_put_server_timing(rig, "trace", "nonsense");
    rig_put_server_timing(rig, "cache", "");
    take_and_seal(rig);
    assert_true(beacon_decode_resource(rig_find(rig, BEACON_FIELD_RESOURCE, 0), &r));
    assert_int_equal(r.claims_count, 1);
    assert_int_equal(r.claims[0].source, vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACEPARENT);
    assert_int_equal(r.claims[0].trace_id[0], 0x4b);
    assert_int_equal(r.claims[0].span_id[7], 0xb7);
    assert_int_equal(r.claims[0].trace_flags, 1);
    assert_int_equal(r.server_timings_count, 3);
    assert_string_equal(rig_string(rig, r.server_timings[0].name_ref), "db");
    assert_string_equal(rig_string(rig, r.server_timings[0].description_ref), "primary");
    assert_true(r.server_timings[0].duration_ms == 12.5);
    assert_string_equal(rig_string(rig, r.server_timings[1].description_ref), "nonsense");
    assert_int_equal(r.server_timings[2].description_ref, 0);
}

static void test_core_record__claims_and_metrics_past_their_limits_are_left_out(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Resource r;
    rig_put_resource(rig, "https://shop.example/api", 10)[INBOX_RESOURCE_SERVER_TIMINGS] = 30;
    for (int i = 0; i < 15; i++) {
        rig_put_server_timing(rig, "trace", TRACE);
        rig_put_server_timing(rig, "m", "");
    }
    take_and_seal(rig);
    assert_true(beacon_decode_resource(rig_find(rig, BEACON_FIELD_RESOURCE, 0), &r));
    assert_int_equal(r.claims_count, BEACON_CLAIMS_MAX);
    assert_int_equal(r.server_timings_count, BEACON_SERVER_TIMINGS_MAX);
}

static void expect_meta_claim(struct rig *rig)
{
    vitrace_v1_Navigation n;
    DECODE(rig, BEACON_FIELD_NAVIGATION, 0, vitrace_v1_Navigation_fields, &n);
    assert_int_equal(n.type, vitrace_v1_NavigationType_NAVIGATION_TYPE_RELOAD);
    assert_string_equal(rig_string(rig, n.name_ref), "https://shop.example/p/7");
    assert_true(n.dom_interactive_us == 120500 && n.response_start_us == 90000);
    assert_int_equal(n.claims_count, 1);
    assert_int_equal(n.claims[0].source, vitrace_v1_ClaimSource_CLAIM_SOURCE_META);
}

static void test_core_record__a_meta_trace_before_the_navigation_is_its_claim(void **state)
{
    struct rig *rig = *state;
    put_meta(rig, TRACE);
    assert_int_equal(rig_take(rig), CORE_OK);
    put_navigation(rig);
    take_and_seal(rig);
    expect_meta_claim(rig);
}

static void test_core_record__a_meta_trace_behind_the_navigation_is_its_claim(void **state)
{
    struct rig *rig = *state;
    put_navigation(rig);
    put_meta(rig, TRACE);
    take_and_seal(rig);
    expect_meta_claim(rig);
    assert_true(rig_stat(rig, CORE_STATS_LOST_BAD_ENTRY) == 0);
}

static void test_core_record__a_second_navigation_goes_into_the_next_beacon(void **state)
{
    struct rig *rig = *state;
    put_navigation(rig);
    put_meta(rig, TRACE);
    put_navigation(rig);
    assert_int_equal(rig_take(rig), CORE_SEALED);
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
    for (uint32_t seq = 0; seq < 2; seq++) {
        expect_beacon(rig);
        assert_int_equal(rig->summary.header.seq, seq);
        expect_meta_claim(rig);
    }
    expect_balanced(rig);
}

static void test_core_record__a_call_claims_what_was_injected_and_what_came_back(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Call call;
    double *put = rig_record(rig, INBOX_CALL, INBOX_CALL_WORDS);
    put[INBOX_CALL_URL] = rig_text(rig, "https://shop.example/api/cart?x=1");
    put[INBOX_CALL_METHOD] = rig_text(rig, "POST");
    put[INBOX_CALL_START_TIME] = 10;
    put[INBOX_CALL_HEADERS_TIME] = 40.5;
    put[INBOX_CALL_END_TIME] = 41;
    put[INBOX_CALL_STATUS] = 201;
    put[INBOX_CALL_TRACEPARENT] = rig_text(rig, TRACE);
    put[INBOX_CALL_SERVER_TIMING] = rig_text(rig, "db;dur=3, traceresponse;desc=\"" TRACE "\"");
    put[INBOX_CALL_CONTENT_LENGTH] = 1234;
    put[INBOX_CALL_TAG] = 7;
    put[INBOX_CALL_ABORTED] = 1;
    take_and_seal(rig);
    DECODE(rig, BEACON_FIELD_CALL, 0, vitrace_v1_Call_fields, &call);
    assert_string_equal(rig_string(rig, call.url_ref), "https://shop.example/api/cart");
    assert_string_equal(rig_string(rig, call.method_ref), "POST");
    assert_true(call.headers_us == 30500 && call.end_us == 31000);
    assert_true(call.content_length == 1234 && call.tag == 7 && call.aborted);
    assert_int_equal(call.claims_count, 2);
    assert_int_equal(call.claims[0].source, vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED);
    assert_int_equal(call.claims[1].source, vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACERESPONSE);
}

static void test_core_record__long_frames_carry_their_scripts(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_LongAnimationFrame frame;
    double *put = rig_record(rig, INBOX_LONG_FRAME, INBOX_LONG_FRAME_WORDS);
    put[INBOX_LONG_FRAME_START_TIME] = 100;
    put[INBOX_LONG_FRAME_DURATION] = 90;
    put[INBOX_LONG_FRAME_RENDER_START] = 170;
    put[INBOX_LONG_FRAME_SCRIPTS] = 10;
    for (int i = 0; i < 10; i++) {
        double *script = rig_record(rig, INBOX_FRAME_SCRIPT, INBOX_FRAME_SCRIPT_WORDS);
        script[INBOX_FRAME_SCRIPT_SOURCE_URL] = rig_text(rig, "https://shop.example/a.js?v=3");
        script[INBOX_FRAME_SCRIPT_INVOKER] = rig_text(rig, "IMG#hero.onload");
        script[INBOX_FRAME_SCRIPT_START_TIME] = 101;
        script[INBOX_FRAME_SCRIPT_SOURCE_CHAR_POSITION] = -1;
    }
    take_and_seal(rig);
    DECODE(rig, BEACON_FIELD_LONG_ANIMATION_FRAME, 0, vitrace_v1_LongAnimationFrame_fields, &frame);
    assert_int_equal(frame.scripts_count, BEACON_FRAME_SCRIPTS_MAX);
    assert_true(frame.render_start_us == 70000 && frame.scripts[0].start_us == 1000);
    assert_string_equal(rig_string(rig, frame.scripts[0].source_url_ref), "https://shop.example/a.js");
    assert_string_equal(rig_string(rig, frame.scripts[0].invoker_ref), "IMG#hero.onload");
    assert_true(frame.scripts[0].source_char_position == 0);
    assert_int_equal(rig_count(rig, BEACON_FIELD_STRING), 2);
}

static void test_core_record__custom_events_and_errors_keep_their_texts(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_CustomEvent event;
    vitrace_v1_ErrorEvent error;
    double *put = rig_record(rig, INBOX_CUSTOM_EVENT, INBOX_CUSTOM_EVENT_WORDS);
    put[INBOX_CUSTOM_EVENT_START_TIME] = 5;
    put[INBOX_CUSTOM_EVENT_NAME] = rig_text(rig, "checkout");
    put[INBOX_CUSTOM_EVENT_ATTRIBUTES] = 2;
    put = rig_record(rig, INBOX_ATTRIBUTE, INBOX_ATTRIBUTE_WORDS);
    put[INBOX_ATTRIBUTE_KEY] = rig_text(rig, "step");
    put[INBOX_ATTRIBUTE_NUMBER] = 2.5;
    put = rig_record(rig, INBOX_ATTRIBUTE, INBOX_ATTRIBUTE_WORDS);
    put[INBOX_ATTRIBUTE_KEY] = rig_text(rig, "plan");
    put[INBOX_ATTRIBUTE_TEXT] = rig_text(rig, "gr\xc3\xbc\xc3\x9f");
    put = rig_record(rig, INBOX_ERROR, INBOX_ERROR_WORDS);
    put[INBOX_ERROR_START_TIME] = 6;
    put[INBOX_ERROR_TYPE] = rig_text(rig, "TypeError");
    put[INBOX_ERROR_SOURCE] = rig_text(rig, "https://shop.example/a.js?v=1");
    put[INBOX_ERROR_LINE] = 12;
    put[INBOX_ERROR_ORIGIN] = 1;
    take_and_seal(rig);
    DECODE(rig, BEACON_FIELD_CUSTOM_EVENT, 0, vitrace_v1_CustomEvent_fields, &event);
    assert_int_equal(event.attributes_count, 2);
    assert_true(event.attributes[0].number == 2.5);
    assert_string_equal(rig_string(rig, event.attributes[1].text_ref), "gr\xc3\xbc\xc3\x9f");
    DECODE(rig, BEACON_FIELD_ERROR, 0, vitrace_v1_ErrorEvent_fields, &error);
    assert_string_equal(rig_string(rig, error.type_ref), "TypeError");
    assert_string_equal(rig_string(rig, error.source_ref), "https://shop.example/a.js");
    assert_int_equal(error.line, 12);
}

static void put_element(struct rig *rig)
{
    double *put = rig_record(rig, INBOX_ELEMENT, INBOX_ELEMENT_WORDS);
    put[INBOX_ELEMENT_NAME] = rig_text(rig, "image-paint");
    put[INBOX_ELEMENT_IDENTIFIER] = rig_text(rig, "hero");
    put[INBOX_ELEMENT_START_TIME] = put[INBOX_ELEMENT_LOAD_TIME] = 120.25;
    put[INBOX_ELEMENT_RENDER_TIME] = 0;
    put[INBOX_ELEMENT_SIZE] = 5000;
    put[INBOX_ELEMENT_URL] = rig_text(rig, "https://cdn.example/hero.png?w=2");
    put[INBOX_ELEMENT_TARGET] = rig_text(rig, "main>img.hero");
}

static void test_core_record__an_element_keeps_its_identifier_and_its_scrubbed_url(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_ElementTiming element;
    put_element(rig);
    take_and_seal(rig);
    DECODE(rig, BEACON_FIELD_ELEMENT_TIMING, 0, vitrace_v1_ElementTiming_fields, &element);
    assert_string_equal(rig_string(rig, element.name_ref), "image-paint");
    assert_string_equal(rig_string(rig, element.identifier_ref), "hero");
    assert_string_equal(rig_string(rig, element.url_ref), "https://cdn.example/hero.png");
    assert_string_equal(rig_string(rig, element.target_ref), "main>img.hero");
    assert_true(element.start_us == 120250 && element.load_us == 120250 && element.render_us == 0);
    assert_true(element.size == 5000);
}

static void test_core_record__soft_navigations_and_the_paints_after_them_are_written(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_SoftNavigation soft;
    vitrace_v1_InteractionContentfulPaint paint;
    double *put = rig_record(rig, INBOX_SOFT_NAVIGATION, INBOX_SOFT_NAVIGATION_WORDS);
    put[INBOX_SOFT_NAVIGATION_NAME] = rig_text(rig, "https://shop.example/p/8?q=1");
    put[INBOX_SOFT_NAVIGATION_START_TIME] = 900.5;
    put[INBOX_SOFT_NAVIGATION_INTERACTION_ID] = 4007;
    put[INBOX_SOFT_NAVIGATION_PRESENTATION_TIME] = 950;
    put = rig_record(rig, INBOX_INTERACTION_PAINT, INBOX_INTERACTION_PAINT_WORDS);
    put[INBOX_INTERACTION_PAINT_START_TIME] = put[INBOX_INTERACTION_PAINT_RENDER_TIME] = 960;
    put[INBOX_INTERACTION_PAINT_SIZE] = 77;
    put[INBOX_INTERACTION_PAINT_TARGET] = rig_text(rig, "#title");
    put[INBOX_INTERACTION_PAINT_INTERACTION_ID] = 4007;
    take_and_seal(rig);
    DECODE(rig, BEACON_FIELD_SOFT_NAVIGATION, 0, vitrace_v1_SoftNavigation_fields, &soft);
    assert_string_equal(rig_string(rig, soft.name_ref), "https://shop.example/p/8");
    assert_true(soft.start_us == 900500 && soft.paint_us == 0 && soft.presentation_us == 950000);
    DECODE(rig, BEACON_FIELD_INTERACTION_CONTENTFUL_PAINT, 0, vitrace_v1_InteractionContentfulPaint_fields, &paint);
    assert_true(paint.start_us == 960000 && paint.size == 77 && paint.interaction_id == 4007 && paint.url_ref == 0);
}

static void test_core_record__reasons_memory_and_clicks_are_written(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_NotRestoredReason reason;
    vitrace_v1_MemoryMeasurement memory;
    vitrace_v1_ClickPattern clicks;
    double *put = rig_record(rig, INBOX_NOT_RESTORED, INBOX_NOT_RESTORED_WORDS);
    put[INBOX_NOT_RESTORED_REASON] = rig_text(rig, "unload-listener");
    put[INBOX_NOT_RESTORED_URL] = rig_text(rig, "https://ads.example/f?id=1");
    put[INBOX_NOT_RESTORED_DEPTH] = 1;
    put = rig_record(rig, INBOX_MEMORY_MEASUREMENT, INBOX_MEMORY_MEASUREMENT_WORDS);
    put[INBOX_MEMORY_MEASUREMENT_START_TIME] = 5000;
    put[INBOX_MEMORY_MEASUREMENT_BYTES] = 9007199254740992.0;
    put = rig_record(rig, INBOX_CLICK_PATTERN, INBOX_CLICK_PATTERN_WORDS);
    put[INBOX_CLICK_PATTERN_START_TIME] = 6000;
    put[INBOX_CLICK_PATTERN_TYPE] = vitrace_v1_ClickPatternType_CLICK_PATTERN_TYPE_DEAD;
    put[INBOX_CLICK_PATTERN_COUNT] = 1;
    put[INBOX_CLICK_PATTERN_TARGET] = rig_text(rig, "button.buy");
    take_and_seal(rig);
    DECODE(rig, BEACON_FIELD_NOT_RESTORED_REASON, 0, vitrace_v1_NotRestoredReason_fields, &reason);
    assert_string_equal(rig_string(rig, reason.reason_ref), "unload-listener");
    assert_string_equal(rig_string(rig, reason.url_ref), "https://ads.example/f");
    assert_int_equal(reason.depth, 1);
    DECODE(rig, BEACON_FIELD_MEMORY_MEASUREMENT, 0, vitrace_v1_MemoryMeasurement_fields, &memory);
    assert_true(memory.start_us == 5000000 && memory.bytes == 9007199254740992u && memory.js_bytes == 0);
    DECODE(rig, BEACON_FIELD_CLICK_PATTERN, 0, vitrace_v1_ClickPattern_fields, &clicks);
    assert_int_equal(clicks.type, vitrace_v1_ClickPatternType_CLICK_PATTERN_TYPE_DEAD);
    assert_int_equal(clicks.count, 1);
    assert_string_equal(rig_string(rig, clicks.target_ref), "button.buy");
}

static double *put_metric(struct rig *rig, double value, unsigned attributes)
{
    double *put = rig_record(rig, INBOX_CUSTOM_METRIC, INBOX_CUSTOM_METRIC_WORDS);
    put[INBOX_CUSTOM_METRIC_START_TIME] = 7;
    put[INBOX_CUSTOM_METRIC_NAME] = rig_text(rig, "cart.value");
    put[INBOX_CUSTOM_METRIC_VALUE] = value;
    put[INBOX_CUSTOM_METRIC_ATTRIBUTES] = attributes;
    for (unsigned i = 0; i < attributes; i++) {
        double *attribute = rig_record(rig, INBOX_ATTRIBUTE, INBOX_ATTRIBUTE_WORDS);
        attribute[INBOX_ATTRIBUTE_KEY] = rig_text(rig, "step");
        attribute[INBOX_ATTRIBUTE_NUMBER] = i;
    }
    return put;
}

static void test_core_record__a_metric_keeps_its_exact_value_and_sixteen_attributes(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_CustomMetric metric;
    put_metric(rig, -0.1, BEACON_ATTRIBUTES_MAX + 1)[INBOX_CUSTOM_METRIC_UNIT] = rig_text(rig, "EUR");
    take_and_seal(rig);
    DECODE(rig, BEACON_FIELD_CUSTOM_METRIC, 0, vitrace_v1_CustomMetric_fields, &metric);
    assert_true(metric.value == -0.1);
    assert_string_equal(rig_string(rig, metric.name_ref), "cart.value");
    assert_string_equal(rig_string(rig, metric.unit_ref), "EUR");
    assert_int_equal(metric.attributes_count, BEACON_ATTRIBUTES_MAX);
    assert_true(metric.attributes[15].number == 15);
}

static void test_core_record__a_metric_that_is_no_number_is_a_counted_loss_and_not_zero(void **state)
{
    struct rig *rig = *state;
    put_metric(rig, NAN, 1);
    put_metric(rig, INFINITY, 0);
    put_metric(rig, 0, 0);
    take_and_seal(rig);
    assert_int_equal(rig_count(rig, BEACON_FIELD_CUSTOM_METRIC), 1);
    assert_true(rig_stat(rig, CORE_STATS_LOST_BAD_ENTRY) == 2);
    expect_balanced(rig);
}

static void test_core_record__what_must_have_a_time_is_refused_without_one(void **state)
{
    struct rig *rig = *state;
    static const struct {
        enum inbox_kind kind;
        unsigned words;
    } timed[] = {{INBOX_ELEMENT, INBOX_ELEMENT_WORDS},
                 {INBOX_SOFT_NAVIGATION, INBOX_SOFT_NAVIGATION_WORDS},
                 {INBOX_INTERACTION_PAINT, INBOX_INTERACTION_PAINT_WORDS},
                 {INBOX_MEMORY_MEASUREMENT, INBOX_MEMORY_MEASUREMENT_WORDS},
                 {INBOX_CLICK_PATTERN, INBOX_CLICK_PATTERN_WORDS}};
    unsigned count = sizeof timed / sizeof timed[0];
    for (unsigned i = 0; i < count; i++)
        rig_record(rig, timed[i].kind, timed[i].words);
    assert_int_equal(rig_take(rig), CORE_OK);
    assert_true(rig_stat(rig, CORE_STATS_LOST_BAD_ENTRY) == count);
    expect_balanced(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTED(test_core_record__a_resource_keeps_its_phases_in_microseconds),
        STARTED(test_core_record__the_tag_of_a_call_is_read_and_its_fragment_dropped),
        STARTED(test_core_record__a_reused_connection_leaves_its_phases_out),
        STARTED(test_core_record__an_opaque_resource_names_its_absent_phases),
        STARTED(test_core_record__trace_metrics_become_claims_and_the_rest_stay_metrics),
        STARTED(test_core_record__claims_and_metrics_past_their_limits_are_left_out),
        STARTED(test_core_record__a_meta_trace_before_the_navigation_is_its_claim),
        STARTED(test_core_record__a_meta_trace_behind_the_navigation_is_its_claim),
        STARTED(test_core_record__a_second_navigation_goes_into_the_next_beacon),
        STARTED(test_core_record__a_call_claims_what_was_injected_and_what_came_back),
        STARTED(test_core_record__long_frames_carry_their_scripts),
        STARTED(test_core_record__custom_events_and_errors_keep_their_texts),
        STARTED(test_core_record__an_element_keeps_its_identifier_and_its_scrubbed_url),
        STARTED(test_core_record__soft_navigations_and_the_paints_after_them_are_written),
        STARTED(test_core_record__reasons_memory_and_clicks_are_written),
        STARTED(test_core_record__a_metric_keeps_its_exact_value_and_sixteen_attributes),
        STARTED(test_core_record__a_metric_that_is_no_number_is_a_counted_loss_and_not_zero),
        STARTED(test_core_record__what_must_have_a_time_is_refused_without_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
