/*
 * One producer and two consumers (the worker, and the main thread's exit path) on real threads, bounded by counts.
 * Every segment is filled from its seq, so a byte that is read too early or overwritten under a reader shows; the
 * preset tsan shows the race itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wasm/ring/ring.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define SEGMENTS_TO_SEND 20000u
/* Every so often the producer holds so many segments back, then drops the oldest of them and promotes the others. */
#define HELD_EVERY 64u
#define HELD_COUNT 6u
#define SEGMENTS_DROPPED (SEGMENTS_TO_SEND / HELD_EVERY)

static _Alignas(RING_CACHE_LINE) uint8_t memory[RING_BYTES];

struct consumer {
    struct ring_header *header;
    uint8_t *seen; /* by seq: how often it was released as sent */
    uint32_t wrong;
};

static uint32_t size_of(uint32_t seq)
{
    return 1 + (seq * 2654435761u >> 16) % 9000;
}

static int bytes_are_right(struct slice bytes, uint32_t seq)
{
    if (bytes.size != size_of(seq))
        return 0;
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] != (uint8_t)(seq + i))
            return 0;
    return 1;
}

static int is_held(uint32_t seq)
{
    return seq % HELD_EVERY < HELD_COUNT && seq - seq % HELD_EVERY + HELD_EVERY <= SEGMENTS_TO_SEND;
}

static void write_open(struct ring_producer *ring, uint32_t seq)
{
    uint32_t room, size = size_of(seq);
    while (ring_producer_open(ring, 9000, seq) != 0)
        sched_yield();
    uint8_t *at = ring_producer_claim(ring, &room);
    for (uint32_t i = 0; i < size; i++)
        at[i] = (uint8_t)(seq + i);
    ring_producer_commit(ring, size);
}

/* The oldest held one can go only when the consumers are done with what is before it. */
static void drop_and_promote(struct ring_producer *ring)
{
    while (ring_producer_drop(ring) != 0)
        sched_yield();
    ring_producer_promote(ring);
}

static void *produce(void *context)
{
    struct ring_producer *ring = context;
    for (uint32_t seq = 0; seq < SEGMENTS_TO_SEND; seq++) {
        write_open(ring, seq);
        if (!is_held(seq)) {
            ring_producer_seal(ring);
            continue;
        }
        ring_producer_hold(ring);
        if (seq % HELD_EVERY == HELD_COUNT - 1)
            drop_and_promote(ring);
    }
    ring_producer_stop(ring);
    return NULL;
}

/* Ends when it has seen `stopped` and then found nothing to take: a put back by the other one is taken by that one. */
static void *consume(void *context)
{
    struct consumer *self = context;
    for (uint32_t turn = 0;; turn++) {
        uint32_t stopped = __atomic_load_n(&self->header->stopped, __ATOMIC_ACQUIRE);
        int segment = ring_consumer_take(self->header);
        if (segment < 0) {
            if (stopped)
                return NULL;
            sched_yield();
            continue;
        }
        uint32_t seq = ring_consumer_seq(self->header, segment);
        self->wrong += !bytes_are_right(ring_consumer_bytes(self->header, segment), seq);
        if (turn % 16 == 0) {
            ring_consumer_put_back(self->header, segment);
        } else {
            self->seen[seq]++;
            ring_consumer_release(self->header, segment, 1);
        }
    }
}

static void test_ring_stress__every_segment_that_is_not_dropped_is_sent_once_and_whole(void **state)
{
    (void)state;
    struct ring_producer ring;
    struct consumer consumers[2];
    pthread_t producer, threads[2];
    ring_producer_init(&ring, memory);
    for (int i = 0; i < 2; i++) {
        consumers[i] = (struct consumer){ring.header, calloc(SEGMENTS_TO_SEND, 1), 0};
        assert_non_null(consumers[i].seen);
        assert_int_equal(pthread_create(&threads[i], NULL, consume, &consumers[i]), 0);
    }
    assert_int_equal(pthread_create(&producer, NULL, produce, &ring), 0);
    pthread_join(producer, NULL);
    for (int i = 0; i < 2; i++)
        pthread_join(threads[i], NULL);
    for (uint32_t seq = 0; seq < SEGMENTS_TO_SEND; seq++)
        assert_int_equal(consumers[0].seen[seq] + consumers[1].seen[seq], !(is_held(seq) && seq % HELD_EVERY == 0));
    assert_int_equal(consumers[0].wrong + consumers[1].wrong, 0);
    assert_int_equal(ring.header->sealed, SEGMENTS_TO_SEND);
    assert_int_equal(ring.header->sent, SEGMENTS_TO_SEND - SEGMENTS_DROPPED);
    assert_true(ring_producer_validate(&ring));
    free(consumers[0].seen);
    free(consumers[1].seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring_stress__every_segment_that_is_not_dropped_is_sent_once_and_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
