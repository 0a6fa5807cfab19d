/* human: rounded quantities. */
#include "base/human.h"

#include "harness/check.h"

static void
bytes_have_binary_units(void **state UNUSED)
{
    static const struct {
        uint64_t bytes;
        const char *want;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1.0 KiB"},
        {1536, "1.5 KiB"},
        {1024 * 1024 - 1, "1.0 MiB"}, /* not 1024.0 KiB */
        {UINT64_C(48) << 20, "48.0 MiB"},
        {UINT64_C(3) << 40, "3.0 TiB"},
        {UINT64_MAX, "16.0 EiB"},
    };
    char text[HUMAN_SIZE];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(human_bytes(text, cases[i].bytes), cases[i].want);
}

static void
durations_have_two_units(void **state UNUSED)
{
    static const struct {
        int64_t ms;
        const char *want;
    } cases[] = {
        {0, "0ms"},           {999, "999ms"},
        {1000, "1.0s"},       {1299, "1.2s"},
        {59999, "59.9s"},     {60000, "1m 0s"},
        {3599999, "59m 59s"}, {3600000, "1h 0m"},
        {90061000, "1d 1h"},  {INT64_MAX, "106751991167d 7h"},
    };
    char text[HUMAN_SIZE];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(human_millis(text, cases[i].ms), cases[i].want);
}

static void
rates_are_rounded(void **state UNUSED)
{
    static const struct {
        double rate;
        const char *want;
    } cases[] = {{0, "0"},     {0.04, "0"},  {0.05, "0.1"},    {1, "1.0"},
                 {9.9, "9.9"}, {9.96, "10"}, {1203.7, "1204"}, {1e9, "1000000000"}};
    char text[HUMAN_SIZE];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        CHECK_STR(human_rate(text, cases[i].rate), cases[i].want);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_have_binary_units),
        cmocka_unit_test(durations_have_two_units),
        cmocka_unit_test(rates_are_rounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
