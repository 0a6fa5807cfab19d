#ifndef DESTINATIONS_TURBOPUFFER_TURBOPUFFER_SCHEMA_H
#define DESTINATIONS_TURBOPUFFER_TURBOPUFFER_SCHEMA_H

/*
 * The attributes of a mapping: type and options from the Postgres type and [target.schema].
 *
 * An entry of [target.schema] is a type ("float") or a table of turbopuffer's options (facts 3.5)
 * in which `type` may be left out, because Postgres says it, and `exact = true` is ours.  Every
 * option is checked here and passed on as written.
 *
 * Faults and named losses (SEMANTICS 31) go to the report.  Pure.
 */

#include "base/arena.h"
#include "base/json.h"
#include "destinations/turbopuffer/turbopuffer_types.h"
#include "model/mapping.h"
#include "model/report.h"

/* The attributes that are ours (SEMANTICS 2 and 20). */
#define TURBOPUFFER_LSN     "__source_lsn"
#define TURBOPUFFER_SEQ     "__source_seq"
#define TURBOPUFFER_DELETED "__deleted"

struct turbopuffer_attribute {
    struct span name;
    size_t column; /* index into an image */
    struct turbopuffer_cell cell;
    bool filterable;
    bool vector;             /* dense: never null */
    bool embeds;             /* the service makes a vector of it */
    struct span declaration; /* its member of the schema object: "name":{...} */
    struct span unit;        /* of a vector, with tombstones: [1,0,0] */
};

/* False when there were errors among what was reported. */
MUST_CHECK bool turbopuffer_attribute_make(const struct mapping *mapping, size_t field,
                                           struct arena *arena, struct report *report,
                                           struct turbopuffer_attribute *ret);

/* "uint", "uuid" or "string". */
const char *turbopuffer_id_type(const struct mapping *mapping);

/* Check one entry without knowing its column: the type it names (*ret_typed) and its options. */
struct turbopuffer_hint {
    struct turbopuffer_type type;
    bool typed; /* a type is written */
    bool exact;
    bool searched;  /* full-text search, regex, glob or fuzzy is on */
    int filterable; /* -1: not written */
    bool embeds;
    const struct json *options; /* the object, or NULL */
};

/* `where` and `name` are for the messages. */
MUST_CHECK bool turbopuffer_hint_read(const struct json *entry, const char *where, const char *name,
                                      struct report *report, struct turbopuffer_hint *ret);

#endif
