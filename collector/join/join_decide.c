/*
 * What the ids of one request prove, given the spans that are held now.
 *
 * Each id is graded by itself, and the best grade wins:
 *
 *   exact_parent  a SERVER span names the claimed span id as its parent. An injected id is always believed; an id from
 *                 the response (Server-Timing, meta) only when no span with that id is held: a server may publish the
 *                 parent id under which it will start its root, but an id that is itself a span is the server's own,
 *                 and its SERVER children are other services behind it.
 *   exact_trace   the trace has an entry span. The claimed id picks the span: itself when it is SERVER, else its
 * nearest SERVER ancestor, else (and when it is not held) the entry.
 *
 * Between equal levels an id counts more when its trace is the one that was injected, and then when its span is held;
 * then the order in the claim decides.
 *
 * A response from a cache between server and page (a CDN, a prerendered page with its meta tag) names the trace of
 * whoever was first. It resolves, but its span began at another time than this request: then the id proves nothing, and
 * the reason is stale_shared_cache. An injected id is new by construction.
 *
 * When the response names only other traces than the injected one, the injected header probably never left (a preload,
 * a cache, a worker answered): the response is trusted, and the injected id may prove no more than exact_parent, which
 * nothing but a request that carried it can do. If neither resolves, the reason is not_sent.
 */
#include "collector/join/join_internal.h"

#include "vitrace/v1/beacon.pb.h"

struct grade {
    enum join_level level;
    uint32_t span;
    unsigned score;
    bool stale;
};

#define TRACE_FLAG_SAMPLED 1u /* the other bits of the trace flags must never gate a join */

static bool id_is_injected(const struct join_id *id)
{
    return id->source == vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED;
}

static const struct join_id *claim_find_injected(const struct join_claim *claim)
{
    for (uint32_t i = 0; i < claim->id_count; i++) {
        if (id_is_injected(&claim->id[i]))
            return &claim->id[i];
    }
    return NULL;
}

static bool claim_has_response_id(const struct join_claim *claim)
{
    for (uint32_t i = 0; i < claim->id_count; i++) {
        if (!id_is_injected(&claim->id[i]))
            return true;
    }
    return false;
}

/* The response carries ids, and none of them is of the injected trace. */
static bool claim_is_not_sent(const struct join_claim *claim)
{
    const struct join_id *injected = claim_find_injected(claim);
    if (injected == NULL || !claim_has_response_id(claim))
        return false;
    for (uint32_t i = 0; i < claim->id_count; i++) {
        const struct join_id *id = &claim->id[i];
        if (!id_is_injected(id) && memcmp(id->trace_id, injected->trace_id, sizeof id->trace_id) == 0)
            return false;
    }
    return true;
}

/* 0 = none within JOIN_ANCESTORS_MAX steps, or the chain leaves what is held. */
static uint32_t find_server_ancestor(const struct join_index *index, uint32_t trace, uint32_t span)
{
    for (unsigned step = 0; span != 0 && step < JOIN_ANCESTORS_MAX; step++) {
        if (index->span[span].kind == JOIN_KIND_SERVER)
            return span;
        span = join_index_find_span(index, trace, index->span[span].parent_span_id);
    }
    return 0;
}

static bool is_within(int64_t time_ns, int64_t from_ns, int64_t until_ns)
{
    return time_ns >= from_ns - JOIN_CLOCK_SLACK_NS && time_ns <= until_ns + JOIN_CLOCK_SLACK_NS;
}

static bool claim_covers(const struct join_claim *claim, uint64_t start_unix_ns)
{
    int64_t start_ns = start_unix_ns <= INT64_MAX ? (int64_t)start_unix_ns : INT64_MAX;
    return claim->until_ns == 0 || is_within(start_ns, claim->from_ns, claim->until_ns) ||
           is_within(start_ns, claim->from_ns + claim->shift_ns, claim->until_ns + claim->shift_ns);
}

