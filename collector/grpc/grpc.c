/* Start, and what is left after the end (grpc_drain.c). */
#include "collector/grpc/grpc_internal.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#define GRPC_IDLE_TIMEOUT_DEFAULT    300000u
#define GRPC_REQUEST_TIMEOUT_DEFAULT 10000u
#define GRPC_SWEEP_MS_MAX            250u
#define GRPC_BACKLOG                 256

static void grpc_on_wake(uv_async_t *wake)
{
    struct grpc *self = wake->data;
    grpc_call_run_woken(self);
    grpc_heed(self);
}

static void grpc_on_sweep(uv_timer_t *timer)
{
    struct grpc *self = timer->data;
    uint64_t now_ms = uv_now(&self->uv);
    for (struct grpc_connection *at = self->connections, *next; at != NULL; at = next) {
        next = at->next;
        grpc_connection_expire(at, now_ms);
    }
    if (self->accept_owed && !self->is_deaf)
        grpc_connection_open(self);
    grpc_heed(self);
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
    jitter_init(&self->jitter);
    if (self->options.connections_max == 0)
        self->options.connections_max = GRPC_CONNECTIONS_DEFAULT;
    if (self->options.idle_timeout_ms == 0)
        self->options.idle_timeout_ms = GRPC_IDLE_TIMEOUT_DEFAULT;
    if (self->options.request_timeout_ms == 0)
        self->options.request_timeout_ms = GRPC_REQUEST_TIMEOUT_DEFAULT;
    if (grpc_session_prepare(self) && uv_sem_init(&self->settled, 0) == 0 && uv_loop_init(&self->uv) == 0) {
        uv_async_init(&self->uv, &self->wake, grpc_on_wake);
        uv_timer_init(&self->uv, &self->sweep);
        self->wake.data = self->sweep.data = self;
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
        stream_listener_stop(&self->listener);
        grpc_close_handles(self);
        uv_run(&self->uv, UV_RUN_DEFAULT);
    }
    int status = uv_loop_close(&self->uv);
    assert(status == 0);
    (void)status;
    stream_address_release(&self->address, self->options.listen);
    uv_sem_destroy(&self->settled);
    nghttp2_session_callbacks_del(self->callbacks);
    nghttp2_option_del(self->option);
    free(self);
}

static bool grpc_listen(struct grpc *self, char *error, size_t error_size)
{
    int file = self->options.socket != 0
                   ? stream_address_adopt(&self->address, self->options.socket, error, error_size)
                   : stream_address_open(&self->address, self->options.listen, false, error, error_size);
    if (file < 0)
        return false;
    if (stream_listener_start(&self->listener, &self->uv, file,
                              &(struct stream_listener_options){.calls = &grpc_connection_calls,
                                                                .counters = self->options.counters,
                                                                .memory = self->options.memory,
                                                                .rejects = self->options.rejects,
                                                                .tls = self->options.tls,
                                                                .protocols = STREAM_H2,
                                                                .handshake_timeout_ms = self->options.request_timeout_ms,
                                                                .connected = grpc_connection_open,
                                                                .owner = self,
                                                                .backlog = GRPC_BACKLOG}))
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
    snprintf(error, error_size, "cannot listen on %s: no thread", options->listen);
    grpc_free(self);
    return NULL;
}

unsigned grpc_port(const struct grpc *self)
{
    return self->address.port;
}

void grpc_drain(struct grpc *self, unsigned drain_ms)
{
    self->drain_ms = drain_ms;
    atomic_store_explicit(&self->draining, true, memory_order_release);
    uv_async_send(&self->wake);
}

void grpc_settle(struct grpc *self)
{
    if (!self->is_settled)
        uv_sem_wait(&self->settled);
    self->is_settled = true;
}

void grpc_stop(struct grpc *self, unsigned drain_ms)
{
    if (!atomic_load_explicit(&self->draining, memory_order_acquire))
        grpc_drain(self, drain_ms);
    grpc_settle(self);
    atomic_store_explicit(&self->stop, true, memory_order_release);
    uv_async_send(&self->wake);
    grpc_free(self);
}
