#include "collector/store/store_reader_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#define STORE_READER_TEXT(id, text) text,
static const char *const store_reader_text[] = {STORE_READER_STATEMENTS(STORE_READER_TEXT)};

#define STORE_READER_STEPS 10000 /* between two looks at the bound */

static int store_reader_count_steps(void *context)
{
    struct store_reader *self = context;
    if (!self->bounded)
        return 0;
    if (self->steps_left < STORE_READER_STEPS)
        return 1;
    self->steps_left -= STORE_READER_STEPS;
    return 0;
}

struct store_reader *store_reader_open(const char *path, char *error, size_t error_size)
{
    static_assert(STORE_READER_STATEMENT_COUNT <= SQL_STATEMENTS_MAX, "statements");
    struct store_reader *self = calloc(1, sizeof *self);
    sqlite3 *db = NULL;
    if (!self || sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        snprintf(error, error_size, "cannot read the index %s: %s", path, db ? sqlite3_errmsg(db) : "out of memory");
        sqlite3_close(db);
        free(self);
        return NULL;
    }
    sqlite3_busy_timeout(db, 1000); /* only while the writer recovers the WAL at its start */
    sql_init(&self->sql, db, store_reader_text, STORE_READER_STATEMENT_COUNT);
    sqlite3_progress_handler(db, STORE_READER_STEPS, store_reader_count_steps, self);
    return self;
}

void store_reader_close(struct store_reader *self)
{
    if (!self)
        return;
    sql_release(&self->sql);
    free(self);
}

bool store_reader_begin(struct store_reader *self, uint64_t steps_max)
{
    self->sql.failed = false;
    self->steps_left = steps_max;
    self->bounded = steps_max > 0;
    return sql_run(&self->sql, "BEGIN");
}

bool store_reader_end(struct store_reader *self)
{
    bool whole = !self->sql.failed;
    self->bounded = false;
    for (size_t i = 0; i < self->sql.count; i++)
        sqlite3_reset(self->sql.statement[i]);
    sqlite3_exec(self->sql.db, "ROLLBACK", NULL, NULL, NULL);
    return whole;
}

sqlite3_stmt *store_reader_current(struct store_reader *self, enum store_reader_statement id)
{
    return self->sql.failed ? NULL : self->sql.statement[id];
}

static uint64_t store_reader_number(struct store_reader *self, sqlite3_stmt *statement)
{
    uint64_t value = 0;
    if (sql_step(&self->sql, statement))
        value = (uint64_t)sqlite3_column_int64(statement, 0);
    if (statement)
        sqlite3_reset(statement);
    return value;
}

uint64_t store_reader_position(struct store_reader *self)
{
    return store_reader_number(self, sql_use(&self->sql, STORE_READER_POSITION));
}

uint64_t store_reader_mark(struct store_reader *self, uint64_t age_us, uint64_t bytes)
{
    uint64_t position = store_reader_position(self);
    sqlite3_stmt *mark = sql_use(&self->sql, STORE_READER_MARK);
    sql_bind_int(&self->sql, mark, 1, (int64_t)age_us);
    uint64_t by_time = store_reader_number(self, mark);
    if (position <= bytes)
        return by_time;
    sqlite3_stmt *before = sql_use(&self->sql, STORE_READER_MARK_BEFORE);
    sql_bind_int(&self->sql, before, 1, (int64_t)(position - bytes));
    uint64_t by_bytes = store_reader_number(self, before);
    return by_bytes > by_time ? by_bytes : by_time;
}

void store_reader_find_apps(struct store_reader *self)
{
    sql_use(&self->sql, STORE_READER_APPS);
}

bool store_reader_next_app(struct store_reader *self, struct store_app_row *row)
{
    sqlite3_stmt *apps = store_reader_current(self, STORE_READER_APPS);
    if (!sql_step(&self->sql, apps))
        return false;
    row->name = sql_bytes(apps, 0);
    row->views = (uint64_t)sqlite3_column_int64(apps, 1);
    row->first_seen_us = (uint64_t)sqlite3_column_int64(apps, 2);
    row->last_seen_us = (uint64_t)sqlite3_column_int64(apps, 3);
    return true;
}

