/* What CONFIG decides: sampling, consent, and the budget as the core acts on it. */
#include "tests/unit/wasm/core/core_fixture.h"

#define LOST(reason) CORE_STATS_LOST_##reason
#define BIT(kind)    (1u << INBOX_##kind)

static void take(struct rig *rig)
{
    assert_true(rig_take(rig) >= CORE_OK);
    expect_balanced(rig);
}

static uint32_t loss_of(const struct rig *rig, vitrace_v1_LossReason reason)
{
    for (unsigned i = 0; i < rig->summary.ledger.losses_count; i++)
        if (rig->summary.ledger.losses[i].reason == reason)
            return rig->summary.ledger.losses[i].count;
    return 0;
}

static void test_record_config__a_sampled_session_says_at_which_rate(void **state)
{
    struct rig *rig = *state;
    put_config(rig, RATE_WITH_IT);
    rig_put_mark(rig, "a", 1);
    take_and_seal(rig);
    assert_int_equal(rig->summary.header.sample_rate_ppm, 640000);
    assert_int_equal(rig->summary.header.trigger, 0);
    assert_int_equal(rig->summary.ledger.entries_encoded, 1);
}

static void test_record_config__without_a_rate_everything_is_kept(void **state)
{
    static const double rates[] = {NAN, 1, 17};
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        struct rig *rig = rig_new();
        rig_start(rig);
        put_config(rig, rates[i]);
        rig_put_mark(rig, "a", 1);
        take_and_seal(rig);
        assert_int_equal(rig->summary.header.sample_rate_ppm, 0);
        rig_free(rig);
    }
}

static void test_record_config__a_session_left_out_writes_nothing_and_counts_everything(void **state)
{
    struct rig *rig = *state;
    put_config(rig, RATE_WITHOUT_IT);
    rig_put_mark(rig, "a", 1);
    put_navigation(rig);
    take(rig);
    assert_int_equal(rig_seal(rig, 1), CORE_OK);
    expect_no_beacon(rig);
    assert_true(rig_stat(rig, LOST(SAMPLED_OUT)) == 2);
    assert_true(rig_stat(rig, CORE_STATS_BYTES_ENCODED) == 0);
    assert_true(rig_stat(rig, CORE_STATS_SHED_REASON) == vitrace_v1_LossReason_LOSS_REASON_SAMPLED_OUT);
    uint32_t sheds = (uint32_t)rig_stat(rig, CORE_STATS_SHEDS);
    assert_int_equal(sheds & (BIT(RESOURCE) | BIT(EVENT) | BIT(ERROR)), BIT(RESOURCE) | BIT(EVENT) | BIT(ERROR));
    assert_int_equal(sheds & (BIT(CONFIG) | BIT(VIEW) | BIT(LIFECYCLE)), 0);
    put_view(rig, 9, 500);
    rig_put_mark(rig, "b", 600);
    take(rig);
    assert_int_equal(rig_seal(rig, 1), CORE_OK);
    expect_no_beacon(rig);
}

static void test_record_config__a_rate_of_nothing_takes_nobody(void **state)
{
    struct rig *rig = *state;
    double *start = rig_put_start(rig);
    start[INBOX_START_SESSION_ID_0] = start[INBOX_START_SESSION_ID_0 + 1] = 0; /* the very first of all sessions */
    put_config(rig, 0);
    rig_put_mark(rig, "a", 1);
    take(rig);
    assert_int_equal(rig_seal(rig, 1), CORE_OK);
    assert_true(rig_stat(rig, LOST(SAMPLED_OUT)) == 1);
}

/* Every session that a rate takes, a higher rate takes too; and the share is the rate. */
static void test_record_config__the_rate_is_the_share_of_sessions(void **state)
{
    (void)state;
    uint32_t random = 1, taken = 0;
    for (unsigned i = 0; i < 4000; i++) {
        bool was_taken = false;
        double words[4];
        for (int w = 0; w < 4; w++)
            words[w] = random = random * 1664525u + 1013904223u;
        for (double rate = 0.25; rate < 1; rate += 0.25) {
            struct rig *rig = rig_new();
            double *start = rig_put_start(rig);
            memcpy(start + INBOX_START_SESSION_ID_0, words, sizeof words);
            put_config(rig, rate);
            rig_take(rig);
            bool is_taken = rig_stat(rig, CORE_STATS_SHEDS) == 0;
            assert_true(is_taken || !was_taken);
            was_taken = is_taken;
            taken += is_taken;
            rig_free(rig);
        }
    }
    assert_in_range(taken, 5900, 6100); /* 4,000 x (0.25 + 0.5 + 0.75); the ids are the same in every run */
}

