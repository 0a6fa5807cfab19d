#ifndef DESTINATIONS_TURBOPUFFER_TURBOPUFFER_PLAN_H
#define DESTINATIONS_TURBOPUFFER_TURBOPUFFER_PLAN_H

/*
 * Everything about a mapping that is the same in all its requests, compiled once: attributes with
 * their renderers, and the JSON of schema, conditions and names, ready to be copied.
 *
 * Immutable after turbopuffer_plan_make(), lifetime of its arena.  Pure.
 *
 * Conditions (SEMANTICS 2, facts 3.3): a document is replaced when its stored (v, s) is smaller
 * than the incoming one, lexicographically, or null.  An absent document is inserted whatever the
 * condition says; that is why deletes are journalled or tombstones.  In a delete $ref_new is null,
 * so deletes carry literals.
 */

#include "base/arena.h"
#include "base/buf.h"
#include "destinations/turbopuffer/turbopuffer_schema.h"
#include "model/lsn.h"
#include "model/mapping.h"
#include "model/report.h"

/* facts 3.10 has 512 MB, older text 256; facts 3.6 for the document. */
#define TURBOPUFFER_REQUEST_BYTES  MEGABYTES(256)
#define TURBOPUFFER_DOCUMENT_BYTES MEGABYTES(64)
#define TURBOPUFFER_BRANCHES       256 /* of one condition: SEMANTICS 19 */
#define TURBOPUFFER_EMBED_ROWS     30  /* facts 3.5 */
#define TURBOPUFFER_EPOCH_MAX      255 /* version = epoch * 2^56 + LSN in 64 bits */

struct turbopuffer_plan {
    const struct mapping *mapping;
    uint64_t epoch;
    bool versioned;
    bool tombstones;
    size_t count;
    const struct turbopuffer_attribute *attributes;
    size_t max_bytes; /* of one request, before compression */
    size_t max_rows;

    /* JSON, as it stands in every request */
    struct span schema;           /* "schema":{...} */
    struct span metric;           /* "distance_metric":"..." or "" */
    struct span upsert_condition; /* "upsert_condition":[...] or "" */
    const struct span *keys;      /* of every attribute: ],"name":[ or, for rows, ,"name": */
    size_t frame_bytes;           /* of all this together, at most */
};

/* False when the report got errors.  Losses and other notes go to it as well. */
MUST_CHECK bool turbopuffer_plan_make(const struct mapping *mapping, uint64_t epoch,
                                      struct arena *arena, struct report *report,
                                      struct turbopuffer_plan *ret);

/* epoch * 2^56 + LSN; ERR_CONFIG when the LSN does not fit (SEMANTICS 5). */
MUST_CHECK bool turbopuffer_version(const struct turbopuffer_plan *plan, lsn_t lsn, uint64_t *ret,
                                    struct err *err);

/* The filter "stored (v, s) is smaller than this one, or null". */
void turbopuffer_put_older(uint64_t version, uint64_t seq, struct buf *out);

/* The name of a namespace: [A-Za-z0-9-_.]{1,128} (facts 3.4). */
bool turbopuffer_namespace_ok(const char *name);

#endif
