/* outbound: open batches, lanes, and what comes back from them. */
#include <assert.h>
#include <stdlib.h>

#include "engine/owner.h"

/* Empty batches are kept for the next rows: a few for all lanes, since lanes may be hundreds. */
#define SPARE_MAX   8
#define SPARE_BYTES ((size_t)1024 * 1024) /* one that has grown beyond it is not kept */

/* ---- jobs ---- */

static struct job *
job_new(const struct mapping *mapping)
{
    struct job *job = calloc(1, sizeof(*job));

    if (!job)
        abort();
    job->batch = batch_new(mapping, 0);
    return job;
}

static struct job *
job_take(struct owner *owner, struct outlet *outlet)
{
    const struct mapping *mapping = owner->args->mappings[outlet->mapping].mapping;
    struct job *job = owner->spare;

    if (job) {
        owner->spare = job->next;
        owner->spare_count--;
        job->next = NULL;
        job->batch->mapping = mapping;
    } else {
        job = job_new(mapping);
    }
    job->lane = &outlet->lane;
    return job;
}

static void
job_free(struct job *job)
{
    batch_free(job->batch);
    free(job);
}

static void
job_return(struct owner *owner, struct job *job)
{
    const struct batch *batch = job->batch;

    batch_clear(job->batch);
    if (owner->spare_count >= SPARE_MAX ||
        arena_held(batch->arena) + batch->cap * sizeof(*batch->rows) > SPARE_BYTES) {
        job_free(job);
        return;
    }
    job->next = owner->spare;
    owner->spare = job;
    owner->spare_count++;
}

static void
free_jobs(struct job *job)
{
    while (job) {
        struct job *next = job->next;

        job_free(job);
        job = next;
    }
}

/* ---- towards the lane ---- */

static struct outlet *
outlet_of(struct lane *lane)
{
    return (struct outlet *)lane; /* first member */
}

_Static_assert(offsetof(struct outlet, lane) == 0, "outlet_of() relies on it");

static const struct mapping *
mapping_of(const struct owner *owner, const struct outlet *outlet)
{
    return owner->args->mappings[outlet->mapping].mapping;
}

static void
feed(struct outlet *outlet)
{
    while (outlet->waiting && outlet->in_lane < LANE_DEPTH && !outlet->failed) {
        struct job *job = outlet->waiting;

        outlet->waiting = job->next;
        if (!outlet->waiting)
            outlet->waiting_end = &outlet->waiting;
        outlet->waiting_count--;
        job->next = NULL;
        outlet->in_lane++;
        lane_push(&outlet->lane, job);
    }
}

void
outbound_dispatch(struct outlet *outlet)
{
    struct job *job = outlet->open;

    if (!job)
        return;
    assert(job->batch->count > 0);
    outlet->open = NULL;
    *outlet->waiting_end = job;
    outlet->waiting_end = &job->next;
    outlet->waiting_count++;
    feed(outlet);
}

static struct job *
open_batch(struct owner *owner, struct outlet *outlet, int64_t now_ms)
{
    struct job *job = job_take(owner, outlet);

    job->entry = ledger_open(&owner->ledger, outlet->mapping);
    job->batch->floor = ledger_floor(&owner->ledger, job->entry);
    job->batch->has_floor = true;
    job->batch->opened_ms = now_ms;
    outlet->open = job;
    return job;
}

void
outbound_add(struct owner *owner, struct outlet *outlet, const struct projection *projection,
             const struct change *change, enum row_half half, int64_t now_ms)
{
    struct job *job = outlet->open ? outlet->open : open_batch(owner, outlet, now_ms);
    const struct mapping *mapping = projection->mapping;
    struct batch *batch = job->batch;
    size_t before = batch->bytes;

    batch_add(batch, projection, change, half);
    owner->held_bytes += batch->bytes - before;
    atomic_fetch_add_explicit(&owner->counters->rows, 1, memory_order_relaxed);
    if (batch->count >= (size_t)mapping->batch_max_rows ||
        batch->bytes >= (size_t)mapping->batch_max_bytes)
        outbound_dispatch(outlet);
}

bool
outbound_idle(const struct outlet *outlet)
{
    return outlet->in_lane == 0 && !outlet->waiting;
}

/*
 * A batch closes by itself when it is full.  Otherwise it goes as soon as its lane has nothing to
 * do: at a commit at once, inside a transaction after the linger.
 */
void
outbound_dispatch_ready(struct owner *owner, int64_t now_ms)
{
    for (size_t i = 0; i < owner->outlet_count; i++) {
        struct outlet *outlet = &owner->outlets[i];
        const struct mapping *mapping = mapping_of(owner, outlet);

        if (!outlet->open || !outbound_idle(outlet))
            continue;
        if (!owner->ledger.in_transaction ||
            now_ms - outlet->open->batch->opened_ms >= mapping->flush_interval_ms)
            outbound_dispatch(outlet);
    }
}

