/* delivery: map, write, try again, halve, keep dead letters, remember deletes. */
#include "engine/delivery.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "engine/dead_letter.h"
#include "engine/journal.h"
#include "engine/mapper.h"

#define WRITE_TIMEOUT_MS (60 * 1000)
#define REPEAT_AT_ONCE   256

bool
delivery_init(struct delivery *delivery, bool unclean, struct err *err)
{
    const struct mapping *mapping = delivery->lane->mapping;
    struct store *store = delivery->store;
    int64_t bytes, count, letters;

    delivery->scratch = arena_new("lane");
    random_seed(&delivery->random, random_seed_from_os());
    if (!store->type->unknown_get(store, mapping->target, &delivery->stored_until_ms, err) ||
        !store->type->journal_size(store, mapping->target, &bytes, &count, &delivery->repeat_ms,
                                   err) ||
        !store->type->dead_letters_count(store, mapping->name, &letters, err))
        return err_wrap(err, "mapping %s", mapping->name);
    if (!delivery->first)
        delivery->repeat_ms = INT64_MAX;
    delivery->late_until_ms = delivery->stored_until_ms;
    delivery->has_dead_letters = letters > 0;
    return !unclean || journal_doubt(delivery, err);
}

void
delivery_done(struct delivery *delivery)
{
    arena_freep(&delivery->scratch);
}

/* ---- trying again ---- */

/*
 * After the pause, when the failure may pass; false with what has failed for good, or with
 * ERR_CANCELED when the pause was the end.
 */
static bool
may_try_again(struct delivery *delivery, unsigned attempt, int64_t asked_ms, const char *what,
              struct err *err)
{
    const char *mapping = delivery->lane->mapping->name;
    char text[sizeof(err->text) + 64];
    int64_t delay;

    if (!err_policy(err->kind)->retry)
        return false;
    delay = retry_delay_ms(&delivery->backoff, attempt, random_unit(&delivery->random), asked_ms);
    snprintf(text, sizeof(text), "%s: %s: %s", mapping, what, err->text);
    counters_retrying(delivery->counters, text);
    counters_error(delivery->counters, mapping, clock_wall_ms(), err->text);
    atomic_fetch_add(&delivery->counters->retries, 1);
    log_warn(log_msg("trying again"), log_str("mapping", mapping), log_str("what", what),
             log_int("in_ms", delay), log_int("attempt", (int64_t)attempt + 1), log_err(err));
    if (!gate_sleep(delivery->gate, delay))
        return err_set(err, ERR_CANCELED, "stopped while %s", what);
    return true;
}

/* ---- writing ---- */

static bool
attempt(struct delivery *delivery, const struct action *actions, size_t count,
        struct destination_result *result, struct err *err)
{
    struct destination_lane *lane = delivery->lane;
    struct arena_mark mark = arena_mark(delivery->scratch);
    struct destination_write write = {
        .actions = actions,
        .count = count,
        .scratch = delivery->scratch,
        .cancel_fd = delivery->gate->cancel_fd,
    };
    bool done;

    *result = (struct destination_result){0};
    if (!gate_wait(delivery->gate))
        return err_set(err, ERR_CANCELED, "stopped before writing");
    write.deadline_ms =
        clock_mono_ms() + WRITE_TIMEOUT_MS; /* the gate may have been shut for long */
    fault_point("write.before");
    done = lane->destination->type->write(lane, &write, result, err);
    fault_point("write.after");
    arena_rewind(delivery->scratch, mark);
    atomic_fetch_add(&delivery->counters->requests, result->requests);
    atomic_fetch_add(&delivery->counters->bytes_sent, result->bytes);
    return done;
}

static void
count_written(struct delivery *delivery, const struct action *actions, size_t count)
{
    uint64_t upserts = 0;

    for (size_t i = 0; i < count; i++)
        upserts += actions[i].kind == ACTION_UPSERT;
    atomic_fetch_add(&delivery->counters->upserts, upserts);
    atomic_fetch_add(&delivery->counters->deletes, count - upserts);
    atomic_store(&delivery->counters->last_write_ms, clock_wall_ms());
}

