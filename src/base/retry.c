/* retry: how long to wait before the next attempt. */
#include "base/retry.h"

#include <assert.h>

int64_t
retry_delay_ms(const struct retry_policy *policy, unsigned attempt, double random, int64_t asked_ms)
{
    int64_t delay_ms = policy->base_ms;

    assert(policy->base_ms > 0 && policy->cap_ms >= policy->base_ms);
    assert(policy->jitter >= 0 && policy->jitter <= 1);
    assert(random >= 0 && random < 1);
    assert(asked_ms >= 0);

    /* Doubling ends at the cap, long before it could overflow. */
    while (attempt-- > 0 && delay_ms < policy->cap_ms)
        delay_ms = delay_ms > policy->cap_ms / 2 ? policy->cap_ms : delay_ms * 2;
    delay_ms -= (int64_t)((double)delay_ms * policy->jitter * random);
    return delay_ms > asked_ms ? delay_ms : asked_ms;
}
