/* retry: delays by attempt, chance and what the peer asked for. */
#include "base/retry.h"

#include "harness/check.h"

static void
delays(void **state UNUSED)
{
    static const struct retry_policy plain = {.base_ms = 100, .cap_ms = 5000};
    static const struct retry_policy jittery = {.base_ms = 100, .cap_ms = 5000, .jitter = 0.5};
    static const struct retry_policy huge = {.base_ms = 1, .cap_ms = INT64_MAX};
    static const struct {
        const struct retry_policy *policy;
        unsigned attempt;
        double random;
        int64_t asked_ms, want;
    } cases[] = {
        {&plain, 0, 0.0, 0, 100},
        {&plain, 1, 0.0, 0, 200},
        {&plain, 5, 0.0, 0, 3200},
        {&plain, 6, 0.0, 0, 5000},          /* 6400 is past the cap */
        {&plain, 4000000000, 0.9, 0, 5000}, /* and stays there at once */
        {&plain, 3, 0.9, 0, 800},           /* no jitter, no chance */
        {&jittery, 1, 0.0, 0, 200},         /* jitter only shortens */
        {&jittery, 1, 0.5, 0, 150},
        {&jittery, 6, 0.999999, 0, 2501},
        {&plain, 0, 0.0, 30000, 30000}, /* the peer may ask for more than the cap */
        {&plain, 6, 0.0, 10, 5000},     /* but not for less than ours */
        {&huge, 62, 0.0, 0, INT64_C(1) << 62},
        {&huge, 63, 0.0, 0, INT64_MAX},
        {&huge, 64, 0.0, 0, INT64_MAX},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t got =
            retry_delay_ms(cases[i].policy, cases[i].attempt, cases[i].random, cases[i].asked_ms);

        if (got != cases[i].want)
            fail_msg("case %zu: got %lld, want %lld", i, (long long)got, (long long)cases[i].want);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(delays)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
