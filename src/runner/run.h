#ifndef RUNNER_RUN_H
#define RUNNER_RUN_H

/*
 * `run`: join the parts and keep them running until somebody asks to stop.
 *
 *     project -> store -> migrations -> survey -> begin -> engine
 *
 * What may pass (a server that is not up yet) is tried again for ever, with a growing pause; what
 * somebody has to mend ends the run with its text.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/lsn.h"
#include "runner/workspace.h"

struct run_options {
    const char *slot; /* NULL: that of puffgres.toml */
    bool create_slot;
    const char *from_lsn; /* NULL: not given */
    bool accept_gap;
    bool new_epoch;
    bool strict;
    const char *metrics_listen; /* NULL: no metrics */
};

/*
 * Findings gather in ws->report.  True after an orderly stop.  *ret_clean, set in either case:
 * false when a thread is still at work, which may touch everything: the process can only leave.
 */
MUST_CHECK bool run_flow(struct workspace *ws, const char *config,
                         const struct run_options *options, int stop_fd, bool *ret_clean,
                         struct err *err);

/* The settings of the source, with `slot` (or NULL) over that of puffgres.toml. */
struct source_settings;
struct config_postgres;
MUST_CHECK bool run_source_settings(struct workspace *ws, const char *slot,
                                    struct config_postgres *ret_postgres,
                                    struct source_settings *ret, struct err *err);

/* The options of a start, with --from-lsn read. */
struct start_options;
MUST_CHECK bool run_start_options(const struct run_options *options, struct start_options *ret,
                                  struct err *err);

#endif
