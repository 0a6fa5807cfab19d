#ifndef RUNNER_MIGRATE_H
#define RUNNER_MIGRATE_H

/*
 * `migrate`: record the migrations that are new, after they were judged against the server, their
 * destinations and what was applied before.  All of them or none.
 *
 * An attribute of a target keeps its type for ever: a new version that would change one is refused
 * (C12).  What each target's attributes are is kept beside the migrations.
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "runner/workspace.h"

/* One line per migration into `out`; with dry_run nothing is recorded. */
MUST_CHECK bool migrate_project(struct workspace *ws, const char *config, bool dry_run,
                                struct buf *out, struct err *err);

#endif
