#include "collector/store/store_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct fixture {
    char folder[64], path[80];
    struct store *store;
};

static void fixture_open(struct fixture *self)
{
    char error[256] = "";
    self->store = store_open(self->path, error, sizeof error);
    if (!self->store)
        fail_msg("%s", error);
}

static int setup(void **state)
{
    struct fixture *self = calloc(1, sizeof *self);
    snprintf(self->folder, sizeof self->folder, "/tmp/vitrace-runs-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->path, sizeof self->path, "%s/index.db", self->folder);
    fixture_open(self);
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *self = *state;
    store_close(self->store);
    store_delete(self->path);
    rmdir(self->folder);
    free(self);
    return 0;
}

/* Number `n` as a key that is as good as random. */
static struct store_entry entry_of(uint32_t n)
{
    struct store_entry entry = {.a = n};
    uint64_t high = (n + UINT64_C(1)) * UINT64_C(0x9e3779b97f4a7c15), low = high * UINT64_C(0xbf58476d1ce4e5b9);
    memcpy(entry.key, &high, 8);
    memcpy(entry.key + 8, &low, 8);
    return entry;
}

static unsigned count_found(struct fixture *self, const struct store_entry *entry)
{
    struct store_entry low = *entry, high, found;
    struct store_find find;
    unsigned count = 0;
    low.a = low.b = 0;
    high = store_key_end(&low);
    store_runs_find(&self->store->runs, STORE_KIND_CLAIM, &low, &high, true, &find);
    while (store_find_next(&find, &found))
        count += store_entry_compare(&found, entry) == 0;
    return count;
}

static void put_batch(struct fixture *self, uint32_t first, uint32_t count, uint64_t position)
{
    assert_true(store_begin(self->store));
    for (uint32_t i = 0; i < count; i++) {
        struct store_entry entry = entry_of(first + i);
        store_runs_add(&self->store->runs, STORE_KIND_CLAIM, &entry);
    }
    assert_true(store_commit(self->store, position));
}

static void check_all(struct fixture *self, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        struct store_entry entry = entry_of(i);
        if (count_found(self, &entry) == 0)
            fail_msg("entry %u of %u is not found", i, count);
    }
    for (uint32_t i = count; i < count + 1000; i++) {
        struct store_entry entry = entry_of(i);
        assert_int_equal(count_found(self, &entry), 0);
    }
}

static void test_store_runs__what_was_added_is_found_in_its_batch_and_after_it(void **state)
{
    struct fixture *self = *state;
    struct store_entry entry = entry_of(1);
    assert_int_equal(count_found(self, &entry), 0);
    assert_true(store_begin(self->store));
    store_runs_add(&self->store->runs, STORE_KIND_CLAIM, &entry);
    assert_int_equal(count_found(self, &entry), 1);
    assert_true(store_commit(self->store, 1));
    assert_int_equal(count_found(self, &entry), 1);
}

static void test_store_runs__levels_stay_few_and_lose_nothing_over_many_batches(void **state)
{
    struct fixture *self = *state;
    for (uint32_t i = 0; i < 150; i++)
        put_batch(self, 170 * i, 170, i + 1); /* more than a block */
    assert_true(self->store->runs.list[STORE_KIND_CLAIM].count <= 3 * (STORE_RUN_FANOUT - 1));
    check_all(self, 150 * 170);
}

static void test_store_runs__a_file_that_is_opened_again_finds_everything(void **state)
{
    struct fixture *self = *state;
    for (uint32_t i = 0; i < 20; i++)
        put_batch(self, 100 * i, 100, i + 1);
    store_close(self->store);
    fixture_open(self);
    assert_non_null(self->store->runs.list[STORE_KIND_CLAIM].run[0].filter);
    check_all(self, 2000);
}

static void test_store_runs__a_run_without_a_filter_is_looked_into(void **state)
{
    struct fixture *self = *state;
    put_batch(self, 0, 500, 1);
    struct store_run *run = &self->store->runs.list[STORE_KIND_CLAIM].run[0];
    self->store->runs.filter_bytes -= (size_t)64 * run->filter_lines;
    free(run->filter);
    run->filter = NULL;
    check_all(self, 500);
}

