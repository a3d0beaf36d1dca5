#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/wire/server_timing.h"

#include <stdio.h>

/* Writes what was read as `name|duration|description`, metrics joined by a space. */
static const char *read_all(const char *header)
{
    static char out[2048];
    struct server_timing_reader reader = server_timing_reader_of(slice_text(header));
    struct server_timing metric;
    size_t used = 0;
    out[0] = '\0';
    while (server_timing_reader_next(&reader, &metric))
        used +=
            (size_t)snprintf(out + used, sizeof out - used, "%s%.*s|%.17g|%.*s", used == 0 ? "" : " ", metric.name_size,
                             metric.name, metric.duration_ms, metric.description_size, metric.description);
    return out;
}

static void test_server_timing__reads_metrics_in_order(void **state)
{
    (void)state;
    assert_string_equal(read_all("db;dur=53, app;dur=47.2;desc=\"App server\""),
                        "db|53| app|47.200000000000003|App server");
    assert_string_equal(read_all("a,b,c"), "a|0| b|0| c|0|");
    assert_string_equal(read_all(""), "");
    assert_string_equal(read_all(" \t "), "");
    assert_string_equal(read_all("  a \t;\t dur \t=\t 1 \t,\t b  "), "a|1| b|0|");
}

static void test_server_timing__compares_parameter_names_without_case_and_keeps_the_case_of_names(void **state)
{
    (void)state;
    assert_string_equal(read_all("TraceParent;DESC=x;DuR=2"), "TraceParent|2|x");
}

static void test_server_timing__lets_the_first_duplicate_win_even_when_empty(void **state)
{
    (void)state;
    assert_string_equal(read_all("m;desc;desc=\"x\""), "m|0|");
    assert_string_equal(read_all("m;desc=a;desc=b;dur=1;dur=2"), "m|1|a");
    assert_string_equal(read_all("m;dur;dur=2"), "m|0|");
    assert_string_equal(read_all("m;dur=foo;dur=2"), "m|0|");
}

static void test_server_timing__reads_quoted_strings_with_escapes_and_commas(void **state)
{
    (void)state;
    assert_string_equal(read_all("m;desc=\"a,b;c\";dur=1,n"), "m|1|a,b;c n|0|");
    assert_string_equal(read_all("m;desc=\"a\\\"b\\\\c\\d\",n"), "m|0|a\"b\\cd n|0|");
    assert_string_equal(read_all("m;desc=\"\";dur=1"), "m|1|");
    assert_string_equal(read_all("m;dur=\"12.5\""), "m|12.5|");
}

static void test_server_timing__reads_an_unterminated_quote_as_empty(void **state)
{
    (void)state;
    assert_string_equal(read_all("m;desc=\"abc;dur=1, n"), "m|0|");
    assert_string_equal(read_all("m;desc=\"abc\\"), "m|0|");
    assert_string_equal(read_all("m;desc=\""), "m|0|");
}

static void test_server_timing__drops_text_after_a_value(void **state)
{
    (void)state;
    assert_string_equal(read_all("m;desc=d1 d2;dur=1,n"), "m|1|d1 n|0|");
    assert_string_equal(read_all("m;desc=\"d1\" d2;dur=1"), "m|1|d1");
    assert_string_equal(read_all("m;desc=\"d1\"\"d2, n\""), "m|0|d1 n|0|");
    assert_string_equal(read_all("m;dur=1 2"), "m|1|");
    assert_string_equal(read_all("m;desc==x;dur=3"), "m|3|");
}

static void test_server_timing__takes_single_quotes_as_token_characters(void **state)
{
    (void)state;
    assert_string_equal(read_all("m;desc='a b';dur=1"), "m|1|'a");
}

static void test_server_timing__ends_at_an_empty_member_or_a_stray_character(void **state)
{
    (void)state;
    assert_string_equal(read_all("a,,b"), "a|0|");
    assert_string_equal(read_all("a, ,b"), "a|0|");
    assert_string_equal(read_all(",a"), "");
    assert_string_equal(read_all("a,"), "a|0|");
    assert_string_equal(read_all("a b, c"), "a|0|");
    assert_string_equal(read_all("a;;dur=1, c"), "a|0|");
    assert_string_equal(read_all("a;, c"), "a|0| c|0|");
    assert_string_equal(read_all("a;desc x;dur=1, c"), "a|0|");
    assert_string_equal(read_all("a=b, c"), "a|0|");
    assert_string_equal(read_all("\"a\", c"), "");
}

