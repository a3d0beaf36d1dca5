/* The rules of the joiner, case by case. join_order_test.c holds them against a second implementation. */
#include "tests/unit/collector/join/join_bench.h"

#define SECOND INT64_C(1000000000)

static void test_join__injected_id_that_is_the_parent_of_a_server_span_is_exact_parent(void **state)
{
    (void)state;
    take_span(1, 20, 10, SERVER, 100);
    take_claim(1, 10, INJECTED);
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 1, 20);
    assert_int_equal(bench.count, 1);
    assert_int_equal(bench.taken[0].beacon, 7);
    assert_int_equal(bench.taken[0].ordinal, 9);
    assert_int_equal(counted(COUNTER_JOIN_EXACT_PARENT), 1);
}

static void test_join__claim_before_span_is_pending_and_then_the_same_result(void **state)
{
    (void)state;
    take_claim(1, 10, INJECTED);
    expect_last(JOIN_NONE, JOIN_REASON_PENDING, 0, 0);
    assert_int_equal(counted(COUNTER_JOIN_PENDING), 1);
    take_span(1, 20, 10, SERVER, 100);
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 1, 20);
    assert_int_equal(counted(COUNTER_JOIN_PENDING), 0);
    assert_int_equal(counted(COUNTER_JOIN_NONE), 0);
    assert_int_equal(bench.count, 2);
}

static void test_join__redirect_hops_with_one_parent_join_to_the_earliest(void **state)
{
    (void)state;
    take_claim(1, 10, INJECTED);
    take_span(1, 21, 10, SERVER, 200);
    take_span(1, 20, 10, SERVER, 100);
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 1, 20);
}

static void test_join__preassigned_parent_in_a_meta_tag_is_exact_parent(void **state)
{
    (void)state;
    take_claim(1, 10, META);
    take_span(1, 20, 10, SERVER, 100);
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 1, 20);
}

static void test_join__response_id_that_is_a_span_is_not_taken_for_a_parent(void **state)
{
    (void)state;
    take_claim(1, 20, TIMING);
    take_span(1, 30, 20, SERVER, 200); /* the service behind, which names the claimed span as its parent */
    take_span(1, 20, 0, SERVER, 100);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 1, 20);
}

static void test_join__response_id_of_an_inner_span_joins_to_its_nearest_server_ancestor(void **state)
{
    (void)state;
    take_span(1, 20, 0, SERVER, 100);
    take_span(1, 30, 20, CLIENT, 110);
    take_span(1, 40, 30, SERVER, 120);
    take_span(1, 50, 40, INTERNAL, 130);
    take_claim(1, 50, TIMING);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 1, 40);
    take_claim(1, 30, TIMING);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 1, 20);
}

static void test_join__a_loop_of_parents_ends_at_the_entry_span(void **state)
{
    (void)state;
    take_span(1, 30, 31, CLIENT, 1);
    take_span(1, 31, 30, CLIENT, 2);
    take_span(1, 20, 0, SERVER, 100);
    take_claim(1, 30, TIMING);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 1, 20);
}

static void test_join__unknown_span_of_a_known_trace_joins_to_the_entry_span(void **state)
{
    (void)state;
    take_span(1, 40, 30, SERVER, 50); /* earlier by its skewed clock, but its parent is held */
    take_span(1, 30, 20, CLIENT, 110);
    take_span(1, 20, 99, SERVER, 100);
    take_claim(1, 77, TIMING);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 1, 20);
}

static void test_join__a_local_parent_by_flags_is_no_entry(void **state)
{
    (void)state;
    struct join_span local = span_of(1, 40, 98, SERVER, 50);
    local.flags = 0x101;
    join_take_span(bench.join, &local, 0);
    struct join_span remote = span_of(1, 20, 99, SERVER, 100);
    remote.flags = 0x301;
    join_take_span(bench.join, &remote, 0);
    take_claim(1, 77, TIMING);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 1, 20);
}

