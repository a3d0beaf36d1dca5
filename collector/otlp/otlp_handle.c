/*
 * One export request, as the OTLP/HTTP specification asks:
 *
 *   handle ──> headers, inflate, read every span ──refuse──> Status (415, 400, 413, 503)
 *                │                    │ nothing to keep ───> 200
 *                └─> sink.take ~~ another thread ~~> done ─> wake ──> 200 or 503
 *
 * 200 is said only after the append is durable. Every span is read before the append, so what lies in the log reads to
 * its end; bad spans lie there too, and later readers skip them by the same rule. Exporters retry 503 and drop
 * everything else, so a refusal is 503 exactly when the same bytes may be welcome later.
 */
#include "collector/otlp/otlp_internal.h"

#include "collector/os/os.h"

#include <stdio.h>
#include <strings.h>

#define PROTOBUF_TYPE "application/x-protobuf"
#define JSON_TYPE     "application/json"

enum { GRPC_INVALID_ARGUMENT = 3, GRPC_RESOURCE_EXHAUSTED = 8, GRPC_UNIMPLEMENTED = 12, GRPC_UNAVAILABLE = 14 };

/* R(ID, HTTP status, gRPC code, Retry-After seconds or NULL, message) */
#define REFUSALS(R)                                                                                                    \
    R(MEDIA_TYPE, 415, GRPC_UNIMPLEMENTED, NULL, "content-type must be application/x-protobuf")                        \
    R(JSON, 415, GRPC_UNIMPLEMENTED, NULL,                                                                             \
      "OTLP/JSON is not supported: set OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf")                                     \
    R(ENCODING, 415, GRPC_UNIMPLEMENTED, NULL, "content-encoding must be gzip or absent")                              \
    R(GZIP, 400, GRPC_INVALID_ARGUMENT, NULL, "the body is not valid gzip")                                            \
    R(MALFORMED, 400, GRPC_INVALID_ARGUMENT, NULL, "the body is not an ExportTraceServiceRequest")                     \
    R(TOO_LARGE, 413, GRPC_RESOURCE_EXHAUSTED, NULL, "more than 4 MiB after decompression: export smaller batches")    \
    R(BUSY, 503, GRPC_UNAVAILABLE, "1", "too many requests under way")                                                 \
    R(DISK_FULL, 503, GRPC_UNAVAILABLE, "30", "no disk space left for the log")                                        \
    R(IO_ERROR, 503, GRPC_UNAVAILABLE, "5", "the log could not be written")                                            \
    R(STOPPING, 503, GRPC_UNAVAILABLE, "5", "the collector is stopping")
#define REFUSAL_ENUM(id, http, grpc, retry, message) REFUSED_##id,
enum refusal { REFUSED_NOT = -1, REFUSALS(REFUSAL_ENUM) REFUSAL_COUNT };

struct refusal_row {
    int http_status;
    unsigned grpc_code;
    const char *retry_after;
    const char *message;
};

static const struct refusal_row refusal_rows[REFUSAL_COUNT] = {
#define REFUSAL_ROW(id, http, grpc, retry, message) {http, grpc, retry, message},
    REFUSALS(REFUSAL_ROW)};

