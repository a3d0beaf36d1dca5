/*
 * Answers of /v1/beacon. A page may read an answer only when it carries the CORS headers, errors included; a
 * `credentials: include` request (sendBeacon always is one) forbids the origin "*", so the exact origin is echoed. The
 * echoed bytes have passed ingest_origin_is_valid, so they cannot break out of the header.
 */
#ifndef VITRACE_INGEST_ANSWER_H
#define VITRACE_INGEST_ANSWER_H

#include "collector/ingest/ingest_origin.h"
#include "collector/net/net.h"

struct ingest_cors {
    char origin[INGEST_ORIGIN_BYTES_MAX + 1]; /* "" = no CORS headers */
};

/* `allowed`: an app lets this origin in. */
void ingest_cors_init(struct ingest_cors *self, struct slice origin, bool allowed);

void ingest_answer_stored(struct net_exchange *exchange, const struct ingest_cors *cors);
void ingest_answer_preflight(struct net_exchange *exchange, const struct ingest_cors *cors);
void ingest_answer_error(struct net_exchange *exchange, const struct ingest_cors *cors, int status, const char *code,
                         const char *message);
struct ingest_retry {
    int status; /* 503 or 429 */
    const char *code;
    unsigned after_s;
    unsigned pause_ms; /* see net_answer */
};
void ingest_answer_retry(struct net_exchange *exchange, const struct ingest_cors *cors,
                         const struct ingest_retry *retry);

#endif
