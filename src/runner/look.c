/* look: what status shows, from the store and from the server. */
#include "runner/look.h"

#include <string.h>

#include "base/clock.h"
#include "pg/session.h"
#include "runner/run.h"
#include "source/lock.h"
#include "source/server.h"
#include "source/settings.h"
#include "source/slot.h"

#define CONNECT_MS (10 * 1000)

/* ---- the store ---- */

static const struct store_checkpoint *
find_checkpoint(const struct store_checkpoint *checkpoints, size_t count, const char *mapping)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(checkpoints[i].mapping, mapping) == 0)
            return &checkpoints[i];
    }
    return NULL;
}

static bool
look_at_mapping(struct workspace *ws, const struct mapping *mapping,
                const struct store_checkpoint *checkpoints, size_t count,
                struct status_mapping *ret, struct err *err)
{
    const struct store_type *type = ws->store->type;
    int64_t bytes, due_ms;

    ret->name = mapping->name;
    ret->version = mapping->version;
    ret->target = mapping->target;
    ret->checkpoint = find_checkpoint(checkpoints, count, mapping->name);
    return type->dead_letters_count(ws->store, mapping->name, &ret->dead_letters, err) &&
           type->journal_size(ws->store, mapping->target, &bytes, &ret->journal_entries, &due_ms,
                              err);
}

static bool
look_at_mappings(struct workspace *ws, struct look *look, struct err *err)
{
    struct store_checkpoint *checkpoints = NULL;
    struct status_mapping *mappings;
    size_t count = 0;

    if (!ws->store->type->checkpoints_load(ws->store, ws->arena, &checkpoints, &count, err))
        return false;
    mappings = arena_new_n(ws->arena, struct status_mapping, ws->applied.active_count);
    for (size_t i = 0; i < ws->applied.active_count; i++) {
        if (!look_at_mapping(ws, &ws->applied.active[i]->mapping, checkpoints, count, &mappings[i],
                             err))
            return false;
    }
    look->status.mappings = mappings;
    look->status.mapping_count = ws->applied.active_count;
    return true;
}

static bool
look_at_store(struct workspace *ws, struct look *look, struct err *err)
{
    struct span beat;

    look->status.persistent = ws->state.backend != CONFIG_STATE_MEMORY;
    look->status.flow = &look->flow;
    if (!ws->store)
        return true;
    if (!ws->store->type->flow_load(ws->store, ws->arena, &look->flow, err) ||
        !ws->store->type->meta_get(ws->store, HEARTBEAT_KEY, ws->arena, &beat, err))
        return false;
    if (beat.len > 0) {
        if (!heartbeat_read(beat, ws->arena, &look->heartbeat, err))
            return false;
        look->status.heartbeat = &look->heartbeat;
    }
    return look_at_mappings(ws, look, err) &&
           ws->store->type->dead_letters_count(ws->store, NULL, &look->status.dead_letters, err);
}

/* ---- the server ---- */

static bool
look_at_slot(struct pg_session *pg, const char *name, struct arena *arena, struct look *look,
             struct err *err)
{
    struct slot_info info;

    if (!slot_inspect(pg, name, arena, &info, err) ||
        !server_insert_lsn(pg, &look->status.server_lsn, err))
        return false;
    look->slot = (struct status_slot){
        .name = name,
        .exists = info.exists,
        .active = info.active,
        .confirmed_flush = info.confirmed_flush,
        .restart = info.restart,
        .wal_status = info.exists && *info.wal_status ? info.wal_status : NULL,
    };
    if (info.exists && info.restart > 0 && look->status.server_lsn > info.restart)
        look->slot.retained_bytes = (int64_t)(look->status.server_lsn - info.restart);
    look->status.slot = &look->slot;
    return true;
}

static bool
look_at_server(struct workspace *ws, const char *slot, struct look *look, struct err *err)
{
    CLEANUP(pg_closep) struct pg_session *pg = NULL;
    struct config_postgres postgres;
    struct source_settings settings;
    struct lock_holder holder;
    struct pg_connect_args args = {
        .purpose = "status", .deadline_ms = clock_mono_ms() + CONNECT_MS, .cancel_fd = -1};

    if (!run_source_settings(ws, slot, &postgres, &settings, err))
        return false;
    args.conninfo = settings.conninfo;
    if (!pg_connect(&args, &pg, err) ||
        !source_lock_holder(pg, settings.slot, ws->arena, &holder, err) ||
        !look_at_slot(pg, settings.slot, ws->arena, look, err))
        return false;
    look->status.liveness = holder.held ? STATUS_RUNNING : STATUS_STOPPED;
    return true;
}

/* ---- both ---- */

/* --slot, else the slot that the last run used, else that of puffgres.toml. */
static const char *
slot_of(const struct look *look, const char *slot)
{
    if (slot)
        return slot;
    return look->flow.slot && *look->flow.slot ? look->flow.slot : NULL;
}

bool
look_around(struct workspace *ws, const char *config, const char *slot, struct look *ret,
            struct err *err)
{
    struct err server_err;

    *ret = (struct look){.status = {.now_ms = clock_wall_ms()}};
    if (!workspace_load(ws, config, err) || !workspace_open_store(ws, STATE_READ, err) ||
        !workspace_judge(ws, err) || !look_at_store(ws, ret, err))
        return false;
    if (!look_at_server(ws, slot_of(ret, slot), ret, &server_err)) {
        ret->status.liveness = STATUS_UNKNOWN;
        ret->status.source_error = arena_strdup(ws->arena, server_err.text);
    }
    return true;
}
