#include "collector/otlp/otlp_internal.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

static void body_give_back(struct otlp *otlp, size_t bytes)
{
    atomic_fetch_sub_explicit(&otlp->body_bytes, bytes, memory_order_relaxed);
}

bool otlp_body_reserve(struct otlp *otlp, struct otlp_body *self, size_t room)
{
    assert(self->data == NULL && room > 0);
    uint64_t before = atomic_fetch_add_explicit(&otlp->body_bytes, room, memory_order_relaxed);
    uint8_t *data = before + room <= OTLP_BODY_BYTES_TOTAL_MAX ? malloc(room) : NULL;
    if (data == NULL) {
        body_give_back(otlp, room);
        return false;
    }
    *self = (struct otlp_body){.data = data, .room = room};
    return true;
}

/* A failed shrink keeps the large block: correct, only wasteful. An empty one keeps one byte, so data stays valid. */
void otlp_body_shrink(struct otlp *otlp, struct otlp_body *self)
{
    size_t room = self->size > 0 ? self->size : 1;
    uint8_t *data = realloc(self->data, room);
    if (data == NULL)
        return;
    body_give_back(otlp, self->room - room);
    self->data = data;
    self->room = room;
}

void otlp_body_release(struct otlp *otlp, struct otlp_body *self)
{
    body_give_back(otlp, self->room);
    free(self->data);
    *self = (struct otlp_body){0};
}
