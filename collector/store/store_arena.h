/* Private to the store: memory that is given back all at once, when a batch has been written. */
#ifndef VITRACE_STORE_ARENA_H
#define VITRACE_STORE_ARENA_H

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>

struct store_arena_block;

struct store_arena {
    struct store_arena_block *block; /* the newest */
    size_t used;                     /* bytes given out */
};

/* Zeroed and aligned for anything; NULL = out of memory. */
void *store_arena_take(struct store_arena *self, size_t size);
/* Keeps one block for the next batch. */
void store_arena_reset(struct store_arena *self);
void store_arena_release(struct store_arena *self);

#endif
