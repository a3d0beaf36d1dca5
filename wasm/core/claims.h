/* Trace ids that a request may belong to, from whatever named them, written as the `claims` of one message. */
#ifndef VITRACE_CLAIMS_H
#define VITRACE_CLAIMS_H

#include "proto/wire/server_timing.h"
#include "proto/wire/writer.h"
#include "vitrace/v1/beacon.pb.h"

struct claims {
    struct writer *out;
    uint32_t field;
    uint32_t left; /* a claim past the maximum is dropped: later members of a header matter least */
};

void claims_put(struct claims *self, const struct traceparent *parsed, vitrace_v1_ClaimSource source);
/* false: `traceparent` is not one. */
bool claims_add(struct claims *self, struct slice traceparent, vitrace_v1_ClaimSource source);
/* A Server-Timing metric. true: it named a trace and is now a claim. */
bool claims_add_metric(struct claims *self, struct slice name, struct slice description);
/* Every trace named by a raw Server-Timing header. */
void claims_add_header(struct claims *self, struct slice header);

#endif
