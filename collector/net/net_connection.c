/* One client: reading, waiting, the states drawn in net_internal.h, and the end. */
#include "collector/net/net_internal.h"

#include <arpa/inet.h>
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

static void net_connection_read(struct net_connection *self, bool on);

static void net_connection_on_closed(uv_handle_t *handle)
{
    struct net_connection *self = handle->data;
    struct memory *memory = self->loop->net->options.memory;
    buf_release(&self->pending);
    free(self);
    memory_give(memory, MEMORY_CONNECTIONS, sizeof *self);
}

void net_connection_close(struct net_connection *self)
{
    struct net_loop *loop = self->loop;
    if (self->state == NET_CLOSED)
        return;
    if (self->exchange != NULL)
        net_exchange_drop(self->exchange);
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
    counters_add(loop->net->options.counters, COUNTER_HTTP_CONNECTIONS,
                 UINT64_MAX); /* a gauge: minus one, modulo 2^64 */
    uv_close((uv_handle_t *)&self->tcp, net_connection_on_closed);
}

static uint64_t net_connection_after(const struct net_connection *self, unsigned ms)
{
    return uv_now(&self->loop->uv) + ms;
}

static void net_connection_idle(struct net_connection *self)
{
    self->state = NET_IDLE;
    self->deadline_ms = net_connection_after(self, self->loop->net->options.idle_timeout_ms);
}

/* FIN after the answer, then drop what still comes. */
static void net_connection_linger(struct net_connection *self)
{
    int file;
    self->state = NET_LINGERING;
    self->deadline_ms = net_connection_after(self, NET_LINGER_MS);
    buf_release(&self->pending);
    self->pending_taken = 0;
    if (self->at_eof || uv_fileno((uv_handle_t *)&self->tcp, &file) != 0 || shutdown(file, SHUT_WR) != 0)
        net_connection_close(self);
    else
        net_connection_read(self, true);
}

static struct slice net_connection_pending(const struct net_connection *self)
{
    if (self->pending.size == self->pending_taken)
        return slice_of(NULL, 0);
    return slice_of(self->pending.data + self->pending_taken, self->pending.size - self->pending_taken);
}

/* The client's next bytes stay with the kernel, and from some point on with the client. */
static void net_connection_pause(struct net_connection *self)
{
    if (self->pause_ms == 0)
        return;
    self->pause_until_ms = net_connection_after(self, self->pause_ms);
    self->pause_ms = 0;
    net_connection_read(self, false);
}

static bool net_connection_may_parse(const struct net_connection *self)
{
    return self->pause_until_ms == 0 && (self->state == NET_IDLE || self->state == NET_READING);
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
    net_connection_pause(self);
    net_connection_pump(self); /* does nothing when the pump is what brought us here: it goes on by itself */
}

