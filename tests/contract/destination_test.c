/*
 * The suite that every destination passes, driven as the engine drives it: batches through
 * delivery, with a store and a gate, before something that fails on demand.
 */
#include <pthread.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "destination_subject.h"
#include "engine/delivery.h"
#include "harness/check.h"
#include "harness/sample.h"
#include "state/sqlite.h"

#define GRACE_MS 300

struct world {
    const struct subject_type *type;
    void *subject;
    struct arena *arena;
    struct mapping mapping;
    const struct projection *projection;
    struct destination *destination;
    struct store *store;
    struct gate gate;
    struct counters counters;
    struct delivery delivery;
    struct batch *batch;
};

/* ---- life ---- */

static void
open_lane(struct world *w)
{
    struct opt_value values[SETTINGS_MAX];
    size_t count = w->type->settings(w->subject, values);
    struct err err;

    gate_init(&w->gate);
    gate_set(&w->gate, true);
    CHECK_OK(destination_open(w->type->destination, values, count, w->arena, &w->destination, &err),
             err);
    w->delivery = (struct delivery){
        .store = w->store,
        .gate = &w->gate,
        .counters = &w->counters,
        .journal_max_bytes = 1024 * 1024,
        .backoff = {.base_ms = 2, .cap_ms = 20, .jitter = 0.25},
    };
    CHECK_OK(
        destination_lane_open(w->destination, &w->mapping, 0, w->arena, &w->delivery.lane, &err),
        err);
    CHECK_OK(delivery_init(&w->delivery, false, &err), err);
}

static void
close_lane(struct world *w)
{
    delivery_done(&w->delivery);
    destination_lane_close(w->delivery.lane);
    destination_close(w->destination);
    gate_done(&w->gate);
}

static void
begin(struct world *w, const struct subject_type *type)
{
    struct err err;

    *w = (struct world){.type = type, .arena = arena_new("world"), .mapping = sample_mapping()};
    w->mapping.destination = type->name;
    w->mapping.grace_ms = GRACE_MS;
    w->subject = type->start();
    counters_init(&w->counters);
    CHECK_OK(state_memory_open(&w->store, &err), err);
    CHECK_OK(projection_make(&w->mapping, &sample_schema, NULL, w->arena, &w->projection, &err),
             err);
    open_lane(w);
    w->batch = batch_new(&w->mapping, 0);
}

static void
end(struct world *w)
{
    batch_free(w->batch);
    close_lane(w);
    w->type->stop(w->subject);
    store_close(w->store);
    counters_done(&w->counters);
    arena_free(w->arena);
}

/* ---- doing ---- */

static void
add(struct world *w, lsn_t commit, enum change_op op, const char *id, const char *name)
{
    const struct sample_change from = {op, .id = id, .name = name};
    struct change change =
        sample_change_make(&from, (struct position){commit, w->batch->count + 1});

    batch_add(w->batch, w->projection, &change, ROW_WHOLE);
}

static bool
run(struct world *w, struct err *err)
{
    bool done = delivery_run(&w->delivery, w->batch, err);

    batch_clear(w->batch);
    return done;
}

static void
must_run(struct world *w)
{
    struct err err;

    CHECK_OK(run(w, &err), err);
}

/* The transaction at 100: three rows; the one at 200: one changed, one gone. */
static void
first_batch(struct world *w)
{
    add(w, 100, CHANGE_INSERT, "1", "a");
    add(w, 100, CHANGE_INSERT, "2", "b");
    add(w, 100, CHANGE_INSERT, "3", "c");
    must_run(w);
}

static void
second_batch(struct world *w)
{
    add(w, 200, CHANGE_UPDATE, "2", "B");
    add(w, 200, CHANGE_DELETE, "3", NULL);
    must_run(w);
}

#define CHECK_CONTENTS(w, want) check_contents_at((w), (want), __FILE__, __LINE__)

