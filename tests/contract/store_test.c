/* store: one table of promises, kept by every store (contract/store.h). */
#include <pthread.h>

#include "contract/store_cases.h"

/* ---- short forms ---- */

static void
save(struct fixture *f, lsn_t flow, const char *mapping, lsn_t lsn)
{
    struct store_checkpoint checkpoint = {.mapping = mapping, .lsn = lsn, .text = ""};

    CHECK_OK(f->type->checkpoints_save(f->store, flow, &checkpoint, 1, &f->err), f->err);
}

/* "users=10 orders=20 flow=10", hexadecimal. */
static void
check_checkpoints(struct fixture *f, const char *want)
{
    CLEANUP(buf_free) struct buf got = buf_make(4096);
    struct store_checkpoint *checkpoints;
    struct store_flow flow;
    size_t count;

    CHECK_OK(f->type->checkpoints_load(f->store, f->arena, &checkpoints, &count, &f->err), f->err);
    CHECK_OK(f->type->flow_load(f->store, f->arena, &flow, &f->err), f->err);
    for (size_t i = 0; i < count; i++)
        buf_putf(&got, "%s=%llX ", checkpoints[i].mapping, (unsigned long long)checkpoints[i].lsn);
    buf_putf(&got, "flow=%llX", (unsigned long long)flow.checkpoint);
    CHECK_SPAN(buf_span(&got), want);
}

/* ---- nothing stored yet ---- */

static void
an_empty_store_answers(void **state)
{
    struct fixture *f = *state;
    struct store_migration *migrations;
    struct store_dead_letter *letters;
    struct store_journal_entry *entries;
    struct store_flow flow;
    struct span text;
    size_t count = 7;
    int64_t until_ms = 7;

    CHECK_OK(f->type->flow_load(f->store, f->arena, &flow, &f->err), f->err);
    CHECK_STR(flow.system_id, "");
    CHECK_STR(flow.database, "");
    CHECK_STR(flow.slot, "");
    CHECK_STR(flow.publication, "");
    CHECK(!flow.has_started && !flow.clean_end && !flow.slot_intent);
    check_checkpoints(f, "flow=0");
    CHECK_OK(f->type->migrations_load(f->store, f->arena, &migrations, &count, &f->err), f->err);
    CHECK_INT(count, 0);
    CHECK_INT(list_letters(f, (struct store_dead_letter_filter){0}, &letters), 0);
    CHECK_INT(count_letters(f, NULL), 0);
    CHECK_INT(due(f, "users", INT64_MAX, 10, &entries), 0);
    check_journal(f, "users", 0, 0, INT64_MAX);
    check_journal(f, NULL, 0, 0, INT64_MAX);
    CHECK_OK(f->type->unknown_get(f->store, "users", &until_ms, &f->err), f->err);
    CHECK_INT(until_ms, 0);
    CHECK_OK(f->type->meta_get(f->store, "heartbeat", f->arena, &text, &f->err), f->err);
    CHECK_INT(text.len, 0);
}

/* ---- the flow ---- */

static void
the_flow_is_one_record(void **state)
{
    struct fixture *f = *state;
    const struct store_flow want = {
        .system_id = "7412369854123698541",
        .timeline = 4,
        .database = "O'Brien \"db\"",
        .slot = "puffgres",
        .publication = "puffgres",
        .epoch = 255,
        .slot_intent = true,
        .checkpoint = UINT64_C(0xFEDCBA9876543210), /* the top bit orders, too */
        .clean_end = true,
        .has_started = true,
    };
    struct store_flow other = want, got;

    CHECK_OK(f->type->flow_save(f->store, &want, &f->err), f->err);
    CHECK_OK(f->type->flow_load(f->store, f->arena, &got, &f->err), f->err);
    CHECK_STR(got.system_id, want.system_id);
    CHECK_INT(got.timeline, want.timeline);
    CHECK_STR(got.database, want.database);
    CHECK_STR(got.slot, want.slot);
    CHECK_STR(got.publication, want.publication);
    CHECK_INT(got.epoch, want.epoch);
    CHECK(got.slot_intent && got.clean_end && got.has_started);
    CHECK(got.checkpoint == want.checkpoint);

    other.slot = "other";
    other.slot_intent = other.clean_end = other.has_started = false;
    CHECK_OK(f->type->flow_save(f->store, &other, &f->err), f->err);
    CHECK_OK(f->type->flow_load(f->store, f->arena, &got, &f->err), f->err);
    CHECK_STR(got.slot, "other");
    CHECK(!got.slot_intent && !got.clean_end && !got.has_started);
}

