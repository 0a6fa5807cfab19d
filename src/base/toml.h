#ifndef BASE_TOML_H
#define BASE_TOML_H

/*
 * TOML 1.0 as a tree with positions, read by toml++ behind a C++ shim (toml_shim.cpp).
 *
 * Everything lives in the arena.  Integers and floats keep a value and their source text is not
 * needed: TOML integers are 64-bit.  Dates and times are handed over as their text.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

enum toml_type {
    TOML_TABLE,
    TOML_ARRAY,
    TOML_STRING,
    TOML_INT,
    TOML_FLOAT,
    TOML_BOOL,
    TOML_DATE, /* any of the four date and time types, as text */
    TOML_TYPE_MAX_,
};

extern const char *const toml_type_names[TOML_TYPE_MAX_ + 1]; /* "table", "array", ... */

struct toml {
    enum toml_type type;
    struct span key;          /* when a member of a table */
    int line, column;         /* of the value, from 1 */
    int key_line, key_column; /* of the key; those of the value in an array */
    struct span text;         /* STRING, DATE */
    int64_t integer;
    double real;
    bool yes;
    struct toml *first, *next; /* children in source order; sibling */
    size_t count;
};

/* ERR_CONFIG "FILE:LINE:COLUMN: what" on malformed input; `file` is only for messages. */
MUST_CHECK bool toml_parse(struct span input, const char *file, struct arena *arena,
                           struct toml **ret, struct err *err);

const struct toml *toml_get(const struct toml *table, const char *key); /* NULL when absent */

#endif
