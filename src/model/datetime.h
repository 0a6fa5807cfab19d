#ifndef MODEL_DATETIME_H
#define MODEL_DATETIME_H

/*
 * Dates and times in the ISO form in which our sessions let Postgres print them (DateStyle ISO):
 *
 *     2024-03-02    0044-03-15 BC    10:00:00.123456    2024-03-02 10:00:00+05:30    infinity
 *
 * Read into numbers that order and compare as the values do, counted from 2000-01-01 as in
 * Postgres, so that all its values fit.  The calendar is the proleptic
 * Gregorian, as in Postgres; "T" may stand between date and time, and "Z" for the zone.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"

#define DATETIME_INFINITY  INT64_MAX
#define DATETIME_NINFINITY INT64_MIN

/* Days since 2000-01-01. */
MUST_CHECK bool datetime_parse_date(struct span text, int64_t *ret_days);

/* Microseconds since midnight, 24:00:00 included. */
MUST_CHECK bool datetime_parse_time(struct span text, int64_t *ret_us);

/*
 * Microseconds since 2000-01-01 00:00:00.  With `zone` a UTC offset must be there and is taken
 * off, else none may be there.  A date alone is its midnight, where no zone is asked for.
 */
MUST_CHECK bool datetime_parse_timestamp(struct span text, bool zone, int64_t *ret_us);

#endif
