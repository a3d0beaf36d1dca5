#include "collector/otlp/otlp_internal.h"
#include "tests/unit/collector/otlp/otlp_message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* One request as the OpenTelemetry JS SDK 0.223 sent it, with fixed ids and times. */
#define GOLDEN "tests/golden/otlp/sdk_trace.bin"

static struct slice golden_read(uint8_t *data, size_t room)
{
    FILE *file = fopen(GOLDEN, "rb");
    assert_non_null(file);
    size_t size = fread(data, 1, room, file);
    fclose(file);
    assert_in_range(size, 1, room - 1);
    return slice_of(data, size);
}

static void expect_text(struct slice got, const char *want)
{
    if (!slice_equal(got, slice_text(want)))
        fail_msg("\"%.*s\" is not \"%s\"", (int)got.size, (const char *)got.data, want);
}

static enum otlp_read_status read_one(struct slice request, struct otlp_span *span)
{
    struct otlp_reader reader;
    otlp_reader_init(&reader, request);
    enum otlp_read_status status = otlp_reader_next(&reader, span);
    if (status == OTLP_SPAN || status == OTLP_BAD_SPAN)
        assert_int_equal(otlp_reader_next(&reader, &(struct otlp_span){0}), OTLP_END);
    return status;
}

static enum otlp_read_status read_span(const struct message *body, struct otlp_span *span)
{
    static struct message request;
    message_wrap_span(&request, message_slice(body));
    return read_one(message_slice(&request), span);
}

static void expect_golden_first(const struct otlp_span *span)
{
    assert_memory_equal(span->trace_id, TRACE_ID, 16);
    assert_memory_equal(span->span_id, "\x00\xf0\x67\xaa\x0b\xa9\x02\x41", 8);
    assert_memory_equal(span->parent_span_id, SPAN_ID, 8);
    assert_int_equal(span->kind, 3);
    assert_int_equal(span->flags, 0x101);
    assert_int_equal(span->start_unix_ns, 1750000000002000000ull);
    assert_int_equal(span->end_unix_ns, 1750000000005000000ull);
    expect_text(span->name, "SELECT carts");
    expect_text(span->service_name, "shop-api");
    expect_text(span->db_system, "postgresql");
    expect_text(span->db_query, "SELECT * FROM carts WHERE id = $1");
    expect_text(span->peer_service, "carts-db");
    assert_int_equal(span->status_code, 0);
}

static void expect_golden_second(const struct otlp_span *span)
{
    assert_memory_equal(span->parent_span_id, "\xb7\xad\x6b\x71\x69\x20\x33\x31", 8);
    assert_int_equal(span->kind, 2);
    assert_int_equal(span->flags, 0x301);
    assert_int_equal(span->status_code, 2);
    assert_int_equal(span->http_status, 500);
    expect_text(span->http_method, "GET");
    expect_text(span->http_route, "/cart/:id");
    expect_text(span->url_path, "/cart/7");
    expect_text(span->service_name, "shop-api");
}

static void expect_golden_third(const struct otlp_span *span)
{
    static const uint8_t zero[8];
    assert_memory_equal(span->parent_span_id, zero, 8);
    expect_text(span->name, "legacy");
    expect_text(span->http_method, "POST");
    expect_text(span->url_path, "/old/path");
    expect_text(span->db_system, "redis");
    expect_text(span->db_query, "GET k");
    assert_int_equal(span->http_status, 201);
}

static void test_otlp_reader__reads_what_the_official_sdk_sends(void **state)
{
    (void)state;
    uint8_t data[4096];
    struct otlp_reader reader;
    struct otlp_span span;
    otlp_reader_init(&reader, golden_read(data, sizeof data));
    assert_int_equal(otlp_reader_next(&reader, &span), OTLP_SPAN);
    expect_golden_first(&span);
    assert_int_equal(otlp_reader_next(&reader, &span), OTLP_SPAN);
    expect_golden_second(&span);
    assert_int_equal(otlp_reader_next(&reader, &span), OTLP_SPAN);
    expect_golden_third(&span);
    assert_int_equal(otlp_reader_next(&reader, &span), OTLP_END);
    assert_int_equal(otlp_reader_next(&reader, &span), OTLP_END);
}

