/* ExportTraceServiceResponse and google.rpc.Status, written into a fixed buffer: the messages are ours and short. */
#include "collector/otlp/otlp_internal.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { RESPONSE_PARTIAL_SUCCESS = 1, PARTIAL_REJECTED_SPANS = 1, PARTIAL_ERROR_MESSAGE = 2 };
enum { RPC_STATUS_CODE = 1, RPC_STATUS_MESSAGE = 2 };

static void response_put_varint(struct otlp_response *self, uint64_t value)
{
    assert(self->size + 10 <= sizeof self->bytes);
    while (value >= 0x80) {
        self->bytes[self->size++] = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    self->bytes[self->size++] = (uint8_t)value;
}

static void response_put_number(struct otlp_response *self, uint32_t field, uint64_t value)
{
    response_put_varint(self, field << 3 | WALK_VARINT);
    response_put_varint(self, value);
}

static void response_put_bytes(struct otlp_response *self, uint32_t field, struct slice bytes)
{
    response_put_varint(self, field << 3 | WALK_BYTES);
    response_put_varint(self, bytes.size);
    assert(self->size + bytes.size <= sizeof self->bytes);
    if (bytes.size > 0)
        memcpy(self->bytes + self->size, bytes.data, bytes.size);
    self->size += bytes.size;
}

static void response_print(struct otlp_response *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void response_print(struct otlp_response *self, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    int size = vsnprintf((char *)self->bytes, sizeof self->bytes, format, values);
    va_end(values);
    assert(size > 0 && (size_t)size < sizeof self->bytes);
    self->size = (size_t)size;
}

void otlp_response_accept(struct otlp_response *self, enum otlp_format format, uint64_t accepted, uint64_t rejected)
{
    char message[OTLP_MESSAGE_BYTES_MAX];
    struct otlp_response partial = {.size = 0};
    self->size = 0;
    if (rejected == 0) {
        if (format == OTLP_JSON)
            response_print(self, "{}");
        return;
    }
    int size = snprintf(message, sizeof message,
                        "%" PRIu64 " of %" PRIu64 " spans refused: a trace_id (16 bytes) or span_id (8 bytes) is "
                        "missing or of the wrong size, or a string is not UTF-8",
                        rejected, accepted + rejected);
    if (format == OTLP_JSON) {
        response_print(self, "{\"partialSuccess\":{\"rejectedSpans\":\"%" PRIu64 "\",\"errorMessage\":\"%s\"}}",
                       rejected, message); /* 64-bit integers are strings in protobuf's JSON */
        return;
    }
    response_put_number(&partial, PARTIAL_REJECTED_SPANS, rejected);
    response_put_bytes(&partial, PARTIAL_ERROR_MESSAGE, slice_of(message, (size_t)size));
    response_put_bytes(self, RESPONSE_PARTIAL_SUCCESS, slice_of(partial.bytes, partial.size));
}

void otlp_response_refuse(struct otlp_response *self, enum otlp_format format, unsigned grpc_code, struct slice message)
{
    assert(message.size <= OTLP_MESSAGE_BYTES_MAX);
    self->size = 0;
    if (format == OTLP_JSON) {
        response_print(self, "{\"code\":%u,\"message\":\"%.*s\"}", grpc_code, (int)message.size,
                       (const char *)message.data);
        return;
    }
    response_put_number(self, RPC_STATUS_CODE, grpc_code);
    response_put_bytes(self, RPC_STATUS_MESSAGE, message);
}
