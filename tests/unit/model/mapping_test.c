/* mapping: binding to a table, and every fault with what mends it. */
#include "model/mapping.h"

#include "base/json.h"
#include "harness/check.h"
#include "model/predicate.h"
#include "model/schema.h"

#define COLUMNS_MAX 8
#define KEYS_MAX    4

/* A table whose parts the cases change; `id bigint PRIMARY KEY` and some columns. */
struct fixture {
    struct arena *arena;
    struct table_column columns[COLUMNS_MAX];
    const char *names[COLUMNS_MAX];
    struct table_key keys[KEYS_MAX];
    struct table table;
    const char *listed[COLUMNS_MAX];
    struct mapping mapping;
    struct report report;
};

static const int16_t first_column[] = {1}, second_column[] = {2}, both_columns[] = {1, 2};

static void
add_column(struct fixture *f, const char *name, oid_t oid)
{
    size_t at = f->table.column_count++;

    f->columns[at] = (struct table_column){.name = name, .attnum = (int16_t)(at + 1)};
    CHECK(type_builtin(oid, &f->columns[at].type));
    f->names[at] = name;
}

static int
setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){.arena = arena_new("test")};
    f.table = (struct table){
        .schema = "public",
        .name = "users",
        .kind = 'r',
        .persistence = 'p',
        .identity = IDENTITY_DEFAULT,
        .columns = f.columns,
        .key_count = 1,
        .keys = f.keys,
        .column_names = f.names,
    };
    add_column(&f, "id", 20);
    add_column(&f, "name", 25);
    add_column(&f, "active", 16);
    add_column(&f, "token", 2950);
    add_column(&f, "Odd Name", 1009);
    f.columns[0].not_null = f.columns[0].identity = true;
    f.keys[0] = (struct table_key){"users_pkey", first_column, 1, true, false};

    f.listed[0] = "id";
    f.listed[1] = "name";
    f.mapping = (struct mapping){
        .file = "puffgres/migrations/001_users.toml",
        .name = "users",
        .schema = "public",
        .table = "users",
        .id_name = "id",
        .name_count = 2,
        .names = f.listed,
    };
    f.report = report_make(f.arena);
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    arena_free(((struct fixture *)*state)->arena);
    return 0;
}

static void
check_report(struct fixture *f, bool want_ok, const char *want)
{
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(1));
    bool ok = mapping_bind(&f->mapping, &f->table, f->arena, &f->report);

    report_print(&f->report, &out);
    CHECK_SPAN(buf_span(&out), want);
    CHECK_INT(ok, want_ok);
    CHECK_INT(f->mapping.source != NULL, want_ok);
}

static const struct json *
hints(struct fixture *f, const char *text)
{
    struct json *json = NULL;
    struct err err;

    CHECK_OK(json_parse(span_of(text), f->arena, &json, &err), err);
    return json;
}

static void
words_are_those_of_the_files(void **state UNUSED)
{
    static const struct {
        const char *const *words;
        size_t count;
    } lists[] = {
        {id_type_names, ID_TYPE_MAX_},
        {versioning_names, VERSIONING_MAX_},
        {deletes_names, DELETES_MAX_},
        {write_format_names, WRITE_MAX_},
        {unrepresentable_names, UNREPRESENTABLE_MAX_},
    };

    for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
        for (size_t w = 0; w < lists[i].count; w++)
            CHECK(lists[i].words[w] && *lists[i].words[w]);
        CHECK(lists[i].words[lists[i].count] == NULL);
    }
    CHECK_STR(id_type_names[ID_UUID], "uuid");
    CHECK_STR(versioning_names[VERSIONING_SOURCE_LSN], "source_lsn");
    CHECK_STR(unrepresentable_names[UNREPRESENTABLE_DEAD_LETTER], "dead_letter");
}

