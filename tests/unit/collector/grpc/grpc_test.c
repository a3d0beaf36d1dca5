/* Calls over real sockets, with a handler that echoes at once or when the test's thread says so. */
#include "collector/grpc/grpc_internal.h"
#include "tests/support/grpc_client.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>

#include <cmocka.h>

#define MESSAGE_MAX 4096u
#define ECHO_PATH   "/test.Service/Echo"
#define HOLD_PATH   "/test.Service/Hold"

struct fixture {
    struct grpc *grpc;
    struct counters counters;
    struct grpc_client client;
    struct grpc_method methods[2];
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct grpc_call *held[GRPC_STREAMS_MAX * 4];
    unsigned held_count;
    char encoding[32];
};

static struct fixture fixture;
static uint8_t frame[1 << 20];

static void handle_echo(void *context, struct grpc_call *call)
{
    struct fixture *self = context;
    struct slice encoding = grpc_call_encoding(call);
    pthread_mutex_lock(&self->lock);
    memcpy(self->encoding, encoding.data, encoding.size);
    self->encoding[encoding.size] = '\0';
    pthread_mutex_unlock(&self->lock);
    if (slice_equal(grpc_call_message(call), slice_text("refuse")))
        grpc_refuse(call, &(struct grpc_refusal){{COUNTER_HTTP_BUSY, GRPC_UNAVAILABLE, "busy", "come back"}, 5});
    else
        grpc_reply(call, grpc_call_message(call));
}

static void held_woken(struct grpc_call *call, void *context)
{
    (void)context;
    grpc_reply(call, slice_text("late"));
}

static void handle_hold(void *context, struct grpc_call *call)
{
    struct fixture *self = context;
    grpc_call_on_wake(call, held_woken, NULL);
    pthread_mutex_lock(&self->lock);
    self->held[self->held_count++] = call;
    pthread_cond_signal(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void wait_held(unsigned count)
{
    pthread_mutex_lock(&fixture.lock);
    while (fixture.held_count < count)
        pthread_cond_wait(&fixture.changed, &fixture.lock);
    pthread_mutex_unlock(&fixture.lock);
}

static void start(const struct grpc_options *options)
{
    char error[256] = "";
    struct grpc_options whole = *options;
    whole.listen = "127.0.0.1:0";
    whole.methods = fixture.methods;
    whole.method_count = 2;
    whole.counters = &fixture.counters;
    fixture.grpc = grpc_start(&whole, error, sizeof error);
    if (fixture.grpc == NULL)
        fail_msg("%s", error);
    grpc_client_open(&fixture.client, grpc_port(fixture.grpc));
}

static int setup(void **state)
{
    (void)state;
    memset(&fixture, 0, sizeof fixture);
    pthread_mutex_init(&fixture.lock, NULL);
    pthread_cond_init(&fixture.changed, NULL);
    fixture.methods[0] = (struct grpc_method){ECHO_PATH, handle_echo, &fixture, MESSAGE_MAX};
    fixture.methods[1] = (struct grpc_method){HOLD_PATH, handle_hold, &fixture, MESSAGE_MAX};
    return 0;
}

static int setup_default(void **state)
{
    setup(state);
    start(&(struct grpc_options){0});
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    grpc_client_close(&fixture.client);
    if (fixture.grpc != NULL)
        grpc_stop(fixture.grpc, 1000);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_CONNECTIONS), 0);
    return 0;
}

static void expect_refused(struct grpc_client_call *call, int http, int status)
{
    assert_true(grpc_client_run(&fixture.client, call));
    assert_int_equal(call->http_status, http);
    assert_int_equal(call->grpc_status, status);
    assert_int_equal(call->message_size, 0);
}

static void expect_echo(const char *text)
{
    uint8_t room[256];
    struct grpc_client_call call = {.path = ECHO_PATH, .body = grpc_client_frame(room, false, slice_text(text))};
    assert_true(grpc_client_run(&fixture.client, &call));
    assert_int_equal(call.http_status, 200);
    assert_int_equal(call.grpc_status, 0);
    assert_int_equal(call.message_size, 5 + strlen(text));
    assert_memory_equal(call.message, room, call.message_size);
}

