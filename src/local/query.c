/* query: the best rows, and answers. */
#include "local/query.h"

#include <assert.h>
#include <stdlib.h>

#include "base/words.h"
#include "local/query_plan.h"
#include "local/refuse.h"

/* ---- ranking ---- */

struct candidate {
    struct doc *doc;
    double distance;
};

/* The best so far: a heap whose root is the worst of them. */
struct best {
    const struct query *query;
    struct candidate *items;
    size_t count, limit;
};

static int
compare_by_keys(const struct query *q, struct doc *a, struct doc *b)
{
    struct row left = doc_row(a), right = doc_row(b);

    for (size_t i = 0; i < q->key_count; i++) {
        uint32_t at = q->keys[i].attribute;
        int order = datum_compare(q->ns->schema.attributes[at].type, row_find(&left, at),
                                  row_find(&right, at));

        if (order)
            return q->keys[i].descending ? -order : order;
    }
    return 0;
}

/* Below zero: a comes before b.  Ties go by id, so the order is total. */
static int
compare(const struct query *q, const struct candidate *a, const struct candidate *b)
{
    int order = q->vector ? (a->distance > b->distance) - (a->distance < b->distance)
                          : compare_by_keys(q, a->doc, b->doc);

    if (order)
        return order;
    return datum_compare(q->ns->schema.attributes[SCHEMA_ID].type, &a->doc->values[0],
                         &b->doc->values[0]);
}

static int
compare_for_sort(const void *a, const void *b, void *context)
{
    return compare(context, a, b);
}

static void
swap(struct candidate *a, struct candidate *b)
{
    struct candidate held = *a;

    *a = *b;
    *b = held;
}

static void
sift_up(struct best *best, size_t at)
{
    while (at > 0) {
        size_t parent = (at - 1) / 2;

        if (compare(best->query, &best->items[at], &best->items[parent]) <= 0)
            return;
        swap(&best->items[at], &best->items[parent]);
        at = parent;
    }
}

static void
sift_down(struct best *best, size_t at)
{
    for (;;) {
        size_t worst = at;

        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < best->count; child++) {
            if (compare(best->query, &best->items[child], &best->items[worst]) > 0)
                worst = child;
        }
        if (worst == at)
            return;
        swap(&best->items[at], &best->items[worst]);
        at = worst;
    }
}

static void
offer(struct best *best, struct candidate candidate)
{
    assert(best->limit > 0 && best->count <= best->limit);
    if (best->count < best->limit) {
        best->items[best->count++] = candidate;
        sift_up(best, best->count - 1);
    } else if (compare(best->query, &candidate, &best->items[0]) < 0) {
        best->items[0] = candidate;
        sift_down(best, 0);
    }
}

static struct candidate
candidate_of(const struct query *q, struct doc *doc)
{
    struct row row = doc_row(doc);
    const struct datum *vector = q->vector ? row_find(&row, q->vector_attribute) : NULL;
    struct candidate candidate = {.doc = doc};

    assert(!q->vector || vector);
    if (vector)
        candidate.distance =
            vector_distance(q->ns->schema.metric, q->vector, vector->floats, vector->count);
    return candidate;
}

static struct best
find_best(struct query *q)
{
    size_t wanted = q->limit + q->offset, there = q->ns->docs.count;
    struct best best = {.query = q, .limit = wanted < there ? wanted : there};
    struct doc *doc;

    assert(q->ranked && q->limit > 0);
    best.items = arena_new_n(q->arena, struct candidate, best.limit + 1);
    for (size_t at = 0; best.limit && (doc = ns_next(q->ns, &at)) != NULL;) {
        struct row row = doc_row(doc);

        if (filter_match(q->filter, &row, NULL))
            offer(&best, candidate_of(q, doc));
    }
    qsort_r(best.items, best.count, sizeof(*best.items), compare_for_sort, q);
    return best;
}

/* ---- answers ---- */

static void
write_row(const struct query *q, const struct candidate *candidate, struct json_writer *w)
{
    const struct ns_schema *schema = &q->ns->schema;

    json_object_begin(w);
    json_key(w, SPAN("id"));
    row_write_id(w, schema, &candidate->doc->values[0]);
    if (q->vector) {
        json_key(w, SPAN("$dist"));
        json_double(w, candidate->distance);
    }
    for (uint32_t i = 1; i < candidate->doc->count; i++) {
        const struct datum *datum = &candidate->doc->values[i];
        const struct attribute *attribute = &schema->attributes[datum->attribute];

        if (!q->included[datum->attribute])
            continue;
        json_key(w, attribute->name);
        datum_write(w, attribute->type, datum, q->encoding);
    }
    json_object_end(w);
}

/* The members of one result; the object around them is the caller's. */
static void
write_result(struct query *q, struct json_writer *w)
{
    struct best best;

    assert(q->ranked || q->aggregate_count > 0);
    if (!q->ranked) {
        query_write_aggregates(q, w);
        return;
    }
    best = find_best(q);
    json_key(w, SPAN("rows"));
    json_array_begin(w);
    for (size_t i = q->offset; i < best.count; i++)
        write_row(q, &best.items[i], w);
    json_array_end(w);
}

static void
write_uint(struct json_writer *w, const char *name, uint64_t n)
{
    json_key(w, span_of(name));
    json_uint(w, n);
}

