/* slot: the replication slot, and what keeps one from being made. */
#include "source/slot.h"

#include <assert.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/clock.h"
#include "model/ident.h"
#include "model/table.h"
#include "pg/session.h"
#include "pg/sqlstate.h"

#define SQL_LIMIT    MEGABYTES(1)
#define LOOK_MS      500  /* how long a wait goes unexplained */
#define LOOK_MAX_MS  5000 /* and how often it is explained again */
#define HOLD_WAIT_MS 20000

/* ---- looking ---- */

/* Columns come with versions; as JSON a missing one is null. */
static const char inspect_sql[] =
    "SELECT s.slot_type = 'physical', coalesce(s.plugin, ''), coalesce(s.database, ''),"
    "       s.temporary, s.active, s.active_pid, s.restart_lsn, s.confirmed_flush_lsn,"
    "       coalesce(j->>'wal_status', ''), coalesce((j->>'two_phase')::bool, false),"
    "       coalesce(j->>'invalidation_reason',"
    "                CASE WHEN (j->>'conflicting')::bool THEN 'conflicting' END, '')"
    "  FROM pg_catalog.pg_replication_slots s,"
    "       LATERAL (SELECT pg_catalog.to_jsonb(s) AS j) AS json"
    " WHERE s.slot_name = ";

static struct slot_info
row_slot(const struct pg_rows *rows, struct arena *arena)
{
    return (struct slot_info){
        .exists = true,
        .physical = pg_bool(rows, 0, 0),
        .plugin = arena_strdup(arena, pg_text(rows, 0, 1)),
        .database = arena_strdup(arena, pg_text(rows, 0, 2)),
        .temporary = pg_bool(rows, 0, 3),
        .active = pg_bool(rows, 0, 4),
        .active_pid = pg_int(rows, 0, 5),
        .restart = pg_lsn(rows, 0, 6),
        .confirmed_flush = pg_lsn(rows, 0, 7),
        .wal_status = arena_strdup(arena, pg_text(rows, 0, 8)),
        .two_phase = pg_bool(rows, 0, 9),
        .invalid = arena_strdup(arena, pg_text(rows, 0, 10)),
    };
}

bool
slot_inspect(struct pg_session *pg, const char *name, struct arena *arena, struct slot_info *ret,
             struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    CLEANUP(buf_free) struct buf sql = buf_make(SQL_LIMIT);

    buf_put(&sql, span_of(inspect_sql));
    ident_put_literal(&sql, span_of(name));
    if (!buf_ok(&sql, err) || !pg_exec(pg, sql.ptr, &rows, err))
        return err_wrap(err, "looking at slot \"%s\"", name);
    if (rows.count == 0)
        *ret = (struct slot_info){.plugin = "", .database = "", .wal_status = "", .invalid = ""};
    else
        *ret = row_slot(&rows, arena);
    return true;
}

/* ---- making ---- */

/*
 * Who holds up a backend: sessions by pg_blocking_pids(), which answers 0 for a prepared
 * transaction.  What they run is not shown: it may hold what is nobody's business.
 */
static const char blockers_sql[] =
    "SELECT CASE WHEN b.pid = 0 THEN coalesce("
    "         (SELECT 'prepared transaction ' || string_agg(quote_literal(gid), ', ')"
    "            FROM pg_catalog.pg_prepared_xacts), 'a prepared transaction')"
    "       ELSE format('backend %s (%s, %s, %s, since %s)', b.pid,"
    "         coalesce(a.usename, 'unknown user'),"
    "         coalesce(nullif(a.application_name, ''), 'no application name'),"
    "         coalesce(a.state, 'state not visible'),"
    "         coalesce(to_char(a.xact_start, 'YYYY-MM-DD HH24:MI:SS'), 'unknown')) END"
    "  FROM (SELECT DISTINCT unnest(pg_catalog.pg_blocking_pids($1::int)) AS pid) b"
    "  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid";

static void
describe_blockers(const struct slot_create_args *args, struct buf *out)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    char pid[16];
    struct err ignored;

    buf_clear(out);
    snprintf(pid, sizeof(pid), "%d", pg_backend_pid(args->replication));
    if (args->watch &&
        pg_query(args->watch, blockers_sql, (const char *const[]){pid}, 1, &rows, &ignored)) {
        for (int i = 0; i < rows.count; i++)
            buf_putf(out, "%s%s", i ? "; " : "", pg_text(&rows, i, 0));
    }
    if (out->len == 0)
        buf_put(out, SPAN("transactions that were open when it began"));
}