static void test_store_runs__a_rolled_back_batch_leaves_nothing(void **state)
{
    struct fixture *self = *state;
    struct store_entry entry = entry_of(5);
    put_batch(self, 0, 2, 1);
    assert_true(store_begin(self->store));
    store_runs_add(&self->store->runs, STORE_KIND_CLAIM, &entry);
    store_runs_flush(&self->store->runs, 2);
    store_roll_back(self->store);
    assert_int_equal(count_found(self, &entry), 0);
    check_all(self, 2);
}

/* Only the last copy of each entry is told by a merge; until then each run has its own. */
static void test_store_runs__an_entry_that_comes_again_is_one_after_a_merge(void **state)
{
    struct fixture *self = *state;
    struct store_entry entry = entry_of(7);
    for (uint32_t i = 0; i < STORE_RUN_FANOUT; i++)
        put_batch(self, 0, 10, i + 1);
    assert_int_equal(self->store->runs.list[STORE_KIND_CLAIM].count, 1);
    assert_int_equal(self->store->runs.list[STORE_KIND_CLAIM].run[0].entries, 10);
    assert_int_equal(count_found(self, &entry), 1);
}

static void test_store_runs__one_key_over_several_blocks_and_runs_comes_in_order(void **state)
{
    struct fixture *self = *state;
    struct store_entry low = entry_of(3), high, entry;
    struct store_find find;
    uint64_t next = 100;
    low.a = 0;
    for (uint32_t batch = 0; batch < 3; batch++) {
        assert_true(store_begin(self->store));
        for (uint32_t i = 0; i < 300; i++) {
            entry = low;
            entry.a = batch + 3 * i;
            store_runs_add(&self->store->runs, STORE_KIND_CLAIM, &entry);
        }
        assert_true(store_commit(self->store, batch + 1));
    }
    low.a = 100;
    high = low;
    high.a = 799;
    high.b = UINT64_MAX;
    store_runs_find(&self->store->runs, STORE_KIND_CLAIM, &low, &high, true, &find);
    while (store_find_next(&find, &entry))
        assert_int_equal(entry.a, next++);
    assert_int_equal(next, 800);
}

static void test_store_runs__more_than_a_batch_may_hold_becomes_a_run_on_the_way(void **state)
{
    struct fixture *self = *state;
    put_batch(self, 0, STORE_FRESH_MAX + 10, 1);
    assert_int_equal(self->store->runs.list[STORE_KIND_CLAIM].count, 2);
    check_all(self, STORE_FRESH_MAX + 10);
}

static void test_store_runs__runs_go_when_all_of_them_is_old(void **state)
{
    struct fixture *self = *state;
    put_batch(self, 0, 10, 100);
    put_batch(self, 10, 10, 200);
    assert_true(store_begin(self->store));
    store_runs_drop(&self->store->runs, 199);
    assert_true(store_commit(self->store, 201));
    struct store_entry old = entry_of(3), young = entry_of(13);
    assert_int_equal(count_found(self, &old), 0);
    assert_int_equal(count_found(self, &young), 1);
}

static void test_store_runs__a_block_that_is_cut_fails_the_batch(void **state)
{
    struct fixture *self = *state;
    struct store_entry entry = entry_of(3);
    put_batch(self, 0, 10, 1);
    assert_true(store_begin(self->store));
    assert_true(sql_run(&self->store->sql, "UPDATE run_blocks SET entries = substr(entries, 1, 33)"));
    assert_int_equal(count_found(self, &entry), 0);
    assert_false(store_commit(self->store, 2));
}

static void test_store_runs__fences_order_like_entries(void **state)
{
    (void)state;
    static const uint64_t numbers[] = {0, 1, 255, 256, UINT32_MAX, UINT64_C(1) << 40, UINT64_MAX};
    const size_t count = sizeof numbers / sizeof numbers[0];
    for (size_t i = 0; i < count * count; i++) {
        for (size_t k = 0; k < count * count; k++) {
            struct store_entry left = {.a = numbers[i / count], .b = numbers[i % count]};
            struct store_entry right = {.a = numbers[k / count], .b = numbers[k % count]};
            uint8_t one[STORE_FENCE_BYTES], two[STORE_FENCE_BYTES];
            store_entry_fence(&left, one);
            store_entry_fence(&right, two);
            int fences = memcmp(one, two, sizeof one), entries = store_entry_compare(&left, &right);
            assert_true((fences < 0) == (entries < 0) && (fences > 0) == (entries > 0));
        }
    }
}

