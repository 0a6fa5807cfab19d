#ifndef PG_COPY_H
#define PG_COPY_H

/*
 * The two-way copy of a replication session (manual 55.4, START_REPLICATION): messages in, status
 * updates out, neither ever waiting.  The hot path of the source: one allocation per message, made
 * by libpq, no copies.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct pg_session;

/* Send the command and enter copy mode; from here on only the functions below may be used. */
MUST_CHECK bool pg_copy_start(struct pg_session *pg, const char *command, struct err *err);

/*
 * The next message, already received or receivable now; ret->ptr is NULL when there is none: poll
 * pg_socket().  The message is valid until pg_copy_release().  False when the copy has ended:
 * whatever the server gave as its reason, TRANSIENT when it just stopped.
 */
MUST_CHECK bool pg_copy_next(struct pg_session *pg, struct span *ret, struct err *err);
void pg_copy_release(struct pg_session *pg); /* none is fine */

/* Queue bytes and send what goes out at once.  Messages are dropped while earlier ones are stuck:
 * the next one says more. */
MUST_CHECK bool pg_copy_put(struct pg_session *pg, struct span message, struct err *err);
bool pg_copy_unsent(const struct pg_session *pg); /* poll for writing too, then pg_copy_flush */
MUST_CHECK bool pg_copy_flush(struct pg_session *pg, struct err *err);

/* End the copy in order, so that the server has read everything we sent; at most wait_ms. */
void pg_copy_end(struct pg_session *pg, int64_t wait_ms);

#endif
