/*
 * The matcher on what a real browser did: tests/golden/calls/, recorded by tests/js/record_calls.mjs with the
 * truth beside it (seeds 1, 1000 and 2000 of Chromium 156; the weights were last touched before the last two were
 * recorded). Each way to replay hides or coarsens something; the table of all of them is printed.
 */
#include "collector/join/call_match.h"
#include "vitrace/v1/beacon.pb.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define RECORDING  "tests/golden/calls/chromium.jsonl"
#define TRIAL_MAX  64u
#define FIELDS_MAX 9u

struct replay {
    const char *name;
    bool ids, tags, body_ends;
    unsigned hidden_percent; /* of the calls: their entries are there, nobody tells of the calls */
    int64_t quantum_us;      /* times are floored to it */
};

struct tally {
    unsigned calls, right, flagged, none, wrong, kind[CALL_MATCH_KIND_COUNT];
    unsigned inexact; /* although both sides have the id */
};

struct trial {
    struct call_match_call call[TRIAL_MAX];
    struct call_match_entry entry[TRIAL_MAX];
    struct join_id call_id[TRIAL_MAX], entry_id[TRIAL_MAX];
    uint32_t call_truth[TRIAL_MAX], entry_truth[TRIAL_MAX], calls, entries;
};

static int64_t us_of(const struct replay *replay, double ms)
{
    if (isnan(ms))
        return CALL_MATCH_UNKNOWN;
    int64_t us = (int64_t)(ms * 1000 + 0.5);
    return replay->quantum_us > 0 ? us - us % replay->quantum_us : us;
}

/* The numbers of a line behind its name; null is NaN. The last one may be an id in quotes. */
static void read_fields(const char *line, double *number, struct join_id *id, uint32_t *id_count)
{
    const char *at = strchr(line, ',') + 1;
    for (unsigned i = 0; i < FIELDS_MAX; i++) {
        number[i] = strncmp(at, "null", 4) == 0 || *at == '"' ? NAN : strtod(at, NULL);
        const char *next = strchr(at, ',');
        if (next == NULL)
            break;
        at = next + 1;
    }
    if (*at == '"') {
        memcpy(id->trace_id, at + 1, sizeof id->trace_id);
        *id_count = 1;
    }
}

/* The first 15 % of a number's hash: the same calls in every run. */
static bool is_hidden(const struct replay *replay, uint32_t truth)
{
    return truth * 2654435761u >> 16 < replay->hidden_percent * 65536u / 100;
}

static void take_call(const struct replay *replay, const char *line, struct trial *trial)
{
    double field[FIELDS_MAX];
    uint32_t ids = 0, at = trial->calls;
    assert_true(at < TRIAL_MAX);
    trial->call_id[at] = (struct join_id){.source = vitrace_v1_ClaimSource_CLAIM_SOURCE_INJECTED};
    read_fields(line, field, &trial->call_id[at], &ids);
    uint32_t truth = (uint32_t)field[0];
    if (is_hidden(replay, truth))
        return;
    int64_t body_end_us = replay->body_ends ? us_of(replay, field[4]) : CALL_MATCH_UNKNOWN;
    int64_t end_us = us_of(replay, field[3]);
    trial->call_truth[at] = truth;
    trial->call[at] = (struct call_match_call){.url = slice_text("/api/items"),
                                               .start_us = us_of(replay, field[1]),
                                               .headers_us = us_of(replay, field[2]),
                                               .end_us = end_us != CALL_MATCH_UNKNOWN ? end_us : body_end_us,
                                               .status = (uint32_t)field[5],
                                               .content_length = (uint64_t)field[6],
                                               .redirected = field[7] != 0,
                                               .tag = replay->tags ? truth : 0,
                                               .id_count = replay->ids ? ids : 0,
                                               .id = &trial->call_id[at]};
    trial->calls++;
}

static void take_entry(const struct replay *replay, const char *line, struct trial *trial)
{
    double field[FIELDS_MAX];
    uint32_t ids = 0, at = trial->entries++;
    assert_true(at < TRIAL_MAX);
    trial->entry_id[at] = (struct join_id){.source = vitrace_v1_ClaimSource_CLAIM_SOURCE_SERVER_TIMING_TRACEPARENT};
    read_fields(line, field, &trial->entry_id[at], &ids);
    trial->entry_truth[at] = (uint32_t)field[0];
    trial->entry[at] = (struct call_match_entry){
        .url = slice_text("/api/items"),
        .start_us = us_of(replay, field[1]),
        .response_start_us = us_of(replay, field[2]),
        .response_end_us = us_of(replay, field[3]),
        .status = (uint32_t)field[4],
        .encoded_body_size = (uint64_t)field[5],
        .redirected = field[6] != 0,
        .failed = isnan(field[2]) && field[4] == 0,
        .tag = replay->tags && !is_hidden(replay, trial->entry_truth[at]) ? trial->entry_truth[at] : 0,
        .id_count = replay->ids ? ids : 0,
        .id = &trial->entry_id[at]};
}

