/* export: a namespace as columns, a page at a time. */
#include "local/export.h"

#include <assert.h>
#include <stdio.h>

#include "base/number.h"
#include "local/refuse.h"

struct page {
    const struct ns *ns;
    struct doc **docs;
    size_t count;
};

static void
write_column(const struct page *page, uint32_t at, struct json_writer *w)
{
    json_array_begin(w);
    for (size_t i = 0; i < page->count; i++) {
        struct row row = doc_row(page->docs[i]);
        const struct datum *datum = row_find(&row, at);

        if (datum)
            datum_write(w, page->ns->schema.attributes[at].type, datum, VECTOR_ENCODING_FLOAT);
        else
            json_null(w);
    }
    json_array_end(w);
}

static void
write_nulls(size_t count, struct json_writer *w)
{
    json_array_begin(w);
    for (size_t i = 0; i < count; i++)
        json_null(w);
    json_array_end(w);
}

static void
write_columns(const struct page *page, struct json_writer *w)
{
    const struct ns_schema *schema = &page->ns->schema;
    const struct attribute *vector = ns_schema_find(schema, SPAN("vector"));

    json_key(w, SPAN("ids"));
    write_column(page, SCHEMA_ID, w);
    json_key(w, SPAN("vectors"));
    if (vector)
        write_column(page, ns_schema_index(schema, vector), w);
    else
        write_nulls(page->count, w);
    json_key(w, SPAN("attributes"));
    json_object_begin(w);
    for (uint32_t i = SCHEMA_ID + 1; i < schema->count; i++) {
        if (&schema->attributes[i] == vector)
            continue;
        json_key(w, schema->attributes[i].name);
        write_column(page, i, w);
    }
    json_object_end(w);
}

static void
write_cursor(uint64_t next, bool more, struct json_writer *w)
{
    char text[24];

    json_key(w, SPAN("next_cursor"));
    if (!more) {
        json_null(w);
        return;
    }
    snprintf(text, sizeof(text), "%llu", (unsigned long long)next);
    json_string(w, span_of(text));
}

bool
export_run(struct call *call, struct span name, const char *cursor, struct json_writer *w,
           struct err *err)
{
    const struct ns *ns = database_need(call->db, name, err);
    struct page page = {.ns = ns};
    uint64_t start = 0, left;

    if (!ns)
        return false;
    if (cursor && (!span_to_uint(span_of(cursor), &start) || start > ns->docs.count))
        return refuse(err, 400, "the cursor is malformed");
    left = ns->docs.count - start;
    page.docs = database_sorted_docs(ns, call->arena) + start;
    page.count = left < EXPORT_PAGE ? left : EXPORT_PAGE;
    assert(start + page.count <= ns->docs.count);
    json_object_begin(w);
    write_columns(&page, w);
    write_cursor(start + page.count, page.count < left, w);
    json_object_end(w);
    return true;
}
