/*
 * The Origin header against configured rules. Compared as the bytes that browsers serialise (lowercase scheme and host,
 * no default port, punycode), never as a substring or pattern: what does not look exactly like an origin matches
 * nothing.
 */
#ifndef VITRACE_INGEST_ORIGIN_H
#define VITRACE_INGEST_ORIGIN_H

#include "proto/wire/slice.h"

#define INGEST_ORIGIN_BYTES_MAX 255u

/* scheme "://" host [":" port]; "null" is not one. */
bool ingest_origin_is_valid(struct slice origin);
/* An origin, or one whose host begins with "*.", which stands for one or more labels. */
bool ingest_origin_rule_is_valid(struct slice rule);
/* `rule` is a valid one. */
bool ingest_origin_matches(struct slice rule, struct slice origin);

#endif