static void
binds_id_fields_and_what_the_predicate_needs(void **state)
{
    struct fixture *f = *state;
    const struct mapping *m = &f->mapping;

    f->mapping.predicate_text = "active AND name != 'root'";
    f->mapping.hints = hints(f, "{\"name\": {\"type\": \"string\", \"exact\": true}}");
    check_report(f, true, "");

    CHECK_INT(m->column_count, 3);
    CHECK_STR(m->columns[0].name, "id");
    CHECK_STR(m->columns[1].name, "name");
    CHECK_STR(m->columns[2].name, "active");
    CHECK_INT(m->columns[2].type.kind, TYPE_BOOL);
    CHECK_INT(m->id_column, 0);
    CHECK_INT(m->field_count, 1);
    CHECK_STR(m->fields[0].name, "name");
    CHECK_INT(m->fields[0].column, 1);
    CHECK(m->fields[0].exact && m->fields[0].hint);
    CHECK_INT(m->id_type, ID_UINT);
    CHECK(m->source == &f->table);
    CHECK(!m->read_back_deletes);

    const struct value image[] = {
        {"1", 1, VALUE_TEXT}, {"ann", 3, VALUE_TEXT}, {"t", 1, VALUE_TEXT}};
    CHECK_INT(predicate_eval(m->predicate, image), TRUTH_TRUE);
}

static void
the_id_need_not_be_listed(void **state)
{
    struct fixture *f = *state;

    f->listed[0] = "active";
    check_report(f, true, "");
    CHECK_INT(f->mapping.column_count, 3);
    CHECK_INT(f->mapping.field_count, 2);
    CHECK_STR(f->mapping.fields[0].name, "active");
    CHECK(f->mapping.fields[0].hint == NULL);
}

static void
the_type_of_the_id_follows_the_column(void **state)
{
    static const struct {
        oid_t oid;
        enum id_type written, want;
    } cases[] = {
        {21, ID_AUTO, ID_UINT},     {23, ID_AUTO, ID_UINT},     {20, ID_AUTO, ID_UINT},
        {26, ID_AUTO, ID_UINT},     {2950, ID_AUTO, ID_UUID},   {25, ID_AUTO, ID_STRING},
        {1043, ID_AUTO, ID_STRING}, {1700, ID_AUTO, ID_STRING}, {1082, ID_AUTO, ID_STRING},
        {20, ID_INT, ID_INT},       {20, ID_STRING, ID_STRING}, {2950, ID_STRING, ID_STRING},
        {1700, ID_UINT, ID_UINT},   {2950, ID_UUID, ID_UUID},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *f = *state;

        CHECK(type_builtin(cases[i].oid, &f->columns[0].type));
        f->mapping.id_type = cases[i].written;
        f->mapping.source = NULL;
        check_report(f, true, "");
        CHECK_INT(f->mapping.id_type, cases[i].want);
    }
}

