/* session: connecting to Postgres, and statements with a deadline. */
#include "pg/session.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "pg/conninfo.h"
#include "pg/session_impl.h"
#include "pg/sqlstate.h"

#define TIMEOUT_MS (30 * 1000)

/* ---- waiting ---- */

static int
poll_timeout(int64_t deadline_ms)
{
    int64_t left = deadline_ms - clock_mono_ms();

    if (left <= 0)
        return 0;
    return left > 3600 * 1000 ? 3600 * 1000 : (int)left;
}

/* 1: ready, 0: too late, -1: cancelled. */
static int
wait_ready(int fd, short events, int cancel_fd, int64_t deadline_ms)
{
    struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = cancel_fd, .events = POLLIN}};

    for (;;) {
        int n = poll(fds, cancel_fd >= 0 ? 2 : 1, poll_timeout(deadline_ms));

        if (n < 0 && errno == EINTR)
            continue;
        if (cancel_fd >= 0 && fds[1].revents)
            return -1;
        if (n > 0)
            return 1;
        if (clock_mono_ms() >= deadline_ms)
            return 0;
    }
}

bool
session_poll(struct pg_session *pg, short events, int64_t deadline_ms, const char *what,
             struct err *err)
{
    switch (wait_ready(PQsocket(pg->conn), events, pg->cancel_fd, deadline_ms)) {
    case 1:
        return true;
    case 0:
        return err_set(err, ERR_TRANSIENT, "%s: no answer in time", what);
    default:
        return err_set(err, ERR_CANCELED, "%s: stopped", what);
    }
}

/* ---- connecting ---- */

/* A server that goes down tells idle sessions so in a message that libpq takes for a notice. */
static void
take_notice(void *arg, const PGresult *result)
{
    struct pg_session *pg = arg;
    const char *code = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    int sqlstate = code ? pg_sqlstate_code(span_of(code)) : 0;

    if (sqlstate == PG_ADMIN_SHUTDOWN || sqlstate == PG_CRASH_SHUTDOWN)
        pg->shutting_down = true;
}

static bool
connect_loop(struct pg_session *pg, int64_t deadline_ms, struct err *err)
{
    PostgresPollingStatusType status = PGRES_POLLING_WRITING;

    for (;;) {
        if (status == PGRES_POLLING_OK)
            return true;
        if (status == PGRES_POLLING_FAILED || PQsocket(pg->conn) < 0)
            return session_lost(pg, err);
        if (!session_poll(pg, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline_ms,
                          "the server", err))
            return false;
        status = PQconnectPoll(pg->conn);
    }
}

static bool
session_start(struct pg_session *pg, const struct pg_conninfo *info,
              const struct pg_connect_args *args, struct err *err)
{
    pg->conn = PQconnectStartParams(info->keywords, info->values, 0);
    if (!pg->conn)
        abort(); /* out of memory */
    if (PQstatus(pg->conn) == CONNECTION_BAD)
        return session_lost(pg, err);
    /* Only a verbose message holds the SQLSTATE of a refusal while connecting. */
    PQsetErrorVerbosity(pg->conn, PQERRORS_VERBOSE);
    PQsetNoticeReceiver(pg->conn, take_notice, pg);
    if (!connect_loop(pg, args->deadline_ms, err))
        return false;
    PQsetErrorVerbosity(pg->conn, PQERRORS_DEFAULT);
    return true;
}

static struct pg_session *
session_new(const struct pg_connect_args *args, const struct pg_conninfo *info)
{
    struct pg_session *pg = calloc(1, sizeof(*pg));

    if (!pg)
        abort();
    pg->cancel_fd = args->cancel_fd;
    pg->timeout_ms = TIMEOUT_MS;
    pg->replication = args->replication;
    pg->secret = info->password ? strdup(info->password) : NULL;
    return pg;
}

bool
pg_connect(const struct pg_connect_args *args, struct pg_session **ret, struct err *err)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new("connect");
    CLEANUP(pg_closep) struct pg_session *pg = NULL;
    struct pg_conninfo info;
    char name[64];

    assert(args->conninfo && args->purpose);
    if (!pg_conninfo_parse(args->conninfo, scratch, &info, err))
        return false;
    snprintf(name, sizeof(name), "puffgres %s", args->purpose);
    pg_conninfo_complete(&info, name, args->replication, scratch);
    pg = session_new(args, &info);
    if (!session_start(pg, &info, args, err))
        return err_wrap(err, "connecting to Postgres");
    *ret = pg;
    pg = NULL;
    return true;
}

void
pg_close(struct pg_session *pg)
{
    if (!pg)
        return;
    PQfreemem(pg->message);
    PQfinish(pg->conn);
    if (pg->secret)
        explicit_bzero(pg->secret, strlen(pg->secret));
    free(pg->secret);
    free(pg);
}

void
pg_closep(struct pg_session **pg)
{
    pg_close(*pg);
    *pg = NULL;
}

void
pg_set_timeout(struct pg_session *pg, int64_t timeout_ms)
{
    assert(timeout_ms > 0);
    pg->timeout_ms = timeout_ms;
}

void
pg_set_cancel_fd(struct pg_session *pg, int cancel_fd)
{
    pg->cancel_fd = cancel_fd;
}

int
pg_server_version(const struct pg_session *pg)
{
    return PQserverVersion(pg->conn);
}

int
pg_backend_pid(const struct pg_session *pg)
{
    return PQbackendPID(pg->conn);
}

int
pg_socket(const struct pg_session *pg)
{
    return PQstatus(pg->conn) == CONNECTION_OK ? PQsocket(pg->conn) : -1;
}

static const char *
or_empty(const char *text)
{
    return text ? text : "";
}

const char *
pg_host(const struct pg_session *pg)
{
    return or_empty(PQhost(pg->conn));
}

const char *
pg_port(const struct pg_session *pg)
{
    return or_empty(PQport(pg->conn));
}

const char *
pg_user(const struct pg_session *pg)
{
    return or_empty(PQuser(pg->conn));
}

const char *
pg_database(const struct pg_session *pg)
{
    return or_empty(PQdb(pg->conn));
}

bool
pg_alive(struct pg_session *pg, struct err *err)
{
    bool connected = PQconsumeInput(pg->conn) == 1;
    PGnotify *notify;

    /* PQnotifies is what makes libpq read messages that came unasked. */
    while ((notify = PQnotifies(pg->conn)))
        PQfreemem(notify);
    if (pg->shutting_down)
        return err_set_code(err, ERR_TRANSIENT, PG_ADMIN_SHUTDOWN,
                            "the server is shutting down or has ended this session");
    if (!connected || PQstatus(pg->conn) != CONNECTION_OK)
        return session_lost(pg, err);
    return true;
}
