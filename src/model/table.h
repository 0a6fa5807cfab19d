#ifndef MODEL_TABLE_H
#define MODEL_TABLE_H

/*
 * A table as the catalog describes it now: what `check` and binding a mapping need.  Read by
 * source/, judged by model/mapping.  Flow lifetime, immutable.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/type.h"

struct table_column {
    const char *name;
    struct type type; /* domains resolved */
    int16_t attnum;
    bool not_null;
    bool generated;   /* stored or virtual */
    bool unpublished; /* generated, and pgoutput cannot carry it: before 18, or virtual */
    bool identity;    /* part of the replica identity (all columns under FULL) */
    bool domain;
};

/* A unique index that could identify rows: no predicate, no expressions, valid and immediate or
 * deferrable. */
struct table_key {
    const char *name;
    const int16_t *columns; /* attnums */
    size_t count;
    bool primary;
    bool deferrable;
};

struct table {
    oid_t oid;
    const char *schema;
    const char *name;
    char kind;        /* pg_class.relkind: r, p (partitioned), v, m, f */
    char persistence; /* pg_class.relpersistence: p, u, t */
    char identity;    /* enum replica_identity */
    oid_t relfilenode;
    int64_t estimated_rows; /* reltuples; -1 unknown */
    bool row_security;      /* applies to the connected role */
    size_t column_count;
    const struct table_column *columns;
    size_t key_count;
    const struct table_key *keys;
    const char *const *column_names; /* for "did you mean"; column_count entries */
};

const struct table_column *table_column_find(const struct table *table, struct span name);

#endif
