#ifndef BASE_RETRY_H
#define BASE_RETRY_H

/*
 * Backoff as data: exponential, capped, with jitter.  Pure: randomness comes in.
 *
 *     delay = min(base * 2^attempt, cap) * (1 - jitter * random), at least what the peer asked for
 */

#include <stdint.h>

struct retry_policy {
    int64_t base_ms;
    int64_t cap_ms;
    double jitter; /* 0 to 1 */
};

/* attempt counts from 0; random is uniform in [0,1); asked_ms is a Retry-After, 0 for none. */
int64_t retry_delay_ms(const struct retry_policy *policy, unsigned attempt, double random,
                       int64_t asked_ms);

#endif
