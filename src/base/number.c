/* number: text to numbers, whole span or nothing. */
#include "base/number.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/buf.h"

struct unit {
    struct span name;
    int64_t factor;
};

#define KIBI ((int64_t)1024)
#define KILO ((int64_t)1000)

/* clang-format off */
static const struct unit byte_units[] = {
    {SPAN_INIT(""),    1},
    {SPAN_INIT("B"),   1},
    {SPAN_INIT("KiB"), KIBI},
    {SPAN_INIT("MiB"), KIBI * KIBI},
    {SPAN_INIT("GiB"), KIBI * KIBI * KIBI},
    {SPAN_INIT("TiB"), KIBI * KIBI * KIBI * KIBI},
    {SPAN_INIT("kB"),  KILO},
    {SPAN_INIT("MB"),  KILO * KILO},
    {SPAN_INIT("GB"),  KILO * KILO * KILO},
    {SPAN_INIT("TB"),  KILO * KILO * KILO * KILO},
};

static const struct unit time_units[] = {
    {SPAN_INIT("ms"), 1},
    {SPAN_INIT("s"),  1000},
    {SPAN_INIT("m"),  60 * 1000},
    {SPAN_INIT("h"),  60 * 60 * 1000},
    {SPAN_INIT("d"),  24 * 60 * 60 * 1000},
};
/* clang-format on */

static size_t
digits_at(struct span s, size_t at)
{
    size_t end = at;

    while (end < s.len && s.ptr[end] >= '0' && s.ptr[end] <= '9')
        end++;
    return end - at;
}

bool
span_to_uint(struct span s, uint64_t *ret)
{
    uint64_t n = 0;

    if (s.len == 0 || digits_at(s, 0) != s.len)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        if (__builtin_mul_overflow(n, (uint64_t)10, &n) ||
            __builtin_add_overflow(n, (uint64_t)(s.ptr[i] - '0'), &n))
            return false;
    }
    *ret = n;
    return true;
}

bool
span_to_int(struct span s, int64_t *ret)
{
    bool minus = s.len > 0 && s.ptr[0] == '-';
    uint64_t n;

    if (!span_to_uint(minus ? span_skip(s, 1) : s, &n))
        return false;
    if (n > (uint64_t)INT64_MAX + minus)
        return false;
    *ret = (int64_t)(minus ? 0 - n : n);
    return true;
}

/* -digits[.digits][e[+-]digits]: what strtod takes beyond it (blanks, hex, inf, nan) is refused. */
static bool
is_decimal(struct span s)
{
    size_t at = s.len > 0 && s.ptr[0] == '-';
    size_t whole = digits_at(s, at);

    if (whole == 0)
        return false;
    at += whole;
    if (at < s.len && s.ptr[at] == '.') {
        size_t fraction = digits_at(s, at + 1);

        if (fraction == 0)
            return false;
        at += 1 + fraction;
    }
    if (at < s.len && (s.ptr[at] == 'e' || s.ptr[at] == 'E')) {
        at++;
        at += at < s.len && (s.ptr[at] == '-' || s.ptr[at] == '+');
        return digits_at(s, at) > 0 && at + digits_at(s, at) == s.len;
    }
    return at == s.len;
}

bool
span_to_double(struct span s, double *ret)
{
    char small[64];
    char *text = small;
    double n;

    if (!is_decimal(s))
        return false;
    if (s.len >= sizeof(small)) {
        text = malloc(s.len + 1);
        if (!text)
            abort();
    }
    memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    n = strtod(text, NULL); /* the programs never leave the C locale */
    if (text != small)
        free(text);

    if (!isfinite(n))
        return false;
    *ret = n;
    return true;
}

static bool
with_unit(struct span s, const struct unit *units, size_t count, int64_t *ret)
{
    size_t digits = digits_at(s, 0);
    int64_t n;

    if (!span_to_int((struct span){s.ptr, digits}, &n))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (!span_eq(span_skip(s, digits), units[i].name))
            continue;
        if (__builtin_mul_overflow(n, units[i].factor, &n))
            return false;
        *ret = n;
        return true;
    }
    return false;
}

bool
span_to_bytes(struct span s, int64_t *ret)
{
    return with_unit(s, byte_units, ARRAY_LEN(byte_units), ret);
}

bool
span_to_millis(struct span s, int64_t *ret)
{
    return with_unit(s, time_units, ARRAY_LEN(time_units), ret);
}

/* The largest unit that divides n; the first row divides everything. */
static void
put_with_unit(struct buf *out, int64_t n, const struct unit *units, size_t count)
{
    const struct unit *best = &units[0];

    assert(n >= 0 && best->factor == 1);
    for (size_t i = 1; i < count; i++) {
        if (n != 0 && n % units[i].factor == 0 && units[i].factor > best->factor)
            best = &units[i];
    }
    buf_put_int(out, n / best->factor);
    buf_put(out, best->name);
}

void
number_put_bytes(struct buf *out, int64_t n)
{
    put_with_unit(out, n, byte_units, ARRAY_LEN(byte_units));
}

void
number_put_millis(struct buf *out, int64_t n)
{
    put_with_unit(out, n, time_units, ARRAY_LEN(time_units));
}
