/* ExportTraceServiceResponse and google.rpc.Status, written into a fixed buffer: the messages are ours and short. */
#include "collector/otlp/otlp_internal.h"

#include <assert.h>
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

void otlp_response_partial(struct otlp_response *self, uint64_t rejected_spans, struct slice message)
{
    assert(rejected_spans > 0 && message.size <= OTLP_MESSAGE_BYTES_MAX);
    struct otlp_response partial = {.size = 0};
    response_put_number(&partial, PARTIAL_REJECTED_SPANS, rejected_spans);
    response_put_bytes(&partial, PARTIAL_ERROR_MESSAGE, message);
    self->size = 0;
    response_put_bytes(self, RESPONSE_PARTIAL_SUCCESS, slice_of(partial.bytes, partial.size));
}

void otlp_response_status(struct otlp_response *self, unsigned grpc_code, struct slice message)
{
    assert(message.size <= OTLP_MESSAGE_BYTES_MAX);
    self->size = 0;
    response_put_number(self, RPC_STATUS_CODE, grpc_code);
    response_put_bytes(self, RPC_STATUS_MESSAGE, message);
}

void otlp_response_status_json(struct otlp_response *self, unsigned grpc_code, struct slice message)
{
    assert(message.size <= OTLP_MESSAGE_BYTES_MAX);
    int size = snprintf((char *)self->bytes, sizeof self->bytes, "{\"code\":%u,\"message\":\"%.*s\"}", grpc_code,
                        (int)message.size, (const char *)message.data);
    assert(size > 0 && (size_t)size < sizeof self->bytes);
    self->size = (size_t)size;
}