static void
write_bill(const struct ns *ns, struct json_writer *w)
{
    size_t returned = w->out->len;

    json_key(w, SPAN("billing"));
    json_object_begin(w);
    write_uint(w, "billable_logical_bytes_queried", ns->bytes);
    write_uint(w, "billable_logical_bytes_returned", returned);
    json_object_end(w);
    json_key(w, SPAN("performance"));
    json_object_begin(w);
    json_key(w, SPAN("cache_hit_ratio"));
    json_raw(w, SPAN("1.0"));
    json_key(w, SPAN("cache_temperature"));
    json_string(w, SPAN("hot"));
    write_uint(w, "server_total_ms", 0);
    write_uint(w, "query_execution_ms", 0);
    write_uint(w, "exhaustive_search_count", ns->docs.count);
    write_uint(w, "approx_namespace_size", ns->docs.count);
    json_object_end(w);
}

static bool
run_one(const struct ns *ns, struct arena *arena, enum vector_encoding encoding,
        const struct json *body, struct json_writer *w, struct err *err)
{
    struct query q = {.ns = ns, .arena = arena, .encoding = encoding};
    bool good = query_read(&q, body, err);

    if (good)
        write_result(&q, w);
    filter_done(q.filter);
    return good;
}

/* ---- several queries on one state ---- */

static const char *const multi_fields[] = {"queries", "consistency", "vector_encoding", NULL};

static bool
check_multi(const struct json *body, const struct json *queries, struct err *err)
{
    for (const struct json *member = body->first; member; member = member->next) {
        if (word_find(multi_fields, member->key) < 0 && member->type != JSON_NULL)
            return refuse(err, 400, "turbopuffer-local does not do %.*s beside queries",
                          SPAN_ARG(member->key));
    }
    if (queries->type != JSON_ARRAY)
        return refuse(err, 422, "queries is a list");
    if (queries->count < 1 || queries->count > QUERIES_MAX)
        return refuse(err, 400, "queries has 1 to %d elements", QUERIES_MAX);
    return true;
}

static bool
multi_encoding(const struct json *body, enum vector_encoding *ret, struct err *err)
{
    const struct json *given = json_get(body, "vector_encoding");
    int found = given && given->type == JSON_STRING ? word_find(vector_encoding_words, given->text)
                                                    : VECTOR_ENCODING_FLOAT;

    if (found < 0)
        return refuse(err, 422, "vector_encoding is float or base64");
    *ret = (enum vector_encoding)found;
    return true;
}

static bool
run_many(const struct ns *ns, struct arena *arena, const struct json *body, struct json_writer *w,
         struct err *err)
{
    const struct json *queries = json_get(body, "queries");
    enum vector_encoding encoding = VECTOR_ENCODING_FLOAT;
    size_t n = 0;

    if (!check_multi(body, queries, err) || !multi_encoding(body, &encoding, err))
        return false;
    json_key(w, SPAN("results"));
    json_array_begin(w);
    for (const struct json *query = queries->first; query; query = query->next, n++) {
        json_object_begin(w);
        if (!run_one(ns, arena, encoding, query, w, err))
            return err_wrap(err, "queries[%zu]", n);
        json_object_end(w);
    }
    json_array_end(w);
    return true;
}

bool
query_run(struct call *call, struct span name, const struct json *body, struct buf *out,
          struct err *err)
{
    struct json_writer w = {.out = out};
    const struct ns *ns = database_need(call->db, name, err);

    if (!ns)
        return false;
    json_object_begin(&w);
    if (json_get(body, "queries") ? !run_many(ns, call->arena, body, &w, err)
                                  : !run_one(ns, call->arena, VECTOR_ENCODING_FLOAT, body, &w, err))
        return false;
    write_bill(ns, &w);
    json_object_end(&w);
    return true;
}

/* ---- beside queries ---- */

bool
query_explain(struct call *call, struct span name, const struct json *body, struct buf *out,
              struct err *err)
{
    struct json_writer w = {.out = out};
    struct query q = {.arena = call->arena};
    const struct ns *ns = database_need(call->db, name, err);
    bool good;

    if (!ns)
        return false;
    q.ns = ns;
    good = query_read(&q, body, err);
    filter_done(q.filter);
    if (!good)
        return false;
    json_object_begin(&w);
    json_key(&w, SPAN("plan_text"));
    json_string(&w, SPAN("exhaustive scan over all documents in memory"));
    json_object_end(&w);
    return true;
}

/* The parameters are not read: whatever is asked, everything is looked at. */
bool
query_recall(struct call *call, struct span name, const struct json *body, struct buf *out,
             struct err *err)
{
    const struct ns *ns = database_need(call->db, name, err);
    const struct json *given = json_get(body, "top_k");
    uint64_t top_k = LIMIT_DEFAULT;

    if (!ns)
        return false;
    if (ns->schema.dense_count == 0)
        return refuse(err, 400, "recall needs a dense vector");
    if (given && !json_to_uint(given, &top_k))
        return refuse(err, 422, "top_k is a non-negative integer");
    top_k = top_k < ns->docs.count ? top_k : ns->docs.count;
    buf_putf(out, "{\"avg_recall\":1.0,\"avg_exhaustive_count\":%llu.0,\"avg_ann_count\":%llu.0}",
             (unsigned long long)top_k, (unsigned long long)top_k);
    return true;
}
