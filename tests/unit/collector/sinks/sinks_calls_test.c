/* Calls and their entries in the index: one request is counted once, and what stays open says why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/store/store.h"
#include "tests/support/beacon_builder.h"
#include "tests/support/index_fixture.h"
#include "tests/support/otlp_builder.h"

#define API_URL  "http://127.0.0.1:8080/api/cart"
#define FAR_URL  "http://127.0.0.1:9999/api/cart"
#define INJECTED vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED
#define META     vitrace_v1_ClaimSource_CLAIM_SOURCE_META
#define ANSWER   "views/01010101010101010101010101010101"

static struct beacon_builder beacon;
static struct otlp_builder spans;

static int setup(void **state)
{
    static struct index_fixture fixture;
    index_fixture_init(&fixture);
    *state = &fixture;
    vitrace_v1_Header header = beacon_builder_header(1, 0);
    beacon_builder_init(&beacon, &header);
    return 0;
}

static int teardown(void **state)
{
    index_fixture_release(*state);
    return 0;
}

static void append_beacon(struct index_fixture *fixture)
{
    index_fixture_append(fixture, APPEND_BEACON, beacon_builder_bytes(&beacon));
}

static void append_span(struct index_fixture *fixture, uint8_t trace, uint8_t span, uint8_t parent, int64_t start_us)
{
    otlp_builder_init(&spans);
    otlp_builder_span(&spans, &(struct otlp_builder_span){.trace = trace,
                                                          .span = span,
                                                          .parent = parent,
                                                          .kind = 2,
                                                          .start_unix_us = BUILDER_TIME_ORIGIN_US + (uint64_t)start_us,
                                                          .duration_us = 9000,
                                                          .service = "web",
                                                          .name = "GET /api/cart"});
    index_fixture_append(fixture, APPEND_SPANS, otlp_builder_bytes(&spans));
}

static void add_failed_call(bool aborted)
{
    vitrace_v1_Call call = vitrace_v1_Call_init_zero;
    vitrace_v1_Claim injected = beacon_builder_claim(INJECTED, 0xb2, 0x77);
    call.url_ref = beacon_builder_string(&beacon, FAR_URL);
    call.start_us = 100000;
    call.end_us = 5000;
    call.aborted = aborted;
    call.claims[call.claims_count++] = injected;
    beacon_builder_add(&beacon, BEACON_FIELD_CALL, vitrace_v1_Call_fields, &call);
}

static void expect_joins(struct index_fixture *fixture, const char *reason, int count, int requests)
{
    json_t *answer = index_fixture_ask(fixture, "joins", "app=shop&since=0", 200);
    assert_int_equal(json_integer_value(json_object_get(answer, "requests")), requests);
    assert_int_equal(json_integer_value(json_object_get(json_object_get(answer, "reasons"), reason)), count);
    json_decref(answer);
}

static void test_sinks_calls__a_call_and_an_entry_without_ids_are_one_request(void **state)
{
    vitrace_v1_Claim injected = beacon_builder_claim(INJECTED, 0xb2, 0x77);
    beacon_builder_call(&beacon, API_URL, 100000, &injected);
    beacon_builder_resource(&beacon, API_URL, 100100, NULL);
    beacon_builder_resource(&beacon, API_URL, 200000, NULL); /* of nobody's telling */
    append_beacon(*state);
    append_span(*state, 0xb2, 0x33, 0x77, 102000);
    index_fixture_start(*state);
    expect_joins(*state, "joined", 1, 2);
    expect_joins(*state, "no_header", 1, 2);
    json_t *answer = index_fixture_ask(*state, ANSWER, "", 200);
    json_t *first = json_array_get(json_object_get(answer, "requests"), 0);
    assert_string_equal(json_string_value(json_object_get(first, "kind")), "resource");
    assert_string_equal(json_string_value(json_object_get(json_object_get(first, "join"), "level")), "exact_parent");
    json_decref(answer);
}

static void test_sinks_calls__a_call_without_an_entry_says_so(void **state)
{
    beacon_builder_call(&beacon, API_URL, 100000, NULL);
    beacon_builder_resource(&beacon, API_URL, 200000, NULL);
    append_beacon(*state);
    index_fixture_start(*state);
    expect_joins(*state, "no_entry_body_unread", 1, 2);
}

static void test_sinks_calls__a_no_cors_response_has_no_status_and_did_not_fail(void **state)
{
    vitrace_v1_Call call = vitrace_v1_Call_init_zero;
    call.url_ref = beacon_builder_string(&beacon, API_URL);
    call.start_us = 100000;
    call.headers_us = 5000;
    beacon_builder_add(&beacon, BEACON_FIELD_CALL, vitrace_v1_Call_fields, &call);
    append_beacon(*state);
    index_fixture_start(*state);
    expect_joins(*state, "network_error", 0, 1);
    expect_joins(*state, "no_entry_body_unread", 1, 1);
}

