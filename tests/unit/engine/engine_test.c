/* engine: a scripted source into a mock destination, with threads, faults and stops. */
#include "engine/engine.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/hash.h"
#include "harness/check.h"
#include "harness/mock_destination.h"
#include "harness/sample.h"
#include "state/sqlite.h"

#define CAPS (DEST_KEYED | DEST_VERSIONED | DEST_DURABLE | DEST_LATE_WRITES)

struct fixture {
    struct arena *arena;
    struct mapping mapping;
    struct engine_mapping mappings[1];
    struct store *store;
    struct counters counters;
    struct engine_args args;
    bool clean;
};

static void
begin(struct fixture *f, const struct sample_transaction *script, size_t count)
{
    struct err err;

    *f = (struct fixture){.arena = arena_new("test"), .mapping = sample_mapping()};
    mock_reset(CAPS);
    sample_source_reset(script, count);
    counters_init(&f->counters);
    CHECK_OK(state_memory_open(&f->store, &err), err);
    f->mappings[0].mapping = &f->mapping;
    f->mappings[0].checkpoint =
        (struct store_checkpoint){.mapping = "items", .lsn = 10, .text = ""};
    CHECK_OK(destination_open(mock_destination_type(), NULL, 0, f->arena,
                              &f->mappings[0].destination, &err),
             err);
    f->args = (struct engine_args){
        .source = sample_source(),
        .store = f->store,
        .mappings = f->mappings,
        .mapping_count = 1,
        .start = 10,
        .budget_bytes = 8 * 1024 * 1024,
        .journal_max_bytes = 1024 * 1024,
        .stop_bound_ms = 2000,
        .backoff = {.base_ms = 2, .cap_ms = 20, .jitter = 0.25},
        .stop_fd = sample_source_stop_fd(),
        .counters = &f->counters,
    };
}

static void
end(struct fixture *f)
{
    destination_close(f->mappings[0].destination);
    store_close(f->store);
    counters_done(&f->counters);
    arena_free(f->arena);
}

static lsn_t
stored_checkpoint(struct fixture *f, struct store_checkpoint *ret)
{
    struct store_checkpoint *list;
    struct store_flow flow;
    struct err err;
    size_t count;

    CHECK_OK(f->store->type->flow_load(f->store, f->arena, &flow, &err), err);
    CHECK_OK(f->store->type->checkpoints_load(f->store, f->arena, &list, &count, &err), err);
    CHECK_INT(count, 1);
    *ret = list[0];
    return flow.checkpoint;
}

/* After every run: flush <= checkpoint <= what was read, and nothing went backwards. */
static void
oracle(struct fixture *f)
{
    struct store_checkpoint own;
    lsn_t flow = stored_checkpoint(f, &own);

    CHECK(sample_source_flush() <= flow);
    CHECK(flow <= own.lsn);
    CHECK(own.lsn <= f->counters.received);
    CHECK(sample_source_flush_grew());
    CHECK(mock_ordered());
}

/* ---- scripts ---- */

static const struct sample_change two_rows[] = {
    {CHANGE_INSERT, .id = "1", .name = "a"},
    {CHANGE_INSERT, .id = "2", .name = "b"},
};
static const struct sample_change second[] = {
    {CHANGE_UPDATE, .id = "1", .name = "c"},
    {CHANGE_DELETE, .id = "2"},
};
static const struct sample_transaction two[] = {
    {100, 110, two_rows, 2},
    {200, 210, second, 2},
};

static void
brings_rows_over_and_acknowledges_them(void **state UNUSED)
{
    struct store_checkpoint own;
    struct fixture f;
    struct err err;

    begin(&f, two, 2);
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK(f.clean);
    CHECK_INT(sample_source_flush(), 210);
    CHECK_INT(stored_checkpoint(&f, &own), 210);
    CHECK_INT(own.lsn, 210);
    CHECK_INT(mock_ids(), 1);
    oracle(&f);
    end(&f);
}

static void
starts_at_the_checkpoint_and_drops_what_is_below_it(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f, two, 2);
    f.mappings[0].checkpoint.lsn = 110;
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK_STR(mock_log(), "U1@200.1 D2@200.2\n");
    oracle(&f);
    end(&f);
}

static void
a_lost_stream_is_opened_again_and_nothing_is_written_twice(void **state UNUSED)
{
    for (size_t events = 1; events < 9; events++) {
        struct fixture f;
        struct err err;

        begin(&f, two, 2);
        sample_source_lose_after(events);
        CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
        CHECK(f.clean);
        CHECK_INT(sample_source_opens(), 2);
        CHECK_INT(f.counters.rows, 4);
        CHECK_INT(mock_ids(), 1);
        CHECK_INT(sample_source_flush(), 210);
        oracle(&f);
        end(&f);
    }
}

