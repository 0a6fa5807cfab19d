/* puffgres_run: puffgres run. */
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "cmd/puffgres.h"
#include "flow/start.h"
#include "runner/signals.h"
#include "runner/workspace.h"

/* clang-format off */
const struct opt puffgres_run_options[] = {
    {OPT_STRING(struct run_options, slot),           .help = "Replication slot (default: that of puffgres.toml, which is puffgres unless set)"},
    {OPT_BOOL(struct run_options, create_slot),      .fallback = "true", .help = "Make the slot when it is missing; --no-create-slot refuses"},
    {OPT_STRING(struct run_options, from_lsn),       .help = "Begin here, which adopts a slot that is not ours; not below its confirmed_flush_lsn"},
    {OPT_BOOL(struct run_options, accept_gap),       .fallback = "false", .help = "Begin above the checkpoint: changes between them are never read"},
    {OPT_BOOL(struct run_options, new_epoch),        .fallback = "false", .help = "The source is another cluster than before: its versions win over all older ones"},
    {OPT_BOOL(struct run_options, strict),           .fallback = "false", .help = "Stop at the first row that cannot be delivered instead of keeping it as a dead letter"},
    {OPT_STRING(struct run_options, metrics_listen), .help = "[HOST:]PORT for Prometheus at /metrics; loopback unless a host is given"},
    {0},
};
/* clang-format on */

/* With logs in JSON everything that is said is a log line, faults too. */
static void
log_faults(const struct report *report)
{
    for (const struct finding *f = report->first; f; f = f->next) {
        if (f->severity != SEVERITY_ERROR)
            continue;
        log_error(log_msg(f->text), log_str("where", f->where),
                  log_str("remedy", f->remedy ? f->remedy : ""));
    }
}

static int
fail(const struct invocation *invocation, const struct workspace *ws, const struct err *err)
{
    if (err->kind == ERR_CANCELED) /* asked to stop before there was anything to stop */
        return 0;
    if (invocation->global.log_format == LOG_FORMAT_LOGFMT)
        return puffgres_fail(&ws->report, err);
    log_faults(&ws->report);
    log_error(log_msg("stopped"), log_err(err));
    return err_policy(err->kind)->exit_status;
}

int
puffgres_run(const struct invocation *invocation)
{
    struct workspace ws = workspace_make(invocation->arena);
    struct start_options ignored;
    int stop_fd, status = 0;
    bool clean = true;
    struct err err;

    if (!run_start_options(invocation->settings, &ignored, &err)) {
        puffgres_fail(NULL, &err);
        return PUFFGRES_EXIT_USAGE;
    }
    if (!signals_catch(&stop_fd, &err) ||
        !run_flow(&ws, invocation->global.config, invocation->settings, stop_fd, &clean, &err))
        status = fail(invocation, &ws, &err);
    if (!clean) { /* a thread is still at work: what it uses must stay */
        fflush(NULL);
        _exit(status);
    }
    workspace_close(&ws);
    return status;
}
