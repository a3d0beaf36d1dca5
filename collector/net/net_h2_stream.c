/* One request of an HTTP/2 connection, and the way of its answer; drawn in net_h2.h. */
#include "collector/net/net_h2.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define NET_H2_FIELDS_MAX 16u /* of an answer */

static const struct net_carrier_kind net_h2_stream_kind;

static struct net_loop *net_h2_stream_loop(const struct net_h2_stream *self)
{
    return self->h2->connection->loop;
}

static uint64_t net_h2_stream_now(const struct net_h2_stream *self)
{
    return uv_now(&net_h2_stream_loop(self)->uv);
}

static void net_h2_stream_link(struct net_h2_stream *self)
{
    struct net_h2 *h2 = self->h2;
    self->previous = h2->last;
    if (h2->last != NULL)
        h2->last->next = self;
    else
        h2->first = self;
    h2->last = self;
    h2->stream_count++;
}

static void net_h2_stream_unlink(struct net_h2_stream *self)
{
    struct net_h2 *h2 = self->h2;
    *(self->previous != NULL ? &self->previous->next : &h2->first) = self->next;
    *(self->next != NULL ? &self->next->previous : &h2->last) = self->previous;
    if (--h2->stream_count == 0)
        h2->idle_ms = net_h2_stream_now(self);
}

struct net_h2_stream *net_h2_stream_new(struct net_h2 *h2, int32_t id)
{
    struct net_loop *loop = h2->connection->loop;
    if (h2->stream_count == NET_H2_STREAMS_MAX || loop->exchange_count >= NET_H2_EXCHANGES_MAX)
        return NULL;
    struct memory *memory = loop->net->options.memory;
    struct net_h2_stream *self = memory_new(memory, MEMORY_CONNECTIONS, sizeof *self);
    if (self == NULL)
        return NULL;
    self->carrier.kind = &net_h2_stream_kind;
    if (net_exchange_new(loop, &self->carrier, stream_peer(&h2->connection->stream)) == NULL) {
        memory_free(memory, MEMORY_CONNECTIONS, self, sizeof *self);
        return NULL;
    }
    self->h2 = h2;
    self->id = id;
    self->began_ms = uv_now(&loop->uv);
    self->deadline_ms = self->began_ms + loop->net->options.head_timeout_ms;
    self->carrier.exchange->keep_alive = true;
    net_h2_stream_link(self);
    return self;
}

/* Counts what a request keeps in memory; false: there is too much of it, and the stream has been refused. */
static bool net_h2_stream_hold(struct net_h2_stream *self, size_t bytes)
{
    struct net_loop *loop = net_h2_stream_loop(self);
    if (bytes > NET_H2_HELD_BYTES_MAX - self->h2->held_bytes || bytes > NET_H2_HELD_BYTES_TOTAL_MAX - loop->held_bytes) {
        net_h2_stream_refuse(self, 503, "busy", "Too many requests are under way.", COUNTER_HTTP_BUSY);
        return false;
    }
    self->held_bytes += bytes;
    self->h2->held_bytes += bytes;
    self->carrier.exchange->held_bytes += bytes;
    loop->held_bytes += bytes;
    return true;
}

/* The exchange gives the loop's share back when its memory goes, which may be later than the answer. */
static void net_h2_stream_release(struct net_h2_stream *self)
{
    self->h2->held_bytes -= self->held_bytes;
    self->held_bytes = 0;
}

void net_h2_stream_free(struct net_h2_stream *self)
{
    struct memory *memory = self->h2->connection->loop->net->options.memory;
    self->h2->waiting -= self->waits;
    self->h2->answer_bytes -= self->answer.size;
    net_h2_stream_release(self);
    net_h2_stream_unlink(self);
    if (self->carrier.exchange != NULL)
        net_exchange_drop(self->carrier.exchange);
    buf_release(&self->answer);
    memory_free(memory, MEMORY_CONNECTIONS, self, sizeof *self);
}

void net_h2_stream_close(struct net_h2_stream *self)
{
    self->closed = true;
    self->deadline_ms = 0;
    if (self->carrier.exchange == NULL || !self->carrier.exchange->lent)
        net_h2_stream_free(self);
}

