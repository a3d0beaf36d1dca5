/*
 *   body --> open --> enter ..waits.. turn --> expect --> app --> take --> appends ..the sink's thread.. settle --> answer
 *             |         |                        |         |        |                                     |
 *             400,413   503                      204,409   403,429  400,413                               503: undone
 *
 * A body is one request and its beacons are one result: 204 is said when all of them are durable. Those that were
 * durable although others were not are remembered, and not stored again when the body comes again.
 */
#include "collector/ingest/ingest_internal.h"

#include <assert.h>
#include <stdlib.h>

struct ingest_raw;

struct ingest_raw_beacon {
    struct append append; /* first: done() finds the rest by it */
    struct ingest_raw *raw;
    struct ingest_key key;
};

/* Lives in the exchange's memory, but for its beacons. */
struct ingest_raw {
    struct raw_turn turn; /* first: ready() finds the rest by it */
    struct ingest *ingest;
    struct ingest_visit visit;
    struct raw_body body;
    struct buf derived;
    struct ingest_raw_beacon *beacon;
    uint32_t beacon_count, beacon_room;
    _Atomic uint32_t pending; /* release by each done(), acquire by the last: the results are seen by the wake */
    uint64_t started;
};

static const struct {
    enum counter counter;
    int status;
} raw_refusals[RAW_STATUS_COUNT] = {
    [RAW_TRUNCATED] = {COUNTER_REJECTED_TRUNCATED, 400},
    [RAW_MALFORMED] = {COUNTER_REJECTED_MALFORMED, 400},
    [RAW_TOO_LARGE] = {COUNTER_REJECTED_TOO_LARGE, 413},
    [RAW_BAD_VERSION] = {COUNTER_REJECTED_BAD_VERSION, 400},
    [RAW_NOT_STARTED] = {COUNTER_REJECTED_NOT_STARTED, 400},
    [RAW_UNKNOWN_DOCUMENT] = {COUNTER_REJECTED_UNKNOWN_DOCUMENT, 409},
    [RAW_OUT_OF_ORDER] = {COUNTER_REJECTED_OUT_OF_ORDER, 409},
};

static void ingest_raw_refuse(struct ingest *self, const struct ingest_visit *visit, enum raw_status status)
{
    if (status == RAW_BUSY) {
        ingest_refuse_unavailable(self, visit->exchange, &visit->cors, raw_status_name(status), 1, 5);
        return;
    }
    if (status == RAW_DUPLICATE) {
        counters_add(self->counters, COUNTER_RAW_DUPLICATE, 1);
        ingest_answer_stored(visit->exchange, &visit->cors);
        return;
    }
    ingest_refuse(self, visit, raw_refusals[status].counter, raw_refusals[status].status, raw_status_name(status),
                  raw_status_text(status));
}

/* The turn goes on to the next in line. What is answered is up to the caller. */
static void ingest_raw_release(struct ingest_raw *self, bool keep)
{
    raw_leave(self->ingest->raw, &self->turn, keep);
    memory_free(self->ingest->memory, MEMORY_INFLATED, self->beacon, self->beacon_room * sizeof *self->beacon);
    self->beacon = NULL;
    buf_release(&self->derived);
    inflate_body_release(&self->ingest->bodies, &self->visit.inflated);
}

/* The worst of them: the first that is not durable. */
static enum append_result ingest_raw_result(struct ingest_raw *self)
{
    struct ingest *ingest = self->ingest;
    enum append_result result = APPEND_DURABLE;
    pthread_mutex_lock(&ingest->lock);
    for (uint32_t i = 0; i < self->beacon_count; i++) {
        const struct ingest_raw_beacon *beacon = &self->beacon[i];
        if (beacon->append.result == APPEND_DURABLE)
            ingest_dedup_add(&ingest->dedup, &beacon->key);
        else if (result == APPEND_DURABLE)
            result = beacon->append.result;
    }
    pthread_mutex_unlock(&ingest->lock);
    return result;
}

static void ingest_raw_on_settled(struct net_exchange *exchange, void *context)
{
    struct ingest_raw *self = context;
    struct ingest *ingest = self->ingest;
    enum append_result result = ingest_raw_result(self);
    uint32_t count = self->beacon_count;
    (void)exchange;
    if (result == APPEND_DURABLE) {
        counters_add(ingest->counters, COUNTER_RAW_BODIES, 1);
        counters_add(ingest->counters, COUNTER_RAW_BEACONS, count);
        counters_add(ingest->counters, COUNTER_BEACON_BYTES, self->derived.size - count * sizeof(uint32_t));
    }
    ingest_raw_release(self, result == APPEND_DURABLE);
    ingest_answer_result(ingest, &self->visit, result, COUNTER_BEACONS_ACKED, count, self->started);
}

static void ingest_raw_on_append_done(struct append *append)
{
    struct ingest_raw *self = ((struct ingest_raw_beacon *)append)->raw;
    struct net_exchange *exchange = self->visit.exchange;
    if (atomic_fetch_sub_explicit(&self->pending, 1, memory_order_acq_rel) == 1)
        net_exchange_wake(exchange);
}

/* Each passes the same check as one from the network: the core is trusted with memory, not with what lands on disk. */
static enum beacon_status ingest_raw_list(struct ingest_raw *self)
{
    struct slice rest = buf_slice(&self->derived), bytes;
    for (uint32_t i = 0; raw_derived_next(&rest, &bytes); i++) {
        struct ingest_raw_beacon *beacon = &self->beacon[i];
        struct beacon_summary summary;
        enum beacon_status verdict = beacon_validate(bytes, &summary);
        if (verdict != BEACON_OK)
            return verdict;
        beacon->raw = self;
        beacon->key = ingest_key_of(self->ingest->dedup.secret, summary.header.view_id, summary.header.seq);
        beacon->append.payload = bytes;
        beacon->append.done = ingest_raw_on_append_done;
        ingest_fill_append(&beacon->append, &self->visit);
    }
    return BEACON_OK;
}

