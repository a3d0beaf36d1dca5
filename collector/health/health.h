/* What a process supervisor and Prometheus ask: alive, ready, and the counters. */
#ifndef VITRACE_HEALTH_H
#define VITRACE_HEALTH_H

#include "collector/base/counters.h"
#include "collector/net/net.h"

#define HEALTH_FREE_BYTES_FLOOR (64u << 20) /* the log's own floor: below it appends are refused */

struct health {
    const struct counters *counters;
    const char *data; /* folder */
    _Atomic bool started, stopping;
    _Atomic bool index_runs; /* the sinks follow the log */
};

/* net_handlers; context is the health. */
void health_handle_live(void *self, struct net_exchange *exchange);  /* 200 while the loop turns */
void health_handle_ready(void *self, struct net_exchange *exchange); /* 200, or 503 with the failing check */
void health_handle_metrics(void *self, struct net_exchange *exchange);

#endif
