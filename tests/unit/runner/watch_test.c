/* watch: the counters become the heartbeat that other processes read. */
#include "runner/watch.h"

#include <stdlib.h>

#include "harness/check.h"
#include "runner/marks.h"
#include "source/pgoutput_stream.h"
#include "state/sqlite.h"

struct fixture {
    struct arena *arena;
    struct store *store;
    struct counters counters;
    struct mapping users, events;
    struct engine_mapping mappings[2];
    struct source_settings settings;
    struct watch watch;
};

static void
begin(struct fixture *f)
{
    struct err err;

    memset(f, 0, sizeof(*f));
    f->arena = arena_new("test");
    CHECK_OK(state_memory_open(&f->store, &err), err);
    counters_init(&f->counters);
    f->users.name = "users";
    f->events.name = "events";
    f->mappings[0].mapping = &f->users;
    f->mappings[1].mapping = &f->events;
    atomic_store(&f->counters.holder, 2);
    watch_init(&f->watch, &(struct watch_args){.store = f->store,
                                               .counters = &f->counters,
                                               .settings = &f->settings,
                                               .mappings = f->mappings,
                                               .mapping_count = 2,
                                               .partitions = SPAN(""),
                                               .cancel_fd = -1});
}

static void
done(struct fixture *f)
{
    watch_done(&f->watch);
    counters_done(&f->counters);
    store_close(f->store);
    arena_free(f->arena);
}

static void
every_counter_is_told(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct heartbeat *beat = &f.watch.beat;

    begin(&f);
    atomic_store(&f.counters.transactions, 1);
    atomic_store(&f.counters.changes, 2);
    atomic_store(&f.counters.rows, 3);
    atomic_store(&f.counters.batches, 4);
    atomic_store(&f.counters.upserts, 5);
    atomic_store(&f.counters.deletes, 6);
    atomic_store(&f.counters.requests, 7);
    atomic_store(&f.counters.bytes_sent, 8);
    atomic_store(&f.counters.retries, 9);
    atomic_store(&f.counters.dead_letters, 10);
    atomic_store(&f.counters.read_backs, 11);
    atomic_store(&f.counters.journalled, 12);
    atomic_store(&f.counters.reconnects, 13);
    atomic_store(&f.counters.memory_bytes, 14);
    atomic_store(&f.counters.last_write_ms, 15);
    atomic_store(&f.counters.streaming, true);
    watch_measure(&f.watch, 1000);
    for (size_t i = 0; i < HEARTBEAT_COUNT_MAX_; i++)
        CHECK_INT(beat->counts[i], i + 1);
    CHECK_INT(beat->memory_bytes, 14);
    CHECK_INT(beat->last_flush_ms, 15);
    CHECK(beat->streaming);
}

static void
positions(struct fixture *f, lsn_t received, lsn_t durable, int64_t commit_ms)
{
    atomic_store(&f->counters.received, received);
    atomic_store(&f->counters.durable, durable);
    atomic_store(&f->counters.last_commit_us, commit_ms * 1000);
}

/* The lag counts from what had been received when it began, until that is durable. */
static void
lag_has_a_witness(void **state UNUSED)
{
    static const struct {
        lsn_t received, durable;
        int64_t commit_ms, now_ms, want_ms;
        uint64_t want_bytes;
    } steps[] = {
        {100, 100, 1000, 1500, 0, 0},     /* nothing is behind */
        {200, 100, 2000, 2500, 500, 100}, /* 200 is the witness */
        {300, 150, 3000, 4000, 2000, 150},
        {400, 200, 4000, 4500, 500, 200}, /* it is durable: 400 is the next */
        {400, 400, 4000, 9000, 0, 0},
        {500, 400, 9500, 9000, 0, 100}, /* clocks differ: never negative */
    };
    CLEANUP(done) struct fixture f;

    begin(&f);
    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        positions(&f, steps[i].received, steps[i].durable, steps[i].commit_ms);
        watch_measure(&f.watch, steps[i].now_ms);
        CHECK_INT(f.watch.beat.lag_ms, steps[i].want_ms);
        CHECK_INT(f.watch.beat.lag_bytes, steps[i].want_bytes);
    }
}

static void
the_newest_error_comes_first_and_explains_the_holder(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    const struct heartbeat *beat = &f.watch.beat;
    char text[32];

    begin(&f);
    watch_measure(&f.watch, 1);
    CHECK_INT(beat->error_count, 0);
    CHECK_STR(beat->holder, "");
    for (int i = 0; i < COUNTERS_ERRORS + 2; i++) {
        snprintf(text, sizeof(text), "error %d", i);
        counters_error(&f.counters, i % 2 ? "events" : "", i, text);
    }
    atomic_store(&f.counters.holder, 1);
    counters_retrying(&f.counters, "connection refused");
    watch_measure(&f.watch, 1);
    CHECK_INT(beat->error_count, COUNTERS_ERRORS);
    for (int i = 0; i < COUNTERS_ERRORS; i++) {
        snprintf(text, sizeof(text), "error %d", COUNTERS_ERRORS + 1 - i);
        CHECK_STR(beat->errors[i].text, text);
    }
    CHECK_STR(beat->holder, "events");
    CHECK_STR(beat->holder_reason, "error 5");
    CHECK_STR(beat->retrying, "connection refused");
    watch_measure(&f.watch, 1); /* measuring twice does not double them */
    CHECK_INT(beat->error_count, COUNTERS_ERRORS);
}

