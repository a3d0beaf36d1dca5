/*
 * Private to collector/otlp.
 *
 *   otlp_handle    one HTTP exchange: headers -> request -> append -> answer when durable
 *   otlp_call      one gRPC call, likewise
 *   otlp_request   whatever carried it: open the body, read every span once, append; and the refusals
 *   inflate        gzip or zstd -> bytes        both into a body that counts against one budget for the whole stage
 *   otlp_json      JSON -> protobuf
 *   otlp_reader    batch -> resource -> scope -> span, no recursion
 *   otlp_span      one Span message, and the attributes that Vitrace keeps
 *   otlp_response  the bytes of the messages that it answers with
 */
#ifndef VITRACE_OTLP_INTERNAL_H
#define VITRACE_OTLP_INTERNAL_H

#include "collector/base/jitter.h"
#include "collector/inflate/inflate.h"
#include "collector/otlp/otlp.h"

/*
 * Inflated or converted requests held at one time, all exchanges together: 16 of the largest. An exchange holds its
 * body until its append is durable (about one fdatasync), so 64 MiB carry some thousands of usual batches (10-200 KB)
 * per commit. Beyond it: 503, and the exporter comes back. Without it 10,000 connections could ask for 40 GiB.
 */
#define OTLP_BODY_BYTES_TOTAL_MAX ((uint64_t)16 * OTLP_REQUEST_BYTES_MAX)
#define OTLP_GZIP_LIMITS ((struct inflate_limits){OTLP_REQUEST_BYTES_MAX, INFLATE_DEFLATE_RATIO_MAX})
/* No ratio: whatever zstd makes of it, up to the largest request. */
#define OTLP_ZSTD_LIMITS ((struct inflate_limits){OTLP_REQUEST_BYTES_MAX, OTLP_REQUEST_BYTES_MAX})

struct otlp {
    struct append_sink sink;
    struct counters *counters;
    struct inflate_budget bodies;
    struct jitter jitter;
};

/* Nothing is held unless the answer is INFLATE_OK. `out` must be zero or released. */
enum inflate_status otlp_json_convert(struct inflate_budget *bodies, struct slice json, struct inflate_body *out);

/*
 * Why a request is refused. R(ID, code, HTTP status, gRPC status, seconds to stay away or 0, message). Exporters retry 503
 * and UNAVAILABLE, and drop everything else: so a refusal is that exactly when the same bytes may be welcome later. They
 * are told to stay away for up to twice the seconds, each for another time (Retry-After, and RetryInfo over gRPC).
 */
#define OTLP_REFUSALS(R)                                                                                               \
    R(MEDIA_TYPE, "media_type", 415, GRPC_UNIMPLEMENTED, 0,                                                            \
      "content-type must be application/x-protobuf or application/json")                                               \
    R(ENCODING, "encoding", 415, GRPC_UNIMPLEMENTED, 0, "content-encoding must be gzip, zstd or absent")               \
    R(COMPRESSED, "compressed", 400, GRPC_INVALID_ARGUMENT, 0, "the body is not valid in its content-encoding")        \
    R(JSON, "json", 400, GRPC_INVALID_ARGUMENT, 0,                                                                     \
      "the body is not an ExportTraceServiceRequest in JSON of at most 64 levels")                                     \
    R(MALFORMED, "malformed", 400, GRPC_INVALID_ARGUMENT, 0, "the body is not an ExportTraceServiceRequest")           \
    R(TOO_LARGE, "too_large", 413, GRPC_RESOURCE_EXHAUSTED, 0,                                                         \
      "more than 4 MiB after decompression: export smaller batches")                                                   \
    R(BUSY, "busy", 503, GRPC_UNAVAILABLE, 1, "too many requests under way")                                           \
    R(DISK_FULL, "disk_full", 503, GRPC_UNAVAILABLE, 30, "no disk space left for the log")                             \
    R(IO_ERROR, "io_error", 503, GRPC_UNAVAILABLE, 5, "the log could not be written")                                  \
    R(STOPPING, "stopping", 503, GRPC_UNAVAILABLE, 5, "the collector is stopping")
#define OTLP_REFUSAL_ENUM(id, code, http, grpc, retry, message) OTLP_REFUSED_##id,
enum otlp_refusal { OTLP_REFUSED_NOT = -1, OTLP_REFUSALS(OTLP_REFUSAL_ENUM) OTLP_REFUSAL_COUNT };

struct otlp_refusal_row {
    enum counter counter;
    const char *code;
    int http_status;
    unsigned grpc_code;
    unsigned retry_s;
    const char *message;
};
extern const struct otlp_refusal_row otlp_refusal_rows[OTLP_REFUSAL_COUNT];

/* One request under way, in memory that lives until it is answered. `append` is first: done() finds the rest by it. */
struct otlp_request {
    struct append append;
    struct otlp *otlp;
    struct inflate_body inflated, converted;
    uint64_t accepted, rejected;
};

enum otlp_format { OTLP_PROTOBUF, OTLP_JSON };
enum otlp_encoding { OTLP_IDENTITY, OTLP_GZIP, OTLP_ZSTD };

/* Opens `body`, which is borrowed until the answer, and reads every span. With spans accepted, append next. */
enum otlp_refusal otlp_request_open(struct otlp_request *self, struct slice body, enum otlp_encoding encoding,
                                    enum otlp_format format);
/* `peer` is cut to its network here. done() runs on another thread, once; then ask otlp_request_result() on ours. */
void otlp_request_append(struct otlp_request *self, const uint8_t *peer, void (*done)(struct append *append));
/* The append's outcome. */
enum otlp_refusal otlp_request_result(const struct otlp_request *self);
/* Gives its memory back and counts the outcome; the counts of spans stay. */
void otlp_request_close(struct otlp_request *self, enum otlp_refusal why);

/* Both read whole messages. OTLP_SPAN, OTLP_BAD_SPAN or OTLP_MALFORMED. */
enum otlp_read_status otlp_span_decode(struct slice message, struct otlp_span *span);
/* Sets *service_name to the last service.name of a Resource message, and leaves it alone when there is none. */
enum otlp_read_status otlp_resource_decode(struct slice message, struct slice *service_name);
bool otlp_text_valid(struct slice text); /* UTF-8 without surrogates or overlong forms */

/* The largest answer: a Status with a message of OTLP_MESSAGE_BYTES_MAX, its tags, and as JSON. */
#define OTLP_MESSAGE_BYTES_MAX  200u
#define OTLP_RESPONSE_BYTES_MAX 320u

struct otlp_response {
    uint8_t bytes[OTLP_RESPONSE_BYTES_MAX];
    size_t size;
};

/* ExportTraceServiceResponse: partial_success is left out when every span was taken, because its presence is what tells
 * a client that some were not. */
void otlp_response_accept(struct otlp_response *self, enum otlp_format format, uint64_t accepted, uint64_t rejected);
/* google.rpc.Status. `message` is ASCII without control characters, quotes or backslashes. */
void otlp_response_refuse(struct otlp_response *self, enum otlp_format format, unsigned grpc_code,
                          struct slice message);

#endif