static void test_server_timing__stays_at_the_end(void **state)
{
    (void)state;
    struct server_timing_reader reader = server_timing_reader_of(slice_text("a,,b"));
    struct server_timing metric;
    assert_true(server_timing_reader_next(&reader, &metric));
    assert_false(server_timing_reader_next(&reader, &metric));
    assert_false(server_timing_reader_next(&reader, &metric));
    reader = server_timing_reader_of(slice_of(NULL, 0));
    assert_false(server_timing_reader_next(&reader, &metric));
}

static double duration_of(const char *number)
{
    char header[256];
    struct server_timing metric;
    snprintf(header, sizeof header, "m;dur=\"%s\"", number);
    struct server_timing_reader reader = server_timing_reader_of(slice_text(header));
    assert_true(server_timing_reader_next(&reader, &metric));
    return metric.duration_ms;
}

static void test_server_timing__reads_durations_as_exact_doubles(void **state)
{
    (void)state;
    assert_true(duration_of("0") == 0);
    assert_true(duration_of("123.4") == 123.4);
    assert_true(duration_of("0.1") == 0.1);
    assert_true(duration_of(".5") == 0.5);
    assert_true(duration_of("5.") == 5);
    assert_true(duration_of("+5") == 5);
    assert_true(duration_of("-12.75") == -12.75);
    assert_true(duration_of("1e3") == 1000);
    assert_true(duration_of("1.5E-3") == 0.0015);
    assert_true(duration_of("2e+2") == 200);
    assert_true(duration_of("9007199254740991") == 9007199254740991.0);
    assert_true(duration_of("000000000000000000000000000012.5") == 12.5);
    assert_true(duration_of("0.000000000000000000000000000125") == 1.25e-28);
    assert_true(duration_of("  7") == 7);
}

static void test_server_timing__reads_bad_durations_as_0_and_ignores_text_after_a_number(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "foo", "-",   "+",        ".",     "e5",
                                      "--1", "-.",  "NaN", "Infinity", "1e999", "-1e400"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_true(duration_of(bad[i]) == 0);
    assert_true(duration_of("12.5ms") == 12.5);
    assert_true(duration_of("1.2.3") == 1.2);
    assert_true(duration_of("1e") == 1);
    assert_true(duration_of("1e-999") == 0);
    assert_true(duration_of("1e99999999999999999999") == 0);
    assert_true(duration_of("0e99999999999999999999") == 0);
}

static void test_server_timing__does_not_overflow_on_long_digit_strings(void **state)
{
    (void)state;
    char digits[201];
    memset(digits, '9', 200);
    digits[200] = '\0';
    double value = duration_of(digits);
    assert_true(value > 0.999999e200 && value < 1.000001e200);
}

static void fill_header(char *header, size_t size, char c, size_t count, const char *tail)
{
    memcpy(header, "m;desc=\"", 8);
    memset(header + 8, c, count);
    snprintf(header + 8 + count, size - 8 - count, "%s", tail);
}

static void test_server_timing__cuts_long_texts_at_the_limit(void **state)
{
    (void)state;
    char header[1024];
    struct server_timing metric;
    for (size_t count = SERVER_TIMING_TEXT_MAX - 1; count <= SERVER_TIMING_TEXT_MAX + 1; count++) {
        fill_header(header, sizeof header, 'x', count, "\";dur=3");
        struct server_timing_reader reader = server_timing_reader_of(slice_text(header));
        assert_true(server_timing_reader_next(&reader, &metric));
        assert_int_equal(metric.description_size, count < SERVER_TIMING_TEXT_MAX ? count : SERVER_TIMING_TEXT_MAX);
        assert_true(metric.duration_ms == 3);
    }
    memset(header, 'n', 300);
    header[300] = '\0';
    struct server_timing_reader reader = server_timing_reader_of(slice_text(header));
    assert_true(server_timing_reader_next(&reader, &metric));
    assert_int_equal(metric.name_size, SERVER_TIMING_TEXT_MAX);
}

