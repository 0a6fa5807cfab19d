#ifndef RUNNER_LOOK_H
#define RUNNER_LOOK_H

/*
 * What `status` shows: the stored state, and what the server says about the slot and about who is
 * running.  Either may be missing; both are read only.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "runner/workspace.h"
#include "state/heartbeat.h"
#include "state/status.h"

struct look {
    struct status status;
    struct store_flow flow;
    struct heartbeat heartbeat;
    struct status_slot slot;
};

/* The result points into `ret` and the workspace's arena. */
MUST_CHECK bool look_around(struct workspace *ws, const char *config, const char *slot,
                            struct look *ret, struct err *err);

#endif