/* Lives in the exchange's memory. `append` is first: done() finds the rest by it. */
struct otlp_exchange {
    struct append append;
    struct otlp *otlp;
    struct net_exchange *exchange;
    struct otlp_inflated inflated;
    uint64_t accepted, rejected;
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

static void exchange_refuse(struct otlp *otlp, struct net_exchange *exchange, enum refusal why)
{
    const struct refusal_row *row = &refusal_rows[why];
    struct otlp_response response;
    bool json = exchange_has_type(exchange, JSON_TYPE);
    if (json)
        otlp_response_status_json(&response, row->grpc_code, slice_text(row->message));
    else
        otlp_response_status(&response, row->grpc_code, slice_text(row->message));
    struct net_header retry = {"Retry-After", row->retry_after};
    counters_add(otlp->counters, COUNTER_SPANS_REQUESTS_REJECTED, 1);
    net_reply(exchange, &(struct net_answer){.status = row->http_status,
                                             .content_type = json ? JSON_TYPE : PROTOBUF_TYPE,
                                             .body = slice_of(response.bytes, response.size),
                                             .headers = &retry,
                                             .header_count = row->retry_after != NULL ? 1 : 0});
}

/* partial_success is left out when every span was taken: its presence is what tells a client that some were not. */
static void exchange_accept(struct otlp *otlp, struct net_exchange *exchange, uint64_t accepted, uint64_t rejected)
{
    struct otlp_response response = {.size = 0};
    if (rejected > 0) {
        char message[OTLP_MESSAGE_BYTES_MAX];
        int size = snprintf(message, sizeof message,
                            "%llu of %llu spans refused: a trace_id (16 bytes) or span_id (8 bytes) is missing or of "
                            "the wrong size, or a string is not UTF-8",
                            (unsigned long long)rejected, (unsigned long long)(accepted + rejected));
        otlp_response_partial(&response, rejected, slice_of(message, (size_t)size));
    }
    counters_add(otlp->counters, COUNTER_SPANS_ACCEPTED, accepted);
    counters_add(otlp->counters, COUNTER_SPANS_REJECTED, rejected);
    net_reply(exchange, &(struct net_answer){.status = 200,
                                             .content_type = PROTOBUF_TYPE,
                                             .body = slice_of(response.bytes, response.size)});
}

static enum refusal append_refusal(enum append_result result)
{
    switch (result) {
    case APPEND_DURABLE:
        return REFUSED_NOT;
    case APPEND_DISK_FULL:
        return REFUSED_DISK_FULL;
    case APPEND_IO_ERROR:
        return REFUSED_IO_ERROR;
    case APPEND_TOO_LARGE:
        return REFUSED_TOO_LARGE;
    case APPEND_STOPPING:
        return REFUSED_STOPPING;
    }
    return REFUSED_IO_ERROR;
}

/* On the sink's thread: the exchange may be touched only after the wake. */
static void append_done(struct append *append)
{
    struct otlp_exchange *self = (struct otlp_exchange *)append;
    net_exchange_wake(self->exchange);
}

static void exchange_answer(struct net_exchange *exchange, void *context)
{
    struct otlp_exchange *self = context;
    enum refusal why = append_refusal(self->append.result);
    otlp_inflated_release(self->otlp, &self->inflated);
    if (why == REFUSED_NOT)
        exchange_accept(self->otlp, exchange, self->accepted, self->rejected);
    else
        exchange_refuse(self->otlp, exchange, why);
}

static enum refusal exchange_check_headers(struct net_exchange *exchange)
{
    if (exchange_has_type(exchange, JSON_TYPE))
        return REFUSED_JSON;
    if (!exchange_has_type(exchange, PROTOBUF_TYPE))
        return REFUSED_MEDIA_TYPE;
    struct slice encoding = text_trim(net_exchange_header(exchange, "content-encoding"));
    if (encoding.size == 0 || text_is(encoding, "identity") || text_is(encoding, "gzip"))
        return REFUSED_NOT;
    return REFUSED_ENCODING;
}

/* Sets the payload: the body itself, or its inflated copy. An empty body is an empty request whatever its encoding. */
static enum refusal exchange_open_body(struct otlp_exchange *self)
{
    struct slice body = net_exchange_body(self->exchange);
    self->append.payload = body;
    if (body.size > OTLP_REQUEST_BYTES_MAX)
        return REFUSED_TOO_LARGE;
    if (body.size == 0 || !text_is(text_trim(net_exchange_header(self->exchange, "content-encoding")), "gzip"))
        return REFUSED_NOT;
    switch (otlp_inflate(self->otlp, body, &self->inflated)) {
    case OTLP_INFLATE_OK:
        self->append.payload = slice_of(self->inflated.data, self->inflated.size);
        return REFUSED_NOT;
    case OTLP_INFLATE_TOO_LARGE:
        return REFUSED_TOO_LARGE;
    case OTLP_INFLATE_BUSY:
        return REFUSED_BUSY;
    case OTLP_INFLATE_MALFORMED:
        break;
    }
    return REFUSED_GZIP;
}

static enum refusal exchange_read_spans(struct otlp_exchange *self)
{
    struct otlp_reader reader;
    struct otlp_span span;
    otlp_reader_init(&reader, self->append.payload);
    for (;;) {
        switch (otlp_reader_next(&reader, &span)) {
        case OTLP_SPAN:
            self->accepted++;
            continue;
        case OTLP_BAD_SPAN:
            self->rejected++;
            continue;
        case OTLP_MALFORMED:
            return REFUSED_MALFORMED;
        case OTLP_END:
            return REFUSED_NOT;
        }
    }
}

/* An address is kept only as the network it is in: /24 of a v4-mapped one, /48 of IPv6. */
static void peer_truncate(const uint8_t *peer, uint8_t out[16])
{
    static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};
    size_t kept = memcmp(peer, v4_mapped, sizeof v4_mapped) == 0 ? 15 : 6;
    memset(out, 0, 16);
    memcpy(out, peer, kept);
}

static void exchange_append(struct otlp_exchange *self)
{
    const struct os *os = os_posix();
    struct append *append = &self->append;
    append->type = APPEND_SPANS;
    append->received_unix_us = os->unix_us(os->context);
    append->done = append_done;
    peer_truncate(net_exchange_peer(self->exchange), append->peer);
    net_exchange_on_wake(self->exchange, exchange_answer, self);
    self->otlp->sink.take(self->otlp->sink.context, append);
}

void otlp_handle(void *context, struct net_exchange *exchange)
{
    struct otlp *otlp = context;
    counters_add(otlp->counters, COUNTER_SPANS_REQUESTS, 1);
    struct otlp_exchange *self = net_exchange_memory(exchange, sizeof *self);
    if (self == NULL) {
        exchange_refuse(otlp, exchange, REFUSED_BUSY);
        return;
    }
    self->otlp = otlp;
    self->exchange = exchange;
    enum refusal why = exchange_check_headers(exchange);
    if (why == REFUSED_NOT)
        why = exchange_open_body(self);
    if (why == REFUSED_NOT)
        why = exchange_read_spans(self);
    if (why == REFUSED_NOT && self->accepted > 0) {
        exchange_append(self);
        return;
    }
    otlp_inflated_release(otlp, &self->inflated);
    if (why == REFUSED_NOT)
        exchange_accept(otlp, exchange, 0, self->rejected);
    else
        exchange_refuse(otlp, exchange, why);
}