static void ingest_raw_drop_stored(struct ingest_raw *self)
{
    struct ingest *ingest = self->ingest;
    uint32_t kept = 0;
    pthread_mutex_lock(&ingest->lock);
    for (uint32_t i = 0; i < self->beacon_count; i++)
        if (!ingest_dedup_has(&ingest->dedup, &self->beacon[i].key))
            self->beacon[kept++] = self->beacon[i];
    pthread_mutex_unlock(&ingest->lock);
    self->beacon_count = kept;
}

/* After the last take() the request may be settled on another thread: nothing of it is touched. */
static void ingest_raw_append(struct ingest_raw *self)
{
    struct append_sink sink = self->ingest->sink;
    struct ingest_raw_beacon *beacon = self->beacon;
    uint32_t count = self->beacon_count;
    atomic_store_explicit(&self->pending, count, memory_order_relaxed);
    net_exchange_on_wake(self->visit.exchange, ingest_raw_on_settled, self);
    for (uint32_t i = 0; i < count; i++)
        sink.take(sink.context, &beacon[i].append);
}

static void ingest_raw_give_up(struct ingest_raw *self, enum raw_status status)
{
    ingest_raw_release(self, false);
    ingest_raw_refuse(self->ingest, &self->visit, status);
}

/* Room for its beacons; one more, so that none is not NULL. */
static bool ingest_raw_reserve(struct ingest_raw *self)
{
    self->beacon_room = self->beacon_count + 1u;
    self->beacon = memory_new(self->ingest->memory, MEMORY_INFLATED, self->beacon_room * sizeof *self->beacon);
    return self->beacon != NULL;
}

static void ingest_raw_store(struct ingest_raw *self)
{
    struct slice rest = buf_slice(&self->derived), bytes;
    while (raw_derived_next(&rest, &bytes))
        self->beacon_count++;
    if (!ingest_raw_reserve(self)) {
        ingest_raw_give_up(self, RAW_BUSY);
        return;
    }
    enum beacon_status verdict = ingest_raw_list(self);
    if (verdict != BEACON_OK) {
        ingest_raw_release(self, false);
        ingest_refuse_beacon(self->ingest, &self->visit, verdict);
        return;
    }
    ingest_raw_drop_stored(self);
    if (self->beacon_count > 0)
        ingest_raw_append(self);
    else
        ingest_raw_on_settled(self->visit.exchange, self);
}

/* With the turn, and the policy lock. */
static void ingest_raw_proceed(struct ingest_raw *self)
{
    struct ingest *ingest = self->ingest;
    enum raw_status status = raw_expect(&self->turn, &self->body);
    if (status != RAW_OK) {
        ingest_raw_give_up(self, status);
        return;
    }
    struct raw_turn turn = self->turn; /* a refusal answers, and with that `self` is gone */
    struct inflate_body inflated = self->visit.inflated;
    if (!ingest_admit_app(ingest, &self->visit, raw_app(&turn, &self->body))) {
        raw_leave(ingest->raw, &turn, false);
        inflate_body_release(&ingest->bodies, &inflated);
        return;
    }
    status = raw_take(ingest->raw, &self->turn, &self->body, &self->derived);
    if (status == RAW_OK)
        ingest_raw_store(self);
    else
        ingest_raw_give_up(self, status);
}

static void ingest_raw_on_turn(struct net_exchange *exchange, void *context)
{
    struct ingest_raw *self = context;
    struct ingest *ingest = self->ingest;
    (void)exchange;
    pthread_rwlock_rdlock(&ingest->policy_lock);
    ingest_raw_proceed(self);
    pthread_rwlock_unlock(&ingest->policy_lock);
}

static void ingest_raw_on_wait(struct raw_turn *turn)
{
    struct ingest_raw *self = (struct ingest_raw *)turn;
    net_exchange_on_wake(self->visit.exchange, ingest_raw_on_turn, self);
}

/* On the thread of whoever left. */
static void ingest_raw_on_ready(struct raw_turn *turn)
{
    net_exchange_wake(((struct ingest_raw *)turn)->visit.exchange);
}

static void ingest_raw_enter(struct ingest_raw *self)
{
    bool waits;
    enum raw_status status = raw_enter(self->ingest->raw, &self->body, &self->turn, &waits);
    if (status != RAW_OK) {
        inflate_body_release(&self->ingest->bodies, &self->visit.inflated);
        ingest_raw_refuse(self->ingest, &self->visit, status);
    } else if (!waits) {
        ingest_raw_proceed(self);
    }
}

void ingest_take_raw(struct ingest *self, struct ingest_visit *visit)
{
    struct raw_body body;
    enum raw_status status = raw_body_open(&body, visit->plain);
    if (status == RAW_OK && ingest_sheds(self, visit, body.view_id, body.seq > 0))
        return;
    struct ingest_raw *raw = status == RAW_OK ? net_exchange_memory(visit->exchange, sizeof *raw) : NULL;
    if (raw == NULL) {
        ingest_raw_refuse(self, visit, status == RAW_OK ? RAW_BUSY : status);
        return;
    }
    raw->turn.wait = ingest_raw_on_wait;
    raw->turn.ready = ingest_raw_on_ready;
    raw->ingest = self;
    raw->visit = *visit;
    raw->visit.is_final = body.is_final;
    raw->body = body;
    raw->started = histogram_start();
    visit->inflated = (struct inflate_body){0};
    ingest_raw_enter(raw);
}
