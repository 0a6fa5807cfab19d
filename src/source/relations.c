/* relations: every version of every relation that the stream has described. */
#include "source/relations.h"

#include <assert.h>

#include "source/pgoutput_decode.h"

struct version {
    struct version *next; /* an older one */
    struct schema schema;
};

struct relation {
    oid_t oid; /* the map's key points here */
    const struct schema *current;
    struct version *versions;
};

struct relations
relations_make(struct arena *arena)
{
    return (struct relations){.arena = arena};
}

void
relations_free(struct relations *relations)
{
    map_free(&relations->by_oid);
    relations->last = NULL;
}

static struct span
oid_key(const oid_t *oid)
{
    return (struct span){(const char *)oid, sizeof(*oid)};
}

static struct relation *
relation_get(struct relations *relations, oid_t oid)
{
    struct relation *relation = map_get(&relations->by_oid, oid_key(&oid));

    if (relation)
        return relation;
    relation = arena_new_of(relations->arena, struct relation);
    relation->oid = oid;
    map_put(&relations->by_oid, oid_key(&relation->oid), relation);
    return relation;
}

/* Still pointing into the message. */
static struct schema
schema_borrow(const struct pgoutput_message *message, struct column *columns)
{
    struct pgoutput_columns rest = message->columns;
    size_t count = 0;

    while (pgoutput_column_next(&rest, &columns[count]))
        count++;
    return (struct schema){
        .relation = message->oid,
        .namespace = message->namespace,
        .name = message->name,
        .identity = message->identity,
        .count = count,
        .columns = columns,
    };
}

static struct version *
version_new(struct arena *arena, const struct schema *borrowed)
{
    struct version *version = arena_new_of(arena, struct version);
    struct column *columns = arena_new_n(arena, struct column, borrowed->count);

    for (size_t i = 0; i < borrowed->count; i++) {
        columns[i] = borrowed->columns[i];
        columns[i].name = arena_span(arena, columns[i].name);
    }
    version->schema = *borrowed;
    version->schema.namespace = arena_span(arena, borrowed->namespace);
    version->schema.name = arena_span(arena, borrowed->name);
    version->schema.columns = columns;
    return version;
}

static const struct schema *
version_find(struct relation *relation, const struct schema *borrowed, struct arena *arena)
{
    struct version *version;

    for (version = relation->versions; version; version = version->next) {
        if (schema_equal(&version->schema, borrowed))
            return &version->schema;
    }
    version = version_new(arena, borrowed);
    version->next = relation->versions;
    relation->versions = version;
    return &version->schema;
}

bool
relations_update(struct relations *relations, const struct pgoutput_message *message,
                 const struct schema **ret_schema)
{
    struct column columns[PGOUTPUT_COLUMNS_MAX];
    struct relation *relation = relation_get(relations, message->oid);
    const struct schema *before = relation->current;
    struct schema borrowed;

    assert(message->type == PGOUTPUT_RELATION);
    borrowed = schema_borrow(message, columns);
    relation->current = version_find(relation, &borrowed, relations->arena);
    *ret_schema = relation->current;
    return relation->current != before;
}

const struct schema *
relations_find(struct relations *relations, oid_t oid)
{
    const struct relation *relation = relations->last;

    if (relation && relation->oid == oid)
        return relation->current;
    relation = map_get(&relations->by_oid, oid_key(&oid));
    if (!relation)
        return NULL;
    relations->last = relation;
    return relation->current;
}
