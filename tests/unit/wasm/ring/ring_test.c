#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wasm/ring/ring.h"

static _Alignas(RING_CACHE_LINE) uint8_t memory[RING_BYTES];

static struct ring_producer fresh_ring(void)
{
    struct ring_producer ring;
    ring_producer_init(&ring, memory);
    assert_true(ring_producer_validate(&ring));
    return ring;
}

static void fill(struct ring_producer *ring, uint32_t size, uint8_t byte)
{
    uint32_t room;
    uint8_t *at = ring_producer_claim(ring, &room);
    assert_true(room >= size);
    memset(at, byte, size);
    ring_producer_commit(ring, size);
}

static void write_segment(struct ring_producer *ring, uint32_t size, uint32_t seq)
{
    assert_int_equal(ring_producer_open(ring, size, seq), 0);
    assert_true(ring_producer_validate(ring));
    fill(ring, size, (uint8_t)seq);
    assert_int_equal(ring_producer_seal(ring), size);
    assert_true(ring_producer_validate(ring));
}

static void expect_segment(struct ring_producer *ring, int segment, uint32_t size, uint32_t seq)
{
    struct slice bytes = ring_consumer_bytes(ring->header, segment);
    assert_int_equal(bytes.size, size);
    assert_int_equal(ring_consumer_seq(ring->header, segment), seq);
    for (size_t i = 0; i < bytes.size; i++)
        assert_int_equal(bytes.data[i], (uint8_t)seq);
}

static void hold_segment(struct ring_producer *ring, uint32_t size, uint32_t seq)
{
    assert_int_equal(ring_producer_open(ring, size, seq), 0);
    fill(ring, size, (uint8_t)seq);
    assert_int_equal(ring_producer_hold(ring), size);
    assert_true(ring_producer_validate(ring));
}

static void send_one(struct ring_producer *ring, uint32_t size, uint32_t seq)
{
    int segment = ring_consumer_take(ring->header);
    assert_true(segment >= 0);
    expect_segment(ring, segment, size, seq);
    ring_consumer_release(ring->header, segment, 1);
    assert_true(ring_producer_validate(ring));
}

static void test_ring__is_empty_after_init(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    assert_int_equal(ring_consumer_take(ring.header), -1);
    assert_int_equal(ring.header->magic, RING_MAGIC);
    assert_int_equal(ring.header->data_offset + ring.header->data_bytes, RING_BYTES);
}

static void test_ring__gives_a_sealed_segment_to_one_consumer_only(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    write_segment(&ring, 100, 7);
    int segment = ring_consumer_take(ring.header);
    assert_int_equal(segment, 0);
    assert_int_equal(ring_consumer_take(ring.header), -1);
    expect_segment(&ring, segment, 100, 7);
    ring_consumer_release(ring.header, segment, 1);
    assert_int_equal(ring.header->sent, 1);
    assert_int_equal(ring.header->sealed, 1);
}

static void test_ring__an_open_segment_cannot_be_taken(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    assert_int_equal(ring_producer_open(&ring, 64, 0), 0);
    fill(&ring, 10, 1);
    assert_int_equal(ring_consumer_take(ring.header), -1);
    assert_true(ring_producer_validate(&ring));
}

static void test_ring__the_oldest_segment_is_taken_first(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    for (uint32_t seq = 0; seq < RING_SEGMENTS + 5; seq++) { /* 5 past the wrap of the table */
        write_segment(&ring, 50, seq);
        if (seq >= 5)
            send_one(&ring, 50, seq - 5);
    }
    for (uint32_t seq = RING_SEGMENTS; seq < RING_SEGMENTS + 5; seq++)
        send_one(&ring, 50, seq);
}

static void test_ring__claim_never_grants_more_than_the_limit(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    uint32_t room;
    assert_int_equal(ring_producer_open(&ring, 10, 0), 0);
    ring_producer_claim(&ring, &room);
    assert_int_equal(room, 10);
    fill(&ring, 10, 1);
    ring_producer_claim(&ring, &room);
    assert_int_equal(room, 0);
    assert_int_equal(ring_producer_seal(&ring), 10);
}