static enum otlp_read_status read_all(struct slice request, unsigned *good, unsigned *bad)
{
    struct otlp_reader reader;
    struct otlp_span span;
    otlp_reader_init(&reader, request);
    *good = *bad = 0;
    for (;;) {
        enum otlp_read_status status = otlp_reader_next(&reader, &span);
        if (status == OTLP_SPAN)
            ++*good;
        else if (status == OTLP_BAD_SPAN)
            ++*bad;
        else
            return status;
    }
}

static void test_otlp_reader__every_strict_prefix_is_malformed(void **state)
{
    (void)state;
    uint8_t data[4096];
    unsigned good, bad;
    struct slice golden = golden_read(data, sizeof data);
    for (size_t size = 1; size < golden.size; size++) {
        uint8_t *copy = malloc(size); /* of the exact size, so that a sanitizer sees the first byte past it */
        memcpy(copy, data, size);
        assert_int_equal(read_all(slice_of(copy, size), &good, &bad), OTLP_MALFORMED);
        free(copy);
    }
}

/* Any answer will do but a crash; and a flip inside one span never costs more than the framing allows. */
static void test_otlp_reader__every_bit_flip_is_answered(void **state)
{
    (void)state;
    uint8_t data[4096];
    unsigned good, bad, whole = 0;
    struct slice golden = golden_read(data, sizeof data);
    for (size_t bit = 0; bit < golden.size * 8; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        enum otlp_read_status status = read_all(golden, &good, &bad);
        assert_true(status == OTLP_END || status == OTLP_MALFORMED);
        assert_true(good + bad <= golden.size);
        whole += status == OTLP_END && good + bad == 3;
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_true(whole > golden.size * 4); /* most bits are values, not framing */
}

static void test_otlp_reader__empty_request_has_no_spans(void **state)
{
    (void)state;
    struct otlp_span span;
    assert_int_equal(read_one(slice_of(NULL, 0), &span), OTLP_END);
    assert_int_equal(read_one(slice_of("\x0a\x00", 2), &span), OTLP_END);
    assert_int_equal(read_one(slice_of("\x0a\x02\x12\x00", 4), &span), OTLP_END);
}

static void test_otlp_reader__resource_after_its_spans_still_names_the_service(void **state)
{
    (void)state;
    static struct message span, scope, resource, spans, request;
    struct otlp_span out;
    span.size = scope.size = resource.size = spans.size = request.size = 0;
    message_ids(&span);
    message_bytes(&scope, 2, message_slice(&span));
    message_bytes(&spans, 2, message_slice(&scope));
    message_attribute(&resource, 1, "service.name", "late");
    message_bytes(&spans, 1, message_slice(&resource));
    message_bytes(&request, 1, message_slice(&spans));
    spans.size = 0;
    message_bytes(&spans, 2, message_slice(&scope)); /* the next one has no resource */
    message_bytes(&request, 1, message_slice(&spans));
    struct otlp_reader reader;
    otlp_reader_init(&reader, message_slice(&request));
    assert_int_equal(otlp_reader_next(&reader, &out), OTLP_SPAN);
    expect_text(out.service_name, "late");
    assert_int_equal(otlp_reader_next(&reader, &out), OTLP_SPAN);
    expect_text(out.service_name, "");
    assert_int_equal(otlp_reader_next(&reader, &out), OTLP_END);
}

static void test_otlp_reader__bad_span_is_reported_and_the_others_are_read(void **state)
{
    (void)state;
    static struct message good, bad, scope, spans, request;
    struct otlp_span out;
    good.size = bad.size = scope.size = spans.size = request.size = 0;
    message_ids(&good);
    message_bytes(&bad, 1, slice_of(TRACE_ID, 15));
    message_bytes(&bad, 2, slice_of(SPAN_ID, 8));
    message_bytes(&scope, 2, message_slice(&good));
    message_bytes(&scope, 2, message_slice(&bad));
    message_bytes(&scope, 2, message_slice(&good));
    message_bytes(&spans, 2, message_slice(&scope));
    message_bytes(&request, 1, message_slice(&spans));
    struct otlp_reader reader;
    otlp_reader_init(&reader, message_slice(&request));
    assert_int_equal(otlp_reader_next(&reader, &out), OTLP_SPAN);
    assert_int_equal(otlp_reader_next(&reader, &out), OTLP_BAD_SPAN);
    assert_int_equal(otlp_reader_next(&reader, &out), OTLP_SPAN);
    assert_int_equal(otlp_reader_next(&reader, &out), OTLP_END);
}

static void test_otlp_reader__ids_of_wrong_size_or_zero_make_a_bad_span(void **state)
{
    (void)state;
    static const char zero[16];
    static const struct {
        const char *trace;
        size_t trace_size;
        const char *span;
        size_t span_size;
        const char *parent;
        size_t parent_size;
        enum otlp_read_status want;
    } cases[] = {
        {TRACE_ID, 16, SPAN_ID, 8, "", 0, OTLP_SPAN},
        {TRACE_ID, 16, SPAN_ID, 8, SPAN_ID, 8, OTLP_SPAN},
        {TRACE_ID, 16, SPAN_ID, 8, zero, 8, OTLP_SPAN},
        {TRACE_ID, 16, SPAN_ID, 8, SPAN_ID, 7, OTLP_BAD_SPAN},
        {TRACE_ID, 16, SPAN_ID, 8, TRACE_ID, 9, OTLP_BAD_SPAN},
        {TRACE_ID, 16, SPAN_ID, 7, "", 0, OTLP_BAD_SPAN},
        {TRACE_ID, 16, "", 0, "", 0, OTLP_BAD_SPAN},
        {TRACE_ID, 16, zero, 8, "", 0, OTLP_BAD_SPAN},
        {TRACE_ID, 15, SPAN_ID, 8, "", 0, OTLP_BAD_SPAN},
        {TRACE_ID "x", 17, SPAN_ID, 8, "", 0, OTLP_BAD_SPAN},
        {"", 0, SPAN_ID, 8, "", 0, OTLP_BAD_SPAN},
        {zero, 16, SPAN_ID, 8, "", 0, OTLP_BAD_SPAN},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        static struct message body;
        struct otlp_span span;
        body.size = 0;
        message_bytes(&body, 1, slice_of(cases[i].trace, cases[i].trace_size));
        message_bytes(&body, 2, slice_of(cases[i].span, cases[i].span_size));
        message_bytes(&body, 4, slice_of(cases[i].parent, cases[i].parent_size));
        assert_int_equal(read_span(&body, &span), cases[i].want);
    }
}

static void test_otlp_reader__end_before_start_is_not_bad(void **state)
{
    (void)state;
    static struct message body;
    struct otlp_span span;
    body.size = 0;
    message_ids(&body);
    message_fixed(&body, 7, 200, 8);
    message_fixed(&body, 8, 100, 8);
    assert_int_equal(read_span(&body, &span), OTLP_SPAN);
    assert_int_equal(span.start_unix_ns, 200);
    assert_int_equal(span.end_unix_ns, 100);
}

static void test_otlp_reader__kept_strings_must_be_utf8(void **state)
{
    (void)state;
    static const char *const keys[] = {"http.request.method", "http.route",    "url.path",
                                       "db.system.name",      "db.query.text", "peer.service"};
    static struct message body;
    struct otlp_span span;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        body.size = 0;
        message_ids(&body);
        message_attribute(&body, 9, keys[i], "a\xff");
        assert_int_equal(read_span(&body, &span), OTLP_BAD_SPAN);
    }
    body.size = 0;
    message_ids(&body);
    message_text(&body, 5, "\xc3");
    assert_int_equal(read_span(&body, &span), OTLP_BAD_SPAN);
    body.size = 0;
    message_ids(&body);
    message_attribute(&body, 9, "not.kept", "a\xff");
    assert_int_equal(read_span(&body, &span), OTLP_SPAN);
}

