/* ledger: flush <= checkpoint <= durable, whatever happens in which order. */
#include "engine/ledger.h"

#include "harness/check.h"

static void
rule_06_durable_is_the_least_floor_of_unfinished_batches(void **state UNUSED)
{
    struct ledger l;
    size_t first, second;

    ledger_init(&l, 2, 100);
    ledger_begin(&l);
    first = ledger_open(&l, 0);
    ledger_commit(&l, 200);
    ledger_begin(&l);
    second = ledger_open(&l, 1);
    ledger_commit(&l, 300);

    CHECK_INT(ledger_floor(&l, first), 100);
    CHECK_INT(ledger_floor(&l, second), 200);
    CHECK_INT(ledger_durable(&l), 100);
    CHECK_INT(ledger_mapping_durable(&l, 0), 100);
    CHECK_INT(ledger_mapping_durable(&l, 1), 200);
    CHECK_INT(ledger_holder(&l), 0);

    ledger_finish(&l, first);
    CHECK_INT(ledger_durable(&l), 200);
    CHECK_INT(ledger_mapping_durable(&l, 0), 300);
    ledger_finish(&l, second);
    CHECK_INT(ledger_durable(&l), 300);
    CHECK_INT(ledger_holder(&l), 2);
    ledger_done(&l);
}

static void
rule_06_a_batch_that_is_done_before_its_commit_is_not_durable(void **state UNUSED)
{
    struct ledger l;

    ledger_init(&l, 1, 100);
    ledger_begin(&l);
    ledger_finish(&l, ledger_open(&l, 0));
    CHECK_INT(ledger_durable(&l), 100);
    ledger_commit(&l, 200);
    CHECK_INT(ledger_durable(&l), 200);
    ledger_done(&l);
}

static void
rule_06_keepalives_count_between_transactions_only(void **state UNUSED)
{
    struct ledger l;

    ledger_init(&l, 1, 100);
    ledger_keepalive(&l, 150);
    CHECK_INT(ledger_durable(&l), 150);
    ledger_keepalive(&l, 120);
    CHECK_INT(ledger_durable(&l), 150);
    ledger_begin(&l);
    ledger_keepalive(&l, 900);
    CHECK_INT(ledger_durable(&l), 150);
    ledger_commit(&l, 200);
    CHECK_INT(ledger_durable(&l), 200);
    ledger_done(&l);
}

static void
defect_p2_10_keepalives_without_traffic_move_the_slot(void **state UNUSED)
{
    struct ledger l;

    ledger_init(&l, 1, 100);
    ledger_keepalive(&l, 5000);
    ledger_saved(&l, ledger_durable(&l));
    CHECK_INT(ledger_flush(&l), 5000);
    ledger_done(&l);
}

static void
rule_07_flush_is_what_the_checkpoint_recorded(void **state UNUSED)
{
    struct ledger l;

    ledger_init(&l, 1, 100);
    ledger_begin(&l);
    ledger_commit(&l, 200);
    CHECK_INT(ledger_durable(&l), 200);
    CHECK_INT(ledger_flush(&l), 100);
    ledger_saved(&l, 200);
    CHECK_INT(ledger_flush(&l), 200);
    ledger_done(&l);
}

static void
rule_26_a_stopped_mapping_holds_and_the_others_go_on(void **state UNUSED)
{
    struct ledger l;

    ledger_init(&l, 2, 100);
    ledger_begin(&l);
    ledger_hold(&l, 1);
    ledger_finish(&l, ledger_open(&l, 0));
    ledger_commit(&l, 200);
    ledger_begin(&l);
    ledger_hold(&l, 1);
    ledger_commit(&l, 300);

    CHECK(ledger_held(&l, 1) && !ledger_held(&l, 0));
    CHECK_INT(ledger_durable(&l), 100);
    CHECK_INT(ledger_mapping_durable(&l, 0), 300);
    CHECK_INT(ledger_mapping_durable(&l, 1), 100);
    CHECK_INT(ledger_holder(&l), 1);
    ledger_done(&l);
}

static void
a_lost_stream_forgets_the_open_transaction_and_nothing_else(void **state UNUSED)
{
    struct ledger l;
    size_t entry;

    ledger_init(&l, 1, 100);
    ledger_begin(&l);
    entry = ledger_open(&l, 0);
    ledger_abandon(&l);
    ledger_begin(&l);
    ledger_commit(&l, 200);
    CHECK_INT(ledger_durable(&l), 100);
    ledger_finish(&l, entry);
    CHECK_INT(ledger_durable(&l), 200);
    ledger_done(&l);
}

/* ---- random schedules against a model that keeps every row ---- */

#define BATCHES 40
#define STEPS   4000

struct pending {
    size_t entry;
    lsn_t begin_end; /* end of the transaction before the first row's */
    size_t mapping;
    bool used;
};

static uint64_t
next(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return *seed >> 33;
}

static void
check_against_model(struct ledger *l, const struct pending *pending, lsn_t end)
{
    lsn_t want = end;

    for (size_t i = 0; i < BATCHES; i++) {
        if (pending[i].used && pending[i].begin_end < want)
            want = pending[i].begin_end;
    }
    CHECK_INT(ledger_durable(l), want);
    CHECK(l->flush <= l->checkpoint && l->checkpoint <= want);
}

static void
run_schedule(uint64_t seed)
{
    struct pending pending[BATCHES] = {0};
    struct ledger l;
    lsn_t end = 1000;
    bool open = false;

    ledger_init(&l, 3, end);
    for (int step = 0; step < STEPS; step++) {
        struct pending *p = &pending[next(&seed) % BATCHES];

        switch (next(&seed) % 6) {
        case 0:
            if (!open)
                ledger_begin(&l);
            open = true;
            break;
        case 1:
            if (open) {
                end += 1 + next(&seed) % 100;
                ledger_commit(&l, end);
            }
            open = false;
            break;
        case 2:
            if (open && !p->used) {
                p->mapping = next(&seed) % 3;
                *p = (struct pending){ledger_open(&l, p->mapping), end, p->mapping, true};
            }
            break;
        case 3:
            if (p->used)
                ledger_finish(&l, p->entry);
            p->used = false;
            break;
        case 4:
            ledger_saved(&l, ledger_durable(&l));
            break;
        case 5:
            ledger_flush(&l);
            break;
        }
        check_against_model(&l, pending, end);
    }
    ledger_done(&l);
}

static void
oracle_holds_over_random_schedules(void **state UNUSED)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        run_schedule(seed * 7919);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_06_durable_is_the_least_floor_of_unfinished_batches),
        cmocka_unit_test(rule_06_a_batch_that_is_done_before_its_commit_is_not_durable),
        cmocka_unit_test(rule_06_keepalives_count_between_transactions_only),
        cmocka_unit_test(defect_p2_10_keepalives_without_traffic_move_the_slot),
        cmocka_unit_test(rule_07_flush_is_what_the_checkpoint_recorded),
        cmocka_unit_test(rule_26_a_stopped_mapping_holds_and_the_others_go_on),
        cmocka_unit_test(a_lost_stream_forgets_the_open_transaction_and_nothing_else),
        cmocka_unit_test(oracle_holds_over_random_schedules),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
