#ifndef MODEL_DOCID_H
#define MODEL_DOCID_H

/*
 * The id of a document, in its canonical text: unsigned integers without leading zeros, uuids in
 * lower case with hyphens, strings as they are.  Two ids are the same document exactly when their
 * canonical texts are equal.
 *
 * turbopuffer takes u64, uuid, or strings up to 64 bytes (facts 3.6).
 */

#include "base/arena.h"
#include "base/err.h"
#include "model/mapping.h"
#include "model/value.h"

#define DOCID_STRING_MAX 64 /* bytes */
#define DOCID_UUID_LEN   36

struct docid {
    bool quoted; /* uuid or string: a JSON string; else a JSON number */
    struct span text;
};

/*
 * ERR_DATA naming the remedy for null, a negative number without encode = "string", a uuid that is
 * none, a string over DOCID_STRING_MAX bytes.  The text points into the value, or into the arena.
 */
MUST_CHECK bool docid_make(const struct mapping *mapping, const struct value *value,
                           struct arena *arena, struct docid *ret, struct err *err);

/*
 * The one form of a uuid: lower case with hyphens, not ended by NUL.  Reads 36 characters, 32
 * digits, braces and "urn:uuid:", in any case.
 */
MUST_CHECK bool docid_uuid_canonical(struct span text, char dst[DOCID_UUID_LEN]);

#endif
