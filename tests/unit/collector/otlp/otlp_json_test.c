/* JSON in, protobuf out: compared with messages written by hand, and read back through otlp_reader. */
#include "collector/otlp/otlp_internal.h"
#include "tests/unit/collector/otlp/otlp_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define GOLDEN_JSON "tests/golden/otlp/sdk_trace.json"
#define IDS         "\"traceId\":\"0AF7651916cd43dd8448eb211c80319c\",\"spanId\":\"00f067AA0ba90240\""

static struct otlp otlp = {.bodies.bytes_max = OTLP_BODY_BYTES_TOTAL_MAX}; /* only its budget is used */

static enum inflate_status convert(struct slice json, struct inflate_body *out)
{
    uint8_t *exact = malloc(json.size > 0 ? json.size : 1); /* exact bounds for the sanitizers */
    memcpy(exact, json.data, json.size);
    enum inflate_status status = otlp_json_convert(&otlp.bodies, slice_of(exact, json.size), out);
    free(exact);
    assert_int_equal(atomic_load(&otlp.bodies.bytes), out->room);
    return status;
}

static struct slice wrapped(const char *fields)
{
    static char json[8192];
    int size = snprintf(json, sizeof json, "{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{%s}]}]}]}", fields);
    assert_true(size > 0 && (size_t)size < sizeof json);
    return slice_of(json, (size_t)size);
}

/* The span's fields as JSON give exactly this span message. */
static void expect_span(const char *fields, const struct message *span)
{
    static struct message request;
    struct inflate_body out = {0};
    struct slice json = wrapped(fields);
    message_wrap_span(&request, message_slice(span));
    assert_int_equal(convert(json, &out), INFLATE_OK);
    assert_int_equal(out.size, request.size);
    assert_memory_equal(out.data, request.bytes, request.size);
    inflate_body_release(&otlp.bodies, &out);
}

static void expect_malformed(const char *fields)
{
    struct inflate_body out = {0};
    if (convert(wrapped(fields), &out) != INFLATE_MALFORMED)
        fail_msg("taken: %s", fields);
}

static enum otlp_read_status read_one(const char *fields)
{
    struct inflate_body out = {0};
    struct otlp_reader reader;
    struct otlp_span span;
    assert_int_equal(convert(wrapped(fields), &out), INFLATE_OK);
    otlp_reader_init(&reader, slice_of(out.data, out.size));
    enum otlp_read_status status = otlp_reader_next(&reader, &span);
    inflate_body_release(&otlp.bodies, &out);
    return status;
}

static struct slice golden_read(void)
{
    static uint8_t data[16384];
    FILE *file = fopen(GOLDEN_JSON, "rb");
    assert_non_null(file);
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    assert_true(size > 0 && size < sizeof data);
    return slice_of(data, size);
}

static void test_otlp_json__every_field_of_a_span_is_written_as_protobuf(void **state)
{
    (void)state;
    static struct message span, status;
    span.size = status.size = 0;
    message_ids(&span);
    message_bytes(&span, 4, slice_of("\1\2\3\4\5\6\7\x8", 8));
    message_text(&span, 5, "GET \xe2\x82\xac");
    message_number(&span, 6, 2);
    message_fixed(&span, 7, 1750000000000000001ull, 8);
    message_fixed(&span, 8, 1750000000000000002ull, 8);
    message_text(&status, 2, "no");
    message_number(&status, 3, 2);
    message_bytes(&span, 15, message_slice(&status));
    message_fixed(&span, 16, 0x301, 4);
    expect_span(IDS ",\"parentSpanId\":\"0102030405060708\",\"name\":\"GET \\u20ac\",\"kind\":2,"
                    "\"startTimeUnixNano\":\"1750000000000000001\",\"endTimeUnixNano\":1750000000000000002,"
                    "\"status\":{\"message\":\"no\",\"code\":2},\"flags\":769",
                &span);
    expect_span(
        IDS ",\"parentSpanId\":\"0102030405060708\",\"n\\u0061me\":\"GET \xe2\x82\xac\",\"kind\":\"SPAN_KIND_SERVER\","
            "\"startTimeUnixNano\":1750000000000000001,\"endTimeUnixNano\":\"1750000000000000002\","
            "\"status\":{\"message\":\"no\",\"code\":\"STATUS_CODE_ERROR\"},\"flags\":\"769\"",
        &span);
}

