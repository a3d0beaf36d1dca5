#include "collector/ingest/ingest_dedup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SLOTS      64u
#define GENERATION (SLOTS / 4 * 3)

static struct ingest_key key_of(const struct ingest_dedup *dedup, uint32_t number)
{
    uint8_t view[16] = {1};
    return ingest_key_of(dedup->secret, view, number);
}

static bool has(const struct ingest_dedup *dedup, uint32_t number)
{
    struct ingest_key key = key_of(dedup, number);
    return ingest_dedup_has(dedup, &key);
}

static void add(struct ingest_dedup *dedup, uint32_t number)
{
    struct ingest_key key = key_of(dedup, number);
    ingest_dedup_add(dedup, &key);
}

static void test_ingest_dedup__knows_nothing_at_first_and_what_was_added_afterwards(void **state)
{
    (void)state;
    struct ingest_dedup dedup;
    uint8_t other_view[16] = {2};
    assert_true(ingest_dedup_init(&dedup, SLOTS));
    assert_false(has(&dedup, 0));
    add(&dedup, 0);
    assert_true(has(&dedup, 0));
    assert_false(has(&dedup, 1));
    struct ingest_key other = ingest_key_of(dedup.secret, other_view, 0);
    assert_false(ingest_dedup_has(&dedup, &other));
    ingest_dedup_release(&dedup);
}

static void test_ingest_dedup__the_latest_three_generations_are_always_known(void **state)
{
    (void)state;
    struct ingest_dedup dedup;
    assert_true(ingest_dedup_init(&dedup, SLOTS));
    for (uint32_t i = 0; i < 40 * GENERATION; i++) {
        add(&dedup, i);
        for (uint32_t back = 0; back < 3 * GENERATION && back <= i; back += 7)
            assert_true(has(&dedup, i - back));
    }
    ingest_dedup_release(&dedup);
}

static void test_ingest_dedup__what_is_older_than_four_generations_is_forgotten(void **state)
{
    (void)state;
    struct ingest_dedup dedup;
    assert_true(ingest_dedup_init(&dedup, SLOTS));
    for (uint32_t i = 0; i < 4 * GENERATION; i++)
        add(&dedup, i);
    assert_true(has(&dedup, 0));
    add(&dedup, 4 * GENERATION); /* one more than fits: the oldest generation goes */
    assert_false(has(&dedup, 0));
    assert_true(has(&dedup, GENERATION));
    ingest_dedup_release(&dedup);
}

static void test_ingest_dedup__adding_the_same_again_uses_no_room(void **state)
{
    (void)state;
    struct ingest_dedup dedup;
    assert_true(ingest_dedup_init(&dedup, SLOTS));
    add(&dedup, 1);
    for (uint32_t i = 0; i < 1000; i++)
        add(&dedup, 2);
    assert_int_equal(dedup.used, 2);
    assert_true(has(&dedup, 1));
    ingest_dedup_release(&dedup);
}

static void test_ingest_dedup__two_tables_hash_under_different_keys(void **state)
{
    (void)state;
    struct ingest_dedup a, b;
    assert_true(ingest_dedup_init(&a, SLOTS) && ingest_dedup_init(&b, SLOTS));
    assert_memory_not_equal(&a.secret, &b.secret, sizeof a.secret);
    ingest_dedup_release(&a);
    ingest_dedup_release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ingest_dedup__knows_nothing_at_first_and_what_was_added_afterwards),
        cmocka_unit_test(test_ingest_dedup__the_latest_three_generations_are_always_known),
        cmocka_unit_test(test_ingest_dedup__what_is_older_than_four_generations_is_forgotten),
        cmocka_unit_test(test_ingest_dedup__adding_the_same_again_uses_no_room),
        cmocka_unit_test(test_ingest_dedup__two_tables_hash_under_different_keys),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