void store_reader_read_view(sqlite3_stmt *statement, struct store_view_row *row)
{
    row->id = sqlite3_column_int64(statement, 0);
    sql_id(statement, 1, row->view_id, 16);
    sql_id(statement, 2, row->session_id, 16);
    row->app = sql_bytes(statement, 3);
    row->route = sql_bytes(statement, 4);
    row->url = sql_bytes(statement, 5);
    row->received_us = (uint64_t)sqlite3_column_int64(statement, 6);
    row->started_us = (uint64_t)sqlite3_column_int64(statement, 7);
    row->navigation_type = (uint32_t)sqlite3_column_int64(statement, 8);
    row->transport = (uint32_t)sqlite3_column_int64(statement, 9);
    row->beacons = (uint32_t)sqlite3_column_int64(statement, 10);
    row->segments = (uint32_t)sqlite3_column_int64(statement, 11);
    row->errors = (uint64_t)sqlite3_column_int64(statement, 12);
    row->ledger.entries_seen = (uint64_t)sqlite3_column_int64(statement, 13);
    row->ledger.entries_encoded = (uint64_t)sqlite3_column_int64(statement, 14);
    row->ledger.lost = (uint64_t)sqlite3_column_int64(statement, 15);
    row->ledger.main_thread_us = (uint64_t)sqlite3_column_int64(statement, 16);
    row->dropped = (uint32_t)sqlite3_column_int64(statement, 17);
    row->duplicates = (uint32_t)sqlite3_column_int64(statement, 18);
    row->sample_rate_ppm = (uint32_t)sqlite3_column_int64(statement, 19);
    row->recorder_trigger = (uint32_t)sqlite3_column_int64(statement, 20);
    row->crashed = sqlite3_column_int64(statement, 21) != 0;
    row->final = sqlite3_column_int64(statement, 22) != 0;
}

/* The caller's name need not outlive its call: SQLite gets a copy. */
static void store_reader_bind_copy(sqlite3_stmt *statement, int index, struct slice text)
{
    if (statement)
        sqlite3_bind_text(statement, index, text.data ? (const char *)text.data : "", (int)text.size, SQLITE_TRANSIENT);
}

void store_reader_find_views(struct store_reader *self, struct slice app, uint64_t since_us, uint32_t limit)
{
    sqlite3_stmt *views = sql_use(&self->sql, STORE_READER_VIEWS);
    store_reader_bind_copy(views, 1, app);
    sql_bind_int(&self->sql, views, 2, (int64_t)since_us);
    sql_bind_int(&self->sql, views, 3, limit);
}

bool store_reader_next_view(struct store_reader *self, struct store_view_row *row)
{
    sqlite3_stmt *views = store_reader_current(self, STORE_READER_VIEWS);
    if (!sql_step(&self->sql, views))
        return false;
    store_reader_read_view(views, row);
    return true;
}

void store_reader_find_session(struct store_reader *self, struct slice app, const uint8_t session_id[16],
                               uint32_t limit)
{
    sqlite3_stmt *views = sql_use(&self->sql, STORE_READER_SESSION_VIEWS);
    if (views)
        sqlite3_bind_blob(views, 1, session_id, 16, SQLITE_TRANSIENT);
    store_reader_bind_copy(views, 2, app);
    sql_bind_int(&self->sql, views, 3, limit);
}

bool store_reader_next_session_view(struct store_reader *self, struct store_view_row *row)
{
    sqlite3_stmt *views = store_reader_current(self, STORE_READER_SESSION_VIEWS);
    if (!sql_step(&self->sql, views))
        return false;
    store_reader_read_view(views, row);
    return true;
}

struct store_delivery store_view_delivery(const struct store_view_row *row)
{
    uint64_t sent = row->segments > row->dropped ? row->segments - row->dropped : 0;
    uint64_t claimed = sent > row->beacons ? sent : row->beacons;
    return (struct store_delivery){.views = 1,
                                   .claimed = claimed,
                                   .received = row->beacons,
                                   .duplicate = row->duplicates,
                                   .lost = claimed - row->beacons,
                                   .dropped = row->dropped,
                                   .crashed = row->crashed,
                                   .final = row->final,
                                   .entries_seen = row->ledger.entries_seen,
                                   .entries_lost = row->ledger.lost};
}

