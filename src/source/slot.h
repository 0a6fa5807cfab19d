#ifndef SOURCE_SLOT_H
#define SOURCE_SLOT_H

/*
 * The replication slot: look at it, make it, drop it.  What to do about what is found is
 * flow/start's decision (SEMANTICS 11), not made here.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/lsn.h"
#include "model/schema.h"

struct pg_session;

/* A row of pg_replication_slots. */
struct slot_info {
    bool exists;
    const char *plugin;     /* "" for a physical slot */
    const char *database;   /* "" for a physical slot */
    const char *wal_status; /* reserved, extended, unreserved, lost; "" unknown */
    const char *invalid;    /* why it was invalidated, "" fine */
    bool physical;
    bool temporary;
    bool two_phase;
    bool active;
    int64_t active_pid;
    lsn_t restart;
    lsn_t confirmed_flush;
};

/* On any session, replication sessions too. */
MUST_CHECK bool slot_inspect(struct pg_session *pg, const char *name, struct arena *arena,
                             struct slot_info *ret, struct err *err);

struct slot_create_args {
    struct pg_session *replication; /* waits; a temporary slot belongs to it */
    struct pg_session *watch;       /* an ordinary session, to see what is waited for */
    const char *name;
    bool temporary;
    int64_t deadline_ms;
    /* Called now and then with what is waited for; may be NULL. */
    void (*waiting)(void *ctx, const char *text);
    void *ctx;
};

/*
 * Make a pgoutput slot.  It can only be made once every transaction that writes now has ended
 * (manual 49.2.4); past the deadline the attempt is withdrawn and the error names them.
 * *ret_consistent_point: the first commit it will send starts at or after it.
 */
MUST_CHECK bool slot_create(const struct slot_create_args *args, lsn_t *ret_consistent_point,
                            struct err *err);

/* Gone already is fine; in use is FENCED. */
MUST_CHECK bool slot_drop(struct pg_session *pg, const char *name, struct err *err);

/*
 * Hold tables still (SEMANTICS 12): ACCESS SHARE on all of them, in a transaction without an xid,
 * so that it does not keep the slot waiting.  Ends with the session or with tables_release().
 */
struct table;
MUST_CHECK bool tables_hold(struct pg_session *pg, const struct table *const *tables, size_t count,
                            struct err *err);
MUST_CHECK bool tables_release(struct pg_session *pg, struct err *err);

#endif
