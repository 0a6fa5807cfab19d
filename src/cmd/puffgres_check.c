/* puffgres_check: puffgres check and puffgres migrate. */
#include "cmd/puffgres.h"
#include "runner/check.h"
#include "runner/migrate.h"
#include "runner/workspace.h"

#define TEXT_LIMIT MEGABYTES(4)

const struct opt puffgres_check_options[] = {
    {OPT_STRING(struct run_options, slot),
     .help = "Replication slot (default: that of puffgres.toml)"},
    {OPT_BOOL(struct run_options, create_slot), .fallback = "true",
     .help = "run may make a slot that is missing"},
    {0},
};

const struct opt puffgres_migrate_options[] = {
    {OPT_BOOL(struct puffgres_migrate_settings, dry_run), .fallback = "false",
     .help = "Say what would be applied, and apply nothing"},
    {0},
};

int
puffgres_check(const struct invocation *invocation)
{
    CLEANUP(workspace_close) struct workspace ws = workspace_make(invocation->arena);
    CLEANUP(buf_free) struct buf out = buf_make(TEXT_LIMIT);
    const char *config = invocation->global.config;
    struct err err;
    int printed;

    if (!check_project(&ws, config, invocation->settings, &err))
        return puffgres_fail(&ws.report, &err);
    report_print(&ws.report, &out);
    if (ws.report.count[SEVERITY_ERROR] == 0)
        buf_putf(&out, "everything is in order: %zu mapping%s\n", ws.applied.next_count,
                 ws.applied.next_count == 1 ? "" : "s");
    printed = puffgres_print(&out);
    if (printed != 0 || workspace_sound(&ws, "run would refuse to start", &err))
        return printed;
    return puffgres_fail(NULL, &err);
}

static void
put_warnings(const struct report *report, struct buf *out)
{
    for (const struct finding *f = report->first; f; f = f->next) {
        if (f->severity != SEVERITY_NOTE)
            buf_putf(out, "warning: %s: %s\n", f->where, f->text);
    }
}

int
puffgres_migrate(const struct invocation *invocation)
{
    CLEANUP(workspace_close) struct workspace ws = workspace_make(invocation->arena);
    CLEANUP(buf_free) struct buf out = buf_make(TEXT_LIMIT);
    const struct puffgres_migrate_settings *settings = invocation->settings;
    struct err err;

    if (!migrate_project(&ws, invocation->global.config, settings->dry_run, &out, &err))
        return puffgres_fail(&ws.report, &err);
    put_warnings(&ws.report, &out); /* notes are for check */
    return puffgres_print(&out);
}
