/* pg_source: from settings to an open stream: lock, identity, slot, START_REPLICATION. */
#include "source/pg_source.h"

#include <assert.h>
#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "model/ident.h"
#include "pg/copy.h"
#include "pg/session.h"
#include "pg/sqlstate.h"

#define COMMAND_LIMIT    (64 * 1024)
#define BUSY_STEP_MS     250
#define BUSY_STEP_MAX_MS 2000
#define STATEMENT_MS     (30 * 1000)

static int64_t
least(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* ---- life ---- */

struct pg_source *
pg_source_new(const struct source_settings *settings, struct arena *flow)
{
    struct pg_source *source = calloc(1, sizeof(*source));

    if (!source)
        abort();
    source->base.type = &pgoutput_stream;
    source->settings = settings;
    source->arena = flow;
    source->system_id = "";
    source->events = arena_new_of(flow, struct pgoutput_events);
    pgoutput_events_init(source->events, flow);
    return source;
}

void
pg_source_free(struct pg_source *source)
{
    if (!source)
        return;
    pgoutput_stream.close(&source->base);
    pg_close(source->temporary);
    source_lock_release(source->lock);
    pgoutput_events_done(source->events);
    free(source);
}

void
pg_source_freep(struct pg_source **source)
{
    pg_source_free(*source);
    *source = NULL;
}

struct source *
pg_source_base(struct pg_source *source)
{
    return &source->base;
}

void
pg_source_expect(struct pg_source *source, const char *system_id, int64_t timeline)
{
    source->system_id = arena_strdup(source->arena, system_id);
    source->timeline = timeline;
}

int64_t
pg_source_timeline(const struct pg_source *source)
{
    return source->timeline;
}

struct pg_source_stats
pg_source_stats(const struct pg_source *source)
{
    return source->stats;
}

static int64_t
connect_deadline(const struct pg_source *source, int64_t deadline_ms)
{
    int64_t timeout_ms = source->settings->connect_timeout_ms;

    return least(deadline_ms,
                 clock_mono_ms() + (timeout_ms ? timeout_ms : SOURCE_CONNECT_TIMEOUT_MS));
}

static bool
connect_replication(const struct pg_source *source, const char *purpose, int64_t deadline_ms,
                    int cancel_fd, struct pg_session **ret, struct err *err)
{
    return pg_connect(
        &(struct pg_connect_args){
            .conninfo = source->settings->conninfo,
            .purpose = purpose,
            .replication = true,
            .deadline_ms = connect_deadline(source, deadline_ms),
            .cancel_fd = cancel_fd,
        },
        ret, err);
}

/* ---- somebody else is there ---- */

static int64_t
busy_until_ms(struct pg_source *source)
{
    int64_t wait_ms = source->settings->busy_wait_ms;

    if (!source->busy_since_ms)
        source->busy_since_ms = clock_mono_ms();
    return source->busy_since_ms + (wait_ms ? wait_ms : SOURCE_BUSY_WAIT_MS);
}

/* FENCED only after the whole wait; before that the next open goes on waiting. */
static bool
still_busy(struct pg_source *source, struct err *err)
{
    if (err->kind == ERR_FENCED && clock_mono_ms() < busy_until_ms(source))
        err->kind = ERR_TRANSIENT;
    return false;
}

bool
pg_source_lock(struct pg_source *source, int64_t deadline_ms, int cancel_fd, struct err *err)
{
    struct err lost;

    if (source->lock && source_lock_check(source->lock, &lost))
        return true;
    source_lock_release(source->lock);
    source->lock = NULL;
    if (!source_lock_acquire(source->settings, least(deadline_ms, busy_until_ms(source)), cancel_fd,
                             &source->lock, err))
        return still_busy(source, err);
    source->busy_since_ms = 0;
    return true;
}

/* ---- who is there (SEMANTICS 5) ---- */

bool
pg_source_identify(struct pg_source *source, int64_t timeline, int64_t deadline_ms, int cancel_fd,
                   struct arena *arena, struct server_history *ret, struct err *err)
{
    CLEANUP(pg_closep) struct pg_session *pg = NULL;
    struct server_history history = {.switch_lsn = UINT64_MAX};

    if (!connect_replication(source, "identify", deadline_ms, cancel_fd, &pg, err) ||
        !server_identify(pg, arena, &history.now, err))
        return false;
    if (timeline > 0 && !server_switch_point(pg, &history.now, timeline, &history.switch_found,
                                             &history.switch_lsn, err))
        return false;
    pg_source_expect(source, history.now.system_id, history.now.timeline);
    *ret = history;
    return true;
}

static bool
check_timeline(struct pg_source *source, struct pg_session *pg,
               const struct server_identity *identity, lsn_t start, struct err *err)
{
    bool found;
    lsn_t left;

    if (source->timeline == 0 || source->timeline == identity->timeline)
        return true;
    if (!server_switch_point(pg, identity, source->timeline, &found, &left, err))
        return false;
    if (found && left >= start)
        return true;
    return err_set(err, ERR_CONFIG,
                   "the server went from timeline %lld to %lld and does not have what we read up "
                   "to " LSN_FMT ": connect to the right server, or begin a --new-epoch",
                   (long long)pg_source_timeline(source), (long long)identity->timeline,
                   LSN_ARG(start));
}

static bool
check_identity(struct pg_source *source, struct pg_session *pg, lsn_t start, struct err *err)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new("identity");
    struct server_identity identity;

    if (!server_identify(pg, scratch, &identity, err))
        return false;
    if (*source->system_id && strcmp(source->system_id, identity.system_id) != 0)
        return err_set(err, ERR_CONFIG,
                       "this is another cluster (system identifier %s, it was %s): connect to the "
                       "right server, or begin a --new-epoch",
                       identity.system_id, source->system_id);
    if (!check_timeline(source, pg, &identity, start, err))
        return false;
    if (!*source->system_id || source->timeline != identity.timeline)
        pg_source_expect(source, identity.system_id, identity.timeline);
    return true;
}

