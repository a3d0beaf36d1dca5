#include "wasm/core/text_hash.h"

/* Eight bytes a step: xor, multiply by an odd constant, fold the high half down. 64-bit multiplies are native in Wasm;
 * 128-bit products, which the usual fast hashes need, are not. */
#define MULTIPLIER 0x9fb21c651e98df25u

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * MULTIPLIER;
    return hash ^ (hash >> 32);
}

uint64_t text_hash(struct slice text)
{
    uint64_t hash = mix(0x2545f4914f6cdd1d, text.size);
    const uint8_t *at = text.data;
    size_t left = text.size;
    for (; left >= 8; at += 8, left -= 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        hash = mix(hash, word);
    }
    uint64_t tail = 0;
    for (size_t i = 0; i < left; i++)
        tail |= (uint64_t)at[i] << (8 * i);
    hash = mix(hash, tail);
    return hash != 0 ? hash : 1;
}
