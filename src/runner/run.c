/* run: join the parts and keep them running until somebody asks to stop. */
#include "runner/run.h"

#include <assert.h>
#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "base/retry.h"
#include "engine/engine.h"
#include "pg/conninfo.h"
#include "runner/attributes.h"
#include "runner/begin.h"
#include "runner/outlets.h"
#include "runner/scrape.h"
#include "runner/survey.h"
#include "runner/watch.h"
#include "source/reader_pg.h"

#define STOP_BOUND_MS 8000
#define CONNECT_MS    (30 * 1000)
#define JOURNAL_MAX   (256 * 1024 * INT64_C(1024)) /* per target; over it the lane waits */
#define ORDERS_MAX    64
#define FILES_CONCERN "nothing was started"

static const struct retry_policy again = {.base_ms = 500, .cap_ms = 30 * 1000, .jitter = 0.25};

/* One run, from the files to the end of the engine. */
struct run {
    struct workspace *ws;
    const struct run_options *options;
    struct config_postgres postgres;
    struct source_settings settings;
    struct start_options start;
    struct outlets outlets;
    struct counters counters;
    struct scrape *scrape; /* NULL: not asked for */
    int stop_fd;
};

static bool
pause_for(struct run *run, int64_t delay_ms, struct err *err)
{
    struct pollfd fd = {.fd = run->stop_fd, .events = POLLIN};

    if (poll(&fd, 1, (int)delay_ms) > 0)
        return err_set(err, ERR_CANCELED, "asked to stop");
    return true;
}

/* ---- settings ---- */

bool
run_source_settings(struct workspace *ws, const char *slot, struct config_postgres *ret_postgres,
                    struct source_settings *ret, struct err *err)
{
    struct source_settings settings = {0};

    if (!config_postgres(&ws->project.config, ws->arena, ret_postgres, err))
        return false;
    log_secret(pg_conninfo_secret(ret_postgres->connection_string, ws->arena));
    settings.conninfo = ret_postgres->connection_string;
    if (!config_slot_name(slot ? slot : ret_postgres->slot, ws->arena, &settings.slot, err))
        return false;
    settings.publication = ret_postgres->publication
                               ? ret_postgres->publication
                               : source_publication_default(settings.slot, ws->arena);
    settings.temporary_slot = ws->state.backend == CONFIG_STATE_MEMORY;
    *ret = settings;
    return source_settings_check(ret, err);
}

bool
run_start_options(const struct run_options *options, struct start_options *ret, struct err *err)
{
    *ret = (struct start_options){
        .has_from_lsn = options->from_lsn != NULL,
        .accept_gap = options->accept_gap,
        .new_epoch = options->new_epoch,
        .create_slot = options->create_slot,
    };
    if (options->from_lsn && !lsn_parse(span_of(options->from_lsn), &ret->from_lsn))
        return err_set(err, ERR_CONFIG,
                       "--from-lsn \"%s\" is no LSN; write it as Postgres does, such as 0/16B3748",
                       options->from_lsn);
    return true;
}

/* ---- migrations ---- */

/* With a store in memory nothing was ever applied: everything is, now. */
static bool
apply_in_memory(struct workspace *ws, struct err *err)
{
    if (ws->store->type->persistent)
        return true;
    for (size_t i = 0; i < ws->applied.pending_count; i++) {
        const struct store_migration row = applied_row(ws->applied.pending[i], clock_wall_ms());

        if (!ws->store->type->migration_add(ws->store, &row, err))
            return false;
    }
    ws->applied.active = ws->applied.next;
    ws->applied.active_count = ws->applied.next_count;
    ws->applied.pending_count = 0;
    return true;
}

static void
tell_pending(const struct workspace *ws)
{
    for (size_t i = 0; i < ws->applied.pending_count; i++) {
        const struct mapping *mapping = &ws->applied.pending[i]->mapping;

        log_warn(log_msg("not applied: run puffgres migrate"), log_str("mapping", mapping->name),
                 log_int("version", mapping->version), log_str("file", mapping->file));
    }
}

static void
log_findings(const struct report *report)
{
    for (const struct finding *f = report->first; f; f = f->next) {
        if (f->severity == SEVERITY_WARNING) /* notes are for check */
            log_warn(log_msg(f->text), log_str("where", f->where),
                     log_str("remedy", f->remedy ? f->remedy : ""));
    }
}

/* A full disk and a file that another command has locked pass. */
static bool
open_store(struct run *run, struct err *err)
{
    for (unsigned tries = 0; !workspace_open_store(run->ws, STATE_CREATE, err); tries++) {
        int64_t delay_ms = retry_delay_ms(&again, tries, 0, 0);

        if (!err_policy(err->kind)->retry)
            return false;
        log_warn(log_msg("cannot start yet, trying again"), log_int("in_ms", delay_ms),
                 log_err(err));
        if (!pause_for(run, delay_ms, err))
            return false;
    }
    return true;
}

