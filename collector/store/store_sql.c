#include "collector/store/store_sql.h"

#include <assert.h>

#include "collector/base/diag.h"

void sql_init(struct sql *self, sqlite3 *db, const char *const *text, size_t count)
{
    assert(count <= SQL_STATEMENTS_MAX);
    *self = (struct sql){.db = db, .text = text, .count = count};
}

void sql_release(struct sql *self)
{
    for (size_t i = 0; i < self->count; i++)
        sqlite3_finalize(self->statement[i]);
    sqlite3_close(self->db);
    *self = (struct sql){0};
}

static void sql_fail(struct sql *self)
{
    if (!self->failed)
        diag(DIAG_WARNING, "index_error", "SQLite: %s", sqlite3_errmsg(self->db));
    self->failed = true;
    /* Read-only is also what SQLite takes a file for whose header says a write version that it does not know. */
    int code = sqlite3_errcode(self->db) & 0xff;
    self->damaged = self->damaged || code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_READONLY;
}

bool sql_run(struct sql *self, const char *text)
{
    if (sqlite3_exec(self->db, text, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    sql_fail(self);
    return false;
}

sqlite3_stmt *sql_use(struct sql *self, size_t id)
{
    assert(id < self->count);
    if (self->failed)
        return NULL;
    if (!self->statement[id] && sqlite3_prepare_v3(self->db, self->text[id], -1, SQLITE_PREPARE_PERSISTENT,
                                                   &self->statement[id], NULL) != SQLITE_OK) {
        sql_fail(self);
        return NULL;
    }
    sqlite3_reset(self->statement[id]);
    sqlite3_clear_bindings(self->statement[id]);
    return self->statement[id];
}

static void sql_check(struct sql *self, int result)
{
    if (result != SQLITE_OK)
        sql_fail(self);
}

void sql_bind_int(struct sql *self, sqlite3_stmt *statement, int at, int64_t value)
{
    if (statement)
        sql_check(self, sqlite3_bind_int64(statement, at, value));
}

void sql_bind_text(struct sql *self, sqlite3_stmt *statement, int at, struct slice text)
{
    const char *data = text.data ? (const char *)text.data : "";
    if (statement)
        sql_check(self, sqlite3_bind_text64(statement, at, data, text.size, SQLITE_STATIC, SQLITE_UTF8));
}

void sql_bind_blob(struct sql *self, sqlite3_stmt *statement, int at, struct slice bytes)
{
    if (!statement)
        return;
    if (bytes.size == 0)
        sql_check(self, sqlite3_bind_zeroblob(statement, at, 0));
    else
        sql_check(self, sqlite3_bind_blob64(statement, at, bytes.data, bytes.size, SQLITE_STATIC));
}

bool sql_step(struct sql *self, sqlite3_stmt *statement)
{
    if (!statement || self->failed)
        return false;
    int result = sqlite3_step(statement);
    if (result == SQLITE_ROW)
        return true;
    if (result != SQLITE_DONE)
        sql_fail(self);
    sqlite3_reset(statement);
    return false;
}

void sql_finish(struct sql *self, sqlite3_stmt *statement)
{
    bool row = sql_step(self, statement);
    assert(!row);
    (void)row;
}

struct slice sql_bytes(sqlite3_stmt *statement, int column)
{
    const void *data = sqlite3_column_blob(statement, column);
    return slice_of(data, (size_t)sqlite3_column_bytes(statement, column));
}
