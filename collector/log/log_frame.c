#include "collector/log/log_internal.h"
#include "proto/wire/crc32c.h"

#include <assert.h>
#include <endian.h>

/*
 *   0  u32 header_crc      crc32c of bytes 4..47, seeded with the salt of the segment
 *   4  u32 payload_crc     crc32c of payload and padding
 *   8  u32 distance       12  u32 batch      16  u32 payload_bytes
 *  20  u8 type            21  u8 version     22  u16 zero
 *  24  u64 received_unix_us                  32  u8[16] peer
 */
enum {
    FRAME_HEADER_CRC = 0,
    FRAME_PAYLOAD_CRC = 4,
    FRAME_DISTANCE = 8,
    FRAME_BATCH = 12,
    FRAME_PAYLOAD_BYTES = 16,
    FRAME_TYPE = 20,
    FRAME_VERSION = 21,
    FRAME_ZERO = 22,
    FRAME_RECEIVED = 24,
    FRAME_PEER = 32
};

static_assert(FRAME_PEER + 16 == LOG_FRAME_HEADER_BYTES, "frame layout");
static_assert(LOG_RECORD_BYTES_MAX % LOG_FRAME_ALIGN == 0, "the largest frame has no padding");

static void frame_put32(uint8_t *out, uint32_t value)
{
    value = htole32(value);
    memcpy(out, &value, sizeof value);
}

static uint32_t frame_get32(const uint8_t *in)
{
    uint32_t value;
    memcpy(&value, in, sizeof value);
    return le32toh(value);
}

uint32_t log_frame_payload_crc(struct slice payload)
{
    static const uint8_t zeros[LOG_FRAME_ALIGN];
    size_t padding = (size_t)(log_frame_bytes(payload.size) - LOG_FRAME_HEADER_BYTES) - payload.size;
    return crc32c(crc32c(0, payload), slice_of(zeros, padding));
}

uint32_t log_frame_distance(const uint8_t *in)
{
    return frame_get32(in + FRAME_DISTANCE);
}

void log_frame_encode(const struct log_frame *self, uint32_t salt, uint8_t *out)
{
    uint64_t received = htole64(self->received_unix_us);
    frame_put32(out + FRAME_PAYLOAD_CRC, self->payload_crc);
    frame_put32(out + FRAME_DISTANCE, self->distance);
    frame_put32(out + FRAME_BATCH, self->batch);
    frame_put32(out + FRAME_PAYLOAD_BYTES, self->payload_bytes);
    out[FRAME_TYPE] = self->type;
    out[FRAME_VERSION] = LOG_FRAME_VERSION;
    out[FRAME_ZERO] = out[FRAME_ZERO + 1] = 0;
    memcpy(out + FRAME_RECEIVED, &received, sizeof received);
    memcpy(out + FRAME_PEER, self->peer, sizeof self->peer);
    frame_put32(out + FRAME_HEADER_CRC, crc32c(salt, slice_of(out + 4, LOG_FRAME_HEADER_BYTES - 4)));
}

bool log_frame_decode(struct log_frame *self, uint32_t salt, const uint8_t *in)
{
    if (frame_get32(in + FRAME_HEADER_CRC) != crc32c(salt, slice_of(in + 4, LOG_FRAME_HEADER_BYTES - 4)))
        return false;
    uint64_t received;
    memcpy(&received, in + FRAME_RECEIVED, sizeof received);
    self->payload_crc = frame_get32(in + FRAME_PAYLOAD_CRC);
    self->distance = frame_get32(in + FRAME_DISTANCE);
    self->batch = frame_get32(in + FRAME_BATCH);
    self->payload_bytes = frame_get32(in + FRAME_PAYLOAD_BYTES);
    self->type = in[FRAME_TYPE];
    self->received_unix_us = le64toh(received);
    memcpy(self->peer, in + FRAME_PEER, sizeof self->peer);
    return self->payload_bytes <= LOG_RECORD_BYTES_MAX && self->batch <= self->distance &&
           in[FRAME_VERSION] == LOG_FRAME_VERSION && in[FRAME_ZERO] == 0 && in[FRAME_ZERO + 1] == 0 &&
           (self->type == APPEND_BEACON || self->type == APPEND_SPANS);
}
