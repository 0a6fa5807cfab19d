#ifndef LOCAL_ROWS_H
#define LOCAL_ROWS_H

/*
 * Rows out of a write request: as rows, as columns, and lists of ids.
 *
 * Values are checked against the schema, which grows by what is inferred.  Everything is checked
 * here that can be checked without looking at documents: types, sizes, ids, missing vectors.
 * Refusals name the row and the attribute; 422 is a row of the wrong shape, 400 a wrong value.
 *
 * Rows borrow from the JSON and live in the arena of their request.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/map.h"
#include "local/doc.h"
#include "local/limits.h"
#include "local/ns_schema.h"

enum rows_kind {
    ROWS_UPSERT,
    ROWS_PATCH, /* nulls are kept, dense vectors refused */
};

struct rows_reader {
    struct ns_schema *schema;
    const struct limits *limits;
    struct arena *arena;
    enum rows_kind kind;
    uint32_t expected; /* where the next key probably is in the schema: as in the last row */
};

struct rows {
    struct row *items;
    size_t count;
};

MUST_CHECK bool rows_read(struct rows_reader *r, const struct json *json, struct rows *ret,
                          struct err *err);
MUST_CHECK bool rows_read_columns(struct rows_reader *r, const struct json *json, struct rows *ret,
                                  struct err *err);

/* Ids alone, as rows of one value. */
MUST_CHECK bool rows_read_ids(struct rows_reader *r, const struct json *json, struct rows *ret,
                              struct err *err);

/* The attributes of patch_by_filter: a row whose id is empty. */
MUST_CHECK bool rows_read_patch(struct rows_reader *r, const struct json *json, struct row *ret,
                                struct err *err);

/* Every id may occur once in a request, whatever the operations. */
struct id_set {
    struct map seen;
    struct buf repeated; /* a list of ids for the message */
};

struct id_set id_set_make(void);
void id_set_free(struct id_set *set);
void id_set_add(struct id_set *set, const struct ns_schema *schema, const struct rows *rows);
MUST_CHECK bool id_set_check(const struct id_set *set, struct err *err);

#endif
