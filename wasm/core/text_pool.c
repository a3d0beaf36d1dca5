#include "wasm/core/text_pool.h"

#include "wasm/core/text_hash.h"

void text_pool_init(struct text_pool *self)
{
    memset(self->entries, 0, sizeof self->entries);
    self->used = 0;
}

static struct slice entry_text(const struct text_pool *self, const struct text_pool_entry *entry)
{
    return slice_of(self->bytes + entry->offset, entry->size);
}

static uint32_t find_text(const struct text_pool *self, struct slice text, uint64_t hash)
{
    for (uint32_t i = 0; i < TEXT_POOL_HANDLES; i++)
        if (self->entries[i].hash == hash && slice_equal(entry_text(self, &self->entries[i]), text))
            return i + 1;
    return 0;
}

static uint32_t find_unused(const struct text_pool *self)
{
    for (uint32_t i = 0; i < TEXT_POOL_HANDLES; i++)
        if (self->entries[i].hash == 0)
            return i + 1;
    return 0;
}

/* The used entry with the lowest offset from `from` on, NULL when there is none. */
static struct text_pool_entry *lowest_from(struct text_pool *self, uint32_t from)
{
    struct text_pool_entry *lowest = NULL;
    for (uint32_t i = 0; i < TEXT_POOL_HANDLES; i++) {
        struct text_pool_entry *entry = &self->entries[i];
        if (entry->hash != 0 && entry->offset >= from && (lowest == NULL || entry->offset < lowest->offset))
            lowest = entry;
    }
    return lowest;
}

/* Drops what nobody holds and closes the gaps. Quadratic in the handles, and rare. */
static void collect(struct text_pool *self, struct text_pool_holder holder)
{
    for (uint32_t i = 0; i < TEXT_POOL_HANDLES; i++)
        if (self->entries[i].hash != 0 && !holder.holds(holder.self, i + 1))
            self->entries[i].hash = 0;
    uint32_t from = 0;
    self->used = 0;
    for (struct text_pool_entry *entry = lowest_from(self, 0); entry != NULL; entry = lowest_from(self, from)) {
        from = entry->offset + entry->size; /* texts are never empty, so offsets differ */
        memmove(self->bytes + self->used, self->bytes + entry->offset, entry->size);
        entry->offset = self->used;
        self->used += entry->size;
    }
}

uint32_t text_pool_add(struct text_pool *self, struct slice text, struct text_pool_holder holder)
{
    if (text.size == 0 || text.size > TEXT_POOL_BYTES)
        return 0;
    uint64_t hash = text_hash(text);
    uint32_t handle = find_text(self, text, hash);
    if (handle != 0)
        return handle;
    if (find_unused(self) == 0 || text.size > TEXT_POOL_BYTES - self->used)
        collect(self, holder);
    handle = find_unused(self);
    if (handle == 0 || text.size > TEXT_POOL_BYTES - self->used)
        return 0;
    self->entries[handle - 1] = (struct text_pool_entry){hash, self->used, (uint32_t)text.size};
    memcpy(self->bytes + self->used, text.data, text.size);
    self->used += (uint32_t)text.size;
    return handle;
}

struct slice text_pool_find(const struct text_pool *self, uint32_t handle)
{
    if (handle == 0 || handle > TEXT_POOL_HANDLES || self->entries[handle - 1].hash == 0)
        return slice_of(NULL, 0);
    return entry_text(self, &self->entries[handle - 1]);
}
