#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wasm/core/scrub.h"

#include <stdio.h>

static void expect_url(const char *url, const char *scrubbed)
{
    struct scrub scrub = {0};
    struct slice result = scrub_url(&scrub, slice_text(url));
    char text[SCRUB_URL_BYTES_MAX + 1] = {0};
    if (result.size > 0)
        memcpy(text, result.data, result.size);
    assert_string_equal(text, scrubbed);
}

static void test_scrub__drops_query_and_fragment(void **state)
{
    (void)state;
    expect_url("https://a.example/p/7?q=1", "https://a.example/p/7");
    expect_url("https://a.example/p/7#top?x", "https://a.example/p/7");
    expect_url("https://a.example?q", "https://a.example");
    expect_url("https://a.example", "https://a.example");
    expect_url("/p?q", "/p");
    expect_url("", "");
    expect_url("?q", "");
}

static void test_scrub__drops_user_information(void **state)
{
    (void)state;
    expect_url("https://user:pass@a.example:8443/x?y", "https://a.example:8443/x");
    expect_url("https://u@v@a.example/x", "https://a.example/x");
    expect_url("//u:p@a.example/x", "//a.example/x");
    expect_url("https://u:p@", "https://");
    expect_url("https://a.example/@me", "https://a.example/@me"); /* an @ of the path is none */
    expect_url("https://a.example?m=b@c.example", "https://a.example");
}

static void test_scrub__reduces_what_is_not_hierarchical_to_its_scheme(void **state)
{
    (void)state;
    expect_url("data:text/plain;base64,c2VjcmV0", "data:");
    expect_url("blob:https://a.example/6d1e", "blob:");
    expect_url("javascript:alert(1)", "javascript:");
    expect_url("mailto:a@b.example", "mailto:");
    expect_url("about:srcdoc", "about:srcdoc");
    expect_url("about:blank#x", "about:blank");
    expect_url("chrome-extension://id/x.js?y", "chrome-extension://id/x.js");
}

static void test_scrub__cuts_between_characters(void **state)
{
    (void)state;
    struct scrub scrub = {0};
    char url[600];
    for (unsigned pad = 0; pad < 4; pad++) {
        snprintf(url, sizeof url, "https://%sa.example/", pad % 2 == 0 ? "" : "u:p@"); /* prefix and copy */
        size_t begin = strlen(url);
        memset(url + begin, 'x', sizeof url - begin);
        for (size_t i = begin + pad; i + 2 < sizeof url - 1; i += 2)
            memcpy(url + i, "\xc3\xa4", 2);
        url[sizeof url - 1] = '\0';
        struct slice result = scrub_url(&scrub, slice_of(url, strlen(url) - 1));
        assert_true(result.size <= SCRUB_URL_BYTES_MAX && result.size >= SCRUB_URL_BYTES_MAX - 1);
        assert_true((result.data[result.size - 1] & 0xc0) != 0xc0); /* no lead byte without its second */
    }
}

static void test_scrub__an_origin_has_no_path(void **state)
{
    (void)state;
    struct scrub scrub = {0};
    assert_true(
        slice_equal(scrub_origin(&scrub, slice_text("https://u@a.example:1/x?y")), slice_text("https://a.example:1")));
    assert_int_equal(scrub_origin(&scrub, slice_text("data:x")).size, 0);
    assert_int_equal(scrub_origin(&scrub, slice_text("/x")).size, 0);
}

static void test_scrub__a_name_that_is_no_url_stays(void **state)
{
    (void)state;
    struct scrub scrub = {0};
    assert_true(slice_equal(scrub_name(&scrub, slice_text("IMG#id.onload")), slice_text("IMG#id.onload")));
    assert_true(slice_equal(scrub_name(&scrub, slice_text("DOMWindow.onclick?")), slice_text("DOMWindow.onclick?")));
    assert_true(slice_equal(scrub_name(&scrub, slice_text("https://a/x.js?y")), slice_text("https://a/x.js")));
}

