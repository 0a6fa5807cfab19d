/* simulation: random histories, faults, zombies and restarts; in the end documents = rows. */
#include "engine/engine.h"

#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/random.h"
#include "harness/check.h"
#include "harness/mock_destination.h"
#include "harness/sample.h"
#include "state/sqlite.h"

#define CAPS (DEST_KEYED | DEST_VERSIONED | DEST_DURABLE | DEST_LATE_WRITES)

#define SEEDS        10
#define TRANSACTIONS 60
#define CHANGES_MAX  6
#define IDS          12
#define GRACE_MS     400

struct simulation {
    struct random random;
    struct arena *arena;

    /* the history, and what the rows are at its end */
    struct sample_transaction script[TRANSACTIONS];
    const char *rows[IDS + 1]; /* name by id; NULL: no row */

    struct mapping mapping;
    struct engine_mapping mappings[1];
    struct store *store;
    struct counters counters;
    int quiet_fd;
};

static uint64_t
below(struct simulation *s, uint64_t n)
{
    return random_next(&s->random) % n;
}

/* ---- a history ---- */

static const char *
number(struct simulation *s, const char *prefix, uint64_t n)
{
    char text[32];

    snprintf(text, sizeof(text), "%s%llu", prefix, (unsigned long long)n);
    return arena_strdup(s->arena, text);
}

/* A free id to move a row to; 0 when there is none. */
static uint64_t
free_id(struct simulation *s)
{
    for (uint64_t i = 0, at = below(s, IDS); i < IDS; i++, at = (at + 1) % IDS) {
        if (!s->rows[at + 1])
            return at + 1;
    }
    return 0;
}

static struct sample_change
random_change(struct simulation *s, uint64_t serial)
{
    uint64_t id = below(s, IDS) + 1, to;
    const char *name = number(s, "v", serial);
    uint64_t kind = below(s, 100);

    if (kind < 2) {
        memset(s->rows, 0, sizeof(s->rows));
        return (struct sample_change){.op = CHANGE_TRUNCATE};
    }
    if (!s->rows[id]) {
        s->rows[id] = name;
        return (struct sample_change){CHANGE_INSERT, .id = number(s, "", id), .name = name};
    }
    if (kind < 35) {
        s->rows[id] = NULL;
        return (struct sample_change){CHANGE_DELETE, .id = number(s, "", id)};
    }
    to = kind < 50 ? free_id(s) : 0;
    s->rows[id] = to ? NULL : name;
    if (!to)
        return (struct sample_change){CHANGE_UPDATE, .id = number(s, "", id), .name = name};
    s->rows[to] = name;
    return (struct sample_change){CHANGE_UPDATE, .id = number(s, "", to), .name = name,
                                  .old_id = number(s, "", id)};
}

static void
make_history(struct simulation *s)
{
    for (size_t i = 0; i < TRANSACTIONS; i++) {
        size_t count = below(s, CHANGES_MAX + 1); /* empty ones too */
        struct sample_change *changes = arena_new_n(s->arena, struct sample_change, CHANGES_MAX);

        for (size_t c = 0; c < count; c++)
            changes[c] = random_change(s, i * 100 + c);
        s->script[i] =
            (struct sample_transaction){(i + 1) * 100, (i + 1) * 100 + 10, changes, count};
    }
}

/* ---- runs over it ---- */

static void
script_faults(struct simulation *s)
{
    for (int i = 0; i < 30; i++) {
        struct mock_answer answer = {.kind = ERR_NONE, .delay_ms = (int64_t)below(s, 4)};

        switch (below(s, 6)) {
        case 0:
            answer.kind = ERR_TRANSIENT;
            break;
        case 1:
            answer.kind = ERR_TRANSIENT;
            answer.unknown = true;
            answer.zombie = (int)below(s, 12); /* 0: it never arrives */
            break;
        default:
            break;
        }
        mock_answer(answer);
    }
}

static struct engine_args
args_of(struct simulation *s, bool unclean, lsn_t start)
{
    return (struct engine_args){
        .source = sample_source(),
        .store = s->store,
        .mappings = s->mappings,
        .mapping_count = 1,
        .start = start,
        .unclean = unclean,
        .budget_bytes = 64 * 1024,
        .journal_max_bytes = 1024 * 1024,
        .stop_bound_ms = 2000,
        .backoff = {.base_ms = 2, .cap_ms = 20, .jitter = 0.25},
        .stop_fd = sample_source_stop_fd(),
        .counters = &s->counters,
    };
}

