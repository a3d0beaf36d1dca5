#include "collector/stream/stream_internal.h"

#include <linux/filter.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

static void listener_on_client(uv_stream_t *handle, int status)
{
    struct stream_listener *self = handle->data;
    /* Out of descriptors: libuv sheds the connection by itself; other failures concern one client only. */
    if (status == 0)
        self->options.connected(self->options.owner);
}

static bool listener_is_local(int file)
{
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    return getsockname(file, (struct sockaddr *)&bound, &size) == 0 && bound.ss_family == AF_UNIX;
}

static bool listener_open(struct stream_listener *self, uv_loop_t *loop, int file)
{
    self->handle.any.data = self;
    if (self->is_local)
        return uv_pipe_init(loop, &self->handle.pipe, 0) == 0 && uv_pipe_open(&self->handle.pipe, file) == 0;
    if (uv_tcp_init(loop, &self->handle.tcp) != 0 || uv_tcp_open(&self->handle.tcp, file) != 0)
        return false;
    uv_tcp_nodelay(&self->handle.tcp, 1); /* accepted sockets inherit it: one call less for each */
    return true;
}

bool stream_listener_start(struct stream_listener *self, uv_loop_t *loop, int file,
                           const struct stream_listener_options *options)
{
    self->options = *options;
    self->is_local = listener_is_local(file);
    self->live = true;
    if (!listener_open(self, loop, file)) {
        close(file);
        return false;
    }
    return uv_listen(&self->handle.stream, options->backlog, listener_on_client) == 0;
}

void stream_listener_stop(struct stream_listener *self)
{
    if (self->live)
        uv_close(&self->handle.any, NULL);
    self->live = false;
}

int stream_listener_socket(const struct stream_listener *self)
{
    int file = -1;
    uv_fileno(&self->handle.any, &file);
    return file;
}

/* Drops every segment that has SYN: a filter of a TCP socket sees the TCP header, and the bit is in its byte 13. */
void stream_listener_refuse(struct stream_listener *self)
{
    struct sock_filter steps[] = {BPF_STMT(BPF_LD | BPF_B | BPF_ABS, 13), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, 2, 0, 1),
                                  BPF_STMT(BPF_RET | BPF_K, 0), BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)};
    struct sock_fprog filter = {.len = sizeof steps / sizeof steps[0], .filter = steps};
    if (!self->is_local)
        setsockopt(stream_listener_socket(self), SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter);
}

bool stream_listener_has_queue(const struct stream_listener *self)
{
    struct pollfd listener = {.fd = stream_listener_socket(self), .events = POLLIN};
    return poll(&listener, 1, 0) == 1;
}
