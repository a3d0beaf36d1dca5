/*
 * Reading and writing. A write is offered to the kernel at once, in one call and without a copy; only what it does not take
 * is copied and waits in the loop. Small answers never wait, so the hot path has no allocation.
 */
#include "collector/stream/stream_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static void stream_on_closed(uv_handle_t *handle)
{
    struct stream *self = handle->data;
    self->listener->options.calls->closed(self);
}

void stream_close(struct stream *self)
{
    assert(!self->closing);
    if (self->session != NULL) {
        stream_session_end(self);
        stream_session_free(self); /* now: when many end at once, each would hold a record's room until its closed() */
    }
    self->closing = true;
    self->open = false;
    counters_add(self->listener->options.counters, COUNTER_HTTP_CONNECTIONS,
                 UINT64_MAX); /* a gauge: minus one, modulo 2^64 */
    uv_close(&self->handle.any, stream_on_closed);
}

static void stream_read_peer(struct stream *self)
{
    struct sockaddr_storage address;
    int size = sizeof address;
    if (self->listener->is_local || uv_tcp_getpeername(&self->handle.tcp, (struct sockaddr *)&address, &size) != 0)
        return;
    if (address.ss_family == AF_INET6) {
        memcpy(self->peer, &((struct sockaddr_in6 *)&address)->sin6_addr, 16);
    } else if (address.ss_family == AF_INET) {
        memset(self->peer + 10, 0xff, 2);
        memcpy(self->peer + 12, &((struct sockaddr_in *)&address)->sin_addr, 4);
    }
}

bool stream_accept(struct stream *self, struct stream_listener *listener, void *owner)
{
    uv_loop_t *loop = listener->handle.any.loop;
    self->listener = listener;
    self->owner = owner;
    if (listener->is_local)
        uv_pipe_init(loop, &self->handle.pipe, 0);
    else
        uv_tcp_init(loop, &self->handle.tcp);
    self->handle.any.data = self;
    counters_add(listener->options.counters, COUNTER_HTTP_CONNECTIONS, 1);
    if (uv_accept(&listener->handle.stream, &self->handle.stream) != 0)
        return false;
    stream_read_peer(self);
    return true;
}

static void stream_on_read(uv_stream_t *handle, ssize_t size, const uv_buf_t *room)
{
    struct stream *self = handle->data;
    const struct stream_calls *calls = self->listener->options.calls;
    const struct slice bytes = slice_of(room->base, size > 0 ? (size_t)size : 0);
    if (size < 0 && self->session != NULL)
        stream_session_count_closed(self);
    if (size > 0 && self->session != NULL)
        stream_session_take(self, bytes);
    else if (size > 0)
        calls->take(self, bytes);
    else if (size == UV_EOF && self->open)
        calls->ended(self);
    else if (size < 0)
        calls->failed(self);
}

/* One room for all: a read is consumed, or copied by the owner, before the next one. Of TLS so much that it fits, once
 * opened, together with a record that was begun before. */
static void stream_on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *room)
{
    struct stream *self = handle->data;
    (void)wanted;
    size_t size = sizeof self->listener->read_room - (self->session != NULL ? STREAM_RECORD_BYTES : 0);
    *room = uv_buf_init(self->listener->read_room, (unsigned)size);
}

bool stream_read(struct stream *self, bool on)
{
    if (on == self->reading)
        return true;
    self->reading = on;
    if (on)
        return uv_read_start(&self->handle.stream, stream_on_room, stream_on_read) == 0;
    uv_read_stop(&self->handle.stream);
    return true;
}

bool stream_start(struct stream *self)
{
    const struct stream_calls *calls = self->listener->options.calls;
    if (stream_is_secure(self))
        return stream_session_new(self) && stream_read(self, true);
    if (!stream_read(self, true))
        return false;
    self->open = true;
    if (calls->opened != NULL)
        calls->opened(self);
    return true;
}

static void stream_rest_free(struct stream_rest *self)
{
    memory_free(self->stream->listener->options.memory, MEMORY_REPLIES, self, sizeof *self + self->size);
}

bool stream_is_late(struct stream *self, uint64_t now_ms)
{
    if (self->session == NULL || self->open || self->broken || now_ms < self->handshake_deadline_ms)
        return false;
    self->broken = true;
    stream_session_note(self, COUNTER_TLS_TIMEOUT);
    return true;
}

