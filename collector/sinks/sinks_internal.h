/* Private to the sinks: what the thread owns, and the request as read from a beacon. */
#ifndef VITRACE_SINKS_INTERNAL_H
#define VITRACE_SINKS_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "collector/join/call_facts.h"
#include "collector/otlp/otlp.h"
#include "collector/sinks/sinks.h"
#include "collector/store/store.h"
#include "proto/wire/beacon_decode.h"

/* A request of a beacon, with everything that a claim needs. */
struct sinks_request {
    struct store_request row; /* ids point at `id` below when written */
    uint32_t id_count;
    struct join_id id[JOIN_IDS_MAX];
    bool merged;    /* a call that is part of a resource: makes no claim of its own */
    bool has_call;  /* a resource that a call was merged into */
    int64_t end_us; /* from the time origin; 0 = not known */
    uint32_t doubt; /* flags for the reason that the index does not keep: what matching found out */
    union {         /* by row.kind; ids are filled in when matching */
        struct call_match_call call;
        struct call_match_entry entry;
    } facts;
};

/*
 * Reads a Navigation, Resource or Call. seq and ordinal stay the caller's. false = another record, or malformed.
 * `page_url` decides what is third-party and masked.
 */
bool sinks_request_read(struct sinks_request *self, const struct beacon_record *record,
                        const struct beacon_strings *strings, struct slice page_url);
/* Adds ids that are not there yet, as far as there is room; injected ones come first. */
void sinks_request_add_ids(struct sinks_request *self, const struct join_id *id, uint32_t count);
struct slice sinks_request_ids(const struct sinks_request *self);
/* The ids of a stored request. */
uint32_t sinks_request_ids_read(struct slice bytes, struct join_id id[JOIN_IDS_MAX]);

/* The requests of one beacon: fewer than its bytes over the smallest request record. */
#define SINKS_REQUESTS_MAX BEACON_RECORDS_MAX

#define SINKS_METRICS (vitrace_v1_Metric_METRIC_TTFB + 1u) /* by number */

struct sinks_span; /* sinks_spans.c */

struct sinks {
    struct log *log;
    const struct os *os;
    struct counters *counters;
    struct tally *duplicates;
    char *store_path;
    uint32_t batch_records;
    struct join_options join_options;
    struct memory *memory;
    uint64_t retention_us;
    uint64_t started_unix_us, started_mono_us; /* now = the first + what the monotonic clock says: a jump forgets nothing */
    uint64_t join_bytes, index_bytes; /* accounted; index_bytes 0 = the index's own defaults */

    /* The thread's alone, from here to the mutex. */
    struct store *store;
    struct join *join;
    struct log_reader *reader;
    struct log_reader *recall; /* second reader, for spans that the joiner has forgotten */
    uint64_t next_position;
    uint64_t expired_us; /* receive time of the last join_expire */
    bool muted;          /* replaying: results are in the index already */
    bool index_is_damaged; /* a reader saw it: it has to be built anew */
    bool pending_seen;   /* the last claim's result was `pending` */
    struct beacon_summary summary;
    struct beacon_strings strings;
    struct store_vital vital[SINKS_METRICS];
    bool vital_known[SINKS_METRICS];
    uint32_t errors;
    struct sinks_request request[SINKS_REQUESTS_MAX];
    uint32_t request_count;
    struct sinks_span *span; /* of one record, grown as needed */
    size_t span_count, span_room;

    pthread_t thread;
    pthread_mutex_t mutex; /* guards the two below */
    pthread_cond_t changed;
    uint64_t position;
    bool stopping;
};

/*
 * Pairs calls and resources of the beacon that no trace id has paired, by their times. One that cannot be decided, and
 * a call without an entry, is marked in `doubt`. false = out of memory, and nobody is paired.
 */
bool sinks_match_calls(struct sinks *self, const struct store_view *view);
/* Two requests of this beacon are one from now on. */
void sinks_merge_call(struct sinks *self, const struct store_view *view, struct sinks_request *call,
                      struct sinks_request *resource);

void sinks_take_beacon(struct sinks *self, const struct log_record *record);
void sinks_take_spans(struct sinks *self, const struct log_record *record);
void sinks_give_span(struct sinks *self, const struct otlp_span *span, uint64_t position, uint64_t now_us);
/* Feeds the spans of a trace that the index knows to the joiner, in case it has forgotten or evicted them. */
void sinks_recall_trace(struct sinks *self, const uint8_t trace_id[16], uint64_t now_us);
/* A fresh joiner, filled from the newest part of the log; then the reader stands at the index's position. */
bool sinks_restore(struct sinks *self);
bool sinks_stopping(struct sinks *self);

#endif
