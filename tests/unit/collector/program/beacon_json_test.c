#include "collector/command/beacon_json.h"
#include "proto/wire/beacon_encode.h"

#include <pb_decode.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* nanopb keeps no names, but it knows how many fields a message has: a field added to the schema must be added here. */
static void test_beacon_json__shows_as_many_fields_as_the_schema_has(void **state)
{
    (void)state;
    for (unsigned i = 0; i <= BEACON_FIELD_LAST; i++) {
        const struct beacon_json_message *message = &beacon_json_messages[i];
        if (message->name != NULL)
            assert_int_equal(message->field_count, message->descriptor->field_count);
        else
            assert_true(i == 0 || i == BEACON_FIELD_STRING);
    }
}

static size_t make(uint8_t *out, size_t room)
{
    vitrace_v1_Header header = vitrace_v1_Header_init_zero;
    vitrace_v1_Resource resource = vitrace_v1_Resource_init_zero;
    vitrace_v1_Vital vital = vitrace_v1_Vital_init_zero;
    header.schema_version = 1;
    strcpy(header.app, "shop");
    memset(header.view_id, 0xab, sizeof header.view_id);
    memset(header.session_id, 1, sizeof header.session_id);
    size_t size = beacon_encode_message(out, room, BEACON_FIELD_HEADER, vitrace_v1_Header_fields, &header);
    size += beacon_encode_string(out + size, room - size, slice_text("http://a/\"x\""));
    resource.name_ref = 1;
    resource.start_us = 5;
    resource.request_start_us = -3;
    resource.claims_count = 1;
    memset(resource.claims[0].trace_id, 0x11, 16);
    memset(resource.claims[0].span_id, 0x22, 8);
    resource.claims[0].source = vitrace_v1_ClaimSource_CLAIM_SOURCE_META;
    size += beacon_encode_resource(out + size, room - size, &resource);
    vital.metric = vitrace_v1_Metric_METRIC_CLS;
    vital.state = vitrace_v1_VitalState_VITAL_STATE_MEASURED;
    vital.value = 0.25;
    vital.parts_count = 2;
    vital.parts[0] = 1.5;
    size += beacon_encode_message(out + size, room - size, BEACON_FIELD_VITAL, vitrace_v1_Vital_fields, &vital);
    return size;
}

static void test_beacon_json__writes_header_records_and_resolved_strings(void **state)
{
    (void)state;
    uint8_t beacon[1024];
    struct beacon_summary summary;
    struct slice bytes = slice_of(beacon, make(beacon, sizeof beacon));
    char expected[1024];
    struct buf out;
    struct json json;
    assert_int_equal(beacon_validate(bytes, &summary), BEACON_OK);
    buf_init(&out, 1u << 20);
    json_init(&json, &out);
    beacon_json_write(&json, bytes);
    assert_false(out.failed);
    snprintf(expected, sizeof expected,
             "{\"bytes\":%zu,\"records\":[{\"record\":\"header\",\"schema_version\":1,\"app\":\"shop\",\"view_id\":"
             "\"abababababababababababababababab\","
             "\"session_id\":\"01010101010101010101010101010101\"},{\"record\":\"resource\",\"name\":\"http://a/"
             "\\\"x\\\"\",\"start_us\":5,"
             "\"request_start_us\":-3,\"claims\":[{\"trace_id\":\"11111111111111111111111111111111\",\"span_id\":"
             "\"2222222222222222\",\"source\":\"meta\"}]},"
             "{\"record\":\"vital\",\"metric\":\"cls\",\"state\":\"measured\",\"value\":0.25,\"parts\":[1.5,0]}],"
             "\"strings\":[\"http://a/\\\"x\\\"\"]}",
             bytes.size);
    assert_int_equal(out.size, strlen(expected));
    assert_memory_equal(out.data, expected, out.size);
    buf_release(&out);
}

static void test_beacon_json__writes_the_rarer_records(void **state)
{
    (void)state;
    uint8_t beacon[1024];
    vitrace_v1_ClickPattern clicks = {.start_us = 5, .count = 3};
    vitrace_v1_CustomMetric metric = {.value = 42.5, .unit_ref = 1, .attributes_count = 1};
    size_t size = make(beacon, sizeof beacon);
    clicks.type = vitrace_v1_ClickPatternType_CLICK_PATTERN_TYPE_RAGE;
    metric.attributes[0].key_ref = 1;
    metric.attributes[0].number = 2;
    size += beacon_encode_message(beacon + size, sizeof beacon - size, BEACON_FIELD_CLICK_PATTERN,
                                  vitrace_v1_ClickPattern_fields, &clicks);
    size += beacon_encode_message(beacon + size, sizeof beacon - size, BEACON_FIELD_CUSTOM_METRIC,
                                  vitrace_v1_CustomMetric_fields, &metric);
    struct buf out;
    struct json json;
    buf_init(&out, 1u << 20);
    json_init(&json, &out);
    beacon_json_write(&json, slice_of(beacon, size));
    assert_false(out.failed);
    static const char expected[] =
        "{\"record\":\"click_pattern\",\"start_us\":5,\"type\":\"rage\",\"count\":3},"
        "{\"record\":\"custom_metric\",\"value\":42.5,\"unit\":\"http://a/\\\"x\\\"\","
        "\"attributes\":[{\"key\":\"http://a/\\\"x\\\"\",\"number\":2}]}],";
    assert_non_null(memmem(out.data, out.size, expected, sizeof expected - 1));
    buf_release(&out);
}

static void test_beacon_json__whatever_validates_can_be_written(void **state)
{
    (void)state;
    uint8_t beacon[1024];
    size_t size = make(beacon, sizeof beacon);
    unsigned written = 0;
    for (size_t bit = 0; bit < size * 8; bit++) {
        struct beacon_summary summary;
        beacon[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (beacon_validate(slice_of(beacon, size), &summary) == BEACON_OK) {
            struct buf out;
            struct json json;
            buf_init(&out, 1u << 20);
            json_init(&json, &out);
            beacon_json_write(&json, slice_of(beacon, size));
            assert_false(out.failed);
            written++;
            buf_release(&out);
        }
        beacon[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(written > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beacon_json__shows_as_many_fields_as_the_schema_has),
        cmocka_unit_test(test_beacon_json__writes_header_records_and_resolved_strings),
        cmocka_unit_test(test_beacon_json__writes_the_rarer_records),
        cmocka_unit_test(test_beacon_json__whatever_validates_can_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