static void test_otlp_reader__service_name_that_is_not_utf8_makes_its_spans_bad(void **state)
{
    (void)state;
    static struct message span, scope, resource, spans, request;
    span.size = scope.size = resource.size = spans.size = request.size = 0;
    message_ids(&span);
    message_bytes(&scope, 2, message_slice(&span));
    message_attribute(&resource, 1, "service.name", "\xed\xa0\x80");
    message_bytes(&spans, 1, message_slice(&resource));
    message_bytes(&spans, 2, message_slice(&scope));
    message_bytes(&request, 1, message_slice(&spans));
    assert_int_equal(read_one(message_slice(&request), &(struct otlp_span){0}), OTLP_BAD_SPAN);
}

static void test_otlp_reader__stable_attribute_names_win_in_any_order(void **state)
{
    (void)state;
    static struct message body;
    struct otlp_span span;
    for (unsigned order = 0; order < 2; order++) {
        body.size = 0;
        message_ids(&body);
        for (unsigned i = 0; i < 2; i++) {
            if (i == order) {
                message_attribute(&body, 9, "http.request.method", "GET");
                message_attribute(&body, 9, "url.path", "/new");
                message_attribute_int(&body, 9, "http.response.status_code", 200);
                message_attribute(&body, 9, "db.system.name", "postgresql");
                message_attribute(&body, 9, "db.query.text", "new");
            } else {
                message_attribute(&body, 9, "http.method", "POST");
                message_attribute(&body, 9, "http.target", "/old?x=1");
                message_attribute_int(&body, 9, "http.status_code", 500);
                message_attribute(&body, 9, "db.system", "mysql");
                message_attribute(&body, 9, "db.statement", "old");
            }
        }
        assert_int_equal(read_span(&body, &span), OTLP_SPAN);
        expect_text(span.http_method, "GET");
        expect_text(span.url_path, "/new");
        assert_int_equal(span.http_status, 200);
        expect_text(span.db_system, "postgresql");
        expect_text(span.db_query, "new");
    }
}