static void test_grpc__message_is_answered_with_message_and_trailers(void **state)
{
    (void)state;
    expect_echo("hello");
    expect_echo("");
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_REQUESTS), 2);
}

static void test_grpc__message_may_come_in_frames_of_one_byte(void **state)
{
    (void)state;
    struct grpc_client_call call = {
        .path = ECHO_PATH, .body = grpc_client_frame(frame, false, slice_text("hello")), .frame_bytes = 1};
    assert_true(grpc_client_run(&fixture.client, &call));
    assert_int_equal(call.grpc_status, 0);
    assert_memory_equal(call.message, frame, 10);
}

static void test_grpc__encoding_is_told_only_of_compressed_messages(void **state)
{
    (void)state;
    struct grpc_client_call call = {
        .path = ECHO_PATH, .encoding = "gzip", .body = grpc_client_frame(frame, true, slice_text("x"))};
    assert_true(grpc_client_run(&fixture.client, &call));
    assert_string_equal(fixture.encoding, "gzip");
    call.body = grpc_client_frame(frame, false, slice_text("x"));
    assert_true(grpc_client_run(&fixture.client, &call));
    assert_string_equal(fixture.encoding, "");
    call.encoding = "identity";
    call.body = grpc_client_frame(frame, true, slice_text("x"));
    expect_refused(&call, 200, GRPC_INVALID_ARGUMENT);
}

static void test_grpc__refusal_carries_status_and_text_in_one_header_block(void **state)
{
    (void)state;
    struct grpc_client_call call = {.path = ECHO_PATH, .body = grpc_client_frame(frame, false, slice_text("refuse"))};
    expect_refused(&call, 200, GRPC_UNAVAILABLE);
    assert_string_equal(call.text, "come back");
    assert_true(strlen(call.details) > 60);
    assert_string_equal(call.accept_encoding, "identity,gzip,zstd");
}

static void test_grpc__unknown_methods_are_unimplemented(void **state)
{
    (void)state;
    struct grpc_client_call call = {.path = "/test.Service/Other",
                                    .body = grpc_client_frame(frame, false, slice_text("x"))};
    expect_refused(&call, 200, GRPC_UNIMPLEMENTED);
    call.path = ECHO_PATH "o";
    expect_refused(&call, 200, GRPC_UNIMPLEMENTED);
    expect_echo("after");
}

static void test_grpc__what_is_not_grpc_is_refused_by_http_status(void **state)
{
    (void)state;
    struct grpc_client_call call = {
        .path = ECHO_PATH, .type = "application/json", .body = grpc_client_frame(frame, false, slice_text("x"))};
    expect_refused(&call, 415, -1);
    call.type = "application/grpc+json";
    expect_refused(&call, 415, -1);
    call.type = NULL;
    call.method = "PUT";
    expect_refused(&call, 405, -1);
    call.method = NULL;
    call.type = "application/grpc+proto;x=y";
    assert_true(grpc_client_run(&fixture.client, &call));
    assert_int_equal(call.grpc_status, 0);
}

static void test_grpc__largest_message_fits_and_one_byte_more_is_exhausted(void **state)
{
    (void)state;
    static uint8_t zeros[MESSAGE_MAX + 1];
    struct grpc_client_call call = {.path = ECHO_PATH,
                                    .body = grpc_client_frame(frame, false, slice_of(zeros, MESSAGE_MAX))};
    assert_true(grpc_client_run(&fixture.client, &call));
    assert_int_equal(call.grpc_status, 0);
    assert_int_equal(call.message_size, MESSAGE_MAX + 5);
    call.body = grpc_client_frame(frame, false, slice_of(zeros, MESSAGE_MAX + 1));
    expect_refused(&call, 200, GRPC_RESOURCE_EXHAUSTED);
    expect_echo("after");
}

/* Five bytes announce 4 GiB: the answer comes before the upload, and the stream is given up without an error. */
static void test_grpc__length_is_judged_as_soon_as_it_is_announced(void **state)
{
    (void)state;
    struct grpc_client_call call = {.path = ECHO_PATH, .body = slice_of("\0\xff\xff\xff\xff", 5), .open = true};
    expect_refused(&call, 200, GRPC_RESOURCE_EXHAUSTED);
    assert_int_equal(call.reset, NGHTTP2_NO_ERROR);
}

