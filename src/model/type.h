#ifndef MODEL_TYPE_H
#define MODEL_TYPE_H

/*
 * Postgres types as the engine sees them: a kind that says how the text form reads, and whether
 * it is an array of that kind.  Domains are resolved to their base type, enums and extension
 * types are recognised through the catalog; what nobody knows is TYPE_OTHER and travels as text.
 *
 * Source of the built-in oids: src/include/catalog/pg_type.dat.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/span.h"

typedef uint32_t oid_t;

enum type_kind {
    TYPE_BOOL,
    TYPE_INT2,
    TYPE_INT4,
    TYPE_INT8,
    TYPE_OID, /* oid, xid, cid: unsigned 32 bits */
    TYPE_FLOAT4,
    TYPE_FLOAT8,
    TYPE_NUMERIC,
    TYPE_MONEY,
    TYPE_TEXT, /* text, varchar, bpchar, name, "char", citext */
    TYPE_BYTEA,
    TYPE_UUID,
    TYPE_DATE,
    TYPE_TIME,
    TYPE_TIMETZ,
    TYPE_TIMESTAMP,
    TYPE_TIMESTAMPTZ,
    TYPE_INTERVAL,
    TYPE_JSON, /* json and jsonb */
    TYPE_XML,
    TYPE_NETWORK, /* inet, cidr, macaddr, macaddr8 */
    TYPE_BIT,     /* bit, varbit */
    TYPE_ENUM,
    TYPE_RANGE, /* ranges and multiranges */
    TYPE_COMPOSITE,
    TYPE_VECTOR,  /* pgvector vector */
    TYPE_HALFVEC, /* pgvector halfvec */
    TYPE_OTHER,   /* known to the server only: travels as text */
    TYPE_KIND_MAX_,
};

/*
 * What a column may become without stopping its mapping (SEMANTICS 26): the texts of one family
 * read alike, so that a renderer chosen for one kind of it serves them all.
 */
enum type_family {
    FAMILY_BOOL,
    FAMILY_INTEGER,
    FAMILY_FLOAT,
    FAMILY_NUMERIC,
    FAMILY_TEXT,
    FAMILY_BINARY,
    FAMILY_UUID,
    FAMILY_DATE,
    FAMILY_TIMESTAMP,
    FAMILY_TIMESTAMPTZ,
    FAMILY_JSON,
    FAMILY_VECTOR,
    FAMILY_HALFVEC,
    FAMILY_OTHER, /* each kind a family of its own: type_same_family() */
    FAMILY_MAX_,
};

struct type {
    oid_t oid;
    int32_t typmod; /* as in pg_attribute; -1 none. For pgvector types: the dimension */
    enum type_kind kind;
    bool array;       /* an array of `kind`, of any number of dimensions */
    char delimiter;   /* between array elements: ',' (';' for box) */
    const char *name; /* format_type() text: "numeric(10,2)", "integer[]" */
};

extern const char *const type_kind_names[TYPE_KIND_MAX_ + 1];

/* The built-in type with this oid; false when it is not built in (ask the catalog). */
MUST_CHECK bool type_builtin(oid_t oid, struct type *ret);

/* By extension type name ("citext", "vector", "halfvec", "hstore", ...), else TYPE_OTHER. */
enum type_kind type_by_extension_name(struct span name);

enum type_family type_family(const struct type *type);

/* Family, array or not, and the dimension of a vector are the same. */
bool type_same_family(const struct type *a, const struct type *b);

#endif
