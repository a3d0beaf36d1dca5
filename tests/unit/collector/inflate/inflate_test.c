#include "collector/inflate/inflate.h"

#include <libdeflate.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <zstd.h>

#include <cmocka.h>

#define BYTES_MAX (4u << 20)
#define TOTAL_MAX ((uint64_t)16 * BYTES_MAX)
#define GZIP      ((struct inflate_limits){BYTES_MAX, INFLATE_DEFLATE_RATIO_MAX})
#define ZSTD      ((struct inflate_limits){BYTES_MAX, BYTES_MAX})

static struct inflate_budget budget = {.bytes_max = TOTAL_MAX};

static struct slice gzip_of(const void *data, size_t size, uint8_t *out, size_t room)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(9);
    size_t used = libdeflate_gzip_compress(compressor, data, size, out, room);
    libdeflate_free_compressor(compressor);
    assert_true(used > 0);
    return slice_of(out, used);
}

static uint64_t reserved(void)
{
    return atomic_load(&budget.bytes);
}

static void test_inflate__gives_the_bytes_back_and_reserves_no_more(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct inflate_body out = {0};
    assert_int_equal(inflate_gzip(&budget, GZIP, gzip_of("hello", 5, packed, sizeof packed), &out), INFLATE_OK);
    assert_int_equal(out.size, 5);
    assert_memory_equal(out.data, "hello", 5);
    assert_int_equal(reserved(), 5);
    inflate_body_release(&budget, &out);
    assert_int_equal(reserved(), 0);
}

static void test_inflate__takes_members_in_a_row_and_empty_ones(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct inflate_body out = {0};
    size_t size = gzip_of("ab", 2, packed, sizeof packed).size;
    size += gzip_of("", 0, packed + size, sizeof packed - size).size;
    size += gzip_of("cd", 2, packed + size, sizeof packed - size).size;
    assert_int_equal(inflate_gzip(&budget, GZIP, slice_of(packed, size), &out), INFLATE_OK);
    assert_int_equal(out.size, 4);
    assert_memory_equal(out.data, "abcd", 4);
    inflate_body_release(&budget, &out);
    assert_int_equal(inflate_gzip(&budget, GZIP, gzip_of("", 0, packed, sizeof packed), &out), INFLATE_OK);
    assert_int_equal(out.size, 0);
    inflate_body_release(&budget, &out);
    assert_int_equal(reserved(), 0);
}

