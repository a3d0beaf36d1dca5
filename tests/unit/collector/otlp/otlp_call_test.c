/* Export over gRPC through a real socket, with a sink that the test scripts. Nothing here waits by time. */
#include "collector/otlp/otlp_internal.h"
#include "tests/support/grpc_client.h"

#include "otlp/trace.pb.h"

#include <pb_decode.h>
#include <pthread.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>
#include <zstd.h>

#define GOLDEN    "tests/golden/otlp/sdk_trace.bin"
#define GOLDEN_GZ "tests/golden/otlp/sdk_trace.bin.gz"

struct fixture {
    struct grpc *grpc;
    struct grpc_method method;
    struct otlp *otlp;
    struct counters counters;
    struct grpc_client client;
    enum append_result result; /* what the sink answers */
    bool hold;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct append *held;
    unsigned taken;
    uint8_t payload[8192];
    size_t payload_size;
    uint8_t peer[16];
};

static struct fixture fixture;
static uint8_t frame[OTLP_REQUEST_BYTES_MAX + 64];

static void sink_take(void *context, struct append *append)
{
    struct fixture *self = context;
    pthread_mutex_lock(&self->lock);
    self->taken++;
    self->payload_size = append->payload.size < sizeof self->payload ? append->payload.size : sizeof self->payload;
    memcpy(self->payload, append->payload.data, self->payload_size);
    memcpy(self->peer, append->peer, sizeof self->peer);
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
    fixture.method = (struct grpc_method){OTLP_EXPORT_METHOD, otlp_call, fixture.otlp, OTLP_REQUEST_BYTES_MAX};
    fixture.grpc = grpc_start(
        &(struct grpc_options){
            .listen = "127.0.0.1:0", .methods = &fixture.method, .method_count = 1, .counters = &fixture.counters},
        error, sizeof error);
    if (fixture.grpc == NULL)
        fail_msg("%s", error);
    grpc_client_open(&fixture.client, grpc_port(fixture.grpc));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    grpc_client_close(&fixture.client);
    grpc_stop(fixture.grpc, 1000);
    assert_int_equal(atomic_load(&fixture.otlp->bodies.bytes), 0);
    otlp_free(fixture.otlp);
    return 0;
}

static struct slice file_read(const char *path, uint8_t *data, size_t room)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    size_t size = fread(data, 1, room, file);
    fclose(file);
    return slice_of(data, size);
}

static struct grpc_client_call export_of(struct slice message, const char *encoding)
{
    return (struct grpc_client_call){
        .path = OTLP_EXPORT_METHOD, .encoding = encoding, .body = grpc_client_frame(frame, encoding != NULL, message)};
}

static void expect_status(struct slice message, const char *encoding, int status)
{
    struct grpc_client_call call = export_of(message, encoding);
    assert_true(grpc_client_run(&fixture.client, &call));
    assert_int_equal(call.http_status, 200);
    assert_int_equal(call.grpc_status, status);
    assert_true(status == GRPC_OK || strlen(call.text) > 10);
}

static uint64_t counted(enum counter id)
{
    return counters_find(&fixture.counters, id);
}

static void test_otlp_call__durable_spans_are_ok_with_an_empty_response(void **state)
{
    (void)state;
    uint8_t data[4096];
    struct slice golden = file_read(GOLDEN, data, sizeof data);
    struct grpc_client_call call = export_of(golden, NULL);
    assert_true(grpc_client_run(&fixture.client, &call));
    assert_int_equal(call.grpc_status, GRPC_OK);
    assert_int_equal(call.message_size, 5);
    assert_memory_equal(call.message, "\0\0\0\0\0", 5);
    assert_true(slice_equal(golden, slice_of(fixture.payload, fixture.payload_size)));
    assert_memory_equal(fixture.peer, "\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\0", 16);
    assert_int_equal(counted(COUNTER_SPANS_ACCEPTED), 3);
}

static void test_otlp_call__gzip_is_stored_inflated(void **state)
{
    (void)state;
    uint8_t plain[4096], packed[4096];
    struct slice golden = file_read(GOLDEN, plain, sizeof plain);
    expect_status(file_read(GOLDEN_GZ, packed, sizeof packed), "gzip", GRPC_OK);
    assert_true(slice_equal(golden, slice_of(fixture.payload, fixture.payload_size)));
}

