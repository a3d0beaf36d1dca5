#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <unistd.h>

#include "collector/query/query.h"
#include "tests/support/beacon_builder.h"
#include "tests/support/index_fixture.h"
#include "tests/support/otlp_builder.h"

#define PAGE   "http://127.0.0.1:8080/p/3"
#define TIMING vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACE

static int setup(void **state)
{
    struct index_fixture *fixture = calloc(1, sizeof *fixture);
    index_fixture_init(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    index_fixture_release(*state);
    free(*state);
    return 0;
}

static struct beacon_builder beacon; /* 16 KiB: not on the stack of every test */
static struct otlp_builder spans;

static void begin_beacon(uint8_t view, uint32_t seq, const char *route)
{
    vitrace_v1_Header header = beacon_builder_header(view, seq);
    snprintf(header.page.route, sizeof header.page.route, "%s", route);
    beacon_builder_init(&beacon, &header);
}

static void append_beacon(struct index_fixture *fixture)
{
    index_fixture_append(fixture, APPEND_BEACON, beacon_builder_bytes(&beacon));
}

static void append_span(struct index_fixture *fixture, struct otlp_builder_span span)
{
    if (!span.service)
        span.service = "web";
    if (!span.name)
        span.name = "GET /p/:id";
    span.start_unix_us += BUILDER_TIME_ORIGIN_US;
    otlp_builder_init(&spans);
    otlp_builder_span(&spans, &span);
    index_fixture_append(fixture, APPEND_SPANS, otlp_builder_bytes(&spans));
}

static json_int_t integer(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_integer(value))
        fail_msg("%s is no integer", key);
    return json_integer_value(value);
}

static double number(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("%s is no number", key);
    return json_number_value(value);
}

/* cmocka compares floats, which hold no Unix time. */
static void assert_near(double value, double expected, double error)
{
    if (!(value >= expected - error && value <= expected + error))
        fail_msg("%.17g is not %.17g", value, expected);
}

static const char *text(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_string(value))
        fail_msg("%s is no string", key);
    return json_string_value(value);
}

static json_t *item(json_t *object, const char *key, size_t at)
{
    return json_array_get(json_object_get(object, key), at);
}

static size_t size(json_t *object, const char *key)
{
    return json_array_size(json_object_get(object, key));
}

static void test_query__vitals_are_told_by_route_with_quantiles(void **state)
{
    struct index_fixture *fixture = *state;
    for (uint8_t i = 1; i <= 100; i++) {
        begin_beacon(i, 0, i <= 60 ? "/p/:id" : "/cart");
        beacon_builder_vital(&beacon, vitrace_v1_Metric_METRIC_LCP, i * 10.0,
                             i <= 90 ? vitrace_v1_Rating_RATING_GOOD : vitrace_v1_Rating_RATING_NEEDS_IMPROVEMENT);
        append_beacon(fixture);
    }
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "vitals", "app=shop&metric=lcp&group=route&since=0", 200);
    assert_string_equal(text(answer, "metric"), "lcp");
    assert_string_equal(text(answer, "unit"), "ms");
    assert_int_equal(size(answer, "groups"), 2);
    json_t *cart = item(answer, "groups", 0), *product = item(answer, "groups", 1),
           *all = json_object_get(answer, "all");
    assert_string_equal(text(cart, "route"), "/cart");
    assert_int_equal(integer(cart, "count"), 40);
    assert_int_equal(integer(product, "count"), 60);
    assert_near(number(product, "p75"), 450, 450 / 64.0);
    assert_near(number(cart, "p50"), 800, 800 / 64.0);
    assert_near(number(all, "p75"), 750, 750 / 64.0);
    assert_near(number(all, "p95"), 950, 950 / 64.0);
    assert_int_equal(integer(all, "good"), 90);
    assert_int_equal(integer(all, "needs_improvement"), 10);
    assert_int_equal(integer(cart, "good"), 30);
    assert_false(json_boolean_value(json_object_get(answer, "truncated")));
    json_decref(answer);
}