static bool
load(struct run *run, const char *config, struct err *err)
{
    struct workspace *ws = run->ws;

    if (!run_start_options(run->options, &run->start, err) || !workspace_load(ws, config, err) ||
        !workspace_sound(ws, FILES_CONCERN, err) || !open_store(run, err) ||
        !workspace_judge(ws, err) || !workspace_sound(ws, FILES_CONCERN, err) ||
        !apply_in_memory(ws, err))
        return false;
    tell_pending(ws);
    if (ws->applied.lost_count > 0)
        return err_set(
            err, ERR_CONFIG,
            "version %" PRId64 " of mapping %s is applied, but its file (%s) is gone; put "
            "it back, or run puffgres migrate to go on with the newer one",
            ws->applied.lost[0]->version, ws->applied.lost[0]->mapping, ws->applied.lost[0]->file);
    if (ws->applied.active_count == 0)
        return err_set(err, ERR_CONFIG, "no migration has been applied; run puffgres migrate");
    return run_source_settings(ws, run->options->slot, &run->postgres, &run->settings, err);
}

/* ---- one attempt to begin ---- */

static bool
make_survey(struct run *run, struct begin *begin, struct report *report, struct err *err)
{
    const struct workspace *ws = run->ws;
    const struct survey_args args = {
        .settings = &run->settings,
        .migrations = ws->applied.active,
        .count = ws->applied.active_count,
        .outlets = &run->outlets,
        .create_slot = run->options->create_slot,
        .all_tables = run->postgres.publish_all_tables,
        .deadline_ms = clock_mono_ms() + CONNECT_MS,
        .cancel_fd = run->stop_fd,
    };

    return survey_make(&args, begin->arena, report, &begin->survey, err) &&
           attributes_compare(ws->store, &args, begin->arena, report, err);
}

static bool
begin_once(struct run *run, struct begin_args *args, struct begin *begin, struct err *err)
{
    run->ws->report = report_make(begin->arena);
    if (!make_survey(run, begin, &run->ws->report, err) ||
        !workspace_sound(run->ws, FILES_CONCERN, err))
        return false;
    log_findings(&run->ws->report);
    begin->args = args;
    return begin_run(begin, err);
}

/*
 * Again and again while it fails in a way that may pass.  Every attempt has its own arena, so that
 * a server that is down for a day costs no memory; the last one's stays, with its findings.
 */
static bool
begin_until_it_works(struct run *run, struct begin_args *args, struct begin *begin, struct err *err)
{
    struct workspace *ws = run->ws;
    struct random random;

    random_seed(&random, random_seed_from_os());
    for (unsigned tries = 0;; tries++) {
        int64_t delay_ms;

        ws->attempt = arena_new("flow");
        *begin = (struct begin){.arena = ws->attempt};
        if (begin_once(run, args, begin, err))
            return true;
        begin_done(begin);
        if (!err_policy(err->kind)->retry)
            return false;
        ws->report = report_make(ws->arena);
        arena_freep(&ws->attempt);
        delay_ms = retry_delay_ms(&again, tries, random_unit(&random), 0);
        log_warn(log_msg("cannot start yet, trying again"), log_int("in_ms", delay_ms),
                 log_err(err));
        counters_retrying(&run->counters, err->text);
        if (!pause_for(run, delay_ms, err))
            return false;
    }
}

/* ---- the engine ---- */

static struct reader *
new_reader(void *settings)
{
    return reader_pg_new(settings);
}

/* 2.6: said at every start, per mapping, until a backfill has been there. */
static void
tell_mappings(const struct begin *begin)
{
    for (size_t i = 0; i < begin->args->count; i++) {
        const struct store_checkpoint *checkpoint = &begin->mappings[i].checkpoint;
        const struct mapping *mapping = begin->mappings[i].mapping;

        log_info(log_msg("mapping"), log_str("name", mapping->name),
                 log_int("version", mapping->version), log_str("schema", mapping->schema),
                 log_str("table", mapping->table), log_str("target", mapping->target),
                 log_lsn("from", checkpoint->lsn));
        if (checkpoint->flags & STORE_REREAD_NEEDED)
            log_warn(log_msg("re-read needed"), log_str("mapping", mapping->name),
                     log_str("why", checkpoint->text));
        else if (!(checkpoint->flags & STORE_BACKFILLED))
            log_warn(log_msg("rows older than the slot are not synced"),
                     log_str("mapping", mapping->name));
    }
}

static void
drop_orders(struct queue *orders)
{
    for (void *order = queue_try_pop(orders); order; order = queue_try_pop(orders))
        free(order);
    queue_free(orders);
}

