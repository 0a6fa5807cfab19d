#ifndef HARNESS_SCRIPTED_PG_H
#define HARNESS_SCRIPTED_PG_H

/*
 * A Postgres server that follows rules, on a Unix socket in a folder of its own: the wire protocol
 * (manual 55.2 and 55.4) as far as our sessions use it, for tests of everything above libpq.
 *
 * A statement is answered by the first rule whose `on` is part of its text and that is not used
 * up; without one it is an error that names the statement.  Every connection has its own thread.
 *
 *     static const struct pg_rule rules[] = {
 *         {.on = "IDENTIFY_SYSTEM", .rows = "7001|1|0/5000|shop"},
 *         {.on = "START_REPLICATION", .error = "55006 slot is active", .times = 1},
 *         {.on = "START_REPLICATION", .deed = PG_STREAM},
 *     };
 *     struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
 *     ... connect to scripted_pg_conninfo(peer) ...
 *     scripted_pg_push(peer, message);         on the stream, now or once there is one
 *     scripted_pg_stop(peer);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "model/lsn.h"

enum pg_deed {
    PG_ANSWER,
    PG_STREAM, /* begin a two-way copy: START_REPLICATION */
    PG_HANG,   /* never answer; a cancel request ends it with an error */
    PG_DROP,   /* close the connection */
};

struct pg_rule {
    const char *on;
    enum pg_deed deed;
    const char *rows;  /* "a|b\nc|d", ~ is NULL; NULL or "": none */
    const char *error; /* "55006 text": instead of rows */
    size_t times;      /* 0: for ever */
};

struct scripted_pg;

struct scripted_pg *scripted_pg_start(const struct pg_rule *rules, size_t count);
void scripted_pg_stop(struct scripted_pg *peer); /* NULL is fine */
void scripted_pg_stopp(struct scripted_pg **peer);

const char *scripted_pg_conninfo(const struct scripted_pg *peer);

/* What server_version says; "15.4" unless set before connecting. */
void scripted_pg_set_version(struct scripted_pg *peer, const char *version);

/* The next connections are refused: "28P01 password authentication failed"; NULL: no more. */
void scripted_pg_refuse(struct scripted_pg *peer, const char *error);

/* ---- statements, of all connections in the order they came ---- */

size_t scripted_pg_count(struct scripted_pg *peer, const char *part); /* that hold `part` */
/* All of them, one per line, with the application name in front; valid until the peer stops. */
const char *scripted_pg_log(struct scripted_pg *peer);

/* ---- the stream ---- */

/* One CopyData message.  Never waits: it goes out once there is a stream that takes it. */
void scripted_pg_push(struct scripted_pg *peer, struct span payload);
/* The same as XLogData ending at `end`, and as a keepalive. */
void scripted_pg_push_xlog(struct scripted_pg *peer, lsn_t end, struct span message);
void scripted_pg_push_keepalive(struct scripted_pg *peer, lsn_t end, bool reply);
void scripted_pg_push_error(struct scripted_pg *peer, const char *error); /* and close */
void scripted_pg_end_stream(struct scripted_pg *peer); /* as a server that is shutting down */

struct pg_status {
    lsn_t written;
    lsn_t flushed;
};

/* Status updates that came so far, and the last of them. */
size_t scripted_pg_status(struct scripted_pg *peer, struct pg_status *ret_last);
bool scripted_pg_wait_status(struct scripted_pg *peer, size_t count); /* false: not within 5 s */

/* ---- trouble ---- */

/* A FATAL error out of turn on the connections of this application name, then close; NULL: just
 * close. */
void scripted_pg_kill(struct scripted_pg *peer, const char *application, const char *error);

#endif
