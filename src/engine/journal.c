/* journal: deletes that an older write may still undo are said again when it no longer can. */
#include "engine/journal.h"

#include <assert.h>

#include "base/clock.h"
#include "base/fault.h"

/* The store hears of doubt in steps, so that a storm of time-outs is not a storm of commits. */
#define DOUBT_STEP(grace_ms) ((grace_ms) / 32)

/* A dead letter's retry has no date: its deletes wait for it. */
#define WHEN_RESOLVED INT64_MAX

/* May an older write arrive at this target at all? */
static bool
journal_applies(const struct delivery *delivery)
{
    const struct mapping *mapping = delivery->lane->mapping;

    return (delivery->lane->destination->type->caps & DEST_LATE_WRITES) &&
           mapping->versioning != VERSIONING_NONE;
}

bool
journal_doubt(struct delivery *delivery, struct err *err)
{
    const struct mapping *mapping = delivery->lane->mapping;
    int64_t until = clock_wall_ms() + mapping->grace_ms, stored;
    struct store *store = delivery->store;

    if (!journal_applies(delivery))
        return true;
    delivery->late_until_ms = until;
    if (until <= delivery->stored_until_ms)
        return true;
    stored = until + DOUBT_STEP(mapping->grace_ms);
    if (!store->type->unknown_put(store, mapping->target, stored, err))
        return err_wrap(err, "recording a request of unknown outcome");
    delivery->stored_until_ms = stored;
    return true;
}

/* A tombstone keeps its version and needs no repetition (SEMANTICS 20); a TRUNCATE leaves none. */
static bool
forgets_versions(const struct delivery *delivery, const struct action *action)
{
    return action->kind == ACTION_TRUNCATE ||
           (action->kind == ACTION_DELETE && delivery->lane->mapping->deletes == DELETES_PHYSICAL);
}

/* Lanes of one target doubt for themselves, but a TRUNCATE is about the rows of all of them. */
static bool
target_late_until(struct delivery *delivery, int64_t *ret_until_ms, struct err *err)
{
    struct store *store = delivery->store;

    if (!store->type->unknown_get(store, delivery->lane->mapping->target, ret_until_ms, err))
        return false;
    if (*ret_until_ms < delivery->late_until_ms)
        *ret_until_ms = delivery->late_until_ms;
    return true;
}

static struct store_journal_entry
entry_of(const struct action *action, int64_t due_ms)
{
    return (struct store_journal_entry){
        .id = action->kind == ACTION_TRUNCATE ? SPAN("") : action->id.text,
        .quoted = action->id.quoted,
        .position = action->position,
        .due_ms = due_ms,
    };
}

/* Which of these deletes are of ids that have a dead letter. */
static bool
find_dead(struct delivery *delivery, const struct action *actions, size_t count, bool *ret_dead,
          struct err *err)
{
    struct span *ids = arena_new_n(delivery->scratch, struct span, count);
    struct store *store = delivery->store;

    for (size_t i = 0; i < count; i++)
        ids[i] = actions[i].kind == ACTION_DELETE ? actions[i].id.text : SPAN("");
    if (!store->type->dead_letters_have(store, delivery->lane->mapping->name, ids, count, ret_dead,
                                        err))
        return err_wrap(err, "looking for dead letters");
    for (size_t i = 0; i < count; i++)
        ret_dead[i] = ret_dead[i] && actions[i].kind == ACTION_DELETE;
    return true;
}

/*
 * When an action is to be repeated; 0: it need not be.  A late write comes at a time, a dead letter
 * that is retried reads its row first (SEMANTICS 22): of the two the time is kept.  So a TRUNCATE
 * waits for no dead letter, or it would never be repeated where there is one.
 */
static int64_t
due_of(const struct action *action, bool dead, int64_t late_ms, int64_t target_late_ms)
{
    int64_t until_ms = action->kind == ACTION_TRUNCATE ? target_late_ms : late_ms;

    if (until_ms > clock_wall_ms())
        return until_ms;
    return dead ? WHEN_RESOLVED : 0;
}

static bool
has_truncate(const struct action *actions, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (actions[i].kind == ACTION_TRUNCATE)
            return true;
    }
    return false;
}

/* SEMANTICS 19: the journal is capped in bytes; over the cap the lane waits. */
static bool
wait_for_room(struct delivery *delivery, struct err *err)
{
    const char *target = delivery->lane->mapping->target;
    struct store *store = delivery->store;

    for (;;) {
        int64_t bytes, entries, due_ms;

        if (!store->type->journal_size(store, target, &bytes, &entries, &due_ms, err))
            return false;
        if (bytes < delivery->journal_max_bytes)
            return true;
        counters_retrying(delivery->counters, "the delete journal is full: waiting for its oldest "
                                              "entries to fall due");
        if (due_ms <= clock_wall_ms()) {
            if (!delivery_repeat(delivery, err))
                return false;
        } else if (!gate_sleep(delivery->gate, 1000)) {
            return err_set(err, ERR_CANCELED, "stopped while the delete journal was full");
        }
    }
}

static bool
add(struct delivery *delivery, const struct store_journal_entry *entries, size_t count,
    struct err *err)
{
    const char *target = delivery->lane->mapping->target;
    struct store *store = delivery->store;

    if (count == 0)
        return true;
    if (!wait_for_room(delivery, err) ||
        !store->type->journal_add(store, target, entries, count, err))
        return err_wrap(err, "delete journal of %s", target);
    fault_point("journal.stored");
    atomic_fetch_add(&delivery->counters->journalled, count);
    for (size_t i = 0; i < count; i++) {
        if (entries[i].due_ms < delivery->repeat_ms)
            delivery->repeat_ms = entries[i].due_ms;
    }
    return true;
}

bool
journal_deletes(struct delivery *delivery, const struct action *actions, size_t count,
                struct err *err)
{
    int64_t late_ms = delivery->late_until_ms, target_late_ms = 0;
    bool late = late_ms > clock_wall_ms(), truncates = has_truncate(actions, count);
    struct store_journal_entry *entries;
    size_t found = 0;
    bool *dead;

    if (!journal_applies(delivery) || (!late && !delivery->has_dead_letters && !truncates))
        return true;
    if (truncates && !target_late_until(delivery, &target_late_ms, err))
        return false;
    entries = arena_new_n(delivery->scratch, struct store_journal_entry, count);
    dead = arena_new_n(delivery->scratch, bool, count);
    if (delivery->has_dead_letters && !find_dead(delivery, actions, count, dead, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        int64_t due_ms = due_of(&actions[i], dead[i], late_ms, target_late_ms);

        if (due_ms && forgets_versions(delivery, &actions[i]))
            entries[found++] = entry_of(&actions[i], due_ms);
    }
    return add(delivery, entries, found, err);
}
