/* pgtext_time: date, timestamp and timestamptz from their ISO text, and back as UTC. */
#include <assert.h>

#include "model/pgtext.h"

#define US_PER_SECOND INT64_C(1000000)
#define US_PER_DAY    (INT64_C(86400) * US_PER_SECOND)
#define YEAR_DIGITS   7 /* date reaches 5874897, timestamp 294276 */

/* ---- the calendar (proleptic Gregorian, year 0 is 1 BC) ---- */

#define DAYS_PER_ERA  146097 /* 400 years */
#define DAYS_TO_1970  719468 /* from 0000-03-01 */
#define YEARS_PER_ERA 400

static int64_t
floor_div(int64_t a, int64_t b)
{
    assert(b > 0);
    return a >= 0 ? a / b : -((-a + b - 1) / b);
}

/* A year that begins in March ends with the leap day: no month needs to know about it. */
static int64_t
days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = floor_div(y, YEARS_PER_ERA), in_era = y - era * YEARS_PER_ERA;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * DAYS_PER_ERA + in_era * 365 + in_era / 4 - in_era / 100 + of_year - DAYS_TO_1970;
}

static void
civil_from_days(int64_t days, int64_t *year, int64_t *month, int64_t *day)
{
    int64_t since = days + DAYS_TO_1970, era = floor_div(since, DAYS_PER_ERA);
    int64_t of_era = since - era * DAYS_PER_ERA;
    int64_t in_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * in_era + in_era / 4 - in_era / 100);
    int64_t march = (5 * of_year + 2) / 153;

    *day = of_year - (153 * march + 2) / 5 + 1;
    *month = march < 10 ? march + 3 : march - 9;
    *year = in_era + era * YEARS_PER_ERA + (*month <= 2);
    assert(*month >= 1 && *month <= 12 && *day >= 1 && *day <= 31);
}

/* ---- reading ---- */

struct cursor {
    struct span text;
    size_t at;
};

static bool
take(struct cursor *c, char want)
{
    if (c->at >= c->text.len || c->text.ptr[c->at] != want)
        return false;
    c->at++;
    return true;
}

/* min to max digits. */
static bool
take_number(struct cursor *c, size_t min, size_t max, int64_t *ret)
{
    size_t begin = c->at;
    int64_t n = 0;

    while (c->at < c->text.len && c->at - begin < max && c->text.ptr[c->at] >= '0' &&
           c->text.ptr[c->at] <= '9')
        n = n * 10 + (c->text.ptr[c->at++] - '0');
    *ret = n;
    return c->at - begin >= min;
}

/* .123456, up to six digits; the missing ones are zeros. */
static bool
take_fraction(struct cursor *c, int64_t *ret_us)
{
    size_t begin;

    *ret_us = 0;
    if (!take(c, '.'))
        return true;
    begin = c->at;
    if (!take_number(c, 1, 6, ret_us))
        return false;
    for (size_t digits = c->at - begin; digits < 6; digits++)
        *ret_us *= 10;
    return true;
}

/* " 10:00:00.123456" */
static bool
take_clock(struct cursor *c, int64_t *ret_us)
{
    int64_t hour, minute, second, us;

    if (!take_number(c, 2, 2, &hour) || !take(c, ':') || !take_number(c, 2, 2, &minute) ||
        !take(c, ':') || !take_number(c, 2, 2, &second) || !take_fraction(c, &us))
        return false;
    if (hour > 24 || minute > 59 || second > 60)
        return false;
    *ret_us = ((hour * 60 + minute) * 60 + second) * US_PER_SECOND + us;
    return true;
}

/* "+02", "-03:30", "+00:19:32" (local mean times); nothing is UTC. */
static bool
take_zone(struct cursor *c, int64_t *ret_us)
{
    int64_t hours, minutes = 0, seconds = 0;
    bool west = take(c, '-');

    *ret_us = 0;
    if (!west && !take(c, '+'))
        return true;
    if (!take_number(c, 2, 2, &hours))
        return false;
    if (take(c, ':') && !take_number(c, 2, 2, &minutes))
        return false;
    if (take(c, ':') && !take_number(c, 2, 2, &seconds))
        return false;
    *ret_us = ((hours * 60 + minutes) * 60 + seconds) * US_PER_SECOND;
    if (west)
        *ret_us = -*ret_us;
    return true;
}

static bool
take_before_christ(struct cursor *c)
{
    return take(c, ' ') && take(c, 'B') && take(c, 'C');
}

bool
pgtext_instant(struct span text, struct pgtext_instant *ret)
{
    struct cursor c = {.text = text};
    int64_t year, month, day, us = 0, zone_us = 0;
    size_t before;

    if (!take_number(&c, 4, YEAR_DIGITS, &year) || !take(&c, '-') ||
        !take_number(&c, 2, 2, &month) || !take(&c, '-') || !take_number(&c, 2, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > 31 || year == 0)
        return false;

    before = c.at;
    if (take(&c, ' ') && c.at < text.len && text.ptr[c.at] != 'B') {
        if (!take_clock(&c, &us) || !take_zone(&c, &zone_us))
            return false;
    } else {
        c.at = before;
    }
    if (c.at < text.len) {
        if (!take_before_christ(&c) || c.at < text.len)
            return false;
        year = 1 - year;
    }

    us -= zone_us;
    *ret = (struct pgtext_instant){days_from_civil(year, month, day) + floor_div(us, US_PER_DAY),
                                   us - floor_div(us, US_PER_DAY) * US_PER_DAY};
    return true;
}

/* ---- writing ---- */

static char *
put_digits(char *at, int64_t n, int digits)
{
    for (int i = digits - 1; i >= 0; i--, n /= 10)
        at[i] = (char)('0' + n % 10);
    return at + digits;
}

static char *
put_part(char *at, int64_t n, int digits, char after)
{
    at = put_digits(at, n, digits);
    *at = after;
    return at + 1;
}

bool
pgtext_put_utc(struct pgtext_instant instant, int digits, struct buf *out)
{
    int64_t year, month, day, seconds = instant.us / US_PER_SECOND;
    char text[sizeof("2024-03-02T08:00:00.123456Z")];
    char *at = text;

    assert((digits == 3 || digits == 6) && instant.us >= 0 && instant.us < US_PER_DAY);
    civil_from_days(instant.day, &year, &month, &day);
    if (year < 1 || year > 9999)
        return false;
    at = put_part(at, year, 4, '-');
    at = put_part(at, month, 2, '-');
    at = put_part(at, day, 2, 'T');
    at = put_part(at, seconds / 3600, 2, ':');
    at = put_part(at, seconds / 60 % 60, 2, ':');
    at = put_part(at, seconds % 60, 2, '.');
    at = put_part(at, instant.us % US_PER_SECOND / (digits == 3 ? 1000 : 1), digits, 'Z');
    buf_put(out, (struct span){text, (size_t)(at - text)});
    return true;
}

bool
pgtext_micros(struct pgtext_instant instant, int64_t *ret)
{
    int64_t us;

    if (__builtin_mul_overflow(instant.day, US_PER_DAY, &us) ||
        __builtin_add_overflow(us, instant.us, &us))
        return false;
    *ret = us;
    return true;
}
