/* query_group: counts and sums, over everything or per group. */
#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "local/query_plan.h"

/* The matching documents of one group. */
struct run {
    struct doc **docs;
    size_t count;
};

static struct run
matching(const struct query *q)
{
    struct run all = {arena_new_n(q->arena, struct doc *, q->ns->docs.count + 1), 0};
    struct doc *doc;

    for (size_t at = 0; (doc = ns_next(q->ns, &at)) != NULL;) {
        struct row row = doc_row(doc);

        if (filter_match(q->filter, &row, NULL))
            all.docs[all.count++] = doc;
    }
    return all;
}

/* ---- one value ---- */

static void
write_sum(const struct query *q, const struct aggregate *a, struct run run, struct json_writer *w)
{
    enum datum_base base = q->ns->schema.attributes[a->attribute].type.base;
    union scalar sum = {.u = 0};

    if (base == DATUM_FLOAT)
        sum.f = 0;
    for (size_t i = 0; i < run.count; i++) {
        struct row row = doc_row(run.docs[i]);
        const struct datum *datum = row_find(&row, a->attribute);

        if (datum && base == DATUM_FLOAT)
            sum.f += datum->scalar.f;
        else if (datum)
            sum.u += datum->scalar.u; /* two's complement: right for int as well */
    }
    if (base == DATUM_FLOAT && !isfinite(sum.f))
        json_null(w); /* JSON has no infinity */
    else
        datum_write_scalar(w, base, sum);
}

static void
write_aggregate(const struct query *q, const struct aggregate *a, struct run run,
                struct json_writer *w)
{
    uint64_t count = 0;

    json_key(w, a->label);
    if (a->kind == AGGREGATE_SUM) {
        write_sum(q, a, run, w);
        return;
    }
    for (size_t i = 0; i < run.count; i++) {
        struct row row = doc_row(run.docs[i]);

        count += row_find(&row, a->attribute) != NULL;
    }
    json_uint(w, count);
}

/* ---- groups ---- */

static int
compare_keys(const void *a, const void *b, void *context)
{
    const struct query *q = context;
    struct row left = doc_row(*(struct doc *const *)a), right = doc_row(*(struct doc *const *)b);

    for (size_t i = 0; i < q->group_key_count; i++) {
        uint32_t key = q->group_keys[i];
        int order = datum_compare(q->ns->schema.attributes[key].type, row_find(&left, key),
                                  row_find(&right, key));

        if (order)
            return order;
    }
    return 0;
}

static void
write_keys(const struct query *q, struct doc *doc, struct json_writer *w)
{
    struct row row = doc_row(doc);

    for (size_t i = 0; i < q->group_key_count; i++) {
        const struct attribute *attribute = &q->ns->schema.attributes[q->group_keys[i]];
        const struct datum *datum = row_find(&row, q->group_keys[i]);

        json_key(w, attribute->name);
        if (datum)
            datum_write(w, attribute->type, datum, VECTOR_ENCODING_FLOAT);
        else
            json_null(w);
    }
}

static void
write_groups(struct query *q, struct run all, struct json_writer *w)
{
    uint64_t limit = q->limit_given ? q->limit : AGGREGATE_GROUP_MAX, written = 0;

    assert(q->group_key_count > 0);
    qsort_r(all.docs, all.count, sizeof(struct doc *), compare_keys, q);
    for (size_t start = 0, end; start < all.count && written < limit; start = end, written++) {
        end = start + 1;
        while (end < all.count && compare_keys(&all.docs[start], &all.docs[end], q) == 0)
            end++;
        json_object_begin(w);
        write_keys(q, all.docs[start], w);
        for (size_t i = 0; i < q->aggregate_count; i++)
            write_aggregate(q, &q->aggregates[i], (struct run){all.docs + start, end - start}, w);
        json_object_end(w);
    }
}

void
query_write_aggregates(const struct query *query, struct json_writer *w)
{
    struct query q = *query;
    struct run all = matching(query);

    assert(q.aggregate_count > 0);
    if (q.group_key_count > 0) {
        json_key(w, SPAN("aggregation_groups"));
        json_array_begin(w);
        write_groups(&q, all, w);
        json_array_end(w);
        return;
    }
    json_key(w, SPAN("aggregations"));
    json_object_begin(w);
    for (size_t i = 0; i < q.aggregate_count; i++)
        write_aggregate(&q, &q.aggregates[i], all, w);
    json_object_end(w);
}