void net_h2_stream_refuse(struct net_h2_stream *self, int status, const char *code, const char *message,
                          enum counter counter)
{
    net_exchange_refuse(self->carrier.exchange, status, code, message, counter);
    counters_add(net_h2_stream_loop(self)->net->options.counters, COUNTER_HTTP_REQUESTS, 1);
    net_reply_refusal(self->carrier.exchange);
}

static void net_h2_stream_refuse_head(struct net_exchange *exchange)
{
    if (exchange->head.starved)
        net_exchange_refuse_busy(exchange);
    else
        net_exchange_refuse(exchange, 431, "headers_too_large", "The headers are over 16 KiB or 64 fields.",
                            COUNTER_HTTP_HEADERS_TOO_LARGE);
}

static enum net_method net_h2_stream_method(struct slice name)
{
    static const struct {
        const char *name;
        enum net_method method;
    } methods[] = {{"POST", NET_POST}, {"GET", NET_GET}, {"OPTIONS", NET_OPTIONS}, {"HEAD", NET_HEAD}};
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (slice_equal(name, slice_text(methods[i].name)))
            return methods[i].method;
    return NET_OTHER;
}

static void net_h2_stream_add_field(struct net_exchange *exchange, struct slice name, struct slice value)
{
    size_t at = exchange->head.size;
    if (exchange->field_count == NET_HEADERS_MAX || !buf_add(&exchange->head, name) ||
        !buf_add(&exchange->head, value)) {
        net_h2_stream_refuse_head(exchange);
        return;
    }
    exchange->field[exchange->field_count++] =
        (struct net_field){(uint16_t)at, (uint16_t)name.size, (uint16_t)(at + name.size), (uint16_t)value.size};
}

/* Pseudo-headers come first, nghttp2 sees to that; so a host field is the second of two names (RFC 9113, 8.3.1). */
static void net_h2_stream_add_host(struct net_exchange *exchange, struct slice host)
{
    if (net_exchange_header_count(exchange, "host") == 0)
        net_h2_stream_add_field(exchange, slice_text("host"), host);
    else if (!slice_equal(net_exchange_header(exchange, "host"), host))
        net_exchange_refuse(exchange, 400, "bad_request", "The host header is not the request's :authority.",
                            COUNTER_HTTP_BAD_REQUESTS);
}

static void net_h2_stream_add_target(struct net_exchange *exchange, struct slice target)
{
    exchange->target_at = exchange->head.size;
    exchange->target_size = target.size;
    if (!buf_add(&exchange->head, target))
        net_h2_stream_refuse_head(exchange);
}

/* The first reason to refuse stays; what follows is not stored. The answer waits for the block's end. */
bool net_h2_stream_add_header(struct net_h2_stream *self, struct slice name, struct slice value)
{
    struct net_exchange *exchange = self->carrier.exchange;
    self->head_bytes += name.size + value.size + H2_FIELD_BYTES;
    if (self->head_bytes > NET_HEAD_BYTES_MAX && exchange->refusal.status == 0)
        net_h2_stream_refuse_head(exchange);
    if (exchange->refusal.status != 0)
        return self->head_bytes <= NET_H2_HEAD_BYTES_RESET;
    if (slice_equal(name, slice_text(":method")))
        exchange->method = net_h2_stream_method(value);
    else if (slice_equal(name, slice_text(":path")))
        net_h2_stream_add_target(exchange, value);
    else if (slice_equal(name, slice_text(":authority")) || slice_equal(name, slice_text("host")))
        net_h2_stream_add_host(exchange, value);
    else if (name.data[0] != ':')
        net_h2_stream_add_field(exchange, name, value);
    return true;
}

/* nghttp2 has refused what is no number, and holds the body to it. */
static uint64_t net_h2_stream_declared(const struct net_exchange *exchange)
{
    struct slice length = net_exchange_header(exchange, "content-length");
    uint64_t value = 0;
    for (size_t i = 0; i < length.size && value <= UINT64_MAX / 100; i++)
        value = value * 10 + (length.data[i] - '0');
    return value;
}

