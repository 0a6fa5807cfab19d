/* check: everything that is wrong, in one go. */
#include "runner/check.h"

#include <string.h>

#include "base/clock.h"
#include "project/fault.h"
#include "runner/attributes.h"
#include "runner/begin.h"
#include "runner/outlets.h"
#include "runner/survey.h"

#define CONNECT_MS (30 * 1000)
#define PROBE_MS   (15 * 1000)

/* One check on its way. */
struct check {
    struct workspace *ws;
    const struct run_options *options;
    struct config_postgres postgres;
    struct source_settings settings;
    struct outlets outlets;
};

static void
note_failure(struct workspace *ws, const char *where, const struct err *err)
{
    report_add(&ws->report, SEVERITY_ERROR, where, NULL, "%s", err->text);
}

/* With faults in puffgres.toml the state's settings may be among them, and are told already. */
static void
judge_state(struct workspace *ws, bool sound)
{
    struct err err;

    if ((!workspace_open_store(ws, STATE_READ, &err) || !workspace_judge(ws, &err)) && sound)
        note_failure(ws, "state", &err);
}

/* A role that may not replicate cannot ask about the slot either: one finding is enough. */
static bool
server_has_faults(const struct workspace *ws)
{
    for (const struct finding *f = ws->report.first; f; f = f->next) {
        if (f->severity == SEVERITY_ERROR && strcmp(f->where, "postgres") == 0)
            return true;
    }
    return false;
}

/* What `run` would decide about the slot, if it could begin. */
static void
judge_start(struct check *check, struct begin *begin, const struct begin_args *args)
{
    struct err err;

    begin->args = args;
    if (!begin_decide(begin, &check->ws->report, &err) && !server_has_faults(check->ws))
        note_failure(check->ws, "slot", &err);
}

static void
judge_server(struct check *check, const struct survey_args *args, const struct start_options *start)
{
    struct workspace *ws = check->ws;
    struct begin begin = {.arena = ws->arena};
    const struct begin_args begin_args = {
        .ws = ws,
        .outlets = &check->outlets,
        .settings = &check->settings,
        .migrations = args->migrations,
        .count = args->count,
        .options = *start,
        .cancel_fd = -1,
    };
    struct err err;

    if (!survey_make(args, ws->arena, &ws->report, &begin.survey, &err) ||
        !attributes_compare(ws->store, args, ws->arena, &ws->report, &err))
        note_failure(ws, "postgres", &err);
    else
        judge_start(check, &begin, &begin_args);
    begin_done(&begin);
}

static void
judge_parts(struct check *check, const struct start_options *start)
{
    struct workspace *ws = check->ws;
    struct survey_args args = {
        .settings = &check->settings,
        .migrations = ws->applied.next,
        .count = ws->applied.next_count,
        .outlets = &check->outlets,
        .create_slot = check->options->create_slot,
        .deadline_ms = clock_mono_ms() + CONNECT_MS,
        .cancel_fd = -1,
    };
    struct err err;

    if (!run_source_settings(ws, check->options->slot, &check->postgres, &check->settings, &err)) {
        fault_text(&ws->report, err.text);
        survey_offline(&args, &ws->report);
        return;
    }
    args.all_tables = check->postgres.publish_all_tables;
    judge_server(check, &args, start);
}

/* A puffgres.toml with faults would only have them told again, by whoever reads it. */
static bool
config_is_sound(const struct workspace *ws)
{
    const size_t len = strlen(ws->project.config.file);

    for (const struct finding *f = ws->report.first; f; f = f->next) {
        if (f->severity == SEVERITY_ERROR && strncmp(f->where, ws->project.config.file, len) == 0)
            return false;
    }
    return true;
}

bool
check_project(struct workspace *ws, const char *config, const struct run_options *options,
              struct err *err)
{
    struct check check = {.ws = ws, .options = options};
    struct start_options start;
    bool sound;

    if (!run_start_options(options, &start, err) || !workspace_load(ws, config, err))
        return false;
    sound = config_is_sound(ws);
    judge_state(ws, sound);
    check.outlets = outlets_make(&ws->project.config, ws->arena);
    if (sound)
        judge_parts(&check, &start);
    outlets_probe(&check.outlets, clock_mono_ms() + PROBE_MS, &ws->report);
    outlets_close(&check.outlets);
    return true;
}
