#ifndef RUNNER_WORKSPACE_H
#define RUNNER_WORKSPACE_H

/*
 * What every command begins with: the project's files and, when asked for, the stored state.
 *
 *     CLEANUP(workspace_close) struct workspace ws = workspace_make(arena);
 *
 *     if (!workspace_load(&ws, config, err) || !workspace_open_store(&ws, STATE_READ, err))
 *         return false;
 *
 * Findings gather in ws.report; workspace_sound() turns errors among them into one err.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "contract/store.h"
#include "model/report.h"
#include "project/applied.h"
#include "project/project.h"
#include "state/sqlite.h"

struct workspace {
    struct arena *arena;
    struct report report;
    struct project project;
    struct config_state state;
    struct store *store; /* NULL: not opened, or not there yet */
    struct applied applied;
    struct arena *attempt; /* of the last attempt to begin: the report may live in it */
};

struct workspace workspace_make(struct arena *arena);
void workspace_close(struct workspace *ws);

/* Read all files.  False: one cannot be read at all; faults inside them are findings. */
MUST_CHECK bool workspace_load(struct workspace *ws, const char *config, struct err *err);

/*
 * Open the store.  With STATE_READ a file that does not exist yet is no error: ws->store stays
 * NULL, as it does for a store in memory.
 */
MUST_CHECK bool workspace_open_store(struct workspace *ws, enum state_access access,
                                     struct err *err);

/* Judge the migrations against what the store has recorded. */
MUST_CHECK bool workspace_judge(struct workspace *ws, struct err *err);

/* ERR_CONFIG "3 faults; ..." when the report has errors. */
MUST_CHECK bool workspace_sound(const struct workspace *ws, const char *consequence,
                                struct err *err);

#endif