static void test_query__layout_shift_has_no_unit(void **state)
{
    struct index_fixture *fixture = *state;
    begin_beacon(1, 0, "/");
    beacon_builder_vital(&beacon, vitrace_v1_Metric_METRIC_CLS, 0.123, vitrace_v1_Rating_RATING_NEEDS_IMPROVEMENT);
    append_beacon(fixture);
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "vitals", "app=shop&metric=cls&since=0", 200);
    assert_string_equal(text(answer, "unit"), "");
    assert_near(number(json_object_get(answer, "all"), "p75"), 0.123, 0.123 / 64);
    json_decref(answer);
}

static void test_query__an_app_without_views_has_no_quantiles(void **state)
{
    struct index_fixture *fixture = *state;
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "vitals", "app=nobody&metric=lcp", 200);
    assert_int_equal(size(answer, "groups"), 0);
    assert_true(json_is_null(json_object_get(json_object_get(answer, "all"), "p75")));
    json_decref(answer);
    answer = index_fixture_ask(fixture, "joins", "app=nobody", 200);
    assert_int_equal(integer(answer, "requests"), 0);
    assert_true(json_is_null(json_object_get(answer, "coverage")));
    json_decref(answer);
    answer = index_fixture_ask(fixture, "views", "app=nobody", 200);
    assert_int_equal(size(answer, "views"), 0);
    json_decref(answer);
    answer = index_fixture_ask(fixture, "apps", "", 200);
    assert_int_equal(size(answer, "apps"), 0);
    json_decref(answer);
}

static void append_waterfall(struct index_fixture *fixture)
{
    vitrace_v1_Claim document = beacon_builder_claim(TIMING, 0xa1, 0x11);
    vitrace_v1_Claim api = beacon_builder_claim(TIMING, 0xb2, 0x21);
    begin_beacon(1, 0, "/p/:id");
    beacon_builder_resource(&beacon, "http://127.0.0.1:8080/late.js", 900000, NULL);
    beacon_builder_navigation(&beacon, PAGE, &document);
    beacon_builder_resource(&beacon, "http://127.0.0.1:8080/api/3", 100000, &api);
    append_beacon(fixture);
    append_span(fixture, (struct otlp_builder_span){.trace = 0xa1,
                                                    .span = 0x11,
                                                    .kind = 2,
                                                    .start_unix_us = 2000,
                                                    .duration_us = 18000,
                                                    .http_route = "/p/:id"});
    /* Trace b2: a gateway span above the one that the page was told of; a query and a cache below it. */
    append_span(
        fixture,
        (struct otlp_builder_span){
            .trace = 0xb2, .span = 0x20, .kind = 2, .start_unix_us = 100500, .duration_us = 19000, .name = "gateway"});
    append_span(fixture, (struct otlp_builder_span){.trace = 0xb2,
                                                    .span = 0x23,
                                                    .parent = 0x22,
                                                    .kind = 3,
                                                    .start_unix_us = 103000,
                                                    .duration_us = 1000,
                                                    .name = "below"});
    append_span(fixture, (struct otlp_builder_span){.trace = 0xb2,
                                                    .span = 0x22,
                                                    .parent = 0x21,
                                                    .kind = 3,
                                                    .start_unix_us = 102000,
                                                    .duration_us = 9000,
                                                    .service = "catalog",
                                                    .name = "SELECT products",
                                                    .db_system = "sqlite",
                                                    .db_query = "SELECT * FROM products"});
    append_span(
        fixture,
        (struct otlp_builder_span){
            .trace = 0xb2, .span = 0x21, .parent = 0x20, .kind = 2, .start_unix_us = 101000, .duration_us = 15000});
    append_span(fixture, (struct otlp_builder_span){.trace = 0xb2,
                                                    .span = 0x21,
                                                    .parent = 0x20,
                                                    .kind = 2,
                                                    .start_unix_us = 101000,
                                                    .duration_us = 15000}); /* sent again */
}

