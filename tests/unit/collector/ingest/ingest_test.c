/* The handler behind a real listener, with a log that does what the test says. */
#include "collector/ingest/ingest.h"
#include "proto/wire/beacon_encode.h"
#include "tests/support/http_client.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A sink that answers at once with `result`, or holds appends until they are let go. */
struct fake_log {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum append_result result;
    bool holds;
    unsigned taken;
    struct append *held[128];
    uint8_t peer[16], payload[BEACON_BYTES_MAX];
    size_t payload_size;
    enum append_type type;
};

struct bench {
    struct fake_log log;
    struct counters counters;
    struct ingest *ingest;
    struct net_route route;
    struct net *net;
};

static void fake_take(void *context, struct append *append)
{
    struct fake_log *self = context;
    pthread_mutex_lock(&self->lock);
    assert_true(self->taken < sizeof self->held / sizeof self->held[0]);
    self->held[self->taken++] = append;
    memcpy(self->peer, append->peer, 16);
    memcpy(self->payload, append->payload.data, append->payload.size);
    self->payload_size = append->payload.size;
    self->type = append->type;
    bool holds = self->holds;
    append->result = self->result;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    if (!holds)
        append->done(append);
}

static void fake_wait(struct fake_log *self, unsigned taken)
{
    pthread_mutex_lock(&self->lock);
    while (self->taken < taken)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

static const char *const shop_origins[] = {"https://shop.example", "https://*.shop.example"};
static const struct ingest_app apps[] = {{.name = "shop", .origins = shop_origins, .origin_count = 2}, {.name = "open"}};
static const struct ingest_app only_shop[] = {{.name = "shop", .origins = shop_origins, .origin_count = 2}};

static void bench_start(struct bench *self, const struct ingest_app *app, size_t app_count)
{
    char error[256];
    *self = (struct bench){0};
    pthread_mutex_init(&self->log.lock, NULL);
    pthread_cond_init(&self->log.changed, NULL);
    self->ingest = ingest_new(&(struct ingest_options){
        .apps = app, .app_count = app_count, .sink = {&self->log, fake_take}, .counters = &self->counters});
    self->route =
        (struct net_route){NET_POST | NET_OPTIONS, "/v1/beacon", ingest_handle, self->ingest, INGEST_BODY_BYTES_MAX};
    self->net = net_start(&(struct net_options){.listen = "127.0.0.1:0",
                                                .threads = 2,
                                                .routes = &self->route,
                                                .route_count = 1,
                                                .counters = &self->counters},
                          error, sizeof error);
    assert_non_null(self->net);
}

static void bench_stop(struct bench *self)
{
    net_stop(self->net, 1000);
    ingest_free(self->ingest);
}

static size_t beacon_make(uint8_t out[512], const char *app, uint8_t view, uint32_t seq)
{
    vitrace_v1_Header header = vitrace_v1_Header_init_zero;
    header.schema_version = VITRACE_SCHEMA_VERSION;
    snprintf(header.app, sizeof header.app, "%s", app);
    memset(header.view_id, view, sizeof header.view_id);
    memset(header.session_id, 9, sizeof header.session_id);
    header.seq = seq;
    size_t size = beacon_encode_message(out, 512, 1, vitrace_v1_Header_fields, &header);
    assert_true(size > 0);
    return size;
}

static void post(struct bench *self, struct http_client *client, const char *headers, const void *body, size_t size)
{
    char head[1024];
    http_client_open(client, net_port(self->net));
    snprintf(head, sizeof head, "POST /v1/beacon HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n", headers, size);
    http_client_send_text(client, head);
    http_client_send(client, body, size);
}

static int ask(struct bench *self, const char *headers, const void *body, size_t size, struct http_reply *reply)
{
    struct http_client client;
    post(self, &client, headers, body, size);
    assert_true(http_client_read(&client, reply));
    http_client_close(&client);
    return reply->status;
}

static uint64_t count(const struct bench *self, enum counter id)
{
    return counters_find(&self->counters, id);
}

static void test_ingest__a_durable_beacon_is_204_with_the_bytes_unchanged(void **state)
{
    (void)state;
    struct bench bench;
    struct http_reply reply;
    uint8_t beacon[512];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    bench_start(&bench, NULL, 0);
    assert_int_equal(
        ask(&bench, "Content-Type: text/plain;charset=UTF-8\r\nOrigin: https://any.example\r\n", beacon, size, &reply),
        204);
    assert_int_equal(bench.log.payload_size, size);
    assert_memory_equal(bench.log.payload, beacon, size);
    assert_int_equal(bench.log.type, APPEND_BEACON);
    assert_string_equal(http_reply_header(&reply, "Access-Control-Allow-Origin"), "https://any.example");
    assert_string_equal(http_reply_header(&reply, "Access-Control-Allow-Credentials"), "true");
    assert_string_equal(http_reply_header(&reply, "Access-Control-Expose-Headers"), "Retry-After");
    assert_string_equal(http_reply_header(&reply, "Vary"), "Origin");
    assert_int_equal(count(&bench, COUNTER_BEACONS_ACKED), 1);
    assert_int_equal(count(&bench, COUNTER_BEACON_BYTES), size);
    bench_stop(&bench);
}

static void test_ingest__the_peer_is_cut_to_24_bits_before_it_is_appended(void **state)
{
    (void)state;
    static const uint8_t expected[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 0};
    struct bench bench;
    struct http_reply reply;
    uint8_t beacon[512];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    bench_start(&bench, NULL, 0);
    assert_int_equal(ask(&bench, "", beacon, size, &reply), 204);
    assert_memory_equal(bench.log.peer, expected, 16);
    bench_stop(&bench);
}

static void test_ingest__no_204_before_the_log_says_durable(void **state)
{
    (void)state;
    struct bench bench;
    struct http_client client;
    struct http_reply reply;
    uint8_t beacon[512];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    bench_start(&bench, NULL, 0);
    bench.log.holds = true;
    post(&bench, &client, "", beacon, size);
    fake_wait(&bench.log, 1);
    assert_int_equal(count(&bench, COUNTER_BEACONS_ACKED), 0);
    bench.log.held[0]->done(bench.log.held[0]);
    assert_true(http_client_read(&client, &reply));
    assert_int_equal(reply.status, 204);
    http_client_close(&client);
    bench_stop(&bench);
}

static void test_ingest__failures_of_the_log_are_503_with_a_readable_retry_after(void **state)
{
    (void)state;
    static const struct {
        enum append_result result;
        const char *code;
        int least, most;
    } table[] = {{APPEND_DISK_FULL, "disk_full", 10, 39},
                 {APPEND_IO_ERROR, "io_error", 1, 5},
                 {APPEND_STOPPING, "stopping", 1, 5}};
    struct bench bench;
    struct http_reply reply;
    uint8_t beacon[512];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    bench_start(&bench, only_shop, 1);
    for (size_t i = 0; i < 3; i++) {
        bench.log.result = table[i].result;
        uint64_t met = 0;
        for (unsigned n = 0; n < 24; n++) {
            assert_int_equal(ask(&bench, "Origin: https://shop.example\r\n", beacon, size, &reply), 503);
            assert_non_null(strstr(reply.body, table[i].code));
            int after = atoi(http_reply_header(&reply, "Retry-After"));
            assert_in_range(after, table[i].least, table[i].most);
            met |= UINT64_C(1) << after;
        }
        assert_true(__builtin_popcountll(met) >= 3); /* of 5 or 30: those who failed together come back apart */
        assert_string_equal(http_reply_header(&reply, "Access-Control-Allow-Origin"), "https://shop.example");
        assert_string_equal(http_reply_header(&reply, "Access-Control-Expose-Headers"), "Retry-After");
    }
    assert_int_equal(count(&bench, COUNTER_REJECTED_UNAVAILABLE), 72);
    bench.log.result = APPEND_DURABLE; /* what failed was not remembered: the retry is stored */
    assert_int_equal(ask(&bench, "Origin: https://shop.example\r\n", beacon, size, &reply), 204);
    assert_int_equal(bench.log.taken, 73);
    bench_stop(&bench);
}

static void test_ingest__a_stored_beacon_is_204_again_and_not_stored_again(void **state)
{
    (void)state;
    struct bench bench;
    struct http_reply reply;
    uint8_t beacon[512];
    bench_start(&bench, NULL, 0);
    size_t size = beacon_make(beacon, "shop", 1, 0);
    for (int i = 0; i < 5; i++)
        assert_int_equal(ask(&bench, "", beacon, size, &reply), 204);
    assert_int_equal(bench.log.taken, 1);
    assert_int_equal(count(&bench, COUNTER_BEACONS_DUPLICATE), 4);
    size = beacon_make(beacon, "shop", 1, 1);
    assert_int_equal(ask(&bench, "", beacon, size, &reply), 204);
    size = beacon_make(beacon, "shop", 2, 0);
    assert_int_equal(ask(&bench, "", beacon, size, &reply), 204);
    assert_int_equal(bench.log.taken, 3);
    bench_stop(&bench);
}

static void test_ingest__what_is_remembered_from_the_log_is_not_stored_again(void **state)
{
    (void)state;
    struct bench bench;
    struct http_reply reply;
    uint8_t beacon[512], view[16];
    size_t size = beacon_make(beacon, "shop", 3, 7);
    memset(view, 3, sizeof view);
    bench_start(&bench, NULL, 0);
    ingest_remember(bench.ingest, view, 7);
    assert_int_equal(ask(&bench, "", beacon, size, &reply), 204);
    assert_int_equal(bench.log.taken, 0);
    bench_stop(&bench);
}

/* Whichever copy came first is appended; the others wait, or find it stored when they were slow. */
static void test_ingest__copies_of_a_beacon_in_flight_get_its_result(void **state)
{
    (void)state;
    enum { COPIES = 5 };
    struct bench bench;
    struct http_client client[COPIES];
    struct http_reply reply;
    uint8_t beacon[512];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    bench_start(&bench, NULL, 0);
    bench.log.holds = true;
    for (int i = 0; i < COPIES; i++)
        post(&bench, &client[i], "", beacon, size);
    fake_wait(&bench.log, 1);
    while (count(&bench, COUNTER_BEACONS_RECEIVED) < COPIES)
        sched_yield();
    bench.log.held[0]->done(bench.log.held[0]);
    for (int i = 0; i < COPIES; i++) {
        assert_true(http_client_read(&client[i], &reply));
        assert_int_equal(reply.status, 204);
        http_client_close(&client[i]);
    }
    assert_int_equal(bench.log.taken, 1);
    assert_int_equal(count(&bench, COUNTER_BEACONS_ACKED), 1);
    assert_int_equal(count(&bench, COUNTER_BEACONS_DUPLICATE), COPIES - 1);
    bench_stop(&bench);
}

static void test_ingest__the_wait_ends_well_when_the_first_copys_client_is_gone(void **state)
{
    (void)state;
    struct bench bench;
    struct http_client first, second;
    struct http_reply reply;
    uint8_t beacon[512];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    bench_start(&bench, NULL, 0);
    bench.log.holds = true;
    post(&bench, &first, "", beacon, size);
    fake_wait(&bench.log, 1);
    http_client_reset(&first);
    post(&bench, &second, "", beacon, size);
    while (count(&bench, COUNTER_BEACONS_RECEIVED) < 2)
        sched_yield();
    bench.log.held[0]->done(bench.log.held[0]);
    assert_true(http_client_read(&second, &reply));
    assert_int_equal(reply.status, 204);
    assert_int_equal(bench.log.taken, 1);
    http_client_close(&second);
    bench_stop(&bench);
}

static void test_ingest__every_verdict_of_the_decoder_has_its_status_name_and_counter(void **state)
{
    (void)state;
    static uint8_t large[BEACON_BYTES_MAX + 1];
    struct bench bench;
    struct http_reply reply;
    uint8_t beacon[1024];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    bench_start(&bench, NULL, 0);
    assert_int_equal(ask(&bench, "Origin: https://a.example\r\n", "", 0, &reply), 400);
    assert_string_equal(reply.body, "{\"error\":{\"code\":\"empty\",\"message\":\"The body is empty: send one vitrace.v1.Beacon.\"}}");
    assert_string_equal(http_reply_header(&reply, "Access-Control-Allow-Origin"), "https://a.example");
    assert_int_equal(count(&bench, COUNTER_REJECTED_EMPTY), 1);
    assert_int_equal(ask(&bench, "", large, sizeof large, &reply), 413);
    assert_int_equal(count(&bench, COUNTER_REJECTED_TOO_LARGE), 1);
    assert_int_equal(ask(&bench, "", beacon, size - 1, &reply), 400);
    assert_non_null(strstr(reply.body, "\"truncated\""));
    assert_int_equal(count(&bench, COUNTER_REJECTED_TRUNCATED), 1);
    assert_int_equal(ask(&bench, "", "\x0b", 1, &reply), 400); /* a group */
    assert_int_equal(count(&bench, COUNTER_REJECTED_MALFORMED), 1);
    assert_int_equal(ask(&bench, "", "\x12\x01x", 3, &reply), 400); /* a string alone */
    assert_int_equal(count(&bench, COUNTER_REJECTED_NO_HEADER), 1);
    size = beacon_make(beacon, "NOT an app", 1, 0);
    assert_int_equal(ask(&bench, "", beacon, size, &reply), 400);
    assert_int_equal(count(&bench, COUNTER_REJECTED_BAD_HEADER), 1);
    size = beacon_make(beacon, "shop", 1, 0);
    memcpy(beacon + size, "\x12\x01\xff", 3);
    assert_int_equal(ask(&bench, "", beacon, size + 3, &reply), 400);
    assert_int_equal(count(&bench, COUNTER_REJECTED_BAD_STRING), 1);
    memcpy(beacon + size, "\x1a\x02\x08\x05", 4); /* a resource whose name is string 5 of none */
    assert_int_equal(ask(&bench, "", beacon, size + 4, &reply), 400);
    assert_int_equal(count(&bench, COUNTER_REJECTED_BAD_REFERENCE), 1);
    assert_int_equal(bench.log.taken, 0);
    bench_stop(&bench);
}

static void test_ingest__every_strict_prefix_of_a_beacon_is_refused_and_never_appended(void **state)
{
    (void)state;
    struct bench bench;
    struct http_reply reply;
    uint8_t beacon[512];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    bench_start(&bench, NULL, 0);
    for (size_t prefix = 0; prefix < size; prefix++)
        assert_int_equal(ask(&bench, "", beacon, prefix, &reply), 400);
    assert_int_equal(bench.log.taken, 0);
    bench_stop(&bench);
}

static void test_ingest__only_the_media_types_of_senders_are_taken(void **state)
{
    (void)state;
    static const struct {
        const char *header;
        int status;
    } table[] = {{"", 204},
                 {"Content-Type: text/plain\r\n", 204},
                 {"Content-Type: Text/Plain ; charset=utf-8\r\n", 204},
                 {"Content-Type: application/x-protobuf\r\n", 204},
                 {"Content-Type: application/octet-stream\r\n", 204},
                 {"Content-Type: application/json\r\n", 415},
                 {"Content-Type: text/plainer\r\n", 415},
                 {"Content-Type: text\r\n", 415},
                 {"Content-Type: multipart/form-data; boundary=x\r\n", 415}};
    struct bench bench;
    struct http_reply reply;
    uint8_t beacon[512];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    bench_start(&bench, NULL, 0);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        assert_int_equal(ask(&bench, table[i].header, beacon, size, &reply), table[i].status);
    assert_int_equal(count(&bench, COUNTER_REJECTED_MEDIA_TYPE), 4);
    bench_stop(&bench);
}

static void test_ingest__apps_and_origins_are_checked_and_an_origin_is_echoed_only_when_let_in(void **state)
{
    (void)state;
    static const struct {
        const char *app, *origin;
        int status;
        bool echoed;
    } table[] = {
        {"shop", "https://shop.example", 204, true},
        {"shop", "https://eu.shop.example", 204, true},
        {"shop", "https://shop.example.evil.io", 403,
         false}, /* the open app knows any origin, shop does not let it in */
        {"shop", "null", 403, false},
        {"shop", NULL, 403, false},
        {"open", "https://any.example", 204, true},
        {"open", "null", 204, false},
        {"open", NULL, 204, false},
        {"other", "https://shop.example", 403, true},
    };
    struct bench bench;
    struct http_reply reply;
    uint8_t beacon[512];
    char origin[128];
    bench_start(&bench, apps, 2);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        size_t size = beacon_make(beacon, table[i].app, (uint8_t)(i + 1), 0);
        origin[0] = '\0';
        if (table[i].origin != NULL)
            snprintf(origin, sizeof origin, "Origin: %s\r\n", table[i].origin);
        assert_int_equal(ask(&bench, origin, beacon, size, &reply), table[i].status);
        assert_string_equal(http_reply_header(&reply, "Access-Control-Allow-Origin"),
                            table[i].echoed ? table[i].origin : "");
        assert_string_equal(http_reply_header(&reply, "Vary"), "Origin");
    }
    assert_int_equal(count(&bench, COUNTER_REJECTED_ORIGIN), 3);
    assert_int_equal(count(&bench, COUNTER_REJECTED_UNKNOWN_APP), 1);
    bench_stop(&bench);
}

