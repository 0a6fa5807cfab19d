#ifndef DESTINATIONS_TURBOPUFFER_TURBOPUFFER_RENDER_H
#define DESTINATIONS_TURBOPUFFER_TURBOPUFFER_RENDER_H

/*
 * From actions to the bodies of write requests: the pure half of the destination.
 *
 *     turbopuffer_render_start(&render, actions, count);
 *     while (turbopuffer_render_next(&render, &more, err) && more)
 *         send render.parts, render.part_count
 *
 * Each call makes one request of as many of the next actions as fit into plan->max_bytes (exact
 * encoded bytes), 256 delete branches and plan->max_rows; a single action that is larger than
 * max_bytes goes alone, up to what the service takes.  The request comes as parts that are sent one
 * after another and never joined; they are valid until the next call.
 *
 * The engine promises at most one action per id in one write, so no id is twice in a request.
 *
 *   UPSERT    upsert_columns (or upsert_rows), replaced only when newer
 *   DELETE    deletes under "stored (v, s) is smaller, or null": one condition when all have the
 *             same version, else an Or over ids; never the greatest version for all
 *             (SEMANTICS 19); with tombstones an upsert of nulls and "__deleted": true
 *   TRUNCATE  delete_by_filter on (v, s), to be repeated while rows_remaining
 *
 * ERR_DATA names the column, what is wrong with its value, and the remedy.
 */

#include "destinations/turbopuffer/turbopuffer_document.h"

/* What a lane keeps between two writes. */
#define TURBOPUFFER_REST_BYTES ((size_t)128 * 1024)

struct turbopuffer_render {
    const struct turbopuffer_plan *plan;

    /* the input */
    const struct action *actions;
    size_t count;
    size_t at; /* the next to render */

    /* the request in work */
    struct turbopuffer_column *columns; /* id, attributes, ours; with rows only one */
    size_t column_count;
    size_t upserts;
    struct buf ids;       /* to delete */
    struct buf branches;  /* the condition of each, up to TURBOPUFFER_BRANCHES */
    struct buf condition; /* delete_condition, or the filter of a truncate */
    size_t deletes;
    struct position first_delete;
    bool mixed; /* the deletes have different versions */

    /* the request, done */
    struct span *parts;
    size_t part_count;
    size_t bytes;
};

/* Buffers grow on the heap and are kept between requests; the arrays live in `arena`. */
void turbopuffer_render_init(struct turbopuffer_render *render, const struct turbopuffer_plan *plan,
                             struct arena *arena);
void turbopuffer_render_done(struct turbopuffer_render *render); /* zeroed is fine */

void turbopuffer_render_start(struct turbopuffer_render *render, const struct action *actions,
                              size_t count);

/* Nothing will be rendered for a while: memory of large requests goes (SEMANTICS 30: many lanes).
 */
void turbopuffer_render_rest(struct turbopuffer_render *render);

/* *ret_more is false when all actions have been rendered: then there is no request. */
MUST_CHECK bool turbopuffer_render_next(struct turbopuffer_render *render, bool *ret_more,
                                        struct err *err);

#endif
