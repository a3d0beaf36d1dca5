#include "collector/otlp/otlp_internal.h"

#include <libdeflate.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

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
    return atomic_load(&otlp.inflate_bytes);
}

static void test_otlp_inflate__gives_the_bytes_back_and_reserves_no_more(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct otlp_inflated out = {0};
    assert_int_equal(otlp_inflate(&otlp, gzip_of("hello", 5, packed, sizeof packed), &out), OTLP_INFLATE_OK);
    assert_int_equal(out.size, 5);
    assert_memory_equal(out.data, "hello", 5);
    assert_int_equal(reserved(), 5);
    otlp_inflated_release(&otlp, &out);
    assert_int_equal(reserved(), 0);
}

static void test_otlp_inflate__takes_members_in_a_row_and_empty_ones(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct otlp_inflated out = {0};
    size_t size = gzip_of("ab", 2, packed, sizeof packed).size;
    size += gzip_of("", 0, packed + size, sizeof packed - size).size;
    size += gzip_of("cd", 2, packed + size, sizeof packed - size).size;
    assert_int_equal(otlp_inflate(&otlp, slice_of(packed, size), &out), OTLP_INFLATE_OK);
    assert_int_equal(out.size, 4);
    assert_memory_equal(out.data, "abcd", 4);
    otlp_inflated_release(&otlp, &out);
    assert_int_equal(otlp_inflate(&otlp, gzip_of("", 0, packed, sizeof packed), &out), OTLP_INFLATE_OK);
    assert_int_equal(out.size, 0);
    otlp_inflated_release(&otlp, &out);
    assert_int_equal(reserved(), 0);
}

static void test_otlp_inflate__every_strict_prefix_and_every_flip_of_the_trailer_is_malformed(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct otlp_inflated out = {0};
    struct slice whole = gzip_of("hello hello hello", 17, packed, sizeof packed);
    for (size_t size = 0; size < whole.size; size++)
        assert_int_equal(otlp_inflate(&otlp, slice_of(packed, size), &out), OTLP_INFLATE_MALFORMED);
    for (size_t bit = (whole.size - 8) * 8; bit < whole.size * 8; bit++) {
        packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
        assert_int_equal(otlp_inflate(&otlp, whole, &out), OTLP_INFLATE_MALFORMED);
        packed[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    packed[whole.size] = 'x'; /* something behind the last member */
    assert_int_equal(otlp_inflate(&otlp, slice_of(packed, whole.size + 1), &out), OTLP_INFLATE_MALFORMED);
    assert_int_equal(reserved(), 0);
}

static void test_otlp_inflate__the_largest_request_fits_and_one_byte_more_does_not(void **state)
{
    (void)state;
    size_t room = 1u << 16;
    uint8_t *zeros = calloc(1, OTLP_REQUEST_BYTES_MAX + 1), *packed = malloc(room);
    struct otlp_inflated out = {0};
    assert_int_equal(otlp_inflate(&otlp, gzip_of(zeros, OTLP_REQUEST_BYTES_MAX, packed, room), &out), OTLP_INFLATE_OK);
    assert_int_equal(out.size, OTLP_REQUEST_BYTES_MAX);
    otlp_inflated_release(&otlp, &out);
    struct slice bomb = gzip_of(zeros, OTLP_REQUEST_BYTES_MAX + 1, packed, room);
    assert_int_equal(otlp_inflate(&otlp, bomb, &out), OTLP_INFLATE_TOO_LARGE);
    assert_int_equal(reserved(), 0);
    free(zeros);
    free(packed);
}

static void test_otlp_inflate__used_up_budget_is_busy_and_comes_back(void **state)
{
    (void)state;
    uint8_t packed[256];
    struct otlp_inflated out = {0};
    struct slice small = gzip_of("hello", 5, packed, sizeof packed);
    atomic_store(&otlp.inflate_bytes, OTLP_INFLATE_BYTES_TOTAL_MAX - small.size * OTLP_DEFLATE_RATIO_MAX + 1);
    uint64_t before = reserved();
    assert_int_equal(otlp_inflate(&otlp, small, &out), OTLP_INFLATE_BUSY);
    assert_int_equal(reserved(), before);
    atomic_store(&otlp.inflate_bytes, before - 1);
    assert_int_equal(otlp_inflate(&otlp, small, &out), OTLP_INFLATE_OK);
    otlp_inflated_release(&otlp, &out);
    assert_int_equal(reserved(), before - 1);
    atomic_store(&otlp.inflate_bytes, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_otlp_inflate__gives_the_bytes_back_and_reserves_no_more),
        cmocka_unit_test(test_otlp_inflate__takes_members_in_a_row_and_empty_ones),
        cmocka_unit_test(test_otlp_inflate__every_strict_prefix_and_every_flip_of_the_trailer_is_malformed),
        cmocka_unit_test(test_otlp_inflate__the_largest_request_fits_and_one_byte_more_does_not),
        cmocka_unit_test(test_otlp_inflate__used_up_budget_is_busy_and_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
