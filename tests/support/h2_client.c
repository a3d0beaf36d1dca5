#include "tests/support/h2_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_BYTES_MAX (16u << 20)

static struct h2_client_request *find(nghttp2_session *session, int32_t id)
{
    return nghttp2_session_get_stream_user_data(session, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name, size_t name_size,
                     const uint8_t *value, size_t value_size, uint8_t flags, void *context)
{
    (void)flags;
    (void)context;
    struct h2_client_request *request = find(session, frame->hd.stream_id);
    if (request == NULL)
        return 0;
    if (slice_equal(slice_of(name, name_size), slice_text(":status"))) {
        int status = (int)strtol((const char *)value, NULL, 10); /* NUL-terminated by nghttp2 */
        request->continues += status == 100;
        request->status = status == 100 ? 0 : status;
        return 0;
    }
    size_t used = strlen(request->head);
    snprintf(request->head + used, sizeof request->head - used, "%.*s: %.*s\n", (int)name_size, (const char *)name,
             (int)value_size, (const char *)value);
    return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t size, void *context)
{
    (void)flags;
    (void)context;
    struct h2_client_request *request = find(session, id);
    if (request != NULL)
        buf_add(&request->answer, slice_of(data, size));
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error, void *context)
{
    (void)context;
    struct h2_client_request *request = find(session, id);
    if (request != NULL) {
        request->closed = true;
        request->reset = error;
    }
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *context)
{
    (void)session;
    struct h2_client *self = context;
    if (frame->hd.type == NGHTTP2_GOAWAY) {
        self->goaways++;
        self->goaway_error = frame->goaway.error_code;
        self->goaway_last = frame->goaway.last_stream_id;
    }
    return 0;
}

static void open_session(struct h2_client *self)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_option_new(&option);
    nghttp2_option_set_no_auto_window_update(option, self->reads_slowly);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_client_new2(&self->session, callbacks, self, option);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_option_del(option);
}