static void test_otlp_reader__http_target_loses_its_query_and_fragment(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"/a/b?c=d", "/a/b"}, {"/a#f", "/a"}, {"?x", ""}, {"/a", "/a"}, {"", ""}};
    static struct message body;
    struct otlp_span span;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        body.size = 0;
        message_ids(&body);
        message_attribute(&body, 9, "http.target", cases[i][0]);
        assert_int_equal(read_span(&body, &span), OTLP_SPAN);
        expect_text(span.url_path, cases[i][1]);
    }
}

static void test_otlp_reader__values_of_another_type_or_range_are_ignored(void **state)
{
    (void)state;
    static struct message body;
    struct otlp_span span;
    body.size = 0;
    message_ids(&body);
    message_attribute_int(&body, 9, "http.route", 7);
    message_attribute(&body, 9, "http.response.status_code", "200");
    message_attribute_int(&body, 9, "http.response.status_code", -1);
    message_attribute_int(&body, 9, "http.response.status_code", 1000);
    message_number(&body, 6, 99);                  /* a kind of the future */
    message_number(&body, 6, (uint64_t)INT64_MIN); /* a negative enum */
    assert_int_equal(read_span(&body, &span), OTLP_SPAN);
    expect_text(span.http_route, "");
    assert_int_equal(span.http_status, 0);
    assert_int_equal(span.kind, 0);
}

static void test_otlp_reader__unknown_fields_and_other_wire_types_are_skipped(void **state)
{
    (void)state;
    static struct message body;
    struct otlp_span span;
    body.size = 0;
    message_ids(&body);
    message_number(&body, 1, 5); /* trace_id as a number */
    message_text(&body, 6, "kind as text");
    message_fixed(&body, 16, 0x101, 8);
    message_text(&body, 536870911, "the last field number");
    message_fixed(&body, 9, 1, 4);
    assert_int_equal(read_span(&body, &span), OTLP_SPAN);
    assert_memory_equal(span.trace_id, TRACE_ID, 16);
    assert_int_equal(span.flags, 0);
}

