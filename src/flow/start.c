/* start: how a flow starts, from what the operator, the store and the server say. */
#include "flow/start.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TEXT_MAX 768

/* clang-format off */
const char *const start_action_names[START_ACTION_MAX_ + 1] = {
    [START_REFUSE]          = "refuse",
    [START_STREAM]          = "stream",
    [START_ADOPT]           = "adopt",
    [START_CREATE]          = "create",
    [START_DROP_AND_CREATE] = "drop and create",
};
/* clang-format on */

/* What is being decided; each step either settles the plan or leaves it to the next. */
struct decision {
    const struct start_facts *facts;
    struct arena *arena;
    struct start_plan plan;
    bool settled;
    lsn_t checkpoint; /* of this slot, in this epoch; 0: none */
};

static const char *text_of(struct arena *arena, const char *fmt, va_list args) PRINTF(2, 0);

static const char *
text_of(struct arena *arena, const char *fmt, va_list args)
{
    char text[TEXT_MAX];

    vsnprintf(text, sizeof(text), fmt, args);
    return arena_strdup(arena, text);
}

static const char *format(struct decision *d, const char *fmt, ...) PRINTF(2, 3);

static const char *
format(struct decision *d, const char *fmt, ...)
{
    const char *text;
    va_list args;

    va_start(args, fmt);
    text = text_of(d->arena, fmt, args);
    va_end(args);
    return text;
}

static void
refuse(struct decision *d, int rule, const char *text, const char *remedy)
{
    assert(!d->settled);
    d->settled = true;
    d->plan.action = START_REFUSE;
    d->plan.rule = rule;
    d->plan.text = text;
    d->plan.remedy = remedy;
}

static void
settle(struct decision *d, enum start_action action, lsn_t lsn, const char *text)
{
    assert(!d->settled && action != START_REFUSE);
    d->settled = true;
    d->plan.action = action;
    d->plan.rule = action == START_CREATE ? 12 : 11;
    d->plan.lsn = lsn;
    d->plan.text = text;
}

/* ---- which cluster is it? (SEMANTICS 5) ---- */

/* A new epoch forgets positions: those of another history mean nothing in this one. */
static void
begin_epoch(struct decision *d)
{
    const struct start_record *record = &d->facts->record;

    d->plan.epoch = record->epoch + 1;
    d->plan.reset = record->has_started;
    d->plan.new_identity = true;
    d->plan.not_backfilled = true;
    d->checkpoint = 0;
}

static void
decide_cluster(struct decision *d)
{
    const struct start_record *record = &d->facts->record;
    const struct start_server *server = &d->facts->server;

    if (d->facts->options.new_epoch) {
        begin_epoch(d);
        return;
    }
    if (!record->has_started) {
        d->plan.new_identity = true;
        return;
    }
    if (strcmp(record->system_id, server->system_id) != 0)
        refuse(d, 5,
               format(d,
                      "this is another cluster than the one in the state (system identifier %s, "
                      "recorded is %s): its positions cannot be compared with ours",
                      server->system_id, record->system_id),
               "connect to the right server; or, if this one has replaced it: "
               "puffgres run --new-epoch, then backfill");
}

static void
decide_timeline(struct decision *d)
{
    const struct start_record *record = &d->facts->record;
    const struct start_server *server = &d->facts->server;

    if (d->facts->options.new_epoch || !record->has_started || record->timeline == 0 ||
        record->timeline == server->timeline)
        return;
    if (server->switch_found && server->switch_lsn >= d->checkpoint) {
        d->plan.new_identity = true; /* promoted after what we have: go on, and record it */
        return;
    }
    if (server->switch_found)
        refuse(d, 5,
               format(d,
                      "the server was promoted to timeline %lld at " LSN_FMT
                      ", before our checkpoint " LSN_FMT
                      ": we have applied changes that it does not have",
                      (long long)server->timeline, LSN_ARG(server->switch_lsn),
                      LSN_ARG(d->checkpoint)),
               "puffgres run --new-epoch, then backfill");
    else
        refuse(d, 5,
               format(d,
                      "the server is on timeline %lld, whose history does not know timeline %lld "
                      "of our checkpoint",
                      (long long)server->timeline, (long long)record->timeline),
               "connect to the right server; or puffgres run --new-epoch, then backfill");
}