static void test_sinks_calls__calls_that_could_be_exchanged_stay_two_and_say_so(void **state)
{
    for (int i = 0; i < 2; i++) {
        beacon_builder_call(&beacon, API_URL, 100000, NULL);
        beacon_builder_resource(&beacon, API_URL, 100100, NULL);
    }
    append_beacon(*state);
    index_fixture_start(*state);
    expect_joins(*state, "entry_ambiguous", 4, 4);
}

static void test_sinks_calls__an_injected_call_to_another_origin_that_failed_was_blocked(void **state)
{
    struct index_fixture *fixture = *state;
    add_failed_call(false);
    append_beacon(fixture);
    index_fixture_start(fixture);
    atomic_fetch_add(&fixture->now_us, UINT64_C(11) * 60 * 1000000);
    append_span(fixture, 0xc3, 1, 0, 0);
    index_fixture_catch_up(fixture);
    expect_joins(fixture, "blocked_cors_preflight", 1, 1);
}

static void test_sinks_calls__one_that_the_page_aborted_was_not(void **state)
{
    struct index_fixture *fixture = *state;
    add_failed_call(true);
    append_beacon(fixture);
    index_fixture_start(fixture);
    atomic_fetch_add(&fixture->now_us, UINT64_C(11) * 60 * 1000000);
    append_span(fixture, 0xc3, 1, 0, 0);
    index_fixture_catch_up(fixture);
    expect_joins(fixture, "network_error", 1, 1);
}

/* The page left its cache at the CDN with the first visitor's meta tag in it; the fixture receives 10 s after. */
static void test_sinks_calls__a_meta_id_of_an_earlier_page_load_is_stale(void **state)
{
    vitrace_v1_Claim meta = beacon_builder_claim(META, 0xa1, 0x11);
    beacon_builder_navigation(&beacon, "http://127.0.0.1:8080/p/3", &meta);
    append_beacon(*state);
    append_span(*state, 0xa1, 0x12, 0x11, -60 * INT64_C(1000000));
    index_fixture_start(*state);
    expect_joins(*state, "stale_shared_cache", 1, 1);
}

static void test_sinks_calls__a_meta_id_of_this_page_load_joins(void **state)
{
    vitrace_v1_Claim meta = beacon_builder_claim(META, 0xa1, 0x11);
    beacon_builder_navigation(&beacon, "http://127.0.0.1:8080/p/3", &meta);
    append_beacon(*state);
    append_span(*state, 0xa1, 0x12, 0x11, 3000);
    index_fixture_start(*state);
    expect_joins(*state, "joined", 1, 1);
}

/* Only the time of receipt says that the page's clock is a day ahead. */
static void test_sinks_calls__a_clock_that_is_wrong_makes_nothing_stale(void **state)
{
    const uint64_t day_us = UINT64_C(86400000000);
    vitrace_v1_Header header = beacon_builder_header(1, 0);
    vitrace_v1_Claim meta = beacon_builder_claim(META, 0xa1, 0x11);
    header.time_origin_unix_us += day_us;
    header.wall_unix_us += day_us;
    beacon_builder_init(&beacon, &header);
    beacon_builder_navigation(&beacon, "http://127.0.0.1:8080/p/3", &meta);
    append_beacon(*state);
    append_span(*state, 0xa1, 0x12, 0x11, 3000);
    index_fixture_start(*state);
    expect_joins(*state, "joined", 1, 1);
}

static void test_sinks_calls__forged_times_are_no_times(void **state)
{
    vitrace_v1_Header header = beacon_builder_header(1, 0);
    vitrace_v1_Call call = vitrace_v1_Call_init_zero;
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    header.wall_unix_us = header.mono_us = INT64_MAX;
    beacon_builder_init(&beacon, &header);
    call.url_ref = resource.name_ref = beacon_builder_string(&beacon, API_URL);
    call.start_us = UINT64_MAX; /* the resource's own start is checked at the door */
    call.headers_us = call.end_us = resource.response_end_us = INT64_MAX;
    resource.response_start_us = resource.request_start_us = INT64_MIN;
    resource.fetch_start_us = INT64_MAX;
    beacon_builder_add(&beacon, BEACON_FIELD_CALL, vitrace_v1_Call_fields, &call);
    beacon_builder_add(&beacon, BEACON_FIELD_RESOURCE, vitrace_v1_Resource_fields, &resource);
    append_beacon(*state);
    index_fixture_start(*state);
    json_decref(index_fixture_ask(*state, "joins", "app=shop&since=0", 200));
    json_decref(index_fixture_ask(*state, ANSWER, "", 200));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_sinks_calls__##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_call_and_an_entry_without_ids_are_one_request),
        TEST(a_call_without_an_entry_says_so),
        TEST(a_no_cors_response_has_no_status_and_did_not_fail),
        TEST(calls_that_could_be_exchanged_stay_two_and_say_so),
        TEST(an_injected_call_to_another_origin_that_failed_was_blocked),
        TEST(one_that_the_page_aborted_was_not),
        TEST(a_meta_id_of_an_earlier_page_load_is_stale),
        TEST(a_meta_id_of_this_page_load_joins),
        TEST(a_clock_that_is_wrong_makes_nothing_stale),
        TEST(forged_times_are_no_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
