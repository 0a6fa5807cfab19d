/* random: xoshiro256** (Blackman and Vigna), seeded through splitmix64. */
#include "base/random.h"

#include <assert.h>
#include <sys/random.h>

static uint64_t
rotate_left(uint64_t x, int bits)
{
    return (x << bits) | (x >> (64 - bits));
}

static uint64_t
splitmix(uint64_t *x)
{
    uint64_t z = (*x += UINT64_C(0x9E3779B97F4A7C15));

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

void
random_seed(struct random *random, uint64_t seed)
{
    for (int i = 0; i < 4; i++)
        random->state[i] = splitmix(&seed);
}

uint64_t
random_seed_from_os(void)
{
    uint64_t seed;
    ssize_t n = getrandom(&seed, sizeof(seed), 0);

    assert(n == sizeof(seed)); /* up to 256 bytes are never cut short: getrandom(2) */
    (void)n;
    return seed;
}

uint64_t
random_next(struct random *random)
{
    uint64_t *s = random->state;
    uint64_t result = rotate_left(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;

    assert(s[0] | s[1] | s[2] | s[3]); /* seeded: from all zero nothing else follows */
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = rotate_left(s[3], 45);
    return result;
}

double
random_unit(struct random *random)
{
    return (double)(random_next(random) >> 11) * 0x1p-53; /* 53 bits are what a double holds */
}
