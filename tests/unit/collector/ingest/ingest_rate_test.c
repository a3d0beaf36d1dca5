#include "collector/ingest/ingest_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000000)
#define START  (1000 * SECOND)

static struct ingest_rate *rate_of(struct ingest_rate_limit ip, struct ingest_rate_limit app,
                                   struct ingest_rate_limit global)
{
    struct ingest_rate *self = ingest_rate_new(&(struct ingest_rate_limits){ip, app, global}, 2);
    assert_non_null(self);
    return self;
}

static struct ingest_rate *rate_of_ip(uint32_t per_second, uint32_t burst)
{
    return rate_of((struct ingest_rate_limit){per_second, burst}, (struct ingest_rate_limit){0, 0},
                   (struct ingest_rate_limit){0, 0});
}

static void address_v4(uint8_t out[16], uint32_t address)
{
    memset(out, 0, 10);
    memset(out + 10, 0xff, 2);
    for (unsigned i = 0; i < 4; i++)
        out[12 + i] = (uint8_t)(address >> (24 - 8 * i));
}

static unsigned take_all(struct ingest_rate *self, const uint8_t address[16], unsigned tries, uint64_t now_ns)
{
    unsigned admitted = 0;
    for (unsigned i = 0; i < tries; i++)
        admitted += ingest_rate_take_ip(self, address, now_ns) == 0;
    return admitted;
}

static void test_ingest_rate__admits_a_burst_and_then_the_rate(void **state)
{
    (void)state;
    struct ingest_rate *self = rate_of_ip(10, 5);
    uint8_t address[16];
    address_v4(address, 0x0a000001);
    assert_int_equal(take_all(self, address, 20, START), 5);
    assert_int_equal(take_all(self, address, 20, START + SECOND / 10 - 1), 0);
    assert_int_equal(take_all(self, address, 20, START + SECOND / 10), 1);
    assert_int_equal(take_all(self, address, 20, START + SECOND / 2), 4);
    assert_int_equal(take_all(self, address, 20, START + 100 * SECOND), 5);
    ingest_rate_free(self);
}

static void test_ingest_rate__says_exactly_how_long_to_wait(void **state)
{
    (void)state;
    struct ingest_rate *self = rate_of_ip(2, 1);
    uint8_t address[16];
    address_v4(address, 0x0a000001);
    assert_int_equal(ingest_rate_take_ip(self, address, START), 0);
    uint64_t wait = ingest_rate_take_ip(self, address, START);
    assert_int_equal(wait, SECOND / 2);
    assert_int_equal(ingest_rate_take_ip(self, address, START + wait - 1), 1);
    assert_int_equal(ingest_rate_take_ip(self, address, START + wait), 0);
    ingest_rate_free(self);
}

static void test_ingest_rate__a_refusal_costs_nothing(void **state)
{
    (void)state;
    struct ingest_rate *self = rate_of_ip(10, 1);
    uint8_t address[16];
    address_v4(address, 0x0a000001);
    assert_int_equal(take_all(self, address, 100000, START), 1);
    assert_int_equal(take_all(self, address, 1, START + SECOND / 10), 1);
    ingest_rate_free(self);
}

static void test_ingest_rate__zero_is_no_limit_and_a_burst_is_at_least_one(void **state)
{
    (void)state;
    uint8_t address[16];
    address_v4(address, 0x0a000001);
    struct ingest_rate *self = rate_of_ip(0, 0);
    assert_int_equal(take_all(self, address, 100000, START), 100000);
    for (unsigned i = 0; i < 1000; i++) {
        assert_int_equal(ingest_rate_take_global(self, START), 0);
        assert_int_equal(ingest_rate_take_app(self, 1, START), 0);
    }
    ingest_rate_free(self);
    self = rate_of_ip(1, 0);
    assert_int_equal(take_all(self, address, 9, START), 1);
    ingest_rate_free(self);
}

