#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wasm/core/inbox_reader.h"
#include "wasm/core/micros.h"

#include <math.h>

static struct inbox_reader reader;

static struct inbox_record record_of(const double *words, unsigned count, const char *strings, size_t bytes)
{
    assert_true(inbox_reader_init(&reader, words, count, slice_of(strings, bytes)));
    return inbox_record_of(&reader, 0);
}

static struct inbox_record number_record(double *words, double value)
{
    words[0] = INBOX_PAINT;
    words[1] = value;
    return record_of(words, 2, NULL, 0);
}

static void test_inbox_reader__splits_strings_at_nul(void **state)
{
    (void)state;
    double words[] = {1, 1, 2, 3, 4, 0, NAN};
    struct inbox_record record = record_of(words, 7, "ab\0\0xyz", 7);
    assert_true(slice_equal(inbox_record_text(&record, 1), slice_text("ab")));
    assert_int_equal(inbox_record_text(&record, 2).size, 0);
    assert_true(slice_equal(inbox_record_text(&record, 3), slice_text("xyz")));
    assert_int_equal(inbox_record_text(&record, 5).size, 0);
    assert_int_equal(inbox_record_text(&record, 6).size, 0);
    assert_false(record.bad);
    inbox_record_text(&record, 4); /* there are three */
    assert_true(record.bad);
}

static void test_inbox_reader__the_last_string_may_be_empty(void **state)
{
    (void)state;
    double words[] = {1, 1, 2, 3};
    struct inbox_record record = record_of(words, 4, "a\0", 2);
    assert_true(slice_equal(inbox_record_text(&record, 1), slice_text("a")));
    assert_int_equal(inbox_record_text(&record, 2).size, 0);
    assert_false(record.bad);
    inbox_record_text(&record, 3);
    assert_true(record.bad);
    record = record_of(words, 4, NULL, 0);
    assert_int_equal(inbox_record_text(&record, 1).size, 0);
    assert_false(record.bad);
}

static void test_inbox_reader__takes_as_many_strings_as_allowed_and_not_one_more(void **state)
{
    (void)state;
    static char nuls[INBOX_STRINGS_MAX];
    assert_true(inbox_reader_init(&reader, NULL, 0, slice_of(nuls, INBOX_STRINGS_MAX - 1)));
    assert_int_equal(reader.string_count, INBOX_STRINGS_MAX);
    assert_false(inbox_reader_init(&reader, NULL, 0, slice_of(nuls, INBOX_STRINGS_MAX)));
}

static void test_inbox_reader__text_that_is_not_utf8_is_bad(void **state)
{
    (void)state;
    double words[] = {1, 1};
    struct inbox_record record = record_of(words, 2, "a\xffz", 3);
    assert_int_equal(inbox_record_text(&record, 1).size, 0);
    assert_true(record.bad);
}

static void test_inbox_reader__absent_is_zero_and_infinite_is_bad(void **state)
{
    (void)state;
    double words[2];
    struct inbox_record record = number_record(words, NAN);
    assert_true(isnan(inbox_record_number(&record, 1)));
    assert_int_equal(inbox_record_micros(&record, 1), 0);
    assert_int_equal(inbox_record_count(&record, 1, 5), 0);
    assert_int_equal(inbox_record_offset(&record, 1, 777), 0);
    assert_true(inbox_record_ms(&record, 1) == 0);
    assert_false(inbox_record_flag(&record, 1));
    assert_false(record.bad);
    inbox_record_start(&record, 1);
    assert_true(record.bad);
    static const double bad[] = {INFINITY, -INFINITY, 1e300, -1e300, MICROS_MS_MAX * 1.0001};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        record = number_record(words, bad[i]);
        inbox_record_micros(&record, 1);
        assert_true(record.bad);
        record.bad = false;
        inbox_record_ms(&record, 1);
        assert_true(record.bad);
        record.bad = false;
        inbox_record_count(&record, 1, UINT32_MAX);
        assert_true(record.bad);
    }
}

static void test_inbox_reader__counts_stay_in_their_range(void **state)
{
    (void)state;
    double words[2];
    struct inbox_record record = number_record(words, 5.9);
    assert_int_equal(inbox_record_count(&record, 1, 5), 5);
    assert_int_equal(inbox_record_enum(&record, 1, 4, 9), 9);
    assert_false(record.bad);
    inbox_record_count(&record, 1, 4);
    assert_true(record.bad);
    record = number_record(words, -1);
    inbox_record_count(&record, 1, 4);
    assert_true(record.bad);
    record = number_record(words, 9007199254740992.0);
    assert_true(inbox_record_size(&record, 1) == 9007199254740992u);
    record = number_record(words, -0.0);
    assert_int_equal(inbox_record_count(&record, 1, 5), 0);
    assert_false(record.bad);
}

static void test_inbox_reader__a_negative_time_is_bad_but_an_offset_may_be(void **state)
{
    (void)state;
    double words[2];
    struct inbox_record record = number_record(words, -1.5);
    assert_int_equal(inbox_record_micros(&record, 1), -1500);
    assert_int_equal(inbox_record_offset(&record, 1, 100), -1600);
    assert_false(record.bad);
    inbox_record_time(&record, 1);
    assert_true(record.bad);
}

static void test_micros__rounds_half_away_from_zero(void **state)
{
    (void)state;
    assert_int_equal(micros_of(0), 0);
    assert_int_equal(micros_of(-0.0), 0);
    assert_int_equal(micros_of(0.0005), 1);
    assert_int_equal(micros_of(-0.0005), -1);
    assert_int_equal(micros_of(0.0004), 0);
    assert_int_equal(micros_of(1.0025), 1003);
    assert_int_equal(micros_of(0.1), 100);
    assert_int_equal(micros_of(1e12), 1000000000000000);
    assert_true(micros_of_clock(NAN) == 0 && micros_of_clock(-1) == 0 && micros_of_clock(INFINITY) == 0);
}

static void test_inbox_reader__an_odd_kind_is_none(void **state)
{
    (void)state;
    double words[] = {INBOX_START, INBOX_LIFECYCLE, 0, INBOX_KIND_COUNT, -1, NAN, INFINITY, 0.5};
    record_of(words, 8, NULL, 0);
    assert_int_equal(inbox_reader_kind(&reader, 0), INBOX_START);
    assert_int_equal(inbox_reader_kind(&reader, 1), INBOX_LIFECYCLE);
    for (uint32_t at = 2; at < 10; at++)
        assert_int_equal(inbox_reader_kind(&reader, at), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_inbox_reader__splits_strings_at_nul),
        cmocka_unit_test(test_inbox_reader__the_last_string_may_be_empty),
        cmocka_unit_test(test_inbox_reader__takes_as_many_strings_as_allowed_and_not_one_more),
        cmocka_unit_test(test_inbox_reader__text_that_is_not_utf8_is_bad),
        cmocka_unit_test(test_inbox_reader__absent_is_zero_and_infinite_is_bad),
        cmocka_unit_test(test_inbox_reader__counts_stay_in_their_range),
        cmocka_unit_test(test_inbox_reader__a_negative_time_is_bad_but_an_offset_may_be),
        cmocka_unit_test(test_micros__rounds_half_away_from_zero),
        cmocka_unit_test(test_inbox_reader__an_odd_kind_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