static void test_grpc__messages_cut_short_doubled_or_absent_are_invalid(void **state)
{
    (void)state;
    struct grpc_client_call call = {.path = ECHO_PATH, .body = slice_of(NULL, 0)};
    expect_refused(&call, 200, GRPC_INVALID_ARGUMENT);
    struct slice whole = grpc_client_frame(frame, false, slice_text("hello"));
    for (size_t size = 1; size < whole.size; size++) {
        call.body = slice_of(frame, size);
        expect_refused(&call, 200, GRPC_INVALID_ARGUMENT);
    }
    grpc_client_frame(frame + whole.size, false, slice_text("again"));
    call.body = slice_of(frame, 2 * whole.size);
    expect_refused(&call, 200, GRPC_INVALID_ARGUMENT);
    call.frame_bytes = whole.size;
    expect_refused(&call, 200, GRPC_INVALID_ARGUMENT);
    frame[0] = 2;
    call.body = slice_of(frame, whole.size);
    expect_refused(&call, 200, GRPC_INVALID_ARGUMENT);
    expect_echo("after");
}

static void test_grpc__calls_of_one_connection_are_answered_as_they_are_woken(void **state)
{
    (void)state;
    struct grpc_client_call call[3];
    struct slice body = grpc_client_frame(frame, false, slice_text("x"));
    for (int i = 0; i < 3; i++) {
        call[i] = (struct grpc_client_call){.path = HOLD_PATH, .body = body};
        grpc_client_start(&fixture.client, &call[i]);
    }
    wait_held(3);
    for (int i = 2; i >= 0; i--) {
        grpc_call_wake(fixture.held[i]); /* from this thread, not the loop's */
        assert_true(grpc_client_wait(&fixture.client, &call[i]));
        assert_int_equal(call[i].grpc_status, 0);
        assert_memory_equal(call[i].message, "\0\0\0\0\4late", 9);
        assert_true(i == 0 || !call[i - 1].closed);
    }
}

static void test_grpc__client_that_cancels_or_leaves_before_the_wake_harms_nothing(void **state)
{
    (void)state;
    struct grpc_client other;
    struct grpc_client_call call = {.path = HOLD_PATH, .body = grpc_client_frame(frame, false, slice_text("x"))};
    struct grpc_client_call second = call;
    grpc_client_start(&fixture.client, &call);
    wait_held(1);
    nghttp2_submit_rst_stream(fixture.client.session, NGHTTP2_FLAG_NONE, call.stream_id, NGHTTP2_CANCEL);
    grpc_client_flush(&fixture.client);
    expect_echo("the reset has been read");
    grpc_client_open(&other, grpc_port(fixture.grpc));
    grpc_client_start(&other, &second);
    wait_held(2);
    grpc_client_close(&other);
    grpc_call_wake(fixture.held[0]);
    grpc_call_wake(fixture.held[1]);
    expect_echo("still here");
}

static void test_grpc__upload_that_stalls_is_ended_by_its_deadline(void **state)
{
    (void)state;
    start(&(struct grpc_options){.request_timeout_ms = 40});
    struct grpc_client_call call = {.path = ECHO_PATH,
                                    .body = slice_of(grpc_client_frame(frame, false, slice_text("hello")).data, 7),
                                    .open = true};
    expect_refused(&call, 200, GRPC_DEADLINE_EXCEEDED);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_TIMEOUT), 1);
}

static void test_grpc__answer_that_the_client_does_not_take_is_given_up(void **state)
{
    (void)state;
    start(&(struct grpc_options){.request_timeout_ms = 40});
    const nghttp2_settings_entry closed = {NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, 0};
    struct grpc_client_call call = {.path = ECHO_PATH, .body = grpc_client_frame(frame, false, slice_text("hello"))};
    nghttp2_submit_settings(fixture.client.session, NGHTTP2_FLAG_NONE, &closed, 1);
    assert_true(grpc_client_run(&fixture.client, &call));
    assert_int_equal(call.reset, NGHTTP2_CANCEL);
    assert_int_equal(call.http_status, 200);
    assert_int_equal(call.message_size, 0);
}

