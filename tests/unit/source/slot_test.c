/* slot: looking at it, making it while others write, dropping it, holding tables still. */
#include "source/slot.h"

#include "base/clock.h"
#include "harness/check.h"
#include "harness/scripted_pg.h"
#include "model/table.h"
#include "pg/session.h"

static struct pg_session *
session(const struct scripted_pg *peer, bool replication)
{
    struct pg_session *pg = NULL;
    struct err err;

    CHECK_OK(pg_connect(&(struct pg_connect_args){.conninfo = scripted_pg_conninfo(peer),
                                                  .purpose = replication ? "stream" : "watch",
                                                  .replication = replication,
                                                  .deadline_ms = clock_mono_ms() + 5000,
                                                  .cancel_fd = -1},
                        &pg, &err),
             err);
    return pg;
}

/* ---- looking ---- */

static void
reads_every_column(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        {.on = "WHERE s.slot_name = 'o''k'",
         .rows = "f|pgoutput|shop|t|t|4711|1/A|1/B0|extended|t|wal_removed"},
        {.on = "s.slot_name = 'physical'", .rows = "t|||f|f|~|~|~|reserved|f|"},
        {.on = "s.slot_name = 'none'", .rows = ""},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = session(peer, true);
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct slot_info slot;
    struct err err;

    CHECK_OK(slot_inspect(pg, "o'k", arena, &slot, &err), err);
    CHECK(slot.exists && slot.temporary && slot.active && slot.two_phase && !slot.physical);
    CHECK_STR(slot.plugin, "pgoutput");
    CHECK_STR(slot.database, "shop");
    CHECK_STR(slot.wal_status, "extended");
    CHECK_STR(slot.invalid, "wal_removed");
    CHECK_INT(slot.active_pid, 4711);
    CHECK_INT(slot.restart, 0x10000000A);
    CHECK_INT(slot.confirmed_flush, 0x1000000B0);
    CHECK_OK(slot_inspect(pg, "physical", arena, &slot, &err), err);
    CHECK(slot.exists && slot.physical && slot.confirmed_flush == 0);
    CHECK_OK(slot_inspect(pg, "none", arena, &slot, &err), err);
    CHECK(!slot.exists);
    CHECK_STR(slot.plugin, "");
}

/* ---- making ---- */

static void
note(void *ctx, const char *text)
{
    const char **last = ctx;

    *last = text;
}

static void
rule_12_the_transactions_waited_for_are_named(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        {.on = "CREATE_REPLICATION_SLOT", .deed = PG_HANG},
        {.on = "pg_blocking_pids",
         .rows = "backend 99 (eve, psql, idle in transaction, since noon)\n"
                 "prepared transaction 'x'"},
        {.on = "pg_drop_replication_slot"},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *replication = session(peer, true);
    CLEANUP(pg_closep) struct pg_session *watch = session(peer, false);
    const char *last = NULL;
    const struct slot_create_args args = {
        .replication = replication,
        .watch = watch,
        .name = "ours",
        .deadline_ms = clock_mono_ms() + 700,
        .waiting = note,
        .ctx = &last,
    };
    struct err err;
    lsn_t point;

    CHECK_FAILS(slot_create(&args, &point, &err), err, ERR_TRANSIENT,
                "slot \"ours\" cannot be made while older transactions write; waiting for backend "
                "99 (eve, psql, idle in transaction, since noon); prepared transaction 'x': end "
                "them, or try again later");
    CHECK(last); /* it was told while waiting */
    /* the attempt is withdrawn, and what it may have made meanwhile goes too */
    CHECK_INT(scripted_pg_count(peer, "pg_drop_replication_slot"), 1);
}

static void
rule_12_a_slot_begins_at_its_consistent_point(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        {.on = "CREATE_REPLICATION_SLOT \"a\"\"b\" LOGICAL", .rows = "a|A/B|~|pgoutput"},
        {.on = "TEMPORARY", .rows = "a|A/C|~|pgoutput"},
        {.on = "\"twice\"", .error = "42710 replication slot \"twice\" already exists"},
        {.on = "\"full\"", .error = "53400 all replication slots are in use"},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = session(peer, true);
    struct slot_create_args args = {
        .replication = pg, .name = "a\"b", .deadline_ms = clock_mono_ms() + 5000};
    struct err err;
    lsn_t point;

    CHECK_OK(slot_create(&args, &point, &err), err);
    CHECK_INT(point, 0xA0000000B);
    args.temporary = true;
    CHECK_OK(slot_create(&args, &point, &err), err);
    CHECK_INT(point, 0xA0000000C);
    args.temporary = false;
    args.name = "twice";
    CHECK(!slot_create(&args, &point, &err));
    CHECK_INT(err.kind, ERR_CONFIG);
    args.name = "full";
    CHECK(!slot_create(&args, &point, &err));
    CHECK_INT(err.kind, ERR_CONFIG);
    CHECK(strstr(err.text, "raise max_replication_slots"));
}

static void
dropping_what_is_gone_is_fine(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        {.on = "pg_drop_replication_slot", .times = 1},
        {.on = "pg_drop_replication_slot", .error = "42704 it does not exist", .times = 1},
        {.on = "pg_drop_replication_slot", .error = "55006 replication slot is active"},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = session(peer, false);
    struct err err;

    CHECK_OK(slot_drop(pg, "s", &err), err);
    CHECK_OK(slot_drop(pg, "s", &err), err);
    CHECK(!slot_drop(pg, "s", &err));
    CHECK_INT(err.kind, ERR_FENCED);
}

/* ---- holding tables still ---- */

static void
rule_12_tables_are_held_without_an_xid(void **state UNUSED)
{
    static const struct table users = {.schema = "public", .name = "users"};
    static const struct table odd = {.schema = "a\"b", .name = "c"};
    static const struct table *const tables[] = {&users, &odd};
    static const struct pg_rule rules[] = {{.on = "LOCK TABLE"}, {.on = "ROLLBACK"}};
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = session(peer, false);
    struct err err;

    CHECK_OK(tables_hold(pg, tables, 2, &err), err);
    CHECK_OK(tables_release(pg, &err), err);
    /* reads only: a transaction that wrote would keep the slot waiting for itself */
    CHECK_STR(scripted_pg_log(peer),
              "puffgres watch: BEGIN; SET LOCAL lock_timeout = 20000; LOCK TABLE "
              "\"public\".\"users\", \"a\"\"b\".\"c\" IN ACCESS SHARE MODE\n"
              "puffgres watch: ROLLBACK\n");
    CHECK_OK(tables_hold(pg, NULL, 0, &err), err); /* nothing to hold */
    CHECK_INT(scripted_pg_count(peer, "LOCK TABLE"), 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_every_column),
        cmocka_unit_test(rule_12_the_transactions_waited_for_are_named),
        cmocka_unit_test(rule_12_a_slot_begins_at_its_consistent_point),
        cmocka_unit_test(dropping_what_is_gone_is_fine),
        cmocka_unit_test(rule_12_tables_are_held_without_an_xid),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
