/*
 * POST /v1/beacon: guard, validate, deduplicate, append, and answer 204 when the append is durable. What is appended is
 * always one plain beacon: a compressed one is inflated, and of a raw inbox (collector/raw) the core makes beacons.
 *
 * Order of the guards: route (method, size) -> media type -> origin (of any app) -> rate of the address, then of all ->
 * bounded inflate -> overload (ingest_shed.h: by view, so it needs the view id) -> bounded decode -> app, its key and the
 * origin for it (the app's name is inside the beacon) -> rate of the app -> duplicate -> append. When memory is used up,
 * everything is refused before all of that.
 *
 * A beacon is known by (view_id, seq). One that was stored is answered 204 and not stored again; the memory of that is
 * bounded, see ingest_dedup.h. One whose first copy is still on its way to the disk waits for the same result.
 */
#ifndef VITRACE_INGEST_H
#define VITRACE_INGEST_H

#include "collector/base/append.h"
#include "collector/base/counters.h"
#include "collector/base/tally.h"
#include "collector/ingest/ingest_rate.h"
#include "collector/net/net.h"

struct ingest;

#define INGEST_KEY_BYTES_MIN 16u
#define INGEST_KEY_BYTES_MAX 64u

struct ingest_app {
    const char *name;
    const char *const *origins; /* exact origins, or with "*." for the first labels of the host; none = any */
    size_t origin_count;
    /* Live write keys, of which a beacon must name one as ?k=KEY; none = none is asked for. They are public by design (a
     * page shows them): they say whom to bill and can be revoked, they do not prove who sends. */
    const char *const *keys;
    size_t key_count;
};

struct ingest_options {
    const struct ingest_app *apps; /* none = any well-formed app name is taken (and said so once at start) */
    size_t app_count;
    struct append_sink sink;
    struct counters *counters;
    struct memory *memory; /* borrowed; NULL = not accounted */
    struct ingest_rate_limits limits;
    unsigned trusted_proxies; /* see ingest_client.h */
    unsigned raw_wait_ms;     /* for a raw inbox that is missing before another; 0 = RAW_WAIT_MS */
    struct tally *duplicates; /* gets the view of each beacon that was not stored again; borrowed, may be NULL */
};

struct ingest *ingest_new(const struct ingest_options *options); /* NULL = out of memory */
void ingest_free(struct ingest *self);
/*
 * Other apps, limits and proxies for the requests that come from now on; the options' sink and counters are not looked
 * at. Any thread. What addresses and apps have used up of their rates is forgotten. false = out of memory: all as it was.
 */
bool ingest_set_policy(struct ingest *self, const struct ingest_options *options);

/* Why a configured app cannot be used (its name, or one of its origins); NULL = it can. */
const char *ingest_app_problem(const struct ingest_app *app);

/* Largest body that the route should let through: above BEACON_BYTES_MAX, so that a page whose beacon is too large gets
 * the 413 with the CORS headers that let it read why. 64 KiB is what browsers allow in flight for sendBeacon. */
#define INGEST_BODY_BYTES_MAX (64u << 10)

/* net_handler for POST and OPTIONS /v1/beacon; context is the ingest. */
void ingest_handle(void *self, struct net_exchange *exchange);
/* Who sent a request: the peer, or what the trusted proxies say; see ingest_client.h. */
void ingest_find_client(struct ingest *self, const struct net_exchange *exchange, uint8_t out[16]);
/* Marks (view_id, seq) as stored: called while the log is replayed at start, before the listener opens. */
void ingest_remember(struct ingest *self, const uint8_t view_id[16], uint32_t seq);

#endif
