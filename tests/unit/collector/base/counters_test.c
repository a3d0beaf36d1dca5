#include "collector/base/counters.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char *write_all(const struct counters *counters)
{
    struct buf out;
    buf_init(&out, 1u << 20);
    counters_write(counters, &out);
    assert_false(out.failed);
    char *text = malloc(out.size + 1);
    memcpy(text, out.data, out.size);
    text[out.size] = '\0';
    buf_release(&out);
    return text;
}

static size_t lines_of(const char *text)
{
    size_t lines = 0;
    for (; *text != '\0'; text++)
        lines += *text == '\n';
    return lines;
}

static void test_counters__add_and_set_are_seen_by_find(void **state)
{
    (void)state;
    struct counters counters = {0};
    counters_add(&counters, COUNTER_BEACONS_ACKED, 2);
    counters_add(&counters, COUNTER_BEACONS_ACKED, 3);
    counters_set(&counters, COUNTER_LOG_BYTES, 9);
    counters_set(&counters, COUNTER_LOG_BYTES, 7);
    assert_int_equal(counters_find(&counters, COUNTER_BEACONS_ACKED), 5);
    assert_int_equal(counters_find(&counters, COUNTER_LOG_BYTES), 7);
    assert_int_equal(counters_find(&counters, COUNTER_BEACONS_RECEIVED), 0);
}

static void test_counters__every_metric_has_one_help_and_one_type_line(void **state)
{
    (void)state;
    struct counters counters = {0};
    char *text = write_all(&counters), *lines = strdup(text), name[128];
    for (char *line = strtok(lines, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (line[0] == '#')
            continue;
        bool is_histogram = strncmp(line, "vitrace_ingest_seconds_", 23) == 0; /* one metric of several names */
        snprintf(name, sizeof name, "# TYPE %.*s ", is_histogram ? 22 : (int)strcspn(line, "{ "), line);
        char *first = strstr(text, name);
        assert_non_null(first);
        assert_null(strstr(first + 1, name));
    }
    free(lines);
    free(text);
}

static void test_counters__the_number_of_lines_does_not_depend_on_the_values(void **state)
{
    (void)state;
    struct counters zero = {0}, full = {0};
    for (unsigned i = 0; i < COUNTER_COUNT; i++)
        counters_add(&full, (enum counter)i, UINT64_MAX);
    char *a = write_all(&zero), *b = write_all(&full);
    assert_int_equal(lines_of(a), lines_of(b));
    assert_non_null(strstr(b, " 18446744073709551615\n"));
    free(a);
    free(b);
}

static void test_counters__labels_stand_between_name_and_value(void **state)
{
    (void)state;
    struct counters counters = {0};
    counters_add(&counters, COUNTER_REJECTED_TRUNCATED, 4);
    char *text = write_all(&counters);
    assert_non_null(strstr(text, "vitrace_beacons_rejected_total{reason=\"truncated\"} 4\n"));
    free(text);
}

static void *add_many(void *counters)
{
    for (int i = 0; i < 10000; i++)
        counters_add(counters, COUNTER_HTTP_REQUESTS, 1);
    return NULL;
}

static void test_counters__no_add_of_two_threads_is_lost(void **state)
{
    (void)state;
    struct counters counters = {0};
    pthread_t other;
    pthread_create(&other, NULL, add_many, &counters);
    add_many(&counters);
    pthread_join(other, NULL);
    assert_int_equal(counters_find(&counters, COUNTER_HTTP_REQUESTS), 20000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counters__add_and_set_are_seen_by_find),
        cmocka_unit_test(test_counters__every_metric_has_one_help_and_one_type_line),
        cmocka_unit_test(test_counters__the_number_of_lines_does_not_depend_on_the_values),
        cmocka_unit_test(test_counters__labels_stand_between_name_and_value),
        cmocka_unit_test(test_counters__no_add_of_two_threads_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
