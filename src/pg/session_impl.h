#ifndef PG_SESSION_IMPL_H
#define PG_SESSION_IMPL_H

/* The inside of struct pg_session, for the files of this folder. */

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct pg_session {
    PGconn *conn;
    char *secret; /* the password, to be kept out of messages; NULL none */
    int cancel_fd;
    int64_t timeout_ms;
    bool replication;
    bool shutting_down; /* the server said 57P01 out of turn */
    char *message;      /* the copy message in use */
    bool unsent;        /* something waits in libpq's output buffer */
};

/* "what failed" from the connection's own message; kind by its text. */
COLD bool session_lost(const struct pg_session *pg, struct err *err);

/* The error of a result, with SQLSTATE, hint and remedy. */
COLD bool session_refused(const struct pg_session *pg, const PGresult *result, struct err *err);

/*
 * Wait for the socket.  TRANSIENT after the deadline, CANCELED when the cancel descriptor fired;
 * `what` is named in the first.
 */
MUST_CHECK bool session_poll(struct pg_session *pg, short events, int64_t deadline_ms,
                             const char *what, struct err *err);

#endif
