/* thread: start and join. */
#include "base/thread.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"

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
    int64_t wait_ms = deadline_ms - clock_mono_ms();
    int64_t at_ms = clock_wall_ms() + (wait_ms > 0 ? wait_ms : 0);
    struct timespec until = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000};

    /* Not pthread_clockjoin_np(): the thread sanitizer does not know it. */
    return pthread_timedjoin_np(thread, NULL, &until) == 0;
}
