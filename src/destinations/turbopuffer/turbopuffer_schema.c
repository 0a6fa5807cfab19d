/* turbopuffer_schema: attributes from columns and hints, with every loss named. */
#include "destinations/turbopuffer/turbopuffer_schema.h"

#include <assert.h>
#include <stdio.h>

#define NAME_BYTES_MAX    128
#define DECLARATION_LIMIT MEGABYTES(1)
#define TEXT_SIZE         160

/* What one attribute is made from; shared by the checks. */
struct making {
    const struct mapping *mapping;
    const struct mapping_field *field;
    const struct type *source;
    struct report *report;
    struct turbopuffer_hint hint;
    struct turbopuffer_type target;
    char where[512]; /* "users.toml: mapping users" */
};

static void
note(const struct making *m, enum severity severity, const char *remedy, const char *what)
{
    report_add(m->report, severity, m->where, remedy, "column %s (%s): %s", m->field->name,
               m->source->name, what);
}

static bool
refuse(const struct making *m, const char *what)
{
    note(m, SEVERITY_ERROR, NULL, what);
    return false;
}

/* ---- names ---- */

static const char *const reserved[] = {"id", TURBOPUFFER_LSN, TURBOPUFFER_SEQ, TURBOPUFFER_DELETED};

static bool
check_name(const struct making *m)
{
    const char *name = m->field->name;

    if (name[0] == '\0' || strlen(name) > NAME_BYTES_MAX)
        return refuse(m, "an attribute name has 1 to 128 bytes; take the column out of `columns`");
    if (name[0] == '$')
        return refuse(m, "an attribute name cannot begin with $; take the column out of `columns`");
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++)
        if (strcmp(name, reserved[i]) == 0)
            return refuse(m, "this name is taken: the document has an attribute of its own by it; "
                             "rename the column, or take it out of `columns`");
    return true;
}

/* ---- types ---- */

/* [N]f32 of a vector(N): the number may come from either side, and must agree. */
static bool
settle_dimensions(struct making *m)
{
    uint32_t of_source =
        m->source->typmod > 0 && (m->source->kind == TYPE_VECTOR || m->source->kind == TYPE_HALFVEC)
            ? (uint32_t)m->source->typmod
            : 0;

    if (!turbopuffer_type_is_vector(&m->target))
        return true;
    if (m->target.dimensions == 0)
        m->target.dimensions = of_source;
    if (m->target.dimensions == 0)
        return refuse(m, "the number of dimensions is not known; write it as in "
                         "[target.schema] \"[768]f32\", or declare the column as vector(768)");
    if (m->target.dimensions > TURBOPUFFER_DIMENSIONS_MAX)
        return refuse(m, "turbopuffer holds at most 10752 dimensions");
    if (of_source && of_source != m->target.dimensions)
        return refuse(m, "[target.schema] names another number of dimensions than the column");
    return true;
}

static bool
refuse_conversion(const struct making *m)
{
    CLEANUP(buf_free) struct buf text = buf_make(1000);

    buf_put(&text, SPAN("cannot become "));
    turbopuffer_type_put(&m->target, &text);
    buf_put(&text, SPAN("; possible are "));
    turbopuffer_cell_choices(m->source, &text);
    return refuse(m, text.ptr);
}

static bool
settle_type(struct making *m, struct turbopuffer_attribute *ret)
{
    bool exact = m->field->exact || m->hint.exact;

    m->target = m->hint.typed ? m->hint.type : turbopuffer_type_default(m->source, exact);
    if (!settle_dimensions(m))
        return false;
    if (!turbopuffer_cell_make(m->source, &m->target, TURBOPUFFER_ATTRIBUTE_BYTES, &ret->cell))
        return refuse_conversion(m);
    if (exact && turbopuffer_cell_loss(&ret->cell))
        return refuse(m, "exact = true, but the type in [target.schema] loses digits; leave one of "
                         "them out");
    return true;
}

/* ---- options ---- */

static bool
is_text(const struct turbopuffer_type *type)
{
    return type->form == TURBOPUFFER_STRING;
}

static bool
can_be_filterable(const struct turbopuffer_type *type)
{
    return !turbopuffer_type_is_vector(type) && type->form != TURBOPUFFER_BYTES &&
           type->form != TURBOPUFFER_SPARSE;
}

static bool
check_options(const struct making *m)
{
    const struct json *ann = m->hint.options ? json_get(m->hint.options, "ann") : NULL;
    bool dense = turbopuffer_type_is_vector(&m->target);

    if (m->hint.searched && !is_text(&m->target))
        return refuse(m, "full_text_search, regex, glob and fuzzy need the type string or "
                         "[]string");
    if (m->hint.filterable == 1 && !can_be_filterable(&m->target))
        return refuse(m, "vectors and bytes cannot be filterable");
    if (ann && !dense)
        return refuse(m, "ann is for dense vectors such as [768]f32");
    if (ann && ann->type == JSON_BOOL && !ann->yes)
        return refuse(m, "turbopuffer keeps dense vectors with ann only: leave ann out");
    if (m->hint.options && json_get(m->hint.options, "sparse_knn") &&
        m->target.form != TURBOPUFFER_SPARSE)
        return refuse(m, "sparse_knn is for the type {}f16");
    if (m->hint.embeds && (!is_text(&m->target) || m->target.array))
        return refuse(m, "embed needs the type string");
    return true;
}

static bool
settle_filterable(const struct making *m)
{
    if (m->hint.filterable >= 0)
        return m->hint.filterable;
    return can_be_filterable(&m->target) && !m->hint.searched;
}

/* ---- losses ---- */

