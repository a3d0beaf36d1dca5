/* The rules of the matcher, case by case. call_match_replay_test.c holds it to what a real browser did. */
#include "collector/join/call_match.h"
#include "vitrace/v1/beacon.pb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdlib.h>

#define MANY     40u /* more than the assignment takes */
#define INJECTED vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED
#define TIMING   vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACE

static struct call_match_call call[MANY + 1];
static struct call_match_entry entry[MANY + 1];
static struct call_match out[MANY + 1];
static uint32_t calls, entries;

static int setup(void **state)
{
    (void)state;
    calls = entries = 0;
    return 0;
}

/* A call of 20 ms; its entry, 0.1 ms later, would have its response at 15 ms. */
static struct call_match_call *add_call(int64_t start_us)
{
    call[calls] = (struct call_match_call){.url = slice_text("/api"),
                                           .start_us = start_us,
                                           .headers_us = start_us + 20000,
                                           .end_us = CALL_MATCH_UNKNOWN,
                                           .status = 200};
    return &call[calls++];
}

static struct call_match_entry *add_entry(int64_t start_us)
{
    entry[entries] = (struct call_match_entry){.url = slice_text("/api"),
                                               .start_us = start_us,
                                               .response_start_us = start_us + 15000,
                                               .response_end_us = start_us + 18000,
                                               .status = 200};
    return &entry[entries++];
}

static void expect(uint32_t at, enum call_match_kind kind, uint32_t of)
{
    assert_true(call_match(call, calls, entry, entries, out));
    assert_string_equal(call_match_kind_name(out[at].kind), call_match_kind_name(kind));
    assert_int_equal(out[at].entry, of);
}

static struct join_id id_of(uint8_t trace, uint8_t span, int source)
{
    struct join_id id = {.source = (uint8_t)source};
    memset(id.trace_id, trace, sizeof id.trace_id);
    memset(id.span_id, span, sizeof id.span_id);
    return id;
}

static void test_call_match__nothing_is_matched_with_nothing(void **state)
{
    (void)state;
    assert_true(call_match(call, 0, entry, 0, out));
    add_entry(1000);
    assert_true(call_match(call, 0, entry, 1, out));
    setup(NULL);
    add_call(1000);
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
}

static void test_call_match__one_call_and_one_entry_while_the_url_is_idle_are_one(void **state)
{
    (void)state;
    add_entry(90100); /* of an earlier call that nobody told of */
    add_call(100000);
    add_entry(100100);
    expect(0, CALL_MATCH_EXACT_SINGLE, 1);
}

static void test_call_match__other_urls_do_not_meet(void **state)
{
    (void)state;
    add_call(100000);
    add_entry(100100)->url = slice_text("/apj");
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
}

static void test_call_match__an_entry_starts_within_its_call(void **state)
{
    (void)state;
    add_call(100000);
    add_entry(100000 - 601)->response_start_us = 110000; /* the clock's quantum and half a millisecond */
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
    entry[0].start_us = 100000 - 600;
    expect(0, CALL_MATCH_EXACT_SINGLE, 0);
    entry[0].start_us = 100000 + 20601;
    entry[0].response_start_us = CALL_MATCH_UNKNOWN;
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
}

static void test_call_match__an_entry_far_behind_its_call_is_rather_somebody_elses(void **state)
{
    (void)state;
    add_call(100000);
    add_entry(100000 + 15050)->response_start_us = 116050; /* half a quantum and 15 ms */
    expect(0, CALL_MATCH_EXACT_SINGLE, 0);
    entry[0].start_us++;
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
}

static void test_call_match__facts_that_differ_part_them(void **state)
{
    (void)state;
    add_call(100000)->status = 404;
    add_entry(100100);
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
    call[0].status = 200;
    call[0].content_length = 10;
    entry[0].encoded_body_size = 11;
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
    entry[0].encoded_body_size = 0; /* not disclosed */
    expect(0, CALL_MATCH_EXACT_SINGLE, 0);
    call[0].redirected = true;
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
    entry[0].redirected = true;
    entry[0].response_start_us = 120700; /* after script had it */
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
    entry[0].response_start_us = 120600;
    call[0].end_us = 119000; /* before the last byte */
    entry[0].response_end_us = 121000;
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
}