static struct grade id_grade(struct join_index *index, const struct join_claim *claim, const struct join_id *id)
{
    uint32_t trace = join_index_find_trace(index, id->trace_id);
    if (trace == 0)
        return (struct grade){.level = JOIN_NONE};
    uint32_t held = join_index_find_span(index, trace, id->span_id);
    uint32_t child = join_index_find_server_child(index, trace, id->span_id);
    bool parent = child != 0 && (id_is_injected(id) || held == 0);
    uint32_t span = parent ? child : find_server_ancestor(index, trace, held);
    if (!parent && id_is_injected(id) && claim_is_not_sent(claim))
        return (struct grade){.level = JOIN_NONE};
    if (span == 0)
        span = join_index_find_entry(index, trace);
    if (span == 0)
        return (struct grade){.level = JOIN_NONE};
    if (!id_is_injected(id) && !claim_covers(claim, index->span[span].start_unix_ns))
        return (struct grade){.level = JOIN_NONE, .stale = true};
    const struct join_id *injected = claim_find_injected(claim);
    bool same = injected != NULL && memcmp(injected->trace_id, id->trace_id, sizeof id->trace_id) == 0;
    enum join_level level = parent ? JOIN_EXACT_PARENT : JOIN_EXACT_TRACE;
    return (struct grade){level, span, 4u * level + (same ? 2u : 0u) + (held != 0 ? 1u : 0u), false};
}

void join_decide(struct join_index *index, const struct join_claim *claim, struct join_result *result)
{
    struct grade best = {.level = JOIN_NONE};
    const struct join_id *best_id = NULL;
    bool stale = false;
    for (uint32_t i = 0; i < claim->id_count; i++) {
        struct grade grade = id_grade(index, claim, &claim->id[i]);
        stale |= grade.stale;
        if (grade.level != JOIN_NONE && (best_id == NULL || grade.score > best.score)) {
            best = grade;
            best_id = &claim->id[i];
        }
    }
    *result = (struct join_result){.beacon = claim->beacon,
                                   .ordinal = claim->ordinal,
                                   .level = best.level,
                                   .reason = JOIN_REASON_JOINED};
    if (best_id == NULL) {
        result->reason = stale ? JOIN_REASON_STALE_SHARED_CACHE : JOIN_REASON_PENDING;
        return;
    }
    memcpy(result->trace_id, best_id->trace_id, sizeof result->trace_id);
    memcpy(result->span_id, index->span[best.span].span_id, sizeof result->span_id);
}

/* The response knows better than the injected header whether the server recorded; without one, the header is all. */
static bool claim_is_unsampled(const struct join_claim *claim)
{
    bool response = claim_has_response_id(claim);
    for (uint32_t i = 0; i < claim->id_count; i++) {
        const struct join_id *id = &claim->id[i];
        if (id_is_injected(id) != response && (id->flags & TRACE_FLAG_SAMPLED) != 0)
            return false;
    }
    return true;
}

/* A failed request may still have reached a server, and a third party may be our own: both wait like the others. */
enum join_reason join_decide_given_up(const struct join_claim *claim)
{
    if ((claim->flags & JOIN_REQUEST_BLOCKED) != 0)
        return JOIN_REASON_BLOCKED_CORS_PREFLIGHT;
    if ((claim->flags & JOIN_REQUEST_FAILED) != 0)
        return JOIN_REASON_NETWORK_ERROR;
    if ((claim->flags & JOIN_REQUEST_THIRD_PARTY) != 0 && claim_find_injected(claim) == NULL)
        return JOIN_REASON_THIRD_PARTY;
    if (claim_is_unsampled(claim))
        return JOIN_REASON_KNOWN_UNSAMPLED;
    return claim_is_not_sent(claim) ? JOIN_REASON_NOT_SENT : JOIN_REASON_NO_SPAN;
}

/* A cached response replays the id of an older request: it resolves, and would be wrong. */
enum join_reason join_decide_at_once(const struct join_claim *claim)
{
    if ((claim->flags & JOIN_REQUEST_CACHED) != 0)
        return JOIN_REASON_STALE_HTTP_CACHE;
    if (claim->id_count > 0)
        return JOIN_REASON_PENDING;
    if ((claim->flags & JOIN_REQUEST_THIRD_PARTY) != 0)
        return JOIN_REASON_THIRD_PARTY;
    if ((claim->flags & JOIN_REQUEST_FAILED) != 0)
        return JOIN_REASON_NETWORK_ERROR;
    if ((claim->flags & JOIN_REQUEST_AMBIGUOUS) != 0)
        return JOIN_REASON_ENTRY_AMBIGUOUS;
    if ((claim->flags & JOIN_REQUEST_NO_ENTRY) != 0)
        return JOIN_REASON_NO_ENTRY_BODY_UNREAD;
    return (claim->flags & JOIN_REQUEST_MASKED) != 0 ? JOIN_REASON_MASKED_NO_TAO : JOIN_REASON_NO_HEADER;
}
