/* Exchanges that another thread holds: the wake, clients that leave first, timeouts, and the drain. */
#include "collector/net/net.h"
#include "tests/support/http_client.h"

#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* A stage that keeps exchanges until the test lets them go. */
struct holder {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct net_exchange *held[64];
    unsigned count, woken;
    struct counters counters;
    struct net *net;
    struct net_route route;
};

static void on_wake(struct net_exchange *exchange, void *context)
{
    struct holder *self = context;
    pthread_mutex_lock(&self->lock);
    self->woken++;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
    net_reply_status(exchange, 204);
}

static void hold(void *context, struct net_exchange *exchange)
{
    struct holder *self = context;
    net_exchange_on_wake(exchange, on_wake, self);
    pthread_mutex_lock(&self->lock);
    assert_true(self->count < 64);
    self->held[self->count++] = exchange;
    pthread_cond_broadcast(&self->changed);
    pthread_mutex_unlock(&self->lock);
}

static void wait_until(struct holder *self, const unsigned *value, unsigned wanted)
{
    pthread_mutex_lock(&self->lock);
    while (*value < wanted)
        pthread_cond_wait(&self->changed, &self->lock);
    pthread_mutex_unlock(&self->lock);
}

static void wake_all(struct holder *self)
{
    for (unsigned i = 0; i < self->count; i++)
        net_exchange_wake(self->held[i]);
}

static void start(struct holder *self, unsigned timeout_ms)
{
    char error[256];
    *self = (struct holder){.route = {NET_POST, "/hold", hold, self, 100}};
    pthread_mutex_init(&self->lock, NULL);
    pthread_cond_init(&self->changed, NULL);
    self->net = net_start(&(struct net_options){.listen = "127.0.0.1:0",
                                                .threads = 2,
                                                .routes = &self->route,
                                                .route_count = 1,
                                                .counters = &self->counters,
                                                .idle_timeout_ms = timeout_ms,
                                                .request_timeout_ms = timeout_ms},
                          error, sizeof error);
    assert_non_null(self->net);
}

static void ask(struct holder *self, struct http_client *client)
{
    http_client_open(client, net_port(self->net));
    http_client_send_text(client, "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nhi");
}

static void test_net_exchange__a_wake_from_another_thread_answers_every_client(void **state)
{
    (void)state;
    struct holder holder;
    struct http_client client[32];
    struct http_reply reply;
    start(&holder, 0);
    for (unsigned i = 0; i < 32; i++)
        ask(&holder, &client[i]);
    wait_until(&holder, &holder.count, 32);
    wake_all(&holder);
    for (unsigned i = 0; i < 32; i++) {
        assert_true(http_client_read(&client[i], &reply));
        assert_int_equal(reply.status, 204);
        http_client_close(&client[i]);
    }
    net_stop(holder.net, 1000);
    assert_int_equal(counters_find(&holder.counters, COUNTER_HTTP_CONNECTIONS), 0);
}

static void test_net_exchange__the_wake_still_runs_when_the_client_is_gone(void **state)
{
    (void)state;
    struct holder holder;
    struct http_client client;
    start(&holder, 0);
    ask(&holder, &client);
    wait_until(&holder, &holder.count, 1);
    http_client_reset(&client);
    wake_all(&holder);
    wait_until(&holder, &holder.woken, 1);
    net_stop(holder.net, 1000);
}

static void *stop_now(void *net)
{
    net_stop(net, 0);
    return NULL;
}

static void test_net_stop__waits_for_lent_exchanges_even_after_the_drain_time(void **state)
{
    (void)state;
    struct holder holder;
    struct http_client client;
    pthread_t stopper;
    start(&holder, 0);
    ask(&holder, &client);
    wait_until(&holder, &holder.count, 1);
    pthread_create(&stopper, NULL, stop_now, holder.net);
    assert_true(http_client_at_end(&client)); /* cut: the drain time was 0 */
    wake_all(&holder);                        /* and yet its memory is there */
    pthread_join(stopper, NULL);
    assert_int_equal(holder.woken, 1);
    http_client_close(&client);
}

static void *stop_gently(void *net)
{
    net_stop(net, 10000);
    return NULL;
}

