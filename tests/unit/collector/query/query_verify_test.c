/*
 * Views made by the real core, from the golden streams and from seeded sessions, are verified from their beacons alone;
 * forged ones are told; and what is not here is not held against anybody.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "collector/query/query_verify.h"
#include "tests/unit/wasm/core/rig.h"
#include "wasm/replay/replay.h"

#define LCP  vitrace_v1_Metric_METRIC_LCP
#define INP  vitrace_v1_Metric_METRIC_INP
#define CLS  vitrace_v1_Metric_METRIC_CLS
#define FCP  vitrace_v1_Metric_METRIC_FCP
#define TTFB vitrace_v1_Metric_METRIC_TTFB

#define BEACONS_MAX 32
#define VIEWS_MAX   4

/* What the collector has of one view. */
struct page_view {
    struct query_view_data data;
    struct store_view_row row;
    struct query_beacon beacon[BEACONS_MAX];
    uint8_t bytes[BEACONS_MAX][BEACON_BYTES_MAX];
    vitrace_v1_Vital reported[QUERY_VERIFY_METRICS];
    struct query_verdict verdict[QUERY_VERIFY_METRICS];
};

static struct page_view views[VIEWS_MAX];
static size_t view_count;

static struct page_view *find_view(const vitrace_v1_Header *header)
{
    for (size_t i = 0; i < view_count; i++)
        if (memcmp(views[i].row.view_id, header->view_id, 16) == 0)
            return &views[i];
    assert_true(view_count < VIEWS_MAX);
    struct page_view *view = &views[view_count++];
    memset(&view->data, 0, sizeof view->data);
    memset(&view->row, 0, sizeof view->row);
    memset(view->reported, 0, sizeof view->reported);
    memcpy(view->row.view_id, header->view_id, 16);
    view->data.row = &view->row;
    view->data.beacon = view->beacon;
    return view;
}

static void take_beacon(struct slice bytes)
{
    struct beacon_summary summary;
    struct beacon_record record;
    vitrace_v1_Vital vital;
    assert_int_equal(beacon_validate(bytes, &summary), BEACON_OK);
    struct page_view *view = find_view(&summary.header);
    assert_true(view->data.beacon_count < BEACONS_MAX);
    struct query_beacon *beacon = &view->beacon[view->data.beacon_count];
    uint8_t *copy = view->bytes[view->data.beacon_count++];
    memcpy(copy, bytes.data, bytes.size);
    beacon->seq = summary.header.seq;
    beacon->payload = slice_of(copy, bytes.size);
    beacon_strings_init(&beacon->strings, beacon->payload);
    view->data.newest = summary;
    view->row.beacons++;
    view->row.segments = summary.ledger.segments_sealed;
    struct beacon_reader reader = beacon_reader_of(beacon->payload);
    while (beacon_reader_next(&reader, &record))
        if (record.field == BEACON_FIELD_VITAL && beacon_decode_message(record.body, vitrace_v1_Vital_fields, &vital))
            view->reported[vital.metric] = vital;
}

static void verify(struct page_view *view)
{
    assert_true(query_verify(&view->data, view->reported, view->verdict));
}

static void expect(const struct page_view *view, uint32_t metric, enum query_verified verified)
{
    if (view->verdict[metric].verified != verified)
        fail_msg("metric %u is %s, not %s: %.17g, derived %.17g", metric,
                 query_verified_name(view->verdict[metric].verified), query_verified_name(verified),
                 view->reported[metric].value, view->verdict[metric].derived);
}

static unsigned expect_all_equal(const struct page_view *view)
{
    unsigned measured = 0;
    for (uint32_t metric = LCP; metric <= TTFB; metric++) {
        if (view->reported[metric].state != vitrace_v1_VitalState_VITAL_STATE_MEASURED)
            continue;
        expect(view, metric, QUERY_VERIFIED_EQUAL);
        measured++;
    }
    return measured;
}

