#include "tests/support/stream_server.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SWEEP_MS 5u

static struct stream_server *server_of(const struct stream *stream)
{
    return stream->listener->options.owner;
}

static void shut(struct stream *stream)
{
    struct stream_server *self = server_of(stream);
    for (size_t i = 0; i < STREAM_SERVER_STREAMS; i++)
        if (self->streams[i] == stream)
            self->streams[i] = NULL;
    stream_close(stream);
}

static void on_closed(struct stream *stream)
{
    atomic_fetch_sub(&server_of(stream)->open, 1);
    free(stream);
}

static void on_opened(struct stream *stream)
{
    struct stream_server *self = server_of(stream);
    atomic_store(&self->protocol, stream_protocol(stream));
    atomic_fetch_add(&self->opened, 1);
    if (self->options.closes_at_opened)
        shut(stream);
}

static bool put(struct stream *stream, struct slice first, struct slice second)
{
    const struct slice parts[2] = {first, second};
    enum stream_sent sent = stream_write(stream, parts, 2);
    if (sent == STREAM_BROKEN)
        shut(stream);
    else if (sent == STREAM_WAITS && !stream_read(stream, false))
        shut(stream);
    return sent != STREAM_BROKEN;
}

static void send_big(struct stream *stream)
{
    uint8_t *bytes = malloc(STREAM_SERVER_BIG);
    assert(bytes != NULL);
    for (size_t i = 0; i < STREAM_SERVER_BIG; i++)
        bytes[i] = (uint8_t)(i % 251);
    put(stream, slice_of(bytes, 1000), slice_of(bytes + 1000, STREAM_SERVER_BIG - 1000));
    free(bytes);
}

static void on_take(struct stream *stream, struct slice bytes)
{
    assert(bytes.size > 0 && bytes.size <= STREAM_READ_BYTES);
    switch (bytes.data[0]) {
    case 'B':
        send_big(stream);
        break;
    case 'X':
        shut(stream);
        break;
    case 'N':
        stream_read(stream, false);
        break;
    case 'F':
        if (put(stream, slice_of(bytes.data, 1), slice_of(bytes.data + 1, bytes.size - 1)) && !stream_finish(stream))
            shut(stream);
        break;
    default:
        put(stream, slice_of(bytes.data, 1), slice_of(bytes.data + 1, bytes.size - 1));
    }
}

static void on_ended(struct stream *stream)
{
    atomic_fetch_add(&server_of(stream)->ended, 1);
    if (put(stream, slice_text("by"), slice_text("e")))
        shut(stream);
}

static void on_failed(struct stream *stream)
{
    atomic_fetch_add(&server_of(stream)->failed, 1);
    shut(stream);
}

static void on_written(struct stream *stream)
{
    if (!stream_read(stream, true))
        shut(stream);
}

static const struct stream_calls calls = {.opened = on_opened,
                                          .take = on_take,
                                          .ended = on_ended,
                                          .failed = on_failed,
                                          .written = on_written,
                                          .closed = on_closed};

static void on_client(void *owner)
{
    struct stream_server *self = owner;
    struct stream *stream = calloc(1, sizeof *stream);
    size_t at = 0;
    while (at < STREAM_SERVER_STREAMS && self->streams[at] != NULL)
        at++;
    assert(stream != NULL && at < STREAM_SERVER_STREAMS);
    self->streams[at] = stream;
    atomic_fetch_add(&self->open, 1);
    if (!stream_accept(stream, &self->listener, self)) {
        shut(stream);
        return;
    }
    memcpy(self->peer, stream_peer(stream), 16);
    if (!stream_start(stream))
        shut(stream);
}

static void on_sweep(uv_timer_t *timer)
{
    struct stream_server *self = timer->data;
    for (size_t i = 0; i < STREAM_SERVER_STREAMS; i++) {
        if (self->streams[i] == NULL || !stream_is_late(self->streams[i], uv_now(&self->loop)))
            continue;
        atomic_fetch_add(&self->late, 1);
        shut(self->streams[i]);
    }
}

static void on_wake(uv_async_t *wake)
{
    struct stream_server *self = wake->data;
    stream_listener_stop(&self->listener);
    for (size_t i = 0; i < STREAM_SERVER_STREAMS; i++)
        if (self->streams[i] != NULL)
            shut(self->streams[i]);
    uv_close((uv_handle_t *)&self->wake, NULL);
    uv_close((uv_handle_t *)&self->sweep, NULL);
}

static void run(void *server)
{
    struct stream_server *self = server;
    sigset_t all;
    sigfillset(&all); /* as the daemon's loops: SIGPIPE, blocked, becomes EPIPE */
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    uv_run(&self->loop, UV_RUN_DEFAULT);
}

void stream_server_start(struct stream_server *self, const struct stream_server_options *options)
{
    char error[256] = "";
    *self = (struct stream_server){.options = *options};
    uv_loop_init(&self->loop);
    uv_async_init(&self->loop, &self->wake, on_wake);
    uv_timer_init(&self->loop, &self->sweep);
    self->wake.data = self->sweep.data = self;
    uv_timer_start(&self->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
    int file = stream_address_open(&self->address, options->listen, false, error, sizeof error);
    if (file < 0)
        fprintf(stderr, "%s\n", error);
    assert(file >= 0);
    bool started = stream_listener_start(&self->listener, &self->loop, file,
                                         &(struct stream_listener_options){.calls = &calls,
                                                                           .counters = &self->counters,
                                                                           .tls = options->tls,
                                                                           .protocols = options->protocols,
                                                                           .handshake_timeout_ms =
                                                                               options->handshake_timeout_ms,
                                                                           .connected = on_client,
                                                                           .owner = self,
                                                                           .backlog = 16});
    assert(started);
    (void)started;
    uv_thread_create(&self->thread, run, self);
}

void stream_server_stop(struct stream_server *self)
{
    uv_async_send(&self->wake);
    uv_thread_join(&self->thread);
    int status = uv_loop_close(&self->loop);
    assert(status == 0 && atomic_load(&self->open) == 0);
    assert(counters_find(&self->counters, COUNTER_HTTP_CONNECTIONS) == 0);
    (void)status;
    stream_address_release(&self->address, self->options.listen);
}

static void pause_ms(long ms)
{
    const struct timespec time = {0, ms * 1000000};
    nanosleep(&time, NULL);
}

bool stream_server_await(atomic_uint *count, unsigned wanted)
{
    for (unsigned i = 0; i < 5000 && atomic_load(count) != wanted; i++)
        pause_ms(2);
    return atomic_load(count) == wanted;
}

bool stream_server_await_counter(struct stream_server *self, enum counter id, uint64_t wanted)
{
    for (unsigned i = 0; i < 5000 && counters_find(&self->counters, id) != wanted; i++)
        pause_ms(2);
    return counters_find(&self->counters, id) == wanted;
}
