/* publication: the SQL between what is published and what is needed. */
#include "source/publication.h"

#include "base/buf.h"
#include "base/clock.h"
#include "harness/check.h"
#include "harness/scripted_pg.h"
#include "pg/session.h"

static const struct table users = {
    .oid = 100, .schema = "public", .name = "users", .kind = 'r', .persistence = 'p'};
static const struct table odd = {
    .oid = 101, .schema = "My \"s\"", .name = "t", .kind = 'r', .persistence = 'p'};
static const struct table events = {
    .oid = 102, .schema = "public", .name = "events", .kind = 'p', .persistence = 'p'};
static const struct table view = {
    .oid = 103, .schema = "public", .name = "v", .kind = 'v', .persistence = 'p'};
static const struct table unlogged = {
    .oid = 104, .schema = "public", .name = "u", .kind = 'r', .persistence = 'u'};

/* A publication as we make it, with `users` in it. */
static const struct publication_member users_in[] = {
    {.relation = 100, .oid = 500, .schema = "public", .name = "users"}};

static struct publication_info
ours(void)
{
    return (struct publication_info){
        .exists = true,
        .oid = 400,
        .owner = "me",
        .owned = true,
        .insert = true,
        .update = true,
        .delete = true,
        .truncate = true,
        .via_root = true,
        .members = users_in,
        .count = 1,
    };
}

#define WITH "WITH (publish = 'insert, update, delete, truncate', publish_via_partition_root = true"

/* The plan's statements, then its findings, one per line. */
static void
check_plan(const struct publication_info *info, const struct publication_spec *spec, int version,
           const char *want)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(buf_free) struct buf got = buf_make(10000);
    struct report report = report_make(arena);
    struct publication_plan plan;

    publication_plan(info, spec, version, arena, &plan, &report);
    for (size_t i = 0; i < plan.statement_count; i++)
        buf_putf(&got, "%s\n", plan.statements[i]);
    report_print(&report, &got);
    CHECK_STR(got.ptr ? got.ptr : "", want);
    CHECK_INT(plan.create, strncmp(want, "CREATE", 6) == 0);
}

static void
creates_with_whole_tables(void **state UNUSED)
{
    static const struct table *const tables[] = {&users, &odd, &events, &users};
    const struct publication_info absent = {.owner = ""};

    check_plan(&absent, &(struct publication_spec){.name = "p", .tables = tables, .count = 1},
               150004, "CREATE PUBLICATION \"p\" FOR TABLE ONLY \"public\".\"users\" " WITH ")\n");
    check_plan(&absent, &(struct publication_spec){.name = "P\"q", .tables = tables, .count = 4},
               130004,
               "CREATE PUBLICATION \"P\"\"q\" FOR TABLE ONLY \"public\".\"users\", "
               "ONLY \"My \"\"s\"\"\".\"t\", \"public\".\"events\" " WITH ")\n");
}

static void
never_for_all_tables_unless_asked(void **state UNUSED)
{
    static const struct table *const tables[] = {&users};
    const struct publication_info absent = {.owner = ""};

    check_plan(
        &absent,
        &(struct publication_spec){.name = "p", .tables = tables, .count = 1, .all_tables = true},
        150004, "CREATE PUBLICATION \"p\" FOR ALL TABLES " WITH ")\n");
}

static void
rule_14_generated_columns_are_published_from_18(void **state UNUSED)
{
    static const struct table *const tables[] = {&users};
    const struct publication_spec spec = {
        .name = "p", .tables = tables, .count = 1, .generated = true};
    const struct publication_info absent = {.owner = ""};
    struct publication_info info = ours();

    check_plan(&absent, &spec, 170004,
               "CREATE PUBLICATION \"p\" FOR TABLE ONLY \"public\".\"users\" " WITH ")\n");
    check_plan(&absent, &spec, 180000,
               "CREATE PUBLICATION \"p\" FOR TABLE ONLY \"public\".\"users\" " WITH
               ", publish_generated_columns = stored)\n");
    check_plan(&info, &spec, 170004, "");
    check_plan(&info, &spec, 180000,
               "ALTER PUBLICATION \"p\" SET (publish_generated_columns = stored)\n");
    info.generated_stored = true;
    check_plan(&info, &spec, 180000, "");
}

static void
leaves_alone_what_is_right(void **state UNUSED)
{
    static const struct table *const tables[] = {&users};
    static const struct table *const many[] = {&users, &odd, &events};
    struct publication_info info = ours();

    check_plan(&info, &(struct publication_spec){.name = "p", .tables = tables, .count = 1}, 150004,
               "");
    info.via_root = false; /* nothing partitioned is mapped: somebody else may want it so */
    check_plan(&info, &(struct publication_spec){.name = "p", .tables = tables, .count = 1}, 150004,
               "");
    info = ours();
    info.all_tables = true;
    check_plan(&info, &(struct publication_spec){.name = "p", .tables = many, .count = 3}, 150004,
               "");
}

