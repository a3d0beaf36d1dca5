#include "collector/base/tally.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void make_id(uint8_t id[16], uint32_t number)
{
    memset(id, 3, 16);
    memcpy(id + 7, &number, sizeof number);
}

static void test_tally__adds_up_by_id_and_gives_everything_once(void **state)
{
    (void)state;
    struct tally *tally = tally_new(NULL);
    uint8_t a[16], b[16];
    uint32_t size;
    make_id(a, 1);
    make_id(b, 2);
    assert_true(tally_add(tally, a, 1));
    assert_true(tally_add(tally, b, 5));
    assert_true(tally_add(tally, a, 2));
    const struct tally_count *taken = tally_take(tally, &size);
    assert_int_equal(size, 2);
    assert_memory_equal(taken[0].id, a, 16);
    assert_int_equal(taken[0].count, 3);
    assert_int_equal(taken[1].count, 5);
    assert_true(tally_add(tally, a, 7)); /* while the taken ones are read */
    assert_int_equal(taken[0].count, 3);
    taken = tally_take(tally, &size);
    assert_int_equal(size, 1);
    assert_int_equal(taken[0].count, 7);
    tally_take(tally, &size);
    assert_int_equal(size, 0);
    tally_free(tally);
}

static void test_tally__a_full_one_refuses_new_ids_and_still_counts_the_others(void **state)
{
    (void)state;
    struct tally *tally = tally_new(NULL);
    uint8_t id[16];
    uint32_t size;
    for (uint32_t i = 0; i < TALLY_IDS_MAX; i++) {
        make_id(id, i);
        assert_true(tally_add(tally, id, 1));
    }
    make_id(id, TALLY_IDS_MAX);
    assert_false(tally_add(tally, id, 1));
    make_id(id, 4);
    assert_true(tally_add(tally, id, 1));
    const struct tally_count *taken = tally_take(tally, &size);
    assert_int_equal(size, TALLY_IDS_MAX);
    assert_int_equal(taken[4].count, 2);
    assert_true(tally_add(tally, id, 1));
    tally_free(tally);
}

static void test_tally__counts_end_at_their_maximum(void **state)
{
    (void)state;
    struct tally *tally = tally_new(NULL);
    uint8_t id[16];
    uint32_t size;
    make_id(id, 1);
    assert_true(tally_add(tally, id, UINT32_MAX - 1));
    assert_true(tally_add(tally, id, 5));
    assert_int_equal(tally_take(tally, &size)->count, UINT32_MAX);
    tally_free(tally);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tally__adds_up_by_id_and_gives_everything_once),
        cmocka_unit_test(test_tally__a_full_one_refuses_new_ids_and_still_counts_the_others),
        cmocka_unit_test(test_tally__counts_end_at_their_maximum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
