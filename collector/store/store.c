#include "collector/store/store_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "collector/base/diag.h"

#define STORE_STATEMENT_TEXT(id, text) text,
static const char *const store_text[] = {STORE_STATEMENTS(STORE_STATEMENT_TEXT)};

#define STORE_MARK_US    UINT64_C(60000000)
#define STORE_MARK_BYTES (UINT64_C(1) << 20)

/* Ids that repeat are small integers; 16-byte ids are keys only where a query starts from one. */
static const char store_schema[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE marks(position INTEGER PRIMARY KEY, received_us INTEGER NOT NULL);"
    "CREATE TABLE apps(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, first_seen_us INTEGER NOT NULL,"
    " last_seen_us INTEGER NOT NULL, views INTEGER NOT NULL);"
    "CREATE TABLE routes(id INTEGER PRIMARY KEY, app INTEGER NOT NULL, route TEXT NOT NULL, UNIQUE(app, route));"
    "CREATE TABLE views(id INTEGER PRIMARY KEY, view_id BLOB NOT NULL UNIQUE, session_id BLOB NOT NULL,"
    " app INTEGER NOT NULL, route INTEGER NOT NULL, url TEXT NOT NULL, received_us INTEGER NOT NULL,"
    " hour INTEGER NOT NULL, newest_seq INTEGER NOT NULL, ledger_seq INTEGER NOT NULL, started_us INTEGER NOT NULL,"
    " navigation_type INTEGER NOT NULL, transport INTEGER NOT NULL, segments INTEGER NOT NULL,"
    " errors INTEGER NOT NULL, beacons INTEGER NOT NULL, duplicates INTEGER NOT NULL, entries_seen INTEGER NOT NULL,"
    " entries_encoded INTEGER NOT NULL, lost INTEGER NOT NULL, main_thread_us INTEGER NOT NULL,"
    " dropped INTEGER NOT NULL, final INTEGER NOT NULL, crashed INTEGER NOT NULL, sample_rate_ppm INTEGER NOT NULL,"
    " recorder_trigger INTEGER NOT NULL);"
    "CREATE INDEX views_by_app ON views(app, received_us);"
    "CREATE INDEX views_by_session ON views(session_id);"
    "CREATE TABLE view_beacons(view INTEGER, seq INTEGER, position INTEGER NOT NULL, PRIMARY KEY(view, seq))"
    " WITHOUT ROWID;"
    "CREATE TABLE view_vitals(view INTEGER, metric INTEGER, seq INTEGER NOT NULL, state INTEGER NOT NULL,"
    " value REAL NOT NULL, rating INTEGER NOT NULL, PRIMARY KEY(view, metric)) WITHOUT ROWID;"
    "CREATE TABLE covered_vitals(view INTEGER, metric INTEGER, seq INTEGER NOT NULL, state INTEGER NOT NULL,"
    " value REAL NOT NULL, rating INTEGER NOT NULL, PRIMARY KEY(view, metric)) WITHOUT ROWID;"
    "CREATE TABLE requests(view INTEGER, seq INTEGER, ordinal INTEGER, kind INTEGER NOT NULL, flags INTEGER NOT NULL,"
    " url_hash INTEGER NOT NULL, start_us INTEGER NOT NULL, ids BLOB NOT NULL, level INTEGER NOT NULL,"
    " reason INTEGER NOT NULL, merged INTEGER NOT NULL, trace_id BLOB, span_id BLOB,"
    " PRIMARY KEY(view, seq, ordinal)) WITHOUT ROWID;"
    "CREATE TABLE trace_views(low INTEGER, high INTEGER, view INTEGER, seq INTEGER, ordinal INTEGER,"
    " PRIMARY KEY(low, high, view, seq, ordinal)) WITHOUT ROWID;"
    "CREATE TABLE trace_spans(low INTEGER, high INTEGER, position INTEGER, spans INTEGER NOT NULL,"
    " tops INTEGER NOT NULL, first_span BLOB, first_duration_ns INTEGER, first_name TEXT, first_service TEXT,"
    " second_span BLOB, second_duration_ns INTEGER, second_name TEXT, second_service TEXT,"
    " waits INTEGER NOT NULL, PRIMARY KEY(low, high, position)) WITHOUT ROWID;"
    "CREATE TABLE rollups(id INTEGER PRIMARY KEY, route INTEGER NOT NULL, metric INTEGER NOT NULL,"
    " hour INTEGER NOT NULL, good INTEGER NOT NULL, needs_improvement INTEGER NOT NULL, poor INTEGER NOT NULL,"
    " sketch BLOB NOT NULL, UNIQUE(route, metric, hour));"
    "CREATE TABLE join_counts(app INTEGER, hour INTEGER, flags INTEGER, level INTEGER, reason INTEGER,"
    " count INTEGER NOT NULL, PRIMARY KEY(app, hour, flags, level, reason)) WITHOUT ROWID;";

/* WAL: readers never wait. NORMAL: power loss may cost the last batches, which the log then brings again. */
static const char store_pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                    "PRAGMA journal_size_limit = 67108864; PRAGMA foreign_keys = OFF;";

static bool store_delete_suffix(const char *path, const char *suffix)
{
    char name[4096];
    int size = snprintf(name, sizeof name, "%s%s", path, suffix);
    if (size < 0 || (size_t)size >= sizeof name)
        return false;
    return unlink(name) == 0 || access(name, F_OK) != 0;
}

bool store_delete(const char *path)
{
    bool wal = store_delete_suffix(path, "-wal");
    bool shm = store_delete_suffix(path, "-shm");
    return store_delete_suffix(path, "") && wal && shm;
}

/* A single integer, or `fallback` when there is no row, no table or no database. */
static int64_t store_number(sqlite3 *db, const char *text, int64_t fallback)
{
    sqlite3_stmt *statement = NULL;
    int64_t value = fallback;
    if (sqlite3_prepare_v2(db, text, -1, &statement, NULL) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return value;
}

static sqlite3 *store_open_file(const char *path)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &db, flags, NULL) == SQLITE_OK &&
        sqlite3_exec(db, store_pragmas, NULL, NULL, NULL) == SQLITE_OK)
        return db;
    diag(DIAG_WARNING, "index_unreadable", "%s: %s", path, db ? sqlite3_errmsg(db) : "out of memory");
    sqlite3_close(db);
    return NULL;
}