static void test_query__a_waterfall_has_the_spans_under_each_request(void **state)
{
    struct index_fixture *fixture = *state;
    append_waterfall(fixture);
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "views/01010101010101010101010101010101", "", 200);
    assert_int_equal(size(answer, "requests"), 3);
    json_t *document = item(answer, "requests", 0), *api = item(answer, "requests", 1),
           *late = item(answer, "requests", 2);
    assert_string_equal(text(document, "kind"), "navigation");
    assert_string_equal(text(document, "url"), PAGE);
    assert_int_equal(integer(document, "ordinal"), 1);
    assert_string_equal(text(api, "url"), "http://127.0.0.1:8080/api/3");
    assert_near(number(api, "start"), 100, 0);
    assert_near(number(api, "duration"), 20, 0);
    assert_near(number(json_object_get(api, "phases"), "response_start"), 15, 0);
    assert_string_equal(text(api, "next_hop_protocol"), "http/1.1");
    json_t *join = json_object_get(api, "join");
    assert_string_equal(text(join, "level"), "exact_trace");
    assert_string_equal(text(join, "reason"), "joined");
    assert_string_equal(text(join, "trace_id"), "b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2");
    assert_string_equal(text(join, "span_id"), "2121212121212121");
    /* The subtree of the joined span, ordered by start, each span once; not the gateway. */
    assert_int_equal(size(api, "spans"), 3);
    assert_string_equal(text(item(api, "spans", 0), "span_id"), "2121212121212121");
    json_t *select = item(api, "spans", 1);
    assert_string_equal(text(select, "name"), "SELECT products");
    assert_string_equal(text(select, "service"), "catalog");
    assert_string_equal(text(select, "kind"), "client");
    assert_string_equal(text(select, "db_system"), "sqlite");
    assert_string_equal(text(select, "db_query"), "SELECT * FROM products");
    assert_near(number(select, "start"), 102, 0.001);
    assert_near(number(select, "duration"), 9, 0);
    assert_string_equal(text(item(api, "spans", 2), "name"), "below");
    assert_int_equal(size(document, "spans"), 1);
    assert_string_equal(text(item(document, "spans", 0), "http_route"), "/p/:id");
    assert_string_equal(text(json_object_get(late, "join"), "reason"), "no_header");
    assert_int_equal(size(late, "spans"), 0);
    json_decref(answer);
}

static void test_query__a_joined_span_without_children_brings_its_whole_trace(void **state)
{
    struct index_fixture *fixture = *state;
    vitrace_v1_Claim claim = beacon_builder_claim(TIMING, 0xb2, 0x21);
    begin_beacon(1, 0, "/");
    beacon_builder_resource(&beacon, PAGE, 100, &claim);
    append_beacon(fixture);
    append_span(fixture, (struct otlp_builder_span){.trace = 0xb2, .span = 0x20, .kind = 2, .duration_us = 9});
    append_span(fixture,
                (struct otlp_builder_span){.trace = 0xb2, .span = 0x21, .parent = 0x20, .kind = 2, .duration_us = 5});
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "views/01010101010101010101010101010101", "", 200);
    assert_int_equal(size(item(answer, "requests", 0), "spans"), 2);
    json_decref(answer);
}