static void test_join__root_span_counts_only_while_no_span_is_server(void **state)
{
    (void)state;
    take_claim(1, 77, TIMING);
    take_span(1, 30, 20, CLIENT, 110);
    expect_last(JOIN_NONE, JOIN_REASON_PENDING, 0, 0);
    take_span(1, 20, 0, INTERNAL, 100);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 1, 20);
    take_span(1, 40, 30, SERVER, 120);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 1, 40);
}

static void test_join__later_span_raises_the_level_and_counts_again(void **state)
{
    (void)state;
    take_claim(1, 10, INJECTED);
    take_span(1, 30, 29, SERVER, 100);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 1, 30);
    take_span(1, 20, 10, SERVER, 90);
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 1, 20);
    assert_int_equal(counted(COUNTER_JOIN_EXACT_TRACE), 1);
    assert_int_equal(counted(COUNTER_JOIN_EXACT_PARENT), 1);
}

static void test_join__same_span_again_says_nothing(void **state)
{
    (void)state;
    take_claim(1, 10, INJECTED);
    take_span(1, 20, 10, SERVER, 100);
    size_t count = bench.count;
    take_span(1, 20, 10, SERVER, 100);
    assert_int_equal(bench.count, count);
}

static void test_join__span_id_shared_by_client_and_server_counts_as_server(void **state)
{
    (void)state;
    take_claim(1, 10, INJECTED);
    take_span(1, 20, 10, CLIENT, 90);
    take_span(1, 20, 10, SERVER, 100);
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 1, 20);
    take_span(1, 20, 10, CLIENT, 90);
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 1, 20);
}

static void test_join__cached_response_is_stale_even_if_its_id_resolves(void **state)
{
    (void)state;
    take_span(1, 20, 0, SERVER, 100);
    struct join_claim claim = {.flags = JOIN_REQUEST_CACHED};
    claim_add(&claim, 1, 20, 1, TIMING);
    join_take_claim(bench.join, &claim, 0);
    expect_last(JOIN_NONE, JOIN_REASON_STALE_HTTP_CACHE, 0, 0);
    take_span(1, 21, 0, SERVER, 50);
    assert_int_equal(bench.count, 1);
    assert_int_equal(counted(COUNTER_JOIN_NONE), 1);
    assert_int_equal(counted(COUNTER_JOIN_PENDING), 0);
}

static void test_join__no_span_after_ten_minutes_and_still_completes(void **state)
{
    (void)state;
    take_claim(1, 10, INJECTED);
    join_expire(bench.join, 10 * MINUTE - 1);
    expect_last(JOIN_NONE, JOIN_REASON_PENDING, 0, 0);
    join_expire(bench.join, 10 * MINUTE);
    expect_last(JOIN_NONE, JOIN_REASON_NO_SPAN, 0, 0);
    assert_int_equal(counted(COUNTER_JOIN_NONE), 1);
    assert_int_equal(counted(COUNTER_JOIN_PENDING), 0);
    join_expire(bench.join, 20 * MINUTE);
    assert_int_equal(bench.count, 2);
    take_span(1, 20, 10, SERVER, 100);
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 1, 20);
    assert_int_equal(counted(COUNTER_JOIN_EXACT_PARENT), 1);
}

/* The first comes while the clock is an hour ahead: when it is back, neither it nor what follows waits for that hour. */
static void test_join__a_claim_from_the_future_does_not_hold_up_those_behind_it(void **state)
{
    (void)state;
    const uint64_t taken_us[] = {60 * MINUTE, 0};
    for (uint32_t i = 0; i < 2; i++) {
        struct join_claim claim = {.beacon = 1, .ordinal = i};
        claim_add(&claim, 1 + i, 1, 1, TIMING);
        join_take_claim(bench.join, &claim, taken_us[i]);
    }
    assert_int_equal(counted(COUNTER_JOIN_PENDING), 2);
    join_expire(bench.join, 10 * MINUTE);
    assert_int_equal(counted(COUNTER_JOIN_PENDING), 0);
    assert_int_equal(counted(COUNTER_JOIN_NONE), 2);
}

