/*
 * What a process supervisor and Prometheus ask: alive, ready, and the counters.
 *
 * Ready is more than running: the log took its last append and has room, and the index follows it. Two of these are
 * seen over time, between two questions: an index that stays at one position while the log is ahead is stuck, and a
 * refused append counts for HEALTH_REFUSED_US only, as a load balancer that stays away would never let the next try.
 */
#ifndef VITRACE_HEALTH_H
#define VITRACE_HEALTH_H

#include "collector/base/counters.h"
#include "collector/net/net.h"

#include <pthread.h>

#define HEALTH_FREE_BYTES_FLOOR (64u << 20) /* the log's own floor: below it appends are refused */
#define HEALTH_STUCK_US         UINT64_C(30000000)
#define HEALTH_REFUSED_US       UINT64_C(30000000)

/* What earlier questions saw. */
struct health_watch {
    pthread_mutex_t lock;
    uint64_t refused, refused_at_us; /* appends refused so far, and when that number was last seen to grow */
    uint64_t position, behind_since_us;
    bool behind;
};

struct health {
    const struct counters *counters;
    const struct memory *memory; /* NULL = none is accounted */
    const char *data; /* folder */
    uint64_t (*durable)(const void *context); /* position up to which the index should be; NULL = no log yet */
    const void *durable_context;
    _Atomic bool started, stopping;
    _Atomic bool index_runs; /* the sinks follow the log */
    struct health_watch watch;
};

void health_init(struct health *self, const struct counters *counters, const char *data);
void health_release(struct health *self);

/* net_handlers; context is the health. */
void health_handle_live(void *self, struct net_exchange *exchange);  /* 200 while the loop turns */
void health_handle_ready(void *self, struct net_exchange *exchange); /* 200, or 503 with the failing check */
void health_handle_metrics(void *self, struct net_exchange *exchange);

/* health_check.c: one word each, "ok" or what is wrong. For tests with a clock of their own. */
const char *health_check_log(struct health *self, uint64_t now_us);
const char *health_check_index(struct health *self, uint64_t now_us);

#endif
