/*
 * Beacons on their way to the disk, by (view_id, seq), and the copies of them that came meanwhile and wait for the same
 * result. Bounded by the connections: each holds at most one request here. Intrusive: the requests bring the memory.
 */
#ifndef VITRACE_INGEST_FLIGHT_H
#define VITRACE_INGEST_FLIGHT_H

#include "collector/base/append.h"
#include "collector/ingest/ingest_dedup.h"

#define INGEST_FLIGHT_CHAINS 1024u

struct ingest_flight_request {
    struct ingest_key key;
    struct ingest_flight_request *next; /* of the chain, or of the waiters */
    struct ingest_flight_request *waiters;
};

struct ingest_flight {
    struct ingest_flight_request *chain[INGEST_FLIGHT_CHAINS];
    unsigned count;
};

void ingest_flight_init(struct ingest_flight *self);
/* true: the request is the first of its key and has to be appended. false: it waits for the first one. */
bool ingest_flight_add(struct ingest_flight *self, struct ingest_flight_request *request);
/* Takes a first request out and returns its waiters, linked by `next`. */
struct ingest_flight_request *ingest_flight_take(struct ingest_flight *self, struct ingest_flight_request *request);

#endif
