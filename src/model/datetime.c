/* datetime: ISO dates and times to numbers. */
#include "model/datetime.h"

#include <assert.h>

#define US_PER_SECOND   INT64_C(1000000)
#define SECONDS_PER_DAY INT64_C(86400)
#define US_PER_DAY      (SECONDS_PER_DAY * US_PER_SECOND)
#define YEAR_DIGITS_MAX 7 /* Postgres ends in the year 5874897 */
#define FRACTION_DIGITS 6

struct date {
    int64_t year; /* as written; BC is told at the end of the text */
    int month, day;
};

static bool
take(struct span *rest, char c)
{
    if (rest->len == 0 || rest->ptr[0] != c)
        return false;
    *rest = span_skip(*rest, 1);
    return true;
}

/* Between `least` and `most` digits, as many as there are. */
static bool
take_digits(struct span *rest, size_t least, size_t most, int64_t *ret)
{
    int64_t n = 0;
    size_t i = 0;

    assert(most < 19); /* fits */
    for (; i < most && i < rest->len && rest->ptr[i] >= '0' && rest->ptr[i] <= '9'; i++)
        n = n * 10 + (rest->ptr[i] - '0');
    if (i < least)
        return false;
    *rest = span_skip(*rest, i);
    *ret = n;
    return true;
}

static bool
take_two(struct span *rest, int64_t most, int64_t *ret)
{
    return take_digits(rest, 2, 2, ret) && *ret <= most;
}

static bool
take_infinity(struct span text, int64_t *ret)
{
    if (span_eq(text, SPAN("infinity")))
        *ret = DATETIME_INFINITY;
    else if (span_eq(text, SPAN("-infinity")))
        *ret = DATETIME_NINFINITY;
    else
        return false;
    return true;
}

static bool
is_leap(int64_t year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int
days_in_month(int64_t year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    assert(month >= 1 && month <= 12);
    return days[month - 1] + (month == 2 && is_leap(year));
}

static bool
take_date(struct span *rest, struct date *ret)
{
    int64_t year, month, day;

    if (!take_digits(rest, 4, YEAR_DIGITS_MAX, &year) || !take(rest, '-') ||
        !take_two(rest, 12, &month) || !take(rest, '-') || !take_two(rest, 31, &day))
        return false;
    *ret = (struct date){.year = year, .month = (int)month, .day = (int)day};
    return true;
}

/*
 * Days since 2000-01-01 of a date with the year counted from 0 for 1 BC.  The year is taken to
 * begin in March, so that the leap day is its last, and eras of 400 years are all alike.
 */
static int64_t
days_since_epoch(int64_t year, int month, int day)
{
    const int64_t days_per_era = 146097, epoch = 730425; /* 0000-03-01 to 2000-01-01 */
    int64_t shifted = month <= 2 ? year - 1 : year;
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t year_of_era = shifted - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;

    return era * days_per_era + day_of_era - epoch;
}

/* The rest of the text is nothing or " BC". */
static bool
finish_date(struct span rest, const struct date *date, int64_t *ret_days)
{
    bool bc = span_eq(rest, SPAN(" BC"));
    int64_t year = bc ? 1 - date->year : date->year;

    if (!bc && rest.len > 0)
        return false;
    if (date->year == 0 || date->month == 0 || date->day == 0 ||
        date->day > days_in_month(year, date->month))
        return false;
    *ret_days = days_since_epoch(year, date->month, date->day);
    return true;
}

static bool
take_fraction(struct span *rest, int64_t *ret_us)
{
    size_t before = rest->len;
    int64_t n;

    if (!take_digits(rest, 1, FRACTION_DIGITS, &n))
        return false;
    assert(before - rest->len <= FRACTION_DIGITS);
    for (size_t digits = before - rest->len; digits < FRACTION_DIGITS; digits++)
        n *= 10;
    *ret_us = n;
    return true;
}

/* HH:MM[:SS[.ffffff]] */
static bool
take_time(struct span *rest, int64_t *ret_us)
{
    int64_t hours, minutes, seconds = 0, us = 0;

    if (!take_two(rest, 24, &hours) || !take(rest, ':') || !take_two(rest, 59, &minutes))
        return false;
    if (take(rest, ':')) {
        if (!take_two(rest, 59, &seconds))
            return false;
        if (take(rest, '.') && !take_fraction(rest, &us))
            return false;
    }
    us += (hours * 3600 + minutes * 60 + seconds) * US_PER_SECOND;
    if (us > US_PER_DAY)
        return false;
    *ret_us = us;
    return true;
}

/* Z, +HH, +HHMM, +HH:MM or +HH:MM:SS, in seconds east. */
static bool
take_zone(struct span *rest, int64_t *ret_seconds)
{
    bool west = rest->len > 0 && rest->ptr[0] == '-';
    int64_t hours, minutes = 0, seconds = 0;

    if (take(rest, 'Z')) {
        *ret_seconds = 0;
        return true;
    }
    if (!take(rest, '-') && !take(rest, '+'))
        return false;
    if (!take_two(rest, 15, &hours))
        return false;
    if (take(rest, ':')) {
        if (!take_two(rest, 59, &minutes))
            return false;
        if (take(rest, ':') && !take_two(rest, 59, &seconds))
            return false;
    } else if (rest->len > 0 && rest->ptr[0] >= '0' && rest->ptr[0] <= '9') {
        if (!take_two(rest, 59, &minutes))
            return false;
    }
    seconds += hours * 3600 + minutes * 60;
    *ret_seconds = west ? -seconds : seconds;
    return true;
}

bool
datetime_parse_date(struct span text, int64_t *ret_days)
{
    struct date date;

    if (take_infinity(text, ret_days))
        return true;
    return take_date(&text, &date) && finish_date(text, &date, ret_days);
}

bool
datetime_parse_time(struct span text, int64_t *ret_us)
{
    int64_t us;

    if (!take_time(&text, &us) || text.len > 0)
        return false;
    *ret_us = us;
    return true;
}

bool
datetime_parse_timestamp(struct span text, bool zone, int64_t *ret_us)
{
    int64_t days, us = 0, offset = 0;
    struct date date;

    if (take_infinity(text, ret_us))
        return true;
    if (!take_date(&text, &date))
        return false;
    if (text.len > 1 && (text.ptr[0] == 'T' || (text.ptr[0] == ' ' && text.ptr[1] != 'B'))) {
        text = span_skip(text, 1);
        if (!take_time(&text, &us))
            return false;
    }
    if (zone && !take_zone(&text, &offset))
        return false;
    if (!finish_date(text, &date, &days))
        return false;
    if (__builtin_mul_overflow(days, US_PER_DAY, &days) || __builtin_add_overflow(days, us, &us) ||
        __builtin_sub_overflow(us, offset * US_PER_SECOND, &us))
        return false;
    *ret_us = us;
    return true;
}