static void test_ring__an_empty_seal_and_an_abort_give_the_segment_back(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    assert_int_equal(ring_producer_open(&ring, 10, 0), 0);
    assert_int_equal(ring_producer_seal(&ring), 0);
    assert_true(ring_producer_validate(&ring));
    assert_int_equal(ring_producer_open(&ring, 10, 0), 0);
    fill(&ring, 5, 1);
    ring_producer_abort(&ring);
    assert_true(ring_producer_validate(&ring));
    assert_int_equal(ring.header->sealed, 0);
    assert_int_equal(ring_consumer_take(ring.header), -1);
    write_segment(&ring, 3, 9);
    assert_int_equal(ring_consumer_take(ring.header), 0);
}

static void test_ring__is_full_when_every_segment_is_in_use(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    for (uint32_t seq = 0; seq < RING_SEGMENTS; seq++)
        write_segment(&ring, 1, seq);
    struct ring_producer before = ring;
    assert_int_equal(ring_producer_open(&ring, 1, 99), -1);
    assert_memory_equal(&before, &ring, sizeof ring);
    send_one(&ring, 1, 0);
    assert_int_equal(ring_producer_open(&ring, 1, 99), 0);
}

static void test_ring__is_full_when_no_run_is_long_enough(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    for (uint32_t seq = 0; seq < 8; seq++)
        write_segment(&ring, RING_DATA_BYTES / 8, seq);
    assert_int_equal(ring_producer_open(&ring, 1, 8), -1);
    send_one(&ring, RING_DATA_BYTES / 8, 0);
    assert_int_equal(ring_producer_open(&ring, RING_DATA_BYTES / 8 + 1, 8), -1);
    write_segment(&ring, RING_DATA_BYTES / 8, 8); /* exactly fits where the first was */
    assert_int_equal(ring_producer_open(&ring, 1, 9), -1);
}

static void test_ring__a_segment_never_lies_across_the_end(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    write_segment(&ring, 60000, 0);
    write_segment(&ring, 60000, 1);
    assert_int_equal(ring_producer_open(&ring, 20000, 2), -1); /* 11,072 at the end are too few, 0 at the begin */
    send_one(&ring, 60000, 0);
    write_segment(&ring, 20000, 2);
    assert_int_equal(ring.head, 20000);                        /* wrapped */
    assert_int_equal(ring_producer_open(&ring, 40001, 3), -1); /* the skipped bytes belong to segment 1 */
    send_one(&ring, 60000, 1);
    assert_int_equal(ring_producer_open(&ring, RING_DATA_BYTES - 20000, 3), 0); /* and came back with it */
    assert_true(ring_producer_validate(&ring));
}

static void test_ring__out_of_order_acks_are_reclaimed_in_order(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    for (uint32_t seq = 0; seq < RING_SEGMENTS; seq++)
        write_segment(&ring, 10, seq);
    int first = ring_consumer_take(ring.header);
    int second = ring_consumer_take(ring.header);
    ring_consumer_release(ring.header, second, 1);
    assert_int_equal(ring_producer_open(&ring, 10, 99), -1); /* the first still holds them back */
    ring_consumer_release(ring.header, first, 0);
    assert_int_equal(ring_producer_open(&ring, 10, 99), 0);
    assert_int_equal(ring.first, 2);
    assert_int_equal(ring.header->abandoned, 1);
}

static void test_ring__a_put_back_segment_is_taken_again(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    write_segment(&ring, 10, 0);
    write_segment(&ring, 10, 1);
    int segment = ring_consumer_take(ring.header);
    ring_consumer_put_back(ring.header, segment);
    assert_int_equal(ring.header->retries, 1);
    send_one(&ring, 10, 0);
    send_one(&ring, 10, 1);
}

static void test_ring__a_taken_segment_keeps_its_bytes_while_others_come_and_go(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    write_segment(&ring, 1000, 200);
    int held = ring_consumer_take(ring.header); /* its worker died */
    for (uint32_t seq = 0; seq < RING_SEGMENTS - 1; seq++) {
        write_segment(&ring, 1000, seq);
        send_one(&ring, 1000, seq);
    }
    assert_int_equal(ring_producer_open(&ring, 1000, 0), -1);
    expect_segment(&ring, held, 1000, 200); /* so the main thread may still send it */
}

