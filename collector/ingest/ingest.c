/*
 * The handler. It runs on the net's loop threads, several at once; the tables below `lock` are all that they share.
 *
 *   handle --guards--> first copy?  --no, stored----> 204
 *                          |        --no, in flight-> waits ............+
 *                          yes -> sink.take                             :
 *                                   done() on the sink's thread         :
 *                                     '-> wake -> settle: dedup, answer, wakes the waiters
 */
#include "collector/ingest/ingest.h"

#include "collector/base/diag.h"
#include "collector/ingest/ingest_answer.h"
#include "collector/ingest/ingest_apps.h"
#include "collector/ingest/ingest_client.h"
#include "collector/ingest/ingest_dedup.h"
#include "collector/ingest/ingest_flight.h"
#include "proto/wire/beacon_decode.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#define INGEST_RETRY_SECONDS_MAX 60u

/* What the operator decides, and may decide anew while requests come in. */
struct ingest_policy {
    struct ingest_apps apps;
    struct ingest_rate *rate;
    unsigned trusted_proxies;
};

struct ingest {
    pthread_rwlock_t policy_lock; /* read for as long as one request is judged; a writer goes before new readers */
    struct ingest_policy policy;
    struct append_sink sink;
    struct counters *counters;
    struct siphash_key jitter_key;
    _Atomic uint64_t jitter_count;
    pthread_mutex_t lock; /* dedup and flight */
    struct ingest_dedup dedup;
    struct ingest_flight flight;
};

/* Lives in the exchange's memory. `append` comes first: done() gets back from it to the request. */
struct ingest_request {
    struct append append;
    struct ingest_flight_request flight;
    struct ingest *ingest;
    struct net_exchange *exchange;
    struct ingest_cors cors;
    uint64_t started; /* histogram_start() */
};

/* A request on its way through the guards; on the handler's stack. */
struct ingest_visit {
    struct net_exchange *exchange;
    struct slice origin;
    struct ingest_cors cors;
    uint8_t client[16];
    bool is_final; /* the page is gone: the beacon is not sent again */
};

/* Which counter and status answer each verdict of beacon_validate(). */
struct ingest_verdict {
    enum counter counter;
    int status;
};

static const struct ingest_verdict ingest_verdicts[BEACON_STATUS_COUNT] = {
    [BEACON_EMPTY] = {COUNTER_REJECTED_EMPTY, 400},
    [BEACON_TOO_LARGE] = {COUNTER_REJECTED_TOO_LARGE, 413},
    [BEACON_TRUNCATED] = {COUNTER_REJECTED_TRUNCATED, 400},
    [BEACON_MALFORMED] = {COUNTER_REJECTED_MALFORMED, 400},
    [BEACON_NO_HEADER] = {COUNTER_REJECTED_NO_HEADER, 400},
    [BEACON_BAD_VERSION] = {COUNTER_REJECTED_BAD_VERSION, 400},
    [BEACON_BAD_HEADER] = {COUNTER_REJECTED_BAD_HEADER, 400},
    [BEACON_BAD_REFERENCE] = {COUNTER_REJECTED_BAD_REFERENCE, 400},
    [BEACON_BAD_STRING] = {COUNTER_REJECTED_BAD_STRING, 400},
    [BEACON_OUT_OF_RANGE] = {COUNTER_REJECTED_OUT_OF_RANGE, 400},
};

static void ingest_policy_release(struct ingest_policy *self)
{
    ingest_rate_free(self->rate);
    ingest_apps_release(&self->apps);
    self->rate = NULL;
}

static bool ingest_policy_init(struct ingest_policy *self, const struct ingest_options *options)
{
    *self = (struct ingest_policy){.trusted_proxies = options->trusted_proxies};
    if (!ingest_apps_init(&self->apps, options->apps, options->app_count))
        return false;
    self->rate = ingest_rate_new(&options->limits, options->app_count);
    if (self->rate == NULL) {
        ingest_policy_release(self);
        return false;
    }
    if (options->app_count == 0)
        diag(DIAG_INFO, "any_app", "no apps are configured: beacons of any app, from any origin, are taken");
    return true;
}

