/*
 * POST /v1/beacon: guard, validate, deduplicate, append, and answer 204 when the append is durable.
 * Order of the guards: route (method, size) -> media type -> app and origin -> bounded decode -> duplicate -> append.
 */
#ifndef VITRACE_INGEST_H
#define VITRACE_INGEST_H

#include "collector/base/append.h"
#include "collector/base/counters.h"
#include "collector/net/net.h"

struct ingest;

struct ingest_app {
    const char *name;
    const char *const *origins; /* exact origins, or "https://*.example.com"; none = any */
    size_t origin_count;
};

struct ingest_options {
    const struct ingest_app *apps; /* none = any well-formed app name is taken (and said so once at start) */
    size_t app_count;
    struct append_sink sink;
    struct counters *counters;
};

struct ingest *ingest_new(const struct ingest_options *options); /* NULL = out of memory */
void ingest_free(struct ingest *self);

/* net_handler for POST and OPTIONS /v1/beacon; context is the ingest. */
void ingest_handle(void *self, struct net_exchange *exchange);
/* Marks (view_id, seq) as stored: called while the log is replayed at start, before the listener opens. */
void ingest_remember(struct ingest *self, const uint8_t view_id[16], uint32_t seq);

#endif