static void test_server_timing__cuts_between_characters(void **state)
{
    (void)state;
    /* U+20AC is three bytes: how many of them fit, and what is left then. */
    for (size_t fitting = 0; fitting <= 3; fitting++) {
        char header[1024];
        struct server_timing metric;
        fill_header(header, sizeof header, 'x', SERVER_TIMING_TEXT_MAX - fitting,
                    "\xe2\x82\xac"
                    "abc\"");
        struct server_timing_reader reader = server_timing_reader_of(slice_text(header));
        assert_true(server_timing_reader_next(&reader, &metric));
        size_t expected = SERVER_TIMING_TEXT_MAX - (fitting < 3 ? fitting : 0);
        assert_int_equal(metric.description_size, expected);
    }
}

static void test_server_timing__survives_every_prefix_and_every_flipped_bit(void **state)
{
    (void)state;
    static const char header[] = "db;dur=53.2;desc=\"a \\\"b\\\" c\", traceparent;desc=00-ab-cd-01,x;dur=-1e2";
    char bytes[sizeof header];
    struct server_timing metric;
    for (size_t size = 0; size < sizeof header; size++) {
        struct server_timing_reader reader = server_timing_reader_of(slice_of(header, size));
        unsigned metrics = 0;
        while (server_timing_reader_next(&reader, &metric))
            assert_true(++metrics <= 3);
    }
    for (size_t bit = 0; bit < 8 * (sizeof header - 1); bit++) {
        memcpy(bytes, header, sizeof header);
        bytes[bit / 8] = (char)(bytes[bit / 8] ^ (1 << bit % 8));
        struct server_timing_reader reader = server_timing_reader_of(slice_of(bytes, sizeof header - 1));
        for (unsigned metrics = 0; server_timing_reader_next(&reader, &metric); metrics++)
            assert_true(metrics < sizeof header && metric.duration_ms - metric.duration_ms == 0);
    }
}

static void test_server_timing__knows_the_names_of_trace_metrics(void **state)
{
    (void)state;
    assert_int_equal(server_timing_trace_of(slice_text("trace")), SERVER_TIMING_TRACE);
    assert_int_equal(server_timing_trace_of(slice_text("TraceParent")), SERVER_TIMING_TRACEPARENT);
    assert_int_equal(server_timing_trace_of(slice_text("TRACERESPONSE")), SERVER_TIMING_TRACERESPONSE);
    assert_int_equal(server_timing_trace_of(slice_text("tracepar")), SERVER_TIMING_TRACE_NONE);
    assert_int_equal(server_timing_trace_of(slice_text("traces")), SERVER_TIMING_TRACE_NONE);
    assert_int_equal(server_timing_trace_of(slice_text("")), SERVER_TIMING_TRACE_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_server_timing__reads_metrics_in_order),
        cmocka_unit_test(test_server_timing__compares_parameter_names_without_case_and_keeps_the_case_of_names),
        cmocka_unit_test(test_server_timing__lets_the_first_duplicate_win_even_when_empty),
        cmocka_unit_test(test_server_timing__reads_quoted_strings_with_escapes_and_commas),
        cmocka_unit_test(test_server_timing__reads_an_unterminated_quote_as_empty),
        cmocka_unit_test(test_server_timing__drops_text_after_a_value),
        cmocka_unit_test(test_server_timing__takes_single_quotes_as_token_characters),
        cmocka_unit_test(test_server_timing__ends_at_an_empty_member_or_a_stray_character),
        cmocka_unit_test(test_server_timing__stays_at_the_end),
        cmocka_unit_test(test_server_timing__reads_durations_as_exact_doubles),
        cmocka_unit_test(test_server_timing__reads_bad_durations_as_0_and_ignores_text_after_a_number),
        cmocka_unit_test(test_server_timing__does_not_overflow_on_long_digit_strings),
        cmocka_unit_test(test_server_timing__cuts_long_texts_at_the_limit),
        cmocka_unit_test(test_server_timing__cuts_between_characters),
        cmocka_unit_test(test_server_timing__survives_every_prefix_and_every_flipped_bit),
        cmocka_unit_test(test_server_timing__knows_the_names_of_trace_metrics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
