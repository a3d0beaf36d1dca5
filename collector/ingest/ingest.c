/*
 * The handler. It runs on the net's loop threads, several at once; the tables below `lock` are all that they share.
 *
 *   handle --guards--> body ---beacon--> ingest_store
 *                           '--raw-----> ingest_raw
 */
#include "collector/ingest/ingest_internal.h"

#include "collector/base/diag.h"
#include "collector/ingest/ingest_client.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>
#include <time.h>

#define INGEST_RETRY_SECONDS_MAX 60u
#define INGEST_PAUSE_MS          1500u /* and up to INGEST_PAUSE_SPREAD_MS more: below the shortest Retry-After */
#define INGEST_PAUSE_SPREAD_MS   500u

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

/* The rates twice: while a new policy is made the old one is still asked. */
#define INGEST_TABLE_BYTES (INGEST_DEDUP_BYTES + 2 * INGEST_RATE_BYTES)

static bool ingest_init_tables(struct ingest *self, const struct ingest_options *options)
{
    if (!ingest_policy_init(&self->policy, options))
        return false;
    self->raw = raw_new(&(struct raw_options){
        .memory = options->memory, .wait_ms = options->raw_wait_ms, .counters = options->counters});
    if (self->raw != NULL && ingest_dedup_init(&self->dedup, INGEST_DEDUP_SLOTS))
        return true;
    raw_free(self->raw);
    ingest_policy_release(&self->policy);
    return false;
}

struct ingest *ingest_new(const struct ingest_options *options)
{
    if (!memory_take(options->memory, MEMORY_TABLES, INGEST_TABLE_BYTES))
        return NULL;
    struct ingest *self = calloc(1, sizeof *self);
    if (self == NULL || !ingest_init_tables(self, options)) {
        memory_give(options->memory, MEMORY_TABLES, INGEST_TABLE_BYTES);
        free(self);
        return NULL;
    }
    self->memory = self->bodies.memory = options->memory;
    self->sink = options->sink;
    self->counters = options->counters;
    self->duplicates = options->duplicates;
    self->bodies.bytes_max = INGEST_BODY_BYTES_TOTAL_MAX;
    jitter_init(&self->jitter);
    ingest_shed_init(&self->shed, options->memory, options->counters);
    ingest_flight_init(&self->flight);
    pthread_mutex_init(&self->lock, NULL);
    ingest_init_policy_lock(&self->policy_lock);
    return self;
}

