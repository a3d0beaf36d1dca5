#include "collector/otlp/otlp_internal.h"

#include <libdeflate.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <zstd.h>

#include <cmocka.h>

static struct otlp otlp; /* only its budget is used */

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
    return atomic_load(&otlp.body_bytes);
}

static void test_otlp_inflate__gives_the_bytes_back_and_reserves_no_more(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct otlp_body out = {0};
    assert_int_equal(otlp_inflate_gzip(&otlp, gzip_of("hello", 5, packed, sizeof packed), &out), OTLP_BODY_OK);
    assert_int_equal(out.size, 5);
    assert_memory_equal(out.data, "hello", 5);
    assert_int_equal(reserved(), 5);
    otlp_body_release(&otlp, &out);
    assert_int_equal(reserved(), 0);
}

static void test_otlp_inflate__takes_members_in_a_row_and_empty_ones(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct otlp_body out = {0};
    size_t size = gzip_of("ab", 2, packed, sizeof packed).size;
    size += gzip_of("", 0, packed + size, sizeof packed - size).size;
    size += gzip_of("cd", 2, packed + size, sizeof packed - size).size;
    assert_int_equal(otlp_inflate_gzip(&otlp, slice_of(packed, size), &out), OTLP_BODY_OK);
    assert_int_equal(out.size, 4);
    assert_memory_equal(out.data, "abcd", 4);
    otlp_body_release(&otlp, &out);
    assert_int_equal(otlp_inflate_gzip(&otlp, gzip_of("", 0, packed, sizeof packed), &out), OTLP_BODY_OK);
    assert_int_equal(out.size, 0);
    otlp_body_release(&otlp, &out);
    assert_int_equal(reserved(), 0);
}

