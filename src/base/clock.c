/* clock: the two clocks of the system, and a time as text. */
#include "base/clock.h"

#include <assert.h>
#include <stdio.h>
#include <time.h>

static int64_t
now_ms(clockid_t id)
{
    struct timespec ts;
    int rc = clock_gettime(id, &ts);

    assert(rc == 0);
    (void)rc;
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_mono_ms(void)
{
    return now_ms(CLOCK_MONOTONIC);
}

int64_t
clock_wall_ms(void)
{
    return now_ms(CLOCK_REALTIME);
}

const char *
clock_text(char *dst, size_t size, int64_t wall_ms)
{
    int64_t ms = wall_ms % 1000;
    time_t seconds;
    struct tm tm;

    assert(size >= CLOCK_TEXT_SIZE);
    if (ms < 0)
        ms += 1000; /* before 1970 the fraction still counts forward */
    seconds = (wall_ms - ms) / 1000;
    gmtime_r(&seconds, &tm);
    snprintf(dst, size, "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", (long long)tm.tm_year + 1900,
             tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min, tm.tm_sec, (int)ms);
    return dst;
}
