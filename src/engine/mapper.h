#ifndef ENGINE_MAPPER_H
#define ENGINE_MAPPER_H

/*
 * From a batch of rows to the actions of its destination.  Pure, but for one call of the reader.
 *
 * In stream order, per row:
 *
 *   1. an unchanged TOAST value is taken from the row's own old image (replica identity FULL), then
 *      from an earlier image of the same id in this batch, else the row is read back
 *      (SEMANTICS 4, 17); the row that was read replaces the whole image
 *   2. the predicate decides on the old and the new image: enter and stay write the document,
 *      leave and unknown delete it, outside on both sides is nothing
 *   3. a key change deletes the old id and writes the new one, with one version (SEMANTICS 15)
 *   4. where the id's unique index is deferrable, every delete and old half is read back: a row
 *      that is there is written at the event's version, else the id is deleted (SEMANTICS 15)
 *
 * A row that can never be delivered (no id, an id the target cannot hold) becomes ACTION_ERROR.
 */

#include "contract/reader.h"
#include "model/action.h"

struct actions {
    struct action *items;
    size_t count;
    size_t cap;
};

/*
 * Actions live in `arena` and point into the batch.  `reader` may be NULL when nothing can need
 * it; needing it then is ERR_BUG.
 */
MUST_CHECK bool mapper_map(const struct batch *batch, struct reader *reader,
                           const struct reader_wait *wait, struct arena *arena, struct actions *ret,
                           struct err *err);

/*
 * Keep the last action of every id (SEMANTICS 17), in the order of those last actions; TRUNCATE
 * is a border that nothing crosses; ERRORs stay.  In place; returns the new count.
 */
size_t mapper_coalesce(struct action *actions, size_t count, struct arena *arena);

#endif
