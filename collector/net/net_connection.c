/* One client: reading, waiting, the states drawn in net_internal.h, and the end. */
#include "collector/net/net_h2.h"

#include <stdio.h>

static void net_connection_on_closed(struct stream *stream)
{
    struct net_connection *self = stream->owner;
    buf_release(&self->pending);
    memory_free(self->loop->net->options.memory, MEMORY_CONNECTIONS, self, sizeof *self);
}

void net_connection_close(struct net_connection *self)
{
    struct net_loop *loop = self->loop;
    if (self->state == NET_CLOSED)
        return;
    if (self->carrier.exchange != NULL)
        net_exchange_drop(self->carrier.exchange);
    if (self->h2 != NULL)
        net_h2_close(self->h2);
    self->state = NET_CLOSED;
    if (self->previous != NULL)
        self->previous->next = self->next;
    else
        loop->connections = self->next;
    if (self->next != NULL)
        self->next->previous = self->previous;
    if (self->peer_count != NULL)
        net_peers_give(self->peer_count);
    atomic_fetch_sub_explicit(&loop->net->connection_count, 1, memory_order_relaxed);
    stream_close(&self->stream);
}

static void net_connection_read(struct net_connection *self, bool on)
{
    if (!stream_read(&self->stream, on))
        net_connection_close(self);
}

static uint64_t net_connection_after(const struct net_connection *self, unsigned ms)
{
    return uv_now(&self->loop->uv) + ms;
}

static void net_connection_idle(struct net_connection *self)
{
    self->state = NET_IDLE;
    self->quiet_since_ms = uv_now(&self->loop->uv);
    self->deadline_ms = net_connection_after(self, self->loop->net->options.idle_timeout_ms);
}

/* FIN after the answer, then drop what still comes. */
static void net_connection_linger(struct net_connection *self)
{
    self->state = NET_LINGERING;
    self->deadline_ms = net_connection_after(self, NET_LINGER_MS);
    buf_release(&self->pending);
    self->pending_taken = 0;
    if (self->at_eof || !stream_finish(&self->stream))
        net_connection_close(self);
    else
        net_connection_read(self, true);
}

void net_connection_finish(struct net_connection *self)
{
    net_h2_close(self->h2);
    net_connection_linger(self);
}

static struct slice net_connection_pending(const struct net_connection *self)
{
    if (self->pending.size == self->pending_taken)
        return slice_of(NULL, 0);
    return slice_of(self->pending.data + self->pending_taken, self->pending.size - self->pending_taken);
}

/* The client's next bytes stay with the kernel, and from some point on with the client. */
static void net_connection_hold(struct net_connection *self)
{
    if (self->hold_ms == 0)
        return;
    self->held_until_ms = net_connection_after(self, self->hold_ms);
    self->hold_ms = 0;
    net_connection_read(self, false);
}

static bool net_connection_may_parse(const struct net_connection *self)
{
    return self->held_until_ms == 0 && (self->state == NET_IDLE || self->state == NET_READING);
}

void net_connection_written(struct net_connection *self)
{
    if (self->nothing_follows && net_connection_pending(self).size == 0) {
        net_connection_close(self);
        return;
    }
    if (self->close_after_write) {
        net_connection_linger(self);
        return;
    }
    net_connection_idle(self);
    net_connection_hold(self);
    net_connection_pump(self); /* does nothing when the pump is what brought us here: it goes on by itself */
}

/* The first wait, for a client that has connected ahead of its need, says nothing of its habit. */
static void net_connection_note_pause(struct net_connection *self, uint64_t now_ms)
{
    unsigned pause_ms = 1 + (unsigned)(now_ms - self->quiet_since_ms); /* at most the idle timeout; 0 = none yet */
    if (self->has_served && pause_ms > self->pause_ms)
        self->pause_ms = pause_ms;
}

/* A request is under way: the head has its deadline, and from when it is whole the body has one and a least rate. */
static void net_connection_watch(struct net_connection *self)
{
    const struct net_options *options = &self->loop->net->options;
    uint64_t now_ms = uv_now(&self->loop->uv);
    if (self->state == NET_IDLE) {
        net_connection_note_pause(self, now_ms);
        self->state = NET_READING;
        self->request_began_ms = now_ms;
        self->body_began_ms = 0;
        self->deadline_ms = now_ms + options->head_timeout_ms;
    }
    if (self->head_complete && self->body_began_ms == 0) {
        self->body_began_ms = now_ms;
        self->deadline_ms = self->request_began_ms + options->request_timeout_ms;
    }
}

static void net_connection_speak_http2(struct net_connection *self)
{
    self->state = NET_HTTP2;
    self->deadline_ms = 0;
    if (!net_h2_open(self))
        net_connection_close(self);
}

