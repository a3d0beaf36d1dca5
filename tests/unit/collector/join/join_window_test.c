/* What leaves a full window, what is said about it, and what it costs. */
#include "tests/unit/collector/join/join_bench.h"

static void test_join_window__oldest_claim_of_a_full_window_expires_and_is_counted(void **state)
{
    (void)state;
    join_free(bench.join);
    bench_open(4, 16);
    for (unsigned i = 1; i <= 4; i++)
        take_claim(i, 10, INJECTED);
    assert_int_equal(counted(COUNTER_JOIN_EVICTED), 0);
    take_claim(5, 10, INJECTED);
    assert_int_equal(counted(COUNTER_JOIN_EVICTED), 1);
    assert_int_equal(counted(COUNTER_JOIN_PENDING), 4);
    assert_int_equal(bench.count, 6);
    assert_int_equal(bench.taken[4].reason, JOIN_REASON_EXPIRED);
    take_span(1, 20, 10, SERVER, 100); /* nobody waits for it any more */
    assert_int_equal(bench.count, 6);
    take_span(2, 20, 10, SERVER, 100);
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 2, 20);
}

static void test_join_window__evicting_a_decided_claim_keeps_its_result(void **state)
{
    (void)state;
    join_free(bench.join);
    bench_open(1, 16);
    take_span(1, 20, 10, SERVER, 100);
    take_claim(1, 10, INJECTED);
    take_claim(2, 10, INJECTED);
    assert_int_equal(bench.count, 2);
    expect_last(JOIN_NONE, JOIN_REASON_PENDING, 0, 0);
    assert_int_equal(counted(COUNTER_JOIN_EVICTED), 1);
}

static void test_join_window__claims_with_many_traces_never_exhaust_the_links(void **state)
{
    (void)state;
    join_free(bench.join);
    bench_open(8, 8);
    for (unsigned i = 0; i < 100; i++) {
        struct join_claim claim = {.ordinal = i};
        for (unsigned k = 0; k < JOIN_IDS_MAX; k++)
            claim_add(&claim, 1 + (i * JOIN_IDS_MAX + k) % 250, 10, 1, TIMING);
        join_take_claim(bench.join, &claim, 0);
    }
    assert_true(counted(COUNTER_JOIN_PENDING) >= 3);
    take_span(1 + (99 * JOIN_IDS_MAX + 4) % 250, 20, 0, SERVER, 100);
    assert_int_equal(bench.taken[bench.count - 1].ordinal, 99);
    assert_int_equal(bench.taken[bench.count - 1].level, JOIN_EXACT_TRACE);
}

static void test_join_window__oldest_trace_of_a_full_window_goes_as_a_whole(void **state)
{
    (void)state;
    join_free(bench.join);
    bench_open(16, 4);
    take_span(1, 20, 0, SERVER, 100);
    take_span(2, 20, 0, SERVER, 100);
    take_span(1, 21, 20, INTERNAL, 100);
    take_span(2, 21, 20, INTERNAL, 100);
    take_span(1, 20, 0, SERVER, 100); /* a duplicate needs no room */
    assert_int_equal(counted(COUNTER_JOIN_EVICTED), 0);
    take_span(3, 20, 0, SERVER, 100);
    assert_int_equal(counted(COUNTER_JOIN_EVICTED), 2);
    take_claim(1, 21, TIMING);
    expect_last(JOIN_NONE, JOIN_REASON_PENDING, 0, 0);
    take_claim(2, 21, TIMING);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 2, 20);
}

static void test_join_window__rest_of_an_evicted_trace_never_lowers_a_result(void **state)
{
    (void)state;
    join_free(bench.join);
    bench_open(16, 2);
    take_claim(1, 10, INJECTED);
    take_span(1, 20, 10, SERVER, 100);
    take_span(2, 20, 0, SERVER, 100);
    take_span(3, 20, 0, SERVER, 100); /* trace 1 leaves */
    size_t count = bench.count;
    take_span(1, 30, 29, SERVER, 200);
    assert_int_equal(bench.count, count);
}

static void test_join_window__window_of_one_span_turns_over(void **state)
{
    (void)state;
    join_free(bench.join);
    bench_open(1, 1);
    for (unsigned round = 0; round < 1000; round++) {
        unsigned trace = 1 + round % 200;
        take_span(trace, 20, 10, SERVER, round);
        bench.count = 0;
        take_claim(trace, 10, INJECTED);
        expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, trace, 20);
    }
    assert_int_equal(counted(COUNTER_JOIN_EVICTED), 999 + 999);
}

static void test_join_window__trace_of_a_shared_cache_keeps_only_its_newest_claims(void **state)
{
    (void)state;
    join_free(bench.join);
    bench_open(1024, 16);
    for (unsigned i = 0; i < JOIN_TRACE_CLAIMS_MAX + 1; i++)
        take_claim(1, 10, META);
    assert_int_equal(counted(COUNTER_JOIN_EVICTED), 1);
    assert_int_equal(counted(COUNTER_JOIN_PENDING), JOIN_TRACE_CLAIMS_MAX);
    size_t count = bench.count;
    take_span(1, 20, 0, SERVER, 100);
    assert_int_equal(bench.count - count, JOIN_TRACE_CLAIMS_MAX);
}

static void test_join_window__is_as_large_as_its_memory_and_no_larger(void **state)
{
    (void)state;
    for (uint64_t bytes = 64u << 10; bytes <= 256u << 20; bytes = bytes * 3 / 2) {
        uint32_t claims = join_claims_within(bytes);
        assert_true(join_memory_bytes(claims, claims * JOIN_SPANS_PER_CLAIM) <= bytes);
        assert_true(join_memory_bytes(2 * claims + 2, (2 * claims + 2) * JOIN_SPANS_PER_CLAIM) > bytes);
    }
    assert_in_range(join_claims_within(24u << 20), 20000, 30000); /* what the default gives */
}

static void test_join_window__node_sizes_are_those_of_the_memory_arithmetic(void **state)
{
    (void)state;
    assert_true(sizeof(struct join_span_node) <= 48);
    assert_true(sizeof(struct join_trace_node) <= 56);
    assert_true(sizeof(struct join_link) <= 20);
    assert_true(sizeof(struct join_claim_node) <= 264);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_join_window__##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(oldest_claim_of_a_full_window_expires_and_is_counted), TEST(evicting_a_decided_claim_keeps_its_result),
        TEST(claims_with_many_traces_never_exhaust_the_links),      TEST(oldest_trace_of_a_full_window_goes_as_a_whole),
        TEST(rest_of_an_evicted_trace_never_lowers_a_result),       TEST(window_of_one_span_turns_over),
        TEST(trace_of_a_shared_cache_keeps_only_its_newest_claims), TEST(node_sizes_are_those_of_the_memory_arithmetic),
        TEST(is_as_large_as_its_memory_and_no_larger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