static void test_otlp_inflate__every_strict_prefix_and_every_flip_of_the_trailer_is_malformed(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct otlp_body out = {0};
    struct slice whole = gzip_of("hello hello hello", 17, packed, sizeof packed);
    for (size_t size = 0; size < whole.size; size++)
        assert_int_equal(otlp_inflate_gzip(&otlp, slice_of(packed, size), &out), OTLP_BODY_MALFORMED);
    for (size_t bit = (whole.size - 8) * 8; bit < whole.size * 8; bit++) {
        packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(otlp_inflate_gzip(&otlp, whole, &out), OTLP_BODY_MALFORMED);
        packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    packed[whole.size] = 'x'; /* something behind the last member */
    assert_int_equal(otlp_inflate_gzip(&otlp, slice_of(packed, whole.size + 1), &out), OTLP_BODY_MALFORMED);
    assert_int_equal(reserved(), 0);
}

static void test_otlp_inflate__the_largest_request_fits_and_one_byte_more_does_not(void **state)
{
    (void)state;
    size_t room = 1u << 16;
    uint8_t *zeros = calloc(1, OTLP_REQUEST_BYTES_MAX + 1), *packed = malloc(room);
    struct otlp_body out = {0};
    assert_int_equal(otlp_inflate_gzip(&otlp, gzip_of(zeros, OTLP_REQUEST_BYTES_MAX, packed, room), &out),
                     OTLP_BODY_OK);
    assert_int_equal(out.size, OTLP_REQUEST_BYTES_MAX);
    otlp_body_release(&otlp, &out);
    struct slice bomb = gzip_of(zeros, OTLP_REQUEST_BYTES_MAX + 1, packed, room);
    assert_int_equal(otlp_inflate_gzip(&otlp, bomb, &out), OTLP_BODY_TOO_LARGE);
    assert_int_equal(reserved(), 0);
    free(zeros);
    free(packed);
}

static void test_otlp_inflate__used_up_budget_is_busy_and_comes_back(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct otlp_body out = {0};
    struct slice small = gzip_of("hello", 5, packed, sizeof packed);
    atomic_store(&otlp.body_bytes, OTLP_BODY_BYTES_TOTAL_MAX - small.size * OTLP_DEFLATE_RATIO_MAX + 1);
    uint64_t before = reserved();
    assert_int_equal(otlp_inflate_gzip(&otlp, small, &out), OTLP_BODY_BUSY);
    assert_int_equal(reserved(), before);
    atomic_store(&otlp.body_bytes, before - 1);
    assert_int_equal(otlp_inflate_gzip(&otlp, small, &out), OTLP_BODY_OK);
    otlp_body_release(&otlp, &out);
    assert_int_equal(reserved(), before - 1);
    atomic_store(&otlp.body_bytes, 0);
}

static struct slice zstd_of(const void *data, size_t size, uint8_t *out, size_t room)
{
    size_t used = ZSTD_compress(out, room, data, size, 3);
    assert_false(ZSTD_isError(used));
    return slice_of(out, used);
}

static void test_otlp_inflate__zstd_gives_frames_in_a_row_back_and_refuses_every_prefix(void **state)
{
    (void)state;
    uint8_t packed[512];
    struct otlp_body out = {0};
    size_t first = zstd_of("hello ", 6, packed, sizeof packed).size;
    size_t size = first + zstd_of("world", 5, packed + first, sizeof packed - first).size;
    assert_int_equal(otlp_inflate_zstd(&otlp, slice_of(packed, size), &out), OTLP_BODY_OK);
    assert_int_equal(out.size, 11);
    assert_memory_equal(out.data, "hello world", 11);
    assert_int_equal(reserved(), 11);
    otlp_body_release(&otlp, &out);
    for (size_t at = 1; at < size; at++) {
        if (at != first)
            assert_int_equal(otlp_inflate_zstd(&otlp, slice_of(packed, at), &out), OTLP_BODY_MALFORMED);
    }
    packed[size] = 'x';
    assert_int_equal(otlp_inflate_zstd(&otlp, slice_of(packed, size + 1), &out), OTLP_BODY_MALFORMED);
    assert_int_equal(reserved(), 0);
}

/* A frame that states a window of 1 GiB, and one that inflates to 64 MiB: neither may take more than one request's
 * room. */
static void test_otlp_inflate__zstd_bombs_take_no_more_than_one_request(void **state)
{
    (void)state;
    static const uint8_t long_window[] = {0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xa0, 0x19, 0x00, 0x00, 'a', 'b', 'c'};
    size_t size = 64u << 20, room = 1u << 20;
    uint8_t *zeros = calloc(1, size), *packed = malloc(room);
    struct otlp_body out = {0};
    assert_int_equal(otlp_inflate_zstd(&otlp, slice_of(long_window, sizeof long_window), &out), OTLP_BODY_OK);
    assert_int_equal(out.size, 3);
    otlp_body_release(&otlp, &out);
    struct slice bomb = zstd_of(zeros, size, packed, room);
    assert_int_equal(otlp_inflate_zstd(&otlp, bomb, &out), OTLP_BODY_TOO_LARGE);
    bomb = zstd_of(zeros, OTLP_REQUEST_BYTES_MAX + 1, packed, room);
    assert_int_equal(otlp_inflate_zstd(&otlp, bomb, &out), OTLP_BODY_TOO_LARGE);
    bomb = zstd_of(zeros, OTLP_REQUEST_BYTES_MAX, packed, room);
    assert_int_equal(otlp_inflate_zstd(&otlp, bomb, &out), OTLP_BODY_OK);
    assert_int_equal(reserved(), OTLP_REQUEST_BYTES_MAX);
    otlp_body_release(&otlp, &out);
    free(zeros);
    free(packed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_otlp_inflate__gives_the_bytes_back_and_reserves_no_more),
        cmocka_unit_test(test_otlp_inflate__takes_members_in_a_row_and_empty_ones),
        cmocka_unit_test(test_otlp_inflate__every_strict_prefix_and_every_flip_of_the_trailer_is_malformed),
        cmocka_unit_test(test_otlp_inflate__the_largest_request_fits_and_one_byte_more_does_not),
        cmocka_unit_test(test_otlp_inflate__used_up_budget_is_busy_and_comes_back),
        cmocka_unit_test(test_otlp_inflate__zstd_gives_frames_in_a_row_back_and_refuses_every_prefix),
        cmocka_unit_test(test_otlp_inflate__zstd_bombs_take_no_more_than_one_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