/* ---- checkpoints ---- */

static void
a_checkpoint_is_saved_with_the_flow(void **state)
{
    struct fixture *f = *state;
    const struct store_checkpoint both[] = {
        {.mapping = "users", .lsn = 0x30, .flags = STORE_BACKFILLED, .text = ""},
        {.mapping = "orders",
         .lsn = 0x20,
         .truncate = {0x18, UINT64_MAX},
         .flags = STORE_STOPPED | STORE_REREAD_NEEDED,
         .text = "column email is gone"},
    };
    struct store_checkpoint *got;
    size_t count;

    CHECK_OK(f->type->checkpoints_save(f->store, 0x20, both, 2, &f->err), f->err);
    check_checkpoints(f, "orders=20 users=30 flow=20");
    CHECK_OK(f->type->checkpoints_load(f->store, f->arena, &got, &count, &f->err), f->err);
    CHECK_INT(got[0].flags, STORE_STOPPED | STORE_REREAD_NEEDED);
    CHECK_STR(got[0].text, "column email is gone");
    check_position(got[0].truncate, at(0x18, UINT64_MAX));
    CHECK_INT(got[1].flags, STORE_BACKFILLED);
    CHECK_STR(got[1].text, "");
    check_position(got[1].truncate, at(0, 0));

    save(f, 0x21, "users", 0x40); /* the mappings that are not named stay */
    check_checkpoints(f, "orders=20 users=40 flow=21");
    CHECK_OK(f->type->checkpoints_save(f->store, 0x22, NULL, 0, &f->err), f->err);
    check_checkpoints(f, "orders=20 users=40 flow=22");
    save(f, 0x22, "users", 0x40); /* the same again is no step back */
    check_checkpoints(f, "orders=20 users=40 flow=22");
}

static void
a_checkpoint_keeps_what_the_flow_had(void **state)
{
    struct fixture *f = *state;
    struct store_flow flow = {
        .system_id = "1", .database = "d", .slot = "s", .publication = "p", .has_started = true};

    CHECK_OK(f->type->flow_save(f->store, &flow, &f->err), f->err);
    save(f, 0x20, "users", 0x20);
    CHECK_OK(f->type->flow_load(f->store, f->arena, &flow, &f->err), f->err);
    CHECK_STR(flow.slot, "s");
    CHECK(flow.has_started);
    CHECK_INT(flow.checkpoint, 0x20);
}

static void
rule_07_a_checkpoint_never_goes_back(void **state)
{
    struct fixture *f = *state;
    const struct store_checkpoint ahead_and_back[] = {
        {.mapping = "users", .lsn = UINT64_C(0x8000000000000001), .text = ""},
        {.mapping = "orders", .lsn = 0x0F, .text = ""},
    };
    struct store_flow flow = {
        .system_id = "", .database = "", .slot = "", .publication = "", .checkpoint = 0x0F};

    save(f, 0x10, "orders", 0x10);
    save(f, 0x10, "users", UINT64_C(0x8000000000000000));

    CHECK_FAILS(f->type->checkpoints_save(f->store, 0x10, ahead_and_back, 2, &f->err), f->err,
                ERR_BUG,
                "saving the checkpoint: the checkpoint of orders would go back from "
                "00000000/00000010 to 00000000/0000000F");
    check_checkpoints(f, "orders=10 users=8000000000000000 flow=10"); /* all or nothing */
    CHECK_FAILS(f->type->checkpoints_save(f->store, 0x0F, NULL, 0, &f->err), f->err, ERR_BUG,
                "saving the checkpoint: the checkpoint of the flow would go back from "
                "00000000/00000010 to 00000000/0000000F");
    CHECK_FAILS(f->type->flow_save(f->store, &flow, &f->err), f->err, ERR_BUG,
                "saving the flow: the checkpoint of the flow would go back from "
                "00000000/00000010 to 00000000/0000000F");
    check_checkpoints(f, "orders=10 users=8000000000000000 flow=10");
}