static void test_join__expire_takes_only_what_is_old(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct join_claim claim = {.ordinal = i};
        claim_add(&claim, 1 + i, 1, 1, TIMING);
        join_take_claim(bench.join, &claim, i * MINUTE);
    }
    join_expire(bench.join, 11 * MINUTE);
    assert_int_equal(bench.count, 5);
    assert_int_equal(bench.taken[3].ordinal, 0);
    assert_int_equal(bench.taken[4].ordinal, 1);
    assert_int_equal(counted(COUNTER_JOIN_PENDING), 1);
    join_expire(bench.join, 0); /* a clock that went back */
    assert_int_equal(bench.count, 5);
}

static void expect_given_up(const struct join_claim *claim, enum join_reason reason)
{
    join_take_claim(bench.join, claim, 0);
    expect_last(JOIN_NONE, JOIN_REASON_PENDING, 0, 0);
    join_expire(bench.join, 10 * MINUTE);
    expect_last(JOIN_NONE, reason, 0, 0);
}

static void test_join__flags_00_and_nothing_arrived_is_known_unsampled(void **state)
{
    (void)state;
    struct join_claim claim = {0};
    claim_add(&claim, 1, 10, 0, TIMING);
    expect_given_up(&claim, JOIN_REASON_KNOWN_UNSAMPLED);
    struct join_claim random_only = {0};
    claim_add(&random_only, 2, 10, 2, TIMING);
    expect_given_up(&random_only, JOIN_REASON_KNOWN_UNSAMPLED);
    struct join_claim sampled_and_random = {0};
    claim_add(&sampled_and_random, 3, 10, 3, TIMING);
    expect_given_up(&sampled_and_random, JOIN_REASON_NO_SPAN);
}

static void test_join__flags_never_gate_a_join(void **state)
{
    (void)state;
    struct join_claim claim = {0};
    claim_add(&claim, 1, 20, 0, TIMING);
    take_span(1, 20, 0, SERVER, 100);
    join_take_claim(bench.join, &claim, 0);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 1, 20);
}

static void test_join__response_overrules_the_sampling_of_the_injected_flags(void **state)
{
    (void)state;
    struct join_claim claim = {0};
    claim_add(&claim, 1, 10, 1, INJECTED);
    claim_add(&claim, 1, 20, 0, TIMING);
    expect_given_up(&claim, JOIN_REASON_KNOWN_UNSAMPLED);
}

static void test_join__response_with_another_trace_is_trusted_over_the_injected_id(void **state)
{
    (void)state;
    struct join_claim claim = {0};
    claim_add(&claim, 1, 10, 1, INJECTED);
    claim_add(&claim, 2, 20, 1, TIMING);
    take_span(1, 30, 29, SERVER, 100); /* the injected trace has spans of other requests */
    join_take_claim(bench.join, &claim, 0);
    expect_last(JOIN_NONE, JOIN_REASON_PENDING, 0, 0);
    take_span(2, 20, 0, SERVER, 100);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 2, 20);
    take_span(1, 31, 10, SERVER, 100); /* the header did arrive, behind a gateway with a trace of its own */
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 1, 31);
}

static void test_join__injected_and_another_trace_that_both_never_come_is_not_sent(void **state)
{
    (void)state;
    struct join_claim claim = {0};
    claim_add(&claim, 1, 10, 1, INJECTED);
    claim_add(&claim, 2, 20, 1, TIMING);
    expect_given_up(&claim, JOIN_REASON_NOT_SENT);
}

static void test_join__among_response_ids_the_injected_trace_comes_first(void **state)
{
    (void)state;
    struct join_claim claim = {0};
    claim_add(&claim, 2, 20, 1, TIMING); /* the CDN's */
    claim_add(&claim, 1, 30, 1, TIMING);
    claim_add(&claim, 1, 10, 1, INJECTED);
    take_span(2, 20, 0, SERVER, 100);
    take_span(1, 30, 29, SERVER, 100);
    join_take_claim(bench.join, &claim, 0);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 1, 30);
}

