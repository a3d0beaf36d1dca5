#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/wire/sketch.h"

static struct sketch one;
static struct sketch other;
static uint8_t bytes[SKETCH_BYTES_MAX];

static int clear(void **state)
{
    (void)state;
    sketch_init(&one);
    sketch_init(&other);
    return 0;
}

static void test_sketch__answers_0_when_empty(void **state)
{
    (void)state;
    assert_int_equal(sketch_quantile(&one, 0), 0);
    assert_int_equal(sketch_quantile(&one, 0.75), 0);
    assert_int_equal(sketch_quantile(&one, 1), 0);
}

static uint64_t estimate_of(uint64_t value)
{
    sketch_init(&one);
    sketch_add(&one, value);
    return sketch_quantile(&one, 0.5);
}

static void test_sketch__is_exact_for_small_values(void **state)
{
    (void)state;
    for (uint64_t value = 0; value < 64; value++)
        assert_int_equal(estimate_of(value), value);
}

static void test_sketch__errs_by_at_most_one_in_64(void **state)
{
    (void)state;
    for (uint64_t base = 64; base < (uint64_t)1 << 37; base += base / 61 + 1)
        for (uint64_t value = base - 1; value <= base + 1; value++) {
            uint64_t estimate = estimate_of(value);
            uint64_t error = estimate > value ? estimate - value : value - estimate;
            assert_true(error * 64 <= value);
        }
}

static void test_sketch__never_orders_two_values_wrongly(void **state)
{
    (void)state;
    uint64_t before = 0;
    for (uint64_t value = 1; value < (uint64_t)1 << 40; value += value / 97 + 1) {
        uint64_t estimate = estimate_of(value);
        assert_true(estimate >= before);
        before = estimate;
    }
}

static void test_sketch__counts_what_is_too_large_in_the_last_bucket(void **state)
{
    (void)state;
    uint64_t largest = ((uint64_t)1 << 37) - 1;
    sketch_add(&one, largest);
    assert_int_equal(one.count[SKETCH_BUCKETS - 1], 1);
    sketch_add(&one, largest + 1);
    sketch_add(&one, UINT64_MAX);
    assert_int_equal(one.count[SKETCH_BUCKETS - 1], 3);
    assert_int_equal(one.total, 3);
}

static void test_sketch__takes_the_nearest_rank(void **state)
{
    (void)state;
    for (uint64_t value = 1; value <= 4; value++)
        sketch_add(&one, value * 10);
    assert_int_equal(sketch_quantile(&one, 0), 10);
    assert_int_equal(sketch_quantile(&one, 0.25), 10);
    assert_int_equal(sketch_quantile(&one, 0.2500001), 20);
    assert_int_equal(sketch_quantile(&one, 0.5), 20);
    assert_int_equal(sketch_quantile(&one, 0.75), 30);
    assert_int_equal(sketch_quantile(&one, 0.99), 40);
    assert_int_equal(sketch_quantile(&one, 1), 40);
}

static void test_sketch__gives_the_smallest_value_at_0_even_when_it_is_not_in_the_first_bucket(void **state)
{
    (void)state;
    sketch_add(&one, 50);
    assert_int_equal(sketch_quantile(&one, 0), 50);
}

static void test_sketch__undoes_an_add(void **state)
{
    (void)state;
    sketch_add(&one, 1000);
    sketch_add(&one, 7);
    assert_true(sketch_take_back(&one, 1000));
    assert_int_equal(one.total, 1);
    assert_int_equal(sketch_quantile(&one, 1), 7);
    assert_false(sketch_take_back(&one, 1000));
    assert_int_equal(one.total, 1);
    assert_true(sketch_take_back(&one, 7));
    assert_memory_equal(&one, &other, sizeof one);
}

static void test_sketch__a_weight_is_so_many_adds_and_taken_back_whole_or_not_at_all(void **state)
{
    (void)state;
    sketch_init(&one);
    sketch_init(&other);
    sketch_add_times(&one, 1000, 20);
    for (int i = 0; i < 20; i++)
        sketch_add(&other, 1000);
    assert_memory_equal(&one, &other, sizeof one);
    assert_false(sketch_take_back_times(&one, 1000, 21));
    assert_int_equal(one.total, 20);
    assert_true(sketch_take_back_times(&one, 1000, 20));
    assert_int_equal(one.total, 0);
}

static void test_sketch__merges_to_what_one_sketch_of_all_values_is(void **state)
{
    (void)state;
    static struct sketch both;
    sketch_init(&both);
    for (uint64_t i = 0; i < 3000; i++) {
        uint64_t value = i * i * 37 % 9000017;
        sketch_add(i % 3 == 0 ? &one : &other, value);
        sketch_add(&both, value);
    }
    sketch_merge(&one, &other);
    assert_memory_equal(&one, &both, sizeof one);
}

static void test_sketch__stays_consistent_when_a_bucket_is_full(void **state)
{
    (void)state;
    one.count[5] = UINT32_MAX - 1;
    one.total = UINT32_MAX - 1;
    sketch_add(&one, 5);
    sketch_add(&one, 5);
    assert_int_equal(one.count[5], UINT32_MAX);
    assert_int_equal(one.total, UINT32_MAX);
    sketch_add(&other, 5);
    sketch_add(&other, 6);
    sketch_merge(&one, &other);
    assert_int_equal(one.count[5], UINT32_MAX);
    assert_true(one.total == (uint64_t)UINT32_MAX + 1);
}

