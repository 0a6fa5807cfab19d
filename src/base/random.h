#ifndef BASE_RANDOM_H
#define BASE_RANDOM_H

/* A small generator (xoshiro256**) that is seeded explicitly; not for secrets.  One thread each. */

#include <stdint.h>

struct random {
    uint64_t state[4];
};

void random_seed(struct random *random, uint64_t seed);
uint64_t random_seed_from_os(void);
uint64_t random_next(struct random *random);
double random_unit(struct random *random); /* [0,1) */

#endif
