/* query: statements and their rows. */
#include <assert.h>
#include <poll.h>

#include "base/clock.h"
#include "base/number.h"
#include "model/lsn.h"
#include "pg/session.h"
#include "pg/session_impl.h"

static void
clear_result(PGresult **result)
{
    PQclear(*result);
    *result = NULL;
}

/* ---- sending ---- */

static bool
send_statement(struct pg_session *pg, const char *sql, const char *const *params, size_t count,
               struct err *err)
{
    int sent;

    assert(count == 0 || !pg->replication);
    sent = params ? PQsendQueryParams(pg->conn, sql, (int)count, NULL, params, NULL, NULL, 0)
                  : PQsendQuery(pg->conn, sql);
    return sent == 1 || session_lost(pg, err);
}

/* ---- receiving ---- */

/* Until PQgetResult would not wait. */
static bool
wait_result(struct pg_session *pg, int64_t deadline_ms, struct err *err)
{
    for (;;) {
        if (PQconsumeInput(pg->conn) != 1)
            return session_lost(pg, err);
        if (!PQisBusy(pg->conn))
            return true;
        if (!session_poll(pg, POLLIN, deadline_ms, "a statement", err))
            return false;
    }
}

static bool
is_good(const PGresult *result)
{
    ExecStatusType status = PQresultStatus(result);

    return status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK ||
           status == PGRES_SINGLE_TUPLE || status == PGRES_EMPTY_QUERY;
}

/* All results of what was sent; the last is kept, the first error counts. */
static bool
collect(struct pg_session *pg, int64_t deadline_ms, PGresult **ret, struct err *err)
{
    CLEANUP(clear_result) PGresult *kept = NULL;
    bool good = true;

    for (;;) {
        CLEANUP(clear_result) PGresult *result = NULL;

        if (!wait_result(pg, deadline_ms, err))
            return false;
        result = PQgetResult(pg->conn);
        if (!result)
            break;
        if (good && !is_good(result))
            good = session_refused(pg, result, err);
        PQclear(kept);
        kept = result;
        result = NULL;
    }
    if (!good)
        return false;
    *ret = kept;
    kept = NULL;
    return true;
}

void
pg_abandon(struct pg_session *pg)
{
    char reason[256];
    PGcancel *cancel = PQgetCancel(pg->conn);
    PGresult *ignored = NULL;
    struct err err;

    if (cancel) {
        PQcancel(cancel, reason, sizeof(reason));
        PQfreeCancel(cancel);
    }
    pg->cancel_fd = -1; /* it may be what brought us here; the answer is worth a moment */
    if (collect(pg, clock_mono_ms() + 1000, &ignored, &err))
        PQclear(ignored);
}

/* A statement that is late is taken back.  One that was cancelled is not: asking the server could
 * take long when it is the server that is gone, and the session is about to be closed. */
static void
give_up(struct pg_session *pg, const struct err *err)
{
    int cancel_fd = pg->cancel_fd;

    if (err->kind != ERR_CANCELED && PQtransactionStatus(pg->conn) == PQTRANS_ACTIVE)
        pg_abandon(pg);
    pg->cancel_fd = cancel_fd;
}

static bool
finish(struct pg_session *pg, struct pg_rows *ret, struct err *err)
{
    CLEANUP(clear_result) PGresult *result = NULL;

    if (!collect(pg, clock_mono_ms() + pg->timeout_ms, &result, err)) {
        give_up(pg, err);
        return false;
    }
    if (ret) {
        assert(!ret->handle);
        *ret = (struct pg_rows){.handle = result, .count = PQntuples(result)};
        result = NULL;
    }
    return true;
}

bool
pg_query(struct pg_session *pg, const char *sql, const char *const *params, size_t count,
         struct pg_rows *ret, struct err *err)
{
    return send_statement(pg, sql, params, count, err) && finish(pg, ret, err);
}

bool
pg_exec(struct pg_session *pg, const char *sql, struct pg_rows *ret, struct err *err)
{
    return send_statement(pg, sql, NULL, 0, err) && finish(pg, ret, err);
}

bool
pg_send(struct pg_session *pg, const char *sql, struct err *err)
{
    return send_statement(pg, sql, NULL, 0, err);
}

bool
pg_wait(struct pg_session *pg, int64_t wait_ms, bool *ret_done, struct err *err)
{
    struct err late;

    if (wait_result(pg, clock_mono_ms() + wait_ms, &late)) {
        *ret_done = true;
        return true;
    }
    if (late.kind == ERR_TRANSIENT && PQstatus(pg->conn) == CONNECTION_OK) {
        *ret_done = false;
        return true;
    }
    *err = late;
    return false;
}

bool
pg_finish(struct pg_session *pg, struct pg_rows *ret, struct err *err)
{
    return finish(pg, ret, err);
}

/* ---- row by row ---- */

static bool
each_result(const PGresult *result, pg_each_row *each, void *ctx, struct err *err)
{
    struct pg_rows row = {.handle = (void *)(uintptr_t)result, .count = PQntuples(result)};

    return row.count == 0 || each(ctx, &row, err);
}

static bool
walk(struct pg_session *pg, int64_t deadline_ms, pg_each_row *each, void *ctx, struct err *err)
{
    bool good = true;

    for (;;) {
        CLEANUP(clear_result) PGresult *result = NULL;

        if (!wait_result(pg, deadline_ms, err))
            return false;
        result = PQgetResult(pg->conn);
        if (!result)
            return good;
        if (!good)
            continue;
        good = is_good(result) ? each_result(result, each, ctx, err)
                               : session_refused(pg, result, err);
    }
}

bool
pg_query_each(struct pg_session *pg, const char *sql, const char *const *params, size_t count,
              pg_each_row *each, void *ctx, struct err *err)
{
    if (!send_statement(pg, sql, params, count, err))
        return false;
    if (PQsetSingleRowMode(pg->conn) != 1)
        return err_set(err, ERR_BUG, "libpq refuses single-row mode");
    if (walk(pg, clock_mono_ms() + pg->timeout_ms, each, ctx, err))
        return true;
    give_up(pg, err);
    return false;
}

/* ---- rows ---- */

void
pg_rows_free(struct pg_rows *rows)
{
    PQclear(rows->handle);
    *rows = (struct pg_rows){0};
}

/* A field that the statement did not ask for is our own mistake. */
static void
assert_field(const struct pg_rows *rows, int row, int column)
{
    assert(row >= 0 && row < rows->count);
    assert(column >= 0 && column < PQnfields(rows->handle));
}

bool
pg_is_null(const struct pg_rows *rows, int row, int column)
{
    assert_field(rows, row, column);
    return PQgetisnull(rows->handle, row, column) == 1;
}

const char *
pg_text(const struct pg_rows *rows, int row, int column)
{
    assert_field(rows, row, column);
    return PQgetvalue(rows->handle, row, column);
}

struct span
pg_value(const struct pg_rows *rows, int row, int column)
{
    assert_field(rows, row, column);
    return (struct span){PQgetvalue(rows->handle, row, column),
                         (size_t)PQgetlength(rows->handle, row, column)};
}

bool
pg_bool(const struct pg_rows *rows, int row, int column)
{
    return pg_text(rows, row, column)[0] == 't';
}

int64_t
pg_int(const struct pg_rows *rows, int row, int column)
{
    int64_t n;

    return span_to_int(pg_value(rows, row, column), &n) ? n : 0;
}

uint64_t
pg_lsn(const struct pg_rows *rows, int row, int column)
{
    lsn_t lsn;

    return lsn_parse(pg_value(rows, row, column), &lsn) ? lsn : 0;
}
