/* Waits that differ: clients that failed together do not come back together. Any thread. */
#ifndef VITRACE_BASE_JITTER_H
#define VITRACE_BASE_JITTER_H

#include "collector/base/siphash.h"

#include <stdatomic.h>

struct jitter {
    struct siphash_key key; /* random: nobody knows the next one */
    _Atomic uint64_t count;
};

void jitter_init(struct jitter *self);
/* Evenly in [least, least + spread); spread > 0. */
unsigned jitter_spread(struct jitter *self, unsigned least, unsigned spread);

#endif
