/*
 * The shared layout of the ring: what the core (C), the worker (JS) and the exit path (JS) agree on. RING.md has the
 * drawing, the state diagram and the memory-order argument. Little-endian, naturally aligned, 32-bit words, so that JS
 * reads it as one Int32Array and uses Atomics on it.
 *
 *   0    struct ring_header   (two cache lines: producer's words, then the words that others write)
 *   128  struct ring_segment  [RING_SEGMENTS]
 *   ...  data                 [RING_DATA_BYTES], segments lie in it whole, never across the end
 */
#ifndef VITRACE_RING_LAYOUT_H
#define VITRACE_RING_LAYOUT_H

#include <stdint.h>

#define RING_MAGIC 0x52545631u /* "1VTR" in memory */
#define RING_SEGMENTS 32u
/* 128 KiB: eight full segments, so a worker may be 8 x 16 KiB behind before the producer sees "full". */
#define RING_DATA_BYTES 131072u
#define RING_CACHE_LINE 64u
/* HELD segments leave room: half of the data, at most 16,383 bytes skipped at the end, and so 48 KiB in at most two
 * runs, of which one takes a full segment, twice. */
#define RING_HELD_SEGMENTS (RING_SEGMENTS / 2)
#define RING_HELD_BYTES    (RING_DATA_BYTES / 2)

/* Who makes each transition: see RING.md. */
enum ring_state {
    RING_FREE = 0,   /* reusable; producer -> OPEN */
    RING_OPEN = 1,   /* the producer writes records; producer -> SEALED or HELD */
    RING_SEALED = 2, /* complete; whoever wins the CAS -> TAKEN */
    RING_TAKEN = 3,  /* being sent by one consumer; that consumer -> ACKED, or back to SEALED to try again */
    RING_ACKED = 4,  /* durable at the collector, or given up and counted; producer -> FREE, in order */
    RING_HELD = 5    /* complete, and not for consumers until the producer says so: producer -> SEALED or FREE */
};

struct ring_segment {
    uint32_t state;  /* atomic, enum ring_state */
    uint32_t offset; /* of the first byte in data */
    uint32_t size;   /* bytes of the beacon; valid once it is no longer OPEN */
    uint32_t seq;    /* Header.seq, for logs and tests */
};

struct ring_header {
    /* written by the producer */
    uint32_t magic;
    uint32_t segments;   /* RING_SEGMENTS */
    uint32_t data_bytes; /* RING_DATA_BYTES */
    uint32_t data_offset; /* of data from the header */
    uint32_t sealed;     /* atomic: position after the newest sealed segment; what the worker sleeps on */
    uint32_t stopped;    /* atomic: 1 = no more segments will come, the worker may end */
    uint32_t producer_pad[10];
    /* written by consumers, read by the producer for the ledger */
    uint32_t sent;      /* atomic: segments acked by the collector */
    uint32_t abandoned; /* atomic: segments given up after retries */
    uint32_t retries;   /* atomic */
    uint32_t consumer_pad[13];
};

_Static_assert(sizeof(struct ring_segment) == 16, "ring_segment is 4 words");
_Static_assert(sizeof(struct ring_header) == 2 * RING_CACHE_LINE, "ring_header is two cache lines");

#endif