/* ---- the slot, once more at every open (SEMANTICS 11) ---- */

static bool
check_slot(struct pg_source *source, struct pg_session *pg, lsn_t start, struct err *err)
{
    CLEANUP(arena_freep) struct arena *scratch = arena_new("slot");
    const char *name = source->settings->slot;
    struct slot_info slot;

    if (!slot_inspect(pg, name, scratch, &slot, err))
        return false;
    if (!slot.exists)
        return err_set(err, ERR_CONFIG,
                       "slot \"%s\" is gone: changes since " LSN_FMT " are lost to it; start again "
                       "with --create-slot --accept-gap, then backfill",
                       name, LSN_ARG(start));
    if (*slot.invalid || strcmp(slot.wal_status, "lost") == 0)
        return err_set(err, ERR_CONFIG,
                       "slot \"%s\" was invalidated by the server (%s): changes since " LSN_FMT
                       " are lost to it; drop it, then start again with --create-slot --accept-gap",
                       name, *slot.invalid ? slot.invalid : "its WAL was removed", LSN_ARG(start));
    if (start && slot.confirmed_flush > start)
        return err_set(
            err, ERR_CONFIG,
            "slot \"%s\" was confirmed up to " LSN_FMT ", past our checkpoint " LSN_FMT
            ": somebody else read from it; --from-lsn " LSN_FMT " --accept-gap goes on from there",
            name, LSN_ARG(slot.confirmed_flush), LSN_ARG(start), LSN_ARG(slot.confirmed_flush));
    return true;
}

/* ---- START_REPLICATION ---- */

/* The replication grammar knows '' inside a string, but no E'' strings. */
static void
put_string(struct buf *out, struct span text)
{
    buf_putc(out, '\'');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '\'')
            buf_putc(out, '\'');
        buf_putc(out, text.ptr[i]);
    }
    buf_putc(out, '\'');
}

void
pg_source_start_command(const struct source_settings *settings, lsn_t start, struct buf *out)
{
    CLEANUP(buf_free) struct buf name = buf_make(COMMAND_LIMIT);

    ident_put(&name, span_of(settings->publication));
    buf_put(out, SPAN("START_REPLICATION SLOT "));
    ident_put(out, span_of(settings->slot));
    buf_putf(out, " LOGICAL " LSN_FMT " (\"proto_version\" '1', \"publication_names\" ",
             LSN_ARG(start));
    put_string(out, buf_span(&name));
    buf_putc(out, ')');
}

static bool
slot_busy(const struct pg_source *source, struct err *err)
{
    return err_wrap(err, "slot \"%s\" is in use: stop the other reader, or use another --slot",
                    source->settings->slot);
}

/* *ret_busy: the slot belongs to another walsender just now. */
static bool
start_once(struct pg_source *source, struct pg_session *pg, lsn_t start, bool *ret_busy,
           struct err *err)
{
    CLEANUP(buf_free) struct buf command = buf_make(COMMAND_LIMIT);

