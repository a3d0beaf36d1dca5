/*
 * Start and stop. One loop thread per listening socket; with several, the kernel spreads connections (SO_REUSEPORT).
 *
 * Stop, on each loop thread: the listener closes; idle connections close; the others close after their answer. When
 * none is left, or drain_ms is over, the rest is cut. Exchanges lent to another stage are waited for even then: their
 * memory is in that stage's hands. So whoever owns both stops the net before the stage that it feeds.
 */
#include "collector/net/net_internal.h"

#include <assert.h>
#include <pthread.h>
#include <sched.h>
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

static void net_loop_close_handles(struct net_loop *loop)
{
    if (loop->closing)
        return;
    loop->closing = true;
    while (atomic_load_explicit(&loop->wakers, memory_order_acquire) > 0)
        sched_yield(); /* a stage is between its push and its uv_async_send: a few instructions */
    uv_close((uv_handle_t *)&loop->sweep, NULL);
    uv_close((uv_handle_t *)&loop->wake, NULL);
}

static void net_loop_drain(struct net_loop *loop)
{
    bool late = uv_now(&loop->uv) >= loop->drain_until_ms;
    for (struct net_connection *at = loop->connections, *next; at != NULL; at = next) {
        next = at->next;
        if (late || at->state == NET_IDLE)
            net_connection_close(at);
    }
    if (loop->connections == NULL && loop->lent == 0)
        net_loop_close_handles(loop);
}

static void net_loop_stop(struct net_loop *loop)
{
    loop->stopping = true;
    loop->drain_until_ms = uv_now(&loop->uv) + loop->net->drain_ms;
    uv_close((uv_handle_t *)&loop->listener, NULL);
}

static void net_loop_on_wake(uv_async_t *wake)
{
    struct net_loop *loop = wake->data;
    net_exchange_run_woken(loop);
    if (atomic_load_explicit(&loop->net->stop, memory_order_acquire) && !loop->stopping)
        net_loop_stop(loop);
    if (loop->stopping)
        net_loop_drain(loop);
}

static void net_loop_on_sweep(uv_timer_t *timer)
{
    struct net_loop *loop = timer->data;
    uint64_t now_ms = uv_now(&loop->uv);
    for (struct net_connection *at = loop->connections, *next; at != NULL; at = next) {
        next = at->next;
        net_connection_expire(at, now_ms);
    }
    if (loop->accept_owed && !loop->stopping)
        net_connection_open(loop);
    if (loop->stopping)
        net_loop_drain(loop);
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
    /* Reserved now, whole: also the answer "out of memory" has a head. */
    if (buf_reserve(&loop->reply_head, NET_REPLY_HEAD_BYTES_MAX) == NULL || uv_loop_init(&loop->uv) != 0) {
        buf_release(&loop->reply_head);
        return false;
    }
    uv_async_init(&loop->uv, &loop->wake, net_loop_on_wake);
    uv_timer_init(&loop->uv, &loop->sweep);
    uv_tcp_init(&loop->uv, &loop->listener);
    loop->wake.data = loop->sweep.data = loop->listener.data = loop;
    unsigned sweep_ms = net_sweep_ms(&net->options);
    uv_timer_start(&loop->sweep, net_loop_on_sweep, sweep_ms, sweep_ms);
    return true;
}

static bool net_loop_listen(struct net_loop *loop, int file)
{
    if (uv_tcp_open(&loop->listener, file) != 0) {
        close(file);
        return false;
    }
    uv_tcp_nodelay(&loop->listener, 1); /* accepted sockets inherit it: one call less for each */
    return uv_listen((uv_stream_t *)&loop->listener, NET_BACKLOG, net_listener_accept) == 0;
}

static void net_loop_release(struct net_loop *loop)
{
    if (loop->started)
        uv_thread_join(&loop->thread);
    else {
        uv_close((uv_handle_t *)&loop->listener, NULL);
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
    net_hosts_release(&self->hosts);
    free(self->peers);
    free(self->loops);
    free(self);
}

/* Opens loop `index`. Shared sockets of two processes would split the clients, so the first one is tried alone. */
static bool net_open_loop(struct net *self, unsigned count, char *error, size_t error_size)
{
    bool shared = count > 1 && self->options.socket == 0; /* an inherited one feeds every loop: each accepts in turn */
    if (shared && self->loop_count == 0) {
        unsigned probed = 0;
        int probe = net_listener_open(self->options.listen, false, &probed, error, error_size);
        if (probe < 0)
            return false;
        close(probe);
    }
    int file = self->options.socket != 0
                   ? net_listener_adopt(self->options.socket, &self->port, error, error_size)
                   : net_listener_open(self->options.listen, shared, &self->port, error, error_size);
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
    if (self == NULL || loops == NULL) {
        free(self);
        free(loops);
        return NULL;
    }
    self->loops = loops;
    net_set_options(self, options);
    if (options->connections_per_peer_max > 0)
        self->peers = net_peers_new();
    bool peers_missing = options->connections_per_peer_max > 0 && self->peers == NULL;
    if (net_hosts_init(&self->hosts, options) && !peers_missing)
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
    return self->port;
}

void net_stop(struct net *self, unsigned drain_ms)
{
    self->drain_ms = drain_ms;
    atomic_store_explicit(&self->stop, true, memory_order_release);
    for (unsigned i = 0; i < self->loop_count; i++)
        if (self->loops[i].started)
            uv_async_send(&self->loops[i].wake);
    net_free(self);
}
