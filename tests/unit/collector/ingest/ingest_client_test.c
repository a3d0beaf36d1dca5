#include "collector/ingest/ingest_client.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect(const char *forwarded, unsigned hop, const char *address)
{
    uint8_t out[16] = {0};
    char text[INET6_ADDRSTRLEN];
    if (!ingest_client_parse(slice_text(forwarded), hop, out)) {
        if (address != NULL)
            fail_msg("'%s' from the right in '%s' was not read", address, forwarded);
        for (unsigned i = 0; i < 16; i++)
            assert_int_equal(out[i], 0); /* what fails writes nothing */
        return;
    }
    inet_ntop(AF_INET6, out, text, sizeof text);
    if (address == NULL)
        fail_msg("entry %u of '%s' was read as %s", hop, forwarded, text);
    assert_string_equal(text, address);
}

static void test_ingest_client__counts_entries_from_the_right(void **state)
{
    (void)state;
    const char *list = "6.6.6.6, 192.0.2.1 ,198.51.100.7";
    expect(list, 1, "::ffff:198.51.100.7");
    expect(list, 2, "::ffff:192.0.2.1");
    expect(list, 3, "::ffff:6.6.6.6");
    expect(list, 4, NULL);
    expect(list, 0, NULL);
    assert_int_equal(ingest_client_count(slice_text(list)), 3);
}

static void test_ingest_client__reads_every_way_proxies_write_an_address(void **state)
{
    (void)state;
    expect("192.0.2.1:5000", 1, "::ffff:192.0.2.1");
    expect("2001:db8::1", 1, "2001:db8::1");
    expect("[2001:db8::1]", 1, "2001:db8::1");
    expect("[2001:db8::1]:443", 1, "2001:db8::1");
    expect("\t192.0.2.1 ", 1, "::ffff:192.0.2.1");
    expect("::ffff:192.0.2.1", 1, "::ffff:192.0.2.1");
}

static void test_ingest_client__what_is_no_address_is_not_read(void **state)
{
    (void)state;
    static const char *const bad[] = {"", " ", ",", "unknown", "_hidden", "192.0.2", "192.0.2.1.5", "[2001:db8::1",
                                      "[]", "localhost", "192.0.2.1/24", "256.1.1.1", "1.2.3.4, ",
                                      "11111111111111111111111111111111111111111111111111111111111111111111111111"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect(bad[i], 1, NULL);
    expect("bad, 192.0.2.1", 2, NULL);
}

static void test_ingest_client__every_prefix_of_a_list_is_harmless(void **state)
{
    (void)state;
    const char *list = "6.6.6.6, [2001:db8::1]:5, 192.0.2.1:80";
    uint8_t out[16];
    for (size_t i = 0; i <= strlen(list); i++)
        for (unsigned hop = 0; hop < 5; hop++) {
            bool read = ingest_client_parse(slice_of(list, i), hop, out);
            assert_true(!read || hop <= ingest_client_count(slice_of(list, i)));
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ingest_client__counts_entries_from_the_right),
        cmocka_unit_test(test_ingest_client__reads_every_way_proxies_write_an_address),
        cmocka_unit_test(test_ingest_client__what_is_no_address_is_not_read),
        cmocka_unit_test(test_ingest_client__every_prefix_of_a_list_is_harmless),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
