#ifndef SOURCE_PUBLICATION_H
#define SOURCE_PUBLICATION_H

/*
 * The publication: what is published now, what we need, and the SQL between the two.
 *
 * Publications carry whole tables; never FOR ALL TABLES unless asked; nothing is ever taken out
 * of one.  With publish_via_partition_root a partitioned table is published as itself.
 *
 * publication_plan() is pure.  publication_ensure() runs its statements in one transaction, in
 * which every table that enters is locked and its replica identity is checked first: a published
 * table without one breaks its owner's UPDATE and DELETE (SEMANTICS 13).
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/report.h"
#include "model/table.h"

struct pg_session;

struct publication_member {
    oid_t relation;
    oid_t oid; /* pg_publication_rel.oid; 0: through a schema or FOR ALL TABLES */
    const char *schema;
    const char *name;
    bool filtered;    /* has a row filter (from 15) */
    bool column_list; /* (from 15) */
};

struct publication_info {
    bool exists;
    oid_t oid;
    const char *owner;
    bool owned; /* by the connected role, or a role it is a member of */
    bool all_tables;
    bool insert, update, delete, truncate;
    bool via_root;
    bool generated_stored; /* publish_generated_columns (from 18) */
    size_t count;
    const struct publication_member *members;
};

MUST_CHECK bool publication_inspect(struct pg_session *pg, const char *name, struct arena *arena,
                                    struct publication_info *ret, struct err *err);

const struct publication_member *publication_find(const struct publication_info *info,
                                                  oid_t relation);

struct publication_spec {
    const char *name;
    const struct table *const *tables;
    size_t count;
    bool all_tables; /* asked for: FOR ALL TABLES */
    bool generated;  /* a generated column is mapped */
};

struct publication_plan {
    bool create;
    size_t statement_count;
    const char *const *statements; /* in order; none: nothing to do */
    size_t added_count;
    const struct table *const *added; /* enter with these statements: their older rows are not
                                         in the stream */
};

/*
 * What has to be done to meet the spec.  Faults that no statement of ours mends (a row filter,
 * a column list, another's publication) go to the report; `where` of its findings names the
 * publication.
 */
void publication_plan(const struct publication_info *info, const struct publication_spec *spec,
                      int server_version, struct arena *arena, struct publication_plan *ret,
                      struct report *report);

/* Run the plan; CONFIG names the first table that may not enter, with the SQL that mends it. */
MUST_CHECK bool publication_ensure(struct pg_session *pg, const struct publication_plan *plan,
                                   struct arena *arena, struct err *err);

/*
 * Relations (the table, or partitions of it) that could not be updated once published, because
 * they have no replica identity: one finding each.
 */
MUST_CHECK bool publication_check_identity(struct pg_session *pg, const struct table *table,
                                           struct arena *arena, struct report *report,
                                           struct err *err);

#endif