static void test_store_rows__every_prefix_of_a_trace_part_is_refused(void **state)
{
    (void)state;
    struct store_trace_part part = {.position = 7, .span_count = 3, .top_count = 2}, back;
    uint8_t bytes[256];
    part.top[0] = (struct store_trace_top){.duration_ns = 5, .name = slice_text("query"), .service = slice_text("db")};
    part.top[1] = (struct store_trace_top){.duration_ns = 4, .name = slice_text("call"), .waits = true};
    size_t size = store_part_encode(&part, bytes, sizeof bytes);
    assert_true(store_part_decode(slice_of(bytes, size), &back));
    assert_int_equal(back.position, 7);
    assert_true(slice_equal(back.top[0].name, part.top[0].name) && slice_equal(back.top[0].service, slice_text("db")));
    assert_true(back.top[1].waits && back.top[1].service.size == 0);
    for (size_t i = 0; i < size; i++) {
        uint8_t *prefix = malloc(i + 1); /* its own block, so that a read behind it is seen */
        memcpy(prefix, bytes, i);
        assert_false(store_part_decode(slice_of(prefix, i), &back));
        free(prefix);
    }
    for (size_t i = 0; i < size; i++)
        assert_int_equal(store_part_encode(&part, bytes, i), 0);
}

static void test_store_rows__every_prefix_of_a_body_ends_before_its_last_request(void **state)
{
    (void)state;
    struct store_beacon_fact beacon = {.view = 1, .requests = 2};
    struct store_request_fact plain = {.ordinal = 0, .ids_size = 3}, joined = {.ordinal = 1, .joined = 1}, fact;
    struct store_join_fact join = {.span_id = {9}}, out;
    uint8_t bytes[sizeof beacon + 2 * sizeof plain + 3 + sizeof join], *to = bytes;
    memcpy(to, &beacon, sizeof beacon), to += sizeof beacon;
    memcpy(to, &plain, sizeof plain), to += sizeof plain;
    memcpy(to, "ids", 3), to += 3;
    memcpy(to, &joined, sizeof joined), to += sizeof joined;
    memcpy(to, &join, sizeof join);
    for (size_t i = 0; i <= sizeof bytes; i++) {
        struct store_body body;
        struct slice ids;
        unsigned count = 0;
        uint8_t *prefix = malloc(i + 1);
        memcpy(prefix, bytes, i);
        if (store_body_init(&body, slice_of(prefix, i)))
            while (store_body_next(&body, &fact, &ids, &out))
                count += fact.ordinal == count && (!fact.joined || out.span_id[0] == 9);
        assert_int_equal(count, i == sizeof bytes ? 2 : i >= sizeof beacon + sizeof plain + 3);
        free(prefix);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_runs__what_was_added_is_found_in_its_batch_and_after_it),
        TEST(test_store_runs__levels_stay_few_and_lose_nothing_over_many_batches),
        TEST(test_store_runs__a_file_that_is_opened_again_finds_everything),
        TEST(test_store_runs__a_run_without_a_filter_is_looked_into),
        TEST(test_store_runs__a_rolled_back_batch_leaves_nothing),
        TEST(test_store_runs__an_entry_that_comes_again_is_one_after_a_merge),
        TEST(test_store_runs__one_key_over_several_blocks_and_runs_comes_in_order),
        TEST(test_store_runs__more_than_a_batch_may_hold_becomes_a_run_on_the_way),
        TEST(test_store_runs__runs_go_when_all_of_them_is_old),
        TEST(test_store_runs__a_block_that_is_cut_fails_the_batch),
        TEST(test_store_runs__fences_order_like_entries),
        TEST(test_store_rows__every_prefix_of_a_trace_part_is_refused),
        TEST(test_store_rows__every_prefix_of_a_body_ends_before_its_last_request),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
