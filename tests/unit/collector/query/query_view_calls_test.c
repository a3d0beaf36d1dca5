/* A wrapped call in the waterfall: one row with its entry, how they were tied, and where the time went. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/beacon_builder.h"
#include "tests/support/index_fixture.h"
#include "tests/support/otlp_builder.h"

#define API_URL "http://127.0.0.1:9999/api/cart"
#define ANSWER  "views/01010101010101010101010101010101"

static struct beacon_builder beacon;

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

/* From 100 ms on: 5 ms of queue, 2 of DNS, 3 of TCP, 4 of TLS, then the request; its body is read at 150 ms. */
static void add_request(uint32_t tag)
{
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    vitrace_v1_Call call = vitrace_v1_Call_init_zero;
    resource.name_ref = call.url_ref = beacon_builder_string(&beacon, API_URL);
    call.method_ref = beacon_builder_string(&beacon, "POST");
    call.start_us = 100000;
    call.headers_us = 46000;
    call.end_us = 50000;
    call.status = resource.response_status = 200;
    call.tag = resource.call_tag = tag;
    call.claims[call.claims_count++] = beacon_builder_claim(vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED, 0xb2, 0x77);
    resource.start_us = 100500;
    resource.domain_lookup_end_us = 2000;
    resource.connect_start_us = 2000;
    resource.secure_connection_start_us = 5000;
    resource.connect_end_us = 9000;
    resource.request_start_us = 14000;
    resource.response_start_us = 44000;
    resource.response_end_us = 48000;
    resource.transfer_size = 300;
    beacon_builder_add(&beacon, BEACON_FIELD_CALL, vitrace_v1_Call_fields, &call);
    beacon_builder_add(&beacon, BEACON_FIELD_RESOURCE, vitrace_v1_Resource_fields, &resource);
}

static void append_span(struct index_fixture *fixture)
{
    static struct otlp_builder spans;
    otlp_builder_init(&spans);
    otlp_builder_span(&spans, &(struct otlp_builder_span){.trace = 0xb2,
                                                          .span = 0x33,
                                                          .parent = 0x77,
                                                          .kind = 2,
                                                          .start_unix_us = BUILDER_TIME_ORIGIN_US + 118000,
                                                          .duration_us = 20000,
                                                          .service = "web",
                                                          .name = "POST /api/cart"});
    index_fixture_append(fixture, APPEND_SPANS, otlp_builder_bytes(&spans));
}

static json_t *ask(struct index_fixture *fixture)
{
    index_fixture_append(fixture, APPEND_BEACON, beacon_builder_bytes(&beacon));
    index_fixture_start(fixture);
    return index_fixture_ask(fixture, ANSWER, "", 200);
}

static json_t *request(json_t *answer, size_t at)
{
    return json_array_get(json_object_get(answer, "requests"), at);
}

static const char *text(json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static void expect_ms(json_t *object, const char *key, double ms)
{
    double value = json_number_value(json_object_get(object, key));
    if (!(value > ms - 0.0005 && value < ms + 0.0005))
        fail_msg("%s is %g, not %g", key, value, ms);
}

static void test_query_view_calls__a_call_is_one_row_with_its_entry_and_the_parts_sum_up(void **state)
{
    static const char *const parts[] = {"script", "redirect", "dns",      "tcp",    "tls",
                                        "queue",  "waiting",  "download", "browser"};
    add_request(0);
    append_span(*state);
    json_t *answer = ask(*state);
    assert_int_equal(json_array_size(json_object_get(answer, "requests")), 1);
    json_t *call = json_object_get(request(answer, 0), "call"), *split = json_object_get(request(answer, 0), "split");
    assert_string_equal(text(call, "match"), "exact_single");
    assert_string_equal(text(call, "method"), "POST");
    assert_true(json_is_true(json_object_get(call, "preflight_possible")));
    expect_ms(call, "headers", 46);
    expect_ms(split, "script", 0.5);
    expect_ms(split, "queue", 5);
    expect_ms(split, "dns", 2);
    expect_ms(split, "tcp", 3);
    expect_ms(split, "tls", 4);
    expect_ms(split, "waiting", 30);
    expect_ms(split, "download", 4);
    expect_ms(split, "browser", 1.5);
    expect_ms(split, "server", 20);
    expect_ms(split, "network", 14);
    double sum = 0;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        sum += json_number_value(json_object_get(split, parts[i]));
    assert_true(sum > 49.999 && sum < 50.001);
    json_decref(answer);
}

static void test_query_view_calls__the_kind_of_the_match_is_told(void **state)
{
    add_request(7);
    json_t *answer = ask(*state);
    assert_string_equal(text(json_object_get(request(answer, 0), "call"), "match"), "exact_tag");
    json_decref(answer);
}

static void test_query_view_calls__calls_that_could_be_exchanged_show_no_phases(void **state)
{
    add_request(0);
    add_request(0);
    json_t *answer = ask(*state);
    assert_int_equal(json_array_size(json_object_get(answer, "requests")), 4);
    for (size_t i = 0; i < 4; i++) {
        bool is_call = strcmp(text(request(answer, i), "kind"), "call") == 0;
        assert_null(json_object_get(request(answer, i), "call"));
        assert_string_equal(is_call ? text(request(answer, i), "match") : "ambiguous", "ambiguous");
    }
    json_decref(answer);
}

/* The call came with a beacon, its entry with the next one: the index has two requests, the waterfall shows one. */
static void test_query_view_calls__a_pair_that_two_beacons_tore_apart_is_one_row(void **state)
{
    struct index_fixture *fixture = *state;
    vitrace_v1_Header header = beacon_builder_header(1, 1);
    vitrace_v1_Claim injected = beacon_builder_claim(vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED, 0xb2, 0x77);
    beacon_builder_call(&beacon, API_URL, 100000, &injected);
    index_fixture_append(fixture, APPEND_BEACON, beacon_builder_bytes(&beacon));
    beacon_builder_init(&beacon, &header);
    beacon_builder_resource(&beacon, API_URL, 100100, NULL);
    append_span(fixture);
    json_t *answer = ask(fixture);
    assert_int_equal(json_array_size(json_object_get(answer, "requests")), 1);
    assert_string_equal(text(json_object_get(request(answer, 0), "call"), "match"), "exact_single");
    json_t *join = json_object_get(request(answer, 0), "join");
    assert_string_equal(text(join, "level"), "exact_parent");
    json_decref(answer);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_query_view_calls__##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_call_is_one_row_with_its_entry_and_the_parts_sum_up),
        TEST(the_kind_of_the_match_is_told),
        TEST(calls_that_could_be_exchanged_show_no_phases),
        TEST(a_pair_that_two_beacons_tore_apart_is_one_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