static void test_net_stop__finishes_what_is_under_way_and_closes_the_idle(void **state)
{
    (void)state;
    struct holder holder;
    struct http_client busy, idle;
    struct http_reply reply;
    pthread_t stopper;
    start(&holder, 0);
    http_client_open(&idle, net_port(holder.net));
    ask(&holder, &busy);
    wait_until(&holder, &holder.count, 1);
    while (counters_find(&holder.counters, COUNTER_HTTP_CONNECTIONS) < 2)
        sched_yield(); /* a client that is not accepted yet would be reset with the listener */
    pthread_create(&stopper, NULL, stop_gently, holder.net);
    assert_true(http_client_at_end(&idle));
    wake_all(&holder);
    assert_true(http_client_read(&busy, &reply));
    assert_int_equal(reply.status, 204);
    assert_string_equal(http_reply_header(&reply, "Connection"), "close");
    http_client_close(&busy);
    http_client_close(&idle);
    pthread_join(stopper, NULL);
}

static void test_net__a_request_that_never_ends_is_408_and_an_idle_client_is_let_go(void **state)
{
    (void)state;
    static const char *const beginnings[] = {"P", "POST /hold HTTP/1.1\r\nHost: x\r\n",
                                             "POST /hold HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nhal"};
    struct holder holder;
    struct http_client client;
    struct http_reply reply;
    start(&holder, 50);
    for (unsigned i = 0; i < 3; i++) {
        http_client_open(&client, net_port(holder.net));
        http_client_send_text(&client, beginnings[i]);
        assert_true(http_client_read(&client, &reply));
        assert_int_equal(reply.status, 408);
        assert_true(http_client_at_end(&client));
        http_client_close(&client);
    }
    http_client_open(&client, net_port(holder.net));
    assert_true(http_client_at_end(&client));
    http_client_close(&client);
    assert_int_equal(counters_find(&holder.counters, COUNTER_HTTP_TIMEOUT), 3);
    net_stop(holder.net, 0);
}

static void test_net__an_exchange_that_a_stage_holds_does_not_time_out(void **state)
{
    (void)state;
    struct holder holder;
    struct http_client client, other;
    struct http_reply reply;
    start(&holder, 20);
    ask(&holder, &client);
    wait_until(&holder, &holder.count, 1);
    http_client_open(&other, net_port(holder.net)); /* several timeouts pass while this one idles out */
    assert_true(http_client_at_end(&other));
    http_client_close(&other);
    wake_all(&holder);
    assert_true(http_client_read(&client, &reply));
    assert_int_equal(reply.status, 204);
    http_client_close(&client);
    net_stop(holder.net, 0);
}

static void test_net_start__says_what_is_wrong_with_an_address(void **state)
{
    (void)state;
    static const char *const bad[] = {"",       "127.0.0.1",   "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:99999",
                                      "::1:80", "256.0.0.1:80"};
    struct counters counters = {0};
    struct net_route route = {NET_GET, "/", NULL, NULL, 0};
    char error[256];
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        error[0] = '\0';
        assert_null(net_start(
            &(struct net_options){.listen = bad[i], .routes = &route, .route_count = 1, .counters = &counters}, error,
            sizeof error));
        assert_non_null(strstr(error, bad[i]));
    }
}

static void test_net_start__a_taken_port_is_an_error_also_with_several_threads(void **state)
{
    (void)state;
    struct holder holder;
    char address[32], error[256] = "";
    start(&holder, 0);
    snprintf(address, sizeof address, "127.0.0.1:%u", net_port(holder.net));
    for (unsigned threads = 1; threads <= 2; threads++)
        assert_null(net_start(&(struct net_options){.listen = address,
                                                    .threads = threads,
                                                    .routes = &holder.route,
                                                    .route_count = 1,
                                                    .counters = &holder.counters},
                              error, sizeof error));
    assert_non_null(strstr(error, address));
    net_stop(holder.net, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_net_exchange__a_wake_from_another_thread_answers_every_client),
        cmocka_unit_test(test_net_exchange__the_wake_still_runs_when_the_client_is_gone),
        cmocka_unit_test(test_net_stop__waits_for_lent_exchanges_even_after_the_drain_time),
        cmocka_unit_test(test_net_stop__finishes_what_is_under_way_and_closes_the_idle),
        cmocka_unit_test(test_net__a_request_that_never_ends_is_408_and_an_idle_client_is_let_go),
        cmocka_unit_test(test_net__an_exchange_that_a_stage_holds_does_not_time_out),
        cmocka_unit_test(test_net_start__says_what_is_wrong_with_an_address),
        cmocka_unit_test(test_net_start__a_taken_port_is_an_error_also_with_several_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
