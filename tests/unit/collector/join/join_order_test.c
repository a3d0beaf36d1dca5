/*
 * Random small worlds of traces and claims, taken in many orders. Every order must end in the same results, and these
 * must be what a second, obvious implementation says that looks at the whole world at once.
 */
#include "collector/join/join.h"

#include "vitrace/v1/beacon.pb.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define WORLDS     600
#define ORDERS     8
#define SPANS_MAX  24
#define CLAIMS_MAX 6
#define EVENTS_MAX (2 * SPANS_MAX + CLAIMS_MAX)

struct world {
    struct join_span span[SPANS_MAX];
    unsigned span_count;
    struct join_claim claim[CLAIMS_MAX];
    unsigned claim_count;
    struct join_result last[CLAIMS_MAX];
};

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 33);
}

static bool is_zero(const uint8_t id[8])
{
    static const uint8_t zero[8];
    return memcmp(id, zero, 8) == 0;
}

/* Span ids 1..12 in a trace, parents 0..15: loops, missing parents and shared parents all happen. */
static void world_fill(struct world *self, uint64_t *seed)
{
    memset(self, 0, sizeof *self);
    unsigned traces = 1 + next_random(seed) % 3;
    self->span_count = next_random(seed) % SPANS_MAX;
    bool used[4][13] = {{false}};
    for (unsigned i = 0; i < self->span_count; i++) {
        unsigned trace = 1 + next_random(seed) % traces, id = 1 + next_random(seed) % 12;
        if (used[trace][id]) {
            self->span_count--;
            i--;
            continue;
        }
        used[trace][id] = true;
        struct join_span *span = &self->span[i];
        span->trace_id[0] = (uint8_t)trace;
        span->span_id[0] = (uint8_t)id;
        span->parent_span_id[0] = (uint8_t)(next_random(seed) % 3 == 0 ? 0 : next_random(seed) % 16);
        span->kind = 1 + next_random(seed) % 3;
        span->start_unix_ns = next_random(seed) % 4; /* ties are common */
        span->flags = (uint32_t[]){0, 0x101, 0x301}[next_random(seed) % 3];
    }
    self->claim_count = 1 + next_random(seed) % CLAIMS_MAX;
    for (unsigned i = 0; i < self->claim_count; i++) {
        struct join_claim *claim = &self->claim[i];
        claim->ordinal = i;
        claim->id_count = next_random(seed) % (JOIN_IDS_MAX + 1);
        claim->flags = next_random(seed) % 4 == 0 ? next_random(seed) % 16 : 0;
        for (unsigned k = 0; k < claim->id_count; k++) {
            claim->id[k].trace_id[0] = (uint8_t)(1 + next_random(seed) % 4);
            claim->id[k].span_id[0] = (uint8_t)(next_random(seed) % 16);
            claim->id[k].flags = (uint8_t)(next_random(seed) % 4);
            claim->id[k].source = (uint8_t)(k == 0 ? 1 + next_random(seed) % 5 : 2 + next_random(seed) % 4);
        }
    }
}

static const struct join_span *oracle_span(const struct world *world, const uint8_t *trace, const uint8_t *id)
{
    for (unsigned i = 0; i < world->span_count; i++) {
        if (memcmp(world->span[i].trace_id, trace, 16) == 0 && memcmp(world->span[i].span_id, id, 8) == 0)
            return &world->span[i];
    }
    return NULL;
}

static const struct join_span *oracle_earlier(const struct join_span *a, const struct join_span *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    if (a->start_unix_ns != b->start_unix_ns)
        return a->start_unix_ns < b->start_unix_ns ? a : b;
    return memcmp(a->span_id, b->span_id, 8) < 0 ? a : b;
}

static bool oracle_entry_test(const struct world *world, const struct join_span *span, unsigned rank)
{
    bool root = is_zero(span->parent_span_id);
    bool orphan = oracle_span(world, span->trace_id, span->parent_span_id) == NULL && (span->flags & 0x300) != 0x100;
    switch (rank) {
    case 0:
        return span->kind == 2 && root;
    case 1:
        return span->kind == 2 && orphan;
    case 2:
        return span->kind == 2;
    default:
        return root;
    }
}

