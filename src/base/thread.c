/* thread: start and join. */
#include "base/thread.h"

#include <string.h>
#include <time.h>

bool
thread_start(pthread_t *ret, void *(*run)(void *), void *arg, struct err *err)
{
    int failure = pthread_create(ret, NULL, run, arg);

    if (failure)
        return err_set_code(err, ERR_TRANSIENT, failure, "starting a thread: %s",
                            strerror(failure));
    return true;
}

bool
thread_join(pthread_t thread, int64_t deadline_ms)
{
    struct timespec until = {
        .tv_sec = deadline_ms / 1000,
        .tv_nsec = deadline_ms % 1000 * 1000000,
    };

    return pthread_clockjoin_np(thread, NULL, CLOCK_MONOTONIC, &until) == 0;
}
