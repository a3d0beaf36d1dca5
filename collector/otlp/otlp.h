/*
 * OTLP traces over HTTP (POST /v1/traces: protobuf or JSON, plain, gzip or zstd) and gRPC, and the bounded reader that
 * the sinks use. Spans are appended to the log as they came (inflated; JSON as protobuf, see otlp_json.c) and acked
 * when durable.
 */
#ifndef VITRACE_OTLP_H
#define VITRACE_OTLP_H

#include "collector/base/append.h"
#include "collector/base/counters.h"
#include "collector/grpc/grpc.h"
#include "collector/net/net.h"
#include "proto/wire/walk.h"

#define OTLP_REQUEST_BYTES_MAX (4u << 20) /* after decompression */

struct otlp;
/* `memory`: borrowed; NULL = not accounted. */
struct otlp *otlp_new(struct append_sink sink, struct counters *counters, struct memory *memory);
void otlp_free(struct otlp *self);
/* net_handler; context is the otlp. Answers as the OTLP specification says (content type, Status, partial success). */
void otlp_handle(void *self, struct net_exchange *exchange);
/* grpc_handler of the method below; context is the otlp. */
#define OTLP_EXPORT_METHOD "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
void otlp_call(void *self, struct grpc_call *call);

/* What Vitrace keeps of a span. Slices borrow from the request. */
struct otlp_span {
    uint8_t trace_id[16], span_id[8], parent_span_id[8]; /* parent all zero = root */
    uint32_t flags;
    uint32_t kind; /* SpanKind: 1 internal 2 server 3 client 4 producer 5 consumer */
    uint64_t start_unix_ns, end_unix_ns;
    struct slice name;
    uint32_t status_code; /* 0 unset 1 ok 2 error */
    struct slice service_name, http_method, http_route, url_path, db_system, db_query, peer_service;
    uint32_t http_status;
};

enum otlp_read_status { OTLP_SPAN = 1, OTLP_END = 0, OTLP_BAD_SPAN = -1, OTLP_MALFORMED = -2 };

/*
 * One pass over the spans of an ExportTraceServiceRequest. A bad span (an id of the wrong size or all zero, a kept
 * string that is not UTF-8) is reported and skipped, never the batch; `span` is then not to be used. OTLP_MALFORMED
 * says that the bytes are not protobuf at that place; it is final, every later call answers the same.
 */
struct otlp_reader {
    struct slice request;
    /* private to otlp_reader.c: one cursor per level, and what the spans of this ResourceSpans share */
    struct walk batch, resource_spans, scope_spans;
    struct slice service_name;
    bool service_name_bad, malformed;
};
void otlp_reader_init(struct otlp_reader *self, struct slice request);
enum otlp_read_status otlp_reader_next(struct otlp_reader *self, struct otlp_span *span);

#endif