static void
mends_what_is_missing(void **state UNUSED)
{
    static const struct table *const tables[] = {&users, &odd, &events};
    struct publication_info info = ours();

    check_plan(&info, &(struct publication_spec){.name = "p", .tables = tables, .count = 2}, 150004,
               "ALTER PUBLICATION \"p\" ADD TABLE ONLY \"My \"\"s\"\"\".\"t\"\n");
    info.truncate = false;
    info.via_root = false;
    check_plan(&info, &(struct publication_spec){.name = "p", .tables = tables, .count = 3}, 150004,
               "ALTER PUBLICATION \"p\" SET (publish = 'insert, update, delete, truncate')\n"
               "ALTER PUBLICATION \"p\" SET (publish_via_partition_root = true)\n"
               "ALTER PUBLICATION \"p\" ADD TABLE ONLY \"My \"\"s\"\"\".\"t\", "
               "\"public\".\"events\"\n");
}

static void
says_which_tables_enter(void **state UNUSED)
{
    static const struct table *const tables[] = {&users, &odd, &odd};
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct report report = report_make(arena);
    struct publication_info info = ours();
    struct publication_plan plan;

    publication_plan(&info, &(struct publication_spec){.name = "p", .tables = tables, .count = 3},
                     150004, arena, &plan, &report);
    CHECK_INT(plan.added_count, 1);
    CHECK(plan.added[0] == &odd);
}

static void
what_writes_no_log_never_enters(void **state UNUSED)
{
    static const struct table *const tables[] = {&view, &users, &unlogged};
    const struct publication_info absent = {.owner = ""};

    check_plan(&absent, &(struct publication_spec){.name = "p", .tables = tables, .count = 3},
               150004, "CREATE PUBLICATION \"p\" FOR TABLE ONLY \"public\".\"users\" " WITH ")\n");
    check_plan(&absent, &(struct publication_spec){.name = "p", .tables = tables, .count = 1},
               150004, ""); /* nothing that could enter, so no publication either */
}

static void
reports_parts_of_tables(void **state UNUSED)
{
    static const struct table *const tables[] = {&users};
    static const struct publication_member filtered[] = {{.relation = 100, .filtered = true}};
    static const struct publication_member listed[] = {{.relation = 100, .column_list = true}};
    const struct publication_spec spec = {.name = "p", .tables = tables, .count = 1};
    struct publication_info info = ours();

    info.members = filtered;
    check_plan(&info, &spec, 150004,
               "error: publication \"p\": it publishes public.users with a row filter, and whole "
               "tables are needed\n"
               "    ALTER PUBLICATION \"p\" DROP TABLE ONLY \"public\".\"users\";\n"
               "    ALTER PUBLICATION \"p\" ADD TABLE ONLY \"public\".\"users\";\n");
    info.members = listed;
    check_plan(&info, &spec, 150004,
               "error: publication \"p\": it publishes public.users with a column list, and whole "
               "tables are needed\n"
               "    ALTER PUBLICATION \"p\" DROP TABLE ONLY \"public\".\"users\";\n"
               "    ALTER PUBLICATION \"p\" ADD TABLE ONLY \"public\".\"users\";\n");
}

static void
reports_what_only_its_owner_may_change(void **state UNUSED)
{
    static const struct table *const tables[] = {&users, &events};
    struct publication_info info = ours();

    info.owned = false;
    info.owner = "boss";
    check_plan(&info, &(struct publication_spec){.name = "p", .tables = tables, .count = 1}, 150004,
               "");
    check_plan(&info, &(struct publication_spec){.name = "p", .tables = tables, .count = 2}, 150004,
               "ALTER PUBLICATION \"p\" ADD TABLE \"public\".\"events\"\n"
               "error: publication \"p\": it has to change, and only its owner \"boss\" may do "
               "that\n"
               "    ALTER PUBLICATION \"p\" ADD TABLE \"public\".\"events\";\n");
}

/* ---- doing it ---- */

static bool
ensure(struct scripted_pg *peer, const struct table *const *tables, size_t count, struct err *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(pg_closep) struct pg_session *pg = NULL;
    const struct publication_info absent = {.owner = ""};
    struct report report = report_make(arena);
    struct publication_plan plan;

    CHECK_OK(pg_connect(&(struct pg_connect_args){.conninfo = scripted_pg_conninfo(peer),
                                                  .purpose = "t",
                                                  .deadline_ms = clock_mono_ms() + 5000,
                                                  .cancel_fd = -1},
                        &pg, err),
             *err);
    publication_plan(&absent,
                     &(struct publication_spec){.name = "p", .tables = tables, .count = count},
                     150004, arena, &plan, &report);
    return publication_ensure(pg, &plan, arena, err);
}

