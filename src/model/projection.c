/* projection: where a mapping's columns stand in one version of a relation. */
#include "model/projection.h"

#include <assert.h>

/* src/include/catalog/pg_type.dat */
#define TEXT_OID    25
#define VARCHAR_OID 1043

struct maker {
    const struct mapping *mapping;
    const struct schema *schema;
    const struct projection *previous;
    const uint16_t *moved; /* where the columns of the previous version stand now; NULL: none was */
};

static uint16_t
find(const struct schema *schema, struct span name)
{
    for (size_t i = 0; i < schema->count; i++) {
        if (span_eq(schema->columns[i].name, name))
            return (uint16_t)i;
    }
    return PROJECTION_ABSENT;
}

/* The column in the version that was in force, or NULL. */
static const struct column *
before_this(const struct maker *maker, size_t i)
{
    const struct projection *previous = maker->previous;

    if (!previous || previous->source[i] == PROJECTION_ABSENT)
        return NULL;
    return &previous->schema->columns[previous->source[i]];
}

/*
 * A mapped column that this version lacks was added later when every column that it has still
 * stands in the catalog under its name; otherwise it may be one of those, renamed.
 */
static bool
added_later(const struct maker *maker, size_t i)
{
    const struct schema *schema = maker->schema;

    if (before_this(maker, i) || i == maker->mapping->id_column)
        return false;
    for (size_t c = 0; c < schema->count; c++) {
        if (!table_column_find(maker->mapping->source, schema->columns[c].name))
            return false;
    }
    return true;
}

static bool
refuse_gone(const struct maker *maker, size_t i, struct err *err)
{
    const struct schema *schema = maker->schema;

    return err_set(err, ERR_CONFIG,
                   "column \"%s\" of %.*s.%.*s was dropped or renamed; write a new version of %s "
                   "without it or with its new name",
                   maker->mapping->columns[i].name, SPAN_ARG(schema->namespace),
                   SPAN_ARG(schema->name), maker->mapping->file);
}

static bool
refuse_type(const struct maker *maker, size_t i, const char *now, struct err *err)
{
    const struct schema *schema = maker->schema;
    const struct mapping_column *column = &maker->mapping->columns[i];

    return err_set(err, ERR_CONFIG,
                   "column \"%s\" of %.*s.%.*s is %s here and %s for the mapping; write a new "
                   "version of %s with another target, which starts with the new type",
                   column->name, SPAN_ARG(schema->namespace), SPAN_ARG(schema->name), now,
                   column->type.name, maker->mapping->file);
}

static bool
check_type(const struct maker *maker, size_t i, const struct column *column, struct err *err)
{
    const struct mapping_column *mapped = &maker->mapping->columns[i];
    const struct column *previous = before_this(maker, i);
    const struct table_column *known;
    struct type type;

    if (type_builtin(column->type, &type)) {
        type.typmod = column->typmod;
        return type_same_family(&type, &mapped->type) || refuse_type(maker, i, type.name, err);
    }
    if (column->type == mapped->type.oid) {
        type = mapped->type;
        type.typmod = column->typmod;
        return type_same_family(&type, &mapped->type) ||
               refuse_type(maker, i, "of another dimension", err);
    }
    if (previous && previous->type == column->type)
        return true;

    /* The Relation message names a domain by its own oid, the catalog has it resolved. */
    known = table_column_find(maker->mapping->source, span_of(mapped->name));
    if (!previous && known && known->domain)
        return true;
    return refuse_type(maker, i, "of a type made after the start", err);
}

/* text and varchar have the same bytes; all that a longer limit changes is the limit. */
static bool
same_bytes(oid_t old_type, int32_t old_typmod, const struct column *now)
{
    bool text = (old_type == TEXT_OID || old_type == VARCHAR_OID) &&
                (now->type == TEXT_OID || now->type == VARCHAR_OID);

    if (old_type == now->type && old_typmod == now->typmod)
        return true;
    return text && (now->typmod == -1 || (old_typmod != -1 && now->typmod >= old_typmod));
}