/* Loops read one after the other without a gap: without a preference a writer would wait for ever. */
static void ingest_init_policy_lock(pthread_rwlock_t *lock)
{
    pthread_rwlockattr_t attributes;
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

struct ingest *ingest_new(const struct ingest_options *options)
{
    struct ingest *self = calloc(1, sizeof *self);
    if (self == NULL || !ingest_policy_init(&self->policy, options)) {
        free(self);
        return NULL;
    }
    if (!ingest_dedup_init(&self->dedup, INGEST_DEDUP_SLOTS)) {
        ingest_policy_release(&self->policy);
        free(self);
        return NULL;
    }
    self->sink = options->sink;
    self->counters = options->counters;
    self->jitter_key = siphash_key_random();
    ingest_flight_init(&self->flight);
    pthread_mutex_init(&self->lock, NULL);
    ingest_init_policy_lock(&self->policy_lock);
    return self;
}

void ingest_free(struct ingest *self)
{
    if (self == NULL)
        return;
    assert(self->flight.count == 0);
    pthread_rwlock_destroy(&self->policy_lock);
    pthread_mutex_destroy(&self->lock);
    ingest_dedup_release(&self->dedup);
    ingest_policy_release(&self->policy);
    free(self);
}

bool ingest_set_policy(struct ingest *self, const struct ingest_options *options)
{
    struct ingest_policy fresh, old;
    if (!ingest_policy_init(&fresh, options))
        return false;
    pthread_rwlock_wrlock(&self->policy_lock);
    old = self->policy;
    self->policy = fresh;
    pthread_rwlock_unlock(&self->policy_lock);
    ingest_policy_release(&old); /* no request that was judged by it is being judged any more */
    return true;
}

void ingest_remember(struct ingest *self, const uint8_t view_id[16], uint32_t seq)
{
    struct ingest_key key = ingest_key_of(view_id, seq);
    pthread_mutex_lock(&self->lock);
    ingest_dedup_add(&self->dedup, &key);
    pthread_mutex_unlock(&self->lock);
}

/* Spread over [least, least + spread): clients that failed together do not come back together. */
static unsigned ingest_jitter(struct ingest *self, unsigned least, unsigned spread)
{
    uint64_t count = atomic_fetch_add_explicit(&self->jitter_count, 1, memory_order_relaxed);
    return least + (unsigned)(siphash(self->jitter_key, slice_of(&count, sizeof count)) % spread);
}

static void ingest_answer_unavailable(struct ingest_request *request, const char *code, unsigned least_s,
                                      unsigned spread_s)
{
    struct ingest *self = request->ingest;
    counters_add(self->counters, COUNTER_REJECTED_UNAVAILABLE, 1);
    ingest_answer_retry(request->exchange, &request->cors, 503, code, ingest_jitter(self, least_s, spread_s));
}

/* `counter`: what a durable result is for this request, the first copy or a duplicate of it. */
static void ingest_answer_result(struct ingest_request *request, enum append_result result, enum counter counter)
{
    switch (result) {
    case APPEND_DURABLE:
        counters_add(request->ingest->counters, counter, 1);
        histogram_stop(&request->ingest->counters->ingest_seconds, request->started);
        ingest_answer_stored(request->exchange, &request->cors);
        return;
    case APPEND_DISK_FULL: /* space comes back by a person or by retention: not within seconds */
        ingest_answer_unavailable(request, "disk_full", 10, 30);
        return;
    case APPEND_IO_ERROR:
        ingest_answer_unavailable(request, "io_error", 1, 5);
        return;
    case APPEND_STOPPING:
        ingest_answer_unavailable(request, "stopping", 1, 5);
        return;
    case APPEND_TOO_LARGE: /* cannot be: a valid beacon is far below it; told as any other refusal all the same */
        counters_add(request->ingest->counters, COUNTER_REJECTED_TOO_LARGE, 1);
        ingest_answer_error(request->exchange, &request->cors, 413, "too_large",
                            "The log takes no record of this size.");
        return;
    }
    assert(!"every append_result is answered");
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
        net_exchange_wake(other->exchange);
    }
    if (result == APPEND_DURABLE)
        counters_add(self->counters, COUNTER_BEACON_BYTES, request->append.payload.size);
    ingest_answer_result(request, result, COUNTER_BEACONS_ACKED);
}

static void ingest_on_waiter_settled(struct net_exchange *exchange, void *context)
{
    struct ingest_request *request = context;
    (void)exchange;
    ingest_answer_result(request, request->append.result, COUNTER_BEACONS_DUPLICATE);
}

