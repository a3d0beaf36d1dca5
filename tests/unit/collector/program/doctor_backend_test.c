#include "collector/command/doctor_backend.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define TRACE "0af7651916cd43dd8448eb211c80319c"
#define HEAD  "HTTP/1.1 200 OK\r\n"

static void expect_backend(const char *text, const char *origin, const char *path)
{
    struct doctor_backend backend;
    assert_true(doctor_backend_parse(text, &backend));
    assert_string_equal(backend.origin, origin);
    assert_string_equal(backend.path, path);
}

static void test_doctor_backend__an_address_is_split_into_origin_and_path(void **state)
{
    (void)state;
    expect_backend("http://127.0.0.1:8080", "http://127.0.0.1:8080", "/");
    expect_backend("https://shop.example/", "https://shop.example", "/");
    expect_backend("https://shop.example/p/3?q=1", "https://shop.example", "/p/3?q=1");
}

static void test_doctor_backend__what_is_no_address_is_refused(void **state)
{
    static const char *const bad[] = {"",         "shop.example", "/p",          "ftp://a/",     "http://",
                                      "http:///", "http://a/b c", "http://a/\r\nX", "http://a b/c"};
    struct doctor_backend backend;
    char text[DOCTOR_PATH_BYTES_MAX + 16] = "http://a";
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (doctor_backend_parse(bad[i], &backend))
            fail_msg("taken: %s", bad[i]);
    memset(text + 8, '/', DOCTOR_PATH_BYTES_MAX - 1);
    assert_true(doctor_backend_parse(text, &backend));
    text[8 + DOCTOR_PATH_BYTES_MAX - 1] = '/';
    assert_false(doctor_backend_parse(text, &backend));
}

static bool find(const char *head, char trace[33])
{
    struct doctor_answer answer;
    snprintf(answer.head, sizeof answer.head, "%s", head);
    return doctor_backend_find_trace(&answer, trace);
}

static void test_doctor_backend__the_trace_is_found_in_any_of_the_headers(void **state)
{
    char trace[33];
    (void)state;
    assert_true(find(HEAD "Server-Timing: db;dur=3\r\nserver-timing: cdn, TraceParent;desc=\"00-" TRACE
                          "-b7ad6b7169203331-01\"\r\n",
                     trace));
    assert_string_equal(trace, TRACE);
}

static void test_doctor_backend__no_prefix_of_a_head_names_a_trace_before_the_id_is_whole(void **state)
{
    static const char head[] = HEAD "Server-Timing: trace;desc=00-" TRACE "-b7ad6b7169203331-01\r\n";
    char text[sizeof head], trace[33];
    (void)state;
    for (size_t size = 0; size < sizeof head - 3; size++) {
        memcpy(text, head, size);
        text[size] = '\0';
        assert_false(find(text, trace));
    }
    assert_true(find(head, trace));
    assert_false(find(HEAD "X-Server-Timing: trace;desc=00-" TRACE "-b7ad6b7169203331-01\r\n", trace));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doctor_backend__an_address_is_split_into_origin_and_path),
        cmocka_unit_test(test_doctor_backend__what_is_no_address_is_refused),
        cmocka_unit_test(test_doctor_backend__the_trace_is_found_in_any_of_the_headers),
        cmocka_unit_test(test_doctor_backend__no_prefix_of_a_head_names_a_trace_before_the_id_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
