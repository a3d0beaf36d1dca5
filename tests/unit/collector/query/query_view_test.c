/* The answer about one view, as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/support/beacon_builder.h"
#include "tests/support/index_fixture.h"

static struct beacon_builder beacon;
static struct index_fixture fixture;

/* Of the vital that stands at `at`. */
static json_t *member(json_t *answer, size_t at, const char *key)
{
    return json_object_get(json_array_get(json_object_get(answer, "vitals"), at), key);
}

/* The paints of the view say 100 and 250 ms; its beacons and entries are all here. */
static void test_query_view__a_vital_says_whether_its_entries_agree(void **state)
{
    (void)state;
    index_fixture_init(&fixture);
    vitrace_v1_Paint paint = vitrace_v1_Paint_init_zero;
    vitrace_v1_LargestContentfulPaint largest = vitrace_v1_LargestContentfulPaint_init_zero;
    vitrace_v1_Ledger ledger = vitrace_v1_Ledger_init_zero;
    vitrace_v1_Header header = beacon_builder_header(1, 0);
    beacon_builder_init(&beacon, &header);
    paint.name_ref = beacon_builder_string(&beacon, "first-contentful-paint");
    paint.start_us = 100000;
    largest.start_us = 250000;
    beacon_builder_add(&beacon, BEACON_FIELD_PAINT, vitrace_v1_Paint_fields, &paint);
    beacon_builder_add(&beacon, BEACON_FIELD_LARGEST_CONTENTFUL_PAINT, vitrace_v1_LargestContentfulPaint_fields,
                       &largest);
    beacon_builder_vital(&beacon, vitrace_v1_Metric_METRIC_LCP, 120, vitrace_v1_Rating_RATING_GOOD);
    beacon_builder_vital(&beacon, vitrace_v1_Metric_METRIC_INP, 64, vitrace_v1_Rating_RATING_GOOD);
    beacon_builder_vital(&beacon, vitrace_v1_Metric_METRIC_FCP, 100.0004, vitrace_v1_Rating_RATING_GOOD);
    ledger.entries_seen = ledger.entries_encoded = 2;
    ledger.segments_sealed = 1;
    beacon_builder_add(&beacon, BEACON_FIELD_LEDGER, vitrace_v1_Ledger_fields, &ledger);
    index_fixture_append(&fixture, APPEND_BEACON, beacon_builder_bytes(&beacon));
    index_fixture_start(&fixture);
    json_t *answer = index_fixture_ask(&fixture, "views/01010101010101010101010101010101", "", 200);
    assert_string_equal(json_string_value(member(answer, 0, "verified")), "differs");
    assert_true(json_number_value(member(answer, 0, "derived")) > 249.999 &&
                json_number_value(member(answer, 0, "derived")) < 250.001);
    assert_string_equal(json_string_value(member(answer, 1, "verified")), "unknown");
    assert_null(member(answer, 1, "derived"));
    assert_string_equal(json_string_value(member(answer, 2, "verified")), "equal");
    assert_null(member(answer, 2, "derived"));
    json_decref(answer);
    index_fixture_release(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_view__a_vital_says_whether_its_entries_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
