/*
 * Private to collector/join.
 *
 *   join.c         takes claims and spans, keeps who waits, emits results, counts
 *   join_decide.c  a claim and the spans held now -> a result; pure, knows no time and no order
 *   join_index.c   the window: fixed pools, keyed hash tables, who is oldest
 *
 *      traces ──(16 bytes)──> trace node ──> its spans, its entry span, the links of its claims
 *      by_id     ──(trace, span_id)────────> span node
 *      by_parent ──(trace, parent_span_id)─> SERVER span nodes with that parent
 *      claim node ──> its links, one for each distinct trace that it names
 *
 * References are indices into the pools; 0 is none. Everything is allocated in join_new() and no pool can run out while
 * the window's own limits hold, so nothing here fails later.
 *
 * Memory with the defaults (65,536 claims, 262,144 spans; links 2 a claim; a trace node for each span or link at most):
 *   claims 65,536 x 264 = 17 MB, spans 262,144 x 48 = 13 MB, traces 393,216 x 56 = 22 MB, links 131,072 x 20 = 3 MB,
 *   tables and free slots 7 MB: 62 MB, of which only what was ever used is resident. A test holds the struct sizes.
 */
#ifndef VITRACE_JOIN_INTERNAL_H
#define VITRACE_JOIN_INTERNAL_H

#include "collector/base/siphash.h"
#include "collector/join/join.h"

#define JOIN_CLAIMS_DEFAULT  65536u
#define JOIN_CLAIMS_MOST     (1u << 20)
#define JOIN_SPANS_DEFAULT   262144u
#define JOIN_PENDING_DEFAULT (10ull * 60 * 1000000)
#define JOIN_LINKS_PER_CLAIM 2u /* on average; a claim that names more pushes older claims out a little earlier */
/*
 * Claims held for one trace. A page from a shared cache gives its trace id to every visitor; each of them is decided
 * when it comes, and only the newest wait for later spans, so that a span never costs more than this many decisions.
 */
#define JOIN_TRACE_CLAIMS_MAX 256u
/* Steps from a span towards its SERVER ancestor: deeper call stacks exist only in loops of forged parents. */
#define JOIN_ANCESTORS_MAX 64u

#define JOIN_KIND_SERVER       2u
#define JOIN_FLAG_REMOTE_KNOWN 0x100u
#define JOIN_FLAG_REMOTE       0x200u

struct join_span_node {
    uint8_t span_id[8], parent_span_id[8];
    uint64_t start_unix_ns;
    uint32_t kind, flags;
    uint32_t trace;
    uint32_t next_of_id, next_of_parent, next_of_trace;
};

struct join_trace_node {
    uint8_t trace_id[16];
    uint32_t next_in_bucket;
    uint32_t spans, span_count;
    uint32_t entry;        /* see join_decide.c; only valid while !entry_stale */
    uint32_t older, newer; /* order of first spans, among the traces that hold spans */
    uint32_t link_oldest, link_newest, link_count;
    bool entry_stale;
};

/* One claim's interest in one trace. */
struct join_link {
    uint32_t claim, trace;
    uint32_t older, newer; /* on the same trace */
    uint32_t next_of_claim;
};

struct join_claim_node {
    struct join_claim claim;
    struct join_result result; /* last emitted */
    uint64_t taken_us;
    uint32_t links;
    uint32_t older, newer;                 /* all claims, in order of arrival */
    uint32_t pending_older, pending_newer; /* those that wait, in order of arrival */
    bool pending;
    bool spans_lost; /* a trace of it left the window: from then on a result may only get better */
    bool counted;
};

struct join_pool {
    uint32_t *freed;
    uint32_t freed_count;
    uint32_t used; /* slots 1..used have been handed out at least once */
    uint32_t max;
    uint32_t count;
};

struct join_table {
    uint32_t *bucket;
    uint32_t mask;
};

struct join_index {
    struct siphash_key key;
    struct join_pool span_pool, trace_pool, link_pool, claim_pool;
    struct join_span_node *span;
    struct join_trace_node *trace;
    struct join_link *link;
    struct join_claim_node *claim;
    struct join_table traces, by_id, by_parent;
    uint32_t trace_oldest, trace_newest;
    uint32_t claim_oldest, claim_newest;
};

/* What join_index_init() allocates. */
uint64_t join_index_bytes(uint32_t claims_max, uint32_t spans_max);
bool join_index_init(struct join_index *self, uint32_t claims_max, uint32_t spans_max);
void join_index_release(struct join_index *self);

uint32_t join_index_find_trace(const struct join_index *self, const uint8_t trace_id[16]);
uint32_t join_index_find_span(const struct join_index *self, uint32_t trace, const uint8_t span_id[8]);
/* The earliest SERVER span of the trace with this parent (ties: the smaller span id). */
uint32_t join_index_find_server_child(const struct join_index *self, uint32_t trace, const uint8_t parent[8]);
/* The span of the trace at which a request entered; 0 = none. */
uint32_t join_index_find_entry(struct join_index *self, uint32_t trace);

bool join_index_holds_span(const struct join_index *self, const uint8_t trace_id[16], const uint8_t span_id[8]);
/* The caller has made room, unless the span is held. Answers the trace when the span is news to it, 0 for a duplicate.
 */
uint32_t join_index_add_span(struct join_index *self, const struct join_span *span);
bool join_index_spans_full(const struct join_index *self);
/* Drops the spans of the trace that has held spans for the longest. Returns how many. */
uint32_t join_index_evict_spans(struct join_index *self);

/* The caller has made room: see join_index_claims_full(). Links the claim to each distinct trace that it names. */
uint32_t join_index_add_claim(struct join_index *self, const struct join_claim *claim);
void join_index_remove_claim(struct join_index *self, uint32_t claim);
bool join_index_claims_full(const struct join_index *self);
/* The oldest claim on a trace that has JOIN_TRACE_CLAIMS_MAX of them; 0 = there is room. */
uint32_t join_index_find_crowded(const struct join_index *self, const uint8_t trace_id[16]);

/*
 * Level, trace and span by the spans held now. `level` JOIN_NONE = no id of the claim resolves, and the reason is
 * JOIN_REASON_PENDING, or _STALE_SHARED_CACHE when one did and was too old.
 */
void join_decide(struct join_index *index, const struct join_claim *claim, struct join_result *result);
/* The reason of a claim that has waited long enough. */
enum join_reason join_decide_given_up(const struct join_claim *claim);
/* The reason of a claim that need not wait; JOIN_REASON_PENDING = it has to. */
enum join_reason join_decide_at_once(const struct join_claim *claim);

#endif
