#ifndef LOCAL_WRITE_PLAN_H
#define LOCAL_WRITE_PLAN_H

/*
 * A write between its parts: write.c reads and checks it, write_apply.c carries it out,
 * write_copy.c copies whole namespaces.
 *
 * Nothing of a plan is visible until write.c commits it: the schema is a copy, a new namespace is
 * not yet in the database, and changes can be rolled back.
 */

#include "local/database.h"
#include "local/filter.h"
#include "local/rows.h"

enum write_field {
    FIELD_UPSERT_ROWS,
    FIELD_UPSERT_COLUMNS,
    FIELD_PATCH_ROWS,
    FIELD_PATCH_COLUMNS,
    FIELD_DELETES,
    FIELD_DELETE_BY_FILTER,
    FIELD_PATCH_BY_FILTER,
    FIELD_UPSERT_CONDITION,
    FIELD_PATCH_CONDITION,
    FIELD_DELETE_CONDITION,
    FIELD_DELETE_BY_FILTER_ALLOW_PARTIAL,
    FIELD_PATCH_BY_FILTER_ALLOW_PARTIAL,
    FIELD_SCHEMA,
    FIELD_DISTANCE_METRIC,
    FIELD_COPY_FROM_NAMESPACE,
    FIELD_BRANCH_FROM_NAMESPACE,
    FIELD_ENCRYPTION,
    FIELD_DISABLE_BACKPRESSURE,
    FIELD_RETURN_AFFECTED_IDS,
    FIELD_SHARDING,
    FIELD_CREATE_NAMESPACE,
    WRITE_FIELD_MAX_,
};

struct write {
    struct call *call;
    struct span name;
    const struct json *fields[WRITE_FIELD_MAX_]; /* NULL: absent or null */

    struct ns *ns;           /* NULL: there is none yet */
    struct ns *made;         /* the one this write may found */
    struct ns_schema schema; /* the copy that declarations and values extend */

    struct rows upserts, patches, deletes;
    struct row filter_patch; /* of patch_by_filter; its id has no meaning */
    struct filter *upsert_condition, *patch_condition, *delete_condition;
    struct filter *delete_filter, *patch_filter;

    struct changes changes;
    size_t upserted, patched, deleted; /* what the answer counts */
    size_t bytes_written;
    bool remaining; /* a filter matched more than one request may touch */
};

static inline bool
write_flag(const struct write *w, enum write_field field)
{
    return w->fields[field] && w->fields[field]->yes;
}

/* Everything of the plan, on w->ns; on refusal the caller rolls back. */
MUST_CHECK bool write_apply(struct write *w, struct err *err);
/* Before the commit: ids are still in the change list. */
void write_answer(const struct write *w, struct buf *out);

/* copy_from_namespace and branch_from_namespace; commits by itself. */
MUST_CHECK bool write_copy(struct write *w, struct buf *out, struct err *err);

#endif