static void test_query__a_view_has_its_entries_vitals_and_ledger(void **state)
{
    struct index_fixture *fixture = *state;
    vitrace_v1_ErrorEvent error = vitrace_v1_ErrorEvent_init_zero;
    vitrace_v1_LayoutShift shift = {.start_us = 5000, .value = 0.1, .had_recent_input = true};
    vitrace_v1_CustomEvent custom = vitrace_v1_CustomEvent_init_zero;
    vitrace_v1_Vital lcp = vitrace_v1_Vital_init_zero, inp = vitrace_v1_Vital_init_zero;
    begin_beacon(1, 0, "/p/:id");
    error.type_ref = beacon_builder_string(&beacon, "TypeError");
    error.message_ref = beacon_builder_string(&beacon, "x is not a function");
    error.line = 7;
    error.origin = vitrace_v1_ErrorOrigin_ERROR_ORIGIN_WINDOW;
    beacon_builder_add(&beacon, BEACON_FIELD_ERROR, vitrace_v1_ErrorEvent_fields, &error);
    beacon_builder_add(&beacon, BEACON_FIELD_LAYOUT_SHIFT, vitrace_v1_LayoutShift_fields, &shift);
    custom.attributes_count = 2;
    custom.name_ref = beacon_builder_string(&beacon, "add_to_cart");
    custom.attributes[0].key_ref = custom.attributes[1].key_ref = custom.name_ref;
    custom.attributes[0].text_ref = custom.name_ref;
    custom.attributes[1].number = 2.5;
    beacon_builder_add(&beacon, BEACON_FIELD_CUSTOM_EVENT, vitrace_v1_CustomEvent_fields, &custom);
    lcp.metric = vitrace_v1_Metric_METRIC_LCP;
    lcp.state = vitrace_v1_VitalState_VITAL_STATE_MEASURED;
    lcp.value = 812.3;
    lcp.rating = vitrace_v1_Rating_RATING_GOOD;
    lcp.target_ref = beacon_builder_string(&beacon, "img#hero");
    lcp.parts_count = 4;
    lcp.parts[3] = 591.2;
    beacon_builder_add(&beacon, BEACON_FIELD_VITAL, vitrace_v1_Vital_fields, &lcp);
    inp.metric = vitrace_v1_Metric_METRIC_INP;
    inp.state = vitrace_v1_VitalState_VITAL_STATE_UNSUPPORTED;
    beacon_builder_add(&beacon, BEACON_FIELD_VITAL, vitrace_v1_Vital_fields, &inp);
    beacon_builder_ledger(&beacon, 6, 3); /* two more segments were sealed: they have not come */
    append_beacon(fixture);
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "views/01010101010101010101010101010101", "", 200);
    json_t *view = json_object_get(answer, "view"), *vital = item(answer, "vitals", 0);
    assert_string_equal(text(view, "release"), "1.4.0");
    assert_int_equal(integer(view, "errors"), 1);
    assert_string_equal(text(view, "transport"), "shared_ring");
    assert_near(number(view, "started_unix_ms"), 1760000000000.0, 0);
    assert_int_equal(integer(json_object_get(view, "device"), "viewport_width"), 1280);
    assert_near(number(json_object_get(view, "device"), "device_pixel_ratio"), 2, 0);
    assert_string_equal(text(json_object_get(json_object_get(view, "vitals"), "inp"), "state"), "unsupported");
    assert_null(json_object_get(json_object_get(json_object_get(view, "vitals"), "inp"), "value"));
    assert_null(json_object_get(json_object_get(view, "vitals"), "cls"));
    assert_int_equal(size(answer, "vitals"), 2);
    assert_string_equal(text(vital, "target"), "img#hero");
    assert_near(number(vital, "value"), 812.3, 0);
    assert_near(number(json_object_get(vital, "parts"), "render_delay"), 591.2, 0);
    json_t *entries = json_object_get(answer, "entries");
    assert_string_equal(text(item(entries, "errors", 0), "message"), "x is not a function");
    assert_near(number(item(entries, "layout_shifts", 0), "value"), 0.1, 0);
    json_t *attributes = json_object_get(item(entries, "custom_events", 0), "attributes");
    assert_near(number(json_array_get(attributes, 1), "value"), 2.5, 0);
    static const char *const kinds[] = {"events",           "long_tasks", "long_animation_frames",
                                        "user_timings",     "paints",     "largest_contentful_paints",
                                        "visibility_states"};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        assert_true(json_is_array(json_object_get(entries, kinds[i])));
    json_t *ledger = json_object_get(answer, "ledger");
    assert_int_equal(integer(ledger, "beacons_received"), 1);
    assert_int_equal(integer(ledger, "beacons_missing"), 2);
    assert_int_equal(integer(json_object_get(ledger, "losses"), "ring_full"), 2);
    assert_int_equal(integer(json_object_get(ledger, "losses"), "consent"), 0);
    json_decref(answer);
}

