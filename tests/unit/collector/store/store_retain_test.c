/* Retention, and batches that are larger than memory keeps them. */
#include "collector/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define NOW_US UINT64_C(1760000000000000)

struct fixture {
    char folder[64], path[80];
    struct store *store;
    struct store_reader *reader;
};

static int setup(void **state)
{
    struct fixture *self = calloc(1, sizeof *self);
    char error[256] = "";
    snprintf(self->folder, sizeof self->folder, "/tmp/vitrace-retain-XXXXXX");
    assert_non_null(mkdtemp(self->folder));
    snprintf(self->path, sizeof self->path, "%s/index.db", self->folder);
    self->store = store_open(self->path, error, sizeof error);
    self->reader = store_reader_open(self->path, error, sizeof error);
    if (!self->store || !self->reader)
        fail_msg("%s", error);
    *state = self;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *self = *state;
    store_reader_close(self->reader);
    store_close(self->store);
    store_delete(self->path);
    rmdir(self->folder);
    free(self);
    return 0;
}

static struct store_beacon beacon_of(uint32_t view, uint32_t seq, uint64_t position)
{
    struct store_beacon beacon = {.app = slice_text("shop"),
                                  .route = slice_text("/"),
                                  .url = slice_text("http://127.0.0.1/"),
                                  .seq = seq,
                                  .position = position,
                                  .received_us = NOW_US,
                                  .started_us = NOW_US + view,
                                  .segments = seq + 1};
    memcpy(beacon.view_id, &view, sizeof view);
    beacon.view_id[15] = 1;
    beacon.session_id[0] = 5;
    return beacon;
}

static void trace_of(uint32_t n, uint8_t out[16])
{
    memset(out, 0, 16);
    memcpy(out, &n, sizeof n);
    out[15] = 2;
}

/* A beacon with one request that claims trace `view`. */
static struct store_view put(struct fixture *self, uint32_t view, uint32_t seq, uint64_t position)
{
    struct store_beacon beacon = beacon_of(view, seq, position);
    struct store_request request = {.seq = seq, .kind = STORE_RESOURCE, .ids = slice_text("ids")};
    struct store_view out;
    uint8_t trace_id[16];
    trace_of(view, trace_id);
    assert_int_equal(store_put_beacon(self->store, &beacon, &out), STORE_OK);
    store_put_request(self->store, &out, &request);
    store_put_trace_view(self->store, trace_id, out.id, seq, 0);
    return out;
}

static void put_part(struct fixture *self, uint32_t trace, uint64_t position)
{
    struct store_trace_part part = {.position = position, .span_count = 1, .top_count = 1};
    trace_of(trace, part.trace_id);
    part.top[0] = (struct store_trace_top){.duration_ns = position, .name = slice_text("work")};
    store_put_trace_part(self->store, &part);
}

/* Commits without anything new, as a collector does that nobody sends to. */
static void settle(struct fixture *self, uint64_t position)
{
    for (int i = 0; i < 20; i++) {
        assert_true(store_begin(self->store));
        assert_true(store_commit(self->store, position));
    }
}

static uint64_t find_beacon(struct fixture *self, uint32_t view, uint32_t seq, bool *known)
{
    struct store_beacon beacon = beacon_of(view, seq, 0);
    uint64_t position;
    assert_true(store_reader_begin(self->reader, 0));
    *known = store_reader_beacon(self->reader, beacon.view_id, seq, &position) != 0;
    assert_true(store_reader_end(self->reader));
    return position;
}

static unsigned count_trace(struct fixture *self, uint32_t trace, unsigned *parts)
{
    struct store_trace_view_row row;
    struct store_trace_part part;
    unsigned views = 0;
    uint8_t trace_id[16];
    trace_of(trace, trace_id);
    *parts = 0;
    assert_true(store_reader_begin(self->reader, 0));
    store_reader_find_trace_views(self->reader, trace_id);
    while (store_reader_next_trace_view(self->reader, &row))
        views++;
    store_reader_find_trace_parts(self->reader, trace_id);
    while (store_reader_next_trace_part(self->reader, &part))
        ++*parts;
    assert_true(store_reader_end(self->reader));
    return views;
}