/* Restored from a backup without a change of timeline. */
static void
decide_rewound(struct decision *d)
{
    const struct start_server *server = &d->facts->server;

    if (d->checkpoint <= server->wal_end)
        return;
    refuse(d, 5,
           format(d,
                  "the server's log ends at " LSN_FMT ", before our checkpoint " LSN_FMT
                  ": it was set back to an earlier state",
                  LSN_ARG(server->wal_end), LSN_ARG(d->checkpoint)),
           "puffgres run --new-epoch, then backfill");
}

/* ---- is the state this flow's? ---- */

static void
decide_database(struct decision *d)
{
    const struct start_record *record = &d->facts->record;

    if (!record->has_started || d->facts->options.new_epoch ||
        strcmp(record->database, d->facts->server.database) == 0)
        return;
    refuse(d, 11,
           format(d, "the state belongs to database \"%s\", the connection leads to \"%s\"",
                  record->database, d->facts->server.database),
           "connect to that database, or keep the state of this one in another place: "
           "[state] path = \"...\"");
}

/* A checkpoint is a position in the stream of one slot. */
static void
decide_other_slot(struct decision *d)
{
    const struct start_record *record = &d->facts->record;

    if (!record->has_started || d->facts->options.new_epoch ||
        strcmp(record->slot, d->facts->slot) == 0 || d->facts->options.has_from_lsn ||
        d->facts->options.accept_gap)
        return;
    refuse(d, 11,
           format(d, "the checkpoint in the state belongs to slot \"%s\", not to \"%s\"",
                  record->slot, d->facts->slot),
           format(d,
                  "puffgres run --slot %s; or, to take over the other slot: --slot %s --from-lsn "
                  "with a position at or above its confirmed_flush_lsn",
                  record->slot, d->facts->slot));
}

/* ---- no slot ---- */

static void
decide_absent(struct decision *d)
{
    const struct start_options *options = &d->facts->options;

    if (d->facts->server.slot_exists)
        return;
    if (options->has_from_lsn)
        refuse(d, 11,
               format(d, "there is no slot \"%s\" to read from --from-lsn on", d->facts->slot),
               "start without --from-lsn: a new slot begins at the present position");
    else if (!options->create_slot)
        refuse(d, 11, format(d, "there is no slot \"%s\"", d->facts->slot),
               format(d,
                      "puffgres run --create-slot; or "
                      "SELECT pg_create_logical_replication_slot('%s', 'pgoutput');\n"
                      "and then puffgres run --from-lsn with the position that it returns",
                      d->facts->slot));
    else if (d->checkpoint && !options->accept_gap)
        refuse(d, 11,
               format(d,
                      "slot \"%s\" is gone: changes after our checkpoint " LSN_FMT
                      " cannot be read any more",
                      d->facts->slot, LSN_ARG(d->checkpoint)),
               "puffgres run --accept-gap makes a new slot at the present position; then backfill "
               "what changed in between");
    else {
        d->plan.reset = d->plan.reset || d->checkpoint;
        d->plan.not_backfilled = true;
        d->plan.temporary = !d->facts->record.persistent;
        settle(d, START_CREATE, 0,
               format(d, "making slot \"%s\": rows older than it are not synced without a backfill",
                      d->facts->slot));
    }
}

/* ---- a slot that cannot be ours ---- */

