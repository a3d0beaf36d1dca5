/*
 * One export request over HTTP/1.1, as the OTLP/HTTP specification asks:
 *
 *   handle ──> headers, open (otlp_request) ──refuse──> Status (415, 400, 413, 503)
 *                │            │ nothing to keep ──────> 200
 *                └─> append ~~ another thread ~~> done ─> wake ──> 200 or 503
 *
 * 200 is said only after the append is durable. The answer is JSON when the request was.
 */
#include "collector/otlp/otlp_internal.h"

#include <stdio.h>
#include <strings.h>

#define PROTOBUF_TYPE "application/x-protobuf"
#define JSON_TYPE     "application/json"

/* Lives in the exchange's memory. `request` is first: it begins with the append that done() is given. */
struct otlp_exchange {
    struct otlp_request request;
    struct net_exchange *exchange;
    enum otlp_format format;
};

static struct slice text_trim(struct slice text)
{
    while (text.size > 0 && (*text.data == ' ' || *text.data == '\t'))
        text = slice_of(text.data + 1, text.size - 1);
    while (text.size > 0 && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

static bool text_is(struct slice text, const char *expected)
{
    return text.size == strlen(expected) && strncasecmp((const char *)text.data, expected, text.size) == 0;
}

/* "application/x-protobuf; charset=utf-8": parameters do not matter here. */
static bool exchange_has_type(struct net_exchange *exchange, const char *type)
{
    struct slice value = net_exchange_header(exchange, "content-type");
    const uint8_t *semicolon = value.size > 0 ? memchr(value.data, ';', value.size) : NULL;
    if (semicolon != NULL)
        value.size = (size_t)(semicolon - value.data);
    return text_is(text_trim(value), type);
}

static void exchange_reply(struct net_exchange *exchange, enum otlp_format format, int status,
                           const struct otlp_response *response, unsigned retry_s)
{
    char seconds[12];
    snprintf(seconds, sizeof seconds, "%u", retry_s);
    struct net_header retry = {"Retry-After", seconds};
    net_reply(exchange, &(struct net_answer){.status = status,
                                             .content_type = format == OTLP_JSON ? JSON_TYPE : PROTOBUF_TYPE,
                                             .body = slice_of(response->bytes, response->size),
                                             .headers = &retry,
                                             .header_count = retry_s > 0 ? 1 : 0});
}

static void exchange_refuse(struct otlp *otlp, struct net_exchange *exchange, enum otlp_format format,
                            enum otlp_refusal why)
{
    const struct otlp_refusal_row *row = &otlp_refusal_rows[why];
    struct otlp_response response;
    net_exchange_reject(exchange, &(struct reject_cause){row->counter, row->http_status, row->code, row->message}, NULL,
                        slice_of(NULL, 0));
    otlp_response_refuse(&response, format, row->grpc_code, slice_text(row->message));
    exchange_reply(exchange, format, row->http_status, &response,
                   row->retry_s > 0 ? jitter_spread(&otlp->jitter, row->retry_s, row->retry_s + 1) : 0);
}

static void exchange_answer(struct otlp_exchange *self, enum otlp_refusal why)
{
    struct otlp_response response;
    otlp_request_close(&self->request, why);
    if (why != OTLP_REFUSED_NOT) {
        exchange_refuse(self->request.otlp, self->exchange, self->format, why);
        return;
    }
    otlp_response_accept(&response, self->format, self->request.accepted, self->request.rejected);
    exchange_reply(self->exchange, self->format, 200, &response, 0);
}

static void exchange_woken(struct net_exchange *exchange, void *context)
{
    (void)exchange;
    struct otlp_exchange *self = context;
    exchange_answer(self, otlp_request_result(&self->request));
}

/* On the sink's thread: the exchange may be touched only after the wake. */
static void append_done(struct append *append)
{
    struct otlp_exchange *self = (struct otlp_exchange *)append;
    net_exchange_wake(self->exchange);
}

static bool exchange_find_encoding(struct net_exchange *exchange, enum otlp_encoding *encoding)
{
    struct slice value = text_trim(net_exchange_header(exchange, "content-encoding"));
    *encoding = text_is(value, "gzip") ? OTLP_GZIP : text_is(value, "zstd") ? OTLP_ZSTD : OTLP_IDENTITY;
    return *encoding != OTLP_IDENTITY || value.size == 0 || text_is(value, "identity");
}

static enum otlp_refusal exchange_open(struct otlp_exchange *self)
{
    enum otlp_encoding encoding;
    if (self->format != OTLP_JSON && !exchange_has_type(self->exchange, PROTOBUF_TYPE))
        return OTLP_REFUSED_MEDIA_TYPE;
    if (!exchange_find_encoding(self->exchange, &encoding))
        return OTLP_REFUSED_ENCODING;
    return otlp_request_open(&self->request, net_exchange_body(self->exchange), encoding, self->format);
}

void otlp_handle(void *context, struct net_exchange *exchange)
{
    struct otlp *otlp = context;
    struct otlp_exchange *self = net_exchange_memory(exchange, sizeof *self);
    enum otlp_format format = exchange_has_type(exchange, JSON_TYPE) ? OTLP_JSON : OTLP_PROTOBUF;
    counters_add(otlp->counters, COUNTER_SPANS_REQUESTS, 1);
    if (self == NULL) {
        counters_add(otlp->counters, COUNTER_SPANS_BUSY, 1);
        exchange_refuse(otlp, exchange, format, OTLP_REFUSED_BUSY);
        return;
    }
    self->request.otlp = otlp;
    self->exchange = exchange;
    self->format = format;
    enum otlp_refusal why = exchange_open(self);
    if (why != OTLP_REFUSED_NOT || self->request.accepted == 0) {
        exchange_answer(self, why);
        return;
    }
    net_exchange_on_wake(exchange, exchange_woken, self);
    otlp_request_append(&self->request, net_exchange_peer(exchange), append_done);
}
