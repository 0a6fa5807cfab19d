/* engine: start, the owner's loop, and the orderly stop. */
#include "engine/engine.h"

#include <poll.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/retry.h"
#include "engine/owner.h"

#define OPEN_TIMEOUT_MS 20000
#define SOURCE_FDS      4

/* Of the stop's bound: for the lanes to finish, and for them to notice that they shall not. */
#define FINISH_SHARE(bound) ((bound)*3 / 4)
#define CANCEL_SHARE(bound) ((bound)*7 / 8)

static const struct retry_policy reopening = {.base_ms = 250, .cap_ms = 10 * 1000, .jitter = 0};

void
owner_fail(struct owner *owner, const struct err *err)
{
    if (owner->failed)
        return;
    owner->failed = true;
    owner->failure = *err;
    counters_error(owner->counters, "", clock_wall_ms(), err->text);
}

/* ---- the stream ---- */

static void
close_stream(struct owner *owner)
{
    struct source *source = owner->args->source;

    gate_set(&owner->gate, false);
    source->type->close(source);
    ledger_abandon(&owner->ledger);
    owner->streaming = false;
}

void
owner_stream_lost(struct owner *owner, const struct err *err, int64_t now_ms)
{
    int64_t delay = retry_delay_ms(&reopening, owner->reopen_tries++, 0, 0);

    close_stream(owner);
    if (!err_policy(err->kind)->retry) {
        owner_fail(owner, err);
        return;
    }
    owner->reopen_ms = now_ms + delay;
    atomic_fetch_add(&owner->counters->reconnects, 1);
    counters_error(owner->counters, "", clock_wall_ms(), err->text);
    counters_retrying(owner->counters, err->text);
    log_warn(log_msg("no stream from Postgres, trying again"), log_int("in_ms", delay),
             log_err(err));
}

void
owner_stream_renew(struct owner *owner, int64_t now_ms)
{
    close_stream(owner);
    owner->reopen_ms = now_ms;
}

static void
reopen(struct owner *owner, int64_t now_ms)
{
    struct source *source = owner->args->source;
    struct err err;

    if (owner->streaming || owner->failed || now_ms < owner->reopen_ms)
        return;
    if (!source->type->open(source, owner->ledger.checkpoint, now_ms + OPEN_TIMEOUT_MS,
                            owner->args->stop_fd, &err)) {
        if (err.kind != ERR_CANCELED)
            owner_stream_lost(owner, &err, clock_mono_ms());
        return;
    }
    owner->streaming = true;
    owner->reopen_tries = 0;
    owner->feedback_ms = now_ms;
    counters_retrying(owner->counters, "");
    gate_set(&owner->gate, true);
    log_info(log_msg("streaming"), log_lsn("from", owner->ledger.checkpoint));
}

/* ---- orders from other threads ---- */

static void
obey(struct owner *owner)
{
    for (;;) {
        struct engine_order *order =
            owner->args->orders ? queue_try_pop(owner->args->orders) : NULL;

        if (!order)
            return;
        intake_order(owner, order);
        free(order);
    }
}

/* ---- the loop ---- */

static bool
stop_asked(const struct owner *owner)
{
    struct pollfd fd = {.fd = owner->args->stop_fd, .events = POLLIN};

    return poll(&fd, 1, 0) > 0;
}

static int
wait_ms(const struct owner *owner, int64_t now_ms)
{
    int64_t due = progress_due_ms(owner), linger = outbound_linger_ms(owner);

    if (linger < due)
        due = linger;
    if (!owner->streaming && owner->reopen_ms < due)
        due = owner->reopen_ms;
    if (due <= now_ms)
        return 0;
    return due - now_ms > 1000 ? 1000 : (int)(due - now_ms);
}

/* Sleep until there is something to do.  The source is polled only while it may be read. */
static void
wait_for_work(const struct owner *owner, int64_t now_ms)
{
    struct source *source = owner->args->source;
    struct pollfd fds[SOURCE_FDS + 4];
    nfds_t count = 0;

    fds[count++] = (struct pollfd){.fd = owner->args->stop_fd, .events = POLLIN};
    fds[count++] = (struct pollfd){.fd = queue_fd(owner->completions), .events = POLLIN};
    fds[count++] = (struct pollfd){.fd = saver_fd(&owner->saver), .events = POLLIN};
    if (owner->args->orders)
        fds[count++] = (struct pollfd){.fd = queue_fd(owner->args->orders), .events = POLLIN};
    if (intake_may_read(owner))
        count += source->type->poll_fds(source, fds + count, SOURCE_FDS);
    poll(fds, count, wait_ms(owner, now_ms));
}

