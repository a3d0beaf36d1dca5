/*
 * Strings that outlive a batch: the targets, URLs and event names that a vital may still report. A handle is what
 * vitals.h carries; 0 = no text. Equal texts share a handle. A text is dropped only when the pool is full and the
 * vitals no longer hold its handle; with nothing to drop, the new text is left out (the vital keeps its numbers).
 */
#ifndef VITRACE_TEXT_POOL_H
#define VITRACE_TEXT_POOL_H

#include "proto/wire/slice.h"

/* A busy page's interactions share a few dozen targets and names, and its long frames a few dozen scripts; the vitals hold
 * two of each of 172 events and four of each of 160 scripts at most. */
#define TEXT_POOL_HANDLES 256u
#define TEXT_POOL_BYTES   20480u
/* web-vitals cuts selectors at 100 characters; an LCP URL has its own maximum in scrub.h. */
#define TEXT_POOL_TARGET_BYTES_MAX 256u
#define TEXT_POOL_NAME_BYTES_MAX   64u
/* Function and invoker of a script. */
#define TEXT_POOL_SOURCE_BYTES_MAX 128u

_Static_assert(TEXT_POOL_BYTES <= UINT16_MAX, "offsets and sizes");

struct text_pool_entry {
    uint32_t handle;
    uint16_t offset, size;
};

struct text_pool {
    uint32_t count, used;                              /* entries, and bytes of their texts */
    uint32_t last_handle;                              /* serial, from 1: a handle is never given out twice */
    struct text_pool_entry entries[TEXT_POOL_HANDLES]; /* oldest first; their texts stand in the same order */
    uint8_t bytes[TEXT_POOL_BYTES];
};

/* Who can still name a handle. */
struct text_pool_holder {
    bool (*holds)(const void *self, uint32_t handle);
    const void *self;
};

void text_pool_init(struct text_pool *self);
uint32_t text_pool_add(struct text_pool *self, struct slice text, struct text_pool_holder holder);
struct slice text_pool_find(const struct text_pool *self, uint32_t handle);

#endif
