/* migrate: record the migrations that are new. */
#include "runner/migrate.h"

#include <assert.h>

#include "base/clock.h"
#include "runner/attributes.h"
#include "runner/outlets.h"
#include "runner/run.h"
#include "runner/survey.h"
#include "source/settings.h"

#define CONNECT_MS  (30 * 1000)
#define CONSEQUENCE "nothing was applied"

/* One migrate on its way. */
struct migrate {
    struct workspace *ws;
    struct outlets outlets;
    struct survey survey;
    struct span *attributes; /* per migration that will be active */
    bool dry_run;
};

static bool
survey_server(struct migrate *migrate, struct err *err)
{
    struct workspace *ws = migrate->ws;
    struct config_postgres postgres;
    struct source_settings settings;
    struct survey_args args = {
        .settings = &settings,
        .migrations = ws->applied.next,
        .count = ws->applied.next_count,
        .outlets = &migrate->outlets,
        .create_slot = true,
        .deadline_ms = clock_mono_ms() + CONNECT_MS,
        .cancel_fd = -1,
    };

    if (!run_source_settings(ws, NULL, &postgres, &settings, err))
        return false;
    args.all_tables = postgres.publish_all_tables;
    return survey_make(&args, ws->arena, &ws->report, &migrate->survey, err) &&
           workspace_sound(ws, CONSEQUENCE, err);
}

static bool
judge_attributes(struct migrate *migrate, struct err *err)
{
    struct workspace *ws = migrate->ws;

    migrate->attributes = arena_new_n(ws->arena, struct span, ws->applied.next_count);
    for (size_t i = 0; i < ws->applied.next_count; i++) {
        const struct mapping *mapping = &ws->applied.next[i]->mapping;
        struct destination *destination;

        if (!outlets_get(&migrate->outlets, mapping->destination, &destination, err) ||
            !attributes_judge(ws->store, destination, mapping, ws->arena, &ws->report,
                              &migrate->attributes[i], err))
            return err_wrap(err, "mapping %s", mapping->name);
    }
    return workspace_sound(ws, CONSEQUENCE, err);
}

/* ---- recording ---- */

static void
put_line(const struct migrate *migrate, const struct mapping *mapping, struct buf *out)
{
    buf_putf(out, "%s %s version %lld: %s.%s -> %s %s\n",
             migrate->dry_run ? "would apply" : "applied", mapping->name,
             (long long)mapping->version, mapping->schema, mapping->table, mapping->destination,
             mapping->target);
}

/* Types first: a crash between the two leaves a type that is recorded once more later. */
static bool
record(struct migrate *migrate, struct buf *out, struct err *err)
{
    struct workspace *ws = migrate->ws;

    for (size_t i = 0; i < ws->applied.next_count && !migrate->dry_run; i++) {
        if (!attributes_record(ws->store, &ws->applied.next[i]->mapping, migrate->attributes[i],
                               ws->arena, err))
            return false;
    }
    for (size_t i = 0; i < ws->applied.pending_count; i++) {
        const struct store_migration row = applied_row(ws->applied.pending[i], clock_wall_ms());

        if (!migrate->dry_run && !ws->store->type->migration_add(ws->store, &row, err))
            return err_wrap(err, "recording %s version %lld", row.mapping, (long long)row.version);
        put_line(migrate, &ws->applied.pending[i]->mapping, out);
    }
    return true;
}

static bool
migrate_pending(struct migrate *migrate, struct buf *out, struct err *err)
{
    if (migrate->ws->applied.pending_count == 0) {
        buf_putf(out, "nothing to apply: %zu mapping%s up to date\n",
                 migrate->ws->applied.active_count,
                 migrate->ws->applied.active_count == 1 ? " is" : "s are");
        return true;
    }
    return survey_server(migrate, err) && judge_attributes(migrate, err) &&
           record(migrate, out, err);
}

static bool
open_state(struct workspace *ws, bool dry_run, struct err *err)
{
    if (!workspace_open_store(ws, dry_run ? STATE_READ : STATE_CREATE, err))
        return false;
    if (ws->state.backend == CONFIG_STATE_MEMORY)
        return err_set(err, ERR_CONFIG,
                       "the state is in memory ([state] backend = \"memory\"): run applies the "
                       "migrations itself; check judges them");
    return true;
}

bool
migrate_project(struct workspace *ws, const char *config, bool dry_run, struct buf *out,
                struct err *err)
{
    struct migrate migrate = {.ws = ws, .dry_run = dry_run};
    bool done;

    if (!workspace_load(ws, config, err) || !workspace_sound(ws, CONSEQUENCE, err) ||
        !open_state(ws, dry_run, err) || !workspace_judge(ws, err) ||
        !workspace_sound(ws, CONSEQUENCE, err))
        return false;
    migrate.outlets = outlets_make(&ws->project.config, ws->arena);
    done = migrate_pending(&migrate, out, err);
    survey_done(&migrate.survey);
    outlets_close(&migrate.outlets);
    return done;
}