void h2_client_open(struct h2_client *self, unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10}; /* a hang fails the test */
    int one = 1;
    *self = (struct h2_client){.file = socket(AF_INET, SOCK_STREAM, 0), .reads_slowly = self->reads_slowly};
    if (connect(self->file, (struct sockaddr *)&address, sizeof address) != 0)
        abort();
    setsockopt(self->file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(self->file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    open_session(self);
    nghttp2_submit_settings(self->session, NGHTTP2_FLAG_NONE, NULL, 0);
    h2_client_flush(self);
}

void h2_client_close(struct h2_client *self)
{
    nghttp2_session_del(self->session);
    close(self->file);
}

void h2_client_send(struct h2_client *self, const void *bytes, size_t size)
{
    const char *at = bytes;
    while (size > 0) {
        ssize_t sent = send(self->file, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the other side is gone: step() says so */
        at += sent;
        size -= (size_t)sent;
    }
}

void h2_client_flush(struct h2_client *self)
{
    const uint8_t *data;
    ssize_t size;
    while ((size = nghttp2_session_mem_send(self->session, &data)) > 0)
        h2_client_send(self, data, (size_t)size);
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t room, uint32_t *flags,
                         nghttp2_data_source *source, void *context)
{
    (void)session;
    (void)id;
    (void)context;
    struct h2_client_request *request = source->ptr;
    size_t left = request->body.size - request->sent, size = left < room ? left : room;
    if (request->frame_bytes > 0 && size > request->frame_bytes)
        size = request->frame_bytes;
    if (size == 0 && request->open)
        return NGHTTP2_ERR_DEFERRED;
    if (size > 0)
        memcpy(out, request->body.data + request->sent, size);
    request->sent += size;
    if (request->sent == request->body.size && !request->open)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)size;
}

/* Names are sent as they are given, in capitals too. */
static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){(uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
                        NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

void h2_client_start(struct h2_client *self, struct h2_client_request *request)
{
    nghttp2_data_provider provider = {.source.ptr = request, .read_callback = read_body};
    nghttp2_nv fields[80] = {field(":method", request->method != NULL ? request->method : "GET"),
                             field(":scheme", "http"),
                             field(":authority", request->authority != NULL ? request->authority : "x")};
    size_t count = 3;
    if (request->path != NULL)
        fields[count++] = field(":path", request->path);
    for (const struct h2_client_field *at = request->fields; at->name != NULL; at++)
        fields[count++] = field(at->name, at->value);
    bool has_body = request->body.size > 0 || request->open;
    request->closed = false;
    request->status = 0;
    request->sent = request->reset = request->continues = 0;
    request->head[0] = '\0';
    buf_release(&request->answer);
    buf_init(&request->answer, ANSWER_BYTES_MAX);
    request->id = nghttp2_submit_request(self->session, NULL, fields, count, has_body ? &provider : NULL, request);
    h2_client_flush(self);
}

void h2_client_reset(struct h2_client *self, const struct h2_client_request *request)
{
    nghttp2_submit_rst_stream(self->session, NGHTTP2_FLAG_NONE, request->id, NGHTTP2_CANCEL);
    h2_client_flush(self);
}

void h2_client_more(struct h2_client *self, struct h2_client_request *request, struct slice body, bool open)
{
    request->body = body;
    request->sent = 0;
    request->open = open;
    nghttp2_session_resume_data(self->session, request->id);
    h2_client_flush(self);
}

bool h2_client_step(struct h2_client *self)
{
    uint8_t data[65536];
    ssize_t size = recv(self->file, data, sizeof data, 0);
    if (size <= 0 || nghttp2_session_mem_recv(self->session, data, (size_t)size) < 0)
        return false;
    h2_client_flush(self);
    return true;
}

bool h2_client_wait(struct h2_client *self, const struct h2_client_request *request)
{
    while (!request->closed)
        if (!h2_client_step(self))
            return false;
    return true;
}

bool h2_client_run(struct h2_client *self, struct h2_client_request *request)
{
    h2_client_start(self, request);
    return h2_client_wait(self, request);
}

void h2_client_wait_end(struct h2_client *self)
{
    while (h2_client_step(self))
        continue;
}

void h2_client_release(struct h2_client_request *request)
{
    buf_release(&request->answer);
}

const char *h2_client_header(const struct h2_client_request *request, const char *name)
{
    static char value[512];
    size_t size = strlen(name);
    value[0] = '\0';
    for (const char *line = request->head; *line != '\0'; line = strchr(line, '\n') + 1)
        if (strncmp(line, name, size) == 0 && line[size] == ':')
            snprintf(value, sizeof value, "%.*s", (int)(strcspn(line, "\n") - size - 2), line + size + 2);
    return value;
}

size_t h2_frame(uint8_t *out, uint8_t type, uint8_t flags, int32_t id, struct slice payload)
{
    const uint8_t head[] = {(uint8_t)(payload.size >> 16), (uint8_t)(payload.size >> 8), (uint8_t)payload.size, type, flags,
                            (uint8_t)(id >> 24), (uint8_t)(id >> 16), (uint8_t)(id >> 8), (uint8_t)id};
    memcpy(out, head, sizeof head);
    if (payload.size > 0)
        memmove(out + sizeof head, payload.data, payload.size);
    return sizeof head + payload.size;
}

static size_t literal_text(uint8_t *out, struct slice text)
{
    size_t size = 0, left = text.size;
    out[size++] = left < 127 ? (uint8_t)left : 127;
    if (left >= 127) { /* RFC 7541, 5.1 */
        for (left -= 127; left >= 128; left /= 128)
            out[size++] = (uint8_t)(left % 128 + 128);
        out[size++] = (uint8_t)left;
    }
    if (text.size > 0)
        memcpy(out + size, text.data, text.size);
    return size + text.size;
}

size_t h2_literal(uint8_t *out, struct slice name, struct slice value)
{
    out[0] = 0; /* without indexing, a new name */
    size_t size = 1 + literal_text(out + 1, name);
    return size + literal_text(out + size, value);
}
