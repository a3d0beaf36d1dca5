/*
 * A stack that producers push with one compare-and-swap and the writer empties with one exchange, then turns round:
 * order within a producer is kept, nobody waits for anybody. Only the producer that finds the stack empty takes the
 * lock, so that is one lock for each time the writer runs dry, not one an append.
 *
 * No ABA: a push only needs `head` to be the present head, whatever happened to it in between, and pops take all.
 * The release of a push pairs with the acquire of the exchange: the writer sees the append as the producer filled it.
 */
#include "collector/log/log_internal.h"

int log_queue_init(struct log_queue *self)
{
    atomic_init(&self->head, NULL);
    self->stopping = false;
    pthread_condattr_t attributes;
    int failure = pthread_condattr_init(&attributes);
    if (failure != 0)
        return failure;
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC); /* a clock that is set must not stop the sweeps */
    failure = pthread_cond_init(&self->filled, &attributes);
    pthread_condattr_destroy(&attributes);
    return failure != 0 ? failure : pthread_mutex_init(&self->lock, NULL);
}

void log_queue_release(struct log_queue *self)
{
    pthread_cond_destroy(&self->filled);
    pthread_mutex_destroy(&self->lock);
}

bool log_queue_push(struct log_queue *self, struct append *append)
{
    struct append *head = atomic_load_explicit(&self->head, memory_order_relaxed);
    do {
        if (head == &self->closed)
            return false;
        append->next = head;
    } while (
        !atomic_compare_exchange_weak_explicit(&self->head, &head, append, memory_order_release, memory_order_relaxed));
    if (head == NULL) {
        /* The lock orders this signal after the writer's check of head: either it saw the append or it hears this. */
        pthread_mutex_lock(&self->lock);
        pthread_cond_signal(&self->filled);
        pthread_mutex_unlock(&self->lock);
    }
    return true;
}

static struct append *queue_turn_round(struct append *newest)
{
    struct append *oldest = NULL;
    while (newest != NULL) {
        struct append *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    return oldest;
}

static bool queue_is_empty(struct log_queue *self)
{
    struct append *head = atomic_load_explicit(&self->head, memory_order_relaxed);
    return head == NULL || head == &self->closed;
}

struct append *log_queue_take(struct log_queue *self)
{
    /* Only the consumer closes, so the mark cannot appear between this check and the exchange. */
    if (queue_is_empty(self))
        return NULL;
    return queue_turn_round(atomic_exchange_explicit(&self->head, NULL, memory_order_acquire));
}

bool log_queue_wait(struct log_queue *self, unsigned timeout_ms)
{
    struct timespec deadline = log_deadline_in(timeout_ms);
    int timed_out = 0;
    pthread_mutex_lock(&self->lock);
    while (queue_is_empty(self) && !self->stopping && timed_out == 0)
        timed_out = pthread_cond_timedwait(&self->filled, &self->lock, &deadline);
    bool more = !queue_is_empty(self) || !self->stopping;
    pthread_mutex_unlock(&self->lock);
    return more;
}

void log_queue_stop(struct log_queue *self)
{
    pthread_mutex_lock(&self->lock);
    self->stopping = true;
    pthread_cond_signal(&self->filled);
    pthread_mutex_unlock(&self->lock);
}

struct append *log_queue_close(struct log_queue *self)
{
    return queue_turn_round(atomic_exchange_explicit(&self->head, &self->closed, memory_order_acquire));
}