/* Keeps every record of the view but those of one kind. */
static void remove_records(struct page_view *view, enum beacon_field field)
{
    for (size_t i = 0; i < view->data.beacon_count; i++) {
        struct query_beacon *beacon = &view->beacon[i];
        struct beacon_reader reader = beacon_reader_of(beacon->payload);
        struct beacon_record record;
        const uint8_t *from = beacon->payload.data;
        size_t kept = 0;
        while (beacon_reader_next(&reader, &record)) {
            size_t size = (size_t)(record.body.data + record.body.size - from);
            if (record.field != field) {
                memmove(view->bytes[i] + kept, from, size);
                kept += size;
            }
            from += size;
        }
        beacon->payload.size = kept;
        beacon_strings_init(&beacon->strings, beacon->payload);
    }
}

/* --- golden streams --- */

static bool keep_beacon(void *context, struct slice beacon)
{
    (void)context;
    take_beacon(beacon);
    return true;
}

static int read_file(void *context, void *out, size_t size)
{
    size_t got = fread(out, 1, size, context);
    return got == size ? 1 : got == 0 ? 0 : -1;
}

static void replay(const char *path)
{
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    void *memory = aligned_alloc(64, (replay_bytes() + 63) & ~(size_t)63);
    assert_non_null(memory);
    view_count = 0;
    assert_int_equal(replay_run(memory, &(struct replay_io){file, read_file, keep_beacon}), REPLAY_OK);
    free(memory);
    fclose(file);
}

static void test_query_verify__every_vital_of_the_golden_session_is_equal(void **state)
{
    (void)state;
    replay("tests/golden/replay/session.stream");
    assert_int_equal(view_count, 1);
    verify(&views[0]);
    assert_true(expect_all_equal(&views[0]) >= 4);
}

static void test_query_verify__a_load_and_its_soft_navigations_are_equal(void **state)
{
    (void)state;
    unsigned measured = 0;
    replay("tests/golden/replay/soft_navigation.stream");
    assert_true(view_count >= 2);
    for (size_t i = 0; i < view_count; i++) {
        verify(&views[i]);
        measured += expect_all_equal(&views[i]);
    }
    assert_true(measured >= 6);
}

/* --- sessions --- */

static uint64_t seed;

static uint32_t draw(uint32_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % below;
}

/* As browsers give them: 0.1 ms, with the noise of a conversion, now and then in the middle of a microsecond. */
static double noisy(double ms)
{
    return draw(4) == 0 ? ms + draw(1000) * 1e-6 : ms + (double)draw(10) * 0.1 + 1e-10;
}

static void drain(struct rig *rig)
{
    enum beacon_status status;
    while (rig_next_beacon(rig, &status))
        take_beacon(rig->beacon);
}

static void take_at(struct rig *rig, double ms)
{
    rig->clock = (struct core_clock){ms, 1.7e12 + ms};
    rig_take(rig);
    drain(rig);
}

static void put_navigation(struct rig *rig, double response_start, double activation_start)
{
    double *n = rig_record(rig, INBOX_NAVIGATION, INBOX_NAVIGATION_WORDS);
    n[INBOX_NAVIGATION_NAME] = rig_text(rig, "https://shop.example/p/7");
    n[INBOX_NAVIGATION_TYPE] = rig_text(rig, "navigate");
    n[INBOX_NAVIGATION_FETCH_START] = 1.1;
    n[INBOX_NAVIGATION_DOMAIN_LOOKUP_START] = n[INBOX_NAVIGATION_DOMAIN_LOOKUP_END] = 1.1;
    n[INBOX_NAVIGATION_CONNECT_START] = n[INBOX_NAVIGATION_CONNECT_END] = 1.1;
    n[INBOX_NAVIGATION_REQUEST_START] = 2;
    n[INBOX_NAVIGATION_RESPONSE_START] = response_start;
    n[INBOX_NAVIGATION_RESPONSE_END] = response_start + 5;
    n[INBOX_NAVIGATION_ACTIVATION_START] = activation_start;
}

static void put_paint(struct rig *rig, const char *name, double start)
{
    double *paint = rig_record(rig, INBOX_PAINT, INBOX_PAINT_WORDS);
    paint[INBOX_PAINT_NAME] = rig_text(rig, name);
    paint[INBOX_PAINT_START_TIME] = start;
}

