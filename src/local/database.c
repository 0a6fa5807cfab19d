/* database: namespaces by name; listing, metadata and dump. */
#include "local/database.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/number.h"
#include "local/refuse.h"
#include "local/vector.h"

#define PAGE_DEFAULT  100
#define PAGE_MAX      1000
#define CURSOR_PREFIX "after:" /* what a cursor says when its base64 is taken off */

void
database_init(struct database *db, const struct limits *limits, size_t journal_size)
{
    *db = (struct database){.limits = *limits};
    journal_init(&db->journal, journal_size);
}

static void
drop_all(struct database *db)
{
    struct map_entry entry;

    for (size_t at = 0; map_next(&db->namespaces, &at, &entry);)
        ns_free(entry.value);
    map_free(&db->namespaces);
}

void
database_done(struct database *db)
{
    drop_all(db);
    journal_done(&db->journal);
}

void
database_clear(struct database *db)
{
    drop_all(db);
    journal_clear(&db->journal);
}

struct ns *
database_find(const struct database *db, struct span name)
{
    return map_get(&db->namespaces, name);
}

struct ns *
database_need(const struct database *db, struct span name, struct err *err)
{
    struct ns *ns = database_find(db, name);

    if (!ns)
        refuse(err, 404, "namespace \"%.*s\" was not found", SPAN_ARG(name));
    return ns;
}

void
database_add(struct database *db, struct ns *ns)
{
    assert(database_name_ok(ns->name));
    void *before = map_put(&db->namespaces, ns->name, ns);

    assert(!before);
}

bool
database_drop(struct call *call, struct span name, struct err *err)
{
    struct database *db = call->db;
    struct ns *ns = database_need(db, name, err);

    if (!ns)
        return false;
    journal_add(&db->journal, &(struct journal_entry){
                                  .request = call->request,
                                  .ns_name = journal_name(&db->journal, name),
                                  .op = JOURNAL_DROP_NAMESPACE,
                              });
    map_remove(&db->namespaces, ns->name);
    ns_free(ns);
    return true;
}

