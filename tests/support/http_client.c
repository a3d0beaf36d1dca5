#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

void http_client_open(struct http_client *self, unsigned port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval limit = {.tv_sec = 10};
    int one = 1;
    self->file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert(self->file >= 0);
    setsockopt(self->file, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(self->file, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    int status = connect(self->file, (struct sockaddr *)&address, sizeof address);
    assert(status == 0);
    (void)status;
    buf_init(&self->in, 1u << 20);
}

void http_client_close(struct http_client *self)
{
    close(self->file);
    buf_release(&self->in);
}

void http_client_reset(struct http_client *self)
{
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(self->file, SOL_SOCKET, SO_LINGER, &none, sizeof none);
    http_client_close(self);
}

void http_client_finish_sending(struct http_client *self)
{
    shutdown(self->file, SHUT_WR);
}

void http_client_send(struct http_client *self, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;
    while (size > 0) {
        ssize_t sent = send(self->file, at, size, MSG_NOSIGNAL);
        if (sent <= 0)
            return; /* the server hung up on us: the test looks at what it answered */
        at += sent;
        size -= (size_t)sent;
    }
}

void http_client_send_text(struct http_client *self, const char *text)
{
    http_client_send(self, text, strlen(text));
}

static bool http_client_fill(struct http_client *self)
{
    uint8_t *room = buf_reserve(&self->in, 4096);
    ssize_t got = room == NULL ? -1 : recv(self->file, room, 4096, 0);
    if (got <= 0)
        return false;
    self->in.size += (size_t)got;
    return true;
}

static void http_client_drop(struct http_client *self, size_t size)
{
    memmove(self->in.data, self->in.data + size, self->in.size - size);
    self->in.size -= size;
}

const char *http_reply_header(const struct http_reply *self, const char *name)
{
    static _Thread_local char value[1024];
    size_t size = strlen(name);
    value[0] = '\0';
    for (const char *line = strstr(self->head, "\r\n"); line != NULL && line[2] != '\r';
         line = strstr(line + 2, "\r\n")) {
        if (strncasecmp(line + 2, name, size) != 0 || line[2 + size] != ':')
            continue;
        const char *from = line + 2 + size + 1;
        from += strspn(from, " ");
        size_t length = strcspn(from, "\r");
        assert(length < sizeof value);
        memcpy(value, from, length);
        value[length] = '\0';
        break;
    }
    return value;
}

bool http_client_read(struct http_client *self, struct http_reply *out)
{
    const uint8_t *end;
    while ((end = self->in.size < 4 ? NULL : memmem(self->in.data, self->in.size, "\r\n\r\n", 4)) == NULL)
        if (!http_client_fill(self))
            return false;
    size_t head = (size_t)(end - self->in.data) + 4;
    assert(head < sizeof out->head);
    memcpy(out->head, self->in.data, head);
    out->head[head] = '\0';
    out->status = atoi(out->head + 9);
    http_client_drop(self, head);
    out->body_size = (size_t)atoi(http_reply_header(out, "content-length"));
    assert(out->body_size < sizeof out->body);
    while (self->in.size < out->body_size)
        if (!http_client_fill(self))
            return false;
    memcpy(out->body, self->in.data, out->body_size);
    out->body[out->body_size] = '\0';
    http_client_drop(self, out->body_size);
    return true;
}

bool http_client_at_end(struct http_client *self)
{
    char byte;
    return self->in.size == 0 && recv(self->file, &byte, 1, 0) <= 0;
}
