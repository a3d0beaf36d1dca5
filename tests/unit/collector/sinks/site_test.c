#include "collector/sinks/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static bool third(const char *page, const char *url)
{
    return site_is_third_party(slice_text(page), slice_text(url));
}

static bool cross(const char *page, const char *url)
{
    return site_is_cross_origin(slice_text(page), slice_text(url));
}

static void test_site__subdomains_are_the_same_site(void **state)
{
    (void)state;
    assert_false(third("https://shop.example.com/cart", "https://api.example.com/v1"));
    assert_false(third("https://example.com/", "https://cdn.eu.example.com/x.js"));
    assert_true(third("https://example.com/", "https://example.org/"));
    assert_true(third("https://example.com/", "https://notexample.com/"));
}

static void test_site__a_short_second_level_of_a_country_is_not_a_site(void **state)
{
    (void)state;
    assert_true(third("https://shop.co.uk/", "https://other.co.uk/"));
    assert_false(third("https://www.shop.co.uk/", "https://api.shop.co.uk/"));
}

static void test_site__ports_do_not_make_another_site_but_another_origin(void **state)
{
    (void)state;
    assert_false(third("http://127.0.0.1:8080/", "http://127.0.0.1:9090/x"));
    assert_true(cross("http://127.0.0.1:8080/", "http://127.0.0.1:9090/x"));
    assert_false(cross("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/b"));
    assert_true(cross("http://example.com/", "https://example.com/"));
}

static void test_site__addresses_are_compared_whole(void **state)
{
    (void)state;
    assert_true(third("http://10.0.0.1/", "http://10.1.0.1/"));
    assert_false(third("http://[::1]:8080/", "http://[::1]:9090/"));
    assert_true(third("http://[::1]/", "http://[::2]/"));
    assert_true(third("http://localhost:8080/", "http://127.0.0.1:8080/"));
}

static void test_site__a_url_without_a_host_is_the_pages_own(void **state)
{
    (void)state;
    assert_false(third("https://example.com/", "data:text/plain,x"));
    assert_false(third("https://example.com/", "/relative"));
    assert_false(third("https://example.com/", ""));
    assert_false(third("", "https://example.com/"));
    assert_false(cross("https://example.com/", ":"));
}

static void test_site__user_info_is_not_the_host(void **state)
{
    (void)state;
    assert_true(third("https://example.com/", "https://example.com@evil.test/"));
    assert_false(third("https://example.com/", "https://user:pw@example.com/"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_site__subdomains_are_the_same_site),
        cmocka_unit_test(test_site__a_short_second_level_of_a_country_is_not_a_site),
        cmocka_unit_test(test_site__ports_do_not_make_another_site_but_another_origin),
        cmocka_unit_test(test_site__addresses_are_compared_whole),
        cmocka_unit_test(test_site__a_url_without_a_host_is_the_pages_own),
        cmocka_unit_test(test_site__user_info_is_not_the_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
