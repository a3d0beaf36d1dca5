/*
 * Walks the fields of one protobuf message without a schema: no allocation, no recursion, bounded by the slice.
 * Unknown fields are the caller's to skip. Groups (wire types 3 and 4) are malformed: nobody sends them any more.
 */
#ifndef VITRACE_WIRE_WALK_H
#define VITRACE_WIRE_WALK_H

#include "proto/wire/slice.h"

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

enum walk_status walk_next(struct walk *self, struct walk_field *field);

enum walk_status walk_long_varint(struct walk *self, uint64_t *value);

/*
 * Reads one varint. Returns WALK_FIELD, WALK_INCOMPLETE or WALK_MALFORMED (more than 10 bytes or 64 bits). Nearly all
 * have one byte or two: a beacon has some 150 of them, and each is read at the door and again for the index.
 */
static inline enum walk_status walk_varint(struct walk *self, uint64_t *value)
{
    const uint8_t *at = self->at;
    if (self->end - at < 2)
        return walk_long_varint(self, value);
    if (at[0] < 0x80) {
        *value = at[0];
        self->at = at + 1;
        return WALK_FIELD;
    }
    if (at[1] >= 0x80)
        return walk_long_varint(self, value);
    *value = (uint64_t)(at[0] & 0x7f) | (uint64_t)at[1] << 7;
    self->at = at + 2;
    return WALK_FIELD;
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
