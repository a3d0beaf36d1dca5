/* A browser whose clock is wrong, in a real index: what the view says of it, and where its spans are put. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/support/beacon_builder.h"
#include "tests/support/index_fixture.h"
#include "tests/support/otlp_builder.h"

#define ANSWER  "views/01010101010101010101010101010101"
#define ORIGIN  BUILDER_TIME_ORIGIN_US
#define SKEW_US INT64_C(187000000) /* the browser is behind the servers */
#define SLEPT   UINT64_C(3600000000)
#define TIMING  vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACE

static struct beacon_builder beacon;
static struct otlp_builder spans;

static int setup(void **state)
{
    static struct index_fixture fixture;
    index_fixture_init(&fixture);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    index_fixture_release(*state);
    return 0;
}

/* `ahead_us`: of the wall clock, of the page's time. */
static void begin_beacon(uint32_t seq, uint64_t mono_us, uint64_t ahead_us)
{
    vitrace_v1_Header header = beacon_builder_header(1, seq);
    header.mono_us = mono_us;
    header.wall_unix_us = ORIGIN + mono_us + ahead_us;
    beacon_builder_init(&beacon, &header);
}

/* On its way for 30 ms. */
static void append_beacon(struct index_fixture *fixture, uint32_t segments, uint64_t mono_us, uint64_t ahead_us)
{
    vitrace_v1_Ledger ledger = vitrace_v1_Ledger_init_zero;
    ledger.segments_sealed = segments;
    ledger.sealed_mono_us = mono_us;
    ledger.sealed_wall_unix_us = ORIGIN + mono_us + ahead_us;
    beacon_builder_add(&beacon, BEACON_FIELD_LEDGER, vitrace_v1_Ledger_fields, &ledger);
    atomic_store(&fixture->now_us, ORIGIN + mono_us + ahead_us + (uint64_t)SKEW_US + 30000);
    index_fixture_append(fixture, APPEND_BEACON, beacon_builder_bytes(&beacon));
}

/* A request of 20 ms, 19 of them on the wire and in the server; and its server's span by the server's clock. */
static void add_request(struct index_fixture *fixture, uint8_t trace, uint64_t start_us, uint64_t server_us,
                        uint64_t duration_us, uint64_t ahead_us)
{
    char url[64];
    vitrace_v1_Claim claim = beacon_builder_claim(TIMING, trace, 0x11);
    snprintf(url, sizeof url, "http://127.0.0.1:8080/api/%u", trace);
    beacon_builder_resource(&beacon, url, start_us, &claim);
    otlp_builder_init(&spans);
    otlp_builder_span(&spans, &(struct otlp_builder_span){.trace = trace,
                                                          .span = 0x11,
                                                          .kind = 2,
                                                          .start_unix_us = ORIGIN + ahead_us + (uint64_t)SKEW_US +
                                                                           start_us + server_us,
                                                          .duration_us = duration_us,
                                                          .service = "web",
                                                          .name = "GET"});
    index_fixture_append(fixture, APPEND_SPANS, otlp_builder_bytes(&spans));
}

static json_t *ask(struct index_fixture *fixture)
{
    index_fixture_start(fixture);
    return index_fixture_ask(fixture, ANSWER, "", 200);
}

static double number(json_t *object, const char *key)
{
    json_t *value = json_object_get(object, key);
    if (!json_is_number(value))
        fail_msg("%s is no number", key);
    return json_number_value(value);
}

static void expect_within(json_t *object, const char *key, double expected, double error)
{
    double value = number(object, key);
    if (!(value >= expected - error && value <= expected + error))
        fail_msg("%s is %g, not %g +- %g", key, value, expected, error);
}

static json_t *request(json_t *answer, size_t at)
{
    return json_array_get(json_object_get(answer, "requests"), at);
}

static json_t *span(json_t *answer, size_t at)
{
    return json_array_get(json_object_get(request(answer, at), "spans"), 0);
}

static void test_query_clock__a_skew_of_minutes_is_found_and_spans_are_placed_by_it(void **state)
{
    begin_beacon(0, 1000, 0);
    add_request(*state, 0xa1, 100000, 6000, 10000, 0); /* 5 ms there, 4 ms back */
    add_request(*state, 0xa2, 200000, 4000, 12000, 0); /* 3 and 4 */
    add_request(*state, 0xa3, 300000, 9000, 8000, 0);  /* 8 and 3 */
    append_beacon(*state, 1, 400000, 0);
    json_t *answer = ask(*state);
    json_t *clock = json_object_get(answer, "clock"), *split = json_object_get(request(answer, 1), "split");
    double error = number(clock, "error_ms");
    assert_true(error > 0 && error < 9);
    expect_within(clock, "offset_ms", 187000, error);
    assert_int_equal(number(clock, "pairs"), 3);
    assert_int_equal(number(clock, "conflicts"), 0);
    assert_int_equal(json_array_size(json_object_get(clock, "epochs")), 1);
    expect_within(span(answer, 1), "start", 187204, 0.001); /* as the clocks said */
    expect_within(span(answer, 1), "aligned_start", 204, error);
    expect_within(request(answer, 1), "aligned_error", error, 0.001);
    expect_within(split, "request_wire", 3, error);
    expect_within(split, "response_wire", 4, error);
    expect_within(split, "wire_error", error, 0.001);
    assert_true(number(split, "request_wire") + number(split, "response_wire") > 6.999);
    assert_true(number(split, "request_wire") + number(split, "response_wire") < 7.001);
    json_decref(answer);
}

