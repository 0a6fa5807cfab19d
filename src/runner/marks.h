#ifndef RUNNER_MARKS_H
#define RUNNER_MARKS_H

/*
 * What a start means for each mapping: where its stream begins, and whether rows may have changed
 * without events since (SEMANTICS 11, 13, 27).  Pure.
 *
 * Marks gather first, checkpoints are written once: a mapping is marked in the same transaction
 * that records where it starts.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "contract/store.h"
#include "flow/start.h"

/* Names of what the store keeps about the source. */
#define MARKS_TABLES     "tables"
#define MARKS_PARTITIONS "partitions"
#define MARKS_VERSIONS   "versions"

#define MARKS_TEXT_SIZE 512

struct migration;

struct marks_args {
    struct arena *arena;
    struct migration *const *migrations;
    size_t count;
    lsn_t start;   /* where the stream begins */
    lsn_t entered; /* when all tables were published: where a mapping that is new begins */
    const struct start_plan *plan;
};

struct mark {
    bool reread; /* rows changed without events */
    char text[MARKS_TEXT_SIZE];
};

struct marks {
    struct marks_args args;
    struct mark *items; /* per mapping */
};

struct marks marks_make(const struct marks_args *args);

/* The mapping's checkpoint at this start; a gap before it is a mark. */
struct store_checkpoint marks_checkpoint(struct marks *marks, size_t at,
                                         const struct store_checkpoint *stored, size_t count);

/* Tables that were made anew, or left and entered the publication (source/record.h). */
MUST_CHECK bool marks_tables(struct marks *marks, struct span before, struct span now,
                             struct err *err);

/*
 * {"users":1}: which version each mapping ran with.  Rows that another version wrote stay as it
 * wrote them until they change.
 */
MUST_CHECK bool marks_versions(struct marks *marks, struct span before, struct err *err);
void marks_put_versions(const struct marks *marks, struct buf *out);

/* Partitions that came and went while nobody ran (source/partitions.h). */
void marks_partitions(struct marks *marks, struct span before, struct span now);

/* Is it this mapping's table, written "schema.table"? */
struct mapping;
bool marks_is_root(const struct mapping *mapping, struct span root);

/* What a difference means, for the log and for `status`. */
struct partition_difference;
void marks_partition_text(const struct partition_difference *difference, char *dst, size_t size);

void marks_apply(const struct marks *marks, size_t at, struct store_checkpoint *checkpoint);

#endif
