/* datum: types by name, values from JSON and back, order and size. */
#include "local/datum.h"

#include "unit/local/bench.h"

static void
types_have_names(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *text; struct datum_type type; } cases[] = {
        {"string",      {.base = DATUM_STRING}},
        {"[]string",    {.base = DATUM_STRING, .array = true}},
        {"int",         {.base = DATUM_INT}},
        {"[]uint",      {.base = DATUM_UINT, .array = true}},
        {"[]uuid",      {.base = DATUM_UUID, .array = true}},
        {"[]datetime",  {.base = DATUM_DATETIME, .array = true}},
        {"[]bool",      {.base = DATUM_BOOL, .array = true}},
        {"[]float",     {.base = DATUM_FLOAT, .array = true}},
        {"bytes",       {.base = DATUM_BYTES}},
        {"[768]f32",    {.base = DATUM_F32, .dimensions = 768}},
        {"[2]f16",      {.base = DATUM_F16, .dimensions = 2}},
        {"[9]i8",       {.base = DATUM_I8, .dimensions = 9}},
        {"{}f16",       {.base = DATUM_SPARSE}},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[DATUM_TYPE_TEXT_SIZE];
        struct datum_type type;

        CHECK(datum_type_parse(span_of(cases[i].text), &type));
        CHECK(datum_type_eq(type, cases[i].type));
        CHECK_STR(datum_type_text(type, text), cases[i].text);
    }
}

static void
types_that_are_none(void **state UNUSED)
{
    static const char *const cases[] = {
        "",          "String",  "text",  "unknown",         "[]",       "[]unknown",
        "[]bytes",   "f32",     "[]f32", "[0]f32",          "[-1]f32",  "[x]f16",
        "[3]string", "[]{}f16", "[3f32", "[4294967296]f32", "[][3]f32",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct datum_type type;

        if (datum_type_parse(span_of(cases[i]), &type))
            fail_msg("\"%s\" is a type", cases[i]);
    }
}

/* Reads a value of a type and prints it again; or the refusal. */
static const char *
through(struct arena *arena, const char *type_text, const char *json, enum vector_encoding encoding)
{
    CLEANUP(buf_free) struct buf out = buf_make(4096);
    struct json_writer w = {.out = &out};
    struct datum_type type;
    struct datum datum;
    struct err err;

    CHECK(datum_type_parse(span_of(type_text), &type));
    if (datum_read(type, json_of(arena, json), arena, &datum, &err))
        datum_write(&w, type, &datum, encoding);
    else
        buf_putf(&out, "%d %s", err.code, err.text);
    return arena_strdup(arena, out.ptr);
}

static void
values_come_back(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *type, *json, *want; } cases[] = {
        {"string",   "'x'",                    "'x'"},
        {"int",      "-9223372036854775808",   "-9223372036854775808"},
        {"int",      "9223372036854775807",    "9223372036854775807"},
        {"uint",     "18446744073709551615",   "18446744073709551615"},
        {"float",    "1",                      "1.0"},
        {"float",    "0.1",                    "0.1"},
        {"float",    "1e300",                  "1e+300"},
        {"float",    "5e-324",                 "4.94065645841247e-324"},
        {"bool",     "true",                   "true"},
        {"uuid",     "'0189F7E11F2E7ABC8DEF0123456789AB'", "'0189f7e1-1f2e-7abc-8def-0123456789ab'"},
        {"datetime", "'2024-03-02'",           "'2024-03-02T00:00:00.000000000Z'"},
        {"bytes",    "'Zm9v'",                 "'Zm9v'"},
        {"[]string", "['a','']",               "['a','']"},
        {"[]int",    "[]",                     "[]"},
        {"[]uint",   "[18446744073709551615]", "[18446744073709551615]"},
        {"[]bool",   "[true,false]",           "[true,false]"},
        {"[2]f32",   "[1, 0.1]",               "[1.0,0.1]"},
        {"[2]f32",   "'AACAPwAAAEA='",         "[1.0,2.0]"},
        {"[2]f16",   "[0.1, 65504]",           "[0.099975586,65504.0]"},
        {"[3]i8",    "[-128, 0, 127]",         "[-128.0,0.0,127.0]"},
        {"{}f16",    "{'7': 0.5, 'x': 1}",     "{'7':0.5,'x':1}"},
    };
    /* clang-format on */
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_text(arena, through(arena, cases[i].type, cases[i].json, VECTOR_ENCODING_FLOAT),
                   cases[i].want, cases[i].type);
}

