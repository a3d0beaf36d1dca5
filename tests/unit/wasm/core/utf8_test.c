#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wasm/core/utf8.h"

static int valid(const char *text)
{
    return utf8_is_valid(slice_text(text));
}

static void test_utf8__accepts_the_ends_of_every_length(void **state)
{
    (void)state;
    assert_true(valid(""));
    assert_true(valid("plain ascii, more than eight bytes"));
    assert_true(valid("\xc2\x80\xdf\xbf"));
    assert_true(valid("\xe0\xa0\x80\xef\xbf\xbf\xed\x9f\xbf\xee\x80\x80"));
    assert_true(valid("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf"));
    assert_true(valid("12345678\xc3\xa4"
                      "12345678"));
}

static void test_utf8__refuses_what_is_no_character(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",         "\xbf",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "\xc3\x28",     "\xe2\x82\x28",     "\xe2\x28\xa1",     "12345678\xfe"};
    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(valid(bad[i]));
}

static void test_utf8__refuses_every_strict_prefix_of_a_character(void **state)
{
    (void)state;
    static const char *const texts[] = {"\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80"};
    for (unsigned i = 0; i < 3; i++)
        for (size_t size = 1; size < strlen(texts[i]); size++)
            assert_false(utf8_is_valid(slice_of(texts[i], size)));
}

static void test_utf8__cuts_before_the_character_that_does_not_fit(void **state)
{
    (void)state;
    struct slice text = slice_text("a\xf0\x9f\x98\x80z");
    static const size_t sizes[] = {0, 1, 1, 1, 1, 5, 6, 6};
    for (size_t max = 0; max < 8; max++)
        assert_int_equal(utf8_cut(text, max).size, sizes[max]);
    assert_int_equal(utf8_cut(slice_of(NULL, 0), 0).size, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_utf8__accepts_the_ends_of_every_length),
        cmocka_unit_test(test_utf8__refuses_what_is_no_character),
        cmocka_unit_test(test_utf8__refuses_every_strict_prefix_of_a_character),
        cmocka_unit_test(test_utf8__cuts_before_the_character_that_does_not_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