static void test_ring__a_held_segment_cannot_be_taken_until_it_is_promoted(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    hold_segment(&ring, 10, 0);
    hold_segment(&ring, 20, 1);
    assert_int_equal(ring_consumer_take(ring.header), -1);
    assert_int_equal(ring.header->sealed, 0); /* nothing to wake for */
    assert_int_equal(ring_producer_promote(&ring), 2);
    assert_true(ring_producer_validate(&ring));
    assert_int_equal(ring.header->sealed, 2);
    write_segment(&ring, 30, 2);
    send_one(&ring, 10, 0);
    send_one(&ring, 20, 1);
    send_one(&ring, 30, 2);
    assert_int_equal(ring_producer_promote(&ring), 0);
    assert_int_equal(ring.header->sealed, 3);
}

static void test_ring__a_dropped_segment_is_never_seen_and_its_room_is_used_again(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    for (uint32_t seq = 0; seq < 8; seq++)
        hold_segment(&ring, RING_DATA_BYTES / 8, seq);
    assert_int_equal(ring_producer_open(&ring, 1, 8), -1);
    assert_int_equal(ring_producer_drop(&ring), 0);
    assert_true(ring_producer_validate(&ring));
    hold_segment(&ring, RING_DATA_BYTES / 8, 8);
    assert_int_equal(ring_producer_promote(&ring), 8);
    for (uint32_t seq = 1; seq <= 8; seq++)
        send_one(&ring, RING_DATA_BYTES / 8, seq);
    assert_int_equal(ring_consumer_take(ring.header), -1);
}

static void test_ring__dropping_ends_when_nothing_is_held(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    assert_int_equal(ring_producer_drop(&ring), -1);
    hold_segment(&ring, 10, 0);
    assert_int_equal(ring_producer_open(&ring, 10, 1), 0);
    assert_int_equal(ring_producer_drop(&ring), 0); /* also beside an open segment */
    assert_true(ring_producer_validate(&ring));
    assert_int_equal(ring_producer_drop(&ring), -1);
    fill(&ring, 10, 1);
    assert_int_equal(ring_producer_hold(&ring), 10);
    assert_int_equal(ring_producer_promote(&ring), 1);
    assert_int_equal(ring_producer_drop(&ring), -1);
    send_one(&ring, 10, 1);
    assert_int_equal(ring.header->sealed, 2); /* a position, not a count */
}

static void test_ring__a_held_segment_behind_a_taken_one_is_not_dropped(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    write_segment(&ring, 10, 0);
    int taken = ring_consumer_take(ring.header);
    hold_segment(&ring, 10, 1);
    assert_int_equal(ring_producer_drop(&ring), -1);
    ring_consumer_release(ring.header, taken, 1);
    assert_int_equal(ring_producer_drop(&ring), 0);
    assert_true(ring_producer_validate(&ring));
}

static void test_ring__an_empty_hold_gives_the_segment_back(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    assert_int_equal(ring_producer_open(&ring, 10, 0), 0);
    assert_int_equal(ring_producer_hold(&ring), 0);
    assert_true(ring_producer_validate(&ring));
    assert_int_equal(ring_producer_promote(&ring), 0);
}

static void test_ring__held_bytes_may_be_changed_until_they_are_promoted(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    hold_segment(&ring, 10, 4);
    hold_segment(&ring, 10, 5);
    memset(ring_producer_held_at(&ring, 0), 6, 10);
    assert_int_equal(ring_producer_open(&ring, 10, 7), 0); /* the open one is not counted among them */
    memset(ring_producer_held_at(&ring, 1), 7, 10);
    ring_producer_abort(&ring);
    ring_producer_promote(&ring);
    for (uint8_t byte = 6; byte <= 7; byte++) {
        struct slice bytes = ring_consumer_bytes(ring.header, ring_consumer_take(ring.header));
        assert_int_equal(bytes.data[0], byte);
        assert_int_equal(bytes.data[9], byte);
    }
}

static void drop_for(struct ring_producer *ring, uint32_t bytes_max)
{
    while (!ring_producer_may_hold(ring, bytes_max))
        assert_int_equal(ring_producer_drop(ring), 0);
}

static void test_ring__two_full_segments_fit_beside_all_that_may_be_held(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 200; seed++) {
        struct ring_producer ring = fresh_ring();
        for (uint32_t i = 0; i < 60; i++) {
            drop_for(&ring, 16384);
            hold_segment(&ring, 1 + (seed * 2654435761u * (i + 1) >> 8) % 16384, i);
            assert_true(ring_producer_validate(&ring));
            assert_true(ring.held > 0);
        }
        ring_producer_promote(&ring);
        write_segment(&ring, 16384, 60);
        write_segment(&ring, 16384, 61);
    }
}

