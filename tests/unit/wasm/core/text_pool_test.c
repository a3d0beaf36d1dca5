#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wasm/core/text_pool.h"

#include <stdio.h>

static struct text_pool pool;
static uint32_t held[4];

static bool holds(const void *self, uint32_t handle)
{
    (void)self;
    for (unsigned i = 0; i < 4; i++)
        if (held[i] == handle)
            return true;
    return false;
}

static bool holds_all(const void *self, uint32_t handle)
{
    (void)self;
    return handle != 0;
}

static uint32_t add(const char *text)
{
    return text_pool_add(&pool, slice_text(text), (struct text_pool_holder){holds, NULL});
}

static void expect_text(uint32_t handle, const char *text)
{
    assert_true(slice_equal(text_pool_find(&pool, handle), slice_text(text)));
}

static void test_text_pool__equal_texts_share_a_handle(void **state)
{
    (void)state;
    text_pool_init(&pool);
    uint32_t click = add("click");
    assert_int_not_equal(click, 0);
    assert_int_not_equal(add("keydown"), click);
    assert_int_equal(add("click"), click);
    expect_text(click, "click");
    assert_int_equal(add(""), 0);
    assert_int_equal(text_pool_find(&pool, 0).size, 0);
    assert_int_equal(text_pool_find(&pool, TEXT_POOL_HANDLES + 1).size, 0);
}

static void test_text_pool__what_is_held_survives_and_the_rest_makes_room(void **state)
{
    (void)state;
    text_pool_init(&pool);
    char first_held[TEXT_POOL_TARGET_BYTES_MAX] = "";
    memset(held, 0, sizeof held);
    for (unsigned i = 0; i < 5000; i++) {
        char text[TEXT_POOL_TARGET_BYTES_MAX];
        snprintf(text, sizeof text, "%0*u", (int)(1 + i % 200), i);
        uint32_t handle = add(text);
        assert_int_not_equal(handle, 0);
        expect_text(handle, text);
        if (i == 3 || i == 500 || i == 1777)
            held[i % 4] = handle;
        if (i == 500)
            memcpy(first_held, text, sizeof text);
        if (i >= 500)
            expect_text(held[0], first_held);
    }
    expect_text(held[3], "0003");
}

static void test_text_pool__leaves_a_text_out_when_everything_is_held(void **state)
{
    (void)state;
    text_pool_init(&pool);
    struct text_pool_holder all = {holds_all, NULL};
    unsigned added = 0;
    for (unsigned i = 0; i < 1000; i++) {
        char text[16];
        snprintf(text, sizeof text, "%u", i);
        added += text_pool_add(&pool, slice_text(text), all) != 0;
    }
    assert_int_equal(added, TEXT_POOL_HANDLES);
    expect_text(1, "0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_pool__equal_texts_share_a_handle),
        cmocka_unit_test(test_text_pool__what_is_held_survives_and_the_rest_makes_room),
        cmocka_unit_test(test_text_pool__leaves_a_text_out_when_everything_is_held),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
