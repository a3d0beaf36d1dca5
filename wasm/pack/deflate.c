#include "wasm/pack/deflate.h"

#include <assert.h>

#define MATCH_MIN      4u /* 3 is the format's, and what four bytes find pays */
#define MATCH_MAX      257u /* 258 has a code of its own, which breaks the rule of the others */
#define LENGTH_MIN     3u
#define END_OF_BLOCK   256u
#define LAST_FIXED     3u /* the header of a block that is the last, and has the fixed codes */
#define ADLER_MODULUS  65521u
#define ADLER_RUN      5552u /* bytes until the sums could overflow 32 bits */
#define SYMBOL_BYTES   8u /* a length, a distance, and their extra bits: 8 + 5 + 5 + 13 bits, and what waits: 7 */
#define TRAILER_BYTES  8u /* the end of the block, and the checksum */

struct bits {
    uint8_t *at;
    uint32_t waiting, count; /* fewer than 8 between two calls */
};

static void put(struct bits *self, uint32_t value, uint32_t count)
{
    self->waiting |= value << self->count;
    self->count += count;
    for (; self->count >= 8; self->count -= 8, self->waiting >>= 8)
        *self->at++ = (uint8_t)self->waiting;
}

/* Codes stand with their first bit first, numbers with their lowest. */
static void put_code(struct bits *self, uint32_t code, uint32_t count)
{
    code = (code & 0x5555u) << 1 | (code >> 1 & 0x5555u);
    code = (code & 0x3333u) << 2 | (code >> 2 & 0x3333u);
    code = (code & 0x0f0fu) << 4 | (code >> 4 & 0x0f0fu);
    code = (code & 0x00ffu) << 8 | (code >> 8 & 0x00ffu);
    put(self, code >> (16 - count), count);
}

static void put_symbol(struct bits *self, uint32_t symbol)
{
    if (symbol < 144)
        put_code(self, 0x30 + symbol, 8);
    else if (symbol < 256)
        put_code(self, 0x190 + symbol - 144, 9);
    else if (symbol < 280)
        put_code(self, symbol - 256, 7);
    else
        put_code(self, 0xc0 + symbol - 280, 8);
}

/* Lengths and distances are symbols by their highest bits, `kept` behind the leading one, and the other bits as they are. */
struct number {
    uint32_t symbol, extra, count;
};

static struct number number_of(uint32_t value, uint32_t kept)
{
    if (value < 2u << kept)
        return (struct number){value, 0, 0};
    uint32_t count = 31 - (uint32_t)__builtin_clz(value) - kept;
    uint32_t top = value >> count; /* the leading one and the bits kept */
    return (struct number){(count << kept) + top, value & ((1u << count) - 1), count};
}

static void put_match(struct bits *self, uint32_t length, uint32_t distance)
{
    struct number n = number_of(length - LENGTH_MIN, 2);
    put_symbol(self, END_OF_BLOCK + 1 + n.symbol);
    put(self, n.extra, n.count);
    n = number_of(distance - 1, 1);
    put_code(self, n.symbol, 5);
    put(self, n.extra, n.count);
}

static uint32_t load(const uint8_t *at)
{
    uint32_t word;
    memcpy(&word, at, sizeof word);
    return word;
}

/* Length of the match at `at`, 0 = none; remembers the place for later ones. */
static uint32_t find(struct slice in, uint32_t at, uint16_t *slots, uint32_t *from)
{
    if (at + MATCH_MIN > in.size)
        return 0;
    uint32_t word = load(in.data + at);
    uint16_t *slot = &slots[(word * 2654435761u) >> 20];
    uint32_t seen = *slot;
    *slot = (uint16_t)(at + 1);
    *from = seen - 1;
    if (seen == 0 || load(in.data + *from) != word)
        return 0;
    uint32_t length = MATCH_MIN;
    while (length < MATCH_MAX && at + length < in.size && in.data[*from + length] == in.data[at + length])
        length++;
    return length;
}

static uint32_t adler_of(struct slice in)
{
    uint32_t low = 1, high = 0;
    for (size_t i = 0; i < in.size;) {
        size_t end = in.size - i < ADLER_RUN ? in.size : i + ADLER_RUN;
        for (; i < end; i++)
            high += low += in.data[i];
        low %= ADLER_MODULUS;
        high %= ADLER_MODULUS;
    }
    return high << 16 | low;
}

_Static_assert(DEFLATE_SLOTS == 1u << (32 - 20), "the hash is the upper bits of the product");
_Static_assert(DEFLATE_BYTES_MAX < UINT16_MAX, "a slot holds a position plus one");

size_t deflate_pack(struct slice in, uint16_t slots[DEFLATE_SLOTS], uint8_t *out, size_t room)
{
    const uint8_t *end = out + room;
    uint32_t from = 0, checksum = adler_of(in);
    assert(in.size <= DEFLATE_BYTES_MAX);
    if (room < 2 + SYMBOL_BYTES + TRAILER_BYTES)
        return 0;
    memset(slots, 0, DEFLATE_SLOTS * sizeof *slots);
    out[0] = 0x78; /* deflate, window of 32 KiB */
    out[1] = 0x01;
    struct bits bits = {out + 2, 0, 0};
    put(&bits, LAST_FIXED, 3);
    for (uint32_t at = 0; at < in.size;) {
        if ((size_t)(end - bits.at) < SYMBOL_BYTES + TRAILER_BYTES)
            return 0;
        uint32_t length = find(in, at, slots, &from);
        if (length == 0)
            put_symbol(&bits, in.data[at++]);
        else
            put_match(&bits, length, at - from);
        at += length;
    }
    put_symbol(&bits, END_OF_BLOCK);
    put(&bits, 0, 7); /* up to a whole byte */
    for (int shift = 24; shift >= 0; shift -= 8)
        *bits.at++ = (uint8_t)(checksum >> shift);
    return (size_t)(bits.at - out);
}
