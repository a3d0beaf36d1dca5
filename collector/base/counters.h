/*
 * The daemon's metrics: a fixed set of counters and gauges, so /metrics has a constant number of lines whatever clients
 * send. One table row per series; any thread may add. Owned by app.c and passed down.
 */
#ifndef VITRACE_BASE_COUNTERS_H
#define VITRACE_BASE_COUNTERS_H

#include "collector/base/histogram.h"

/* C(ID, name, labels, type, help). Rows of one metric stand together. */
#define COUNTERS(C)                                                                                                    \
    C(BEACONS_RECEIVED, "vitrace_beacons_received_total", "", "counter", "Beacon requests that reached the handler.")  \
    C(BEACONS_ACKED, "vitrace_beacons_acked_total", "", "counter", "Beacons answered 204, durable.")                   \
    C(BEACONS_DUPLICATE, "vitrace_beacons_deduplicated_total", "", "counter", "Beacons stored before: 204, not stored again.") \
    C(BEACON_BYTES, "vitrace_beacon_bytes_total", "", "counter", "Bytes of accepted beacons.")                         \
    C(REJECTED_EMPTY, "vitrace_beacons_rejected_total", "{reason=\"empty\"}", "counter", "Beacons refused, by reason.") \
    C(REJECTED_TOO_LARGE, "vitrace_beacons_rejected_total", "{reason=\"too_large\"}", "counter", "")                   \
    C(REJECTED_TRUNCATED, "vitrace_beacons_rejected_total", "{reason=\"truncated\"}", "counter", "")                   \
    C(REJECTED_MALFORMED, "vitrace_beacons_rejected_total", "{reason=\"malformed\"}", "counter", "")                   \
    C(REJECTED_NO_HEADER, "vitrace_beacons_rejected_total", "{reason=\"no_header\"}", "counter", "")                   \
    C(REJECTED_BAD_VERSION, "vitrace_beacons_rejected_total", "{reason=\"bad_version\"}", "counter", "")               \
    C(REJECTED_BAD_HEADER, "vitrace_beacons_rejected_total", "{reason=\"bad_header\"}", "counter", "")                 \
    C(REJECTED_BAD_REFERENCE, "vitrace_beacons_rejected_total", "{reason=\"bad_reference\"}", "counter", "")           \
    C(REJECTED_BAD_STRING, "vitrace_beacons_rejected_total", "{reason=\"bad_string\"}", "counter", "")                 \
    C(REJECTED_OUT_OF_RANGE, "vitrace_beacons_rejected_total", "{reason=\"out_of_range\"}", "counter", "")             \
    C(REJECTED_UNKNOWN_APP, "vitrace_beacons_rejected_total", "{reason=\"unknown_app\"}", "counter", "")               \
    C(REJECTED_ORIGIN, "vitrace_beacons_rejected_total", "{reason=\"origin\"}", "counter", "")                         \
    C(REJECTED_MEDIA_TYPE, "vitrace_beacons_rejected_total", "{reason=\"media_type\"}", "counter", "")                 \
    C(REJECTED_ENCODING, "vitrace_beacons_rejected_total", "{reason=\"encoding\"}", "counter", "")                     \
    C(REJECTED_COMPRESSED, "vitrace_beacons_rejected_total", "{reason=\"compressed\"}", "counter", "")                 \
    C(REJECTED_NOT_STARTED, "vitrace_beacons_rejected_total", "{reason=\"not_started\"}", "counter", "")               \
    C(REJECTED_UNKNOWN_DOCUMENT, "vitrace_beacons_rejected_total", "{reason=\"unknown_document\"}", "counter", "")     \
    C(REJECTED_OUT_OF_ORDER, "vitrace_beacons_rejected_total", "{reason=\"out_of_order\"}", "counter", "")             \
    C(REJECTED_KEY, "vitrace_beacons_rejected_total", "{reason=\"key\"}", "counter", "")                               \
    C(REJECTED_SHED, "vitrace_beacons_rejected_total", "{reason=\"shed\"}", "counter", "")                             \
    C(RATE_IP, "vitrace_beacons_rejected_total", "{reason=\"rate_ip\"}", "counter", "")                                \
    C(RATE_APP, "vitrace_beacons_rejected_total", "{reason=\"rate_app\"}", "counter", "")                              \
    C(RATE_GLOBAL, "vitrace_beacons_rejected_total", "{reason=\"rate_global\"}", "counter", "")                        \
    C(REJECTED_UNAVAILABLE, "vitrace_beacons_rejected_total", "{reason=\"unavailable\"}", "counter", "")               \
    C(SHED_LEVEL, "vitrace_shed_level", "", "gauge", "Of 256: how much of the beacons overload sheds now.")            \
    C(DUPLICATES_UNTOLD, "vitrace_beacons_deduplicated_untold_total", "", "counter", "Of the deduplicated, those that no view's statement shows: too many views at once.") \
    C(RAW_BODIES, "vitrace_raw_bodies_total", "", "counter", "Raw inboxes whose beacons are durable.")                  \
    C(RAW_DUPLICATE, "vitrace_raw_bodies_deduplicated_total", "", "counter", "Raw inboxes taken before: 204, not taken again.") \
    C(RAW_BEACONS, "vitrace_raw_beacons_total", "", "counter", "Beacons that the core derived here from raw inboxes.") \
    C(RAW_MISSING, "vitrace_raw_bodies_missing_total", "", "counter", "Raw inboxes that never came before a later one.") \
    C(RAW_EVICTED, "vitrace_raw_documents_evicted_total", "", "counter", "Documents forgotten to make room for others.") \
    C(RAW_DOCUMENTS, "vitrace_raw_documents", "", "gauge", "Documents that the core is kept for.")                      \
    C(RAW_MEMORY, "vitrace_raw_memory_bytes", "", "gauge", "Memory of these documents.")                               \
    C(VIEWS_CRASHED, "vitrace_views_crashed_total", "", "counter", "Views whose crash snapshot came, and no final beacon before it.") \
    C(VIEWS_RECOVERED, "vitrace_views_recovered_total", "", "counter", "Of these, views that sent a beacon afterwards.") \
    C(SPANS_REQUESTS, "vitrace_spans_requests_total", "", "counter", "OTLP export requests that reached the handler.") \
    C(SPANS_ACCEPTED, "vitrace_spans_accepted_total", "", "counter", "Spans made durable.")                            \
    C(SPANS_REJECTED, "vitrace_spans_rejected_total", "", "counter", "Spans refused inside accepted requests.")        \
    C(SPANS_MEDIA_TYPE, "vitrace_spans_requests_rejected_total", "{reason=\"media_type\"}", "counter", "OTLP requests refused whole, by reason.") \
    C(SPANS_ENCODING, "vitrace_spans_requests_rejected_total", "{reason=\"encoding\"}", "counter", "")                  \
    C(SPANS_COMPRESSED, "vitrace_spans_requests_rejected_total", "{reason=\"compressed\"}", "counter", "")              \
    C(SPANS_JSON, "vitrace_spans_requests_rejected_total", "{reason=\"json\"}", "counter", "")                          \
    C(SPANS_MALFORMED, "vitrace_spans_requests_rejected_total", "{reason=\"malformed\"}", "counter", "")                \
    C(SPANS_TOO_LARGE, "vitrace_spans_requests_rejected_total", "{reason=\"too_large\"}", "counter", "")                \
    C(SPANS_BUSY, "vitrace_spans_requests_rejected_total", "{reason=\"busy\"}", "counter", "")                          \
    C(SPANS_DISK_FULL, "vitrace_spans_requests_rejected_total", "{reason=\"disk_full\"}", "counter", "")                \
    C(SPANS_IO_ERROR, "vitrace_spans_requests_rejected_total", "{reason=\"io_error\"}", "counter", "")                  \
    C(SPANS_STOPPING, "vitrace_spans_requests_rejected_total", "{reason=\"stopping\"}", "counter", "")                  \
    C(HTTP_CONNECTIONS, "vitrace_connections", "", "gauge", "Open client connections.")                                \
    C(HTTP_FULL, "vitrace_connections_refused_total", "{reason=\"full\"}", "counter", "Connections turned away at once.") \
    C(HTTP_FULL_IP, "vitrace_connections_refused_total", "{reason=\"full_ip\"}", "counter", "")                        \
    C(TLS_HANDSHAKES, "vitrace_tls_handshakes_total", "", "counter", "TLS handshakes done.")                           \
    C(TLS_RESUMED, "vitrace_tls_resumed_total", "", "counter", "Of these, by a ticket.")                               \
    C(TLS_PLAIN, "vitrace_tls_handshakes_failed_total", "{reason=\"plain_http\"}", "counter", "TLS handshakes that failed, by reason.") \
    C(TLS_VERSION, "vitrace_tls_handshakes_failed_total", "{reason=\"version\"}", "counter", "")                       \
    C(TLS_CIPHER, "vitrace_tls_handshakes_failed_total", "{reason=\"cipher\"}", "counter", "")                         \
    C(TLS_PROTOCOL, "vitrace_tls_handshakes_failed_total", "{reason=\"protocol\"}", "counter", "")                     \
    C(TLS_ALERT, "vitrace_tls_handshakes_failed_total", "{reason=\"alert\"}", "counter", "")                           \
    C(TLS_MALFORMED, "vitrace_tls_handshakes_failed_total", "{reason=\"malformed\"}", "counter", "")                   \
    C(TLS_CLOSED, "vitrace_tls_handshakes_failed_total", "{reason=\"closed\"}", "counter", "")                         \
    C(TLS_TIMEOUT, "vitrace_tls_handshakes_failed_total", "{reason=\"timeout\"}", "counter", "")                       \
    C(TLS_MEMORY, "vitrace_tls_handshakes_failed_total", "{reason=\"memory\"}", "counter", "")                         \
    C(TLS_EXPIRY, "vitrace_tls_certificate_expiry_seconds", "", "gauge", "When the certificate expires, in seconds since 1970; 0 = no TLS.") \
    C(HTTP_REQUESTS, "vitrace_http_requests_total", "", "counter", "Requests parsed.")                                 \
    C(HTTP_BAD_REQUESTS, "vitrace_http_bad_requests_total", "{reason=\"parse\"}", "counter", "Requests refused before routing.") \
    C(HTTP_BODY_TOO_LARGE, "vitrace_http_bad_requests_total", "{reason=\"body_too_large\"}", "counter", "")            \
    C(HTTP_HEADERS_TOO_LARGE, "vitrace_http_bad_requests_total", "{reason=\"headers_too_large\"}", "counter", "")      \
    C(HTTP_NOT_FOUND, "vitrace_http_bad_requests_total", "{reason=\"not_found\"}", "counter", "")                      \
    C(HTTP_METHOD, "vitrace_http_bad_requests_total", "{reason=\"method\"}", "counter", "")                            \
    C(HTTP_TIMEOUT, "vitrace_http_bad_requests_total", "{reason=\"timeout\"}", "counter", "")                          \
    C(HTTP_BUSY, "vitrace_http_bad_requests_total", "{reason=\"busy\"}", "counter", "")                                \
    C(HTTP_SLOW_BODY, "vitrace_http_bad_requests_total", "{reason=\"slow_body\"}", "counter", "")                      \
    C(HTTP_HOST, "vitrace_http_bad_requests_total", "{reason=\"host\"}", "counter", "")                                \
    C(HTTP2_CONNECTIONS, "vitrace_http2_connections", "", "gauge", "Of the open client connections, those that speak HTTP/2; without gRPC's.") \
    C(HTTP2_REFUSED, "vitrace_http2_streams_refused_total", "", "counter", "HTTP/2 streams refused unread: too many requests under way.") \
    C(HTTP2_PROTOCOL, "vitrace_http2_connections_ended_total", "{reason=\"protocol\"}", "counter", "HTTP/2 connections ended for what the client did.") \
    C(HTTP2_FLOOD, "vitrace_http2_connections_ended_total", "{reason=\"flood\"}", "counter", "")                     \
    C(ADMIN_NO_TOKEN, "vitrace_admin_unauthorized_total", "{reason=\"no_token\"}", "counter", "Admin requests without a right token.") \
    C(ADMIN_TOKEN, "vitrace_admin_unauthorized_total", "{reason=\"token\"}", "counter", "")                             \
    C(ADMIN_JWT_MALFORMED, "vitrace_admin_unauthorized_total", "{reason=\"jwt_malformed\"}", "counter", "")             \
    C(ADMIN_JWT_ALGORITHM, "vitrace_admin_unauthorized_total", "{reason=\"jwt_algorithm\"}", "counter", "")             \
    C(ADMIN_JWT_SIGNATURE, "vitrace_admin_unauthorized_total", "{reason=\"jwt_signature\"}", "counter", "")             \
    C(ADMIN_JWT_EXPIRED, "vitrace_admin_unauthorized_total", "{reason=\"jwt_expired\"}", "counter", "")                 \
    C(ADMIN_JWT_NOT_YET, "vitrace_admin_unauthorized_total", "{reason=\"jwt_not_yet\"}", "counter", "")                 \
    C(ADMIN_JWT_ISSUER, "vitrace_admin_unauthorized_total", "{reason=\"jwt_issuer\"}", "counter", "")                   \
    C(ADMIN_JWT_AUDIENCE, "vitrace_admin_unauthorized_total", "{reason=\"jwt_audience\"}", "counter", "")               \
    C(ADMIN_LIMITED, "vitrace_admin_unauthorized_total", "{reason=\"rate_ip\"}", "counter", "")                         \
    C(LOG_BYTES, "vitrace_log_bytes", "", "gauge", "Bytes of the log on disk.")                                        \
    C(LOG_SEGMENTS, "vitrace_log_segments", "", "gauge", "Segment files of the log.")                                  \
    C(LOG_COMMITS, "vitrace_log_commits_total", "", "counter", "Group commits (one fdatasync each).")                  \
    C(LOG_RECORDS, "vitrace_log_records_total", "", "counter", "Records appended.")                                    \
    C(LOG_POISONED, "vitrace_log_poisoned_total", "", "counter", "Segments closed after an I/O error.")                \
    C(LOG_REFUSING, "vitrace_log_refusing", "", "gauge", "1 while the last append was refused.")                       \
    C(LOG_REFUSED, "vitrace_log_refused_records_total", "", "counter", "Records that could not be made durable.")     \
    C(LOG_CORRUPT, "vitrace_log_corrupt_records_total", "", "counter", "Damaged places met while the index read the log.") \
    C(LOG_RECOVERED, "vitrace_log_recovered_records_total", "", "counter", "Valid records found at start.")            \
    C(LOG_TORN_BYTES, "vitrace_log_torn_bytes_total", "", "counter", "Bytes cut from a torn tail at start.")           \
    C(LOG_REMOVED_AGE, "vitrace_log_removed_segments_total", "{reason=\"age\"}", "counter", "Segments removed by retention.") \
    C(LOG_REMOVED_BYTES, "vitrace_log_removed_segments_total", "{reason=\"bytes\"}", "counter", "")                    \
    C(LOG_REMOVED_UNREAD, "vitrace_log_removed_unread_segments_total", "", "counter", "Of these, before the index had read them.") \
    C(LOG_HEADROOM_REFUSED, "vitrace_log_headroom_refused_total", "", "counter", "Appends refused to keep space for final beacons.") \
    C(SINK_POSITION, "vitrace_sink_position_bytes", "", "gauge", "Log position up to which the index is built.")       \
    C(SINK_ERRORS, "vitrace_sink_errors_total", "", "counter", "Records that the index could not take.")               \
    C(OVERFLOW_APP, "vitrace_cardinality_overflow_total", "{column=\"app\"}", "counter", "Beacons that the index has no name for: not indexed (app), or counted under (other).") \
    C(OVERFLOW_ROUTE, "vitrace_cardinality_overflow_total", "{column=\"route\"}", "counter", "")                         \
    C(JOIN_EXACT_PARENT, "vitrace_join_total", "{level=\"exact_parent\"}", "counter", "Requests joined, by level.")    \
    C(JOIN_EXACT_TRACE, "vitrace_join_total", "{level=\"exact_trace\"}", "counter", "")                                \
    C(JOIN_NONE, "vitrace_join_total", "{level=\"none\"}", "counter", "")                                              \
    C(JOIN_PENDING, "vitrace_join_pending", "", "gauge", "Claims that wait for their spans.")                          \
    C(JOIN_EVICTED, "vitrace_join_evicted_total", "", "counter", "Claims or spans dropped from the join window when full.")

#define COUNTERS_ENUM(id, name, labels, type, help) COUNTER_##id,
enum counter { COUNTERS(COUNTERS_ENUM) COUNTER_COUNT };

struct counters {
    _Atomic uint64_t value[COUNTER_COUNT];
    struct histogram ingest_seconds; /* from the beginning of a beacon's guards to its durable answer */
};

void counters_add(struct counters *self, enum counter id, uint64_t amount);
void counters_set(struct counters *self, enum counter id, uint64_t value); /* gauges */
uint64_t counters_find(const struct counters *self, enum counter id);
/* The series' name, and the value of its one label (empty = it has none). */
const char *counters_name(enum counter id);
struct slice counters_label(enum counter id);
/* Prometheus text exposition format 0.0.4. */
void counters_write(const struct counters *self, struct buf *out);

#endif
