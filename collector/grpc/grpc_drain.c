/*
 * The end fails no call. RFC 9113, 6.8, has the words that HTTP/1.1 lacks:
 *
 *   server                                            client
 *     GOAWAY(2^31-1), PING  ----------------------->    opens no more streams here
 *     serves what is under way          <-- PING ack    everything it had sent before has arrived
 *     GOAWAY(last stream)   ----------------------->    what is above was never looked at: safe to send elsewhere
 *     answers, then FIN     ----------------------->    closes
 *     reads and drops until its FIN, so that no reset overtakes an answer
 *
 *   SERVING --grpc_drain()--> DRAINING --grpc_stop()--> ENDING --nobody left, or drain_ms over--> the thread ends
 *
 * DRAINING still accepts: who is told to go comes back at once, and there is nobody else yet. Such a connection hears
 * goodbye as soon as its first call has come. It is settled when no client from before is left, or after half of
 * drain_ms. ENDING accepts no more; the listener's queue is dealt with as in net (net_internal.h). Calls lent to
 * another stage are waited for beyond drain_ms: their memory is in that stage's hands.
 */
#include "collector/grpc/grpc_internal.h"

#include <sched.h>

#define GRPC_DRAIN_SWEEP_MS 5u

void grpc_close_handles(struct grpc *self)
{
    if (self->closing)
        return;
    self->closing = true;
    while (atomic_load_explicit(&self->wakers, memory_order_acquire) > 0)
        sched_yield(); /* a stage is between its push and its uv_async_send: a few instructions */
    uv_close((uv_handle_t *)&self->sweep, NULL);
    uv_close((uv_handle_t *)&self->wake, NULL);
}

static bool grpc_is_past(const struct grpc *self, unsigned drain_ms)
{
    return uv_now(&self->uv) >= self->drain_began_ms + drain_ms;
}

static void grpc_say_goodbye(struct grpc *self)
{
    bool late = self->phase == GRPC_ENDING && grpc_is_past(self, self->drain_ms);
    for (struct grpc_connection *at = self->connections, *next; at != NULL; at = next) {
        next = at->next;
        if (late)
            grpc_connection_close(at);
        else if (!at->is_late_comer || at->has_called || self->phase == GRPC_ENDING)
            grpc_connection_say_goodbye(at);
    }
}

static bool grpc_has_settled(const struct grpc *self)
{
    if (grpc_is_past(self, self->drain_ms / 2))
        return true;
    for (const struct grpc_connection *at = self->connections; at != NULL; at = at->next)
        if (!at->is_late_comer)
            return false;
    return true;
}

static void grpc_stop_accepting(struct grpc *self)
{
    bool ours = self->options.socket == 0, late = grpc_is_past(self, self->drain_ms);
    if (self->is_deaf || (ours && !late && stream_listener_has_queue(&self->listener)))
        return;
    stream_listener_stop(&self->listener);
    self->is_deaf = true;
}

static void grpc_begin_drain(struct grpc *self)
{
    self->phase = GRPC_DRAINING;
    self->drain_began_ms = uv_now(&self->uv);
    uv_timer_set_repeat(&self->sweep, GRPC_DRAIN_SWEEP_MS);
    uv_timer_again(&self->sweep);
}

static void grpc_begin_end(struct grpc *self)
{
    self->phase = GRPC_ENDING;
    if (self->options.socket == 0)
        stream_listener_refuse(&self->listener);
}

void grpc_heed(struct grpc *self)
{
    if (self->phase == GRPC_SERVING && atomic_load_explicit(&self->draining, memory_order_acquire))
        grpc_begin_drain(self);
    if (self->phase == GRPC_SERVING)
        return;
    if (self->phase == GRPC_DRAINING && atomic_load_explicit(&self->stop, memory_order_acquire))
        grpc_begin_end(self);
    if (self->phase == GRPC_ENDING)
        grpc_stop_accepting(self);
    grpc_say_goodbye(self);
    if (!self->has_posted && grpc_has_settled(self)) {
        self->has_posted = true;
        uv_sem_post(&self->settled);
    }
    if (self->is_deaf && self->connections == NULL && self->lent == 0)
        grpc_close_handles(self);
}
