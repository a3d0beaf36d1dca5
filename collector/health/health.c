#include "collector/health/health.h"

#include "collector/base/histogram.h"
#include "collector/base/json.h"
#include "proto/wire/limits.h"

#include <stdatomic.h>

#define HEALTH_BODY_BYTES_MAX (64u << 10)

void health_init(struct health *self, const struct counters *counters, const char *data)
{
    *self = (struct health){.counters = counters, .data = data};
    pthread_mutex_init(&self->watch.lock, NULL);
}

void health_release(struct health *self)
{
    pthread_mutex_destroy(&self->watch.lock);
}

void health_handle_live(void *self, struct net_exchange *exchange)
{
    (void)self;
    net_reply(exchange, &(struct net_answer){.status = 200,
                                             .content_type = "application/json",
                                             .body = slice_text("{\"status\":\"ok\"}")});
}

static const char *health_check_life(const struct health *self)
{
    return atomic_load(&self->stopping) ? "stopping" : atomic_load(&self->started) ? "ok" : "starting";
}

void health_handle_ready(void *context, struct net_exchange *exchange)
{
    struct health *self = context;
    uint64_t now_us = histogram_start();
    const char *checks[][2] = {{"process", health_check_life(self)},
                               {"log", health_check_log(self, now_us)},
                               {"index", health_check_index(self, now_us)}};
    bool ready = true;
    struct buf body;
    struct json json;
    buf_init(&body, HEALTH_BODY_BYTES_MAX);
    json_init(&json, &body);
    json_object(&json, NULL);
    json_object(&json, "checks");
    for (unsigned i = 0; i < sizeof checks / sizeof checks[0]; i++) {
        ready = ready && strcmp(checks[i][1], "ok") == 0;
        json_text(&json, checks[i][0], slice_text(checks[i][1]));
    }
    json_object_end(&json);
    json_text(&json, "status", slice_text(ready ? "ready" : "not_ready"));
    json_object_end(&json);
    ready = ready && !body.failed;
    net_reply(exchange, &(struct net_answer){
                            .status = ready ? 200 : 503, .content_type = "application/json", .body = buf_slice(&body)});
    buf_release(&body);
}

void health_handle_metrics(void *context, struct net_exchange *exchange)
{
    struct health *self = context;
    struct buf body;
    buf_init(&body, HEALTH_BODY_BYTES_MAX);
    buf_add_format(&body,
                   "# HELP vitrace_build_info Always 1; the labels say what runs.\n# TYPE vitrace_build_info gauge\n"
                   "vitrace_build_info{version=\"%s\",schema=\"%u\"} 1\n",
                   VITRACE_VERSION, VITRACE_SCHEMA_VERSION);
    counters_write(self->counters, &body);
    if (self->memory != NULL)
        memory_write(self->memory, &body);
    if (body.failed)
        net_reply_error(exchange, 500, "memory", "Out of memory.");
    else
        net_reply(exchange, &(struct net_answer){.status = 200,
                                                 .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                                 .body = buf_slice(&body)});
    buf_release(&body);
}