/* By prior knowledge: the parser of HTTP/1.1 has recognised the preface, and `behind` came with it. */
static void net_connection_change_to_http2(struct net_connection *self, struct slice behind)
{
    if (self->carrier.exchange != NULL)
        net_exchange_drop(self->carrier.exchange);
    net_connection_speak_http2(self);
    if (self->h2 != NULL)
        net_h2_take(self->h2, slice_of(H2_PREFACE, H2_PREFACE_BYTES));
    if (self->h2 != NULL && behind.size > 0)
        net_h2_take(self->h2, behind);
}

/* Feeds input until it is used up, or an exchange is lent or a reply waits. Returns the bytes taken. */
static size_t net_connection_feed(struct net_connection *self, struct slice input)
{
    size_t total = 0;
    while (total < input.size && net_connection_may_parse(self)) {
        size_t taken;
        enum net_parse_result result = net_parse(self, slice_of(input.data + total, input.size - total), &taken);
        total += taken;
        if (result == NET_PARSE_MORE) {
            if (self->carrier.exchange != NULL)
                net_connection_watch(self);
            continue;
        }
        if (result == NET_PARSE_HTTP2) {
            net_connection_change_to_http2(self, slice_of(input.data + total, input.size - total));
            return input.size;
        }
        struct net_exchange *exchange = self->carrier.exchange;
        if (exchange == NULL) { /* out of memory */
            net_connection_close(self);
            return total;
        }
        counters_add(self->loop->net->options.counters, COUNTER_HTTP_REQUESTS, 1);
        self->has_served = true;
        self->more_follows = total < input.size;
        if (result == NET_PARSE_REFUSED)
            exchange->keep_alive = false;
        if (exchange->refusal.status != 0)
            net_reply_refusal(exchange);
        else
            net_exchange_lend(exchange);
    }
    return total;
}

/* The client's FIN: what it sent before is answered, an unfinished request is not. */
static void net_connection_end(struct net_connection *self)
{
    if (self->state == NET_IDLE || self->state == NET_READING)
        net_connection_close(self);
}

void net_connection_pump(struct net_connection *self)
{
    if (self->pumping)
        return;
    self->pumping = true;
    while (net_connection_pending(self).size > 0 && net_connection_may_parse(self)) {
        size_t taken = net_connection_feed(self, net_connection_pending(self));
        if (self->state != NET_CLOSED && self->state != NET_LINGERING)
            self->pending_taken += taken;
    }
    self->pumping = false;
    if (self->state == NET_CLOSED || self->state == NET_LINGERING)
        return;
    if (net_connection_pending(self).size > 0 || self->held_until_ms != 0)
        return;
    buf_release(&self->pending); /* idle connections hold no buffer */
    self->pending_taken = 0;
    if (self->at_eof)
        net_connection_end(self);
    else
        net_connection_read(self, true);
}

static void net_connection_keep(struct net_connection *self, struct slice rest)
{
    if (rest.size == 0 || self->state == NET_CLOSED || self->state == NET_LINGERING)
        return;
    self->more_follows = true;
    if (!buf_add(&self->pending, rest)) {
        net_connection_close(self);
        return;
    }
    net_connection_read(self, false);
}

/* Called with fresh bytes in the listener's room. Nothing is pending: otherwise reading would be off. */
static void net_connection_take(struct net_connection *self, struct slice input)
{
    if (self->state == NET_LINGERING) {
        self->lingered_bytes += input.size;
        if (self->lingered_bytes > NET_LINGER_BYTES_MAX)
            net_connection_close(self);
        return;
    }
    if (self->state == NET_HTTP2) {
        net_h2_take(self->h2, input);
        return;
    }
    self->pumping = true; /* replies made inside must not start a second feed over the pending buffer */
    size_t taken = net_connection_feed(self, input);
    self->pumping = false;
    net_connection_keep(self, slice_of(input.data + taken, input.size - taken));
}

static void net_connection_on_opened(struct stream *stream)
{
    if (stream_protocol(stream) == STREAM_H2)
        net_connection_speak_http2(stream->owner);
}

static void net_connection_on_bytes(struct stream *stream, struct slice bytes)
{
    net_connection_take(stream->owner, bytes);
}

static void net_connection_on_ended(struct stream *stream)
{
    struct net_connection *self = stream->owner;
    if (self->state != NET_LENT && self->state != NET_WRITING) {
        net_connection_close(self);
        return;
    }
    self->at_eof = true; /* half-closed: the answer is still wanted */
    self->close_after_write = true;
    net_connection_read(self, false);
}

static void net_connection_on_failed(struct stream *stream)
{
    net_connection_close(stream->owner);
}

static void net_connection_on_written(struct stream *stream)
{
    struct net_connection *self = stream->owner;
    if (self->state == NET_HTTP2)
        net_h2_written(self->h2);
    else
        net_connection_written(self);
}

const struct stream_calls net_connection_calls = {.opened = net_connection_on_opened,
                                                  .take = net_connection_on_bytes,
                                                  .ended = net_connection_on_ended,
                                                  .failed = net_connection_on_failed,
                                                  .written = net_connection_on_written,
                                                  .closed = net_connection_on_closed};

