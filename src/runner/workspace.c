/* workspace: the project's files and the stored state, for every command. */
#include "runner/workspace.h"

#include <assert.h>
#include <unistd.h>

#include "runner/outlets.h"

struct workspace
workspace_make(struct arena *arena)
{
    return (struct workspace){.arena = arena, .report = report_make(arena)};
}

void
workspace_close(struct workspace *ws)
{
    store_closep(&ws->store);
    arena_freep(&ws->attempt);
}

bool
workspace_load(struct workspace *ws, const char *config, struct err *err)
{
    return project_load(config, outlet_names(ws->arena), ws->arena, &ws->report, &ws->project, err);
}

static bool
is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

bool
workspace_open_store(struct workspace *ws, enum state_access access, struct err *err)
{
    assert(!ws->store);
    if (!config_state(&ws->project.config, ws->arena, &ws->state, err))
        return false;
    if (ws->state.backend == CONFIG_STATE_MEMORY)
        return access != STATE_CREATE || state_memory_open(&ws->store, err);
    if (access == STATE_READ && !is_there(ws->state.path))
        return true;
    return state_sqlite_open(ws->state.path, access, &ws->store, err);
}

bool
workspace_judge(struct workspace *ws, struct err *err)
{
    struct store_migration *rows = NULL;
    size_t count = 0;

    if (ws->store && !ws->store->type->migrations_load(ws->store, ws->arena, &rows, &count, err))
        return false;
    applied_judge(&ws->project, rows, count, ws->arena, &ws->report, &ws->applied);
    return true;
}

bool
workspace_sound(const struct workspace *ws, const char *consequence, struct err *err)
{
    size_t count = ws->report.count[SEVERITY_ERROR];

    if (count == 0)
        return true;
    return err_set(err, ERR_CONFIG, "%zu fault%s; %s", count, count == 1 ? "" : "s", consequence);
}
