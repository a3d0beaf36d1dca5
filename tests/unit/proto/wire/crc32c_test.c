#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/wire/crc32c.h"

/* One bit at a time, from the definition. */
static uint32_t crc32c_by_bits(const uint8_t *at, size_t size)
{
    uint32_t state = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        state ^= at[i];
        for (int bit = 0; bit < 8; bit++)
            state = state >> 1 ^ (state & 1 ? 0x82f63b78u : 0);
    }
    return ~state;
}

static void test_crc32c__gives_the_vectors_of_rfc_3720(void **state)
{
    (void)state;
    uint8_t bytes[32];
    memset(bytes, 0, sizeof bytes);
    assert_int_equal(crc32c(0, slice_of(bytes, sizeof bytes)), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(0, slice_of(bytes, sizeof bytes)), 0x62a8ab43);
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = i;
    assert_int_equal(crc32c(0, slice_of(bytes, sizeof bytes)), 0x46dd794e);
    for (uint8_t i = 0; i < 32; i++)
        bytes[i] = (uint8_t)(31 - i);
    assert_int_equal(crc32c(0, slice_of(bytes, sizeof bytes)), 0x113fdb5c);
    assert_int_equal(crc32c(0, slice_text("123456789")), 0xe3069283);
}

static void test_crc32c__of_nothing_is_the_seed(void **state)
{
    (void)state;
    assert_int_equal(crc32c(0, slice_of(NULL, 0)), 0);
    assert_int_equal(crc32c(0x12345678, slice_of(NULL, 0)), 0x12345678);
}

static void test_crc32c__agrees_with_the_definition_for_every_byte_length_and_alignment(void **state)
{
    (void)state;
    uint8_t bytes[320];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i * 167 + i / 7);
    for (unsigned byte = 0; byte < 256; byte++) {
        uint8_t one = (uint8_t)byte;
        assert_int_equal(crc32c(0, slice_of(&one, 1)), crc32c_by_bits(&one, 1));
    }
    for (size_t start = 0; start < 9; start++)
        for (size_t size = 0; start + size <= sizeof bytes; size++)
            assert_int_equal(crc32c(0, slice_of(bytes + start, size)), crc32c_by_bits(bytes + start, size));
}

static void test_crc32c__continues_from_the_sum_of_what_came_before(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(255 - 3 * i);
    for (size_t cut = 0; cut <= sizeof bytes; cut++) {
        uint32_t head = crc32c(0, slice_of(bytes, cut));
        assert_int_equal(crc32c(head, slice_of(bytes + cut, sizeof bytes - cut)), crc32c_by_bits(bytes, sizeof bytes));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc32c__gives_the_vectors_of_rfc_3720),
        cmocka_unit_test(test_crc32c__of_nothing_is_the_seed),
        cmocka_unit_test(test_crc32c__agrees_with_the_definition_for_every_byte_length_and_alignment),
        cmocka_unit_test(test_crc32c__continues_from_the_sum_of_what_came_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
