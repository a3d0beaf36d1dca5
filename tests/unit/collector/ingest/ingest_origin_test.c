#include "collector/ingest/ingest_origin.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const rule_exact = "https://a.com";
static const char *const rule_port = "http://a.com:8080";
static const char *const rule_wild = "https://*.a.com";
static const char *const rule_wild_port = "https://*.a.com:8443";

struct row {
    const char *origin;
    bool exact, port, wild, wild_port;
};

static const struct row rows[] = {
    {"https://a.com", true, false, false, false},
    {"http://a.com:8080", false, true, false, false},
    {"https://x.a.com", false, false, true, false},
    {"https://x.y.a.com", false, false, true, false},
    {"https://x.a.com:8443", false, false, false, true},
    {"https://a.com:8443", false, false, false, false},
    {"https://a.com:443", false, false, false, false}, /* browsers leave the default port out */
    {"https://a.com:8080", false, false, false, false},
    {"http://a.com", false, false, false, false},
    {"http://a.com:80", false, false, false, false},
    {"https://a.com.evil.io", false, false, false, false},
    {"https://x.a.com.evil.io", false, false, false, false},
    {"https://evil.io/a.com", false, false, false, false},
    {"https://evil.io?a.com", false, false, false, false},
    {"https://evil.io#a.com", false, false, false, false},
    {"https://evil.io#.a.com", false, false, false, false},
    {"https://evil.io?.a.com", false, false, false, false},
    {"https://evil.io/.a.com", false, false, false, false},
    {"https://evil.io\\.a.com", false, false, false, false},
    {"https://evil.io:443@a.com", false, false, false, false},
    {"http://a.com@evil", false, false, false, false},
    {"https://a.com@evil.io", false, false, false, false},
    {"https://user:pass@a.com", false, false, false, false},
    {"https://evila.com", false, false, false, false},
    {"https://xa.com", false, false, false, false},
    {"https://.a.com", false, false, false, false},
    {"https://x..a.com", false, false, false, false},
    {"https://*.a.com", false, false, false, false},
    {"https://a.com.", false, false, false, false},
    {"https://x.a.com.", false, false, false, false},
    {"https://A.com", false, false, false, false},
    {"HTTPS://a.com", false, false, false, false},
    {"https://x.A.com", false, false, false, false},
    {"https:/a.com", false, false, false, false},
    {"https:a.com", false, false, false, false},
    {"//a.com", false, false, false, false},
    {"a.com", false, false, false, false},
    {"https://a.com/", false, false, false, false},
    {"https://a.com ", false, false, false, false},
    {" https://a.com", false, false, false, false},
    {"https://a.com, https://evil.io", false, false, false, false},
    {"https://a.com https://evil.io", false, false, false, false},
    {"https://a.com\r\nX: y", false, false, false, false},
    {"https://a.com\t", false, false, false, false},
    {"https://a.com:", false, false, false, false},
    {"https://x.a.com:8443:1", false, false, false, false},
    {"https://x.a.com:08443", false, false, false, false},
    {"https://x.a.com:84430", false, false, false, false},
    {"https://x.a.com:8443a", false, false, false, false},
    {"https://x.a.com:-1", false, false, false, false},
    {"https://x.a.com:0", false, false, false, false},
    {"https://x%2ea.com", false, false, false, false},
    {"https://\xd0\xb0.com", false, false, false, false}, /* Cyrillic a, unencoded */
    {"https://xn--80a.com", false, false, false, false},
    {"https://xn--80a.a.com", false, false, true, false},
    {"null", false, false, false, false},
    {"NULL", false, false, false, false},
    {"", false, false, false, false},
    {"*", false, false, false, false},
    {"https://", false, false, false, false},
    {"https://*", false, false, false, false},
    {"https://[::1]", false, false, false, false},
    {"https://[::1].a.com", false, false, false, false},
    {"https://[x.a.com]", false, false, false, false},
    {"file://", false, false, false, false},
    {"data:text/html", false, false, false, false},
    {"chrome-extension://abcdefgh", false, false, false, false},
};

