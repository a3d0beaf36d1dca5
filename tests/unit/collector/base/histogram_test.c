#include "collector/base/histogram.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char text[8192];

static const char *write_text(const struct histogram *histogram)
{
    struct buf out;
    buf_init(&out, sizeof text - 1);
    histogram_write(histogram, "x_seconds", "Help.", &out);
    assert_false(out.failed);
    memcpy(text, out.data, out.size);
    text[out.size] = '\0';
    buf_release(&out);
    return text;
}

static void test_histogram__an_empty_one_is_all_zeros(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    write_text(&histogram);
    assert_int_equal(strncmp(text, "# HELP x_seconds Help.\n# TYPE x_seconds histogram\n", 49), 0);
    assert_non_null(strstr(text, "x_seconds_bucket{le=\"0.00025\"} 0\n"));
    assert_non_null(strstr(text, "x_seconds_bucket{le=\"8.192\"} 0\n"));
    assert_non_null(strstr(text, "x_seconds_bucket{le=\"+Inf\"} 0\nx_seconds_sum 0.000000\nx_seconds_count 0\n"));
}

static void test_histogram__a_value_on_the_edge_belongs_to_the_bucket_it_names(void **state)
{
    (void)state;
    for (unsigned i = 0; i < HISTOGRAM_BUCKETS - 1; i++) {
        struct histogram histogram = {0};
        histogram_add(&histogram, (uint64_t)HISTOGRAM_LEAST_US << i);
        histogram_add(&histogram, ((uint64_t)HISTOGRAM_LEAST_US << i) + 1);
        assert_int_equal(atomic_load(&histogram.bucket[i]), 1);
        assert_int_equal(atomic_load(&histogram.bucket[i + 1]), 1);
    }
    struct histogram histogram = {0};
    histogram_add(&histogram, 0);
    histogram_add(&histogram, UINT64_MAX);
    assert_int_equal(atomic_load(&histogram.bucket[0]), 1);
    assert_int_equal(atomic_load(&histogram.bucket[HISTOGRAM_BUCKETS - 1]), 1);
}

static void test_histogram__buckets_are_cumulative_and_end_at_the_count(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    histogram_add(&histogram, 100);
    histogram_add(&histogram, 400);
    histogram_add(&histogram, 20000000);
    write_text(&histogram);
    assert_non_null(strstr(text, "{le=\"0.00025\"} 1\n"));
    assert_non_null(strstr(text, "{le=\"0.0005\"} 2\n"));
    assert_non_null(strstr(text, "{le=\"8.192\"} 2\n"));
    assert_non_null(strstr(text, "{le=\"+Inf\"} 3\nx_seconds_sum 20.000500\nx_seconds_count 3\n"));
}

static void *add_many(void *histogram)
{
    for (unsigned i = 0; i < 10000; i++)
        histogram_stop(histogram, histogram_start());
    return NULL;
}

static void test_histogram__no_add_of_two_threads_is_lost(void **state)
{
    (void)state;
    struct histogram histogram = {0};
    pthread_t other;
    pthread_create(&other, NULL, add_many, &histogram);
    add_many(&histogram);
    pthread_join(other, NULL);
    assert_non_null(strstr(write_text(&histogram), "x_seconds_count 20000\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_histogram__an_empty_one_is_all_zeros),
        cmocka_unit_test(test_histogram__a_value_on_the_edge_belongs_to_the_bucket_it_names),
        cmocka_unit_test(test_histogram__buckets_are_cumulative_and_end_at_the_count),
        cmocka_unit_test(test_histogram__no_add_of_two_threads_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
