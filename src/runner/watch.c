/* watch: the heartbeat, and partitions that come and go without events. */
#include "runner/watch.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "pg/session.h"
#include "runner/marks.h"
#include "source/partitions.h"
#include "source/pgoutput_stream.h"

#define PARTITIONS_EVERY_MS (10 * 1000)
#define PARTITIONS_WAIT_MS  5000

void
watch_init(struct watch *watch, const struct watch_args *args)
{
    *watch = (struct watch){
        .args = *args,
        .arena = arena_new("partitions"),
        .scratch = arena_new("watch"),
        .partitions_due_ms = clock_mono_ms() + PARTITIONS_EVERY_MS,
        .beat = {.pid = getpid(), .started_ms = clock_wall_ms()},
    };
    watch->partitions = arena_span(watch->arena, args->partitions);
}

void
watch_done(struct watch *watch)
{
    pg_closep(&watch->pg);
    arena_free(watch->arena);
    arena_free(watch->scratch);
}

/* A watch that fails must not stop the flow; it complains once per text. */
static void
complain(struct watch *watch, const char *what, const struct err *err)
{
    if (strncmp(watch->complaint, err->text, sizeof(watch->complaint) - 1) == 0)
        return;
    snprintf(watch->complaint, sizeof(watch->complaint), "%.*s", (int)sizeof(watch->complaint) - 1,
             err->text);
    log_warn(log_msg(what), log_err(err));
}

/* ---- heartbeat ---- */

/* Which counter each figure is. */
#define COUNT(name, member)                                                                        \
    {                                                                                              \
        (name), offsetof(struct counters, member)                                                  \
    }
/* clang-format off */
static const struct {
    enum heartbeat_count count;
    size_t offset;
} figures[] = {
    COUNT(HEARTBEAT_TRANSACTIONS, transactions),
    COUNT(HEARTBEAT_EVENTS,       changes),
    COUNT(HEARTBEAT_ROWS,         rows),
    COUNT(HEARTBEAT_BATCHES,      batches),
    COUNT(HEARTBEAT_UPSERTS,      upserts),
    COUNT(HEARTBEAT_DELETES,      deletes),
    COUNT(HEARTBEAT_REQUESTS,     requests),
    COUNT(HEARTBEAT_BYTES,        bytes_sent),
    COUNT(HEARTBEAT_RETRIES,      retries),
    COUNT(HEARTBEAT_DEAD_LETTERS, dead_letters),
    COUNT(HEARTBEAT_READ_BACKS,   read_backs),
    COUNT(HEARTBEAT_JOURNALLED,   journalled),
    COUNT(HEARTBEAT_RECONNECTS,   reconnects),
};
/* clang-format on */

_Static_assert(ARRAY_LEN(figures) == HEARTBEAT_COUNT_MAX_, "one counter per figure");

static uint64_t
counter_at(const struct counters *counters, size_t offset)
{
    const _Atomic uint64_t *counter =
        (const _Atomic uint64_t *)(const void *)((const char *)counters + offset);

    return atomic_load(counter);
}

/*
 * The age of the oldest commit that is not durable, by one witness: what had been received at some
 * moment.  Until it is durable the lag is counted from there, then the next witness is taken.
 */
static int64_t
lag_ms(struct watch *watch, int64_t wall_ms)
{
    const struct heartbeat *beat = &watch->beat;

    if (beat->durable >= beat->received) {
        watch->behind_lsn = 0;
        return 0;
    }
    if (watch->behind_lsn == 0 || watch->behind_lsn <= beat->durable) {
        watch->behind_lsn = beat->received;
        watch->behind_commit_ms = beat->last_commit_ms;
    }
    return wall_ms > watch->behind_commit_ms ? wall_ms - watch->behind_commit_ms : 0;
}

