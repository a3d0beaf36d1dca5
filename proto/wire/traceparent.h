/*
 * W3C Trace Context `traceparent`, Level 2 (w3c/trace-context spec/20-http_request_header_format.md).
 * Flags never gate the link: any flag byte is accepted, only bits 0 (sampled) and 1 (random) are kept.
 */
#ifndef VITRACE_WIRE_TRACEPARENT_H
#define VITRACE_WIRE_TRACEPARENT_H

#include "proto/wire/ids.h"

#define TRACEPARENT_BYTES 55u /* version 00: 2 + 1 + 32 + 1 + 16 + 1 + 2 */

enum traceparent_flag {
    TRACEPARENT_SAMPLED = 1,
    TRACEPARENT_RANDOM = 2
};

enum traceparent_status {
    TRACEPARENT_OK = 0,
    TRACEPARENT_TOO_SHORT,     /* under 55 characters after trimming */
    TRACEPARENT_TRAILING,      /* version 00 longer than 55, or a later version without '-' at 55 */
    TRACEPARENT_BAD_CHARACTER, /* not lowercase hex, or a separator is not '-' */
    TRACEPARENT_BAD_VERSION,   /* ff */
    TRACEPARENT_ZERO_TRACE_ID,
    TRACEPARENT_ZERO_SPAN_ID
};

struct traceparent {
    uint8_t version; /* as received; re-emitted as 00 */
    uint8_t trace_id[TRACE_ID_BYTES];
    uint8_t span_id[SPAN_ID_BYTES];
    uint8_t flags; /* TRACEPARENT_SAMPLED | TRACEPARENT_RANDOM, the rest read as 0 */
};

/* Trims spaces and tabs. On failure *out is untouched. */
enum traceparent_status traceparent_parse(struct slice text, struct traceparent *out);
/* A short reason for people, never NULL. */
const char *traceparent_status_text(enum traceparent_status status);
/* Writes TRACEPARENT_BYTES characters (version 00), no terminator. */
void traceparent_format(const struct traceparent *self, char *out);

#endif
