/* lock: the advisory lock beside the slot. */
#include "source/lock.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/hash.h"
#include "pg/session.h"
#include "source/server.h"
#include "source/settings.h"

#define CONNECT_SHARE_MS (30 * 1000)

struct source_lock {
    struct pg_session *pg;
    bool lost;
};

int64_t
source_lock_key(const char *slot)
{
    char text[128];

    snprintf(text, sizeof(text), "wallaby slot %s", slot);
    return (int64_t)hash_bytes(span_of(text));
}

static const char *
key_text(const char *slot, char dst[24])
{
    snprintf(dst, 24, "%lld", (long long)source_lock_key(slot));
    return dst;
}

/* ---- who has it ---- */

/* A key of 64 bits is in pg_locks as two halves and objsubid 1 (manual 54.12). */
static const char holder_sql[] =
    "SELECT l.pid, coalesce(a.application_name, ''), coalesce(host(a.client_addr), ''),"
    "       coalesce(to_char(a.backend_start, 'YYYY-MM-DD HH24:MI:SS TZ'), '')"
    "  FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
    "   AND l.database = (SELECT oid FROM pg_catalog.pg_database"
    "                      WHERE datname = current_database())"
    "   AND (l.classid::bigint << 32 | l.objid::bigint) = $1::bigint";

bool
source_lock_holder(struct pg_session *pg, const char *slot, struct arena *arena,
                   struct lock_holder *ret, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    char key[24];

    if (!pg_query(pg, holder_sql, (const char *const[]){key_text(slot, key)}, 1, &rows, err))
        return err_wrap(err, "looking for the holder of the lock");
    *ret = (struct lock_holder){.application = "", .client = "", .since = ""};
    if (rows.count == 0)
        return true;
    *ret = (struct lock_holder){
        .held = true,
        .pid = pg_int(&rows, 0, 0),
        .application = arena_strdup(arena, pg_text(&rows, 0, 1)),
        .client = arena_strdup(arena, pg_text(&rows, 0, 2)),
        .since = arena_strdup(arena, pg_text(&rows, 0, 3)),
    };
    return true;
}

static bool
held_by_another(struct pg_session *pg, const char *slot, struct err *err)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new("holder");
    struct lock_holder holder;

    if (!source_lock_holder(pg, slot, scratch, &holder, err))
        return false;
    if (!holder.held)
        return err_set(err, ERR_TRANSIENT, "the lock of slot \"%s\" was free a moment ago", slot);
    return err_set(err, ERR_FENCED,
                   "slot \"%s\" is in use by another puffgres (backend %lld%s%s, from %s, since "
                   "%s): stop it, or run this one with another --slot",
                   slot, (long long)holder.pid, *holder.application ? ", " : "", holder.application,
                   *holder.client ? holder.client : "this machine", holder.since);
}

/* ---- taking it ---- */

/* The session is idle by design: neither it nor its wait may be timed out. */
static bool
never_time_out(struct pg_session *pg, struct err *err)
{
    if (!server_has(pg_server_version(pg), FEATURE_IDLE_SESSION_TIMEOUT))
        return true;
    return pg_exec(pg, "SET idle_session_timeout = 0", NULL, err);
}

static bool
try_lock(struct pg_session *pg, const char *key, bool *ret_locked, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};

    if (!pg_query(pg, "SELECT pg_catalog.pg_try_advisory_lock($1)", (const char *const[]){key}, 1,
                  &rows, err))
        return false;
    *ret_locked = rows.count == 1 && pg_bool(&rows, 0, 0);
    return true;
}

/* Wait in the server's own queue: no polling, and the lock is ours the moment it is free. */
static bool
wait_lock(struct pg_session *pg, const char *key, int64_t deadline_ms, bool *ret_locked,
          struct err *err)
{
    char sql[96];
    int64_t left_ms = deadline_ms - clock_mono_ms();

    snprintf(sql, sizeof(sql), "SELECT pg_catalog.pg_advisory_lock(%s)", key);
    if (!pg_send(pg, sql, err))
        return false;
    if (!pg_wait(pg, left_ms > 0 ? left_ms : 0, ret_locked, err))
        return false;
    if (*ret_locked)
        return pg_finish(pg, NULL, err);
    pg_abandon(pg);
    return true;
}

static bool
lock_with(struct pg_session *pg, const char *slot, int64_t deadline_ms, struct err *err)
{
    bool locked = false;
    char key[24];

    key_text(slot, key);
    if (!never_time_out(pg, err) || !try_lock(pg, key, &locked, err))
        return false;
    if (!locked && !wait_lock(pg, key, deadline_ms, &locked, err))
        return false;
    return locked || held_by_another(pg, slot, err);
}

bool
source_lock_acquire(const struct source_settings *settings, int64_t deadline_ms, int cancel_fd,
                    struct source_lock **ret, struct err *err)
{
    CLEANUP(pg_closep) struct pg_session *pg = NULL;
    struct pg_connect_args args = {
        .conninfo = settings->conninfo,
        .purpose = "lock",
        .deadline_ms = clock_mono_ms() + CONNECT_SHARE_MS,
        .cancel_fd = cancel_fd,
    };
    struct source_lock *lock;

    if (args.deadline_ms > deadline_ms)
        args.deadline_ms = deadline_ms;
    if (!pg_connect(&args, &pg, err) || !lock_with(pg, settings->slot, deadline_ms, err))
        return err_wrap(err, "taking the lock of slot \"%s\"", settings->slot);
    pg_set_cancel_fd(pg, -1);
    lock = calloc(1, sizeof(*lock));
    if (!lock)
        abort();
    lock->pg = pg;
    pg = NULL;
    *ret = lock;
    return true;
}

void
source_lock_release(struct source_lock *lock)
{
    if (!lock)
        return;
    pg_close(lock->pg); /* a session lock ends with its session */
    free(lock);
}

bool
source_lock_check(struct source_lock *lock, struct err *err)
{
    assert(!lock->lost);
    if (pg_alive(lock->pg, err))
        return true;
    lock->lost = true;
    return err_wrap(err, "the lock's connection");
}

int
source_lock_fd(const struct source_lock *lock)
{
    return lock->lost ? -1 : pg_socket(lock->pg);
}
