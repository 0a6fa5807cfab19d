/* ns: documents by id, and the list of changes of one write. */
#include "local/ns.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct ns *
ns_new(struct span name, int64_t now_ms)
{
    struct ns *ns = calloc(1, sizeof(*ns));

    assert(name.len > 0);
    if (!ns)
        abort();
    ns->arena = arena_new("namespace");
    ns->name = arena_span(ns->arena, name);
    ns->created_ms = ns->updated_ms = now_ms;
    ns_schema_init(&ns->schema, ns->arena);
    return ns;
}

void
ns_free(struct ns *ns)
{
    struct doc *doc;

    if (!ns)
        return;
    for (size_t at = 0; (doc = ns_next(ns, &at)) != NULL;)
        doc_free(doc);
    map_free(&ns->docs);
    arena_free(ns->arena);
    free(ns);
}

void
ns_freep(struct ns **ns)
{
    ns_free(*ns);
    *ns = NULL;
}

struct doc *
ns_get(const struct ns *ns, const struct ns_schema *schema, const struct datum *id)
{
    return map_get(&ns->docs, row_key(schema, id));
}

struct doc *
ns_next(const struct ns *ns, size_t *at)
{
    struct map_entry entry;

    return map_next(&ns->docs, at, &entry) ? entry.value : NULL;
}

/* ---- the change list ---- */

void
changes_free(struct changes *changes)
{
    free(changes->items);
    changes->items = NULL;
    changes->count = changes->capacity = 0;
}

static void
append(struct changes *changes, struct change change)
{
    if (changes->count == changes->capacity) {
        changes->capacity = changes->capacity ? changes->capacity * 2 : 256;
        changes->items = realloc(changes->items, changes->capacity * sizeof(*changes->items));
        if (!changes->items)
            abort();
    }
    changes->items[changes->count++] = change;
}

/* The map's key lies in the document: putting one also replaces the key. */
static void
put_doc(struct changes *changes, struct doc *doc)
{
    assert(doc->count > 0 && doc->values[0].attribute == SCHEMA_ID);
    map_put(&changes->ns->docs, row_key(changes->schema, &doc->values[0]), doc);
    changes->ns->bytes += doc->bytes;
}

static void
take_doc(struct changes *changes, struct doc *doc)
{
    assert(changes->ns->bytes >= doc->bytes);
    void *was = map_remove(&changes->ns->docs, row_key(changes->schema, &doc->values[0]));

    assert(was == doc);
    changes->ns->bytes -= doc->bytes;
}

void
changes_put(struct changes *changes, enum journal_op op, struct doc *before, struct doc *doc)
{
    assert(doc && before != doc);
    if (before)
        changes->ns->bytes -= before->bytes;
    put_doc(changes, doc);
    append(changes, (struct change){op, JOURNAL_APPLIED, doc->values[0], before, doc});
}

void
changes_remove(struct changes *changes, enum journal_op op, struct doc *doc)
{
    take_doc(changes, doc);
    append(changes, (struct change){op, JOURNAL_APPLIED, doc->values[0], doc, NULL});
}

void
changes_note(struct changes *changes, enum journal_op op, enum journal_effect effect,
             const struct datum *id, struct doc *doc)
{
    assert(effect != JOURNAL_APPLIED);
    append(changes, (struct change){op, effect, *id, doc, doc});
}

void
changes_roll_back(struct changes *changes)
{
    assert(changes->ns && changes->schema);
    while (changes->count > 0) {
        struct change *change = &changes->items[--changes->count];

        if (change->effect != JOURNAL_APPLIED)
            continue;
        if (change->after)
            take_doc(changes, change->after);
        if (change->before)
            put_doc(changes, change->before);
        doc_free(change->after);
    }
}

/* ---- the journal's view ---- */

/* Where the versions are in this namespace; 0, the id's place, when there is no such attribute. */
struct version_columns {
    uint32_t lsn, seq;
};

static uint32_t
uint_column(const struct ns_schema *schema, struct span name)
{
    const struct attribute *attribute = ns_schema_find(schema, name);
    bool number = attribute && !attribute->type.array &&
                  (attribute->type.base == DATUM_UINT || attribute->type.base == DATUM_INT);

    return number ? ns_schema_index(schema, attribute) : SCHEMA_ID;
}

static bool
version_part(struct doc *doc, uint32_t column, uint64_t *ret)
{
    struct row row = doc_row(doc);
    const struct datum *value = column == SCHEMA_ID ? NULL : row_find(&row, column);

    if (value)
        *ret = value->scalar.u; /* an int holds no negative version */
    return value != NULL;
}

static struct journal_version
version_of(struct doc *doc, const struct version_columns *columns)
{
    struct journal_version version = {.present = doc != NULL};

    if (!doc)
        return version;
    version.has_lsn = version_part(doc, columns->lsn, &version.lsn);
    version.has_seq = version_part(doc, columns->seq, &version.seq);
    return version;
}

static void
set_id(struct journal_entry *entry, const struct ns_schema *schema, const struct datum *id)
{
    entry->id_is_number = schema->attributes[SCHEMA_ID].type.base == DATUM_UINT;
    if (entry->id_is_number) {
        entry->id_number = id->scalar.u;
        return;
    }
    assert(id->scalar.s.len <= sizeof(entry->id));
    entry->id_len = (uint32_t)id->scalar.s.len;
    memcpy(entry->id, id->scalar.s.ptr, id->scalar.s.len);
}

void
changes_commit(struct changes *changes, struct journal *journal, uint64_t request)
{
    const char *name = journal_name(journal, changes->ns->name);
    struct version_columns columns = {
        uint_column(changes->schema, SPAN("__source_lsn")),
        uint_column(changes->schema, SPAN("__source_seq")),
    };

    for (size_t i = 0; i < changes->count; i++) {
        const struct change *change = &changes->items[i];
        struct journal_entry entry = {
            .request = request,
            .ns_name = name,
            .op = change->op,
            .effect = change->effect,
            .before = version_of(change->before, &columns),
            .after = version_of(change->after, &columns),
        };

        set_id(&entry, changes->schema, &change->id);
        journal_add(journal, &entry);
    }
    /* Only now: an id that was changed twice in one request is in the list twice. */
    for (size_t i = 0; i < changes->count; i++) {
        if (changes->items[i].effect == JOURNAL_APPLIED)
            doc_free(changes->items[i].before);
    }
    changes->count = 0;
}