static void test_otlp_reader__deep_nesting_costs_nothing(void **state)
{
    (void)state;
    static struct message body, value, outer;
    struct otlp_span span;
    value.size = 0;
    for (unsigned depth = 0; depth < 5001; depth++) { /* ArrayValue in AnyValue in ArrayValue ... */
        outer.size = 0;
        message_bytes(&outer, depth % 2 == 0 ? 5 : 1, message_slice(&value));
        value = outer;
    }
    outer.size = body.size = 0;
    message_text(&outer, 1, "http.route");
    message_bytes(&outer, 2, message_slice(&value));
    message_ids(&body);
    message_bytes(&body, 9, message_slice(&outer));
    assert_int_equal(read_span(&body, &span), OTLP_SPAN);
}

static void test_otlp_reader__malformed_is_final(void **state)
{
    (void)state;
    static struct message span, scope, spans, request;
    struct otlp_span out;
    span.size = scope.size = spans.size = request.size = 0;
    message_ids(&span);
    message_bytes(&scope, 2, message_slice(&span));
    message_bytes(&scope, 2, slice_of("\x0b", 1)); /* a group */
    message_bytes(&scope, 2, message_slice(&span));
    message_bytes(&spans, 2, message_slice(&scope));
    message_bytes(&request, 1, message_slice(&spans));
    struct otlp_reader reader;
    otlp_reader_init(&reader, message_slice(&request));
    assert_int_equal(otlp_reader_next(&reader, &out), OTLP_SPAN);
    assert_int_equal(otlp_reader_next(&reader, &out), OTLP_MALFORMED);
    assert_int_equal(otlp_reader_next(&reader, &out), OTLP_MALFORMED);
}

static void test_otlp_text__takes_utf8_and_nothing_else(void **state)
{
    (void)state;
    static const char *const good[] = {"",
                                       "a",
                                       "\xc2\x80",
                                       "\xdf\xbf",
                                       "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",
                                       "\xee\x80\x80",
                                       "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80",
                                       "\xf4\x8f\xbf\xbf",
                                       "a\xc3\xa9z"};
    static const char *const bad[] = {"\x80",
                                      "\xbf",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xc2",
                                      "\xc2z",
                                      "\xe0\x9f\xbf",
                                      "\xe1\x80",
                                      "\xed\xa0\x80",
                                      "\xed\xbf\xbf",
                                      "\xf0\x8f\xbf\xbf",
                                      "\xf0\x90\x80",
                                      "\xf0\x90\x80z",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "\xff",
                                      "a\xfe"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(otlp_text_valid(slice_text(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(otlp_text_valid(slice_text(bad[i])));
    assert_true(otlp_text_valid(slice_of("a\0b", 3)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_otlp_reader__reads_what_the_official_sdk_sends),
        cmocka_unit_test(test_otlp_reader__every_strict_prefix_is_malformed),
        cmocka_unit_test(test_otlp_reader__every_bit_flip_is_answered),
        cmocka_unit_test(test_otlp_reader__empty_request_has_no_spans),
        cmocka_unit_test(test_otlp_reader__resource_after_its_spans_still_names_the_service),
        cmocka_unit_test(test_otlp_reader__bad_span_is_reported_and_the_others_are_read),
        cmocka_unit_test(test_otlp_reader__ids_of_wrong_size_or_zero_make_a_bad_span),
        cmocka_unit_test(test_otlp_reader__end_before_start_is_not_bad),
        cmocka_unit_test(test_otlp_reader__kept_strings_must_be_utf8),
        cmocka_unit_test(test_otlp_reader__service_name_that_is_not_utf8_makes_its_spans_bad),
        cmocka_unit_test(test_otlp_reader__stable_attribute_names_win_in_any_order),
        cmocka_unit_test(test_otlp_reader__http_target_loses_its_query_and_fragment),
        cmocka_unit_test(test_otlp_reader__values_of_another_type_or_range_are_ignored),
        cmocka_unit_test(test_otlp_reader__unknown_fields_and_other_wire_types_are_skipped),
        cmocka_unit_test(test_otlp_reader__deep_nesting_costs_nothing),
        cmocka_unit_test(test_otlp_reader__malformed_is_final),
        cmocka_unit_test(test_otlp_text__takes_utf8_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
