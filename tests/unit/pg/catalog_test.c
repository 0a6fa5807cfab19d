/* catalog: tables from rows as the catalog's queries return them. */
#include "pg/catalog.h"

#include "base/clock.h"
#include "harness/check.h"
#include "harness/scripted_pg.h"
#include "pg/session.h"

static struct pg_session *
session(const struct scripted_pg *peer)
{
    struct pg_session *pg = NULL;
    struct err err;

    CHECK_OK(pg_connect(&(struct pg_connect_args){.conninfo = scripted_pg_conninfo(peer),
                                                  .purpose = "t",
                                                  .deadline_ms = clock_mono_ms() + 5000,
                                                  .cancel_fd = -1},
                        &pg, &err),
             err);
    return pg;
}

/* attnum, name, not null, generated, unpublished, domain, array, type, typmod, its name, element,
 * its kind and name, delimiter, in the identity: what Postgres 15 answered. */
/* clang-format off */
static const char column_rows[] =
    "1|id|t|f|f|f|f|20|-1|bigint|20|b|int8|,|t\n"
    "2|d|f|f|f|t|f|23|-1|integer|23|b|int4|,|f\n"
    "3|m|f|f|f|f|f|16500|-1|mood|16500|e|mood|,|f\n"
    "4|ms|f|f|f|f|t|16499|-1|mood[]|16500|e|mood|,|f\n"
    "5|p|f|f|f|f|f|16509|-1|pair|16509|c|pair|,|f\n"
    "6|tags|f|f|f|f|t|1009|-1|text[]|25|b|text|,|f\n"
    "7|ddas|f|f|f|t|t|16497|-1|da[]|1007|b|_int4|,|f\n"
    "8|r|f|f|f|f|f|3904|-1|int4range|3904|r|int4range|,|f\n"
    "9|c|f|f|f|f|f|16386|-1|citext|16386|b|citext|,|f\n"
    "10|g|f|t|t|f|f|23|-1|integer|23|b|int4|,|f\n"
    "11|bs|f|f|f|f|t|1020|-1|box[]|603|b|box|;|f\n"
    "13|n|f|f|f|f|f|1700|655366|numeric(10,2)|1700|b|numeric|,|f\n"
    "14|v|f|f|f|f|f|16600|3|vector(3)|16600|b|vector|,|f";
/* clang-format on */

static const struct pg_rule rules[] = {
    {.on = "pg_relation_filenode(c.oid)", .rows = "16510|r|p|d|16510|1234|t"},
    {.on = "WITH RECURSIVE", .rows = column_rows},
    {.on = "i.indisunique", .rows = "users_pkey|t|f|1\nusers_two|f|t|2 13"},
};

static void
reads_columns_with_their_types(void **state UNUSED)
{
    static const struct {
        const char *name;
        enum type_kind kind;
        bool array;
        char delimiter;
    } want[] = {
        {"id", TYPE_INT8, false, ','},     {"d", TYPE_INT4, false, ','},
        {"m", TYPE_ENUM, false, ','},      {"ms", TYPE_ENUM, true, ','},
        {"p", TYPE_COMPOSITE, false, ','}, {"tags", TYPE_TEXT, true, ','},
        {"ddas", TYPE_OTHER, true, ','}, /* an array of a domain over arrays */
        {"r", TYPE_RANGE, false, ','},     {"c", TYPE_TEXT, false, ','},
        {"g", TYPE_INT4, false, ','},      {"bs", TYPE_OTHER, true, ';'},
        {"n", TYPE_NUMERIC, false, ','},   {"v", TYPE_VECTOR, false, ','},
    };
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = session(peer);
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const struct table *table = NULL;
    struct err err;

    CHECK_OK(catalog_table(pg, "public", "users", "m", arena, &table, NULL, &err), err);
    CHECK_INT(table->column_count, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct table_column *got = &table->columns[i];

        if (strcmp(got->name, want[i].name) != 0 || got->type.kind != want[i].kind ||
            got->type.array != want[i].array || got->type.delimiter != want[i].delimiter)
            fail_msg("%s: got %s%s %c", want[i].name, type_kind_names[got->type.kind],
                     got->type.array ? "[]" : "", got->type.delimiter);
        CHECK_STR(table->column_names[i], want[i].name);
    }
    CHECK(table->columns[0].not_null && table->columns[0].identity && !table->columns[0].domain);
    CHECK(table->columns[1].domain);
    CHECK(table->columns[9].generated && table->columns[9].unpublished);
    CHECK_INT(table->columns[11].attnum, 13); /* one was dropped in between */
    CHECK_INT(table->columns[11].type.typmod, 655366);
    CHECK_STR(table->columns[11].type.name, "numeric(10,2)");
    CHECK_INT(table->columns[12].type.typmod, 3); /* the dimension */
}

