/*
 * The segment under construction: a beacon written in place in the ring, with its dictionary.
 *
 *   | header | string | resource | string | string | event | ...            | vitals | ledger |
 *   '--------------- records of entries, up to the reserve -----------------'---- reserve ---'
 *
 * A record is a transaction: begin, intern its texts, append the record, end. The texts that it uses for the first time
 * stand before it. When anything does not fit, the whole transaction is undone and the caller seals and tries again in
 * a new segment, where the same texts are interned anew.
 */
#ifndef VITRACE_SEGMENT_H
#define VITRACE_SEGMENT_H

#include "proto/wire/beacon_decode.h" /* enum beacon_field */
#include "proto/wire/writer.h"
#include "wasm/core/dictionary.h"
#include "wasm/ring/ring.h"

/* What the seal appends: 5 vitals of 93 + 3 bytes (5 parts, load state), what INP adds (4 frame parts of 34, the longest
 * script of 31), a ledger of 202 + 3, and the vitals' texts (targets 3 x 256, name 64, URL 512; of the script URL 512,
 * function and invoker 128 each, type 64; each + 3) = 2,953. Records and strings are reserved alike: 9 texts, 5 vitals and
 * a ledger. */
#define SEGMENT_RESERVE_BYTES   3072u
#define SEGMENT_RESERVE_STRINGS 12u
#define SEGMENT_RESERVE_RECORDS 18u

/* A header of 1,302 + 3 bytes, and the reserve: 4,377. */
#define SEGMENT_LAID_BYTES_MAX 4608u

struct segment {
    struct ring_producer *ring;    /* NULL: laid over memory of the caller's, see segment_lay */
    struct dictionary *dictionary; /* NULL: no text is looked for, each use of one writes it again */
    uint32_t size;    /* committed bytes */
    uint32_t records; /* committed records, strings included */
    uint32_t entries; /* committed transactions of entries */
    uint32_t once;    /* bit n: field n is in it, of those that a beacon carries once */
    bool is_open;
    /* the transaction */
    uint8_t *base; /* first byte of the segment */
    uint32_t limit, strings_max, records_max;
    uint32_t pending_size, pending_records, pending_once;
    uint32_t strings, mark; /* ids given out, and how many there were at begin */
    bool failed;            /* sticky until the next begin */
};

void segment_init(struct segment *self, struct ring_producer *ring, struct dictionary *dictionary);
/* An open segment beside the ring: at most SEGMENT_LAID_BYTES_MAX at `memory`, never sealed. */
void segment_lay(struct segment *self, uint8_t *memory);
/* false: the ring is full. */
bool segment_open(struct segment *self, uint32_t seq);

/* `reserved`: may use the room that is kept for the seal. */
void segment_begin(struct segment *self, bool reserved);
/* The dictionary id of a text, cut to BEACON_STRING_BYTES_MAX; 0 for an empty text, or when the transaction failed. */
uint32_t segment_text(struct segment *self, struct slice text);
/* The same when the caller knows text_hash(text) already. */
uint32_t segment_text_hashed(struct segment *self, struct slice text, uint64_t hash);
/* The record itself, after its texts. At most one NAVIGATION fits a segment. */
void segment_append(struct segment *self, enum beacon_field field, struct slice body);
/* Commits. false: something did not fit, and nothing was written. */
bool segment_end(struct segment *self);
/* Undoes the transaction. */
void segment_cancel(struct segment *self);

/* Returns the size of the beacon. */
uint32_t segment_seal(struct segment *self);
/* The same, and the ring keeps it back. */
uint32_t segment_hold(struct segment *self);
void segment_abort(struct segment *self);

#endif
