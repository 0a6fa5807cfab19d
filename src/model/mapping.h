#ifndef MODEL_MAPPING_H
#define MODEL_MAPPING_H

/*
 * A mapping: one source table into one target.
 *
 * project/ fills the written half from a migration file; mapping_bind() fills the bound half from
 * the catalog and reports everything that does not fit.  Immutable afterwards, flow lifetime,
 * shared by all threads.
 *
 * `columns` is the list of what is read from a row: the id, every field, and what only the
 * predicate needs.  An *image* of a row is an array of column_count values in that order; rows are
 * cut down to it when they enter a batch, and predicate, renderers and read-backs know nothing
 * else.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "model/report.h"
#include "model/table.h"

struct predicate;
struct json;

enum id_type {
    ID_AUTO, /* from the Postgres type */
    ID_UINT,
    ID_INT, /* checked to be >= 0, or stored as string with encode = "string" */
    ID_UUID,
    ID_STRING,
    ID_TYPE_MAX_,
};

enum versioning_mode { VERSIONING_SOURCE_LSN, VERSIONING_NONE, VERSIONING_MAX_ };
enum deletes_mode { DELETES_PHYSICAL, DELETES_TOMBSTONE, DELETES_MAX_ };
enum write_format { WRITE_COLUMNS, WRITE_ROWS, WRITE_MAX_ };
enum unrepresentable { UNREPRESENTABLE_DEAD_LETTER, UNREPRESENTABLE_NULL, UNREPRESENTABLE_MAX_ };

/* In the order of the enums, ended by NULL; also the words of the files. */
extern const char *const id_type_names[ID_TYPE_MAX_ + 1];
extern const char *const versioning_names[VERSIONING_MAX_ + 1];
extern const char *const deletes_names[DELETES_MAX_ + 1];
extern const char *const write_format_names[WRITE_MAX_ + 1];
extern const char *const unrepresentable_names[UNREPRESENTABLE_MAX_ + 1];

/* A column that is read. */
struct mapping_column {
    const char *name;
    struct type type; /* bound */
};

/* A column that is written as an attribute. */
struct mapping_field {
    const char *name;        /* the attribute: the column's name */
    size_t column;           /* index into columns */
    const struct json *hint; /* [target.schema] entry: a JSON string (type) or object; or NULL */
    bool exact;              /* keep every digit: string or integer form (SEMANTICS 31) */
};

struct mapping {
    /* ---- written ---- */
    const char *file; /* relative to the project, for messages */
    const char *name;
    int64_t version;
    const char *schema;
    const char *table;
    const char *id_name;
    enum id_type id_type;
    bool id_encode_string;
    size_t name_count; /* the `columns` list as written */
    const char *const *names;
    const char *predicate_text;           /* NULL: all rows belong */
    int predicate_line, predicate_column; /* where the text stands, for messages */
    const char *destination;              /* "turbopuffer", "null", "stdout" */
    const char *target;                   /* the namespace, prefix applied */
    const char *distance_metric;          /* or NULL */
    const struct json *hints;             /* [target.schema] as one JSON object, or NULL */
    enum versioning_mode versioning;
    enum deletes_mode deletes;
    enum write_format format;
    enum unrepresentable on_unrepresentable;
    int64_t grace_ms;
    int64_t batch_max_rows;
    int64_t batch_max_bytes;
    int64_t flush_interval_ms;
    int64_t lanes; /* parallel lanes of this target; 1 unless asked for */
    char hash[65]; /* SHA-256 of the normal form and of the file's bytes */

    /* ---- bound ---- */
    const struct table *source; /* NULL until bound */
    size_t column_count;
    const struct mapping_column *columns;
    size_t id_column; /* index into columns */
    size_t field_count;
    const struct mapping_field *fields; /* the id is not repeated as a field */
    const struct predicate *predicate;  /* NULL: all rows belong */
    bool read_back_deletes;             /* the id's unique index is deferrable (SEMANTICS 15) */
};

/*
 * Bind the mapping to its table: columns exist, the id is unique, not null and in the replica
 * identity (SEMANTICS 28), the predicate type-checks, hints name mapped columns.  All faults go
 * to the report with the SQL that mends them; false when there was an error among them.
 */
MUST_CHECK bool mapping_bind(struct mapping *mapping, const struct table *table,
                             struct arena *arena, struct report *report);

#endif