static void test_call_match__failed_calls_have_failed_entries(void **state)
{
    (void)state;
    struct call_match_call *failed = add_call(100000);
    failed->status = 0;
    failed->headers_us = CALL_MATCH_UNKNOWN;
    failed->end_us = 110000;
    add_entry(100100);
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
    entry[0].status = 0;
    entry[0].failed = true;
    entry[0].response_start_us = CALL_MATCH_UNKNOWN;
    entry[0].response_end_us = 111000; /* the browser told the script first */
    expect(0, CALL_MATCH_EXACT_SINGLE, 0);
    add_call(130000);
    add_entry(130100)->failed = true;
    entry[1].status = 0;
    expect(1, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
    entry[1].failed = false; /* masked, or the body was not read to its end */
    expect(1, CALL_MATCH_EXACT_SINGLE, 1);
}

static void test_call_match__a_preload_may_have_started_long_before(void **state)
{
    (void)state;
    add_call(900000);
    add_entry(100000)->response_end_us = 118000;
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
    entry[0].preloaded = true;
    expect(0, CALL_MATCH_EXACT_SINGLE, 0);
    entry[0].start_us = 900001; /* started after the call: not the one that it consumed */
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
}

static void test_call_match__concurrent_calls_are_assigned_when_their_times_tell(void **state)
{
    (void)state;
    add_call(100000);
    add_call(105000);
    add_entry(105100);
    add_entry(100100);
    expect(0, CALL_MATCH_ASSIGNED, 1);
    expect(1, CALL_MATCH_ASSIGNED, 0);
}

static void test_call_match__what_could_be_exchanged_is_ambiguous(void **state)
{
    (void)state;
    add_call(100000);
    add_call(100100);
    add_entry(100100);
    add_entry(100200);
    for (uint32_t i = 0; i < 2; i++) {
        assert_true(call_match(call, calls, entry, entries, out));
        assert_int_equal(out[i].kind, CALL_MATCH_AMBIGUOUS);
    }
    assert_int_not_equal(out[0].entry, out[1].entry);
    call[1].status = entry[1].status = 404; /* now they cannot */
    expect(0, CALL_MATCH_ASSIGNED, 0);
    expect(1, CALL_MATCH_ASSIGNED, 1);
}

static void test_call_match__two_calls_of_one_entry_are_both_ambiguous(void **state)
{
    (void)state;
    add_call(100000);
    add_call(100000);
    add_entry(100100);
    assert_true(call_match(call, calls, entry, entries, out));
    assert_int_equal(out[0].kind, CALL_MATCH_AMBIGUOUS);
    assert_int_equal(out[1].kind, CALL_MATCH_AMBIGUOUS);
    assert_true((out[0].entry == CALL_MATCH_NOBODY) != (out[1].entry == CALL_MATCH_NOBODY));
}

static void test_call_match__a_busy_main_thread_does_not_part_a_call_from_its_entry(void **state)
{
    (void)state;
    for (int64_t i = 0; i < 3; i++) {
        add_call(100000 + i * 4000)->headers_us =
            5000000 + i * 100; /* all answers were handed over after five seconds */
        add_entry(100100 + i * 4000)->response_start_us = 120000 + i * 30000;
    }
    for (uint32_t i = 0; i < 3; i++)
        expect(i, CALL_MATCH_ASSIGNED, i);
}

static void test_call_match__a_tag_decides_alone(void **state)
{
    (void)state;
    add_call(100000)->tag = 2;
    add_call(100000);
    add_call(100000)->tag = 1;
    add_entry(100100)->tag = 1;
    add_entry(100100)->tag = 2;
    expect(0, CALL_MATCH_EXACT_TAG, 1);
    expect(2, CALL_MATCH_EXACT_TAG, 0);
    expect(1, CALL_MATCH_NONE, CALL_MATCH_NOBODY); /* tagged entries are not for a call without one */
}

static void test_call_match__an_injected_trace_or_an_equal_span_decides_alone(void **state)
{
    (void)state;
    struct join_id injected = id_of(1, 9, INJECTED), answered = id_of(1, 3, TIMING), other = id_of(2, 4, TIMING);
    add_call(100000)->id = &injected;
    add_call(100000)->id = &other;
    add_entry(100100)->id = &other;
    add_entry(100100)->id = &answered;
    call[0].id_count = call[1].id_count = entry[0].id_count = entry[1].id_count = 1;
    expect(0, CALL_MATCH_EXACT_ID, 1);
    expect(1, CALL_MATCH_EXACT_ID, 0);
}

static void test_call_match__an_id_that_two_entries_have_decides_nothing(void **state)
{
    (void)state;
    struct join_id id = id_of(1, 3, TIMING);
    add_call(100000)->id = &id;
    add_entry(100100)->id = &id;
    add_entry(100100)->id = &id;
    call[0].id_count = entry[0].id_count = entry[1].id_count = 1;
    assert_true(call_match(call, calls, entry, entries, out));
    assert_int_equal(out[0].kind, CALL_MATCH_AMBIGUOUS);
}

static void test_call_match__two_answers_of_which_both_sides_know_are_not_one(void **state)
{
    (void)state;
    struct join_id seen = id_of(1, 3, TIMING), other = id_of(2, 4, TIMING), injected = id_of(5, 6, INJECTED);
    add_call(100000)->id = &seen;
    add_entry(100100)->id = &other;
    call[0].id_count = entry[0].id_count = 1;
    expect(0, CALL_MATCH_NONE, CALL_MATCH_NOBODY);
    call[0].id = &injected; /* the header may never have left */
    expect(0, CALL_MATCH_EXACT_SINGLE, 0);
}

static void add_wide(uint32_t count, int64_t step_us)
{
    for (uint32_t i = 0; i < count; i++) {
        add_call(100000 + i * step_us)->headers_us = 900000;
        add_entry(100100 + i * step_us);
    }
}

static void test_call_match__a_crowd_is_paired_in_order_of_start(void **state)
{
    (void)state;
    for (uint32_t size = 32; size <= MANY; size++) { /* 32 by assignment, more in order */
        setup(NULL);
        add_wide(size, 2000);
        for (uint32_t i = 0; i < size; i += 7)
            expect(i, CALL_MATCH_ASSIGNED, i);
    }
}

static void test_call_match__a_crowd_too_dense_to_tell_is_ambiguous(void **state)
{
    (void)state;
    add_wide(MANY, 100);
    add_entry(100100);
    assert_true(call_match(call, calls, entry, entries, out));
    for (uint32_t i = 0; i < calls; i++)
        assert_int_equal(out[i].kind, CALL_MATCH_AMBIGUOUS);
}

static void test_call_match__no_entry_is_given_twice_whatever_comes(void **state)
{
    (void)state;
    srand(3);
    for (unsigned round = 0; round < 400; round++) {
        bool given[MANY + 1] = {false};
        setup(NULL);
        for (int n = rand() % (int)MANY; n > 0; n--) {
            struct call_match_call *c = add_call(rand() % 60000);
            c->tag = rand() % 8 == 0 ? (uint32_t)(rand() % 3) : 0;
            c->status = rand() % 4 == 0 ? 0 : 200;
            c->headers_us = rand() % 4 == 0 ? CALL_MATCH_UNKNOWN : c->headers_us;
        }
        for (int n = rand() % (int)MANY; n > 0; n--) {
            struct call_match_entry *e = add_entry(rand() % 60000);
            e->tag = rand() % 8 == 0 ? (uint32_t)(rand() % 3) : 0;
            e->preloaded = rand() % 8 == 0;
            e->status = rand() % 4 == 0 ? 0 : 200;
        }
        assert_true(call_match(call, calls, entry, entries, out));
        for (uint32_t i = 0; i < calls; i++) {
            if (out[i].entry == CALL_MATCH_NOBODY) {
                assert_false(call_match_is_sure(&out[i]));
                continue;
            }
            assert_true(out[i].entry < entries && !given[out[i].entry]);
            given[out[i].entry] = true;
        }
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(test_call_match__##name, setup)
    const struct CMUnitTest tests[] = {
        TEST(nothing_is_matched_with_nothing),
        TEST(one_call_and_one_entry_while_the_url_is_idle_are_one),
        TEST(other_urls_do_not_meet),
        TEST(an_entry_starts_within_its_call),
        TEST(an_entry_far_behind_its_call_is_rather_somebody_elses),
        TEST(facts_that_differ_part_them),
        TEST(failed_calls_have_failed_entries),
        TEST(a_preload_may_have_started_long_before),
        TEST(concurrent_calls_are_assigned_when_their_times_tell),
        TEST(what_could_be_exchanged_is_ambiguous),
        TEST(two_calls_of_one_entry_are_both_ambiguous),
        TEST(a_busy_main_thread_does_not_part_a_call_from_its_entry),
        TEST(a_tag_decides_alone),
        TEST(an_injected_trace_or_an_equal_span_decides_alone),
        TEST(an_id_that_two_entries_have_decides_nothing),
        TEST(two_answers_of_which_both_sides_know_are_not_one),
        TEST(a_crowd_is_paired_in_order_of_start),
        TEST(a_crowd_too_dense_to_tell_is_ambiguous),
        TEST(no_entry_is_given_twice_whatever_comes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
