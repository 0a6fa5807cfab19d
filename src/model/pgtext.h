#ifndef MODEL_PGTEXT_H
#define MODEL_PGTEXT_H

/*
 * The text forms of Postgres values, read in one pass and without a tree: what every destination
 * needs when it renders.
 *
 * The forms are those of a session with DateStyle ISO, bytea_output hex and extra_float_digits
 * at 1 or more (manual: 8.5.2 date/time output, 8.4.1 bytea hex, 8.15.6 arrays, 8.16.6 composites).
 * Text that does not have the form is refused with false, never guessed at.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"
#include "model/type.h"

/* ---- arrays: tokens of {1,NULL,"a\"b"}, of any number of dimensions ---- */

enum pgtext_token {
    PGTEXT_OPEN,  /* { */
    PGTEXT_CLOSE, /* } */
    PGTEXT_ELEMENT,
    PGTEXT_NULL,
    PGTEXT_END,
    PGTEXT_MALFORMED,
};

struct pgtext_array {
    struct span text;
    size_t at;
    int depth;
    char delimiter;
    bool need_delimiter;
};

/* A prefix with bounds ([2:3]={...}) is passed over. */
struct pgtext_array pgtext_array_make(struct span text, char delimiter);

/* `ret` points into the text, or into `scratch` (overwritten) when there were escapes. */
enum pgtext_token pgtext_array_next(struct pgtext_array *array, struct buf *scratch,
                                    struct span *ret);

/* ---- date, timestamp, timestamp with time zone ---- */

struct pgtext_instant {
    int64_t day; /* since 1970-01-01, UTC; proleptic Gregorian */
    int64_t us;  /* of that day */
};

/* False for infinity.  A timestamp without zone is taken as UTC. */
MUST_CHECK bool pgtext_instant(struct span text, struct pgtext_instant *ret);

/* "2024-03-02T08:00:00.123Z" with 3 or 6 digits; false outside the years 1 to 9999 (ISO 8601). */
MUST_CHECK bool pgtext_put_utc(struct pgtext_instant instant, int digits, struct buf *out);

/* Microseconds since 1970; false when 64 bits do not hold them. */
MUST_CHECK bool pgtext_micros(struct pgtext_instant instant, int64_t *ret);

/* ---- the rest ---- */

/* \xDEADBEEF -> 3q2+7w== (RFC 4648, section 4), without quotes. */
MUST_CHECK bool pgtext_put_base64(struct span bytea, struct buf *out);

/* Digits, point and exponent as Postgres writes numbers; not NaN, not Infinity. */
bool pgtext_is_number(struct span text);

/*
 * A value as JSON by its logical type, on one line: booleans and finite numbers as such, json as it
 * is, arrays and composites as arrays, bytea as base64, everything else as a string.  Never looks
 * at the limits of `out`: ask buf_ok().
 */
MUST_CHECK bool pgtext_put_json(const struct type *type, struct span text, struct buf *out);

#endif