static void test_join__request_without_ids_is_answered_at_once_with_its_reason(void **state)
{
    (void)state;
    static const struct {
        uint32_t flags;
        enum join_reason reason;
    } cases[] = {
        {0, JOIN_REASON_NO_HEADER},
        {JOIN_REQUEST_MASKED, JOIN_REASON_MASKED_NO_TAO},
        {JOIN_REQUEST_FAILED | JOIN_REQUEST_MASKED, JOIN_REASON_NETWORK_ERROR},
        {JOIN_REQUEST_THIRD_PARTY | JOIN_REQUEST_MASKED, JOIN_REASON_THIRD_PARTY},
        {JOIN_REQUEST_CACHED, JOIN_REASON_STALE_HTTP_CACHE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        join_take_claim(bench.join, &(struct join_claim){.flags = cases[i].flags}, 0);
        expect_last(JOIN_NONE, cases[i].reason, 0, 0);
        assert_int_equal(bench.count, i + 1);
        assert_int_equal(counted(COUNTER_JOIN_NONE), i + 1);
    }
    assert_int_equal(counted(COUNTER_JOIN_PENDING), 0);
}

static void test_join__failed_request_that_reached_a_server_joins(void **state)
{
    (void)state;
    struct join_claim claim = {.flags = JOIN_REQUEST_FAILED};
    claim_add(&claim, 1, 10, 1, INJECTED);
    expect_given_up(&claim, JOIN_REASON_NETWORK_ERROR);
    take_span(1, 20, 10, SERVER, 100);
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 1, 20);
}

static void test_join__third_party_that_names_a_trace_never_seen_is_third_party(void **state)
{
    (void)state;
    struct join_claim claim = {.flags = JOIN_REQUEST_THIRD_PARTY};
    claim_add(&claim, 1, 10, 1, TIMING);
    expect_given_up(&claim, JOIN_REASON_THIRD_PARTY);
    struct join_claim injected = {.flags = JOIN_REQUEST_THIRD_PARTY};
    claim_add(&injected, 2, 10, 1, INJECTED);
    expect_given_up(&injected, JOIN_REASON_NO_SPAN);
}

static void test_join__zero_padded_64_bit_ids_are_ids_like_others(void **state)
{
    (void)state;
    struct join_claim claim = {0};
    claim_add(&claim, 5, 10, 1, INJECTED); /* 15 zero bytes already */
    struct join_span full = span_of(5, 20, 10, SERVER, 100);
    full.trace_id[0] = 0xaa; /* the same low 64 bits */
    join_take_claim(bench.join, &claim, 0);
    join_take_span(bench.join, &full, 0);
    expect_last(JOIN_NONE, JOIN_REASON_PENDING, 0, 0);
    take_span(5, 20, 10, SERVER, 100);
    expect_last(JOIN_EXACT_PARENT, JOIN_REASON_JOINED, 5, 20);
}

static void test_join__zero_ids_match_nothing(void **state)
{
    (void)state;
    take_span(0, 20, 10, SERVER, 100);
    take_span(1, 0, 10, SERVER, 100);
    take_span(2, 20, 0, SERVER, 100);
    take_claim(0, 10, INJECTED);
    expect_last(JOIN_NONE, JOIN_REASON_NO_HEADER, 0, 0);
    take_claim(1, 10, INJECTED);
    expect_last(JOIN_NONE, JOIN_REASON_PENDING, 0, 0);
    take_claim(2, 0, INJECTED); /* a root's empty parent is not the parent that was claimed */
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 2, 20);
}

static void test_join__names_are_stable(void **state)
{
    (void)state;
    assert_string_equal(join_level_name(JOIN_EXACT_PARENT), "exact_parent");
    assert_string_equal(join_reason_name(JOIN_REASON_JOINED), "joined");
    assert_string_equal(join_reason_name(JOIN_REASON_EXPIRED), "expired");
}

