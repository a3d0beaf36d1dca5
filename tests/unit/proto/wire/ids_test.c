#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/wire/ids.h"

static void test_ids__format_as_lowercase_and_parse_back(void **state)
{
    (void)state;
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t id[3] = {(uint8_t)byte, 0xa5, (uint8_t)(255 - byte)};
        uint8_t back[3];
        char hex[7] = "######!";
        ids_format_hex(slice_of(id, 3), hex);
        assert_int_equal(hex[6], '!');
        assert_memory_equal(hex + 2, "a5", 2);
        assert_true(ids_parse_hex(slice_of(hex, 6), false, back, 3));
        assert_memory_equal(back, id, 3);
    }
}

static void test_ids__accept_exactly_the_hex_digits(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        bool is_lower = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
        bool is_upper = c >= 'A' && c <= 'F';
        uint8_t first[2] = {(uint8_t)c, '0'};
        uint8_t second[2] = {'0', (uint8_t)c};
        uint8_t out;
        assert_int_equal(ids_parse_hex(slice_of(first, 2), false, &out, 1), is_lower);
        assert_int_equal(ids_parse_hex(slice_of(second, 2), false, &out, 1), is_lower);
        assert_int_equal(ids_parse_hex(slice_of(first, 2), true, &out, 1), is_lower || is_upper);
        assert_int_equal(ids_parse_hex(slice_of(second, 2), true, &out, 1), is_lower || is_upper);
    }
}

static void test_ids__read_uppercase_as_the_same_value(void **state)
{
    (void)state;
    uint8_t id[3];
    assert_true(ids_parse_hex(slice_text("ABcdEF"), true, id, 3));
    assert_memory_equal(id, "\xab\xcd\xef", 3);
}

static void test_ids__refuse_any_other_length(void **state)
{
    (void)state;
    uint8_t id[2];
    assert_false(ids_parse_hex(slice_text(""), false, id, 2));
    assert_false(ids_parse_hex(slice_text("012"), false, id, 2));
    assert_false(ids_parse_hex(slice_text("01234"), false, id, 2));
    assert_true(ids_parse_hex(slice_text(""), false, id, 0));
}

static void test_ids__are_zero_only_when_every_byte_is(void **state)
{
    (void)state;
    uint8_t id[TRACE_ID_BYTES] = {0};
    assert_true(ids_is_zero(id, sizeof id));
    assert_true(ids_is_zero(id, 0));
    for (size_t i = 0; i < sizeof id; i++) {
        id[i] = 1;
        assert_false(ids_is_zero(id, sizeof id));
        id[i] = 0;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ids__format_as_lowercase_and_parse_back),
        cmocka_unit_test(test_ids__accept_exactly_the_hex_digits),
        cmocka_unit_test(test_ids__read_uppercase_as_the_same_value),
        cmocka_unit_test(test_ids__refuse_any_other_length),
        cmocka_unit_test(test_ids__are_zero_only_when_every_byte_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