    pg_source_start_command(source->settings, start, &command);
    if (!buf_ok(&command, err))
        return false;
    *ret_busy = false;
    if (pg_copy_start(pg, command.ptr, err))
        return true;
    *ret_busy = err->code == PG_OBJECT_IN_USE;
    return *ret_busy ? slot_busy(source, err) : err_wrap(err, "starting to stream");
}

/* A timer with a way out. */
static bool
pause_for(int64_t pause_ms, int cancel_fd, struct err *err)
{
    struct pollfd fd = {.fd = cancel_fd, .events = POLLIN};

    if (poll(&fd, 1, (int)pause_ms) > 0)
        return err_set(err, ERR_CANCELED, "waiting for the slot: stopped");
    return true;
}

static bool
start_when_free(struct pg_source *source, struct pg_session *pg, lsn_t start, int64_t deadline_ms,
                int cancel_fd, struct err *err)
{
    int64_t step_ms = BUSY_STEP_MS;
    bool busy;

    for (;;) {
        int64_t left_ms;

        if (start_once(source, pg, start, &busy, err)) {
            source->busy_since_ms = 0;
            return true;
        }
        if (!busy)
            return false;
        left_ms = least(deadline_ms, busy_until_ms(source)) - clock_mono_ms();
        if (left_ms <= 0)
            return still_busy(source, err);
        if (!pause_for(least(step_ms, left_ms), cancel_fd, err))
            return false;
        step_ms = least(step_ms * 2, BUSY_STEP_MAX_MS);
    }
}

static bool
ask_timeout(struct pg_source *source, struct pg_session *pg, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};

    if (!pg_exec(pg, "SELECT setting FROM pg_catalog.pg_settings WHERE name = 'wal_sender_timeout'",
                 &rows, err))
        return false;
    source->wal_sender_timeout_ms = rows.count == 1 ? pg_int(&rows, 0, 0) : 0;
    return true;
}

/* ---- open ---- */

static bool
take_temporary(struct pg_source *source, struct pg_session **ret, struct err *err)
{
    if (!source->temporary)
        return err_set(err, ERR_CONFIG,
                       "the connection that held the temporary slot is lost, and with it all "
                       "changes since: start again, or keep state in [state] backend = \"sqlite\"");
    *ret = source->temporary;
    source->temporary = NULL;
    return true;
}

static bool
get_session(struct pg_source *source, lsn_t start, int64_t deadline_ms, int cancel_fd,
            struct pg_session **ret, struct err *err)
{
    struct pg_session *pg;

    if (source->settings->temporary_slot)
        return take_temporary(source, ret, err);
    if (!connect_replication(source, "stream", deadline_ms, cancel_fd, ret, err))
        return false;
    pg = *ret;
    return check_identity(source, pg, start, err) && check_slot(source, pg, start, err);
}

bool
pg_source_open_stream(struct pg_source *source, lsn_t start, int64_t deadline_ms, int cancel_fd,
                      struct err *err)
{
    CLEANUP(pg_closep) struct pg_session *pg = NULL;

    assert(!source->stream);
    if (!pg_source_lock(source, deadline_ms, cancel_fd, err) ||
        !get_session(source, start, deadline_ms, cancel_fd, &pg, err))
        return false;
    pg_set_timeout(pg, STATEMENT_MS);
    if (!ask_timeout(source, pg, err) ||
        !start_when_free(source, pg, start, deadline_ms, cancel_fd, err))
        return false;
    pg_set_cancel_fd(pg, -1);
    source->stream = pg;
    pg = NULL;
    return true;
}

/* ---- making the slot ---- */

bool
pg_source_create_slot(struct pg_source *source, const struct slot_create_args *args, int cancel_fd,
                      lsn_t *ret_consistent_point, struct err *err)
{
    CLEANUP(pg_closep) struct pg_session *pg = NULL;
    struct slot_create_args own = *args;

    assert(!source->temporary);
    if (!connect_replication(source, "stream", args->deadline_ms, cancel_fd, &pg, err) ||
        !check_identity(source, pg, 0, err))
        return false;
    own.replication = pg;
    own.name = source->settings->slot;
    own.temporary = source->settings->temporary_slot;
    if (!slot_create(&own, ret_consistent_point, err))
        return false;
    if (own.temporary) {
        source->temporary = pg;
        pg = NULL;
    }
    return true;
}
