#include "collector/base/rejects.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

_Static_assert(sizeof(struct reject) <= 320, "the ring is 20 KiB");

struct rejects {
    _Atomic uint64_t last_us[COUNTER_COUNT]; /* of each reason; relaxed: it only thins out */
    _Atomic uint64_t left_out;
    pthread_mutex_t lock; /* what follows */
    uint64_t added;
    uint64_t number[REJECTS_MAX]; /* 0 = free; the larger the newer */
    struct reject entry[REJECTS_MAX];
};

struct rejects *rejects_new(void)
{
    struct rejects *self = calloc(1, sizeof *self);
    if (self != NULL)
        pthread_mutex_init(&self->lock, NULL);
    return self;
}

void rejects_free(struct rejects *self)
{
    if (self == NULL)
        return;
    pthread_mutex_destroy(&self->lock);
    free(self);
}

uint64_t rejects_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME_COARSE, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Of two that come at once only one changes the time. A clock that was set back makes the difference huge: taken. */
bool rejects_want(struct rejects *self, enum counter counter, uint64_t unix_us)
{
    if (self == NULL)
        return false;
    uint64_t last = atomic_load_explicit(&self->last_us[counter], memory_order_relaxed);
    if (unix_us - last >= REJECTS_INTERVAL_US &&
        atomic_compare_exchange_strong_explicit(&self->last_us[counter], &last, unix_us, memory_order_relaxed,
                                                memory_order_relaxed))
        return true;
    atomic_fetch_add_explicit(&self->left_out, 1, memory_order_relaxed);
    return false;
}

/* A free one, or the reason's own oldest when it has its share, or the oldest of all. */
static size_t rejects_place(const struct rejects *self, enum counter counter)
{
    size_t oldest = 0, own = 0, own_count = 0;
    for (size_t i = 0; i < REJECTS_MAX; i++) {
        if (self->number[i] < self->number[oldest])
            oldest = i; /* a free one is the oldest there is */
        if (self->number[i] == 0 || self->entry[i].cause.counter != counter)
            continue;
        if (own_count++ == 0 || self->number[i] < self->number[own])
            own = i;
    }
    return own_count >= REJECTS_OF_ONE_REASON ? own : oldest;
}

void rejects_add(struct rejects *self, const struct reject *reject)
{
    pthread_mutex_lock(&self->lock);
    size_t place = rejects_place(self, reject->cause.counter);
    self->entry[place] = *reject;
    self->number[place] = ++self->added;
    pthread_mutex_unlock(&self->lock);
}

void rejects_add_connection(struct rejects *self, const struct reject_cause *cause, enum reject_via via,
                            const uint8_t peer[16])
{
    uint64_t now_us = rejects_now();
    if (!rejects_want(self, cause->counter, now_us))
        return;
    struct reject reject = {.cause = *cause, .unix_us = now_us, .via = via};
    reject_set_peer(&reject, peer);
    rejects_add(self, &reject);
}

static size_t rejects_newest_below(const struct rejects *self, uint64_t number)
{
    size_t newest = REJECTS_MAX;
    for (size_t i = 0; i < REJECTS_MAX; i++)
        if (self->number[i] != 0 && self->number[i] < number &&
            (newest == REJECTS_MAX || self->number[i] > self->number[newest]))
            newest = i;
    return newest;
}

size_t rejects_copy(struct rejects *self, struct reject out[REJECTS_MAX], uint64_t *left_out)
{
    size_t count = 0, at;
    *left_out = atomic_load_explicit(&self->left_out, memory_order_relaxed);
    pthread_mutex_lock(&self->lock);
    for (uint64_t number = UINT64_MAX; (at = rejects_newest_below(self, number)) != REJECTS_MAX; number = self->number[at])
        out[count++] = self->entry[at];
    pthread_mutex_unlock(&self->lock);
    return count;
}
