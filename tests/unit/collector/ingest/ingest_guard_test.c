/* Who may send how much: rates, write keys, and whose address counts; behind a real listener, over a log that is quick. */
#include "collector/ingest/ingest_internal.h"
#include "proto/wire/beacon_encode.h"
#include "tests/support/http_client.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct guard {
    pthread_mutex_t lock;
    uint8_t peer[16]; /* of the last append */
    unsigned appended;
    uint32_t seq;
    struct counters counters;
    struct ingest *ingest;
    struct net_route route;
    struct net *net;
    struct http_client client;
};

static void guard_take(void *context, struct append *append)
{
    struct guard *self = context;
    pthread_mutex_lock(&self->lock);
    memcpy(self->peer, append->peer, 16);
    self->appended++;
    pthread_mutex_unlock(&self->lock);
    append->result = APPEND_DURABLE;
    append->done(append);
}

static void guard_start(struct guard *self, struct ingest_options options)
{
    char error[256];
    memset(self, 0, sizeof *self);
    pthread_mutex_init(&self->lock, NULL);
    options.sink = (struct append_sink){self, guard_take};
    options.counters = &self->counters;
    self->ingest = ingest_new(&options);
    self->route =
        (struct net_route){NET_POST | NET_OPTIONS, "/v1/beacon", ingest_handle, self->ingest, INGEST_BODY_BYTES_MAX};
    self->net = net_start(
        &(struct net_options){
            .listen = "127.0.0.1:0", .routes = &self->route, .route_count = 1, .counters = &self->counters},
        error, sizeof error);
    assert_non_null(self->net);
    http_client_open(&self->client, net_port(self->net));
}

static void guard_stop(struct guard *self)
{
    http_client_close(&self->client);
    net_stop(self->net, 1000);
    ingest_free(self->ingest);
}

/* A fresh beacon each time. */
static int guard_send(struct guard *self, const char *query, const char *headers, const char *app,
                      struct http_reply *reply)
{
    uint8_t beacon[512];
    char head[1024];
    vitrace_v1_Header header = vitrace_v1_Header_init_zero;
    header.schema_version = VITRACE_SCHEMA_VERSION;
    snprintf(header.app, sizeof header.app, "%s", app);
    memset(header.view_id, 1, sizeof header.view_id);
    memset(header.session_id, 9, sizeof header.session_id);
    header.seq = self->seq++;
    size_t size = beacon_encode_message(beacon, sizeof beacon, 1, vitrace_v1_Header_fields, &header);
    snprintf(head, sizeof head, "POST /v1/beacon%s HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n", query, headers,
             size);
    http_client_send_text(&self->client, head);
    http_client_send(&self->client, beacon, size);
    assert_true(http_client_read(&self->client, reply));
    return reply->status;
}

/* Beacon `seq` of view number `view`. */
static int guard_send_view(struct guard *self, uint8_t view, uint32_t seq, struct http_reply *reply)
{
    uint8_t beacon[512];
    char head[256];
    vitrace_v1_Header header = vitrace_v1_Header_init_zero;
    header.schema_version = VITRACE_SCHEMA_VERSION;
    snprintf(header.app, sizeof header.app, "shop");
    memset(header.view_id, view, sizeof header.view_id);
    memset(header.session_id, 9, sizeof header.session_id);
    header.seq = seq;
    size_t size = beacon_encode_message(beacon, sizeof beacon, 1, vitrace_v1_Header_fields, &header);
    snprintf(head, sizeof head,
             "POST /v1/beacon HTTP/1.1\r\nHost: x\r\nOrigin: https://any.example\r\nContent-Length: %zu\r\n\r\n", size);
    http_client_send_text(&self->client, head);
    http_client_send(&self->client, beacon, size);
    assert_true(http_client_read(&self->client, reply));
    return reply->status;
}

static uint64_t count(const struct guard *self, enum counter id)
{
    return counters_find(&self->counters, id);
}

/* Slower than a test sends, so the refusal comes; how many pass before it depends on the machine. */
static const struct ingest_rate_limit slow = {1, 3};

static void expect_rate_refusal(struct guard *self, const char *headers, const char *app, const char *code)
{
    struct http_reply reply;
    assert_int_equal(guard_send(self, "", headers, app, &reply), 429);
    assert_non_null(strstr(reply.body, code));
    int after = atoi(http_reply_header(&reply, "Retry-After"));
    assert_in_range(after, 1, 3);
    assert_true(reply.body_size <= 300);
}

