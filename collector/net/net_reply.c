/*
 * Replies. A reply is composed once: head into the loop's stack, body beside it, both offered to the kernel at once;
 * only what the kernel does not take is copied and waits. Header names and values come from our own code and
 * configuration, never from a request, except the echoed Origin, which ingest has matched character by character.
 */
#include "collector/net/net_internal.h"

#include "collector/base/json.h"

#include <assert.h>
#include <stdlib.h>
#include <time.h>

#define NET_REPLY_ERROR_BYTES_MAX 1024u

struct net_write {
    uv_write_t request;
    struct net_connection *connection;
    uint8_t bytes[];
};

struct net_reply_status_text {
    int status;
    const char *text;
};

static const struct net_reply_status_text net_reply_texts[] = {
    {200, "OK"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {413, "Content Too Large"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {421, "Misdirected Request"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
};

static const char *net_reply_text(int status)
{
    for (size_t i = 0; i < sizeof net_reply_texts / sizeof net_reply_texts[0]; i++)
        if (net_reply_texts[i].status == status)
            return net_reply_texts[i].text;
    return "Status"; /* the phrase means nothing to clients (RFC 9112, 4) */
}

/* The clock is read once a second at most: strftime costs more than the rest of a reply. */
static const char *net_reply_date(struct net_loop *loop)
{
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    if (now.tv_sec == loop->date_second)
        return loop->date;
    loop->date_second = now.tv_sec;
    gmtime_r(&now.tv_sec, &parts);
    strftime(loop->date, sizeof loop->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    return loop->date;
}

static bool net_reply_status_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

static void net_reply_add_status(struct buf *head, int status)
{
    const char digits[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10), ' '};
    buf_add_text(head, "HTTP/1.1 ");
    buf_add(head, slice_of(digits, sizeof digits));
    buf_add_text(head, net_reply_text(status));
    buf_add_text(head, "\r\n");
}

static void net_reply_add_header(struct buf *head, const char *name, const char *value)
{
    buf_add_text(head, name);
    buf_add_text(head, ": ");
    buf_add_text(head, value);
    buf_add_text(head, "\r\n");
}

static void net_reply_compose(struct buf *head, struct net_loop *loop, const struct net_answer *answer, bool close)
{
    net_reply_add_status(head, answer->status);
    net_reply_add_header(head, "Date", net_reply_date(loop));
    if (net_reply_status_has_body(answer->status))
        buf_add_format(head, "Content-Length: %zu\r\n", answer->content_type == NULL ? 0 : answer->body.size);
    if (answer->content_type != NULL)
        net_reply_add_header(head, "Content-Type", answer->content_type);
    for (size_t i = 0; i < answer->header_count; i++)
        net_reply_add_header(head, answer->headers[i].name, answer->headers[i].value);
    buf_add_text(head, close ? "Connection: close\r\n\r\n" : "\r\n");
    assert(!head->failed); /* our own headers, in room that was reserved: an overflow is our mistake */
}

static void net_reply_on_written(uv_write_t *request, int status)
{
    struct net_write *write = request->data;
    struct net_connection *connection = write->connection;
    free(write);
    if (connection->state == NET_CLOSED)
        return; /* closing cancelled the write; the close callback frees the connection later */
    if (status != 0)
        net_connection_close(connection);
    else
        net_connection_written(connection);
}

/* Copies what the kernel did not take and lets the loop write it. */
static bool net_reply_write_rest(struct net_connection *connection, struct slice head, struct slice body)
{
    struct net_write *write = malloc(sizeof *write + head.size + body.size);
    if (write == NULL)
        return false;
    write->connection = connection;
    write->request.data = write;
    memcpy(write->bytes, head.data, head.size);
    if (body.size > 0)
        memcpy(write->bytes + head.size, body.data, body.size);
    uv_buf_t rest = uv_buf_init((char *)write->bytes, (unsigned)(head.size + body.size));
    if (uv_write(&write->request, (uv_stream_t *)&connection->tcp, &rest, 1, net_reply_on_written) == 0)
        return true;
    free(write);
    return false;
}

static struct slice net_reply_skip(struct slice bytes, size_t *done)
{
    size_t skip = *done < bytes.size ? *done : bytes.size;
    *done -= skip;
    return slice_of(bytes.data + skip, bytes.size - skip);
}

static void net_reply_send(struct net_connection *connection, struct slice head, struct slice body)
{
    uv_buf_t parts[2] = {uv_buf_init((char *)(uintptr_t)head.data, (unsigned)head.size),
                         uv_buf_init((char *)(uintptr_t)body.data, (unsigned)body.size)};
    connection->state = NET_WRITING;
    int wrote = uv_try_write((uv_stream_t *)&connection->tcp, parts, body.size > 0 ? 2 : 1);
    if (wrote < 0 && wrote != UV_EAGAIN) {
        net_connection_close(connection);
        return;
    }
    size_t done = wrote > 0 ? (size_t)wrote : 0;
    if (done == head.size + body.size) {
        net_connection_written(connection);
        return;
    }
    /* A client that does not read its answer gets as long as one that does not send its request. */
    connection->deadline_ms = uv_now(&connection->loop->uv) + connection->loop->net->options.request_timeout_ms;
    head = net_reply_skip(head, &done);
    body = net_reply_skip(body, &done);
    if (!net_reply_write_rest(connection, head, body))
        net_connection_close(connection);
}

static void net_reply_to(struct net_connection *connection, struct net_exchange *self, const struct net_answer *answer)
{
    /* The net's word, not the loop's: a loop that has not woken to the stop yet must not promise to keep the connection. */
    bool stopping = atomic_load_explicit(&self->loop->net->stop, memory_order_acquire);
    bool close = answer->close || !self->keep_alive || connection->at_eof || stopping;
    bool has_body =
        net_reply_status_has_body(answer->status) && self->method != NET_HEAD && answer->content_type != NULL;
    /* The loop's: a reply that this one lets begin (a pipelined request) does so when its bytes are with the kernel. */
    struct buf *head = &self->loop->reply_head;
    buf_clear(head);
    net_reply_compose(head, self->loop, answer, close);
    connection->close_after_write = close;
    connection->nothing_follows = self->lent && !self->keep_alive;
    net_reply_send(connection, buf_slice(head), has_body ? answer->body : slice_of(NULL, 0));
}

void net_reply(struct net_exchange *self, const struct net_answer *answer)
{
    assert(answer->status >= 200 && answer->status <= 599);
    struct net_connection *connection = net_exchange_detach(self);
    if (connection != NULL)
        net_reply_to(connection, self, answer);
    net_exchange_settle(self);
}

void net_reply_status(struct net_exchange *self, int status)
{
    net_reply(self, &(struct net_answer){.status = status});
}

static void net_reply_error_answer(struct net_exchange *self, struct net_answer *answer, const char *code,
                                   const char *message)
{
    struct buf body;
    struct json json;
    buf_init(&body, NET_REPLY_ERROR_BYTES_MAX);
    json_init(&json, &body);
    json_object(&json, NULL);
    json_object(&json, "error");
    json_text(&json, "code", slice_text(code));
    json_text(&json, "message", slice_text(message));
    json_object_end(&json);
    json_object_end(&json);
    assert(!body.failed || body.starved); /* messages are ours and short: an error never reflects the request */
    answer->content_type = body.failed ? NULL : "application/json"; /* without memory the status has to do */
    answer->body = buf_slice(&body);
    net_reply(self, answer);
    buf_release(&body);
}

void net_reply_error(struct net_exchange *self, int status, const char *code, const char *message)
{
    net_reply_error_answer(self, &(struct net_answer){.status = status}, code, message);
}

/* "GET, HEAD" */
static void net_reply_allow(unsigned methods, char *out, size_t size)
{
    static const struct {
        enum net_method method;
        const char *name;
    } names[] = {{NET_GET, "GET"}, {NET_HEAD, "HEAD"}, {NET_POST, "POST"}, {NET_OPTIONS, "OPTIONS"}};
    out[0] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!(methods & names[i].method))
            continue;
        if (out[0] != '\0')
            strncat(out, ", ", size - strlen(out) - 1);
        strncat(out, names[i].name, size - strlen(out) - 1);
    }
}

void net_reply_refusal(struct net_exchange *self)
{
    const struct net_refusal refusal = self->refusal;
    char allow[40];
    const struct net_header allowed = {"Allow", allow}, later = {"Retry-After", "2"};
    net_reply_allow(self->allow, allow, sizeof allow);
    struct net_answer answer = {.status = refusal.status,
                                .headers = refusal.status == 503 ? &later : &allowed,
                                .header_count = refusal.status == 405 || refusal.status == 503};
    counters_add(self->loop->net->options.counters, refusal.counter, 1);
    net_reply_error_answer(self, &answer, refusal.code, refusal.message);
}

void net_reply_continue(struct net_connection *connection)
{
    /* When the socket is so full that this does not fit, the client sends its body without it, after its own wait. */
    uv_buf_t text = uv_buf_init((char *)(uintptr_t) "HTTP/1.1 100 Continue\r\n\r\n", 25);
    uv_try_write((uv_stream_t *)&connection->tcp, &text, 1);
}
