/* projection: what a new version of a relation means for a mapping. */
#include "model/projection.h"

#include "harness/check.h"

enum {
    BOOL = 16,
    INT8 = 20,
    INT4 = 23,
    TEXT = 25,
    VARCHAR = 1043,
    NUMERIC = 1700,
    MY_DOMAIN = 20000,
    MY_ENUM = 20001,
    OTHER_ENUM = 20002,
    VECTOR = 20003,
};

/* clang-format off */
static const struct table_column table_columns[] = {
    {.name = "id",    .type = {.oid = INT8,    .typmod = -1, .kind = TYPE_INT8,    .name = "bigint"}},
    {.name = "name",  .type = {.oid = VARCHAR, .typmod = 24, .kind = TYPE_TEXT,    .name = "character varying(20)"}},
    {.name = "price", .type = {.oid = NUMERIC, .typmod = -1, .kind = TYPE_NUMERIC, .name = "numeric"}, .domain = true},
    {.name = "state", .type = {.oid = MY_ENUM, .typmod = -1, .kind = TYPE_ENUM,    .name = "state"}},
    {.name = "other", .type = {.oid = INT4,    .typmod = -1, .kind = TYPE_INT4,    .name = "integer"}},
};
/* clang-format on */

static const struct table table = {
    .schema = "public",
    .name = "products",
    .column_count = ARRAY_LEN(table_columns),
    .columns = table_columns,
};

struct fixture {
    struct arena *arena;
    struct mapping mapping;
    struct mapping_column columns[4];
};

static int
setup(void **state)
{
    static struct fixture f;

    f = (struct fixture){.arena = arena_new("test")};
    for (size_t i = 0; i < ARRAY_LEN(f.columns); i++)
        f.columns[i] = (struct mapping_column){table_columns[i].name, table_columns[i].type};
    f.mapping = (struct mapping){
        .file = "001_products.toml",
        .source = &table,
        .column_count = ARRAY_LEN(f.columns),
        .columns = f.columns,
    };
    *state = &f;
    return 0;
}

static int
teardown(void **state)
{
    arena_free(((struct fixture *)*state)->arena);
    return 0;
}

#define COLUMN(text, oid, mod, is_key)                                                             \
    {                                                                                              \
        .name = SPAN_INIT(text), .type = (oid), .typmod = (mod), .key = (is_key)                   \
    }
#define SCHEMA(list)                                                                               \
    {                                                                                              \
        .relation = 1, .namespace = SPAN_INIT("public"), .name = SPAN_INIT("products"),            \
        .identity = IDENTITY_DEFAULT, .count = ARRAY_LEN(list), .columns = (list)                  \
    }

static const struct column usual_columns[] = {
    COLUMN("other", INT4, -1, false),    COLUMN("id", INT8, -1, true),
    COLUMN("name", VARCHAR, 24, false),  COLUMN("price", MY_DOMAIN, -1, false),
    COLUMN("state", MY_ENUM, -1, false),
};
static const struct schema usual = SCHEMA(usual_columns);

static const struct projection *
must_make(struct fixture *f, const struct schema *schema, const struct projection *previous)
{
    const struct projection *projection = NULL;
    struct err err;

    CHECK_OK(projection_make(&f->mapping, schema, previous, f->arena, &projection, &err), err);
    return projection;
}

static void
finds_columns_by_name_whatever_their_order(void **state)
{
    const struct projection *got = must_make(*state, &usual, NULL);
    static const uint16_t want[] = {1, 2, 3, 4};

    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        CHECK_INT(got->source[i], want[i]);
    CHECK(got->schema == &usual);
    CHECK(!got->retyped);
}

static void
rule_26_an_unmapped_column_means_nothing(void **state)
{
    static const struct column columns[] = {
        COLUMN("id", INT8, -1, true),        COLUMN("new", MY_DOMAIN, -1, false),
        COLUMN("name", VARCHAR, 24, false),  COLUMN("price", MY_DOMAIN, -1, false),
        COLUMN("state", MY_ENUM, -1, false),
    };
    static const struct schema changed = SCHEMA(columns);
    const struct projection *first = must_make(*state, &usual, NULL);
    const struct projection *second = must_make(*state, &changed, first);

    CHECK_INT(second->source[0], 0);
    CHECK_INT(second->source[1], 2);
    CHECK(!second->retyped);
}