/* Sends until refused: more than the burst may pass while time goes by, but not for ever. */
static unsigned send_until_refused(struct guard *self, const char *headers, const char *app)
{
    struct http_reply reply;
    unsigned taken = 0;
    while (guard_send(self, "", headers, app, &reply) == 204)
        taken++;
    assert_int_equal(reply.status, 429);
    return taken;
}

static void test_ingest__an_address_over_its_rate_is_429_with_a_readable_retry_after(void **state)
{
    (void)state;
    struct guard guard;
    guard_start(&guard, (struct ingest_options){.limits.ip = slow});
    unsigned taken = send_until_refused(&guard, "Origin: https://any.example\r\n", "shop");
    assert_true(taken >= 3);
    assert_int_equal(guard.appended, taken);
    assert_int_equal(count(&guard, COUNTER_RATE_IP), 1);
    assert_int_equal(count(&guard, COUNTER_RATE_APP) + count(&guard, COUNTER_RATE_GLOBAL), 0);
    guard_stop(&guard);
}

static void test_ingest__the_429_may_be_read_by_the_page_and_names_its_reason(void **state)
{
    (void)state;
    static const struct {
        struct ingest_options options;
        const char *code;
        enum counter counter;
    } table[] = {{{.limits.ip = {1, 1}}, "rate_ip", COUNTER_RATE_IP},
                 {{.limits.global = {1, 1}}, "rate_global", COUNTER_RATE_GLOBAL},
                 {{.limits.app = {1, 1}}, "rate_app", COUNTER_RATE_APP}};
    static const struct ingest_app apps[] = {{.name = "shop"}, {.name = "blog"}};
    for (size_t i = 0; i < 3; i++) {
        struct guard guard;
        struct ingest_options options = table[i].options;
        options.apps = apps;
        options.app_count = 2;
        guard_start(&guard, options);
        struct http_reply reply;
        unsigned tries = 0;
        while (guard_send(&guard, "", "Origin: https://any.example\r\n", "shop", &reply) == 204 && tries < 1000)
            tries++;
        assert_int_equal(reply.status, 429);
        assert_non_null(strstr(reply.body, table[i].code));
        assert_string_equal(http_reply_header(&reply, "Access-Control-Allow-Origin"), "https://any.example");
        assert_string_equal(http_reply_header(&reply, "Access-Control-Expose-Headers"), "Retry-After");
        assert_int_equal(count(&guard, table[i].counter), 1);
        guard_stop(&guard);
    }
}

static void test_ingest__one_app_over_its_rate_does_not_stop_another(void **state)
{
    (void)state;
    static const struct ingest_app apps[] = {{.name = "shop"}, {.name = "blog"}};
    struct guard guard;
    struct http_reply reply;
    guard_start(&guard, (struct ingest_options){.apps = apps, .app_count = 2, .limits.app = slow});
    send_until_refused(&guard, "", "shop");
    assert_int_equal(guard_send(&guard, "", "", "blog", &reply), 204);
    guard_stop(&guard);
}

static void test_ingest__a_forwarded_address_is_ignored_unless_proxies_are_trusted(void **state)
{
    (void)state;
    static const uint8_t loopback[16] = {[10] = 0xff, [11] = 0xff, [12] = 127};
    struct guard guard;
    struct http_reply reply;
    guard_start(&guard, (struct ingest_options){.limits.ip = {1, 1000}});
    for (unsigned i = 0; i < 1000; i++) {
        char forged[64];
        snprintf(forged, sizeof forged, "X-Forwarded-For: 10.0.%u.%u\r\n", i >> 8, i & 255);
        assert_int_equal(guard_send(&guard, "", forged, "shop", &reply), 204);
        assert_memory_equal(guard.peer, loopback, 16);
    }
    send_until_refused(&guard, "X-Forwarded-For: 10.9.9.9\r\n", "shop");
    expect_rate_refusal(&guard, "X-Forwarded-For: 10.8.8.8\r\n", "shop", "rate_ip");
    guard_stop(&guard);
}

static void expect_peer(struct guard *self, const char *headers, uint8_t a, uint8_t b, uint8_t c)
{
    struct http_reply reply;
    assert_int_equal(guard_send(self, "", headers, "shop", &reply), 204);
    const uint8_t expected[16] = {[10] = 0xff, [11] = 0xff, [12] = a, [13] = b, [14] = c};
    assert_memory_equal(self->peer, expected, 16);
}

