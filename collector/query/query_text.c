#include "collector/query/query_text.h"

#include <stdlib.h>

#define QUERY_TEXT_BLOCK_BYTES 65536u

struct query_text_block {
    struct query_text_block *next;
    size_t used, room;
    uint8_t data[];
};

static struct query_text_block *query_text_grow(struct query_text *self, size_t size)
{
    size_t room = size > QUERY_TEXT_BLOCK_BYTES ? size : QUERY_TEXT_BLOCK_BYTES;
    if (room > QUERY_TEXT_BYTES_MAX - self->bytes)
        return NULL;
    struct query_text_block *block = malloc(sizeof *block + room);
    if (!block)
        return NULL;
    *block = (struct query_text_block){.next = self->newest, .room = room};
    self->newest = block;
    self->bytes += room;
    return block;
}

struct slice query_text_add(struct query_text *self, struct slice text)
{
    struct query_text_block *block = self->newest;
    if (text.size == 0)
        return slice_of(NULL, 0);
    if (!block || block->room - block->used < text.size)
        block = query_text_grow(self, text.size);
    if (!block)
        return slice_of(NULL, 0);
    uint8_t *copy = block->data + block->used;
    memcpy(copy, text.data, text.size);
    block->used += text.size;
    return slice_of(copy, text.size);
}

void query_text_release(struct query_text *self)
{
    for (struct query_text_block *block = self->newest, *next; block; block = next) {
        next = block->next;
        free(block);
    }
    *self = (struct query_text){0};
}