static void
check_contents_at(struct world *w, const char *want, const char *file, int line)
{
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(16));

    if (!w->type->keeps)
        return;
    w->type->contents(w->subject, &out);
    if (!span_eq(buf_span(&out), span_of(want))) {
        print_error("%s holds \"%s\", want \"%s\"\n", w->type->name, buf_span(&out).ptr, want);
        _fail(file, line);
    }
}

static int64_t
letters(struct world *w)
{
    struct err err;
    int64_t count;

    CHECK_OK(w->store->type->dead_letters_count(w->store, NULL, &count, &err), err);
    return count;
}

static bool
in_doubt(struct world *w)
{
    struct err err;
    int64_t until_ms;

    CHECK_OK(w->store->type->unknown_get(w->store, "items", &until_ms, &err), err);
    return until_ms > 0;
}

/* False when the subject cannot do it; the reason is printed. */
static bool
can(const struct world *w, enum mischief mischief)
{
    if (w->type->excuses[mischief])
        print_message("# %s: %s\n", w->type->name, w->type->excuses[mischief]);
    return !w->type->excuses[mischief];
}

/* ---- the suite: each takes its subject as state ---- */

static void
writes(void **state)
{
    struct world w;

    begin(&w, *state);
    first_batch(&w);
    second_batch(&w);
    CHECK_CONTENTS(&w, "1=a 2=B");
    end(&w);
}

static void
rule_03_a_replay_changes_nothing(void **state)
{
    struct world w;

    begin(&w, *state);
    for (int round = 0; round < 3; round++) {
        first_batch(&w);
        second_batch(&w);
    }
    CHECK_CONTENTS(&w, "1=a 2=B");
    end(&w);
}

static void
rule_02_an_older_row_never_replaces_a_newer_one(void **state)
{
    struct world w;

    begin(&w, *state);
    first_batch(&w);
    second_batch(&w);
    add(&w, 100, CHANGE_INSERT, "1", "a");
    add(&w, 100, CHANGE_INSERT, "2", "b");
    must_run(&w);
    add(&w, 150, CHANGE_DELETE, "2", NULL);
    must_run(&w);
    CHECK_CONTENTS(&w, "1=a 2=B");
    end(&w);
}

static void
survives_a_restart(void **state)
{
    struct world w;

    begin(&w, *state);
    first_batch(&w);
    close_lane(&w);
    open_lane(&w);
    first_batch(&w); /* replayed: the checkpoint was not saved */
    second_batch(&w);
    CHECK_CONTENTS(&w, "1=a 2=B");
    end(&w);
}

static void
rule_16_a_poison_row_goes_alone(void **state)
{
    static char poison[5000];
    struct world w;

    memset(poison, 'x', sizeof(poison) - 1);
    begin(&w, *state);
    for (int i = 1; i <= 20; i++) {
        char id[16];

        snprintf(id, sizeof(id), "%d", i);
        add(&w, 100, CHANGE_INSERT, id, i == 13 && w.type->poison ? poison : "x");
    }
    must_run(&w);
    CHECK_INT(letters(&w), w.type->poison ? 1 : 0);
    if (w.type->poison)
        CHECK_CONTENTS(&w, "1=x 2=x 3=x 4=x 5=x 6=x 7=x 8=x 9=x 10=x 11=x 12=x 14=x 15=x 16=x "
                           "17=x 18=x 19=x 20=x");
    end(&w);
}

static void
rule_16_when_all_rows_are_poison_nothing_is_a_dead_letter(void **state)
{
    static char poison[5000];
    struct world w;
    struct err err = {0};

    memset(poison, 'x', sizeof(poison) - 1);
    begin(&w, *state);
    if (w.type->poison) {
        for (int i = 1; i <= 16; i++) {
            char id[16];

            snprintf(id, sizeof(id), "%d", i);
            add(&w, 100, CHANGE_INSERT, id, poison);
        }
        CHECK(!run(&w, &err));
        CHECK_INT(err.kind, ERR_CONFIG);
        CHECK_INT(letters(&w), 0);
    }
    end(&w);
}