static void test_sketch__has_these_bytes(void **state)
{
    (void)state;
    static const uint8_t empty[] = {1, 0};
    /* 298 x 3, 1 x 4, 1 x 5000 (octave 7, step 39: bucket 263). */
    static const uint8_t some[] = {1, 0xac, 2, 3, 0xaa, 2, 0, 1, 0x82, 2, 1};
    assert_int_equal(sketch_encode(&one, bytes), sizeof empty);
    assert_memory_equal(bytes, empty, sizeof empty);
    for (int i = 0; i < 298; i++)
        sketch_add(&one, 3);
    sketch_add(&one, 4);
    sketch_add(&one, 5000);
    assert_int_equal(sketch_encode(&one, bytes), sizeof some);
    assert_memory_equal(bytes, some, sizeof some);
}

static size_t encode_sample(void)
{
    for (uint64_t i = 0; i < 500; i++)
        sketch_add(&one, i * i * i);
    return sketch_encode(&one, bytes);
}

static void test_sketch__decodes_to_the_same_sketch(void **state)
{
    (void)state;
    size_t size = encode_sample();
    assert_true(sketch_decode(&other, slice_of(bytes, size)));
    assert_memory_equal(&one, &other, sizeof one);
}

static void test_sketch__fits_its_bound_when_every_bucket_is_full(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < SKETCH_BUCKETS; i++)
        one.count[i] = UINT32_MAX;
    one.total = (uint64_t)UINT32_MAX * SKETCH_BUCKETS;
    size_t size = sketch_encode(&one, bytes);
    assert_true(size <= SKETCH_BYTES_MAX);
    assert_true(sketch_decode(&other, slice_of(bytes, size)));
    assert_memory_equal(&one, &other, sizeof one);
}

static void test_sketch__refuses_every_strict_prefix_and_is_empty_then(void **state)
{
    (void)state;
    static struct sketch empty;
    size_t size = encode_sample();
    for (size_t cut = 0; cut < size; cut++) {
        memset(&other, 0x5a, sizeof other);
        assert_false(sketch_decode(&other, slice_of(bytes, cut)));
        assert_memory_equal(&other, &empty, sizeof empty);
    }
}

static void test_sketch__reads_a_flipped_bit_as_malformed_or_as_another_sketch(void **state)
{
    (void)state;
    static uint8_t again[SKETCH_BYTES_MAX];
    for (uint64_t i = 0; i < 40; i++)
        sketch_add(&one, i * i * i);
    size_t size = sketch_encode(&one, bytes);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (sketch_decode(&other, slice_of(bytes, size))) {
            assert_int_equal(sketch_encode(&other, again), size);
            assert_memory_equal(again, bytes, size);
        }
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

static void test_sketch__refuses_forms_that_no_encoder_writes(void **state)
{
    (void)state;
    static const struct {
        uint8_t at[14];
        size_t size;
    } bad[] = {
        {{2, 0}, 2},                                                        /* version */
        {{1, 1}, 2},                                                        /* total without a bucket */
        {{1, 0, 0, 0}, 4},                                                  /* count 0 */
        {{1, 0x80, 0}, 3},                                                  /* total not in its shortest form */
        {{1, 1, 0x80, 0, 1}, 5},                                            /* gap not in its shortest form */
        {{1, 1, 0xa0, 8, 1}, 5},                                            /* bucket 1056 */
        {{1, 2, 0x9f, 8, 1, 0, 1}, 7},                                      /* bucket 1055, then 1056 */
        {{1, 1, 0, 0x80, 0x80, 0x80, 0x80, 0x10}, 8},                       /* count 2^32 */
        {{1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2}, 11}, /* total over 64 bits */
        {{1, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 1}, 12},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(sketch_decode(&one, slice_of(bad[i].at, bad[i].size)));
    static const uint8_t last[] = {1, 1, 0x9f, 8, 1};
    assert_true(sketch_decode(&one, slice_of(last, sizeof last)));
    assert_int_equal(one.count[SKETCH_BUCKETS - 1], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_sketch__answers_0_when_empty, clear),
        cmocka_unit_test_setup(test_sketch__is_exact_for_small_values, clear),
        cmocka_unit_test_setup(test_sketch__errs_by_at_most_one_in_64, clear),
        cmocka_unit_test_setup(test_sketch__never_orders_two_values_wrongly, clear),
        cmocka_unit_test_setup(test_sketch__counts_what_is_too_large_in_the_last_bucket, clear),
        cmocka_unit_test_setup(test_sketch__takes_the_nearest_rank, clear),
        cmocka_unit_test_setup(test_sketch__gives_the_smallest_value_at_0_even_when_it_is_not_in_the_first_bucket,
                               clear),
        cmocka_unit_test_setup(test_sketch__undoes_an_add, clear),
        cmocka_unit_test_setup(test_sketch__a_weight_is_so_many_adds_and_taken_back_whole_or_not_at_all, clear),
        cmocka_unit_test_setup(test_sketch__merges_to_what_one_sketch_of_all_values_is, clear),
        cmocka_unit_test_setup(test_sketch__stays_consistent_when_a_bucket_is_full, clear),
        cmocka_unit_test_setup(test_sketch__has_these_bytes, clear),
        cmocka_unit_test_setup(test_sketch__decodes_to_the_same_sketch, clear),
        cmocka_unit_test_setup(test_sketch__fits_its_bound_when_every_bucket_is_full, clear),
        cmocka_unit_test_setup(test_sketch__refuses_every_strict_prefix_and_is_empty_then, clear),
        cmocka_unit_test_setup(test_sketch__reads_a_flipped_bit_as_malformed_or_as_another_sketch, clear),
        cmocka_unit_test_setup(test_sketch__refuses_forms_that_no_encoder_writes, clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
