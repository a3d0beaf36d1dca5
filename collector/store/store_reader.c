#include "collector/store/store_reader_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

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

/* 0 = there is none. */
static uint64_t store_reader_inode(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 ? (uint64_t)info.st_ino : 0;
}

bool store_reader_is_damaged(const struct store_reader *self)
{
    return self->sql.damaged;
}

bool store_reader_is_stale(const struct store_reader *self)
{
    return store_reader_inode(self->path) != self->file;
}

struct store_reader *store_reader_open(const char *path, char *error, size_t error_size)
{
    static_assert(STORE_READER_STATEMENT_COUNT <= SQL_STATEMENTS_MAX, "statements");
    struct store_reader *self = calloc(1, sizeof *self);
    sqlite3 *db = NULL;
    if (self)
        self->path = strdup(path);
    if (!self || !self->path || sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK) {
        snprintf(error, error_size, "cannot read the index %s: %s", path, db ? sqlite3_errmsg(db) : "out of memory");
        sqlite3_close(db);
        if (self)
            free(self->path);
        free(self);
        return NULL;
    }
    self->file = store_reader_inode(path);
    sqlite3_busy_timeout(db, 1000); /* only while the writer recovers the WAL at its start */
    sql_init(&self->sql, db, store_reader_text, STORE_READER_STATEMENT_COUNT);
    sqlite3_progress_handler(db, STORE_READER_STEPS, store_reader_count_steps, self);
    struct store_scan *const scans[] = {&self->beacons.scan, &self->requests.beacons.scan, &self->find,
                                        &self->trace_parts, &self->trace_views};
    for (size_t i = 0; i < sizeof scans / sizeof scans[0]; i++)
        store_scan_init(scans[i], &self->sql, STORE_READER_BLOCK_AT, STORE_READER_BLOCK_AFTER);
    return self;
}