/* The first of two batches meets with mischief; both are there in the end. */
static void
converges_after(const struct subject_type *type, enum mischief mischief, bool doubt)
{
    struct world w;

    begin(&w, type);
    if (can(&w, mischief)) {
        w.type->do_mischief(w.subject, mischief);
        first_batch(&w);
        CHECK_INT(in_doubt(&w), doubt);
        second_batch(&w);
        CHECK_CONTENTS(&w, "1=a 2=B");
    }
    end(&w);
}

static void
waits_while_throttled(void **state)
{
    converges_after(*state, MISCHIEF_THROTTLE, false);
}

static void
rule_19_a_connection_lost_before_the_commit(void **state)
{
    converges_after(*state, MISCHIEF_LOSE_BEFORE, true);
}

static void
rule_19_a_connection_lost_after_the_commit(void **state)
{
    converges_after(*state, MISCHIEF_LOSE_AFTER, true);
}

static void
accepted_is_not_done(void **state)
{
    converges_after(*state, MISCHIEF_ACCEPT, true);
}

/* The zombie: the first attempt of the upsert arrives behind the delete (facts 4.3). */
static void
rule_19_a_late_upsert_does_not_outlive_its_delete(void **state)
{
    struct world w;
    struct err err;

    begin(&w, *state);
    if (can(&w, MISCHIEF_APPLY_LATER)) {
        w.type->do_mischief(w.subject, MISCHIEF_APPLY_LATER);
        first_batch(&w);
        add(&w, 200, CHANGE_DELETE, "1", NULL);
        must_run(&w);
        CHECK_CONTENTS(&w, "2=b 3=c");
        w.type->relent(w.subject);
        CHECK_CONTENTS(&w, "1=a 2=b 3=c"); /* back from the dead */

        CHECK(w.delivery.repeat_ms < INT64_MAX);
        while (clock_wall_ms() < w.delivery.repeat_ms)
            usleep(10 * 1000);
        CHECK_OK(delivery_repeat(&w.delivery, &err), err);
        CHECK_CONTENTS(&w, "2=b 3=c");
    }
    end(&w);
}

static void
rule_20_a_tombstone_holds_off_a_late_upsert(void **state)
{
    struct world w;

    begin(&w, *state);
    if (can(&w, MISCHIEF_APPLY_LATER)) {
        close_lane(&w);
        w.mapping.deletes = DELETES_TOMBSTONE;
        open_lane(&w);
        w.type->do_mischief(w.subject, MISCHIEF_APPLY_LATER);
        first_batch(&w);
        add(&w, 200, CHANGE_DELETE, "1", NULL);
        must_run(&w);
        CHECK_CONTENTS(&w, "1=- 2=b 3=c"); /* the tombstone: nothing but its version */
        w.type->relent(w.subject);
        CHECK_CONTENTS(&w, "1=- 2=b 3=c");
    }
    end(&w);
}

static void
rule_18_truncate_clears_what_is_older(void **state)
{
    struct world w;

    begin(&w, *state);
    first_batch(&w);
    add(&w, 200, CHANGE_TRUNCATE, NULL, NULL);
    must_run(&w);
    add(&w, 300, CHANGE_INSERT, "4", "d");
    must_run(&w);
    add(&w, 200, CHANGE_TRUNCATE, NULL, NULL); /* replayed */
    must_run(&w);
    CHECK_CONTENTS(&w, "4=d");
    end(&w);
}

static void *
cancel_soon(void *gate)
{
    usleep(100 * 1000);
    gate_cancel(gate);
    return NULL;
}

