/* One joiner and what it answered, for the tests of its rules and of its window. Ids are small numbers. */
#ifndef VITRACE_TEST_JOIN_BENCH_H
#define VITRACE_TEST_JOIN_BENCH_H

#include "collector/join/join_internal.h"

#include "vitrace/v1/beacon.pb.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define INJECTED    vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED
#define TIMING      vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACEPARENT
#define META        vitrace_v1_ClaimSource_CLAIM_SOURCE_META
#define MINUTE      60000000ull
#define RESULTS_MAX 4096

enum { INTERNAL = 1, SERVER = 2, CLIENT = 3 };

struct bench {
    struct join *join;
    struct counters counters;
    struct join_result taken[RESULTS_MAX];
    size_t count;
};

static inline void bench_take(void *context, const struct join_result *result)
{
    struct bench *self = context;
    assert_true(self->count < RESULTS_MAX);
    self->taken[self->count++] = *result;
}

static struct bench bench;

static inline void bench_open(uint32_t claims_max, uint32_t spans_max)
{
    memset(&bench, 0, sizeof bench);
    bench.join = join_new(&(struct join_options){
        .claims_max = claims_max, .spans_max = spans_max, .sink = {&bench, bench_take}, .counters = &bench.counters});
    assert_non_null(bench.join);
}

static inline int setup(void **state)
{
    (void)state;
    bench_open(64, 64);
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    join_free(bench.join);
    return 0;
}

static inline struct join_span span_of(unsigned trace, unsigned span, unsigned parent, uint32_t kind, uint64_t start)
{
    struct join_span out = {.kind = kind, .start_unix_ns = start, .end_unix_ns = start + 1};
    out.trace_id[15] = (uint8_t)trace;
    out.span_id[7] = (uint8_t)span;
    out.parent_span_id[7] = (uint8_t)parent;
    return out;
}

static inline void take_span(unsigned trace, unsigned span, unsigned parent, uint32_t kind, uint64_t start)
{
    struct join_span one = span_of(trace, span, parent, kind, start);
    join_take_span(bench.join, &one, 0);
}

static inline void claim_add(struct join_claim *claim, unsigned trace, unsigned span, unsigned flags, int source)
{
    struct join_id *id = &claim->id[claim->id_count++];
    id->trace_id[15] = (uint8_t)trace;
    id->span_id[7] = (uint8_t)span;
    id->flags = (uint8_t)flags;
    id->source = (uint8_t)source;
}

static inline void take_claim(unsigned trace, unsigned span, int source)
{
    struct join_claim claim = {.beacon = 7, .ordinal = 9};
    claim_add(&claim, trace, span, 1, source);
    join_take_claim(bench.join, &claim, 0);
}

static inline void expect_last(enum join_level level, enum join_reason reason, unsigned trace, unsigned span)
{
    assert_true(bench.count > 0);
    const struct join_result *last = &bench.taken[bench.count - 1];
    assert_string_equal(join_level_name(last->level), join_level_name(level));
    assert_string_equal(join_reason_name(last->reason), join_reason_name(reason));
    assert_int_equal(last->trace_id[15], trace);
    assert_int_equal(last->span_id[7], span);
}

static inline uint64_t counted(enum counter id)
{
    return counters_find(&bench.counters, id);
}

#endif
