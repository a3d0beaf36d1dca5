/*
 * Start, and what is left after the end. One loop thread per listening socket; with several, the kernel spreads
 * connections (SO_REUSEPORT).
 */
#include "collector/net/net_h2.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NET_CONNECTIONS_DEFAULT     10000u
#define NET_IDLE_TIMEOUT_DEFAULT    15000u
#define NET_HEAD_TIMEOUT_DEFAULT    5000u
#define NET_BODY_RATE_DEFAULT       1024u
#define NET_BODY_GRACE_DEFAULT      2000u
#define NET_REQUEST_TIMEOUT_DEFAULT 30000u
#define NET_PER_PEER_MAX            60000u
#define NET_SWEEP_MS_MAX            250u

static void net_loop_on_wake(uv_async_t *wake)
{
    struct net_loop *loop = wake->data;
    net_exchange_run_woken(loop);
    net_loop_heed(loop);
}

static void net_loop_on_sweep(uv_timer_t *timer)
{
    struct net_loop *loop = timer->data;
    uint64_t now_ms = uv_now(&loop->uv);
    for (struct net_connection *at = loop->connections, *next; at != NULL; at = next) {
        next = at->next;
        net_connection_expire(at, now_ms);
    }
    if (loop->accept_owed && !loop->is_deaf)
        net_connection_open(loop);
    net_loop_heed(loop);
}

/* From one wait to the next, less the waiting itself. */
static void net_loop_measure(struct net_loop *loop)
{
    uint64_t now_ns = uv_hrtime(), idle_ns = uv_metrics_idle_time(&loop->uv);
    loop->round_us = (now_ns - loop->round_began_ns - (idle_ns - loop->round_idle_ns)) / 1000;
    loop->round_began_ns = now_ns;
    loop->round_idle_ns = idle_ns;
}

static void net_loop_before_wait(uv_prepare_t *before_wait)
{
    net_h2_flush_due(before_wait->data);
    net_loop_measure(before_wait->data);
}

static void net_loop_run(void *argument)
{
    struct net_loop *loop = argument;
    sigset_t all;
    sigfillset(&all); /* signals are main's; SIGPIPE, blocked here, becomes EPIPE */
    sigdelset(&all, SIGSYS); /* raised by this thread itself: blocked, the kernel would end us without a word */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    pthread_setname_np(pthread_self(), "vitrace-net"); /* so that top and perf tell whose time it is */
    uv_run(&loop->uv, UV_RUN_DEFAULT);
}

/* A quarter of the shortest timeout, so that none is overrun by more than that. */
static unsigned net_sweep_ms(const struct net_options *options)
{
    unsigned shortest = options->idle_timeout_ms;
    if (options->head_timeout_ms < shortest)
        shortest = options->head_timeout_ms;
    if (options->request_timeout_ms < shortest)
        shortest = options->request_timeout_ms;
    unsigned sweep = shortest / 4;
    return sweep > NET_SWEEP_MS_MAX ? NET_SWEEP_MS_MAX : sweep < 1 ? 1 : sweep;
}

static bool net_loop_init(struct net_loop *loop, struct net *net)
{
    loop->net = net;
    buf_init(&loop->reply_head, NET_REPLY_HEAD_BYTES_MAX);
    buf_reserve(&loop->reply_head, NET_REPLY_HEAD_BYTES_MAX); /* now: an answer must not fail for it */
    if (loop->reply_head.failed || uv_loop_init(&loop->uv) != 0) {
        buf_release(&loop->reply_head);
        return false;
    }
    uv_loop_configure(&loop->uv, UV_METRICS_IDLE_TIME);
    loop->round_began_ns = uv_hrtime();
    uv_async_init(&loop->uv, &loop->wake, net_loop_on_wake);
    uv_timer_init(&loop->uv, &loop->sweep);
    uv_prepare_init(&loop->uv, &loop->before_wait);
    loop->wake.data = loop->sweep.data = loop->before_wait.data = loop;
    unsigned sweep_ms = net_sweep_ms(&net->options);
    uv_timer_start(&loop->sweep, net_loop_on_sweep, sweep_ms, sweep_ms);
    uv_prepare_start(&loop->before_wait, net_loop_before_wait);
    return true;
}

static void net_loop_on_client(void *loop)
{
    net_connection_open(loop);
}

static bool net_loop_listen(struct net_loop *loop, int file)
{
    const struct net_options *options = &loop->net->options;
    return stream_listener_start(&loop->listener, &loop->uv, file,
                                 &(struct stream_listener_options){.calls = &net_connection_calls,
                                                                   .counters = options->counters,
                                                                   .memory = options->memory,
                                                                   .rejects = options->rejects,
                                                                   .tls = options->tls,
                                                                   .protocols = STREAM_HTTP_1_1 | STREAM_H2,
                                                                   .handshake_timeout_ms = options->head_timeout_ms,
                                                                   .connected = net_loop_on_client,
                                                                   .owner = loop,
                                                                   .backlog = NET_BACKLOG});
}

static void net_loop_release(struct net_loop *loop)
{
    if (loop->started)
        uv_thread_join(&loop->thread);
    else {
        stream_listener_stop(&loop->listener);
        net_loop_close_handles(loop);
        uv_run(&loop->uv, UV_RUN_DEFAULT);
    }
    net_exchange_free_spare(loop);
    buf_release(&loop->reply_head);
    int status = uv_loop_close(&loop->uv);
    assert(status == 0);
    (void)status;
}

static void net_free(struct net *self)
{
    for (unsigned i = 0; i < self->loop_count; i++)
        net_loop_release(&self->loops[i]);
    stream_address_release(&self->address, self->options.listen);
    net_hosts_release(&self->hosts);
    net_h2_release(self);
    uv_sem_destroy(&self->settled);
    free(self->peers);
    free(self->loops);
    free(self);
}

