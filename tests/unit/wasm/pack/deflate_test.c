/* Limits of the coder. That zlib reads what it writes is tests/js/deflate.test.mjs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wasm/pack/deflate.h"

#define CANARY 0xa5

static uint16_t slots[DEFLATE_SLOTS];
static uint8_t out[DEFLATE_BYTES_MAX + 64];

static size_t pack(const void *data, size_t size, size_t room)
{
    memset(out, CANARY, sizeof out);
    size_t packed = deflate_pack(slice_of(data, size), slots, out, room);
    assert_true(packed <= room);
    for (size_t i = room; i < sizeof out; i++)
        assert_int_equal(out[i], CANARY);
    return packed;
}

static void test_deflate__nothing_is_an_empty_block(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0x78, 0x01, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01};
    assert_int_equal(pack("", 0, 64), sizeof expected);
    assert_memory_equal(out, expected, sizeof expected);
}

static void test_deflate__a_run_is_one_byte_and_one_match(void **state)
{
    (void)state;
    static const uint8_t expected[] = {0x78, 0x01, 0x4b, 0x84, 0x03, 0x00, 0x14, 0xe1, 0x03, 0xcb};
    assert_int_equal(pack("aaaaaaaaaa", 10, 64), sizeof expected);
    assert_memory_equal(out, expected, sizeof expected);
}

static void test_deflate__no_room_is_an_answer_and_nothing_is_written_past_it(void **state)
{
    (void)state;
    static uint8_t noise[4096];
    uint32_t seed = 1;
    for (size_t i = 0; i < sizeof noise; i++)
        noise[i] = (uint8_t)((seed = seed * 1664525u + 1013904223u) >> 24);
    size_t whole = pack(noise, sizeof noise, sizeof out - 64);
    assert_true(whole > sizeof noise);
    for (size_t room = 0; room < whole; room++)
        pack(noise, sizeof noise, room);
    assert_int_equal(pack(noise, sizeof noise, sizeof noise), 0);
}

static void test_deflate__takes_the_largest_input(void **state)
{
    (void)state;
    static uint8_t zeros[DEFLATE_BYTES_MAX];
    size_t packed = pack(zeros, sizeof zeros, sizeof out - 64);
    assert_true(packed > 0 && packed < 512);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_deflate__nothing_is_an_empty_block),
        cmocka_unit_test(test_deflate__a_run_is_one_byte_and_one_match),
        cmocka_unit_test(test_deflate__no_room_is_an_answer_and_nothing_is_written_past_it),
        cmocka_unit_test(test_deflate__takes_the_largest_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
