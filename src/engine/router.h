#ifndef ENGINE_ROUTER_H
#define ENGINE_ROUTER_H

/*
 * Which mappings a change belongs to, and through which projection.
 *
 * The router drops what must not be written again: rows at or below the checkpoint of their
 * mapping (SEMANTICS 6), rows below the mapping's truncate position (18), everything of a stopped
 * mapping (26), and what was handed on before the stream was lost and comes again.
 *
 * Pure.  Owned by the owner thread; projections live in the flow's arena.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "model/change.h"
#include "model/projection.h"

struct route {
    size_t mapping;                      /* index */
    const struct projection *projection; /* NULL: the row cannot be placed, see `refusal` */
};

struct router_mapping {
    const struct mapping *mapping;
    lsn_t checkpoint; /* ends of transactions: what commits before it is durable */
    struct position truncate;
    bool stopped;
    const struct projection *projection; /* of the last relation version that could be placed */
    const char *refusal;                 /* NULL, or why the version in force cannot be */
};

struct router_relation {
    oid_t oid;
    size_t count;
    size_t *mappings; /* indexes */
};

struct router {
    struct arena *arena;
    size_t mapping_count;
    struct router_mapping *mappings;
    size_t relation_count;
    struct router_relation *relations;
    const struct router_relation *last; /* hit of the last look-up */
    struct position seen;               /* the last position handed on */
};

/* One router_mapping per mapping, bound; `mapping` and `checkpoint` are set by the caller. */
void router_init(struct router *router, struct arena *arena, struct router_mapping *mappings,
                 size_t count);

/* The mappings of a relation, as indexes; returns how many. */
size_t router_mappings(struct router *router, oid_t relation, const size_t **ret);

/*
 * A new version of the mapping's relation is in force; false when it cannot be placed.  That is
 * no failure before a row of it comes that is not old (SEMANTICS 26): its route has no projection,
 * and the caller stops the mapping with router_stop().
 */
bool router_relation(struct router *router, size_t mapping, const struct schema *schema);
void router_stop(struct router *router, size_t mapping);

/*
 * Where a change goes: fills at most `cap` routes and returns how many.  TRUNCATE moves the
 * truncate position of every mapping it goes to.
 */
size_t router_route(struct router *router, const struct change *change, struct route *routes,
                    size_t cap);

#endif
