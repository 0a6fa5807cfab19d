/* datetime: ISO 8601 to milliseconds and back, in the proleptic Gregorian calendar. */
#include "local/datetime.h"

#include <assert.h>
#include <stdio.h>

#define MS_PER_DAY    (INT64_C(24) * 60 * 60 * 1000)
#define DAYS_PER_ERA  146097 /* 400 years */
#define DAYS_TO_EPOCH 719468 /* from 0000-03-01 to 1970-01-01 */

struct cursor {
    const char *at, *end;
};

/* Exactly `digits` decimal digits. */
static bool
take_number(struct cursor *c, int digits, int64_t *ret)
{
    int64_t n = 0;

    if (c->end - c->at < digits)
        return false;
    for (int i = 0; i < digits; i++) {
        if (c->at[i] < '0' || c->at[i] > '9')
            return false;
        n = n * 10 + (c->at[i] - '0');
    }
    c->at += digits;
    *ret = n;
    return true;
}

static bool
take_char(struct cursor *c, char wanted)
{
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static int64_t
days_in_month(int64_t year, int64_t month)
{
    static const int64_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

/* Years begin in March here, so that the leap day is the last one. */
static int64_t
days_from_civil(int64_t year, int64_t month, int64_t day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * DAYS_PER_ERA + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 +
           day_of_year - DAYS_TO_EPOCH;
}

static bool
take_date(struct cursor *c, int64_t *ret_days)
{
    int64_t year, month, day;

    if (!take_number(c, 4, &year) || !take_char(c, '-') || !take_number(c, 2, &month) ||
        !take_char(c, '-') || !take_number(c, 2, &day))
        return false;
    if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month))
        return false;
    *ret_days = days_from_civil(year, month, day);
    return true;
}

/* The digits behind the point, as whole milliseconds; at least one. */
static bool
take_fraction(struct cursor *c, int64_t *ret_ms)
{
    int64_t ms = 0, digit;
    int64_t weight = 100;
    int count = 0;

    for (; take_number(c, 1, &digit); count++) {
        ms += digit * weight;
        weight /= 10;
    }
    *ret_ms = ms;
    return count > 0;
}

static bool
take_time(struct cursor *c, int64_t *ret_ms)
{
    int64_t hour, minute, second = 0, fraction = 0;

    if (!take_number(c, 2, &hour) || !take_char(c, ':') || !take_number(c, 2, &minute))
        return false;
    if (take_char(c, ':') && !take_number(c, 2, &second))
        return false;
    if (take_char(c, '.') && !take_fraction(c, &fraction))
        return false;
    if (hour > 23 || minute > 59 || second > 59)
        return false;
    *ret_ms = ((hour * 60 + minute) * 60 + second) * 1000 + fraction;
    return true;
}

static bool
take_zone(struct cursor *c, int64_t *ret_ms)
{
    int64_t hour, minute = 0, sign;

    *ret_ms = 0;
    if (c->at == c->end || take_char(c, 'Z') || take_char(c, 'z'))
        return true;
    sign = *c->at == '-' ? -1 : 1;
    if (!take_char(c, '+') && !take_char(c, '-'))
        return false;
    if (!take_number(c, 2, &hour))
        return false;
    if ((take_char(c, ':') || c->at < c->end) && !take_number(c, 2, &minute))
        return false;
    if (hour > 23 || minute > 59)
        return false;
    *ret_ms = sign * (hour * 60 + minute) * 60 * 1000;
    return true;
}

bool
datetime_parse(struct span text, int64_t *ret_ms)
{
    struct cursor c = {text.ptr, text.ptr + text.len};
    int64_t days, time = 0, zone = 0;

    if (!take_date(&c, &days))
        return false;
    if (take_char(&c, 'T') || take_char(&c, 't') || take_char(&c, ' ')) {
        if (!take_time(&c, &time) || !take_zone(&c, &zone))
            return false;
    }
    if (c.at != c.end)
        return false;
    *ret_ms = days * MS_PER_DAY + time - zone;
    return true;
}

const char *
datetime_text(int64_t ms, char dst[DATETIME_TEXT_SIZE])
{
    int64_t days = ms / MS_PER_DAY - (ms % MS_PER_DAY < 0 ? 1 : 0);
    int64_t rest = ms - days * MS_PER_DAY;
    int64_t z = days + DAYS_TO_EPOCH;
    int64_t era = (z >= 0 ? z : z - DAYS_PER_ERA + 1) / DAYS_PER_ERA;
    int64_t doe = z - era * DAYS_PER_ERA;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    int64_t month = mp < 10 ? mp + 3 : mp - 9;
    int64_t year = yoe + era * 400 + (month <= 2 ? 1 : 0);

    assert(rest >= 0 && rest < MS_PER_DAY);
    snprintf(dst, DATETIME_TEXT_SIZE, "%04d-%02d-%02dT%02d:%02d:%02d.%03d000000Z",
             (int)(year % 10000), (int)month, (int)(doy - (153 * mp + 2) / 5 + 1),
             (int)(rest / 3600000), (int)(rest / 60000 % 60), (int)(rest / 1000 % 60),
             (int)(rest % 1000));
    return dst;
}