static void test_record_config__the_decision_holds_for_the_document(void **state)
{
    struct rig *rig = *state;
    put_config(rig, RATE_WITH_IT);
    put_config(rig, RATE_WITHOUT_IT);
    rig_put_mark(rig, "a", 1);
    take_and_seal(rig);
    put_view(rig, 9, 500);
    put_config(rig, 0);
    rig_put_mark(rig, "b", 600);
    take_and_seal(rig);
    assert_int_equal(rig->summary.header.sample_rate_ppm, 640000);
}

static void test_record_config__what_was_written_before_the_first_one_is_not_taken_back(void **state)
{
    struct rig *rig = *state;
    rig_put_mark(rig, "a", 1);
    put_config(rig, 0);
    rig_put_mark(rig, "b", 2);
    take_and_seal(rig);
    assert_int_equal(rig->summary.ledger.entries_encoded, 2);
    assert_int_equal(rig->summary.header.sample_rate_ppm, 0);
}

static void test_record_config__denied_consent_forgets_what_was_not_sent(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Vital vital;
    rig_put_mark(rig, "sent", 1);
    take_and_seal(rig);
    rig_put_mark(rig, "not sent", 2);
    put_consent(rig, false);
    rig_put_mark(rig, "not seen", 3);
    put_navigation(rig);
    take(rig);
    assert_int_equal(rig_seal(rig, 1), CORE_OK);
    expect_no_beacon(rig);
    assert_true(rig_stat(rig, LOST(CONSENT)) == 3);
    assert_true(rig_stat(rig, CORE_STATS_SHED_REASON) == vitrace_v1_LossReason_LOSS_REASON_CONSENT);

    put_consent(rig, true); /* the gap is told; the vitals of a view that was not watched throughout are not */
    rig_put_mark(rig, "again", 4);
    put_paint(rig, "first-contentful-paint", 300);
    take_and_seal(rig);
    assert_int_equal(rig->summary.header.seq, 1);
    assert_int_equal(loss_of(rig, vitrace_v1_LossReason_LOSS_REASON_CONSENT), 3);
    assert_false(find_vital(rig, vitrace_v1_Metric_METRIC_FCP, &vital));

    put_view(rig, 9, 500);
    take_and_seal(rig);
    put_view(rig, 10, 600);
    vitrace_v1_Ledger *ledger = &rig->summary.ledger;
    take_and_seal(rig);
    assert_int_equal(ledger->losses_count, 0);
    assert_int_equal(rig_count(rig, BEACON_FIELD_VITAL) > 0, 1);
}

static void test_record_config__nothing_of_a_view_that_was_denied_throughout_is_sent(void **state)
{
    struct rig *rig = *state;
    put_consent(rig, false);
    rig_put_mark(rig, "a", 1);
    put_largest_paint(rig, 9000);
    put_view(rig, 9, 500);
    rig_put_mark(rig, "b", 600);
    take(rig);
    put_consent(rig, true);
    put_view(rig, 10, 900);
    rig_put_mark(rig, "c", 950);
    assert_int_equal(rig_take(rig), CORE_SEALED);
    expect_beacon(rig); /* of the view in which consent came: only its ledger */
    assert_int_equal(rig->summary.header.view_id[3], 9);
    assert_int_equal(rig->summary.ledger.entries_encoded, 0);
    assert_int_equal(rig_count(rig, BEACON_FIELD_STRING), 0);
    assert_int_equal(rig_seal(rig, 0), CORE_SEALED);
    expect_beacon(rig);
    assert_int_equal(rig->summary.header.view_id[3], 10);
    assert_string_equal(rig_string(rig, 1), "c");
}

static void test_record_config__an_unknown_consent_is_a_denial(void **state)
{
    struct rig *rig = *state;
    put_config(rig, 1)[INBOX_CONFIG_CONSENT] = 7;
    rig_put_mark(rig, "a", 1);
    take(rig);
    assert_true(rig_stat(rig, LOST(CONSENT)) == 1);
}

static void test_record_config__a_bad_one_changes_nothing(void **state)
{
    static const unsigned fields[] = {INBOX_CONFIG_SAMPLE_RATE, INBOX_CONFIG_CONSENT, INBOX_CONFIG_BUDGET_BYTES,
                                      INBOX_CONFIG_QUERY_KEYS};
    struct rig *rig = *state;
    for (unsigned i = 0; i < 4; i++) {
        double *put = put_config(rig, 0);
        put[INBOX_CONFIG_CONSENT] = INBOX_CONSENT_DENIED;
        put[fields[i]] = INFINITY;
    }
    rig_put_mark(rig, "a", 1);
    take_and_seal(rig);
    assert_true(rig_stat(rig, LOST(BAD_ENTRY)) == 4);
    assert_int_equal(rig->summary.ledger.entries_encoded, 1);
}

