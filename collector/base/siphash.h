/* SipHash-2-4 (Aumasson, Bernstein): a keyed hash, so that nobody outside can aim at one slot of a table. */
#ifndef VITRACE_BASE_SIPHASH_H
#define VITRACE_BASE_SIPHASH_H

#include "proto/wire/slice.h"

struct siphash_key {
    uint64_t k0, k1;
};

/* From the kernel's random source. */
struct siphash_key siphash_key_random(void);
uint64_t siphash(struct siphash_key key, struct slice bytes);

#endif
