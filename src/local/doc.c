/* doc: one block per document, values first, then what they point to. */
#include "local/doc.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

const struct datum *
row_find(const struct row *row, uint32_t attribute)
{
    uint32_t at = attribute < row->count ? attribute : row->count - 1;

    assert(row->count > 0);
    /* In order and without repeats: the value stands at its index, or before it. */
    while (at > 0 && row->values[at].attribute > attribute)
        at--;
    if (row->values[at].attribute != attribute || row->values[at].count == DATUM_CLEARED)
        return NULL;
    return &row->values[at];
}

struct span
row_key(const struct ns_schema *schema, const struct datum *id)
{
    assert(id->attribute == SCHEMA_ID);
    if (schema->attributes[SCHEMA_ID].type.base == DATUM_UINT)
        return (struct span){(const char *)&id->scalar.u, sizeof(id->scalar.u)};
    return id->scalar.s;
}

size_t
row_bytes(const struct ns_schema *schema, const struct row *row)
{
    size_t total = 0;

    for (uint32_t i = 0; i < row->count; i++) {
        if (row->values[i].count != DATUM_CLEARED)
            total +=
                datum_bytes(schema->attributes[row->values[i].attribute].type, &row->values[i]);
    }
    return total;
}

/* ---- packing ---- */

static bool
is_text(enum datum_base base)
{
    return base == DATUM_STRING || base == DATUM_UUID || base == DATUM_BYTES ||
           base == DATUM_SPARSE;
}

/* Bytes of text and of arrays; arrays have to be aligned, so they go first. */
static void
measure(struct datum_type type, const struct datum *value, size_t *aligned, size_t *text)
{
    if (datum_type_is_dense(type)) {
        size_t bytes = value->count * sizeof(float);

        *aligned += (bytes + _Alignof(union scalar) - 1) & ~(_Alignof(union scalar) - 1);
        return;
    }
    if (!type.array) {
        *text += is_text(type.base) ? value->scalar.s.len : 0;
        return;
    }
    *aligned += value->count * sizeof(union scalar);
    for (uint32_t i = 0; is_text(type.base) && i < value->count; i++)
        *text += value->items[i].s.len;
}

struct packer {
    char *aligned;
    char *text;
};

static union scalar
pack_scalar(struct packer *p, enum datum_base base, union scalar scalar)
{
    if (!is_text(base))
        return scalar;
    if (scalar.s.len)
        memcpy(p->text, scalar.s.ptr, scalar.s.len);
    scalar.s.ptr = p->text;
    p->text += scalar.s.len;
    return scalar;
}

static const float *
pack_floats(struct packer *p, const struct datum *value)
{
    size_t bytes = value->count * sizeof(float);
    float *floats = (float *)(void *)p->aligned;

    memcpy(floats, value->floats, bytes);
    p->aligned += (bytes + _Alignof(union scalar) - 1) & ~(_Alignof(union scalar) - 1);
    return floats;
}

static const union scalar *
pack_items(struct packer *p, enum datum_base base, const struct datum *value)
{
    union scalar *items = (union scalar *)(void *)p->aligned;

    p->aligned += value->count * sizeof(*items);
    for (uint32_t i = 0; i < value->count; i++)
        items[i] = pack_scalar(p, base, value->items[i]);
    return items;
}

static struct datum
pack(struct packer *p, struct datum_type type, const struct datum *value)
{
    struct datum packed = *value;

    if (datum_type_is_dense(type))
        packed.floats = pack_floats(p, value);
    else if (type.array)
        packed.items = pack_items(p, type.base, value);
    else
        packed.scalar = pack_scalar(p, type.base, value->scalar);
    return packed;
}

struct doc *
doc_new(const struct ns_schema *schema, const struct row *row)
{
    size_t head = sizeof(struct doc) + row->count * sizeof(struct datum);
    size_t aligned = 0, text = 0;
    struct packer packer;
    struct doc *doc;

    assert(row->count > 0 && row->values[0].attribute == SCHEMA_ID);
    for (uint32_t i = 0; i < row->count; i++)
        measure(schema->attributes[row->values[i].attribute].type, &row->values[i], &aligned,
                &text);
    doc = malloc(head + aligned + text + 1); /* +1: an empty id still has an address */
    if (!doc)
        abort();
    *doc = (struct doc){.count = row->count, .bytes = row_bytes(schema, row)};
    packer = (struct packer){(char *)doc + head, (char *)doc + head + aligned};
    for (uint32_t i = 0; i < row->count; i++) {
        assert(i == 0 || row->values[i].attribute > row->values[i - 1].attribute);
        doc->values[i] =
            pack(&packer, schema->attributes[row->values[i].attribute].type, &row->values[i]);
    }
    return doc;
}

void
doc_free(struct doc *doc)
{
    free(doc);
}

/* ---- patching ---- */

struct doc *
doc_patched(const struct ns_schema *schema, const struct doc *doc, const struct row *patch)
{
    struct datum *merged = calloc((size_t)doc->count + patch->count, sizeof(*merged));
    struct row row = {merged, 1};
    uint32_t a = 1, b = 1; /* behind the id: the document's stays, whatever the patch has */
    struct doc *patched;

    assert(doc->count > 0 && patch->count > 0);
    if (!merged)
        abort();
    merged[0] = doc->values[0];
    while (a < doc->count || b < patch->count) {
        bool old_first = b == patch->count ||
                         (a < doc->count && doc->values[a].attribute < patch->values[b].attribute);
        bool same =
            !old_first && a < doc->count && doc->values[a].attribute == patch->values[b].attribute;
        struct datum value = old_first ? doc->values[a] : patch->values[b];

        a += old_first || same;
        b += !old_first;
        if (value.count != DATUM_CLEARED)
            merged[row.count++] = value;
    }
    patched = doc_new(schema, &row);
    free(merged);
    return patched;
}

void
row_write_id(struct json_writer *w, const struct ns_schema *schema, const struct datum *id)
{
    datum_write_scalar(w, schema->attributes[SCHEMA_ID].type.base, id->scalar);
}
