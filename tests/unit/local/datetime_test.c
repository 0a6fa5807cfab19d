/* datetime: ISO 8601 in its forms, to the millisecond and back. */
#include "local/datetime.h"

#include "harness/check.h"

static void
reads_and_writes(void **state UNUSED)
{
    /* clang-format off */
    static const struct { const char *text; int64_t ms; const char *back; } cases[] = {
        {"1970-01-01",                     0,               "1970-01-01T00:00:00.000000000Z"},
        {"2024-03-02",                     1709337600000,   "2024-03-02T00:00:00.000000000Z"},
        {"2024-03-02T10:11",               1709374260000,   "2024-03-02T10:11:00.000000000Z"},
        {"2024-03-02 10:11:12",            1709374272000,   "2024-03-02T10:11:12.000000000Z"},
        {"2024-03-02t10:11:12.5z",         1709374272500,   "2024-03-02T10:11:12.500000000Z"},
        {"2024-03-02T10:11:12.123999Z",    1709374272123,   "2024-03-02T10:11:12.123000000Z"},
        {"2024-03-02T10:11:12+02:00",      1709367072000,   "2024-03-02T08:11:12.000000000Z"},
        {"2024-03-02T10:11:12-0130",       1709379672000,   "2024-03-02T11:41:12.000000000Z"},
        {"2024-03-02T10:11:12+05",         1709356272000,   "2024-03-02T05:11:12.000000000Z"},
        {"2024-02-29T23:59:59.999Z",       1709251199999,   "2024-02-29T23:59:59.999000000Z"},
        {"1969-12-31T23:59:59.999Z",       -1,              "1969-12-31T23:59:59.999000000Z"},
        {"0000-03-01",                     -62162035200000, "0000-03-01T00:00:00.000000000Z"},
        {"0001-01-01",                     -62135596800000, "0001-01-01T00:00:00.000000000Z"},
        {"9999-12-31T23:59:59.999Z",       253402300799999, "9999-12-31T23:59:59.999000000Z"},
        {"2000-02-29",                     951782400000,    "2000-02-29T00:00:00.000000000Z"},
    };
    /* clang-format on */

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[DATETIME_TEXT_SIZE];
        int64_t ms = 0;

        if (!datetime_parse(span_of(cases[i].text), &ms))
            fail_msg("%s was not read", cases[i].text);
        CHECK_INT(ms, cases[i].ms);
        CHECK_STR(datetime_text(ms, text), cases[i].back);
    }
}

static void
refuses(void **state UNUSED)
{
    static const char *const cases[] = {
        "",
        "infinity",
        "2024",
        "2024-3-2",
        "2024-13-01",
        "2024-00-01",
        "2024-02-30",
        "2023-02-29",
        "1900-02-29",
        "2024-03-02T",
        "2024-03-02T10",
        "2024-03-02T24:00",
        "2024-03-02T10:60",
        "2024-03-02T10:11:60",
        "2024-03-02T10:11:12.",
        "2024-03-02T10:11:12+24:00",
        "2024-03-02T10:11:12+1",
        "2024-03-02T10:11:12+01:",
        "2024-03-02T10:11:12Zjunk",
        "12024-03-02",
        "2024-03-02 BC",
        "-2024-03-02",
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ms = 7;

        if (datetime_parse(span_of(cases[i]), &ms))
            fail_msg("\"%s\" was read", cases[i]);
        CHECK_INT(ms, 7);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_and_writes),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