void net_h2_stream_take_head(struct net_h2_stream *self, bool ends)
{
    struct net_exchange *exchange = self->carrier.exchange;
    self->head_whole = true;
    self->body_began_ms = net_h2_stream_now(self);
    self->deadline_ms = self->began_ms + net_h2_stream_loop(self)->net->options.request_timeout_ms;
    exchange->has_body = !ends;
    exchange->body_declared = net_h2_stream_declared(exchange);
    if (!net_h2_stream_hold(self, exchange->head.size))
        return;
    if (exchange->refusal.status == 0)
        net_head_judge(exchange);
    const struct net_refusal refusal = exchange->refusal;
    if (refusal.status != 0)
        net_h2_stream_refuse(self, refusal.status, refusal.code, refusal.message, refusal.counter);
    else if (exchange->expects_continue && exchange->has_body)
        exchange->carrier->kind->go_on(exchange->carrier);
}

/* What comes behind an answer is dropped, until the client hears of it. */
void net_h2_stream_take_body(struct net_h2_stream *self, struct slice bytes)
{
    struct net_exchange *exchange = self->carrier.exchange;
    if (exchange == NULL || !net_h2_stream_hold(self, bytes.size) || net_exchange_add_body(exchange, bytes))
        return;
    const struct net_refusal refusal = exchange->refusal;
    net_h2_stream_refuse(self, refusal.status, refusal.code, refusal.message, refusal.counter);
}

void net_h2_stream_lend(struct net_h2_stream *self)
{
    self->h2->waiting -= self->waits;
    self->waits = false;
    net_exchange_lend(self->carrier.exchange);
}

void net_h2_stream_take_end(struct net_h2_stream *self)
{
    struct net_h2 *h2 = self->h2;
    if (self->carrier.exchange == NULL)
        return;
    counters_add(net_h2_stream_loop(self)->net->options.counters, COUNTER_HTTP_REQUESTS, 1);
    self->body_began_ms = 0;
    self->waits = h2->waiting > 0 || h2->answer_bytes >= NET_H2_ANSWER_BYTES_MAX;
    h2->waiting += self->waits;
    if (!self->waits)
        net_h2_stream_lend(self);
}

/* Its time is over: a request that is not whole is answered, an answer that is not read is given up. */
static void net_h2_stream_end_late(struct net_h2_stream *self)
{
    if (self->carrier.exchange != NULL && !self->waits) {
        counters_add(net_h2_stream_loop(self)->net->options.counters, COUNTER_HTTP_REQUESTS, 1);
        net_reply_late(self->carrier.exchange, "The request took too long.", COUNTER_HTTP_TIMEOUT);
        return;
    }
    self->deadline_ms = 0;
    counters_add(net_h2_stream_loop(self)->net->options.counters, COUNTER_HTTP_TIMEOUT, 1);
    nghttp2_submit_rst_stream(self->h2->session, NGHTTP2_FLAG_NONE, self->id, NGHTTP2_CANCEL);
    net_h2_set_due(self->h2);
}

void net_h2_stream_expire(struct net_h2_stream *self, uint64_t now_ms)
{
    const struct net_exchange *exchange = self->carrier.exchange;
    if (self->deadline_ms != 0 && now_ms >= self->deadline_ms) {
        net_h2_stream_end_late(self);
    } else if (exchange != NULL && self->body_began_ms != 0 &&
               net_exchange_is_slow(exchange, now_ms - self->body_began_ms)) {
        counters_add(net_h2_stream_loop(self)->net->options.counters, COUNTER_HTTP_REQUESTS, 1);
        net_reply_late(self->carrier.exchange, "The body comes too slowly.", COUNTER_HTTP_SLOW_BODY);
    }
}

static struct net_h2_stream *net_h2_stream_of(struct net_carrier *carrier)
{
    return (struct net_h2_stream *)carrier;
}

static void net_h2_stream_on_lent(struct net_carrier *carrier)
{
    net_h2_stream_of(carrier)->deadline_ms = 0;
}

