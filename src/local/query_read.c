/* query_read: queries from JSON, checked against the schema. */
#include <assert.h>

#include "base/words.h"
#include "local/query_plan.h"
#include "local/refuse.h"

static bool
find_attribute(const struct query *q, const struct json *name, const char *what, uint32_t *ret,
               struct err *err)
{
    const struct attribute *found;

    if (name->type != JSON_STRING)
        return refuse(err, 422, "%s: an attribute's name is a string", what);
    found = ns_schema_find(&q->ns->schema, name->text);
    if (!found)
        return refuse(err, 400, "%s: there is no attribute \"%.*s\"", what, SPAN_ARG(name->text));
    *ret = ns_schema_index(&q->ns->schema, found);
    return true;
}

static struct datum_type
type_of(const struct query *q, uint32_t attribute)
{
    return q->ns->schema.attributes[attribute].type;
}

/* ---- rank_by ---- */

static bool
read_key(struct query *q, const struct json *key, struct err *err)
{
    struct rank_key *ret = &q->keys[q->key_count];
    struct span direction;

    if (key->type != JSON_ARRAY || key->count != 2 || key->first->next->type != JSON_STRING)
        return refuse(err, 422, "rank_by is [attribute, \"asc\" or \"desc\"] or a list of them");
    if (q->key_count == RANK_KEYS_MAX)
        return refuse(err, 400, "rank_by has at most %d attributes", RANK_KEYS_MAX);
    direction = key->first->next->text;
    ret->descending = span_eq(direction, SPAN("desc"));
    if (!ret->descending && !span_eq(direction, SPAN("asc")))
        return refuse(err, 400,
                      "rank_by: turbopuffer-local does not do \"%.*s\"; it ranks by "
                      "attributes, ANN and kNN",
                      SPAN_ARG(direction));
    if (!find_attribute(q, key->first, "rank_by", &ret->attribute, err))
        return false;
    if (!q->ns->schema.attributes[ret->attribute].filterable)
        return refuse(err, 400, "rank_by: attribute \"%.*s\" is not filterable",
                      SPAN_ARG(key->first->text));
    q->key_count++;
    return true;
}

static bool
read_vector(struct query *q, const struct json *rank, struct err *err)
{
    const struct json *name = rank->first, *how = name->next;
    struct datum_type type;

    if (!find_attribute(q, name, "rank_by", &q->vector_attribute, err))
        return false;
    type = type_of(q, q->vector_attribute);
    if (!datum_type_is_dense(type))
        return refuse(err, 400, "rank_by: attribute \"%.*s\" is no dense vector",
                      SPAN_ARG(name->text));
    if (span_eq(how->text, SPAN("kNN")) && !q->filter)
        return refuse(err, 400, "rank_by: kNN needs filters");
    if (how->next->type == JSON_ARRAY && how->next->count && how->next->first->type != JSON_NUMBER)
        return refuse(err, 400, "rank_by: turbopuffer-local ranks by one plain vector only");
    return datum_read_floats(how->next, type.dimensions, q->arena, &q->vector, err) ||
           err_wrap(err, "rank_by");
}

static bool
is_vector_rank(const struct json *rank)
{
    const struct json *how = rank->count == 3 ? rank->first->next : NULL;

    return how && how->type == JSON_STRING &&
           (span_eq(how->text, SPAN("ANN")) || span_eq(how->text, SPAN("kNN")));
}

static bool
read_rank(struct query *q, const struct json *rank, struct err *err)
{
    q->ranked = rank != NULL;
    if (!rank)
        return true;
    if (rank->type != JSON_ARRAY || rank->count == 0)
        return refuse(err, 422, "rank_by is an array");
    if (is_vector_rank(rank))
        return read_vector(q, rank, err);
    if (rank->first->type == JSON_STRING && rank->count == 3 &&
        rank->first->next->type == JSON_STRING)
        return refuse(err, 400, "rank_by: turbopuffer-local does not do %.*s",
                      SPAN_ARG(rank->first->next->text));
    if (rank->first->type == JSON_STRING)
        return read_key(q, rank, err);
    for (const struct json *key = rank->first; key; key = key->next) {
        if (!read_key(q, key, err))
            return false;
    }
    return true;
}

/* ---- what comes back ---- */

static bool
mark_list(struct query *q, const struct json *list, const char *what, bool included,
          struct err *err)
{
    uint32_t at = 0;

    if (list->type != JSON_ARRAY)
        return refuse(err, 422, "%s is a list of attribute names", what);
    for (const struct json *name = list->first; name; name = name->next) {
        if (!find_attribute(q, name, what, &at, err))
            return false;
        q->included[at] = included;
    }
    return true;
}

