/*
 * Private to collector/otlp.
 *
 *   otlp_handle    one export request: headers -> inflate -> read every span once -> append -> answer when durable
 *   otlp_inflate   gzip into a buffer that counts against one budget for the whole stage
 *   otlp_reader    batch -> resource -> scope -> span, no recursion
 *   otlp_span      one Span message, and the attributes that Vitrace keeps
 *   otlp_response  the bytes of the three messages that it answers with
 */
#ifndef VITRACE_OTLP_INTERNAL_H
#define VITRACE_OTLP_INTERNAL_H

#include "collector/otlp/otlp.h"

/*
 * Inflated requests held at one time, all exchanges together: 16 of the largest. An exchange holds its buffer from
 * inflate until its append is durable (about one fdatasync), so 64 MiB carry some thousands of usual batches (10-200
 * KB) per commit. Beyond it: 503, and the exporter comes back. Without it 10,000 connections could ask for 40 GiB.
 */
#define OTLP_INFLATE_BYTES_TOTAL_MAX ((uint64_t)16 * OTLP_REQUEST_BYTES_MAX)
/* Deflate cannot do better than 1032:1, so a small body never reserves the whole OTLP_REQUEST_BYTES_MAX. */
#define OTLP_DEFLATE_RATIO_MAX 1032u

struct otlp {
    struct append_sink sink;
    struct counters *counters;
    _Atomic uint64_t inflate_bytes; /* relaxed: a budget, it orders nothing */
};

/* One inflated request. `room` counts against the otlp's budget until otlp_inflated_release(). */
struct otlp_inflated {
    uint8_t *data;
    size_t size, room;
};

enum otlp_inflate_status {
    OTLP_INFLATE_OK = 0,
    OTLP_INFLATE_MALFORMED, /* not gzip, cut short, or a checksum differs */
    OTLP_INFLATE_TOO_LARGE, /* over OTLP_REQUEST_BYTES_MAX */
    OTLP_INFLATE_BUSY       /* budget or memory used up: later */
};

/* Nothing is held unless the answer is OTLP_INFLATE_OK. `self` must be zero or released. */
enum otlp_inflate_status otlp_inflate(struct otlp *otlp, struct slice gzip, struct otlp_inflated *self);
void otlp_inflated_release(struct otlp *otlp, struct otlp_inflated *self);

/* Both read whole messages. OTLP_SPAN, OTLP_BAD_SPAN or OTLP_MALFORMED. */
enum otlp_read_status otlp_span_decode(struct slice message, struct otlp_span *span);
/* Sets *service_name to the last service.name of a Resource message, and leaves it alone when there is none. */
enum otlp_read_status otlp_resource_decode(struct slice message, struct slice *service_name);
bool otlp_text_valid(struct slice text); /* UTF-8 without surrogates or overlong forms */

/* The largest answer: a Status with a message of OTLP_MESSAGE_BYTES_MAX, its tags, and as JSON. */
#define OTLP_MESSAGE_BYTES_MAX  200u
#define OTLP_RESPONSE_BYTES_MAX 256u

struct otlp_response {
    uint8_t bytes[OTLP_RESPONSE_BYTES_MAX];
    size_t size;
};

/* `message` is ASCII without control characters, quotes or backslashes: it stands in JSON as it is. */
void otlp_response_partial(struct otlp_response *self, uint64_t rejected_spans, struct slice message);
void otlp_response_status(struct otlp_response *self, unsigned grpc_code, struct slice message);
void otlp_response_status_json(struct otlp_response *self, unsigned grpc_code, struct slice message);

#endif
