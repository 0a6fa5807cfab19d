/* decimal: what is a number, and which numbers are the same. */
#include "model/decimal.h"

#include "harness/check.h"

static void
reads_what_postgres_prints_and_no_more(void **state UNUSED)
{
    static const char *const good[] = {
        "0",   "-0",   "1",        "-1",        "+1",   "007",
        "1.5", "0.05", "1e6",      "1E+6",      "1e-6", "123456789012345678901234567890.123456789",
        "NaN", "nan",  "Infinity", "-Infinity", "inf",  "1e1000000",
    };
    static const char *const bad[] = {
        "",
        "-",
        "+",
        ".",
        ".5",
        "5.",
        "1e",
        "1e+",
        "1x",
        "x",
        "--1",
        "1 ",
        " 1",
        "1.2.3",
        "0x10",
        "1e1000001",
        "1e99999999999999999999",
        "nano",
        "-",
        "1,5",
        "e5",
        "NaN1",
    };
    struct decimal decimal;

    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        if (!decimal_parse(span_of(good[i]), &decimal))
            fail_msg("\"%s\" is a number", good[i]);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        if (decimal_parse(span_of(bad[i]), &decimal))
            fail_msg("\"%s\" is no number", bad[i]);
    }
}

static void
defect_p1_12_compares_exactly(void **state UNUSED)
{
    static const struct {
        const char *a, *b;
        bool want;
    } cases[] = {
        {"1", "1", true},
        {"1", "1.0", true},
        {"1.10", "1.1", true},
        {"100", "1e2", true},
        {"100", "1.00e+2", true},
        {"0.001", "1e-3", true},
        {"0", "-0", true},
        {"0", "0.000", true},
        {"0", "0e5", true},
        {"00012", "12", true},
        {"+5", "5", true},
        {"12.5", "125e-1", true},
        {"10.01", "1001e-2", true},
        {"NaN", "nan", true},
        {"Infinity", "inf", true},
        {"1", "2", false},
        {"1", "-1", false},
        {"1", "10", false},
        {"1", "0.1", false},
        {"12", "120", false},
        {"101", "11", false},
        {"9007199254740992", "9007199254740993", false},
        {"9223372036854775807", "9223372036854775808", false},
        {"0.1", "0.10000000000000000001", false},
        {"0.1", "0.1000000000000000055511151231257827", false},
        {"NaN", "0", false},
        {"Infinity", "-Infinity", false},
        {"NaN", "Infinity", false},
        {"1e1000000", "1e999999", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal a, b;

        CHECK(decimal_parse(span_of(cases[i].a), &a));
        CHECK(decimal_parse(span_of(cases[i].b), &b));
        if (decimal_equal(&a, &b) != cases[i].want || decimal_equal(&b, &a) != cases[i].want)
            fail_msg("%s and %s: want %d", cases[i].a, cases[i].b, cases[i].want);
    }
}

static void
knows_integers(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"0", true},    {"5", true},    {"-120", true},     {"1e3", true},   {"1.5e1", true},
        {"10.0", true}, {"1.5", false}, {"0.1", false},     {"1e-1", false}, {"100e-2", true},
        {"NaN", false}, {"inf", false}, {"12.25e1", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct decimal decimal;

        CHECK(decimal_parse(span_of(cases[i].text), &decimal));
        if (decimal_is_integer(&decimal) != cases[i].want)
            fail_msg("%s: want %d", cases[i].text, cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_postgres_prints_and_no_more),
        cmocka_unit_test(defect_p1_12_compares_exactly),
        cmocka_unit_test(knows_integers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
