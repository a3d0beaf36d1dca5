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

/* Ids that repeat are small integers; tables grow at their end. */
static const char store_schema[] =
    "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE marks(position INTEGER PRIMARY KEY, received_us INTEGER NOT NULL);"
    "CREATE TABLE apps(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, first_seen_us INTEGER NOT NULL,"
    " last_seen_us INTEGER NOT NULL, views INTEGER NOT NULL);"
    "CREATE TABLE routes(id INTEGER PRIMARY KEY, app INTEGER NOT NULL, route TEXT NOT NULL, UNIQUE(app, route));"
    "CREATE TABLE views(id INTEGER PRIMARY KEY, app INTEGER NOT NULL, route INTEGER NOT NULL,"
    " received_us INTEGER NOT NULL, facts BLOB NOT NULL, url TEXT NOT NULL, vitals BLOB NOT NULL);"
    "CREATE INDEX views_by_app ON views(app, received_us);"
    "CREATE TABLE beacons(position INTEGER PRIMARY KEY, body BLOB NOT NULL);"
    "CREATE TABLE trace_chunks(id INTEGER PRIMARY KEY, position INTEGER NOT NULL, parts BLOB NOT NULL);"
    "CREATE TABLE runs(id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, level INTEGER NOT NULL, entries INTEGER NOT NULL,"
    " newest INTEGER NOT NULL, filter BLOB NOT NULL);"
    "CREATE TABLE run_blocks(id INTEGER PRIMARY KEY, run INTEGER NOT NULL, first BLOB NOT NULL, entries BLOB NOT NULL);"
    "CREATE UNIQUE INDEX run_blocks_by_first ON run_blocks(run, first);"
    "CREATE TABLE rollups(id INTEGER PRIMARY KEY, route INTEGER NOT NULL, metric INTEGER NOT NULL,"
    " hour INTEGER NOT NULL, good INTEGER NOT NULL, needs_improvement INTEGER NOT NULL, poor INTEGER NOT NULL,"
    " sketch BLOB NOT NULL, UNIQUE(route, metric, hour));"
    "CREATE TABLE join_counts(app INTEGER, hour INTEGER, flags INTEGER, level INTEGER, reason INTEGER,"
    " count INTEGER NOT NULL, PRIMARY KEY(app, hour, flags, level, reason)) WITHOUT ROWID;";

/*
 * WAL: readers never wait. NORMAL: power loss may cost the last batches, which the log then brings again. A checkpoint
 * writes each page once however often it changed since the last, so there is one for each 16 MiB and not for each 4.
 */
static const char store_pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                                    "PRAGMA wal_autocheckpoint = 4096; PRAGMA cache_size = -8192;"
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