static void
mark_all(struct query *q, bool included)
{
    for (uint32_t i = 0; i < q->ns->schema.count; i++)
        q->included[i] = included;
}

static bool
read_projection(struct query *q, const struct json *include, const struct json *exclude,
                struct err *err)
{
    q->included = arena_new_n(q->arena, bool, q->ns->schema.count);
    if (include && exclude)
        return refuse(err, 400, "include_attributes and exclude_attributes in one query");
    if (exclude) {
        mark_all(q, true);
        return mark_list(q, exclude, "exclude_attributes", false, err);
    }
    if (!include)
        return true;
    if (include->type != JSON_BOOL)
        return mark_list(q, include, "include_attributes", true, err);
    mark_all(q, include->yes);
    return true;
}

static bool
read_count(const struct json *json, const char *what, uint64_t *ret, struct err *err)
{
    if (!json)
        return true;
    if (!json_to_uint(json, ret))
        return refuse(err, 422, "%s is a non-negative integer", what);
    return true;
}

static bool
read_limits(struct query *q, const struct json *limit, const struct json *top_k,
            const struct json *offset, struct err *err)
{
    if (limit && top_k)
        return refuse(err, 400, "limit and top_k in one query; they mean the same");
    if (limit && limit->type == JSON_OBJECT && json_get(limit, "per"))
        return refuse(err, 400, "limit: turbopuffer-local does not do limits per attribute");
    if (limit && limit->type == JSON_OBJECT) {
        limit = json_get(limit, "total");
        if (!limit)
            return refuse(err, 422, "limit is a number or {\"total\": number}");
    }
    q->limit = LIMIT_DEFAULT;
    q->limit_given = limit || top_k;
    if (!read_count(limit, "limit", &q->limit, err) ||
        !read_count(top_k, "top_k", &q->limit, err) ||
        !read_count(offset, "offset", &q->offset, err))
        return false;
    if (q->limit < 1 || q->limit > LIMIT_MAX || q->offset > LIMIT_MAX - q->limit)
        return refuse(err, 400, "limit is 1 to %d, and with the offset at most %d", LIMIT_MAX,
                      LIMIT_MAX);
    return true;
}

static bool
read_encoding(struct query *q, const struct json *encoding, struct err *err)
{
    int found;

    if (!encoding)
        return true;
    found = encoding->type == JSON_STRING ? word_find(vector_encoding_words, encoding->text) : -1;
    if (found < 0)
        return refuse(err, 422, "vector_encoding is float or base64");
    q->encoding = (enum vector_encoding)found;
    return true;
}

/* ---- aggregates ---- */

static bool
is_number(struct datum_type type)
{
    return !type.array &&
           (type.base == DATUM_INT || type.base == DATUM_UINT || type.base == DATUM_FLOAT);
}

static bool
read_aggregate(struct query *q, const struct json *json, struct err *err)
{
    struct aggregate *a = &q->aggregates[q->aggregate_count];
    const struct json *kind = json->type == JSON_ARRAY ? json->first : NULL;

    if (!kind || kind->type != JSON_STRING || json->count > 2)
        return refuse(err, 422, "an aggregate is [\"Count\"] or [\"Sum\", attribute]");
    *a = (struct aggregate){.label = json->key, .attribute = SCHEMA_ID};
    if (span_eq(kind->text, SPAN("Sum")) && kind->next)
        a->kind = AGGREGATE_SUM;
    else if (!span_eq(kind->text, SPAN("Count")))
        return refuse(err, 422, "an aggregate is [\"Count\"] or [\"Sum\", attribute]");
    if (kind->next && !find_attribute(q, kind->next, "aggregate_by", &a->attribute, err))
        return false;
    if (a->kind == AGGREGATE_SUM && !is_number(type_of(q, a->attribute)))
        return refuse(err, 400, "Sum needs an attribute of type int, uint or float");
    q->aggregate_count++;
    return true;
}

static bool
read_aggregates(struct query *q, const struct json *json, struct err *err)
{
    if (!json)
        return true;
    if (json->type != JSON_OBJECT || json->count == 0)
        return refuse(err, 422, "aggregate_by is an object of labels");
    if (json->count > AGGREGATES_MAX)
        return refuse(err, 400, "aggregate_by has at most %d labels", AGGREGATES_MAX);
    for (const struct json *aggregate = json->first; aggregate; aggregate = aggregate->next) {
        if (!read_aggregate(q, aggregate, err))
            return false;
    }
    return true;
}

/* One object holds keys and labels: a name may be in it once. */
static bool
is_taken(const struct query *q, struct span name)
{
    for (size_t i = 0; i + 1 < q->group_key_count; i++) {
        if (span_eq(q->ns->schema.attributes[q->group_keys[i]].name, name))
            return true;
    }
    for (size_t i = 0; i < q->aggregate_count; i++) {
        if (span_eq(q->aggregates[i].label, name))
            return true;
    }
    return false;
}