static void put_largest_paint(struct rig *rig, double start, bool is_last)
{
    double *lcp = rig_record(rig, INBOX_LARGEST_PAINT, INBOX_LARGEST_PAINT_WORDS);
    lcp[INBOX_LARGEST_PAINT_START_TIME] = lcp[INBOX_LARGEST_PAINT_RENDER_TIME] = start;
    lcp[INBOX_LARGEST_PAINT_SIZE] = start;
    lcp[INBOX_LARGEST_PAINT_LAST] = is_last;
}

static void put_shift(struct rig *rig, double start, double value)
{
    double *shift = rig_record(rig, INBOX_LAYOUT_SHIFT, INBOX_LAYOUT_SHIFT_WORDS);
    shift[INBOX_LAYOUT_SHIFT_START_TIME] = start;
    shift[INBOX_LAYOUT_SHIFT_VALUE] = value;
    shift[INBOX_LAYOUT_SHIFT_HAD_RECENT_INPUT] = draw(8) == 0;
}

static void put_event(struct rig *rig, double start, double duration, uint32_t interaction)
{
    double *event = rig_record(rig, INBOX_EVENT, INBOX_EVENT_WORDS);
    event[INBOX_EVENT_NAME] = rig_text(rig, "click");
    event[INBOX_EVENT_START_TIME] = start;
    event[INBOX_EVENT_DURATION] = duration;
    event[INBOX_EVENT_PROCESSING_START] = start + 1 + draw(300) * 0.1;
    event[INBOX_EVENT_PROCESSING_END] = event[INBOX_EVENT_PROCESSING_START] + draw(2000) * 0.1;
    event[INBOX_EVENT_INTERACTION_ID] = interaction;
}

static void put_lifecycle(struct rig *rig, enum inbox_lifecycle event, double time)
{
    double *lifecycle = rig_record(rig, INBOX_LIFECYCLE, INBOX_LIFECYCLE_WORDS);
    lifecycle[INBOX_LIFECYCLE_FIELD_EVENT] = event;
    lifecycle[INBOX_LIFECYCLE_FIELD_TIME] = time;
}

static void put_hidden(struct rig *rig, double time)
{
    double *hidden = rig_record(rig, INBOX_VISIBILITY, INBOX_VISIBILITY_WORDS);
    hidden[INBOX_VISIBILITY_START_TIME] = time;
    hidden[INBOX_VISIBILITY_HIDDEN] = 1;
    hidden[INBOX_VISIBILITY_BUFFERED] = 0;
}

static void put_view(struct rig *rig, uint32_t type, double start)
{
    double *view = rig_record(rig, INBOX_VIEW, INBOX_VIEW_WORDS);
    for (unsigned i = 0; i < 4; i++)
        view[INBOX_VIEW_VIEW_ID_0 + i] = 77 + i;
    view[INBOX_VIEW_START_TIME] = start;
    view[INBOX_VIEW_TYPE] = type;
    view[INBOX_VIEW_URL] = rig_text(rig, "https://shop.example/p/8");
    view[INBOX_VIEW_ROUTE] = rig_text(rig, "/p/:id");
    view[INBOX_VIEW_HIDDEN] = 0;
}

#define STEPS 6
static const double any_steps[STEPS] = {1003, 997, 4990, 251.3, 16.6, 600};
/* Shifts often exactly a window's limit apart. */
static const double limit_steps[STEPS] = {1000, 999.9, 5000, 250, 16.6, 1000.1};

/* Shifts and interactions, for `ms` from `from` on. */
static double live_by(struct rig *rig, double from, double ms, const double steps[STEPS])
{
    double now = from;
    while (now < from + ms) {
        now += steps[draw(STEPS)];
        put_shift(rig, draw(2) ? now : noisy(now), (1 + draw(200)) / 1000.0);
        if (draw(3) == 0)
            put_event(rig, noisy(now), 16 + 8 * draw(40), draw(5) == 0 ? 0 : 100 + 7 * draw(90));
        if (draw(3) == 0) {
            put_lifecycle(rig, INBOX_LIFECYCLE_IDLE, now);
            take_at(rig, now);
        }
    }
    put_lifecycle(rig, INBOX_LIFECYCLE_IDLE, now);
    take_at(rig, now);
    return now;
}

