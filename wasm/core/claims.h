/* Trace ids that a request may belong to, from whatever named them. */
#ifndef VITRACE_CLAIMS_H
#define VITRACE_CLAIMS_H

#include "proto/wire/server_timing.h"
#include "vitrace/v1/beacon.pb.h"

/* The `claims` array of one message. */
struct claims {
    vitrace_v1_Claim *at; /* borrowed */
    pb_size_t *count;
    pb_size_t max;
};

/* false: `traceparent` is not one. A claim past the maximum is dropped; later members of a header matter least. */
bool claims_add(struct claims *self, struct slice traceparent, vitrace_v1_ClaimSource source);
/* A Server-Timing metric. true: it named a trace and is now a claim. */
bool claims_add_metric(struct claims *self, struct slice name, struct slice description);
/* Every trace named by a raw Server-Timing header. */
void claims_add_header(struct claims *self, struct slice header);

#endif
