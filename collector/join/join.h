/*
 * The joiner: claims ("this request belongs to trace T") meet spans, in either order of arrival, with the same result.
 * In memory, bounded, derived: rebuilt by replaying the log. It decides levels and reasons and never changes a span.
 *
 * Levels (first that holds over the ids of one request):
 *   exact_parent  trace ids equal, and the claimed span id is the parent of a SERVER span (the SDK injected it)
 *   exact_trace   the claimed trace has a SERVER (or root) span; the claimed span id, when it resolves, picks which
 *   none          with a reason
 */
#ifndef VITRACE_JOIN_H
#define VITRACE_JOIN_H

#include "collector/base/counters.h"
#include "proto/wire/slice.h"

enum join_level { JOIN_NONE = 0, JOIN_EXACT_TRACE = 1, JOIN_EXACT_PARENT = 2 };

/* J(ID, name) */
#define JOIN_REASONS(J)                                                                                                \
    J(JOINED, "joined")                                                                                                \
    J(PENDING, "pending")                     /* the span may still come: 10 minutes */                                \
    J(NO_SPAN, "no_span")                     /* it did not */                                                         \
    J(KNOWN_UNSAMPLED, "known_unsampled")     /* flags 00 and nothing arrived */                                       \
    J(STALE_HTTP_CACHE, "stale_http_cache")   /* served from the browser's cache: the id is of an older response */    \
    J(NETWORK_ERROR, "network_error")                                                                                  \
    J(MASKED_NO_TAO, "masked_no_tao")         /* cross-origin without Timing-Allow-Origin */                           \
    J(NO_HEADER, "no_header")                 /* first-party, no trace id in the response */                           \
    J(THIRD_PARTY, "third_party")                                                                                      \
    J(NOT_SENT, "not_sent")                   /* injected, but the response carries another trace */                   \
    J(EXPIRED, "expired")                     /* evicted from a full window before its span came */                    \
    J(STALE_SHARED_CACHE, "stale_shared_cache") /* the span that the response names began at another time: a cache     \
                                                   between gave an older response to this page, too */                 \
    J(BLOCKED_CORS_PREFLIGHT, "blocked_cors_preflight") /* an injected call to another origin failed below HTTP */     \
    J(NO_ENTRY_BODY_UNREAD, "no_entry_body_unread") /* a call without ids, and without an entry: Chromium gives none   \
                                                       for a body that nobody reads */                                 \
    J(ENTRY_AMBIGUOUS, "entry_ambiguous")     /* no id, and a call and its entry that could each be another's */
/* Numbers are kept in the index: new ones come last. */
#define JOIN_REASON_ENUM(id, name) JOIN_REASON_##id,
enum join_reason { JOIN_REASONS(JOIN_REASON_ENUM) JOIN_REASON_COUNT };

const char *join_level_name(enum join_level level);
const char *join_reason_name(enum join_reason reason);

#define JOIN_IDS_MAX 5

struct join_id {
    uint8_t trace_id[16];
    uint8_t span_id[8];
    uint8_t flags;
    uint8_t source; /* ClaimSource of beacon.proto */
};

/* What the request looked like, for reasons. */
enum join_request_flag {
    JOIN_REQUEST_CACHED = 1,       /* transferSize 0, encodedBodySize > 0, no service worker */
    JOIN_REQUEST_FAILED = 2,       /* status 0 and nothing disclosed, or a Call that failed */
    JOIN_REQUEST_MASKED = 4,       /* cross-origin, phases hidden */
    JOIN_REQUEST_THIRD_PARTY = 8,  /* another site than the page */
    JOIN_REQUEST_BLOCKED = 16,     /* a failed Call to another origin with an id of ours, and the page did not abort it */
    JOIN_REQUEST_NO_ENTRY = 32,    /* a Call with an answer, and no entry can be its own */
    JOIN_REQUEST_AMBIGUOUS = 64    /* a Call or entry that could be matched otherwise */
};

/* One request of a view: its key, and the ids it carries. The key is the caller's and comes back unchanged. */
struct join_claim {
    uint64_t beacon;   /* log position of its beacon */
    uint32_t ordinal;  /* of the request within the beacon */
    uint32_t flags;    /* enum join_request_flag */
    uint32_t id_count; /* 0 = no id: answered at once with a reason */
    struct join_id id[JOIN_IDS_MAX];
    /*
     * When the request was under way, by the page's clock, and by how much that clock is behind the collector's if the
     * beacon came as fast as it left. Spans of the response must begin then by one of the two clocks, give or take
     * JOIN_CLOCK_SLACK_NS. until_ns 0 = not known, nothing is held against a span.
     */
    int64_t from_ns, until_ns, shift_ns;
};

#define JOIN_CLOCK_SLACK_NS INT64_C(10000000000)

struct join_span {
    uint8_t trace_id[16], span_id[8], parent_span_id[8];
    uint32_t kind;
    uint64_t start_unix_ns, end_unix_ns;
    uint64_t position; /* of the log record that holds it */
    uint32_t flags;    /* SpanFlags: 0x100 says that 0x200 (the parent is remote) is known; 0 = unknown */
};

struct join_result {
    uint64_t beacon;
    uint32_t ordinal;
    enum join_level level;
    enum join_reason reason;
    uint8_t trace_id[16]; /* of the id that decided; zero when there was none */
    uint8_t span_id[8];   /* the SERVER span joined to; zero when none */
};

struct join_sink {
    void *context;
    void (*take)(void *context, const struct join_result *result);
};

struct join_options {
    uint32_t claims_max; /* 0 = 65,536 */
    uint32_t spans_max;  /* 0 = 262,144 summaries */
    uint64_t pending_us; /* 0 = 10 minutes */
    struct join_sink sink;
    struct counters *counters;
};

/* What a window of that size allocates, all of it at once. */
uint64_t join_memory_bytes(uint32_t claims_max, uint32_t spans_max);
/* The largest window with JOIN_SPANS_PER_CLAIM spans a claim that `bytes` hold; at least one claim. */
#define JOIN_SPANS_PER_CLAIM 4u
uint32_t join_claims_within(uint64_t bytes);

struct join;
struct join *join_new(const struct join_options *options); /* NULL = out of memory */
void join_free(struct join *self);
/* `now_us`: receive time of the record, so that a replay gives the same results. A later result replaces an earlier. */
void join_take_claim(struct join *self, const struct join_claim *claim, uint64_t now_us);
void join_take_span(struct join *self, const struct join_span *span, uint64_t now_us);
/* Gives up on claims older than pending_us: NO_SPAN or KNOWN_UNSAMPLED. They may still complete while remembered. */
void join_expire(struct join *self, uint64_t now_us);

#endif