/* A single integer. false = SQLite cannot say: no table, no memory, a read error. No row leaves *value as it is. */
static bool store_number(sqlite3 *db, const char *text, int64_t *value)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(db, text, -1, &statement, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        *value = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return result == SQLITE_ROW || result == SQLITE_DONE;
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

/* The key of the filters in the file is made with it. */
static bool store_create_tables(sqlite3 *db)
{
    char version[256];
    struct siphash_key key = siphash_key_random();
    snprintf(version, sizeof version,
             "PRAGMA user_version = %d; INSERT INTO meta VALUES('key 0', %lld), ('key 1', %lld);", STORE_SCHEMA_VERSION,
             (long long)(int64_t)key.k0, (long long)(int64_t)key.k1);
    return sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(db, store_schema, NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(db, version, NULL, NULL, NULL) == SQLITE_OK &&
           sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK;
}

/* A database with our tables, whatever was there before; NULL = not even an empty one can be made. */
static sqlite3 *store_open_or_rebuild(const char *path)
{
    sqlite3 *db = store_open_file(path);
    int64_t version = -1, tables = -1;
    if (db && store_number(db, "PRAGMA user_version", &version) && version == STORE_SCHEMA_VERSION)
        return db;
    if (version != 0 || !store_number(db, "SELECT count(*) FROM sqlite_schema", &tables) || tables != 0) {
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

static void store_set_meta(struct store *self, const char *key, uint64_t value)
{
    sqlite3_stmt *set = sql_use(&self->sql, STORE_SET_META);
    sql_bind_text(&self->sql, set, 1, slice_text(key));
    sql_bind_int(&self->sql, set, 2, (int64_t)value);
    sql_finish(&self->sql, set);
}

/* Everything that memory knows of the file. Numbers that could not be read must not be taken for those of an empty one:
 * views would get ids that others have. */
static void store_load(struct store *self)
{
    self->next_view = self->next_chunk = 1;
    self->loaded = store_number(self->sql.db, "SELECT value FROM meta WHERE key = 'next view'", &self->next_view) &&
                   store_number(self->sql.db, "SELECT value FROM meta WHERE key = 'next chunk'", &self->next_chunk);
    store_runs_load(&self->runs);
    self->loaded = self->loaded && !self->sql.failed;
}

/* False: SQLite cannot read it. */
static bool store_take(struct store *self, sqlite3 *db)
{
    int64_t key[2] = {0, 0}, position = 0;
    sql_init(&self->sql, db, store_text, STORE_STATEMENT_COUNT);
    bool good = store_number(db, "SELECT value FROM meta WHERE key = 'position'", &position) &&
                store_number(db, "SELECT value FROM meta WHERE key = 'key 0'", &key[0]) &&
                store_number(db, "SELECT value FROM meta WHERE key = 'key 1'", &key[1]);
    self->position = (uint64_t)position;
    store_runs_init(&self->runs, &self->sql, (struct siphash_key){(uint64_t)key[0], (uint64_t)key[1]});
    self->states.bytes_max = STORE_STATE_BYTES_MAX;
    store_load(self);
    return good && self->loaded;
}

static bool store_is_starved(sqlite3 *db)
{
    return (sqlite3_errcode(db) & 0xff) == SQLITE_NOMEM || sqlite3_extended_errcode(db) == SQLITE_IOERR_NOMEM;
}

static struct store *store_try(const char *path, bool *starved)
{
    struct store *self = calloc(1, sizeof *self);
    sqlite3 *db = self ? store_open_or_rebuild(path) : NULL;
    *starved = self == NULL;
    if (db && store_take(self, db))
        return self;
    if (db) {
        diag(DIAG_WARNING, "index_unreadable", "%s: %s", path, sqlite3_errmsg(db));
        *starved = store_is_starved(db);
        store_close(self);
    } else {
        free(self);
    }
    return NULL;
}

/* What is damaged goes; what there was no memory to read stays. */
struct store *store_open(const char *path, char *error, size_t error_size)
{
    static_assert(STORE_STATEMENT_COUNT <= SQL_STATEMENTS_MAX, "statements");
    bool starved;
    struct store *self = store_try(path, &starved);
    if (!self && !starved && store_delete(path))
        self = store_try(path, &starved);
    if (!self)
        snprintf(error, error_size, "cannot open the index %s: %s", path,
                 starved ? "out of memory" : "check that its folder exists and is writable, and that there is memory");
    return self;
}

/* A fresh entry is 32 bytes, its hash 8, its places in chain and table 4 each. */
#define STORE_FRESH_BYTES 48u

void store_limit_memory(struct store *self, uint64_t bytes)
{
    char pragma[64];
    uint32_t fresh = STORE_FRESH_LEAST;
    snprintf(pragma, sizeof pragma, "PRAGMA cache_size = -%llu", (unsigned long long)(bytes / 2 / 1024));
    sqlite3_exec(self->sql.db, pragma, NULL, NULL, NULL); /* cannot fail on an open database; a cache, after all */
    while (2 * fresh <= STORE_FRESH_MAX &&
           2 * fresh <= bytes / 8 / STORE_KIND_COUNT / STORE_FRESH_BYTES)
        fresh *= 2;
    store_runs_limit(&self->runs, (size_t)(bytes / 4), fresh);
    self->states.bytes_max = (size_t)(bytes / 8);
}

void store_close(struct store *self)
{
    if (!self)
        return;
    if (!sqlite3_get_autocommit(self->sql.db))
        store_roll_back(self);
    store_names_forget(self);
    store_arena_release(&self->states.arena);
    store_runs_release(&self->runs);
    sql_release(&self->sql);
    free(self);
}

bool store_is_damaged(const struct store *self)
{
    return self->sql.damaged;
}

uint64_t store_position(const struct store *self)
{
    return self->position;
}

bool store_begin(struct store *self)
{
    self->sql.failed = false;
    if (!self->loaded)
        store_load(self);
    return self->loaded && sql_run(&self->sql, "BEGIN IMMEDIATE");
}

bool store_commit(struct store *self, uint64_t position)
{
    self->runs.position = position;
    store_states_flush(self);
    store_chunk_flush(self);
    store_rollups_flush(self);
    store_join_counts_flush(self);
    store_apps_flush(self);
    store_retain_step(self);
    store_runs_flush(&self->runs, position);
    store_set_meta(self, "position", position);
    store_set_meta(self, "next view", (uint64_t)self->next_view);
    store_set_meta(self, "next chunk", (uint64_t)self->next_chunk);
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
    self->chunk.used = 0;
    self->retention.reached = 0;
    self->retention.view = 0;
    self->retention.hours_reached = 0;
    store_states_forget(self);
    store_names_forget(self);
    for (size_t i = 0; i < self->sql.count; i++)
        sqlite3_reset(self->sql.statement[i]);
    sqlite3_exec(self->sql.db, "ROLLBACK", NULL, NULL, NULL); /* fails only when SQLite has rolled back already */
    self->sql.failed = false;
    store_load(self);
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
