/* Plain streams, over TCP and over a Unix socket: the same owner, the same expectations. */
#include "tests/support/socket_client.h"
#include "tests/support/stream_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

struct rig {
    struct stream_server server;
    char folder[32], listen[64];
};

static int start(struct rig *self, const char *listen)
{
    stream_server_start(&self->server, &(struct stream_server_options){.listen = listen});
    return 0;
}

static int start_tcp(void **state)
{
    struct rig *self = *state = calloc(1, sizeof *self);
    return start(self, "127.0.0.1:0");
}

static int start_local(void **state)
{
    struct rig *self = *state = calloc(1, sizeof *self);
    snprintf(self->folder, sizeof self->folder, "/tmp/vitrace-stream-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->listen, sizeof self->listen, "unix:%s/s", self->folder);
    return start(self, self->listen);
}

static int stop(void **state)
{
    struct rig *self = *state;
    stream_server_stop(&self->server);
    if (self->folder[0] != '\0')
        assert_int_equal(rmdir(self->folder), 0); /* the socket's file is gone */
    free(self);
    return 0;
}

static int connect_to(const struct rig *self)
{
    int file = self->folder[0] == '\0' ? socket_client_open(self->server.address.port)
                                       : socket_client_open_local(self->listen + 5);
    assert_true(file >= 0);
    return file;
}

static void expect_echo(int file, const char *text)
{
    char back[64] = "";
    assert_true(socket_client_write(file, text, strlen(text)));
    assert_true(socket_client_read(file, back, strlen(text)));
    assert_string_equal(back, text);
}

static void test_stream__is_open_at_once_and_sends_back(void **state)
{
    struct rig *self = *state;
    int file = connect_to(self);
    expect_echo(file, "hello");
    expect_echo(file, "again");
    assert_int_equal(self->server.opened, 1);
    assert_int_equal(self->server.protocol, STREAM_PROTOCOL_NONE);
    assert_int_equal(counters_find(&self->server.counters, COUNTER_HTTP_CONNECTIONS), 1);
    close(file);
}

static void test_stream__knows_its_peer(void **state)
{
    static const uint8_t loopback[16] = {[10] = 0xff, 0xff, 127, 0, 0, 1}, none[16] = {0};
    struct rig *self = *state;
    int file = connect_to(self);
    expect_echo(file, "hello");
    assert_memory_equal(self->server.peer, self->folder[0] == '\0' ? loopback : none, 16);
    assert_int_equal(self->server.listener.is_local, self->folder[0] != '\0');
    close(file);
}

static void test_stream__writes_what_the_kernel_does_not_take_at_once(void **state)
{
    int file = connect_to(*state);
    uint8_t *bytes = malloc(STREAM_SERVER_BIG);
    assert_true(socket_client_write(file, "B", 1));
    assert_true(socket_client_read(file, bytes, STREAM_SERVER_BIG));
    for (size_t i = 0; i < STREAM_SERVER_BIG; i++)
        if (bytes[i] != i % 251)
            fail_msg("byte %zu is %u", i, bytes[i]);
    expect_echo(file, "after it"); /* written() came, and reading is on again */
    free(bytes);
    close(file);
}

static void test_stream__tells_the_end_and_can_still_write(void **state)
{
    struct rig *self = *state;
    char back[16];
    bool reset;
    int file = connect_to(self);
    assert_int_equal(shutdown(file, SHUT_WR), 0);
    assert_int_equal(socket_client_read_all(file, back, sizeof back, &reset), 3);
    assert_false(reset);
    assert_memory_equal(back, "bye", 3);
    assert_int_equal(self->server.ended, 1);
    close(file);
}

static void test_stream__finishes_and_still_reads(void **state)
{
    struct rig *self = *state;
    char back[16];
    bool reset;
    int file = connect_to(self);
    assert_true(socket_client_write(file, "Fine", 4));
    assert_int_equal(socket_client_read_all(file, back, sizeof back, &reset), 4);
    assert_false(reset);
    assert_int_equal(shutdown(file, SHUT_WR), 0);
    assert_true(stream_server_await(&self->server.ended, 1));
    close(file);
}

static void test_stream__may_be_closed_inside_its_own_call(void **state)
{
    struct rig *self = *state;
    char back[16];
    bool reset;
    int file = connect_to(self);
    assert_true(socket_client_write(file, "X", 1));
    assert_int_equal(socket_client_read_all(file, back, sizeof back, &reset), 0);
    assert_true(stream_server_await(&self->server.open, 0));
    close(file);
}

static void test_stream__tells_a_reset(void **state)
{
    const struct linger now = {1, 0};
    struct rig *self = *state;
    int file = connect_to(self);
    expect_echo(file, "hello");
    setsockopt(file, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close(file);
    assert_true(stream_server_await(&self->server.failed, 1));
    assert_true(stream_server_await(&self->server.open, 0));
}

/* Stopping ends it; the server's stop() sees to it that nothing is left. */
static void test_stream__is_closed_while_a_write_waits(void **state)
{
    struct rig *self = *state;
    uint8_t byte;
    int file = connect_to(self);
    assert_true(socket_client_write(file, "B", 1));
    assert_true(socket_client_read(file, &byte, 1));
    assert_int_equal(self->server.open, 1);
    stop(state);
    close(file);
    *state = NULL;
}

static int stop_if_any(void **state)
{
    return *state == NULL ? 0 : stop(state);
}

static void test_stream__does_not_read_while_reading_is_off(void **state)
{
    struct rig *self = *state;
    int file = connect_to(self);
    assert_true(socket_client_write(file, "N", 1));
    assert_int_equal(shutdown(file, SHUT_WR), 0);
    usleep(50000);
    assert_int_equal(self->server.ended, 0); /* the FIN waits in the kernel, as the header says */
    close(file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define ON_BOTH(test)                                                                                                  \
    cmocka_unit_test_setup_teardown(test, start_tcp, stop_if_any), {#test " (Unix)", test, start_local, stop_if_any, NULL}
        ON_BOTH(test_stream__is_open_at_once_and_sends_back),
        ON_BOTH(test_stream__knows_its_peer),
        ON_BOTH(test_stream__writes_what_the_kernel_does_not_take_at_once),
        ON_BOTH(test_stream__tells_the_end_and_can_still_write),
        ON_BOTH(test_stream__finishes_and_still_reads),
        ON_BOTH(test_stream__may_be_closed_inside_its_own_call),
        ON_BOTH(test_stream__is_closed_while_a_write_waits),
        ON_BOTH(test_stream__does_not_read_while_reading_is_off),
        cmocka_unit_test_setup_teardown(test_stream__tells_a_reset, start_tcp, stop_if_any),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
