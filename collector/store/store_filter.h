/*
 * Private to the store: a Bloom filter in lines of 64 bytes, so that a question costs one cache miss. Sixteen bits and six
 * probes an entry.
 */
#ifndef VITRACE_STORE_FILTER_H
#define VITRACE_STORE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#define STORE_FILTER_LINE        64u
#define STORE_FILTER_LINE_KEYS   32u
#define STORE_FILTER_PROBES      6
#define STORE_FILTER_PROBE_BITS  9 /* of 512 */

static inline uint32_t store_filter_lines(uint32_t entries)
{
    return entries / STORE_FILTER_LINE_KEYS + 1;
}

static inline uint8_t *store_filter_line(uint8_t *filter, uint32_t lines, uint64_t hash)
{
    return filter + STORE_FILTER_LINE * ((hash >> 32) * lines >> 32);
}

/* The upper half of the hash picked the line; the probes come from all of it, stirred once more. */
static inline uint64_t store_filter_probes(uint64_t hash)
{
    hash *= UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static inline void store_filter_add(uint8_t *filter, uint32_t lines, uint64_t hash)
{
    uint8_t *line = store_filter_line(filter, lines, hash);
    uint64_t probes = store_filter_probes(hash);
    for (int i = 0; i < STORE_FILTER_PROBES; i++, probes >>= STORE_FILTER_PROBE_BITS)
        line[probes >> 3 & 63] |= (uint8_t)(1u << (probes & 7));
}

static inline bool store_filter_has(uint8_t *filter, uint32_t lines, uint64_t hash)
{
    const uint8_t *line = store_filter_line(filter, lines, hash);
    uint64_t probes = store_filter_probes(hash);
    for (int i = 0; i < STORE_FILTER_PROBES; i++, probes >>= STORE_FILTER_PROBE_BITS)
        if (!(line[probes >> 3 & 63] >> (probes & 7) & 1))
            return false;
    return true;
}

#endif
