#ifndef SOURCE_LOCK_H
#define SOURCE_LOCK_H

/*
 * The advisory lock beside the slot (SEMANTICS 10): one flow per (database, slot).
 *
 * It is a session lock on a connection of its own, so it ends with us, and it is held from before
 * the slot is looked at until the flow ends, also while the stream reconnects.  Advisory locks are
 * local to a database, so the key is made of the slot's name alone.
 *
 * The connection doubles as a watch: a server that shuts down says so on it (57P01) while the
 * walsender still waits for us (SEMANTICS 8).
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct pg_session;
struct source_settings;

struct source_lock;

/* Who holds it, as pg_locks and pg_stat_activity know. */
struct lock_holder {
    bool held;
    int64_t pid;
    const char *application; /* "" unknown */
    const char *client;      /* address, "" for a local socket or unknown */
    const char *since;       /* when that session began */
};

/* Wait until deadline_ms for the lock; held by another until then: FENCED, naming the holder. */
MUST_CHECK bool source_lock_acquire(const struct source_settings *settings, int64_t deadline_ms,
                                    int cancel_fd, struct source_lock **ret, struct err *err);
void source_lock_release(struct source_lock *lock); /* NULL is fine */

/* TRANSIENT when it is lost; code PG_ADMIN_SHUTDOWN when the server is going down.  Never waits. */
MUST_CHECK bool source_lock_check(struct source_lock *lock, struct err *err);
int source_lock_fd(const struct source_lock *lock); /* readable: check it; -1: lost */

/* `status`: is somebody running?  On any session of the same database. */
MUST_CHECK bool source_lock_holder(struct pg_session *pg, const char *slot, struct arena *arena,
                                   struct lock_holder *ret, struct err *err);

/* The key, for tests and for people who look at pg_locks. */
int64_t source_lock_key(const char *slot);

#endif
