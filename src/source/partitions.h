#ifndef SOURCE_PARTITIONS_H
#define SOURCE_PARTITIONS_H

/*
 * Partitions of mapped roots (SEMANTICS 27): DETACH, ATTACH of a filled table, DROP and TRUNCATE
 * of a leaf make no event under publish_via_partition_root, so the tree is watched: the runner
 * takes a fingerprint at start and now and then, and reports or stops when it differs.
 *
 * A fingerprint is JSON for the store (meta "partitions"), a row per root and leaf:
 *
 *     [["public.events",16533,"public.events_1",16538,16538,1], ...]
 *       root             oid   leaf              oid   relfilenode, born as a partition
 *
 * A partition that was made in place (CREATE TABLE ... PARTITION OF) was empty: it is none of the
 * differences, since all its rows come through the root.
 *
 * Names are "schema.table", without quotes.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"
#include "model/table.h"

struct pg_session;

/* Of all partitioned tables among these; "[]" when there are none. */
MUST_CHECK bool partitions_fingerprint(struct pg_session *pg, const struct table *const *tables,
                                       size_t count, struct arena *arena, struct span *ret,
                                       struct err *err);

enum partition_change {
    PARTITION_ATTACHED,  /* its rows may never have been in the stream */
    PARTITION_GONE,      /* detached or dropped: its rows are still in the target */
    PARTITION_REWRITTEN, /* truncated, or rewritten by VACUUM FULL, CLUSTER or ALTER TABLE */
    PARTITION_CHANGE_MAX_,
};

/* "attached or created", ... */
extern const char *const partition_change_names[PARTITION_CHANGE_MAX_ + 1];

struct partition_difference {
    enum partition_change change;
    struct span root;
    struct span leaf;
};

/*
 * Pure.  Roots that only one of the texts knows are no difference: mappings come and go.  A text
 * that is empty, or none of ours, knows no roots.
 */
void partitions_compare(struct span before, struct span now, struct arena *arena,
                        const struct partition_difference **ret, size_t *ret_count);

#endif