static void test_ingest__behind_trusted_proxies_the_address_is_counted_from_the_right(void **state)
{
    (void)state;
    struct guard guard;
    guard_start(&guard, (struct ingest_options){.trusted_proxies = 2});
    expect_peer(&guard, "X-Forwarded-For: 6.6.6.6, 192.0.2.1, 10.0.0.1\r\n", 192, 0, 2);
    expect_peer(&guard, "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.1\r\nX-Forwarded-For: 10.0.0.1\r\n", 192, 0,
                2);
    expect_peer(&guard, "X-Forwarded-For: 6.6.6.6, 192.0.2.1\r\nX-Forwarded-For: 10.0.0.1\r\n", 192, 0, 2);
    expect_peer(&guard, "X-Forwarded-For: 10.0.0.1\r\n", 127, 0, 0);
    expect_peer(&guard, "X-Forwarded-For: 6.6.6.6, junk, 10.0.0.1\r\n", 127, 0, 0);
    expect_peer(&guard, "", 127, 0, 0);
    guard_stop(&guard);
}

static void test_ingest__behind_a_proxy_every_client_has_its_own_bucket(void **state)
{
    (void)state;
    struct guard guard;
    struct http_reply reply;
    guard_start(&guard, (struct ingest_options){.trusted_proxies = 1, .limits.ip = slow});
    send_until_refused(&guard, "X-Forwarded-For: 192.0.2.1\r\n", "shop");
    assert_int_equal(guard_send(&guard, "", "X-Forwarded-For: 192.0.2.1, 192.0.2.9\r\n", "shop", &reply), 204);
    guard_stop(&guard);
}

#define KEY_A "autumn-2026-aaaaaaaa"
#define KEY_B "winter-2026-bbbbbbbb"
#define KEY_C "blogs-key-cccccccccc"

static void test_ingest__an_app_with_keys_takes_each_of_them_and_nothing_else(void **state)
{
    (void)state;
    static const char *const shop_keys[] = {KEY_A, KEY_B}, *const blog_keys[] = {KEY_C};
    static const struct ingest_app apps[] = {{.name = "shop", .keys = shop_keys, .key_count = 2},
                                             {.name = "blog", .keys = blog_keys, .key_count = 1},
                                             {.name = "open"}};
    static const struct {
        const char *app, *query;
        int status;
    } table[] = {
        {"shop", "?k=" KEY_A, 204},          {"shop", "?k=" KEY_B, 204},
        {"shop", "?v=1&k=" KEY_B, 204},      {"shop", "?k=" KEY_C, 403},
        {"shop", "", 403},                   {"shop", "?k=", 403},
        {"shop", "?k=autumn-2026-aaaaaaa", 403}, {"shop", "?k=" KEY_A "a", 403},
        {"shop", "?K=" KEY_A, 403},          {"shop", "?k=" KEY_C "&k=" KEY_A, 403},
        {"blog", "?k=" KEY_C, 204},          {"blog", "?k=" KEY_A, 403},
        {"open", "", 204},                   {"open", "?k=" KEY_A, 204},
        {"none", "?k=" KEY_A, 403},
    };
    struct guard guard;
    struct http_reply reply;
    uint64_t refused = 0;
    guard_start(&guard, (struct ingest_options){.apps = apps, .app_count = 3});
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (guard_send(&guard, table[i].query, "", table[i].app, &reply) != table[i].status)
            fail_msg("%s%s: %d", table[i].app, table[i].query, reply.status);
        refused += table[i].status == 403 && strstr(reply.body, "\"key\"") != NULL;
        assert_null(strstr(reply.body, KEY_A)); /* an answer never reflects what was sent */
    }
    assert_int_equal(count(&guard, COUNTER_REJECTED_KEY), refused);
    assert_int_equal(count(&guard, COUNTER_REJECTED_KEY), 8);
    guard_stop(&guard);
}