static const struct join_span *oracle_entry(const struct world *world, const uint8_t *trace)
{
    for (unsigned rank = 0; rank < 4; rank++) {
        const struct join_span *best = NULL;
        for (unsigned i = 0; i < world->span_count; i++) {
            const struct join_span *span = &world->span[i];
            if (memcmp(span->trace_id, trace, 16) == 0 && oracle_entry_test(world, span, rank))
                best = oracle_earlier(best, span);
        }
        if (best != NULL)
            return best;
    }
    return NULL;
}

static const struct join_span *oracle_child(const struct world *world, const struct join_id *id)
{
    const struct join_span *best = NULL;
    for (unsigned i = 0; i < world->span_count && !is_zero(id->span_id); i++) {
        const struct join_span *span = &world->span[i];
        if (span->kind == 2 && memcmp(span->trace_id, id->trace_id, 16) == 0 &&
            memcmp(span->parent_span_id, id->span_id, 8) == 0)
            best = oracle_earlier(best, span);
    }
    return best;
}

static const struct join_span *oracle_resolve(const struct world *world, const struct join_id *id)
{
    const struct join_span *at = oracle_span(world, id->trace_id, id->span_id);
    for (unsigned step = 0; at != NULL && step < 30; step++) {
        if (at->kind == 2)
            return at;
        at = oracle_span(world, id->trace_id, at->parent_span_id);
    }
    return oracle_entry(world, id->trace_id);
}

/* Ids of the injected trace first, those that are spans before others. */
static unsigned oracle_preference(const struct world *world, const struct join_claim *claim, const struct join_id *id)
{
    bool same = claim->id_count > 0 && claim->id[0].source == 1 && memcmp(claim->id[0].trace_id, id->trace_id, 16) == 0;
    return (same ? 2u : 0u) + (oracle_span(world, id->trace_id, id->span_id) != NULL ? 1u : 0u);
}

static bool oracle_not_sent(const struct join_claim *claim)
{
    if (claim->id_count < 2 || claim->id[0].source != 1)
        return false;
    for (unsigned i = 1; i < claim->id_count; i++) {
        if (memcmp(claim->id[0].trace_id, claim->id[i].trace_id, 16) == 0)
            return false;
    }
    return true;
}

static enum join_reason oracle_reason(const struct join_claim *claim)
{
    if (claim->flags & JOIN_REQUEST_FAILED)
        return JOIN_REASON_NETWORK_ERROR;
    bool injected = claim->id[0].source == 1;
    if ((claim->flags & JOIN_REQUEST_THIRD_PARTY) && !injected)
        return JOIN_REASON_THIRD_PARTY;
    bool sampled = false;
    for (unsigned i = injected && claim->id_count > 1 ? 1 : 0; i < claim->id_count; i++)
        sampled |= claim->id[i].flags & 1;
    if (!sampled)
        return JOIN_REASON_KNOWN_UNSAMPLED;
    return oracle_not_sent(claim) ? JOIN_REASON_NOT_SENT : JOIN_REASON_NO_SPAN;
}

static bool oracle_try(const struct world *world, const struct join_claim *claim, enum join_level level,
                       unsigned preference, struct join_result *out)
{
    for (unsigned i = 0; i < claim->id_count; i++) {
        const struct join_id *id = &claim->id[i];
        bool injected = id->source == 1;
        const struct join_span *span = NULL;
        if (oracle_preference(world, claim, id) != preference)
            continue;
        if (level == JOIN_EXACT_PARENT && (injected || oracle_span(world, id->trace_id, id->span_id) == NULL))
            span = oracle_child(world, id);
        if (level == JOIN_EXACT_TRACE && !(injected && oracle_not_sent(claim)))
            span = oracle_resolve(world, id);
        if (span == NULL)
            continue;
        out->level = level;
        memcpy(out->trace_id, id->trace_id, 16);
        memcpy(out->span_id, span->span_id, 8);
        return true;
    }
    return false;
}

