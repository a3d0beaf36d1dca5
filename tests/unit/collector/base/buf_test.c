#include "collector/base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_buf__is_empty_and_unallocated_at_first(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 10);
    assert_null(buf.data);
    assert_int_equal(buf_slice(&buf).size, 0);
    buf_release(&buf);
}

static void test_buf__takes_exactly_its_maximum_and_not_one_byte_more(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 1000);
    for (int i = 0; i < 1000; i++)
        assert_true(buf_add(&buf, slice_of("x", 1)));
    assert_int_equal(buf.size, 1000);
    assert_true(buf.room <= 1000);
    assert_false(buf_add(&buf, slice_of("x", 1)));
    assert_int_equal(buf.size, 1000);
    buf_release(&buf);
}

static void test_buf__stays_failed_until_cleared(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 4);
    assert_false(buf_add_text(&buf, "12345"));
    assert_false(buf_add_text(&buf, "1"));
    assert_true(buf.failed);
    buf_clear(&buf);
    assert_true(buf_add_text(&buf, "1234"));
    assert_memory_equal(buf.data, "1234", 4);
    buf_release(&buf);
}

static void test_buf__does_not_overflow_on_a_huge_reserve(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 64);
    buf_add_text(&buf, "1");
    assert_null(buf_reserve(&buf, SIZE_MAX));
    assert_null(buf_reserve(&buf, SIZE_MAX - 1));
    buf_release(&buf);
}

static void test_buf__reserve_leaves_the_size_to_the_caller(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 64);
    uint8_t *room = buf_reserve(&buf, 3);
    assert_non_null(room);
    assert_int_equal(buf.size, 0);
    memcpy(room, "abc", 3);
    buf.size += 3;
    assert_true(buf_add_text(&buf, "d"));
    assert_memory_equal(buf.data, "abcd", 4);
    buf_release(&buf);
}

static void test_buf__formats_short_and_long_lines(void **state)
{
    (void)state;
    struct buf buf;
    char wide[600];
    memset(wide, 'w', sizeof wide - 1);
    wide[sizeof wide - 1] = '\0';
    buf_init(&buf, 2000);
    assert_true(buf_add_format(&buf, "%d-%s", 7, "x"));
    assert_true(buf_add_format(&buf, "%s", wide));
    assert_int_equal(buf.size, 3 + 599);
    assert_memory_equal(buf.data, "7-xwww", 6);
    buf_release(&buf);
}

static void test_buf__a_formatted_line_may_fill_it_exactly(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 300);
    assert_true(buf_add_format(&buf, "%0300d", 1));
    assert_int_equal(buf.size, 300);
    assert_false(buf_add_format(&buf, "%d", 1));
    buf_release(&buf);
    buf_init(&buf, 299);
    assert_false(buf_add_format(&buf, "%0300d", 1));
    assert_int_equal(buf.size, 0);
    buf_release(&buf);
}

static void test_buf__empty_adds_are_fine(void **state)
{
    (void)state;
    struct buf buf;
    buf_init(&buf, 0);
    assert_true(buf_add(&buf, slice_of(NULL, 0)));
    assert_true(buf_add_text(&buf, ""));
    assert_false(buf_add_text(&buf, "x"));
    buf_release(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf__is_empty_and_unallocated_at_first),
        cmocka_unit_test(test_buf__takes_exactly_its_maximum_and_not_one_byte_more),
        cmocka_unit_test(test_buf__stays_failed_until_cleared),
        cmocka_unit_test(test_buf__does_not_overflow_on_a_huge_reserve),
        cmocka_unit_test(test_buf__reserve_leaves_the_size_to_the_caller),
        cmocka_unit_test(test_buf__formats_short_and_long_lines),
        cmocka_unit_test(test_buf__a_formatted_line_may_fill_it_exactly),
        cmocka_unit_test(test_buf__empty_adds_are_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