static void test_otlp_call__nothing_is_answered_before_the_append_is_durable(void **state)
{
    (void)state;
    uint8_t data[4096];
    fixture.hold = true;
    struct grpc_client_call call = export_of(file_read(GOLDEN_GZ, data, sizeof data), "gzip");
    grpc_client_start(&fixture.client, &call);
    pthread_mutex_lock(&fixture.lock);
    while (fixture.held == NULL)
        pthread_cond_wait(&fixture.changed, &fixture.lock);
    pthread_mutex_unlock(&fixture.lock);
    assert_int_equal(counted(COUNTER_SPANS_ACCEPTED), 0);
    assert_false(call.closed);
    fixture.held->done(fixture.held); /* on another thread than the loop's */
    assert_true(grpc_client_wait(&fixture.client, &call));
    assert_int_equal(call.grpc_status, GRPC_OK);
    assert_int_equal(counted(COUNTER_SPANS_ACCEPTED), 3);
}

static void test_otlp_call__what_is_not_durable_is_unavailable(void **state)
{
    (void)state;
    static const enum append_result results[] = {APPEND_DISK_FULL, APPEND_IO_ERROR, APPEND_STOPPING};
    uint8_t data[4096];
    struct slice golden = file_read(GOLDEN, data, sizeof data);
    for (size_t i = 0; i < 3; i++) {
        fixture.result = results[i];
        expect_status(golden, NULL, GRPC_UNAVAILABLE);
    }
    fixture.result = APPEND_TOO_LARGE;
    expect_status(golden, NULL, GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(counted(COUNTER_SPANS_DISK_FULL), 1);
    assert_int_equal(counted(COUNTER_SPANS_IO_ERROR), 1);
    assert_int_equal(counted(COUNTER_SPANS_STOPPING), 1);
    assert_int_equal(counted(COUNTER_SPANS_TOO_LARGE), 1);
}

/* The Duration's seconds in a Status as libprotobuf reads it; -1 = there is no RetryInfo. */
static int retry_seconds(const struct grpc_client_call *call)
{
    static const char type[] = "type.googleapis.com/google.rpc.RetryInfo";
    uint8_t status[512], *found;
    char padded[520];
    size_t size = strlen(call->details);
    if (size == 0)
        return -1;
    snprintf(padded, sizeof padded, "%s%s", call->details, &"===="[size % 4 == 0 ? 4 : size % 4]);
    int decoded = EVP_DecodeBlock(status, (const uint8_t *)padded, (int)strlen(padded));
    assert_true(decoded > 0);
    assert_int_equal(status[0], 0x08); /* code */
    assert_int_equal(status[1], call->grpc_status);
    assert_int_equal(status[2], 0x12); /* message */
    assert_memory_equal(status + 4, call->text, status[3]);
    found = memmem(status, (size_t)decoded, type, sizeof type - 1);
    assert_non_null(found);
    /* details: Any, of the type's tag, size and text, and of 8 bytes behind it; it is the rest of the Status */
    assert_ptr_equal(found - 4, status + 4 + status[3]);
    assert_int_equal(found[-4], 0x1a);
    assert_int_equal(found[-3], 2 + sizeof type - 1 + 6);
    assert_int_equal(found[-2], 0x0a);
    assert_int_equal(found[-1], sizeof type - 1);
    found += sizeof type - 1; /* value: RetryInfo of 4 bytes: retry_delay of 2 bytes: seconds */
    assert_memory_equal(found, "\x12\x04\x0a\x02\x08", 5);
    return found[5];
}

static void test_otlp_call__says_how_long_to_stay_away_and_never_the_same_to_all(void **state)
{
    static const struct {
        enum append_result result;
        int status, least; /* -1 = it must not come back with the same bytes */
    } cases[] = {{APPEND_DISK_FULL, GRPC_UNAVAILABLE, 30},
                 {APPEND_IO_ERROR, GRPC_UNAVAILABLE, 5},
                 {APPEND_STOPPING, GRPC_UNAVAILABLE, 5},
                 {APPEND_TOO_LARGE, GRPC_RESOURCE_EXHAUSTED, -1}};
    uint8_t data[4096];
    struct slice golden = file_read(GOLDEN, data, sizeof data);
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        uint64_t met = 0;
        fixture.result = cases[i].result;
        for (unsigned n = 0; n < (cases[i].least < 0 ? 1 : 24); n++) {
            struct grpc_client_call call = export_of(golden, NULL);
            assert_true(grpc_client_run(&fixture.client, &call));
            assert_int_equal(call.grpc_status, cases[i].status);
            int seconds = retry_seconds(&call);
            if (cases[i].least < 0) {
                assert_int_equal(seconds, -1);
                continue;
            }
            assert_in_range(seconds, cases[i].least, 2 * cases[i].least);
            met |= UINT64_C(1) << seconds;
        }
        assert_true(cases[i].least < 0 || __builtin_popcountll(met) >= 4); /* of 6 or 31 */
    }
}

