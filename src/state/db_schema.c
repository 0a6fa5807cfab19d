/* db_schema: the identity of a state file and the version of its tables. */
#include "state/db_schema.h"

#include <assert.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "state/db_handle.h"

/* The one number that a statement gives. */
static bool
number(struct db *db, const char *sql, int64_t *ret, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, sql, -1, &statement, NULL);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW) {
        db_fail(db->handle, db->path, code, err);
        sqlite3_finalize(statement);
        return false;
    }
    *ret = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return true;
}

static bool
run(struct db *db, const char *sql, struct err *err)
{
    int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

    return code == SQLITE_OK || db_fail(db->handle, db->path, code, err);
}

bool
db_schema_identify(struct db *db, struct err *err)
{
    int64_t id, tables;

    if (!number(db, "PRAGMA application_id", &id, err) ||
        !number(db, "SELECT count(*) FROM sqlite_schema", &tables, err))
        return false;
    if (id != SQL_APPLICATION_ID && (id != 0 || tables != 0))
        return err_set(err, ERR_CONFIG,
                       "state %s: this is the SQLite database of another program; "
                       "set [state] path to a file of its own",
                       db->path);
    return true;
}

bool
db_schema_check(struct db *db, struct err *err)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(db->handle, "PRAGMA quick_check(1)", -1, &statement, NULL);
    bool ok = false;

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        ok = strcmp((const char *)sqlite3_column_text(statement, 0), "ok") == 0;
        code = SQLITE_CORRUPT;
    }
    if (!ok)
        db_fail(NULL, db->path, code, err);
    sqlite3_finalize(statement);
    return ok;
}

static bool
version_get(struct db *db, size_t step_count, int64_t *ret, struct err *err)
{
    int64_t version = 0;

    if (!number(db, "PRAGMA user_version", &version, err))
        return false;
    if (version < 0 || version > (int64_t)step_count)
        return err_set(err, ERR_CONFIG,
                       "state %s: schema version %lld is newer than this program, which knows up "
                       "to %zu; use the newer program, or move the file away to start again",
                       db->path, (long long)version, step_count);
    *ret = version;
    return true;
}

bool
db_schema_is_current(struct db *db, size_t step_count, struct err *err)
{
    int64_t version = 0;

    if (!version_get(db, step_count, &version, err))
        return false;
    if (version < (int64_t)step_count)
        return err_set(err, ERR_CONFIG,
                       "state %s: schema version %lld is older than this program's %zu; "
                       "`puffgres migrate` brings it up to date",
                       db->path, (long long)version, step_count);
    return true;
}

/* Inside the transaction: another process may have done it since we looked. */
static bool
take_steps(struct db *db, const char *const *steps, size_t step_count, struct err *err)
{
    int64_t version = 0;
    char pragma[64];

    if (!version_get(db, step_count, &version, err))
        return false;
    for (size_t i = (size_t)version; i < step_count; i++) {
        if (!run(db, steps[i], err))
            return err_wrap(err, "schema step %zu", i + 1);
    }
    snprintf(pragma, sizeof(pragma), "PRAGMA user_version = %zu", step_count);
    return run(db, pragma, err);
}

bool
db_schema_update(struct db *db, const char *const *steps, size_t step_count, struct err *err)
{
    int64_t version = 0;
    char pragma[64];
    struct err ignored;

    assert(step_count > 0);
    if (!version_get(db, step_count, &version, err))
        return false;
    if (version == (int64_t)step_count)
        return true;
    snprintf(pragma, sizeof(pragma), "PRAGMA application_id = %d", SQL_APPLICATION_ID);
    if (!run(db, "BEGIN EXCLUSIVE", err))
        return false;
    if (take_steps(db, steps, step_count, err) && run(db, pragma, err) && run(db, "COMMIT", err))
        return true;
    if (!sqlite3_get_autocommit(db->handle) && !run(db, "ROLLBACK", &ignored))
        assert(ignored.kind != ERR_NONE); /* the next open rolls back */
    return false;
}
