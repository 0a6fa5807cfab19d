/* write_copy: a namespace filled from another one. */
#include <assert.h>

#include "local/refuse.h"
#include "local/write_plan.h"

/* What may accompany either: encryption a copy, nothing a branch. */
static bool
check_alone(const struct write *w, enum write_field field, struct err *err)
{
    for (size_t i = 0; i < WRITE_FIELD_MAX_; i++) {
        bool encryption = i == FIELD_ENCRYPTION && field == FIELD_COPY_FROM_NAMESPACE;

        if (w->fields[i] && i != (size_t)field && !encryption)
            return refuse(err, 400, "a copy or branch allows no other field beside it");
    }
    return true;
}

static bool
read_source(const struct json *json, struct span *ret, struct err *err)
{
    const struct json *name = json->type == JSON_STRING ? json : json_get(json, "source_namespace");

    if (!name || name->type != JSON_STRING)
        return refuse(err, 422, "the source is a name or {\"source_namespace\": name}");
    if (json_get(json, "source_region") || json_get(json, "source_api_key"))
        return refuse(err, 400, "turbopuffer-local copies from itself only");
    *ret = name->text;
    return true;
}

static bool
check_destination(const struct write *w, const struct ns *source, bool branch, struct err *err)
{
    if (w->ns && branch)
        return refuse(err, 409, "namespace \"%.*s\" already exists", SPAN_ARG(w->name));
    if (w->ns == source)
        return refuse(err, 400, "a namespace cannot be copied to itself");
    if (w->ns && w->ns->docs.count > 0)
        return refuse(err, 400, "namespace \"%.*s\" is not empty", SPAN_ARG(w->name));
    return true;
}

static void
copy_docs(struct write *w, const struct ns *source)
{
    struct doc *doc;

    for (size_t at = 0; (doc = ns_next(source, &at)) != NULL;) {
        struct row row = doc_row(doc);

        changes_put(&w->changes, JOURNAL_COPY, NULL, doc_new(&w->schema, &row));
    }
}

/* A namespace of that name with the source's schema; an empty one that was there goes. */
static void
found(struct write *w, const struct ns *source)
{
    assert(w->ns != source && (!w->ns || w->ns->docs.count == 0));
    if (w->ns) {
        map_remove(&w->call->db->namespaces, w->name);
        ns_free(w->ns);
        w->made = ns_new(w->name, w->call->now_ms);
    }
    w->ns = w->made;
    w->made = NULL;
    database_add(w->call->db, w->ns);
    w->schema = ns_schema_copy(&source->schema, w->call->arena);
    ns_schema_adopt(&w->ns->schema, &w->schema);
    w->changes = (struct changes){.ns = w->ns, .schema = &w->schema};
}

bool
write_copy(struct write *w, struct buf *out, struct err *err)
{
    bool branch = w->fields[FIELD_BRANCH_FROM_NAMESPACE] != NULL;
    enum write_field field = branch ? FIELD_BRANCH_FROM_NAMESPACE : FIELD_COPY_FROM_NAMESPACE;
    const struct ns *source;
    struct span name = {0};

    if (!check_alone(w, field, err) || !read_source(w->fields[field], &name, err))
        return false;
    source = database_need(w->call->db, name, err);
    if (!source || !check_destination(w, source, branch, err))
        return false;
    found(w, source);
    copy_docs(w, source);
    buf_putf(out,
             "{\"status\":\"OK\",\"message\":\"documents were copied\",\"rows_affected\":%zu,"
             "\"billing\":{\"billable_logical_bytes_written\":%zu},"
             "\"performance\":{\"server_total_ms\":0}}",
             w->changes.count, w->ns->bytes);
    if (branch)
        w->ns->parent = arena_span(w->ns->arena, source->name);
    changes_commit(&w->changes, &w->call->db->journal, w->call->request);
    return true;
}
