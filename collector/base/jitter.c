#include "collector/base/jitter.h"

#include <assert.h>

void jitter_init(struct jitter *self)
{
    self->key = siphash_key_random();
    atomic_init(&self->count, 0);
}

unsigned jitter_spread(struct jitter *self, unsigned least, unsigned spread)
{
    assert(spread > 0);
    uint64_t count = atomic_fetch_add_explicit(&self->count, 1, memory_order_relaxed);
    return least + (unsigned)(siphash(self->key, slice_of(&count, sizeof count)) % spread);
}
