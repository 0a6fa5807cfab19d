#ifndef LOCAL_QUERY_H
#define LOCAL_QUERY_H

/*
 * POST /v2/namespaces/:ns/query, one query or {"queries": [...]} on one state.
 *
 * Done: filters, rank_by attributes, ANN and kNN (both exact), aggregations with groups,
 * projections, limit and offset.  Not done, and refused by name: BM25 and the expressions around
 * it, SparseKNN, embeddings, compute_attributes, limits per attribute, reranking.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/span.h"
#include "local/database.h"

MUST_CHECK bool query_run(struct call *call, struct span name, const struct json *body,
                          struct buf *out, struct err *err);

/* {"plan_text": ...} */
MUST_CHECK bool query_explain(struct call *call, struct span name, const struct json *body,
                              struct buf *out, struct err *err);

/* {"avg_recall": 1.0, ...}: every search here is exhaustive. */
MUST_CHECK bool query_recall(struct call *call, struct span name, const struct json *body,
                             struct buf *out, struct err *err);

#endif