static void test_otlp_call__zstd_is_stored_inflated(void **state)
{
    uint8_t plain[4096], packed[8192];
    struct slice golden = file_read(GOLDEN, plain, sizeof plain);
    size_t size = ZSTD_compress(packed, sizeof packed, golden.data, golden.size, 3);
    (void)state;
    expect_status(slice_of(packed, size), "zstd", GRPC_OK);
    assert_int_equal(counted(COUNTER_SPANS_ACCEPTED), 3);
    for (size_t cut = 1; cut < size; cut += 7)
        expect_status(slice_of(packed, cut), "zstd", GRPC_INVALID_ARGUMENT);
    expect_status(slice_of(packed, size), "gzip", GRPC_INVALID_ARGUMENT);
    expect_status(slice_of(packed, size), "br", GRPC_UNIMPLEMENTED);
}

static void test_otlp_call__a_zstd_bomb_is_too_large(void **state)
{
    static uint8_t zeros[OTLP_REQUEST_BYTES_MAX + 1], packed[65536];
    size_t size = ZSTD_compress(packed, sizeof packed, zeros, sizeof zeros, 3);
    (void)state;
    assert_false(ZSTD_isError(size));
    expect_status(slice_of(packed, size), "zstd", GRPC_RESOURCE_EXHAUSTED);
}

static void test_otlp_call__bad_spans_are_a_partial_success(void **state)
{
    (void)state;
    /* ResourceSpans { ScopeSpans { Span { span_id of one byte } } } */
    struct grpc_client_call call = export_of(slice_of("\x0a\x07\x12\x05\x12\x03\x12\x01\x01", 9), NULL);
    vitrace_otlp_ExportTraceServiceResponse response = vitrace_otlp_ExportTraceServiceResponse_init_zero;
    assert_true(grpc_client_run(&fixture.client, &call));
    assert_int_equal(call.grpc_status, GRPC_OK);
    pb_istream_t stream = pb_istream_from_buffer(call.message + 5, call.message_size - 5);
    assert_true(pb_decode(&stream, vitrace_otlp_ExportTraceServiceResponse_fields, &response));
    assert_int_equal(response.partial_success.rejected_spans, 1);
    assert_int_equal(fixture.taken, 0);
}

static void test_otlp_call__bad_messages_have_the_status_that_exporters_know(void **state)
{
    (void)state;
    uint8_t data[4096];
    struct slice golden = file_read(GOLDEN, data, sizeof data);
    expect_status(slice_of(golden.data, golden.size - 1), NULL, GRPC_INVALID_ARGUMENT);
    expect_status(golden, "gzip", GRPC_INVALID_ARGUMENT);
    expect_status(golden, "snappy", GRPC_UNIMPLEMENTED);
    expect_status(slice_of("", 0), NULL, GRPC_OK);
    uint8_t *large = calloc(1, OTLP_REQUEST_BYTES_MAX + 1);
    expect_status(slice_of(large, OTLP_REQUEST_BYTES_MAX + 1), NULL, GRPC_RESOURCE_EXHAUSTED);
    free(large);
    atomic_store(&fixture.otlp->bodies.bytes, OTLP_BODY_BYTES_TOTAL_MAX);
    expect_status(file_read(GOLDEN_GZ, data, sizeof data), "gzip", GRPC_UNAVAILABLE);
    atomic_store(&fixture.otlp->bodies.bytes, 0);
    assert_int_equal(fixture.taken, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(test_otlp_call__##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(durable_spans_are_ok_with_an_empty_response),
        TEST(gzip_is_stored_inflated),
        TEST(zstd_is_stored_inflated),
        TEST(a_zstd_bomb_is_too_large),
        TEST(says_how_long_to_stay_away_and_never_the_same_to_all),
        TEST(nothing_is_answered_before_the_append_is_durable),
        TEST(what_is_not_durable_is_unavailable),
        TEST(bad_spans_are_a_partial_success),
        TEST(bad_messages_have_the_status_that_exporters_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
