#include "collector/ingest/ingest_flight.h"

#include <assert.h>

void ingest_flight_init(struct ingest_flight *self)
{
    *self = (struct ingest_flight){0};
}

static struct ingest_flight_request **ingest_flight_chain(struct ingest_flight *self, const struct ingest_key *key)
{
    return &self->chain[key->hash % INGEST_FLIGHT_CHAINS];
}

bool ingest_flight_add(struct ingest_flight *self, struct ingest_flight_request *request)
{
    struct ingest_flight_request **chain = ingest_flight_chain(self, &request->key);
    for (struct ingest_flight_request *at = *chain; at != NULL; at = at->next)
        if (memcmp(at->key.bytes, request->key.bytes, sizeof at->key.bytes) == 0) {
            request->next = at->waiters;
            at->waiters = request;
            return false;
        }
    request->waiters = NULL;
    request->next = *chain;
    *chain = request;
    self->count++;
    return true;
}

struct ingest_flight_request *ingest_flight_take(struct ingest_flight *self, struct ingest_flight_request *request)
{
    struct ingest_flight_request **at = ingest_flight_chain(self, &request->key);
    while (*at != request) {
        assert(*at != NULL);
        at = &(*at)->next;
    }
    *at = request->next;
    self->count--;
    return request->waiters;
}