bool store_reader_delivery(struct store_reader *self, struct slice app, uint64_t since_us, struct store_delivery *out)
{
    sqlite3_stmt *sums = sql_use(&self->sql, STORE_READER_DELIVERY);
    store_reader_bind_copy(sums, 1, app);
    sql_bind_int(&self->sql, sums, 2, (int64_t)since_us);
    if (!sql_step(&self->sql, sums))
        return false;
    uint64_t *const to[] = {&out->views,   &out->claimed, &out->received, &out->duplicate,    &out->lost,
                            &out->dropped, &out->crashed, &out->final,    &out->entries_seen, &out->entries_lost};
    for (int i = 0; i < (int)(sizeof to / sizeof to[0]); i++)
        *to[i] = (uint64_t)sqlite3_column_int64(sums, i); /* the sum of nothing is NULL, which reads as 0 */
    sqlite3_reset(sums);
    return true;
}

bool store_reader_view(struct store_reader *self, const uint8_t view_id[16], struct store_view_row *row)
{
    sqlite3_stmt *view = sql_use(&self->sql, STORE_READER_VIEW);
    sql_bind_blob(&self->sql, view, 1, slice_of(view_id, 16));
    if (!sql_step(&self->sql, view))
        return false;
    store_reader_read_view(view, row);
    return true;
}

int64_t store_reader_beacon(struct store_reader *self, const uint8_t view_id[16], uint32_t seq, uint64_t *position)
{
    sqlite3_stmt *beacon = sql_use(&self->sql, STORE_READER_BEACON);
    sql_bind_blob(&self->sql, beacon, 1, slice_of(view_id, 16));
    sql_bind_int(&self->sql, beacon, 2, seq);
    *position = 0;
    if (!sql_step(&self->sql, beacon))
        return 0;
    int64_t view = sqlite3_column_int64(beacon, 0);
    *position = (uint64_t)sqlite3_column_int64(beacon, 1);
    sqlite3_reset(beacon);
    return view;
}

void store_reader_find_vitals(struct store_reader *self, int64_t view)
{
    sql_bind_int(&self->sql, sql_use(&self->sql, STORE_READER_VITALS), 1, view);
}

bool store_reader_next_vital(struct store_reader *self, struct store_vital *vital)
{
    sqlite3_stmt *vitals = store_reader_current(self, STORE_READER_VITALS);
    if (!sql_step(&self->sql, vitals))
        return false;
    *vital = (struct store_vital){.metric = (uint32_t)sqlite3_column_int64(vitals, 0),
                                  .state = (uint32_t)sqlite3_column_int64(vitals, 1),
                                  .value = sqlite3_column_double(vitals, 2),
                                  .rating = (uint32_t)sqlite3_column_int64(vitals, 3)};
    return true;
}

void store_reader_find_beacons(struct store_reader *self, int64_t view)
{
    sql_bind_int(&self->sql, sql_use(&self->sql, STORE_READER_BEACONS), 1, view);
}

bool store_reader_next_beacon(struct store_reader *self, struct store_beacon_row *row)
{
    sqlite3_stmt *beacons = store_reader_current(self, STORE_READER_BEACONS);
    if (!sql_step(&self->sql, beacons))
        return false;
    row->seq = (uint32_t)sqlite3_column_int64(beacons, 0);
    row->position = (uint64_t)sqlite3_column_int64(beacons, 1);
    return true;
}

void store_reader_find_requests(struct store_reader *self, int64_t view)
{
    sql_bind_int(&self->sql, sql_use(&self->sql, STORE_READER_REQUESTS), 1, view);
}

bool store_reader_next_request(struct store_reader *self, struct store_request_row *row)
{
    sqlite3_stmt *requests = store_reader_current(self, STORE_READER_REQUESTS);
    if (!sql_step(&self->sql, requests))
        return false;
    row->seq = (uint32_t)sqlite3_column_int64(requests, 0);
    row->ordinal = (uint32_t)sqlite3_column_int64(requests, 1);
    row->kind = (enum store_request_kind)sqlite3_column_int64(requests, 2);
    row->merged = sqlite3_column_int64(requests, 3) == 1;
    row->flags = (uint32_t)sqlite3_column_int64(requests, 4);
    row->level = (uint32_t)sqlite3_column_int64(requests, 5);
    row->reason = (int)sqlite3_column_int64(requests, 6);
    sql_id(requests, 7, row->trace_id, 16);
    sql_id(requests, 8, row->span_id, 8);
    row->ids = sql_bytes(requests, 9);
    return true;
}
