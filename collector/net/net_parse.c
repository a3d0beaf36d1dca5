/*
 * Bytes to a request, with llhttp. The callbacks only store; what they refuse is written into the exchange and the
 * parse stops there, because after a refusal nobody can say where the next request begins.
 *
 * llhttp (strict) refuses conflicting lengths, foreign transfer codings, blanks before a colon, bare line feeds. What it
 * takes and a proxy in front may read differently is refused here:
 *
 *   obs-fold  a value that begins or goes on after a line break; seen in the bytes before its first piece, or as a further
 *             piece that is not the continuation of input cut between two reads (RFC 9112, 5.2: reject)
 *   bare LF   behind the request line or the head, where llhttp lets it pass (RFC 9112, 2.2)
 *   no name   a line that begins with its colon; llhttp calls it a field without a name
 *   Host      none or several in HTTP/1.1 (RFC 9112, 3.2), what no host looks like, or another one than in the target
 *   codings   Transfer-Encoding twice, or in HTTP/1.0 (RFC 9112, 6.1)
 */
#include "collector/net/net_internal.h"

#include <assert.h>
#include <stdlib.h>

enum { NET_PARSE_STOP = -1 };

static struct net_connection *net_parse_self(llhttp_t *parser)
{
    return parser->data;
}

static int net_parse_refuse(struct net_connection *self, int status, const char *code, const char *message,
                            enum counter counter)
{
    net_exchange_refuse(self->carrier.exchange, status, code, message, counter);
    return NET_PARSE_STOP;
}

static int net_parse_head_too_large(struct net_connection *self)
{
    return net_parse_refuse(self, 431, "headers_too_large",
                            "The request line and headers are over 16 KiB or 64 fields.",
                            COUNTER_HTTP_HEADERS_TOO_LARGE);
}

static int net_parse_starved(struct net_connection *self)
{
    net_exchange_refuse_busy(self->carrier.exchange);
    return NET_PARSE_STOP;
}

static int net_parse_on_begin(llhttp_t *parser)
{
    struct net_connection *self = net_parse_self(parser);
    if (net_exchange_new(self->loop, &self->carrier, stream_peer(&self->stream)) == NULL)
        return NET_PARSE_STOP;
    self->head_bytes = self->chunk_extension_bytes = 0;
    self->head_complete = self->in_name = self->in_value = self->in_gap = self->gap_has_break = false;
    self->value_open_feed = 0;
    return 0;
}

/* The head as received: the target, then names and values, without separators. */
static int net_parse_store(struct net_connection *self, const char *at, size_t size)
{
    struct net_exchange *exchange = self->carrier.exchange;
    if (buf_add(&exchange->head, slice_of(at, size)))
        return 0;
    if (!net_exchange_lacks_memory(&exchange->head, size))
        return net_parse_head_too_large(self);
    net_exchange_refuse_busy(exchange);
    return NET_PARSE_STOP;
}

static int net_parse_on_target(llhttp_t *parser, const char *at, size_t size)
{
    struct net_connection *self = net_parse_self(parser);
    self->carrier.exchange->target_size += size;
    return net_parse_store(self, at, size);
}

static int net_parse_on_name(llhttp_t *parser, const char *at, size_t size)
{
    struct net_connection *self = net_parse_self(parser);
    struct net_exchange *exchange = self->carrier.exchange;
    if (self->head_complete) /* trailers: counted by net_parse(), never stored, so they cannot change the request */
        return 0;
    if (!self->in_name) {
        if (exchange->field_count == NET_HEADERS_MAX)
            return net_parse_head_too_large(self);
        exchange->field[exchange->field_count++] = (struct net_field){.name_at = (uint16_t)exchange->head.size};
        self->in_name = true;
    }
    struct net_field *field = &exchange->field[exchange->field_count - 1];
    field->name_size = (uint16_t)(field->name_size + size);
    return net_parse_store(self, at, size);
}

static bool net_parse_name_is_empty(const struct net_connection *self)
{
    const struct net_exchange *exchange = self->carrier.exchange;
    return !self->in_name || exchange->field[exchange->field_count - 1].name_size == 0;
}

static int net_parse_on_name_end(llhttp_t *parser)
{
    struct net_connection *self = net_parse_self(parser);
    if (!self->head_complete && net_parse_name_is_empty(self))
        return net_parse_refuse(self, 400, "bad_request", "A header has no name.", COUNTER_HTTP_BAD_REQUESTS);
    self->in_name = self->in_value = self->gap_has_break = false;
    self->in_gap = true;
    return 0;
}