static void
rule_28_the_id_is_unique_not_null_and_in_the_identity(void **state)
{
    static const struct {
        bool nullable, outside;
        char identity;
        struct table_key keys[2];
        size_t key_count;
        const char *want;
    } cases[] = {
        {/* not unique */
         .want = "error: puffgres/migrations/001_users.toml: mapping users: id column \"id\" of "
                 "public.users is not unique by itself\n"
                 "    ALTER TABLE public.users ADD UNIQUE (id);\n"},
        {/* unique with another column only */
         .keys = {{"users_pkey", both_columns, 2, true, false}},
         .key_count = 1,
         .want = "error: puffgres/migrations/001_users.toml: mapping users: id column \"id\" of "
                 "public.users is not unique by itself; the primary key has several columns and an "
                 "id is one: unless this one is unique too, add one that is, such as a uuid\n"
                 "    ALTER TABLE public.users ADD UNIQUE (id);\n"},
        {/* another primary key */
         .keys = {{"users_pkey", second_column, 1, true, false}},
         .key_count = 1,
         .want = "error: puffgres/migrations/001_users.toml: mapping users: id column \"id\" of "
                 "public.users is not unique by itself; "
                 "the primary key is \"name\"\n"
                 "    ALTER TABLE public.users ADD UNIQUE (id);\n"},
        {/* nullable */
         .nullable = true,
         .keys = {{"users_id_key", first_column, 1, false, false}},
         .key_count = 1,
         .want = "error: puffgres/migrations/001_users.toml: mapping users: id column \"id\" of "
                 "public.users may be null\n"
                 "    ALTER TABLE public.users ALTER COLUMN id SET NOT NULL;\n"},
        {/* identity nothing */
         .outside = true,
         .keys = {{"users_pkey", first_column, 1, true, false}},
         .key_count = 1,
         .want = "error: puffgres/migrations/001_users.toml: mapping users: id column \"id\" of "
                 "public.users is not in the replica "
                 "identity, so the WAL does not say which rows are deleted\n"
                 "    ALTER TABLE public.users REPLICA IDENTITY DEFAULT;\n"},
        {/* identity is another key */
         .outside = true,
         .keys = {{"users_pkey", second_column, 1, true, false},
                  {"Users Id", first_column, 1, false, false}},
         .key_count = 2,
         .want = "error: puffgres/migrations/001_users.toml: mapping users: id column \"id\" of "
                 "public.users is not in the replica "
                 "identity, so the WAL does not say which rows are deleted\n"
                 "    ALTER TABLE public.users REPLICA IDENTITY USING INDEX \"Users Id\";\n"},
        {/* identity of a deferrable key */
         .outside = true,
         .keys = {{"users_pkey", first_column, 1, true, true}},
         .key_count = 1,
         .want = "error: puffgres/migrations/001_users.toml: mapping users: id column \"id\" of "
                 "public.users is not in the replica "
                 "identity, so the WAL does not say which rows are deleted\n"
                 "    ALTER TABLE public.users REPLICA IDENTITY FULL;\n"
                 "note: puffgres/migrations/001_users.toml: mapping users: the unique index of "
                 "\"id\" is DEFERRABLE: every delete and "
                 "every change of an id costs a query to the source\n"},
        {/* everything at once */
         .nullable = true,
         .outside = true,
         .want = "error: puffgres/migrations/001_users.toml: mapping users: id column \"id\" of "
                 "public.users is not unique by itself\n"
                 "    ALTER TABLE public.users ADD UNIQUE (id);\n"
                 "error: puffgres/migrations/001_users.toml: mapping users: id column \"id\" of "
                 "public.users may be null\n"
                 "    ALTER TABLE public.users ALTER COLUMN id SET NOT NULL;\n"
                 "error: puffgres/migrations/001_users.toml: mapping users: id column \"id\" of "
                 "public.users is not in the replica "
                 "identity, so the WAL does not say which rows are deleted\n"
                 "    ALTER TABLE public.users REPLICA IDENTITY FULL;\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *f = *state;

        f->columns[0].not_null = !cases[i].nullable;
        f->columns[0].identity = !cases[i].outside;
        memcpy(f->keys, cases[i].keys, sizeof(cases[i].keys));
        f->table.key_count = cases[i].key_count;
        f->report = report_make(f->arena);
        check_report(f, false, cases[i].want);
    }
}

static void
rule_15_a_deferrable_key_is_read_back(void **state)
{
    struct fixture *f = *state;

    f->keys[0].deferrable = true;
    check_report(f, true,
                 "note: puffgres/migrations/001_users.toml: mapping users: the unique index of "
                 "\"id\" is DEFERRABLE: every delete and "
                 "every change of an id costs a query to the source\n");
    CHECK(f->mapping.read_back_deletes);
}

static void
rule_15_beside_an_immediate_key_a_deferrable_one_does_not_matter(void **state)
{
    struct fixture *f = *state;

    f->keys[0].deferrable = true;
    f->keys[1] = (struct table_key){"users_id_key", first_column, 1, false, false};
    f->table.key_count = 2;
    check_report(f, true, "");
    CHECK(!f->mapping.read_back_deletes);
}

/* One thing wrong, on top of the usual mapping. */
struct fault_case {
    const char *id, *listed; /* instead of "id" and "name" */
    enum id_type id_type;
    bool encode_string;
    const char *predicate, *hints;
    const char *want;
};

#define WHERE     "error: puffgres/migrations/001_users.toml: mapping users: "
#define PREDICATE "error: puffgres/migrations/001_users.toml:9:15: membership: "

/* clang-format off */
static const struct fault_case faults[] = {
    {.id = "idd", .want = WHERE "public.users has no column \"idd\"; did you mean \"id\"?\n"},
    {.listed = "nmae", .want = WHERE "public.users has no column \"nmae\"; did you mean \"name\"?\n"},
    {.listed = "Name", .want = WHERE "public.users has no column \"Name\"; did you mean \"name\"?\n"},
    {.listed = "price", .want = WHERE "public.users has no column \"price\"\n"},
    {.listed = "id", .want = WHERE "column \"id\" is listed twice in `columns`; take one out\n"},
    {.id_type = ID_UUID, .want = WHERE "id column \"id\" is bigint, which is no \"uuid\"; use type = \"uint\"\n"},
    {.predicate = "actve", .want = PREDICATE "column 1: public.users has no column \"actve\"; did you mean \"active\"?\n"},
    {.predicate = "active AND zzz = 1 AND yyy = 2",
     .want = PREDICATE "column 12: public.users has no column \"zzz\"\n"
             PREDICATE "column 24: public.users has no column \"yyy\"\n"},
    {.predicate = "active AND", .want = PREDICATE "column 11: the predicate ends where a column or a value is missing; add it\n"},
    {.predicate = "active = 5", .want = PREDICATE "column 10: \"active\" is boolean, and this value is not; write it like TRUE or FALSE\n"},
    {.hints = "{\"nam\": \"string\"}", .want = WHERE "[target.schema] names \"nam\", which is not in `columns`; did you mean \"name\"?\n"},
    {.hints = "{\"active\": \"bool\"}", .want = WHERE "[target.schema] names \"active\", which is not in `columns`; add it there or take it out here\n"},
    {.listed = "price", .hints = "{\"price\": \"float\"}", .want = WHERE "public.users has no column \"price\"\n"},
    {.hints = "{\"name\": 5}", .want = WHERE "[target.schema] \"name\" is neither a type nor a table; write name = \"string\" or name = { type = \"string\" }\n"},
    {.hints = "{\"name\": {\"type\": \"string\", \"exact\": \"yes\"}}", .want = WHERE "[target.schema] \"name\": exact is true or false\n"},
    {.hints = "{\"id\": \"string\"}", .want = WHERE "[target.schema] \"id\" is the id, stored as uint; take it out there and set `id = { column = \"id\", type = ... }` in [mapping]\n"},
};
/* clang-format on */

static void
faults_are_named_with_their_remedy(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        const struct fault_case *c = &faults[i];
        struct fixture *f = *state;

        f->mapping.id_name = c->id ? c->id : "id";
        f->listed[0] = c->id ? c->id : "id";
        f->listed[1] = c->listed ? c->listed : "name";
        f->mapping.id_type = c->id_type;
        f->mapping.predicate_text = c->predicate;
        f->mapping.predicate_line = 9;
        f->mapping.predicate_column = 15;
        f->mapping.hints = c->hints ? hints(f, c->hints) : NULL;
        f->report = report_make(f->arena);
        check_report(f, false, c->want);
    }
}