static void
rule_10_a_stop_does_not_wait_for_a_write(void **state)
{
    static char text[3500];
    struct world w;

    memset(text, 'x', sizeof(text) - 1);
    begin(&w, *state);
    if (can(&w, MISCHIEF_STALL)) {
        int64_t begin_ms = clock_mono_ms();
        struct err err = {0};
        pthread_t thread;

        w.type->do_mischief(w.subject, MISCHIEF_STALL);
        pthread_create(&thread, NULL, cancel_soon, &w.gate);
        for (int i = 0; i < 60; i++) { /* more than a pipe takes */
            char id[16];

            snprintf(id, sizeof(id), "%d", 100 + i);
            add(&w, 90, CHANGE_INSERT, id, text);
        }
        CHECK(!run(&w, &err));
        CHECK_INT(err.kind, ERR_CANCELED);
        CHECK(clock_mono_ms() - begin_ms < 1200);
        pthread_join(thread, NULL);

        close_lane(&w);
        w.type->relent(w.subject);
        usleep(1600 * 1000); /* the stalled request may still be carried out */
        open_lane(&w);
        for (int i = 0; i < 60; i++) {
            char id[16];

            snprintf(id, sizeof(id), "%d", 100 + i);
            add(&w, 95, CHANGE_DELETE, id, NULL);
        }
        must_run(&w);
        first_batch(&w);
        CHECK_CONTENTS(&w, "1=a 2=b 3=c");
    }
    end(&w);
}

static void
many_rows_take_several_requests(void **state)
{
    CLEANUP(buf_free) struct buf want = buf_make(MEGABYTES(1));
    struct world w;

    begin(&w, *state);
    close_lane(&w);
    w.mapping.batch_max_bytes = 4000;
    open_lane(&w);
    for (int i = 0; i < 700; i++) {
        char id[16];

        snprintf(id, sizeof(id), "%d", 1000 + i);
        add(&w, 100, CHANGE_INSERT, id, "x");
        if (i >= 600)
            buf_putf(&want, "%s%s=x", want.len ? " " : "", id);
    }
    must_run(&w);
    for (int i = 0; i < 600; i++) {
        char id[16];

        snprintf(id, sizeof(id), "%d", 1000 + i);
        add(&w, 200, CHANGE_DELETE, id, NULL);
    }
    must_run(&w);
    CHECK_CONTENTS(&w, want.ptr);
    end(&w);
}

/* ---- one test per subject and case ---- */

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

static const struct {
    const char *name;
    CMUnitTestFunction run;
} cases[] = {
    CASE(writes),
    CASE(rule_03_a_replay_changes_nothing),
    CASE(rule_02_an_older_row_never_replaces_a_newer_one),
    CASE(survives_a_restart),
    CASE(rule_16_a_poison_row_goes_alone),
    CASE(rule_16_when_all_rows_are_poison_nothing_is_a_dead_letter),
    CASE(waits_while_throttled),
    CASE(rule_19_a_connection_lost_before_the_commit),
    CASE(rule_19_a_connection_lost_after_the_commit),
    CASE(accepted_is_not_done),
    CASE(rule_19_a_late_upsert_does_not_outlive_its_delete),
    CASE(rule_20_a_tombstone_holds_off_a_late_upsert),
    CASE(rule_18_truncate_clears_what_is_older),
    CASE(rule_10_a_stop_does_not_wait_for_a_write),
    CASE(many_rows_take_several_requests),
};

#define SUBJECTS_MAX 8
#define NAME_SIZE    128

int
main(void)
{
    static struct CMUnitTest tests[ARRAY_LEN(cases) * SUBJECTS_MAX];
    static char names[ARRAY_LEN(cases) * SUBJECTS_MAX][NAME_SIZE];
    static struct subject_type copies[SUBJECTS_MAX]; /* cmocka wants state that is not const */
    size_t count = 0;

    log_set_level(LOG_LEVEL_ERROR);
    setvbuf(stdout, NULL, _IONBF, 0);
    for (size_t s = 0; subjects[s]; s++) {
        copies[s] = *subjects[s];
        for (size_t i = 0; i < ARRAY_LEN(cases); i++, count++) {
            snprintf(names[count], NAME_SIZE, "%s_%s", copies[s].name, cases[i].name);
            tests[count] = (struct CMUnitTest){
                .name = names[count], .test_func = cases[i].run, .initial_state = &copies[s]};
        }
    }
    return _cmocka_run_group_tests("destination", tests, count, NULL, NULL);
}