/* Names stay where they are for as long as a table lives: "x" got the name of another column, or
 * was dropped and made again.  The previous version is id, name, price, state. */
static void
rule_26_a_mapped_column_that_is_replaced_needs_a_re_read(void **state)
{
#define C_ID    COLUMN("id", INT8, -1, true)
#define C_NAME  COLUMN("name", VARCHAR, 24, false)
#define C_PRICE COLUMN("price", MY_DOMAIN, -1, false)
#define C_STATE COLUMN("state", MY_ENUM, -1, false)
#define C_NEW   COLUMN("new", INT8, -1, false)
    static const struct column before_columns[] = {C_ID, C_NAME, C_NEW, C_PRICE, C_STATE};
    static const struct column swapped[] = {C_ID, C_STATE, C_NEW, C_PRICE, C_NAME};
    static const struct column again[] = {C_ID, C_NEW, C_PRICE, C_STATE, C_NAME};
    static const struct column added[] = {C_ID,    C_NAME,  C_NEW,
                                          C_PRICE, C_STATE, COLUMN("more", INT8, -1, false)};
    static const struct column dropped[] = {C_ID, C_NAME, C_PRICE, C_STATE};
    static const struct schema before = SCHEMA(before_columns);
    static const struct {
        struct schema now;
        bool want;
    } cases[] = {
        {SCHEMA(before_columns), false}, {SCHEMA(added), false}, {SCHEMA(dropped), false},
        {SCHEMA(swapped), true},         {SCHEMA(again), true},
    };
    const struct projection *first = must_make(*state, &before, NULL);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_INT(must_make(*state, &cases[i].now, first)->retyped, cases[i].want);
}

/* One column of the usual version replaced. */
struct change_case {
    const char *label;
    struct column column;
    bool after_usual; /* the usual version was in force before */
    bool retyped;
    const char *want; /* the error, or NULL */
};

static void
check_case(struct fixture *f, const struct change_case *c, size_t replaced)
{
    struct column columns[ARRAY_LEN(usual_columns)];
    struct schema changed = usual;
    const struct projection *previous = c->after_usual ? must_make(f, &usual, NULL) : NULL;
    const struct projection *got = NULL;
    struct err err;
    bool ok;

    memcpy(columns, usual_columns, sizeof(columns));
    columns[replaced] = c->column;
    changed.columns = columns;
    ok = projection_make(&f->mapping, &changed, previous, f->arena, &got, &err);
    if (ok != !c->want)
        fail_msg("%s: got %d (%s)", c->label, ok, ok ? "" : err.text);
    if (ok && got->retyped != c->retyped)
        fail_msg("%s: retyped is %d", c->label, got->retyped);
    if (!ok) {
        CHECK_STR(err.text, c->want);
        CHECK_INT(err.kind, ERR_CONFIG);
        CHECK(got == NULL);
    }
}