/* thread: any; the lock guards the texts */
static void
copy_texts(struct watch *watch)
{
    const struct counters *counters = watch->args.counters;
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&counters->lock;
    struct heartbeat *beat = &watch->beat;

    beat->error_count = 0;
    pthread_mutex_lock(lock);
    heartbeat_set_text(beat->retrying, sizeof(beat->retrying), counters->retrying);
    for (uint64_t i = 0; i < COUNTERS_ERRORS && i < counters->error_count; i++) {
        const uint64_t first = counters->error_count < COUNTERS_ERRORS ? 0 : counters->error_count;
        const struct counters_error *error = &counters->errors[(first + i) % COUNTERS_ERRORS];

        heartbeat_add_error(beat, error->at_ms, error->mapping, error->text);
    }
    pthread_mutex_unlock(lock);
}

static void
name_holder(struct watch *watch)
{
    uint64_t holder = atomic_load(&watch->args.counters->holder);
    struct heartbeat *beat = &watch->beat;

    beat->holder[0] = '\0';
    beat->holder_reason[0] = '\0';
    if (holder >= watch->args.mapping_count)
        return;
    heartbeat_set_text(beat->holder, sizeof(beat->holder),
                       watch->args.mappings[holder].mapping->name);
    for (size_t i = 0; i < beat->error_count && !beat->holder_reason[0]; i++) {
        if (strcmp(beat->errors[i].mapping, beat->holder) == 0)
            heartbeat_set_text(beat->holder_reason, sizeof(beat->holder_reason),
                               beat->errors[i].text);
    }
}

void
watch_measure(struct watch *watch, int64_t wall_ms)
{
    const struct counters *counters = watch->args.counters;
    struct heartbeat *beat = &watch->beat;

    for (size_t i = 0; i < ARRAY_LEN(figures); i++)
        beat->counts[figures[i].count] = counter_at(counters, figures[i].offset);
    beat->streaming = atomic_load(&counters->streaming);
    beat->received = atomic_load(&counters->received);
    beat->durable = atomic_load(&counters->durable);
    beat->checkpoint = atomic_load(&counters->checkpoint);
    beat->flush = atomic_load(&counters->flush);
    beat->memory_bytes = atomic_load(&counters->memory_bytes);
    beat->last_flush_ms = atomic_load(&counters->last_write_ms);
    beat->last_commit_ms = atomic_load(&counters->last_commit_us) / 1000;
    beat->lag_bytes = beat->received > beat->durable ? beat->received - beat->durable : 0;
    beat->lag_ms = lag_ms(watch, wall_ms);
    copy_texts(watch);
    name_holder(watch);
}

static bool
tell(struct watch *watch, struct err *err)
{
    CLEANUP(buf_free) struct buf text = buf_make(HEARTBEAT_JSON_MAX);
    struct store *store = watch->args.store;

    watch->beat.written_ms = clock_wall_ms();
    heartbeat_write(&watch->beat, &text);
    return buf_ok(&text, err) && store->type->meta_put(store, HEARTBEAT_KEY, buf_span(&text), err);
}

/* ---- timeline ---- */

/*
 * Soon: once a checkpoint lies past the switch, a start that knows only the old timeline would
 * take it for changes that the new one does not have (SEMANTICS 5).
 */
static bool
record_timeline(struct watch *watch, struct err *err)
{
    int64_t now = watch->args.source ? pg_source_timeline(watch->args.source) : 0;
    struct store *store = watch->args.store;
    struct store_flow flow;

    if (now == 0 || now == watch->args.timeline)
        return true;
    if (!store->type->flow_load(store, watch->scratch, &flow, err))
        return false;
    flow.timeline = now;
    if (!store->type->flow_save(store, &flow, err))
        return false;
    log_info(log_msg("the server was promoted"), log_int("timeline", now));
    watch->args.timeline = now;
    return true;
}

/* ---- partitions ---- */

/* False: the queue is full. */
static bool
send_order(struct watch *watch, size_t mapping, unsigned flag, const char *text)
{
    struct engine_order *order = calloc(1, sizeof(*order));

    if (!order)
        abort();
    order->mapping = mapping;
    order->flags = flag;
    snprintf(order->text, sizeof(order->text), "%s", text);
    if (queue_try_push(watch->args.orders, order))
        return true;
    free(order);
    return false;
}