static void test_query_clock__without_a_joined_span_nothing_is_claimed(void **state)
{
    begin_beacon(0, 1000, 0);
    beacon_builder_resource(&beacon, "http://127.0.0.1:8080/x", 1000, NULL);
    append_beacon(*state, 1, 400000, 0);
    json_t *answer = ask(*state), *clock = json_object_get(answer, "clock");
    assert_null(json_object_get(clock, "offset_ms"));
    assert_int_equal(number(clock, "pairs"), 0);
    assert_int_equal(json_array_size(json_object_get(clock, "epochs")), 1);
    assert_null(json_object_get(request(answer, 0), "aligned_error"));
    json_decref(answer);
}

/* The answer was read to its end after 20 ms, the server worked on for 2 s: it had begun before the first byte came. */
static void test_query_clock__work_after_the_answer_does_not_move_the_offset(void **state)
{
    begin_beacon(0, 1000, 0);
    add_request(*state, 0xa1, 100000, 6000, 2000000, 0);
    append_beacon(*state, 1, 400000, 0);
    json_t *answer = ask(*state), *clock = json_object_get(answer, "clock");
    expect_within(clock, "offset_ms", 187000, number(clock, "error_ms"));
    expect_within(clock, "error_ms", 9, 0.001); /* 14 ms to the first byte, and 2 ms of rounding on both sides */
    assert_int_equal(number(clock, "pairs"), 1);
    json_decref(answer);
}

/* The service worker may have had the answer for a week. */
static void test_query_clock__what_a_service_worker_answered_is_no_pair(void **state)
{
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    vitrace_v1_Claim claim = beacon_builder_claim(TIMING, 0xa1, 0x11);
    begin_beacon(0, 1000, 0);
    add_request(*state, 0xa1, 100000, 6000, 10000, 0);
    begin_beacon(0, 1000, 0);
    resource.name_ref = beacon_builder_string(&beacon, "http://127.0.0.1:8080/api/161");
    resource.start_us = 100000;
    resource.worker_start_us = 500;
    resource.request_start_us = 1000;
    resource.response_start_us = 15000;
    resource.response_end_us = 20000;
    resource.transfer_size = 5;
    resource.claims[resource.claims_count++] = claim;
    beacon_builder_add(&beacon, BEACON_FIELD_RESOURCE, vitrace_v1_Resource_fields, &resource);
    append_beacon(*state, 1, 400000, 0);
    json_t *answer = ask(*state);
    assert_string_equal(json_string_value(json_object_get(json_object_get(request(answer, 0), "join"), "level")),
                        "exact_trace");
    assert_int_equal(number(json_object_get(answer, "clock"), "pairs"), 0);
    json_decref(answer);
}

/* performance.now() stood still for an hour: Date.now() did not. */
static void test_query_clock__a_sleep_gives_each_epoch_an_offset_of_its_own(void **state)
{
    begin_beacon(0, 1000, 0);
    add_request(*state, 0xa1, 100000, 6000, 10000, 0);
    append_beacon(*state, 1, 400000, 0);
    begin_beacon(1, 900000, SLEPT);
    add_request(*state, 0xa2, 950000, 4000, 12000, SLEPT);
    append_beacon(*state, 2, 1200000, SLEPT);
    json_t *answer = ask(*state), *clock = json_object_get(answer, "clock"), *epochs = json_object_get(clock, "epochs");
    json_t *before = json_array_get(epochs, 0), *after = json_array_get(epochs, 1);
    assert_int_equal(json_array_size(epochs), 2);
    expect_within(before, "until", 400, 0.001);
    assert_null(json_object_get(before, "from"));
    expect_within(after, "from", 900, 0.001);
    assert_null(json_object_get(after, "until"));
    expect_within(after, "jump_ms", 3600000, 0.001);
    expect_within(before, "offset_ms", 187000, number(before, "error_ms"));
    expect_within(after, "offset_ms", 187000, number(after, "error_ms"));
    expect_within(span(answer, 0), "aligned_start", 106, number(before, "error_ms"));
    expect_within(span(answer, 1), "aligned_start", 954, number(after, "error_ms"));
    expect_within(span(answer, 1), "start", 3600000 + 187000 + 954, 0.001);
    json_decref(answer);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_query_clock__a_skew_of_minutes_is_found_and_spans_are_placed_by_it),
        TEST(test_query_clock__without_a_joined_span_nothing_is_claimed),
        TEST(test_query_clock__work_after_the_answer_does_not_move_the_offset),
        TEST(test_query_clock__what_a_service_worker_answered_is_no_pair),
        TEST(test_query_clock__a_sleep_gives_each_epoch_an_offset_of_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