static double live(struct rig *rig, double from, double ms)
{
    return live_by(rig, from, ms, any_steps);
}

static double load(struct rig *rig, double activation_start)
{
    double response_start = noisy(20 + draw(400)), now = response_start;
    rig_put_start(rig);
    put_navigation(rig, response_start, activation_start);
    put_paint(rig, "first-paint", noisy(now + 3));
    put_paint(rig, "first-contentful-paint", noisy(now + 4));
    for (unsigned i = 0, paints = 1 + draw(4); i < paints; i++)
        put_largest_paint(rig, noisy(now += 1 + draw(300)), i + 1 == paints || draw(2) == 0);
    put_lifecycle(rig, INBOX_LIFECYCLE_LOADED, now + 50);
    if (draw(3) == 0) {
        put_lifecycle(rig, INBOX_LIFECYCLE_INPUT, now + 60);
        put_lifecycle(rig, INBOX_LIFECYCLE_IDLE, now + 61);
        put_largest_paint(rig, now + 70, true);
    }
    take_at(rig, now + 100);
    return now + 100;
}

static void leave(struct rig *rig, double now)
{
    put_hidden(rig, now + 1);
    take_at(rig, now + 2);
    rig_seal(rig, 1);
    drain(rig);
}

static void test_query_verify__what_the_core_made_is_always_equal(void **state)
{
    (void)state;
    unsigned measured = 0;
    for (seed = 1; seed <= 300; seed++) {
        uint64_t number = seed;
        struct rig *rig = rig_new();
        view_count = 0;
        leave(rig, live(rig, load(rig, draw(4) == 0 ? noisy(200) : 0), 20000));
        verify(&views[0]);
        measured += expect_all_equal(&views[0]);
        rig_free(rig);
        seed = number;
    }
    assert_true(measured > 1300);
}

/* Rounding decides on which side of a window's limit a shift is: then the answer may be unknown, never wrong. */
static void test_query_verify__a_limit_that_is_met_to_the_microsecond_accuses_nobody(void **state)
{
    (void)state;
    unsigned equal = 0;
    for (seed = 1; seed <= 300; seed++) {
        uint64_t number = seed;
        struct rig *rig = rig_new();
        view_count = 0;
        leave(rig, live_by(rig, load(rig, 0), 20000, limit_steps));
        verify(&views[0]);
        assert_int_not_equal(views[0].verdict[CLS].verified, QUERY_VERIFIED_DIFFERS);
        equal += views[0].verdict[CLS].verified == QUERY_VERIFIED_EQUAL;
        rig_free(rig);
        seed = number;
    }
    assert_in_range(equal, 270, 300);
}

static void test_query_verify__a_return_from_the_back_forward_cache_is_equal(void **state)
{
    (void)state;
    for (seed = 1; seed <= 50; seed++) {
        uint64_t number = seed;
        struct rig *rig = rig_new();
        view_count = 0;
        double now = live(rig, load(rig, 0), 3000);
        leave(rig, now);
        double shown = noisy(now + 60000);
        put_view(rig, vitrace_v1_NavigationType_NAVIGATION_TYPE_BACK_FORWARD_CACHE, shown);
        put_paint(rig, "first-contentful-paint", noisy(shown + 18));
        take_at(rig, shown + 30);
        leave(rig, live(rig, shown + 100, 9000));
        assert_int_equal(view_count, 2);
        verify(&views[0]);
        verify(&views[1]);
        expect_all_equal(&views[0]);
        assert_true(expect_all_equal(&views[1]) >= 4);
        rig_free(rig);
        seed = number;
    }
}

