#ifndef MODEL_DECIMAL_H
#define MODEL_DECIMAL_H

/*
 * Decimal numbers of any length, compared exactly: 1.10 and 1.1 are equal, 2^63 and 2^63 + 1 are
 * not.  A decimal looks into the text it was read from; nothing is copied or rounded.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"

#define DECIMAL_EXPONENT_MAX 1000000 /* of what is written behind "e" */

enum decimal_kind {
    DECIMAL_FINITE,
    DECIMAL_NAN, /* equal to itself, as in Postgres */
    DECIMAL_INFINITY,
};

struct decimal {
    enum decimal_kind kind;
    bool negative;
    struct span digits; /* first to last digit that is not 0, perhaps a point between; zero: none */
    int64_t exponent;   /* the value is 0.DIGITS times 10 to this */
};

/*
 * [-+]digits[.digits][e[-+]digits], and "NaN", "Infinity", "inf" in any case, as the types of
 * numbers print them.
 */
MUST_CHECK bool decimal_parse(struct span text, struct decimal *ret);

bool decimal_equal(const struct decimal *a, const struct decimal *b);
bool decimal_is_integer(const struct decimal *decimal);

#endif
