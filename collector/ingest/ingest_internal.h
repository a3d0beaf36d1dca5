/*
 * Private to the ingest: what its requests share.
 *
 *   ingest         guards, in their order, and the policy that they ask
 *   ingest_body    what the bytes are; inflates
 *   ingest_store   one beacon: first copy, in flight, stored; durable, then answered
 *   ingest_raw     one raw inbox: its turn in its document, its beacons; all durable, then answered
 */
#ifndef VITRACE_INGEST_INTERNAL_H
#define VITRACE_INGEST_INTERNAL_H

#include "collector/base/jitter.h"
#include "collector/ingest/ingest.h"
#include "collector/ingest/ingest_answer.h"
#include "collector/ingest/ingest_apps.h"
#include "collector/ingest/ingest_body.h"
#include "collector/ingest/ingest_dedup.h"
#include "collector/ingest/ingest_flight.h"
#include "collector/ingest/ingest_shed.h"
#include "collector/raw/raw.h"
#include "proto/wire/beacon_decode.h"

#include <pthread.h>
#include <stdatomic.h>

/* The `seq` of a snapshot: the vitals so far, sent by the browser when the page is gone and could not send itself. */
#define INGEST_SEQ_SNAPSHOT UINT32_MAX

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
    struct memory *memory;
    struct tally *duplicates; /* NULL: nobody keeps statements */
    struct inflate_budget bodies;
    struct ingest_shed shed;
    struct raw *raw;
    struct jitter jitter;
    pthread_mutex_t lock; /* dedup and flight */
    struct ingest_dedup dedup;
    struct ingest_flight flight;
};

/* A request on its way through the guards; on the handler's stack until it is stored. */
struct ingest_visit {
    struct net_exchange *exchange;
    struct slice origin;
    struct ingest_cors cors;
    uint8_t client[16];
    uint64_t now_ns; /* when its guards began, on the monotonic clock */
    struct slice app; /* as soon as it is read; borrowed like the body */
    bool is_final; /* the page is gone: the beacon is not sent again */
    struct slice plain;            /* the body, inflated */
    struct inflate_body inflated;  /* what `plain` may borrow from; whoever stores the request takes it over */
};

void ingest_refuse(struct ingest *self, const struct ingest_visit *visit, enum counter counter, int status,
                   const char *code, const char *message);
void ingest_refuse_beacon(struct ingest *self, const struct ingest_visit *visit, enum beacon_status verdict);
/* 503, to be sent again after least_s and up to spread_s more: clients that failed together do not come back together. */
void ingest_refuse_unavailable(struct ingest *self, struct net_exchange *exchange, const struct ingest_cors *cors,
                               const char *code, unsigned least_s, unsigned spread_s);
/* true = overload sheds this view: refused and answered. `stored`: this (view_id, seq) is, or the view has begun. */
bool ingest_sheds(struct ingest *self, const struct ingest_visit *visit, const uint8_t view_id[VIEW_ID_BYTES],
                  bool stored);
/* The app, its key, its origin, its rate. false = refused and answered. The policy lock is held. */
bool ingest_admit_app(struct ingest *self, struct ingest_visit *visit, struct slice app);
/* Answers what the log said. `counter` gets `count` when it is durable. */
void ingest_answer_result(struct ingest *self, const struct ingest_visit *visit, enum append_result result,
                          enum counter counter, uint64_t count, uint64_t started);
/* Type, clock, cut peer; payload and done are the caller's. */
void ingest_fill_append(struct append *append, const struct ingest_visit *visit);

/* The app has let it in. A snapshot is stored each time. */
void ingest_store(struct ingest *self, struct ingest_visit *visit, const struct ingest_key *key, bool is_snapshot);
void ingest_take_raw(struct ingest *self, struct ingest_visit *visit);

#endif
