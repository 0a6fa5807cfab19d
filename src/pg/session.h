#ifndef PG_SESSION_H
#define PG_SESSION_H

/*
 * A session with Postgres: libpq, with deadlines, a cancel descriptor and honest errors.
 *
 *     CLEANUP(pg_closep) struct pg_session *pg = NULL;
 *     CLEANUP(pg_rows_free) struct pg_rows rows = {0};
 *
 *     if (!pg_connect(&(struct pg_connect_args){.conninfo = url, .purpose = "catalog",
 *                                               .deadline_ms = deadline, .cancel_fd = fd},
 *                     &pg, err) ||
 *         !pg_query(pg, "SELECT oid FROM pg_publication WHERE pubname = $1",
 *                   (const char *const[]){name}, 1, &rows, err))
 *         return false;
 *
 * Every wait ends at its deadline (ERR_TRANSIENT, the statement is cancelled on the server) or when
 * cancel_fd becomes readable (ERR_CANCELED).  Server errors get their kind from pg/sqlstate and
 * their SQLSTATE in err->code; texts say what to do and never hold the password.
 *
 * Replication sessions speak the simple query protocol only (manual 55.4): parameters are refused
 * by an assertion there.
 *
 * One thread at a time.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct pg_session;

struct pg_connect_args {
    const char *conninfo; /* as the operator wrote it */
    const char *purpose;  /* application_name becomes "puffgres <purpose>" */
    bool replication;     /* replication=database */
    int64_t deadline_ms;  /* clock_mono_ms, for connecting */
    int cancel_fd;        /* -1: none; kept for later queries */
};

MUST_CHECK bool pg_connect(const struct pg_connect_args *args, struct pg_session **ret,
                           struct err *err);
void pg_close(struct pg_session *pg); /* NULL is fine */
void pg_closep(struct pg_session **pg);

/* How long a statement may take from now on; 30 s to begin with. */
void pg_set_timeout(struct pg_session *pg, int64_t timeout_ms);

/* From now on this descriptor cancels; the old one may be closed. */
void pg_set_cancel_fd(struct pg_session *pg, int cancel_fd);

int pg_server_version(const struct pg_session *pg); /* 150004 */
int pg_backend_pid(const struct pg_session *pg);    /* as the server (or a pooler) claims */
int pg_socket(const struct pg_session *pg);         /* for poll; -1 when the session is lost */
const char *pg_host(const struct pg_session *pg);   /* "" for none */
const char *pg_port(const struct pg_session *pg);
const char *pg_user(const struct pg_session *pg);
const char *pg_database(const struct pg_session *pg);

/* ---- statements ---- */

struct pg_rows {
    void *handle;
    int count;
};

void pg_rows_free(struct pg_rows *rows); /* zeroed is fine */

/* One statement; params are text, NULL is NULL.  `ret` may be NULL when no rows are wanted. */
MUST_CHECK bool pg_query(struct pg_session *pg, const char *sql, const char *const *params,
                         size_t count, struct pg_rows *ret, struct err *err);

/* One or more statements without parameters; the rows are of the last. */
MUST_CHECK bool pg_exec(struct pg_session *pg, const char *sql, struct pg_rows *ret,
                        struct err *err);

/*
 * Row by row, so that a wide answer is in memory once: `each` gets rows of count 1 and may stop by
 * returning false with err set.
 */
typedef bool pg_each_row(void *ctx, const struct pg_rows *row, struct err *err);

MUST_CHECK bool pg_query_each(struct pg_session *pg, const char *sql, const char *const *params,
                              size_t count, pg_each_row *each, void *ctx, struct err *err);

bool pg_is_null(const struct pg_rows *rows, int row, int column);
const char *pg_text(const struct pg_rows *rows, int row, int column); /* "" for NULL */
struct span pg_value(const struct pg_rows *rows, int row, int column);
bool pg_bool(const struct pg_rows *rows, int row, int column);    /* false for NULL */
int64_t pg_int(const struct pg_rows *rows, int row, int column);  /* 0 for NULL */
uint64_t pg_lsn(const struct pg_rows *rows, int row, int column); /* 0 for NULL */

/* ---- a statement in the background ---- */

/*
 * For a statement that may wait for others, so that the caller can look at what it waits for:
 *
 *     pg_send(pg, sql, err);
 *     while (pg_wait(pg, step_ms, &done, err) && !done)
 *         look();
 *     pg_finish(pg, &rows, err);      or pg_abandon(pg)
 */
MUST_CHECK bool pg_send(struct pg_session *pg, const char *sql, struct err *err);
MUST_CHECK bool pg_wait(struct pg_session *pg, int64_t wait_ms, bool *ret_done, struct err *err);
MUST_CHECK bool pg_finish(struct pg_session *pg, struct pg_rows *ret, struct err *err);
void pg_abandon(struct pg_session *pg); /* cancel it on the server and drop its answer */

/* ---- a session that only has to live ---- */

/*
 * Take in what the server has sent without being asked.  False when the session is lost: kind
 * TRANSIENT, code PG_ADMIN_SHUTDOWN when the server said that it is going down.  Never waits.
 */
MUST_CHECK bool pg_alive(struct pg_session *pg, struct err *err);

#endif
