/* One client's socket: bytes in, bytes out, and the three ways to run out of time (upload, idleness, a stalled write).
 */
#include "collector/grpc/grpc_internal.h"

#include <arpa/inet.h>
#include <stdlib.h>

static void connection_on_closed(uv_handle_t *handle)
{
    struct grpc_connection *self = handle->data;
    nghttp2_session_del(self->session);
    buf_release(&self->out);
    free(self);
}

void grpc_connection_close(struct grpc_connection *self)
{
    struct grpc *grpc = self->grpc;
    if (self->closed)
        return;
    self->closed = true;
    while (self->calls != NULL)
        grpc_call_leave(self->calls);
    if (self->previous != NULL)
        self->previous->next = self->next;
    else
        grpc->connections = self->next;
    if (self->next != NULL)
        self->next->previous = self->previous;
    grpc->connection_count--;
    counters_add(grpc->options.counters, COUNTER_HTTP_CONNECTIONS, UINT64_MAX); /* a gauge: minus one, modulo 2^64 */
    uv_close((uv_handle_t *)&self->tcp, connection_on_closed);
}

void grpc_connection_rest(struct grpc_connection *self)
{
    self->idle_deadline_ms = uv_now(&self->grpc->uv) + self->grpc->options.idle_timeout_ms;
}

static void connection_on_written(uv_write_t *write, int status)
{
    struct grpc_connection *self = write->data;
    self->writing = false;
    buf_clear(&self->out);
    if (self->closed)
        return;
    if (status < 0)
        grpc_connection_close(self);
    else
        grpc_connection_flush(self);
}

/* Takes frames until one write is full. false: the session cannot go on. */
static bool connection_fill(struct grpc_connection *self)
{
    while (self->out.size < GRPC_WRITE_BYTES_ENOUGH) {
        const uint8_t *data;
        ssize_t size = nghttp2_session_mem_send(self->session, &data);
        if (size <= 0)
            return size == 0;
        if (!buf_add(&self->out, slice_of(data, (size_t)size)))
            return false;
    }
    return true;
}

/* Sends what is due. Streams that end with it take their calls along. */
void grpc_connection_flush(struct grpc_connection *self)
{
    if (self->closed || self->writing || self->held)
        return;
    if (!connection_fill(self)) {
        grpc_connection_close(self);
        return;
    }
    if (self->out.size == 0) {
        buf_release(&self->out); /* idle connections hold no buffer */
        buf_init(&self->out, GRPC_WRITE_BYTES_MAX);
        if (!nghttp2_session_want_read(self->session) && !nghttp2_session_want_write(self->session))
            grpc_connection_close(self);
        return;
    }
    uv_buf_t bytes = uv_buf_init((char *)self->out.data, (unsigned)self->out.size);
    self->write.data = self;
    self->write_deadline_ms = uv_now(&self->grpc->uv) + self->grpc->options.request_timeout_ms;
    self->writing = uv_write(&self->write, (uv_stream_t *)&self->tcp, &bytes, 1, connection_on_written) == 0;
    if (!self->writing)
        grpc_connection_close(self);
}

static void connection_on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *room)
{
    struct grpc_connection *self = stream->data;
    if (size == 0)
        return;     /* EAGAIN */
    if (size < 0) { /* also a half-close: an HTTP/2 connection needs both directions for its acknowledgements */
        grpc_connection_close(self);
        return;
    }
    self->held = true;
    ssize_t taken = nghttp2_session_mem_recv(self->session, (const uint8_t *)room->base, (size_t)size);
    self->held = false;
    if (taken < 0) { /* no HTTP/2, a flood, or no memory; other errors are answered with GOAWAY by nghttp2 */
        counters_add(self->grpc->options.counters, COUNTER_HTTP_BAD_REQUESTS, 1);
        grpc_connection_close(self);
        return;
    }
    grpc_connection_flush(self);
}

/* One buffer for the loop: nghttp2 takes all of a read before the next one. */
static void connection_on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *room)
{
    (void)wanted;
    struct grpc_connection *self = handle->data;
    *room = uv_buf_init(self->grpc->read_room, sizeof self->grpc->read_room);
}

static void connection_read_peer(struct grpc_connection *self)
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

static void connection_link(struct grpc_connection *self)
{
    struct grpc *grpc = self->grpc;
    self->next = grpc->connections;
    if (self->next != NULL)
        self->next->previous = self;
    grpc->connections = self;
    grpc->connection_count++;
    counters_add(grpc->options.counters, COUNTER_HTTP_CONNECTIONS, 1);
}

/* libuv accepts nobody until this client is taken: without memory the sweep tries again. Over the cap it is hung up on. */
void grpc_connection_open(struct grpc *grpc)
{
    uv_stream_t *listener = (uv_stream_t *)&grpc->listener;
    struct grpc_connection *self = calloc(1, sizeof *self);
    grpc->accept_owed = self == NULL;
    if (self == NULL)
        return;
    self->grpc = grpc;
    buf_init(&self->out, GRPC_WRITE_BYTES_MAX);
    uv_tcp_init(&grpc->uv, &self->tcp);
    self->tcp.data = self;
    connection_link(self);
    bool full = grpc->connection_count > grpc->options.connections_max;
    counters_add(grpc->options.counters, COUNTER_HTTP_FULL, full);
    if (uv_accept(listener, (uv_stream_t *)&self->tcp) != 0 || full || !grpc_session_new(self) ||
        uv_read_start((uv_stream_t *)&self->tcp, connection_on_room, connection_on_read) != 0) {
        grpc_connection_close(self);
        return;
    }
    uv_tcp_nodelay(&self->tcp, 1);
    connection_read_peer(self);
    grpc_connection_rest(self);
    grpc_connection_flush(self); /* SETTINGS */
}

/* New streams are ignored from here on; those under way end. nghttp2 then wants nothing more, and flush closes. */
void grpc_connection_say_goodbye(struct grpc_connection *self)
{
    if (self->closed || self->said_goodbye)
        return;
    self->said_goodbye = true;
    nghttp2_submit_goaway(self->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(self->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
    self->idle_deadline_ms = uv_now(&self->grpc->uv) + GRPC_GOODBYE_MS;
    grpc_connection_flush(self);
}

static void connection_expire_calls(struct grpc_connection *self, uint64_t now_ms)
{
    self->held = true; /* calls end when their answers are sent: not while they are walked */
    for (struct grpc_call *at = self->calls; at != NULL; at = at->next) {
        if (at->deadline_ms == 0 || now_ms < at->deadline_ms)
            continue;
        if (at->answered) /* and the client does not take the answer */
            nghttp2_submit_rst_stream(self->session, NGHTTP2_FLAG_NONE, at->stream_id, NGHTTP2_CANCEL);
        else
            grpc_call_refuse(at, GRPC_DEADLINE_EXCEEDED, "the request took too long", COUNTER_HTTP_TIMEOUT);
    }
    self->held = false;
    grpc_connection_flush(self);
}

void grpc_connection_expire(struct grpc_connection *self, uint64_t now_ms)
{
    if (self->writing && now_ms >= self->write_deadline_ms) {
        counters_add(self->grpc->options.counters, COUNTER_HTTP_TIMEOUT, 1);
        grpc_connection_close(self);
    } else if (self->call_count > 0) {
        connection_expire_calls(self, now_ms);
    } else if (now_ms >= self->idle_deadline_ms) {
        if (self->said_goodbye)
            grpc_connection_close(self);
        else
            grpc_connection_say_goodbye(self);
    }
}
