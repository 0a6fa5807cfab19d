/* publication: the SQL between what is published and what is needed. */
#include "source/publication.h"

#include "base/buf.h"
#include "harness/check.h"

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
    CHECK_INT(plan.create, !info->exists);
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
