/* Documents: the core behind bodies, turns, undo, order, room. The oracle is a core that is driven directly. */
#include "tests/support/raw_builder.h"

#include "collector/raw/raw_internal.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define VIEW 0x0a0b0c0du
#define LOST vitrace_v1_LossReason_LOSS_REASON_SEND_FAILED

struct bench {
    struct counters counters;
    struct raw *raw;
    struct rig *rig; /* stages bodies, and is the oracle */
    struct raw_builder builder;
    _Atomic unsigned waited, ready;
};

#define NOT_LONG 1u     /* ms; for bodies whose predecessors never come */
#define LONG     60000u /* longer than any test: only what comes in order is taken */

static struct bench bench;

static void bench_open(size_t memory, unsigned wait_ms)
{
    bench.counters = (struct counters){0};
    bench.raw = raw_new(
        &(struct raw_options){.memory_bytes_max = memory, .wait_ms = wait_ms, .counters = &bench.counters});
    bench.rig = rig_new();
    assert_non_null(bench.raw);
    assert_non_null(bench.rig);
    bench.waited = bench.ready = 0;
}

static int setup(void **state)
{
    (void)state;
    bench_open(0, NOT_LONG);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    raw_free(bench.raw);
    rig_free(bench.rig);
    return 0;
}

static void on_wait(struct raw_turn *turn)
{
    (void)turn;
    bench.waited++;
}

static void on_ready(struct raw_turn *turn)
{
    (void)turn;
    bench.ready++;
}

static struct raw_turn turn_of(void)
{
    return (struct raw_turn){.wait = on_wait, .ready = on_ready};
}

static void stage_clear(void)
{
    bench.rig->word_count = bench.rig->string_bytes = bench.rig->string_count = 0;
}

/* Body `seq` of a document: START when it is the first, a resource and a mark that differ by seq. */
static struct raw_body body_of(uint32_t view, uint32_t seq)
{
    char name[32];
    struct raw_body body;
    stage_clear();
    if (seq == 0)
        raw_builder_start(bench.rig, view);
    snprintf(name, sizeof name, "https://shop.example/%u.js", seq);
    rig_put_resource(bench.rig, name, 100.25 + seq);
    rig_put_mark(bench.rig, name + 8, 200 + seq);
    bench.rig->clock = (struct core_clock){1000.5 + 10 * seq, 1.7e12 + 10 * seq};
    raw_builder_begin(&bench.builder, view, seq, seq == 3, bench.rig->clock);
    raw_builder_batch(&bench.builder, bench.rig);
    assert_int_equal(raw_body_open(&body, raw_builder_bytes(&bench.builder)), RAW_OK);
    return body;
}

/* What the oracle makes of the staged batch, in the form of raw_take(). */
static struct buf oracle(bool final)
{
    struct buf out;
    enum beacon_status status;
    buf_init(&out, 1 << 20);
    rig_take(bench.rig);
    rig_seal(bench.rig, final);
    while (rig_next_beacon(bench.rig, &status)) {
        uint32_t size = (uint32_t)bench.rig->beacon.size;
        assert_int_equal(status, BEACON_OK);
        buf_add(&out, slice_of(&size, sizeof size));
        buf_add(&out, bench.rig->beacon);
    }
    return out;
}

static enum raw_status take(const struct raw_body *body, bool keep, struct buf *out)
{
    struct raw_turn turn = turn_of();
    bool waits;
    unsigned before = bench.ready;
    enum raw_status status = raw_enter(bench.raw, body, &turn, &waits);
    assert_int_equal(status, RAW_OK);
    while (waits && bench.ready == before)
        sched_yield();
    status = raw_take(bench.raw, &turn, body, out);
    raw_leave(bench.raw, &turn, keep && status == RAW_OK);
    return status;
}

static enum raw_status take_seq(uint32_t view, uint32_t seq, bool keep)
{
    struct buf out = {0};
    struct raw_body body = body_of(view, seq);
    enum raw_status status = take(&body, keep, &out);
    buf_release(&out);
    return status;
}

