#ifndef MODEL_PROJECTION_H
#define MODEL_PROJECTION_H

/*
 * How to cut a row of one relation version down to a mapping's image: for every column of the
 * mapping its index in the row.  Made by the owner thread when a Relation message brings a new
 * version; immutable, flow lifetime.
 */

#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/mapping.h"
#include "model/schema.h"
#include "model/value.h"

/*
 * The column was added after this version: rows of it carry the value UNCHANGED, so that they are
 * read back.  (A table has at most 1,600 columns.)
 */
#define PROJECTION_ABSENT UINT16_MAX

struct projection {
    const struct mapping *mapping;
    const struct schema *schema;
    const uint16_t *source; /* mapping->column_count indexes into the row, or PROJECTION_ABSENT */
    bool retyped; /* a mapped column was added or replaced, or has another type of its family since
                     the version before: rows changed without events, a re-read is needed */
};

/*
 * ERR_CONFIG when a mapped column is gone or of another type family (SEMANTICS 26), or when the id
 * is no longer in the replica identity.  `previous` is the projection in force, NULL for the first.
 */
MUST_CHECK bool projection_make(const struct mapping *mapping, const struct schema *schema,
                                const struct projection *previous, struct arena *arena,
                                const struct projection **ret, struct err *err);

#endif