bool
database_name_ok(struct span name)
{
    static const char allowed[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

    for (size_t i = 0; i < name.len; i++) {
        if (!memchr(allowed, name.ptr[i], sizeof(allowed) - 1))
            return false;
    }
    return name.len > 0 && name.len <= NAMESPACE_NAME_BYTES_MAX;
}

/* ---- listing ---- */

static int
compare_names(const void *a, const void *b)
{
    return span_compare((*(struct ns *const *)a)->name, (*(struct ns *const *)b)->name);
}

/* All namespaces in the order of their names; as many as the map counts. */
static struct ns **
sorted(const struct database *db, struct arena *arena)
{
    struct ns **list = arena_new_n(arena, struct ns *, db->namespaces.count + 1);
    struct map_entry entry;
    size_t count = 0;

    for (size_t at = 0; map_next(&db->namespaces, &at, &entry);)
        list[count++] = entry.value;
    assert(count == db->namespaces.count);
    qsort(list, count, sizeof(struct ns *), compare_names);
    return list;
}

static bool
read_cursor(const char *cursor, struct arena *arena, struct span *ret, struct err *err)
{
    size_t size, prefix = sizeof(CURSOR_PREFIX) - 1;
    unsigned char *bytes;

    *ret = (struct span){"", 0};
    if (!cursor || !*cursor)
        return true;
    if (!base64_size(span_of(cursor), &size) || size < prefix)
        return refuse(err, 400, "the cursor is malformed");
    bytes = arena_alloc(arena, size + 3);
    base64_decode(span_of(cursor), bytes);
    if (memcmp(bytes, CURSOR_PREFIX, prefix) != 0)
        return refuse(err, 400, "the cursor is malformed");
    *ret = (struct span){(const char *)bytes + prefix, size - prefix};
    return true;
}

static bool
read_page_size(const char *text, uint64_t *ret, struct err *err)
{
    *ret = PAGE_DEFAULT;
    if (!text)
        return true;
    if (!span_to_uint(span_of(text), ret) || *ret == 0 || *ret > PAGE_MAX)
        return refuse(err, 400, "page_size is a number from 1 to %d", PAGE_MAX);
    return true;
}

static void
write_cursor(struct json_writer *w, struct span name)
{
    CLEANUP(buf_free) struct buf plain = buf_make(1024), text = buf_make(1024);

    buf_put(&plain, SPAN(CURSOR_PREFIX));
    buf_put(&plain, name);
    base64_put(&text, buf_span(&plain));
    json_key(w, SPAN("next_cursor"));
    json_string(w, buf_span(&text));
    buf_free(&text);
}

static bool
is_listed(const struct ns *ns, struct span prefix, struct span after)
{
    return ns->name.len >= prefix.len && memcmp(ns->name.ptr, prefix.ptr, prefix.len) == 0 &&
           (after.len == 0 || span_compare(ns->name, after) > 0);
}

bool
database_list(struct call *call, const char *prefix, const char *cursor, const char *page_size,
              struct json_writer *w, struct err *err)
{
    struct ns **list = sorted(call->db, call->arena);
    struct span after, last = {0};
    uint64_t page, listed = 0;
    bool more = false;

    if (!read_cursor(cursor, call->arena, &after, err) || !read_page_size(page_size, &page, err))
        return false;
    json_object_begin(w);
    json_key(w, SPAN("namespaces"));
    json_array_begin(w);
    for (size_t i = 0; i < call->db->namespaces.count && !more; i++) {
        if (!is_listed(list[i], span_of(prefix ? prefix : ""), after))
            continue;
        more = listed++ == page;
        if (more)
            break;
        last = list[i]->name;
        json_object_begin(w);
        json_key(w, SPAN("id"));
        json_string(w, last);
        json_object_end(w);
    }
    json_array_end(w);
    if (more)
        write_cursor(w, last);
    json_object_end(w);
    return true;
}

/* ---- metadata ---- */

static void
write_time(struct json_writer *w, const char *name, int64_t ms)
{
    char text[CLOCK_TEXT_SIZE];

    json_key(w, span_of(name));
    json_string(w, span_of(clock_text(text, sizeof(text), ms)));
}

static void
write_number(struct json_writer *w, const char *name, uint64_t n)
{
    json_key(w, span_of(name));
    json_uint(w, n);
}

static void
write_options(struct json_writer *w, const struct ns *ns)
{
    if (ns->pinned) {
        json_key(w, SPAN("pinning"));
        json_raw(w, SPAN("{\"replicas\":1}"));
    }
    if (ns->parent.len) {
        json_key(w, SPAN("branching"));
        json_object_begin(w);
        json_key(w, SPAN("parent"));
        json_string(w, ns->parent);
        json_object_end(w);
    }
    if (ns->read_only) {
        json_key(w, SPAN("read_only"));
        json_bool(w, true);
    }
}

void
database_write_metadata(struct json_writer *w, const struct ns *ns)
{
    json_object_begin(w);
    json_key(w, SPAN("schema"));
    ns_schema_write(w, &ns->schema, SCHEMA_VIEW_METADATA);
    write_number(w, "approx_row_count", ns->docs.count);
    write_number(w, "approx_logical_bytes", ns->bytes);
    write_time(w, "created_at", ns->created_ms);
    write_time(w, "updated_at", ns->updated_ms);
    write_time(w, "last_write_at", ns->updated_ms);
    json_key(w, SPAN("encryption"));
    json_raw(w, SPAN("{\"sse\":true}"));
    json_key(w, SPAN("index"));
    json_raw(w, SPAN("{\"status\":\"up-to-date\",\"unindexed_bytes\":0}"));
    write_options(w, ns);
    json_object_end(w);
}

/* {"pinning": true | false | null | {...}, "read_only": bool} */
bool
database_patch_metadata(struct ns *ns, const struct json *body, struct err *err)
{
    const struct json *pinning = json_get(body, "pinning");
    const struct json *read_only = json_get(body, "read_only");

    if (body->type != JSON_OBJECT)
        return refuse(err, 422, "the body is an object of pinning and read_only");
    if (!pinning && !read_only)
        return refuse(err, 400, "there is neither pinning nor read_only in the body");
    if (read_only && read_only->type != JSON_BOOL)
        return refuse(err, 422, "read_only is true or false");
    if (read_only)
        ns->read_only = read_only->yes;
    if (pinning)
        ns->pinned = pinning->type == JSON_OBJECT || (pinning->type == JSON_BOOL && pinning->yes);
    return true;
}

/* ---- dump ---- */

static int
compare_docs(const void *a, const void *b, void *context)
{
    const struct ns_schema *schema = context;
    struct doc *left = *(struct doc *const *)a, *right = *(struct doc *const *)b;

    return datum_compare(schema->attributes[SCHEMA_ID].type, &left->values[0], &right->values[0]);
}

static void
dump_doc(struct json_writer *w, const struct ns_schema *schema, const struct doc *doc)
{
    json_object_begin(w);
    for (uint32_t i = 0; i < doc->count; i++) {
        const struct attribute *attribute = &schema->attributes[doc->values[i].attribute];

        json_key(w, attribute->name);
        datum_write(w, attribute->type, &doc->values[i], VECTOR_ENCODING_FLOAT);
    }
    json_object_end(w);
}

struct doc **
database_sorted_docs(const struct ns *ns, struct arena *arena)
{
    struct doc **docs = arena_new_n(arena, struct doc *, ns->docs.count + 1);
    struct ns_schema schema = ns->schema;
    struct doc *doc;
    size_t count = 0;

    for (size_t at = 0; (doc = ns_next(ns, &at)) != NULL;)
        docs[count++] = doc;
    assert(count == ns->docs.count);
    qsort_r(docs, count, sizeof(struct doc *), compare_docs, &schema);
    return docs;
}

static void
dump_namespace(struct json_writer *w, const struct ns *ns, struct arena *arena)
{
    struct doc **docs = database_sorted_docs(ns, arena);

    json_key(w, ns->name);
    json_array_begin(w);
    for (size_t i = 0; i < ns->docs.count; i++)
        dump_doc(w, &ns->schema, docs[i]);
    json_array_end(w);
}

void
database_dump(struct call *call, const char *name, struct json_writer *w)
{
    struct ns **list = sorted(call->db, call->arena);

    json_object_begin(w);
    for (size_t i = 0; i < call->db->namespaces.count; i++) {
        if (!name || span_eq(list[i]->name, span_of(name)))
            dump_namespace(w, list[i], call->arena);
    }
    json_object_end(w);
}