static void add_rarities(void)
{
    vitrace_v1_ElementTiming element = {.start_us = 120250, .load_us = 120250, .size = 5000};
    element.name_ref = beacon_builder_string(&beacon, "image-paint");
    element.identifier_ref = element.target_ref = beacon_builder_string(&beacon, "hero");
    vitrace_v1_SoftNavigation soft = {.start_us = 900500, .interaction_id = 4007, .presentation_us = 950000};
    soft.name_ref = beacon_builder_string(&beacon, "http://127.0.0.1:8080/p/4");
    vitrace_v1_InteractionContentfulPaint paint = {.start_us = 960000, .render_us = 960000, .interaction_id = 4007};
    vitrace_v1_NotRestoredReason reason = {.depth = 1};
    reason.reason_ref = beacon_builder_string(&beacon, "unload-listener");
    vitrace_v1_MemoryMeasurement memory = {.start_us = 5000000, .bytes = 2103400, .js_bytes = 2000000};
    vitrace_v1_ClickPattern clicks = {.start_us = 6000000, .count = 5, .duration_us = 811900};
    clicks.type = vitrace_v1_ClickPatternType_CLICK_PATTERN_TYPE_RAGE;
    vitrace_v1_CustomMetric metric = {.start_us = 7000, .value = -0.1, .attributes_count = 1};
    metric.name_ref = metric.attributes[0].key_ref = beacon_builder_string(&beacon, "cart.value");
    metric.unit_ref = beacon_builder_string(&beacon, "EUR");
    beacon_builder_add(&beacon, BEACON_FIELD_ELEMENT_TIMING, vitrace_v1_ElementTiming_fields, &element);
    beacon_builder_add(&beacon, BEACON_FIELD_SOFT_NAVIGATION, vitrace_v1_SoftNavigation_fields, &soft);
    beacon_builder_add(&beacon, BEACON_FIELD_INTERACTION_CONTENTFUL_PAINT, vitrace_v1_InteractionContentfulPaint_fields,
                       &paint);
    beacon_builder_add(&beacon, BEACON_FIELD_NOT_RESTORED_REASON, vitrace_v1_NotRestoredReason_fields, &reason);
    beacon_builder_add(&beacon, BEACON_FIELD_MEMORY_MEASUREMENT, vitrace_v1_MemoryMeasurement_fields, &memory);
    beacon_builder_add(&beacon, BEACON_FIELD_CLICK_PATTERN, vitrace_v1_ClickPattern_fields, &clicks);
    beacon_builder_add(&beacon, BEACON_FIELD_CUSTOM_METRIC, vitrace_v1_CustomMetric_fields, &metric);
}

static void test_query__a_view_has_what_pages_have_rarely(void **state)
{
    struct index_fixture *fixture = *state;
    begin_beacon(1, 0, "/p/:id");
    add_rarities();
    append_beacon(fixture);
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "views/01010101010101010101010101010101", "", 200);
    json_t *entries = json_object_get(answer, "entries"), *element = item(entries, "element_timings", 0);
    assert_string_equal(text(element, "identifier"), "hero");
    assert_near(number(element, "start"), 120.25, 0);
    assert_near(number(element, "render_time"), 0, 0);
    json_t *soft = item(entries, "soft_navigations", 0);
    assert_string_equal(text(soft, "url"), "http://127.0.0.1:8080/p/4");
    assert_near(number(soft, "presentation_time"), 950, 0);
    assert_int_equal(integer(item(entries, "interaction_contentful_paints", 0), "interaction_id"), 4007);
    json_t *reason = item(entries, "not_restored_reasons", 0);
    assert_string_equal(text(reason, "reason"), "unload-listener");
    assert_string_equal(text(reason, "url"), "");
    assert_int_equal(integer(reason, "depth"), 1);
    assert_int_equal(integer(item(entries, "memory_measurements", 0), "bytes"), 2103400);
    json_t *clicks = item(entries, "click_patterns", 0);
    assert_string_equal(text(clicks, "type"), "rage");
    assert_int_equal(integer(clicks, "count"), 5);
    assert_near(number(clicks, "duration"), 811.9, 0);
    json_t *metric = item(entries, "custom_metrics", 0);
    assert_near(number(metric, "value"), -0.1, 0);
    assert_string_equal(text(metric, "unit"), "EUR");
    assert_string_equal(text(item(metric, "attributes", 0), "key"), "cart.value");
    json_decref(answer);
}

static void test_query__a_call_without_a_resource_is_listed_alone(void **state)
{
    struct index_fixture *fixture = *state;
    vitrace_v1_Claim injected = beacon_builder_claim(vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED, 0xb2, 0x77);
    begin_beacon(1, 0, "/");
    beacon_builder_call(&beacon, "http://127.0.0.1:8080/api/x", 100000, &injected);
    append_beacon(fixture);
    append_span(fixture,
                (struct otlp_builder_span){.trace = 0xb2, .span = 0x33, .parent = 0x77, .kind = 2, .duration_us = 5});
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "views/01010101010101010101010101010101", "", 200);
    assert_int_equal(size(answer, "requests"), 1);
    json_t *call = item(answer, "requests", 0);
    assert_string_equal(text(call, "kind"), "call");
    assert_string_equal(text(call, "method"), "GET");
    assert_string_equal(text(json_object_get(call, "join"), "level"), "exact_parent");
    json_decref(answer);
}

