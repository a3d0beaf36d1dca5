/* POST /v1/traces over a real socket, with a sink that the test scripts. Nothing here waits by time. */
#include "collector/otlp/otlp_internal.h"
#include "tests/unit/collector/otlp/otlp_message.h"

#include "otlp/trace.pb.h"

#include <arpa/inet.h>
#include <libdeflate.h>
#include <netinet/in.h>
#include <pb_decode.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <zstd.h>

#include <cmocka.h>

#define GOLDEN      "tests/golden/otlp/sdk_trace.bin"
#define GOLDEN_GZ   "tests/golden/otlp/sdk_trace.bin.gz"
#define GOLDEN_JSON "tests/golden/otlp/sdk_trace.json"
#define PROTOBUF    "application/x-protobuf"

struct fixture {
    struct net *net;
    struct otlp *otlp;
    struct counters counters;
    enum append_result result; /* what the sink answers */
    bool hold;                 /* keep the append until the test says so */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct append *held;
    unsigned taken;
    uint8_t payload[65536];
    size_t payload_size;
    struct append seen; /* a copy of the last */
};

static struct fixture fixture;
static struct net_route routes[1];

/* On the net's thread, like the log's: answers at once, or leaves it to the test's thread. */
static void sink_take(void *context, struct append *append)
{
    struct fixture *self = context;
    pthread_mutex_lock(&self->lock);
    self->taken++;
    self->payload_size = append->payload.size < sizeof self->payload ? append->payload.size : sizeof self->payload;
    memcpy(self->payload, append->payload.data, self->payload_size);
    self->seen = *append;
    append->result = self->result;
    bool hold = self->hold;
    self->held = append;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
    if (!hold)
        append->done(append);
}

static int setup(void **state)
{
    (void)state;
    char error[256] = "";
    memset(&fixture, 0, sizeof fixture);
    pthread_mutex_init(&fixture.lock, NULL);
    pthread_cond_init(&fixture.changed, NULL);
    fixture.otlp = otlp_new((struct append_sink){&fixture, sink_take}, &fixture.counters, NULL);
    routes[0] = (struct net_route){NET_POST, "/v1/traces", otlp_handle, fixture.otlp, OTLP_REQUEST_BYTES_MAX};
    fixture.net = net_start(
        &(struct net_options){
            .listen = "127.0.0.1:0", .routes = routes, .route_count = 1, .counters = &fixture.counters},
        error, sizeof error);
    if (fixture.net == NULL)
        fail_msg("%s", error);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    net_stop(fixture.net, 1000);
    assert_int_equal(atomic_load(&fixture.otlp->bodies.bytes), 0);
    otlp_free(fixture.otlp);
    return 0;
}

struct reply {
    int status;
    char head[4096];
    uint8_t body[8192];
    size_t body_size;
};

static int client_connect(void)
{
    int client = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)net_port(fixture.net)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    assert_int_equal(connect(client, (struct sockaddr *)&address, sizeof address), 0);
    struct timeval limit = {.tv_sec = 20}; /* a hang fails the test */
    setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    return client;
}

static void client_send(int client, const void *data, size_t size)
{
    while (size > 0) {
        ssize_t sent = send(client, data, size, MSG_NOSIGNAL);
        assert_true(sent > 0);
        data = (const char *)data + sent;
        size -= (size_t)sent;
    }
}

static int client_post(const char *headers, struct slice body)
{
    char head[1024];
    int client = client_connect();
    int size = snprintf(head, sizeof head,
                        "POST /v1/traces HTTP/1.1\r\nHost: t\r\nConnection: close\r\n%sContent-Length: %zu\r\n\r\n",
                        headers, body.size);
    client_send(client, head, (size_t)size);
    client_send(client, body.data, body.size);
    return client;
}

