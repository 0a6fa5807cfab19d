#ifndef LOCAL_MATCH_H
#define LOCAL_MATCH_H

/*
 * Text matching for filters.
 *
 * Globs: * any run, ? one byte, [abc] [a-z] [!a-z] one of a set, \ takes the next byte literally.
 * Fuzzy: the text has a substring within that edit distance of the query, in bytes.
 * Regular expressions are the C library's (POSIX extended): near enough for tests, not the live
 * service's engine.
 */

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/span.h"

bool match_glob(struct span pattern, struct span text, bool ignore_case);
bool match_fuzzy(struct span query, struct span text, size_t distance, bool ignore_case);
bool match_regex(const regex_t *regex, struct span text);

MUST_CHECK bool match_compile(struct span pattern, regex_t *ret, struct err *err);

#endif