static void
reads_the_table_and_its_keys(void **state UNUSED)
{
    CLEANUP(scripted_pg_stopp)
    struct scripted_pg *peer = scripted_pg_start(rules, ARRAY_LEN(rules));
    CLEANUP(pg_closep) struct pg_session *pg = session(peer);
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const struct table *table = NULL;
    struct err err;

    CHECK_OK(catalog_table(pg, "public", "users", "m", arena, &table, NULL, &err), err);
    CHECK_INT(table->oid, 16510);
    CHECK_INT(table->relfilenode, 16510);
    CHECK_INT(table->estimated_rows, 1234);
    CHECK(table->kind == 'r' && table->persistence == 'p' && table->identity == 'd');
    CHECK(table->row_security);
    CHECK_INT(table->key_count, 2);
    CHECK(table->keys[0].primary && !table->keys[0].deferrable);
    CHECK_INT(table->keys[0].count, 1);
    CHECK(!table->keys[1].primary && table->keys[1].deferrable);
    CHECK_INT(table->keys[1].count, 2);
    CHECK_INT(table->keys[1].columns[1], 13);
}

static void
a_table_that_is_not_there_is_a_finding(void **state UNUSED)
{
    static const struct {
        const char *name;
        const char *others; /* schema, name, same schema, same name */
        const char *want;
    } cases[] = {
        {"peple", "other|users|f|f\npublic|people|t|f\npublic|pets|t|f",
         "error: m: there is no table \"peple\" in schema \"public\"; did you mean \"people\"?\n"},
        {"users", "other|users|f|t\npublic|user|t|f",
         "error: m: there is no table \"users\" in schema \"public\", but there is one in schema "
         "\"other\"\n"},
        {"public.people", "public|people|t|f",
         "error: m: there is no table \"public.people\" in schema \"public\"; a schema is written "
         "apart: schema = \"public\" and table = \"people\"\n"},
        {"zzz", "public|people|t|f", "error: m: there is no table \"zzz\" in schema \"public\"\n"},
        {"zzz", "",
         "error: m: there is no table \"zzz\" in schema \"public\", and no other table either\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct pg_rule absent[] = {
            {.on = "pg_relation_filenode(c.oid)", .rows = ""},
            {.on = "NOT c.relispartition", .rows = cases[i].others},
        };
        CLEANUP(scripted_pg_stopp) struct scripted_pg *peer = scripted_pg_start(absent, 2);
        CLEANUP(pg_closep) struct pg_session *pg = session(peer);
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        CLEANUP(buf_free) struct buf got = buf_make(10000);
        struct report report = report_make(arena);
        const struct table *table;
        struct err err;

        CHECK_OK(catalog_table(pg, "public", cases[i].name, "m", arena, &table, &report, &err),
                 err);
        CHECK(!table);
        report_print(&report, &got);
        CHECK_STR(got.ptr, cases[i].want);
    }
}

static void
a_server_that_cannot_be_asked_is_an_error(void **state UNUSED)
{
    static const struct pg_rule none[] = {
        {.on = "pg_relation_filenode", .error = "57P01 terminating connection"}};
    CLEANUP(scripted_pg_stopp) struct scripted_pg *peer = scripted_pg_start(none, 1);
    CLEANUP(pg_closep) struct pg_session *pg = session(peer);
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const struct table *table;
    struct err err;

    CHECK_FAILS(catalog_table(pg, "public", "users", "m", arena, &table, NULL, &err), err,
                ERR_TRANSIENT, "looking up table public.users: terminating connection");
}

static void
lists_what_can_be_mapped(void **state UNUSED)
{
    static const struct pg_rule list[] = {
        {.on = "c.relpersistence <> 't'", .rows = "public|a|r|f|10\npublic|b|p|f|-1\ns|c|r|t|3"}};
    CLEANUP(scripted_pg_stopp) struct scripted_pg *peer = scripted_pg_start(list, 1);
    CLEANUP(pg_closep) struct pg_session *pg = session(peer);
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const struct catalog_entry *entries;
    struct err err;
    size_t count;

    CHECK_OK(catalog_list(pg, arena, &entries, &count, &err), err);
    CHECK_INT(count, 3);
    CHECK_STR(entries[1].name, "b");
    CHECK(entries[1].kind == 'p' && entries[1].estimated_rows == -1);
    CHECK(entries[2].partition && !entries[0].partition);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_columns_with_their_types),
        cmocka_unit_test(reads_the_table_and_its_keys),
        cmocka_unit_test(a_table_that_is_not_there_is_a_finding),
        cmocka_unit_test(a_server_that_cannot_be_asked_is_an_error),
        cmocka_unit_test(lists_what_can_be_mapped),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