static void test_raw__beacons_are_those_of_the_core_in_a_page(void **state)
{
    (void)state;
    for (uint32_t seq = 0; seq < 5; seq++) {
        struct buf out;
        struct raw_body body = body_of(VIEW, seq);
        assert_int_equal(take(&body, true, &out), RAW_OK);
        struct buf expected = oracle(seq == 3);
        assert_true(expected.size > 100);
        assert_true(slice_equal(buf_slice(&out), buf_slice(&expected)));
        buf_release(&out);
        buf_release(&expected);
    }
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_DOCUMENTS), 1);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_MEMORY), raw_document_block_bytes());
}

static void test_raw__a_body_that_was_not_kept_gives_the_same_bytes_again(void **state)
{
    (void)state;
    for (uint32_t seq = 0; seq < 4; seq++) {
        struct buf first, second, third;
        struct raw_body body = body_of(VIEW, seq);
        assert_int_equal(take(&body, false, &first), RAW_OK);
        assert_int_equal(take(&body, false, &second), RAW_OK);
        assert_int_equal(take(&body, true, &third), RAW_OK);
        assert_true(slice_equal(buf_slice(&first), buf_slice(&second)));
        assert_true(slice_equal(buf_slice(&first), buf_slice(&third)));
        buf_release(&first);
        buf_release(&second);
        buf_release(&third);
    }
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_MEMORY), raw_document_block_bytes());
}

static void test_raw__a_document_whose_start_was_not_kept_is_not_known(void **state)
{
    (void)state;
    assert_int_equal(take_seq(VIEW, 0, false), RAW_OK);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_DOCUMENTS), 0);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_MEMORY), 0);
    assert_int_equal(take_seq(VIEW, 1, true), RAW_UNKNOWN_DOCUMENT);
}

static void test_raw__bodies_that_come_twice_late_or_too_far_ahead_have_answers_of_their_own(void **state)
{
    (void)state;
    assert_int_equal(take_seq(VIEW, 1, true), RAW_UNKNOWN_DOCUMENT);
    assert_int_equal(take_seq(VIEW, 0, true), RAW_OK);
    assert_int_equal(take_seq(VIEW, 0, true), RAW_DUPLICATE);
    assert_int_equal(take_seq(VIEW, 3, true), RAW_OK);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_MISSING), 2);
    assert_int_equal(take_seq(VIEW, 1, true), RAW_OUT_OF_ORDER);
    assert_int_equal(take_seq(VIEW, 2, true), RAW_OUT_OF_ORDER);
    assert_int_equal(take_seq(VIEW, 3, true), RAW_DUPLICATE);
    assert_int_equal(take_seq(VIEW, 0, true), RAW_DUPLICATE);
    assert_int_equal(take_seq(VIEW, 4 + RAW_GAP_MAX + 1, true), RAW_OUT_OF_ORDER);
    assert_int_equal(take_seq(VIEW, 4 + RAW_GAP_MAX, true), RAW_OK);
    assert_int_equal(take_seq(VIEW, 3, true), RAW_DUPLICATE);
}

static uint32_t ledger_lost(const struct buf *out)
{
    struct slice rest = buf_slice(out), beacon;
    struct beacon_summary summary;
    uint32_t lost = 0;
    while (raw_derived_next(&rest, &beacon)) {
        assert_int_equal(beacon_validate(beacon, &summary), BEACON_OK);
        for (size_t i = 0; i < summary.ledger.losses_count; i++)
            if (summary.ledger.losses[i].reason == LOST)
                lost = summary.ledger.losses[i].count;
    }
    return lost;
}

static void test_raw__missing_bodies_are_losses_in_the_ledger_of_the_view(void **state)
{
    struct buf out;
    (void)state;
    assert_int_equal(take_seq(VIEW, 0, true), RAW_OK);
    struct raw_body body = body_of(VIEW, 6);
    assert_int_equal(take(&body, true, &out), RAW_OK);
    assert_int_equal(ledger_lost(&out), 5);
    buf_release(&out);
}

