#include "tests/support/grpc_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void copy_text(char *out, size_t room, const uint8_t *value, size_t size)
{
    size = size < room ? size : room - 1;
    memcpy(out, value, size);
    out[size] = '\0';
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                     const uint8_t *value, size_t value_size, uint8_t flags, void *context)
{
    (void)flags;
    (void)context;
    struct grpc_client_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    struct slice key = slice_of(name, name_size);
    char digits[8];
    if (call == NULL)
        return 0;
    copy_text(digits, sizeof digits, value, value_size);
    if (slice_equal(key, slice_text(":status")))
        call->http_status = (int)strtol(digits, NULL, 10);
    else if (slice_equal(key, slice_text("grpc-status")))
        call->grpc_status = (int)strtol(digits, NULL, 10);
    else if (slice_equal(key, slice_text("grpc-message")))
        copy_text(call->text, sizeof call->text, value, value_size);
    else if (slice_equal(key, slice_text("grpc-accept-encoding")))
        copy_text(call->accept_encoding, sizeof call->accept_encoding, value, value_size);
    else if (slice_equal(key, slice_text("grpc-status-details-bin")))
        copy_text(call->details, sizeof call->details, value, value_size);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *data, size_t size,
                   void *context)
{
    (void)flags;
    (void)context;
    struct grpc_client_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (call == NULL || size > sizeof call->message - call->message_size)
        return 0;
    memcpy(call->message + call->message_size, data, size);
    call->message_size += size;
    return 0;
}

static int on_close(nghttp2_session *session, int32_t stream_id, uint32_t error, void *context)
{
    (void)context;
    struct grpc_client_call *call = nghttp2_session_get_stream_user_data(session, stream_id);
    if (call != NULL) {
        call->closed = true;
        call->reset = error;
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    (void)session;
    struct grpc_client *self = context;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        self->goaway_last[self->goaway] = frame->goaway.last_stream_id;
        self->goaway = true;
    }
    return 0;
}

void grpc_client_open(struct grpc_client *self, unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10}; /* a hang fails the test */
    nghttp2_session_callbacks *callbacks;
    *self = (struct grpc_client){.file = socket(AF_INET, SOCK_STREAM, 0)};
    if (connect(self->file, (struct sockaddr *)&address, sizeof address) != 0)
        abort();
    setsockopt(self->file, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    setsockopt(self->file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_client_new(&self->session, callbacks, self);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(self->session, NGHTTP2_FLAG_NONE, NULL, 0);
    grpc_client_flush(self);
}

void grpc_client_close(struct grpc_client *self)
{
    nghttp2_session_del(self->session);
    close(self->file);
}

void grpc_client_flush(struct grpc_client *self)
{
    const uint8_t *data;
    ssize_t size;
    while ((size = nghttp2_session_mem_send(self->session, &data)) > 0)
        while (size > 0) {
            ssize_t sent = send(self->file, data, (size_t)size, MSG_NOSIGNAL);
            if (sent <= 0)
                return; /* the other side is gone: step() says so */
            data += sent;
            size -= sent;
        }
}

static ssize_t read_body(nghttp2_session *session, int32_t stream_id, uint8_t *out, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *context)
{
    (void)session;
    (void)stream_id;
    (void)context;
    struct grpc_client_call *call = source->ptr;
    size_t left = call->body.size - call->sent, size = left < room ? left : room;
    if (call->frame_bytes > 0 && size > call->frame_bytes)
        size = call->frame_bytes;
    if (size == 0 && call->open)
        return NGHTTP2_ERR_DEFERRED;
    if (size > 0)
        memcpy(out, call->body.data + call->sent, size);
    call->sent += size;
    if (call->sent == call->body.size && !call->open)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value), 0};
}

void grpc_client_start(struct grpc_client *self, struct grpc_client_call *call)
{
    nghttp2_data_provider provider = {.source.ptr = call, .read_callback = read_body};
    nghttp2_nv fields[] = {
        field(":method", call->method != NULL ? call->method : "POST"),
        field(":scheme", "http"),
        field(":path", call->path),
        field(":authority", "t"),
        field("te", "trailers"),
        field("content-type", call->type != NULL ? call->type : "application/grpc"),
        field("grpc-encoding", call->encoding != NULL ? call->encoding : ""),
    };
    size_t count = sizeof fields / sizeof fields[0] - (call->encoding == NULL);
    call->http_status = call->grpc_status = -1;
    call->closed = false;
    call->message_size = call->sent = call->reset = 0;
    call->text[0] = call->accept_encoding[0] = call->details[0] = '\0';
    call->stream_id = nghttp2_submit_request(self->session, NULL, fields, count, &provider, call);
    grpc_client_flush(self);
}

bool grpc_client_step(struct grpc_client *self)
{
    uint8_t data[16384];
    ssize_t size = recv(self->file, data, sizeof data, 0);
    if (size <= 0 || nghttp2_session_mem_recv(self->session, data, (size_t)size) < 0)
        return false;
    grpc_client_flush(self);
    return true;
}

bool grpc_client_wait(struct grpc_client *self, struct grpc_client_call *call)
{
    while (!call->closed)
        if (!grpc_client_step(self))
            return false;
    return true;
}

bool grpc_client_run(struct grpc_client *self, struct grpc_client_call *call)
{
    grpc_client_start(self, call);
    return grpc_client_wait(self, call);
}

struct slice grpc_client_frame(uint8_t *out, bool compressed, struct slice message)
{
    out[0] = compressed;
    for (int i = 0; i < 4; i++)
        out[1 + i] = (uint8_t)(message.size >> (24 - 8 * i));
    if (message.size > 0)
        memcpy(out + 5, message.data, message.size);
    return slice_of(out, 5 + message.size);
}
