#ifndef SOURCE_RELATIONS_H
#define SOURCE_RELATIONS_H

/*
 * The versions of relations that the stream has described so far (SEMANTICS 26).
 *
 * A Relation message that says what the version in force says changes nothing: it is repeated
 * after ANALYZE, CREATE INDEX, GRANT, and at the start of every connection.  A version that was
 * seen before (the stream was opened again from an earlier position) is the same pointer again.
 *
 * Owner thread.  Schemas live in the flow's arena.
 */

#include "base/arena.h"
#include "base/map.h"
#include "model/schema.h"

struct pgoutput_message;

struct relations {
    struct arena *arena; /* flow lifetime */
    struct map by_oid;
    const struct relation *last; /* rows of one table come in runs */
};

struct relations relations_make(struct arena *arena);
void relations_free(struct relations *relations);

/* Take in a Relation message; true when *ret_schema is another version than before. */
bool relations_update(struct relations *relations, const struct pgoutput_message *message,
                      const struct schema **ret_schema);

/* The version in force; NULL when the stream never described this relation. */
const struct schema *relations_find(struct relations *relations, oid_t oid);

#endif
