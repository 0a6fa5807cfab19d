/* lock: its key, its holder, its loss. */
#include "source/lock.h"

#include <unistd.h>

#include "base/clock.h"
#include "harness/check.h"
#include "harness/scripted_pg.h"
#include "pg/session.h"
#include "pg/sqlstate.h"
#include "source/settings.h"

/* The key is seen in pg_locks by other versions of the program: it never changes. */
static void
rule_10_the_key_belongs_to_the_slot(void **state UNUSED)
{
    CHECK(source_lock_key("puffgres") == source_lock_key("puffgres"));
    CHECK(source_lock_key("puffgres") != source_lock_key("puffgres2"));
    CHECK_INT(source_lock_key("puffgres"), INT64_C(-901198767155275225));
}

static bool
take(const struct scripted_pg *peer, struct source_lock **ret, struct err *err)
{
    const struct source_settings settings = {.conninfo = scripted_pg_conninfo(peer), .slot = "s"};

    return source_lock_acquire(&settings, clock_mono_ms() + 300, -1, ret, err);
}

static void
rule_10_a_free_lock_is_taken_and_watched(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        {.on = "SET idle_session_timeout = 0"},
        {.on = "pg_try_advisory_lock", .rows = "t"},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    int64_t deadline_ms = clock_mono_ms() + 5000;
    struct source_lock *lock = NULL;
    struct err err;

    CHECK_OK(take(peer, &lock, &err), err);
    CHECK_OK(source_lock_check(lock, &err), err);
    CHECK(source_lock_fd(lock) >= 0);
    scripted_pg_kill(peer, "lock", "57P01 terminating connection");
    while (source_lock_check(lock, &err))
        CHECK(clock_mono_ms() < deadline_ms);
    CHECK_INT(err.code, PG_ADMIN_SHUTDOWN);
    CHECK_INT(source_lock_fd(lock), -1);
    source_lock_release(lock);
    source_lock_release(NULL);
}

/* The setting came with 14; the session would be refused for naming it. */
static void
rule_14_old_servers_are_not_asked_for_new_settings(void **state UNUSED)
{
    static const struct pg_rule rules[] = {{.on = "pg_try_advisory_lock", .rows = "t"}};
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    struct source_lock *lock = NULL;
    struct err err;

    scripted_pg_set_version(peer, "13.9");
    CHECK_OK(take(peer, &lock, &err), err);
    source_lock_release(lock);
}

static void
rule_10_a_held_lock_names_its_holder(void **state UNUSED)
{
    static const struct {
        const char *row, *want;
    } cases[] = {
        {"7|puffgres lock|10.1.1.1|2026-01-02", "(backend 7, puffgres lock, from 10.1.1.1, since "
                                                "2026-01-02)"},
        {"7|||", "(backend 7, from this machine, since )"}, /* another role: not to be seen */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct pg_rule rules[] = {
            {.on = "idle_session_timeout"},
            {.on = "pg_try_advisory_lock", .rows = "f"},
            {.on = "pg_advisory_lock", .deed = PG_HANG},
            {.on = "pg_locks", .rows = cases[i].row},
        };
        CLEANUP(scripted_pg_stopp)
        struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
        struct source_lock *lock = NULL;
        struct err err;

        CHECK(!take(peer, &lock, &err));
        CHECK_INT(err.kind, ERR_FENCED);
        if (!strstr(err.text, cases[i].want))
            fail_msg("got \"%s\", want \"%s\"", err.text, cases[i].want);
    }
}

static void
rule_10_status_reads_liveness_from_the_lock(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        {.on = "pg_locks", .rows = "7|puffgres lock|10.1.1.1|2026-01-02", .times = 1},
        {.on = "pg_locks", .rows = ""},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(pg_closep) struct pg_session *pg = NULL;
    struct lock_holder holder;
    struct err err;

    CHECK_OK(pg_connect(&(struct pg_connect_args){.conninfo = scripted_pg_conninfo(peer),
                                                  .purpose = "status",
                                                  .deadline_ms = clock_mono_ms() + 5000,
                                                  .cancel_fd = -1},
                        &pg, &err),
             err);
    CHECK_OK(source_lock_holder(pg, "s", arena, &holder, &err), err);
    CHECK(holder.held);
    CHECK_INT(holder.pid, 7);
    CHECK_STR(holder.client, "10.1.1.1");
    CHECK_OK(source_lock_holder(pg, "s", arena, &holder, &err), err);
    CHECK(!holder.held);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rule_10_the_key_belongs_to_the_slot),
        cmocka_unit_test(rule_10_a_free_lock_is_taken_and_watched),
        cmocka_unit_test(rule_14_old_servers_are_not_asked_for_new_settings),
        cmocka_unit_test(rule_10_a_held_lock_names_its_holder),
        cmocka_unit_test(rule_10_status_reads_liveness_from_the_lock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
