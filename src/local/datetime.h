#ifndef LOCAL_DATETIME_H
#define LOCAL_DATETIME_H

/*
 * Datetimes: milliseconds since 1970 in UTC, read from and written as ISO 8601.
 *
 * Read: a date, then optionally a time (after T or a blank; seconds and their fraction may be
 * missing), then optionally a zone (Z, +hh, +hhmm, +hh:mm).  Without a zone it is UTC.  What is
 * finer than a millisecond is cut off.  Years 0000 to 9999.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"

#define DATETIME_TEXT_SIZE 32 /* 2024-03-02T00:00:00.000000000Z */

MUST_CHECK bool datetime_parse(struct span text, int64_t *ret_ms);
const char *datetime_text(int64_t ms, char dst[DATETIME_TEXT_SIZE]);

#endif
