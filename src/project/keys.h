#ifndef PROJECT_KEYS_H
#define PROJECT_KEYS_H

/*
 * The keys of a migration file, in both layouts.
 *
 * nested:  [migration] [source] [mapping] [target] ...    recognised by a [migration] table
 * flat:    version, mapping_name, namespace, ... at the top
 *
 * One table says which paths exist, which field of the mapping each one fills, and which TOML
 * types it takes; keys_collect() walks a file along it.  The reference page comes from the same
 * table.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/toml.h"
#include "model/report.h"
#include "project/later.h"

enum key_field {
    KEY_NAME,
    KEY_VERSION,
    KEY_SCHEMA,
    KEY_TABLE,
    KEY_ID,
    KEY_COLUMNS,
    KEY_MEMBERSHIP,
    KEY_TRANSFORM,
    KEY_NAMESPACE,
    KEY_DESTINATION,
    KEY_DISTANCE_METRIC,
    KEY_HINTS,
    KEY_UNREPRESENTABLE,
    KEY_LANES,
    KEY_FORMAT,
    KEY_MAX_ROWS,
    KEY_MAX_BYTES,
    KEY_FLUSH_INTERVAL,
    KEY_VERSIONING,
    KEY_DELETES,
    KEY_GRACE,
    KEY_FIELD_MAX_,
};

enum key_layout {
    LAYOUT_NESTED = 1 << 0,
    LAYOUT_FLAT = 1 << 1,
};

struct key {
    const char *path; /* "target.write.format" */
    unsigned layouts;
    enum key_field field;
    unsigned types;      /* 1 << enum toml_type */
    const char *written; /* how a value is written, for messages and the reference */
    const char *help;    /* one sentence, no full stop; only at the first path of a field */
};

extern const struct key migration_keys[]; /* ends with a zeroed row */
extern const struct later migration_later[];

/* What a file says, by field; NULL where it says nothing. */
struct keys {
    const char *file;
    enum key_layout layout;
    const struct toml *tree;
    const struct toml *field[KEY_FIELD_MAX_];
    bool mistyped[KEY_FIELD_MAX_]; /* it is there, and reported already */
};

/* Unknown keys, wrong types, a field given twice: all go to the report.  False only when the two
 * layouts are mixed: then nothing else can be said about the file. */
MUST_CHECK bool keys_collect(const char *file, const struct toml *tree, struct report *report,
                             struct keys *ret);

/* The path to name in a message about a missing field, in the file's own layout. */
const char *keys_path(const struct keys *keys, enum key_field field);

#endif