static void
a_configuration_error_ends_the_flow_and_acknowledges_nothing_of_it(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f, two, 2);
    mock_answer((struct mock_answer){.kind = ERR_CONFIG, .text = "401 Unauthorized"});
    CHECK(!engine_run(&f.args, &f.clean, &err));
    CHECK_INT(err.kind, ERR_CONFIG);
    CHECK_STR(err.text, "mapping items: 401 Unauthorized");
    CHECK_INT(sample_source_flush(), 10);
    end(&f);
}

static void
strict_ends_the_flow_at_a_poison_row(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f, two, 2);
    f.args.strict = true;
    mock_poison("2");
    CHECK(!engine_run(&f.args, &f.clean, &err));
    CHECK_INT(err.kind, ERR_DATA);
    CHECK(sample_source_flush() < 110);
    end(&f);
}

static void
rule_07_a_dead_letter_counts_as_applied(void **state UNUSED)
{
    struct fixture f;
    struct err err;
    int64_t count;

    begin(&f, two, 2);
    mock_poison("2");
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK_OK(f.store->type->dead_letters_count(f.store, "items", &count, &err), err);
    CHECK(count >= 1);
    CHECK_INT(sample_source_flush(), 210);
    oracle(&f);
    end(&f);
}

/* Asks for a stop on the second tick: whatever could become durable is. */
static void
stop_after_two_ticks(void *arg)
{
    static int ticks;

    if (++ticks % 2 == 0)
        eventfd_write(*(int *)arg, 1);
}

static void
rule_26_a_mapping_stops_before_the_first_row_it_cannot_place(void **state UNUSED)
{
    static const struct column left[] = {
        {.name = {"id", 2}, .type = 20, .typmod = -1, .key = true}};
    int stop_fd = eventfd(0, EFD_CLOEXEC);
    struct schema narrow = sample_schema;
    struct store_checkpoint own;
    struct fixture f;
    struct err err;

    narrow.count = 1;
    narrow.columns = left;
    begin(&f, two, 2);
    sample_source_alter(1, &narrow);
    f.args.stop_fd = stop_fd;
    f.args.tick = stop_after_two_ticks;
    f.args.tick_arg = &stop_fd;
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK_STR(mock_log(), "U1@100.1 U2@100.2\n");
    CHECK_INT(stored_checkpoint(&f, &own), 110);
    CHECK_INT(own.lsn, 110);
    CHECK(own.flags & STORE_STOPPED);
    CHECK(strstr(own.text, "name"));
    CHECK_INT(sample_source_flush(), 110);
    CHECK_INT(f.counters.holder, 0);
    close(stop_fd);
    end(&f);
}

static bool
no_unknown_get(struct store *store UNUSED, const char *target UNUSED, int64_t *ret_until_ms UNUSED,
               struct err *err)
{
    return err_set(err, ERR_CONFIG, "damaged");
}

/* An id that does not belong to the first of four lanes. */
static const char *
id_of_another_lane(void)
{
    static const char *const ids[] = {"1", "2", "3", "4", "5", "6", "7", "8"};
    size_t i = 0;

    while (hash_bytes(span_of(ids[i])) % 4 == 0)
        i++;
    return ids[i];
}

/* ---- many rows ---- */

#define MANY 3000

static struct sample_change many_changes[MANY];
static char many_ids[MANY][8];
static struct sample_transaction many[MANY / 10];

static size_t
make_many(void)
{
    for (size_t i = 0; i < MANY; i++) {
        snprintf(many_ids[i], sizeof(many_ids[i]), "%zu", i % 97 + 1);
        many_changes[i] = (struct sample_change){CHANGE_INSERT, .id = many_ids[i], .name = "x"};
    }
    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = (struct sample_transaction){(i + 1) * 100, (i + 1) * 100 + 50,
                                              &many_changes[i * 10], 10};
    return ARRAY_LEN(many);
}

static void
a_busy_lane_fills_its_batches(void **state UNUSED)
{
    size_t count = make_many();
    struct fixture f;
    struct err err;

    begin(&f, many, count);
    mock_answer((struct mock_answer){.kind = ERR_NONE, .delay_ms = 50});
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK_INT(f.counters.rows, MANY);
    CHECK_INT(mock_ids(), 97);
    CHECK(mock_writes() < MANY / 100);
    oracle(&f);
    end(&f);
}

static void
rule_30_reading_stops_at_the_budget_and_goes_on(void **state UNUSED)
{
    size_t count = make_many();
    struct fixture f;
    struct err err;

    begin(&f, many, count);
    f.args.budget_bytes = 4096; /* some twenty rows */
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK_INT(f.counters.rows, MANY);
    CHECK(mock_largest() < 100);
    oracle(&f);
    end(&f);
}