static void test_grpc__idle_connection_hears_goaway_and_is_closed(void **state)
{
    (void)state;
    start(&(struct grpc_options){.idle_timeout_ms = 40});
    while (grpc_client_step(&fixture.client))
        continue;
    assert_true(fixture.client.goaway);
}

static void *stop_slowly(void *grpc)
{
    grpc_stop(grpc, 10000);
    return NULL;
}

static void test_grpc__stop_finishes_the_calls_under_way(void **state)
{
    (void)state;
    struct grpc_client_call call = {.path = HOLD_PATH, .body = grpc_client_frame(frame, false, slice_text("x"))};
    grpc_client_start(&fixture.client, &call);
    wait_held(1);
    pthread_t thread;
    struct grpc *grpc = fixture.grpc;
    fixture.grpc = NULL;
    pthread_create(&thread, NULL, stop_slowly, grpc);
    while (!fixture.client.goaway)
        assert_true(grpc_client_step(&fixture.client));
    grpc_call_wake(fixture.held[0]);
    assert_true(grpc_client_wait(&fixture.client, &call));
    assert_int_equal(call.grpc_status, 0);
    pthread_join(thread, NULL);
    while (grpc_client_step(&fixture.client)) /* the second GOAWAY */
        continue;
}

/* The client has the first GOAWAY in its socket, unread, when it calls. The held call keeps its session from ending at the
 * first one, where nghttp2 reads no further. */
static void test_grpc__a_call_that_crosses_the_goodbye_is_answered(void **state)
{
    (void)state;
    uint8_t byte;
    pthread_t thread;
    struct grpc *grpc = fixture.grpc;
    struct grpc_client_call held = {.path = HOLD_PATH, .body = grpc_client_frame(frame, false, slice_text("held"))};
    struct grpc_client_call call = {.path = ECHO_PATH};
    expect_echo("first");
    grpc_client_start(&fixture.client, &held);
    wait_held(1);
    call.body = grpc_client_frame(frame, false, slice_text("crossing"));
    fixture.grpc = NULL;
    pthread_create(&thread, NULL, stop_slowly, grpc);
    assert_int_equal(recv(fixture.client.file, &byte, 1, MSG_PEEK), 1);
    assert_true(grpc_client_run(&fixture.client, &call));
    assert_int_equal(call.grpc_status, 0);
    while (fixture.client.goaway_last[1] == 0)
        assert_true(grpc_client_step(&fixture.client));
    grpc_call_wake(fixture.held[0]);
    assert_true(grpc_client_wait(&fixture.client, &held));
    while (grpc_client_step(&fixture.client))
        continue;
    pthread_join(thread, NULL);
    assert_int_equal(fixture.client.goaway_last[0], INT32_MAX);
    assert_int_equal(fixture.client.goaway_last[1], call.stream_id);
}

static void test_grpc__who_comes_during_the_drain_is_served_once(void **state)
{
    (void)state;
    expect_echo("early"); /* accepted before the drain, or it would count as late itself */
    grpc_drain(fixture.grpc, 20000);
    while (grpc_client_step(&fixture.client))
        continue;
    grpc_client_close(&fixture.client);
    grpc_settle(fixture.grpc);
    grpc_client_open(&fixture.client, grpc_port(fixture.grpc));
    expect_echo("late");
    while (grpc_client_step(&fixture.client))
        continue;
    assert_true(fixture.client.goaway);
}

/* It neither acknowledges the PING nor closes: the drain ends without it. */
static void test_grpc__a_client_that_does_not_listen_is_left_behind(void **state)
{
    (void)state;
    uint8_t byte;
    expect_echo("first");
    grpc_stop(fixture.grpc, 100);
    fixture.grpc = NULL;
    while (recv(fixture.client.file, &byte, 1, 0) > 0)
        continue;
}

