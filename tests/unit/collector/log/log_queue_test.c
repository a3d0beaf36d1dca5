#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "collector/log/log_internal.h"

#define THREADS    4u
#define PER_THREAD 20000u

static int set_up(void **state)
{
    static struct log_queue queue;
    *state = &queue;
    return log_queue_init(&queue);
}

static int tear_down(void **state)
{
    log_queue_release(*state);
    return 0;
}

static void test_queue__empty_gives_nothing(void **state)
{
    assert_null(log_queue_take(*state));
}

static void test_queue__gives_back_in_order_of_pushing(void **state)
{
    struct append appends[5];
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 5; i++)
            assert_true(log_queue_push(*state, &appends[i]));
        assert_true(log_queue_wait(*state, 60000));
        struct append *append = log_queue_take(*state);
        for (int i = 0; i < 5; i++, append = append->next)
            assert_ptr_equal(append, &appends[i]);
        assert_null(append);
        assert_null(log_queue_take(*state));
    }
}

static void test_queue__stopped_it_still_gives_what_it_has(void **state)
{
    struct append append;
    log_queue_stop(*state);
    assert_false(log_queue_wait(*state, 60000));
    assert_true(log_queue_push(*state, &append));
    assert_true(log_queue_wait(*state, 60000));
}

static void test_queue__closed_it_takes_nothing(void **state)
{
    struct append first, second;
    assert_true(log_queue_push(*state, &first));
    assert_ptr_equal(log_queue_close(*state), &first);
    assert_null(first.next);
    assert_false(log_queue_push(*state, &second));
    assert_null(log_queue_take(*state));
    log_queue_stop(*state);
    assert_false(log_queue_wait(*state, 60000));
}

struct producer {
    struct log_queue *queue;
    pthread_t thread;
    struct append appends[PER_THREAD];
};

static void *producer_run(void *context)
{
    struct producer *self = context;
    for (uint64_t i = 0; i < PER_THREAD; i++) {
        self->appends[i].received_unix_us = i;
        memcpy(self->appends[i].peer, &self, sizeof self);
        log_queue_push(self->queue, &self->appends[i]);
    }
    return NULL;
}

static void test_queue__keeps_the_order_of_each_of_many_producers(void **state)
{
    static struct producer producers[THREADS];
    uint64_t next[THREADS] = {0};
    for (unsigned i = 0; i < THREADS; i++) {
        producers[i].queue = *state;
        assert_int_equal(pthread_create(&producers[i].thread, NULL, producer_run, &producers[i]), 0);
    }
    for (unsigned seen = 0; seen < THREADS * PER_THREAD;) {
        assert_true(log_queue_wait(*state, 60000));
        for (struct append *append = log_queue_take(*state); append != NULL; append = append->next, seen++) {
            struct producer *producer;
            memcpy(&producer, append->peer, sizeof producer);
            assert_int_equal(append->received_unix_us, next[producer - producers]++);
        }
    }
    for (unsigned i = 0; i < THREADS; i++)
        pthread_join(producers[i].thread, NULL);
    assert_null(log_queue_take(*state));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_queue__empty_gives_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queue__gives_back_in_order_of_pushing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queue__stopped_it_still_gives_what_it_has, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queue__closed_it_takes_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_queue__keeps_the_order_of_each_of_many_producers, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
