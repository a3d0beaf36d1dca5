/* Raw inboxes and compressed bodies behind a real listener, with a log that does what the test says. */
#include "collector/ingest/ingest.h"
#include "collector/raw/raw.h"
#include "proto/wire/beacon_encode.h"
#include "tests/support/http_client.h"
#include "tests/support/raw_builder.h"

#include <libdeflate.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define VIEW      0x0a0b0c0du
#define TAKEN_MAX 32u
#define SHOP      "Origin: https://shop.example\r\n"

/* Answers each append at once, the n-th as `result[n]` says, or holds them. */
struct fake_log {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool holds;
    unsigned taken;
    enum append_result result[TAKEN_MAX];
    struct append *held[TAKEN_MAX];
    uint8_t payload[TAKEN_MAX][BEACON_BYTES_MAX];
    size_t size[TAKEN_MAX];
    bool is_final[TAKEN_MAX];
};

static struct bench {
    struct fake_log log;
    struct counters counters;
    struct tally *duplicates;
    struct ingest *ingest;
    struct net_route route;
    struct net *net;
    struct rig *rig;
    struct raw_builder body;
} bench;

static void fake_take(void *context, struct append *append)
{
    struct fake_log *self = context;
    pthread_mutex_lock(&self->lock);
    assert_true(self->taken < TAKEN_MAX);
    unsigned at = self->taken++;
    memcpy(self->payload[at], append->payload.data, append->payload.size);
    self->size[at] = append->payload.size;
    self->is_final[at] = append->is_final;
    append->result = self->result[at];
    self->held[at] = append;
    bool holds = self->holds;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    if (!holds)
        append->done(append);
}

static void fake_wait(unsigned taken)
{
    pthread_mutex_lock(&bench.log.lock);
    while (bench.log.taken < taken)
        pthread_cond_wait(&bench.log.changed, &bench.log.lock);
    pthread_mutex_unlock(&bench.log.lock);
}

static const char *const origins[] = {"https://shop.example"};
static const struct ingest_app shop[] = {{.name = "shop", .origins = origins, .origin_count = 1}};
static const struct ingest_app other[] = {{.name = "other", .origins = origins, .origin_count = 1}};

static void bench_start(const struct ingest_app *app, size_t app_count)
{
    char error[256];
    memset(&bench, 0, sizeof bench);
    pthread_mutex_init(&bench.log.lock, NULL);
    pthread_cond_init(&bench.log.changed, NULL);
    bench.duplicates = tally_new(NULL);
    bench.rig = rig_new();
    assert_non_null(bench.rig);
    bench.ingest = ingest_new(&(struct ingest_options){.apps = app,
                                                       .app_count = app_count,
                                                       .sink = {&bench.log, fake_take},
                                                       .counters = &bench.counters,
                                                       .raw_wait_ms = 50,
                                                       .duplicates = bench.duplicates});
    bench.route =
        (struct net_route){NET_POST | NET_OPTIONS, "/v1/beacon", ingest_handle, bench.ingest, INGEST_BODY_BYTES_MAX};
    bench.net = net_start(&(struct net_options){.listen = "127.0.0.1:0",
                                                .threads = 2,
                                                .routes = &bench.route,
                                                .route_count = 1,
                                                .counters = &bench.counters},
                          error, sizeof error);
    assert_non_null(bench.net);
}

