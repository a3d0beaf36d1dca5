#include <stdio.h>
#include <stdlib.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "collector/api/api_parameters.h"
#include "collector/base/rejects.h"
#include "tests/support/http_client.h"
#include "tests/support/index_fixture.h"

static int setup(void **state)
{
    struct index_fixture *fixture = calloc(1, sizeof *fixture);
    index_fixture_init(fixture);
    index_fixture_start(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    index_fixture_release(*state);
    free(*state);
    return 0;
}

static void check_error(struct index_fixture *fixture, const char *path, const char *query, int status,
                        const char *code)
{
    json_t *answer = index_fixture_ask(fixture, path, query, status);
    json_t *error = json_object_get(answer, "error");
    assert_string_equal(json_string_value(json_object_get(error, "code")), code);
    assert_true(json_string_length(json_object_get(error, "message")) > 0);
    json_decref(answer);
}

static void test_api__bad_parameters_are_refused(void **state)
{
    static const char *const bad[][2] = {
        {"views", ""},
        {"views", "app="},
        {"views", "app=Shop"},
        {"views", "app=a%00b"},
        {"views", "app=-shop"},
        {"views", "app=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}, /* 65 */
        {"views", "app=shop&limit=0"},
        {"views", "app=shop&limit=501"},
        {"views", "app=shop&limit=-1"},
        {"views", "app=shop&limit=ten"},
        {"views", "app=shop&limit="},
        {"views", "app=shop&limit=99999999999999999999999999999999999"},
        {"views", "app=shop&limit=%zz"},
        {"views", "app=shop&since=yesterday"},
        {"views", "app=shop&since=-1"},
        {"views", "app=shop&since=1e400"},
        {"views", "app=shop&since=999999999999999999999"},
        {"vitals", "app=shop"},
        {"vitals", "app=shop&metric=fid"},
        {"vitals", "app=shop&metric=LCP"},
        {"vitals", "app=shop&metric=lcp&group=country"},
        {"joins", ""},
        {"joins", "app=shop&since=x"},
        {"views/0101", ""},
        {"views/0101010101010101010101010101010g", ""},
        {"views/010101010101010101010101010101010", ""},
        {"views/ABABABABABABABABABABABABABABABAB", ""},
        {"traces/x", ""},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_error(*state, bad[i][0], bad[i][1], 400, "bad_parameter");
}

static void test_api__unknown_parameters_are_ignored(void **state)
{
    json_decref(index_fixture_ask(*state, "views", "xlimit=0&app=shop&color=blue&limits=9", 200));
    json_decref(index_fixture_ask(*state, "apps", "app=;DROP", 200));
}

static void test_api__the_bounds_themselves_are_good(void **state)
{
    json_decref(index_fixture_ask(*state, "views", "app=shop&limit=1", 200));
    json_decref(index_fixture_ask(*state, "views", "app=shop&limit=500&since=0", 200));
    json_decref(index_fixture_ask(*state, "views", "app=shop&since=1760000000000.25", 200));
    json_decref(index_fixture_ask(
        *state, "views", "app=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 200)); /* 64 */
}

static void test_api__other_paths_are_not_found(void **state)
{
    static const char *const path[] = {"",         "app",    "appss",   "apps/", "views/",
                                       "vitals/x", "traces", "traces/", "joins/"};
    for (size_t i = 0; i < sizeof path / sizeof path[0]; i++)
        check_error(*state, path[i], "app=shop", 404, "not_found");
    check_error(*state, "views/01010101010101010101010101010101", "", 404, "not_found");
}

static void test_api__since_defaults_to_a_day_ago(void **state)
{
    (void)state;
    struct api_problem problem = {NULL};
    uint64_t since_us;
    assert_true(api_parameter_since(slice_text(""), UINT64_C(1760000000000000), &since_us, &problem));
    assert_int_equal(since_us, UINT64_C(1760000000000000) - UINT64_C(86400000000));
    assert_true(api_parameter_since(slice_text(""), 5, &since_us, &problem));
    assert_int_equal(since_us, 0);
}

static struct reject refused(enum counter counter, const char *path)
{
    static const uint8_t peer[16] = {[10] = 0xff, [11] = 0xff, 192, 0, 2, 7};
    struct reject reject = {.cause = {counter, 403, "origin", "The app does not let this origin in."},
                            .unix_us = INDEX_FIXTURE_NOW_US,
                            .method = "POST"};
    reject_set_peer(&reject, peer);
    reject_set_path(&reject, slice_text(path), false);
    reject_set_origin(&reject, slice_text("https://other.example:8443"));
    reject_set_app(&reject, slice_text("shop"));
    reject_set_body(&reject, slice_text("\x0a\x04shop"), 0);
    return reject;
}

/* An API of its own: the fixture's keeps none. */
static json_t *ask_rejects(struct index_fixture *fixture, struct rejects *rejects)
{
    char error[256];
    struct buf out;
    struct api *api = api_new(
        &(struct api_options){.log = fixture->log, .store_path = fixture->index_path, .rejects = rejects}, error, sizeof error);
    if (!api)
        fail_msg("%s", error);
    buf_init(&out, API_ANSWER_BYTES_MAX);
    assert_int_equal(api_answer(api, slice_text("rejects"), slice_text(""), &out), 200);
    json_t *answer = json_loadb((const char *)out.data, out.size, 0, NULL);
    buf_release(&out);
    api_free(api);
    return answer;
}

static void assert_member(const json_t *object, const char *name, const char *expected)
{
    assert_string_equal(json_string_value(json_object_get(object, name)), expected);
}

static void test_api__rejects_are_told_without_what_is_somebodys(void **state)
{
    struct rejects *rejects = rejects_new();
    struct reject first = refused(COUNTER_REJECTED_ORIGIN, "/v1/beacon"), second = refused(COUNTER_HTTP_NOT_FOUND, "/u/ann@x");
    rejects_add(rejects, &first);
    rejects_add(rejects, &second);
    json_t *answer = ask_rejects(*state, rejects), *list = json_object_get(answer, "rejects");
    assert_int_equal(json_array_size(list), 2);
    assert_member(json_array_get(list, 0), "path", "/u/(redacted)");
    assert_member(json_array_get(list, 0), "series", "vitrace_http_bad_requests_total");
    const json_t *reject = json_array_get(list, 1);
    assert_member(reject, "reason", "origin");
    assert_member(reject, "series", "vitrace_beacons_rejected_total");
    assert_member(reject, "protocol", "http");
    assert_member(reject, "code", "origin");
    assert_member(reject, "message", "The app does not let this origin in.");
    assert_member(reject, "method", "POST");
    assert_member(reject, "app", "shop");
    assert_member(reject, "origin_host", "other.example");
    assert_member(reject, "peer", "192.0.2.0/24");
    assert_member(reject, "body_format", "protobuf");
    assert_int_equal(json_integer_value(json_object_get(reject, "status")), 403);
    assert_int_equal(json_integer_value(json_object_get(reject, "body_bytes")), 6);
    assert_true(json_number_value(json_object_get(reject, "time_unix_ms")) == (double)INDEX_FIXTURE_NOW_US / 1000);
    json_decref(answer);
    rejects_free(rejects);
}

static void test_api__rejects_are_an_empty_list_where_none_are_kept(void **state)
{
    json_t *answer = ask_rejects(*state, NULL);
    assert_int_equal(json_array_size(json_object_get(answer, "rejects")), 0);
    assert_true(json_is_array(json_object_get(answer, "rejects")));
    json_decref(answer);
}

static void ask_over_http(struct net *net, const char *request, struct http_reply *reply)
{
    struct http_client client;
    http_client_open(&client, net_port(net));
    http_client_send_text(&client, request);
    http_client_send_text(&client, " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_true(http_client_read(&client, reply));
    http_client_close(&client);
}

static void test_api__answers_over_http_may_not_be_cached_or_guessed_at(void **state)
{
    struct index_fixture *fixture = *state;
    static struct http_reply reply; /* 68 KiB */
    char error[256] = "";
    struct net_route route = {
        .methods = NET_GET | NET_HEAD, .path = API_PATH, .handle = api_handle, .context = fixture->api};
    struct net_options options = {
        .listen = "127.0.0.1:0", .routes = &route, .route_count = 1, .counters = &fixture->counters};
    struct net *net = net_start(&options, error, sizeof error);
    if (!net)
        fail_msg("%s", error);
    ask_over_http(net, "GET /api/v1/views?app=shop", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(http_reply_header(&reply, "Content-Type"), "application/json");
    assert_string_equal(http_reply_header(&reply, "X-Content-Type-Options"), "nosniff");
    assert_string_equal(http_reply_header(&reply, "Cache-Control"), "no-store");
    assert_int_equal(reply.body_size, strlen("{\"views\":[],\"truncated\":false}"));
    ask_over_http(net, "GET /api/v1/views", &reply);
    assert_int_equal(reply.status, 400);
    assert_string_equal(http_reply_header(&reply, "Content-Type"), "application/json");
    ask_over_http(net, "POST /api/v1/views?app=shop", &reply);
    assert_int_equal(reply.status, 405);
    net_stop(net, 1000);
}

/* All tables of the index go, behind the API's back. */
static void ruin_index(const struct index_fixture *fixture)
{
    sqlite3 *db = NULL;
    sqlite3_stmt *names = NULL;
    char drops[4096] = "";
    assert_int_equal(sqlite3_open(fixture->index_path, &db), SQLITE_OK);
    sqlite3_busy_timeout(db, 5000);
    sqlite3_prepare_v2(db, "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'", -1, &names, NULL);
    while (sqlite3_step(names) == SQLITE_ROW)
        snprintf(drops + strlen(drops), sizeof drops - strlen(drops), "DROP TABLE \"%s\";",
                 (const char *)sqlite3_column_text(names, 0));
    sqlite3_finalize(names);
    assert_int_equal(sqlite3_exec(db, drops, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
}

static void test_api__an_index_that_cannot_answer_is_503_and_asks_to_come_back_later(void **state)
{
    struct index_fixture *fixture = *state;
    static struct http_reply reply; /* 68 KiB */
    char error[256] = "";
    struct net_route route = {
        .methods = NET_GET | NET_HEAD, .path = API_PATH, .handle = api_handle, .context = fixture->api};
    struct net *net = net_start(&(struct net_options){.listen = "127.0.0.1:0",
                                                      .routes = &route,
                                                      .route_count = 1,
                                                      .counters = &fixture->counters},
                                error, sizeof error);
    unsigned met = 0;
    ask_over_http(net, "GET /api/v1/apps", &reply);
    assert_int_equal(reply.status, 200);
    assert_string_equal(http_reply_header(&reply, "Retry-After"), "");
    ruin_index(fixture);
    for (unsigned i = 0; i < 24; i++) {
        ask_over_http(net, "GET /api/v1/apps", &reply);
        assert_int_equal(reply.status, 503);
        assert_non_null(strstr(reply.body, "index_unavailable"));
        unsigned long seconds = strtoul(http_reply_header(&reply, "Retry-After"), NULL, 10);
        assert_in_range(seconds, 5, 10);
        met |= 1u << seconds;
    }
    assert_true((met & (met - 1)) != 0);
    net_stop(net, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_api__bad_parameters_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_api__unknown_parameters_are_ignored, setup, teardown),
        cmocka_unit_test_setup_teardown(test_api__the_bounds_themselves_are_good, setup, teardown),
        cmocka_unit_test_setup_teardown(test_api__other_paths_are_not_found, setup, teardown),
        cmocka_unit_test_setup_teardown(test_api__an_index_that_cannot_answer_is_503_and_asks_to_come_back_later, setup, teardown),
        cmocka_unit_test_setup_teardown(test_api__rejects_are_told_without_what_is_somebodys, setup, teardown),
        cmocka_unit_test_setup_teardown(test_api__rejects_are_an_empty_list_where_none_are_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_api__answers_over_http_may_not_be_cached_or_guessed_at, setup, teardown),
        cmocka_unit_test(test_api__since_defaults_to_a_day_ago),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
