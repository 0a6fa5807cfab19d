/* turbopuffer_types: one test per Postgres type, and what is refused. */
#include "destinations/turbopuffer/turbopuffer_types.h"

#include "base/arena.h"
#include "harness/check.h"

struct value_case {
    const char *text;
    const char *want; /* JSON; NULL: not FITS */
    enum turbopuffer_fit fit;
};

#define VALUES_MAX 16

/* One row per named test. */
struct type_case {
    const char *name;
    enum type_kind kind;
    bool array;
    int32_t typmod;
    bool exact;
    const char *hint; /* the type of [target.schema]; NULL: the default */
    const char *type; /* what it becomes */
    struct value_case values[VALUES_MAX];
};

#define UNFIT     NULL, TURBOPUFFER_UNFIT
#define MALFORMED NULL, TURBOPUFFER_MALFORMED
#define TOO_LONG  NULL, TURBOPUFFER_TOO_LONG

/* clang-format off */
static const struct type_case type_cases[] = {
    /* ---- the table of requirements 2.6, every kind ---- */
    {.name = "type_bool", .kind = TYPE_BOOL, .type = "bool",
     .values = {{"t", "true", 0}, {"f", "false", 0}}},
    {.name = "type_int2", .kind = TYPE_INT2, .type = "int",
     .values = {{"-32768", "-32768", 0}, {"32767", "32767", 0}}},
    {.name = "type_int4", .kind = TYPE_INT4, .type = "int",
     .values = {{"-2147483648", "-2147483648", 0}, {"0", "0", 0}}},
    {.name = "type_int8", .kind = TYPE_INT8, .type = "int",
     .values = {{"-9223372036854775808", "-9223372036854775808", 0},
                {"9223372036854775807", "9223372036854775807", 0},
                {"9007199254740993", "9007199254740993", 0}}},
    {.name = "type_oid", .kind = TYPE_OID, .type = "uint",
     .values = {{"4294967295", "4294967295", 0}}},
    {.name = "type_float4", .kind = TYPE_FLOAT4, .type = "float",
     .values = {{"1.5", "1.5", 0}, {"3.4028235e+38", "3.4028235e+38", 0}, {"NaN", UNFIT}}},
    {.name = "type_float8", .kind = TYPE_FLOAT8, .type = "float",
     .values = {{"0.1", "0.1", 0}, {"-0", "-0", 0}, {"1e-05", "1e-05", 0},
                {"NaN", UNFIT}, {"Infinity", UNFIT}, {"-Infinity", UNFIT}}},
    {.name = "type_numeric", .kind = TYPE_NUMERIC, .type = "string",
     .values = {{"1.10", "\"1.10\"", 0}, {"NaN", "\"NaN\"", 0},
                {"123456789012345678901234567890", "\"123456789012345678901234567890\"", 0}}},
    {.name = "type_money", .kind = TYPE_MONEY, .type = "string",
     .values = {{"$1,000.00", "\"$1,000.00\"", 0}}},
    {.name = "type_text", .kind = TYPE_TEXT, .type = "string",
     .values = {{"", "\"\"", 0}, {"a\"b\\c\n\x01", "\"a\\\"b\\\\c\\n\\u0001\"", 0},
                {"\xE2\x82\xAC \xF0\x9F\xA6\x98", "\"\xE2\x82\xAC \xF0\x9F\xA6\x98\"", 0}}},
    {.name = "type_bytea", .kind = TYPE_BYTEA, .type = "string",
     .values = {{"\\x", "\"\"", 0}, {"\\x666f6f", "\"Zm9v\"", 0}, {"foo", MALFORMED}}},
    {.name = "type_uuid", .kind = TYPE_UUID, .type = "uuid",
     .values = {{"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", 0}}},
    {.name = "type_date", .kind = TYPE_DATE, .type = "datetime",
     .values = {{"2024-02-29", "\"2024-02-29\"", 0}, {"0001-01-01", "\"0001-01-01\"", 0},
                {"infinity", UNFIT}, {"0044-03-15 BC", UNFIT}, {"10000-01-01", UNFIT},
                {"02/29/2024", MALFORMED}}},
    {.name = "type_time", .kind = TYPE_TIME, .type = "string",
     .values = {{"10:00:00.123456", "\"10:00:00.123456\"", 0}}},
    {.name = "type_timetz", .kind = TYPE_TIMETZ, .type = "string",
     .values = {{"10:00:00+02", "\"10:00:00+02\"", 0}}},
    {.name = "type_timestamp", .kind = TYPE_TIMESTAMP, .type = "datetime",
     .values = {{"2024-03-02 10:00:00.123999", "\"2024-03-02T10:00:00.123Z\"", 0},
                {"2024-03-02 10:00:00.1", "\"2024-03-02T10:00:00.100Z\"", 0},
                {"2024-03-02 10:00:00", "\"2024-03-02T10:00:00.000Z\"", 0},
                {"infinity", UNFIT}, {"-infinity", UNFIT}, {"0044-03-15 12:00:00 BC", UNFIT},
                {"10000-01-01 00:00:00", UNFIT}, {"Sat Mar 02 10:00:00 2024", MALFORMED}}},
    {.name = "type_timestamptz", .kind = TYPE_TIMESTAMPTZ, .type = "datetime",
     .values = {{"2024-03-02 10:00:00.123456+00", "\"2024-03-02T10:00:00.123Z\"", 0},
                {"2024-03-02 10:00:00.123456+02", "\"2024-03-02T08:00:00.123Z\"", 0},
                {"2024-03-02 10:00:00-03:30", "\"2024-03-02T13:30:00.000Z\"", 0},
                {"0001-01-01 00:00:00+01", UNFIT}, {"9999-12-31 23:59:59-01", UNFIT},
                {"infinity", UNFIT}, {"2024-03-02 10:00:00 CET", MALFORMED}}},
    {.name = "type_interval", .kind = TYPE_INTERVAL, .type = "string",
     .values = {{"1 day 02:00:00", "\"1 day 02:00:00\"", 0}}},
    {.name = "type_json", .kind = TYPE_JSON, .type = "string",
     .values = {{"{\"a\": 1}", "\"{\\\"a\\\": 1}\"", 0}}},
    {.name = "type_xml", .kind = TYPE_XML, .type = "string",
     .values = {{"<a/>", "\"<a/>\"", 0}}},
    {.name = "type_network", .kind = TYPE_NETWORK, .type = "string",
     .values = {{"10.0.0.0/8", "\"10.0.0.0/8\"", 0}}},
    {.name = "type_bit", .kind = TYPE_BIT, .type = "string",
     .values = {{"101", "\"101\"", 0}}},
    {.name = "type_enum", .kind = TYPE_ENUM, .type = "string",
     .values = {{"happy", "\"happy\"", 0}}},
    {.name = "type_range", .kind = TYPE_RANGE, .type = "string",
     .values = {{"[1,5)", "\"[1,5)\"", 0}}},
    {.name = "type_composite", .kind = TYPE_COMPOSITE, .type = "string",
     .values = {{"(1,\"a b\",)", "\"[\\\"1\\\",\\\"a b\\\",null]\"", 0}, {"1", MALFORMED}}},
    {.name = "type_vector", .kind = TYPE_VECTOR, .typmod = 3, .type = "[3]f32",
     .values = {{"[1,2.5,-3e-05]", "[1,2.5,-3e-05]", 0}, {"[1,2]", UNFIT}, {"1,2,3", MALFORMED},
                {"[]", MALFORMED}}},
    {.name = "type_halfvec", .kind = TYPE_HALFVEC, .typmod = 2, .type = "[2]f16",
     .values = {{"[1,2]", "[1,2]", 0}, {"[1,2,3]", UNFIT}}},
    {.name = "type_other", .kind = TYPE_OTHER, .type = "string",
     .values = {{"(1,2)", "\"(1,2)\"", 0}}},

    /* ---- arrays ---- */
    {.name = "array_of_int", .kind = TYPE_INT4, .array = true, .type = "[]int",
     .values = {{"{1,2,3}", "[1,2,3]", 0}, {"{}", "[]", 0}, {"[2:3]={7,8}", "[7,8]", 0},
                {"{1,NULL}", UNFIT}, {"{{1,2},{3,4}}", UNFIT}, {"{1", MALFORMED}}},
    {.name = "array_of_text", .kind = TYPE_TEXT, .array = true, .type = "[]string",
     .values = {{"{a,\"b,c\",\"d\\\"e\",\"NULL\"}", "[\"a\",\"b,c\",\"d\\\"e\",\"NULL\"]", 0},
                {"{a,NULL}", UNFIT}}},
    {.name = "array_of_bool", .kind = TYPE_BOOL, .array = true, .type = "[]bool",
     .values = {{"{t,f}", "[true,false]", 0}}},
    {.name = "array_of_float", .kind = TYPE_FLOAT8, .array = true, .type = "[]float",
     .values = {{"{1.5,2}", "[1.5,2]", 0}, {"{NaN}", UNFIT}}},
    {.name = "array_of_uuid", .kind = TYPE_UUID, .array = true, .type = "[]uuid",
     .values = {{"{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}", "[\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"]", 0}}},
    {.name = "array_of_timestamptz", .kind = TYPE_TIMESTAMPTZ, .array = true, .type = "[]datetime",
     .values = {{"{\"2024-03-02 10:00:00+00\",\"2024-03-02 10:00:00+02\"}",
                 "[\"2024-03-02T10:00:00.000Z\",\"2024-03-02T08:00:00.000Z\"]", 0},
                {"{infinity}", UNFIT}}},
    {.name = "array_of_bytea", .kind = TYPE_BYTEA, .array = true, .type = "[]string",
     .values = {{"{\"\\\\x666f6f\"}", "[\"Zm9v\"]", 0}}},
    {.name = "array_of_composite", .kind = TYPE_COMPOSITE, .array = true, .type = "[]string",
     .values = {{"{\"(1,a)\"}", "[\"[\\\"1\\\",\\\"a\\\"]\"]", 0}}},
    {.name = "array_of_oid", .kind = TYPE_OID, .array = true, .type = "[]uint",
     .values = {{"{1}", "[1]", 0}}},
    {.name = "array_of_numeric", .kind = TYPE_NUMERIC, .array = true, .type = "[]string",
     .values = {{"{1.10,NaN}", "[\"1.10\",\"NaN\"]", 0}}},
    {.name = "array_of_json", .kind = TYPE_JSON, .array = true, .type = "[]string",
     .values = {{"{\"{\\\"a\\\": 1}\"}", "[\"{\\\"a\\\": 1}\"]", 0}}},
    {.name = "array_as_json_text", .kind = TYPE_INT4, .array = true, .hint = "string", .type = "string",
     .values = {{"{1,NULL,3}", "\"[1,null,3]\"", 0}, {"{{1,2},{3,4}}", "\"[[1,2],[3,4]]\"", 0},
                {"{1", MALFORMED}}},
    {.name = "array_of_vectors", .kind = TYPE_VECTOR, .array = true, .type = "string",
     .values = {{"{\"[1,2]\",\"[3,4]\"}", "\"[[1,2],[3,4]]\"", 0}}},

    /* ---- rule 31: exact ---- */
    {.name = "rule_31_exact_timestamptz_keeps_microseconds", .kind = TYPE_TIMESTAMPTZ, .exact = true,
     .type = "string",
     .values = {{"2024-03-02 10:00:00.123456+02", "\"2024-03-02T08:00:00.123456Z\"", 0},
                {"2024-03-02 10:00:00+00", "\"2024-03-02T10:00:00.000000Z\"", 0},
                {"infinity", "\"infinity\"", 0},
                {"0044-03-15 12:00:00+00 BC", "\"0044-03-15 12:00:00+00 BC\"", 0}}},
    {.name = "rule_31_exact_date_keeps_infinity", .kind = TYPE_DATE, .exact = true, .type = "string",
     .values = {{"2024-02-29", "\"2024-02-29\"", 0}, {"infinity", "\"infinity\"", 0}}},
    {.name = "rule_31_timestamp_as_integer_keeps_microseconds", .kind = TYPE_TIMESTAMP, .hint = "int",
     .type = "int",
     .values = {{"1970-01-01 00:00:00.000001", "1", 0}, {"1969-12-31 23:59:59", "-1000000", 0},
                {"infinity", UNFIT}, {"soon", MALFORMED}}},
    {.name = "rule_31_exact_float_keeps_nan", .kind = TYPE_FLOAT8, .exact = true, .type = "string",
     .values = {{"NaN", "\"NaN\"", 0}, {"0.1", "\"0.1\"", 0}}},
    {.name = "rule_31_exact_array_keeps_nulls", .kind = TYPE_TEXT, .array = true, .exact = true,
     .type = "string", .values = {{"{a,NULL}", "\"[\\\"a\\\",null]\"", 0}}},
    {.name = "rule_31_exact_int_is_int", .kind = TYPE_INT8, .exact = true, .type = "int",
     .values = {{"9223372036854775807", "9223372036854775807", 0}}},

    /* ---- overrides ---- */
    {.name = "numeric_as_float", .kind = TYPE_NUMERIC, .hint = "float", .type = "float",
     .values = {{"19.990", "19.990", 0}, {"NaN", UNFIT}, {"Infinity", UNFIT}}},
    {.name = "numeric_as_int", .kind = TYPE_NUMERIC, .hint = "int", .type = "int",
     .values = {{"12.000", "12", 0}, {"-5", "-5", 0}, {"100", "100", 0}, {"12.5", UNFIT},
                {"9223372036854775808", UNFIT}, {"NaN", UNFIT}}},
    {.name = "numeric_as_uint", .kind = TYPE_NUMERIC, .hint = "uint", .type = "uint",
     .values = {{"18446744073709551615", "18446744073709551615", 0}, {"-1", UNFIT}}},
    {.name = "int_as_uint", .kind = TYPE_INT4, .hint = "uint", .type = "uint",
     .values = {{"7", "7", 0}, {"-7", UNFIT}}},
    {.name = "int_as_float", .kind = TYPE_INT4, .hint = "float", .type = "float",
     .values = {{"7", "7", 0}}},
    {.name = "int_as_string", .kind = TYPE_INT8, .hint = "string", .type = "string",
     .values = {{"7", "\"7\"", 0}}},
    {.name = "bool_as_string", .kind = TYPE_BOOL, .hint = "string", .type = "string",
     .values = {{"t", "\"true\"", 0}, {"f", "\"false\"", 0}}},
    {.name = "text_as_uuid", .kind = TYPE_TEXT, .hint = "uuid", .type = "uuid",
     .values = {{"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11", "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\"", 0},
                {"nope", UNFIT}}},
    {.name = "bytea_as_bytes", .kind = TYPE_BYTEA, .hint = "bytes", .type = "bytes",
     .values = {{"\\xff", "\"/w==\"", 0}}},
    {.name = "json_as_sparse_vector", .kind = TYPE_JSON, .hint = "{}f16", .type = "{}f16",
     .values = {{"{\"a\": 0.5,\n\"b\": 2}", "{\"a\": 0.5, \"b\": 2}", 0}, {"{\"a\": \"x\"}", UNFIT},
                {"[1]", UNFIT}, {"{", UNFIT}}},
    {.name = "real_array_as_vector", .kind = TYPE_FLOAT4, .array = true, .hint = "[2]f32", .type = "[2]f32",
     .values = {{"{1,2.5}", "[1,2.5]", 0}, {"{1}", UNFIT}, {"{1,NULL}", UNFIT}, {"{1,NaN}", UNFIT},
                {"{{1,2}}", UNFIT}}},
    {.name = "vector_as_f16", .kind = TYPE_VECTOR, .typmod = 2, .hint = "[2]f16", .type = "[2]f16",
     .values = {{"[1,2]", "[1,2]", 0}}},
    {.name = "vector_as_string", .kind = TYPE_VECTOR, .typmod = 2, .hint = "string", .type = "string",
     .values = {{"[1,2]", "\"[1,2]\"", 0}}},
};
/* clang-format on */

static struct type
source_of(const struct type_case *c)
{
    return (struct type){.kind = c->kind,
                         .array = c->array,
                         .typmod = c->typmod ? c->typmod : -1,
                         .delimiter = ',',
                         .name = type_kind_names[c->kind]};
}

static void
run_type_case(void **state)
{
    const struct type_case *c = *state;
    CLEANUP(buf_free) struct buf out = buf_make(100000);
    struct type source = source_of(c);
    struct turbopuffer_type target = turbopuffer_type_default(&source, c->exact);
    struct turbopuffer_cell cell;

    if (c->hint)
        CHECK(turbopuffer_type_parse(span_of(c->hint), &target));
    turbopuffer_type_put(&target, &out);
    CHECK_STR(out.ptr, c->type);
    CHECK(turbopuffer_cell_make(&source, &target, TURBOPUFFER_ATTRIBUTE_BYTES, &cell));
    for (size_t i = 0; i < VALUES_MAX && c->values[i].text; i++) {
        const struct value_case *value = &c->values[i];
        enum turbopuffer_fit fit;

        buf_clear(&out);
        fit = cell.put(&cell, span_of(value->text), &out);
        if (fit != value->fit)
            fail_msg("\"%s\": fit is %d, want %d", value->text, (int)fit, (int)value->fit);
        if (value->want)
            CHECK_STR(out.ptr, value->want);
    }
}

static void
every_kind_has_its_test(void **state UNUSED)
{
    for (int kind = 0; kind < TYPE_KIND_MAX_; kind++) {
        bool found = false;

        for (size_t i = 0; i < ARRAY_LEN(type_cases); i++)
            found |= (int)type_cases[i].kind == kind && !type_cases[i].hint && !type_cases[i].array;
        if (!found)
            fail_msg("no test for %s", type_kind_names[kind]);
    }
}

/* ---- limits ---- */

static void
refuses_what_is_too_long(void **state UNUSED)
{
    static char text[TURBOPUFFER_FILTERABLE_BYTES + 16];
    static const struct {
        enum type_kind kind;
        bool array;
        const char *begin, *end; /* around the filling */
        size_t fits, too_long;   /* bytes of filling */
        char filling;
    } cases[] = {
        {TYPE_TEXT, false, "", "", 4096, 4097, 'x'},
        {TYPE_TEXT, true, "{a,", "}", 4096, 4097, 'x'},
        {TYPE_JSON, false, "\"", "\"", 4094, 4095, 'x'},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        for (int round = 0; round < 2; round++) {
            size_t count = round ? cases[i].too_long : cases[i].fits;
            struct type source = {.kind = cases[i].kind, .array = cases[i].array, .typmod = -1};
            struct turbopuffer_type target = turbopuffer_type_default(&source, false);
            CLEANUP(buf_free) struct buf in = buf_make(100000), out = buf_make(100000);
            struct turbopuffer_cell cell;

            memset(text, cases[i].filling, count);
            buf_putf(&in, "%s%.*s%s", cases[i].begin, (int)count, text, cases[i].end);
            CHECK(turbopuffer_cell_make(&source, &target, TURBOPUFFER_FILTERABLE_BYTES, &cell));
            CHECK_INT(cell.put(&cell, buf_span(&in), &out),
                      round ? TURBOPUFFER_TOO_LONG : TURBOPUFFER_FITS);
        }
    }
}

static void
counts_the_bytes_of_base64(void **state UNUSED)
{
    static const struct {
        size_t bytes;
        enum turbopuffer_fit fit;
    } cases[] = {{3072, TURBOPUFFER_FITS}, {3073, TURBOPUFFER_TOO_LONG}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf in = buf_make(100000), out = buf_make(100000);
        struct type source = {.kind = TYPE_BYTEA, .typmod = -1};
        struct turbopuffer_type target = turbopuffer_type_default(&source, false);
        struct turbopuffer_cell cell;

        buf_put(&in, SPAN("\\x"));
        for (size_t n = 0; n < cases[i].bytes; n++)
            buf_put(&in, SPAN("00"));
        CHECK(turbopuffer_cell_make(&source, &target, TURBOPUFFER_FILTERABLE_BYTES, &cell));
        CHECK_INT(cell.put(&cell, buf_span(&in), &out), cases[i].fit);
    }
}

static void
float_range_ends_at_the_double(void **state UNUSED)
{
    struct type source = {.kind = TYPE_NUMERIC, .typmod = -1};
    struct turbopuffer_type target = {.form = TURBOPUFFER_FLOAT};
    struct turbopuffer_cell cell;
    CLEANUP(buf_free) struct buf in = buf_make(1000), out = buf_make(1000);

    CHECK(turbopuffer_cell_make(&source, &target, 0, &cell));
    for (int i = 0; i < 308; i++)
        buf_putc(&in, '1');
    CHECK_INT(cell.put(&cell, buf_span(&in), &out), TURBOPUFFER_FITS);
    buf_put(&in, SPAN("11"));
    CHECK_INT(cell.put(&cell, buf_span(&in), &out), TURBOPUFFER_UNFIT);
}

/* ---- names of types, refused conversions, losses ---- */

static void
parses_type_names(void **state UNUSED)
{
    static const char *const good[] = {"string", "int",       "uint",     "float",      "bool",
                                       "uuid",   "datetime",  "[]string", "[]datetime", "[768]f32",
                                       "[1]f16", "[10752]i8", "bytes",    "{}f16"};
    static const char *const bad[] = {"",          "text",     "String",  "[]",     "[]bytes",
                                      "[]f32",     "f32",      "[0]f32",  "[x]f32", "[10753]f32",
                                      "[3]string", "[][3]f32", "[]{}f16", "[768",   "int "};

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        CLEANUP(buf_free) struct buf out = buf_make(100);
        struct turbopuffer_type type;

        if (!turbopuffer_type_parse(span_of(good[i]), &type))
            fail_msg("%s is refused", good[i]);
        turbopuffer_type_put(&type, &out);
        CHECK_STR(out.ptr, good[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct turbopuffer_type type;

        if (turbopuffer_type_parse(span_of(bad[i]), &type))
            fail_msg("\"%s\" is taken", bad[i]);
    }
}

static void
refuses_conversions_and_offers_others(void **state UNUSED)
{
    static const struct {
        enum type_kind kind;
        bool array;
        const char *target, *choices;
    } cases[] = {
        {TYPE_TEXT, false, "int", "string, uuid"},
        {TYPE_BOOL, false, "int", "string, bool"},
        {TYPE_JSON, false, "float", "string, {}f16"},
        {TYPE_INT4, false, "[]int", "string, int, uint, float"},
        {TYPE_INT4, true, "int", "string, []string, []int, []uint, []float, [N]f32, [N]f16, [N]i8"},
        {TYPE_NUMERIC, false, "datetime", "string, int, uint, float"},
        {TYPE_TIMESTAMPTZ, false, "float", "string, int, datetime"},
        {TYPE_VECTOR, false, "[]float", "string, [N]f32, [N]f16, [N]i8"},
        {TYPE_OTHER, false, "uuid", "string"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf out = buf_make(1000);
        struct type source = {.kind = cases[i].kind, .array = cases[i].array, .typmod = -1};
        struct turbopuffer_type target;
        struct turbopuffer_cell cell;

        CHECK(turbopuffer_type_parse(span_of(cases[i].target), &target));
        CHECK(!turbopuffer_cell_make(&source, &target, 0, &cell));
        turbopuffer_cell_choices(&source, &out);
        CHECK_STR(out.ptr, cases[i].choices);
    }
}

static void
rule_31_names_losses(void **state UNUSED)
{
    static const struct {
        enum type_kind kind;
        bool array;
        int32_t typmod;
        const char *target;
        const char *loss;  /* its beginning, or NULL */
        const char *unfit; /* likewise */
    } cases[] = {
        {TYPE_TIMESTAMPTZ, false, -1, "datetime", "milliseconds are kept", "infinity"},
        {TYPE_TIMESTAMP, false, 6, "datetime", "milliseconds are kept", "infinity"},
        {TYPE_TIMESTAMP, false, 3, "datetime", NULL, "infinity"},
        {TYPE_TIMESTAMP, true, -1, "[]datetime", "milliseconds are kept", "arrays with nulls"},
        {TYPE_DATE, false, -1, "datetime", NULL, "infinity"},
        {TYPE_TIMESTAMPTZ, false, -1, "string", NULL, NULL},
        {TYPE_TIMESTAMPTZ, false, -1, "int", NULL, "infinity"},
        {TYPE_FLOAT8, false, -1, "float", NULL, "NaN"},
        {TYPE_NUMERIC, false, -1, "float", "about 16", "NaN"},
        {TYPE_NUMERIC, false, -1, "string", NULL, NULL},
        {TYPE_INT8, false, -1, "int", NULL, NULL},
        {TYPE_INT8, false, -1, "float", "integers beyond", NULL},
        {TYPE_INT4, true, -1, "[]int", NULL, "arrays with nulls"},
        {TYPE_INT4, true, -1, "string", NULL, NULL},
        {TYPE_VECTOR, false, 3, "[3]f16", "elements are rounded", NULL},
        {TYPE_VECTOR, false, 3, "[3]f32", NULL, NULL},
        {TYPE_FLOAT8, true, -1, "[3]f32", "elements are rounded", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct type source = {
            .kind = cases[i].kind, .array = cases[i].array, .typmod = cases[i].typmod};
        struct turbopuffer_type target;
        struct turbopuffer_cell cell;
        const char *got[2], *want[2] = {cases[i].loss, cases[i].unfit};

        CHECK(turbopuffer_type_parse(span_of(cases[i].target), &target));
        CHECK(turbopuffer_cell_make(&source, &target, 0, &cell));
        got[0] = turbopuffer_cell_loss(&cell);
        got[1] = turbopuffer_cell_unfit(&cell);
        for (int k = 0; k < 2; k++)
            if (!got[k] != !want[k] || (got[k] && strncmp(got[k], want[k], strlen(want[k])) != 0))
                fail_msg("case %zu: got \"%s\", want \"%s...\"", i, got[k] ? got[k] : "-",
                         want[k] ? want[k] : "-");
    }
}

int
main(void)
{
    static const struct CMUnitTest others[] = {
        cmocka_unit_test(every_kind_has_its_test),
        cmocka_unit_test(refuses_what_is_too_long),
        cmocka_unit_test(counts_the_bytes_of_base64),
        cmocka_unit_test(float_range_ends_at_the_double),
        cmocka_unit_test(parses_type_names),
        cmocka_unit_test(refuses_conversions_and_offers_others),
        cmocka_unit_test(rule_31_names_losses),
    };
    static struct CMUnitTest tests[ARRAY_LEN(type_cases) + ARRAY_LEN(others)];
    static struct type_case states[ARRAY_LEN(type_cases)]; /* cmocka wants them writable */

    memcpy(states, type_cases, sizeof(states));
    for (size_t i = 0; i < ARRAY_LEN(type_cases); i++)
        tests[i] = (struct CMUnitTest){
            .name = states[i].name, .test_func = run_type_case, .initial_state = &states[i]};
    memcpy(tests + ARRAY_LEN(type_cases), others, sizeof(others));
    return cmocka_run_group_tests(tests, NULL, NULL);
}
