/* A real log in a folder of its own, the sinks that follow it, and the API that answers from them. No network. */
#ifndef VITRACE_TEST_INDEX_FIXTURE_H
#define VITRACE_TEST_INDEX_FIXTURE_H

#include <jansson.h>
#include <stdatomic.h>

#include "collector/api/api.h"
#include "collector/log/log.h"
#include "collector/sinks/sinks.h"

struct index_fixture {
    char folder[64], log_folder[80], index_path[80];
    struct counters counters;
    struct os os; /* posix with a clock of our own */
    _Atomic uint64_t now_us;
    uint64_t position; /* after the newest append */
    uint64_t newest;   /* of the newest append */
    struct tally *duplicates; /* for the next start; the caller's, may be NULL */
    struct log *log;
    struct sinks *sinks; /* NULL while stopped */
    struct api *api;
    uint32_t batch_records; /* for the next start */
};

#define INDEX_FIXTURE_NOW_US UINT64_C(1760000010000000)

/* A log without sinks. */
void index_fixture_init(struct index_fixture *self);
void index_fixture_release(struct index_fixture *self); /* deletes the folder */
/* Starts the sinks and waits until they have everything; opens the API. */
void index_fixture_start(struct index_fixture *self);
void index_fixture_stop(struct index_fixture *self);
void index_fixture_catch_up(struct index_fixture *self);
/* Appends, waits for the disk. Receive time is now_us. Returns the record's position. */
uint64_t index_fixture_append(struct index_fixture *self, enum append_type type, struct slice payload);

/* The parsed body; the status must be the expected one. `path` is below /api/v1/. The caller decrefs. */
json_t *index_fixture_ask(struct index_fixture *self, const char *path, const char *query, int status);
/* The same as text with sorted keys, for comparing whole answers; the caller frees. */
char *index_fixture_ask_text(struct index_fixture *self, const char *path, const char *query);

#endif
