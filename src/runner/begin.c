/* begin: from what the server and the store say to a source that can be streamed. */
#include "runner/begin.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "project/migration.h"
#include "runner/marks.h"
#include "source/lock.h"
#include "source/partitions.h"
#include "source/record.h"
#include "source/server.h"

#define LOOK_MS      (30 * 1000)
#define LOCK_MS      (100 * 1000) /* more than SOURCE_BUSY_WAIT_MS, whose message is the better one */
#define SLOT_MS      (5 * 60 * 1000) /* a slot waits for every transaction that writes now */
#define RECORD_LIMIT MEGABYTES(8)

void
begin_done(struct begin *begin)
{
    pg_source_freep(&begin->source);
    survey_done(&begin->survey);
}

static struct store *
store_of(const struct begin *begin)
{
    return begin->args->ws->store;
}

/* ---- facts ---- */

static enum start_publication
publication_fact(const struct publication_info *info, oid_t recorded)
{
    if (!info->exists)
        return START_PUBLICATION_ABSENT;
    if (recorded == 0)
        return START_PUBLICATION_UNKNOWN;
    return info->oid == recorded ? START_PUBLICATION_SAME : START_PUBLICATION_REMADE;
}

static bool
look_at_publication(struct begin *begin, enum start_publication *ret, struct err *err)
{
    oid_t recorded = 0;
    struct span text = {0};

    if (store_of(begin) && (!store_of(begin)->type->meta_get(store_of(begin), MARKS_TABLES,
                                                             begin->arena, &text, err) ||
                            !record_publication(text, begin->arena, &recorded, err)))
        return false;
    if (!publication_inspect(begin->survey.pg, begin->args->settings->publication, begin->arena,
                             &begin->found, err))
        return false;
    *ret = publication_fact(&begin->found, recorded);
    return true;
}

static struct start_record
record_facts(const struct begin *begin)
{
    const struct store_flow *flow = &begin->flow;
    const struct store *store = store_of(begin);

    return (struct start_record){
        .persistent = !store || store->type->persistent,
        .has_started = flow->has_started,
        .system_id = flow->system_id ? flow->system_id : "",
        .timeline = flow->timeline,
        .database = flow->database ? flow->database : "",
        .slot = flow->slot ? flow->slot : "",
        .epoch = flow->epoch,
        .slot_intent =
            flow->slot_intent && flow->slot && strcmp(flow->slot, begin->args->settings->slot) == 0,
        .checkpoint = flow->checkpoint,
    };
}

static bool
server_facts(struct begin *begin, struct start_server *ret, struct err *err)
{
    const struct source_settings *settings = begin->args->settings;
    struct server_history history;
    struct slot_info slot;

    if (!pg_source_identify(begin->source, begin->flow.timeline, clock_mono_ms() + LOOK_MS,
                            begin->args->cancel_fd, begin->arena, &history, err) ||
        !slot_inspect(begin->survey.pg, settings->slot, begin->arena, &slot, err) ||
        !look_at_publication(begin, &ret->publication, err))
        return false;
    ret->system_id = history.now.system_id;
    ret->timeline = history.now.timeline;
    ret->switch_found = history.switch_found;
    ret->switch_lsn = history.switch_lsn;
    ret->wal_end = history.now.wal_end;
    ret->database = history.now.database;
    ret->slot_exists = slot.exists;
    ret->slot_physical = slot.physical;
    ret->slot_temporary = slot.temporary;
    ret->slot_two_phase = slot.two_phase;
    ret->slot_plugin = slot.plugin;
    ret->slot_database = slot.database;
    ret->slot_wal_status = slot.wal_status;
    ret->slot_invalid = slot.invalid;
    ret->slot_confirmed_flush = slot.confirmed_flush;
    return true;
}

static bool
decide(struct begin *begin, struct start_facts *facts, struct err *err)
{
    *facts = (struct start_facts){
        .slot = begin->args->settings->slot,
        .publication = begin->args->settings->publication,
        .options = begin->args->options,
    };
    if (store_of(begin) &&
        !store_of(begin)->type->flow_load(store_of(begin), begin->arena, &begin->flow, err))
        return false;
    facts->record = record_facts(begin);
    if (!server_facts(begin, &facts->server, err))
        return false;
    begin->plan = start_decide(facts, begin->arena);
    begin->start = begin->plan.lsn;
    return true;
}