static int setup(void **state)
{
    (void)state;
    bench_start(NULL, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_stop(bench.net, 1000);
    ingest_free(bench.ingest);
    tally_free(bench.duplicates);
    rig_free(bench.rig);
    return 0;
}

static void post(struct http_client *client, const char *headers, struct slice body)
{
    char head[1024];
    http_client_open(client, net_port(bench.net));
    snprintf(head, sizeof head, "POST /v1/beacon HTTP/1.1\r\nHost: x\r\n%sContent-Length: %zu\r\n\r\n", headers,
             body.size);
    http_client_send_text(client, head);
    http_client_send(client, body.data, body.size);
}

static struct http_reply reply;

static int ask(const char *headers, struct slice body)
{
    struct http_client client;
    post(&client, headers, body);
    assert_true(http_client_read(&client, &reply));
    http_client_close(&client);
    return reply.status;
}

static uint64_t count(enum counter id)
{
    return counters_find(&bench.counters, id);
}

/* Body `seq` of the document: START when it is the first; a mark; with `view`, a second view, so a second beacon. */
static struct slice body_of(uint32_t seq, bool view, bool final)
{
    bench.rig->word_count = bench.rig->string_bytes = bench.rig->string_count = 0;
    if (seq == 0)
        raw_builder_start(bench.rig, VIEW);
    rig_put_mark(bench.rig, "mark", 100 + seq);
    if (view) {
        double *record = rig_record(bench.rig, INBOX_VIEW, INBOX_VIEW_WORDS);
        for (unsigned i = 0; i < 4; i++)
            record[INBOX_VIEW_VIEW_ID_0 + i] = 77 + seq;
        record[INBOX_VIEW_START_TIME] = 150;
        record[INBOX_VIEW_TYPE] = vitrace_v1_NavigationType_NAVIGATION_TYPE_ROUTE_CHANGE;
        record[INBOX_VIEW_HIDDEN] = 0;
    }
    raw_builder_begin(&bench.body, VIEW, seq, final, bench.rig->clock);
    raw_builder_batch(&bench.body, bench.rig);
    return raw_builder_bytes(&bench.body);
}

static struct slice gzip_of(struct slice in)
{
    static uint8_t packed[RAW_BUILDER_BYTES];
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(6);
    size_t size = libdeflate_gzip_compress(compressor, in.data, in.size, packed, sizeof packed);
    libdeflate_free_compressor(compressor);
    assert_true(size > 0);
    return slice_of(packed, size);
}

static struct slice beacon_of(uint8_t view, uint32_t seq)
{
    static uint8_t bytes[512];
    vitrace_v1_Header header = vitrace_v1_Header_init_zero;
    header.schema_version = VITRACE_SCHEMA_VERSION;
    snprintf(header.app, sizeof header.app, "shop");
    memset(header.view_id, view, sizeof header.view_id);
    memset(header.session_id, 9, sizeof header.session_id);
    header.seq = seq;
    return slice_of(bytes, beacon_encode_message(bytes, sizeof bytes, 1, vitrace_v1_Header_fields, &header));
}

static vitrace_v1_Header header_at(unsigned taken)
{
    struct beacon_summary summary;
    assert_int_equal(beacon_validate(slice_of(bench.log.payload[taken], bench.log.size[taken]), &summary), BEACON_OK);
    return summary.header;
}

static void test_ingest_raw__what_is_appended_are_plain_beacons(void **state)
{
    (void)state;
    assert_int_equal(ask("Content-Type: text/plain\r\n", body_of(0, false, false)), 204);
    assert_int_equal(ask("", gzip_of(body_of(1, false, true))), 204);
    assert_int_equal(bench.log.taken, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(header_at(i).seq, i);
        assert_int_equal(header_at(i).view_id[0], 0x0a);
        assert_int_equal(header_at(i).transport, vitrace_v1_Transport_TRANSPORT_RAW_INBOX);
        assert_true(bench.log.is_final[i] == (i == 1));
    }
    assert_int_equal(count(COUNTER_RAW_BODIES), 2);
    assert_int_equal(count(COUNTER_RAW_BEACONS), 2);
    assert_int_equal(count(COUNTER_BEACONS_ACKED), 2);
    assert_int_equal(count(COUNTER_BEACON_BYTES), bench.log.size[0] + bench.log.size[1]);
}

static void test_ingest_raw__a_query_string_never_reaches_the_log(void **state)
{
    (void)state;
    assert_int_equal(ask("", body_of(0, false, false)), 204);
    assert_non_null(memmem(bench.body.bytes, bench.body.size, "q=1", 3)); /* the page's own URL, raw */
    assert_null(memmem(bench.log.payload[0], bench.log.size[0], "q=1", 3));
}

static void test_ingest_raw__no_204_before_all_beacons_are_durable(void **state)
{
    (void)state;
    struct http_client client;
    bench.log.holds = true;
    post(&client, "", body_of(0, true, false));
    fake_wait(2);
    bench.log.held[1]->done(bench.log.held[1]);
    assert_int_equal(count(COUNTER_BEACONS_ACKED), 0);
    bench.log.held[0]->done(bench.log.held[0]);
    assert_true(http_client_read(&client, &reply));
    assert_int_equal(reply.status, 204);
    assert_int_equal(count(COUNTER_BEACONS_ACKED), 2);
    http_client_close(&client);
}

static void test_ingest_raw__copies_and_the_next_body_wait_for_the_one_on_its_way(void **state)
{
    (void)state;
    enum { COPIES = 3 };
    struct http_client client[COPIES + 1];
    bench.log.holds = true;
    post(&client[0], "", body_of(0, false, false));
    fake_wait(1);
    for (int i = 1; i < COPIES; i++)
        post(&client[i], "", body_of(0, false, false));
    post(&client[COPIES], "", body_of(1, false, true));
    while (count(COUNTER_BEACONS_RECEIVED) < COPIES + 1)
        sched_yield();
    assert_int_equal(bench.log.taken, 1);
    bench.log.held[0]->done(bench.log.held[0]);
    fake_wait(2);
    bench.log.held[1]->done(bench.log.held[1]);
    for (int i = 0; i <= COPIES; i++) {
        assert_true(http_client_read(&client[i], &reply));
        assert_int_equal(reply.status, 204);
        http_client_close(&client[i]);
    }
    assert_int_equal(bench.log.taken, 2);
    assert_int_equal(header_at(1).seq, 1);
    assert_int_equal(count(COUNTER_RAW_DUPLICATE), COPIES - 1);
}

static void test_ingest_raw__who_waits_is_served_also_when_the_first_client_is_gone(void **state)
{
    (void)state;
    struct http_client first, second;
    bench.log.holds = true;
    post(&first, "", body_of(0, false, false));
    fake_wait(1);
    http_client_reset(&first);
    post(&second, "", body_of(0, false, false));
    while (count(COUNTER_BEACONS_RECEIVED) < 2)
        sched_yield();
    bench.log.held[0]->done(bench.log.held[0]);
    assert_true(http_client_read(&second, &reply));
    assert_int_equal(reply.status, 204);
    http_client_close(&second);
    assert_int_equal(bench.log.taken, 1);
}

static void test_ingest_raw__after_a_failure_the_same_body_brings_the_same_beacons(void **state)
{
    (void)state;
    assert_int_equal(ask("", body_of(0, false, false)), 204);
    bench.log.result[1] = bench.log.result[2] = APPEND_DISK_FULL;
    assert_int_equal(ask(SHOP, body_of(1, true, false)), 503);
    assert_non_null(strstr(reply.body, "disk_full"));
    assert_in_range(atoi(http_reply_header(&reply, "Retry-After")), 10, 39);
    assert_int_equal(ask("", body_of(1, true, false)), 204);
    assert_int_equal(bench.log.taken, 5);
    for (unsigned i = 1; i < 3; i++) {
        assert_int_equal(bench.log.size[i], bench.log.size[i + 2]);
        assert_memory_equal(bench.log.payload[i], bench.log.payload[i + 2], bench.log.size[i]);
    }
    assert_int_equal(ask("", body_of(2, false, true)), 204);
    assert_int_equal(count(COUNTER_RAW_BODIES), 3);
}

static void test_ingest_raw__of_a_body_that_failed_in_part_only_the_rest_is_stored(void **state)
{
    (void)state;
    bench.log.result[1] = APPEND_IO_ERROR;
    assert_int_equal(ask("", body_of(0, true, false)), 503);
    assert_int_equal(ask("", body_of(0, true, false)), 204);
    assert_int_equal(bench.log.taken, 3);
    assert_int_equal(bench.log.size[1], bench.log.size[2]);
    assert_memory_equal(bench.log.payload[1], bench.log.payload[2], bench.log.size[1]);
    assert_int_equal(ask("", body_of(0, true, false)), 204);
    assert_int_equal(bench.log.taken, 3);
}

static void check_refusal(struct slice body, int status, const char *code, enum counter counter)
{
    uint64_t before = count(counter);
    assert_int_equal(ask(SHOP, body), status);
    assert_non_null(strstr(reply.body, code));
    assert_string_equal(http_reply_header(&reply, "Access-Control-Allow-Origin"), "https://shop.example");
    assert_int_equal(count(counter), before + 1);
}

static void test_ingest_raw__every_refusal_has_its_status_name_and_counter(void **state)
{
    (void)state;
    struct slice body = body_of(0, false, false);
    check_refusal(slice_of(body.data, body.size - 1), 400, "\"truncated\"", COUNTER_REJECTED_TRUNCATED);
    check_refusal(body_of(1, false, false), 409, "\"unknown_document\"", COUNTER_REJECTED_UNKNOWN_DOCUMENT);
    bench.body.bytes[4]++;
    check_refusal(raw_builder_bytes(&bench.body), 400, "\"bad_version\"", COUNTER_REJECTED_BAD_VERSION);
    body_of(0, false, false);
    bench.body.bytes[6] = 1;
    check_refusal(raw_builder_bytes(&bench.body), 400, "\"malformed\"", COUNTER_REJECTED_MALFORMED);
    body_of(0, false, false);
    bench.body.bytes[28]++;
    check_refusal(raw_builder_bytes(&bench.body), 400, "\"not_started\"", COUNTER_REJECTED_NOT_STARTED);
    memcpy(bench.body.bytes, "VTRI\2", 5);
    check_refusal(slice_of(bench.body.bytes, RAW_BODY_BYTES_MAX + 1), 413, "\"too_large\"", COUNTER_REJECTED_TOO_LARGE);
    assert_int_equal(ask("", body_of(0, false, false)), 204);
    assert_int_equal(ask("", body_of(2, false, false)), 204);
    check_refusal(body_of(1, false, false), 409, "\"out_of_order\"", COUNTER_REJECTED_OUT_OF_ORDER);
    assert_int_equal(count(COUNTER_RAW_MISSING), 1);
    assert_int_equal(bench.log.taken, 2);
}

static void test_ingest_raw__the_app_of_start_decides_who_may_send(void **state)
{
    (void)state;
    teardown(NULL);
    bench_start(other, 1);
    check_refusal(body_of(0, false, false), 403, "\"unknown_app\"", COUNTER_REJECTED_UNKNOWN_APP);
    while (count(COUNTER_RAW_DOCUMENTS) > 0)
        sched_yield(); /* the answer is given first */
    assert_true(ingest_set_policy(bench.ingest, &(struct ingest_options){.apps = shop, .app_count = 1}));
    assert_int_equal(ask(SHOP, body_of(0, false, false)), 204);
    assert_true(ingest_set_policy(bench.ingest, &(struct ingest_options){.apps = other, .app_count = 1}));
    check_refusal(body_of(1, false, false), 403, "\"unknown_app\"", COUNTER_REJECTED_UNKNOWN_APP);
    assert_true(ingest_set_policy(bench.ingest, &(struct ingest_options){.apps = shop, .app_count = 1}));
    assert_int_equal(ask(SHOP, body_of(1, false, false)), 204);
    assert_int_equal(bench.log.taken, 2);
}

static void test_ingest_raw__a_compressed_beacon_is_stored_plain_and_is_the_same_beacon(void **state)
{
    (void)state;
    struct slice plain = beacon_of(1, 0);
    assert_int_equal(ask("", gzip_of(plain)), 204);
    assert_int_equal(bench.log.size[0], plain.size);
    assert_memory_equal(bench.log.payload[0], plain.data, plain.size);
    assert_int_equal(ask("", plain), 204);
    assert_int_equal(ask("Content-Encoding: gzip\r\n", gzip_of(plain)), 204);
    assert_int_equal(bench.log.taken, 1);
    check_refusal(slice_of(gzip_of(plain).data, 20), 400, "\"compressed\"", COUNTER_REJECTED_COMPRESSED);
    assert_int_equal(ask("Content-Encoding: zstd\r\n", gzip_of(plain)), 400);
    assert_non_null(strstr(reply.body, "\"encoding_mismatch\""));
    assert_int_equal(ask("Content-Encoding: br\r\n", plain), 415);
    assert_int_equal(count(COUNTER_REJECTED_ENCODING), 2);
}

static void test_ingest_raw__duplicates_are_told_by_their_view(void **state)
{
    (void)state;
    uint32_t size;
    for (int i = 0; i < 3; i++)
        assert_int_equal(ask("", beacon_of(5, 1)), 204);
    const struct tally_count *told = tally_take(bench.duplicates, &size);
    assert_int_equal(size, 1);
    assert_int_equal(told->count, 2);
    assert_int_equal(told->id[15], 5);
}

static void test_ingest_raw__each_snapshot_of_a_view_is_stored(void **state)
{
    (void)state;
    for (unsigned i = 1; i <= 3; i++) {
        assert_int_equal(ask("", beacon_of(5, UINT32_MAX)), 204);
        assert_int_equal(bench.log.taken, i);
    }
    assert_int_equal(count(COUNTER_BEACONS_DUPLICATE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(test_ingest_raw__##name, setup, teardown)
        TEST(what_is_appended_are_plain_beacons),
        TEST(a_query_string_never_reaches_the_log),
        TEST(no_204_before_all_beacons_are_durable),
        TEST(copies_and_the_next_body_wait_for_the_one_on_its_way),
        TEST(who_waits_is_served_also_when_the_first_client_is_gone),
        TEST(after_a_failure_the_same_body_brings_the_same_beacons),
        TEST(of_a_body_that_failed_in_part_only_the_rest_is_stored),
        TEST(every_refusal_has_its_status_name_and_counter),
        TEST(the_app_of_start_decides_who_may_send),
        TEST(a_compressed_beacon_is_stored_plain_and_is_the_same_beacon),
        TEST(duplicates_are_told_by_their_view),
        TEST(each_snapshot_of_a_view_is_stored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
