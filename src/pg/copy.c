/* copy: the two-way copy of START_REPLICATION. */
#include "pg/copy.h"

#include <assert.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "pg/session.h"
#include "pg/session_impl.h"

/* GSS hides its buffer: look that often before believing that nothing has come. */
#define GSS_TRIES 4

bool
pg_copy_start(struct pg_session *pg, const char *command, struct err *err)
{
    PGresult *result;
    bool done = false;

    assert(pg->replication);
    if (!pg_send(pg, command, err))
        return false;
    if (!pg_wait(pg, pg->timeout_ms, &done, err))
        return false;
    if (!done)
        return err_set(err, ERR_TRANSIENT, "the server does not begin to stream");
    result = PQgetResult(pg->conn);
    if (PQresultStatus(result) != PGRES_COPY_BOTH) {
        session_refused(pg, result, err);
        while (result) { /* up to the end of the answer: the caller may try again */
            PQclear(result);
            result = PQgetResult(pg->conn);
        }
        return false;
    }
    PQclear(result);
    if (PQsetnonblocking(pg->conn, 1) != 0)
        return session_lost(pg, err);
    return true;
}

/* ---- in ---- */

/*
 * Bytes that poll() cannot show, because they are decrypted already: TLS records are longer than
 * what one read takes.
 */
static bool
has_pending(const struct pg_session *pg)
{
    SSL *ssl = PQsslInUse(pg->conn) ? PQsslStruct(pg->conn, "OpenSSL") : NULL;

    return ssl && SSL_pending(ssl) > 0;
}

/* The copy has ended: the server's reason, or that it just stopped. */
static COLD bool
copy_ended(struct pg_session *pg, struct err *err)
{
    PGresult *result = PQgetResult(pg->conn);
    bool failed = result && PQresultStatus(result) == PGRES_FATAL_ERROR;

    if (failed)
        session_refused(pg, result, err);
    PQclear(result);
    if (failed)
        return false;
    if (PQstatus(pg->conn) != CONNECTION_OK)
        return session_lost(pg, err);
    return err_set(err, ERR_TRANSIENT, "the server ended the stream (is it shutting down?)");
}

bool
pg_copy_next(struct pg_session *pg, struct span *ret, struct err *err)
{
    int tries = PQgssEncInUse(pg->conn) ? GSS_TRIES : 1;

    assert(!pg->message);
    for (;;) {
        int n = PQgetCopyData(pg->conn, &pg->message, 1);

        if (n > 0) {
            *ret = (struct span){pg->message, (size_t)n};
            return true;
        }
        if (n < 0)
            return copy_ended(pg, err);
        if (tries-- == 0) {
            if (!has_pending(pg))
                break;
            tries = 0;
        }
        if (PQconsumeInput(pg->conn) != 1)
            return session_lost(pg, err);
    }
    *ret = (struct span){NULL, 0};
    return true;
}

void
pg_copy_release(struct pg_session *pg)
{
    PQfreemem(pg->message);
    pg->message = NULL;
}

/* ---- out ---- */

bool
pg_copy_flush(struct pg_session *pg, struct err *err)
{
    int left = PQflush(pg->conn);

    if (left < 0)
        return session_lost(pg, err);
    pg->unsent = left > 0;
    return true;
}

bool
pg_copy_put(struct pg_session *pg, struct span message, struct err *err)
{
    if (!pg_copy_flush(pg, err))
        return false;
    if (pg->unsent)
        return true;
    if (PQputCopyData(pg->conn, message.ptr, (int)message.len) < 0)
        return session_lost(pg, err);
    return pg_copy_flush(pg, err);
}

bool
pg_copy_unsent(const struct pg_session *pg)
{
    return pg->unsent;
}

/* Throw away what still comes until the server has ended its side too. */
void
pg_copy_end(struct pg_session *pg, int64_t wait_ms)
{
    int64_t deadline_ms = clock_mono_ms() + wait_ms;
    struct err err;

    pg_copy_release(pg);
    pg->cancel_fd = -1;
    if (PQputCopyEnd(pg->conn, NULL) != 1)
        return;
    for (;;) {
        struct span ignored;

        if (!pg_copy_flush(pg, &err) || !pg_copy_next(pg, &ignored, &err))
            return;
        if (clock_mono_ms() >= deadline_ms)
            return;
        if (!ignored.ptr && !session_poll(pg, (short)(POLLIN | (pg->unsent ? POLLOUT : 0)),
                                          deadline_ms, "ending the stream", &err))
            return;
        pg_copy_release(pg);
    }
}
