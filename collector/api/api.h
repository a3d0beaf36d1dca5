/*
 * GET /api/v1/...: checks parameters, asks the query stage, answers JSON. Shapes: API.md.
 * Answers are written under a lock, one at a time: the admin listener serves people, and a query is bounded.
 */
#ifndef VITRACE_API_H
#define VITRACE_API_H

#include "collector/net/net.h"

struct api;
struct log; /* passed on to the query stage */
struct rejects;
struct os;

struct api_options {
    struct log *log;        /* borrowed */
    const char *store_path; /* of an index that exists: start the sinks first */
    struct rejects *rejects; /* borrowed; NULL = none are kept */
    const struct os *os;    /* for "24 hours ago"; NULL = os_posix() */
};

struct api *api_new(const struct api_options *options, char *error, size_t error_size);
void api_free(struct api *self);

/* The route to hang into a listener: methods NET_GET | NET_HEAD. Context is the api. */
#define API_PATH "/api/v1/*"
void api_handle(void *self, struct net_exchange *exchange);

/*
 * The same without a connection: `rest` is the path after /api/v1/. Returns the HTTP status; `out` holds the body.
 * For tests and for commands that ask without a listener.
 */
struct buf;
int api_answer(struct api *self, struct slice rest, struct slice query, struct buf *out);

#define API_ANSWER_BYTES_MAX (16u << 20)

#endif