static void expect_text(const char *text, const char *scrubbed)
{
    struct scrub scrub = {0};
    struct slice result = scrub_text(&scrub, slice_text(text));
    assert_int_equal(result.size, strlen(scrubbed));
    assert_memory_equal(result.data, scrubbed, result.size);
}

static void test_scrub__a_text_loses_what_its_urls_must_not_say(void **state)
{
    (void)state;
    expect_text("no url? here #1", "no url? here #1");
    expect_text("at f (https://a.example/x.js?v=1:10:5)\n at g (https://a.example/y.js:3:4)",
                "at f (https://a.example/x.js:10:5)\n at g (https://a.example/y.js:3:4)");
    expect_text("GET https://u:p@a.example/q?token=abc#x failed", "GET https://a.example/q failed");
    expect_text("https://a.example?t=1", "https://a.example");
    expect_text("https://a.example/p?n=12:34", "https://a.example/p:34"); /* may be a position: at most two numbers */
    expect_text("\"https://a/?b\",https://c/?d", "\"https://a/\",https://c/");
    expect_text("wss://a/x?y ://?", "wss://a/x ://");
}

static void test_scrub__a_text_is_cut_between_characters(void **state)
{
    (void)state;
    struct scrub scrub = {0};
    char text[3000];
    for (size_t pad = 0; pad < 2; pad++) {
        memset(text, 'x', sizeof text);
        memcpy(text + pad, "https://a/?b ", 13);
        for (size_t i = 13 + pad; i + 2 < sizeof text; i += 2)
            memcpy(text + i, "\xc3\xa4", 2);
        struct slice result = scrub_text(&scrub, slice_of(text, sizeof text - 2 + pad % 2));
        assert_true(result.size >= BEACON_STRING_BYTES_MAX - 1 && result.size <= BEACON_STRING_BYTES_MAX);
        assert_int_not_equal(result.data[result.size - 1], 0xc3);
    }
}

