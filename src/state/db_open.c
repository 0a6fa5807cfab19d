/* db_open: find out whose file it is, make it ours, bring its schema up to date. */
#include <assert.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "state/db_handle.h"
#include "state/db_schema.h"
#include "state/file.h"

/* How long a writer waits for another process's transaction; ours last milliseconds. */
#define BUSY_TIMEOUT_MS 5000

static bool
fail(struct db *db, int code, struct err *err)
{
    return db_fail(db->handle, db->path, code, err);
}

static bool
run_text(struct db *db, const char *sql, struct err *err)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return code == SQLITE_OK || fail(db, code, err);
}

/* ---- settings ---- */

static bool
connect(struct db *db, struct err *err)
{
    static const int flags[] = {
        [STATE_READ] = SQLITE_OPEN_READONLY,
        [STATE_WRITE] = SQLITE_OPEN_READWRITE,
        [STATE_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    };
    /* No mutex of SQLite's: ours guards the connection. */
    int code =
        sqlite3_open_v2(db->path, &db->handle,
                        flags[db->access] | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    if (code != SQLITE_OK)
        return fail(db, code, err);
    sqlite3_busy_timeout(db->handle, BUSY_TIMEOUT_MS);
    return true;
}

/*
 * In the write-ahead journal a commit is one write and one fsync, and readers never wait.  FULL
 * makes each commit durable before it returns: NORMAL would fsync only at checkpoints of the
 * journal, and our own checkpoint would be acknowledged before it is on the disk (SEMANTICS 7).
 */
static bool
make_durable(struct db *db, struct err *err)
{
    return run_text(db, "PRAGMA journal_mode = WAL", err) &&
           run_text(db, "PRAGMA synchronous = FULL", err);
}

static bool
open_file(struct db *db, struct err *err)
{
    if (!connect(db, err) || !db_schema_identify(db, err))
        return false;
    if (db->access == STATE_READ)
        return db_schema_is_current(db, sql_step_count, err);
    return make_durable(db, err) && db_schema_check(db, err) &&
           db_schema_update(db, sql_steps, sql_step_count, err);
}

static bool
open_memory(struct db *db, struct err *err)
{
    return connect(db, err) && db_schema_update(db, sql_steps, sql_step_count, err);
}

bool
db_open(const char *path, enum state_access access, struct db **ret, struct err *err)
{
    CLEANUP(db_closep) struct db *db = NULL;
    CLEANUP(state_file_unlock) int lock = -1;

    if (path && !state_file_prepare(path, access == STATE_CREATE, &lock, err))
        return false;
    db = calloc(1, sizeof(*db));
    if (!db)
        abort();
    pthread_mutex_init(&db->lock, NULL);
    db->access = access;
    db->path = strdup(path ? path : ":memory:");
    if (!db->path)
        abort();
    if (!(path ? open_file : open_memory)(db, err))
        return false;
    *ret = db;
    db = NULL;
    return true;
}

void
db_close(struct db *db)
{
    int code;

    if (!db)
        return;
    for (size_t i = 0; i < SQL_MAX_; i++)
        sqlite3_finalize(db->statements[i]);
    code = sqlite3_close(db->handle);
    assert(code == SQLITE_OK); /* BUSY: a statement was left open */
    (void)code;
    pthread_mutex_destroy(&db->lock);
    free(db->path);
    free(db);
}

void
db_closep(struct db **db)
{
    db_close(*db);
    *db = NULL;
}