static void test_query_verify__a_route_change_has_what_it_can_have(void **state)
{
    (void)state;
    seed = 7;
    struct rig *rig = rig_new();
    view_count = 0;
    double now = live(rig, load(rig, 0), 3000);
    put_view(rig, vitrace_v1_NavigationType_NAVIGATION_TYPE_ROUTE_CHANGE, now + 5);
    put_event(rig, now + 100, 96, 700);
    leave(rig, live(rig, now + 200, 9000));
    verify(&views[1]);
    assert_int_equal(expect_all_equal(&views[1]), 2);
    expect(&views[1], LCP, QUERY_VERIFIED_UNKNOWN);
    rig_free(rig);
}

/* --- forgeries --- */

static struct page_view *one_session(void)
{
    seed = 5;
    struct rig *rig = rig_new();
    view_count = 0;
    double now = load(rig, 0);
    put_event(rig, now + 5, 112, 9000);
    leave(rig, live(rig, now + 20, 9000));
    rig_free(rig);
    verify(&views[0]);
    assert_int_equal(expect_all_equal(&views[0]), 5);
    return &views[0];
}

static void test_query_verify__a_value_that_the_entries_do_not_give_differs(void **state)
{
    (void)state;
    static const double off[] = {[LCP] = 0.01, [INP] = 8, [CLS] = 1e-15, [FCP] = -0.01, [TTFB] = 0.01};
    for (uint32_t metric = LCP; metric <= TTFB; metric++) {
        struct page_view *view = one_session();
        view->reported[metric].value += off[metric];
        view->reported[metric].parts[0] += off[metric]; /* its parts agree */
        verify(view);
        expect(view, metric, QUERY_VERIFIED_DIFFERS);
        assert_true(view->verdict[metric].has_derived);
        for (uint32_t other = LCP; other <= TTFB; other++)
            if (other != metric)
                expect(view, other, QUERY_VERIFIED_EQUAL);
    }
}

static void test_query_verify__the_true_value_is_told(void **state)
{
    (void)state;
    struct page_view *view = one_session();
    double true_fcp = view->reported[FCP].value, true_cls = view->reported[CLS].value;
    view->reported[FCP].value = view->reported[FCP].parts[0] = 1;
    view->reported[FCP].parts[1] = 0;
    view->reported[CLS].value = 0;
    view->reported[CLS].rating = vitrace_v1_Rating_RATING_GOOD;
    verify(view);
    expect(view, FCP, QUERY_VERIFIED_DIFFERS);
    expect(view, CLS, QUERY_VERIFIED_DIFFERS);
    assert_true(view->verdict[FCP].derived - true_fcp < 0.001 && true_fcp - view->verdict[FCP].derived < 0.001);
    assert_memory_equal(&view->verdict[CLS].derived, &true_cls, sizeof true_cls);
}

static void test_query_verify__a_rating_that_is_not_the_values_differs(void **state)
{
    (void)state;
    struct page_view *view = one_session();
    view->reported[FCP].rating = vitrace_v1_Rating_RATING_POOR;
    verify(view);
    expect(view, FCP, QUERY_VERIFIED_DIFFERS);
}

static void test_query_verify__parts_that_do_not_add_up_differ(void **state)
{
    (void)state;
    struct page_view *view = one_session();
    view->reported[INP].parts[1] += 0.01;
    view->reported[LCP].parts[2] -= 0.01;
    verify(view);
    expect(view, INP, QUERY_VERIFIED_DIFFERS);
    expect(view, LCP, QUERY_VERIFIED_DIFFERS);
}

static void test_query_verify__an_interaction_of_another_time_differs(void **state)
{
    (void)state;
    struct page_view *view = one_session();
    view->reported[INP].time += 1;
    verify(view);
    expect(view, INP, QUERY_VERIFIED_DIFFERS);
}

/* --- what is not here --- */

static void test_query_verify__without_its_entries_a_vital_is_unknown(void **state)
{
    (void)state;
    static const struct {
        enum beacon_field field;
        uint32_t metric;
    } inputs[] = {{BEACON_FIELD_PAINT, FCP},
                  {BEACON_FIELD_PAINT, CLS}, /* begins with the first paint */
                  {BEACON_FIELD_LARGEST_CONTENTFUL_PAINT, LCP},
                  {BEACON_FIELD_EVENT, INP},
                  {BEACON_FIELD_NAVIGATION, TTFB}};
    for (size_t i = 0; i < sizeof inputs / sizeof inputs[0]; i++) {
        struct page_view *view = one_session();
        remove_records(view, inputs[i].field);
        verify(view);
        expect(view, inputs[i].metric, QUERY_VERIFIED_UNKNOWN);
    }
}

