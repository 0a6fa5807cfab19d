/* intake: what the source says becomes rows in batches. */
#include <assert.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/hash.h"
#include "base/log.h"
#include "engine/owner.h"

/* Events between two looks at completions, timers and the stop. */
#define EVENTS_AT_ONCE 512

/* Batches that wait for one lane; beyond it reading stops. */
#define WAITING_MAX 16

/* ---- which lane ---- */

/* NULL: this image does not say. */
static struct outlet *
outlet_by_id(struct owner *owner, size_t mapping, const struct projection *projection,
             const struct value *row)
{
    size_t first = owner->first_outlet[mapping];
    size_t lanes = owner->first_outlet[mapping + 1] - first;
    const struct mapping *own = projection->mapping;
    struct docid id;
    struct err err;

    /* An id out of line is sent in the old key only, if it has not changed. */
    if (!row || row[projection->source[own->id_column]].kind == VALUE_UNCHANGED)
        return NULL;
    /* An id that cannot be made becomes a dead letter in whichever lane. */
    if (!docid_make(own, &row[projection->source[own->id_column]], owner->scratch, &id, &err))
        return &owner->outlets[first];
    return &owner->outlets[first + hash_bytes(id.text) % lanes];
}

/* SEMANTICS 15: the halves of a key change may have two lanes. */
static void
add_by_id(struct owner *owner, const struct route *route, const struct change *change,
          int64_t now_ms)
{
    const struct projection *projection = route->projection;
    struct outlet *before, *after;

    arena_reset(owner->scratch);
    before = outlet_by_id(owner, route->mapping, projection, change->before);
    after = outlet_by_id(owner, route->mapping, projection, change->after);
    if (!before && !after)
        after = &owner->outlets[owner->first_outlet[route->mapping]];
    if (!before || !after || before == after) {
        outbound_add(owner, after ? after : before, projection, change, ROW_WHOLE, now_ms);
        return;
    }
    outbound_add(owner, before, projection, change, ROW_OLD_HALF, now_ms);
    outbound_add(owner, after, projection, change, ROW_NEW_HALF, now_ms);
}

/* ---- TRUNCATE over several lanes ---- */

static bool
mapping_idle(const struct owner *owner, size_t mapping)
{
    for (size_t i = owner->first_outlet[mapping]; i < owner->first_outlet[mapping + 1]; i++) {
        if (owner->outlets[i].open || !outbound_idle(&owner->outlets[i]))
            return false;
    }
    return true;
}

/*
 * SEMANTICS 18: a barrier over all lanes of the mapping, before and after.  Until it has passed
 * nothing is read (intake_may_read).
 */
static void
barrier_raise(struct owner *owner, const struct route *route, const struct change *change)
{
    for (size_t i = owner->first_outlet[route->mapping];
         i < owner->first_outlet[route->mapping + 1]; i++)
        outbound_dispatch(&owner->outlets[i]);
    owner->barriers[owner->barrier_count++] = (struct barrier){
        .mapping = route->mapping,
        .projection = route->projection,
        .change = *change,
    };
}

static void
barriers_pass(struct owner *owner, int64_t now_ms)
{
    while (owner->barrier_count > 0) {
        struct barrier *barrier = &owner->barriers[owner->barrier_count - 1];
        struct outlet *first = &owner->outlets[owner->first_outlet[barrier->mapping]];

        if (!mapping_idle(owner, barrier->mapping))
            return;
        if (barrier->sent) {
            owner->barrier_count--;
            continue;
        }
        outbound_add(owner, first, barrier->projection, &barrier->change, ROW_WHOLE, now_ms);
        outbound_dispatch(first);
        barrier->sent = true;
    }
}

/* ---- events ---- */

static void
stop_mapping(struct owner *owner, size_t mapping, const char *text)
{
    struct engine_mapping *own = &owner->args->mappings[mapping];

    if (own->checkpoint.flags & STORE_STOPPED)
        return;
    router_stop(&owner->router, mapping);
    ledger_hold(&owner->ledger, mapping);
    own->checkpoint.flags |= STORE_STOPPED;
    own->checkpoint.text = arena_strdup(owner->arena, text);
    owner->flags_changed = true;
    counters_error(owner->counters, own->mapping->name, clock_wall_ms(), text);
    log_error(log_msg("mapping stopped; it holds the slot until it is mended and restarted"),
              log_str("mapping", own->mapping->name), log_str("err", text));
}

static void
on_change(struct owner *owner, const struct change *change, int64_t now_ms)
{
    size_t count;

    atomic_fetch_add_explicit(&owner->counters->changes, 1, memory_order_relaxed);
    fault_point("intake.change");
    count = router_route(&owner->router, change, owner->routes, owner->args->mapping_count);
    for (size_t i = 0; i < count; i++) {
        const struct route *route = &owner->routes[i];
        size_t first = owner->first_outlet[route->mapping];

        if (!route->projection)
            stop_mapping(owner, route->mapping, owner->router.mappings[route->mapping].refusal);
        else if (owner->first_outlet[route->mapping + 1] - first == 1)
            outbound_add(owner, &owner->outlets[first], route->projection, change, ROW_WHOLE,
                         now_ms);
        else if (change->op == CHANGE_TRUNCATE)
            barrier_raise(owner, route, change);
        else
            add_by_id(owner, route, change, now_ms);
    }
}