/* Nothing goes on before the store knows: what is deleted from here on may have to be repeated. */
static bool
doubt_until_stored(struct delivery *delivery, struct err *err)
{
    for (unsigned tries = 0; !journal_doubt(delivery, err); tries++) {
        if (!may_try_again(delivery, tries, 0, "recording a request of unknown outcome", err))
            return false;
    }
    return true;
}

/* The same actions, until they are durable or fail for good. */
static bool
write_until_answered(struct delivery *delivery, const struct action *actions, size_t count,
                     struct err *err)
{
    struct destination_result result;

    for (unsigned tries = 0; !attempt(delivery, actions, count, &result, err); tries++) {
        struct err doubt;

        if (result.unknown && !doubt_until_stored(delivery, &doubt)) {
            *err = doubt;
            return false;
        }
        if (!may_try_again(delivery, tries, result.retry_after_ms, "writing", err))
            return false;
    }
    counters_retrying(delivery->counters, "");
    count_written(delivery, actions, count);
    return true;
}

/* Left to right, so that the order of what succeeds is the order of the stream. */
static bool
write_halving(struct delivery *delivery, const struct action *actions, size_t count,
              struct dead_letters *held, struct err *err)
{
    size_t left = count / 2;

    if (write_until_answered(delivery, actions, count, err))
        return true;
    if (err->kind != ERR_DATA)
        return false;
    if (count == 1) {
        dead_letters_hold(held, actions, err->kind, err->text);
        return true;
    }
    return write_halving(delivery, actions, left, held, err) &&
           write_halving(delivery, actions + left, count - left, held, err);
}

/* ---- one batch ---- */

/* How many of the actions go into one write: a TRUNCATE stands alone, ERRORs are none. */
static size_t
segment_length(const struct action *actions, size_t count)
{
    size_t n = 0;

    while (n < count && (actions[n].kind == ACTION_UPSERT || actions[n].kind == ACTION_DELETE))
        n++;
    return n == 0 && actions[0].kind == ACTION_TRUNCATE ? 1 : n;
}

static bool
write_all(struct delivery *delivery, const struct action *actions, size_t count,
          struct dead_letters *held, struct err *err)
{
    for (size_t i = 0; i < count;) {
        size_t n = segment_length(actions + i, count - i);

        if (n == 0) {
            assert(actions[i].kind == ACTION_ERROR);
            dead_letters_hold(held, &actions[i], ERR_DATA, actions[i].error);
            i++;
            continue;
        }
        if (!write_halving(delivery, actions + i, n, held, err))
            return false;
        i += n;
    }
    return true;
}

static bool
map_batch(struct delivery *delivery, const struct batch *batch, struct actions *ret,
          struct err *err)
{
    for (unsigned tries = 0;; tries++) {
        struct arena_mark mark = arena_mark(delivery->scratch);
        const struct reader_wait wait = {
            .deadline_ms = clock_mono_ms() + WRITE_TIMEOUT_MS,
            .cancel_fd = delivery->gate->cancel_fd,
            .max_bytes = (size_t)batch->mapping->batch_max_bytes,
        };

        if (mapper_map(batch, delivery->reader, &wait, delivery->scratch, ret, err))
            return true;
        arena_rewind(delivery->scratch, mark);
        if (!may_try_again(delivery, tries, 0, "reading rows back", err))
            return false;
    }
}

static bool
store_dead_letters(struct delivery *delivery, const struct dead_letters *held, struct err *err)
{
    const struct mapping *mapping = delivery->lane->mapping;
    struct store *store = delivery->store;
    const struct store_dead_letter *letters;

    if (held->count == 0)
        return true;
    if (delivery->strict)
        return err_set(err, ERR_DATA, "row at " LSN_FMT " can never be delivered (--strict): %s",
                       LSN_ARG(held->items[0].action->position.commit), held->items[0].text);
    letters = dead_letters_render(held, mapping, clock_wall_ms());
    for (unsigned tries = 0; !store->type->dead_letters_add(store, letters, held->count, err);
         tries++) {
        if (!may_try_again(delivery, tries, 0, "storing dead letters", err))
            return false;
    }
    fault_point("dead_letters.stored");
    delivery->has_dead_letters = true;
    atomic_fetch_add(&delivery->counters->dead_letters, held->count);
    counters_error(delivery->counters, mapping->name, clock_wall_ms(), held->items[0].text);
    log_warn(log_msg("dead letters"), log_str("mapping", mapping->name),
             log_uint("count", held->count), log_str("first", held->items[0].text));
    return true;
}

