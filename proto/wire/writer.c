#include "proto/wire/writer.h"

#include <assert.h>
#include <stddef.h>

/* Two bytes of length, 0x80 | low 7 bits and high 7 bits, bound a body. */
#define LENGTH_BYTES   2u
#define BODY_BYTES_MAX 16383u

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "doubles are written as they lie in memory");

enum wire_type { WIRE_VARINT = 0, WIRE_DOUBLE = 1, WIRE_BYTES = 2 };

static void writer_varint(struct writer *self, uint64_t value)
{
    uint8_t *at = self->at;
    assert(self->end - at >= (ptrdiff_t)WRITER_SLACK_BYTES);
    for (; value > 0x7f; value >>= 7)
        *at++ = (uint8_t)(value | 0x80);
    *at++ = (uint8_t)value;
    self->at = at;
}

void writer_uint(struct writer *self, uint32_t field, uint64_t value)
{
    if (value == 0)
        return;
    writer_varint(self, field << 3 | WIRE_VARINT);
    writer_varint(self, value);
}

void writer_packed(struct writer *self, double value)
{
    assert(self->end - self->at >= (ptrdiff_t)sizeof value);
    memcpy(self->at, &value, sizeof value);
    self->at += sizeof value;
}

void writer_double(struct writer *self, uint32_t field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    if (bits == 0) /* nanopb leaves out +0.0, and writes -0.0 */
        return;
    writer_varint(self, field << 3 | WIRE_DOUBLE);
    writer_packed(self, value);
}

void writer_fields(struct writer *self, struct slice fields)
{
    assert((size_t)(self->end - self->at) >= fields.size);
    if (fields.size > 0)
        memcpy(self->at, fields.data, fields.size);
    self->at += fields.size;
}

void writer_bytes(struct writer *self, uint32_t field, struct slice bytes)
{
    writer_varint(self, field << 3 | WIRE_BYTES);
    writer_varint(self, bytes.size);
    writer_fields(self, bytes);
}

void writer_text(struct writer *self, uint32_t field, struct slice text)
{
    if (text.size > 0)
        writer_bytes(self, field, text);
}

uint8_t *writer_open(struct writer *self, uint32_t field)
{
    writer_bytes(self, field, slice_of(NULL, 0));
    return self->at - 1;
}

void writer_close(const struct writer *self, uint8_t *length)
{
    size_t size = (size_t)(self->at - length) - 1;
    assert(size <= WRITER_SUBMESSAGE_BYTES_MAX);
    *length = (uint8_t)size;
}

size_t writer_record(uint8_t *out, size_t room, uint32_t field, struct slice body)
{
    size_t prefix = (field < 16 ? 1 : 2) + LENGTH_BYTES;
    if (body.size > BODY_BYTES_MAX || room < prefix + body.size)
        return 0;
    uint32_t tag = field << 3 | WIRE_BYTES;
    if (field < 16) {
        *out++ = (uint8_t)tag;
    } else {
        *out++ = (uint8_t)(tag | 0x80);
        *out++ = (uint8_t)(tag >> 7);
    }
    *out++ = (uint8_t)(0x80 | (body.size & 0x7f));
    *out++ = (uint8_t)(body.size >> 7);
    if (body.size > 0)
        memcpy(out, body.data, body.size);
    return prefix + body.size;
}
