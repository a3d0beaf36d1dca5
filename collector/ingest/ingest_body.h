/*
 * The body of a beacon request, opened. What it is stands in its first bytes, so that a page may compress without a
 * header that would cost it a CORS preflight:
 *
 *   0a            a Beacon (the tag of its header), or not ours: taken as it is, the decoder judges
 *   1f 8b         gzip          \
 *   78 xx         zlib           > inflated, one layer, within the limits
 *   28 b5 2f fd   zstd          /
 *   "VTRI"        a raw inbox, see collector/raw/raw.h
 *
 * A Content-Encoding, when there is one, must say the same.
 */
#ifndef VITRACE_INGEST_BODY_H
#define VITRACE_INGEST_BODY_H

#include "collector/inflate/inflate.h"

/* An inflated body is a beacon of 16 KiB or a raw inbox of 60,000 bytes; real ones shrink to a third or a tenth, so a
 * body that grows a hundredfold is nobody's telemetry. */
#define INGEST_BODY_INFLATED_BYTES_MAX 65536u
#define INGEST_BODY_RATIO_MAX          100u
/* Inflated bodies held at one time, from the first guard to the durable append: 1,024 of the largest. */
#define INGEST_BODY_BYTES_TOTAL_MAX ((uint64_t)64 << 20)

enum ingest_body_status {
    INGEST_BODY_OK = 0,
    INGEST_BODY_ENCODING,   /* a Content-Encoding that is not read here */
    INGEST_BODY_MISMATCH,   /* the bytes are not what Content-Encoding says */
    INGEST_BODY_COMPRESSED, /* cut short, or damaged */
    INGEST_BODY_TOO_LARGE,
    INGEST_BODY_BUSY
};

/*
 * `encoding`: the header's value, empty = none. *plain borrows from `body`, or from `inflated`, which the caller
 * releases; it must be zero. Nothing is held unless the answer is INGEST_BODY_OK.
 */
enum ingest_body_status ingest_body_open(struct inflate_budget *budget, struct slice encoding, struct slice body,
                                         struct inflate_body *inflated, struct slice *plain);

#endif
