/*
 *   open ──> inflate ──> convert ──> read every span ──refuse──> why
 *                                        │ spans accepted
 *                                        └─> append ~~ the log's thread ~~> done ─> result
 *
 * Every span is read before the append, so what lies in the log reads to its end; bad spans lie there too, and later
 * readers skip them by the same rule.
 */
#include "collector/otlp/otlp_internal.h"

#include "collector/os/os.h"

#define REFUSAL_ROW(id, code, http, grpc, retry, message) {COUNTER_SPANS_##id, code, http, grpc, retry, message},
const struct otlp_refusal_row otlp_refusal_rows[OTLP_REFUSAL_COUNT] = {OTLP_REFUSALS(REFUSAL_ROW)};

static enum otlp_refusal body_refusal(enum inflate_status status, enum otlp_refusal malformed)
{
    switch (status) {
    case INFLATE_OK:
        return OTLP_REFUSED_NOT;
    case INFLATE_MALFORMED:
        return malformed;
    case INFLATE_TOO_LARGE:
        return OTLP_REFUSED_TOO_LARGE;
    case INFLATE_BUSY:
        return OTLP_REFUSED_BUSY;
    }
    return OTLP_REFUSED_BUSY;
}

static enum otlp_refusal request_inflate(struct otlp_request *self, enum otlp_encoding encoding)
{
    enum inflate_status status = INFLATE_OK;
    if (encoding == OTLP_GZIP)
        status = inflate_gzip(&self->otlp->bodies, OTLP_GZIP_LIMITS, self->append.payload, &self->inflated);
    else if (encoding == OTLP_ZSTD)
        status = inflate_zstd(&self->otlp->bodies, OTLP_ZSTD_LIMITS, self->append.payload, &self->inflated);
    if (status == INFLATE_OK && self->inflated.data != NULL)
        self->append.payload = slice_of(self->inflated.data, self->inflated.size);
    return body_refusal(status, OTLP_REFUSED_COMPRESSED);
}

/* The JSON text is not needed beside its protobuf. */
static enum otlp_refusal request_convert(struct otlp_request *self)
{
    enum inflate_status status = otlp_json_convert(&self->otlp->bodies, self->append.payload, &self->converted);
    inflate_body_release(&self->otlp->bodies, &self->inflated);
    if (status == INFLATE_OK)
        self->append.payload = slice_of(self->converted.data, self->converted.size);
    return body_refusal(status, OTLP_REFUSED_JSON);
}

static enum otlp_refusal request_read_spans(struct otlp_request *self)
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
            return OTLP_REFUSED_MALFORMED;
        case OTLP_END:
            return OTLP_REFUSED_NOT;
        }
    }
}

/* An empty body is an empty request whatever its encoding and format. */
enum otlp_refusal otlp_request_open(struct otlp_request *self, struct slice body, enum otlp_encoding encoding,
                                    enum otlp_format format)
{
    self->append.payload = body;
    if (body.size > OTLP_REQUEST_BYTES_MAX)
        return OTLP_REFUSED_TOO_LARGE;
    if (body.size == 0)
        return OTLP_REFUSED_NOT;
    enum otlp_refusal why = request_inflate(self, encoding);
    if (why == OTLP_REFUSED_NOT && format == OTLP_JSON)
        why = request_convert(self);
    return why == OTLP_REFUSED_NOT ? request_read_spans(self) : why;
}

/* An address is kept only as the network it is in: /24 of a v4-mapped one, /48 of IPv6. */
static void peer_truncate(const uint8_t *peer, uint8_t out[16])
{
    static const uint8_t v4_mapped[12] = {[10] = 0xff, [11] = 0xff};
    size_t kept = memcmp(peer, v4_mapped, sizeof v4_mapped) == 0 ? 15 : 6;
    memset(out, 0, 16);
    memcpy(out, peer, kept);
}

void otlp_request_append(struct otlp_request *self, const uint8_t *peer, void (*done)(struct append *append))
{
    const struct os *os = os_posix();
    struct append *append = &self->append;
    append->type = APPEND_SPANS;
    append->received_unix_us = os->unix_us(os->context);
    append->done = done;
    peer_truncate(peer, append->peer);
    self->otlp->sink.take(self->otlp->sink.context, append);
}

enum otlp_refusal otlp_request_result(const struct otlp_request *self)
{
    switch (self->append.result) {
    case APPEND_DURABLE:
        return OTLP_REFUSED_NOT;
    case APPEND_DISK_FULL:
        return OTLP_REFUSED_DISK_FULL;
    case APPEND_IO_ERROR:
        return OTLP_REFUSED_IO_ERROR;
    case APPEND_TOO_LARGE:
        return OTLP_REFUSED_TOO_LARGE;
    case APPEND_STOPPING:
        return OTLP_REFUSED_STOPPING;
    }
    return OTLP_REFUSED_IO_ERROR;
}

void otlp_request_close(struct otlp_request *self, enum otlp_refusal why)
{
    struct counters *counters = self->otlp->counters;
    inflate_body_release(&self->otlp->bodies, &self->inflated);
    inflate_body_release(&self->otlp->bodies, &self->converted);
    if (why != OTLP_REFUSED_NOT) {
        counters_add(counters, otlp_refusal_rows[why].counter, 1);
        return;
    }
    counters_add(counters, COUNTER_SPANS_ACCEPTED, self->accepted);
    counters_add(counters, COUNTER_SPANS_REJECTED, self->rejected);
}