static void
only_the_id_is_called_id(void **state)
{
    struct fixture *f = *state;

    f->mapping.id_name = "token";
    f->columns[3].not_null = f->columns[3].identity = true;
    f->keys[0].columns = (const int16_t[]){4};
    check_report(f, false,
                 WHERE "column \"id\" cannot be written beside the id \"token\": documents have "
                       "their id under that name; take it out of `columns`, or make it the id\n");

    /* to read it is no harm */
    f->listed[0] = "token";
    f->mapping.predicate_text = "id != 7";
    f->report = report_make(f->arena);
    check_report(f, true, "");
    CHECK_INT(f->mapping.id_type, ID_UUID);
}

static void
versions_keep_their_names(void **state)
{
    struct fixture *f = *state;

    add_column(f, "__source_lsn", 20);
    f->listed[1] = "__source_lsn";
    check_report(f, false,
                 WHERE "column \"__source_lsn\" cannot be written: documents have the version of "
                       "their row under that name; take it out of `columns`\n");
}

static void
generated_columns_that_are_not_sent_are_refused_wherever_they_stand(void **state)
{
    struct fixture *f = *state;

    f->columns[1].generated = f->columns[1].unpublished = true;
    f->mapping.predicate_text = "name IS NULL";
    check_report(f, false,
                 WHERE "column \"name\" of public.users is generated, and Postgres sends no "
                       "virtual columns and stored ones only from 18 on\n"
                       "    take it out, or make it a column like others:\n"
                       "    ALTER TABLE public.users ALTER COLUMN name DROP EXPRESSION;\n"
                       "error: puffgres/migrations/001_users.toml: mapping users: membership: "
                       "column 1: column \"name\" of "
                       "public.users is generated, and Postgres sends no virtual columns and "
                       "stored ones only from 18 on\n"
                       "    take it out, or make it a column like others:\n"
                       "    ALTER TABLE public.users ALTER COLUMN name DROP EXPRESSION;\n");
}

