#include "wasm/core/record_server_timing.h"

static double duration_of(struct inbox_record *child)
{
    double duration = inbox_record_number(child, INBOX_SERVER_TIMING_DURATION);
    return duration == duration ? duration : 0;
}

void record_server_timing_encode(struct core *self, struct inbox_record *parent, struct claims *claims,
                                 vitrace_v1_ServerTiming *timings, pb_size_t *count)
{
    for (uint32_t i = 0; i < parent->children && !parent->bad; i++) {
        struct inbox_record child = inbox_record_child(parent, i);
        struct slice name = inbox_record_text(&child, INBOX_SERVER_TIMING_NAME);
        struct slice description = inbox_record_text(&child, INBOX_SERVER_TIMING_DESCRIPTION);
        double duration = duration_of(&child);
        parent->bad = child.bad;
        if (claims_add_metric(claims, name, description) || *count == BEACON_SERVER_TIMINGS_MAX)
            continue;
        timings[*count].name_ref = segment_text(&self->segment, name);
        timings[*count].description_ref = segment_text(&self->segment, description);
        timings[*count].duration_ms = duration;
        ++*count;
    }
}
