#include "collector/base/memory.h"

#include "collector/base/buf.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MIB (UINT64_C(1) << 20)

static void test_memory__gives_its_budget_to_the_last_byte_and_no_more(void **state)
{
    (void)state;
    struct memory memory;
    memory_init(&memory, 1000);
    assert_true(memory_take(&memory, MEMORY_BODIES, 600));
    assert_false(memory_take(&memory, MEMORY_REPLIES, 401));
    assert_int_equal(memory_left(&memory), 400);
    assert_true(memory_take(&memory, MEMORY_REPLIES, 400));
    assert_false(memory_take(&memory, MEMORY_BODIES, 1));
    assert_int_equal(atomic_load(&memory.row[MEMORY_REPLIES].refused), 1);
    assert_int_equal(atomic_load(&memory.row[MEMORY_BODIES].refused), 1);
    memory_give(&memory, MEMORY_BODIES, 600);
    assert_true(memory_take(&memory, MEMORY_REPLIES, 600));
    memory_give(&memory, MEMORY_REPLIES, 1000);
    memory_release(&memory);
}

static void test_memory__a_number_that_would_wrap_round_is_refused(void **state)
{
    (void)state;
    struct memory memory;
    memory_init(&memory, 1000);
    assert_true(memory_take(&memory, MEMORY_BODIES, 10));
    assert_false(memory_take(&memory, MEMORY_BODIES, UINT64_MAX));
    assert_false(memory_take(&memory, MEMORY_BODIES, UINT64_MAX - 5));
    assert_int_equal(memory_used(&memory, MEMORY_BODIES), 10);
    memory_give(&memory, MEMORY_BODIES, 10);
    memory_release(&memory);
}

static void test_memory__divided_fixed_uses_have_what_they_took_and_others_their_share(void **state)
{
    (void)state;
    struct memory memory;
    memory_init(&memory, 48 * MIB);
    assert_true(memory_take(&memory, MEMORY_JOIN, 32 * MIB));
    memory_divide(&memory);
    assert_false(memory_take(&memory, MEMORY_JOIN, 1));
    assert_false(memory_take(&memory, MEMORY_INDEX, 1));
    assert_false(memory_take(&memory, MEMORY_CONNECTIONS, 12 * MIB + 1));
    assert_true(memory_take(&memory, MEMORY_CONNECTIONS, 12 * MIB));
    assert_true(memory_take(&memory, MEMORY_REPLIES, 4 * MIB)); /* one use alone does not starve another */
    assert_false(memory_take(&memory, MEMORY_BODIES, 1));
    memory_give(&memory, MEMORY_JOIN, 32 * MIB);
    assert_true(memory_take(&memory, MEMORY_JOIN, 32 * MIB)); /* as when the window is made anew */
    memory_give(&memory, MEMORY_JOIN, 32 * MIB);
    memory_give(&memory, MEMORY_CONNECTIONS, 12 * MIB);
    memory_give(&memory, MEMORY_REPLIES, 4 * MIB);
    memory_release(&memory);
}

static void test_memory__is_as_full_as_clients_have_made_it_and_tight_where_half_a_share_is_taken(void **state)
{
    (void)state;
    struct memory memory;
    memory_init(&memory, 32 * MIB);
    assert_true(memory_take(&memory, MEMORY_TABLES, 16 * MIB));
    memory_divide(&memory);
    assert_int_equal(memory_fullness(&memory), 0);
    assert_true(memory_take(&memory, MEMORY_REPLIES, 2 * MIB)); /* of 4 */
    assert_int_equal(memory_fullness(&memory), 32);
    assert_false(memory_is_tight(&memory, MEMORY_REPLIES));
    assert_true(memory_take(&memory, MEMORY_REPLIES, 1));
    assert_true(memory_is_tight(&memory, MEMORY_REPLIES));
    memory_give(&memory, MEMORY_REPLIES, 1);
    assert_false(memory_is_tight(NULL, MEMORY_REPLIES));
    assert_true(memory_take(&memory, MEMORY_CONNECTIONS, 8 * MIB));
    assert_true(memory_take(&memory, MEMORY_BODIES, 4 * MIB)); /* 14 of 16 in all */
    assert_int_equal(memory_fullness(&memory), 224);
    assert_true(memory_take(&memory, MEMORY_RAW, 2 * MIB));
    assert_int_equal(memory_fullness(&memory), 256);
    assert_int_equal(memory_fullness(NULL), 0);
}