static void net_h2_stream_go_on(struct net_carrier *carrier)
{
    struct net_h2_stream *self = net_h2_stream_of(carrier);
    nghttp2_nv field = h2_field(slice_text(":status"), slice_text("100"));
    nghttp2_submit_headers(self->h2->session, NGHTTP2_FLAG_NONE, self->id, NULL, &field, 1, NULL);
    net_h2_set_due(self->h2);
}

static ssize_t net_h2_stream_read(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
                                  nghttp2_data_source *source, void *context)
{
    (void)session;
    (void)id;
    (void)context;
    struct net_h2_stream *self = source->ptr;
    size_t left = self->answer.size - self->answer_sent, size = left < room ? left : room;
    memcpy(out, self->answer.data + self->answer_sent, size);
    self->answer_sent += size;
    if (size == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

static bool net_h2_stream_keep_answer(struct net_h2_stream *self, struct slice body)
{
    buf_init_accounted(&self->answer, body.size, self->h2->connection->loop->net->options.memory, MEMORY_REPLIES);
    if (!buf_add(&self->answer, body))
        return false;
    self->h2->answer_bytes += body.size;
    return true;
}

/* The fields of an answer, in `out` of NET_H2_FIELDS_MAX; `length` is room for the one that is a number. */
static size_t net_h2_stream_compose(struct net_h2_stream *self, const struct net_answer *answer, nghttp2_nv *out,
                                    char length[24])
{
    size_t count = 1; /* the status */
    out[count++] = h2_field(slice_text("date"), slice_text(net_reply_date(net_h2_stream_loop(self))));
    if (net_reply_status_has_body(answer->status)) {
        snprintf(length, 24, "%zu", answer->content_type == NULL ? 0 : answer->body.size);
        out[count++] = h2_field(slice_text("content-length"), slice_text(length));
    }
    if (answer->content_type != NULL)
        out[count++] = h2_field(slice_text("content-type"), slice_text(answer->content_type));
    assert(answer->header_count <= NET_H2_FIELDS_MAX - count); /* our own */
    for (size_t i = 0; i < answer->header_count; i++)
        out[count++] = h2_field(slice_text(answer->headers[i].name), slice_text(answer->headers[i].value));
    return count;
}

static bool net_h2_stream_submit(struct net_h2_stream *self, const struct net_answer *answer, bool has_body)
{
    const char status[] = {(char)('0' + answer->status / 100), (char)('0' + answer->status / 10 % 10),
                           (char)('0' + answer->status % 10)};
    nghttp2_nv fields[NET_H2_FIELDS_MAX];
    nghttp2_data_provider provider = {.source.ptr = self, .read_callback = net_h2_stream_read};
    char length[24];
    size_t count = net_h2_stream_compose(self, answer, fields, length);
    fields[0] = h2_field(slice_text(":status"), slice_of(status, sizeof status));
    return (!has_body || net_h2_stream_keep_answer(self, answer->body)) &&
           nghttp2_submit_response(self->h2->session, self->id, fields, count, has_body ? &provider : NULL) == 0;
}

static void net_h2_stream_answer(struct net_carrier *carrier, const struct net_exchange *exchange,
                                 const struct net_answer *answer)
{
    struct net_h2_stream *self = net_h2_stream_of(carrier);
    struct net_h2 *h2 = self->h2;
    if (self->closed) {
        net_h2_stream_free(self);
        return;
    }
    net_h2_stream_release(self);
    /* As long for a client that does not read its answer as for one that does not send its request. */
    self->deadline_ms = net_h2_stream_now(self) + net_h2_stream_loop(self)->net->options.request_timeout_ms;
    bool has_body = net_reply_has_body(exchange, answer) && answer->body.size > 0;
    if (!net_h2_stream_submit(self, answer, has_body))
        nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, self->id, NGHTTP2_INTERNAL_ERROR);
    if (answer->close)
        net_h2_say_goodbye(h2);
    net_h2_set_due(h2);
}

static const struct net_carrier_kind net_h2_stream_kind = {net_h2_stream_on_lent, net_h2_stream_go_on,
                                                           net_h2_stream_answer};
