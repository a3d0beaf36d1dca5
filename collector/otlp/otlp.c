#include "collector/otlp/otlp_internal.h"

#include <assert.h>
#include <stdlib.h>

struct otlp *otlp_new(struct append_sink sink, struct counters *counters, struct memory *memory)
{
    assert(sink.take != NULL && counters != NULL);
    struct otlp *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->sink = sink;
    self->bodies.bytes_max = OTLP_BODY_BYTES_TOTAL_MAX;
    self->bodies.memory = memory;
    self->counters = counters;
    jitter_init(&self->jitter);
    return self;
}

/* After net_stop() and log_close(): an exchange under way points here. */
void otlp_free(struct otlp *self)
{
    free(self);
}
