#include "collector/base/json.h"

#include <iconv.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct text {
    struct buf out;
    struct json json;
};

static void begin(struct text *self)
{
    buf_init(&self->out, 1u << 20);
    json_init(&self->json, &self->out);
}

static void expect(struct text *self, const char *expected)
{
    assert_false(self->out.failed);
    assert_int_equal(self->out.size, strlen(expected));
    assert_memory_equal(self->out.data, expected, self->out.size);
    buf_release(&self->out);
}

static void test_json__nests_objects_and_arrays_with_commas_only_between(void **state)
{
    (void)state;
    struct text t;
    begin(&t);
    json_object(&t.json, NULL);
    json_array(&t.json, "a");
    json_int(&t.json, NULL, 1);
    json_object(&t.json, NULL);
    json_object_end(&t.json);
    json_array(&t.json, NULL);
    json_array_end(&t.json);
    json_array_end(&t.json);
    json_bool(&t.json, "b", true);
    json_null(&t.json, "c");
    json_object_end(&t.json);
    expect(&t, "{\"a\":[1,{},[]],\"b\":true,\"c\":null}");
}

static void test_json__escapes_quotes_backslashes_and_every_control_character(void **state)
{
    (void)state;
    struct text t;
    begin(&t);
    json_text(&t.json, NULL, slice_of("\"\\\n\r\t\0\x1b\x7f/", 9));
    expect(&t, "\"\\\"\\\\\\n\\r\\t\\u0000\\u001b\\u007f/\"");
}

/* The neighbours of each range come as they are. */
static void test_json__escapes_what_controls_a_terminal_a_line_or_the_direction(void **state)
{
    struct text t;
    (void)state;
    begin(&t);
    json_text(&t.json, NULL, slice_text("\xc2\x80\xc2\x9b\xc2\x9f\xc2\xa0|\xe2\x80\xa7\xe2\x80\xa8\xe2\x80\xa9\xe2\x80\xae"
                                        "\xe2\x80\xaf|\xe2\x81\xa5\xe2\x81\xa6\xe2\x81\xa9\xe2\x81\xaa|\xf0\x9f\x99\x82"));
    expect(&t, "\"\\u0080\\u009b\\u009f\xc2\xa0|\xe2\x80\xa7\\u2028\\u2029\\u202e\xe2\x80\xaf|\xe2\x81\xa5\\u2066\\u2069\xe2\x81\xaa"
               "|\xf0\x9f\x99\x82\"");
}

static void test_json__escapes_keys_too(void **state)
{
    (void)state;
    struct text t;
    begin(&t);
    json_object(&t.json, NULL);
    json_int(&t.json, "a\"b", -5);
    json_object_end(&t.json);
    expect(&t, "{\"a\\\"b\":-5}");
}