static unsigned count_session(struct fixture *self)
{
    struct store_beacon beacon = beacon_of(0, 0, 0);
    struct store_view_row row;
    unsigned views = 0;
    assert_true(store_reader_begin(self->reader, 0));
    store_reader_find_session(self->reader, slice_text("shop"), beacon.session_id, 50000);
    while (store_reader_next_session_view(self->reader, &row))
        views++;
    assert_true(store_reader_end(self->reader));
    return views;
}

static void test_store_retain__what_is_from_before_the_log_goes_and_the_rest_stays(void **state)
{
    struct fixture *self = *state;
    bool known;
    unsigned parts;
    for (uint32_t i = 0; i < 40; i++) { /* 4,000 views: more than one commit removes */
        assert_true(store_begin(self->store));
        for (uint32_t k = 0; k < 100; k++) {
            put(self, 100 * i + k, 0, 100 * i + k);
            put_part(self, 100 * i + k, 100 * i + k);
        }
        assert_true(store_commit(self->store, 100 * (i + 1)));
    }
    store_retain(self->store, 2000);
    settle(self, 4000);
    find_beacon(self, 1999, 0, &known);
    assert_false(known);
    assert_int_equal(count_trace(self, 1999, &parts), 0);
    assert_int_equal(parts, 0);
    assert_int_equal(find_beacon(self, 2000, 0, &known), 2000);
    assert_int_equal(count_trace(self, 2000, &parts), 1);
    assert_int_equal(parts, 1);
    assert_int_equal(count_session(self), 2000);
}

static void test_store_retain__a_view_that_lives_on_is_known_by_its_ids_and_its_newer_beacons(void **state)
{
    struct fixture *self = *state;
    struct store_view view;
    bool known;
    assert_true(store_begin(self->store));
    int64_t id = put(self, 1, 0, 10).id;
    put(self, 2, 0, 20);
    assert_true(store_commit(self->store, 30));
    assert_true(store_begin(self->store));
    put(self, 1, 1, 1000);
    assert_true(store_commit(self->store, 1100));
    store_retain(self->store, 1000);
    settle(self, 1100);
    find_beacon(self, 2, 0, &known);
    assert_false(known);
    assert_int_equal(find_beacon(self, 1, 1, &known), 1000);
    assert_true(known);
    assert_int_equal(count_session(self), 1);
    assert_true(store_begin(self->store));
    struct store_beacon again = beacon_of(1, 1, 1200);
    assert_int_equal(store_put_beacon(self->store, &again, &view), STORE_DUPLICATE);
    assert_int_equal(put(self, 1, 2, 1300).id, id);
    assert_true(store_commit(self->store, 1400));
}

static void test_store_retain__numbers_of_views_are_not_used_again_after_all_have_gone(void **state)
{
    struct fixture *self = *state;
    bool known;
    assert_true(store_begin(self->store));
    int64_t id = put(self, 1, 0, 10).id;
    assert_true(store_commit(self->store, 30));
    store_retain(self->store, 1000);
    settle(self, 1100);
    store_close(self->store);
    char error[256];
    self->store = store_open(self->path, error, sizeof error);
    assert_non_null(self->store);
    assert_true(store_begin(self->store));
    assert_true(put(self, 3, 0, 1200).id > id);
    assert_true(store_commit(self->store, 1300));
    find_beacon(self, 1, 0, &known);
    assert_false(known);
}

static void test_store_retain__nothing_goes_while_the_log_begins_at_its_beginning(void **state)
{
    struct fixture *self = *state;
    bool known;
    assert_true(store_begin(self->store));
    put(self, 1, 0, 0);
    assert_true(store_commit(self->store, 10));
    store_retain(self->store, 0);
    settle(self, 10);
    assert_int_equal(find_beacon(self, 1, 0, &known), 0);
    assert_true(known);
}