static bool
stream(struct run *run, struct begin *begin, bool *ret_clean, struct err *err)
{
    struct queue *orders = queue_new(ORDERS_MAX);
    struct watch *watch = arena_new_of(begin->arena, struct watch);
    struct engine_args args = {
        .source = pg_source_base(begin->source),
        .store = run->ws->store,
        .mappings = begin->mappings,
        .mapping_count = begin->args->count,
        .start = begin->start,
        .epoch = begin->plan.epoch,
        .unclean = begin->unclean,
        .strict = run->options->strict,
        .budget_bytes = (size_t)run->ws->project.batching.memory_budget,
        .journal_max_bytes = JOURNAL_MAX,
        .stop_bound_ms = STOP_BOUND_MS,
        .backoff = ENGINE_BACKOFF,
        .stop_fd = run->stop_fd,
        .counters = &run->counters,
        .orders = orders,
        .reader_new = new_reader,
        .reader_arg = &run->settings,
        .tick = watch_tick,
        .tick_arg = watch,
    };
    bool done;

    watch_init(watch, &(struct watch_args){
                          .store = run->ws->store,
                          .source = begin->source,
                          .timeline = begin->flow.timeline,
                          .counters = &run->counters,
                          .settings = &run->settings,
                          .mappings = begin->mappings,
                          .mapping_count = begin->args->count,
                          .tables = begin->survey.tables,
                          .table_count = begin->survey.table_count,
                          .partitions = begin->partitions,
                          .stop_on_partition_change =
                              run->postgres.on_partition_change == CONFIG_PARTITION_STOP,
                          .orders = orders,
                          .cancel_fd = run->stop_fd,
                      });
    done = engine_run(&args, ret_clean, err);
    if (!*ret_clean)
        return done;   /* a thread may still be at work on all of this */
    watch_tick(watch); /* the last figures */
    watch_done(watch);
    drop_orders(orders);
    return done;
}

/* What the run learned that the next one has to know. */
static void
record_end(struct run *run, struct begin *begin, bool clean)
{
    struct store *store = run->ws->store;
    struct store_flow flow;
    struct err err;

    if (!store->type->flow_load(store, begin->arena, &flow, &err)) {
        log_warn(log_msg("cannot record the end of this run, ignoring it"), log_err(&err));
        return;
    }
    flow.clean_end = clean;
    if (pg_source_timeline(begin->source) > 0)
        flow.timeline = pg_source_timeline(begin->source);
    if (!store->type->flow_save(store, &flow, &err))
        log_warn(log_msg("cannot record the end of this run, ignoring it"), log_err(&err));
}

/* From the files to a flow that has begun. */
static bool
start(struct run *run, const char *config, struct begin_args *args, struct begin *begin,
      struct err *err)
{
    if (!load(run, config, err))
        return false;
    run->outlets = outlets_make(&run->ws->project.config, run->ws->arena);
    if (run->options->metrics_listen &&
        !scrape_open(run->options->metrics_listen, &run->counters, run->ws->store,
                     run->ws->project.batching.memory_budget, &run->scrape, err))
        return false;
    *args = (struct begin_args){
        .ws = run->ws,
        .outlets = &run->outlets,
        .settings = &run->settings,
        .migrations = run->ws->applied.active,
        .count = run->ws->applied.active_count,
        .options = run->start,
        .cancel_fd = run->stop_fd,
    };
    if (!begin_until_it_works(run, args, begin, err))
        return false;
    counters_retrying(&run->counters, "");
    pg_closep(&begin->survey.pg);
    tell_mappings(begin);
    if (run->scrape)
        scrape_mappings(run->scrape, begin->mappings, begin->args->count);
    return true;
}

static void
finish(struct run *run, struct begin *begin)
{
    begin_done(begin);
    scrape_close(run->scrape);
    outlets_close(&run->outlets);
    counters_done(&run->counters);
}

bool
run_flow(struct workspace *ws, const char *config, const struct run_options *options, int stop_fd,
         bool *ret_clean, struct err *err)
{
    struct run *run = arena_new_of(ws->arena, struct run);
    struct begin *begin = arena_new_of(ws->arena, struct begin);
    struct begin_args args = {0};
    bool done;

    *run = (struct run){.ws = ws, .options = options, .stop_fd = stop_fd};
    counters_init(&run->counters);
    *ret_clean = true;
    done = start(run, config, &args, begin, err);
    if (done) {
        done = stream(run, begin, ret_clean, err);
        record_end(run, begin, *ret_clean);
        log_info(log_msg("stopped"), log_lsn("checkpoint", atomic_load(&run->counters.checkpoint)));
    }
    if (*ret_clean)
        finish(run, begin);
    return done;
}