/* Shared sockets of two processes would split the clients, so the first one is tried alone. */
static int net_open_shared(struct net *self, char *error, size_t error_size)
{
    if (self->loop_count == 0) {
        struct stream_address probed = {0};
        int probe = stream_address_open(&probed, self->options.listen, false, error, error_size);
        if (probe < 0)
            return -1;
        close(probe);
    }
    return stream_address_open(&self->address, self->options.listen, true, error, error_size);
}

/* One socket feeds every loop, each accepting in turn, where the kernel cannot spread clients: inherited ones, and Unix. */
static int net_open_socket(struct net *self, unsigned count, char *error, size_t error_size)
{
    int first = self->options.socket;
    if (first == 0 && self->loop_count > 0 && stream_address_is_local(self->options.listen))
        first = stream_listener_socket(&self->loops[0].listener);
    if (first != 0)
        return stream_address_adopt(&self->address, first, error, error_size);
    if (count > 1 && !stream_address_is_local(self->options.listen))
        return net_open_shared(self, error, error_size);
    return stream_address_open(&self->address, self->options.listen, false, error, error_size);
}

static bool net_open_loop(struct net *self, unsigned count, char *error, size_t error_size)
{
    int file = net_open_socket(self, count, error, error_size);
    if (file < 0)
        return false;
    struct net_loop *loop = &self->loops[self->loop_count];
    bool made = net_loop_init(loop, self);
    self->loop_count += made; /* from here on net_free() undoes it */
    if (made && net_loop_listen(loop, file))
        return true;
    if (!made)
        close(file);
    snprintf(error, error_size, "cannot listen on %s: %s", self->options.listen,
             made ? "the port is taken" : "no event loop could be made: out of memory or file descriptors");
    return false;
}

static bool net_start_thread(struct net_loop *loop)
{
    loop->started = uv_thread_create(&loop->thread, net_loop_run, loop) == 0;
    return loop->started;
}

static void net_default(unsigned *option, unsigned value)
{
    if (*option == 0)
        *option = value;
}

static void net_set_options(struct net *self, const struct net_options *options)
{
    self->options = *options;
    net_default(&self->options.connections_max, NET_CONNECTIONS_DEFAULT);
    net_default(&self->options.idle_timeout_ms, NET_IDLE_TIMEOUT_DEFAULT);
    net_default(&self->options.head_timeout_ms, NET_HEAD_TIMEOUT_DEFAULT);
    net_default(&self->options.body_bytes_per_second_min, NET_BODY_RATE_DEFAULT);
    net_default(&self->options.body_grace_ms, NET_BODY_GRACE_DEFAULT);
    net_default(&self->options.request_timeout_ms, NET_REQUEST_TIMEOUT_DEFAULT);
    if (self->options.head_timeout_ms > self->options.request_timeout_ms)
        self->options.head_timeout_ms = self->options.request_timeout_ms;
    assert(options->connections_per_peer_max <= NET_PER_PEER_MAX);
}

static struct net *net_new(const struct net_options *options, unsigned count)
{
    struct net *self = calloc(1, sizeof *self);
    struct net_loop *loops = calloc(count, sizeof *loops);
    if (self == NULL || loops == NULL || uv_sem_init(&self->settled, 0) != 0) {
        free(self);
        free(loops);
        return NULL;
    }
    self->loops = loops;
    net_set_options(self, options);
    jitter_init(&self->jitter);
    if (options->connections_per_peer_max > 0)
        self->peers = net_peers_new();
    bool peers_missing = options->connections_per_peer_max > 0 && self->peers == NULL;
    if (net_hosts_init(&self->hosts, options) && net_h2_prepare(self) && !peers_missing)
        return self;
    net_free(self);
    return NULL;
}

struct net *net_start(const struct net_options *options, char *error, size_t error_size)
{
    unsigned count = options->threads == 0 ? 1 : options->threads;
    struct net *self = count > NET_THREADS_MAX ? NULL : net_new(options, count);
    if (self == NULL) {
        snprintf(error, error_size, "cannot listen on %s: out of memory, or more than %u threads", options->listen,
                 NET_THREADS_MAX);
        return NULL;
    }
    bool good = true;
    for (unsigned i = 0; good && i < count; i++)
        good = net_open_loop(self, count, error, error_size);
    for (unsigned i = 0; good && i < count; i++)
        if (!net_start_thread(&self->loops[i])) {
            snprintf(error, error_size, "cannot listen on %s: no thread: out of memory, or too many of them", options->listen);
            good = false;
        }
    if (good)
        return self;
    net_stop(self, 0);
    return NULL;
}

unsigned net_port(const struct net *self)
{
    return self->address.port;
}

static void net_wake_loops(struct net *self)
{
    for (unsigned i = 0; i < self->loop_count; i++)
        if (self->loops[i].started)
            uv_async_send(&self->loops[i].wake);
}

void net_drain(struct net *self, unsigned drain_ms)
{
    self->drain_ms = drain_ms;
    atomic_store_explicit(&self->draining, true, memory_order_release);
    net_wake_loops(self);
}

void net_settle(struct net *self)
{
    for (unsigned i = 0; i < self->loop_count; i++)
        if (self->loops[i].started && !self->is_settled)
            uv_sem_wait(&self->settled);
    self->is_settled = true;
}

void net_stop(struct net *self, unsigned drain_ms)
{
    if (!atomic_load_explicit(&self->draining, memory_order_acquire))
        net_drain(self, drain_ms);
    net_settle(self);
    atomic_store_explicit(&self->stop, true, memory_order_release);
    net_wake_loops(self);
    net_free(self);
}
