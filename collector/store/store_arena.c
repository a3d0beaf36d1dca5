#include "collector/store/store_arena.h"

#include <stdlib.h>
#include <string.h>

#define STORE_ARENA_BLOCK ((size_t)256 << 10)

struct store_arena_block {
    struct store_arena_block *older;
    size_t used, room;
    alignas(max_align_t) uint8_t bytes[];
};

static struct store_arena_block *store_arena_grow(struct store_arena *self, size_t size)
{
    size_t room = size > STORE_ARENA_BLOCK ? size : STORE_ARENA_BLOCK;
    struct store_arena_block *block = malloc(sizeof *block + room);
    if (!block)
        return NULL;
    *block = (struct store_arena_block){.older = self->block, .room = room};
    self->block = block;
    return block;
}

void *store_arena_take(struct store_arena *self, size_t size)
{
    size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
    struct store_arena_block *block = self->block;
    if (!block || block->room - block->used < size)
        block = store_arena_grow(self, size);
    if (!block)
        return NULL;
    void *out = block->bytes + block->used;
    block->used += size;
    self->used += size;
    return memset(out, 0, size);
}

void store_arena_reset(struct store_arena *self)
{
    while (self->block && (self->block->older || self->block->room > STORE_ARENA_BLOCK)) {
        struct store_arena_block *older = self->block->older;
        free(self->block);
        self->block = older;
    }
    if (self->block)
        self->block->used = 0;
    self->used = 0;
}

void store_arena_release(struct store_arena *self)
{
    while (self->block) {
        struct store_arena_block *older = self->block->older;
        free(self->block);
        self->block = older;
    }
    self->used = 0;
}
