#include "collector/auth/auth_attempts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)

static struct auth_attempts attempts;

static void begin(uint32_t per_minute, uint32_t burst)
{
    auth_attempts_init(&attempts);
    auth_attempts_set(&attempts, per_minute, burst);
}

static const uint8_t *address_of(unsigned number)
{
    static uint8_t address[16];
    memset(address, 0, sizeof address);
    address[10] = address[11] = 0xff;
    for (unsigned i = 0; i < 4; i++)
        address[12 + i] = (uint8_t)(number >> (24 - 8 * i));
    return address;
}

static void test_auth_attempts__a_burst_is_judged_and_then_one_an_interval(void **state)
{
    (void)state;
    begin(6, 5);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(auth_attempts_wait(&attempts, address_of(1), 100), 0);
        auth_attempts_fail(&attempts, address_of(1), 100);
    }
    assert_int_equal(auth_attempts_wait(&attempts, address_of(1), 100), 10 * SECOND);
    assert_int_equal(auth_attempts_wait(&attempts, address_of(1), 100 + 10 * SECOND - 1), 1);
    assert_int_equal(auth_attempts_wait(&attempts, address_of(1), 100 + 10 * SECOND), 0);
    auth_attempts_fail(&attempts, address_of(1), 100 + 10 * SECOND);
    assert_int_not_equal(auth_attempts_wait(&attempts, address_of(1), 100 + 10 * SECOND), 0);
}

static void test_auth_attempts__others_are_not_late_for_it(void **state)
{
    (void)state;
    begin(6, 1);
    auth_attempts_fail(&attempts, address_of(1), 0);
    assert_int_not_equal(auth_attempts_wait(&attempts, address_of(1), 0), 0);
    for (unsigned i = 2; i < 10000; i++)
        assert_int_equal(auth_attempts_wait(&attempts, address_of(i), 0), 0);
}

static void test_auth_attempts__a_64_of_ipv6_is_one_address(void **state)
{
    uint8_t a[16] = {0x20, 1, 0xd, 0xb8, [15] = 1}, b[16] = {0x20, 1, 0xd, 0xb8, [15] = 2};
    uint8_t c[16] = {0x20, 1, 0xd, 0xb8, [7] = 1, [15] = 1};
    (void)state;
    begin(6, 1);
    auth_attempts_fail(&attempts, a, 0);
    assert_int_not_equal(auth_attempts_wait(&attempts, b, 0), 0);
    assert_int_equal(auth_attempts_wait(&attempts, c, 0), 0);
}

/* Nobody who shows right tokens notices, and whoever failed is free again after the longest wait there is. */
static void test_auth_attempts__a_flood_of_addresses_fills_the_table_and_no_more(void **state)
{
    (void)state;
    begin(6, 30);
    for (unsigned i = 0; i < 200000; i++)
        auth_attempts_fail(&attempts, address_of(i), 0);
    for (unsigned i = 200000; i < 201000; i++)
        assert_int_equal(auth_attempts_wait(&attempts, address_of(i), 0), 0);
    for (unsigned i = 0; i < 200000; i++) {
        assert_true(auth_attempts_wait(&attempts, address_of(i), 0) <= 10 * SECOND);
        assert_int_equal(auth_attempts_wait(&attempts, address_of(i), 10 * SECOND), 0);
    }
}

static void test_auth_attempts__no_limit_is_none(void **state)
{
    (void)state;
    begin(0, 0);
    for (unsigned i = 0; i < 1000; i++) {
        auth_attempts_fail(&attempts, address_of(1), 0);
        assert_int_equal(auth_attempts_wait(&attempts, address_of(1), 0), 0);
    }
}

static void test_auth_attempts__another_limit_keeps_what_was_counted(void **state)
{
    (void)state;
    begin(6, 1);
    auth_attempts_fail(&attempts, address_of(1), 0);
    auth_attempts_set(&attempts, 60, 1);
    assert_int_not_equal(auth_attempts_wait(&attempts, address_of(1), 0), 0);
    auth_attempts_set(&attempts, 60, 60);
    assert_int_equal(auth_attempts_wait(&attempts, address_of(1), 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_auth_attempts__a_burst_is_judged_and_then_one_an_interval),
        cmocka_unit_test(test_auth_attempts__others_are_not_late_for_it),
        cmocka_unit_test(test_auth_attempts__a_64_of_ipv6_is_one_address),
        cmocka_unit_test(test_auth_attempts__a_flood_of_addresses_fills_the_table_and_no_more),
        cmocka_unit_test(test_auth_attempts__no_limit_is_none),
        cmocka_unit_test(test_auth_attempts__another_limit_keeps_what_was_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