static void test_raw__one_body_of_a_document_at_a_time_the_others_in_line(void **state)
{
    struct raw_turn turn[3] = {turn_of(), turn_of(), turn_of()};
    struct buf out;
    bool waits;
    (void)state;
    struct raw_body body = body_of(VIEW, 0);
    assert_int_equal(raw_enter(bench.raw, &body, &turn[0], &waits), RAW_OK);
    assert_false(waits);
    for (unsigned i = 1; i < 3; i++) {
        assert_int_equal(raw_enter(bench.raw, &body, &turn[i], &waits), RAW_OK);
        assert_true(waits);
    }
    assert_int_equal(take_seq(VIEW + 1, 0, true), RAW_OK); /* another document waits for nobody */
    assert_int_equal(bench.waited, 2);
    body = body_of(VIEW, 0);
    assert_int_equal(raw_take(bench.raw, &turn[0], &body, &out), RAW_OK);
    buf_release(&out);
    assert_int_equal(bench.ready, 0);
    raw_leave(bench.raw, &turn[0], true);
    assert_int_equal(bench.ready, 1);
    assert_int_equal(raw_take(bench.raw, &turn[1], &body, &out), RAW_DUPLICATE);
    raw_leave(bench.raw, &turn[1], false);
    assert_int_equal(bench.ready, 2);
    body = body_of(VIEW, 1);
    assert_int_equal(raw_take(bench.raw, &turn[2], &body, &out), RAW_OK);
    buf_release(&out);
    raw_leave(bench.raw, &turn[2], true);
    assert_int_equal(take_seq(VIEW, 2, true), RAW_OK);
}

static void test_raw__bodies_that_come_early_are_taken_in_order_and_nothing_is_missing(void **state)
{
    enum { BODIES = 4 };
    struct raw_turn turn[BODIES];
    bool waits;
    (void)state;
    teardown(NULL);
    bench_open(0, LONG);
    for (uint32_t seq = BODIES; seq-- > 0;) {
        turn[seq] = turn_of();
        struct raw_body body = body_of(VIEW, seq);
        assert_int_equal(raw_enter(bench.raw, &body, &turn[seq], &waits), RAW_OK);
        assert_true(waits == (seq > 0));
    }
    for (uint32_t seq = 0; seq < BODIES; seq++) {
        struct buf out;
        struct raw_body body = body_of(VIEW, seq);
        assert_int_equal(bench.ready, seq);
        assert_int_equal(raw_take(bench.raw, &turn[seq], &body, &out), RAW_OK);
        struct buf expected = oracle(seq == 3);
        assert_true(slice_equal(buf_slice(&out), buf_slice(&expected)));
        buf_release(&out);
        buf_release(&expected);
        raw_leave(bench.raw, &turn[seq], true);
    }
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_MISSING), 0);
}

static void test_raw__when_one_has_waited_long_enough_all_before_it_go_first(void **state)
{
    struct raw_turn seventh = turn_of(), fifth = turn_of();
    struct buf out;
    bool waits;
    (void)state;
    teardown(NULL);
    bench_open(0, 1000);
    assert_int_equal(take_seq(VIEW, 0, true), RAW_OK);
    struct raw_body body = body_of(VIEW, 7);
    assert_int_equal(raw_enter(bench.raw, &body, &seventh, &waits), RAW_OK);
    body = body_of(VIEW, 5);
    assert_int_equal(raw_enter(bench.raw, &body, &fifth, &waits), RAW_OK);
    while (bench.ready == 0)
        sched_yield();
    body = body_of(VIEW, 5);
    assert_int_equal(raw_take(bench.raw, &fifth, &body, &out), RAW_OK);
    buf_release(&out);
    raw_leave(bench.raw, &fifth, true);
    while (bench.ready == 1)
        sched_yield();
    body = body_of(VIEW, 7);
    assert_int_equal(raw_take(bench.raw, &seventh, &body, &out), RAW_OK);
    buf_release(&out);
    raw_leave(bench.raw, &seventh, true);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_MISSING), 5);
}

