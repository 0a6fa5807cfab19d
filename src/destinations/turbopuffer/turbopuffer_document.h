#ifndef DESTINATIONS_TURBOPUFFER_TURBOPUFFER_DOCUMENT_H
#define DESTINATIONS_TURBOPUFFER_TURBOPUFFER_DOCUMENT_H

/*
 * One action as a document: a cell in every column, or an object.
 *
 * Columns are the id, the attributes in the order of the plan, then (v, s) and the mark of a
 * tombstone where the plan has them.  Each cell has a comma in front of it; whoever puts the
 * request together leaves out the first.  In row format there is one column, of whole rows, and
 * what is null is left out.
 *
 * Values go straight from the bytes of Postgres into the buffers.  Pure.
 */

#include "base/buf.h"
#include "destinations/turbopuffer/turbopuffer_plan.h"
#include "model/action.h"

struct turbopuffer_column {
    struct buf cells;
    size_t mark; /* length before the row in work: for the renderer */
};

size_t turbopuffer_column_count(const struct turbopuffer_plan *plan);

/*
 * An UPSERT, or a DELETE as a tombstone.  ERR_DATA names the column, what is wrong and the remedy;
 * the columns then hold a part of the document.
 */
MUST_CHECK bool turbopuffer_put_document(const struct turbopuffer_plan *plan,
                                         struct turbopuffer_column *columns,
                                         const struct action *action, uint64_t version,
                                         struct err *err);

void turbopuffer_put_id(const struct docid *id, struct buf *out);

#endif