static void test_ingest__an_origin_that_no_app_knows_is_refused_before_the_beacon_is_decoded(void **state)
{
    (void)state;
    struct bench bench;
    struct http_reply reply;
    bench_start(&bench, only_shop, 1);
    assert_int_equal(ask(&bench, "Origin: https://evil.io\r\n", "garbage", 7, &reply), 403);
    assert_int_equal(count(&bench, COUNTER_REJECTED_ORIGIN), 1);
    assert_int_equal(count(&bench, COUNTER_REJECTED_MALFORMED) + count(&bench, COUNTER_REJECTED_TRUNCATED), 0);
    bench_stop(&bench);
}

static void test_ingest__the_preflight_is_answered_for_known_origins_only(void **state)
{
    (void)state;
    struct bench bench;
    struct http_client client;
    struct http_reply reply;
    bench_start(&bench, only_shop, 1);
    http_client_open(&client, net_port(bench.net));
    http_client_send_text(&client, "OPTIONS /v1/beacon HTTP/1.1\r\nHost: x\r\nOrigin: "
                                   "https://shop.example\r\nAccess-Control-Request-Method: POST\r\n\r\n"
                                   "OPTIONS /v1/beacon HTTP/1.1\r\nHost: x\r\nOrigin: "
                                   "https://evil.io\r\nAccess-Control-Request-Method: POST\r\n\r\n");
    assert_true(http_client_read(&client, &reply));
    assert_int_equal(reply.status, 204);
    assert_string_equal(http_reply_header(&reply, "Access-Control-Allow-Origin"), "https://shop.example");
    assert_string_equal(http_reply_header(&reply, "Access-Control-Allow-Methods"), "POST");
    assert_string_equal(http_reply_header(&reply, "Access-Control-Allow-Headers"), "Content-Type, Content-Encoding");
    assert_true(http_client_read(&client, &reply));
    assert_int_equal(reply.status, 403);
    assert_string_equal(http_reply_header(&reply, "Access-Control-Allow-Origin"), "");
    http_client_close(&client);
    assert_int_equal(count(&bench, COUNTER_BEACONS_RECEIVED), 0);
    bench_stop(&bench);
}

