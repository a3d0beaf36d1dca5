#include "wasm/core/text_pool.h"

void text_pool_init(struct text_pool *self)
{
    self->count = self->used = self->last_handle = 0;
}

/* Drops what nobody holds and closes the gaps: entries stand in the order of their texts. */
static void collect(struct text_pool *self, struct text_pool_holder holder)
{
    uint32_t kept = 0;
    self->used = 0;
    for (uint32_t i = 0; i < self->count; i++) {
        struct text_pool_entry entry = self->entries[i];
        if (!holder.holds(holder.self, entry.handle))
            continue;
        memmove(self->bytes + self->used, self->bytes + entry.offset, entry.size);
        entry.offset = self->used;
        self->used += entry.size;
        self->entries[kept++] = entry;
    }
    self->count = kept;
}

static bool has_room(const struct text_pool *self, size_t size)
{
    return self->count < TEXT_POOL_HANDLES && size <= TEXT_POOL_BYTES - self->used;
}

static struct slice entry_text(const struct text_pool *self, const struct text_pool_entry *entry)
{
    return slice_of(self->bytes + entry->offset, entry->size);
}

uint32_t text_pool_add(struct text_pool *self, struct slice text, struct text_pool_holder holder)
{
    if (text.size == 0)
        return 0;
    for (uint32_t i = 0; i < self->count; i++)
        if (slice_equal(entry_text(self, &self->entries[i]), text))
            return self->entries[i].handle;
    if (!has_room(self, text.size))
        collect(self, holder);
    if (!has_room(self, text.size))
        return 0;
    self->entries[self->count++] =
        (struct text_pool_entry){++self->last_handle, (uint16_t)self->used, (uint16_t)text.size};
    memcpy(self->bytes + self->used, text.data, text.size);
    self->used += (uint32_t)text.size;
    return self->last_handle;
}

struct slice text_pool_find(const struct text_pool *self, uint32_t handle)
{
    for (uint32_t i = 0; i < self->count; i++)
        if (self->entries[i].handle == handle)
            return entry_text(self, &self->entries[i]);
    return slice_of(NULL, 0);
}
