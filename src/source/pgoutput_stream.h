#ifndef SOURCE_PGOUTPUT_STREAM_H
#define SOURCE_PGOUTPUT_STREAM_H

/*
 * pgoutput_stream: committed changes from a logical replication slot, protocol version 1, text.
 *
 * Implements contract/source.h for the engine, and gives the runner what it needs before the first
 * open.  A run goes like this:
 *
 *     struct pg_source *source = pg_source_new(&settings, flow_arena);
 *
 *     pg_source_lock(source, deadline, cancel_fd, err)      FENCED: another one runs (SEMANTICS 10)
 *     pg_connect(...)                                       an ordinary session for the catalogs
 *     pg_source_identify(source, ...)                       who is there, and its timeline
 *     catalog_table(...), mapping_bind(...)                 pg/catalog.h
 *     preflight_check(...)                                  all faults in one report
 *     slot_inspect(...), publication_inspect(...)           facts for flow/start
 *     start_decide(&facts, &plan)                           refuse, stream, create, adopt
 *
 *     to create (SEMANTICS 12, in this order):
 *         store: slot_intent = true
 *         publication_plan(), publication_ensure()          committed
 *         router: mappings registered
 *         tables_hold()                                     on a session of its own
 *         pg_source_create_slot()                           -> consistent point
 *         store: checkpoint = consistent point, slot_intent = false, has_started = true
 *         tables_release()
 *
 *     engine: type->open(source, plan.start), next, feedback, ..., close, open, ...
 *     pg_source_free(source)
 *
 * The lock stays held between close and the next open; when it was lost, open takes it again.
 * A slot or lock that another session uses is waited for, 90 s in all, over as many opens as it
 * takes (TRANSIENT until then), then FENCED.
 *
 * open refuses (CONFIG) when the server's identity is not the first one seen (or given to
 * pg_source_expect), when its history left our timeline before `start`, or when the slot has been
 * confirmed past `start`: the server would silently begin there (SEMANTICS 5, 11).
 *
 * When the server announces its shutdown on the lock's connection, next sends a last feedback and
 * fails with TRANSIENT, so that the engine closes the stream and the server can stop (SEMANTICS 8).
 *
 * A temporary slot (settings.temporary_slot) lives on the stream's own connection: it is made by
 * pg_source_create_slot, streamed by the first open, and gone with that connection, so a second
 * open is refused (CONFIG).
 *
 * Thread: owner, all of it but pg_source_timeline().
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "contract/source.h"
#include "source/server.h"
#include "source/settings.h"
#include "source/slot.h"

struct pg_source;

extern const struct source_type pgoutput_stream;

/* Settings and arena must outlive it. */
struct pg_source *pg_source_new(const struct source_settings *settings, struct arena *flow);
void pg_source_free(struct pg_source *source); /* closes the stream, releases the lock */
void pg_source_freep(struct pg_source **source);

/* What the engine drives. */
struct source *pg_source_base(struct pg_source *source);

/* Take the lock, if it is not held; waits busy_wait_ms at most for another holder, then FENCED. */
MUST_CHECK bool pg_source_lock(struct pg_source *source, int64_t deadline_ms, int cancel_fd,
                               struct err *err);

/*
 * Ask the server who it is.  With `timeline` (that of the store) > 0 also where its history left
 * it: *ret_switch_found, *ret_switch.
 */
struct server_history {
    struct server_identity now;
    bool switch_found; /* the server has been on `timeline` */
    lsn_t switch_lsn;  /* where it left it; UINT64_MAX: it is on it still */
};

MUST_CHECK bool pg_source_identify(struct pg_source *source, int64_t timeline, int64_t deadline_ms,
                                   int cancel_fd, struct arena *arena, struct server_history *ret,
                                   struct err *err);

/* The identity that opens must find; pg_source_identify remembers it too.  A recorded timeline. */
void pg_source_expect(struct pg_source *source, const char *system_id, int64_t timeline);

/* The timeline of the last open: to be recorded when it differs from the store's.  Any thread. */
int64_t pg_source_timeline(const struct pg_source *source);

/* Make the slot (args->replication is filled in here; see slot_create). */
MUST_CHECK bool pg_source_create_slot(struct pg_source *source, const struct slot_create_args *args,
                                      int cancel_fd, lsn_t *ret_consistent_point, struct err *err);

/* Figures of the stream, for status and metrics. */
struct pg_source_stats {
    uint64_t messages;
    uint64_t bytes;
    lsn_t received; /* walEnd of the last message */
};

struct pg_source_stats pg_source_stats(const struct pg_source *source);

#endif