static void client_receive(int client, struct reply *reply)
{
    static char data[65536];
    size_t size = 0;
    ssize_t got;
    while (size < sizeof data - 1 && (got = recv(client, data + size, sizeof data - 1 - size, 0)) > 0)
        size += (size_t)got;
    close(client);
    data[size] = '\0';
    char *end = strstr(data, "\r\n\r\n");
    assert_non_null(end);
    *end = '\0';
    assert_true((size_t)(end - data) < sizeof reply->head);
    memcpy(reply->head, data, (size_t)(end - data) + 1);
    assert_int_equal(sscanf(data, "HTTP/1.1 %d", &reply->status), 1);
    reply->body_size = size - (size_t)(end + 4 - data);
    assert_true(reply->body_size < sizeof reply->body);
    memcpy(reply->body, end + 4, reply->body_size);
}

static void post(const char *headers, struct slice body, struct reply *reply)
{
    client_receive(client_post(headers, body), reply);
}

static bool head_has(const struct reply *reply, const char *line)
{
    return strcasestr(reply->head, line) != NULL;
}

static struct slice file_read(const char *path, uint8_t *data, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(data, 1, room, file);
    fclose(file);
    return slice_of(data, size);
}

static uint64_t counted(enum counter id)
{
    return counters_find(&fixture.counters, id);
}

#define AS_PROTOBUF "Content-Type: " PROTOBUF "\r\n"
#define AS_JSON     "Content-Type: application/json\r\n"
#define AS_GZIP     AS_PROTOBUF "Content-Encoding: gzip\r\n"

static void expect_status(const struct reply *reply, int http, int grpc)
{
    vitrace_otlp_RpcStatus status = vitrace_otlp_RpcStatus_init_zero;
    pb_istream_t stream = pb_istream_from_buffer(reply->body, reply->body_size);
    assert_int_equal(reply->status, http);
    assert_true(head_has(reply, "Content-Type: " PROTOBUF));
    assert_true(pb_decode(&stream, vitrace_otlp_RpcStatus_fields, &status));
    assert_int_equal(status.code, grpc);
    assert_true(strlen(status.message) > 10);
}