void store_reader_close(struct store_reader *self)
{
    if (!self)
        return;
    store_scan_release(&self->beacons.scan);
    store_scan_release(&self->requests.beacons.scan);
    store_scan_release(&self->find);
    store_scan_release(&self->trace_parts);
    store_scan_release(&self->trace_views);
    free(self->session.view);
    free(self->path);
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

/* A row without facts is not ours to explain: everything in it reads as zero. */
static struct store_view_facts store_reader_facts_at(sqlite3_stmt *statement, int column)
{
    struct store_view_facts facts = {.crashed = 0};
    struct slice bytes = sql_bytes(statement, column);
    if (bytes.size == sizeof facts)
        memcpy(&facts, bytes.data, sizeof facts);
    return facts;
}

static void store_reader_read_facts(const struct store_view_facts *facts, struct store_view_row *row)
{
    memcpy(row->view_id, facts->view_id, sizeof row->view_id);
    memcpy(row->session_id, facts->session_id, sizeof row->session_id);
    row->started_us = facts->started_us;
    row->navigation_type = facts->navigation_type;
    row->transport = facts->transport;
    row->beacons = facts->beacons;
    row->segments = facts->segments;
    row->errors = facts->errors;
    row->ledger = facts->ledger;
    row->dropped = facts->dropped;
    row->duplicates = facts->duplicates;
    row->sample_rate_ppm = facts->sample_rate_ppm;
    row->recorder_trigger = facts->recorder_trigger;
    row->crashed = facts->crashed != 0;
    row->final = facts->final != 0;
}

void store_reader_read_view(sqlite3_stmt *statement, struct store_view_row *row)
{
    struct store_view_facts facts = store_reader_facts_at(statement, 5);
    store_reader_read_facts(&facts, row);
    row->id = sqlite3_column_int64(statement, 0);
    row->app = sql_bytes(statement, 1);
    row->route = sql_bytes(statement, 2);
    row->url = sql_bytes(statement, 3);
    row->received_us = (uint64_t)sqlite3_column_int64(statement, 4);
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

static void store_delivery_add(struct store_delivery *sum, const struct store_delivery *one)
{
    sum->views += one->views;
    sum->claimed += one->claimed;
    sum->received += one->received;
    sum->duplicate += one->duplicate;
    sum->lost += one->lost;
    sum->dropped += one->dropped;
    sum->crashed += one->crashed;
    sum->final += one->final;
    sum->entries_seen += one->entries_seen;
    sum->entries_lost += one->entries_lost;
}

bool store_reader_delivery(struct store_reader *self, struct slice app, uint64_t since_us, struct store_delivery *out)
{
    sqlite3_stmt *views = sql_use(&self->sql, STORE_READER_DELIVERY);
    *out = (struct store_delivery){.views = 0};
    store_reader_bind_copy(views, 1, app);
    sql_bind_int(&self->sql, views, 2, (int64_t)since_us);
    while (sql_step(&self->sql, views)) {
        struct store_view_row row;
        struct store_view_facts facts = store_reader_facts_at(views, 0);
        store_reader_read_facts(&facts, &row);
        struct store_delivery one = store_view_delivery(&row);
        store_delivery_add(out, &one);
    }
    return !self->sql.failed;
}

bool store_reader_facts(struct store_reader *self, int64_t view, struct store_view_facts *facts)
{
    sqlite3_stmt *find = sql_use(&self->sql, STORE_READER_FACTS);
    sql_bind_int(&self->sql, find, 1, view);
    if (!sql_step(&self->sql, find))
        return false;
    *facts = store_reader_facts_at(find, 0);
    sqlite3_reset(find);
    return true;
}

bool store_reader_view_by_id(struct store_reader *self, enum store_reader_statement statement, int64_t id,
                             struct store_view_row *row)
{
    sqlite3_stmt *view = sql_use(&self->sql, statement);
    sql_bind_int(&self->sql, view, 1, id);
    if (!sql_step(&self->sql, view))
        return false;
    store_reader_read_view(view, row);
    return true;
}

void store_reader_scan(struct store_reader *self, struct store_scan *scan, enum store_kind kind,
                       const struct store_entry *low, const struct store_entry *high)
{
    store_scan_start(scan, low, high);
    sqlite3_stmt *runs = sql_use(&self->sql, STORE_READER_RUNS);
    sql_bind_int(&self->sql, runs, 1, kind);
    while (sql_step(&self->sql, runs))
        store_scan_add(scan, sqlite3_column_int64(runs, 0));
}

/* The row of a view; 0 = none. An entry may be left of a view that went with its part of the log. */
static int64_t store_reader_view_number(struct store_reader *self, const uint8_t view_id[16],
                                        struct store_view_facts *facts)
{
    struct store_entry low = store_key_of(view_id), high = store_key_end(&low), entry;
    store_reader_scan(self, &self->find, STORE_KIND_VIEW, &low, &high);
    while (store_scan_next(&self->find, &entry))
        if (store_reader_facts(self, (int64_t)entry.a, facts))
            return (int64_t)entry.a;
    return 0;
}

bool store_reader_view(struct store_reader *self, const uint8_t view_id[16], struct store_view_row *row)
{
    struct store_view_facts facts;
    int64_t id = store_reader_view_number(self, view_id, &facts);
    return id != 0 && store_reader_view_by_id(self, STORE_READER_VIEW, id, row);
}

uint64_t store_reader_position_of(struct store_reader *self, int64_t view, uint32_t seq)
{
    struct store_entry low = store_beacon_key(view, seq), high = store_key_end(&low), entry;
    store_reader_scan(self, &self->find, STORE_KIND_BEACON, &low, &high);
    return store_scan_next(&self->find, &entry) ? entry.a : STORE_NOWHERE;
}

int64_t store_reader_beacon(struct store_reader *self, const uint8_t view_id[16], uint32_t seq, uint64_t *position)
{
    struct store_view_facts facts;
    int64_t view = store_reader_view_number(self, view_id, &facts);
    *position = STORE_NOWHERE;
    if (view != 0)
        *position = seq == STORE_SEQ_SNAPSHOT ? facts.snapshot_position : store_reader_position_of(self, view, seq);
    if (*position == STORE_NOWHERE)
        *position = 0;
    return view;
}