static bool has_entry_with_id(const struct trial *trial, uint32_t truth)
{
    for (uint32_t i = 0; i < trial->entries; i++)
        if (trial->entry_truth[i] == truth && trial->entry[i].id_count > 0)
            return true;
    return false;
}

static bool has_entry(const struct trial *trial, uint32_t truth)
{
    for (uint32_t i = 0; i < trial->entries; i++)
        if (trial->entry_truth[i] == truth)
            return true;
    return false;
}

static void judge(const struct trial *trial, struct tally *tally)
{
    struct call_match match[TRIAL_MAX];
    assert_true(call_match(trial->call, trial->calls, trial->entry, trial->entries, match));
    for (uint32_t i = 0; i < trial->calls; i++) {
        tally->calls++;
        tally->kind[match[i].kind]++;
        tally->inexact += trial->call[i].id_count > 0 && has_entry_with_id(trial, trial->call_truth[i]) &&
                          match[i].kind != CALL_MATCH_EXACT_ID;
        if (match[i].kind == CALL_MATCH_AMBIGUOUS)
            tally->flagged++;
        else if (match[i].kind == CALL_MATCH_NONE)
            *(has_entry(trial, trial->call_truth[i]) ? &tally->none : &tally->right) += 1;
        else
            *(trial->entry_truth[match[i].entry] == trial->call_truth[i] ? &tally->right : &tally->wrong) += 1;
    }
}

static struct tally run(const struct replay *replay)
{
    static struct trial trial;
    char line[512];
    struct tally tally = {0};
    FILE *file = fopen(RECORDING, "r");
    assert_non_null(file);
    trial.calls = trial.entries = 0;
    while (fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "[\"trial\"", 8) == 0) {
            judge(&trial, &tally);
            trial.calls = trial.entries = 0;
        } else if (strncmp(line, "[\"call\"", 7) == 0) {
            take_call(replay, line, &trial);
        } else {
            take_entry(replay, line, &trial);
        }
    }
    judge(&trial, &tally);
    fclose(file);
    print_message("%-44s %4u calls  right %5.1f %%  flagged %4.1f %%  none %4.1f %%  wrong %4.1f %%\n", replay->name,
                  tally.calls, 100.0 * tally.right / tally.calls, 100.0 * tally.flagged / tally.calls,
                  100.0 * tally.none / tally.calls, 100.0 * tally.wrong / tally.calls);
    return tally;
}

static void test_call_match__by_times_alone_nothing_recorded_is_matched_wrongly(void **state)
{
    (void)state;
    struct tally tally = run(&(struct replay){.name = "times, as the SDK gives them"});
    assert_true(tally.calls > 1000);
    assert_int_equal(tally.wrong, 0);
    assert_true(1000 * (tally.flagged + tally.none) <= 17 * tally.calls);
}

static void test_call_match__body_ends_leave_less_open_and_nothing_wrong(void **state)
{
    (void)state;
    struct tally tally = run(&(struct replay){.name = "and the ends of the bodies", .body_ends = true});
    assert_int_equal(tally.wrong, 0);
    assert_true(1000 * (tally.flagged + tally.none) <= 17 * tally.calls);
}

static void test_call_match__a_clock_of_one_millisecond_flags_more_and_lies_not(void **state)
{
    (void)state;
    struct tally tally = run(&(struct replay){.name = "times floored to 1 ms", .quantum_us = 1000});
    assert_int_equal(tally.wrong, 0);
    assert_true(1000 * (tally.flagged + tally.none) <= 105 * tally.calls);
}

static void test_call_match__calls_that_nobody_told_of_cost_at_most_what_the_reference_has(void **state)
{
    (void)state;
    struct tally tally = run(&(struct replay){.name = "15 % of the calls untold", .hidden_percent = 15});
    assert_true(1000 * tally.wrong <= 7 * tally.calls);
}

static void test_call_match__ids_make_every_match_exact(void **state)
{
    (void)state;
    struct tally tally = run(&(struct replay){.name = "with ids", .ids = true});
    assert_int_equal(tally.wrong, 0);
    assert_int_equal(tally.inexact, 0);
    assert_true(tally.kind[CALL_MATCH_EXACT_ID] > tally.calls * 4 / 5); /* the rest failed, or has no entry */
}

static void test_call_match__tags_make_every_match_exact_even_of_failed_calls(void **state)
{
    (void)state;
    struct tally tally = run(&(struct replay){.name = "with tags", .tags = true, .hidden_percent = 15});
    assert_int_equal(tally.right, tally.calls);
    assert_int_equal(tally.kind[CALL_MATCH_EXACT_TAG] + tally.kind[CALL_MATCH_NONE], tally.calls);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_call_match__by_times_alone_nothing_recorded_is_matched_wrongly),
        cmocka_unit_test(test_call_match__body_ends_leave_less_open_and_nothing_wrong),
        cmocka_unit_test(test_call_match__a_clock_of_one_millisecond_flags_more_and_lies_not),
        cmocka_unit_test(test_call_match__calls_that_nobody_told_of_cost_at_most_what_the_reference_has),
        cmocka_unit_test(test_call_match__ids_make_every_match_exact),
        cmocka_unit_test(test_call_match__tags_make_every_match_exact_even_of_failed_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