/* Does a line end in the blanks before `at`, as far back as this feed goes? */
static bool net_parse_breaks_before(const struct net_connection *self, const char *at)
{
    while (at > self->feed_begin && (at[-1] == ' ' || at[-1] == '\t'))
        at--;
    return at > self->feed_begin && (at[-1] == '\r' || at[-1] == '\n');
}

/* Is this piece a fold: behind a line end, or a second piece of one value where no read ended in between? */
static bool net_parse_is_fold(const struct net_connection *self, const char *at)
{
    if (!self->in_value)
        return self->gap_has_break || net_parse_breaks_before(self, at);
    bool cut_by_read = self->value_open_feed != 0 && self->value_open_feed + 1 == self->feed && at == self->feed_begin;
    return !cut_by_read;
}

static int net_parse_on_value(llhttp_t *parser, const char *at, size_t size)
{
    struct net_connection *self = net_parse_self(parser);
    struct net_exchange *exchange = self->carrier.exchange;
    if (self->head_complete || size == 0)
        return 0;
    assert(exchange->field_count > 0);
    if (net_parse_is_fold(self, at))
        return net_parse_refuse(self, 400, "bad_request", "A header value is folded over lines.",
                                COUNTER_HTTP_BAD_REQUESTS);
    struct net_field *field = &exchange->field[exchange->field_count - 1];
    if (!self->in_value)
        field->value_at = (uint16_t)exchange->head.size;
    self->in_value = true;
    self->in_gap = false;
    self->value_open_feed = at + size == self->feed_end ? self->feed : 0;
    field->value_size = (uint16_t)(field->value_size + size);
    return net_parse_store(self, at, size);
}

static enum net_method net_parse_method(uint8_t method)
{
    switch (method) {
    case HTTP_GET:
        return NET_GET;
    case HTTP_HEAD:
        return NET_HEAD;
    case HTTP_POST:
        return NET_POST;
    case HTTP_OPTIONS:
        return NET_OPTIONS;
    default:
        return NET_OTHER;
    }
}

static int net_parse_on_head(llhttp_t *parser)
{
    struct net_connection *self = net_parse_self(parser);
    struct net_exchange *exchange = self->carrier.exchange;
    bool chunked = (parser->flags & F_CHUNKED) != 0;
    parser->upgrade = 0; /* offers of other protocols are ignored (RFC 9110, 7.8), not switched to */
    self->head_complete = true;
    exchange->method = net_parse_method(parser->method);
    exchange->http_1_0 = parser->http_major == 1 && parser->http_minor == 0;
    exchange->keep_alive = !exchange->http_1_0 && llhttp_should_keep_alive(parser) != 0;
    exchange->body_declared = chunked ? 0 : parser->content_length;
    exchange->has_body = chunked || parser->content_length > 0;
    if (parser->http_major != 1)
        net_exchange_refuse(exchange, 505, "http_version", "Only HTTP/1.0 and HTTP/1.1.", COUNTER_HTTP_BAD_REQUESTS);
    else
        net_head_judge(exchange);
    if (exchange->refusal.status != 0)
        /* A refused request without a body ends here, so the connection can go on; otherwise it cannot. */
        return exchange->has_body || exchange->refusal.status == 400 ? NET_PARSE_STOP : 0;
    if (exchange->expects_continue && exchange->has_body)
        exchange->carrier->kind->go_on(exchange->carrier);
    return 0;
}

static int net_parse_on_body(llhttp_t *parser, const char *at, size_t size)
{
    struct net_connection *self = net_parse_self(parser);
    return net_exchange_add_body(self->carrier.exchange, slice_of(at, size)) ? 0 : NET_PARSE_STOP;
}

/* What does not fit is refused when it is announced, not when it has come. */
static int net_parse_on_chunk(llhttp_t *parser)
{
    struct net_connection *self = net_parse_self(parser);
    if (parser->content_length <= self->carrier.exchange->body.room_max - self->carrier.exchange->body.size)
        return 0;
    return net_parse_refuse(self, 413, "body_too_large", "The body is over the limit.", COUNTER_HTTP_BODY_TOO_LARGE);
}

static int net_parse_on_chunk_extension(llhttp_t *parser, const char *at, size_t size)
{
    (void)at;
    struct net_connection *self = net_parse_self(parser);
    self->chunk_extension_bytes += size;
    if (self->chunk_extension_bytes <= NET_CHUNK_EXTENSION_BYTES_MAX)
        return 0;
    return net_parse_refuse(self, 400, "bad_request", "Chunk extensions are over 64 bytes.", COUNTER_HTTP_BAD_REQUESTS);
}