static void test_ring__the_share_of_held_segments_ends_at_its_limits(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    for (uint32_t seq = 0; seq < RING_HELD_SEGMENTS; seq++) {
        assert_true(ring_producer_may_hold(&ring, 1));
        hold_segment(&ring, 1, seq);
    }
    assert_false(ring_producer_may_hold(&ring, 1));
    ring = fresh_ring();
    hold_segment(&ring, RING_HELD_BYTES - 100, 0);
    assert_true(ring_producer_may_hold(&ring, 100));
    assert_false(ring_producer_may_hold(&ring, 101));
    assert_int_equal(ring_producer_drop(&ring), 0);
    assert_true(ring_producer_may_hold(&ring, RING_HELD_BYTES));
    assert_false(ring_producer_may_hold(&ring, RING_HELD_BYTES + 1));
}

static void test_ring__stop_is_visible_to_consumers(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    assert_int_equal(ring.header->stopped, 0);
    ring_producer_stop(&ring);
    assert_int_equal(ring.header->stopped, 1);
}

static void test_ring__validate_sees_a_broken_state(void **state)
{
    (void)state;
    struct ring_producer ring = fresh_ring();
    struct ring_segment *segments = (struct ring_segment *)(void *)(memory + sizeof(struct ring_header));
    write_segment(&ring, 10, 0);
    write_segment(&ring, 10, 1);
    segments[1].offset = 5; /* overlaps */
    assert_false(ring_producer_validate(&ring));
    segments[1].offset = 10;
    segments[5].state = RING_SEALED; /* not in use */
    assert_false(ring_producer_validate(&ring));
    segments[5].state = RING_FREE;
    assert_true(ring_producer_validate(&ring));
    segments[1].state = RING_HELD; /* not one that the producer knows */
    assert_false(ring_producer_validate(&ring));
    segments[1].state = RING_SEALED;
    ring.held = 1; /* which is not HELD */
    assert_false(ring_producer_validate(&ring));
    ring.held = 0;
    ring.held_bytes = 10;
    assert_false(ring_producer_validate(&ring));
    ring.held_bytes = 0;
    assert_true(ring_producer_validate(&ring));
    ring.header->magic = 0;
    assert_false(ring_producer_validate(&ring));
}

/*
 * Random operations against a model that knows only a list of segments. The model does not place segments, so it
 * cannot say when the ring is full for want of a run; but it can say when it must not be: nothing is in use.
 */
struct model_segment {
    uint32_t seq, size;
    int index; /* of the ring while taken, -1 before */
    enum ring_state state;
};

struct model {
    struct model_segment segments[RING_SEGMENTS];
    uint32_t count, next_seq;
    int holds;
};

static uint32_t random_state;

static uint32_t random_below(uint32_t limit)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % limit;
}

static void model_reclaim(struct model *model)
{
    while (model->count > 0 && model->segments[0].state == RING_ACKED)
        memmove(model->segments, model->segments + 1, --model->count * sizeof model->segments[0]);
}

static void step_write(struct ring_producer *ring, struct model *model)
{
    uint32_t limit = 1 + random_below(random_below(4) == 0 ? RING_DATA_BYTES : 16384);
    int opened = ring_producer_open(ring, limit, model->next_seq) == 0;
    model_reclaim(model);
    assert_true(ring_producer_validate(ring));
    if (model->count == RING_SEGMENTS)
        assert_false(opened);
    if (model->count == 0)
        assert_true(opened);
    if (!opened)
        return;
    uint32_t size = random_below(limit + 1);
    fill(ring, size, (uint8_t)model->next_seq);
    if (random_below(8) == 0) {
        ring_producer_abort(ring);
        return;
    }
    if (model->holds)
        assert_int_equal(ring_producer_hold(ring), size);
    else
        assert_int_equal(ring_producer_seal(ring), size);
    enum ring_state closed = model->holds ? RING_HELD : RING_SEALED;
    if (size > 0)
        model->segments[model->count++] = (struct model_segment){model->next_seq++, size, -1, closed};
}

/* Holding begins, or ends with a promotion. */
static void step_turn(struct ring_producer *ring, struct model *model)
{
    uint32_t promoted = 0;
    model->holds = !model->holds;
    for (uint32_t i = 0; i < model->count && !model->holds; i++) {
        promoted += model->segments[i].state == RING_HELD;
        if (model->segments[i].state == RING_HELD)
            model->segments[i].state = RING_SEALED;
    }
    if (!model->holds)
        assert_int_equal(ring_producer_promote(ring), promoted);
}