static void
vectors_come_as_base64(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *type, *json, *want; } cases[] = {
        {"[2]f32", "[1, 2]",   "'AACAPwAAAEA='"}, /* 4 bytes each */
        {"[2]f16", "[1, -2]",  "'ADwAwA=='"},     /* 2 */
        {"[3]i8",  "[-1,0,1]", "'/wAB'"},         /* 1 */
    };
    /* clang-format on */
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_text(arena, through(arena, cases[i].type, cases[i].json, VECTOR_ENCODING_BASE64),
                   cases[i].want, cases[i].type);
}

static void
values_of_another_type(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *type, *json, *want; } cases[] = {
        {"string",   "1",                     "400 expected string, got the number 1"},
        {"int",      "'1'",                   "400 expected int, got the string '1'"},
        {"int",      "1.5",                   "400 expected int, got the number 1.5"},
        {"int",      "9223372036854775808",   "400 expected int, got the number 9223372036854775808"},
        {"uint",     "-1",                    "400 expected uint, got the number -1"},
        {"uint",     "18446744073709551616",  "400 expected uint, got the number 18446744073709551616"},
        {"float",    "'NaN'",                 "400 expected float, got the string 'NaN'"},
        {"bool",     "1",                     "400 expected bool, got the number 1"},
        {"uuid",     "'x'",                   "400 expected uuid, got the string 'x'"},
        {"datetime", "'infinity'",            "400 expected datetime, got the string 'infinity'"},
        {"datetime", "1700000000",            "400 expected datetime, got the number 1700000000"},
        {"bytes",    "'Zg'",                  "400 expected bytes, got the string 'Zg'"},
        {"string",   "['a']",                 "400 expected string, got an array"},
        {"[]string", "'a'",                   "400 expected []string, got the string "},
        {"[]string", "['a',1]",               "400 element 1: expected string, got the number 1"},
        {"[]int",    "[1,null]",              "400 element 1: expected int, got null"},
        {"[2]f32",   "[1]",                   "400 the vector has 1 dimensions, its column 2"},
        {"[2]f32",   "[1,'2']",               "400 dimension 1 is no 32-bit float"},
        {"[2]f32",   "[1,1e39]",              "400 dimension 1 is no 32-bit float"},
        {"[2]f32",   "'AACAPw=='",            "400 the vector has 1 dimensions, its column 2"},
        {"[1]f32",   "'AADAfw=='",            "400 dimension 0 is not finite"},
        {"[1]f32",   "'#'",                   "400 a vector is an array of numbers or base64"},
        {"[1]f16",   "[70000]",               "400 dimension 0, 70000, is out of the range of [1]f16"},
        {"[1]i8",    "[128]",                 "400 dimension 0, 128, is out of the range of [1]i8"},
        {"[1]i8",    "[0.5]",                 "400 dimension 0, 0.5, is out of the range of [1]i8"},
        {"{}f16",    "[1]",                   "400 a sparse vector is an object of numbers"},
        {"{}f16",    "{'a':'b'}",             "400 entry 'a' is no 16-bit float"},
    };
    /* clang-format on */
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_text(arena, through(arena, cases[i].type, cases[i].json, VECTOR_ENCODING_FLOAT),
                   cases[i].want, cases[i].json);
}

static void
types_are_inferred(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *json; bool vector; const char *want; } cases[] = {
        {"'x'",       false, "string"},
        {"1",         false, "int"},
        {"true",      false, "bool"},
        {"{'a':1}",   false, "{}f16"},
        {"['x']",     false, "[]string"},
        {"[1,2]",     false, "[]int"},
        {"[]",        false, "[]unknown"},
        {"[1,2]",     true,  "[2]f32"},
        {"'AACAPw=='", true, "[1]f32"},
        {"1.5",       false, "400 the number 1.5 is no 64-bit integer and no type is declared; declare "
                             "float or uint in the schema"},
        {"9223372036854775808", false,
                             "400 the number 9223372036854775808 is no 64-bit integer and no type is "
                             "declared; declare float or uint in the schema"},
        {"[null]",    false, "400 no type can be inferred from a nested array or a null in an array"},
        {"[[1]]",     false, "400 no type can be inferred from a nested array or a null in an array"},
        {"[{}]",      false, "400 an array of objects has no type"},
        {"[]",        true,  "400 a vector has 1 to 10752 dimensions, this one 0"},
        {"true",      true,  "400 a vector is an array of numbers or base64"},
    };
    /* clang-format on */
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[1200];
        struct datum_type type;
        struct err err;

        if (datum_type_infer(json_of(arena, cases[i].json), cases[i].vector, &type, &err))
            datum_type_text(type, text);
        else
            snprintf(text, sizeof(text), "%d %s", err.code, err.text);
        check_text(arena, text, cases[i].want, cases[i].json);
    }
}