static void attribute_wrap(struct message *span, const struct message *value)
{
    static struct message attribute;
    attribute.size = span->size = 0;
    message_text(&attribute, 1, "k");
    message_bytes(&attribute, 2, message_slice(value));
    message_bytes(span, 9, message_slice(&attribute));
}

static void expect_attribute(const char *json, const struct message *value)
{
    static struct message span;
    char fields[512];
    snprintf(fields, sizeof fields, "\"attributes\":[{\"key\":\"k\",\"value\":%s}]", json);
    attribute_wrap(&span, value);
    expect_span(fields, &span);
}

static void expect_int(const char *json, int64_t number)
{
    static struct message value;
    value.size = 0;
    message_number(&value, 3, (uint64_t)number);
    expect_attribute(json, &value);
}

static void expect_double(const char *json, double number)
{
    static struct message value;
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    value.size = 0;
    message_fixed(&value, 4, bits, 8);
    expect_attribute(json, &value);
}

static void test_otlp_json__numbers_come_as_numbers_or_strings(void **state)
{
    (void)state;
    expect_int("{\"intValue\":\"9223372036854775807\"}", INT64_MAX);
    expect_int("{\"intValue\":-9223372036854775808}", INT64_MIN);
    expect_int("{\"intValue\":0}", 0);
    expect_int("{\"intValue\":\"-7\"}", -7);
    expect_int("{\"intValue\":2e3}", 2000);
    expect_int("{\"intValue\":-5.0}", -5);
    expect_double("{\"doubleValue\":1.5}", 1.5);
    expect_double("{\"doubleValue\":\"-1e300\"}", -1e300);
    expect_double("{\"doubleValue\":3}", 3);
    expect_double("{\"doubleValue\":\"Infinity\"}", 1.0 / 0.0);
}

static void test_otlp_json__values_nest_as_arrays_and_maps(void **state)
{
    (void)state;
    static struct message value, list, item, pair;
    value.size = list.size = item.size = pair.size = 0;
    message_number(&value, 2, 1);
    expect_attribute("{\"boolValue\":true}", &value);
    value.size = 0;
    expect_attribute("{}", &value);
    expect_attribute("{\"stringValue\":null,\"bytesValue\":\"AAAA\",\"later\":[{}]}", &value);
    message_text(&item, 1, "a");
    message_bytes(&list, 1, message_slice(&item));
    item.size = 0;
    message_number(&item, 3, 1);
    message_bytes(&list, 1, message_slice(&item));
    message_bytes(&value, 5, message_slice(&list));
    expect_attribute("{\"arrayValue\":{\"values\":[{\"stringValue\":\"a\"},{\"intValue\":\"1\"}]}}", &value);
    value.size = list.size = 0;
    message_text(&pair, 1, "x");
    message_bytes(&pair, 2, message_slice(&item));
    message_bytes(&list, 1, message_slice(&pair));
    message_bytes(&value, 6, message_slice(&list));
    expect_attribute("{\"kvlistValue\":{\"values\":[{\"key\":\"x\",\"value\":{\"intValue\":1}}]}}", &value);
}

static void test_otlp_json__lengths_of_two_and_three_bytes_are_canonical(void **state)
{
    (void)state;
    static const size_t sizes[] = {127, 128, 129, 300, 5000};
    static struct message span;
    static char fields[6000], text[5001];
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        memset(text, 'x', sizes[i]);
        text[sizes[i]] = '\0';
        span.size = 0;
        message_text(&span, 5, text);
        snprintf(fields, sizeof fields, "\"name\":\"%s\"", text);
        expect_span(fields, &span);
    }
}

