#ifndef LOCAL_QUERY_PLAN_H
#define LOCAL_QUERY_PLAN_H

/*
 * A query between its parts: query_read.c makes it from JSON and checks it against the schema,
 * query.c finds and orders rows, query_group.c counts.
 *
 * Attributes are indexes into the schema of `ns`; everything else lives in the request's arena.
 * A query is either ranked (rows come back) or has aggregates (counts and sums do), never both.
 */

#include "local/database.h"
#include "local/filter.h"

#define RANK_KEYS_MAX       8
#define GROUP_KEYS_MAX      8
#define AGGREGATES_MAX      16
#define LIMIT_DEFAULT       10
#define LIMIT_MAX           10000
#define QUERIES_MAX         16
#define AGGREGATE_GROUP_MAX 10000

struct rank_key {
    uint32_t attribute;
    bool descending; /* nulls then come last: they are below everything */
};

enum aggregate_kind { AGGREGATE_COUNT, AGGREGATE_SUM };

struct aggregate {
    struct span label;
    enum aggregate_kind kind;
    uint32_t attribute; /* SCHEMA_ID in a plain Count: every document has one */
};

struct query {
    const struct ns *ns;
    struct arena *arena;
    struct filter *filter; /* NULL: every document; given back by filter_done() */

    bool ranked;
    struct rank_key keys[RANK_KEYS_MAX];
    size_t key_count;
    const float *vector; /* NULL: by keys */
    uint32_t vector_attribute;

    uint64_t limit, offset;
    bool limit_given; /* groups have another default */
    bool *included;   /* per attribute of the schema */
    enum vector_encoding encoding;

    struct aggregate aggregates[AGGREGATES_MAX];
    size_t aggregate_count;
    uint32_t group_keys[GROUP_KEYS_MAX];
    size_t group_key_count;
};

/* query->ns and arena are set by the caller; the filter has to be given back even on refusal. */
MUST_CHECK bool query_read(struct query *query, const struct json *body, struct err *err);

/* "aggregations": {...} or "aggregation_groups": [...] */
void query_write_aggregates(const struct query *query, struct json_writer *w);

#endif
