#ifndef BASE_UTF8_H
#define BASE_UTF8_H

/* Strict UTF-8 (RFC 3629): no surrogates, no overlong forms, nothing above U+10FFFF. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define UTF8_REPLACEMENT SPAN("\xEF\xBF\xBD") /* U+FFFD */

bool utf8_valid(struct span s);
size_t utf8_valid_len(struct span s); /* bytes of the longest valid beginning */

/* The 1 to 4 bytes of a code point into dst; returns their number. */
size_t utf8_encode(uint32_t code_point, char dst[4]);

#endif
