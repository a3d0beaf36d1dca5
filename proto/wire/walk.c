#include "proto/wire/walk.h"

#define VARINT_BYTES_MAX 10u
#define FIELD_NUMBER_MAX 0x1fffffffu

enum walk_status walk_long_varint(struct walk *self, uint64_t *value)
{
    const uint8_t *at = self->at;
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 7 * VARINT_BYTES_MAX; shift += 7) {
        if (at == self->end)
            return WALK_INCOMPLETE;
        uint8_t byte = *at++;
        /* The tenth byte holds bit 63 only: anything else would be silently cut. */
        if (shift == 7 * (VARINT_BYTES_MAX - 1) && byte > 1)
            return WALK_MALFORMED;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *value = result;
            self->at = at;
            return WALK_FIELD;
        }
    }
    return WALK_MALFORMED;
}

static enum walk_status walk_fixed(struct walk *self, size_t size, uint64_t *value)
{
    if ((size_t)(self->end - self->at) < size)
        return WALK_INCOMPLETE;
    *value = 0;
    for (size_t i = 0; i < size; i++)
        *value |= (uint64_t)self->at[i] << (8 * i);
    self->at += size;
    return WALK_FIELD;
}

static enum walk_status walk_bytes(struct walk *self, struct slice *bytes)
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

enum walk_status walk_next(struct walk *self, struct walk_field *field)
{
    if (self->at == self->end)
        return WALK_END;
    uint64_t tag;
    enum walk_status status = walk_varint(self, &tag);
    if (status != WALK_FIELD)
        return status;
    if (tag >> 3 == 0 || tag >> 3 > FIELD_NUMBER_MAX)
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
