/*
 * How a kind of inbox record becomes a record of the beacon, as a table: one row a field of the message, in order of
 * their numbers. The interpreter reads a word of the inbox, converts it, and writes the field at once; texts are
 * interned on the way, so their records stand in the segment before the record that uses them.
 *
 *   { field of the message, word of the inbox record, conversion, its limit }      ... {0} ends the table
 *
 * Bytes are nanopb's for the same message: every test and fuzz target that takes a beacon off the ring (rig.c) decodes
 * each record with nanopb, encodes it again and compares.
 */
#ifndef VITRACE_SHAPE_H
#define VITRACE_SHAPE_H

#include "proto/wire/writer.h"
#include "wasm/core/inbox_reader.h"

enum shape_as {
    /* references to the dictionary: the text as it is, or through scrub_url, scrub_name, scrub_text */
    SHAPE_TEXT,
    SHAPE_URL,
    SHAPE_NAME,
    SHAPE_QUOTING,
    /* texts in the message itself */
    SHAPE_STRING, /* limit: bytes at most */
    SHAPE_ROUTE,  /* the same, redacted like a path */
    SHAPE_PAGE_URL,
    SHAPE_PAGE_REFERRER,
    /* times */
    SHAPE_START,  /* the entry must have it; offsets count from it */
    SHAPE_TIME,   /* from the time origin, not negative */
    SHAPE_OFFSET, /* from the start; 0 = not disclosed */
    /* network phases: record_phases.h */
    SHAPE_PHASE, /* limit: its bit of absent_phases */
    SHAPE_ABSENT,
    SHAPE_FETCH,
    SHAPE_NEXT_PHASE,
    SHAPE_SECURE,
    /* numbers */
    SHAPE_COUNT,    /* 32 bits */
    SHAPE_SIZE,     /* 64 bits */
    SHAPE_DECODED,  /* a size, left out when equal to the row before */
    SHAPE_ENUM,     /* limit: the last member; a later one reads as 0 */
    SHAPE_ENUM_TOP, /* limit: the last member, which means "other" */
    SHAPE_NAVIGATION_TYPE,
    SHAPE_FLAG,
    SHAPE_POSITION, /* -1 = not known, left out */
    SHAPE_RATIO,    /* times 100, rounded */
    SHAPE_MEBIBYTES,
    SHAPE_CALL_TAG, /* of a URL */
    SHAPE_DOUBLE,
    SHAPE_NUMBER, /* a double, left out when the row before refers to a text */
    SHAPE_VALUE, /* a double that the entry must have */
    SHAPE_SCORE,
    /* submessages */
    SHAPE_CLAIM_META,  /* after SHAPE_CLAIMS */
    SHAPE_CLAIMS_CALL, /* word: the injected traceparent, and behind it the response's header */
    /* of children; limit: how many are written at most */
    SHAPE_CLAIMS,         /* of SERVER_TIMING */
    SHAPE_SERVER_TIMINGS, /* those that are no claims */
    SHAPE_ATTRIBUTES,
    SHAPE_SCRIPTS
};

struct shape_row {
    uint8_t field, word, as, limit;
};

struct core;
/* `start_us`: what offsets count from until a row is SHAPE_START. Marks the record bad when a word is. */
void shape_write(struct core *core, const struct shape_row *rows, struct inbox_record *record, int64_t start_us,
                 struct writer *out);

#endif