static void
generated_columns_that_are_sent_are_columns(void **state)
{
    struct fixture *f = *state;

    f->columns[1].generated = true;
    check_report(f, true, "");
}

static void
ids_of_other_types_are_refused(void **state)
{
    static const struct {
        oid_t oid;
        enum id_type type;
        bool encode_string;
        const char *want;
    } cases[] = {
        {25, ID_UINT, false,
         WHERE "id column \"id\" is text, which is no \"uint\"; use type = \"string\"\n"},
        {25, ID_UUID, false,
         WHERE "id column \"id\" is text, which is no \"uuid\"; use type = \"string\"\n"},
        {2950, ID_INT, false,
         WHERE "id column \"id\" is uuid, which is no \"int\"; use type = \"uuid\"\n"},
        {701, ID_UINT, false,
         WHERE "id column \"id\" is double precision, which is no \"uint\"; use type = "
               "\"string\"\n"},
        {1016, ID_AUTO, false,
         WHERE "id column \"id\" is bigint[], and a list cannot be an id; map another column\n"},
        {2950, ID_AUTO, true,
         WHERE "id column \"id\": encode = \"string\" is for integers; use type = \"string\"\n"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture *f = *state;

        CHECK(type_builtin(cases[i].oid, &f->columns[0].type));
        f->mapping.id_type = cases[i].type;
        f->mapping.id_encode_string = cases[i].encode_string;
        f->report = report_make(f->arena);
        check_report(f, false, cases[i].want);
    }
}

static void
a_hint_for_the_id_may_repeat_its_type(void **state)
{
    struct fixture *f = *state;

    f->mapping.hints = hints(f, "{\"id\": \"uint\"}");
    check_report(f, true, "");
    f->mapping.source = NULL;
    f->mapping.id_encode_string = true;
    f->mapping.hints = hints(f, "{\"id\": \"string\"}");
    check_report(f, true, "");
}

static void
rule_02_warnings_do_not_stop_anything(void **state)
{
    struct fixture *f = *state;

    f->table.row_security = true;
    f->mapping.versioning = VERSIONING_NONE;
    f->mapping.predicate_text = "name = NULL OR active";
    check_report(
        f, true,
        "warning: puffgres/migrations/001_users.toml: mapping users: membership: column 1: what is "
        "compared with NULL is never true; "
        "write IS NULL or IS NOT NULL\n"
        "warning: puffgres/migrations/001_users.toml: mapping users: row level security hides rows "
        "of public.users from the connected "
        "role; reading them back will fail\n"
        "    ALTER ROLE ... BYPASSRLS;  -- or connect as the owner of the table\n"
        "warning: puffgres/migrations/001_users.toml: mapping users: versioning.mode = \"none\": "
        "writes carry no versions and no "
        "conditions, so that only their order keeps an older row from replacing a newer one\n");
}

static void
names_in_remedies_are_quoted(void **state)
{
    struct fixture *f = *state;

    f->table.schema = "My Schema";
    f->table.name = "order";
    f->columns[0].name = f->names[0] = f->mapping.id_name = f->listed[0] = "Id";
    f->columns[0].not_null = false;
    check_report(f, false,
                 WHERE "id column \"Id\" of \"My Schema\".\"order\" may be null\n"
                       "    ALTER TABLE \"My Schema\".\"order\" ALTER COLUMN \"Id\" SET NOT "
                       "NULL;\n");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_those_of_the_files),
        TEST(binds_id_fields_and_what_the_predicate_needs),
        TEST(the_id_need_not_be_listed),
        TEST(the_type_of_the_id_follows_the_column),
        TEST(rule_28_the_id_is_unique_not_null_and_in_the_identity),
        TEST(rule_15_a_deferrable_key_is_read_back),
        TEST(rule_15_beside_an_immediate_key_a_deferrable_one_does_not_matter),
        TEST(faults_are_named_with_their_remedy),
        TEST(only_the_id_is_called_id),
        TEST(versions_keep_their_names),
        TEST(generated_columns_that_are_not_sent_are_refused_wherever_they_stand),
        TEST(generated_columns_that_are_sent_are_columns),
        TEST(ids_of_other_types_are_refused),
        TEST(a_hint_for_the_id_may_repeat_its_type),
        TEST(rule_02_warnings_do_not_stop_anything),
        TEST(names_in_remedies_are_quoted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