/* 40,000 requests take more memory than a batch may hold: what was put before is written, and read again when needed. */
static void test_store__a_batch_larger_than_its_memory_is_written_in_parts(void **state)
{
    struct fixture *self = *state;
    struct store_request_row row;
    struct store_view first = {0}, view;
    uint8_t ids[STORE_REQUEST_IDS_BYTES_MAX] = {1};
    unsigned count = 0, joined = 0;
    assert_true(store_begin(self->store));
    for (uint32_t i = 0; i < 40; i++) {
        struct store_beacon beacon = beacon_of(i, 0, 1000 * (i + 1));
        assert_int_equal(store_put_beacon(self->store, &beacon, &view), STORE_OK);
        for (uint32_t k = 0; k < 1000; k++) {
            struct store_request request = {.ordinal = k, .kind = STORE_CALL, .ids = slice_of(ids, sizeof ids)};
            store_put_request(self->store, &view, &request);
        }
        first = i == 0 ? view : first;
    }
    struct store_join join = {.position = first.position, .ordinal = 999, .level = 2, .trace_id = {7}};
    store_put_join(self->store, &join);
    assert_true(store_commit(self->store, 100000));
    assert_true(store_reader_begin(self->reader, 0));
    store_reader_find_requests(self->reader, first.id);
    while (store_reader_next_request(self->reader, &row)) {
        assert_int_equal(row.ids.size, sizeof ids);
        count++;
        joined += row.level == 2 && row.trace_id[0] == 7 && row.ordinal == 999;
    }
    assert_true(store_reader_end(self->reader));
    assert_int_equal(count, 1000);
    assert_int_equal(joined, 1);
}

static void test_store__parts_of_a_trace_come_in_the_order_of_the_log_whatever_their_size(void **state)
{
    struct fixture *self = *state;
    static char name[5000];
    struct store_trace_part part = {.span_count = 1, .top_count = 1};
    uint8_t trace_id[16];
    uint64_t positions[3], last = 0;
    unsigned count = 0;
    memset(name, 'n', sizeof name);
    trace_of(9, trace_id);
    memcpy(part.trace_id, trace_id, sizeof trace_id);
    assert_true(store_begin(self->store));
    for (uint64_t i = 0; i < 50; i++) {
        part.position = 5000 - 100 * i;
        part.top[0] = (struct store_trace_top){.name = slice_of(name, (size_t)(i * 100)), .service = slice_text("s")};
        store_put_trace_part(self->store, &part);
    }
    assert_int_equal(store_find_trace_positions(self->store, trace_id, positions, 3), 3);
    assert_true(positions[0] == 100 && positions[1] == 200 && positions[2] == 300);
    assert_true(store_commit(self->store, 6000));
    assert_true(store_reader_begin(self->reader, 0));
    store_reader_find_trace_parts(self->reader, trace_id);
    while (store_reader_next_trace_part(self->reader, &part)) {
        assert_true(part.position > last);
        assert_int_equal(part.top[0].name.size, 5000 - part.position);
        last = part.position;
        count++;
    }
    assert_true(store_reader_end(self->reader));
    assert_int_equal(count, 50);
}

#define FIRST_HOUR (NOW_US / STORE_HOUR_US)

/* A view of one hour, with one vital and one joined request. */
static void put_hour(struct fixture *self, uint32_t view, uint64_t hour)
{
    struct store_beacon beacon = beacon_of(view, 0, view);
    struct store_request request = {.kind = STORE_RESOURCE, .ids = slice_text("ids")};
    struct store_vital vital = {.metric = 1, .state = 1, .rating = 1, .value = 100};
    struct store_join join = {.position = view, .level = 1, .reason = 0};
    struct store_view out;
    beacon.received_us = hour * STORE_HOUR_US;
    assert_int_equal(store_put_beacon(self->store, &beacon, &out), STORE_OK);
    store_put_vital(self->store, &out, 0, &vital);
    store_put_request(self->store, &out, &request);
    store_put_join(self->store, &join);
}

static void put_hours(struct fixture *self, uint32_t hours)
{
    assert_true(store_begin(self->store));
    for (uint32_t i = 0; i < hours; i++)
        put_hour(self, i + 1, FIRST_HOUR + i);
    assert_true(store_commit(self->store, hours + 1));
}