static void test_otlp_json__unknown_keys_nulls_and_what_is_not_kept_are_skipped(void **state)
{
    (void)state;
    static struct message span;
    span.size = 0;
    message_ids(&span);
    expect_span(IDS ",\"name\":null,\"events\":[{\"name\":\"e\",\"attributes\":[]}],\"links\":[{\"traceId\":\"zz\"}],"
                    "\"traceState\":\"a=b\",\"later\":{\"deep\":[[{}]]},\"attributes\":null,\"kind\":null,\"\":0",
                &span);
}

static void test_otlp_json__bad_ids_spoil_their_span_only(void **state)
{
    (void)state;
    assert_int_equal(read_one(IDS), OTLP_SPAN);
    assert_int_equal(read_one(IDS ",\"parentSpanId\":\"\""), OTLP_SPAN);
    assert_int_equal(read_one(IDS ",\"parentSpanId\":\"xyz\""), OTLP_BAD_SPAN);
    assert_int_equal(read_one(IDS ",\"parentSpanId\":\"012345678\""), OTLP_BAD_SPAN);
    assert_int_equal(read_one("\"traceId\":\"CvdlGRbNQ92ESOshHIAxnA==\",\"spanId\":\"00f067aa0ba90240\""),
                     OTLP_BAD_SPAN);
    assert_int_equal(read_one("\"traceId\":\"0af7651916cd43dd8448eb211c80319c00\",\"spanId\":\"00f067aa0ba90240\""),
                     OTLP_BAD_SPAN);
    assert_int_equal(read_one(IDS ",\"name\":\"\xff\""), OTLP_BAD_SPAN);
}

static void test_otlp_json__known_keys_of_another_type_are_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\"name\":1",
        "\"name\":{}",
        "\"traceId\":7",
        "\"kind\":[]",
        "\"kind\":1.5",
        "\"attributes\":{}",
        "\"attributes\":[1]",
        "\"attributes\":[null]",
        "\"status\":[]",
        "\"flags\":-1",
        "\"flags\":4294967296",
        "\"startTimeUnixNano\":-1",
        "\"startTimeUnixNano\":\"\"",
        "\"startTimeUnixNano\":\"0x10\"",
        "\"startTimeUnixNano\":18446744073709551616",
        "\"startTimeUnixNano\":\"1 \"",
        "\"startTimeUnixNano\":true",
        "\"attributes\":[{\"value\":{\"intValue\":9223372036854775808}}]",
        "\"attributes\":[{\"value\":{\"boolValue\":\"true\"}}]",
        "\"attributes\":[{\"value\":{\"doubleValue\":\"1x\"}}]",
        "\"attributes\":[{\"value\":{\"doubleValue\":\"0x1p3\"}}]",
        "\"attributes\":[{\"value\":\"text\"}]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_malformed(bad[i]);
}

static void test_otlp_json__documents_that_are_no_object_are_malformed(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "[]", "null", "1", "\"\"", "{} x", "{\"resourceSpans\":{}}"};
    struct inflate_body out = {0};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(convert(slice_text(bad[i]), &out), INFLATE_MALFORMED);
    assert_int_equal(convert(slice_text(" { } "), &out), INFLATE_OK);
    assert_int_equal(out.size, 0);
    inflate_body_release(&otlp.bodies, &out);
}

static void test_otlp_json__nesting_beyond_the_reader_is_malformed(void **state)
{
    (void)state;
    char json[8192] = "";
    struct inflate_body out = {0};
    for (unsigned levels = 10; levels <= 40; levels += 30) {
        char *at = json + sprintf(json, "%s", "{\"resourceSpans\":[{\"resource\":{\"attributes\":[{\"value\":");
        for (unsigned i = 0; i < levels; i++)
            at += sprintf(at, "{\"arrayValue\":{\"values\":[");
        for (unsigned i = 0; i < levels; i++)
            at += sprintf(at, "]}}");
        sprintf(at, "}]}}]}");
        assert_int_equal(convert(slice_text(json), &out), levels == 10 ? INFLATE_OK : INFLATE_MALFORMED);
        inflate_body_release(&otlp.bodies, &out);
    }
}