static void
rule_10_the_lock_is_looked_after_while_nothing_is_read(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f, two, 2);
    f.args.budget_bytes = 2; /* the first row fills it */
    mock_answer((struct mock_answer){.kind = ERR_NONE, .delay_ms = 2500});
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK(sample_source_feedback_gap_ms() >= 900);
    CHECK(sample_source_feedback_gap_ms() < 1800);
    oracle(&f);
    end(&f);
}

static void
rule_15_ids_keep_their_lane_so_their_order_holds(void **state UNUSED)
{
    size_t count = make_many();
    struct fixture f;
    struct err err;

    begin(&f, many, count);
    f.mapping.lanes = 4;
    f.mapping.batch_max_rows = 7;
    for (int i = 0; i < 20; i++)
        mock_answer((struct mock_answer){.kind = i % 3 ? ERR_NONE : ERR_TRANSIENT, .delay_ms = i});
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK_INT(mock_ids(), 97);
    oracle(&f);
    end(&f);
}

static void
rule_18_a_truncate_at_its_barrier_outlives_the_stream(void **state UNUSED)
{
    static const struct sample_change changes[] = {
        {CHANGE_INSERT, .id = "1", .name = "a"},
        {.op = CHANGE_TRUNCATE},
        {CHANGE_INSERT, .id = "2", .name = "a"},
    };
    static const struct sample_transaction script[] = {{100, 110, changes, 3}};
    struct fixture f;
    struct err err;

    begin(&f, script, 1);
    f.mapping.lanes = 4;
    sample_source_lose_feedback(); /* the first comes while the insert is on its way */
    mock_answer((struct mock_answer){.kind = ERR_NONE, .delay_ms = 30});
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK_INT(sample_source_opens(), 2);
    CHECK_STR(mock_log(), "U1@100.1\nT@100.2\nU2@100.3\n");
    CHECK_INT(sample_source_flush(), 110);
    oracle(&f);
    end(&f);
}

static void
rule_15_an_id_that_was_not_sent_again_keeps_its_lane(void **state UNUSED)
{
    const char *id = id_of_another_lane();
    const struct sample_change changes[] = {
        {CHANGE_INSERT, .id = id, .name = "a"},
        {CHANGE_UPDATE, .id = "?", .name = "b", .old_id = id},
    };
    const struct sample_transaction script[] = {{100, 110, changes, 2}};
    struct fixture f;
    struct err err;

    begin(&f, script, 1);
    f.mapping.lanes = 4;
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK_INT(f.counters.rows, 2);
    CHECK_STR(mock_name(id), "b");
    CHECK_INT(mock_ids(), 1);
    oracle(&f);
    end(&f);
}

static void
rule_30_a_connection_is_renewed_only_when_all_is_saved(void **state UNUSED)
{
    struct fixture f;
    struct err err;

    begin(&f, two, 2);
    sample_source_want_renewal();
    mock_answer((struct mock_answer){.kind = ERR_NONE, .delay_ms = 300});
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK(sample_source_opens() <= 2);
    CHECK_INT(sample_source_flush(), 210);
    oracle(&f);
    end(&f);
}

static void
a_lane_that_cannot_start_ends_the_flow_and_saves_nothing(void **state UNUSED)
{
    struct store_type broken;
    struct fixture f;
    struct err err;

    begin(&f, two, 2);
    broken = *f.store->type;
    broken.unknown_get = no_unknown_get;
    f.mappings[0].checkpoint.flags = STORE_STOPPED; /* so that there is something to save */
    f.store->type = &broken;
    CHECK_FAILS(engine_run(&f.args, &f.clean, &err), err, ERR_CONFIG, "mapping items: damaged");
    CHECK(f.clean);
    CHECK_INT(sample_source_opens(), 0);
    end(&f);
}

static void
rule_18_truncate_is_a_barrier_over_all_lanes(void **state UNUSED)
{
    static const struct sample_change changes[] = {
        {CHANGE_INSERT, .id = "1", .name = "a"},
        {CHANGE_INSERT, .id = "2", .name = "a"},
        {CHANGE_INSERT, .id = "3", .name = "a"},
        {CHANGE_INSERT, .id = "4", .name = "a"},
        {.op = CHANGE_TRUNCATE},
        {CHANGE_INSERT, .id = "5", .name = "a"},
        {CHANGE_INSERT, .id = "6", .name = "a"},
    };
    static const struct sample_transaction script[] = {{100, 110, changes, 7}};
    const char *truncate;
    struct fixture f;
    struct err err;

    begin(&f, script, 1);
    f.mapping.lanes = 4;
    for (int i = 0; i < 3; i++)
        mock_answer((struct mock_answer){.kind = ERR_NONE, .delay_ms = 30});
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    truncate = strstr(mock_log(), "T@100.5");
    CHECK(truncate);
    for (int i = 1; i <= 6; i++) {
        char want[16];
        const char *at;

        snprintf(want, sizeof(want), "U%d@", i);
        at = strstr(mock_log(), want);
        CHECK(at && (i <= 4) == (at < truncate));
    }
    oracle(&f);
    end(&f);
}

