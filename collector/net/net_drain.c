/* The end of a loop, as net_internal.h draws it; everything here runs on the loop's thread. */
#include "collector/net/net_h2.h"

#include <sched.h>

#define NET_SPARE_MS       50u /* who means to send has begun by then, but for the slowest roads */
#define NET_DRAIN_SWEEP_MS 5u  /* between two looks: who waits for the successor waits for this, too */

void net_loop_close_handles(struct net_loop *loop)
{
    if (loop->closing)
        return;
    loop->closing = true;
    while (atomic_load_explicit(&loop->wakers, memory_order_acquire) > 0)
        sched_yield(); /* a stage is between its push and its uv_async_send: a few instructions */
    uv_close((uv_handle_t *)&loop->before_wait, NULL);
    uv_close((uv_handle_t *)&loop->sweep, NULL);
    uv_close((uv_handle_t *)&loop->wake, NULL);
}

static bool net_loop_is_past(const struct net_loop *loop, unsigned drain_ms)
{
    return uv_now(&loop->uv) >= loop->drain_began_ms + drain_ms;
}

/*
 * A client that has just come is about to send: that one is waited for in any phase, though not as long while others
 * wait for the successor. One that was answered before may have nothing more to say; its habit tells how long to wait,
 * but only while the loop is not settled, when waiting costs nobody anything.
 */
uint64_t net_loop_patience_ends(const struct net_loop *loop, const struct net_connection *connection)
{
    uint64_t from = connection->quiet_since_ms;
    if (from < loop->drain_began_ms)
        from = loop->drain_began_ms;
    if (!connection->has_served)
        return from + (loop->phase == NET_ENDING ? NET_GRACE_FRESH_END_MS : NET_GRACE_FRESH_MS);
    if (loop->settled)
        return from;
    if (connection->pause_ms == 0) /* answered once: no habit yet */
        return UINT64_MAX;
    uint64_t habit_ms = NET_GRACE_PAUSES * (uint64_t)connection->pause_ms;
    return from + (habit_ms > NET_GRACE_QUIET_MS ? habit_ms : NET_GRACE_QUIET_MS);
}

static void net_loop_say_goodbye(struct net_loop *loop)
{
    bool late = net_loop_is_past(loop, loop->net->drain_ms);
    for (struct net_connection *at = loop->connections, *next; at != NULL; at = next) {
        next = at->next;
        if (late && loop->phase == NET_ENDING)
            net_connection_close(at);
        else
            net_connection_say_goodbye(at, uv_now(&loop->uv));
    }
}

/* Connected ahead of need, as browsers do: better waited for now than while others wait for the successor. */
static bool net_connection_is_spare(const struct net_connection *self)
{
    return self->state == NET_IDLE && !self->has_served && stream_is_open(&self->stream) &&
           uv_now(&self->loop->uv) > self->quiet_since_ms + NET_SPARE_MS;
}

static bool net_loop_is_settled(const struct net_loop *loop)
{
    if (net_loop_is_past(loop, loop->net->drain_ms / 2))
        return true;
    for (const struct net_connection *at = loop->connections; at != NULL; at = at->next)
        if (!at->is_late_comer || net_connection_is_spare(at))
            return false;
    return true;
}

/* The queue of an inherited socket is its successor's; a client that libuv has taken from it already is ours. */
static void net_loop_stop_accepting(struct net_loop *loop)
{
    bool inherited = loop->net->options.socket != 0, late = net_loop_is_past(loop, loop->net->drain_ms);
    if (loop->is_deaf || (!late && (loop->accept_owed || (!inherited && stream_listener_has_queue(&loop->listener)))))
        return;
    stream_listener_stop(&loop->listener);
    loop->is_deaf = true;
}

static void net_loop_begin_drain(struct net_loop *loop)
{
    loop->phase = NET_DRAINING;
    loop->drain_began_ms = uv_now(&loop->uv);
    uv_timer_set_repeat(&loop->sweep, NET_DRAIN_SWEEP_MS);
    uv_timer_again(&loop->sweep);
}

static void net_loop_begin_end(struct net_loop *loop)
{
    loop->phase = NET_ENDING;
    if (loop->net->options.socket == 0)
        stream_listener_refuse(&loop->listener);
}

void net_loop_heed(struct net_loop *loop)
{
    struct net *net = loop->net;
    if (loop->phase == NET_SERVING && atomic_load_explicit(&net->draining, memory_order_acquire))
        net_loop_begin_drain(loop);
    if (loop->phase == NET_SERVING)
        return;
    if (loop->phase == NET_DRAINING && atomic_load_explicit(&net->stop, memory_order_acquire))
        net_loop_begin_end(loop);
    if (loop->phase == NET_ENDING)
        net_loop_stop_accepting(loop);
    net_loop_say_goodbye(loop);
    if (!loop->settled && net_loop_is_settled(loop)) {
        loop->settled = true;
        uv_sem_post(&net->settled);
    }
    if (loop->is_deaf && loop->connections == NULL && loop->lent == 0)
        net_loop_close_handles(loop);
}
