/* type: built-in types by oid, families, and what a column may become. */
#include "model/type.h"

#include "harness/check.h"

static void
knows_built_in_types(void **state UNUSED)
{
    static const struct {
        oid_t oid;
        enum type_kind kind;
        bool array;
        char delimiter;
        const char *name;
    } cases[] = {
        {16, TYPE_BOOL, false, ',', "boolean"},
        {17, TYPE_BYTEA, false, ',', "bytea"},
        {18, TYPE_TEXT, false, ',', "\"char\""},
        {20, TYPE_INT8, false, ',', "bigint"},
        {21, TYPE_INT2, false, ',', "smallint"},
        {23, TYPE_INT4, false, ',', "integer"},
        {1007, TYPE_INT4, true, ',', "integer[]"},
        {25, TYPE_TEXT, false, ',', "text"},
        {1009, TYPE_TEXT, true, ',', "text[]"},
        {26, TYPE_OID, false, ',', "oid"},
        {114, TYPE_JSON, false, ',', "json"},
        {142, TYPE_XML, false, ',', "xml"},
        {603, TYPE_OTHER, false, ';', "box"},
        {1020, TYPE_OTHER, true, ';', "box[]"},
        {700, TYPE_FLOAT4, false, ',', "real"},
        {701, TYPE_FLOAT8, false, ',', "double precision"},
        {790, TYPE_MONEY, false, ',', "money"},
        {869, TYPE_NETWORK, false, ',', "inet"},
        {1042, TYPE_TEXT, false, ',', "character"},
        {1043, TYPE_TEXT, false, ',', "character varying"},
        {1082, TYPE_DATE, false, ',', "date"},
        {1083, TYPE_TIME, false, ',', "time without time zone"},
        {1114, TYPE_TIMESTAMP, false, ',', "timestamp without time zone"},
        {1184, TYPE_TIMESTAMPTZ, false, ',', "timestamp with time zone"},
        {1186, TYPE_INTERVAL, false, ',', "interval"},
        {1266, TYPE_TIMETZ, false, ',', "time with time zone"},
        {1560, TYPE_BIT, false, ',', "bit"},
        {1700, TYPE_NUMERIC, false, ',', "numeric"},
        {1231, TYPE_NUMERIC, true, ',', "numeric[]"},
        {2249, TYPE_COMPOSITE, false, ',', "record"},
        {2950, TYPE_UUID, false, ',', "uuid"},
        {2951, TYPE_UUID, true, ',', "uuid[]"},
        {3802, TYPE_JSON, false, ',', "jsonb"},
        {3904, TYPE_RANGE, false, ',', "int4range"},
        {4451, TYPE_RANGE, false, ',', "int4multirange"},
        {22, TYPE_OTHER, false, ',', "int2vector"},
        {271, TYPE_OTHER, true, ',', "xid8[]"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct type got;

        CHECK(type_builtin(cases[i].oid, &got));
        CHECK_INT(got.oid, cases[i].oid);
        CHECK_INT(got.typmod, -1);
        CHECK_STR(type_kind_names[got.kind], type_kind_names[cases[i].kind]);
        CHECK_INT(got.array, cases[i].array);
        CHECK_INT(got.delimiter, cases[i].delimiter);
        CHECK_STR(got.name, cases[i].name);
    }
}

static void
does_not_guess_at_other_oids(void **state UNUSED)
{
    static const oid_t unknown[] = {0, 1, 71, 2275, 9999, 16384, 4294967295};
    struct type untouched = {.oid = 7};

    for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
        CHECK(!type_builtin(unknown[i], &untouched));
    CHECK_INT(untouched.oid, 7);
}

static void
knows_extension_types_by_name(void **state UNUSED)
{
    CHECK_INT(type_by_extension_name(SPAN("citext")), TYPE_TEXT);
    CHECK_INT(type_by_extension_name(SPAN("vector")), TYPE_VECTOR);
    CHECK_INT(type_by_extension_name(SPAN("halfvec")), TYPE_HALFVEC);
    CHECK_INT(type_by_extension_name(SPAN("hstore")), TYPE_OTHER);
    CHECK_INT(type_by_extension_name(SPAN("")), TYPE_OTHER);
    CHECK_INT(type_by_extension_name(SPAN("vectors")), TYPE_OTHER);
}

static void
every_kind_has_a_name_and_a_family(void **state UNUSED)
{
    for (int kind = 0; kind < TYPE_KIND_MAX_; kind++) {
        struct type type = {.kind = (enum type_kind)kind};

        CHECK(type_kind_names[kind] && *type_kind_names[kind]);
        CHECK(type_family(&type) < FAMILY_MAX_);
        CHECK(type_same_family(&type, &type));
    }
    CHECK(type_kind_names[TYPE_KIND_MAX_] == NULL);
}

static void
rule_26_a_family_is_what_reads_alike(void **state UNUSED)
{
    static const struct {
        struct type a, b;
        bool want;
    } cases[] = {
        {{.kind = TYPE_INT4}, {.kind = TYPE_INT8}, true},
        {{.kind = TYPE_INT8}, {.kind = TYPE_INT2}, true},
        {{.kind = TYPE_INT8}, {.kind = TYPE_OID}, true},
        {{.kind = TYPE_FLOAT4}, {.kind = TYPE_FLOAT8}, true},
        {{.kind = TYPE_TEXT}, {.kind = TYPE_ENUM}, true},
        {{.kind = TYPE_JSON}, {.kind = TYPE_JSON}, true},
        {{.kind = TYPE_INT4}, {.kind = TYPE_NUMERIC}, false},
        {{.kind = TYPE_INT4}, {.kind = TYPE_FLOAT8}, false},
        {{.kind = TYPE_INT4}, {.kind = TYPE_TEXT}, false},
        {{.kind = TYPE_TIMESTAMP}, {.kind = TYPE_TIMESTAMPTZ}, false},
        {{.kind = TYPE_DATE}, {.kind = TYPE_TIMESTAMP}, false},
        {{.kind = TYPE_TEXT}, {.kind = TYPE_UUID}, false},
        {{.kind = TYPE_INTERVAL}, {.kind = TYPE_TIME}, false},
        {{.kind = TYPE_OTHER}, {.kind = TYPE_OTHER}, true},
        {{.kind = TYPE_VECTOR}, {.kind = TYPE_HALFVEC}, false},
        {{.kind = TYPE_VECTOR, .typmod = 3}, {.kind = TYPE_VECTOR, .typmod = 3}, true},
        {{.kind = TYPE_VECTOR, .typmod = 3}, {.kind = TYPE_VECTOR, .typmod = 4}, false},
        {{.kind = TYPE_TEXT, .typmod = 14}, {.kind = TYPE_TEXT, .typmod = -1}, true},
        {{.kind = TYPE_INT4, .array = true}, {.kind = TYPE_INT8, .array = true}, true},
        {{.kind = TYPE_INT4, .array = true}, {.kind = TYPE_INT4}, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct type *a = &cases[i].a, *b = &cases[i].b;

        if (type_same_family(a, b) != cases[i].want || type_same_family(b, a) != cases[i].want)
            fail_msg("case %zu: %s and %s: want %d", i, type_kind_names[a->kind],
                     type_kind_names[b->kind], cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_built_in_types),
        cmocka_unit_test(does_not_guess_at_other_oids),
        cmocka_unit_test(knows_extension_types_by_name),
        cmocka_unit_test(every_kind_has_a_name_and_a_family),
        cmocka_unit_test(rule_26_a_family_is_what_reads_alike),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