static bool store_create_tables(sqlite3 *db)
{
    char version[64];
    snprintf(version, sizeof version, "PRAGMA user_version = %d;", STORE_SCHEMA_VERSION);
    return sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(db, store_schema, NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(db, version, NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

/* A database with our tables, whatever was there before; NULL = not even an empty one can be made. */
static sqlite3 *store_open_or_rebuild(const char *path)
{
    sqlite3 *db = store_open_file(path);
    int64_t version = db ? store_number(db, "PRAGMA user_version", -1) : -1;
    if (version == STORE_SCHEMA_VERSION)
        return db;
    if (version != 0 || store_number(db, "SELECT count(*) FROM sqlite_schema", -1) != 0) {
        diag(DIAG_INFO, "index_rebuild",
             "%s has schema version %lld, this program writes %d: building it anew from the log", path,
             (long long)version, STORE_SCHEMA_VERSION);
        sqlite3_close(db);
        db = store_delete(path) ? store_open_file(path) : NULL;
    }
    if (db && !store_create_tables(db)) {
        diag(DIAG_ERROR, "index_error", "%s: %s", path, sqlite3_errmsg(db));
        sqlite3_close(db);
        db = NULL;
    }
    return db;
}

struct store *store_open(const char *path, char *error, size_t error_size)
{
    static_assert(STORE_STATEMENT_COUNT <= SQL_STATEMENTS_MAX, "statements");
    struct store *self = calloc(1, sizeof *self);
    sqlite3 *db = self ? store_open_or_rebuild(path) : NULL;
    if (!db) {
        snprintf(error, error_size, "cannot open the index %s: check that its folder exists and is writable", path);
        free(self);
        return NULL;
    }
    sql_init(&self->sql, db, store_text, STORE_STATEMENT_COUNT);
    self->position = (uint64_t)store_number(db, "SELECT value FROM meta WHERE key = 'position'", 0);
    return self;
}

void store_close(struct store *self)
{
    if (!self)
        return;
    if (!sqlite3_get_autocommit(self->sql.db))
        store_roll_back(self);
    sql_release(&self->sql);
    free(self);
}

uint64_t store_position(const struct store *self)
{
    return self->position;
}

bool store_begin(struct store *self)
{
    self->sql.failed = false;
    return sql_run(&self->sql, "BEGIN IMMEDIATE");
}

bool store_commit(struct store *self, uint64_t position)
{
    store_rollups_flush(self);
    store_join_counts_flush(self);
    sqlite3_stmt *set = sql_use(&self->sql, STORE_SET_META);
    sql_bind_text(&self->sql, set, 1, slice_text("position"));
    sql_bind_int(&self->sql, set, 2, (int64_t)position);
    sql_finish(&self->sql, set);
    if (self->sql.failed || !sql_run(&self->sql, "COMMIT"))
        return false;
    self->position = position;
    return true;
}

void store_roll_back(struct store *self)
{
    memset(self->rollup, 0, sizeof self->rollup);
    self->join_count_used = 0;
    self->mark_us = self->mark_position = 0;
    for (size_t i = 0; i < self->sql.count; i++)
        sqlite3_reset(self->sql.statement[i]);
    sqlite3_exec(self->sql.db, "ROLLBACK", NULL, NULL, NULL); /* fails only when SQLite has rolled back already */
    self->sql.failed = false;
}

void store_mark(struct store *self, uint64_t position, uint64_t received_us)
{
    bool near = position - self->mark_position < STORE_MARK_BYTES && received_us - self->mark_us < STORE_MARK_US;
    if (near && self->mark_us != 0)
        return;
    sqlite3_stmt *add = sql_use(&self->sql, STORE_ADD_MARK);
    sql_bind_int(&self->sql, add, 1, (int64_t)position);
    sql_bind_int(&self->sql, add, 2, (int64_t)received_us);
    sql_finish(&self->sql, add);
    self->mark_position = position;
    self->mark_us = received_us;
}