static void test_grpc__resets_in_a_row_end_the_connection_and_not_the_server(void **state)
{
    (void)state;
    struct grpc_client_call call = {.path = ECHO_PATH, .open = true};
    bool alive = true;
    for (int i = 0; alive && i < 50 * (int)H2_RESETS_BURST; i++) {
        grpc_client_start(&fixture.client, &call);
        nghttp2_submit_rst_stream(fixture.client.session, NGHTTP2_FLAG_NONE, call.stream_id, NGHTTP2_CANCEL);
        grpc_client_flush(&fixture.client);
        uint8_t byte;
        ssize_t waiting = recv(fixture.client.file, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
        alive = waiting < 0 || grpc_client_step(&fixture.client);
        alive = alive && !fixture.client.goaway;
    }
    assert_false(alive);
    grpc_client_close(&fixture.client);
    grpc_client_open(&fixture.client, grpc_port(fixture.grpc));
    expect_echo("another connection");
}

/* HEADERS that never end, and CONTINUATION after CONTINUATION: cut off long before the header limit. */
static void test_grpc__continuations_without_end_end_the_connection(void **state)
{
    (void)state;
    static const uint8_t headers[] = {0, 0, 1, 1, 0, 0, 0, 0, 1, 0x83}, more[] = {0, 0, 1, 9, 0, 0, 0, 0, 1, 0x86};
    struct grpc_client other;
    grpc_client_open(&other, grpc_port(fixture.grpc));
    assert_true(send(other.file, headers, sizeof headers, MSG_NOSIGNAL) > 0);
    for (unsigned i = 0; i < 4 * H2_CONTINUATIONS_MAX; i++)
        send(other.file, more, sizeof more, MSG_NOSIGNAL); /* fails once it is cut off */
    while (grpc_client_step(&other))
        continue;
    grpc_client_close(&other);
    assert_int_equal(counters_find(&fixture.counters, COUNTER_HTTP_BAD_REQUESTS), 1);
    expect_echo("still here");
}

static void test_grpc__bytes_that_are_not_http2_end_the_connection(void **state)
{
    (void)state;
    struct grpc_client other;
    grpc_client_open(&other, grpc_port(fixture.grpc));
    static const char text[] = "POST /v1/traces HTTP/1.1\r\nHost: t\r\n\r\n";
    assert_true(send(other.file, text, sizeof text - 1, MSG_NOSIGNAL) > 0);
    while (grpc_client_step(&other))
        continue;
    grpc_client_close(&other);
    expect_echo("still here");
}

static void test_grpc__connections_over_the_cap_are_hung_up_on(void **state)
{
    (void)state;
    struct grpc_client other;
    start(&(struct grpc_options){.connections_max = 1});
    expect_echo("first");
    grpc_client_open(&other, grpc_port(fixture.grpc));
    while (grpc_client_step(&other))
        continue;
    grpc_client_close(&other);
    expect_echo("first");
}

int main(void)
{
#define TEST(name)      cmocka_unit_test_setup_teardown(test_grpc__##name, setup_default, teardown)
#define TEST_BARE(name) cmocka_unit_test_setup_teardown(test_grpc__##name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(message_is_answered_with_message_and_trailers),
        TEST(message_may_come_in_frames_of_one_byte),
        TEST(encoding_is_told_only_of_compressed_messages),
        TEST(refusal_carries_status_and_text_in_one_header_block),
        TEST(unknown_methods_are_unimplemented),
        TEST(what_is_not_grpc_is_refused_by_http_status),
        TEST(largest_message_fits_and_one_byte_more_is_exhausted),
        TEST(length_is_judged_as_soon_as_it_is_announced),
        TEST(messages_cut_short_doubled_or_absent_are_invalid),
        TEST(calls_of_one_connection_are_answered_as_they_are_woken),
        TEST(client_that_cancels_or_leaves_before_the_wake_harms_nothing),
        TEST_BARE(upload_that_stalls_is_ended_by_its_deadline),
        TEST_BARE(answer_that_the_client_does_not_take_is_given_up),
        TEST_BARE(idle_connection_hears_goaway_and_is_closed),
        TEST(stop_finishes_the_calls_under_way),
        TEST(a_call_that_crosses_the_goodbye_is_answered),
        TEST(who_comes_during_the_drain_is_served_once),
        TEST(a_client_that_does_not_listen_is_left_behind),
        TEST(resets_in_a_row_end_the_connection_and_not_the_server),
        TEST(continuations_without_end_end_the_connection),
        TEST(bytes_that_are_not_http2_end_the_connection),
        TEST_BARE(connections_over_the_cap_are_hung_up_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
