/*
 * Start and stop. Stop, on the loop thread: the listener closes, every connection hears GOAWAY, calls under way are
 * answered. When no connection is left, or drain_ms is over, the rest is cut. Calls lent to another stage are waited
 * for even then: their memory is in that stage's hands. So whoever owns both stops the grpc before the stage it feeds.
 */
#include "collector/grpc/grpc_internal.h"

#include "collector/net/net_listener.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define GRPC_IDLE_TIMEOUT_DEFAULT    300000u
#define GRPC_REQUEST_TIMEOUT_DEFAULT 10000u
#define GRPC_SWEEP_MS_MAX            250u
#define GRPC_BACKLOG                 256

static void grpc_close_handles(struct grpc *self)
{
    if (self->closing)
        return;
    self->closing = true;
    while (atomic_load_explicit(&self->wakers, memory_order_acquire) > 0)
        sched_yield(); /* a stage is between its push and its uv_async_send: a few instructions */
    uv_close((uv_handle_t *)&self->sweep, NULL);
    uv_close((uv_handle_t *)&self->wake, NULL);
}

static void grpc_drain(struct grpc *self)
{
    bool late = uv_now(&self->uv) >= self->drain_until_ms;
    for (struct grpc_connection *at = self->connections, *next; at != NULL; at = next) {
        next = at->next;
        grpc_connection_say_goodbye(at);
        if (!at->closed && (late || (at->call_count == 0 && !at->writing)))
            grpc_connection_close(at);
    }
    if (self->connections == NULL && self->lent == 0)
        grpc_close_handles(self);
}

static void grpc_on_wake(uv_async_t *wake)
{
    struct grpc *self = wake->data;
    grpc_call_run_woken(self);
    if (atomic_load_explicit(&self->stop, memory_order_acquire) && !self->stopping) {
        self->stopping = true;
        self->drain_until_ms = uv_now(&self->uv) + self->drain_ms;
        uv_close((uv_handle_t *)&self->listener, NULL);
    }
    if (self->stopping)
        grpc_drain(self);
}

static void grpc_on_client(uv_stream_t *listener, int status)
{
    if (status == 0)
        grpc_connection_open(listener->data);
}

static void grpc_on_sweep(uv_timer_t *timer)
{
    struct grpc *self = timer->data;
    uint64_t now_ms = uv_now(&self->uv);
    for (struct grpc_connection *at = self->connections, *next; at != NULL; at = next) {
        next = at->next;
        grpc_connection_expire(at, now_ms);
    }
    if (self->accept_owed && !self->stopping)
        grpc_connection_open(self);
    if (self->stopping)
        grpc_drain(self);
}

static void grpc_run(void *argument)
{
    struct grpc *self = argument;
    sigset_t all;
    sigfillset(&all); /* signals are main's; SIGPIPE, blocked here, becomes EPIPE */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    uv_run(&self->uv, UV_RUN_DEFAULT);
}

/* A quarter of the shortest timeout, so that none is overrun by more than that. */
static unsigned grpc_sweep_ms(const struct grpc_options *options)
{
    unsigned shortest =
        options->idle_timeout_ms < options->request_timeout_ms ? options->idle_timeout_ms : options->request_timeout_ms;
    unsigned sweep = shortest / 4;
    return sweep > GRPC_SWEEP_MS_MAX ? GRPC_SWEEP_MS_MAX : sweep < 1 ? 1 : sweep;
}

static struct grpc *grpc_new(const struct grpc_options *options)
{
    struct grpc *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->options = *options;
    if (self->options.connections_max == 0)
        self->options.connections_max = GRPC_CONNECTIONS_DEFAULT;
    if (self->options.idle_timeout_ms == 0)
        self->options.idle_timeout_ms = GRPC_IDLE_TIMEOUT_DEFAULT;
    if (self->options.request_timeout_ms == 0)
        self->options.request_timeout_ms = GRPC_REQUEST_TIMEOUT_DEFAULT;
    if (grpc_session_prepare(self) && uv_loop_init(&self->uv) == 0) {
        uv_async_init(&self->uv, &self->wake, grpc_on_wake);
        uv_timer_init(&self->uv, &self->sweep);
        uv_tcp_init(&self->uv, &self->listener);
        self->wake.data = self->sweep.data = self->listener.data = self;
        return self;
    }
    nghttp2_session_callbacks_del(self->callbacks);
    nghttp2_option_del(self->option);
    free(self);
    return NULL;
}

static void grpc_free(struct grpc *self)
{
    if (self->started) {
        uv_thread_join(&self->thread);
    } else {
        uv_close((uv_handle_t *)&self->listener, NULL);
        grpc_close_handles(self);
        uv_run(&self->uv, UV_RUN_DEFAULT);
    }
    int status = uv_loop_close(&self->uv);
    assert(status == 0);
    (void)status;
    nghttp2_session_callbacks_del(self->callbacks);
    nghttp2_option_del(self->option);
    free(self);
}

static bool grpc_listen(struct grpc *self, char *error, size_t error_size)
{
    int file = net_listener_open(self->options.listen, false, &self->port, error, error_size);
    if (file < 0)
        return false;
    if (uv_tcp_open(&self->listener, file) != 0)
        close(file);
    else if (uv_listen((uv_stream_t *)&self->listener, GRPC_BACKLOG, grpc_on_client) == 0)
        return true;
    snprintf(error, error_size, "cannot listen on %s: the port is taken", self->options.listen);
    return false;
}

struct grpc *grpc_start(const struct grpc_options *options, char *error, size_t error_size)
{
    struct grpc *self = grpc_new(options);
    if (self == NULL) {
        snprintf(error, error_size, "cannot listen on %s: out of memory", options->listen);
        return NULL;
    }
    if (!grpc_listen(self, error, error_size)) {
        grpc_free(self);
        return NULL;
    }
    unsigned sweep_ms = grpc_sweep_ms(&self->options);
    uv_timer_start(&self->sweep, grpc_on_sweep, sweep_ms, sweep_ms);
    self->started = uv_thread_create(&self->thread, grpc_run, self) == 0;
    if (self->started)
        return self;
    snprintf(error, error_size, "cannot listen on %s: no thread: out of memory, or too many of them", options->listen);
    grpc_free(self);
    return NULL;
}

unsigned grpc_port(const struct grpc *self)
{
    return self->port;
}

void grpc_stop(struct grpc *self, unsigned drain_ms)
{
    self->drain_ms = drain_ms;
    atomic_store_explicit(&self->stop, true, memory_order_release);
    uv_async_send(&self->wake);
    grpc_free(self);
}
