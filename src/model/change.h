#ifndef MODEL_CHANGE_H
#define MODEL_CHANGE_H

/*
 * What a source hands to the engine: one committed row change, in commit order.
 *
 * All pointers are valid until the source is asked for its next event; who keeps a change copies
 * it (model/batch.h does, once).
 */

#include <stdint.h>

#include "model/lsn.h"
#include "model/schema.h"
#include "model/value.h"

enum change_op {
    CHANGE_INSERT,
    CHANGE_UPDATE,
    CHANGE_DELETE,
    CHANGE_TRUNCATE, /* of one relation */
    CHANGE_OP_MAX_,
};

extern const char *const change_op_names[CHANGE_OP_MAX_ + 1];

struct change {
    enum change_op op;
    const struct schema *schema;
    struct position position;
    uint32_t xid;               /* of the transaction, as pgoutput sends it: 32 bits */
    int64_t commit_us;          /* microseconds since 1970 UTC */
    const struct value *after;  /* schema->count values; NULL for delete and truncate */
    const struct value *before; /* schema->count values, or NULL when none was sent */
    bool before_is_key;         /* only the identity columns are carried, the rest is UNCHANGED */
};

#endif