static bool
read_group(struct query *q, const struct json *name, struct err *err)
{
    uint32_t *key = &q->group_keys[q->group_key_count++];

    if (name->type == JSON_OBJECT)
        return refuse(err, 400, "group_by: turbopuffer-local does not do functions");
    if (!find_attribute(q, name, "group_by", key, err))
        return false;
    if (type_of(q, *key).array || !datum_type_is_filterable(type_of(q, *key)))
        return refuse(err, 400, "group_by: attribute \"%.*s\" is no scalar", SPAN_ARG(name->text));
    if (is_taken(q, name->text))
        return refuse(err, 400, "group_by: \"%.*s\" is already a label or a key",
                      SPAN_ARG(name->text));
    return true;
}

static bool
read_groups(struct query *q, const struct json *json, struct err *err)
{
    if (!json)
        return true;
    if (q->aggregate_count == 0)
        return refuse(err, 400, "group_by needs aggregate_by");
    if (json->type != JSON_ARRAY || json->count == 0 || json->count > GROUP_KEYS_MAX)
        return refuse(err, 422, "group_by is a list of 1 to %d attributes", GROUP_KEYS_MAX);
    for (const struct json *name = json->first; name; name = name->next) {
        if (!read_group(q, name, err))
            return false;
    }
    return true;
}

/* ---- the whole ---- */

enum query_field {
    FIELD_RANK_BY,
    FIELD_FILTERS,
    FIELD_LIMIT,
    FIELD_TOP_K,
    FIELD_OFFSET,
    FIELD_INCLUDE,
    FIELD_EXCLUDE,
    FIELD_AGGREGATE_BY,
    FIELD_GROUP_BY,
    FIELD_VECTOR_ENCODING,
    FIELD_CONSISTENCY,
    FIELD_DISTANCE_METRIC,
    FIELD_COMPUTE,
    FIELD_RERANK_BY,
    QUERY_FIELD_MAX_,
};

static const char *const field_names[] = {
    "rank_by",
    "filters",
    "limit",
    "top_k",
    "offset",
    "include_attributes",
    "exclude_attributes",
    "aggregate_by",
    "group_by",
    "vector_encoding",
    "consistency",
    "distance_metric",
    "compute_attributes",
    "rerank_by",
    NULL,
};

_Static_assert(ARRAY_LEN(field_names) == QUERY_FIELD_MAX_ + 1, "one name per field");

static bool
read_fields(const struct json *body, const struct json **fields, struct err *err)
{
    if (body->type != JSON_OBJECT)
        return refuse(err, 422, "a query is a JSON object");
    for (const struct json *member = body->first; member; member = member->next) {
        int found = word_find(field_names, member->key);

        if (found < 0)
            return refuse(err, 422, "a query has no field \"%.*s\"", SPAN_ARG(member->key));
        if (member->type != JSON_NULL)
            fields[found] = member;
    }
    if (fields[FIELD_COMPUTE] || fields[FIELD_RERANK_BY])
        return refuse(err, 400, "turbopuffer-local does not do %s",
                      field_names[fields[FIELD_COMPUTE] ? FIELD_COMPUTE : FIELD_RERANK_BY]);
    return true;
}

bool
query_read(struct query *q, const struct json *body, struct err *err)
{
    const struct json *f[QUERY_FIELD_MAX_] = {0};

    assert(q->ns && q->arena);
    if (!read_fields(body, f, err))
        return false;
    if (f[FIELD_FILTERS] &&
        !filter_read(&q->ns->schema, f[FIELD_FILTERS], FILTER_QUERY, q->arena, &q->filter, err))
        return err_wrap(err, "filters");
    if (!read_rank(q, f[FIELD_RANK_BY], err) ||
        !read_limits(q, f[FIELD_LIMIT], f[FIELD_TOP_K], f[FIELD_OFFSET], err) ||
        !read_projection(q, f[FIELD_INCLUDE], f[FIELD_EXCLUDE], err) ||
        !read_encoding(q, f[FIELD_VECTOR_ENCODING], err) ||
        !read_aggregates(q, f[FIELD_AGGREGATE_BY], err) || !read_groups(q, f[FIELD_GROUP_BY], err))
        return false;
    if (!q->ranked && q->aggregate_count == 0)
        return refuse(err, 400, "a query needs rank_by or aggregate_by");
    if (q->ranked && q->aggregate_count > 0)
        return refuse(err, 400, "rank_by and aggregate_by in one query");
    return true;
}