static void
values_are_ordered(void **state UNUSED)
{
    /* Each greater than the one before it. */
    /* clang-format off */
    static const struct { const char *type; const char *rising[6]; } cases[] = {
        {"string",   {"''", "'A'", "'AA'", "'B'", "'a'", "'\xc3\xa9'"}},
        {"int",      {"-9223372036854775808", "-1", "0", "1", "9223372036854775807"}},
        {"uint",     {"0", "1", "9223372036854775808", "18446744073709551615"}},
        {"float",    {"-1e300", "-0.5", "0", "1", "1.0000000001"}},
        {"bool",     {"false", "true"}},
        {"datetime", {"'0001-01-01'", "'1969-12-31'", "'1970-01-01'", "'1970-01-01T00:00:00.001Z'"}},
        {"uuid",     {"'00000000-0000-0000-0000-000000000001'", "'10000000-0000-0000-0000-000000000000'",
                      "'A0000000-0000-0000-0000-000000000000'"}},
        {"[]int",    {"[]", "[1]", "[1,0]", "[1,2]", "[2]"}},
    };
    /* clang-format on */
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct datum_type type;
        struct datum before, datum;
        struct err err;

        CHECK(datum_type_parse(span_of(cases[i].type), &type));
        for (size_t k = 0; k < 6 && cases[i].rising[k]; k++) {
            CHECK_OK(datum_read(type, json_of(arena, cases[i].rising[k]), arena, &datum, &err),
                     err);
            CHECK_INT(datum_compare(type, &datum, &datum), 0);
            CHECK(datum_compare(type, NULL, &datum) < 0);
            CHECK(datum_compare(type, &datum, NULL) > 0);
            if (k > 0 && (datum_compare(type, &before, &datum) >= 0 ||
                          datum_compare(type, &datum, &before) <= 0))
                fail_msg("%s: %s", cases[i].type, cases[i].rising[k]);
            before = datum;
        }
        CHECK_INT(datum_compare(type, NULL, NULL), 0);
    }
}

static void
values_have_sizes(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *type, *json; size_t whole, largest; } cases[] = {
        {"string",   "'abc'",            3,  3},
        {"int",      "1",                8,  8},
        {"bool",     "true",             1,  1},
        {"uuid",     "'00000000-0000-0000-0000-000000000001'", 16, 16},
        {"[]string", "['abc','de','']",  5,  3},
        {"[]int",    "[1,2,3]",          24, 8},
        {"[3]f32",   "[1,2,3]",          12, 12},
        {"[3]f16",   "[1,2,3]",          6,  6},
        {"[3]i8",    "[1,2,3]",          3,  3},
        {"bytes",    "'Zm9v'",           3,  3},
    };
    /* clang-format on */
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct datum_type type;
        struct datum datum;
        struct err err;

        CHECK(datum_type_parse(span_of(cases[i].type), &type));
        CHECK_OK(datum_read(type, json_of(arena, cases[i].json), arena, &datum, &err), err);
        CHECK_INT(datum_bytes(type, &datum), cases[i].whole);
        CHECK_INT(datum_bytes_largest(type, &datum), cases[i].largest);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_have_names),       cmocka_unit_test(types_that_are_none),
        cmocka_unit_test(values_come_back),       cmocka_unit_test(vectors_come_as_base64),
        cmocka_unit_test(values_of_another_type), cmocka_unit_test(types_are_inferred),
        cmocka_unit_test(values_are_ordered),     cmocka_unit_test(values_have_sizes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
