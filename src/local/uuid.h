#ifndef LOCAL_UUID_H
#define LOCAL_UUID_H

/*
 * UUIDs in their four written forms (RFC 9562 section 4; 36 characters, 32 hex digits, in braces,
 * as a urn), any case.  Kept as lower-case hyphenated text, whose byte order is the UUIDs' order.
 */

#include <stdbool.h>

#include "base/attr.h"
#include "base/span.h"

#define UUID_TEXT_SIZE 37

MUST_CHECK bool uuid_canonical(struct span text, char dst[UUID_TEXT_SIZE]);

#endif
