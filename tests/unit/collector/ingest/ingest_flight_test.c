#include "collector/ingest/ingest_flight.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static struct ingest_flight_request request_of(uint32_t number)
{
    uint8_t view[16] = {7};
    return (struct ingest_flight_request){.key = ingest_key_of((struct siphash_key){1, 2}, view, number)};
}

static void test_ingest_flight__copies_wait_for_the_first_and_come_out_with_it(void **state)
{
    (void)state;
    struct ingest_flight flight;
    struct ingest_flight_request first = request_of(1), second = request_of(1), third = request_of(1),
                                 other = request_of(2);
    ingest_flight_init(&flight);
    assert_true(ingest_flight_add(&flight, &first));
    assert_false(ingest_flight_add(&flight, &second));
    assert_true(ingest_flight_add(&flight, &other));
    assert_false(ingest_flight_add(&flight, &third));
    unsigned waiters = 0;
    for (struct ingest_flight_request *at = ingest_flight_take(&flight, &first); at != NULL; at = at->next)
        waiters += at == &second || at == &third;
    assert_int_equal(waiters, 2);
    assert_null(ingest_flight_take(&flight, &other));
    assert_int_equal(flight.count, 0);
}

static void test_ingest_flight__a_key_that_was_taken_out_is_first_again(void **state)
{
    (void)state;
    struct ingest_flight flight;
    struct ingest_flight_request first = request_of(1), again = request_of(1);
    ingest_flight_init(&flight);
    assert_true(ingest_flight_add(&flight, &first));
    assert_null(ingest_flight_take(&flight, &first));
    assert_true(ingest_flight_add(&flight, &again));
    assert_null(ingest_flight_take(&flight, &again));
}

static void test_ingest_flight__many_keys_share_chains_and_come_out_in_any_order(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    struct ingest_flight flight;
    struct ingest_flight_request *many = calloc(MANY, sizeof *many);
    ingest_flight_init(&flight);
    for (uint32_t i = 0; i < MANY; i++) {
        many[i] = request_of(i);
        assert_true(ingest_flight_add(&flight, &many[i]));
    }
    assert_int_equal(flight.count, MANY);
    for (uint32_t i = 0; i < MANY; i++)
        assert_null(ingest_flight_take(&flight, &many[(i * 7919u) % MANY]));
    assert_int_equal(flight.count, 0);
    free(many);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ingest_flight__copies_wait_for_the_first_and_come_out_with_it),
        cmocka_unit_test(test_ingest_flight__a_key_that_was_taken_out_is_first_again),
        cmocka_unit_test(test_ingest_flight__many_keys_share_chains_and_come_out_in_any_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