/* One life of the process: from the stored checkpoint to the end of the history, or a bit of it. */
static void
run_once(struct simulation *s, size_t transactions, bool unclean)
{
    struct store_checkpoint *stored;
    struct engine_args args;
    struct store_flow flow;
    struct err err;
    size_t count;
    bool clean;

    CHECK_OK(s->store->type->flow_load(s->store, s->arena, &flow, &err), err);
    CHECK_OK(s->store->type->checkpoints_load(s->store, s->arena, &stored, &count, &err), err);
    s->mappings[0].checkpoint =
        count ? stored[0] : (struct store_checkpoint){.mapping = "items", .lsn = 10, .text = ""};

    sample_source_reset(s->script, transactions);
    if (below(s, 2))
        sample_source_lose_after(below(s, 60) + 1);
    args = args_of(s, unclean, flow.checkpoint ? flow.checkpoint : 10);
    CHECK_OK(engine_run(&args, &clean, &err), err);
    CHECK(clean);
    mock_settle(); /* whatever is on its way arrives within the grace window */

    CHECK_OK(s->store->type->flow_load(s->store, s->arena, &flow, &err), err);
    CHECK(sample_source_flush() <= flow.checkpoint);
    CHECK(sample_source_flush_grew());
}

static int64_t
journal_entries(struct simulation *s)
{
    int64_t bytes, count, due;
    struct err err;

    CHECK_OK(s->store->type->journal_size(s->store, "items", &bytes, &count, &due, &err), err);
    return count;
}

/* thread: store */
static void
stop_when_quiet(void *arg)
{
    struct simulation *s = arg;

    if (journal_entries(s) == 0)
        eventfd_write(s->quiet_fd, 1);
}

/* A last life that only waits until nothing can arrive any more. */
static void
run_until_quiet(struct simulation *s)
{
    struct store_flow flow;
    struct engine_args args;
    struct err err;
    bool clean;

    CHECK_OK(s->store->type->flow_load(s->store, s->arena, &flow, &err), err);
    sample_source_reset(s->script, TRANSACTIONS);
    args = args_of(s, false, flow.checkpoint);
    args.stop_fd = s->quiet_fd;
    args.tick = stop_when_quiet;
    args.tick_arg = s;
    CHECK_OK(engine_run(&args, &clean, &err), err);
    CHECK(clean);
}

static void
compare(struct simulation *s, uint64_t seed)
{
    for (uint64_t id = 1; id <= IDS; id++) {
        const char *want = s->rows[id], *got = mock_name(number(s, "", id));

        if (!want != !got || (want && strcmp(want, got) != 0))
            fail_msg("seed %llu, id %llu: got %s, want %s", (unsigned long long)seed,
                     (unsigned long long)id, got ? got : "nothing", want ? want : "nothing");
    }
    CHECK(mock_ordered());
}

static void
simulate(uint64_t seed)
{
    struct simulation s = {.arena = arena_new("simulation"), .mapping = sample_mapping()};
    struct err err;

    s.quiet_fd = eventfd(0, EFD_CLOEXEC);
    random_seed(&s.random, seed);
    mock_reset(CAPS);
    counters_init(&s.counters);
    CHECK_OK(state_memory_open(&s.store, &err), err);
    s.mapping.lanes = seed % 3 ? 1 : 3;
    s.mapping.batch_max_rows = (int64_t)below(&s, 8) + 1;
    s.mapping.flush_interval_ms = (int64_t)below(&s, 5);
    s.mapping.grace_ms = GRACE_MS;
    s.mappings[0].mapping = &s.mapping;
    CHECK_OK(destination_open(mock_destination_type(), NULL, 0, s.arena, &s.mappings[0].destination,
                              &err),
             err);

    make_history(&s);
    for (size_t upto = 1 + below(&s, 20); upto < TRANSACTIONS; upto += 1 + below(&s, 30)) {
        script_faults(&s);
        run_once(&s, upto, below(&s, 2));
    }
    script_faults(&s);
    run_once(&s, TRANSACTIONS, below(&s, 2));
    run_until_quiet(&s);
    compare(&s, seed);

    close(s.quiet_fd);
    destination_close(s.mappings[0].destination);
    store_close(s.store);
    counters_done(&s.counters);
    arena_free(s.arena);
}

static void
documents_equal_rows_whatever_happens(void **state UNUSED)
{
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        simulate(seed);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(documents_equal_rows_whatever_happens),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
