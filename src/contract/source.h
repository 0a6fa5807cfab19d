#ifndef CONTRACT_SOURCE_H
#define CONTRACT_SOURCE_H

/*
 * What a source of changes must do.
 *
 * The engine promises: one thread, the owner; open before the first next, close once; an event is
 * used up before next is called again; feedback never past what a checkpoint has recorded.
 *
 * The source promises: committed transactions only, in commit order, each BEGIN CHANGE* COMMIT,
 * changes numbered from 1 by position.ordinal whether or not anybody maps their table
 * (SEMANTICS 1); a RELATION event before the first change of a new version of a relation, not for
 * a repetition (SEMANTICS 26); KEEPALIVE only between transactions, at its place in the stream;
 * next never waits.  The same position is always the same change, whichever session reads it.
 *
 * Error kinds: TRANSIENT closes the stream, which is opened again from the last checkpoint after a
 * pause; FENCED (another reader holds slot or lock), CONFIG and BUG stop the flow.
 */

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/change.h"

enum source_event_type {
    SOURCE_IDLE, /* nothing to read now: poll source fds */
    SOURCE_BEGIN,
    SOURCE_CHANGE,
    SOURCE_COMMIT,
    SOURCE_RELATION,
    SOURCE_KEEPALIVE,
    SOURCE_RENEW, /* idle, and better closed and opened again, when all is saved (SEMANTICS 30) */
};

struct source_event {
    enum source_event_type type;
    lsn_t lsn;                   /* BEGIN: start of the commit record; COMMIT: its end;
                                    KEEPALIVE: walEnd */
    bool reply;                  /* KEEPALIVE: the server wants feedback at once */
    bool truncate_last;          /* CHANGE/TRUNCATE: the last relation of its message */
    uint32_t xid;                /* BEGIN */
    int64_t commit_us;           /* BEGIN: microseconds since 1970 UTC */
    const struct schema *schema; /* RELATION; flow lifetime */
    struct change change;        /* CHANGE */
};

/* First member of every source's own struct. */
struct source {
    const struct source_type *type;
};

struct source_type {
    const char *name; /* "pgoutput_stream" */

    /* Connect and stream from `start`; waits at most until deadline_ms or cancel_fd. */
    MUST_CHECK bool (*open)(struct source *source, lsn_t start, int64_t deadline_ms, int cancel_fd,
                            struct err *err);
    void (*close)(struct source *source); /* may be opened again */

    MUST_CHECK bool (*next)(struct source *source, struct source_event *ret, struct err *err);

    /*
     * Tell the server that everything below `flush` is durable; 0: nothing yet.  Also called about
     * once a second while next is not, and fails as next would when the stream is not ours any more
     * (SEMANTICS 10).
     */
    MUST_CHECK bool (*feedback)(struct source *source, lsn_t flush, struct err *err);

    /* What to poll while idle; returns how many were filled in. */
    size_t (*poll_fds)(struct source *source, struct pollfd *fds, size_t cap);

    /* How often feedback is due: min(10 s, wal_sender_timeout / 3) (SEMANTICS 8). */
    int64_t (*feedback_interval_ms)(const struct source *source);
};

#endif
