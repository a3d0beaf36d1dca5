#include "collector/net/net_internal.h"

#include <stdlib.h>

struct net_peers *net_peers_new(void)
{
    struct net_peers *self = calloc(1, sizeof *self);
    if (self != NULL)
        self->key = siphash_key_random();
    return self;
}

_Atomic uint16_t *net_peers_take(struct net_peers *self, const uint8_t peer[16], unsigned max)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    size_t size = memcmp(peer, mapped, sizeof mapped) == 0 ? 16 : 8; /* an IPv6 client has its whole /64 */
    _Atomic uint16_t *count = &self->count[siphash(self->key, slice_of(peer, size)) % NET_PEERS_COUNTS];
    /* Relaxed: the number is all that is shared. It stays below max + loops, far from where 16 bits wrap. */
    if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < max)
        return count;
    net_peers_give(count);
    return NULL;
}

void net_peers_give(_Atomic uint16_t *count)
{
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
}
