/* human: quantities rounded for reading. */
#include "base/human.h"

#include <assert.h>
#include <stdio.h>

#include "base/attr.h"

const char *
human_bytes(char dst[HUMAN_SIZE], uint64_t size_bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double n = (double)size_bytes;
    size_t unit = 0;

    if (size_bytes < 1024) {
        snprintf(dst, HUMAN_SIZE, "%u B", (unsigned)size_bytes);
        return dst;
    }
    /* 1023.95 would be printed as 1024.0 */
    for (n /= 1024; n >= 1023.95 && unit + 1 < ARRAY_LEN(units); n /= 1024)
        unit++;
    snprintf(dst, HUMAN_SIZE, "%.1f %s", n, units[unit]);
    return dst;
}

const char *
human_millis(char dst[HUMAN_SIZE], int64_t ms)
{
    /* The largest that fits, with the next smaller one. */
    static const struct {
        int64_t seconds, next_seconds;
        char letter, next_letter;
    } units[] = {
        {86400, 3600, 'd', 'h'},
        {3600, 60, 'h', 'm'},
        {60, 1, 'm', 's'},
    };
    int64_t seconds = ms / 1000;

    assert(ms >= 0);
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (seconds >= units[i].seconds) {
            snprintf(dst, HUMAN_SIZE, "%lld%c %lld%c", (long long)(seconds / units[i].seconds),
                     units[i].letter,
                     (long long)(seconds % units[i].seconds / units[i].next_seconds),
                     units[i].next_letter);
            return dst;
        }
    }
    if (ms >= 1000)
        snprintf(dst, HUMAN_SIZE, "%lld.%llds", (long long)seconds, (long long)(ms % 1000 / 100));
    else
        snprintf(dst, HUMAN_SIZE, "%lldms", (long long)ms);
    return dst;
}

const char *
human_rate(char dst[HUMAN_SIZE], double per_second)
{
    assert(per_second >= 0);
    if (per_second < 0.05)
        snprintf(dst, HUMAN_SIZE, "0");
    else
        snprintf(dst, HUMAN_SIZE, per_second < 9.95 ? "%.1f" : "%.0f", per_second);
    return dst;
}
