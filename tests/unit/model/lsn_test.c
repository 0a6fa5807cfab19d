/* lsn: the text of positions, and their order. */
#include "model/lsn.h"

#include "harness/check.h"

static void
reads_what_pg_lsn_prints(void **state UNUSED)
{
    static const struct {
        const char *text;
        bool ok;
        lsn_t want;
    } cases[] = {
        {"0/0", true, 0},
        {"0/1", true, 1},
        {"16/B374D848", true, UINT64_C(0x16B374D848)},
        {"16/b374d848", true, UINT64_C(0x16B374D848)},
        {"FFFFFFFF/FFFFFFFF", true, UINT64_MAX},
        {"0/00000001", true, 1},
        {"", false, 0},
        {"/", false, 0},
        {"1/", false, 0},
        {"/1", false, 0},
        {"1", false, 0},
        {"1/2/3", false, 0},
        {"1/G", false, 0},
        {"1/123456789", false, 0},
        {"123456789/1", false, 0},
        {" 1/2", false, 0},
        {"1/2 ", false, 0},
        {"-1/2", false, 0},
        {"0x1/2", false, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        lsn_t got = 42;
        bool ok = lsn_parse(span_of(cases[i].text), &got);

        if (ok != cases[i].ok || got != (ok ? cases[i].want : 42))
            fail_msg("\"%s\": got %d %llX", cases[i].text, ok, (unsigned long long)got);
    }
}

static void
prints_what_it_reads(void **state UNUSED)
{
    static const lsn_t lsns[] = {0, 1, UINT64_C(0x16B374D848), UINT64_MAX};

    for (size_t i = 0; i < ARRAY_LEN(lsns); i++) {
        char text[LSN_TEXT_SIZE];
        lsn_t got;

        CHECK(snprintf(text, sizeof(text), LSN_FMT, LSN_ARG(lsns[i])) < LSN_TEXT_SIZE);
        CHECK(lsn_parse(span_of(text), &got));
        CHECK(got == lsns[i]);
    }
}

static void
rule_02_versions_compare_lexicographically(void **state UNUSED)
{
    static const struct {
        struct position a, b;
        int want;
    } cases[] = {
        {{1, 1}, {1, 1}, 0},
        {{1, 1}, {1, 2}, -1},
        {{1, UINT64_MAX}, {2, 0}, -1},
        {{2, 0}, {1, UINT64_MAX}, 1},
        {{UINT64_MAX, 0}, {0, 0}, 1},
        {{5, 0}, {5, 1}, -1}, /* a snapshot's row before the first change at its position */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CHECK_INT(position_compare(cases[i].a, cases[i].b), cases[i].want);
        CHECK_INT(position_compare(cases[i].b, cases[i].a), -cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_pg_lsn_prints),
        cmocka_unit_test(prints_what_it_reads),
        cmocka_unit_test(rule_02_versions_compare_lexicographically),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
