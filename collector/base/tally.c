#include "collector/base/tally.h"

#include "collector/base/siphash.h"

#include <pthread.h>
#include <stdlib.h>

#define TALLY_SLOTS 16384u /* never over three quarters full */

/* Counts lie one after the other; a slot holds the number of one, plus 1. */
struct tally_page {
    uint32_t size;
    uint16_t slot[TALLY_SLOTS];
    struct tally_count count[TALLY_IDS_MAX];
};
_Static_assert(TALLY_IDS_MAX <= TALLY_SLOTS / 4 * 3 && TALLY_IDS_MAX < UINT16_MAX, "a free slot is always found");

struct tally {
    pthread_mutex_t lock;
    struct siphash_key key;
    unsigned current; /* the page that is added to; the other is the taker's */
    struct tally_page page[2];
    struct memory *memory;
};

struct tally *tally_new(struct memory *memory)
{
    struct tally *self = memory_new(memory, MEMORY_TABLES, sizeof *self);
    if (self == NULL)
        return NULL;
    self->memory = memory;
    self->key = siphash_key_random();
    pthread_mutex_init(&self->lock, NULL);
    return self;
}

void tally_free(struct tally *self)
{
    if (self == NULL)
        return;
    pthread_mutex_destroy(&self->lock);
    memory_free(self->memory, MEMORY_TABLES, self, sizeof *self);
}

/* The count of the id, begun when it has none; NULL = no room. */
static struct tally_count *tally_find(struct tally *self, const uint8_t id[16])
{
    struct tally_page *page = &self->page[self->current];
    uint32_t at = (uint32_t)siphash(self->key, slice_of(id, 16)) % TALLY_SLOTS;
    for (; page->slot[at] != 0; at = (at + 1) % TALLY_SLOTS)
        if (memcmp(page->count[page->slot[at] - 1].id, id, 16) == 0)
            return &page->count[page->slot[at] - 1];
    if (page->size == TALLY_IDS_MAX)
        return NULL;
    struct tally_count *count = &page->count[page->size++];
    memcpy(count->id, id, sizeof count->id);
    count->count = 0;
    page->slot[at] = (uint16_t)page->size;
    return count;
}

bool tally_add(struct tally *self, const uint8_t id[16], uint32_t count)
{
    pthread_mutex_lock(&self->lock);
    struct tally_count *found = tally_find(self, id);
    if (found != NULL)
        found->count = found->count > UINT32_MAX - count ? UINT32_MAX : found->count + count;
    pthread_mutex_unlock(&self->lock);
    return found != NULL;
}

const struct tally_count *tally_take(struct tally *self, uint32_t *size)
{
    pthread_mutex_lock(&self->lock);
    struct tally_page *taken = &self->page[self->current];
    *size = taken->size;
    if (taken->size > 0) { /* else there is nothing to clear, and the other page was taken already */
        self->current ^= 1;
        struct tally_page *fresh = &self->page[self->current];
        fresh->size = 0;
        memset(fresh->slot, 0, sizeof fresh->slot);
    }
    pthread_mutex_unlock(&self->lock);
    return taken->count;
}