static void oracle_decide(const struct world *world, const struct join_claim *claim, struct join_result *out)
{
    *out = (struct join_result){.ordinal = claim->ordinal};
    if (claim->flags & JOIN_REQUEST_CACHED) {
        out->reason = JOIN_REASON_STALE_HTTP_CACHE;
        return;
    }
    if (claim->id_count == 0) {
        out->reason = claim->flags & JOIN_REQUEST_THIRD_PARTY ? JOIN_REASON_THIRD_PARTY
                      : claim->flags & JOIN_REQUEST_FAILED    ? JOIN_REASON_NETWORK_ERROR
                      : claim->flags & JOIN_REQUEST_MASKED    ? JOIN_REASON_MASKED_NO_TAO
                                                              : JOIN_REASON_NO_HEADER;
        return;
    }
    for (int level = JOIN_EXACT_PARENT; level > JOIN_NONE; level--) {
        for (int preference = 3; preference >= 0; preference--) {
            if (oracle_try(world, claim, (enum join_level)level, (unsigned)preference, out))
                return;
        }
    }
    out->reason = oracle_reason(claim);
}

static void world_take(void *context, const struct join_result *result)
{
    struct world *self = context;
    assert_true(result->ordinal < self->claim_count);
    self->last[result->ordinal] = *result;
}

/* Claims once, spans once or twice, all mixed. */
static void world_run(struct world *self, uint64_t *seed)
{
    unsigned event[EVENTS_MAX], count = 0;
    for (unsigned i = 0; i < self->claim_count + self->span_count; i++)
        event[count++] = i;
    for (unsigned i = 0; i < self->span_count; i++) {
        if (next_random(seed) % 3 == 0)
            event[count++] = self->claim_count + i;
    }
    for (unsigned i = count; i > 1; i--) {
        unsigned k = next_random(seed) % i, swap = event[i - 1];
        event[i - 1] = event[k];
        event[k] = swap;
    }
    struct counters counters = {0};
    struct join *join = join_new(
        &(struct join_options){.claims_max = 16, .spans_max = 64, .sink = {self, world_take}, .counters = &counters});
    assert_non_null(join);
    unsigned give_up_at = next_random(seed) % (count + 1);
    for (unsigned i = 0; i < count; i++) {
        if (i == give_up_at)
            join_expire(join, 3600000000ull);
        if (event[i] < self->claim_count)
            join_take_claim(join, &self->claim[event[i]], 0);
        else
            join_take_span(join, &self->span[event[i] - self->claim_count], 0);
    }
    join_expire(join, 3600000000ull);
    assert_int_equal(counters_find(&counters, COUNTER_JOIN_EVICTED), 0);
    assert_int_equal(counters_find(&counters, COUNTER_JOIN_PENDING), 0);
    join_free(join);
}

static void test_join_order__every_order_ends_in_what_the_whole_world_says(void **state)
{
    (void)state;
    unsigned levels[3] = {0};
    for (uint64_t world_seed = 1; world_seed <= WORLDS; world_seed++) {
        uint64_t seed = world_seed * 0x9e3779b97f4a7c15ull;
        struct world world;
        world_fill(&world, &seed);
        for (unsigned order = 0; order < ORDERS; order++) {
            memset(world.last, 0xff, sizeof world.last);
            world_run(&world, &seed);
            for (unsigned i = 0; i < world.claim_count; i++) {
                struct join_result want;
                oracle_decide(&world, &world.claim[i], &want);
                const struct join_result *got = &world.last[i];
                if (got->level != want.level || got->reason != want.reason ||
                    memcmp(got->trace_id, want.trace_id, 16) != 0 || memcmp(got->span_id, want.span_id, 8) != 0)
                    fail_msg("world %llu order %u claim %u: %s/%s span %u, want %s/%s span %u",
                             (unsigned long long)world_seed, order, i, join_level_name(got->level),
                             join_reason_name(got->reason), got->span_id[0], join_level_name(want.level),
                             join_reason_name(want.reason), want.span_id[0]);
                levels[want.level]++;
            }
        }
    }
    assert_true(levels[0] > 500 && levels[1] > 500 && levels[2] > 500); /* the worlds are not one-sided */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_join_order__every_order_ends_in_what_the_whole_world_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