static void test_json__invalid_utf8_becomes_the_replacement_character(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } table[] = {
        {"\xc3\xa9", "\"\xc3\xa9\""},                                                 /* é */
        {"\xf0\x9f\x92\xa1", "\"\xf0\x9f\x92\xa1\""},                                 /* U+1F4A1 */
        {"\x80", "\"\xef\xbf\xbd\""},                                                 /* lone continuation */
        {"a\xc3", "\"a\xef\xbf\xbd\""},                                               /* cut short */
        {"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},                                 /* overlong */
        {"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""},                 /* surrogate */
        {"\xf4\x90\x80\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* over U+10FFFF */
        {"\xff", "\"\xef\xbf\xbd\""},
        {"\xe2\x82"
         "a",
         "\"\xef\xbf\xbd\xef\xbf\xbd"
         "a\""},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct text t;
        begin(&t);
        json_text(&t.json, NULL, slice_text(table[i].in));
        expect(&t, table[i].out);
    }
}

static void test_json__doubles_print_shortest_and_read_back_equal(void **state)
{
    (void)state;
    static const struct {
        double in;
        const char *out;
    } table[] = {
        {0.1, "0.1"},
        {812.3, "812.3"},
        {1760000000000.0, "1760000000000"},
        {1.0 / 3, "0.3333333333333333"},
        {0, "0"},
        {5e-324, "4.94065645841247e-324"},
        {1.7976931348623157e308, "1.797693134862316e+308"},
        {-2.5, "-2.5"},
        {1e22, "1e+22"},
        {0.30000000000000004, "0.30000000000000004"},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct text t;
        begin(&t);
        json_double(&t.json, NULL, table[i].in);
        buf_add(&t.out, slice_of("", 1));
        assert_true(strtod((char *)t.out.data, NULL) == table[i].in);
        if (i != 6) /* the largest double has two 16-digit neighbours; equality above is what counts */
            assert_string_equal((char *)t.out.data, table[i].out);
        buf_release(&t.out);
    }
}

static void test_json__random_bit_patterns_survive_the_round_trip(void **state)
{
    (void)state;
    uint64_t bits = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        bits ^= bits << 13;
        bits ^= bits >> 7;
        bits ^= bits << 17;
        double value;
        memcpy(&value, &bits, sizeof value);
        struct text t;
        begin(&t);
        json_double(&t.json, NULL, value);
        buf_add(&t.out, slice_of("", 1));
        if (isfinite(value))
            assert_true(strtod((char *)t.out.data, NULL) == value);
        else
            assert_string_equal((char *)t.out.data, "null");
        buf_release(&t.out);
    }
}

static void test_json__non_finite_doubles_are_null(void **state)
{
    (void)state;
    struct text t;
    begin(&t);
    json_array(&t.json, NULL);
    json_double(&t.json, NULL, NAN);
    json_double(&t.json, NULL, INFINITY);
    json_double(&t.json, NULL, -INFINITY);
    json_array_end(&t.json);
    expect(&t, "[null,null,null]");
}

static void test_json__ids_are_lowercase_hex(void **state)
{
    (void)state;
    struct text t;
    begin(&t);
    json_hex(&t.json, NULL, slice_of("\x00\xab\xff", 3));
    expect(&t, "\"00abff\"");
}

/* iconv is a strict decoder of others: it must take whatever the writer makes of arbitrary bytes. */
static void test_json__another_decoder_takes_the_output_of_any_bytes(void **state)
{
    (void)state;
    uint32_t seed = 1;
    iconv_t converter = iconv_open("UTF-32LE", "UTF-8");
    assert_true(converter != (iconv_t)-1);
    for (int i = 0; i < 2000; i++) {
        uint8_t bytes[40];
        for (size_t j = 0; j < sizeof bytes; j++)
            bytes[j] = (uint8_t)((seed = seed * 1664525 + 1013904223) >> 24);
        struct text t;
        begin(&t);
        json_text(&t.json, NULL, slice_of(bytes, sizeof bytes));
        char wide[4096], *in = (char *)t.out.data, *out = wide;
        size_t in_size = t.out.size, out_size = sizeof wide;
        assert_true(iconv(converter, &in, &in_size, &out, &out_size) != (size_t)-1);
        for (size_t j = 0; j < t.out.size; j++)
            assert_true(t.out.data[j] >= 0x20 && t.out.data[j] != 0x7f);
        buf_release(&t.out);
    }
    iconv_close(converter);
}

static void test_json__a_full_buffer_is_told_by_the_buffer(void **state)
{
    (void)state;
    struct buf out;
    struct json json;
    buf_init(&out, 5);
    json_init(&json, &out);
    json_text(&json, NULL, slice_text("too long"));
    assert_true(out.failed);
    buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json__nests_objects_and_arrays_with_commas_only_between),
        cmocka_unit_test(test_json__escapes_quotes_backslashes_and_every_control_character),
        cmocka_unit_test(test_json__escapes_what_controls_a_terminal_a_line_or_the_direction),
        cmocka_unit_test(test_json__escapes_keys_too),
        cmocka_unit_test(test_json__invalid_utf8_becomes_the_replacement_character),
        cmocka_unit_test(test_json__doubles_print_shortest_and_read_back_equal),
        cmocka_unit_test(test_json__random_bit_patterns_survive_the_round_trip),
        cmocka_unit_test(test_json__non_finite_doubles_are_null),
        cmocka_unit_test(test_json__ids_are_lowercase_hex),
        cmocka_unit_test(test_json__another_decoder_takes_the_output_of_any_bytes),
        cmocka_unit_test(test_json__a_full_buffer_is_told_by_the_buffer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