static void test_ingest_rate__addresses_of_one_v6_64_share_and_those_of_v4_do_not(void **state)
{
    (void)state;
    struct ingest_rate *self = rate_of_ip(1, 1);
    uint8_t a[16] = {0x20, 1, 0xd, 0xb8, 0, 0, 0, 1, [15] = 1}, b[16], c[16];
    memcpy(b, a, 16);
    memset(b + 8, 0x77, 8);
    memcpy(c, a, 16);
    c[7] = 2;
    assert_int_equal(take_all(self, a, 1, START), 1);
    assert_int_equal(take_all(self, b, 1, START), 0);
    assert_int_equal(take_all(self, c, 1, START), 1);
    address_v4(a, 0x0a000001);
    address_v4(b, 0x0a000002);
    assert_int_equal(take_all(self, a, 2, START), 1);
    assert_int_equal(take_all(self, b, 2, START), 1);
    ingest_rate_free(self);
}

/* T4: the number of addresses buys nothing beyond what the table holds. */
static void test_ingest_rate__whoever_has_no_address_is_not_one_client(void **state)
{
    (void)state;
    struct ingest_rate *self = rate_of_ip(10, 5);
    const uint8_t nobody[16] = {0}, loopback[16] = {[15] = 1};
    assert_int_equal(take_all(self, nobody, 1000, START), 1000);
    assert_int_equal(take_all(self, loopback, 1000, START), 5);
    ingest_rate_free(self);
}

static void test_ingest_rate__a_million_addresses_get_no_more_than_the_table_holds(void **state)
{
    (void)state;
    enum { BURST = 3 };
    struct ingest_rate *self = rate_of_ip(1, BURST);
    uint8_t address[16];
    unsigned admitted = 0;
    for (uint32_t i = 0; i < 1000000; i++) {
        address_v4(address, 0x0b000000 + i);
        admitted += take_all(self, address, 1, START);
    }
    assert_in_range(admitted, BURST * INGEST_RATE_SLOTS * 9 / 10, BURST * INGEST_RATE_SLOTS);
    address_v4(address, 0x7f000001);
    assert_int_equal(take_all(self, address, 1, START), 0); /* a newcomer inherits */
    assert_int_equal(take_all(self, address, 1, START + SECOND), 1);
    ingest_rate_free(self);
}

static void test_ingest_rate__one_loud_address_leaves_the_others_alone(void **state)
{
    (void)state;
    struct ingest_rate *self = rate_of_ip(1, 4);
    uint8_t loud[16], quiet[16];
    address_v4(loud, 0x0a000001);
    assert_int_equal(take_all(self, loud, 1000, START), 4);
    for (uint32_t i = 0; i < 10000; i++) {
        address_v4(quiet, 0x0c000000 + i);
        assert_int_equal(take_all(self, quiet, 1, START), 1);
        assert_int_equal(take_all(self, loud, 1, START), 0);
    }
    ingest_rate_free(self);
}

static void test_ingest_rate__every_app_has_its_own_bucket_and_all_share_one(void **state)
{
    (void)state;
    struct ingest_rate *self =
        rate_of((struct ingest_rate_limit){0, 0}, (struct ingest_rate_limit){1, 2}, (struct ingest_rate_limit){1, 3});
    for (unsigned i = 0; i < 4; i++) {
        assert_int_equal(ingest_rate_take_app(self, 0, START) == 0, i < 2);
        assert_int_equal(ingest_rate_take_global(self, START) == 0, i < 3);
    }
    assert_int_equal(ingest_rate_take_app(self, 1, START), 0);
    assert_int_equal(ingest_rate_take_global(self, START), SECOND);
    ingest_rate_free(self);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ingest_rate__admits_a_burst_and_then_the_rate),
        cmocka_unit_test(test_ingest_rate__says_exactly_how_long_to_wait),
        cmocka_unit_test(test_ingest_rate__a_refusal_costs_nothing),
        cmocka_unit_test(test_ingest_rate__zero_is_no_limit_and_a_burst_is_at_least_one),
        cmocka_unit_test(test_ingest_rate__addresses_of_one_v6_64_share_and_those_of_v4_do_not),
        cmocka_unit_test(test_ingest_rate__whoever_has_no_address_is_not_one_client),
        cmocka_unit_test(test_ingest_rate__a_million_addresses_get_no_more_than_the_table_holds),
        cmocka_unit_test(test_ingest_rate__one_loud_address_leaves_the_others_alone),
        cmocka_unit_test(test_ingest_rate__every_app_has_its_own_bucket_and_all_share_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