static void
rule_19_every_lane_repeats_its_deletes(void **state UNUSED)
{
    const struct sample_change change = {CHANGE_DELETE, .id = id_of_another_lane()};
    const struct sample_transaction script[] = {{100, 110, &change, 1}};
    int stop_fd = eventfd(0, EFD_CLOEXEC);
    int64_t bytes, count, due_ms;
    struct fixture f;
    struct err err;

    begin(&f, script, 1);
    f.mapping.lanes = 4;
    f.mapping.grace_ms = 300;
    f.args.unclean = true;
    f.args.stop_fd = stop_fd;
    f.args.tick = stop_after_two_ticks;
    f.args.tick_arg = &stop_fd;
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK_INT(f.counters.journalled, 1);
    CHECK_OK(f.store->type->journal_size(f.store, "items", &bytes, &count, &due_ms, &err), err);
    CHECK_INT(count, 0);
    CHECK_INT(mock_writes(), 2);
    close(stop_fd);
    end(&f);
}

/* ---- stopping ---- */

static void
a_stop_is_over_within_its_bound_and_records_the_doubt(void **state UNUSED)
{
    int stop_fd = eventfd(0, EFD_CLOEXEC);
    struct fixture f;
    struct err err;
    int64_t until, begin_ms;

    begin(&f, two, 2);
    f.args.stop_fd = stop_fd;
    f.args.tick = stop_after_two_ticks;
    f.args.tick_arg = &stop_fd;
    f.args.stop_bound_ms = 400;
    mock_answer((struct mock_answer){.kind = ERR_NONE, .delay_ms = 60000});
    begin_ms = clock_mono_ms();
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK(f.clean);
    CHECK(clock_mono_ms() - begin_ms < 2000 + 1000);
    CHECK_OK(f.store->type->unknown_get(f.store, "items", &until, &err), err);
    CHECK(until > clock_wall_ms());
    CHECK_INT(sample_source_flush(), 10);
    CHECK_STR(mock_log(), "");
    close(stop_fd);
    end(&f);
}

static void
a_stop_lets_the_lanes_finish(void **state UNUSED)
{
    int stop_fd = eventfd(1, EFD_CLOEXEC);
    struct fixture f;
    struct err err;

    begin(&f, two, 2);
    f.args.stop_fd = stop_fd;
    f.args.tick = stop_after_two_ticks;
    f.args.tick_arg = &stop_fd;
    CHECK(eventfd_read(stop_fd, &(eventfd_t){0}) == 0);
    mock_answer((struct mock_answer){.kind = ERR_NONE, .delay_ms = 2500});
    f.args.stop_bound_ms = 8000;
    CHECK_OK(engine_run(&f.args, &f.clean, &err), err);
    CHECK(f.clean);
    CHECK_INT(sample_source_flush(), 210);
    oracle(&f);
    close(stop_fd);
    end(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(brings_rows_over_and_acknowledges_them),
        cmocka_unit_test(starts_at_the_checkpoint_and_drops_what_is_below_it),
        cmocka_unit_test(a_lost_stream_is_opened_again_and_nothing_is_written_twice),
        cmocka_unit_test(a_configuration_error_ends_the_flow_and_acknowledges_nothing_of_it),
        cmocka_unit_test(strict_ends_the_flow_at_a_poison_row),
        cmocka_unit_test(rule_07_a_dead_letter_counts_as_applied),
        cmocka_unit_test(rule_26_a_mapping_stops_before_the_first_row_it_cannot_place),
        cmocka_unit_test(a_busy_lane_fills_its_batches),
        cmocka_unit_test(rule_30_reading_stops_at_the_budget_and_goes_on),
        cmocka_unit_test(rule_10_the_lock_is_looked_after_while_nothing_is_read),
        cmocka_unit_test(rule_15_ids_keep_their_lane_so_their_order_holds),
        cmocka_unit_test(rule_18_truncate_is_a_barrier_over_all_lanes),
        cmocka_unit_test(rule_18_a_truncate_at_its_barrier_outlives_the_stream),
        cmocka_unit_test(rule_15_an_id_that_was_not_sent_again_keeps_its_lane),
        cmocka_unit_test(rule_30_a_connection_is_renewed_only_when_all_is_saved),
        cmocka_unit_test(a_lane_that_cannot_start_ends_the_flow_and_saves_nothing),
        cmocka_unit_test(rule_19_every_lane_repeats_its_deletes),
        cmocka_unit_test(a_stop_is_over_within_its_bound_and_records_the_doubt),
        cmocka_unit_test(a_stop_lets_the_lanes_finish),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
