/*
 * HTTP/2 of one connection, as nghttp2 tells it; drawn in net_h2.h. nghttp2 itself refuses, with RST_STREAM PROTOCOL_ERROR,
 * what RFC 9113, 8.1 to 8.3 calls malformed: names in capitals, fields of the connection (Connection, Transfer-Encoding,
 * Upgrade, TE other than trailers), pseudo-headers that are missing, doubled, unknown or late, two lengths, a length that
 * the body does not have. Its callbacks run inside nghttp2_session_mem_recv() and _mem_send(): they note and submit, and
 * nothing is sent from them.
 */
#include "collector/net/net_h2.h"

#include <stdlib.h>

static struct counters *net_h2_counters(const struct net_h2 *self)
{
    return self->connection->loop->net->options.counters;
}

static uint64_t net_h2_now(const struct net_h2 *self)
{
    return uv_now(&self->connection->loop->uv);
}

/* For what the client did: GOAWAY, and no more is read. */
static void net_h2_end(struct net_h2 *self, uint32_t error, enum counter counter)
{
    if (self->ended)
        return;
    self->ended = true;
    counters_add(net_h2_counters(self), counter, 1);
    nghttp2_session_terminate_session(self->session, error);
    net_h2_set_due(self);
}

static struct net_h2_stream *net_h2_find(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int net_h2_on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *frame, void *context)
{
    (void)session;
    struct net_h2 *self = context;
    if (!h2_budget_receive(&self->budget, frame, net_h2_now(self)))
        net_h2_end(self, NGHTTP2_ENHANCE_YOUR_CALM, COUNTER_HTTP2_FLOOD);
    return 0;
}

static int net_h2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct net_h2 *self = context;
    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    struct net_h2_stream *stream = net_h2_stream_new(self, frame->hd.stream_id);
    if (stream == NULL) { /* not looked at, so the client may send it again (RFC 9113, 8.7) */
        counters_add(net_h2_counters(self), COUNTER_HTTP2_REFUSED, 1);
        nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_REFUSED_STREAM);
        return 0;
    }
    nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream);
    return 0;
}

/* Trailers reach no request; their bytes are bounded as those of a head. */
static int net_h2_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                            const uint8_t *value, size_t value_size, uint8_t flags, void *context)
{
    (void)flags;
    (void)context;
    struct net_h2_stream *stream = net_h2_find(session, frame->hd.stream_id);
    if (stream == NULL || stream->head_whole)
        return 0;
    if (net_h2_stream_add_header(stream, slice_of(name, name_size), slice_of(value, value_size)))
        return 0;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Line breaks, NUL, blanks around a value: a proxy in front that let them pass wrote them from one field into two. */
static int net_h2_on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                                    size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags,
                                    void *context)
{
    (void)session;
    (void)frame;
    (void)name;
    (void)name_size;
    (void)value;
    (void)value_size;
    (void)flags;
    (void)context;
    return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

static void net_h2_go(struct net_h2 *self)
{
    self->goodbye = NET_H2_GOES;
    nghttp2_submit_goaway(self->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(self->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
    net_h2_set_due(self);
}

static int net_h2_on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct net_h2 *self = context;
    bool ends = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_PING && (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 && self->goodbye == NET_H2_NOTICED)
        net_h2_go(self); /* what it sent before it knew has come */
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    struct net_h2_stream *stream = net_h2_find(session, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS && frame->headers.cat == NGHTTP2_HCAT_REQUEST)
        net_h2_stream_take_head(stream, ends);
    if (ends)
        net_h2_stream_take_end(stream);
    return 0;
}

static int net_h2_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
                          void *context)
{
    (void)flags;
    struct net_h2 *self = context;
    struct net_h2_stream *stream = net_h2_find(session, id);
    h2_budget_receive_bytes(&self->budget);
    if (stream != NULL)
        net_h2_stream_take_body(stream, slice_of(data, size));
    return 0;
}

static int net_h2_on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    struct net_h2 *self = context;
    h2_session_end_early(session, frame);
    if (!h2_budget_send(&self->budget, frame))
        net_h2_end(self, NGHTTP2_ENHANCE_YOUR_CALM, COUNTER_HTTP2_FLOOD);
    if (frame->hd.type == NGHTTP2_RST_STREAM && frame->rst_stream.error_code == NGHTTP2_PROTOCOL_ERROR)
        counters_add(net_h2_counters(self), COUNTER_HTTP_BAD_REQUESTS, 1);
    if (frame->hd.type == NGHTTP2_GOAWAY && self->goodbye == NET_H2_NOTICED)
        nghttp2_submit_ping(session, NGHTTP2_FLAG_NONE, NULL); /* now: nghttp2 would send it before the notice */
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR && !self->ended) {
        self->ended = true; /* nghttp2 ends a connection with too many resets by INTERNAL_ERROR */
        counters_add(net_h2_counters(self),
                     frame->goaway.error_code == NGHTTP2_INTERNAL_ERROR ? COUNTER_HTTP2_FLOOD : COUNTER_HTTP2_PROTOCOL,
                     1);
    }
    return 0;
}