static void
turn(struct owner *owner)
{
    int64_t now_ms = clock_mono_ms();
    bool more;

    outbound_collect(owner);
    progress_collect(owner, now_ms);
    obey(owner);
    reopen(owner, now_ms);
    more = intake_run(owner, now_ms);
    outbound_dispatch_ready(owner, now_ms);
    progress_save(owner, now_ms, false);
    progress_feedback(owner, now_ms);
    progress_publish(owner);
    if (!more && !owner->failed)
        wait_for_work(owner, now_ms);
}

/* ---- the end ---- */

static void
wait_for_lanes(struct owner *owner, int64_t until_ms)
{
    while (!outbound_all_idle(owner) && clock_mono_ms() < until_ms) {
        struct pollfd fds[2] = {
            {.fd = queue_fd(owner->completions), .events = POLLIN},
            {.fd = saver_fd(&owner->saver), .events = POLLIN},
        };

        poll(fds, 2, 50);
        outbound_collect(owner);
        progress_collect(owner, clock_mono_ms());
        progress_save(owner, clock_mono_ms(), false);
        progress_feedback(owner, clock_mono_ms());
    }
}

/* The last checkpoint, and the feedback that it allows. */
static void
settle(struct owner *owner, int64_t until_ms)
{
    for (int rounds = 0; rounds < 2; rounds++) { /* the one under way, and what came after it */
        const struct saver_order *order;

        progress_save(owner, clock_mono_ms(), true);
        if (!owner->saving)
            break;
        order = saver_wait(&owner->saver, until_ms);
        if (order)
            progress_saved(owner, order, clock_mono_ms());
    }
    owner->feedback_ms = 0;
    owner->fed_back_ms = 0;
    progress_feedback(owner, clock_mono_ms());
    progress_publish(owner);
}

static bool
stop(struct owner *owner)
{
    int64_t begin_ms = clock_mono_ms(), bound = owner->args->stop_bound_ms;
    bool joined;

    for (size_t i = 0; i < owner->outlet_count; i++)
        outbound_dispatch(&owner->outlets[i]);
    wait_for_lanes(owner, begin_ms + FINISH_SHARE(bound));
    gate_cancel(&owner->gate);
    joined = outbound_join(owner, begin_ms + CANCEL_SHARE(bound));
    settle(owner, begin_ms + bound);
    return saver_join(&owner->saver, begin_ms + bound) && joined;
}

/* ---- the beginning ---- */

static void
begin(struct owner *owner)
{
    const struct engine_args *args = owner->args;
    struct router_mapping *routed =
        arena_new_n(owner->arena, struct router_mapping, args->mapping_count);

    for (size_t i = 0; i < args->mapping_count; i++) {
        struct engine_mapping *own = &args->mappings[i];

        if (own->checkpoint.flags & STORE_STOPPED) { /* a restart reads its rows again */
            own->checkpoint.flags &= ~(unsigned)STORE_STOPPED;
            own->checkpoint.text = "";
            owner->flags_changed = true;
        }
        own->checkpoint.mapping = own->mapping->name;
        routed[i] = (struct router_mapping){
            .mapping = own->mapping,
            .checkpoint = own->checkpoint.lsn,
            .truncate = own->checkpoint.truncate,
        };
    }
    ledger_init(&owner->ledger, args->mapping_count, args->start);
    router_init(&owner->router, owner->arena, routed, args->mapping_count);
    gate_init(&owner->gate);
    owner->routes = arena_new_n(owner->arena, struct route, args->mapping_count);
    owner->barriers = arena_new_n(owner->arena, struct barrier, args->mapping_count);
    owner->saved_ms = clock_mono_ms();
}

static void
owner_done(struct owner *owner)
{
    struct source *source = owner->args->source;

    source->type->close(source);
    gate_done(&owner->gate);
    ledger_done(&owner->ledger);
    arena_freep(&owner->scratch);
    arena_freep(&owner->arena);
}

bool
engine_run(const struct engine_args *args, bool *ret_clean, struct err *err)
{
    struct owner owner = {
        .args = args,
        .counters = args->counters,
        .arena = arena_new("engine"),
        .scratch = arena_new("owner"),
    };

    *ret_clean = false;
    begin(&owner);
    if (!outbound_start(&owner, err) || !progress_start(&owner, err))
        owner_fail(&owner, err);
    while (!owner.failed && !stop_asked(&owner))
        turn(&owner);
    *ret_clean = stop(&owner);
    if (owner.failed)
        *err = owner.failure;
    if (*ret_clean)
        owner_done(&owner); /* else a thread may still look at it: the process is about to end */
    return !owner.failed;
}