static void test_memory__none_at_all_refuses_nothing(void **state)
{
    (void)state;
    assert_true(memory_take(NULL, MEMORY_RAW, UINT64_MAX));
    memory_give(NULL, MEMORY_RAW, UINT64_MAX);
}

#define THREADS 4u
#define ROUNDS  20000u

static void *take_and_give(void *context)
{
    struct memory *memory = context;
    for (unsigned i = 0; i < ROUNDS; i++) {
        uint64_t bytes = 1 + i % 700;
        if (memory_take(memory, MEMORY_BODIES, bytes))
            memory_give(memory, MEMORY_BODIES, bytes);
    }
    return NULL;
}

static void test_memory__whatever_threads_take_at_once_stays_within_it_and_comes_back(void **state)
{
    (void)state;
    struct memory memory;
    pthread_t thread[THREADS];
    memory_init(&memory, 1000);
    memory_divide(&memory);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, take_and_give, &memory), 0);
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_in_range(atomic_load(&memory.row[MEMORY_BODIES].peak), 1, memory.row[MEMORY_BODIES].most);
    memory_release(&memory);
}

static size_t count_lines(const struct memory *memory)
{
    struct buf text;
    size_t lines = 0;
    buf_init(&text, 1 << 16);
    memory_write(memory, &text);
    assert_false(text.failed);
    for (size_t i = 0; i < text.size; i++)
        lines += text.data[i] == '\n';
    buf_release(&text);
    return lines;
}

static void test_memory__its_metrics_have_the_same_lines_whatever_is_used(void **state)
{
    (void)state;
    struct memory memory;
    memory_init(&memory, 1000);
    size_t lines = count_lines(&memory);
    assert_int_equal(lines, 3 + 3 * (2 + MEMORY_USE_COUNT));
    assert_true(memory_take(&memory, MEMORY_GRPC, 900));
    assert_false(memory_take(&memory, MEMORY_RAW, 900));
    assert_int_equal(count_lines(&memory), lines);
    memory_give(&memory, MEMORY_GRPC, 900);
}

static void test_memory__a_buffer_pays_for_its_room_and_fails_when_it_cannot(void **state)
{
    (void)state;
    struct memory memory;
    struct buf buf;
    char kilobyte[1024] = "";
    memory_init(&memory, 2048);
    buf_init_accounted(&buf, 1 << 20, &memory, MEMORY_BODIES);
    assert_true(buf_add(&buf, slice_of(kilobyte, sizeof kilobyte)));
    assert_int_equal(memory_used(&memory, MEMORY_BODIES), buf.room);
    assert_true(buf_add(&buf, slice_of(kilobyte, sizeof kilobyte)));
    assert_int_equal(memory_used(&memory, MEMORY_BODIES), 2048);
    assert_false(buf_add(&buf, slice_of(kilobyte, 1)));
    assert_int_equal(buf.size, 2048); /* and what it has is kept */
    buf_clear(&buf);
    assert_int_equal(memory_used(&memory, MEMORY_BODIES), 2048);
    buf_release(&buf);
    memory_release(&memory);
    assert_true(buf_add(&buf, slice_of(kilobyte, 1))); /* released, it can be used again */
    buf_release(&buf);
    memory_release(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_memory__gives_its_budget_to_the_last_byte_and_no_more),
        cmocka_unit_test(test_memory__a_number_that_would_wrap_round_is_refused),
        cmocka_unit_test(test_memory__divided_fixed_uses_have_what_they_took_and_others_their_share),
        cmocka_unit_test(test_memory__is_as_full_as_clients_have_made_it_and_tight_where_half_a_share_is_taken),
        cmocka_unit_test(test_memory__none_at_all_refuses_nothing),
        cmocka_unit_test(test_memory__whatever_threads_take_at_once_stays_within_it_and_comes_back),
        cmocka_unit_test(test_memory__its_metrics_have_the_same_lines_whatever_is_used),
        cmocka_unit_test(test_memory__a_buffer_pays_for_its_room_and_fails_when_it_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
