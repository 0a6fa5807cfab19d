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

struct projection {
    const struct mapping *mapping;
    const struct schema *schema;
    const uint16_t *source; /* mapping->column_count indexes into the row */
    bool retyped; /* a mapped column has another type of the same family: re-read needed */
};

/*
 * ERR_CONFIG when a mapped column is gone, or is now of another type family (SEMANTICS 26).
 * `previous` is the projection in force, NULL for the first.
 */
MUST_CHECK bool projection_make(const struct mapping *mapping, const struct schema *schema,
                                const struct projection *previous, struct arena *arena,
                                const struct projection **ret, struct err *err);

#endif