bool
begin_decide(struct begin *begin, struct report *report, struct err *err)
{
    struct start_facts facts;

    if (!begin->source)
        begin->source = pg_source_new(begin->args->settings, begin->arena);
    if (!decide(begin, &facts, err))
        return false;
    if (begin->plan.action == START_REFUSE)
        report_add(report, SEVERITY_ERROR, "slot", begin->plan.remedy, "%s", begin->plan.text);
    return true;
}

/* ---- making ---- */

static bool
ensure_publication(struct begin *begin, struct err *err)
{
    struct report report = report_make(begin->arena);
    struct publication_info info;
    struct publication_plan plan;

    if (!publication_inspect(begin->survey.pg, begin->survey.spec.name, begin->arena, &info, err))
        return false;
    publication_plan(&info, &begin->survey.spec, pg_server_version(begin->survey.pg), begin->arena,
                     &plan, &report);
    if (report.count[SEVERITY_ERROR] > 0)
        return err_set(err, ERR_CONFIG, "%s: %s", report.first->where, report.first->text);
    for (size_t i = 0; i < plan.statement_count; i++)
        log_info(log_msg("publication"), log_str("sql", plan.statements[i]));
    return plan.statement_count == 0 ||
           publication_ensure(begin->survey.pg, &plan, begin->arena, err);
}

/* The flow as it is now, with everything that only this start knows. */
static void
describe_flow(struct begin *begin, const struct start_facts *facts)
{
    struct store_flow *flow = &begin->flow;

    if (begin->plan.new_identity || !flow->has_started) {
        flow->system_id = facts->server.system_id;
        flow->timeline = facts->server.timeline;
        flow->database = facts->server.database;
    }
    flow->slot = begin->args->settings->slot;
    flow->publication = begin->args->settings->publication;
    flow->epoch = begin->plan.epoch;
}

static bool
save_flow(struct begin *begin, struct err *err)
{
    return store_of(begin)->type->flow_save(store_of(begin), &begin->flow, err);
}

static void
tell_waiting(void *ctx, const char *text)
{
    log_info(log_msg("waiting for the slot"), log_str("slot", ctx), log_str("for", text));
}

static bool
make_slot(struct begin *begin, struct err *err)
{
    const struct source_settings *settings = begin->args->settings;
    char *slot = arena_strdup(begin->arena, settings->slot);
    struct slot_create_args args = {
        .watch = begin->survey.pg,
        .name = settings->slot,
        .temporary = begin->plan.temporary,
        .deadline_ms = clock_mono_ms() + SLOT_MS,
        .waiting = tell_waiting,
        .ctx = slot,
    };

    if (!pg_source_create_slot(begin->source, &args, begin->args->cancel_fd, &begin->start, err))
        return false;
    log_info(log_msg("slot created"), log_str("slot", slot), log_lsn("at", begin->start));
    return true;
}

/* Nobody may alter a mapped table between the slot's snapshot and its first rows. */
static bool
make_slot_over_held_tables(struct begin *begin, struct err *err)
{
    CLEANUP(pg_closep) struct pg_session *holder = NULL;
    const struct pg_connect_args args = {
        .conninfo = begin->args->settings->conninfo,
        .purpose = "holder",
        .deadline_ms = clock_mono_ms() + LOOK_MS,
        .cancel_fd = begin->args->cancel_fd,
    };

    return pg_connect(&args, &holder, err) &&
           tables_hold(holder, begin->survey.tables, begin->survey.table_count, err) &&
           make_slot(begin, err) && tables_release(holder, err);
}

static bool
create(struct begin *begin, struct err *err)
{
    if (begin->plan.action == START_DROP_AND_CREATE &&
        !slot_drop(begin->survey.pg, begin->args->settings->slot, err))
        return false;
    begin->flow.slot_intent = true;
    if (!save_flow(begin, err))
        return false;
    fault_point("start.intended");
    if (!ensure_publication(begin, err))
        return false;
    fault_point("start.published");
    if (!make_slot_over_held_tables(begin, err))
        return false;
    fault_point("start.slot_made");
    return true;
}