static void
a_reset_forgets_all_checkpoints(void **state)
{
    struct fixture *f = *state;
    struct store_flow flow = {
        .system_id = "1", .database = "", .slot = "s", .publication = "", .checkpoint = 0x10};

    CHECK_OK(f->type->flow_save(f->store, &flow, &f->err), f->err);
    save(f, 0x10, "orders", 0x10);
    CHECK_OK(f->type->checkpoints_reset(f->store, &f->err), f->err);
    check_checkpoints(f, "flow=0");
    save(f, 0x05, "orders", 0x05); /* and so it may begin lower */
    check_checkpoints(f, "orders=5 flow=5");
    CHECK_OK(f->type->flow_load(f->store, f->arena, &flow, &f->err), f->err);
    CHECK_STR(flow.slot, "s");
}

static void
rule_18_the_truncate_floor_never_sinks(void **state)
{
    struct fixture *f = *state;
    const struct position positions[] = {{0x10, 2}, {0x10, 1}, {0, 0}, {0x0F, 9}, {0x10, 3}};
    const struct position want[] = {{0x10, 2}, {0x10, 2}, {0x10, 2}, {0x10, 2}, {0x10, 3}};

    for (size_t i = 0; i < ARRAY_LEN(positions); i++) {
        const struct store_checkpoint one = {
            .mapping = "users", .lsn = 0x20, .truncate = positions[i], .text = ""};
        struct store_checkpoint *got;
        size_t count;

        CHECK_OK(f->type->checkpoints_save(f->store, 0x20, &one, 1, &f->err), f->err);
        CHECK_OK(f->type->checkpoints_load(f->store, f->arena, &got, &count, &f->err), f->err);
        check_position(got[0].truncate, want[i]);
    }
}

/* ---- migrations ---- */

static void
migrations_are_recorded_in_order(void **state)
{
    struct fixture *f = *state;
    const struct store_migration given[] = {
        {"users", 2, "migrations/002_users.toml", "bb", "users_v2", "{\"v\":2}", 2000},
        {"users", 1, "migrations/001_users.toml", "aa", "users", "{\"v\":1}", 1000},
        {"orders", 10, "migrations/003_orders.toml", "cc", "orders", "{}", 3000},
    };
    struct store_migration *got;
    size_t count;

    for (size_t i = 0; i < ARRAY_LEN(given); i++)
        CHECK_OK(f->type->migration_add(f->store, &given[i], &f->err), f->err);
    CHECK_OK(f->type->migrations_load(f->store, f->arena, &got, &count, &f->err), f->err);
    CHECK_INT(count, 3);
    CHECK_STR(got[0].mapping, "orders");
    CHECK_INT(got[0].version, 10);
    CHECK_INT(got[1].version, 1);
    CHECK_STR(got[1].file, "migrations/001_users.toml");
    CHECK_STR(got[2].hash, "bb");
    CHECK_STR(got[2].target, "users_v2");
    CHECK_STR(got[2].normal, "{\"v\":2}");
    CHECK_INT(got[2].applied_ms, 2000);
}

