/*
 * Walks the fields of one protobuf message without a schema: no allocation, no recursion, bounded by the slice.
 * Unknown fields are the caller's to skip. Groups (wire types 3 and 4) are malformed: nobody sends them any more.
 */
#ifndef VITRACE_WIRE_WALK_H
#define VITRACE_WIRE_WALK_H

#include "proto/wire/slice.h"

#define WALK_NUMBER_MAX 0x1fffffffu

enum walk_status {
    WALK_FIELD = 1,      /* *field is set */
    WALK_END = 0,        /* the slice is used up, exactly */
    WALK_INCOMPLETE = -1, /* the slice ends inside a field: a strict prefix of something longer */
    WALK_MALFORMED = -2  /* no continuation can make it valid */
};

enum walk_type {
    WALK_VARINT = 0,
    WALK_FIXED64 = 1,
    WALK_BYTES = 2,
    WALK_FIXED32 = 5
};

struct walk {
    const uint8_t *at;
    const uint8_t *end;
};

struct walk_field {
    uint32_t number;
    enum walk_type type;
    uint64_t number_value; /* varint, fixed64 or fixed32, as sent (no zigzag) */
    struct slice bytes;    /* WALK_BYTES: borrowed from the walked slice */
};

static inline struct walk walk_of(struct slice message)
{
    /* An empty message may have no address, and C defines no arithmetic on that. */
    return (struct walk){message.data, message.size > 0 ? message.data + message.size : message.data};
}

/* What comes of a varint, in two registers: the walk itself is never pointed to, so that it too stays in registers. */
struct walk_number {
    const uint8_t *at; /* behind it; NULL = there is none: incomplete when `value` is 0, else malformed */
    uint64_t value;
};

struct walk_number walk_long_varint(const uint8_t *at, const uint8_t *end);

/*
 * Reads one varint. Returns WALK_FIELD, WALK_INCOMPLETE or WALK_MALFORMED (more than 10 bytes or 64 bits). Nearly all
 * have one byte or two: a beacon has some 150 of them, and each is read at the door and again for the index.
 */
static inline enum walk_status walk_varint(struct walk *self, uint64_t *value)
{
    const uint8_t *at = self->at;
    if (self->end - at >= 2 && at[0] < 0x80) {
        *value = at[0];
        self->at = at + 1;
        return WALK_FIELD;
    }
    if (self->end - at >= 2 && at[1] < 0x80) {
        *value = (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
        self->at = at + 2;
        return WALK_FIELD;
    }
    struct walk_number number = walk_long_varint(at, self->end);
    *value = number.value;
    if (number.at == NULL)
        return number.value == 0 ? WALK_INCOMPLETE : WALK_MALFORMED;
    self->at = number.at;
    return WALK_FIELD;
}

static inline enum walk_status walk_fixed(struct walk *self, size_t size, uint64_t *value)
{
    if ((size_t)(self->end - self->at) < size)
        return WALK_INCOMPLETE;
    *value = 0;
    for (size_t i = 0; i < size; i++)
        *value |= (uint64_t)self->at[i] << (8 * i);
    self->at += size;
    return WALK_FIELD;
}

static inline enum walk_status walk_bytes(struct walk *self, struct slice *bytes)
{
    uint64_t size;
    enum walk_status status = walk_varint(self, &size);
    if (status != WALK_FIELD)
        return status;
    if (size > (uint64_t)(self->end - self->at))
        return size > INT32_MAX ? WALK_MALFORMED : WALK_INCOMPLETE;
    *bytes = slice_of(self->at, (size_t)size);
    self->at += size;
    return WALK_FIELD;
}

static inline enum walk_status walk_next(struct walk *self, struct walk_field *field)
{
    if (self->at == self->end)
        return WALK_END;
    uint64_t tag;
    enum walk_status status = walk_varint(self, &tag);
    if (status != WALK_FIELD)
        return status;
    if (tag >> 3 == 0 || tag >> 3 > WALK_NUMBER_MAX)
        return WALK_MALFORMED;
    field->number = (uint32_t)(tag >> 3);
    field->number_value = 0;
    field->bytes = slice_of(NULL, 0);
    switch (tag & 7) {
    case WALK_VARINT:
        field->type = WALK_VARINT;
        return walk_varint(self, &field->number_value);
    case WALK_FIXED64:
        field->type = WALK_FIXED64;
        return walk_fixed(self, 8, &field->number_value);
    case WALK_BYTES:
        field->type = WALK_BYTES;
        return walk_bytes(self, &field->bytes);
    case WALK_FIXED32:
        field->type = WALK_FIXED32;
        return walk_fixed(self, 4, &field->number_value);
    default:
        return WALK_MALFORMED;
    }
}

static inline int64_t walk_zigzag(uint64_t value)
{
    return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

static inline double walk_double(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

#endif