/* Breaks CLS, whose shifts are gone, and then says in one way after the other why that may be. */
static void test_query_verify__what_the_ledger_says_is_missing_is_not_held_against_the_page(void **state)
{
    (void)state;
    for (int way = 0; way < 8; way++) {
        struct page_view *view = one_session();
        vitrace_v1_Ledger *ledger = &view->data.newest.ledger;
        remove_records(view, BEACON_FIELD_LAYOUT_SHIFT);
        verify(view);
        expect(view, CLS, QUERY_VERIFIED_DIFFERS);
        ledger->losses_count = way == 0;
        ledger->losses[0].reason = vitrace_v1_LossReason_LOSS_REASON_BUDGET;
        ledger->losses[0].count = 1;
        ledger->entries_seen += way == 1;
        ledger->segments_dropped = way == 2;
        ledger->budget_level = way == 3;
        view->row.segments += way == 4; /* a beacon that did not come */
        view->data.truncated = way == 5;
        view->data.newest.has_ledger = way != 6;
        if (way == 7)
            view->beacon[view->data.beacon_count - 1].seq = STORE_SEQ_SNAPSHOT;
        verify(view);
        expect(view, CLS, QUERY_VERIFIED_UNKNOWN);
        expect(view, FCP, QUERY_VERIFIED_EQUAL); /* its entries are here, whatever else is not */
    }
}

/* That another page was left early says nothing of this view's entries. */
static void test_query_verify__a_loss_that_is_no_entry_of_the_view_excuses_nothing(void **state)
{
    (void)state;
    struct page_view *view = one_session();
    vitrace_v1_Ledger *ledger = &view->data.newest.ledger;
    remove_records(view, BEACON_FIELD_LAYOUT_SHIFT);
    ledger->losses_count = 1;
    ledger->losses[0].reason = vitrace_v1_LossReason_LOSS_REASON_PAGE_LEFT;
    ledger->losses[0].count = 1;
    verify(view);
    expect(view, CLS, QUERY_VERIFIED_DIFFERS);
}

static void test_query_verify__a_view_without_beacons_has_no_verdicts(void **state)
{
    (void)state;
    struct page_view *view = one_session();
    view->data.beacon_count = 0;
    memset(view->reported, 0, sizeof view->reported);
    verify(view);
    for (uint32_t metric = LCP; metric <= TTFB; metric++)
        expect(view, metric, QUERY_VERIFIED_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_query_verify__every_vital_of_the_golden_session_is_equal),
        cmocka_unit_test(test_query_verify__a_load_and_its_soft_navigations_are_equal),
        cmocka_unit_test(test_query_verify__what_the_core_made_is_always_equal),
        cmocka_unit_test(test_query_verify__a_limit_that_is_met_to_the_microsecond_accuses_nobody),
        cmocka_unit_test(test_query_verify__a_return_from_the_back_forward_cache_is_equal),
        cmocka_unit_test(test_query_verify__a_route_change_has_what_it_can_have),
        cmocka_unit_test(test_query_verify__a_value_that_the_entries_do_not_give_differs),
        cmocka_unit_test(test_query_verify__the_true_value_is_told),
        cmocka_unit_test(test_query_verify__a_rating_that_is_not_the_values_differs),
        cmocka_unit_test(test_query_verify__parts_that_do_not_add_up_differ),
        cmocka_unit_test(test_query_verify__an_interaction_of_another_time_differs),
        cmocka_unit_test(test_query_verify__without_its_entries_a_vital_is_unknown),
        cmocka_unit_test(test_query_verify__what_the_ledger_says_is_missing_is_not_held_against_the_page),
        cmocka_unit_test(test_query_verify__a_loss_that_is_no_entry_of_the_view_excuses_nothing),
        cmocka_unit_test(test_query_verify__a_view_without_beacons_has_no_verdicts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