static void
a_migration_is_applied_once(void **state)
{
    struct fixture *f = *state;
    struct store_migration one = {"users", 1, "migrations/001_users.toml", "aa", "users", "{}", 1};
    struct store_migration *got;
    size_t count;

    CHECK_OK(f->type->migration_add(f->store, &one, &f->err), f->err);
    one.applied_ms = 2; /* two `migrate` at the same time: both are right */
    CHECK_OK(f->type->migration_add(f->store, &one, &f->err), f->err);
    one.hash = "bb";
    one.file = "migrations/009_users.toml";
    CHECK_FAILS(f->type->migration_add(f->store, &one, &f->err), f->err, ERR_CONFIG,
                "recording a migration: migrations/009_users.toml: version 1 of mapping users was "
                "applied from migrations/001_users.toml with other content; give the change a new "
                "version");
    CHECK_OK(f->type->migrations_load(f->store, f->arena, &got, &count, &f->err), f->err);
    CHECK_INT(count, 1);
    CHECK_STR(got[0].hash, "aa");
    CHECK_INT(got[0].applied_ms, 1);
}

/* ---- unknown requests, small texts ---- */

static void
rule_19_the_unknown_window_only_grows(void **state)
{
    struct fixture *f = *state;
    static const int64_t puts[] = {1000, 500, 2000, 1999};
    static const int64_t want[] = {1000, 1000, 2000, 2000};
    int64_t got;

    for (size_t i = 0; i < ARRAY_LEN(puts); i++) {
        CHECK_OK(f->type->unknown_put(f->store, "users", puts[i], &f->err), f->err);
        CHECK_OK(f->type->unknown_get(f->store, "users", &got, &f->err), f->err);
        CHECK_INT(got, want[i]);
    }
    CHECK_OK(f->type->unknown_get(f->store, "orders", &got, &f->err), f->err);
    CHECK_INT(got, 0);
}

static void
small_texts_have_names(void **state)
{
    struct fixture *f = *state;
    struct span got;

    CHECK_OK(f->type->meta_put(f->store, "heartbeat", SPAN("{\"events\":1}"), &f->err), f->err);
    CHECK_OK(f->type->meta_put(f->store, "tables", SPAN("[]"), &f->err), f->err);
    CHECK_OK(f->type->meta_put(f->store, "heartbeat", SPAN("{\"events\":2}"), &f->err), f->err);
    CHECK_OK(f->type->meta_get(f->store, "heartbeat", f->arena, &got, &f->err), f->err);
    CHECK_SPAN(got, "{\"events\":2}");
    CHECK_OK(f->type->meta_get(f->store, "tables", f->arena, &got, &f->err), f->err);
    CHECK_SPAN(got, "[]");
    CHECK_OK(f->type->meta_put(f->store, "tables", (struct span){0}, &f->err), f->err);
    CHECK_OK(f->type->meta_get(f->store, "tables", f->arena, &got, &f->err), f->err);
    CHECK_INT(got.len, 0);
}

/* ---- what survives ---- */

static void
rule_07_what_was_saved_survives_a_restart(void **state)
{
    struct fixture *f = *state;
    const struct store_migration migration = {"users", 1, "f", "h", "users", "{}", 1};
    struct store_migration *migrations;
    struct store_journal_entry *entries;
    int64_t until_ms, kept = f->kind->persistent ? 1 : 0;
    struct span text;
    size_t count;

    CHECK_INT(f->type->persistent, f->kind->persistent);
    CHECK_STR(f->type->name, f->kind->name);
    save(f, 0x10, "users", 0x20);
    CHECK_OK(f->type->migration_add(f->store, &migration, &f->err), f->err);
    add_letter(f, "users", at(0x10, 1), "1");
    journal(f, "users", entry("1", at(0x10, 1), 100));
    CHECK_OK(f->type->unknown_put(f->store, "users", 100, &f->err), f->err);
    CHECK_OK(f->type->meta_put(f->store, "k", SPAN("v"), &f->err), f->err);

    reopen(f);
    check_checkpoints(f, kept ? "users=20 flow=10" : "flow=0");
    CHECK_OK(f->type->migrations_load(f->store, f->arena, &migrations, &count, &f->err), f->err);
    CHECK_INT(count, kept);
    CHECK_INT(count_letters(f, NULL), kept);
    CHECK_INT(due(f, "users", 100, 10, &entries), kept);
    check_journal(f, NULL, kept * (64 + 1), kept, kept ? 100 : INT64_MAX);
    CHECK_OK(f->type->unknown_get(f->store, "users", &until_ms, &f->err), f->err);
    CHECK_INT(until_ms, kept * 100);
    CHECK_OK(f->type->meta_get(f->store, "k", f->arena, &text, &f->err), f->err);
    CHECK_SPAN(text, kept ? "v" : "");
}

