#ifndef MODEL_MAPPING_BINDER_H
#define MODEL_MAPPING_BINDER_H

/* What mapping_bind() works with; private to the files of model/mapping. */

#include "model/mapping.h"

struct binder {
    const struct mapping *mapping; /* as written */
    const struct table *table;
    struct arena *arena;
    struct report *report;
    const char *where; /* "FILE: mapping NAME" */
    const char *title; /* the table, as a person writes it in SQL */

    /* what becomes the bound half */
    struct mapping bound;
    struct mapping_column *columns;
    struct mapping_field *fields;
};

/* ---- for messages and remedies ---- */

/* The parts one after another, in the arena. */
#define BINDER_JOIN(binder, ...) binder_join((binder), (const char *const[]){__VA_ARGS__, NULL})
const char *binder_join(const struct binder *binder, const char *const *parts);
const char *binder_name(const struct binder *binder, const char *name); /* quoted where needed */

/* ---- the parts ---- */

/* The column, or a fault with "did you mean"; what Postgres does not send is a fault as well. */
const struct table_column *binder_column(struct binder *binder, const char *where,
                                         struct span name);

/* Unique, not null, in the replica identity, of a type that can be an id (SEMANTICS 28). */
void binder_check_id(struct binder *binder);

void binder_check_predicate(struct binder *binder);
void binder_check_hints(struct binder *binder);

/* The place of the column among those that are read; it is added when it is new. */
size_t binder_add_column(struct binder *binder, const struct table_column *column);

#endif