/* A page that was under way from 1,000 s to 1,001 s by its own clock, which is 100 s behind. */
static struct join_claim claim_in_time(unsigned span, int source)
{
    struct join_claim claim = {.beacon = 7, .ordinal = 9};
    claim.from_ns = 1000 * SECOND;
    claim.until_ns = 1001 * SECOND;
    claim.shift_ns = 100 * SECOND;
    claim_add(&claim, 1, span, 1, source);
    return claim;
}

static void begin_anew(void)
{
    join_free(bench.join);
    bench_open(64, 64);
}

static void expect_at(int64_t start_ns, int source, enum join_level level, enum join_reason reason)
{
    struct join_claim claim = claim_in_time(20, source);
    begin_anew();
    take_span(1, 20, 0, SERVER, (uint64_t)start_ns);
    join_take_claim(bench.join, &claim, 0);
    expect_last(level, reason, level == JOIN_NONE ? 0 : 1, level == JOIN_NONE ? 0 : 20);
}

static void test_join__an_id_whose_span_began_at_another_time_is_from_a_shared_cache(void **state)
{
    (void)state;
    int64_t slack = JOIN_CLOCK_SLACK_NS;
    const int64_t fits[] = {1000 * SECOND, 1000 * SECOND - slack, 1001 * SECOND + slack,
                            1100 * SECOND, 1100 * SECOND - slack, 1101 * SECOND + slack};
    const int64_t stale[] = {1000 * SECOND - slack - 1,
                             1001 * SECOND + slack + 1,
                             1100 * SECOND - slack - 1,
                             1101 * SECOND + slack + 1,
                             1,
                             INT64_MAX};
    for (size_t i = 0; i < sizeof fits / sizeof fits[0]; i++) {
        expect_at(fits[i], META, JOIN_EXACT_TRACE, JOIN_REASON_JOINED);
        expect_at(stale[i], META, JOIN_NONE, JOIN_REASON_STALE_SHARED_CACHE);
        expect_at(stale[i], TIMING, JOIN_NONE, JOIN_REASON_STALE_SHARED_CACHE);
        expect_at(stale[i], INJECTED, JOIN_EXACT_TRACE, JOIN_REASON_JOINED);
    }
}

/* One page was made and its meta tag given to three visitors: the one for whom it was made joins. */
static void test_join__of_the_page_loads_that_claim_one_meta_id_only_the_first_joins_in_any_order(void **state)
{
    (void)state;
    for (unsigned late = 0; late < 2; late++) {
        begin_anew();
        if (!late)
            take_span(1, 20, 9, SERVER, 1000 * SECOND);
        for (int64_t visitor = 0; visitor < 3; visitor++) {
            struct join_claim claim = claim_in_time(9, META);
            claim.beacon = visitor;
            claim.from_ns += visitor * 300 * SECOND;
            claim.until_ns += visitor * 300 * SECOND;
            join_take_claim(bench.join, &claim, 0);
        }
        if (late)
            take_span(1, 20, 9, SERVER, 1000 * SECOND);
        for (size_t i = bench.count - 3; i < bench.count; i++) {
            bool first = bench.taken[i].beacon == 0;
            assert_int_equal(bench.taken[i].level, first ? JOIN_EXACT_PARENT : JOIN_NONE);
            assert_int_equal(bench.taken[i].reason, first ? JOIN_REASON_JOINED : JOIN_REASON_STALE_SHARED_CACHE);
        }
    }
}

static void test_join__a_stale_id_keeps_its_reason_and_does_not_stand_in_the_way_of_a_fresh_one(void **state)
{
    (void)state;
    struct join_claim claim = claim_in_time(20, META);
    claim_add(&claim, 2, 30, 1, TIMING);
    take_span(1, 20, 0, SERVER, 1);
    join_take_claim(bench.join, &claim, 0);
    expect_last(JOIN_NONE, JOIN_REASON_STALE_SHARED_CACHE, 0, 0);
    join_expire(bench.join, 11 * MINUTE);
    expect_last(JOIN_NONE, JOIN_REASON_STALE_SHARED_CACHE, 0, 0);
    assert_int_equal(counted(COUNTER_JOIN_NONE), 1);
    assert_int_equal(counted(COUNTER_JOIN_PENDING), 0);
    take_span(2, 30, 0, SERVER, 1000 * SECOND);
    expect_last(JOIN_EXACT_TRACE, JOIN_REASON_JOINED, 2, 30);
}