static void
a_tick_leaves_a_record_only_when_a_counter_changed(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct heartbeat read;
    struct span text;
    struct err err;

    begin(&f);
    atomic_store(&f.counters.upserts, 42);
    watch_tick(&f.watch);
    CHECK_OK(f.store->type->meta_get(f.store, HEARTBEAT_KEY, f.arena, &text, &err), err);
    CHECK_OK(heartbeat_read(text, f.arena, &read, &err), err);
    CHECK_INT(read.counts[HEARTBEAT_UPSERTS], 42);
    CHECK(read.pid > 0 && read.written_ms > 0);
    CHECK_OK(f.store->type->meta_put(f.store, HEARTBEAT_KEY, SPAN("mine"), &err), err);
    watch_tick(&f.watch);
    CHECK_OK(f.store->type->meta_get(f.store, HEARTBEAT_KEY, f.arena, &text, &err), err);
    CHECK_SPAN(text, "mine");
}

/* ---- timeline ---- */

static int64_t
recorded_timeline(struct fixture *f)
{
    struct store_flow flow;
    struct err err;

    CHECK_OK(f->store->type->flow_load(f->store, f->arena, &flow, &err), err);
    CHECK_INT(flow.checkpoint, 500);
    return flow.timeline;
}

static void
rule_05_a_promotion_is_recorded_while_we_run(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct store_flow flow = {.system_id = "7",
                              .timeline = 3,
                              .database = "d",
                              .slot = "s",
                              .publication = "p",
                              .checkpoint = 500};
    struct pg_source *source;
    struct err err;

    begin(&f);
    CHECK_OK(f.store->type->flow_save(f.store, &flow, &err), err);
    source = pg_source_new(&f.settings, f.arena);
    f.watch.args.source = source;
    f.watch.args.timeline = 3;
    watch_tick(&f.watch); /* not connected yet */
    CHECK_INT(recorded_timeline(&f), 3);
    pg_source_expect(source, "7", 4);
    watch_tick(&f.watch);
    CHECK_INT(recorded_timeline(&f), 4);
    pg_source_free(source);
}

/* ---- partitions ---- */

#define ROOT(leaf, oid) "[[\"app.events\",22,\"app." leaf "\"," oid "," oid ",0]]"

static void
take_order(struct queue *orders, unsigned flags)
{
    struct engine_order *order = queue_try_pop(orders);

    CHECK(order);
    CHECK_INT(order->mapping, 1);
    CHECK_INT(order->flags, flags);
    CHECK(strstr(order->text, "of app.events was"));
    free(order);
}

static void
check_recorded(struct fixture *f, const char *want)
{
    struct span text;
    struct err err;

    CHECK_OK(f->store->type->meta_get(f->store, MARKS_PARTITIONS, f->arena, &text, &err), err);
    CHECK_SPAN(text, want);
}

static void
rule_27_a_difference_is_recorded_when_its_mark_had_time_to_be_saved(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct queue *orders = queue_new(2);
    struct err err;

    begin(&f);
    f.events.schema = "app";
    f.events.table = "events";
    f.users.schema = f.users.table = "users";
    f.watch.args.orders = orders;
    f.watch.args.stop_on_partition_change = true;
    f.watch.partitions = arena_span(f.watch.arena, SPAN(ROOT("a", "31")));
    CHECK_OK(watch_compare_partitions(&f.watch, SPAN(ROOT("a", "31")), &err), err);
    check_recorded(&f, "");

    CHECK_OK(watch_compare_partitions(&f.watch, SPAN(ROOT("b", "32")), &err), err);
    check_recorded(&f, "");
    arena_reset(f.watch.scratch);
    CHECK_FAILS(watch_compare_partitions(&f.watch, SPAN(ROOT("c", "33")), &err), err, ERR_TRANSIENT,
                "the engine has no time to mark mappings");
    take_order(orders, STORE_REREAD_NEEDED); /* b came, a went: one mark, one stop */
    take_order(orders, STORE_STOPPED);
    CHECK(!queue_try_pop(orders));

    CHECK_OK(watch_compare_partitions(&f.watch, SPAN(ROOT("c", "33")), &err), err);
    take_order(orders, STORE_REREAD_NEEDED);
    take_order(orders, STORE_STOPPED);
    check_recorded(&f, "");
    CHECK_OK(watch_compare_partitions(&f.watch, SPAN(ROOT("c", "33")), &err), err);
    check_recorded(&f, ROOT("c", "33"));
    CHECK(!queue_try_pop(orders));
    queue_free(orders);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_counter_is_told),
        cmocka_unit_test(lag_has_a_witness),
        cmocka_unit_test(the_newest_error_comes_first_and_explains_the_holder),
        cmocka_unit_test(rule_05_a_promotion_is_recorded_while_we_run),
        cmocka_unit_test(rule_27_a_difference_is_recorded_when_its_mark_had_time_to_be_saved),
        cmocka_unit_test(a_tick_leaves_a_record_only_when_a_counter_changed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
