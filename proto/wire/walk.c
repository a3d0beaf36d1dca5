#include "proto/wire/walk.h"

#define VARINT_BYTES_MAX 10u

static const struct walk_number walk_incomplete = {NULL, 0}, walk_malformed = {NULL, 1};

static struct walk_number walk_varint_by_bytes(const uint8_t *at, const uint8_t *end)
{
    uint64_t result = 0;
    for (unsigned shift = 0; shift < 7 * VARINT_BYTES_MAX; shift += 7) {
        if (at == end)
            return walk_incomplete;
        uint8_t byte = *at++;
        /* The tenth byte holds bit 63 only: anything else would be silently cut. */
        if (shift == 7 * (VARINT_BYTES_MAX - 1) && byte > 1)
            return walk_malformed;
        result |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            return (struct walk_number){at, result};
    }
    return walk_malformed;
}

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ && defined(__GNUC__)
/* Eight groups of seven bits, one a byte, moved together: pairs, then fours, then all. */
static uint64_t walk_join_groups(uint64_t groups)
{
    groups = (groups & 0x007f007f007f007f) | (groups & 0x7f007f007f007f00) >> 1;
    groups = (groups & 0x00003fff00003fff) | (groups & 0x3fff00003fff0000) >> 2;
    return (groups & 0x000000000fffffff) | (groups & 0x0fffffff00000000) >> 4;
}

/* Without a branch on the length, which nobody can foretell: a time has three bytes or four, a wall clock eight. */
struct walk_number walk_long_varint(const uint8_t *at, const uint8_t *end)
{
    uint64_t word;
    if ((size_t)(end - at) < sizeof word)
        return walk_varint_by_bytes(at, end);
    memcpy(&word, at, sizeof word);
    uint64_t ends = ~word & 0x8080808080808080;
    if (ends == 0)
        return walk_varint_by_bytes(at, end);
    uint64_t groups = word & (ends ^ (ends - 1)) & 0x7f7f7f7f7f7f7f7f; /* up to the first byte that ends one */
    return (struct walk_number){at + __builtin_ctzll(ends) / 8 + 1, walk_join_groups(groups)};
}
#else
struct walk_number walk_long_varint(const uint8_t *at, const uint8_t *end)
{
    return walk_varint_by_bytes(at, end);
}
#endif