static void meter(struct rig *rig, double us)
{
    rig_record(rig, INBOX_METER, INBOX_METER_WORDS)[INBOX_METER_MAIN_THREAD_US] = us;
    take(rig);
}

static void test_record_config__over_the_budget_the_core_refuses_kinds_and_the_vitals_go_on(void **state)
{
    struct rig *rig = *state;
    vitrace_v1_Vital vital;
    put_config(rig, 1)[INBOX_CONFIG_BUDGET_MS_PER_MINUTE] = 10;
    meter(rig, 10000);
    assert_true(rig_stat(rig, CORE_STATS_BUDGET_LEVEL) == 1);
    assert_true((uint32_t)rig_stat(rig, CORE_STATS_SHEDS) == BIT(RESOURCE));
    rig_put_resource(rig, "https://shop.example/a", 1);
    rig_put_mark(rig, "kept", 1);
    meter(rig, 10000);
    assert_true(rig_stat(rig, LOST(BUDGET)) == 1);
    assert_true(rig_stat(rig, CORE_STATS_BUDGET_LEVEL) == 3);
    put_navigation(rig);
    put_paint(rig, "first-contentful-paint", 300);
    rig_put_mark(rig, "not kept", 1);
    take_and_seal(rig);
    assert_int_equal(rig->summary.ledger.budget_level, 3);
    assert_int_equal(rig->summary.ledger.entries_encoded, 1);
    assert_int_equal(loss_of(rig, vitrace_v1_LossReason_LOSS_REASON_BUDGET), 4);
    assert_true(find_vital(rig, vitrace_v1_Metric_METRIC_FCP, &vital));
    assert_true(vital.value == 300);
}

static void test_record_config__off_leaves_one_last_ledger(void **state)
{
    struct rig *rig = *state;
    put_config(rig, 1)[INBOX_CONFIG_BUDGET_MS_PER_MINUTE] = 10;
    rig_put_mark(rig, "a", 1);
    take_and_seal(rig);
    rig_record(rig, INBOX_METER, INBOX_METER_WORDS)[INBOX_METER_MAIN_THREAD_US] = 30000;
    assert_int_equal(rig_take(rig), CORE_SEALED); /* by itself: nobody will ask */
    expect_beacon(rig);
    assert_int_equal(rig->summary.ledger.budget_level, 4);
    assert_true(rig->summary.ledger.final);
    assert_true(rig_stat(rig, CORE_STATS_SHEDS) == UINT32_MAX);
    rig_put_mark(rig, "b", 1);
    take(rig);
    assert_int_equal(rig_seal(rig, 1), CORE_OK);
    expect_no_beacon(rig);
    assert_true(rig_stat(rig, LOST(BUDGET)) == 1);
}

static void test_record_config__the_time_of_the_document_is_not_forgotten_with_the_view(void **state)
{
    struct rig *rig = *state;
    put_config(rig, 1)[INBOX_CONFIG_BUDGET_MS_PER_MINUTE] = 10;
    meter(rig, 9000);
    put_view(rig, 9, 500);
    take(rig);
    assert_true(rig_stat(rig, CORE_STATS_MAIN_THREAD_US) == 0);
    meter(rig, 1000);
    assert_true(rig_stat(rig, CORE_STATS_BUDGET_LEVEL) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        STARTED(test_record_config__a_sampled_session_says_at_which_rate),
        STARTED(test_record_config__without_a_rate_everything_is_kept),
        STARTED(test_record_config__a_session_left_out_writes_nothing_and_counts_everything),
        FRESH(test_record_config__a_rate_of_nothing_takes_nobody),
        FRESH(test_record_config__the_rate_is_the_share_of_sessions),
        STARTED(test_record_config__the_decision_holds_for_the_document),
        STARTED(test_record_config__what_was_written_before_the_first_one_is_not_taken_back),
        STARTED(test_record_config__denied_consent_forgets_what_was_not_sent),
        STARTED(test_record_config__nothing_of_a_view_that_was_denied_throughout_is_sent),
        STARTED(test_record_config__an_unknown_consent_is_a_denial),
        STARTED(test_record_config__a_bad_one_changes_nothing),
        STARTED(test_record_config__over_the_budget_the_core_refuses_kinds_and_the_vitals_go_on),
        STARTED(test_record_config__off_leaves_one_last_ledger),
        STARTED(test_record_config__the_time_of_the_document_is_not_forgotten_with_the_view),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