/* ---- any thread ---- */

#define THREADS 4
#define ROUNDS  40

struct worker {
    struct fixture *f;
    pthread_t thread;
    size_t number;
    bool failed;
    struct err err;
};

static bool
work(struct worker *w, struct arena *arena, uint64_t round)
{
    struct store *store = w->f->store;
    const struct store_type *type = w->f->type;
    struct store_dead_letter one = letter("users", at(round, w->number), SPAN("1"));
    struct store_journal_entry shared = entry("1", at(round, w->number), (int64_t)round);
    struct store_checkpoint *checkpoints;
    size_t count;

    return type->dead_letters_add(store, &one, 1, &w->err) &&
           type->journal_add(store, "users", &shared, 1, &w->err) &&
           type->unknown_put(store, "users", (int64_t)round, &w->err) &&
           type->checkpoints_load(store, arena, &checkpoints, &count, &w->err) &&
           type->meta_put(store, "k", SPAN("v"), &w->err);
}

static void *
worker_main(void *arg)
{
    struct worker *w = arg;
    CLEANUP(arena_freep) struct arena *arena = arena_new("worker");

    for (uint64_t round = 1; round <= ROUNDS && !w->failed; round++)
        w->failed = !work(w, arena, round);
    return NULL;
}

static void
any_thread_may_call(void **state)
{
    struct fixture *f = *state;
    struct worker workers[THREADS] = {0};
    struct store_journal_entry *got;
    int64_t until_ms;

    for (size_t i = 0; i < THREADS; i++) {
        workers[i].f = f;
        workers[i].number = i + 1;
        CHECK_INT(pthread_create(&workers[i].thread, NULL, worker_main, &workers[i]), 0);
    }
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(workers[i].thread, NULL);
    for (size_t i = 0; i < THREADS; i++)
        CHECK_OK(!workers[i].failed, workers[i].err);
    CHECK_INT(count_letters(f, "users"), THREADS * ROUNDS);
    CHECK_INT(due(f, "users", INT64_MAX, 10, &got), 1);
    check_position(got[0].position, at(ROUNDS, THREADS));
    CHECK_OK(f->type->unknown_get(f->store, "users", &until_ms, &f->err), f->err);
    CHECK_INT(until_ms, ROUNDS);
}

int
main(void)
{
    static const struct store_case cases[] = {
        STORE_CASE(an_empty_store_answers),
        STORE_CASE(the_flow_is_one_record),
        STORE_CASE(a_checkpoint_is_saved_with_the_flow),
        STORE_CASE(a_checkpoint_keeps_what_the_flow_had),
        STORE_CASE(rule_07_a_checkpoint_never_goes_back),
        STORE_CASE(a_reset_forgets_all_checkpoints),
        STORE_CASE(rule_18_the_truncate_floor_never_sinks),
        STORE_CASE(migrations_are_recorded_in_order),
        STORE_CASE(a_migration_is_applied_once),
        STORE_CASE(rule_19_the_unknown_window_only_grows),
        STORE_CASE(small_texts_have_names),
        STORE_CASE(rule_07_what_was_saved_survives_a_restart),
        STORE_CASE(any_thread_may_call),
    };

    return run_store_cases("store", cases, ARRAY_LEN(cases));
}
