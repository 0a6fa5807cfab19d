#ifndef LOCAL_NS_SCHEMA_H
#define LOCAL_NS_SCHEMA_H

/*
 * The schema of a namespace: its attributes in order of appearance; attribute 0 is the id.
 *
 * A write works on a copy (ns_schema_copy), which its declarations and the types of its values may
 * extend; only a write that succeeds hands the copy back (ns_schema_adopt).  Attributes are never
 * removed or reordered, so their indexes stay good for as long as the namespace lives.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/span.h"
#include "local/datum.h"
#include "local/fulltext.h"
#include "local/vector.h"

#define SCHEMA_ID 0

struct attribute {
    struct span name;
    struct datum_type type;
    bool filterable;
    bool regex, glob, fuzzy;
    bool sparse_knn;
    struct fulltext fulltext;
};

struct ns_schema {
    struct arena *arena; /* names and the array */
    struct attribute *attributes;
    uint32_t count, capacity;
    uint32_t dense_count; /* dense vectors among them */
    enum distance_metric metric;
    bool founded;         /* a write has created the namespace: no new dense vectors */
    struct span conflict; /* the attribute of the last refused type change */
};

void ns_schema_init(struct ns_schema *schema, struct arena *arena);
struct ns_schema ns_schema_copy(const struct ns_schema *from, struct arena *arena);
void ns_schema_adopt(struct ns_schema *schema, const struct ns_schema *changed);

/* NULL when absent. */
const struct attribute *ns_schema_find(const struct ns_schema *schema, struct span name);

static inline uint32_t
ns_schema_index(const struct ns_schema *schema, const struct attribute *attribute)
{
    return (uint32_t)(attribute - schema->attributes);
}

/* ---- changing ---- */

/* {"name": "string", "other": {"type": "[3]f32", "ann": true}} */
MUST_CHECK bool ns_schema_declare_all(struct ns_schema *schema, const struct json *map,
                                      struct err *err);

/* The attribute of that name, made from the value when there is none; `json` is not null. */
MUST_CHECK bool ns_schema_infer(struct ns_schema *schema, struct span name, const struct json *json,
                                uint32_t *ret, struct err *err);

MUST_CHECK bool ns_schema_check_name(struct span name, struct err *err);

/* Once set, a metric is for ever; NULL when the request has none. */
MUST_CHECK bool ns_schema_set_metric(struct ns_schema *schema, const struct json *metric,
                                     struct err *err);

/* ---- showing ---- */

enum ns_schema_view {
    SCHEMA_VIEW_FULL,     /* GET schema: what does not apply is null */
    SCHEMA_VIEW_METADATA, /* nulls left out, the metric inside "ann" */
};

void ns_schema_write(struct json_writer *w, const struct ns_schema *schema,
                     enum ns_schema_view view);

#endif
