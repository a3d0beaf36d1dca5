/* What a listener does before it is stopped. Its loop never runs here: nobody is accepted. */
#include "collector/stream/stream.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct stream_listener listener;

static uint8_t state_after_connect(unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct tcp_info info;
    socklen_t size = sizeof info;
    int file = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    connect(file, (struct sockaddr *)&address, sizeof address); /* over loopback the handshake is done on return */
    assert_int_equal(getsockopt(file, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    close(file);
    return info.tcpi_state;
}

static void test_stream_listener__that_refuses_lets_nobody_in_and_keeps_its_queue(void **state)
{
    (void)state;
    struct stream_address address = {0};
    char error[256];
    uv_loop_t loop;
    uv_loop_init(&loop);
    int file = stream_address_open(&address, "127.0.0.1:0", false, error, sizeof error);
    assert_true(stream_listener_start(&listener, &loop, file, &(struct stream_listener_options){.backlog = 8}));
    assert_false(stream_listener_has_queue(&listener));
    assert_int_equal(state_after_connect(address.port), TCP_ESTABLISHED);
    stream_listener_refuse(&listener);
    assert_int_equal(state_after_connect(address.port), TCP_SYN_SENT);
    assert_true(stream_listener_has_queue(&listener));
    close(accept(file, NULL, NULL));
    assert_false(stream_listener_has_queue(&listener));
    stream_listener_stop(&listener);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stream_listener__that_refuses_lets_nobody_in_and_keeps_its_queue),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
