#ifndef MODEL_SCHEMA_H
#define MODEL_SCHEMA_H

/*
 * One version of a relation, as a Relation message of pgoutput describes it
 * (manual: "Logical Replication Message Formats", Relation).
 *
 * Immutable once made; flow lifetime.  A repeated Relation message that says the same is the
 * same version (SEMANTICS 26).
 */

#include <stdbool.h>
#include <stddef.h>

#include "model/type.h"

/* pg_class.relreplident */
enum replica_identity {
    IDENTITY_DEFAULT = 'd',
    IDENTITY_NOTHING = 'n',
    IDENTITY_FULL = 'f',
    IDENTITY_INDEX = 'i',
};

struct column {
    struct span name;
    oid_t type;
    int32_t typmod;
    bool key; /* part of the replica identity */
};

struct schema {
    oid_t relation;
    struct span namespace;
    struct span name;
    char identity; /* enum replica_identity, unchecked: as sent */
    size_t count;
    const struct column *columns;
};

bool schema_equal(const struct schema *a, const struct schema *b);

#endif