/* On the sink's thread. */
static void ingest_on_append_done(struct append *append)
{
    net_exchange_wake(((struct ingest_request *)append)->exchange);
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

static void ingest_fill_append(struct ingest_request *request, const uint8_t client[16])
{
    request->append.type = APPEND_BEACON;
    request->append.payload = net_exchange_body(request->exchange);
    request->append.received_unix_us = ingest_unix_us();
    request->append.done = ingest_on_append_done;
    ingest_truncate_peer(client, request->append.peer);
}

enum ingest_place { INGEST_FIRST, INGEST_WAITS, INGEST_STORED };

/* on_wake is set under the lock: once a request waits, another thread may wake it. */
static enum ingest_place ingest_find_place(struct ingest *self, struct ingest_request *request)
{
    enum ingest_place place = INGEST_STORED;
    request->started = histogram_start();
    pthread_mutex_lock(&self->lock);
    if (!ingest_dedup_has(&self->dedup, &request->flight.key)) {
        place = ingest_flight_add(&self->flight, &request->flight) ? INGEST_FIRST : INGEST_WAITS;
        net_exchange_on_wake(request->exchange,
                             place == INGEST_FIRST ? ingest_on_first_settled : ingest_on_waiter_settled, request);
    }
    pthread_mutex_unlock(&self->lock);
    return place;
}

static void ingest_store(struct ingest *self, const struct ingest_visit *visit, const vitrace_v1_Header *header)
{
    struct ingest_request *request = net_exchange_memory(visit->exchange, sizeof *request);
    if (request == NULL) {
        counters_add(self->counters, COUNTER_REJECTED_UNAVAILABLE, 1);
        ingest_answer_retry(visit->exchange, &visit->cors, 503, "memory", ingest_jitter(self, 1, 5));
        return;
    }
    request->ingest = self;
    request->exchange = visit->exchange;
    request->cors = visit->cors;
    request->flight.key = ingest_key_of(header->view_id, header->seq);
    ingest_fill_append(request, visit->client);
    request->append.is_final = visit->is_final;
    switch (ingest_find_place(self, request)) {
    case INGEST_FIRST:
        self->sink.take(self->sink.context, &request->append);
        return;
    case INGEST_WAITS:
        return;
    case INGEST_STORED:
        counters_add(self->counters, COUNTER_BEACONS_DUPLICATE, 1);
        ingest_answer_stored(visit->exchange, &visit->cors);
        return;
    }
}

/* What browsers send without a preflight, and what other senders mean. No type at all: sendBeacon of a buffer. */
static bool ingest_media_type_is_known(struct slice type)
{
    static const char *const known[] = {"text/plain", "application/x-protobuf", "application/octet-stream"};
    const uint8_t *semicolon = type.size > 0 ? memchr(type.data, ';', type.size) : NULL;
    size_t size = semicolon == NULL ? type.size : (size_t)(semicolon - type.data);
    while (size > 0 && (type.data[size - 1] == ' ' || type.data[size - 1] == '\t'))
        size--;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (size == strlen(known[i]) && strncasecmp((const char *)type.data, known[i], size) == 0)
            return true;
    return size == 0;
}

static void ingest_refuse(struct ingest *self, const struct ingest_visit *visit, enum counter counter, int status,
                          const char *code, const char *message)
{
    counters_add(self->counters, counter, 1);
    ingest_answer_error(visit->exchange, &visit->cors, status, code, message);
}

static uint64_t ingest_monotonic_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Not before a bucket admits one again; up to as long again later, so that the refused do not return as one. */
static void ingest_refuse_rate(struct ingest *self, const struct ingest_visit *visit, enum counter counter,
                               const char *code, uint64_t wait_ns)
{
    uint64_t least = wait_ns / 1000000000u + 1;
    unsigned least_s = least > INGEST_RETRY_SECONDS_MAX ? INGEST_RETRY_SECONDS_MAX : (unsigned)least;
    counters_add(self->counters, counter, 1);
    ingest_answer_retry(visit->exchange, &visit->cors, 429, code, ingest_jitter(self, least_s, least_s + 1));
}

/* false = refused and answered. The address first: a flood from one uses up nothing that others share. */
static bool ingest_admit(struct ingest *self, const struct ingest_visit *visit)
{
    uint64_t now_ns = ingest_monotonic_ns();
    uint64_t wait_ns = ingest_rate_take_ip(self->policy.rate, visit->client, now_ns);
    if (wait_ns > 0) {
        ingest_refuse_rate(self, visit, COUNTER_RATE_IP, "rate_ip", wait_ns);
        return false;
    }
    wait_ns = ingest_rate_take_global(self->policy.rate, now_ns);
    if (wait_ns > 0)
        ingest_refuse_rate(self, visit, COUNTER_RATE_GLOBAL, "rate_global", wait_ns);
    return wait_ns == 0;
}

/* An app that is not configured has no bucket of its own: its name is the client's choice. */
static bool ingest_admit_app(struct ingest *self, const struct ingest_visit *visit, size_t app)
{
    uint64_t wait_ns = app == SIZE_MAX ? 0 : ingest_rate_take_app(self->policy.rate, app, ingest_monotonic_ns());
    if (wait_ns > 0)
        ingest_refuse_rate(self, visit, COUNTER_RATE_APP, "rate_app", wait_ns);
    return wait_ns == 0;
}

static enum ingest_apps_answer ingest_check_app(struct ingest *self, const struct ingest_visit *visit, const char *app,
                                                size_t *index)
{
    char key[INGEST_KEY_BYTES_MAX + 1];
    int key_size = net_query_find(net_exchange_query(visit->exchange), "k", key, sizeof key);
    const struct ingest_claim claim = {slice_text(app), visit->origin, slice_of(key, key_size > 0 ? (size_t)key_size : 0)};
    return ingest_apps_check(&self->policy.apps, &claim, index);
}

static void ingest_take_valid(struct ingest *self, struct ingest_visit *visit, const vitrace_v1_Header *header)
{
    size_t app = SIZE_MAX;
    switch (ingest_check_app(self, visit, header->app, &app)) {
    case INGEST_APPS_ALLOWED:
        if (ingest_admit_app(self, visit, app))
            ingest_store(self, visit, header);
        return;
    case INGEST_APPS_UNKNOWN_APP:
        ingest_refuse(self, visit, COUNTER_REJECTED_UNKNOWN_APP, 403, "unknown_app",
                      "This app is not configured here.");
        return;
    case INGEST_APPS_KEY:
        ingest_refuse(self, visit, COUNTER_REJECTED_KEY, 403, "key", "The app asks for one of its keys, as ?k=KEY.");
        return;
    case INGEST_APPS_ORIGIN:
        visit->cors.origin[0] = '\0'; /* known to another app, but not to this one */
        ingest_refuse(self, visit, COUNTER_REJECTED_ORIGIN, 403, "origin", "The app does not let this origin in.");
        return;
    }
}

static void ingest_take_beacon(struct ingest *self, struct ingest_visit *visit)
{
    struct beacon_summary summary;
    enum beacon_status verdict = beacon_validate(net_exchange_body(visit->exchange), &summary);
    if (verdict == BEACON_OK) {
        visit->is_final = summary.has_ledger && summary.ledger.final;
        ingest_take_valid(self, visit, &summary.header);
        return;
    }
    const struct ingest_verdict *row = &ingest_verdicts[verdict];
    ingest_refuse(self, visit, row->counter, row->status, beacon_status_name(verdict), beacon_status_text(verdict));
}

static void ingest_judge(struct ingest *self, struct net_exchange *exchange)
{
    struct ingest_visit visit = {.exchange = exchange, .origin = net_exchange_header(exchange, "origin")};
    bool known = ingest_apps_know_origin(&self->policy.apps, visit.origin);
    ingest_cors_init(&visit.cors, visit.origin, known);
    if (net_exchange_method(exchange) == NET_OPTIONS) {
        ingest_answer_preflight(exchange, &visit.cors);
        return;
    }
    counters_add(self->counters, COUNTER_BEACONS_RECEIVED, 1);
    ingest_client_find(exchange, self->policy.trusted_proxies, visit.client);
    if (!ingest_media_type_is_known(net_exchange_header(exchange, "content-type")))
        ingest_refuse(self, &visit, COUNTER_REJECTED_MEDIA_TYPE, 415, "media_type",
                      "Send text/plain, application/x-protobuf or application/octet-stream.");
    else if (!known)
        ingest_refuse(self, &visit, COUNTER_REJECTED_ORIGIN, 403, "origin", "No app lets this origin in.");
    else if (ingest_admit(self, &visit))
        ingest_take_beacon(self, &visit);
}

/* The policy is needed up to the answer or the append; what comes later (wakes) asks it nothing. */
void ingest_handle(void *context, struct net_exchange *exchange)
{
    struct ingest *self = context;
    pthread_rwlock_rdlock(&self->policy_lock);
    ingest_judge(self, exchange);
    pthread_rwlock_unlock(&self->policy_lock);
}