static void
rule_13_identity_is_checked_in_the_transaction_that_publishes(void **state UNUSED)
{
    static const struct table *const tables[] = {&users, &events};
    static const struct pg_rule rules[] = {
        {.on = "BEGIN"},  {.on = "LOCK"},   {.on = "relreplident", .rows = ""},
        {.on = "CREATE"}, {.on = "COMMIT"},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    const char *log = scripted_pg_log(peer), *create;
    struct err err;

    CHECK_OK(ensure(peer, tables, 2, &err), err);
    CHECK(strncmp(log, "puffgres t: BEGIN; SET LOCAL lock_timeout = 5000\n", 49) == 0);
    CHECK(strstr(log, "LOCK TABLE ONLY \"public\".\"users\" IN SHARE UPDATE EXCLUSIVE MODE"));
    CHECK(strstr(log, "LOCK TABLE \"public\".\"events\" IN SHARE UPDATE EXCLUSIVE MODE"));
    create = strstr(log, "CREATE PUBLICATION");
    CHECK(create && strstr(create, "COMMIT"));
    CHECK(!strstr(create, "relreplident")); /* all checks came before */
    CHECK_INT(scripted_pg_count(peer, "relreplident"), 2);
}

static void
rule_13_a_table_without_identity_does_not_enter(void **state UNUSED)
{
    static const struct table *const tables[] = {&users};
    static const struct pg_rule rules[] = {
        {.on = "BEGIN"},
        {.on = "LOCK"},
        {.on = "relreplident", .rows = "public|users|d||f"},
        {.on = "ROLLBACK"},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    struct err err;

    CHECK(!ensure(peer, tables, 1, &err));
    CHECK_INT(err.kind, ERR_CONFIG);
    CHECK(strstr(err.text, "table public.users: it has no primary key"));
    CHECK(strstr(err.text, "ADD PRIMARY KEY"));
    CHECK_INT(scripted_pg_count(peer, "CREATE"), 0);
    CHECK_INT(scripted_pg_count(peer, "ROLLBACK"), 1);
}

static void
rule_13_a_lock_that_is_not_free_is_not_waited_for_long(void **state UNUSED)
{
    static const struct table *const tables[] = {&users};
    static const struct pg_rule rules[] = {
        {.on = "BEGIN"},
        {.on = "LOCK", .error = "55P03 canceling statement due to lock timeout"},
        {.on = "ROLLBACK"},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    struct err err;

    CHECK(!ensure(peer, tables, 1, &err));
    CHECK_INT(err.kind, ERR_TRANSIENT);
    CHECK(strstr(err.text, "public.users"));
    CHECK_INT(scripted_pg_count(peer, "ROLLBACK"), 1);
}

static void
reads_what_is_published(void **state UNUSED)
{
    static const struct pg_rule rules[] = {
        {.on = "p.pubname = $1", .rows = "400|me|t|f|t|t|f|t|t|f", .times = 1},
        {.on = "p.pubname = $1", .rows = ""},
        {.on = "pg_get_publication_tables", .rows = "100|500|public|users|t|f\n102|0|s|e|f|f"},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(pg_closep) struct pg_session *pg = NULL;
    struct publication_info info;
    struct err err;

    CHECK_OK(pg_connect(&(struct pg_connect_args){.conninfo = scripted_pg_conninfo(peer),
                                                  .purpose = "t",
                                                  .deadline_ms = clock_mono_ms() + 5000,
                                                  .cancel_fd = -1},
                        &pg, &err),
             err);
    CHECK_OK(publication_inspect(pg, "p", arena, &info, &err), err);
    CHECK(info.exists && info.owned && info.insert && info.update && info.truncate);
    CHECK(!info.delete &&!info.all_tables && info.via_root && !info.generated_stored);
    CHECK_INT(info.oid, 400);
    CHECK_STR(info.owner, "me");
    CHECK_INT(info.count, 2);
    CHECK(publication_find(&info, 100)->filtered);
    CHECK_INT(publication_find(&info, 102)->oid, 0);
    CHECK(!publication_find(&info, 101));
    CHECK_OK(publication_inspect(pg, "p", arena, &info, &err), err);
    CHECK(!info.exists && info.count == 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(creates_with_whole_tables),
        cmocka_unit_test(never_for_all_tables_unless_asked),
        cmocka_unit_test(rule_14_generated_columns_are_published_from_18),
        cmocka_unit_test(leaves_alone_what_is_right),
        cmocka_unit_test(mends_what_is_missing),
        cmocka_unit_test(says_which_tables_enter),
        cmocka_unit_test(what_writes_no_log_never_enters),
        cmocka_unit_test(reports_parts_of_tables),
        cmocka_unit_test(reports_what_only_its_owner_may_change),
        cmocka_unit_test(rule_13_identity_is_checked_in_the_transaction_that_publishes),
        cmocka_unit_test(rule_13_a_table_without_identity_does_not_enter),
        cmocka_unit_test(rule_13_a_lock_that_is_not_free_is_not_waited_for_long),
        cmocka_unit_test(reads_what_is_published),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
