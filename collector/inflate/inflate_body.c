#include "collector/inflate/inflate.h"

#include <assert.h>
#include <stdlib.h>

static void body_give_back(struct inflate_budget *budget, size_t bytes)
{
    atomic_fetch_sub_explicit(&budget->bytes, bytes, memory_order_relaxed);
    memory_give(budget->memory, MEMORY_INFLATED, bytes);
}

bool inflate_body_reserve(struct inflate_budget *budget, struct inflate_body *self, size_t room)
{
    assert(self->data == NULL && room > 0);
    if (!memory_take(budget->memory, MEMORY_INFLATED, room))
        return false;
    uint64_t before = atomic_fetch_add_explicit(&budget->bytes, room, memory_order_relaxed);
    uint8_t *data = before + room <= budget->bytes_max ? malloc(room) : NULL;
    if (data == NULL) {
        body_give_back(budget, room);
        return false;
    }
    *self = (struct inflate_body){.data = data, .room = room};
    return true;
}

/* A failed shrink keeps the large block: correct, only wasteful. An empty one keeps one byte, so data stays valid. */
void inflate_body_shrink(struct inflate_budget *budget, struct inflate_body *self)
{
    size_t room = self->size > 0 ? self->size : 1;
    uint8_t *data = realloc(self->data, room);
    if (data == NULL)
        return;
    body_give_back(budget, self->room - room);
    self->data = data;
    self->room = room;
}

void inflate_body_release(struct inflate_budget *budget, struct inflate_body *self)
{
    body_give_back(budget, self->room);
    free(self->data);
    *self = (struct inflate_body){0};
}
