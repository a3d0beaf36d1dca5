/*
 * The answer of an HTTP/1.1 connection, composed once: head into the loop's buffer, body beside it, both given to the
 * stream at once. Header names and values come from our own code and configuration, never from a request, except the
 * echoed Origin, which ingest has matched character by character.
 */
#include "collector/net/net_internal.h"

#include <assert.h>

struct net_http1_status_text {
    int status;
    const char *text;
};

static const struct net_http1_status_text net_http1_texts[] = {
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

static const char *net_http1_text(int status)
{
    for (size_t i = 0; i < sizeof net_http1_texts / sizeof net_http1_texts[0]; i++)
        if (net_http1_texts[i].status == status)
            return net_http1_texts[i].text;
    return "Status"; /* the phrase means nothing to clients (RFC 9112, 4) */
}

static void net_http1_add_status(struct buf *head, int status)
{
    const char digits[] = {(char)('0' + status / 100), (char)('0' + status / 10 % 10), (char)('0' + status % 10), ' '};
    buf_add_text(head, "HTTP/1.1 ");
    buf_add(head, slice_of(digits, sizeof digits));
    buf_add_text(head, net_http1_text(status));
    buf_add_text(head, "\r\n");
}

/* In one piece: an answer without a body is five of these and little else. */
static void net_http1_add_header(struct buf *head, const char *name, const char *value)
{
    size_t name_size = strlen(name), value_size = strlen(value);
    uint8_t *at = buf_reserve(head, name_size + value_size + 4);
    if (at == NULL)
        return;
    memcpy(at, name, name_size);
    memcpy(at + name_size, ": ", 2);
    memcpy(at + name_size + 2, value, value_size);
    memcpy(at + name_size + 2 + value_size, "\r\n", 2);
    head->size += name_size + value_size + 4;
}

static void net_http1_compose(struct buf *head, struct net_loop *loop, const struct net_answer *answer, bool close)
{
    net_http1_add_status(head, answer->status);
    net_http1_add_header(head, "Date", net_reply_date(loop));
    if (net_reply_status_has_body(answer->status))
        buf_add_format(head, "Content-Length: %zu\r\n", answer->content_type == NULL ? 0 : answer->body.size);
    if (answer->content_type != NULL)
        net_http1_add_header(head, "Content-Type", answer->content_type);
    for (size_t i = 0; i < answer->header_count; i++)
        net_http1_add_header(head, answer->headers[i].name, answer->headers[i].value);
    buf_add_text(head, close ? "Connection: close\r\n\r\n" : "\r\n");
    assert(!head->failed); /* our own headers, in room that was reserved: an overflow is our mistake */
}

static void net_http1_send(struct net_connection *connection, struct slice head, struct slice body)
{
    const struct slice parts[2] = {head, body};
    connection->state = NET_WRITING;
    switch (stream_write(&connection->stream, parts, body.size > 0 ? 2 : 1)) {
    case STREAM_SENT:
        net_connection_written(connection);
        break;
    case STREAM_WAITS: /* a client that does not read its answer gets as long as one that does not send its request */
        connection->deadline_ms = uv_now(&connection->loop->uv) + connection->loop->net->options.request_timeout_ms;
        break;
    case STREAM_BROKEN:
        net_connection_close(connection);
        break;
    }
}

static struct net_connection *net_http1_connection(struct net_carrier *carrier)
{
    return (struct net_connection *)carrier;
}

static void net_http1_lent(struct net_carrier *carrier)
{
    struct net_connection *connection = net_http1_connection(carrier);
    connection->state = NET_LENT;
    connection->deadline_ms = 0;
}

static void net_http1_answer(struct net_carrier *carrier, const struct net_exchange *exchange,
                             const struct net_answer *answer)
{
    struct net_connection *connection = net_http1_connection(carrier);
    struct net_loop *loop = exchange->loop;
    /* The net's word, not the loop's: one that has not woken to the drain yet must not promise to keep the connection. */
    bool draining = atomic_load_explicit(&loop->net->draining, memory_order_acquire);
    bool close = answer->close || !exchange->keep_alive || connection->at_eof || (draining && !connection->more_follows);
    /* The loop's: a reply that this one lets begin (a pipelined request) does so when its bytes are with the kernel. */
    struct buf *head = &loop->reply_head;
    buf_clear(head);
    net_http1_compose(head, loop, answer, close);
    connection->close_after_write = close;
    connection->hold_ms = answer->pause_ms;
    connection->nothing_follows = exchange->lent && !exchange->keep_alive;
    net_http1_send(connection, buf_slice(head),
                   net_reply_has_body(exchange, answer) ? answer->body : slice_of(NULL, 0));
}

static void net_http1_go_on(struct net_carrier *carrier)
{
    /* When the socket is so full that this does not fit, the client sends its body without it, after its own wait. */
    stream_say(&net_http1_connection(carrier)->stream, slice_text("HTTP/1.1 100 Continue\r\n\r\n"));
}

const struct net_carrier_kind net_http1_kind = {net_http1_lent, net_http1_go_on, net_http1_answer};
