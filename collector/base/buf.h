/* An owning, growing byte buffer with a mandatory maximum. Growth failure and the maximum fail alike; `starved` tells. */
#ifndef VITRACE_BASE_BUF_H
#define VITRACE_BASE_BUF_H

#include "collector/base/memory.h"
#include "proto/wire/slice.h"

struct buf {
    uint8_t *data;
    size_t size, room, room_max;
    bool failed;  /* sticky: an append did not fit; the content is then incomplete */
    bool starved; /* failed for want of memory: it may work later, what is over the maximum never will */
    struct memory *memory; /* borrowed; pays for `room`. NULL = not accounted */
    enum memory_use use;
};

void buf_init(struct buf *self, size_t bytes_max);
/* The same, paid for out of a budget: a growth that it refuses is one that fails. */
void buf_init_accounted(struct buf *self, size_t bytes_max, struct memory *memory, enum memory_use use);
void buf_release(struct buf *self);
void buf_clear(struct buf *self); /* keeps the memory */
bool buf_add(struct buf *self, struct slice bytes);
bool buf_add_text(struct buf *self, const char *text);
bool buf_add_format(struct buf *self, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Room for `size` more bytes to be written by the caller, who then adds to ->size. NULL = does not fit. */
uint8_t *buf_reserve(struct buf *self, size_t size);
static inline struct slice buf_slice(const struct buf *self)
{
    return slice_of(self->data, self->size);
}

#endif
