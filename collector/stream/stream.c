/*
 * Reading and writing. A write is offered to the kernel at once, in one call and without a copy; only what it does not take
 * is copied and waits in the loop. Small answers never wait, so the hot path has no allocation.
 */
#include "collector/stream/stream_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

static void stream_on_closed(uv_handle_t *handle)
{
    struct stream *self = handle->data;
    self->listener->options.calls->closed(self);
}

void stream_close(struct stream *self)
{
    assert(!self->closing);
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
    if (size > 0)
        calls->take(self, slice_of(room->base, (size_t)size));
    else if (size == UV_EOF)
        calls->ended(self);
    else if (size < 0)
        calls->failed(self);
}

/* One room for all: a read is consumed, or copied by the owner, before the next one. */
static void stream_on_room(uv_handle_t *handle, size_t wanted, uv_buf_t *room)
{
    struct stream *self = handle->data;
    (void)wanted;
    *room = uv_buf_init(self->listener->read_room, sizeof self->listener->read_room);
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

static void stream_on_written(uv_write_t *request, int status)
{
    struct stream_rest *rest = request->data;
    struct stream *self = rest->stream;
    const struct stream_calls *calls = self->listener->options.calls;
    stream_rest_free(rest);
    if (self->closing)
        return; /* closing cancelled the write; closed() comes later */
    if (status == 0)
        calls->written(self);
    else
        calls->failed(self);
}

/* Copies all but the first `done` bytes, and lets the loop write them. */
static enum stream_sent stream_write_rest(struct stream *self, const struct slice *parts, unsigned count, size_t done)
{
    size_t size = 0, at = 0;
    for (unsigned i = 0; i < count; i++)
        size += parts[i].size;
    struct stream_rest *rest =
        memory_new(self->listener->options.memory, MEMORY_REPLIES, sizeof *rest + size - done);
    if (rest == NULL)
        return STREAM_BROKEN;
    rest->stream = self;
    rest->size = size - done;
    for (unsigned i = 0; i < count; i++) {
        size_t skip = done < parts[i].size ? done : parts[i].size;
        done -= skip;
        if (parts[i].size > skip)
            memcpy(rest->bytes + at, parts[i].data + skip, parts[i].size - skip);
        at += parts[i].size - skip;
    }
    rest->request.data = rest;
    uv_buf_t bytes = uv_buf_init((char *)rest->bytes, (unsigned)at);
    if (uv_write(&rest->request, &self->handle.stream, &bytes, 1, stream_on_written) == 0)
        return STREAM_WAITS;
    stream_rest_free(rest);
    return STREAM_BROKEN;
}

enum stream_sent stream_write(struct stream *self, const struct slice *parts, unsigned count)
{
    uv_buf_t bytes[STREAM_PARTS_MAX];
    size_t size = 0;
    assert(count <= STREAM_PARTS_MAX);
    for (unsigned i = 0; i < count; i++) {
        bytes[i] = uv_buf_init((char *)(uintptr_t)parts[i].data, (unsigned)parts[i].size);
        size += parts[i].size;
    }
    int wrote = uv_try_write(&self->handle.stream, bytes, count);
    if (wrote < 0 && wrote != UV_EAGAIN)
        return STREAM_BROKEN;
    size_t done = wrote > 0 ? (size_t)wrote : 0;
    return done == size ? STREAM_SENT : stream_write_rest(self, parts, count, done);
}

void stream_say(struct stream *self, struct slice bytes)
{
    uv_buf_t once = uv_buf_init((char *)(uintptr_t)bytes.data, (unsigned)bytes.size);
    uv_try_write(&self->handle.stream, &once, 1);
}

bool stream_finish(struct stream *self)
{
    int file;
    return uv_fileno(&self->handle.any, &file) == 0 && shutdown(file, SHUT_WR) == 0;
}