static void step_drop(struct ring_producer *ring, struct model *model)
{
    int dropped = ring_producer_drop(ring) == 0;
    model_reclaim(model);
    assert_int_equal(dropped, model->count > 0 && model->segments[0].state == RING_HELD);
    if (dropped)
        memmove(model->segments, model->segments + 1, --model->count * sizeof model->segments[0]);
}

static void step_take(struct ring_producer *ring, struct model *model)
{
    int segment = ring_consumer_take(ring->header);
    uint32_t i = 0;
    while (i < model->count && model->segments[i].state != RING_SEALED)
        i++;
    if (i == model->count) {
        assert_int_equal(segment, -1);
        return;
    }
    assert_true(segment >= 0);
    expect_segment(ring, segment, model->segments[i].size, model->segments[i].seq);
    model->segments[i].index = segment;
    model->segments[i].state = RING_TAKEN;
}

static void step_release(struct ring_producer *ring, struct model *model)
{
    if (model->count == 0)
        return;
    struct model_segment *segment = &model->segments[random_below(model->count)];
    if (segment->state != RING_TAKEN)
        return;
    expect_segment(ring, segment->index, segment->size, segment->seq);
    if (random_below(4) == 0) {
        ring_consumer_put_back(ring->header, segment->index);
        segment->state = RING_SEALED;
    } else {
        ring_consumer_release(ring->header, segment->index, (int)random_below(2));
        segment->state = RING_ACKED;
    }
}

static void test_ring__agrees_with_a_list_over_random_operations(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= 20; seed++) {
        struct ring_producer ring = fresh_ring();
        struct model model = {.count = 0};
        random_state = seed;
        for (int i = 0; i < 400; i++) {
            uint32_t choice = random_below(22);
            if (choice < 8)
                step_write(&ring, &model);
            else if (choice < 14)
                step_take(&ring, &model);
            else if (choice < 20)
                step_release(&ring, &model);
            else if (choice < 21)
                step_turn(&ring, &model);
            else
                step_drop(&ring, &model);
            assert_true(ring_producer_validate(&ring));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring__is_empty_after_init),
        cmocka_unit_test(test_ring__gives_a_sealed_segment_to_one_consumer_only),
        cmocka_unit_test(test_ring__an_open_segment_cannot_be_taken),
        cmocka_unit_test(test_ring__the_oldest_segment_is_taken_first),
        cmocka_unit_test(test_ring__claim_never_grants_more_than_the_limit),
        cmocka_unit_test(test_ring__an_empty_seal_and_an_abort_give_the_segment_back),
        cmocka_unit_test(test_ring__is_full_when_every_segment_is_in_use),
        cmocka_unit_test(test_ring__is_full_when_no_run_is_long_enough),
        cmocka_unit_test(test_ring__a_segment_never_lies_across_the_end),
        cmocka_unit_test(test_ring__out_of_order_acks_are_reclaimed_in_order),
        cmocka_unit_test(test_ring__a_put_back_segment_is_taken_again),
        cmocka_unit_test(test_ring__a_taken_segment_keeps_its_bytes_while_others_come_and_go),
        cmocka_unit_test(test_ring__a_held_segment_cannot_be_taken_until_it_is_promoted),
        cmocka_unit_test(test_ring__a_dropped_segment_is_never_seen_and_its_room_is_used_again),
        cmocka_unit_test(test_ring__dropping_ends_when_nothing_is_held),
        cmocka_unit_test(test_ring__a_held_segment_behind_a_taken_one_is_not_dropped),
        cmocka_unit_test(test_ring__an_empty_hold_gives_the_segment_back),
        cmocka_unit_test(test_ring__held_bytes_may_be_changed_until_they_are_promoted),
        cmocka_unit_test(test_ring__two_full_segments_fit_beside_all_that_may_be_held),
        cmocka_unit_test(test_ring__the_share_of_held_segments_ends_at_its_limits),
        cmocka_unit_test(test_ring__stop_is_visible_to_consumers),
        cmocka_unit_test(test_ring__validate_sees_a_broken_state),
        cmocka_unit_test(test_ring__agrees_with_a_list_over_random_operations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
