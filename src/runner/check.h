#ifndef RUNNER_CHECK_H
#define RUNNER_CHECK_H

/*
 * `check`: everything that is wrong, in one go, before anything runs: files, state, server, slot,
 * tables, destinations.  Changes nothing.
 */

#include <stdbool.h>

#include "base/err.h"
#include "runner/run.h"
#include "runner/workspace.h"

/* Findings gather in ws->report.  False only when nothing could be judged at all. */
MUST_CHECK bool check_project(struct workspace *ws, const char *config,
                              const struct run_options *options, struct err *err);

#endif
