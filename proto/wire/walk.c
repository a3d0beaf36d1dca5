#include "proto/wire/walk.h"

#define VARINT_BYTES_MAX 10u

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