static void
decide_foreign(struct decision *d)
{
    const struct start_server *server = &d->facts->server;
    const char *slot = d->facts->slot;
    const char *other = "use another --slot name; puffgres never drops a slot that it did not make";

    if (server->slot_physical)
        refuse(d, 11, format(d, "slot \"%s\" is a physical slot", slot), other);
    else if (strcmp(server->slot_plugin, "pgoutput") != 0)
        refuse(d, 11,
               format(d, "slot \"%s\" was made for the plug-in \"%s\", not for pgoutput", slot,
                      server->slot_plugin),
               other);
    else if (strcmp(server->slot_database, server->database) != 0)
        refuse(d, 11,
               format(d, "slot \"%s\" belongs to database \"%s\", the connection leads to \"%s\"",
                      slot, server->slot_database, server->database),
               other);
    else if (server->slot_temporary)
        refuse(d, 11, format(d, "slot \"%s\" is another session's temporary slot", slot), other);
    else if (server->slot_two_phase)
        refuse(d, 29,
               format(d, "slot \"%s\" was made with two_phase, which is not supported", slot),
               other);
}

static void
decide_lost(struct decision *d)
{
    const struct start_server *server = &d->facts->server;

    if (!*server->slot_invalid && strcmp(server->slot_wal_status, "lost") != 0)
        return;
    refuse(d, 11,
           format(d,
                  "slot \"%s\" was invalidated by the server (%s): changes cannot be read any more",
                  d->facts->slot,
                  *server->slot_invalid ? server->slot_invalid : "its WAL was removed"),
           format(d,
                  "SELECT pg_drop_replication_slot('%s');\n"
                  "and then puffgres run --accept-gap, and backfill what changed in between",
                  d->facts->slot));
}

/* ---- a slot without a checkpoint of ours ---- */

static bool
is_our_slot(const struct decision *d)
{
    return d->checkpoint && strcmp(d->facts->record.slot, d->facts->slot) == 0;
}

/*
 * The intent is recorded before the slot is made and withdrawn with its first checkpoint: the slot
 * is ours, and nothing was read from it yet.
 */
static void
decide_intent(struct decision *d)
{
    const struct start_record *record = &d->facts->record;

    if (!record->slot_intent || !record->persistent || !d->facts->options.create_slot ||
        strcmp(record->slot, d->facts->slot) != 0 ||
        strcmp(record->system_id, d->facts->server.system_id) != 0)
        return;
    d->plan.reset = d->plan.reset || d->checkpoint;
    d->plan.not_backfilled = true;
    settle(
        d, START_DROP_AND_CREATE, 0,
        format(d, "making slot \"%s\" again: the last attempt was not recorded", d->facts->slot));
}

/* Below the confirmed position the server would start somewhere else; above ours there is a gap. */
static void
refuse_from_lsn(struct decision *d)
{
    lsn_t from = d->facts->options.from_lsn, confirmed = d->facts->server.slot_confirmed_flush;

    if (from < confirmed)
        refuse(d, 11,
               format(d,
                      "--from-lsn " LSN_FMT " is below what slot \"%s\" has confirmed, " LSN_FMT
                      ": the server would silently start there",
                      LSN_ARG(from), d->facts->slot, LSN_ARG(confirmed)),
               format(d, "--from-lsn " LSN_FMT " or above", LSN_ARG(confirmed)));
    else if (d->checkpoint && from > d->checkpoint && !d->facts->options.accept_gap)
        refuse(d, 11,
               format(d, "--from-lsn " LSN_FMT " skips the changes after our checkpoint " LSN_FMT,
                      LSN_ARG(from), LSN_ARG(d->checkpoint)),
               "add --accept-gap if that is meant, and backfill afterwards");
    else if (d->facts->server.publication == START_PUBLICATION_ABSENT)
        refuse(d, 11,
               format(d,
                      "publication \"%s\" does not exist: what is in slot \"%s\" cannot be decoded "
                      "with one that is made later",
                      d->facts->publication, d->facts->slot),
               "make the publication, then use a position from after that: "
               "SELECT pg_current_wal_insert_lsn();");
}