/* The mark stays when the next start lifts the stop. */
static bool
mark_mapping(struct watch *watch, size_t mapping, const char *text)
{
    return send_order(watch, mapping, STORE_REREAD_NEEDED, text) &&
           (!watch->args.stop_on_partition_change ||
            send_order(watch, mapping, STORE_STOPPED, text));
}

/* The first difference of a root speaks for it: a mapping is marked once. */
static bool
report_root(struct watch *watch, size_t mapping, const struct partition_difference *differences,
            size_t count)
{
    char text[MARKS_TEXT_SIZE];
    bool marked = false;

    for (size_t i = 0; i < count; i++) {
        if (!marks_is_root(watch->args.mappings[mapping].mapping, differences[i].root))
            continue;
        marks_partition_text(&differences[i], text, sizeof(text));
        if (!marked && !mark_mapping(watch, mapping, text))
            return false;
        marked = true;
        log_warn(log_msg(text), log_str("mapping", watch->args.mappings[mapping].mapping->name));
    }
    return true;
}

bool
watch_compare_partitions(struct watch *watch, struct span now, struct err *err)
{
    const struct partition_difference *differences;
    struct store *store = watch->args.store;
    size_t count;

    if (span_eq(now, watch->partitions)) {
        if (watch->unrecorded && !store->type->meta_put(store, MARKS_PARTITIONS, now, err))
            return false;
        watch->unrecorded = false;
        return true;
    }
    partitions_compare(watch->partitions, now, watch->scratch, &differences, &count);
    for (size_t i = 0; i < watch->args.mapping_count; i++) {
        if (!report_root(watch, i, differences, count))
            return err_set(err, ERR_TRANSIENT, "the engine has no time to mark mappings");
    }
    arena_reset(watch->arena);
    watch->partitions = arena_span(watch->arena, now);
    watch->unrecorded = true;
    return true;
}

static bool
connect_watch(struct watch *watch, struct err *err)
{
    const struct pg_connect_args args = {
        .conninfo = watch->args.settings->conninfo,
        .purpose = "watch",
        .deadline_ms = clock_mono_ms() + PARTITIONS_WAIT_MS,
        .cancel_fd = watch->args.cancel_fd,
    };

    if (watch->pg)
        return true;
    if (!pg_connect(&args, &watch->pg, err))
        return false;
    pg_set_timeout(watch->pg, PARTITIONS_WAIT_MS);
    return true;
}

static bool
look_at_partitions(struct watch *watch, struct err *err)
{
    struct span now;

    if (!connect_watch(watch, err) ||
        !partitions_fingerprint(watch->pg, watch->args.tables, watch->args.table_count,
                                watch->scratch, &now, err)) {
        pg_closep(&watch->pg);
        return false;
    }
    return watch_compare_partitions(watch, now, err);
}

/* Only where a partitioned table is mapped. */
static bool
partitions_are_due(struct watch *watch, int64_t mono_ms)
{
    bool partitioned = false;

    if (mono_ms < watch->partitions_due_ms)
        return false;
    watch->partitions_due_ms = mono_ms + PARTITIONS_EVERY_MS;
    for (size_t i = 0; i < watch->args.table_count; i++)
        partitioned |= watch->args.tables[i]->kind == 'p';
    return partitioned;
}

void
watch_tick(void *arg)
{
    struct watch *watch = arg;
    const int64_t mono_ms = clock_mono_ms();
    struct err err;

    arena_reset(watch->scratch);
    watch_measure(watch, clock_wall_ms());
    if (heartbeat_tick(&watch->meter, &watch->beat, mono_ms) && !tell(watch, &err))
        complain(watch, "cannot record the heartbeat, ignoring it", &err);
    if (!record_timeline(watch, &err))
        complain(watch, "cannot record the server's timeline, trying again", &err);
    if (partitions_are_due(watch, mono_ms) && !look_at_partitions(watch, &err))
        complain(watch, "cannot look at partitions, trying again", &err);
}
