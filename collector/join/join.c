/*
 * The life of a claim:
 *
 *   take ──no id, or cached──────────────> answered, forgotten
 *     │
 *     ├──an id resolves──> joined <────────────────┐
 *     └──none does───────> pending ──expire──> gave up
 *                             └──window full──> expired, forgotten
 *
 * Joined and given-up claims stay until they are the oldest of a full window (or of a trace with JOIN_TRACE_CLAIMS_MAX
 * claims), and every span of their traces decides them again from all the spans held. So the last result of a claim
 * depends on what came, never on the order in which it came, as long as nothing was evicted. Once a trace of a claim
 * has been evicted, its results only get better: the rest of a trace must not overrule what the whole of it has said.
 *
 * Counting. vitrace_join_total counts decisions: a request counts when it is first answered other than pending, and
 * once more at its new level when a later span raises the level. A counter cannot go back, so the sum over the levels
 * exceeds the requests by the number of those improvements; the exact share of joined requests comes from the stored
 * results, which are replaced and not added. Corrections to an equal or a lower level (a late span shows that an id was
 * the server's own) do not count.
 */
#include "collector/join/join_internal.h"

#include "proto/wire/ids.h"

#include <assert.h>
#include <stdlib.h>

struct join {
    struct join_index index;
    struct join_sink sink;
    struct counters *counters;
    uint64_t pending_us;
    uint32_t pending_oldest, pending_newest, pending_count;
};

const char *join_level_name(enum join_level level)
{
    static const char *const names[] = {
        [JOIN_NONE] = "none", [JOIN_EXACT_TRACE] = "exact_trace", [JOIN_EXACT_PARENT] = "exact_parent"};
    assert((size_t)level < sizeof names / sizeof names[0]);
    return names[level];
}

const char *join_reason_name(enum join_reason reason)
{
#define JOIN_REASON_NAME(id, name) name,
    static const char *const names[JOIN_REASON_COUNT] = {JOIN_REASONS(JOIN_REASON_NAME)};
    assert((size_t)reason < JOIN_REASON_COUNT);
    return names[reason];
}

struct join *join_new(const struct join_options *options)
{
    assert(options->sink.take != NULL && options->counters != NULL);
    struct join *self = calloc(1, sizeof *self);
    if (self == NULL)
        return NULL;
    self->sink = options->sink;
    self->counters = options->counters;
    self->pending_us = options->pending_us != 0 ? options->pending_us : JOIN_PENDING_DEFAULT;
    uint32_t claims_max = options->claims_max != 0 ? options->claims_max : JOIN_CLAIMS_DEFAULT;
    uint32_t spans_max = options->spans_max != 0 ? options->spans_max : JOIN_SPANS_DEFAULT;
    if (!join_index_init(&self->index, claims_max, spans_max)) {
        join_free(self);
        return NULL;
    }
    return self;
}

uint64_t join_memory_bytes(uint32_t claims_max, uint32_t spans_max)
{
    return sizeof(struct join) + join_index_bytes(claims_max, spans_max);
}

/* Sizes of tables are powers of two, so the bytes grow in steps: the answer is looked for, not computed. */
uint32_t join_claims_within(uint64_t bytes)
{
    uint32_t claims = 1;
    while (claims < JOIN_CLAIMS_MOST && join_memory_bytes(2 * claims, 2 * claims * JOIN_SPANS_PER_CLAIM) <= bytes)
        claims *= 2;
    for (uint32_t step = claims / 2; step > 0; step /= 2)
        if (join_memory_bytes(claims + step, (claims + step) * JOIN_SPANS_PER_CLAIM) <= bytes)
            claims += step;
    return claims;
}

void join_free(struct join *self)
{
    if (self == NULL)
        return;
    join_index_release(&self->index);
    free(self);
}

static void pending_push(struct join *self, uint32_t slot)
{
    struct join_claim_node *claim = self->index.claim;
    claim[slot].pending = true;
    claim[slot].pending_older = self->pending_newest;
    if (self->pending_newest != 0)
        claim[self->pending_newest].pending_newer = slot;
    else
        self->pending_oldest = slot;
    self->pending_newest = slot;
    counters_set(self->counters, COUNTER_JOIN_PENDING, ++self->pending_count);
}

static void pending_remove(struct join *self, uint32_t slot)
{
    struct join_claim_node *claim = self->index.claim;
    if (!claim[slot].pending)
        return;
    uint32_t older = claim[slot].pending_older, newer = claim[slot].pending_newer;
    if (older != 0)
        claim[older].pending_newer = newer;
    else
        self->pending_oldest = newer;
    if (newer != 0)
        claim[newer].pending_older = older;
    else
        self->pending_newest = older;
    claim[slot].pending = false;
    claim[slot].pending_older = claim[slot].pending_newer = 0;
    counters_set(self->counters, COUNTER_JOIN_PENDING, --self->pending_count);
}

static void level_count(struct join *self, enum join_level level)
{
    static const enum counter ids[] = {[JOIN_NONE] = COUNTER_JOIN_NONE,
                                       [JOIN_EXACT_TRACE] = COUNTER_JOIN_EXACT_TRACE,
                                       [JOIN_EXACT_PARENT] = COUNTER_JOIN_EXACT_PARENT};
    counters_add(self->counters, ids[level], 1);
}

