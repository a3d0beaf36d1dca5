#include "collector/auth/auth_attempts.h"

#define ATTEMPTS_MINUTE_NS UINT64_C(60000000000)

void auth_attempts_init(struct auth_attempts *self)
{
    *self = (struct auth_attempts){.key = siphash_key_random()};
}

void auth_attempts_set(struct auth_attempts *self, uint32_t per_minute, uint32_t burst)
{
    self->interval_ns = per_minute == 0 ? 0 : ATTEMPTS_MINUTE_NS / per_minute;
    self->burst_ns = self->interval_ns * (burst == 0 ? 1 : burst);
}

/* The whole IPv4 address, or the /64 of an IPv6 one: a household has 2^64 addresses of the latter. */
static uint64_t attempts_tag(const struct auth_attempts *self, const uint8_t address[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool is_v4 = memcmp(address, mapped, sizeof mapped) == 0;
    uint64_t tag = siphash(self->key, slice_of(address, is_v4 ? 16 : 8));
    return tag == 0 ? 1 : tag;
}

uint64_t auth_attempts_wait(const struct auth_attempts *self, const uint8_t address[16], uint64_t now_ns)
{
    uint64_t tag = attempts_tag(self, address);
    const struct auth_attempts_slot *set = self->slot[tag % AUTH_ATTEMPTS_SETS];
    for (unsigned i = 0; self->interval_ns > 0 && i < AUTH_ATTEMPTS_WAYS; i++) {
        uint64_t used_ns = set[i].full_at_ns > now_ns ? set[i].full_at_ns - now_ns : 0;
        if (set[i].tag == tag)
            return used_ns + self->interval_ns > self->burst_ns ? used_ns + self->interval_ns - self->burst_ns : 0;
    }
    return 0;
}

void auth_attempts_fail(struct auth_attempts *self, const uint8_t address[16], uint64_t now_ns)
{
    uint64_t tag = attempts_tag(self, address);
    struct auth_attempts_slot *set = self->slot[tag % AUTH_ATTEMPTS_SETS], *slot = set;
    for (unsigned i = 0; i < AUTH_ATTEMPTS_WAYS; i++) {
        if (set[i].tag == tag) {
            slot = &set[i];
            break;
        }
        if (set[i].full_at_ns < slot->full_at_ns)
            slot = &set[i];
    }
    uint64_t from = slot->full_at_ns > now_ns ? slot->full_at_ns : now_ns;
    uint64_t most = now_ns + self->burst_ns; /* newcomers that inherit a slot would otherwise move it on without end */
    *slot = (struct auth_attempts_slot){tag, from + self->interval_ns < most ? from + self->interval_ns : most};
}
