#include "collector/base/siphash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* From the paper and the reference implementation (vectors_sip64): key 00..0f, message 00, 00 01, ... */
static void test_siphash__gives_the_published_vectors(void **state)
{
    (void)state;
    static const struct {
        size_t size;
        uint64_t hash;
    } table[] = {
        {0, 0x726fdb47dd0e0e31u}, {1, 0x74f839c593dc67fdu}, {2, 0x0d6c8009d9a94f5au},
        {7, 0xab0200f58b01d137u}, {8, 0x93f5f5799a932462u}, {15, 0xa129ca6149be45e5u},
    };
    uint8_t message[16];
    for (uint8_t i = 0; i < sizeof message; i++)
        message[i] = i;
    struct siphash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_true(siphash(key, slice_of(message, table[i].size)) == table[i].hash);
}

/* NULL + 0 is undefined: the sanitizer build tells. */
static void test_siphash__hashes_nothing_at_no_address_like_nothing_anywhere(void **state)
{
    (void)state;
    static const uint8_t somewhere[1];
    struct siphash_key key = {0x0706050403020100u, 0x0f0e0d0c0b0a0908u};
    assert_true(siphash(key, slice_of(NULL, 0)) == siphash(key, slice_of(somewhere, 0)));
    assert_true(siphash(key, slice_of(NULL, 0)) == 0x726fdb47dd0e0e31u);
}

static void test_siphash__random_keys_differ(void **state)
{
    (void)state;
    struct siphash_key a = siphash_key_random(), b = siphash_key_random();
    assert_true(a.k0 != b.k0 || a.k1 != b.k1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_siphash__gives_the_published_vectors),
        cmocka_unit_test(test_siphash__hashes_nothing_at_no_address_like_nothing_anywhere),
        cmocka_unit_test(test_siphash__random_keys_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
