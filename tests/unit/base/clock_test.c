/* clock: times as text, before and after 1970. */
#include "base/clock.h"

#include "harness/check.h"

static void
writes_a_time(void **state UNUSED)
{
    static const struct {
        int64_t ms;
        const char *want;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000Z"},
        {1767323045678, "2026-01-02T03:04:05.678Z"},
        {951782400000, "2000-02-29T00:00:00.000Z"},
        {-1, "1969-12-31T23:59:59.999Z"},
        {-1000, "1969-12-31T23:59:59.000Z"},
        {253402300799999, "9999-12-31T23:59:59.999Z"},
        {INT64_MAX, "292278994-08-17T07:12:55.807Z"},
        {-9223372036854775000, "-292275055-05-16T16:47:05.000Z"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[CLOCK_TEXT_SIZE];

        CHECK_STR(clock_text(text, sizeof(text), cases[i].ms), cases[i].want);
    }
}

static void
runs_forward(void **state UNUSED)
{
    int64_t before = clock_mono_ms();

    CHECK(clock_mono_ms() >= before);
    CHECK(clock_wall_ms() > 1700000000000); /* milliseconds since 1970, not seconds */
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_time),
        cmocka_unit_test(runs_forward),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