/* The store is on this machine: a failure of its own passes, or somebody must look. */
static bool
journal_until_stored(struct delivery *delivery, const struct action *actions, size_t count,
                     struct err *err)
{
    for (unsigned tries = 0; !journal_deletes(delivery, actions, count, err); tries++) {
        if (!may_try_again(delivery, tries, 0, "storing the delete journal", err))
            return false;
    }
    return true;
}

static bool
deliver_actions(struct delivery *delivery, struct actions actions, struct err *err)
{
    struct dead_letters held = {.arena = delivery->scratch};

    if (delivery->lane->destination->type->caps & DEST_KEYED)
        actions.count = mapper_coalesce(actions.items, actions.count, delivery->scratch);
    return write_all(delivery, actions.items, actions.count, &held, err) &&
           dead_letters_plausible(&held, actions.count, err) &&
           store_dead_letters(delivery, &held, err) &&
           journal_until_stored(delivery, actions.items, actions.count, err);
}

static bool deliver(struct delivery *delivery, const struct batch *batch, struct err *err);

/* What has to be read back is too large for one piece of work: it becomes two, in order. */
static bool
deliver_halves(struct delivery *delivery, const struct batch *batch, struct err *err)
{
    struct batch left = *batch, right = *batch;

    left.count = batch->count / 2;
    right.rows += left.count;
    right.count -= left.count;
    return deliver(delivery, &left, err) && deliver(delivery, &right, err);
}

static bool
deliver(struct delivery *delivery, const struct batch *batch, struct err *err)
{
    struct arena_mark mark = arena_mark(delivery->scratch);
    struct actions actions;
    bool done;

    if (!map_batch(delivery, batch, &actions, err))
        return err->kind == ERR_DATA && batch->count > 1 && deliver_halves(delivery, batch, err);
    done = deliver_actions(delivery, actions, err);
    arena_rewind(delivery->scratch, mark);
    return done;
}

bool
delivery_run(struct delivery *delivery, const struct batch *batch, struct err *err)
{
    arena_reset(delivery->scratch);
    if (!deliver(delivery, batch, err))
        return err_wrap(err, "mapping %s", delivery->lane->mapping->name);
    atomic_fetch_add(&delivery->counters->batches, 1);
    return true;
}

/* ---- repeating deletes ---- */

static struct action
action_of(const struct store_journal_entry *entry)
{
    return (struct action){
        .kind = entry->id.len ? ACTION_DELETE : ACTION_TRUNCATE,
        .position = entry->position,
        .id = {.quoted = entry->quoted, .text = entry->id},
    };
}

static bool
repeat_entries(struct delivery *delivery, const struct store_journal_entry *entries, size_t count,
               struct err *err)
{
    struct action *actions = arena_new_n(delivery->scratch, struct action, count);
    const char *target = delivery->lane->mapping->target;
    struct store *store = delivery->store;

    for (size_t i = 0; i < count; i++)
        actions[i] = action_of(&entries[i]);
    for (size_t i = 0; i < count;) {
        size_t n = segment_length(actions + i, count - i);

        if (!write_until_answered(delivery, actions + i, n, err))
            return false;
        i += n;
    }
    fault_point("journal.repeated");
    return store->type->journal_remove(store, target, entries, count, err);
}

bool
delivery_repeat(struct delivery *delivery, struct err *err)
{
    const char *target = delivery->lane->mapping->target;
    struct arena_mark mark = arena_mark(delivery->scratch);
    struct store *store = delivery->store;
    struct store_journal_entry *entries;
    size_t count;
    int64_t bytes, left;
    bool done;

    if (!store->type->journal_due(store, target, clock_wall_ms(), REPEAT_AT_ONCE, delivery->scratch,
                                  &entries, &count, err))
        return err_wrap(err, "delete journal of %s", target);
    done = count == 0 || repeat_entries(delivery, entries, count, err);
    arena_rewind(delivery->scratch, mark);
    if (!done)
        return err_wrap(err, "repeating deletes in %s", target);
    return store->type->journal_size(store, target, &bytes, &left, &delivery->repeat_ms, err);
}