/* --from-lsn takes a slot over, or moves within our own. */
static void
decide_from_lsn(struct decision *d)
{
    lsn_t from = d->facts->options.from_lsn;
    bool repeats = d->checkpoint && from <= d->checkpoint;

    if (!d->facts->options.has_from_lsn)
        return;
    refuse_from_lsn(d);
    if (d->settled)
        return;
    d->plan.reset = d->plan.reset || d->checkpoint;
    d->plan.not_backfilled = d->plan.not_backfilled || !repeats;
    settle(d, is_our_slot(d) ? START_STREAM : START_ADOPT, from,
           format(d, "reading slot \"%s\" from " LSN_FMT ", as --from-lsn says", d->facts->slot,
                  LSN_ARG(from)));
}

static void
decide_unknown(struct decision *d)
{
    if (is_our_slot(d))
        return;
    if (!d->facts->record.persistent)
        refuse(d, 11,
               format(d,
                      "slot \"%s\" exists, but with [state] backend = \"memory\" there is no "
                      "checkpoint to go on from",
                      d->facts->slot),
               "use another --slot name, or [state] backend = \"sqlite\"");
    else
        refuse(
            d, 11,
            format(d, "slot \"%s\" exists, but the state has no checkpoint for it", d->facts->slot),
            format(d,
                   "puffgres run --from-lsn " LSN_FMT
                   " adopts it (rows older than that are not synced without a backfill); or use "
                   "another --slot name",
                   LSN_ARG(d->facts->server.slot_confirmed_flush)));
}

/* ---- our slot ---- */

static void
decide_confirmed(struct decision *d)
{
    lsn_t confirmed = d->facts->server.slot_confirmed_flush;

    if (confirmed <= d->checkpoint)
        return;
    refuse(d, 11,
           format(d,
                  "slot \"%s\" was confirmed up to " LSN_FMT ", past our checkpoint " LSN_FMT
                  ": the state is older than the slot, or somebody else read from it; the changes "
                  "in between are gone",
                  d->facts->slot, LSN_ARG(confirmed), LSN_ARG(d->checkpoint)),
           format(d, "puffgres run --from-lsn " LSN_FMT " --accept-gap, then backfill",
                  LSN_ARG(confirmed)));
}

/* WAL is decoded with the publication as it was at that position. */
static void
decide_publication(struct decision *d)
{
    enum start_publication publication = d->facts->server.publication;

    if (publication != START_PUBLICATION_ABSENT && publication != START_PUBLICATION_REMADE)
        return;
    refuse(
        d, 11,
        format(d,
               "publication \"%s\" %s: what was written since our checkpoint " LSN_FMT
               " cannot be decoded with one that was made later",
               d->facts->publication,
               publication == START_PUBLICATION_ABSENT ? "is gone" : "was dropped and made again",
               LSN_ARG(d->checkpoint)),
        format(d,
               "SELECT pg_drop_replication_slot('%s');\n"
               "and then puffgres run --accept-gap, and backfill what changed in between",
               d->facts->slot));
}

static void
decide_go_on(struct decision *d)
{
    settle(
        d, START_STREAM, d->checkpoint,
        format(d, "going on with slot \"%s\" at " LSN_FMT, d->facts->slot, LSN_ARG(d->checkpoint)));
}

/* ---- the order of the questions ---- */

/* clang-format off */
static void (*const steps[])(struct decision *) = {
    decide_cluster, decide_timeline, decide_rewound,     /* positions mean something */
    decide_database, decide_other_slot,                  /* and belong to this flow */
    decide_absent, decide_foreign, decide_intent,        /* the slot is there, and may be ours */
    decide_lost, decide_from_lsn, decide_unknown,        /* can be read, and we know from where */
    decide_confirmed, decide_publication, decide_go_on,  /* without a gap */
};
/* clang-format on */

struct start_plan
start_decide(const struct start_facts *facts, struct arena *arena)
{
    const struct start_record *record = &facts->record;
    struct decision d = {.facts = facts, .arena = arena, .plan = {.epoch = record->epoch}};

    assert(facts->slot && facts->publication);
    if (record->has_started && record->persistent)
        d.checkpoint = record->checkpoint;
    for (size_t i = 0; i < ARRAY_LEN(steps) && !d.settled; i++)
        steps[i](&d);
    assert(d.settled);
    return d.plan;
}