static void
want_reread(struct owner *owner, size_t mapping, const char *why)
{
    struct engine_mapping *own = &owner->args->mappings[mapping];

    if (own->checkpoint.flags & (STORE_REREAD_NEEDED | STORE_STOPPED))
        return;
    own->checkpoint.flags |= STORE_REREAD_NEEDED;
    own->checkpoint.text = arena_strdup(owner->arena, why);
    owner->flags_changed = true;
    log_warn(log_msg("re-read needed"), log_str("mapping", own->mapping->name),
             log_str("why", why));
}

void
intake_order(struct owner *owner, const struct engine_order *order)
{
    assert(order->mapping < owner->args->mapping_count);
    if (order->flags & STORE_STOPPED)
        stop_mapping(owner, order->mapping, order->text);
    else if (order->flags & STORE_REREAD_NEEDED)
        want_reread(owner, order->mapping, order->text);
}

static void
on_relation(struct owner *owner, const struct schema *schema)
{
    const size_t *mappings;
    size_t count = router_mappings(&owner->router, schema->relation, &mappings);

    for (size_t i = 0; i < count; i++) {
        const struct router_mapping *own = &owner->router.mappings[mappings[i]];

        if (own->stopped)
            continue;
        if (router_relation(&owner->router, mappings[i], schema) && own->projection->retyped)
            want_reread(owner, mappings[i],
                        "a mapped column was added or replaced, or has another type: what ALTER "
                        "TABLE made of older rows arrived without events");
    }
}

static void
on_event(struct owner *owner, const struct source_event *event, int64_t now_ms)
{
    switch (event->type) {
    case SOURCE_BEGIN:
        ledger_begin(&owner->ledger);
        break;
    case SOURCE_CHANGE:
        on_change(owner, &event->change, now_ms);
        break;
    case SOURCE_COMMIT:
        fault_point("intake.commit");
        ledger_commit(&owner->ledger, event->lsn);
        owner->commit_end = event->lsn;
        atomic_fetch_add_explicit(&owner->counters->transactions, 1, memory_order_relaxed);
        atomic_store_explicit(&owner->counters->last_commit_us, event->commit_us,
                              memory_order_relaxed);
        break;
    case SOURCE_RELATION:
        on_relation(owner, event->schema);
        break;
    case SOURCE_KEEPALIVE:
        ledger_keepalive(&owner->ledger, event->lsn);
        if (event->reply)
            owner->feedback_ms = now_ms;
        break;
    case SOURCE_RENEW:
    case SOURCE_IDLE:
        break;
    }
}

/* ---- reading ---- */

bool
intake_may_read(const struct owner *owner)
{
    if (!owner->streaming || owner->failed || owner->barrier_count > 0)
        return false;
    /* The other half of the budget is for the bodies that lanes make of these rows. */
    if (owner->held_bytes >= owner->args->budget_bytes / 2)
        return false;
    for (size_t i = 0; i < owner->outlet_count; i++) {
        if (owner->outlets[i].waiting_count >= WAITING_MAX)
            return false;
    }
    return true;
}

/* At the budget every row must be on its way, or it would never be freed. */
static void
relieve(struct owner *owner)
{
    if (owner->held_bytes < owner->args->budget_bytes / 2)
        return;
    for (size_t i = 0; i < owner->outlet_count; i++)
        outbound_dispatch(&owner->outlets[i]);
}

/* Before everything is saved the next stream would only bring the same again. */
static bool
may_renew(const struct owner *owner)
{
    return owner->ledger.unfinished == 0 && owner->ledger.checkpoint >= owner->commit_end;
}

static bool
read_one(struct owner *owner, struct source_event *event, int64_t now_ms)
{
    struct source *source = owner->args->source;
    struct err err;

    if (!source->type->next(source, event, &err)) {
        owner_stream_lost(owner, &err, now_ms);
        return false;
    }
    if (event->type == SOURCE_RENEW && may_renew(owner))
        owner_stream_renew(owner, now_ms);
    on_event(owner, event, now_ms);
    return event->type != SOURCE_IDLE && event->type != SOURCE_RENEW;
}

bool
intake_run(struct owner *owner, int64_t now_ms)
{
    struct source_event event;
    bool more = false;

    barriers_pass(owner, now_ms);
    for (int i = 0; i < EVENTS_AT_ONCE && intake_may_read(owner); i++) {
        more = read_one(owner, &event, now_ms);
        if (!more)
            break;
    }
    relieve(owner);
    return more;
}