/* A request is under way: the head has its deadline, and from when it is whole the body has one and a least rate. */
static void net_connection_watch(struct net_connection *self)
{
    const struct net_options *options = &self->loop->net->options;
    uint64_t now_ms = uv_now(&self->loop->uv);
    if (self->state == NET_IDLE) {
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

/* Feeds input until it is used up, or an exchange is lent or a reply waits. Returns the bytes taken. */
static size_t net_connection_feed(struct net_connection *self, struct slice input)
{
    size_t total = 0;
    while (total < input.size && net_connection_may_parse(self)) {
        size_t taken;
        enum net_parse_result result = net_parse(self, slice_of(input.data + total, input.size - total), &taken);
        total += taken;
        if (result == NET_PARSE_MORE) {
            if (self->exchange != NULL)
                net_connection_watch(self);
            continue;
        }
        struct net_exchange *exchange = self->exchange;
        if (exchange == NULL) { /* out of memory */
            net_connection_close(self);
            return total;
        }
        counters_add(self->loop->net->options.counters, COUNTER_HTTP_REQUESTS, 1);
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
    if (net_connection_pending(self).size > 0 || self->pause_until_ms != 0)
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
    if (!buf_add(&self->pending, rest)) {
        net_connection_close(self);
        return;
    }
    net_connection_read(self, false);
}

/* Called with fresh bytes in the loop's read buffer. Nothing is pending: otherwise reading would be off. */
static void net_connection_take(struct net_connection *self, struct slice input)
{
    if (self->state == NET_LINGERING) {
        self->lingered_bytes += input.size;
        if (self->lingered_bytes > NET_LINGER_BYTES_MAX)
            net_connection_close(self);
        return;
    }
    self->pumping = true; /* replies made inside must not start a second feed over the pending buffer */
    size_t taken = net_connection_feed(self, input);
    self->pumping = false;
    net_connection_keep(self, slice_of(input.data + taken, input.size - taken));
}

static void net_connection_on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    struct net_connection *self = stream->data;
    if (size == 0)
        return; /* EAGAIN */
    if (size == UV_EOF && (self->state == NET_LENT || self->state == NET_WRITING)) {
        self->at_eof = true; /* half-closed: the answer is still wanted */
        self->close_after_write = true;
        net_connection_read(self, false);
        return;
    }
    if (size < 0) {
        net_connection_close(self);
        return;
    }
    net_connection_take(self, slice_of(room->base, (size_t)size));
}

/* One buffer for the loop: a read is consumed, or copied to pending, before the next one. */
static void net_connection_on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *room)
{
    (void)wanted;
    struct net_connection *self = handle->data;
    *room = uv_buf_init(self->loop->read_room, sizeof self->loop->read_room);
}

static void net_connection_read(struct net_connection *self, bool on)
{
    if (on == self->reading)
        return;
    self->reading = on;
    if (!on)
        uv_read_stop((uv_stream_t *)&self->tcp);
    else if (uv_read_start((uv_stream_t *)&self->tcp, net_connection_on_room, net_connection_on_read) != 0)
        net_connection_close(self);
}

static void net_connection_read_peer(struct net_connection *self)
{
    struct sockaddr_storage address;
    int size = sizeof address;
    if (uv_tcp_getpeername(&self->tcp, (struct sockaddr *)&address, &size) != 0)
        return;
    if (address.ss_family == AF_INET6) {
        memcpy(self->peer, &((struct sockaddr_in6 *)&address)->sin6_addr, 16);
    } else if (address.ss_family == AF_INET) {
        memset(self->peer + 10, 0xff, 2);
        memcpy(self->peer + 12, &((struct sockaddr_in *)&address)->sin_addr, 4);
    }
}

static void net_connection_link(struct net_connection *self)
{
    struct net_loop *loop = self->loop;
    self->next = loop->connections;
    if (self->next != NULL)
        self->next->previous = self;
    loop->connections = self;
    counters_add(loop->net->options.counters, COUNTER_HTTP_CONNECTIONS, 1);
}

/* Over the cap: say so in one packet and hang up. The kernel's queue is kept empty, so that no descriptor piles up. */
static void net_connection_turn_away(struct net_connection *self)
{
    char text[128];
    int size = snprintf(text, sizeof text,
                        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: %u\r\nContent-Length: 0\r\n"
                        "Connection: close\r\n\r\n",
                        net_reply_retry_s(self->loop));
    assert(size > 0 && (size_t)size < sizeof text);
    uv_buf_t bytes = uv_buf_init(text, (unsigned)size);
    uv_try_write((uv_stream_t *)&self->tcp, &bytes, 1);
    self->close_after_write = true;
    net_connection_linger(self);
}

/* Counts it for its peer; true = it may stay. `open` is how many there were before it. */
static bool net_connection_admit(struct net_connection *self, unsigned open)
{
    struct net *net = self->loop->net;
    if (open >= net->options.connections_max) {
        counters_add(net->options.counters, COUNTER_HTTP_FULL, 1);
        return false;
    }
    if (net->peers == NULL)
        return true;
    self->peer_count = net_peers_take(net->peers, self->peer, net->options.connections_per_peer_max);
    if (self->peer_count == NULL)
        counters_add(net->options.counters, COUNTER_HTTP_FULL_IP, 1);
    return self->peer_count != NULL;
}

static bool net_connection_has_room(const struct net *net)
{
    return atomic_load_explicit(&net->connection_count, memory_order_relaxed) <
           net->options.connections_max + NET_TURNED_AWAY_MAX;
}

/* NULL = there is no place, or no memory. */
static struct net_connection *net_connection_new(struct net *net)
{
    struct net_connection *self = NULL;
    if (!net_connection_has_room(net) || !memory_take(net->options.memory, MEMORY_CONNECTIONS, sizeof *self))
        return NULL;
    self = calloc(1, sizeof *self);
    if (self == NULL)
        memory_give(net->options.memory, MEMORY_CONNECTIONS, sizeof *self);
    return self;
}

void net_connection_open(struct net_loop *loop)
{
    struct net *net = loop->net;
    struct net_connection *self = net_connection_new(net);
    loop->accept_owed = self == NULL; /* the sweep tries again */
    if (self == NULL)
        return;
    self->loop = loop;
    buf_init_accounted(&self->pending, NET_READ_BYTES, net->options.memory, MEMORY_CONNECTIONS);
    uv_tcp_init(&loop->uv, &self->tcp);
    self->tcp.data = self;
    unsigned open = atomic_fetch_add_explicit(&net->connection_count, 1, memory_order_relaxed);
    net_connection_link(self);
    if (uv_accept((uv_stream_t *)&loop->listener, (uv_stream_t *)&self->tcp) != 0) {
        net_connection_close(self);
        return;
    }
    net_connection_read_peer(self);
    net_parse_init(self);
    net_connection_idle(self);
    if (net_connection_admit(self, open))
        net_connection_read(self, true);
    else
        net_connection_turn_away(self);
}

static bool net_connection_is_slow(const struct net_connection *self, uint64_t now_ms)
{
    const struct net_options *options = &self->loop->net->options;
    if (self->state != NET_READING || self->body_began_ms == 0)
        return false;
    uint64_t spent_ms = now_ms - self->body_began_ms;
    if (spent_ms <= options->body_grace_ms)
        return false;
    return self->exchange->body.size < (spent_ms - options->body_grace_ms) * options->body_bytes_per_second_min / 1000;
}

static void net_connection_time_out(struct net_connection *self, const char *message, enum counter counter)
{
    self->exchange->keep_alive = false;
    net_exchange_refuse(self->exchange, 408, "timeout", message, counter);
    net_reply_refusal(self->exchange);
}

void net_connection_expire(struct net_connection *self, uint64_t now_ms)
{
    if (self->pause_until_ms != 0 && now_ms >= self->pause_until_ms) {
        self->pause_until_ms = 0;
        net_connection_pump(self);
        return;
    }
    bool late = self->deadline_ms != 0 && now_ms >= self->deadline_ms;
    if (late && self->state != NET_READING)
        net_connection_close(self);
    else if (late)
        net_connection_time_out(self, "The request took too long.", COUNTER_HTTP_TIMEOUT);
    else if (net_connection_is_slow(self, now_ms))
        net_connection_time_out(self, "The body comes too slowly.", COUNTER_HTTP_SLOW_BODY);
}
