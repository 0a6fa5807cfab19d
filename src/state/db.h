#ifndef STATE_DB_H
#define STATE_DB_H

/*
 * SQLite, wrapped: one connection, its prepared statements, its lock, and what its failures mean.
 * Nothing outside db*.c includes sqlite3.h.
 *
 * Work is done between db_work_begin() and db_work_commit(), which hold the lock and are one
 * transaction; leaving the scope without the commit rolls back.
 *
 *     CLEANUP(db_work_end) struct db_work work = {0};
 *     struct db_query query;
 *
 *     if (!db_work_begin(&work, db, DB_WRITE, err))
 *         return false;
 *     query = db_query(db, SQL_META_PUT);
 *     db_put_text(&query, key);
 *     db_put_span(&query, text);
 *     return db_exec(&query, err) && db_work_commit(&work, err);
 *
 * Parameters are put in the order of their numbers; a failure while putting is remembered and told
 * by the next db_exec() or db_row().
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "state/sql.h"
#include "state/sqlite.h"

struct db;
struct sqlite3;
struct sqlite3_stmt;

enum db_mode { DB_READ, DB_WRITE };

/* ---- the connection ---- */

/* path NULL: in memory. */
MUST_CHECK bool db_open(const char *path, enum state_access access, struct db **ret,
                        struct err *err);
void db_close(struct db *db); /* NULL is fine */
void db_closep(struct db **db);

/* What a failing SQLite result means; false. */
bool db_fail(struct sqlite3 *handle, const char *path, int code, struct err *err);

/* ---- one transaction ---- */

struct db_work {
    struct db *db; /* locked; NULL: not begun, or over */
};

MUST_CHECK bool db_work_begin(struct db_work *work, struct db *db, enum db_mode mode,
                              struct err *err);
MUST_CHECK bool db_work_commit(struct db_work *work, struct err *err);
void db_work_end(struct db_work *work); /* rolls back what was not committed */

/* ---- one statement, while a work holds the lock ---- */

struct db_query {
    struct db *db;
    struct sqlite3_stmt *statement;
    int bound;
    int failed; /* the first SQLite result that was not OK */
};

struct db_query db_query(struct db *db, enum sql sql);

void db_put_int(struct db_query *query, int64_t n);
void db_put_text(struct db_query *query, const char *z); /* NULL: null */
void db_put_span(struct db_query *query, struct span s); /* borrowed until the query is over */

/* Run what gives no rows; *ret_changes: rows written, may be NULL. */
MUST_CHECK bool db_exec(struct db_query *query, int64_t *ret_changes, struct err *err);

/* The next row, or *ret = false at the end. */
MUST_CHECK bool db_row(struct db_query *query, bool *ret, struct err *err);

/* Columns of the present row, from 0. */
int64_t db_int(struct db_query *query, int column);
bool db_is_null(struct db_query *query, int column);
struct span db_span(struct db_query *query, int column, struct arena *arena);
const char *db_text(struct db_query *query, int column, struct arena *arena);
struct span db_peek(struct db_query *query, int column); /* until the next row */

/* The query is over before its last row. */
void db_query_end(struct db_query *query);

#endif