static void test_query__a_trace_knows_the_views_that_waited_for_it(void **state)
{
    struct index_fixture *fixture = *state;
    append_waterfall(fixture);
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "traces/b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2", "", 200);
    json_t *view = item(answer, "views", 0);
    assert_int_equal(size(answer, "views"), 1);
    assert_string_equal(text(view, "view_id"), "01010101010101010101010101010101");
    assert_string_equal(text(item(view, "requests", 0), "url"), "http://127.0.0.1:8080/api/3");
    assert_string_equal(text(item(view, "requests", 0), "level"), "exact_trace");
    assert_int_equal(size(answer, "spans"), 4);
    assert_string_equal(text(item(answer, "spans", 0), "name"), "gateway");
    json_decref(answer);
    answer = index_fixture_ask(fixture, "traces/cccccccccccccccccccccccccccccccc", "", 404);
    assert_string_equal(text(json_object_get(answer, "error"), "code"), "not_found");
    json_decref(answer);
}

static void test_query__coverage_leaves_out_what_reached_no_server(void **state)
{
    struct index_fixture *fixture = *state;
    vitrace_v1_Claim claim = beacon_builder_claim(TIMING, 0xa1, 0x11);
    vitrace_v1_Resource cached = vitrace_v1_Resource_init_zero;
    begin_beacon(1, 0, "/");
    beacon_builder_navigation(&beacon, PAGE, &claim);
    beacon_builder_resource(&beacon, "http://127.0.0.1:8080/plain.js", 1000, NULL);
    beacon_builder_resource(&beacon, "https://cdn.test/x.js", 2000, NULL);
    cached.name_ref = beacon_builder_string(&beacon, "http://127.0.0.1:8080/cached.js");
    cached.encoded_body_size = 100;
    beacon_builder_add(&beacon, BEACON_FIELD_RESOURCE, vitrace_v1_Resource_fields, &cached);
    append_beacon(fixture);
    append_span(fixture, (struct otlp_builder_span){.trace = 0xa1, .span = 0x11, .kind = 2, .duration_us = 5});
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "joins", "app=shop&since=0", 200);
    assert_int_equal(integer(answer, "requests"), 4);
    assert_int_equal(integer(answer, "first_party"), 3);
    assert_int_equal(integer(answer, "reached_server"), 2);
    assert_int_equal(integer(answer, "joined"), 1);
    assert_near(number(answer, "coverage"), 0.5, 0);
    assert_int_equal(integer(json_object_get(answer, "levels"), "none"), 3);
    assert_int_equal(integer(json_object_get(answer, "reasons"), "third_party"), 1);
    json_decref(answer);
}

static void test_query__views_come_newest_first_and_a_cut_list_says_so(void **state)
{
    struct index_fixture *fixture = *state;
    for (uint8_t i = 1; i <= 3; i++) {
        begin_beacon(i, 0, "/");
        append_beacon(fixture);
        atomic_fetch_add(&fixture->now_us, 1000000);
    }
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "views", "app=shop&limit=2", 200);
    assert_int_equal(size(answer, "views"), 2);
    assert_string_equal(text(item(answer, "views", 0), "view_id"), "03030303030303030303030303030303");
    assert_true(json_boolean_value(json_object_get(answer, "truncated")));
    json_decref(answer);
    answer = index_fixture_ask(fixture, "views", "app=shop&limit=3", 200);
    assert_int_equal(size(answer, "views"), 3);
    assert_false(json_boolean_value(json_object_get(answer, "truncated")));
    json_decref(answer);
    answer = index_fixture_ask(fixture, "views", "app=shop&since=1760000011000", 200);
    assert_int_equal(size(answer, "views"), 2);
    json_decref(answer);
    atomic_fetch_add(&fixture->now_us, UINT64_C(25) * 3600 * 1000000);
    answer = index_fixture_ask(fixture, "views", "app=shop", 200);
    assert_int_equal(size(answer, "views"), 0);
    json_decref(answer);
}

