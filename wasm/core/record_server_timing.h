/* The SERVER_TIMING children of a resource or a navigation: trace ids become claims, the rest stays a metric. */
#ifndef VITRACE_RECORD_SERVER_TIMING_H
#define VITRACE_RECORD_SERVER_TIMING_H

#include "wasm/core/claims.h"
#include "wasm/core/core_internal.h"

/* Metrics past BEACON_SERVER_TIMINGS_MAX are left out. */
void record_server_timing_encode(struct core *self, struct inbox_record *parent, struct claims *claims,
                                 vitrace_v1_ServerTiming *timings, pb_size_t *count);

#endif