static int net_parse_on_whole(llhttp_t *parser)
{
    (void)parser;
    return HPE_PAUSED; /* the next request is read when this one has been answered */
}

static const llhttp_settings_t net_parse_settings = {
    .on_message_begin = net_parse_on_begin,
    .on_url = net_parse_on_target,
    .on_header_field = net_parse_on_name,
    .on_header_field_complete = net_parse_on_name_end,
    .on_header_value = net_parse_on_value,
    .on_headers_complete = net_parse_on_head,
    .on_body = net_parse_on_body,
    .on_message_complete = net_parse_on_whole,
    .on_chunk_header = net_parse_on_chunk,
    .on_chunk_extension_name = net_parse_on_chunk_extension,
    .on_chunk_extension_value = net_parse_on_chunk_extension,
};

void net_parse_init(struct net_connection *connection)
{
    llhttp_init(&connection->parser, HTTP_REQUEST, &net_parse_settings);
    connection->parser.data = connection;
}

/* Blanks and trailers reach no callback that counts them: bound the head, and what is not body, as it came. */
static bool net_parse_head_is_over(struct net_connection *self, size_t size)
{
    if (self->carrier.exchange == NULL || self->head_complete)
        return false;
    self->gap_has_break = self->gap_has_break || (self->in_gap && net_parse_breaks_before(self, self->feed_end));
    self->head_bytes += size;
    return self->head_bytes > NET_HEAD_BYTES_MAX;
}

static void net_parse_end_line(struct net_line *line)
{
    bool is_empty = line->bytes == 1; /* its CR */
    *line = (struct net_line){.is_behind_another = line->is_behind_another || !is_empty,
                              .is_behind_head = line->is_behind_another && is_empty};
}

/* How much of `input` comes before a line feed of the head that has no carriage return: all of it, when none has. */
static size_t net_parse_before_bare_feed(struct net_line *line, struct slice input)
{
    size_t at = 0;
    while (at < input.size && !line->is_behind_head) {
        const uint8_t *feed = memchr(input.data + at, '\n', input.size - at);
        size_t end = feed == NULL ? input.size : (size_t)(feed - input.data);
        if (end > at)
            line->ends_in_cr = input.data[end - 1] == '\r';
        line->bytes += end - at;
        if (feed == NULL || !line->ends_in_cr)
            return end;
        net_parse_end_line(line);
        at = end + 1;
    }
    return input.size;
}

enum net_parse_result net_parse(struct net_connection *self, struct slice input, size_t *taken)
{
    size_t size = net_parse_before_bare_feed(&self->line, input);
    self->feed++;
    self->feed_begin = (const char *)input.data;
    self->feed_end = self->feed_begin + size;
    llhttp_errno_t status = llhttp_execute(&self->parser, self->feed_begin, size);
    bool head_is_over = status == HPE_OK && net_parse_head_is_over(self, size);
    *taken = input.size;
    if (status == HPE_OK && !head_is_over && size == input.size)
        return NET_PARSE_MORE;
    if (head_is_over)
        net_parse_head_too_large(self);
    if (status == HPE_PAUSED) {
        *taken = (size_t)(llhttp_get_error_pos(&self->parser) - self->feed_begin);
        self->line = (struct net_line){0};
        llhttp_resume(&self->parser);
        self->spoke_http1 = true;
        return NET_PARSE_WHOLE;
    }
    if (status == HPE_PAUSED_H2_UPGRADE && !self->spoke_http1) {
        *taken = (size_t)(llhttp_get_error_pos(&self->parser) - self->feed_begin);
        return NET_PARSE_HTTP2;
    }
    if (self->carrier.exchange == NULL) /* not even a request line; an answer is owed all the same */
        net_exchange_new(self->loop, &self->carrier, stream_peer(&self->stream));
    if (self->carrier.exchange != NULL && status == HPE_CB_MESSAGE_BEGIN) /* the first try had no memory */
        net_parse_starved(self);
    if (self->carrier.exchange != NULL && self->carrier.exchange->refusal.status == 0)
        net_exchange_refuse(self->carrier.exchange, 400, "bad_request", "This is not HTTP/1.1 as we read it.",
                            COUNTER_HTTP_BAD_REQUESTS);
    return NET_PARSE_REFUSED;
}