static void test_otlp_json__golden_body_of_the_official_exporter_reads_whole(void **state)
{
    (void)state;
    struct inflate_body out = {0};
    struct otlp_reader reader;
    struct otlp_span span;
    assert_int_equal(convert(golden_read(), &out), INFLATE_OK);
    otlp_reader_init(&reader, slice_of(out.data, out.size));
    assert_int_equal(otlp_reader_next(&reader, &span), OTLP_SPAN);
    assert_memory_equal(span.trace_id, TRACE_ID, 16);
    assert_int_equal(span.kind, 2);
    assert_int_equal(span.http_status, 200);
    assert_int_equal(span.flags, 257);
    assert_true(slice_equal(span.service_name, slice_text("shop-api")));
    assert_true(slice_equal(span.http_route, slice_text("/cart/:id")));
    assert_true(span.start_unix_ns == 1750000000000000000ull && span.end_unix_ns == 1750000000012000000ull);
    assert_int_equal(otlp_reader_next(&reader, &span), OTLP_SPAN);
    assert_int_equal(span.parent_span_id[7], 1);
    assert_int_equal(span.status_code, 2);
    assert_true(slice_equal(span.name, slice_text("SELECT \xe2\x82\xac \"cart\"")));
    assert_true(slice_equal(span.db_query, slice_text("SELECT *\nFROM cart WHERE id = $1")));
    assert_int_equal(otlp_reader_next(&reader, &span), OTLP_SPAN);
    assert_true(slice_equal(span.peer_service, slice_text("stock")));
    assert_int_equal(otlp_reader_next(&reader, &span), OTLP_END);
    inflate_body_release(&otlp.bodies, &out);
}

static void test_otlp_json__every_strict_prefix_of_it_is_malformed_and_no_flip_reads_outside(void **state)
{
    (void)state;
    static uint8_t data[16384];
    struct slice golden = golden_read();
    struct inflate_body out = {0};
    for (size_t size = 0; size < golden.size; size++)
        assert_int_equal(convert(slice_of(golden.data, size), &out), INFLATE_MALFORMED);
    memcpy(data, golden.data, golden.size);
    for (size_t bit = 0; bit < golden.size * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (convert(slice_of(data, golden.size), &out) == INFLATE_OK) {
            struct otlp_reader reader;
            struct otlp_span span;
            otlp_reader_init(&reader, slice_of(out.data, out.size));
            enum otlp_read_status status;
            while ((status = otlp_reader_next(&reader, &span)) > OTLP_END || status == OTLP_BAD_SPAN)
                continue;
            assert_int_equal(status, OTLP_END); /* what we write is always protobuf */
        }
        inflate_body_release(&otlp.bodies, &out);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
}

static void test_otlp_json__used_up_budget_is_busy(void **state)
{
    (void)state;
    struct inflate_body out = {0};
    atomic_store(&otlp.bodies.bytes, OTLP_BODY_BYTES_TOTAL_MAX);
    assert_int_equal(otlp_json_convert(&otlp.bodies, slice_text("{}"), &out), INFLATE_BUSY);
    atomic_store(&otlp.bodies.bytes, 0);
    assert_null(out.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_otlp_json__every_field_of_a_span_is_written_as_protobuf),
        cmocka_unit_test(test_otlp_json__numbers_come_as_numbers_or_strings),
        cmocka_unit_test(test_otlp_json__values_nest_as_arrays_and_maps),
        cmocka_unit_test(test_otlp_json__lengths_of_two_and_three_bytes_are_canonical),
        cmocka_unit_test(test_otlp_json__unknown_keys_nulls_and_what_is_not_kept_are_skipped),
        cmocka_unit_test(test_otlp_json__bad_ids_spoil_their_span_only),
        cmocka_unit_test(test_otlp_json__known_keys_of_another_type_are_malformed),
        cmocka_unit_test(test_otlp_json__documents_that_are_no_object_are_malformed),
        cmocka_unit_test(test_otlp_json__nesting_beyond_the_reader_is_malformed),
        cmocka_unit_test(test_otlp_json__golden_body_of_the_official_exporter_reads_whole),
        cmocka_unit_test(test_otlp_json__every_strict_prefix_of_it_is_malformed_and_no_flip_reads_outside),
        cmocka_unit_test(test_otlp_json__used_up_budget_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