static void expect_reason(uint32_t flags, bool has_id, enum join_reason reason)
{
    struct join_claim claim = {.flags = flags};
    if (has_id)
        claim_add(&claim, 1, 10, 1, INJECTED);
    begin_anew();
    join_take_claim(bench.join, &claim, 0);
    join_expire(bench.join, 11 * MINUTE);
    expect_last(JOIN_NONE, reason, 0, 0);
}

static void test_join__what_became_of_a_call_is_its_reason(void **state)
{
    (void)state;
    expect_reason(JOIN_REQUEST_FAILED | JOIN_REQUEST_BLOCKED, true, JOIN_REASON_BLOCKED_CORS_PREFLIGHT);
    expect_reason(JOIN_REQUEST_FAILED, true, JOIN_REASON_NETWORK_ERROR);
    expect_reason(JOIN_REQUEST_NO_ENTRY, false, JOIN_REASON_NO_ENTRY_BODY_UNREAD);
    expect_reason(JOIN_REQUEST_NO_ENTRY, true, JOIN_REASON_NO_SPAN);
    expect_reason(JOIN_REQUEST_AMBIGUOUS, false, JOIN_REASON_ENTRY_AMBIGUOUS);
    expect_reason(JOIN_REQUEST_AMBIGUOUS | JOIN_REQUEST_THIRD_PARTY, false, JOIN_REASON_THIRD_PARTY);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_join__##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(an_id_whose_span_began_at_another_time_is_from_a_shared_cache),
        TEST(of_the_page_loads_that_claim_one_meta_id_only_the_first_joins_in_any_order),
        TEST(a_stale_id_keeps_its_reason_and_does_not_stand_in_the_way_of_a_fresh_one),
        TEST(what_became_of_a_call_is_its_reason),
        TEST(injected_id_that_is_the_parent_of_a_server_span_is_exact_parent),
        TEST(claim_before_span_is_pending_and_then_the_same_result),
        TEST(redirect_hops_with_one_parent_join_to_the_earliest),
        TEST(preassigned_parent_in_a_meta_tag_is_exact_parent),
        TEST(response_id_that_is_a_span_is_not_taken_for_a_parent),
        TEST(response_id_of_an_inner_span_joins_to_its_nearest_server_ancestor),
        TEST(a_loop_of_parents_ends_at_the_entry_span),
        TEST(unknown_span_of_a_known_trace_joins_to_the_entry_span),
        TEST(a_local_parent_by_flags_is_no_entry),
        TEST(root_span_counts_only_while_no_span_is_server),
        TEST(later_span_raises_the_level_and_counts_again),
        TEST(same_span_again_says_nothing),
        TEST(span_id_shared_by_client_and_server_counts_as_server),
        TEST(cached_response_is_stale_even_if_its_id_resolves),
        TEST(no_span_after_ten_minutes_and_still_completes),
        TEST(a_claim_from_the_future_does_not_hold_up_those_behind_it),
        TEST(expire_takes_only_what_is_old),
        TEST(flags_00_and_nothing_arrived_is_known_unsampled),
        TEST(flags_never_gate_a_join),
        TEST(response_overrules_the_sampling_of_the_injected_flags),
        TEST(response_with_another_trace_is_trusted_over_the_injected_id),
        TEST(injected_and_another_trace_that_both_never_come_is_not_sent),
        TEST(among_response_ids_the_injected_trace_comes_first),
        TEST(request_without_ids_is_answered_at_once_with_its_reason),
        TEST(failed_request_that_reached_a_server_joins),
        TEST(third_party_that_names_a_trace_never_seen_is_third_party),
        TEST(zero_padded_64_bit_ids_are_ids_like_others),
        TEST(zero_ids_match_nothing),
        TEST(names_are_stable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
