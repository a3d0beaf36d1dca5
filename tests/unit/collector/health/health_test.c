#include "collector/health/health.h"
#include "tests/support/http_client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SECOND UINT64_C(1000000)

struct rig {
    struct counters counters;
    struct health health;
    uint64_t durable;
};

static uint64_t durable_of(const void *context)
{
    return ((const struct rig *)context)->durable;
}

static int start(void **state)
{
    struct rig *self = calloc(1, sizeof *self);
    health_init(&self->health, &self->counters, "/tmp");
    self->health.durable = durable_of;
    self->health.durable_context = self;
    atomic_store(&self->health.index_runs, true);
    *state = self;
    return 0;
}

static int stop(void **state)
{
    health_release(&((struct rig *)*state)->health);
    free(*state);
    return 0;
}

static void expect_index(struct rig *self, uint64_t seconds, uint64_t durable, uint64_t position, const char *word)
{
    self->durable = durable;
    counters_set(&self->counters, COUNTER_SINK_POSITION, position);
    assert_string_equal(health_check_index(&self->health, seconds * SECOND), word);
}

static void test_health__an_index_at_the_end_of_the_log_is_ok_for_ever(void **state)
{
    expect_index(*state, 0, 100, 100, "ok");
    expect_index(*state, 86400, 100, 100, "ok");
    expect_index(*state, 86401, 100, 200, "ok"); /* ahead for an instant: the gauges are read one after the other */
}

static void test_health__an_index_that_stays_behind_is_stuck(void **state)
{
    expect_index(*state, 0, 200, 100, "ok");
    expect_index(*state, 29, 300, 100, "ok");
    expect_index(*state, 30, 300, 100, "stuck");
    expect_index(*state, 31, 300, 101, "ok"); /* it moves */
    expect_index(*state, 61, 300, 101, "stuck");
    expect_index(*state, 62, 300, 300, "ok");
}

/* Between two questions far apart the index may have been at the end: only what was seen counts. */
static void test_health__behind_is_counted_from_when_it_was_first_seen(void **state)
{
    expect_index(*state, 0, 100, 100, "ok");
    expect_index(*state, 3600, 200, 100, "ok");
    expect_index(*state, 3629, 200, 100, "ok");
    expect_index(*state, 3630, 200, 100, "stuck");
}

static void test_health__an_index_that_does_not_run_is_stopped(void **state)
{
    struct rig *self = *state;
    atomic_store(&self->health.index_runs, false);
    expect_index(self, 0, 0, 0, "stopped");
}

static void test_health__a_refused_append_counts_until_one_is_taken_or_half_a_minute_is_over(void **state)
{
    struct rig *self = *state;
    assert_string_equal(health_check_log(&self->health, 10 * SECOND), "ok");
    counters_add(&self->counters, COUNTER_LOG_REFUSED, 3);
    counters_set(&self->counters, COUNTER_LOG_REFUSING, 1);
    assert_string_equal(health_check_log(&self->health, 20 * SECOND), "refusing");
    assert_string_equal(health_check_log(&self->health, 49 * SECOND), "refusing");
    assert_string_equal(health_check_log(&self->health, 50 * SECOND), "ok"); /* let one try */
    counters_add(&self->counters, COUNTER_LOG_REFUSED, 1);
    assert_string_equal(health_check_log(&self->health, 60 * SECOND), "refusing");
    counters_set(&self->counters, COUNTER_LOG_REFUSING, 0);
    assert_string_equal(health_check_log(&self->health, 61 * SECOND), "ok");
}

static void test_health__a_folder_that_is_gone_is_not_writable(void **state)
{
    struct rig *self = *state;
    self->health.data = "/nonexistent";
    assert_string_equal(health_check_log(&self->health, 0), "not_writable");
}

static struct net *serve(struct rig *self, struct net_route *routes)
{
    char error[256];
    routes[0] = (struct net_route){NET_GET, "/readyz", health_handle_ready, &self->health, 0};
    routes[1] = (struct net_route){NET_GET, "/metrics", health_handle_metrics, &self->health, 0};
    struct net *net = net_start(
        &(struct net_options){
            .listen = "127.0.0.1:0", .routes = routes, .route_count = 2, .counters = &self->counters},
        error, sizeof error);
    assert_non_null(net);
    return net;
}

static void ask(struct net *net, const char *path, struct http_reply *reply)
{
    struct http_client client;
    char request[128];
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: x\r\n\r\n", path);
    http_client_open(&client, net_port(net));
    http_client_send_text(&client, request);
    assert_true(http_client_read(&client, reply));
    http_client_close(&client);
}

static void test_health__ready_names_every_check(void **state)
{
    struct rig *self = *state;
    struct net_route routes[2];
    static struct http_reply reply;
    struct net *net = serve(self, routes);
    ask(net, "/readyz", &reply);
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.body, "\"process\":\"starting\""));
    atomic_store(&self->health.started, true);
    ask(net, "/readyz", &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "\"log\":\"ok\",\"index\":\"ok\""));
    counters_add(&self->counters, COUNTER_LOG_REFUSED, 1);
    counters_set(&self->counters, COUNTER_LOG_REFUSING, 1);
    ask(net, "/readyz", &reply);
    assert_int_equal(reply.status, 503);
    assert_non_null(strstr(reply.body, "\"log\":\"refusing\""));
    net_stop(net, 1000);
}

static void test_health__metrics_say_what_runs_and_how_long_beacons_take(void **state)
{
    struct rig *self = *state;
    struct net_route routes[2];
    static struct http_reply reply;
    struct net *net = serve(self, routes);
    histogram_add(&self->counters.ingest_seconds, 700);
    ask(net, "/metrics", &reply);
    assert_int_equal(reply.status, 200);
    assert_non_null(strstr(reply.body, "vitrace_build_info{version=\""));
    assert_non_null(strstr(reply.body, "vitrace_ingest_seconds_bucket{le=\"0.0005\"} 0\n"));
    assert_non_null(strstr(reply.body, "vitrace_ingest_seconds_bucket{le=\"0.001\"} 1\n"));
    net_stop(net, 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_health__an_index_at_the_end_of_the_log_is_ok_for_ever, start, stop),
        cmocka_unit_test_setup_teardown(test_health__an_index_that_stays_behind_is_stuck, start, stop),
        cmocka_unit_test_setup_teardown(test_health__behind_is_counted_from_when_it_was_first_seen, start, stop),
        cmocka_unit_test_setup_teardown(test_health__an_index_that_does_not_run_is_stopped, start, stop),
        cmocka_unit_test_setup_teardown(test_health__a_refused_append_counts_until_one_is_taken_or_half_a_minute_is_over,
                                        start, stop),
        cmocka_unit_test_setup_teardown(test_health__a_folder_that_is_gone_is_not_writable, start, stop),
        cmocka_unit_test_setup_teardown(test_health__ready_names_every_check, start, stop),
        cmocka_unit_test_setup_teardown(test_health__metrics_say_what_runs_and_how_long_beacons_take, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