/* ---- what is different from the last time ---- */

/* Is there a last time to compare with? */
static bool
is_resumed(const struct begin *begin)
{
    return begin->plan.action == START_STREAM;
}

static bool
write_record(struct begin *begin, const struct publication_info *publication, struct span *ret,
             struct err *err)
{
    CLEANUP(buf_free) struct buf text = buf_make(RECORD_LIMIT);

    record_write(publication, begin->survey.tables, begin->survey.table_count, &text);
    if (!buf_ok(&text, err))
        return false;
    *ret = arena_span(begin->arena, buf_span(&text));
    return true;
}

/* Twice: what was found, which the start may have mended since, and what there is now. */
static bool
compare_tables(struct begin *begin, struct marks *marks, struct err *err)
{
    struct publication_info info;
    struct span before, found;

    if (!publication_inspect(begin->survey.pg, begin->survey.spec.name, begin->arena, &info, err) ||
        !write_record(begin, &info, &begin->tables, err) ||
        !write_record(begin, &begin->found, &found, err) ||
        !store_of(begin)->type->meta_get(store_of(begin), MARKS_TABLES, begin->arena, &before, err))
        return false;
    return !is_resumed(begin) || (marks_tables(marks, before, found, err) &&
                                  marks_tables(marks, before, begin->tables, err));
}

static bool
compare_partitions(struct begin *begin, struct marks *marks, struct err *err)
{
    struct span before;

    if (!partitions_fingerprint(begin->survey.pg, begin->survey.tables, begin->survey.table_count,
                                begin->arena, &begin->partitions, err) ||
        !store_of(begin)->type->meta_get(store_of(begin), MARKS_PARTITIONS, begin->arena, &before,
                                         err))
        return false;
    if (is_resumed(begin))
        marks_partitions(marks, before, begin->partitions);
    return true;
}

static bool
compare_versions(struct begin *begin, struct marks *marks, struct err *err)
{
    struct span before;

    return store_of(begin)->type->meta_get(store_of(begin), MARKS_VERSIONS, begin->arena, &before,
                                           err) &&
           (!is_resumed(begin) || marks_versions(marks, before, err));
}

static bool
save_versions(struct begin *begin, const struct marks *marks, struct err *err)
{
    CLEANUP(buf_free) struct buf text = buf_make(RECORD_LIMIT);

    marks_put_versions(marks, &text);
    return buf_ok(&text, err) &&
           store_of(begin)->type->meta_put(store_of(begin), MARKS_VERSIONS, buf_span(&text), err);
}

static bool
save_records(struct begin *begin, const struct marks *marks, struct err *err)
{
    struct store *store = store_of(begin);

    return store->type->meta_put(store, MARKS_TABLES, begin->tables, err) &&
           store->type->meta_put(store, MARKS_PARTITIONS, begin->partitions, err) &&
           save_versions(begin, marks, err);
}

/* ---- checkpoints ---- */

static bool
load_mappings(struct begin *begin, struct marks *marks, struct err *err)
{
    struct store_checkpoint *stored = NULL;
    size_t count = 0;

    if (!store_of(begin)->type->checkpoints_load(store_of(begin), begin->arena, &stored, &count,
                                                 err))
        return false;
    begin->mappings = arena_new_n(begin->arena, struct engine_mapping, begin->args->count);
    for (size_t i = 0; i < begin->args->count; i++) {
        struct engine_mapping *mapping = &begin->mappings[i];

        mapping->mapping = &begin->args->migrations[i]->mapping;
        if (!outlets_get(begin->args->outlets, mapping->mapping->destination, &mapping->destination,
                         err))
            return false;
        mapping->checkpoint = marks_checkpoint(marks, i, stored, count);
    }
    return true;
}

