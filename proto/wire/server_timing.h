/*
 * The Server-Timing response header, parsed as browsers do (w3c/server-timing index.bs and Chromium's behaviour):
 * case-insensitive parameter names, first duplicate wins, quoted strings with escapes, text after a value dropped.
 * For headers read by script; entries of the timeline come parsed already.
 */
#ifndef VITRACE_WIRE_SERVER_TIMING_H
#define VITRACE_WIRE_SERVER_TIMING_H

#include "proto/wire/traceparent.h"

#define SERVER_TIMING_TEXT_MAX 256u /* of one name or description after unescaping; the rest is cut */

struct server_timing {
    char name[SERVER_TIMING_TEXT_MAX];
    char description[SERVER_TIMING_TEXT_MAX];
    uint16_t name_size;
    uint16_t description_size;
    double duration_ms; /* 0 when absent or not a number */
};

/* Where a trace id in a Server-Timing metric was named; NONE = not a trace metric. */
enum server_timing_trace {
    SERVER_TIMING_TRACE_NONE = 0,
    SERVER_TIMING_TRACE,        /* trace: the W3C editor's draft */
    SERVER_TIMING_TRACEPARENT,  /* traceparent: de facto */
    SERVER_TIMING_TRACERESPONSE /* traceresponse */
};

struct server_timing_reader {
    struct slice rest;
};

static inline struct server_timing_reader server_timing_reader_of(struct slice header)
{
    return (struct server_timing_reader){header};
}

/* The next metric, in header order. false = no more. An empty list member ends the list, as in Chromium. */
bool server_timing_reader_next(struct server_timing_reader *self, struct server_timing *out);
/* The same without its duration, which reads as 0: the page looks for trace ids and links no reader of numbers. */
bool server_timing_reader_next_texts(struct server_timing_reader *self, struct server_timing *out);

/* Names compare case-insensitively: trace, traceparent, traceresponse. */
enum server_timing_trace server_timing_trace_of(struct slice name);

#endif