int64_t
outbound_linger_ms(const struct owner *owner)
{
    int64_t due = INT64_MAX;

    for (size_t i = 0; i < owner->outlet_count; i++) {
        const struct outlet *outlet = &owner->outlets[i];
        int64_t own;

        if (!outlet->open || !outbound_idle(outlet))
            continue;
        own = outlet->open->batch->opened_ms + mapping_of(owner, outlet)->flush_interval_ms;
        if (own < due)
            due = own;
    }
    return due;
}

bool
outbound_all_idle(const struct owner *owner)
{
    for (size_t i = 0; i < owner->outlet_count; i++) {
        if (!outbound_idle(&owner->outlets[i]) && !owner->outlets[i].failed)
            return false;
    }
    return true;
}

/* ---- back from the lane ---- */

static void
collect(struct owner *owner, struct job *job)
{
    struct outlet *outlet = outlet_of(job->lane);

    if (!job->batch) { /* repeating deletes failed for good */
        owner_fail(owner, &job->err);
        return;
    }
    outlet->in_lane--;
    if (!job->done) { /* its ledger entry stays: nothing from here on is durable */
        outlet->failed = true;
        job->next = outlet->lost;
        outlet->lost = job;
        if (job->err.kind != ERR_CANCELED) /* the end of an orderly stop is no failure */
            owner_fail(owner, &job->err);
        return;
    }
    ledger_finish(&owner->ledger, job->entry);
    owner->held_bytes -= job->batch->bytes;
    owner->wrote_since_save = true;
    job_return(owner, job);
    feed(outlet);
}

void
outbound_collect(struct owner *owner)
{
    for (;;) {
        struct job *job = queue_try_pop(owner->completions);

        if (!job)
            return;
        collect(owner, job);
    }
}

/* ---- life ---- */

static size_t
count_outlets(struct owner *owner)
{
    size_t count = 0, mappings = owner->args->mapping_count;

    owner->first_outlet = arena_new_n(owner->arena, size_t, mappings + 1);
    for (size_t i = 0; i < mappings; i++) {
        owner->first_outlet[i] = count;
        count += (size_t)owner->args->mappings[i].mapping->lanes;
    }
    owner->first_outlet[mappings] = count;
    return count;
}

static bool
open_outlet(struct owner *owner, size_t mapping, struct outlet *outlet, bool first, struct err *err)
{
    const struct engine_args *args = owner->args;
    const struct engine_mapping *own = &args->mappings[mapping];
    struct delivery *delivery = &outlet->lane.delivery;

    outlet->mapping = mapping;
    outlet->waiting_end = &outlet->waiting;
    *delivery = (struct delivery){
        .store = args->store,
        .gate = &owner->gate,
        .counters = owner->counters,
        .strict = args->strict,
        .first = first,
        .journal_max_bytes = args->journal_max_bytes,
        .backoff = args->backoff,
        .reader = args->reader_new ? args->reader_new(args->reader_arg) : NULL,
    };
    return destination_lane_open(own->destination, own->mapping, args->epoch, owner->arena,
                                 &delivery->lane, err) &&
           delivery_init(delivery, args->unclean, err) &&
           lane_start(&outlet->lane, owner->completions, err);
}

bool
outbound_start(struct owner *owner, struct err *err)
{
    size_t count = count_outlets(owner);

    owner->outlets = arena_new_n(owner->arena, struct outlet, count);
    owner->completions = queue_new(count * (LANE_DEPTH + 1) + 1);
    for (size_t i = 0; i < owner->args->mapping_count; i++) {
        for (size_t at = owner->first_outlet[i]; at < owner->first_outlet[i + 1]; at++) {
            owner->outlet_count++;
            if (!open_outlet(owner, i, &owner->outlets[at], at == owner->first_outlet[i], err))
                return false;
        }
    }
    return true;
}

static void
close_outlet(struct outlet *outlet)
{
    struct delivery *delivery = &outlet->lane.delivery;

    free_jobs(outlet->open);
    free_jobs(outlet->waiting);
    free_jobs(outlet->lost);
    destination_lane_close(delivery->lane);
    reader_close(delivery->reader);
    delivery_done(delivery);
}

bool
outbound_join(struct owner *owner, int64_t deadline_ms)
{
    bool joined = true;

    for (size_t i = 0; i < owner->outlet_count; i++)
        joined = lane_join(&owner->outlets[i].lane, deadline_ms) && joined;
    outbound_collect(owner);
    if (!joined)
        return false; /* a thread still uses what would be freed */
    for (size_t i = 0; i < owner->outlet_count; i++)
        close_outlet(&owner->outlets[i]);
    free_jobs(owner->spare);
    owner->spare = NULL;
    queue_freep(&owner->completions);
    return true;
}