void ingest_free(struct ingest *self)
{
    if (self == NULL)
        return;
    assert(self->flight.count == 0 && self->bodies.bytes == 0);
    raw_free(self->raw);
    pthread_rwlock_destroy(&self->policy_lock);
    pthread_mutex_destroy(&self->lock);
    ingest_dedup_release(&self->dedup);
    ingest_policy_release(&self->policy);
    memory_give(self->memory, MEMORY_TABLES, INGEST_TABLE_BYTES);
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

void ingest_find_client(struct ingest *self, const struct net_exchange *exchange, uint8_t out[16])
{
    pthread_rwlock_rdlock(&self->policy_lock);
    unsigned hops = self->policy.trusted_proxies;
    pthread_rwlock_unlock(&self->policy_lock);
    ingest_client_find(exchange, hops, out);
}

void ingest_remember(struct ingest *self, const uint8_t view_id[16], uint32_t seq)
{
    struct ingest_key key = ingest_key_of(self->dedup.secret, view_id, seq);
    pthread_mutex_lock(&self->lock);
    ingest_dedup_add(&self->dedup, &key);
    pthread_mutex_unlock(&self->lock);
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

void ingest_refuse(struct ingest *self, const struct ingest_visit *visit, enum counter counter, int status,
                   const char *code, const char *message)
{
    counters_add(self->counters, counter, 1);
    net_exchange_reject(visit->exchange, &(struct reject_cause){counter, status, code, message}, visit->client, visit->app);
    ingest_answer_error(visit->exchange, &visit->cors, status, code, message);
}

void ingest_refuse_beacon(struct ingest *self, const struct ingest_visit *visit, enum beacon_status verdict)
{
    const struct ingest_verdict *row = &ingest_verdicts[verdict];
    ingest_refuse(self, visit, row->counter, row->status, beacon_status_name(verdict), beacon_status_text(verdict));
}

void ingest_refuse_unavailable(struct ingest *self, struct net_exchange *exchange, const struct ingest_cors *cors,
                               const char *code, unsigned least_s, unsigned spread_s)
{
    counters_add(self->counters, COUNTER_REJECTED_UNAVAILABLE, 1);
    net_exchange_reject(exchange,
                        &(struct reject_cause){COUNTER_REJECTED_UNAVAILABLE, 503, code,
                                               "Nothing is wrong with it: the collector cannot store it now. See /readyz."},
                        NULL, slice_of(NULL, 0));
    const struct ingest_retry retry = {
        .status = 503, .code = code, .after_s = jitter_spread(&self->jitter, least_s, spread_s)};
    ingest_answer_retry(exchange, cors, &retry);
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
    net_exchange_reject(visit->exchange,
                        &(struct reject_cause){counter, 429, code, "More than `limits:` lets in. Is it a flood, or are the limits too low?"},
                        visit->client, visit->app);
    const struct ingest_retry retry = {
        .status = 429, .code = code, .after_s = jitter_spread(&self->jitter, least_s, least_s + 1)};
    ingest_answer_retry(visit->exchange, &visit->cors, &retry);
}

/* Not kept among the last rejects: it says nothing of the request. A proxy's connection is never paused: it carries the
 * requests of others, too. */
static void ingest_refuse_shed(struct ingest *self, struct net_exchange *exchange, const struct ingest_cors *cors)
{
    unsigned level = ingest_shed_level(&self->shed);
    const struct ingest_retry retry = {
        .status = 503,
        .code = "shed",
        .after_s = jitter_spread(&self->jitter, 2 + level / 64, 4 + level / 16),
        .pause_ms = self->policy.trusted_proxies > 0
                        ? 0
                        : jitter_spread(&self->jitter, INGEST_PAUSE_MS, INGEST_PAUSE_SPREAD_MS)};
    counters_add(self->counters, COUNTER_REJECTED_SHED, 1);
    ingest_answer_retry(exchange, cors, &retry);
}

bool ingest_sheds(struct ingest *self, const struct ingest_visit *visit, const uint8_t view_id[VIEW_ID_BYTES],
                  bool stored)
{
    bool sheds = ingest_shed_drops(&self->shed, view_id, stored);
    if (sheds)
        ingest_refuse_shed(self, visit->exchange, &visit->cors);
    return sheds;
}

/* false = refused and answered. The address first: a flood from one uses up nothing that others share. */
static bool ingest_admit(struct ingest *self, const struct ingest_visit *visit)
{
    uint64_t wait_ns = ingest_rate_take_ip(self->policy.rate, visit->client, visit->now_ns);
    if (wait_ns > 0) {
        ingest_refuse_rate(self, visit, COUNTER_RATE_IP, "rate_ip", wait_ns);
        return false;
    }
    wait_ns = ingest_rate_take_global(self->policy.rate, visit->now_ns);
    if (wait_ns > 0)
        ingest_refuse_rate(self, visit, COUNTER_RATE_GLOBAL, "rate_global", wait_ns);
    return wait_ns == 0;
}

/* An app that is not configured has no bucket of its own: its name is the client's choice. */
static bool ingest_admit_rate(struct ingest *self, const struct ingest_visit *visit, size_t app)
{
    uint64_t wait_ns = app == SIZE_MAX ? 0 : ingest_rate_take_app(self->policy.rate, app, visit->now_ns);
    if (wait_ns > 0)
        ingest_refuse_rate(self, visit, COUNTER_RATE_APP, "rate_app", wait_ns);
    return wait_ns == 0;
}

static enum ingest_apps_answer ingest_check_app(struct ingest *self, const struct ingest_visit *visit, struct slice app,
                                                size_t *index)
{
    char key[INGEST_KEY_BYTES_MAX + 1];
    int key_size = net_query_find(net_exchange_query(visit->exchange), "k", key, sizeof key);
    const struct ingest_claim claim = {app, visit->origin, slice_of(key, key_size > 0 ? (size_t)key_size : 0)};
    return ingest_apps_check(&self->policy.apps, &claim, index);
}

bool ingest_admit_app(struct ingest *self, struct ingest_visit *visit, struct slice app)
{
    size_t index = SIZE_MAX;
    visit->app = app;
    switch (ingest_check_app(self, visit, app, &index)) {
    case INGEST_APPS_ALLOWED:
        return ingest_admit_rate(self, visit, index);
    case INGEST_APPS_UNKNOWN_APP:
        ingest_refuse(self, visit, COUNTER_REJECTED_UNKNOWN_APP, 403, "unknown_app",
                      "This app is not configured here.");
        break;
    case INGEST_APPS_KEY:
        ingest_refuse(self, visit, COUNTER_REJECTED_KEY, 403, "key", "The app asks for one of its keys, as ?k=KEY.");
        break;
    case INGEST_APPS_ORIGIN:
        visit->cors.origin[0] = '\0'; /* known to another app, but not to this one */
        ingest_refuse(self, visit, COUNTER_REJECTED_ORIGIN, 403, "origin", "The app does not let this origin in.");
        break;
    }
    return false;
}

/* The beacon itself is stored (then it costs no more than its answer), or the first one of its view is. */
static bool ingest_knows(struct ingest *self, const uint8_t view_id[VIEW_ID_BYTES], uint32_t seq)
{
    const struct ingest_key own = ingest_key_of(self->dedup.secret, view_id, seq);
    const struct ingest_key first = ingest_key_of(self->dedup.secret, view_id, 0);
    pthread_mutex_lock(&self->lock);
    bool knows = ingest_dedup_has(&self->dedup, &own) || ingest_dedup_has(&self->dedup, &first);
    pthread_mutex_unlock(&self->lock);
    return knows;
}

/* Reads the key alone. What has none is malformed, and told so. */
static bool ingest_sheds_beacon(struct ingest *self, const struct ingest_visit *visit)
{
    uint8_t view_id[VIEW_ID_BYTES];
    uint32_t seq;
    if (ingest_shed_level(&self->shed) == 0 || !beacon_find_key(visit->plain, view_id, &seq))
        return false;
    return ingest_sheds(self, visit, view_id, ingest_knows(self, view_id, seq));
}

static void ingest_take_beacon(struct ingest *self, struct ingest_visit *visit)
{
    struct beacon_summary summary;
    if (ingest_sheds_beacon(self, visit))
        return;
    enum beacon_status verdict = beacon_validate(visit->plain, &summary);
    if (verdict != BEACON_OK) {
        ingest_refuse_beacon(self, visit, verdict);
        return;
    }
    struct ingest_key key = ingest_key_of(self->dedup.secret, summary.header.view_id, summary.header.seq);
    ingest_dedup_prefetch(&self->dedup, &key); /* comes while the app is looked up */
    visit->is_final = summary.has_ledger && summary.ledger.final;
    if (ingest_admit_app(self, visit, slice_text(summary.header.app)))
        ingest_store(self, visit, &key, summary.header.seq == INGEST_SEQ_SNAPSHOT);
}

static void ingest_open_body(struct ingest *self, struct ingest_visit *visit)
{
    switch (ingest_body_open(&self->bodies, net_exchange_header(visit->exchange, "content-encoding"),
                             net_exchange_body(visit->exchange), &visit->inflated, &visit->plain)) {
    case INGEST_BODY_OK:
        if (raw_is_body(visit->plain))
            ingest_take_raw(self, visit);
        else
            ingest_take_beacon(self, visit);
        return;
    case INGEST_BODY_ENCODING:
        ingest_refuse(self, visit, COUNTER_REJECTED_ENCODING, 415, "encoding",
                      "Content-Encoding must be gzip, deflate, zstd or absent.");
        return;
    case INGEST_BODY_MISMATCH:
        ingest_refuse(self, visit, COUNTER_REJECTED_ENCODING, 400, "encoding_mismatch",
                      "The body is not what its Content-Encoding says.");
        return;
    case INGEST_BODY_COMPRESSED:
        ingest_refuse(self, visit, COUNTER_REJECTED_COMPRESSED, 400, "compressed",
                      "The body begins as gzip, zlib or zstd and cannot be inflated.");
        return;
    case INGEST_BODY_TOO_LARGE:
        ingest_refuse(self, visit, COUNTER_REJECTED_TOO_LARGE, 413, "too_large",
                      "The body inflates to more than 64 KiB, or a hundredfold.");
        return;
    case INGEST_BODY_BUSY:
        ingest_refuse_unavailable(self, visit->exchange, &visit->cors, "memory", 1, 5);
        return;
    }
}

/* No browser sends two; whoever does is let in by neither. */
static struct slice ingest_find_origin(const struct net_exchange *exchange)
{
    bool one = net_exchange_header_count(exchange, "origin") == 1;
    return one ? net_exchange_header(exchange, "origin") : slice_of(NULL, 0);
}

static void ingest_judge(struct ingest *self, struct net_exchange *exchange)
{
    struct ingest_visit visit = {
        .exchange = exchange, .origin = ingest_find_origin(exchange), .now_ns = ingest_monotonic_ns()};
    bool known = ingest_apps_know_origin(&self->policy.apps, visit.origin);
    ingest_cors_init(&visit.cors, visit.origin, known);
    if (net_exchange_method(exchange) == NET_OPTIONS) {
        ingest_answer_preflight(exchange, &visit.cors);
        return;
    }
    counters_add(self->counters, COUNTER_BEACONS_RECEIVED, 1);
    ingest_shed_note(&self->shed, histogram_start(), net_exchange_round_us(exchange));
    if (ingest_shed_level(&self->shed) == INGEST_SHED_ALL) {
        ingest_refuse_shed(self, exchange, &visit.cors);
        return;
    }
    ingest_client_find(exchange, self->policy.trusted_proxies, visit.client);
    if (!ingest_media_type_is_known(net_exchange_header(exchange, "content-type")))
        ingest_refuse(self, &visit, COUNTER_REJECTED_MEDIA_TYPE, 415, "media_type",
                      "Send text/plain, application/x-protobuf or application/octet-stream.");
    else if (!known)
        ingest_refuse(self, &visit, COUNTER_REJECTED_ORIGIN, 403, "origin", "No app lets this origin in.");
    else if (ingest_admit(self, &visit))
        ingest_open_body(self, &visit);
    inflate_body_release(&self->bodies, &visit.inflated); /* empty when the request took it over */
}

/* The policy is needed up to the answer or the append; of what comes later only a raw inbox's turn asks it again. */
void ingest_handle(void *context, struct net_exchange *exchange)
{
    struct ingest *self = context;
    pthread_rwlock_rdlock(&self->policy_lock);
    ingest_judge(self, exchange);
    pthread_rwlock_unlock(&self->policy_lock);
}