static void stream_on_written(uv_write_t *request, int status)
{
    struct stream_rest *rest = request->data;
    struct stream *self = rest->stream;
    const struct stream_calls *calls = self->listener->options.calls;
    enum stream_kind kind = rest->kind;
    self->control_bytes -= kind == STREAM_CONTROL ? rest->size : 0;
    stream_rest_free(rest);
    if (self->closing)
        return; /* closing cancelled the write; closed() comes later */
    if (status != 0)
        calls->failed(self);
    else if (kind == STREAM_OWNERS)
        calls->written(self);
}

/* All but the first `done` bytes. */
static struct stream_rest *stream_copy_rest(struct stream *self, const struct slice *parts, unsigned count, size_t done)
{
    size_t size = 0, at = 0;
    for (unsigned i = 0; i < count; i++)
        size += parts[i].size;
    struct stream_rest *rest =
        memory_new(self->listener->options.memory, MEMORY_REPLIES, sizeof *rest + size - done);
    if (rest == NULL)
        return NULL;
    for (unsigned i = 0; i < count; i++) {
        size_t skip = done < parts[i].size ? done : parts[i].size;
        done -= skip;
        if (parts[i].size > skip)
            memcpy(rest->bytes + at, parts[i].data + skip, parts[i].size - skip);
        at += parts[i].size - skip;
    }
    rest->stream = self;
    rest->size = (uint32_t)at;
    return rest;
}

static enum stream_sent stream_wait(struct stream *self, struct stream_rest *rest, enum stream_kind kind)
{
    uv_buf_t bytes = uv_buf_init((char *)rest->bytes, rest->size);
    rest->kind = kind;
    rest->request.data = rest;
    bool flood = kind == STREAM_CONTROL && self->control_bytes + rest->size > STREAM_CONTROL_BYTES_MAX;
    if (flood || uv_write(&rest->request, &self->handle.stream, &bytes, 1, stream_on_written) != 0) {
        stream_rest_free(rest);
        return STREAM_BROKEN;
    }
    self->control_bytes += kind == STREAM_CONTROL ? rest->size : 0;
    return STREAM_WAITS;
}

enum stream_sent stream_offer(struct stream *self, const struct slice *parts, unsigned count, enum stream_kind kind)
{
    uv_buf_t bytes[STREAM_PARTS_MAX];
    size_t size = 0;
    assert(count <= STREAM_PARTS_MAX);
    for (unsigned i = 0; i < count; i++) {
        bytes[i] = uv_buf_init((char *)(uintptr_t)parts[i].data, (unsigned)parts[i].size);
        size += parts[i].size;
    }
    int wrote = uv_try_write(&self->handle.stream, bytes, count); /* behind what waits already, it takes nothing */
    if (wrote < 0 && wrote != UV_EAGAIN)
        return STREAM_BROKEN;
    size_t done = wrote > 0 ? (size_t)wrote : 0;
    if (done == size)
        return STREAM_SENT;
    struct stream_rest *rest = stream_copy_rest(self, parts, count, done);
    return rest == NULL ? STREAM_BROKEN : stream_wait(self, rest, kind);
}

enum stream_sent stream_write(struct stream *self, const struct slice *parts, unsigned count)
{
    assert(!self->closing);
    return self->session != NULL ? stream_session_write(self, parts, count, STREAM_OWNERS)
                                 : stream_offer(self, parts, count, STREAM_OWNERS);
}

void stream_say(struct stream *self, struct slice bytes)
{
    uv_buf_t once = uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.size);
    if (!stream_is_secure(self))
        uv_try_write(&self->handle.stream, &once, 1);
    else if (self->open) /* half a record would spoil all that follow: what does not fit waits */
        stream_session_write(self, &bytes, 1, STREAM_CONTROL);
}

bool stream_has_input(const struct stream *self)
{
    int file, bytes = 0;
    if (self->session != NULL && SSL_has_pending(self->session) != 0)
        return true;
    return uv_fileno(&self->handle.any, &file) == 0 && ioctl(file, FIONREAD, &bytes) == 0 && bytes > 0;
}

bool stream_finish(struct stream *self)
{
    int file;
    if (self->session != NULL)
        stream_session_end(self);
    return uv_fileno(&self->handle.any, &file) == 0 && shutdown(file, SHUT_WR) == 0;
}
