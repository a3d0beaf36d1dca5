#include "collector/base/siphash.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <sys/random.h>

struct siphash_state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t siphash_rotate(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static inline void siphash_round(struct siphash_state *s)
{
    s->v0 += s->v1;
    s->v1 = siphash_rotate(s->v1, 13) ^ s->v0;
    s->v0 = siphash_rotate(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = siphash_rotate(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = siphash_rotate(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = siphash_rotate(s->v1, 17) ^ s->v2;
    s->v2 = siphash_rotate(s->v2, 32);
}

static inline void siphash_take(struct siphash_state *s, uint64_t word)
{
    s->v3 ^= word;
    siphash_round(s);
    siphash_round(s);
    s->v0 ^= word;
}

static inline uint64_t siphash_word(const uint8_t *at)
{
    uint64_t word;
    memcpy(&word, at, sizeof word);
    return le64toh(word);
}

/* By index: an empty slice may have no address to add to. */
static inline uint64_t siphash_rest(struct slice bytes, size_t at)
{
    uint64_t word = (uint64_t)(bytes.size & 0xff) << 56;
    for (size_t i = 0; at + i < bytes.size; i++)
        word |= (uint64_t)bytes.data[at + i] << (8 * i);
    return word;
}

uint64_t siphash(struct siphash_key key, struct slice bytes)
{
    struct siphash_state s = {
        .v0 = key.k0 ^ 0x736f6d6570736575u,
        .v1 = key.k1 ^ 0x646f72616e646f6du,
        .v2 = key.k0 ^ 0x6c7967656e657261u,
        .v3 = key.k1 ^ 0x7465646279746573u,
    };
    size_t at = 0;
    for (; bytes.size - at >= 8; at += 8)
        siphash_take(&s, siphash_word(bytes.data + at));
    siphash_take(&s, siphash_rest(bytes, at));
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        siphash_round(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

struct siphash_key siphash_key_random(void)
{
    struct siphash_key key;
    ssize_t got;
    do
        got = getrandom(&key, sizeof key, 0);
    while (got < 0 && errno == EINTR);
    assert(got == (ssize_t)sizeof key); /* the kernel promises up to 256 bytes whole once it is seeded */
    return key;
}