static bool result_equal(const struct join_result *a, const struct join_result *b)
{
    return a->level == b->level && a->reason == b->reason &&
           memcmp(a->trace_id, b->trace_id, sizeof a->trace_id) == 0 &&
           memcmp(a->span_id, b->span_id, sizeof a->span_id) == 0;
}

static void claim_emit(struct join *self, uint32_t slot, const struct join_result *result)
{
    struct join_claim_node *node = &self->index.claim[slot];
    if (result->reason != JOIN_REASON_PENDING && (!node->counted || result->level > node->result.level)) {
        level_count(self, result->level);
        node->counted = true;
    }
    node->result = *result;
    self->sink.take(self->sink.context, result);
}

/* Decides again, and says so when the answer has changed. */
static void claim_settle(struct join *self, uint32_t slot)
{
    struct join_claim_node *node = &self->index.claim[slot];
    struct join_result result;
    join_decide(&self->index, &node->claim, &result);
    if (node->spans_lost && result.level <= node->result.level)
        return;
    if (result.level != JOIN_NONE)
        pending_remove(self, slot);
    else if (result.reason == JOIN_REASON_PENDING && !node->pending)
        result.reason = join_decide_given_up(&node->claim);
    if (!result_equal(&result, &node->result))
        claim_emit(self, slot, &result);
}

static void claim_evict(struct join *self, uint32_t slot)
{
    struct join_claim_node *node = &self->index.claim[slot];
    if (node->pending) {
        struct join_result result = node->result;
        pending_remove(self, slot);
        if (result.reason == JOIN_REASON_PENDING) {
            result.reason = JOIN_REASON_EXPIRED;
            claim_emit(self, slot, &result);
        }
    }
    join_index_remove_claim(&self->index, slot);
    counters_add(self->counters, COUNTER_JOIN_EVICTED, 1);
}

static void claims_make_room(struct join *self, const struct join_claim *claim)
{
    for (uint32_t i = 0; i < claim->id_count; i++) {
        uint32_t crowded = join_index_find_crowded(&self->index, claim->id[i].trace_id);
        if (crowded != 0)
            claim_evict(self, crowded);
    }
    while (join_index_claims_full(&self->index))
        claim_evict(self, self->index.claim_oldest);
}

/* An id without a trace names nothing. Beacons with one are refused at the door; the joiner does not rely on it. */
static struct join_claim claim_without_zero_ids(const struct join_claim *claim)
{
    struct join_claim out = *claim;
    out.id_count = 0;
    for (uint32_t i = 0; i < claim->id_count; i++) {
        if (!ids_is_zero(claim->id[i].trace_id, sizeof claim->id[i].trace_id))
            out.id[out.id_count++] = claim->id[i];
    }
    return out;
}

/* true = answered, it need not wait. */
static bool claim_answer_at_once(struct join *self, const struct join_claim *claim)
{
    enum join_reason at_once = join_decide_at_once(claim);
    if (at_once == JOIN_REASON_PENDING)
        return false;
    level_count(self, JOIN_NONE);
    self->sink.take(self->sink.context,
                    &(struct join_result){.beacon = claim->beacon, .ordinal = claim->ordinal, .reason = at_once});
    return true;
}

void join_take_claim(struct join *self, const struct join_claim *raw_claim, uint64_t now_us)
{
    assert(raw_claim->id_count <= JOIN_IDS_MAX);
    if (claim_answer_at_once(self, raw_claim)) /* most: before anything is copied */
        return;
    struct join_claim claim = claim_without_zero_ids(raw_claim);
    if (claim_answer_at_once(self, &claim))
        return;
    claims_make_room(self, &claim);
    uint32_t slot = join_index_add_claim(&self->index, &claim);
    self->index.claim[slot].taken_us = now_us;
    pending_push(self, slot);
    claim_settle(self, slot);
}

void join_take_span(struct join *self, const struct join_span *span, uint64_t now_us)
{
    (void)now_us; /* spans leave when the window is full, not by age */
    struct join_index *index = &self->index;
    if (ids_is_zero(span->trace_id, sizeof span->trace_id) || ids_is_zero(span->span_id, sizeof span->span_id))
        return;
    if (join_index_spans_full(index) && !join_index_holds_span(index, span->trace_id, span->span_id))
        counters_add(self->counters, COUNTER_JOIN_EVICTED, join_index_evict_spans(index));
    uint32_t trace = join_index_add_span(index, span);
    if (trace == 0)
        return;
    for (uint32_t at = index->trace[trace].link_oldest; at != 0; at = index->link[at].newer)
        claim_settle(self, index->link[at].claim);
}

/*
 * Receive times grow nearly always (several threads stamp them); a claim that is behind a younger one by some
 * microseconds waits for it.
 */
void join_expire(struct join *self, uint64_t now_us)
{
    struct join_claim_node *claim = self->index.claim;
    while (self->pending_oldest != 0) {
        uint32_t slot = self->pending_oldest;
        /* One from the future was taken before the clock was set back: waiting for its time would hold up all behind it. */
        uint64_t taken_us = claim[slot].taken_us;
        if ((now_us < taken_us ? taken_us - now_us : now_us - taken_us) < self->pending_us)
            return;
        struct join_result result = claim[slot].result;
        pending_remove(self, slot);
        if (result.reason != JOIN_REASON_PENDING)
            continue; /* stale: it has its reason */
        result.reason = join_decide_given_up(&claim[slot].claim);
        claim_emit(self, slot, &result);
    }
}