static void
rule_26_a_mapped_column_that_changes(void **state)
{
    /* clang-format off */
    static const struct {
        size_t replaced;
        struct change_case c;
    } cases[] = {
        {2, {"longer", COLUMN("name", VARCHAR, 104, false), true, false, NULL}},
        {2, {"no limit", COLUMN("name", VARCHAR, -1, false), true, false, NULL}},
        {2, {"text", COLUMN("name", TEXT, -1, false), true, false, NULL}},
        {2, {"shorter", COLUMN("name", VARCHAR, 14, false), true, true, NULL}},
        {2, {"longer at start", COLUMN("name", VARCHAR, 34, false), false, false, NULL}},
        {2, {"shorter at start", COLUMN("name", VARCHAR, 14, false), false, true, NULL}},
        {1, {"int4 id", COLUMN("id", INT4, -1, true), true, true, NULL}},
        {3, {"domain gone", COLUMN("price", NUMERIC, -1, false), true, true, NULL}},
        {3, {"domain at start", COLUMN("price", 20009, -1, false), false, false, NULL}},
        {2, {"family", COLUMN("name", BOOL, -1, false), true, false,
             "column \"name\" of public.products is boolean here and character varying(20) for the "
             "mapping; write a new version of 001_products.toml with another target, which starts "
             "with the new type"}},
        {2, {"family at start", COLUMN("name", INT4, -1, false), false, false,
             "column \"name\" of public.products is integer here and character varying(20) for the "
             "mapping; write a new version of 001_products.toml with another target, which starts "
             "with the new type"}},
        {4, {"another enum", COLUMN("state", OTHER_ENUM, -1, false), true, false,
             "column \"state\" of public.products is of a type made after the start here and state "
             "for the mapping; write a new version of 001_products.toml with another target, which "
             "starts with the new type"}},
        {2, {"renamed", COLUMN("title", VARCHAR, 24, false), true, false,
             "column \"name\" of public.products was dropped or renamed; write a new version of "
             "001_products.toml without it or with its new name"}},
        {2, {"renamed before start", COLUMN("title", VARCHAR, 24, false), false, false,
             "column \"name\" of public.products was dropped or renamed; write a new version of "
             "001_products.toml without it or with its new name"}},
        {1, {"id gone", COLUMN("key", INT8, -1, true), false, false,
             "column \"id\" of public.products was dropped or renamed; write a new version of "
             "001_products.toml without it or with its new name"}},
        {1, {"id out of the identity", COLUMN("id", INT8, -1, false), true, false,
             "id column \"id\" of public.products is not in the replica identity, so deletes and "
             "new ids would be missed; see `check` for the ALTER TABLE that mends it"}},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_case(*state, &cases[i].c, cases[i].replaced);
}

/* The mapping was made for the table as it is now; the stream starts before the ADD COLUMN. */
static void
rule_26_a_column_that_is_added_later_is_read_back(void **state)
{
    static const struct column columns[] = {
        COLUMN("id", INT8, -1, true),
        COLUMN("name", VARCHAR, 24, false),
        COLUMN("price", MY_DOMAIN, -1, false),
    };
    static const struct schema early = SCHEMA(columns);
    const struct projection *first = must_make(*state, &early, NULL);
    const struct projection *second, *third = NULL;
    struct err err;

    CHECK_INT(first->source[2], 2);
    CHECK_INT(first->source[3], PROJECTION_ABSENT);
    CHECK(first->retyped);

    second = must_make(*state, &usual, first);
    CHECK_INT(second->source[3], 4);

    CHECK(!projection_make(&((struct fixture *)*state)->mapping, &early, second,
                           ((struct fixture *)*state)->arena, &third, &err));
    CHECK_STR(err.text, "column \"state\" of public.products was dropped or renamed; write a new "
                        "version of 001_products.toml without it or with its new name");
}

static void
rule_26_a_vector_keeps_its_dimension(void **state)
{
    static const struct column columns[] = {COLUMN("id", INT8, -1, true),
                                            COLUMN("name", VECTOR, 3, false)};
    static const struct schema three = SCHEMA(columns);
    struct fixture *f = *state;
    const struct projection *got = NULL;
    struct err err;

    f->mapping.column_count = 2;
    f->columns[1].type =
        (struct type){.oid = VECTOR, .typmod = 3, .kind = TYPE_VECTOR, .name = "vector(3)"};
    CHECK(must_make(f, &three, NULL));
    f->columns[1].type.typmod = 4;
    f->columns[1].type.name = "vector(4)";
    CHECK_FAILS(projection_make(&f->mapping, &three, NULL, f->arena, &got, &err), err, ERR_CONFIG,
                "column \"name\" of public.products is of another dimension here and vector(4) "
                "for the mapping; write a new version of 001_products.toml with another target, "
                "which starts with the new type");
}

static void
a_full_identity_needs_no_key_flags(void **state)
{
    struct column columns[ARRAY_LEN(usual_columns)];
    struct schema full = usual;

    memcpy(columns, usual_columns, sizeof(columns));
    columns[1].key = false;
    full.columns = columns;
    full.identity = IDENTITY_FULL;
    CHECK(must_make(*state, &full, NULL));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_columns_by_name_whatever_their_order, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rule_26_an_unmapped_column_means_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_26_a_mapped_column_that_is_replaced_needs_a_re_read,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(rule_26_a_mapped_column_that_changes, setup, teardown),
        cmocka_unit_test_setup_teardown(rule_26_a_column_that_is_added_later_is_read_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(rule_26_a_vector_keeps_its_dimension, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_identity_needs_no_key_flags, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
