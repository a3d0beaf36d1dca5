#include "collector/base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define BUF_BYTES_FIRST 256u

void buf_init(struct buf *self, size_t bytes_max)
{
    *self = (struct buf){.room_max = bytes_max};
}

void buf_init_accounted(struct buf *self, size_t bytes_max, struct memory *memory, enum memory_use use)
{
    *self = (struct buf){.room_max = bytes_max, .memory = memory, .use = use};
}

void buf_release(struct buf *self)
{
    free(self->data);
    memory_give(self->memory, self->use, self->room);
    *self = (struct buf){.room_max = self->room_max, .memory = self->memory, .use = self->use};
}

void buf_clear(struct buf *self)
{
    self->size = 0;
    self->failed = self->starved = false;
}

/* Doubles, so that n one-byte adds cost O(n); the last step is cut to the maximum. */
static size_t buf_room_for(const struct buf *self, size_t needed)
{
    size_t room = self->room == 0 ? BUF_BYTES_FIRST : self->room;
    while (room < needed)
        room = room > self->room_max / 2 ? self->room_max : room * 2;
    return room < self->room_max ? room : self->room_max;
}

/* While both exist the old block and the new one cost their sum; realloc mostly moves pages or grows in place. */
static bool buf_grow(struct buf *self, size_t room)
{
    size_t more = room - self->room;
    if (!memory_take(self->memory, self->use, more))
        return false;
    uint8_t *data = realloc(self->data, room);
    if (data == NULL) {
        memory_give(self->memory, self->use, more);
        return false;
    }
    self->data = data;
    self->room = room;
    return true;
}

uint8_t *buf_reserve(struct buf *self, size_t size)
{
    assert(self->size <= self->room_max);
    if (self->failed || size > self->room_max - self->size) {
        self->failed = true;
        return NULL;
    }
    size_t needed = self->size + size;
    if (needed > self->room || self->data == NULL) {
        size_t room = buf_room_for(self, needed);
        if (!buf_grow(self, room > 0 ? room : 1)) {
            self->failed = self->starved = true;
            return NULL;
        }
    }
    return self->data + self->size;
}

bool buf_add(struct buf *self, struct slice bytes)
{
    uint8_t *at = buf_reserve(self, bytes.size);
    if (at == NULL)
        return false;
    if (bytes.size > 0)
        memcpy(at, bytes.data, bytes.size);
    self->size += bytes.size;
    return true;
}

bool buf_add_text(struct buf *self, const char *text)
{
    return buf_add(self, slice_text(text));
}

bool buf_add_format(struct buf *self, const char *format, ...)
{
    char small[256]; /* nearly every line; longer ones are formatted a second time */
    va_list arguments;
    va_start(arguments, format);
    int size = vsnprintf(small, sizeof small, format, arguments);
    va_end(arguments);
    assert(size >= 0);
    if ((size_t)size < sizeof small)
        return buf_add(self, slice_of(small, (size_t)size));

    bool fits = !self->failed && (size_t)size <= self->room_max - self->size;
    char *text = fits ? malloc((size_t)size + 1) : NULL;
    if (text == NULL) {
        self->failed = true;
        self->starved = self->starved || fits;
        return false;
    }
    va_start(arguments, format);
    vsnprintf(text, (size_t)size + 1, format, arguments);
    va_end(arguments);
    bool added = buf_add(self, slice_of(text, (size_t)size));
    free(text);
    return added;
}
