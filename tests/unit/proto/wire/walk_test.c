#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/wire/walk.h"

static enum walk_status walk_all(struct slice message, unsigned *fields)
{
    struct walk walk = walk_of(message);
    struct walk_field field;
    enum walk_status status;
    *fields = 0;
    while ((status = walk_next(&walk, &field)) == WALK_FIELD)
        ++*fields;
    return status;
}

static void test_walk__ends_at_once_on_an_empty_message(void **state)
{
    (void)state;
    unsigned fields;
    assert_int_equal(walk_all(slice_of("", 0), &fields), WALK_END);
    assert_int_equal(fields, 0);
}

static void test_walk__reads_every_wire_type(void **state)
{
    (void)state;
    static const uint8_t message[] = {0x08, 0x96, 0x01, 0x11, 1, 0, 0, 0, 0, 0, 0, 0x80, 0x1a, 2, 'h', 'i', 0x25, 7, 0, 0, 0};
    struct walk walk = walk_of(slice_of(message, sizeof message));
    struct walk_field field;
    assert_int_equal(walk_next(&walk, &field), WALK_FIELD);
    assert_int_equal(field.number, 1);
    assert_int_equal(field.number_value, 150);
    assert_int_equal(walk_next(&walk, &field), WALK_FIELD);
    assert_int_equal(field.type, WALK_FIXED64);
    assert_true(field.number_value == 0x8000000000000001u);
    assert_int_equal(walk_next(&walk, &field), WALK_FIELD);
    assert_true(slice_equal(field.bytes, slice_text("hi")));
    assert_int_equal(walk_next(&walk, &field), WALK_FIELD);
    assert_int_equal(field.number_value, 7);
    assert_int_equal(walk_next(&walk, &field), WALK_END);
}

static void test_walk__says_incomplete_for_every_strict_prefix_inside_a_field(void **state)
{
    (void)state;
    static const uint8_t message[] = {0x1a, 0x83, 0x00, 'a', 'b', 'c'};
    unsigned fields;
    for (size_t size = 1; size < sizeof message; size++)
        assert_int_equal(walk_all(slice_of(message, size), &fields), WALK_INCOMPLETE);
    assert_int_equal(walk_all(slice_of(message, sizeof message), &fields), WALK_END);
    assert_int_equal(fields, 1);
}

static void test_walk__refuses_groups_field_zero_and_oversized_varints(void **state)
{
    (void)state;
    static const uint8_t group[] = {0x0b}, zero[] = {0x00, 0x00}, reserved[] = {0x0e};
    static const uint8_t eleven[] = {0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01};
    static const uint8_t bit64[] = {0x08, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02};
    unsigned fields;
    assert_int_equal(walk_all(slice_of(group, sizeof group), &fields), WALK_MALFORMED);
    assert_int_equal(walk_all(slice_of(zero, sizeof zero), &fields), WALK_MALFORMED);
    assert_int_equal(walk_all(slice_of(reserved, sizeof reserved), &fields), WALK_MALFORMED);
    assert_int_equal(walk_all(slice_of(eleven, sizeof eleven), &fields), WALK_MALFORMED);
    assert_int_equal(walk_all(slice_of(bit64, sizeof bit64), &fields), WALK_MALFORMED);
}

/* The last byte of the number before the end, and with eight bytes behind it: two ways of reading it. */
static void test_walk__reads_a_number_of_any_length_with_and_without_bytes_behind_it(void **state)
{
    (void)state;
    for (unsigned bits = 0; bits < 64; bits++) {
        uint64_t value = UINT64_C(0xd1b54a32d192ed03) >> (63 - bits), got;
        uint8_t bytes[24] = {0};
        size_t size = 0;
        uint64_t rest = value;
        for (; rest >= 0x80; rest >>= 7)
            bytes[size++] = (uint8_t)(rest | 0x80);
        bytes[size++] = (uint8_t)rest;
        for (size_t behind = 0; behind <= 8; behind += 8) {
            struct walk walk = walk_of(slice_of(bytes, size + behind));
            assert_int_equal(walk_varint(&walk, &got), WALK_FIELD);
            assert_true(got == value && walk.at == bytes + size);
        }
    }
}

static void test_walk__undoes_zigzag_at_the_extremes(void **state)
{
    (void)state;
    assert_true(walk_zigzag(0) == 0);
    assert_true(walk_zigzag(1) == -1);
    assert_true(walk_zigzag(UINT64_MAX) == INT64_MIN);
    assert_true(walk_zigzag(UINT64_MAX - 1) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_walk__ends_at_once_on_an_empty_message),
        cmocka_unit_test(test_walk__reads_every_wire_type),
        cmocka_unit_test(test_walk__says_incomplete_for_every_strict_prefix_inside_a_field),
        cmocka_unit_test(test_walk__refuses_groups_field_zero_and_oversized_varints),
        cmocka_unit_test(test_walk__reads_a_number_of_any_length_with_and_without_bytes_behind_it),
        cmocka_unit_test(test_walk__undoes_zigzag_at_the_extremes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