/* Was the column rewritten by an ALTER TYPE, which sends no rows (SEMANTICS 26)? */
static bool
is_retyped(const struct maker *maker, size_t i, const struct column *now)
{
    const struct mapping_column *mapped = &maker->mapping->columns[i];
    const struct column *previous = before_this(maker, i);
    const struct table_column *known;

    if (previous)
        return !same_bytes(previous->type, previous->typmod, now);
    known = table_column_find(maker->mapping->source, span_of(mapped->name));
    return known && !known->domain && !same_bytes(mapped->type.oid, mapped->type.typmod, now);
}

/* Mostly nothing moves, so each column is looked for at its old place first. */
static const uint16_t *
find_moved(const struct schema *schema, const struct projection *previous, struct arena *arena)
{
    const struct schema *before = previous ? previous->schema : NULL;
    uint16_t *moved;

    if (!before)
        return NULL;
    moved = arena_new_n(arena, uint16_t, before->count);
    for (size_t i = 0; i < before->count; i++) {
        bool same = i < schema->count && span_eq(schema->columns[i].name, before->columns[i].name);

        moved[i] = same ? (uint16_t)i : find(schema, before->columns[i].name);
    }
    return moved;
}

/*
 * Have a mapped column and another changed their order?  Postgres keeps it for as long as a table
 * lives: one of them has got the other's name, or was dropped and made again, and then its values
 * are others in every row.
 */
static bool
is_replaced(const struct maker *maker, size_t i, uint16_t now)
{
    uint16_t before = maker->previous ? maker->previous->source[i] : PROJECTION_ABSENT;

    if (before == PROJECTION_ABSENT)
        return false;
    for (size_t c = 0; c < maker->previous->schema->count; c++) {
        uint16_t at = maker->moved[c];

        if (at != PROJECTION_ABSENT && c != before && (c < before) != (at < now))
            return true;
    }
    return false;
}

static bool
check_identity(const struct maker *maker, const struct column *id, struct err *err)
{
    const struct schema *schema = maker->schema;

    if (id->key || schema->identity == IDENTITY_FULL)
        return true;
    return err_set(err, ERR_CONFIG,
                   "id column \"%.*s\" of %.*s.%.*s is not in the replica identity, so deletes "
                   "and new ids would be missed; see `check` for the ALTER TABLE that mends it",
                   SPAN_ARG(id->name), SPAN_ARG(schema->namespace), SPAN_ARG(schema->name));
}

static bool
place_column(const struct maker *maker, size_t i, uint16_t *ret_source, bool *ret_retyped,
             struct err *err)
{
    uint16_t at = find(maker->schema, span_of(maker->mapping->columns[i].name));
    const struct column *column;

    if (at == PROJECTION_ABSENT) {
        if (!added_later(maker, i))
            return refuse_gone(maker, i, err);
        *ret_source = PROJECTION_ABSENT;
        *ret_retyped = true;
        return true;
    }
    column = &maker->schema->columns[at];
    if (!check_type(maker, i, column, err))
        return false;
    if (i == maker->mapping->id_column && !check_identity(maker, column, err))
        return false;
    *ret_source = at;
    *ret_retyped = is_retyped(maker, i, column) || is_replaced(maker, i, at);
    return true;
}

bool
projection_make(const struct mapping *mapping, const struct schema *schema,
                const struct projection *previous, struct arena *arena,
                const struct projection **ret, struct err *err)
{
    const struct maker maker = {mapping, schema, previous, find_moved(schema, previous, arena)};
    struct projection *projection = arena_new_of(arena, struct projection);
    uint16_t *source = arena_new_n(arena, uint16_t, mapping->column_count);

    assert(mapping->source);
    assert(!previous || previous->mapping == mapping);
    assert(schema->count < PROJECTION_ABSENT);

    *projection = (struct projection){.mapping = mapping, .schema = schema, .source = source};
    for (size_t i = 0; i < mapping->column_count; i++) {
        bool retyped = false;

        if (!place_column(&maker, i, &source[i], &retyped, err))
            return false;
        projection->retyped |= retyped;
    }
    *ret = projection;
    return true;
}