static void test_query__apps_count_their_views(void **state)
{
    struct index_fixture *fixture = *state;
    begin_beacon(1, 0, "/");
    append_beacon(fixture);
    atomic_fetch_add(&fixture->now_us, 5000000);
    begin_beacon(1, 1, "/");
    append_beacon(fixture);
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "apps", "", 200);
    json_t *app = item(answer, "apps", 0);
    assert_string_equal(text(app, "app"), "shop");
    assert_int_equal(integer(app, "views"), 1);
    assert_near(number(app, "last_seen_unix_ms") - number(app, "first_seen_unix_ms"), 5000, 0);
    json_decref(answer);
}

/* Retention removes log files; the index keeps its rows, and says that the details are not all there. */
static void test_query__a_view_whose_details_are_no_longer_kept_is_answered_without_them(void **state)
{
    struct index_fixture *fixture = *state;
    char oldest[128];
    append_waterfall(fixture);
    index_fixture_start(fixture);
    index_fixture_stop(fixture);
    snprintf(oldest, sizeof oldest, "%s/0000000000000000.vtlog", fixture->log_folder);
    assert_int_equal(unlink(oldest), 0);
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "views/01010101010101010101010101010101", "", 200);
    assert_true(json_boolean_value(json_object_get(answer, "truncated")));
    assert_int_equal(size(answer, "vitals"), 0);
    json_decref(answer);
    answer = index_fixture_ask(fixture, "traces/b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2b2", "", 200);
    assert_true(json_boolean_value(json_object_get(answer, "truncated")));
    assert_int_equal(size(answer, "views"), 1);
    assert_int_equal(size(answer, "spans"), 0);
    json_decref(answer);
    answer = index_fixture_ask(fixture, "views", "app=shop", 200);
    assert_int_equal(size(answer, "views"), 1);
    json_decref(answer);
}

/* More beacons than one answer reads: it says that it is not everything. */
static void test_query__a_view_of_too_many_beacons_is_cut_and_says_so(void **state)
{
    struct index_fixture *fixture = *state;
    for (uint32_t i = 0; i < 257; i++) {
        begin_beacon(1, i, "/");
        beacon_builder_ledger(&beacon, i, i + 1);
        append_beacon(fixture);
    }
    index_fixture_start(fixture);
    json_t *answer = index_fixture_ask(fixture, "views/01010101010101010101010101010101", "", 200);
    assert_true(json_boolean_value(json_object_get(answer, "truncated")));
    assert_int_equal(integer(json_object_get(answer, "ledger"), "beacons_received"), 257);
    json_decref(answer);
}

static void test_query__an_answer_that_does_not_fit_is_an_error_not_a_half(void **state)
{
    struct index_fixture *fixture = *state;
    char error[256];
    append_waterfall(fixture);
    index_fixture_start(fixture);
    struct query *query = query_new(fixture->log, fixture->index_path, error, sizeof error);
    uint8_t view_id[16];
    memset(view_id, 1, sizeof view_id);
    for (size_t room = 0; room < 2000; room += 100) {
        struct buf out;
        buf_init(&out, room);
        assert_int_equal(query_view(query, view_id, &out), QUERY_TOO_LARGE);
        buf_release(&out);
    }
    query_free(query);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_query__vitals_are_told_by_route_with_quantiles),
        TEST(test_query__layout_shift_has_no_unit),
        TEST(test_query__an_app_without_views_has_no_quantiles),
        TEST(test_query__a_waterfall_has_the_spans_under_each_request),
        TEST(test_query__a_joined_span_without_children_brings_its_whole_trace),
        TEST(test_query__a_view_has_its_entries_vitals_and_ledger),
        TEST(test_query__a_view_has_what_pages_have_rarely),
        TEST(test_query__a_call_without_a_resource_is_listed_alone),
        TEST(test_query__a_trace_knows_the_views_that_waited_for_it),
        TEST(test_query__coverage_leaves_out_what_reached_no_server),
        TEST(test_query__views_come_newest_first_and_a_cut_list_says_so),
        TEST(test_query__apps_count_their_views),
        TEST(test_query__a_view_whose_details_are_no_longer_kept_is_answered_without_them),
        TEST(test_query__a_view_of_too_many_beacons_is_cut_and_says_so),
        TEST(test_query__an_answer_that_does_not_fit_is_an_error_not_a_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