static void test_scrub__only_the_sdks_own_fragment_is_a_call_tag(void **state)
{
    (void)state;
    static const struct {
        const char *url;
        uint32_t tag;
    } cases[] = {{"/api#vt-7", 7},
                 {"#vt-1", 1},
                 {"/api?x=1#vt-999999999", 999999999},
                 {"/api#vt-1234567890", 0},
                 {"/api#vt-0000000001", 0},
                 {"/api#vt-0", 0},
                 {"/api#vt-", 0},
                 {"/api#vt-7x", 0},
                 {"/api#xvt-7", 0},
                 {"/api?vt-7", 0},
                 {"vt-7", 0},
                 {"7", 0},
                 {"", 0},
                 {"/api#vt-12#vt-3", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(scrub_call_tag(slice_text(cases[i].url)), cases[i].tag);
}

static void test_scrub__a_path_loses_what_is_personal(void **state)
{
    (void)state;
    expect_url("https://a.example/u/bob@b.example/orders?q", "https://a.example/u/[email]/orders");
    expect_url("/u/bob.smith%40b.example", "/u/[email]");
    expect_url("https://u:p@a.example/reset/0af7651916cd43dd8448eb211c80319c", "https://a.example/reset/[redacted]");
    expect_url("/p/12345678901234", "/p/12345678901234");
    expect_url("/a;jsessionid=F00BA4", "/a;jsessionid=[redacted]");
}

static void test_scrub__allowed_keys_of_a_query_survive_in_their_order(void **state)
{
    (void)state;
    struct scrub scrub = {0};
    scrub_set_query_keys(&scrub, slice_text("page utm_source  q"));
    static const char *const cases[][2] = {
        {"https://a/x?q=1&secret=2&page=3#f?q=4", "https://a/x?q=1&page=3"},
        {"https://u@a/x?qq=1&Q=2", "https://a/x"},
        {"/x?page&=1&&q=", "/x?page&q="},
        {"/x?q=bob@b.example&page=eyJh.eyJi.c", "/x?q=[email]&page=[token]"},
        {"/x#?q=1", "/x"},
        {"?q=1", "?q=1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_true(slice_equal(scrub_url(&scrub, slice_text(cases[i][0])), slice_text(cases[i][1])));
    assert_true(slice_equal(scrub_text(&scrub, slice_text("at https://a/x?q=1")), slice_text("at https://a/x")));
    scrub_set_query_keys(&scrub, slice_text(""));
    assert_true(slice_equal(scrub_url(&scrub, slice_text("/x?q=1")), slice_text("/x")));
}

static void test_scrub__a_key_that_does_not_fit_is_not_allowed(void **state)
{
    (void)state;
    char keys[SCRUB_QUERY_KEYS_BYTES_MAX + 3];
    memset(keys, 'k', sizeof keys);
    keys[4] = keys[8] = ' ';
    struct scrub scrub = {0};
    scrub_set_query_keys(&scrub, slice_of(keys, sizeof keys));
    assert_int_equal(scrub.query_keys_size, 8);
    keys[sizeof keys - 3] = ' ';
    scrub_set_query_keys(&scrub, slice_of(keys, sizeof keys));
    assert_int_equal(scrub.query_keys_size, SCRUB_QUERY_KEYS_BYTES_MAX);
}

static void test_scrub__a_query_ends_where_the_next_key_would_be_cut(void **state)
{
    (void)state;
    char url[700] = "/";
    struct scrub scrub = {0};
    scrub_set_query_keys(&scrub, slice_text("k kk"));
    for (size_t room = 0; room < 8; room++) {
        memset(url + 1, 'p', SCRUB_URL_BYTES_MAX);
        strcpy(url + SCRUB_URL_BYTES_MAX - room, "?kk=&k=1234");
        struct slice clean = scrub_url(&scrub, slice_text(url));
        assert_true(clean.size <= SCRUB_URL_BYTES_MAX);
        struct slice query = slice_of(clean.data + SCRUB_URL_BYTES_MAX - room, clean.size - (SCRUB_URL_BYTES_MAX - room));
        static const char *const left[] = {"", "", "", "", "?kk=", "?kk=", "?kk=", "?kk=&k="};
        assert_true(slice_equal(query, slice_text(left[room])));
    }
}

static void test_scrub__every_prefix_is_safe(void **state)
{
    (void)state;
    static const char url[] = "https://user:pass@a.example:8443/p/%20/x?y=1#z";
    for (size_t size = 0; size < sizeof url; size++) {
        struct scrub scrub = {0};
        struct slice result = scrub_url(&scrub, slice_of(url, size));
        assert_true(result.size <= size);
        assert_null(result.size > 0 ? memchr(result.data, '?', result.size) : NULL);
        result = scrub_text(&scrub, slice_of(url, size));
        assert_true(result.size <= size);
        assert_null(result.size > 0 ? memchr(result.data, '?', result.size) : NULL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scrub__drops_query_and_fragment),
        cmocka_unit_test(test_scrub__drops_user_information),
        cmocka_unit_test(test_scrub__reduces_what_is_not_hierarchical_to_its_scheme),
        cmocka_unit_test(test_scrub__cuts_between_characters),
        cmocka_unit_test(test_scrub__an_origin_has_no_path),
        cmocka_unit_test(test_scrub__a_name_that_is_no_url_stays),
        cmocka_unit_test(test_scrub__a_text_loses_what_its_urls_must_not_say),
        cmocka_unit_test(test_scrub__a_text_is_cut_between_characters),
        cmocka_unit_test(test_scrub__only_the_sdks_own_fragment_is_a_call_tag),
        cmocka_unit_test(test_scrub__a_path_loses_what_is_personal),
        cmocka_unit_test(test_scrub__allowed_keys_of_a_query_survive_in_their_order),
        cmocka_unit_test(test_scrub__a_key_that_does_not_fit_is_not_allowed),
        cmocka_unit_test(test_scrub__a_query_ends_where_the_next_key_would_be_cut),
        cmocka_unit_test(test_scrub__every_prefix_is_safe),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
