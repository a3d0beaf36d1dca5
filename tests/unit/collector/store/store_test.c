#include "collector/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "proto/wire/sketch.h"

#define NOW_US   UINT64_C(1760000000000000)
#define LCP      1u
#define CLS      3u
#define MEASURED 1u
#define GOOD     1u
#define POOR     3u

struct fixture {
    char folder[64], path[80];
    struct store *store;
    struct store_reader *reader;
};

static void fixture_open(struct fixture *self)
{
    char error[256] = "";
    self->store = store_open(self->path, error, sizeof error);
    if (!self->store)
        fail_msg("%s", error);
    self->reader = store_reader_open(self->path, error, sizeof error);
    if (!self->reader)
        fail_msg("%s", error);
}

static void fixture_close(struct fixture *self)
{
    store_reader_close(self->reader);
    store_close(self->store);
    self->reader = NULL;
    self->store = NULL;
}

static int setup(void **state)
{
    struct fixture *self = calloc(1, sizeof *self);
    snprintf(self->folder, sizeof self->folder, "/tmp/vitrace-store-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->path, sizeof self->path, "%s/index.db", self->folder);
    fixture_open(self);
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *self = *state;
    fixture_close(self);
    store_delete(self->path);
    rmdir(self->folder);
    free(self);
    return 0;
}

static struct store_beacon beacon_of(uint8_t view, uint32_t seq)
{
    struct store_beacon beacon = {.app = slice_text("shop"),
                                  .route = slice_text("/"),
                                  .url = slice_text("http://127.0.0.1/"),
                                  .seq = seq,
                                  .position = 100 + seq,
                                  .received_us = NOW_US,
                                  .started_us = NOW_US - 1000,
                                  .segments = seq + 1};
    memset(beacon.view_id, view, sizeof beacon.view_id);
    return beacon;
}

static struct store_view put_view(struct fixture *self, uint8_t id, uint32_t seq, enum store_status expected)
{
    struct store_beacon beacon = beacon_of(id, seq);
    struct store_view view = {0};
    assert_int_equal(store_put_beacon(self->store, &beacon, &view), expected);
    return view;
}

static void put_vital(struct fixture *self, const struct store_view *view, uint32_t seq, uint32_t metric, double value,
                      uint32_t rating)
{
    struct store_vital vital = {.metric = metric, .state = MEASURED, .value = value, .rating = rating};
    store_put_vital(self->store, view, seq, &vital);
}

struct rollup {
    uint64_t total, p50, good, poor;
    unsigned rows;
    char route[64];
};

/* The sum over all rows, and the route of the newest row that holds anything. */
static struct rollup read_rollups(struct fixture *self, uint32_t metric)
{
    struct rollup all = {0};
    struct store_rollup_row row;
    struct sketch sum, sketch;
    sketch_init(&sum);
    assert_true(store_reader_begin(self->reader, 0));
    store_reader_find_rollups(self->reader, slice_text("shop"), metric, 0);
    while (store_reader_next_rollup(self->reader, &row)) {
        assert_true(sketch_decode(&sketch, row.sketch));
        sketch_merge(&sum, &sketch);
        all.good += row.good;
        all.poor += row.poor;
        all.rows += sketch.total > 0;
        if (sketch.total > 0)
            snprintf(all.route, sizeof all.route, "%.*s", (int)row.route.size, (const char *)row.route.data);
    }
    assert_true(store_reader_end(self->reader));
    all.total = sum.total;
    all.p50 = sketch_quantile(&sum, 0.5);
    return all;
}

static void test_store__a_new_index_stands_at_the_beginning_of_the_log(void **state)
{
    struct fixture *self = *state;
    assert_int_equal(store_position(self->store), 0);
    struct store_app_row app;
    assert_true(store_reader_begin(self->reader, 0));
    store_reader_find_apps(self->reader);
    assert_false(store_reader_next_app(self->reader, &app));
    assert_true(store_reader_end(self->reader));
}

static void test_store__a_batch_and_its_position_are_one(void **state)
{
    struct fixture *self = *state;
    assert_true(store_begin(self->store));
    put_view(self, 1, 0, STORE_OK);
    assert_true(store_commit(self->store, 500));
    assert_true(store_begin(self->store));
    put_view(self, 2, 0, STORE_OK);
    fixture_close(self); /* as a crash: the second batch was never committed */
    fixture_open(self);
    assert_int_equal(store_position(self->store), 500);
    uint64_t position;
    uint8_t first[16], second[16];
    memset(first, 1, 16);
    memset(second, 2, 16);
    assert_true(store_reader_begin(self->reader, 0));
    assert_true(store_reader_beacon(self->reader, first, 0, &position) > 0);
    assert_int_equal(position, 100);
    assert_int_equal(store_reader_beacon(self->reader, second, 0, &position), 0);
    assert_true(store_reader_end(self->reader));
}

static void test_store__a_rolled_back_batch_leaves_no_counts_in_memory(void **state)
{
    struct fixture *self = *state;
    assert_true(store_begin(self->store));
    struct store_view view = put_view(self, 1, 0, STORE_OK);
    put_vital(self, &view, 0, LCP, 800, GOOD);
    store_roll_back(self->store);
    assert_true(store_begin(self->store));
    view = put_view(self, 1, 0, STORE_OK);
    put_vital(self, &view, 0, LCP, 800, GOOD);
    assert_true(store_commit(self->store, 1));
    assert_int_equal(read_rollups(self, LCP).total, 1);
    assert_int_equal(read_rollups(self, LCP).good, 1);
}

static void test_store__a_beacon_of_the_same_seq_is_a_duplicate(void **state)
{
    struct fixture *self = *state;
    assert_true(store_begin(self->store));
    put_view(self, 1, 0, STORE_OK);
    put_view(self, 1, 0, STORE_DUPLICATE);
    put_view(self, 1, 1, STORE_OK);
    assert_true(store_commit(self->store, 1));
}

static void test_store__a_revised_vital_counts_once_with_its_newest_value(void **state)
{
    struct fixture *self = *state;
    assert_true(store_begin(self->store));
    struct store_view view = put_view(self, 1, 0, STORE_OK);
    put_vital(self, &view, 0, LCP, 5000, POOR);
    put_vital(self, &view, 2, LCP, 800, GOOD);
    put_vital(self, &view, 1, LCP, 9000, POOR); /* late, and older */
    assert_true(store_commit(self->store, 1));
    struct rollup rollup = read_rollups(self, LCP);
    assert_int_equal(rollup.total, 1);
    assert_int_equal(rollup.good, 1);
    assert_int_equal(rollup.poor, 0);
    assert_in_range(rollup.p50, 800000 - 800000 / 64, 800000 + 800000 / 64);
}

static void test_store__an_unsupported_vital_is_kept_but_not_counted(void **state)
{
    struct fixture *self = *state;
    struct store_vital vital = {.metric = LCP, .state = 2};
    assert_true(store_begin(self->store));
    struct store_view view = put_view(self, 1, 0, STORE_OK);
    store_put_vital(self->store, &view, 0, &vital);
    assert_true(store_commit(self->store, 1));
    assert_int_equal(read_rollups(self, LCP).total, 0);
    assert_true(store_reader_begin(self->reader, 0));
    store_reader_find_vitals(self->reader, view.id);
    assert_true(store_reader_next_vital(self->reader, &vital));
    assert_int_equal(vital.state, 2);
    assert_true(store_reader_end(self->reader));
}

static struct store_view put_sampled_view(struct fixture *self, uint8_t id, uint32_t ppm, uint32_t trigger)
{
    struct store_beacon beacon = beacon_of(id, 0);
    struct store_view view = {0};
    beacon.sample_rate_ppm = ppm;
    beacon.recorder_trigger = trigger;
    assert_int_equal(store_put_beacon(self->store, &beacon, &view), STORE_OK);
    return view;
}

static void test_store__a_sampled_view_stands_for_those_that_were_not(void **state)
{
    static const struct {
        uint32_t ppm, trigger;
        uint64_t total;
    } views[] = {{0, 0, 1}, {1000000, 0, 1},       {4000000, 0, 1}, {250000, 0, 4}, {300000, 0, 3}, {999999, 0, 1},
                 {1000, 0, 1000}, {1, 0, STORE_WEIGHT_MAX}, {0, 3, 0},      {250000, 5, 0}};
    struct fixture *self = *state;
    uint64_t total = 0;
    assert_true(store_begin(self->store));
    for (uint8_t i = 0; i < sizeof views / sizeof views[0]; i++) {
        struct store_view view = put_sampled_view(self, i, views[i].ppm, views[i].trigger);
        assert_int_equal(view.weight, views[i].total);
        put_vital(self, &view, 0, LCP, 1000, 3);
        total += views[i].total;
    }
    assert_true(store_commit(self->store, 1));
    struct rollup sum = read_rollups(self, LCP);
    assert_int_equal(sum.total, total);
    assert_int_equal(sum.poor, total);
}

static void test_store__a_weight_is_the_first_beacons_so_that_it_is_taken_back_whole(void **state)
{
    struct fixture *self = *state;
    assert_true(store_begin(self->store));
    struct store_view other = put_view(self, 1, 0, STORE_OK);
    put_vital(self, &other, 0, LCP, 1000, 1);
    struct store_view view = put_sampled_view(self, 2, 500000, 0);
    put_vital(self, &view, 0, LCP, 1000, 1);
    struct store_beacon later = beacon_of(2, 1);
    later.sample_rate_ppm = 1000;
    later.route = slice_text("/moved");
    assert_int_equal(store_put_beacon(self->store, &later, &view), STORE_OK);
    assert_int_equal(view.weight, 2);
    put_vital(self, &view, 1, LCP, 9000, 3);
    assert_true(store_commit(self->store, 1));
    struct rollup sum = read_rollups(self, LCP);
    assert_int_equal(sum.total, 3);
    assert_int_equal(sum.good, 1);
    assert_int_equal(sum.poor, 2);
}

static void test_store__layout_shift_scores_keep_six_digits(void **state)
{
    struct fixture *self = *state;
    assert_true(store_begin(self->store));
    struct store_view view = put_view(self, 1, 0, STORE_OK);
    put_vital(self, &view, 0, CLS, 0.25, POOR);
    assert_true(store_commit(self->store, 1));
    assert_in_range(read_rollups(self, CLS).p50, 250000 - 250000 / 64, 250000 + 250000 / 64);
}

static void test_store__values_move_when_the_page_sets_its_route_later(void **state)
{
    struct fixture *self = *state;
    struct store_beacon beacon = beacon_of(1, 0);
    struct store_view view;
    assert_true(store_begin(self->store));
    assert_int_equal(store_put_beacon(self->store, &beacon, &view), STORE_OK);
    put_vital(self, &view, 0, LCP, 800, GOOD);
    assert_true(store_commit(self->store, 1));
    beacon.seq = 1;
    beacon.route = slice_text("/cart");
    assert_true(store_begin(self->store));
    assert_int_equal(store_put_beacon(self->store, &beacon, &view), STORE_OK);
    assert_true(store_commit(self->store, 2));
    struct rollup rollup = read_rollups(self, LCP);
    assert_int_equal(rollup.total, 1);
    assert_int_equal(rollup.rows, 1);
    assert_string_equal(rollup.route, "/cart");
}

/* More routes than cache slots, too: what was written to make room must come back right. */
static void test_store__routes_past_the_bound_are_counted_together(void **state)
{
    struct fixture *self = *state;
    assert_true(store_begin(self->store));
    for (uint32_t i = 0; i < STORE_ROUTES_MAX + 50; i++) {
        char route[32];
        struct store_beacon beacon = beacon_of(1, 0);
        struct store_view view;
        snprintf(route, sizeof route, "/r/%u", i);
        beacon.route = slice_text(route);
        memcpy(beacon.view_id, &i, sizeof i);
        assert_int_equal(store_put_beacon(self->store, &beacon, &view), STORE_OK);
        put_vital(self, &view, 0, LCP, 800, GOOD);
    }
    assert_true(store_commit(self->store, 1));
    struct rollup rollup = read_rollups(self, LCP);
    assert_int_equal(rollup.total, STORE_ROUTES_MAX + 50);
    assert_int_equal(rollup.rows, STORE_ROUTES_MAX + 1);
}

static void test_store__apps_past_the_bound_are_refused(void **state)
{
    struct fixture *self = *state;
    assert_true(store_begin(self->store));
    for (uint32_t i = 0; i <= STORE_APPS_MAX; i++) {
        char app[32];
        struct store_beacon beacon = beacon_of(1, 0);
        struct store_view view;
        snprintf(app, sizeof app, "app%u", i);
        beacon.app = slice_text(app);
        memcpy(beacon.view_id, &i, sizeof i);
        assert_int_equal(store_put_beacon(self->store, &beacon, &view), i < STORE_APPS_MAX ? STORE_OK : STORE_REFUSED);
    }
    assert_true(store_commit(self->store, 1));
}

static uint64_t read_join_count(struct fixture *self, uint32_t level, uint32_t reason)
{
    struct store_join_count_row row;
    uint64_t count = 0;
    assert_true(store_reader_begin(self->reader, 0));
    store_reader_find_join_counts(self->reader, slice_text("shop"), 0);
    while (store_reader_next_join_count(self->reader, &row))
        if (row.level == level && row.reason == reason)
            count += row.count;
    assert_true(store_reader_end(self->reader));
    return count;
}

static void put_request(struct fixture *self, const struct store_view *view, uint32_t ordinal,
                        enum store_request_kind kind)
{
    struct store_request request = {.ordinal = ordinal, .kind = kind, .url_hash = 7, .ids = slice_text("ids")};
    uint8_t trace_id[16];
    memset(trace_id, 0xaa, sizeof trace_id);
    store_put_request(self->store, view, &request);
    store_put_trace_view(self->store, trace_id, view->id, 0, ordinal);
}

static void put_join(struct fixture *self, const struct store_view *view, uint32_t ordinal, uint32_t level,
                     uint32_t reason)
{
    struct store_join join = {.position = view->position, .ordinal = ordinal, .level = level, .reason = reason};
    store_put_join(self->store, &join);
}

static void test_store__a_join_never_falls_back_and_is_counted_once(void **state)
{
    struct fixture *self = *state;
    assert_true(store_begin(self->store));
    struct store_view view = put_view(self, 1, 0, STORE_OK);
    put_request(self, &view, 0, STORE_RESOURCE);
    put_join(self, &view, 0, 0, 1);
    put_join(self, &view, 0, 1, 0);
    put_join(self, &view, 0, 2, 0);
    put_join(self, &view, 0, 0, 2);
    put_join(self, &view, 9, 2, 0); /* of a request that is not there */
    assert_true(store_commit(self->store, 1));
    assert_int_equal(read_join_count(self, 2, 0), 1);
    assert_int_equal(read_join_count(self, 1, 0), 0);
    assert_int_equal(read_join_count(self, 0, 1), 0);
    assert_int_equal(read_join_count(self, 0, 2), 0);
}

static void test_store__a_merged_call_is_counted_no_more(void **state)
{
    struct fixture *self = *state;
    struct store_partner partner;
    struct store_request call = {.ordinal = 1, .kind = STORE_CALL, .url_hash = 7};
    uint8_t trace_id[16];
    memset(trace_id, 0xaa, sizeof trace_id);
    assert_true(store_begin(self->store));
    struct store_view view = put_view(self, 1, 0, STORE_OK);
    put_request(self, &view, 0, STORE_RESOURCE);
    put_request(self, &view, 1, STORE_CALL);
    put_join(self, &view, 1, 1, 0);
    assert_true(store_find_partner(self->store, &view, &call, trace_id, &partner));
    assert_int_equal(partner.ordinal, 0);
    assert_int_equal(partner.ids_size, 3);
    store_merge_call(self->store, view.position, 1, partner.position, partner.ordinal);
    store_merge_call(self->store, view.position, 1, partner.position, partner.ordinal); /* once is enough */
    put_join(self, &view, 1, 2, 0);                                             /* a result that was under way */
    assert_false(store_find_partner(self->store, &view, &call, trace_id, &partner));
    assert_true(store_commit(self->store, 1));
    assert_int_equal(read_join_count(self, 1, 0) + read_join_count(self, 2, 0), 0);
}

static void test_store__of_several_partners_the_same_url_and_then_the_nearest_start_wins(void **state)
{
    struct fixture *self = *state;
    static const struct {
        uint32_t url_hash;
        int64_t start_us;
    } resource[] = {{8, 1000}, {7, 5000}, {7, 1500}, {7, 400}};
    struct store_request call = {.ordinal = 9, .kind = STORE_CALL, .url_hash = 7, .start_us = 1000};
    struct store_partner partner;
    uint8_t trace_id[16];
    memset(trace_id, 0xbb, sizeof trace_id);
    assert_true(store_begin(self->store));
    struct store_view view = put_view(self, 1, 0, STORE_OK);
    for (uint32_t i = 0; i < 4; i++) {
        struct store_request request = {
            .ordinal = i, .kind = STORE_RESOURCE, .url_hash = resource[i].url_hash, .start_us = resource[i].start_us};
        store_put_request(self->store, &view, &request);
        store_put_trace_view(self->store, trace_id, view.id, 0, i);
    }
    assert_true(store_find_partner(self->store, &view, &call, trace_id, &partner));
    assert_int_equal(partner.ordinal, 2);
    assert_true(store_commit(self->store, 1));
}

static void test_store__an_index_of_another_schema_is_deleted_and_begun_anew(void **state)
{
    struct fixture *self = *state;
    sqlite3 *db;
    assert_true(store_begin(self->store));
    put_view(self, 1, 0, STORE_OK);
    assert_true(store_commit(self->store, 500));
    fixture_close(self);
    assert_int_equal(sqlite3_open(self->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    fixture_open(self);
    assert_int_equal(store_position(self->store), 0);
}

static void test_store__a_file_that_is_no_database_is_deleted_and_begun_anew(void **state)
{
    struct fixture *self = *state;
    fixture_close(self);
    store_delete(self->path);
    FILE *file = fopen(self->path, "w");
    assert_non_null(file);
    for (int i = 0; i < 1000; i++)
        fputs("this is not a database ", file);
    fclose(file);
    fixture_open(self);
    assert_int_equal(store_position(self->store), 0);
}

static void test_store__marks_bound_a_replay_by_age_and_by_bytes(void **state)
{
    struct fixture *self = *state;
    const uint64_t minute = 60000000;
    assert_true(store_begin(self->store));
    for (uint64_t i = 0; i < 100; i++)
        store_mark(self->store, 1000 + i * 1000, NOW_US + i * minute);
    assert_true(store_commit(self->store, 101000));
    assert_true(store_reader_begin(self->reader, 0));
    assert_int_equal(store_reader_mark(self->reader, 10 * minute, UINT64_MAX), 1000 + 89 * 1000);
    assert_int_equal(store_reader_mark(self->reader, 10 * minute, 5000), 96000);
    assert_int_equal(store_reader_mark(self->reader, 1000 * minute, UINT64_MAX), 0);
    assert_true(store_reader_end(self->reader));
}

/* The replay must not forget what came just before the clock was set, by a day or by 30 years, forth and back. */
static void test_store__marks_of_a_clock_that_was_set_never_shorten_a_replay(void **state)
{
    struct fixture *self = *state;
    const uint64_t minute = 60000000, day = 24 * 60 * minute;
    const struct {
        uint64_t from, to; /* marks */
        int64_t jump_us;
    } cases[] = {{20, 30, (int64_t)(30 * 365 * day)}, {20, 30, -(int64_t)(30 * 365 * day)}, {20, 30, (int64_t)day},
                 {20, 100, -(int64_t)day},            {99, 100, -(int64_t)day}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        fixture_close(self);
        assert_true(store_delete(self->path));
        fixture_open(self);
        assert_true(store_begin(self->store));
        for (uint64_t mark = 0; mark < 100; mark++) {
            bool jumped = mark >= cases[i].from && mark < cases[i].to;
            store_mark(self->store, 1000 + mark * 1000, NOW_US + mark * minute + (uint64_t)(jumped ? cases[i].jump_us : 0));
        }
        assert_true(store_commit(self->store, 101000));
        assert_true(store_reader_begin(self->reader, 0));
        assert_in_range(store_reader_mark(self->reader, 10 * minute, UINT64_MAX), 0, 1000 + 89 * 1000);
        assert_true(store_reader_end(self->reader));
    }
}

static void test_store__a_snapshot_does_not_see_a_later_batch(void **state)
{
    struct fixture *self = *state;
    uint64_t position;
    uint8_t view_id[16];
    memset(view_id, 1, sizeof view_id);
    assert_true(store_reader_begin(self->reader, 0));
    assert_int_equal(store_reader_position(self->reader), 0);
    assert_true(store_begin(self->store));
    put_view(self, 1, 0, STORE_OK);
    assert_true(store_commit(self->store, 7));
    assert_int_equal(store_reader_beacon(self->reader, view_id, 0, &position), 0);
    assert_true(store_reader_end(self->reader));
    assert_true(store_reader_begin(self->reader, 0));
    assert_int_equal(store_reader_position(self->reader), 7);
    assert_true(store_reader_end(self->reader));
}

static void test_store__a_query_of_too_many_steps_is_given_up(void **state)
{
    struct fixture *self = *state;
    struct store_view_row row;
    unsigned count = 0;
    assert_true(store_begin(self->store));
    for (uint32_t i = 0; i < 2000; i++) {
        struct store_beacon beacon = beacon_of(1, 0);
        struct store_view view;
        memcpy(beacon.view_id, &i, sizeof i);
        assert_int_equal(store_put_beacon(self->store, &beacon, &view), STORE_OK);
    }
    assert_true(store_commit(self->store, 1));
    assert_true(store_reader_begin(self->reader, 10000));
    store_reader_find_views(self->reader, slice_text("shop"), 0, 2000);
    while (store_reader_next_view(self->reader, &row))
        count++;
    assert_true(count < 2000);
    assert_false(store_reader_end(self->reader));
    assert_true(store_reader_begin(self->reader, 0)); /* and the next one is answered */
    store_reader_find_views(self->reader, slice_text("shop"), 0, 2000);
    for (count = 0; store_reader_next_view(self->reader, &row);)
        count++;
    assert_int_equal(count, 2000);
    assert_true(store_reader_end(self->reader));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store__a_new_index_stands_at_the_beginning_of_the_log),
        TEST(test_store__a_batch_and_its_position_are_one),
        TEST(test_store__a_rolled_back_batch_leaves_no_counts_in_memory),
        TEST(test_store__a_beacon_of_the_same_seq_is_a_duplicate),
        TEST(test_store__a_revised_vital_counts_once_with_its_newest_value),
        TEST(test_store__an_unsupported_vital_is_kept_but_not_counted),
        TEST(test_store__a_sampled_view_stands_for_those_that_were_not),
        TEST(test_store__a_weight_is_the_first_beacons_so_that_it_is_taken_back_whole),
        TEST(test_store__layout_shift_scores_keep_six_digits),
        TEST(test_store__values_move_when_the_page_sets_its_route_later),
        TEST(test_store__routes_past_the_bound_are_counted_together),
        TEST(test_store__apps_past_the_bound_are_refused),
        TEST(test_store__a_join_never_falls_back_and_is_counted_once),
        TEST(test_store__a_merged_call_is_counted_no_more),
        TEST(test_store__of_several_partners_the_same_url_and_then_the_nearest_start_wins),
        TEST(test_store__an_index_of_another_schema_is_deleted_and_begun_anew),
        TEST(test_store__a_file_that_is_no_database_is_deleted_and_begun_anew),
        TEST(test_store__marks_bound_a_replay_by_age_and_by_bytes),
        TEST(test_store__marks_of_a_clock_that_was_set_never_shorten_a_replay),
        TEST(test_store__a_snapshot_does_not_see_a_later_batch),
        TEST(test_store__a_query_of_too_many_steps_is_given_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
