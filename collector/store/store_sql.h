/* Private to the store: prepared statements by number, with errors that stick until somebody looks. */
#ifndef VITRACE_STORE_SQL_H
#define VITRACE_STORE_SQL_H

#include <sqlite3.h>

#include "proto/wire/slice.h"

#define SQL_STATEMENTS_MAX 48

struct sql {
    sqlite3 *db;
    const char *const *text; /* of each statement */
    size_t count;
    sqlite3_stmt *statement[SQL_STATEMENTS_MAX]; /* prepared on first use */
    bool failed;
    bool damaged; /* SQLite found what it cannot have written; stays */
};

void sql_init(struct sql *self, sqlite3 *db, const char *const *text, size_t count);
/* Finalises the statements and closes the database. */
void sql_release(struct sql *self);
/* Runs text without parameters or rows. */
bool sql_run(struct sql *self, const char *text);

/* The statement, reset and without bindings; NULL after a failure, which everything below takes quietly. */
sqlite3_stmt *sql_use(struct sql *self, size_t id);
void sql_bind_int(struct sql *self, sqlite3_stmt *statement, int at, int64_t value);
/* Borrowed until the statement is used again. */
void sql_bind_text(struct sql *self, sqlite3_stmt *statement, int at, struct slice text);
void sql_bind_blob(struct sql *self, sqlite3_stmt *statement, int at, struct slice bytes);
/* true = a row to read. false = no more, and the statement is reset. */
bool sql_step(struct sql *self, sqlite3_stmt *statement);
/* For statements that return no rows. */
void sql_finish(struct sql *self, sqlite3_stmt *statement);

struct slice sql_bytes(sqlite3_stmt *statement, int column);

#endif
