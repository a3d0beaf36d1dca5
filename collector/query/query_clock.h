/*
 * The view's clocks: its browser's wall clock in epochs (join/clock_axis.h), and in each the offset of the servers'
 * clock (join/clock_offset.h). Stored times are never changed: whoever places a span asks where, and how sure that is.
 */
#ifndef VITRACE_QUERY_CLOCK_H
#define VITRACE_QUERY_CLOCK_H

#include "collector/query/query_view_internal.h"

struct query_clock;
/* Needs what the requests were joined to. NULL = out of memory. */
struct query_clock *query_clock_new(const struct query_view_data *view, const struct query_requests *requests,
                                    const struct query_spans *spans);
void query_clock_free(struct query_clock *self);

struct query_alignment {
    int64_t origin_us; /* the view's time origin by the servers' clock */
    int64_t error_us;
};
/* false = nothing is known of the servers' clock when this request was under way. */
bool query_clock_find(const struct query_clock *self, const struct query_request *request,
                      struct query_alignment *alignment);
/* The member `clock` of the answer. */
void query_clock_write(const struct query_clock *self, struct json *json);

#endif