static void test_ingest__app_problems_are_named(void **state)
{
    (void)state;
    static const char *const bad_origin[] = {"https://shop.example/path"};
    assert_null(ingest_app_problem(&apps[0]));
    assert_non_null(ingest_app_problem(&(struct ingest_app){.name = "Shop"}));
    assert_non_null(ingest_app_problem(&(struct ingest_app){.name = ""}));
    assert_non_null(ingest_app_problem(&(struct ingest_app){.name = "-a"}));
    assert_non_null(ingest_app_problem(&(struct ingest_app){.name = NULL}));
    assert_non_null(ingest_app_problem(&(struct ingest_app){.name = "shop", .origins = bad_origin, .origin_count = 1}));
}

static void test_ingest__a_new_policy_counts_for_the_next_request(void **state)
{
    (void)state;
    struct bench bench;
    struct http_reply reply;
    uint8_t beacon[512];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    static const struct ingest_app only_open[] = {{.name = "open"}};
    bench_start(&bench, only_open, 1);
    assert_int_equal(ask(&bench, "Origin: https://shop.example\r\n", beacon, size, &reply), 403);
    assert_true(ingest_set_policy(bench.ingest, &(struct ingest_options){.apps = apps, .app_count = 2}));
    assert_int_equal(ask(&bench, "Origin: https://shop.example\r\n", beacon, size, &reply), 204);
    const struct ingest_options tight = {.apps = apps, .app_count = 2, .limits = {.ip = {.per_second = 1, .burst = 1}}};
    assert_true(ingest_set_policy(bench.ingest, &tight));
    assert_int_equal(ask(&bench, "Origin: https://shop.example\r\n", beacon, size, &reply), 204);
    assert_int_equal(ask(&bench, "Origin: https://shop.example\r\n", beacon, size, &reply), 429);
    assert_true(ingest_set_policy(bench.ingest, &(struct ingest_options){.apps = only_open, .app_count = 1}));
    assert_int_equal(ask(&bench, "Origin: https://shop.example\r\n", beacon, size, &reply), 403);
    bench_stop(&bench);
}

