/*
 *   store --> first copy?  --no, stored----> 204
 *                 |        --no, in flight-> waits ............+
 *                 yes -> sink.take                             :
 *                          done() on the sink's thread         :
 *                            '-> wake -> settle: dedup, answer, wakes the waiters
 */
#include "collector/ingest/ingest_internal.h"

#include <assert.h>
#include <time.h>

/* Lives in the exchange's memory. `append` comes first: done() gets back from it to the request. */
struct ingest_request {
    struct append append;
    struct ingest_flight_request flight;
    struct ingest *ingest;
    struct ingest_visit visit;
};

void ingest_answer_result(struct ingest *self, const struct ingest_visit *visit, enum append_result result,
                          enum counter counter, uint64_t count, uint64_t started)
{
    switch (result) {
    case APPEND_DURABLE:
        counters_add(self->counters, counter, count);
        histogram_stop(&self->counters->ingest_seconds, started);
        ingest_shed_note_wait(&self->shed, histogram_start() - started);
        ingest_answer_stored(visit->exchange, &visit->cors);
        return;
    case APPEND_DISK_FULL: /* space comes back by a person or by retention: not within seconds */
        ingest_refuse_unavailable(self, visit->exchange, &visit->cors, "disk_full", 10, 30);
        return;
    case APPEND_IO_ERROR:
        ingest_refuse_unavailable(self, visit->exchange, &visit->cors, "io_error", 1, 5);
        return;
    case APPEND_STOPPING:
        ingest_refuse_unavailable(self, visit->exchange, &visit->cors, "stopping", 1, 5);
        return;
    case APPEND_TOO_LARGE: /* cannot be: a valid beacon is far below it; told as any other refusal all the same */
        ingest_refuse(self, visit, COUNTER_REJECTED_TOO_LARGE, 413, "too_large",
                      "The log takes no record of this size.");
        return;
    }
    assert(!"every append_result is answered");
}

/* In the statement of its view, which the index keeps. */
static void ingest_tell_duplicate(struct ingest *self, const struct ingest_key *key)
{
    if (self->duplicates != NULL && !tally_add(self->duplicates, key->bytes, 1))
        counters_add(self->counters, COUNTER_DUPLICATES_UNTOLD, 1);
}

/* The exchange and all its memory may be gone once it is answered, so the body goes first. */
static void ingest_answer(struct ingest_request *request, enum append_result result, enum counter counter)
{
    struct ingest *self = request->ingest;
    inflate_body_release(&self->bodies, &request->visit.inflated);
    ingest_answer_result(self, &request->visit, result, counter, 1, request->visit.now_ns / 1000u);
}

static void ingest_on_first_settled(struct net_exchange *exchange, void *context)
{
    struct ingest_request *request = context;
    struct ingest *self = request->ingest;
    enum append_result result = request->append.result;
    (void)exchange;
    pthread_mutex_lock(&self->lock);
    struct ingest_flight_request *waiter = ingest_flight_take(&self->flight, &request->flight);
    if (result == APPEND_DURABLE)
        ingest_dedup_add(&self->dedup, &request->flight.key);
    pthread_mutex_unlock(&self->lock);
    while (waiter != NULL) {
        struct ingest_request *other =
            (struct ingest_request *)(void *)((char *)waiter - offsetof(struct ingest_request, flight));
        waiter = waiter->next; /* read before the wake: its exchange may be gone right after */
        other->append.result = result;
        net_exchange_wake(other->visit.exchange);
    }
    if (result == APPEND_DURABLE)
        counters_add(self->counters, COUNTER_BEACON_BYTES, request->append.payload.size);
    ingest_answer(request, result, COUNTER_BEACONS_ACKED);
}

static void ingest_on_waiter_settled(struct net_exchange *exchange, void *context)
{
    struct ingest_request *request = context;
    (void)exchange;
    if (request->append.result == APPEND_DURABLE)
        ingest_tell_duplicate(request->ingest, &request->flight.key);
    ingest_answer(request, request->append.result, COUNTER_BEACONS_DUPLICATE);
}

/* On the sink's thread. */
static void ingest_on_append_done(struct append *append)
{
    net_exchange_wake(((struct ingest_request *)append)->visit.exchange);
}

/* The first 24 bits of an IPv4 address, 48 of an IPv6 one: no whole address is ever written. */
static void ingest_truncate_peer(const uint8_t peer[16], uint8_t out[16])
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    bool is_v4 = memcmp(peer, mapped, sizeof mapped) == 0;
    memset(out, 0, 16);
    memcpy(out, peer, is_v4 ? 15 : 6);
}

static uint64_t ingest_unix_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000000u + (uint64_t)now.tv_nsec / 1000u;
}

void ingest_fill_append(struct append *append, const struct ingest_visit *visit)
{
    append->type = APPEND_BEACON;
    append->is_final = visit->is_final;
    append->received_unix_us = ingest_unix_us();
    ingest_truncate_peer(visit->client, append->peer);
}

enum ingest_place { INGEST_FIRST, INGEST_WAITS, INGEST_STORED };

/*
 * on_wake is set under the lock: once a request waits, another thread may wake it. A snapshot is no part of the view's
 * sequence: each one is stored, as the newest tells most.
 */
static enum ingest_place ingest_find_place(struct ingest *self, struct ingest_request *request, bool is_snapshot)
{
    enum ingest_place place = INGEST_STORED;
    pthread_mutex_lock(&self->lock);
    if (is_snapshot || !ingest_dedup_has(&self->dedup, &request->flight.key)) {
        place = ingest_flight_add(&self->flight, &request->flight) ? INGEST_FIRST : INGEST_WAITS;
        net_exchange_on_wake(request->visit.exchange,
                             place == INGEST_FIRST ? ingest_on_first_settled : ingest_on_waiter_settled, request);
    }
    pthread_mutex_unlock(&self->lock);
    return place;
}

void ingest_store(struct ingest *self, struct ingest_visit *visit, const struct ingest_key *key, bool is_snapshot)
{
    struct ingest_request *request = net_exchange_memory(visit->exchange, sizeof *request);
    if (request == NULL) {
        ingest_refuse_unavailable(self, visit->exchange, &visit->cors, "memory", 1, 5);
        return;
    }
    request->ingest = self;
    request->visit = *visit;
    visit->inflated = (struct inflate_body){0};
    request->flight.key = *key;
    request->append.payload = visit->plain;
    request->append.done = ingest_on_append_done;
    ingest_fill_append(&request->append, visit);
    switch (ingest_find_place(self, request, is_snapshot)) {
    case INGEST_FIRST:
        self->sink.take(self->sink.context, &request->append);
        return;
    case INGEST_WAITS:
        return;
    case INGEST_STORED:
        ingest_tell_duplicate(self, &request->flight.key);
        counters_add(self->counters, COUNTER_BEACONS_DUPLICATE, 1);
        inflate_body_release(&self->bodies, &request->visit.inflated);
        ingest_answer_stored(visit->exchange, &visit->cors);
        return;
    }
}
