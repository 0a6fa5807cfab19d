/* db: SQLite's transactions and statements behind our error model. */
#include "state/db.h"

#include <assert.h>
#include <sqlite3.h>
#include <string.h>

#include "state/db_handle.h"

/* ---- what failures mean ---- */

static const char busy[] = "another process is writing to it: wait for it to end";
static const char damaged[] = "restore it from a backup, or move it away and start again with "
                              "`puffgres run --from-lsn`";
static const char rights[] = "it and its folder must be readable and writable by this user";

/* By SQLite's primary result code; one that is not listed is a mistake of ours. */
/* clang-format off */
static const struct fault {
    int code;
    enum err_kind kind;
    const char *remedy;
} faults[] = {
    {SQLITE_FULL,     ERR_TRANSIENT, "free some space on its disk"},
    {SQLITE_BUSY,     ERR_TRANSIENT, busy},
    {SQLITE_LOCKED,   ERR_TRANSIENT, busy},
    {SQLITE_PROTOCOL, ERR_TRANSIENT, busy},
    {SQLITE_IOERR,    ERR_TRANSIENT, "look at its disk"},
    {SQLITE_NOMEM,    ERR_TRANSIENT, "free some memory"},
    {SQLITE_CORRUPT,  ERR_CONFIG,    damaged},
    {SQLITE_NOTADB,   ERR_CONFIG,    damaged},
    {SQLITE_CANTOPEN, ERR_CONFIG,    rights},
    {SQLITE_READONLY, ERR_CONFIG,    rights},
    {SQLITE_PERM,     ERR_CONFIG,    rights},
    {SQLITE_AUTH,     ERR_CONFIG,    rights},
};
/* clang-format on */

static const struct fault *
fault_find(int code)
{
    static const struct fault ours = {0, ERR_BUG, "this is a defect of this program: report it"};

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        if (faults[i].code == (code & 0xff)) /* the low byte of an extended code is the primary */
            return &faults[i];
    }
    return &ours;
}

bool
db_fail(struct sqlite3 *handle, const char *path, int code, struct err *err)
{
    const struct fault *fault = fault_find(code);
    int os = handle ? sqlite3_system_errno(handle) : 0;
    const char *said = handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
    bool show_os = os != 0 && ((code & 0xff) == SQLITE_IOERR || (code & 0xff) == SQLITE_CANTOPEN);

    assert(code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE);
    return err_set_code(err, fault->kind, code, "state %s: %s%s%s; %s", path, said,
                        show_os ? ": " : "", show_os ? strerrordesc_np(os) : "", fault->remedy);
}

static bool
fail(struct db *db, int code, struct err *err)
{
    return db_fail(db->handle, db->path, code, err);
}

/* ---- statements ---- */

struct db_query
db_query(struct db *db, enum sql sql)
{
    struct db_query query = {.db = db};

    assert(sql < SQL_MAX_);
    if (!db->statements[sql])
        query.failed = sqlite3_prepare_v3(db->handle, sql_texts[sql], -1, SQLITE_PREPARE_PERSISTENT,
                                          &db->statements[sql], NULL);
    query.statement = db->statements[sql];
    return query;
}

/* Remember the first failure. */
static void
note(struct db_query *query, int code)
{
    if (query->failed == SQLITE_OK)
        query->failed = code;
}

void
db_put_int(struct db_query *query, int64_t n)
{
    note(query, sqlite3_bind_int64(query->statement, ++query->bound, n));
}

void
db_put_span(struct db_query *query, struct span s)
{
    /* A NULL pointer would be bound as null, also with length 0. */
    note(query, sqlite3_bind_text64(query->statement, ++query->bound, s.len ? s.ptr : "", s.len,
                                    SQLITE_STATIC, SQLITE_UTF8));
}

void
db_put_text(struct db_query *query, const char *z)
{
    if (z)
        db_put_span(query, span_of(z));
    else
        note(query, sqlite3_bind_null(query->statement, ++query->bound));
}

void
db_query_end(struct db_query *query)
{
    if (!query->statement)
        return;
    sqlite3_reset(query->statement); /* repeats the failure that the step has told */
    sqlite3_clear_bindings(query->statement);
    query->statement = NULL;
}

bool
db_row(struct db_query *query, bool *ret, struct err *err)
{
    int code = query->failed ? query->failed : sqlite3_step(query->statement);

    if (code == SQLITE_ROW) {
        *ret = true;
        return true;
    }
    if (code != SQLITE_DONE)
        fail(query->db, code, err);
    db_query_end(query);
    if (code != SQLITE_DONE)
        return false;
    *ret = false;
    return true;
}

bool
db_exec(struct db_query *query, int64_t *ret_changes, struct err *err)
{
    sqlite3 *handle = query->db->handle;
    bool row;

    if (!db_row(query, &row, err))
        return false;
    assert(!row);
    if (ret_changes)
        *ret_changes = sqlite3_changes64(handle);
    return true;
}

int64_t
db_int(struct db_query *query, int column)
{
    return sqlite3_column_int64(query->statement, column);
}

bool
db_is_null(struct db_query *query, int column)
{
    return sqlite3_column_type(query->statement, column) == SQLITE_NULL;
}

struct span
db_peek(struct db_query *query, int column)
{
    const unsigned char *text = sqlite3_column_text(query->statement, column);

    assert(text); /* every text column is NOT NULL */
    return (struct span){(const char *)text,
                         (size_t)sqlite3_column_bytes(query->statement, column)};
}

struct span
db_span(struct db_query *query, int column, struct arena *arena)
{
    return arena_span(arena, db_peek(query, column));
}

const char *
db_text(struct db_query *query, int column, struct arena *arena)
{
    return arena_strdup(arena, db_peek(query, column).ptr); /* SQLite ends it in NUL */
}

/* ---- transactions ---- */

static bool
run(struct db *db, enum sql sql, struct err *err)
{
    struct db_query query = db_query(db, sql);

    return db_exec(&query, NULL, err);
}

bool
db_work_begin(struct db_work *work, struct db *db, enum db_mode mode, struct err *err)
{
    int rc = pthread_mutex_lock(&db->lock);

    assert(rc == 0 && !work->db);
    (void)rc;
    work->db = db;
    assert(mode == DB_READ || db->access != STATE_READ);
    return run(db, mode == DB_WRITE ? SQL_BEGIN_WRITE : SQL_BEGIN_READ, err);
}

bool
db_work_commit(struct db_work *work, struct err *err)
{
    assert(work->db);
    if (!run(work->db, SQL_COMMIT, err))
        return false;
    pthread_mutex_unlock(&work->db->lock);
    work->db = NULL;
    return true;
}

void
db_work_end(struct db_work *work)
{
    struct err ignored;

    if (!work->db)
        return;
    /* A full disk or an I/O error has rolled back already.  What fails here is undone by the next
     * open at the latest. */
    for (size_t i = 0; i < SQL_MAX_; i++) {
        if (work->db->statements[i])
            sqlite3_reset(work->db->statements[i]);
    }
    if (!sqlite3_get_autocommit(work->db->handle) && !run(work->db, SQL_ROLLBACK, &ignored))
        assert(ignored.kind != ERR_NONE);
    pthread_mutex_unlock(&work->db->lock);
    work->db = NULL;
}