struct sender {
    struct bench *bench;
    atomic_bool stop;
    unsigned answered, other;
};

/* A stored beacon again and again: 204 while its app is configured, 403 while it is not, nothing else. */
static void *send_many(void *context)
{
    struct sender *self = context;
    struct http_reply reply;
    uint8_t beacon[512];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    while (!atomic_load(&self->stop)) {
        int status = ask(self->bench, "Origin: https://shop.example\r\n", beacon, size, &reply);
        self->answered++;
        self->other += status != 204 && status != 403;
    }
    return NULL;
}

static void test_ingest__policies_change_while_requests_are_judged(void **state)
{
    (void)state;
    struct bench bench;
    struct http_reply reply;
    pthread_t thread[2];
    uint8_t beacon[512];
    size_t size = beacon_make(beacon, "shop", 1, 0);
    static const struct ingest_app only_open[] = {{.name = "open"}};
    bench_start(&bench, only_shop, 1);
    assert_int_equal(ask(&bench, "Origin: https://shop.example\r\n", beacon, size, &reply), 204);
    struct sender sender[2] = {{.bench = &bench}, {.bench = &bench}};
    for (unsigned i = 0; i < 2; i++)
        pthread_create(&thread[i], NULL, send_many, &sender[i]);
    for (unsigned i = 0; i < 300; i++)
        assert_true(ingest_set_policy(
            bench.ingest, &(struct ingest_options){.apps = i % 2 == 0 ? only_open : only_shop, .app_count = 1}));
    for (unsigned i = 0; i < 2; i++)
        atomic_store(&sender[i].stop, true);
    for (unsigned i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(sender[0].other + sender[1].other, 0);
    bench_stop(&bench);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ingest__a_durable_beacon_is_204_with_the_bytes_unchanged),
        cmocka_unit_test(test_ingest__the_peer_is_cut_to_24_bits_before_it_is_appended),
        cmocka_unit_test(test_ingest__no_204_before_the_log_says_durable),
        cmocka_unit_test(test_ingest__failures_of_the_log_are_503_with_a_readable_retry_after),
        cmocka_unit_test(test_ingest__a_stored_beacon_is_204_again_and_not_stored_again),
        cmocka_unit_test(test_ingest__what_is_remembered_from_the_log_is_not_stored_again),
        cmocka_unit_test(test_ingest__copies_of_a_beacon_in_flight_get_its_result),
        cmocka_unit_test(test_ingest__the_wait_ends_well_when_the_first_copys_client_is_gone),
        cmocka_unit_test(test_ingest__every_verdict_of_the_decoder_has_its_status_name_and_counter),
        cmocka_unit_test(test_ingest__every_strict_prefix_of_a_beacon_is_refused_and_never_appended),
        cmocka_unit_test(test_ingest__only_the_media_types_of_senders_are_taken),
        cmocka_unit_test(test_ingest__apps_and_origins_are_checked_and_an_origin_is_echoed_only_when_let_in),
        cmocka_unit_test(test_ingest__an_origin_that_no_app_knows_is_refused_before_the_beacon_is_decoded),
        cmocka_unit_test(test_ingest__the_preflight_is_answered_for_known_origins_only),
        cmocka_unit_test(test_ingest__app_problems_are_named),
        cmocka_unit_test(test_ingest__a_new_policy_counts_for_the_next_request),
        cmocka_unit_test(test_ingest__policies_change_while_requests_are_judged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
