#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wasm/core/dictionary.h"

#include <stdio.h>

static struct dictionary dictionary;
static uint8_t segment[BEACON_STRINGS_MAX * 8];

/* Texts are their own number, eight bytes each; `hash` is chosen by the test. */
static struct slice text_of(uint32_t n)
{
    snprintf((char *)segment + n * 8, 8, "%u", n);
    return slice_of(segment + n * 8, strlen((char *)segment + n * 8));
}

static uint32_t add(uint32_t n, uint64_t hash)
{
    return dictionary_add(&dictionary, hash, n * 8, (uint32_t)text_of(n).size);
}

static uint32_t find(uint32_t n, uint64_t hash)
{
    return dictionary_find(&dictionary, segment, text_of(n), hash);
}

static void test_dictionary__ids_count_in_order_of_first_use(void **state)
{
    (void)state;
    dictionary_clear(&dictionary);
    assert_int_equal(find(0, 77), 0);
    assert_int_equal(add(0, 77), 1);
    assert_int_equal(add(1, 78), 2);
    assert_int_equal(find(0, 77), 1);
    assert_int_equal(find(1, 78), 2);
}

static void test_dictionary__equal_hashes_of_different_texts_are_told_apart(void **state)
{
    (void)state;
    dictionary_clear(&dictionary);
    for (uint32_t n = 0; n < BEACON_STRINGS_MAX; n++) {
        assert_int_equal(find(n, 5), 0);
        assert_int_equal(add(n, 5), n + 1);
    }
    for (uint32_t n = 0; n < BEACON_STRINGS_MAX; n++)
        assert_int_equal(find(n, 5), n + 1);
}

static void test_dictionary__is_full_at_its_maximum(void **state)
{
    (void)state;
    dictionary_clear(&dictionary);
    for (uint32_t n = 0; n < BEACON_STRINGS_MAX; n++)
        assert_int_equal(add(n, n * 0x9e3779b97f4a7c15u), n + 1);
    assert_int_equal(dictionary_add(&dictionary, 1, 0, 1), 0);
    assert_int_equal(dictionary.count, BEACON_STRINGS_MAX);
}

static void test_dictionary__a_cut_undoes_the_newest(void **state)
{
    (void)state;
    for (uint64_t spread = 0; spread < 3; spread++) { /* all in one probe run, neighbours, and apart */
        uint64_t factor = spread == 2 ? 0x9e3779b97f4a7c15u : spread;
        dictionary_clear(&dictionary);
        for (uint32_t n = 0; n < 100; n++)
            add(n, 1023 + n * factor); /* across the end of the table */
        dictionary_cut(&dictionary, 40);
        for (uint32_t n = 0; n < 100; n++)
            assert_int_equal(find(n, 1023 + n * factor), n < 40 ? n + 1 : 0);
        assert_int_equal(add(40, 1023 + 40 * factor), 41);
        dictionary_cut(&dictionary, 0);
        for (uint32_t i = 0; i < DICTIONARY_SLOTS; i++)
            assert_int_equal(dictionary.slots[i].id, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dictionary__ids_count_in_order_of_first_use),
        cmocka_unit_test(test_dictionary__equal_hashes_of_different_texts_are_told_apart),
        cmocka_unit_test(test_dictionary__is_full_at_its_maximum),
        cmocka_unit_test(test_dictionary__a_cut_undoes_the_newest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
