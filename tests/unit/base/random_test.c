/* random: the published sequence, and the range of what is made of it. */
#include "base/random.h"

#include "harness/check.h"

/* The first values of the reference code of xoshiro256** for the state 1, 2, 3, 4. */
static void
follows_the_reference(void **state UNUSED)
{
    static const uint64_t want[] = {11520, 0, 1509978240, 1215971899390074240};
    struct random random = {{1, 2, 3, 4}};

    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        CHECK_INT(random_next(&random), want[i]);
}

/* splitmix64 of seed 0, as published with the generator. */
static void
is_seeded_by_splitmix(void **state UNUSED)
{
    struct random random;

    random_seed(&random, 0);
    CHECK(random.state[0] == UINT64_C(0xE220A8397B1DCDAF));
    CHECK(random.state[1] == UINT64_C(0x6E789E6AA1B965F4));
}

static void
one_seed_is_one_sequence(void **state UNUSED)
{
    struct random a, b, c;

    random_seed(&a, 1);
    random_seed(&b, 1);
    random_seed(&c, 2);
    for (int i = 0; i < 10; i++) {
        uint64_t n = random_next(&a);

        CHECK(n == random_next(&b));
        CHECK(n != random_next(&c));
    }
}

static void
unit_stays_below_one(void **state UNUSED)
{
    struct random random;
    double sum = 0;

    random_seed(&random, 3);
    for (int i = 0; i < 10000; i++) {
        double x = random_unit(&random);

        CHECK(x >= 0 && x < 1);
        sum += x;
    }
    CHECK(sum > 4800 && sum < 5200);
}

static void
seeds_from_the_system_differ(void **state UNUSED)
{
    CHECK(random_seed_from_os() != random_seed_from_os());
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(follows_the_reference),        cmocka_unit_test(is_seeded_by_splitmix),
        cmocka_unit_test(one_seed_is_one_sequence),     cmocka_unit_test(unit_stays_below_one),
        cmocka_unit_test(seeds_from_the_system_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