static void test_ingest__keys_that_cannot_be_used_are_named(void **state)
{
    (void)state;
    static const char *const bad[] = {"", "short-key-15-by", "has spaces in it, alas", "percent%20sign-in-it",
                                      "12345678901234567890123456789012345678901234567890123456789012345"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_non_null(ingest_app_problem(&(struct ingest_app){.name = "shop", .keys = &bad[i], .key_count = 1}));
    static const char *const good[] = {"exactly-16-bytes", KEY_A};
    assert_null(ingest_app_problem(&(struct ingest_app){.name = "shop", .keys = good, .key_count = 2}));
}

#define VIEWS 100u

/* Whatever the windows do meanwhile: the level only falls, and slowly, while nothing waits. */
static void force_level(struct guard *self, uint32_t level)
{
    atomic_store(&self->ingest->shed.level, level);
    atomic_store(&self->ingest->shed.calm, 0);
}

static void test_ingest__overload_sheds_views_that_begin_and_keeps_those_under_way_whole(void **state)
{
    (void)state;
    struct guard guard;
    struct http_reply reply;
    unsigned refused = 0;
    bool kept[VIEWS];
    guard_start(&guard, (struct ingest_options){.trusted_proxies = 1}); /* so that no connection is paused */
    for (unsigned i = 0; i < VIEWS; i++) {
        force_level(&guard, 64);
        kept[i] = guard_send_view(&guard, (uint8_t)(i + 1), 0, &reply) == 204;
        refused += !kept[i];
        if (kept[i])
            continue;
        assert_int_equal(reply.status, 503);
        assert_non_null(strstr(reply.body, "\"shed\""));
        assert_in_range(strtoul(http_reply_header(&reply, "Retry-After"), NULL, 10), 2, 12);
        assert_string_equal(http_reply_header(&reply, "Access-Control-Expose-Headers"), "Retry-After");
    }
    assert_in_range(refused, 20, 80); /* half of them, by a random key: outside of it once in 10^9 runs */
    for (unsigned i = 0; i < VIEWS; i++) {
        force_level(&guard, 120);
        assert_int_equal(guard_send_view(&guard, (uint8_t)(i + 1), 1, &reply), kept[i] ? 204 : 503);
    }
    assert_int_equal(count(&guard, COUNTER_REJECTED_SHED), 2 * refused);
    assert_int_equal(guard.appended, 2 * (VIEWS - refused));
    guard_stop(&guard);
}

static void test_ingest__what_is_stored_is_answered_204_also_under_overload(void **state)
{
    (void)state;
    struct guard guard;
    struct http_reply reply;
    guard_start(&guard, (struct ingest_options){.trusted_proxies = 1});
    assert_int_equal(guard_send_view(&guard, 1, 0, &reply), 204);
    force_level(&guard, 120);
    assert_int_equal(guard_send_view(&guard, 1, 0, &reply), 204);
    assert_int_equal(guard.appended, 1);
    guard_stop(&guard);
}

static void test_ingest__without_memory_everything_is_refused_until_it_is_back(void **state)
{
    (void)state;
    struct guard guard;
    struct http_reply reply;
    struct memory memory;
    memory_init(&memory, 32u << 20);
    guard_start(&guard, (struct ingest_options){.trusted_proxies = 1, .memory = &memory});
    memory_divide(&memory);
    assert_int_equal(guard_send_view(&guard, 1, 0, &reply), 204);
    uint64_t raw = memory.row[MEMORY_RAW].most - memory_used(&memory, MEMORY_RAW), rest = memory_left(&memory) - raw;
    assert_true(memory_take(&memory, MEMORY_RAW, raw));
    assert_true(memory_take(&memory, MEMORY_BODIES, rest));
    while (guard_send_view(&guard, 1, 1, &reply) == 204) /* at the next look at it, within a window */
        ;
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.body, "\"shed\""));
    memory_give(&memory, MEMORY_RAW, raw);
    memory_give(&memory, MEMORY_BODIES, rest);
    while (guard_send_view(&guard, 1, 2, &reply) == 503)
        ;
    assert_int_equal(reply.status, 204);
    guard_stop(&guard);
    memory_release(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ingest__an_address_over_its_rate_is_429_with_a_readable_retry_after),
        cmocka_unit_test(test_ingest__the_429_may_be_read_by_the_page_and_names_its_reason),
        cmocka_unit_test(test_ingest__one_app_over_its_rate_does_not_stop_another),
        cmocka_unit_test(test_ingest__a_forwarded_address_is_ignored_unless_proxies_are_trusted),
        cmocka_unit_test(test_ingest__behind_trusted_proxies_the_address_is_counted_from_the_right),
        cmocka_unit_test(test_ingest__behind_a_proxy_every_client_has_its_own_bucket),
        cmocka_unit_test(test_ingest__an_app_with_keys_takes_each_of_them_and_nothing_else),
        cmocka_unit_test(test_ingest__keys_that_cannot_be_used_are_named),
        cmocka_unit_test(test_ingest__overload_sheds_views_that_begin_and_keeps_those_under_way_whole),
        cmocka_unit_test(test_ingest__what_is_stored_is_answered_204_also_under_overload),
        cmocka_unit_test(test_ingest__without_memory_everything_is_refused_until_it_is_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
