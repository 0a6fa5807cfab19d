/* router: relation to mappings, and which rows were written before. */
#include "engine/router.h"

#include <assert.h>

static struct router_relation *
relation_find(struct router *router, oid_t oid)
{
    for (size_t i = 0; i < router->relation_count; i++) {
        if (router->relations[i].oid == oid)
            return &router->relations[i];
    }
    return NULL;
}

static void
relation_add(struct router *router, size_t mapping)
{
    oid_t oid = router->mappings[mapping].mapping->source->oid;
    struct router_relation *relation = relation_find(router, oid);

    if (!relation) {
        relation = &router->relations[router->relation_count++];
        relation->oid = oid;
        relation->mappings = arena_new_n(router->arena, size_t, router->mapping_count);
    }
    relation->mappings[relation->count++] = mapping;
}

void
router_init(struct router *router, struct arena *arena, struct router_mapping *mappings,
            size_t count)
{
    *router = (struct router){
        .arena = arena,
        .mapping_count = count,
        .mappings = mappings,
        .relations = arena_new_n(arena, struct router_relation, count),
    };
    for (size_t i = 0; i < count; i++) {
        assert(mappings[i].mapping->source);
        relation_add(router, i);
    }
}

size_t
router_mappings(struct router *router, oid_t oid, const size_t **ret)
{
    if (!router->last || router->last->oid != oid)
        router->last = relation_find(router, oid);
    if (!router->last)
        return 0;
    *ret = router->last->mappings;
    return router->last->count;
}

bool
router_relation(struct router *router, size_t mapping, const struct schema *schema)
{
    struct router_mapping *own = &router->mappings[mapping];
    const struct projection *projection;
    struct err err;

    if (!projection_make(own->mapping, schema, own->projection, router->arena, &projection, &err)) {
        own->refusal = arena_strdup(router->arena, err.text);
        return false;
    }
    own->projection = projection;
    own->refusal = NULL;
    return true;
}

void
router_stop(struct router *router, size_t mapping)
{
    assert(mapping < router->mapping_count);
    router->mappings[mapping].stopped = true;
}

/*
 * A checkpoint is the end of a commit record and records do not overlap: a transaction whose
 * record starts before the checkpoint also ends at or before it.
 */
static bool
is_old(const struct router_mapping *own, const struct change *change)
{
    return change->position.commit < own->checkpoint ||
           position_compare(change->position, own->truncate) < 0;
}

size_t
router_route(struct router *router, const struct change *change, struct route *routes, size_t cap)
{
    const size_t *mappings;
    size_t count = 0, candidates;

    if (position_compare(change->position, router->seen) <= 0)
        return 0;
    router->seen = change->position;

    candidates = router_mappings(router, change->schema->relation, &mappings);
    for (size_t i = 0; i < candidates; i++) {
        struct router_mapping *own = &router->mappings[mappings[i]];

        if (own->stopped || is_old(own, change))
            continue;
        assert(count < cap);
        assert(own->refusal || (own->projection && own->projection->schema == change->schema));
        routes[count] = (struct route){.mapping = mappings[i]};
        if (!own->refusal)
            routes[count].projection = own->projection;
        if (!own->refusal && change->op == CHANGE_TRUNCATE)
            own->truncate = change->position;
        count++;
    }
    return count;
}