static void test_raw__who_waited_for_a_start_that_failed_may_start_or_is_told(void **state)
{
    struct raw_turn first = turn_of(), later = turn_of(), again = turn_of();
    struct buf out;
    bool waits;
    (void)state;
    teardown(NULL);
    bench_open(0, 500);
    struct raw_body body = body_of(VIEW, 0);
    assert_int_equal(raw_enter(bench.raw, &body, &first, &waits), RAW_OK);
    body = body_of(VIEW, 1);
    assert_int_equal(raw_enter(bench.raw, &body, &later, &waits), RAW_OK);
    assert_true(waits);
    body = body_of(VIEW, 0);
    assert_int_equal(raw_enter(bench.raw, &body, &again, &waits), RAW_OK);
    assert_int_equal(raw_take(bench.raw, &first, &body, &out), RAW_OK);
    buf_release(&out);
    raw_leave(bench.raw, &first, false);
    assert_int_equal(bench.ready, 1);
    assert_int_equal(raw_take(bench.raw, &again, &body, &out), RAW_OK);
    buf_release(&out);
    raw_leave(bench.raw, &again, false);
    while (bench.ready == 1)
        sched_yield(); /* nobody begins it: the wait ends */
    body = body_of(VIEW, 1);
    assert_int_equal(raw_take(bench.raw, &later, &body, &out), RAW_UNKNOWN_DOCUMENT);
    raw_leave(bench.raw, &later, false);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_DOCUMENTS), 0);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_MEMORY), 0);
}

static void test_raw__the_document_that_was_quiet_longest_makes_room(void **state)
{
    (void)state;
    teardown(NULL);
    bench_open(3 * raw_document_block_bytes(), NOT_LONG); /* two quiet, and an undo copy */
    assert_int_equal(take_seq(1, 0, true), RAW_OK);
    assert_int_equal(take_seq(2, 0, true), RAW_OK);
    assert_int_equal(take_seq(1, 1, true), RAW_OK);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_EVICTED), 0);
    assert_int_equal(take_seq(3, 0, true), RAW_OK);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_EVICTED), 1);
    assert_int_equal(take_seq(2, 1, true), RAW_UNKNOWN_DOCUMENT);
    assert_int_equal(take_seq(1, 2, true), RAW_OK);
    assert_int_equal(take_seq(3, 1, true), RAW_OK);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_DOCUMENTS), 2);
}

static void test_raw__documents_that_are_at_work_never_make_room(void **state)
{
    struct raw_turn turn[2] = {turn_of(), turn_of()};
    struct buf out;
    bool waits;
    (void)state;
    teardown(NULL);
    bench_open(2 * raw_document_block_bytes(), NOT_LONG);
    struct raw_body body = body_of(1, 0);
    assert_int_equal(raw_enter(bench.raw, &body, &turn[0], &waits), RAW_OK);
    assert_int_equal(raw_take(bench.raw, &turn[0], &body, &out), RAW_OK);
    buf_release(&out);
    body = body_of(2, 0);
    assert_int_equal(raw_enter(bench.raw, &body, &turn[1], &waits), RAW_OK);
    assert_int_equal(raw_take(bench.raw, &turn[1], &body, &out), RAW_BUSY);
    raw_leave(bench.raw, &turn[1], false);
    raw_leave(bench.raw, &turn[0], true);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_EVICTED), 0);
    assert_int_equal(take_seq(2, 0, true), RAW_OK);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_EVICTED), 1);
}

/* Views without end, 32 a batch fill the ring each time, and every one of them names the same long page. */
static struct raw_body body_of_views(uint32_t seq)
{
    static char url[400] = "https://shop.example/";
    struct raw_body body;
    stage_clear();
    memset(url + strlen(url), 'x', sizeof url - strlen(url) - 1);
    double page = rig_text(bench.rig, url);
    for (unsigned i = 0; i < 32; i++) {
        double *view = rig_record(bench.rig, INBOX_VIEW, INBOX_VIEW_WORDS);
        for (unsigned k = 0; k < 4; k++)
            view[INBOX_VIEW_VIEW_ID_0 + k] = 100 + i;
        view[INBOX_VIEW_START_TIME] = 5;
        view[INBOX_VIEW_TYPE] = vitrace_v1_NavigationType_NAVIGATION_TYPE_ROUTE_CHANGE;
        view[INBOX_VIEW_URL] = page;
        view[INBOX_VIEW_HIDDEN] = 0;
    }
    raw_builder_begin(&bench.builder, VIEW, seq, false, bench.rig->clock);
    while (bench.builder.size + bench.rig->word_count * 8 + 8 <= RAW_BODY_BYTES_MAX)
        raw_builder_batch(&bench.builder, bench.rig);
    assert_int_equal(raw_body_open(&body, raw_builder_bytes(&bench.builder)), RAW_OK);
    return body;
}

