#include "collector/ingest/ingest_rate.h"

#include "collector/base/siphash.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#define INGEST_RATE_SETS  (INGEST_RATE_SLOTS / INGEST_RATE_WAYS)
#define INGEST_RATE_LOCKS 64u /* a set's lock is shared with 255 others: loops rarely meet, and hold it for 4 compares */

struct ingest_rate_slot {
    uint64_t tag; /* 0 = never used */
    uint64_t full_at_ns;
};
_Static_assert(sizeof(struct ingest_rate_slot) * INGEST_RATE_WAYS == 64, "a set is one cache line");

struct ingest_rate_pace {
    uint64_t interval_ns; /* 0 = no limit */
    uint64_t burst_ns;
};

struct ingest_rate {
    struct ingest_rate_pace ip, app, global;
    struct siphash_key key;
    struct ingest_rate_slot *slot;
    pthread_mutex_t set_lock[INGEST_RATE_LOCKS];
    pthread_mutex_t lock; /* global and apps */
    uint64_t global_full_at_ns;
    uint64_t *app_full_at_ns;
    size_t app_count;
};

static struct ingest_rate_pace ingest_rate_pace_of(struct ingest_rate_limit limit)
{
    assert(limit.per_second <= 1000000000u);
    uint64_t interval = limit.per_second == 0 ? 0 : 1000000000u / limit.per_second;
    return (struct ingest_rate_pace){interval, interval * (limit.burst == 0 ? 1 : limit.burst)};
}

static uint64_t ingest_rate_take(struct ingest_rate_pace pace, uint64_t *full_at_ns, uint64_t now_ns)
{
    uint64_t from = *full_at_ns > now_ns ? *full_at_ns : now_ns;
    uint64_t full_at = from + pace.interval_ns;
    if (full_at - now_ns > pace.burst_ns)
        return full_at - now_ns - pace.burst_ns;
    *full_at_ns = full_at;
    return 0;
}

struct ingest_rate *ingest_rate_new(const struct ingest_rate_limits *limits, size_t app_count)
{
    struct ingest_rate *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->slot = aligned_alloc(64, INGEST_RATE_SLOTS * sizeof *self->slot);
    self->app_full_at_ns = calloc(app_count + 1, sizeof *self->app_full_at_ns);
    if (self->slot == NULL || self->app_full_at_ns == NULL) {
        free(self->slot);
        free(self->app_full_at_ns);
        free(self);
        return NULL;
    }
    memset(self->slot, 0, INGEST_RATE_SLOTS * sizeof *self->slot);
    self->key = siphash_key_random();
    self->ip = ingest_rate_pace_of(limits->ip);
    self->app = ingest_rate_pace_of(limits->app);
    self->global = ingest_rate_pace_of(limits->global);
    self->app_count = app_count;
    pthread_mutex_init(&self->lock, NULL);
    for (unsigned i = 0; i < INGEST_RATE_LOCKS; i++)
        pthread_mutex_init(&self->set_lock[i], NULL);
    return self;
}

void ingest_rate_free(struct ingest_rate *self)
{
    if (self == NULL)
        return;
    for (unsigned i = 0; i < INGEST_RATE_LOCKS; i++)
        pthread_mutex_destroy(&self->set_lock[i]);
    pthread_mutex_destroy(&self->lock);
    free(self->app_full_at_ns);
    free(self->slot);
    free(self);
}

static uint64_t ingest_rate_tag(const struct ingest_rate *self, const uint8_t address[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool is_v4 = memcmp(address, mapped, sizeof mapped) == 0;
    uint64_t tag = siphash(self->key, slice_of(address, is_v4 ? 16 : 8));
    return tag == 0 ? 1 : tag;
}

/* Under the set's lock. */
static struct ingest_rate_slot *ingest_rate_find(struct ingest_rate_slot *set, uint64_t tag)
{
    struct ingest_rate_slot *quietest = set;
    for (unsigned i = 0; i < INGEST_RATE_WAYS; i++) {
        if (set[i].tag == tag)
            return &set[i];
        if (set[i].full_at_ns < quietest->full_at_ns)
            quietest = &set[i];
    }
    quietest->tag = tag;
    return quietest;
}

uint64_t ingest_rate_take_ip(struct ingest_rate *self, const uint8_t address[16], uint64_t now_ns)
{
    static const uint8_t nobody[16] = {0};
    if (self->ip.interval_ns == 0 || memcmp(address, nobody, sizeof nobody) == 0)
        return 0;
    uint64_t tag = ingest_rate_tag(self, address);
    uint32_t set = (uint32_t)(tag % INGEST_RATE_SETS);
    pthread_mutex_t *lock = &self->set_lock[set % INGEST_RATE_LOCKS];
    pthread_mutex_lock(lock);
    struct ingest_rate_slot *slot = ingest_rate_find(&self->slot[(size_t)set * INGEST_RATE_WAYS], tag);
    uint64_t wait_ns = ingest_rate_take(self->ip, &slot->full_at_ns, now_ns);
    pthread_mutex_unlock(lock);
    return wait_ns;
}

static uint64_t ingest_rate_take_shared(struct ingest_rate *self, struct ingest_rate_pace pace, uint64_t *full_at_ns,
                                        uint64_t now_ns)
{
    if (pace.interval_ns == 0)
        return 0;
    pthread_mutex_lock(&self->lock);
    uint64_t wait_ns = ingest_rate_take(pace, full_at_ns, now_ns);
    pthread_mutex_unlock(&self->lock);
    return wait_ns;
}

uint64_t ingest_rate_take_global(struct ingest_rate *self, uint64_t now_ns)
{
    return ingest_rate_take_shared(self, self->global, &self->global_full_at_ns, now_ns);
}

uint64_t ingest_rate_take_app(struct ingest_rate *self, size_t app, uint64_t now_ns)
{
    assert(app < self->app_count);
    return ingest_rate_take_shared(self, self->app, &self->app_full_at_ns[app], now_ns);
}
