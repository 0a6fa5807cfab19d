#ifndef PG_CATALOG_H
#define PG_CATALOG_H

/*
 * Tables as the catalog describes them now (struct table), and lists of them.
 *
 * Domains are resolved to their base types, arrays to their elements; enums, composites, ranges
 * and extension types are told apart.  Generated and dropped columns, replica identity, unique
 * indexes, row security: all in two queries per table.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/report.h"
#include "model/table.h"

struct pg_session;

/*
 * *ret is NULL when there is no such table: the report (which may be NULL) then says so under
 * `where`, with "did you mean" or the schema that has one of that name.  False only when the
 * server could not be asked.
 */
MUST_CHECK bool catalog_table(struct pg_session *pg, const char *schema, const char *name,
                              const char *where, struct arena *arena, const struct table **ret,
                              struct report *report, struct err *err);

struct catalog_entry {
    const char *schema;
    const char *name;
    char kind; /* pg_class.relkind */
    bool partition;
    int64_t estimated_rows;
};

/* Tables, views and partitioned tables a user might map, without the system's own, by name. */
MUST_CHECK bool catalog_list(struct pg_session *pg, struct arena *arena,
                             const struct catalog_entry **ret, size_t *ret_count, struct err *err);

#endif
