#ifndef BASE_NUMBER_H
#define BASE_NUMBER_H

/*
 * Exact text-to-number conversion: the whole span must be consumed, no blanks, no "+", no 0x.
 * *ret is set only on success.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"

MUST_CHECK bool span_to_int(struct span s, int64_t *ret);
MUST_CHECK bool span_to_uint(struct span s, uint64_t *ret);
MUST_CHECK bool span_to_double(struct span s, double *ret); /* finite only */

/* "512", "64KiB", "8MiB", "1GiB" (also kB, MB, GB as powers of 1000). */
MUST_CHECK bool span_to_bytes(struct span s, int64_t *ret);

/* "250ms", "10s", "5m", "1h", "7d"; a bare number is an error. */
MUST_CHECK bool span_to_millis(struct span s, int64_t *ret);

struct buf;

/* As an operator would write it, exactly: 8388608 is "8MiB", 90000 ms are "90s". */
void number_put_bytes(struct buf *out, int64_t n);
void number_put_millis(struct buf *out, int64_t n);

#endif