static void test_raw__a_body_that_becomes_too_many_beacons_is_refused_and_changes_nothing(void **state)
{
    struct buf out, plain;
    (void)state;
    assert_int_equal(take_seq(VIEW, 0, true), RAW_OK);
    struct raw_body body = body_of(VIEW, 1);
    assert_int_equal(take(&body, false, &plain), RAW_OK);
    body = body_of_views(1);
    assert_int_equal(take(&body, true, &out), RAW_TOO_LARGE);
    body = body_of(VIEW, 1);
    assert_int_equal(take(&body, true, &out), RAW_OK);
    assert_true(slice_equal(buf_slice(&out), buf_slice(&plain)));
    buf_release(&out);
    buf_release(&plain);
}

static void test_raw__a_start_that_the_core_refuses_starts_nothing(void **state)
{
    struct raw_body body;
    struct buf out;
    (void)state;
    stage_clear();
    raw_builder_start(bench.rig, VIEW)[INBOX_START_APP] = rig_text(bench.rig, "Not A Name");
    raw_builder_begin(&bench.builder, VIEW, 0, false, bench.rig->clock);
    raw_builder_batch(&bench.builder, bench.rig);
    assert_int_equal(raw_body_open(&body, raw_builder_bytes(&bench.builder)), RAW_OK);
    assert_int_equal(take(&body, true, &out), RAW_NOT_STARTED);
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_DOCUMENTS), 0);
}

static void test_raw__any_flipped_bit_gives_valid_beacons_or_a_refusal(void **state)
{
    (void)state;
    body_of(VIEW, 0);
    size_t size = bench.builder.size;
    for (size_t bit = 0; bit < size * 8; bit += 3) {
        struct raw_body body;
        struct buf out;
        struct slice rest, beacon;
        struct beacon_summary summary;
        bench.builder.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (raw_body_open(&body, slice_of(bench.builder.bytes, size)) == RAW_OK && take(&body, false, &out) == RAW_OK) {
            for (rest = buf_slice(&out); raw_derived_next(&rest, &beacon);)
                assert_int_equal(beacon_validate(beacon, &summary), BEACON_OK);
            buf_release(&out);
        }
        bench.builder.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    assert_int_equal(counters_find(&bench.counters, COUNTER_RAW_DOCUMENTS), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_raw__##name, setup, teardown)
        TEST(beacons_are_those_of_the_core_in_a_page),
        TEST(a_body_that_was_not_kept_gives_the_same_bytes_again),
        TEST(a_document_whose_start_was_not_kept_is_not_known),
        TEST(bodies_that_come_twice_late_or_too_far_ahead_have_answers_of_their_own),
        TEST(missing_bodies_are_losses_in_the_ledger_of_the_view),
        TEST(one_body_of_a_document_at_a_time_the_others_in_line),
        TEST(bodies_that_come_early_are_taken_in_order_and_nothing_is_missing),
        TEST(when_one_has_waited_long_enough_all_before_it_go_first),
        TEST(who_waited_for_a_start_that_failed_may_start_or_is_told),
        TEST(the_document_that_was_quiet_longest_makes_room),
        TEST(documents_that_are_at_work_never_make_room),
        TEST(a_body_that_becomes_too_many_beacons_is_refused_and_changes_nothing),
        TEST(a_start_that_the_core_refuses_starts_nothing),
        TEST(any_flipped_bit_gives_valid_beacons_or_a_refusal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
