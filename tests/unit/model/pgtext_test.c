/* pgtext: arrays, times, bytea, composites and JSON from Postgres text. */
#include "model/pgtext.h"

#include <time.h>

#include "harness/check.h"

/* ---- arrays ---- */

/* The tokens as text: { and } as they are, elements in <>, null as ~, malformed as !. */
static void
put_tokens(struct span text, char delimiter, struct buf *out)
{
    CLEANUP(buf_free) struct buf scratch = buf_make(1000);
    struct pgtext_array array = pgtext_array_make(text, delimiter);
    struct span element;

    for (;;) {
        switch (pgtext_array_next(&array, &scratch, &element)) {
        case PGTEXT_OPEN:
            buf_putc(out, '{');
            continue;
        case PGTEXT_CLOSE:
            buf_putc(out, '}');
            continue;
        case PGTEXT_NULL:
            buf_putc(out, '~');
            continue;
        case PGTEXT_ELEMENT:
            buf_putf(out, "<%.*s>", SPAN_ARG(element));
            continue;
        case PGTEXT_MALFORMED:
            buf_putc(out, '!');
            return;
        case PGTEXT_END:
            return;
        }
    }
}

static void
reads_arrays(void **state UNUSED)
{
    static const struct {
        struct span text;
        const char *want;
    } cases[] = {
        {SPAN_INIT("{}"), "{}"},
        {SPAN_INIT("{1,2,NULL}"), "{<1><2>~}"},
        {SPAN_INIT("{NULL}"), "{~}"},
        {SPAN_INIT("{\"NULL\",null}"), "{<NULL><null>}"},
        {SPAN_INIT("{\"\",\"a,b\",\"{}\"}"), "{<><a,b><{}>}"},
        {SPAN_INIT("{\"a\\\"b\",\"c\\\\d\",e}"), "{<a\"b><c\\d><e>}"},
        {SPAN_INIT("{{1,2},{3,4}}"), "{{<1><2>}{<3><4>}}"},
        {SPAN_INIT("[2:3]={7,8}"), "{<7><8>}"},
        {SPAN_INIT("[1:1][-1:0]={{7,8}}"), "{{<7><8>}}"},
        {SPAN_INIT(""), "!"},
        {SPAN_INIT("1"), "!"},
        {SPAN_INIT("{"), "{!"},
        {SPAN_INIT("{1"), "{!"},
        {SPAN_INIT("{1,"), "{<1>!"},
        {SPAN_INIT("{1,}"), "{<1>!"},
        {SPAN_INIT("{,1}"), "{!"},
        {SPAN_INIT("{\"a"), "{!"},
        {SPAN_INIT("{\"a\\"), "{!"},
        {SPAN_INIT("{\"a\"b}"), "{<a>!"},
        {SPAN_INIT("{1}}"), "{<1>}!"},
        {SPAN_INIT("{1},"), "{<1>}!"},
        {SPAN_INIT("[1:2]"), "!"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf out = buf_make(1000);

        put_tokens(cases[i].text, ',', &out);
        CHECK_STR(out.ptr, cases[i].want);
    }
}

static void
reads_arrays_with_another_delimiter(void **state UNUSED)
{
    CLEANUP(buf_free) struct buf out = buf_make(1000);

    put_tokens(SPAN("{(1,1),(0,0);(3,3),(2,2)}"), ';', &out);
    CHECK_STR(out.ptr, "{<(1,1),(0,0)><(3,3),(2,2)>}");
}

/* ---- times ---- */

static void
reads_times_and_writes_utc(void **state UNUSED)
{
    static const struct {
        const char *text, *millis, *micros;
    } cases[] = {
        {"2024-03-02 10:00:00.123456+02", "2024-03-02T08:00:00.123Z",
         "2024-03-02T08:00:00.123456Z"},
        {"2024-03-02 10:00:00.123999+00", "2024-03-02T10:00:00.123Z",
         "2024-03-02T10:00:00.123999Z"},
        {"2024-03-02 10:00:00", "2024-03-02T10:00:00.000Z", "2024-03-02T10:00:00.000000Z"},
        {"2024-03-02 10:00:00.5", "2024-03-02T10:00:00.500Z", "2024-03-02T10:00:00.500000Z"},
        {"2024-02-29", "2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000000Z"},
        {"2024-03-01 00:30:00+01", "2024-02-29T23:30:00.000Z", "2024-02-29T23:30:00.000000Z"},
        {"2023-12-31 23:30:00-05:30", "2024-01-01T05:00:00.000Z", "2024-01-01T05:00:00.000000Z"},
        {"1900-01-01 00:19:32+00:19:32", "1900-01-01T00:00:00.000Z", "1900-01-01T00:00:00.000000Z"},
        {"1969-12-31 23:59:59.999999+00", "1969-12-31T23:59:59.999Z",
         "1969-12-31T23:59:59.999999Z"},
        {"0001-01-01 00:00:00", "0001-01-01T00:00:00.000Z", "0001-01-01T00:00:00.000000Z"},
        {"9999-12-31 23:59:59.999999", "9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999999Z"},
        {"2016-12-31 23:59:60", "2017-01-01T00:00:00.000Z", "2017-01-01T00:00:00.000000Z"},
        {"0001-01-01 00:00:00+01", NULL, NULL}, /* the day before, in UTC */
        {"9999-12-31 23:30:00-01", NULL, NULL}, /* year 10000, in UTC */
        {"10000-01-01", NULL, NULL},
        {"0044-03-15 BC", NULL, NULL},
        {"0044-03-15 12:00:00 BC", NULL, NULL},
        {"0044-03-15 12:00:00+00 BC", NULL, NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf out = buf_make(1000);
        struct pgtext_instant instant;

        CHECK(pgtext_instant(span_of(cases[i].text), &instant));
        CHECK_INT(pgtext_put_utc(instant, 3, &out), cases[i].millis != NULL);
        CHECK_SPAN(buf_span(&out), cases[i].millis ? cases[i].millis : "");
        buf_clear(&out);
        CHECK_INT(pgtext_put_utc(instant, 6, &out), cases[i].micros != NULL);
        CHECK_SPAN(buf_span(&out), cases[i].micros ? cases[i].micros : "");
    }
}

static void
refuses_what_is_no_time(void **state UNUSED)
{
    static const char *const cases[] = {
        "infinity",
        "-infinity",
        "",
        "2024",
        "2024-1-02",
        "2024-13-01",
        "2024-00-01",
        "2024-01-32",
        "2024-01-01 ",
        "2024-01-01 10",
        "2024-01-01 10:00",
        "2024-01-01 25:00:00",
        "2024-01-01 10:60:00",
        "2024-01-01 10:00:00.",
        "2024-01-01 10:00:00.1234567",
        "2024-01-01 10:00:00+",
        "2024-01-01 10:00:00+2",
        "2024-01-01 10:00:00 AD",
        "2024-01-01 BCE",
        "02/03/2024",
        "0000-01-01",
        "2024-01-01T10:00:00",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pgtext_instant instant;

        if (pgtext_instant(span_of(cases[i]), &instant))
            fail_msg("\"%s\" was taken", cases[i]);
    }
}

/* Every 97th day of 1,000 years against the C library. */
static void
agrees_with_the_c_library(void **state UNUSED)
{
    for (int64_t day = -200000; day < 200000; day += 97) {
        time_t seconds = (time_t)(day * 86400 + 3661);
        char text[64];
        struct tm tm;
        struct pgtext_instant got;
        CLEANUP(buf_free) struct buf out = buf_make(1000);

        CHECK(gmtime_r(&seconds, &tm));
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
        CHECK(pgtext_instant(span_of(text), &got));
        CHECK_INT(got.day, day);
        CHECK_INT(got.us, INT64_C(3661000000));
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.000Z", &tm);
        CHECK(pgtext_put_utc(got, 3, &out));
        CHECK_STR(out.ptr, text);
    }
}

static void
counts_microseconds(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool fits;
        int64_t want;
    } cases[] = {
        {"1970-01-01 00:00:00", true, 0},
        {"1970-01-01 00:00:00.000001", true, 1},
        {"1969-12-31 23:59:59.999999", true, -1},
        {"2024-03-02 08:00:00.123456", true, INT64_C(1709366400123456)},
        {"0044-03-15 BC", true, INT64_C(-63517824000000000)},
        {"294276-12-31 23:59:59.999999", false, 0},
        {"5874897-12-31", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct pgtext_instant instant;
        int64_t got = 0;

        CHECK(pgtext_instant(span_of(cases[i].text), &instant));
        CHECK_INT(pgtext_micros(instant, &got), cases[i].fits);
        CHECK_INT(got, cases[i].want);
    }
}

/* ---- the rest ---- */

static void
encodes_base64(void **state UNUSED)
{
    static const struct {
        const char *text, *want; /* RFC 4648, section 10 */
    } cases[] = {
        {"\\x", ""},
        {"\\x66", "Zg=="},
        {"\\x666f", "Zm8="},
        {"\\x666F6f", "Zm9v"},
        {"\\x666f6f62", "Zm9vYg=="},
        {"\\x666f6f6261", "Zm9vYmE="},
        {"\\x666f6f626172", "Zm9vYmFy"},
        {"\\xfffefd", "//79"},
        {"x66", NULL},
        {"\\x6", NULL},
        {"\\x6g", NULL},
        {"abc\\000", NULL},
        {"", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf out = buf_make(1000);

        CHECK_INT(pgtext_put_base64(span_of(cases[i].text), &out), cases[i].want != NULL);
        CHECK_SPAN(buf_span(&out), cases[i].want ? cases[i].want : "");
    }
}

static void
tells_numbers_from_words(void **state UNUSED)
{
    CHECK(pgtext_is_number(SPAN("0")));
    CHECK(pgtext_is_number(SPAN("-1.5")));
    CHECK(pgtext_is_number(SPAN("1e+20")));
    CHECK(!pgtext_is_number(SPAN("NaN")));
    CHECK(!pgtext_is_number(SPAN("Infinity")));
    CHECK(!pgtext_is_number(SPAN("-Infinity")));
    CHECK(!pgtext_is_number(SPAN("-")));
    CHECK(!pgtext_is_number(SPAN("")));
}

static void
writes_json_by_logical_type(void **state UNUSED)
{
    static const struct {
        enum type_kind kind;
        bool array;
        const char *text, *want; /* NULL: refused */
    } cases[] = {
        {TYPE_BOOL, false, "t", "true"},
        {TYPE_BOOL, false, "f", "false"},
        {TYPE_INT8, false, "-9223372036854775808", "-9223372036854775808"},
        {TYPE_NUMERIC, false, "1.10", "1.10"},
        {TYPE_NUMERIC, false, "NaN", "\"NaN\""},
        {TYPE_FLOAT8, false, "-Infinity", "\"-Infinity\""},
        {TYPE_FLOAT8, false, "1e+20", "1e+20"},
        {TYPE_TEXT, false, "a\"b", "\"a\\\"b\""},
        {TYPE_JSON, false, "{\"a\":\n 1}", "{\"a\":  1}"},
        {TYPE_BYTEA, false, "\\x666f6f", "\"Zm9v\""},
        {TYPE_BYTEA, false, "foo", NULL},
        {TYPE_VECTOR, false, "[1,2.5]", "[1,2.5]"},
        {TYPE_TIMESTAMP, false, "2024-03-02 10:00:00", "\"2024-03-02 10:00:00\""},
        {TYPE_COMPOSITE, false, "(1,\"a b\",)", "[\"1\",\"a b\",null]"},
        {TYPE_COMPOSITE, false, "(\"x\"\"y\",\"\",\"c\\\\d\")", "[\"x\\\"y\",\"\",\"c\\\\d\"]"},
        {TYPE_COMPOSITE, false, "(\"(1,2)\",\",\")", "[\"(1,2)\",\",\"]"},
        {TYPE_COMPOSITE, false, "()", "[null]"},
        {TYPE_COMPOSITE, false, "(1", NULL},
        {TYPE_COMPOSITE, false, "1)", NULL},
        {TYPE_COMPOSITE, false, "(1)2", NULL},
        {TYPE_INT4, true, "{1,NULL,3}", "[1,null,3]"},
        {TYPE_INT4, true, "{{1,2},{3,4}}", "[[1,2],[3,4]]"},
        {TYPE_TEXT, true, "{a,\"b,c\",\"d\\\"e\"}", "[\"a\",\"b,c\",\"d\\\"e\"]"},
        {TYPE_BOOL, true, "{t,f}", "[true,false]"},
        {TYPE_JSON, true, "{\"{\\\"a\\\": 1}\",1}", "[{\"a\": 1},1]"},
        {TYPE_INT4, true, "{}", "[]"},
        {TYPE_INT4, true, "{1", NULL},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(buf_free) struct buf out = buf_make(1000);
        struct type type = {.kind = cases[i].kind, .array = cases[i].array, .delimiter = ','};
        bool ok = pgtext_put_json(&type, span_of(cases[i].text), &out);

        if (ok != (cases[i].want != NULL))
            fail_msg("%s: %d", cases[i].text, ok);
        if (ok)
            CHECK_STR(out.ptr, cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_arrays),
        cmocka_unit_test(reads_arrays_with_another_delimiter),
        cmocka_unit_test(reads_times_and_writes_utc),
        cmocka_unit_test(refuses_what_is_no_time),
        cmocka_unit_test(agrees_with_the_c_library),
        cmocka_unit_test(counts_microseconds),
        cmocka_unit_test(encodes_base64),
        cmocka_unit_test(tells_numbers_from_words),
        cmocka_unit_test(writes_json_by_logical_type),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
