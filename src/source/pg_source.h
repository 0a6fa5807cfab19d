#ifndef SOURCE_PG_SOURCE_H
#define SOURCE_PG_SOURCE_H

/*
 * The inside of struct pg_source, shared by the two halves of pgoutput_stream: pg_source.c opens
 * (lock, identity, slot, START_REPLICATION), pgoutput_stream.c reads.  Not for others.
 */

#include <stdbool.h>
#include <stdint.h>

#include "source/lock.h"
#include "source/pgoutput_events.h"
#include "source/pgoutput_stream.h"

struct pg_session;

struct pg_source {
    struct source base;
    const struct source_settings *settings;
    struct arena *arena; /* flow lifetime */
    struct source_lock *lock;
    struct pg_session *stream;    /* in copy mode; NULL: closed */
    struct pg_session *temporary; /* owns the temporary slot, not streaming yet */
    bool temporary_used;          /* it has been streamed once */
    struct pgoutput_events *events;

    /* whom opens must find; "" and 0: whoever is there first */
    const char *system_id;
    _Atomic int64_t timeline; /* read by other threads too */

    int64_t busy_since_ms;         /* somebody else holds slot or lock; 0: no */
    int64_t wal_sender_timeout_ms; /* 0: none */
    int64_t answered_ms;           /* the last status update */
    int64_t checked_ms;            /* the last look at the lock */
    unsigned unchecked;            /* messages since then */
    lsn_t flush;                   /* what the last update said */
    bool saw_large;                /* a message over the renewal size: libpq keeps its buffer */
    bool broken;                   /* an error has been returned: no orderly end */
    struct pg_source_stats stats;
};

/* The two halves of source_type.open; what is left of a failed one is closed by the caller. */
MUST_CHECK bool pg_source_open_stream(struct pg_source *source, lsn_t start, int64_t deadline_ms,
                                      int cancel_fd, struct err *err);

/* START_REPLICATION for protocol version 1 (manual 55.4); pure. */
struct buf;
void pg_source_start_command(const struct source_settings *settings, lsn_t start, struct buf *out);

#endif