static void test_inflate__every_strict_prefix_and_every_flip_of_the_trailer_is_malformed(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct inflate_body out = {0};
    struct slice whole = gzip_of("hello hello hello", 17, packed, sizeof packed);
    for (size_t size = 0; size < whole.size; size++)
        assert_int_equal(inflate_gzip(&budget, GZIP, slice_of(packed, size), &out), INFLATE_MALFORMED);
    for (size_t bit = (whole.size - 8) * 8; bit < whole.size * 8; bit++) {
        packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(inflate_gzip(&budget, GZIP, whole, &out), INFLATE_MALFORMED);
        packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    packed[whole.size] = 'x'; /* something behind the last member */
    assert_int_equal(inflate_gzip(&budget, GZIP, slice_of(packed, whole.size + 1), &out), INFLATE_MALFORMED);
    assert_int_equal(reserved(), 0);
}

static void test_inflate__the_largest_request_fits_and_one_byte_more_does_not(void **state)
{
    (void)state;
    size_t room = 1u << 16;
    uint8_t *zeros = calloc(1, BYTES_MAX + 1), *packed = malloc(room);
    struct inflate_body out = {0};
    assert_int_equal(inflate_gzip(&budget, GZIP, gzip_of(zeros, BYTES_MAX, packed, room), &out),
                     INFLATE_OK);
    assert_int_equal(out.size, BYTES_MAX);
    inflate_body_release(&budget, &out);
    struct slice bomb = gzip_of(zeros, BYTES_MAX + 1, packed, room);
    assert_int_equal(inflate_gzip(&budget, GZIP, bomb, &out), INFLATE_TOO_LARGE);
    assert_int_equal(reserved(), 0);
    free(zeros);
    free(packed);
}

static void test_inflate__used_up_budget_is_busy_and_comes_back(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct inflate_body out = {0};
    struct slice small = gzip_of("hello", 5, packed, sizeof packed);
    atomic_store(&budget.bytes, TOTAL_MAX - small.size * INFLATE_DEFLATE_RATIO_MAX + 1);
    uint64_t before = reserved();
    assert_int_equal(inflate_gzip(&budget, GZIP, small, &out), INFLATE_BUSY);
    assert_int_equal(reserved(), before);
    atomic_store(&budget.bytes, before - 1);
    assert_int_equal(inflate_gzip(&budget, GZIP, small, &out), INFLATE_OK);
    inflate_body_release(&budget, &out);
    assert_int_equal(reserved(), before - 1);
    atomic_store(&budget.bytes, 0);
}

static struct slice zstd_of(const void *data, size_t size, uint8_t *out, size_t room)
{
    size_t used = ZSTD_compress(out, room, data, size, 3);
    assert_false(ZSTD_isError(used));
    return slice_of(out, used);
}

static void test_inflate__zstd_gives_frames_in_a_row_back_and_refuses_every_prefix(void **state)
{
    (void)state;
    uint8_t packed[512];
    struct inflate_body out = {0};
    size_t first = zstd_of("hello ", 6, packed, sizeof packed).size;
    size_t size = first + zstd_of("world", 5, packed + first, sizeof packed - first).size;
    assert_int_equal(inflate_zstd(&budget, ZSTD, slice_of(packed, size), &out), INFLATE_OK);
    assert_int_equal(out.size, 11);
    assert_memory_equal(out.data, "hello world", 11);
    assert_int_equal(reserved(), 11);
    inflate_body_release(&budget, &out);
    for (size_t at = 1; at < size; at++) {
        if (at != first)
            assert_int_equal(inflate_zstd(&budget, ZSTD, slice_of(packed, at), &out), INFLATE_MALFORMED);
    }
    packed[size] = 'x';
    assert_int_equal(inflate_zstd(&budget, ZSTD, slice_of(packed, size + 1), &out), INFLATE_MALFORMED);
    assert_int_equal(reserved(), 0);
}

/* A frame that states a window of 1 GiB, and one that inflates to 64 MiB: neither may take more than one request's
 * room. */
static void test_inflate__zstd_bombs_take_no_more_than_one_request(void **state)
{
    (void)state;
    static const uint8_t long_window[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x19, 0x00, 0x00, 'a', 'b', 'c'};
    size_t size = 64u << 20, room = 1u << 20;
    uint8_t *zeros = calloc(1, size), *packed = malloc(room);
    struct inflate_body out = {0};
    assert_int_equal(inflate_zstd(&budget, ZSTD, slice_of(long_window, sizeof long_window), &out), INFLATE_OK);
    assert_int_equal(out.size, 3);
    inflate_body_release(&budget, &out);
    struct slice bomb = zstd_of(zeros, size, packed, room);
    assert_int_equal(inflate_zstd(&budget, ZSTD, bomb, &out), INFLATE_TOO_LARGE);
    bomb = zstd_of(zeros, BYTES_MAX + 1, packed, room);
    assert_int_equal(inflate_zstd(&budget, ZSTD, bomb, &out), INFLATE_TOO_LARGE);
    bomb = zstd_of(zeros, BYTES_MAX, packed, room);
    assert_int_equal(inflate_zstd(&budget, ZSTD, bomb, &out), INFLATE_OK);
    assert_int_equal(reserved(), BYTES_MAX);
    inflate_body_release(&budget, &out);
    free(zeros);
    free(packed);
}

static struct slice zlib_of(const void *data, size_t size, uint8_t *out, size_t room)
{
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(9);
    size_t used = libdeflate_zlib_compress(compressor, data, size, out, room);
    libdeflate_free_compressor(compressor);
    assert_true(used > 0);
    return slice_of(out, used);
}

static void test_inflate__zlib_is_one_stream_and_nothing_behind_it(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct inflate_body out = {0};
    struct slice whole = zlib_of("hello hello hello", 17, packed, sizeof packed);
    assert_int_equal(inflate_zlib(&budget, GZIP, whole, &out), INFLATE_OK);
    assert_int_equal(out.size, 17);
    inflate_body_release(&budget, &out);
    for (size_t size = 0; size < whole.size; size++)
        assert_int_equal(inflate_zlib(&budget, GZIP, slice_of(packed, size), &out), INFLATE_MALFORMED);
    packed[whole.size] = 'x';
    assert_int_equal(inflate_zlib(&budget, GZIP, slice_of(packed, whole.size + 1), &out), INFLATE_MALFORMED);
    memcpy(packed + whole.size, packed, whole.size);
    assert_int_equal(inflate_zlib(&budget, GZIP, slice_of(packed, 2 * whole.size), &out), INFLATE_MALFORMED);
    assert_int_equal(reserved(), 0);
}

static void test_inflate__what_grows_over_the_ratio_is_too_large_in_every_coding(void **state)
{
    (void)state;
    static const struct inflate_limits tenfold = {BYTES_MAX, 10};
    static uint8_t zeros[4096];
    uint8_t packed[256];
    struct inflate_body out = {0};
    struct slice gzip = gzip_of(zeros, sizeof zeros, packed, sizeof packed);
    assert_int_equal(inflate_gzip(&budget, tenfold, gzip, &out), INFLATE_TOO_LARGE);
    assert_int_equal(inflate_zlib(&budget, tenfold, zlib_of(zeros, sizeof zeros, packed, sizeof packed), &out),
                     INFLATE_TOO_LARGE);
    assert_int_equal(inflate_zstd(&budget, tenfold, zstd_of(zeros, sizeof zeros, packed, sizeof packed), &out),
                     INFLATE_TOO_LARGE);
    gzip = gzip_of(zeros, 100, packed, sizeof packed);
    assert_true(gzip.size * 10 > 100);
    assert_int_equal(inflate_gzip(&budget, tenfold, gzip, &out), INFLATE_OK);
    inflate_body_release(&budget, &out);
    assert_int_equal(reserved(), 0);
}

static void test_inflate__what_the_budget_of_the_daemon_does_not_hold_is_busy_and_takes_nothing(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct memory memory;
    struct inflate_budget scarce = {.bytes_max = TOTAL_MAX, .memory = &memory};
    struct inflate_body out = {0};
    struct slice gzip = gzip_of("hello", 5, packed, sizeof packed);
    memory_init(&memory, 4096);
    assert_int_equal(inflate_gzip(&scarce, GZIP, gzip, &out), INFLATE_BUSY);
    assert_int_equal(atomic_load(&scarce.bytes), 0);
    memory_release(&memory);
    memory_init(&memory, BYTES_MAX);
    assert_int_equal(inflate_gzip(&scarce, GZIP, gzip, &out), INFLATE_OK);
    assert_int_equal(memory_used(&memory, MEMORY_INFLATED), 5);
    inflate_body_release(&scarce, &out);
    memory_release(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inflate__what_the_budget_of_the_daemon_does_not_hold_is_busy_and_takes_nothing),
        cmocka_unit_test(test_inflate__gives_the_bytes_back_and_reserves_no_more),
        cmocka_unit_test(test_inflate__takes_members_in_a_row_and_empty_ones),
        cmocka_unit_test(test_inflate__every_strict_prefix_and_every_flip_of_the_trailer_is_malformed),
        cmocka_unit_test(test_inflate__the_largest_request_fits_and_one_byte_more_does_not),
        cmocka_unit_test(test_inflate__used_up_budget_is_busy_and_comes_back),
        cmocka_unit_test(test_inflate__zlib_is_one_stream_and_nothing_behind_it),
        cmocka_unit_test(test_inflate__what_grows_over_the_ratio_is_too_large_in_every_coding),
        cmocka_unit_test(test_inflate__zstd_gives_frames_in_a_row_back_and_refuses_every_prefix),
        cmocka_unit_test(test_inflate__zstd_bombs_take_no_more_than_one_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