static int net_h2_on_stream_close(nghttp2_session *session, int32_t id, uint32_t error, void *context)
{
    (void)error;
    (void)context;
    struct net_h2_stream *stream = net_h2_find(session, id);
    if (stream != NULL)
        net_h2_stream_close(stream);
    return 0;
}

bool net_h2_prepare(struct net *net)
{
    nghttp2_session_callbacks *calls;
    net->h2_option = h2_option_new();
    if (net->h2_option == NULL || nghttp2_session_callbacks_new(&calls) != 0)
        return false;
    net->h2_callbacks = calls;
    nghttp2_session_callbacks_set_on_begin_frame_callback(calls, net_h2_on_begin_frame);
    nghttp2_session_callbacks_set_on_begin_headers_callback(calls, net_h2_on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(calls, net_h2_on_header);
    nghttp2_session_callbacks_set_on_invalid_header_callback(calls, net_h2_on_invalid_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(calls, net_h2_on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(calls, net_h2_on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(calls, net_h2_on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(calls, net_h2_on_stream_close);
    return true;
}

void net_h2_release(struct net *net)
{
    nghttp2_session_callbacks_del(net->h2_callbacks);
    nghttp2_option_del(net->h2_option);
}

static bool net_h2_start(struct net_h2 *self)
{
    const struct net *net = self->connection->loop->net;
    return nghttp2_session_server_new2(&self->session, net->h2_callbacks, self, net->h2_option) == 0 &&
           h2_session_announce(self->session, NET_H2_STREAMS_MAX, NET_HEAD_BYTES_MAX);
}

bool net_h2_open(struct net_connection *connection)
{
    struct net *net = connection->loop->net;
    struct net_h2 *self = NULL;
    if (!memory_take(net->options.memory, MEMORY_CONNECTIONS, NET_H2_SESSION_BYTES))
        return false;
    self = memory_new(net->options.memory, MEMORY_CONNECTIONS, sizeof *self);
    if (self == NULL) {
        memory_give(net->options.memory, MEMORY_CONNECTIONS, NET_H2_SESSION_BYTES);
        return false;
    }
    self->connection = connection;
    connection->h2 = self;
    self->idle_ms = net_h2_now(self);
    h2_budget_init(&self->budget, self->idle_ms);
    counters_add(net->options.counters, COUNTER_HTTP2_CONNECTIONS, 1);
    if (atomic_fetch_add_explicit(&net->h2_count, 1, memory_order_relaxed) >= NET_H2_CONNECTIONS_MAX) {
        net_reject_connection(net, COUNTER_HTTP_FULL, stream_peer(&connection->stream));
        return false;
    }
    if (!net_h2_start(self))
        return false;
    net_h2_set_due(self);
    return true;
}

static void net_h2_unset_due(struct net_h2 *self)
{
    if (self->due_link == NULL)
        return;
    *self->due_link = self->due_next;
    if (self->due_next != NULL)
        self->due_next->due_link = self->due_link;
    self->due_link = NULL;
}

void net_h2_close(struct net_h2 *self)
{
    struct net *net = self->connection->loop->net;
    net_h2_unset_due(self);
    nghttp2_session_del(self->session); /* first: it reads answers no more */
    while (self->first != NULL)
        net_h2_stream_free(self->first);
    counters_add(net->options.counters, COUNTER_HTTP2_CONNECTIONS, UINT64_MAX); /* a gauge: minus one, modulo 2^64 */
    atomic_fetch_sub_explicit(&net->h2_count, 1, memory_order_relaxed);
    self->connection->h2 = NULL;
    memory_give(net->options.memory, MEMORY_CONNECTIONS, NET_H2_SESSION_BYTES);
    memory_free(net->options.memory, MEMORY_CONNECTIONS, self, sizeof *self);
}

void net_h2_take(struct net_h2 *self, struct slice bytes)
{
    ssize_t taken = nghttp2_session_mem_recv(self->session, bytes.data, bytes.size);
    if (taken >= 0) {
        net_h2_set_due(self); /* at least what is acknowledged */
        return;
    }
    if (!self->ended)
        counters_add(net_h2_counters(self),
                     taken == NGHTTP2_ERR_FLOODED ? COUNTER_HTTP2_FLOOD : COUNTER_HTTP2_PROTOCOL, 1);
    net_connection_close(self->connection);
}

void net_h2_set_due(struct net_h2 *self)
{
    struct net_loop *loop = self->connection->loop;
    if (self->due_link != NULL)
        return;
    self->due_next = loop->h2_due;
    if (self->due_next != NULL)
        self->due_next->due_link = &self->due_next;
    self->due_link = &loop->h2_due;
    loop->h2_due = self;
}

/* Frames that are due, as many as one write takes; -1 = the session cannot go on. */
static ssize_t net_h2_gather(struct net_h2 *self, uint8_t *out)
{
    size_t size = 0;
    while (size <= NET_H2_WRITE_BYTES - NET_H2_FRAME_BYTES_MAX) {
        const uint8_t *data;
        ssize_t more = nghttp2_session_mem_send(self->session, &data);
        if (more < 0)
            return -1;
        if (more == 0)
            break;
        memcpy(out + size, data, (size_t)more);
        size += (size_t)more;
    }
    return (ssize_t)size;
}

/* Hands over what waited for answers to be sent. false: there was none. */
static bool net_h2_lend_waiting(struct net_h2 *self)
{
    struct net_h2_stream *at = self->first;
    if (self->waiting == 0 || self->answer_bytes >= NET_H2_ANSWER_BYTES_MAX || self->ended)
        return false;
    while (!at->waits || at->closed)
        at = at->next;
    net_h2_stream_lend(at);
    return true;
}

static void net_h2_flush(struct net_h2 *self)
{
    struct net_connection *connection = self->connection;
    while (!self->writing) {
        ssize_t size = net_h2_gather(self, connection->loop->h2_room);
        if (size == 0 && net_h2_lend_waiting(self))
            continue;
        if (size == 0)
            break;
        const struct slice frames = slice_of(connection->loop->h2_room, size < 0 ? 0 : (size_t)size);
        enum stream_sent sent = size < 0 ? STREAM_BROKEN : stream_write(&connection->stream, &frames, 1);
        if (sent == STREAM_BROKEN) {
            net_connection_close(connection);
            return;
        }
        self->writing = sent == STREAM_WAITS;
        self->write_deadline_ms = net_h2_now(self) + connection->loop->net->options.request_timeout_ms;
    }
    if (!self->writing && nghttp2_session_want_read(self->session) == 0 &&
        nghttp2_session_want_write(self->session) == 0)
        net_connection_finish(connection);
}

void net_h2_flush_due(struct net_loop *loop)
{
    while (loop->h2_due != NULL) {
        struct net_h2 *self = loop->h2_due;
        net_h2_unset_due(self);
        net_h2_flush(self);
    }
}

void net_h2_written(struct net_h2 *self)
{
    self->writing = false;
    net_h2_set_due(self);
}

bool net_h2_has_heard(const struct net_h2 *self)
{
    return nghttp2_session_get_last_proc_stream_id(self->session) > 0;
}

/* Two GOAWAYs (RFC 9113, 6.8): the first says that the end is near and names no stream; the second, when a PING has gone
 * there and back, names the last one that came, so that nothing on its way in between is lost. */
void net_h2_say_goodbye(struct net_h2 *self)
{
    if (self->goodbye != NET_H2_STAYS || self->ended)
        return;
    self->goodbye = NET_H2_NOTICED;
    self->notice_ms = net_h2_now(self);
    nghttp2_submit_shutdown_notice(self->session);
    net_h2_set_due(self);
}

static uint64_t net_h2_idle_ms_max(const struct net_h2 *self)
{
    const struct net *net = self->connection->loop->net;
    bool crowded =
        atomic_load_explicit(&net->h2_count, memory_order_relaxed) > NET_H2_CONNECTIONS_MAX - NET_H2_CONNECTIONS_MAX / 4;
    uint64_t most = net->options.idle_timeout_ms;
    return crowded && most > NET_H2_CROWDED_IDLE_MS ? NET_H2_CROWDED_IDLE_MS : most;
}

/* A head under way holds up every other frame of its connection, so all of it ends with it. */
static void net_h2_expire_streams(struct net_h2 *self, uint64_t now_ms)
{
    for (struct net_h2_stream *at = self->first; at != NULL; at = at->next) {
        if (!at->head_whole && !at->closed && now_ms >= at->deadline_ms) {
            net_h2_end(self, NGHTTP2_ENHANCE_YOUR_CALM, COUNTER_HTTP_TIMEOUT);
            return;
        }
        net_h2_stream_expire(at, now_ms);
    }
}

void net_h2_expire(struct net_h2 *self, uint64_t now_ms)
{
    if (self->writing && now_ms >= self->write_deadline_ms) {
        counters_add(net_h2_counters(self), COUNTER_HTTP_TIMEOUT, 1);
        net_connection_close(self->connection);
        return;
    }
    net_h2_expire_streams(self, now_ms);
    if (self->stream_count == 0 && now_ms - self->idle_ms >= net_h2_idle_ms_max(self))
        net_h2_say_goodbye(self);
    if (self->goodbye == NET_H2_NOTICED && now_ms - self->notice_ms >= NET_H2_NOTICE_MS)
        net_h2_go(self);
}
