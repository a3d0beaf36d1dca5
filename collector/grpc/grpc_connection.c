/* One client: what its session has to say, and the three ways to run out of time (upload, idleness, a stalled write). */
#include "collector/grpc/grpc_internal.h"

#include <stdlib.h>

static void connection_on_closed(struct stream *stream)
{
    struct grpc_connection *self = stream->owner;
    nghttp2_session_del(self->session);
    buf_release(&self->out);
    memory_free(self->grpc->options.memory, MEMORY_GRPC, self, GRPC_CONNECTION_BYTES);
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
    stream_close(&self->stream);
}

void grpc_connection_rest(struct grpc_connection *self)
{
    self->idle_deadline_ms = uv_now(&self->grpc->uv) + self->grpc->options.idle_timeout_ms;
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

/* Gives one write to the stream; true = it has gone, and there may be more. */
static bool connection_send(struct grpc_connection *self)
{
    const struct slice out = buf_slice(&self->out);
    enum stream_sent sent = stream_write(&self->stream, &out, 1);
    buf_clear(&self->out); /* what waits is the stream's copy */
    self->writing = sent == STREAM_WAITS;
    self->write_deadline_ms = uv_now(&self->grpc->uv) + self->grpc->options.request_timeout_ms;
    if (sent == STREAM_BROKEN)
        grpc_connection_close(self);
    return sent == STREAM_SENT;
}

/* All is said. What the client still sends (acknowledgements, windows) is dropped until its FIN: a reset could overtake. */
static void connection_leave(struct grpc_connection *self)
{
    if (self->farewell == GRPC_LEAVING)
        return;
    self->farewell = GRPC_LEAVING;
    self->farewell_deadline_ms = uv_now(&self->grpc->uv) + GRPC_GOODBYE_MS;
    if (!stream_finish(&self->stream))
        grpc_connection_close(self);
}

/* Sends what is due. Streams that end with it take their calls along. */
void grpc_connection_flush(struct grpc_connection *self)
{
    while (!self->closed && !self->writing && !self->held && stream_is_open(&self->stream)) {
        if (!connection_fill(self)) {
            grpc_connection_close(self);
        } else if (self->out.size > 0) {
            if (!connection_send(self))
                return;
        } else {
            buf_release(&self->out); /* idle connections hold no buffer */
            if (!nghttp2_session_want_read(self->session) && !nghttp2_session_want_write(self->session))
                connection_leave(self);
            return;
        }
    }
}

static void connection_on_written(struct stream *stream)
{
    struct grpc_connection *self = stream->owner;
    self->writing = false;
    grpc_connection_flush(self);
}

/* nghttp2 takes all of it before the next read. */
static void connection_on_bytes(struct stream *stream, struct slice bytes)
{
    struct grpc_connection *self = stream->owner;
    if (self->farewell == GRPC_LEAVING)
        return;
    self->held = true;
    ssize_t taken = nghttp2_session_mem_recv(self->session, bytes.data, bytes.size);
    self->held = false;
    if (taken < 0) { /* no HTTP/2, a flood, or no memory; other errors are answered with GOAWAY by nghttp2 */
        counters_add(self->grpc->options.counters, COUNTER_HTTP_BAD_REQUESTS, 1);
        grpc_connection_close(self);
        return;
    }
    grpc_connection_flush(self);
}

/* Also of a half-close: an HTTP/2 connection needs both directions for its acknowledgements. */
static void connection_on_end(struct stream *stream)
{
    grpc_connection_close(stream->owner);
}

static void connection_on_opened(struct stream *stream)
{
    grpc_connection_flush(stream->owner); /* SETTINGS */
}

const struct stream_calls grpc_connection_calls = {.opened = connection_on_opened,
                                                   .take = connection_on_bytes,
                                                   .ended = connection_on_end,
                                                   .failed = connection_on_end,
                                                   .written = connection_on_written,
                                                   .closed = connection_on_closed};

static void connection_link(struct grpc_connection *self)
{
    struct grpc *grpc = self->grpc;
    self->next = grpc->connections;
    if (self->next != NULL)
        self->next->previous = self;
    grpc->connections = self;
    grpc->connection_count++;
}

static struct grpc_connection *connection_new(struct grpc *grpc)
{
    if (!memory_take(grpc->options.memory, MEMORY_GRPC, GRPC_CONNECTION_BYTES))
        return NULL;
    struct grpc_connection *self = calloc(1, sizeof *self);
    if (self == NULL)
        memory_give(grpc->options.memory, MEMORY_GRPC, GRPC_CONNECTION_BYTES);
    return self;
}

static void connection_note_full(struct grpc_connection *self)
{
    static const struct reject_cause full = {COUNTER_HTTP_FULL, 0, "connections", "As many gRPC connections are open as there may be."};
    counters_add(self->grpc->options.counters, COUNTER_HTTP_FULL, 1);
    rejects_add_connection(self->grpc->options.rejects, &full, REJECT_GRPC, stream_peer(&self->stream));
}

/* libuv accepts nobody until this client is taken: without memory the sweep tries again. Over the cap it is hung up on. */
void grpc_connection_open(void *owner)
{
    struct grpc *grpc = owner;
    struct grpc_connection *self = connection_new(grpc);
    grpc->accept_owed = self == NULL;
    if (self == NULL)
        return;
    self->grpc = grpc;
    self->is_late_comer = grpc->phase != GRPC_SERVING;
    buf_init_accounted(&self->out, GRPC_WRITE_BYTES_MAX, grpc->options.memory, MEMORY_GRPC);
    connection_link(self);
    grpc_connection_rest(self);
    bool full = grpc->connection_count > grpc->options.connections_max;
    bool accepted = stream_accept(&self->stream, &grpc->listener, self);
    if (accepted && full)
        connection_note_full(self);
    if (!accepted || full || !grpc_session_new(self) || !stream_start(&self->stream))
        grpc_connection_close(self);
}

void grpc_connection_say_goodbye(struct grpc_connection *self)
{
    if (self->closed || self->farewell != GRPC_STAYING)
        return;
    self->farewell = GRPC_WARNED;
    self->farewell_deadline_ms = uv_now(&self->grpc->uv) + GRPC_GOODBYE_MS;
    nghttp2_submit_shutdown_notice(self->session);
    grpc_connection_flush(self);
}

void grpc_connection_ask(struct grpc_connection *self)
{
    if (self->farewell == GRPC_WARNED) /* not before: nghttp2 sends a PING ahead of what was submitted earlier */
        nghttp2_submit_ping(self->session, NGHTTP2_FLAG_NONE, NULL);
}

/* New streams are ignored from here on; those under way end. nghttp2 then wants nothing more, and flush leaves. */
void grpc_connection_dismiss(struct grpc_connection *self)
{
    if (self->closed || self->farewell != GRPC_WARNED)
        return;
    self->farewell = GRPC_DISMISSED;
    nghttp2_submit_goaway(self->session, NGHTTP2_FLAG_NONE, nghttp2_session_get_last_proc_stream_id(self->session),
                          NGHTTP2_NO_ERROR, NULL, 0);
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
    if (stream_is_late(&self->stream, now_ms)) {
        grpc_connection_close(self);
    } else if (self->writing && now_ms >= self->write_deadline_ms) {
        counters_add(self->grpc->options.counters, COUNTER_HTTP_TIMEOUT, 1);
        grpc_connection_close(self);
    } else if (self->farewell == GRPC_LEAVING && now_ms >= self->farewell_deadline_ms) {
        grpc_connection_close(self);
    } else if (self->farewell == GRPC_WARNED && now_ms >= self->farewell_deadline_ms) {
        grpc_connection_dismiss(self);
    } else if (self->call_count > 0) {
        connection_expire_calls(self, now_ms);
    } else if (now_ms >= self->idle_deadline_ms) {
        grpc_connection_say_goodbye(self);
    }
}
