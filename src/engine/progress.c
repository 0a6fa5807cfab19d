/* progress: what is durable is saved, and what is saved is acknowledged. */
#include <assert.h>

#include "base/fault.h"
#include "engine/owner.h"

/* A save is a disk flush; this often is enough for the slot and cheap for the disk. */
#define SAVE_MS 200

/* SEMANTICS 9: progress without a row of ours is saved this often at most. */
#define SAVE_IDLE_MS 10000

/* SEMANTICS 8: a server that shuts down asks without end. */
#define REPLY_MS 100

/* SEMANTICS 10: while nothing is read, feedback is where the source looks after its lock. */
#define BLOCKED_MS 1000

bool
progress_start(struct owner *owner, struct err *err)
{
    size_t count = owner->args->mapping_count;

    owner->order.checkpoints = arena_new_n(owner->arena, struct store_checkpoint, count);
    owner->order.count = count;
    owner->saver = (struct saver){
        .store = owner->args->store,
        .gate = &owner->gate,
        .counters = owner->counters,
        .tick = owner->args->tick,
        .tick_arg = owner->args->tick_arg,
    };
    return saver_start(&owner->saver, err);
}

/* A mapping that was added later starts ahead of the others: its checkpoint never goes back. */
static lsn_t
mapping_checkpoint(const struct owner *owner, size_t mapping)
{
    lsn_t durable = ledger_mapping_durable(&owner->ledger, mapping);
    lsn_t stored = owner->args->mappings[mapping].checkpoint.lsn;

    return durable > stored ? durable : stored;
}

static void
fill_order(struct owner *owner)
{
    struct saver_order *order = &owner->order;

    order->flow = ledger_durable(&owner->ledger);
    for (size_t i = 0; i < order->count; i++) {
        struct store_checkpoint *own = &owner->args->mappings[i].checkpoint;

        own->lsn = mapping_checkpoint(owner, i);
        own->truncate = owner->router.mappings[i].truncate;
        order->checkpoints[i] = *own;
    }
}

/*
 * While one mapping holds the flow's position the others still write: their own checkpoints move
 * (SEMANTICS 6), or a restart would send all of it again.
 */
static bool
has_progress(const struct owner *owner)
{
    return owner->wrote_since_save || ledger_durable(&owner->ledger) > owner->ledger.checkpoint;
}

static bool
save_is_due(const struct owner *owner, int64_t now_ms, bool at_once)
{
    int64_t wait = owner->wrote_since_save || owner->flags_changed ? SAVE_MS : SAVE_IDLE_MS;

    if (!owner->saver.running || owner->saving || (!has_progress(owner) && !owner->flags_changed))
        return false;
    return at_once || now_ms - owner->saved_ms >= wait;
}

void
progress_save(struct owner *owner, int64_t now_ms, bool at_once)
{
    if (!save_is_due(owner, now_ms, at_once))
        return;
    fill_order(owner);
    owner->saving = true;
    owner->saved_ms = now_ms;
    owner->wrote_since_save = false;
    owner->flags_changed = false;
    saver_push(&owner->saver, &owner->order);
}

void
progress_saved(struct owner *owner, const struct saver_order *order, int64_t now_ms)
{
    assert(owner->saving);
    owner->saving = false;
    if (!order->done) {
        if (order->err.kind != ERR_CANCELED) /* what is not recorded is read again */
            owner_fail(owner, &order->err);
        return;
    }
    ledger_saved(&owner->ledger, order->flow);
    owner->feedback_ms = now_ms;
}

void
progress_collect(struct owner *owner, int64_t now_ms)
{
    const struct saver_order *order = saver_pop(&owner->saver);

    if (order)
        progress_saved(owner, order, now_ms);
}

static int64_t
feedback_due_ms(const struct owner *owner)
{
    int64_t due = owner->feedback_ms, blocked = owner->fed_back_ms + BLOCKED_MS;
    int64_t soonest = owner->fed_back_ms + REPLY_MS;

    if (due > blocked && !intake_may_read(owner))
        due = blocked;
    return due > soonest ? due : soonest;
}

void
progress_feedback(struct owner *owner, int64_t now_ms)
{
    struct source *source = owner->args->source;
    struct err err;

    if (!owner->streaming || now_ms < feedback_due_ms(owner))
        return;
    owner->fed_back_ms = now_ms;
    owner->feedback_ms = now_ms + source->type->feedback_interval_ms(source);
    if (!source->type->feedback(source, ledger_flush(&owner->ledger), &err))
        owner_stream_lost(owner, &err, now_ms);
    fault_point("feedback.sent");
}

/* When the loop must wake up for the sake of checkpoints and feedback. */
int64_t
progress_due_ms(const struct owner *owner)
{
    int64_t due = owner->streaming ? feedback_due_ms(owner) : INT64_MAX;

    if (!owner->saving && (owner->flags_changed || has_progress(owner))) {
        bool soon = owner->wrote_since_save || owner->flags_changed;
        int64_t save = owner->saved_ms + (soon ? SAVE_MS : SAVE_IDLE_MS);

        due = save < due ? save : due;
    }
    return due;
}

void
progress_publish(struct owner *owner)
{
    struct counters *counters = owner->counters;

    atomic_store(&counters->received, owner->ledger.end);
    atomic_store(&counters->durable, ledger_durable(&owner->ledger));
    atomic_store(&counters->checkpoint, owner->ledger.checkpoint);
    atomic_store(&counters->flush, owner->ledger.flush);
    atomic_store(&counters->holder, ledger_holder(&owner->ledger));
    atomic_store(&counters->memory_bytes, owner->held_bytes);
    atomic_store(&counters->streaming, owner->streaming);
}