/* varchar(n): no value of it is longer than 4 bytes a character (typmod is n + 4). */
static bool
can_be_long(const struct type *source)
{
    static const unsigned long_kinds = 1u << TYPE_TEXT | 1u << TYPE_JSON | 1u << TYPE_XML |
                                       1u << TYPE_BYTEA | 1u << TYPE_COMPOSITE | 1u << TYPE_OTHER |
                                       1u << TYPE_NUMERIC;

    if (source->kind == TYPE_TEXT && source->typmod > 4 &&
        (size_t)(source->typmod - 4) * 4 <= TURBOPUFFER_FILTERABLE_BYTES)
        return false;
    if (source->kind == TYPE_NUMERIC && !source->array)
        return false;
    return long_kinds >> source->kind & 1 || source->array;
}

/* The column as a key of TOML: quoted where a bare key could not have its characters. */
static const char *
as_key(const char *name, char dst[TEXT_SIZE])
{
    static const char bare[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

    snprintf(dst, TEXT_SIZE, name[strspn(name, bare)] ? "\"%s\"" : "%s", name);
    return dst;
}

static void
note_losses(const struct making *m, const struct turbopuffer_attribute *attribute)
{
    const char *loss = turbopuffer_cell_loss(&attribute->cell);
    const char *unfit = turbopuffer_cell_unfit(&attribute->cell);
    const char *fate = m->mapping->on_unrepresentable == UNREPRESENTABLE_NULL
                           ? "such a value is written as null"
                           : "such a row becomes a dead letter";
    char key[TEXT_SIZE], remedy[TEXT_SIZE * 2], text[TEXT_SIZE * 3];
    bool offers = !attribute->vector && m->target.form != TURBOPUFFER_SPARSE && !m->hint.typed;

    snprintf(remedy, sizeof(remedy), "[target.schema] %s = { exact = true } keeps it as a string",
             as_key(m->field->name, key));
    if (loss)
        note(m, SEVERITY_NOTE, offers ? remedy : NULL, loss);
    if (unfit) {
        snprintf(text, sizeof(text), "%s; %s (on_unrepresentable = \"%s\")", unfit, fate,
                 unrepresentable_names[m->mapping->on_unrepresentable]);
        note(m, SEVERITY_NOTE, offers ? remedy : NULL, text);
    }
    if (is_text(&m->target) && attribute->filterable && can_be_long(m->source)) {
        snprintf(remedy, sizeof(remedy), "[target.schema] %s = { filterable = false }", key);
        note(m, SEVERITY_NOTE, remedy,
             "a value over 4 KiB becomes a dead letter while the attribute is filterable");
    }
}

/* ---- the declaration ---- */

static void
put_options(const struct json *options, struct json_writer *w)
{
    for (const struct json *option = options->first; option; option = option->next) {
        if (span_eq(option->key, SPAN("type")) || span_eq(option->key, SPAN("exact")))
            continue;
        json_key(w, option->key);
        json_value(w, option);
    }
}

/*
 * Strings in the form of an object: the bare type would reset search options that somebody has set
 * on the namespace by hand (facts 3.5).
 */
static struct span
declare(const struct making *m, struct arena *arena)
{
    CLEANUP(buf_free) struct buf out = buf_make(DECLARATION_LIMIT);
    CLEANUP(buf_free) struct buf type = buf_make(TEXT_SIZE);
    struct json_writer w = {.out = &out};
    bool dense = turbopuffer_type_is_vector(&m->target);

    turbopuffer_type_put(&m->target, &type);
    json_key(&w, span_of(m->field->name));
    if (!m->hint.options && !dense && !is_text(&m->target)) {
        json_string(&w, buf_span(&type));
        return arena_span(arena, buf_span(&out));
    }
    json_object_begin(&w);
    json_key(&w, SPAN("type"));
    json_string(&w, buf_span(&type));
    if (dense && !(m->hint.options && json_get(m->hint.options, "ann"))) {
        json_key(&w, SPAN("ann"));
        json_bool(&w, true);
    }
    if (m->hint.options)
        put_options(m->hint.options, &w);
    json_object_end(&w);
    assert(!out.overflow && !type.overflow);
    return arena_span(arena, buf_span(&out));
}

bool
turbopuffer_attribute_make(const struct mapping *mapping, size_t field, struct arena *arena,
                           struct report *report, struct turbopuffer_attribute *ret)
{
    struct making m = {
        .mapping = mapping,
        .field = &mapping->fields[field],
        .source = &mapping->columns[mapping->fields[field].column].type,
        .report = report,
    };
    struct turbopuffer_attribute attribute = {
        .name = span_of(m.field->name),
        .column = m.field->column,
    };

    assert(field < mapping->field_count);
    snprintf(m.where, sizeof(m.where), "%s: mapping %s", mapping->file, mapping->name);
    if (!check_name(&m) ||
        !turbopuffer_hint_read(m.field->hint, m.where, m.field->name, report, &m.hint) ||
        !settle_type(&m, &attribute) || !check_options(&m))
        return false;

    attribute.filterable = settle_filterable(&m);
    attribute.vector = turbopuffer_type_is_vector(&m.target);
    attribute.embeds = m.hint.embeds;
    if (attribute.filterable)
        attribute.cell.max_bytes = TURBOPUFFER_FILTERABLE_BYTES;
    attribute.declaration = declare(&m, arena);
    note_losses(&m, &attribute);
    *ret = attribute;
    return true;
}

const char *
turbopuffer_id_type(const struct mapping *mapping)
{
    switch (mapping->id_type) {
    case ID_UINT:
    case ID_INT:
        return mapping->id_encode_string ? "string" : "uint";
    case ID_UUID:
        return "uuid";
    case ID_STRING:
        return "string";
    case ID_AUTO:
    case ID_TYPE_MAX_:
        break;
    }
    assert(!"a bound mapping has an id type");
    return "string";
}
