#include "collector/command/doctor_http.h"

#include "collector/net/net.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void test_doctor_http__an_endpoint_is_split(void **state)
{
    static const struct {
        const char *text, *host, *port;
        bool is_https, is_local;
    } cases[] = {{"http://127.0.0.1:4319", "127.0.0.1", "4319", false, true},
                 {"https://rum.example", "rum.example", "443", true, false},
                 {"https://rum.example/", "rum.example", "443", true, false},
                 {"http://rum.example", "rum.example", "80", false, false},
                 {"http://[::1]:80", "[::1]", "80", false, true},
                 {"http://a.localhost:1", "a.localhost", "1", false, true},
                 {"https://[2001:db8::1]", "[2001:db8::1]", "443", true, false}};
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct doctor_url url;
        if (!doctor_url_parse(cases[i].text, &url))
            fail_msg("%s", cases[i].text);
        assert_string_equal(url.host, cases[i].host);
        assert_string_equal(url.port, cases[i].port);
        assert_int_equal(url.is_https, cases[i].is_https);
        assert_int_equal(doctor_url_is_local(&url), cases[i].is_local);
    }
}

static void test_doctor_http__what_is_no_endpoint_is_refused(void **state)
{
    static const char *const bad[] = {
        "", "http://", "rum.example", "ftp://rum.example", "http://:80", "http://a:", "http://a:b", "http://a:123456",
        "http://a/path", "http://a@b", "http://a?b", "http://a b", "http://a\r\nX: y", "http://a#b", "https:///"};
    struct doctor_url url;
    char text[512] = "http://";
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (doctor_url_parse(bad[i], &url))
            fail_msg("taken: %s", bad[i]);
    memset(text + 7, 'a', DOCTOR_HOST_BYTES_MAX - 1);
    assert_true(doctor_url_parse(text, &url));
    text[7 + DOCTOR_HOST_BYTES_MAX - 1] = 'a';
    assert_false(doctor_url_parse(text, &url));
}

static void test_doctor_http__headers_are_found_by_their_whole_name(void **state)
{
    (void)state;
    struct doctor_answer answer = {.head = "HTTP/1.1 200 OK\r\nX-Vary: no\r\nVARY:  Origin \r\nVary: second\r\nEmpty:\r\n"};
    assert_string_equal(doctor_answer_header(&answer, "Vary"), "Origin ");
    assert_string_equal(doctor_answer_header(&answer, "Empty"), "");
    assert_string_equal(doctor_answer_header(&answer, "Var"), "");
}

static void show(void *context, struct net_exchange *exchange)
{
    (void)context;
    const struct net_header headers[] = {{"X-Seen", net_exchange_header(exchange, "origin").size > 0 ? "yes" : "no"}};
    net_reply(exchange, &(struct net_answer){.status = 200, .headers = headers, .header_count = 1});
}

static void test_doctor_http__asks_and_reads_the_head(void **state)
{
    (void)state;
    struct counters counters = {0};
    static struct doctor_answer answer;
    char error[256], text[64];
    const struct net_route route = {NET_GET | NET_POST, "/x", show, NULL, 10};
    struct net *net = net_start(
        &(struct net_options){.listen = "127.0.0.1:0", .routes = &route, .route_count = 1, .counters = &counters}, error,
        sizeof error);
    struct doctor_url url;
    snprintf(text, sizeof text, "http://127.0.0.1:%u", net_port(net));
    assert_true(doctor_url_parse(text, &url));
    const struct doctor_request post = {"POST", "/x", "Origin: https://a.example\r\n"}, get = {"GET", "/y", ""};
    assert_true(doctor_ask(&url, &post, &answer, error, sizeof error));
    assert_int_equal(answer.status, 200);
    assert_string_equal(doctor_answer_header(&answer, "x-seen"), "yes");
    assert_true(doctor_ask(&url, &get, &answer, error, sizeof error));
    assert_int_equal(answer.status, 404);
    net_stop(net, 1000);
    assert_false(doctor_ask(&url, &get, &answer, error, sizeof error));
    assert_true(strlen(error) > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_doctor_http__an_endpoint_is_split),
        cmocka_unit_test(test_doctor_http__what_is_no_endpoint_is_refused),
        cmocka_unit_test(test_doctor_http__headers_are_found_by_their_whole_name),
        cmocka_unit_test(test_doctor_http__asks_and_reads_the_head),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