static bool
wait_for_slot(const struct slot_create_args *args, struct buf *blockers, struct err *err)
{
    int64_t step_ms = LOOK_MS;
    bool done = false;

    for (;;) {
        int64_t left_ms = args->deadline_ms - clock_mono_ms();

        if (!pg_wait(args->replication, left_ms < step_ms ? left_ms : step_ms, &done, err))
            return false;
        if (done)
            return true;
        describe_blockers(args, blockers);
        if (clock_mono_ms() >= args->deadline_ms)
            return err_set(err, ERR_TRANSIENT,
                           "slot \"%s\" cannot be made while older transactions write; waiting for "
                           "%s: end them, or try again later",
                           args->name, blockers->ptr);
        if (args->waiting)
            args->waiting(args->ctx, blockers->ptr);
        step_ms = step_ms * 2 > LOOK_MAX_MS ? LOOK_MAX_MS : step_ms * 2;
    }
}

/* The attempt may have succeeded in the very moment of giving up. */
static void
withdraw(const struct slot_create_args *args)
{
    struct err ignored;

    pg_abandon(args->replication);
    if (args->watch && !args->temporary)
        (void)!slot_drop(args->watch, args->name, &ignored);
}

bool
slot_create(const struct slot_create_args *args, lsn_t *ret_consistent_point, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    CLEANUP(buf_free) struct buf sql = buf_make(SQL_LIMIT), blockers = buf_make(SQL_LIMIT);

    buf_put(&sql, SPAN("CREATE_REPLICATION_SLOT "));
    ident_put(&sql, span_of(args->name));
    buf_putf(&sql, "%s LOGICAL pgoutput NOEXPORT_SNAPSHOT", args->temporary ? " TEMPORARY" : "");
    if (!buf_ok(&sql, err) || !pg_send(args->replication, sql.ptr, err))
        return false;
    if (!wait_for_slot(args, &blockers, err)) {
        withdraw(args);
        return false;
    }
    if (!pg_finish(args->replication, &rows, err))
        return err_wrap(err, "making slot \"%s\"", args->name);
    if (rows.count != 1)
        return err_set(err, ERR_BUG, "CREATE_REPLICATION_SLOT answered %d rows", rows.count);
    *ret_consistent_point = pg_lsn(&rows, 0, 1);
    return true;
}

bool
slot_drop(struct pg_session *pg, const char *name, struct err *err)
{
    if (pg_query(pg,
                 "SELECT pg_catalog.pg_drop_replication_slot(slot_name)"
                 "  FROM pg_catalog.pg_replication_slots WHERE slot_name = $1",
                 (const char *const[]){name}, 1, NULL, err))
        return true;
    return err->code == PG_UNDEFINED_OBJECT || err_wrap(err, "dropping slot \"%s\"", name);
}

/* ---- holding tables still ---- */

static void
put_lock(const struct table *const *tables, size_t count, struct buf *sql)
{
    buf_put(sql, SPAN("LOCK TABLE "));
    for (size_t i = 0; i < count; i++) {
        if (i)
            buf_put(sql, SPAN(", "));
        ident_put_qualified(sql, span_of(tables[i]->schema), span_of(tables[i]->name));
    }
    buf_put(sql, SPAN(" IN ACCESS SHARE MODE"));
}

bool
tables_hold(struct pg_session *pg, const struct table *const *tables, size_t count, struct err *err)
{
    CLEANUP(buf_free) struct buf sql = buf_make(SQL_LIMIT);

    if (count == 0)
        return true;
    buf_putf(&sql, "BEGIN; SET LOCAL lock_timeout = %d; ", HOLD_WAIT_MS);
    put_lock(tables, count, &sql);
    if (!buf_ok(&sql, err) || !pg_exec(pg, sql.ptr, NULL, err))
        return err_wrap(err, "holding the mapped tables still while the slot is made");
    return true;
}

bool
tables_release(struct pg_session *pg, struct err *err)
{
    return pg_exec(pg, "ROLLBACK", NULL, err);
}