static bool
save_start(struct begin *begin, const struct marks *marks, struct err *err)
{
    struct store_checkpoint *checkpoints =
        arena_new_n(begin->arena, struct store_checkpoint, begin->args->count);
    lsn_t lsn = begin->plan.reset ? 0 : begin->flow.checkpoint;

    for (size_t i = 0; i < begin->args->count; i++) {
        marks_apply(marks, i, &begin->mappings[i].checkpoint);
        checkpoints[i] = begin->mappings[i].checkpoint;
    }
    if (lsn < begin->start)
        lsn = begin->start;
    if (begin->plan.reset && !store_of(begin)->type->checkpoints_reset(store_of(begin), err))
        return false;
    if (!store_of(begin)->type->checkpoints_save(store_of(begin), lsn, checkpoints,
                                                 begin->args->count, err))
        return false;
    fault_point("start.checkpointed");
    begin->unclean = begin->flow.has_started && !begin->flow.clean_end;
    begin->flow.checkpoint = lsn;
    begin->flow.slot_intent = false;
    begin->flow.has_started = true;
    begin->flow.clean_end = false;
    return save_flow(begin, err);
}

/* SEMANTICS 12: what a new mapping's table was before it was published is not in the stream. */
static bool
entry_lsn(struct begin *begin, lsn_t *ret, struct err *err)
{
    *ret = begin->start;
    return !is_resumed(begin) || begin->plan.reset || server_insert_lsn(begin->survey.pg, ret, err);
}

/*
 * What a mark is drawn from goes into the store after the mark, so that a crash in between finds
 * the difference again.  Where nothing is compared it goes first: a checkpoint has its record.
 */
static bool
record_start(struct begin *begin, struct err *err)
{
    struct marks_args args = {
        .arena = begin->arena,
        .migrations = begin->args->migrations,
        .count = begin->args->count,
        .start = begin->start,
        .plan = &begin->plan,
    };
    struct marks marks;

    if (!entry_lsn(begin, &args.entered, err))
        return false;
    marks = marks_make(&args);
    if (!load_mappings(begin, &marks, err) || !compare_tables(begin, &marks, err) ||
        !compare_partitions(begin, &marks, err) || !compare_versions(begin, &marks, err))
        return false;
    if (is_resumed(begin))
        return save_start(begin, &marks, err) && save_records(begin, &marks, err);
    return save_records(begin, &marks, err) && save_start(begin, &marks, err);
}

static bool
carry_out(struct begin *begin, struct err *err)
{
    switch (begin->plan.action) {
    case START_CREATE:
    case START_DROP_AND_CREATE:
        return create(begin, err);
    case START_STREAM:
    case START_ADOPT:
        return ensure_publication(begin, err);
    case START_REFUSE:
    case START_ACTION_MAX_:
        break;
    }
    return err_set(err, ERR_CONFIG, "%s%s%s", begin->plan.text, begin->plan.remedy ? "; " : "",
                   begin->plan.remedy ? begin->plan.remedy : "");
}

/* Whoever starts a second one by mistake should not wonder what it is doing. */
static bool
tell_holder(struct begin *begin, struct err *err)
{
    struct lock_holder holder;

    if (!source_lock_holder(begin->survey.pg, begin->args->settings->slot, begin->arena, &holder,
                            err))
        return false;
    if (holder.held)
        log_warn(log_msg("another process holds the slot, waiting for it"),
                 log_str("slot", begin->args->settings->slot), log_int("backend", holder.pid),
                 log_str("client", holder.client), log_str("since", holder.since));
    return true;
}

bool
begin_run(struct begin *begin, struct err *err)
{
    const struct source_settings *settings = begin->args->settings;
    struct start_facts facts;

    assert(store_of(begin) && begin->survey.pg);
    begin->source = pg_source_new(settings, begin->arena);
    if (!tell_holder(begin, err) ||
        !pg_source_lock(begin->source, clock_mono_ms() + LOCK_MS, begin->args->cancel_fd, err) ||
        !decide(begin, &facts, err))
        return false;
    if (begin->plan.action != START_REFUSE) {
        log_info(log_msg(begin->plan.text), log_str("slot", settings->slot),
                 log_lsn("from", begin->plan.lsn));
        describe_flow(begin, &facts);
    }
    return carry_out(begin, err) && record_start(begin, err);
}