static void check(const char *rule, const char *origin, bool expected)
{
    if (ingest_origin_matches(slice_text(rule), slice_text(origin)) != expected)
        fail_msg("rule %s, origin '%s': expected %s", rule, origin, expected ? "a match" : "no match");
}

static void test_ingest_origin__matches_exactly_what_the_rule_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(rule_exact, rows[i].origin, rows[i].exact);
        check(rule_port, rows[i].origin, rows[i].port);
        check(rule_wild, rows[i].origin, rows[i].wild);
        check(rule_wild_port, rows[i].origin, rows[i].wild_port);
    }
}

static void test_ingest_origin__every_strict_prefix_and_every_appended_byte_of_an_origin_is_refused(void **state)
{
    (void)state;
    char longer[64];
    size_t size = strlen(rule_exact);
    for (size_t i = 0; i < size; i++)
        assert_false(ingest_origin_matches(slice_text(rule_exact), slice_of(rule_exact, i)));
    for (int byte = 0; byte < 256; byte++) {
        memcpy(longer, rule_exact, size);
        longer[size] = (char)byte;
        assert_false(ingest_origin_matches(slice_text(rule_exact), slice_of(longer, size + 1)));
    }
}

static void test_ingest_origin__every_other_byte_anywhere_in_an_origin_is_refused(void **state)
{
    (void)state;
    char changed[64];
    size_t size = strlen("https://x.a.com");
    for (size_t at = 0; at < size; at++)
        for (int byte = 0; byte < 256; byte++) {
            memcpy(changed, "https://x.a.com", size);
            if ((char)byte == changed[at])
                continue;
            changed[at] = (char)byte;
            bool label =
                at == 8 && ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_');
            assert_int_equal(ingest_origin_matches(slice_text(rule_wild), slice_of(changed, size)), label);
        }
}

static void test_ingest_origin__addresses_and_localhost_are_origins(void **state)
{
    (void)state;
    check("http://127.0.0.1:8080", "http://127.0.0.1:8080", true);
    check("http://localhost:3000", "http://localhost:3000", true);
    check("http://[::1]:3000", "http://[::1]:3000", true);
    check("http://localhost:3000", "http://localhost:3001", false);
}

static void test_ingest_origin__rules_are_checked(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "*",
                                      "null",
                                      "a.com",
                                      "https://",
                                      "https://*",
                                      "https://*.",
                                      "https://*.*.com",
                                      "https://a.*.com",
                                      "https://a.com/",
                                      "https://A.com",
                                      "https://a.com:x",
                                      "https://*a.com",
                                      "https://a.com/path"};
    static const char *const good[] = {"https://a.com", "http://localhost:3000", "https://*.a.com:8443",
                                       "http://[::1]:80", "https://*.com"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(ingest_origin_rule_is_valid(slice_text(bad[i])));
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(ingest_origin_rule_is_valid(slice_text(good[i])));
}

static void test_ingest_origin__one_over_the_maximum_size_is_refused(void **state)
{
    (void)state;
    char text[INGEST_ORIGIN_BYTES_MAX + 2];
    memset(text, 'a', sizeof text);
    memcpy(text, "https://", 8);
    assert_false(ingest_origin_is_valid(slice_of("htt\0s://a.example", 18)));
    assert_true(ingest_origin_is_valid(slice_of(text, INGEST_ORIGIN_BYTES_MAX)));
    assert_false(ingest_origin_is_valid(slice_of(text, INGEST_ORIGIN_BYTES_MAX + 1)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ingest_origin__matches_exactly_what_the_rule_says),
        cmocka_unit_test(test_ingest_origin__every_strict_prefix_and_every_appended_byte_of_an_origin_is_refused),
        cmocka_unit_test(test_ingest_origin__every_other_byte_anywhere_in_an_origin_is_refused),
        cmocka_unit_test(test_ingest_origin__addresses_and_localhost_are_origins),
        cmocka_unit_test(test_ingest_origin__rules_are_checked),
        cmocka_unit_test(test_ingest_origin__one_over_the_maximum_size_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
