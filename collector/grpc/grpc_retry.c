/*
 * google.rpc.Status with a RetryInfo, as base64 in the trailer grpc-status-details-bin: the one place where a gRPC client
 * looks for how long to stay away. RESOURCE_EXHAUSTED with it means later, without it never (OTLP, "Failures").
 *
 *   Status     1 code   2 message   3 details: Any { 1 type_url   2 value: RetryInfo { 1 retry_delay: Duration { 1 seconds } } }
 */
#include "collector/grpc/grpc_internal.h"

#include <assert.h>

#define RETRY_TYPE "type.googleapis.com/google.rpc.RetryInfo"

enum { RETRY_TAG_1_NUMBER = 0x08, RETRY_TAG_1_BYTES = 0x0a, RETRY_TAG_2_BYTES = 0x12, RETRY_TAG_3_BYTES = 0x1a };

struct retry_writer {
    uint8_t bytes[GRPC_STATUS_BYTES_MAX];
    size_t size;
};

static void retry_put_byte(struct retry_writer *self, unsigned byte)
{
    assert(self->size < sizeof self->bytes);
    self->bytes[self->size++] = (uint8_t)byte;
}

static void retry_put_number(struct retry_writer *self, unsigned tag, uint64_t value)
{
    retry_put_byte(self, tag);
    for (; value >= 0x80; value >>= 7)
        retry_put_byte(self, (unsigned)(value & 0x7f) | 0x80);
    retry_put_byte(self, (unsigned)value);
}

static void retry_put_bytes(struct retry_writer *self, unsigned tag, struct slice bytes)
{
    retry_put_number(self, tag, bytes.size);
    for (size_t i = 0; i < bytes.size; i++)
        retry_put_byte(self, bytes.data[i]);
}

static struct slice retry_slice(const struct retry_writer *self)
{
    return slice_of(self->bytes, self->size);
}

/* Without padding, as gRPC asks of those who write it. */
static void retry_encode(struct slice bytes, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t bit = 0; bit < bytes.size * 8; bit += 6) {
        unsigned second = bit / 8 + 1 < bytes.size ? bytes.data[bit / 8 + 1] : 0;
        *out++ = digits[((unsigned)bytes.data[bit / 8] << 8 | second) >> (10 - bit % 8) & 63];
    }
    *out = '\0';
}

void grpc_retry_write(enum grpc_status status, const char *text, unsigned retry_s, char out[GRPC_DETAILS_BYTES_MAX])
{
    struct retry_writer delay = {.size = 0}, info = {.size = 0}, any = {.size = 0}, whole = {.size = 0};
    retry_put_number(&delay, RETRY_TAG_1_NUMBER, retry_s);
    retry_put_bytes(&info, RETRY_TAG_1_BYTES, retry_slice(&delay));
    retry_put_bytes(&any, RETRY_TAG_1_BYTES, slice_text(RETRY_TYPE));
    retry_put_bytes(&any, RETRY_TAG_2_BYTES, retry_slice(&info));
    retry_put_number(&whole, RETRY_TAG_1_NUMBER, (uint64_t)status);
    retry_put_bytes(&whole, RETRY_TAG_2_BYTES, slice_text(text));
    retry_put_bytes(&whole, RETRY_TAG_3_BYTES, retry_slice(&any));
    retry_encode(retry_slice(&whole), out);
}