static unsigned count_rollups(struct fixture *self)
{
    struct store_rollup_row row;
    unsigned count = 0;
    assert_true(store_reader_begin(self->reader, 0));
    store_reader_find_rollups(self->reader, slice_text("shop"), 1, 0);
    while (store_reader_next_rollup(self->reader, &row))
        count++;
    assert_true(store_reader_end(self->reader));
    return count;
}

static uint64_t count_joins(struct fixture *self)
{
    struct store_join_count_row row;
    uint64_t count = 0;
    assert_true(store_reader_begin(self->reader, 0));
    store_reader_find_join_counts(self->reader, slice_text("shop"), 0);
    while (store_reader_next_join_count(self->reader, &row))
        count += row.count;
    assert_true(store_reader_end(self->reader));
    return count;
}

static void test_store_retain__rollups_and_join_counts_go_with_their_hours(void **state)
{
    struct fixture *self = *state;
    put_hours(self, 40);
    settle(self, 41);
    assert_int_equal(count_rollups(self), 40);
    assert_int_equal(count_joins(self), 40);
    store_retain_hours(self->store, FIRST_HOUR + 30, 1000);
    store_retain_hours(self->store, FIRST_HOUR + 10, 1000); /* time does not go back */
    settle(self, 41);
    assert_int_equal(count_rollups(self), 10);
    assert_int_equal(count_joins(self), 10);
}

static void test_store_retain__of_too_many_rollups_the_oldest_go(void **state)
{
    struct fixture *self = *state;
    put_hours(self, 40);
    store_retain_hours(self->store, FIRST_HOUR, 25);
    for (int i = 0; i < 5; i++)
        settle(self, 41);
    assert_int_equal(count_rollups(self), 25);
    assert_int_equal(count_joins(self), 40);
}

/* A flood of sessions: each commit brings 1,000 views, and the log keeps the newest 10,000 records. */
static void test_store_retain__keeps_pace_with_batches_of_nothing_but_new_views(void **state)
{
    struct fixture *self = *state;
    for (uint32_t i = 0; i < 40; i++) {
        assert_true(store_begin(self->store));
        for (uint32_t k = 0; k < 1000; k++)
            put(self, 1000 * i + k, 0, 1000 * i + k);
        store_retain(self->store, i > 10 ? 1000 * (i - 10) : 0);
        assert_true(store_commit(self->store, 1000 * (i + 1)));
    }
    assert_in_range(count_session(self), 10000, 12000);
}

static void test_store__routes_beyond_the_limit_are_counted_as_one_and_as_overflow(void **state)
{
    struct fixture *self = *state;
    struct store_view view;
    char route[32];
    assert_true(store_begin(self->store));
    for (uint32_t i = 0; i < STORE_ROUTES_MAX + 50; i++) {
        struct store_beacon beacon = beacon_of(i + 1, 0, i + 1);
        snprintf(route, sizeof route, "/r/%u", i);
        beacon.route = slice_text(route);
        assert_int_equal(store_put_beacon(self->store, &beacon, &view), STORE_OK);
    }
    assert_true(store_commit(self->store, STORE_ROUTES_MAX + 51));
    assert_in_range(store_take_overflow(self->store), 50, 150);
    assert_int_equal(store_take_overflow(self->store), 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_store_retain__what_is_from_before_the_log_goes_and_the_rest_stays),
        TEST(test_store_retain__a_view_that_lives_on_is_known_by_its_ids_and_its_newer_beacons),
        TEST(test_store_retain__numbers_of_views_are_not_used_again_after_all_have_gone),
        TEST(test_store_retain__nothing_goes_while_the_log_begins_at_its_beginning),
        TEST(test_store_retain__rollups_and_join_counts_go_with_their_hours),
        TEST(test_store_retain__of_too_many_rollups_the_oldest_go),
        TEST(test_store_retain__keeps_pace_with_batches_of_nothing_but_new_views),
        TEST(test_store__routes_beyond_the_limit_are_counted_as_one_and_as_overflow),
        TEST(test_store__a_batch_larger_than_its_memory_is_written_in_parts),
        TEST(test_store__parts_of_a_trace_come_in_the_order_of_the_log_whatever_their_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
