/*
 * Writes protobuf fields into memory that the caller owns, byte for byte as nanopb does: varints as short as they can
 * be, and a number or text that is zero or empty left out. The caller keeps the order of the field numbers.
 *
 * There is no "does not fit": a writer is given the schema's own maximum of what is written (vitrace_v1_*_size) and
 * WRITER_SLACK_BYTES.
 */
#ifndef VITRACE_WIRE_WRITER_H
#define VITRACE_WIRE_WRITER_H

#include "proto/wire/slice.h"

/* A varint asks for this much room, however short it is. */
#define WRITER_SLACK_BYTES 10u
/* A submessage that is opened has at most this many bytes: its length takes one byte, patched afterwards. */
#define WRITER_SUBMESSAGE_BYTES_MAX 127u

struct writer {
    uint8_t *at;
    uint8_t *end;
};

static inline struct writer writer_of(uint8_t *out, size_t room)
{
    return (struct writer){out, out + room};
}

/* A signed number as writer_uint wants it for a sint64. */
static inline uint64_t writer_zigzag(int64_t value)
{
    return ((uint64_t)value << 1) ^ (uint64_t)(value >> 63);
}

void writer_uint(struct writer *self, uint32_t field, uint64_t value);
void writer_double(struct writer *self, uint32_t field, double value);
/* An element of a packed field of doubles. */
void writer_packed(struct writer *self, double value);
/* Also when there are none, as nanopb writes ids of a fixed size and submessages. */
void writer_bytes(struct writer *self, uint32_t field, struct slice bytes);
void writer_text(struct writer *self, uint32_t field, struct slice text);
/* Whole fields that were written elsewhere. */
void writer_fields(struct writer *self, struct slice fields);

/* Returns where the length of the submessage belongs, for writer_close. */
uint8_t *writer_open(struct writer *self, uint32_t field);
void writer_close(const struct writer *self, uint8_t *length);

/*
 * A record of a Beacon: tag, length as a varint padded to two bytes, body. Returns its size, or 0 when `room` is too
 * small: then nothing was written.
 */
size_t writer_record(uint8_t *out, size_t room, uint32_t field, struct slice body);

#endif