static void net_connection_link(struct net_connection *self)
{
    struct net_loop *loop = self->loop;
    self->next = loop->connections;
    if (self->next != NULL)
        self->next->previous = self;
    loop->connections = self;
}

/* Over the cap: say so in one packet (not over TLS: a handshake is what we cannot afford) and hang up. The kernel's queue is
 * kept empty, so that no descriptor piles up. */
static void net_connection_turn_away(struct net_connection *self)
{
    char text[128];
    if (stream_is_secure(&self->stream)) {
        net_connection_close(self);
        return;
    }
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: %u\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                        jitter_spread(&self->loop->net->jitter, NET_RETRY_S, NET_RETRY_S + 1));
    stream_say(&self->stream, slice_of(text, (size_t)size));
    self->close_after_write = true;
    net_connection_linger(self);
}

/* Counts it for its peer; true = it may stay. `open` is how many there were before it. */
static bool net_connection_admit(struct net_connection *self, unsigned open)
{
    struct net *net = self->loop->net;
    if (open >= net->options.connections_max) {
        net_reject_connection(net, COUNTER_HTTP_FULL, stream_peer(&self->stream));
        return false;
    }
    if (net->peers == NULL || stream_is_local(&self->stream))
        return true;
    self->peer_count = net_peers_take(net->peers, stream_peer(&self->stream), net->options.connections_per_peer_max);
    if (self->peer_count == NULL)
        net_reject_connection(net, COUNTER_HTTP_FULL_IP, stream_peer(&self->stream));
    return self->peer_count != NULL;
}

static bool net_connection_has_room(const struct net *net)
{
    return atomic_load_explicit(&net->connection_count, memory_order_relaxed) <
           net->options.connections_max + NET_TURNED_AWAY_MAX;
}

void net_connection_open(struct net_loop *loop)
{
    struct net *net = loop->net;
    struct net_connection *self =
        net_connection_has_room(net) ? memory_new(net->options.memory, MEMORY_CONNECTIONS, sizeof *self) : NULL;
    loop->accept_owed = self == NULL; /* the sweep tries again */
    if (self == NULL)
        return;
    self->carrier.kind = &net_http1_kind;
    self->loop = loop;
    self->is_late_comer = loop->phase != NET_SERVING;
    buf_init_accounted(&self->pending, STREAM_READ_BYTES, net->options.memory, MEMORY_CONNECTIONS);
    unsigned open = atomic_fetch_add_explicit(&net->connection_count, 1, memory_order_relaxed);
    net_connection_link(self);
    net_parse_init(self);
    net_connection_idle(self);
    if (!stream_accept(&self->stream, &loop->listener, self))
        net_connection_close(self);
    else if (!net_connection_admit(self, open))
        net_connection_turn_away(self);
    else if (!stream_start(&self->stream))
        net_connection_close(self);
}

static bool net_connection_is_slow(const struct net_connection *self, uint64_t now_ms)
{
    return self->state == NET_READING && self->body_began_ms != 0 &&
           net_exchange_is_slow(self->carrier.exchange, now_ms - self->body_began_ms);
}

/* A late comer of HTTP/2 hears it when its first request is here, as one of HTTP/1.1 does. */
void net_connection_say_goodbye(struct net_connection *self, uint64_t now_ms)
{
    bool may_go = !self->is_late_comer || self->loop->phase == NET_ENDING;
    if (self->state == NET_HTTP2 && (may_go || net_h2_has_heard(self->h2)))
        net_h2_say_goodbye(self->h2);
    bool is_quiet = self->state == NET_IDLE && stream_is_open(&self->stream); /* a handshake has a deadline of its own */
    if (is_quiet && now_ms >= net_loop_patience_ends(self->loop, self) && !stream_has_input(&self->stream))
        net_connection_linger(self);
}

void net_connection_expire(struct net_connection *self, uint64_t now_ms)
{
    if (self->held_until_ms != 0 && now_ms >= self->held_until_ms) {
        self->held_until_ms = 0;
        net_connection_pump(self);
        return;
    }
    bool late = self->deadline_ms != 0 && now_ms >= self->deadline_ms;
    if (stream_is_late(&self->stream, now_ms))
        net_connection_close(self);
    else if (self->state == NET_HTTP2)
        net_h2_expire(self->h2, now_ms);
    else if (late && self->state == NET_IDLE && stream_has_input(&self->stream))
        return; /* timers run before the loop reads: it may be a request */
    else if (late && self->state != NET_READING)
        net_connection_close(self);
    else if (late)
        net_reply_late(self->carrier.exchange, "The request took too long.", COUNTER_HTTP_TIMEOUT);
    else if (net_connection_is_slow(self, now_ms))
        net_reply_late(self->carrier.exchange, "The body comes too slowly.", COUNTER_HTTP_SLOW_BODY);
}