static void test_otlp_handle__durable_spans_are_answered_200_with_an_empty_response(void **state)
{
    (void)state;
    uint8_t data[4096];
    struct reply reply;
    struct slice golden = file_read(GOLDEN, data, sizeof data);
    post(AS_PROTOBUF, golden, &reply);
    assert_int_equal(reply.status, 200);
    assert_true(head_has(&reply, "Content-Type: " PROTOBUF));
    assert_int_equal(reply.body_size, 0);
    assert_int_equal(fixture.seen.type, APPEND_SPANS);
    assert_true(slice_equal(golden, slice_of(fixture.payload, fixture.payload_size)));
    assert_true(fixture.seen.received_unix_us > 1700000000000000ull);
    assert_memory_equal(fixture.seen.peer, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\0", 16); /* 127.0.0.0/24 */
    assert_int_equal(counted(COUNTER_SPANS_REQUESTS), 1);
    assert_int_equal(counted(COUNTER_SPANS_ACCEPTED), 3);
    assert_int_equal(counted(COUNTER_SPANS_REJECTED), 0);
}

static void test_otlp_handle__gzip_of_the_official_sdk_is_stored_inflated(void **state)
{
    (void)state;
    uint8_t plain[4096], packed[4096];
    struct reply reply;
    struct slice golden = file_read(GOLDEN, plain, sizeof plain);
    post(AS_GZIP, file_read(GOLDEN_GZ, packed, sizeof packed), &reply);
    assert_int_equal(reply.status, 200);
    assert_true(slice_equal(golden, slice_of(fixture.payload, fixture.payload_size)));
    assert_int_equal(counted(COUNTER_SPANS_ACCEPTED), 3);
}

static void test_otlp_handle__nothing_is_answered_before_the_append_is_durable(void **state)
{
    (void)state;
    uint8_t data[4096];
    struct reply reply;
    fixture.hold = true;
    int client = client_post(AS_GZIP, file_read(GOLDEN_GZ, data, sizeof data));
    pthread_mutex_lock(&fixture.lock);
    while (fixture.held == NULL)
        pthread_cond_wait(&fixture.changed, &fixture.lock);
    pthread_mutex_unlock(&fixture.lock);
    char byte;
    assert_int_equal(recv(client, &byte, 1, MSG_DONTWAIT), -1);
    assert_int_equal(counted(COUNTER_SPANS_ACCEPTED), 0);
    assert_int_equal(atomic_load(&fixture.otlp->bodies.bytes), fixture.payload_size);
    fixture.held->done(fixture.held); /* on another thread than the net's */
    client_receive(client, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(counted(COUNTER_SPANS_ACCEPTED), 3);
}

static void test_otlp_handle__client_that_left_before_the_commit_harms_nothing(void **state)
{
    (void)state;
    uint8_t data[4096];
    struct reply reply;
    fixture.hold = true;
    int client = client_post(AS_GZIP, file_read(GOLDEN_GZ, data, sizeof data));
    pthread_mutex_lock(&fixture.lock);
    while (fixture.held == NULL)
        pthread_cond_wait(&fixture.changed, &fixture.lock);
    struct append *held = fixture.held;
    fixture.hold = false;
    pthread_mutex_unlock(&fixture.lock);
    close(client);
    held->done(held);
    post(AS_GZIP, file_read(GOLDEN_GZ, data, sizeof data), &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(fixture.taken, 2);
}

static unsigned retry_after(const struct reply *reply)
{
    static const char name[] = "Retry-After: ";
    const char *found = strstr(reply->head, name);
    return found == NULL ? 0 : (unsigned)strtoul(found + sizeof name - 1, NULL, 10);
}

static void test_otlp_handle__what_is_not_durable_is_503_with_retry_after(void **state)
{
    (void)state;
    static const enum append_result results[] = {APPEND_DISK_FULL, APPEND_IO_ERROR, APPEND_STOPPING};
    static const enum counter counters[] = {COUNTER_SPANS_DISK_FULL, COUNTER_SPANS_IO_ERROR, COUNTER_SPANS_STOPPING};
    static const unsigned least[] = {30, 5, 5};
    uint8_t data[4096];
    struct slice golden = file_read(GOLDEN, data, sizeof data);
    for (size_t i = 0; i < 3; i++) {
        uint64_t met = 0;
        fixture.result = results[i];
        for (unsigned n = 0; n < 100; n++) {
            struct reply reply;
            post(AS_PROTOBUF, golden, &reply);
            expect_status(&reply, 503, 14);
            unsigned seconds = retry_after(&reply);
            assert_in_range(seconds, least[i], 2 * least[i]);
            met |= UINT64_C(1) << seconds;
        }
        assert_true(__builtin_popcountll(met) >= 4); /* of 6 or 31: they do not come back together */
        assert_int_equal(counted(counters[i]), 100);
    }
    assert_int_equal(counted(COUNTER_SPANS_ACCEPTED), 0);
}

static void test_otlp_handle__bad_spans_are_a_partial_success(void **state)
{
    (void)state;
    static struct message good, bad, scope, spans, request;
    struct reply reply;
    good.size = bad.size = scope.size = spans.size = request.size = 0;
    message_ids(&good);
    message_bytes(&bad, 1, slice_of(TRACE_ID, 16));
    message_bytes(&scope, 2, message_slice(&good));
    message_bytes(&scope, 2, message_slice(&bad));
    message_bytes(&scope, 2, message_slice(&bad));
    message_bytes(&spans, 2, message_slice(&scope));
    message_bytes(&request, 1, message_slice(&spans));
    post(AS_PROTOBUF, message_slice(&request), &reply);
    vitrace_otlp_ExportTraceServiceResponse response = vitrace_otlp_ExportTraceServiceResponse_init_zero;
    pb_istream_t stream = pb_istream_from_buffer(reply.body, reply.body_size);
    assert_int_equal(reply.status, 200);
    assert_true(pb_decode(&stream, vitrace_otlp_ExportTraceServiceResponse_fields, &response));
    assert_int_equal(response.partial_success.rejected_spans, 2);
    assert_non_null(strstr(response.partial_success.error_message, "2 of 3 spans"));
    assert_int_equal(fixture.taken, 1);
    assert_int_equal(counted(COUNTER_SPANS_ACCEPTED), 1);
    assert_int_equal(counted(COUNTER_SPANS_REJECTED), 2);

    message_wrap_span(&request, message_slice(&bad));
    post(AS_PROTOBUF, message_slice(&request), &reply);
    assert_int_equal(reply.status, 200);
    assert_true(reply.body_size > 0);
    assert_int_equal(fixture.taken, 1); /* nothing in it to store */
}

static void test_otlp_handle__empty_request_is_200_and_not_stored(void **state)
{
    (void)state;
    struct reply reply;
    post(AS_PROTOBUF, slice_of("", 0), &reply);
    assert_int_equal(reply.status, 200);
    post(AS_GZIP, slice_of("", 0), &reply);
    assert_int_equal(reply.status, 200);
    post(AS_PROTOBUF, slice_of("\x0a\x00", 2), &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(reply.body_size, 0);
    assert_int_equal(fixture.taken, 0);
}

static void test_otlp_handle__content_type_and_encoding_decide_415(void **state)
{
    (void)state;
    uint8_t data[4096];
    struct reply reply;
    struct slice golden = file_read(GOLDEN, data, sizeof data);
    post("Content-Type: text/plain\r\n", golden, &reply);
    expect_status(&reply, 415, 12);
    post("", golden, &reply);
    expect_status(&reply, 415, 12);
    post(AS_PROTOBUF "Content-Encoding: br\r\n", golden, &reply);
    expect_status(&reply, 415, 12);
    assert_int_equal(counted(COUNTER_SPANS_MEDIA_TYPE), 2);
    assert_int_equal(counted(COUNTER_SPANS_ENCODING), 1);
    post("Content-Type: APPLICATION/x-protobuf ; v=1\r\nContent-Encoding: identity\r\n", golden, &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(fixture.taken, 1);
}

static void test_otlp_handle__malformed_bodies_are_400(void **state)
{
    (void)state;
    uint8_t data[4096];
    struct reply reply;
    struct slice golden = file_read(GOLDEN, data, sizeof data);
    post(AS_PROTOBUF, slice_of(golden.data, golden.size - 1), &reply);
    expect_status(&reply, 400, 3);
    post(AS_GZIP, golden, &reply);
    expect_status(&reply, 400, 3);
    struct slice packed = file_read(GOLDEN_GZ, data, sizeof data);
    post(AS_GZIP, slice_of(packed.data, packed.size - 1), &reply);
    expect_status(&reply, 400, 3);
    assert_int_equal(fixture.taken, 0);
}

static void test_otlp_handle__bomb_is_413_and_gives_its_memory_back(void **state)
{
    (void)state;
    size_t size = 64u << 20, room = 1u << 20;
    uint8_t *zeros = calloc(1, size), *packed = malloc(room);
    struct libdeflate_compressor *compressor = libdeflate_alloc_compressor(9);
    size_t used = libdeflate_gzip_compress(compressor, zeros, size, packed, room);
    libdeflate_free_compressor(compressor);
    struct reply reply;
    post(AS_GZIP, slice_of(packed, used), &reply);
    expect_status(&reply, 413, 8);
    assert_int_equal(atomic_load(&fixture.otlp->bodies.bytes), 0);
    free(zeros);
    free(packed);
}

static void test_otlp_handle__used_up_budget_is_503_and_asks_to_come_back_soon(void **state)
{
    (void)state;
    uint8_t data[4096];
    struct reply reply;
    struct slice packed = file_read(GOLDEN_GZ, data, sizeof data);
    atomic_store(&fixture.otlp->bodies.bytes, OTLP_BODY_BYTES_TOTAL_MAX);
    post(AS_GZIP, packed, &reply);
    expect_status(&reply, 503, 14);
    assert_in_range(retry_after(&reply), 1, 2);
    atomic_store(&fixture.otlp->bodies.bytes, 0);
    post(AS_GZIP, packed, &reply);
    assert_int_equal(reply.status, 200);
}

static void test_otlp_handle__json_of_the_official_sdk_is_stored_as_protobuf(void **state)
{
    (void)state;
    uint8_t data[16384];
    struct reply reply;
    struct otlp_reader reader;
    struct otlp_span span;
    post("Content-Type: Application/JSON; charset=utf-8\r\n", file_read(GOLDEN_JSON, data, sizeof data), &reply);
    assert_int_equal(reply.status, 200);
    assert_true(head_has(&reply, "Content-Type: application/json"));
    assert_int_equal(reply.body_size, 2);
    assert_memory_equal(reply.body, "{}", 2);
    assert_int_equal(counted(COUNTER_SPANS_ACCEPTED), 3);
    otlp_reader_init(&reader, slice_of(fixture.payload, fixture.payload_size));
    assert_int_equal(otlp_reader_next(&reader, &span), OTLP_SPAN);
    assert_true(slice_equal(span.service_name, slice_text("shop-api")));
    post("Content-Type: application/json\r\nContent-Encoding: gzip\r\n",
         file_read(GOLDEN_JSON ".gz", data, sizeof data), &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(fixture.taken, 2);
}

static void test_otlp_handle__json_is_answered_in_json(void **state)
{
    (void)state;
    struct reply reply;
    post(AS_JSON, slice_text("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"spanId\":\"zz\"}]}]}]}"), &reply);
    assert_int_equal(reply.status, 200);
    assert_memory_equal(reply.body, "{\"partialSuccess\":{\"rejectedSpans\":\"1\",\"errorMessage\":\"1 of 1", 61);
    post(AS_JSON, slice_text("{\"resourceSpans\":"), &reply);
    assert_int_equal(reply.status, 400);
    assert_true(head_has(&reply, "Content-Type: application/json"));
    assert_memory_equal(reply.body, "{\"code\":3,\"message\":\"", 21);
    post(AS_JSON "Content-Encoding: gzip\r\n", slice_text("{}"), &reply);
    assert_int_equal(reply.status, 400);
    post(AS_JSON, slice_text("{}"), &reply);
    assert_int_equal(reply.status, 200);
    assert_int_equal(fixture.taken, 0);
    atomic_store(&fixture.otlp->bodies.bytes, OTLP_BODY_BYTES_TOTAL_MAX);
    post(AS_JSON, slice_text("{}"), &reply);
    assert_int_equal(reply.status, 503);
    assert_in_range(retry_after(&reply), 1, 2);
    atomic_store(&fixture.otlp->bodies.bytes, 0);
}

static void test_otlp_handle__zstd_is_stored_inflated(void **state)
{
    (void)state;
    uint8_t data[4096], packed[4096];
    struct reply reply;
    struct slice golden = file_read(GOLDEN, data, sizeof data);
    size_t size = ZSTD_compress(packed, sizeof packed, golden.data, golden.size, 3);
    assert_false(ZSTD_isError(size));
    post(AS_PROTOBUF "Content-Encoding: zstd\r\n", slice_of(packed, size), &reply);
    assert_int_equal(reply.status, 200);
    assert_true(slice_equal(golden, slice_of(fixture.payload, fixture.payload_size)));
    post(AS_PROTOBUF "Content-Encoding: zstd\r\n", slice_of(packed, size - 1), &reply);
    expect_status(&reply, 400, 3);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_otlp_handle__##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(durable_spans_are_answered_200_with_an_empty_response),
        TEST(gzip_of_the_official_sdk_is_stored_inflated),
        TEST(nothing_is_answered_before_the_append_is_durable),
        TEST(client_that_left_before_the_commit_harms_nothing),
        TEST(what_is_not_durable_is_503_with_retry_after),
        TEST(bad_spans_are_a_partial_success),
        TEST(empty_request_is_200_and_not_stored),
        TEST(content_type_and_encoding_decide_415),
        TEST(malformed_bodies_are_400),
        TEST(bomb_is_413_and_gives_its_memory_back),
        TEST(used_up_budget_is_503_and_asks_to_come_back_soon),
        TEST(json_of_the_official_sdk_is_stored_as_protobuf),
        TEST(json_is_answered_in_json),
        TEST(zstd_is_stored_inflated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
