/* mapping_bind: a mapping meets its table, and all that does not fit is said at once. */
#include <assert.h>

#include "base/json.h"
#include "base/words.h"
#include "model/ident.h"
#include "model/mapping_binder.h"
#include "model/predicate.h"

#define NAME_MAX_BYTES 1024 /* a name quoted, with every character doubled */

/* Attributes that are ours in every document. */
static const char *const reserved[] = {"__source_lsn", "__source_seq", "__deleted"};

static const char *
terminated(const struct binder *binder, const struct buf *text)
{
    return arena_strdup(binder->arena, text->ptr ? text->ptr : "");
}

const char *
binder_join(const struct binder *binder, const char *const *parts)
{
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(1));

    for (; *parts; parts++)
        buf_put(&out, span_of(*parts));
    return terminated(binder, &out);
}

const char *
binder_name(const struct binder *binder, const char *name)
{
    CLEANUP(buf_free) struct buf out = buf_make(NAME_MAX_BYTES);

    ident_put_plain(&out, span_of(name));
    return terminated(binder, &out);
}

/* ---- columns ---- */

static void
refuse_unpublished(struct binder *binder, const char *where, const struct table_column *column)
{
    const char *remedy = BINDER_JOIN(
        binder, "take it out, or make it a column like others:\nALTER TABLE ", binder->title,
        " ALTER COLUMN ", binder_name(binder, column->name), " DROP EXPRESSION;");

    report_add(binder->report, SEVERITY_ERROR, where, remedy,
               "column \"%s\" of %s is generated, and Postgres sends no virtual columns and stored "
               "ones only from 18 on",
               column->name, binder->title);
}

const struct table_column *
binder_column(struct binder *binder, const char *where, struct span name)
{
    const struct table *table = binder->table;
    const struct table_column *column = table_column_find(table, name);
    const char *nearest;

    if (column && column->unpublished) {
        refuse_unpublished(binder, where, column);
        return NULL;
    }
    if (column)
        return column;
    nearest = word_nearest(table->column_names, table->column_count, name);
    if (nearest)
        report_add(binder->report, SEVERITY_ERROR, where, NULL,
                   "%s has no column \"%.*s\"; did you mean \"%s\"?", binder->title, SPAN_ARG(name),
                   nearest);
    else
        report_add(binder->report, SEVERITY_ERROR, where, NULL, "%s has no column \"%.*s\"",
                   binder->title, SPAN_ARG(name));
    return NULL;
}

size_t
binder_add_column(struct binder *binder, const struct table_column *column)
{
    size_t at = 0;

    while (at < binder->bound.column_count && strcmp(binder->columns[at].name, column->name) != 0)
        at++;
    if (at == binder->bound.column_count) {
        assert(at < binder->table->column_count);
        binder->columns[at] = (struct mapping_column){column->name, column->type};
        binder->bound.column_count++;
    }
    return at;
}

/* ---- what is written ---- */

static bool
is_listed_before(const struct binder *binder, size_t i)
{
    for (size_t j = 0; j < i; j++) {
        if (strcmp(binder->mapping->names[j], binder->mapping->names[i]) == 0)
            return true;
    }
    return false;
}

/* A name that documents have for something else. */
static bool
is_taken(struct binder *binder, const char *name)
{
    if (strcmp(name, "id") == 0) {
        report_add(binder->report, SEVERITY_ERROR, binder->where, NULL,
                   "column \"id\" cannot be written beside the id \"%s\": documents have their id "
                   "under that name; take it out of `columns`, or make it the id",
                   binder->mapping->id_name);
        return true;
    }
    for (size_t i = 0; i < ARRAY_LEN(reserved); i++) {
        if (strcmp(name, reserved[i]) != 0)
            continue;
        report_add(binder->report, SEVERITY_ERROR, binder->where, NULL,
                   "column \"%s\" cannot be written: documents have the version of their row "
                   "under that name; take it out of `columns`",
                   name);
        return true;
    }
    return false;
}

static void
check_field(struct binder *binder, size_t i)
{
    const char *name = binder->mapping->names[i];
    const struct table_column *column;

    if (is_listed_before(binder, i)) {
        report_add(binder->report, SEVERITY_ERROR, binder->where, NULL,
                   "column \"%s\" is listed twice in `columns`; take one out", name);
        return;
    }
    if (strcmp(name, binder->mapping->id_name) == 0)
        return; /* the id is not repeated as an attribute */
    column = binder_column(binder, binder->where, span_of(name));
    if (!column || is_taken(binder, name))
        return;
    binder->fields[binder->bound.field_count++] = (struct mapping_field){
        .name = name,
        .column = binder_add_column(binder, column),
    };
}

/* ---- the predicate ---- */

/* "file:line:column" of the text, where it is known. */
static const char *
predicate_where(const struct binder *binder)
{
    const struct mapping *mapping = binder->mapping;
    CLEANUP(buf_free) struct buf out = buf_make(MEGABYTES(1));

    if (mapping->predicate_line == 0)
        return binder->where;
    buf_putf(&out, "%s:%d:%d", mapping->file, mapping->predicate_line, mapping->predicate_column);
    return terminated(binder, &out);
}

static bool
bind_predicate_column(struct binder *binder, const char *where, struct predicate *predicate,
                      size_t i)
{
    size_t place = predicate_column_place(predicate, i);
    CLEANUP(buf_free) struct buf at = buf_make(MEGABYTES(1));
    const struct table_column *column;

    buf_putf(&at, "%s: membership: column %zu", where, place);
    column = binder_column(binder, at.ptr, predicate_column_name(predicate, i));
    if (column)
        predicate_bind(predicate, i, binder_add_column(binder, column), &column->type);
    return column;
}

void
binder_check_predicate(struct binder *binder)
{
    const char *text = binder->mapping->predicate_text, *where = predicate_where(binder);
    struct predicate *predicate;
    bool bound = true;
    size_t never;
    struct err err;

    if (!text)
        return;
    if (!predicate_parse(span_of(text), binder->arena, &predicate, &err)) {
        report_add(binder->report, SEVERITY_ERROR, where, NULL, "membership: %s", err.text);
        return;
    }
    for (size_t i = 0; i < predicate_column_count(predicate); i++)
        bound &= bind_predicate_column(binder, where, predicate, i);
    if (!bound)
        return;
    if (!predicate_check(predicate, &err)) {
        report_add(binder->report, SEVERITY_ERROR, where, NULL, "membership: %s", err.text);
        return;
    }
    never = predicate_compares_null(predicate);
    if (never)
        report_add(binder->report, SEVERITY_WARNING, where, NULL,
                   "membership: column %zu: what is compared with NULL is never true; write IS "
                   "NULL or IS NOT NULL",
                   never);
    binder->bound.predicate = predicate;
}

/* ---- hints ---- */

static struct mapping_field *
find_field(struct binder *binder, struct span name)
{
    for (size_t i = 0; i < binder->bound.field_count; i++) {
        if (span_eq(span_of(binder->fields[i].name), name))
            return &binder->fields[i];
    }
    return NULL;
}

static bool
is_listed(const struct binder *binder, struct span name)
{
    for (size_t i = 0; i < binder->mapping->name_count; i++) {
        if (span_eq(span_of(binder->mapping->names[i]), name))
            return true;
    }
    return false;
}

static void
refuse_unknown_hint(struct binder *binder, struct span name)
{
    const struct mapping *mapping = binder->mapping;
    const char *nearest = word_nearest(mapping->names, mapping->name_count, name);

    if (nearest)
        report_add(binder->report, SEVERITY_ERROR, binder->where, NULL,
                   "[target.schema] names \"%.*s\", which is not in `columns`; did you mean "
                   "\"%s\"?",
                   SPAN_ARG(name), nearest);
    else
        report_add(binder->report, SEVERITY_ERROR, binder->where, NULL,
                   "[target.schema] names \"%.*s\", which is not in `columns`; add it there or "
                   "take it out here",
                   SPAN_ARG(name));
}

/* The type of the id is decided by [mapping] id; saying the same again is harmless. */
static void
check_id_hint(struct binder *binder, const struct json *hint)
{
    const struct mapping *bound = &binder->bound;
    enum id_type type = bound->id_type == ID_INT ? ID_UINT : bound->id_type;
    const char *want = id_type_names[bound->id_encode_string ? ID_STRING : type];

    if (hint->type == JSON_STRING && span_eq(hint->text, span_of(want)))
        return;
    report_add(binder->report, SEVERITY_ERROR, binder->where, NULL,
               "[target.schema] \"%.*s\" is the id, stored as %s; take it out there and set "
               "`id = { column = \"%s\", type = ... }` in [mapping]",
               SPAN_ARG(hint->key), want, binder->mapping->id_name);
}

static void
check_hint(struct binder *binder, const struct json *hint)
{
    struct mapping_field *field = find_field(binder, hint->key);
    const struct json *exact;

    if (span_eq(hint->key, span_of(binder->mapping->id_name)) || span_eq(hint->key, SPAN("id"))) {
        check_id_hint(binder, hint);
        return;
    }
    if (!field) {
        /* a listed column that is no field has had its own fault */
        if (!is_listed(binder, hint->key))
            refuse_unknown_hint(binder, hint->key);
        return;
    }
    if (hint->type != JSON_STRING && hint->type != JSON_OBJECT) {
        report_add(binder->report, SEVERITY_ERROR, binder->where, NULL,
                   "[target.schema] \"%s\" is neither a type nor a table; write %s = \"string\" "
                   "or %s = { type = \"string\" }",
                   field->name, field->name, field->name);
        return;
    }
    field->hint = hint;
    exact = hint->type == JSON_OBJECT ? json_get(hint, "exact") : NULL;
    if (exact && exact->type != JSON_BOOL)
        report_add(binder->report, SEVERITY_ERROR, binder->where, NULL,
                   "[target.schema] \"%s\": exact is true or false", field->name);
    field->exact = exact && exact->yes;
}

void
binder_check_hints(struct binder *binder)
{
    const struct json *hints = binder->mapping->hints;

    if (!hints)
        return;
    assert(hints->type == JSON_OBJECT);
    for (const struct json *hint = hints->first; hint; hint = hint->next)
        check_hint(binder, hint);
}

/* ---- all together ---- */

static void
check_circumstances(struct binder *binder)
{
    if (binder->table->row_security)
        report_add(binder->report, SEVERITY_WARNING, binder->where,
                   "ALTER ROLE ... BYPASSRLS;  -- or connect as the owner of the table",
                   "row level security hides rows of %s from the connected role; reading them "
                   "back will fail",
                   binder->title);
    if (binder->mapping->versioning == VERSIONING_NONE)
        report_add(binder->report, SEVERITY_WARNING, binder->where, NULL,
                   "versioning.mode = \"none\": writes carry no versions and no conditions, so "
                   "that only their order keeps an older row from replacing a newer one");
}

static struct binder
binder_make(const struct mapping *mapping, const struct table *table, struct arena *arena,
            struct report *report)
{
    struct binder binder = {
        .mapping = mapping,
        .table = table,
        .arena = arena,
        .report = report,
        .bound = *mapping,
        .columns = arena_new_n(arena, struct mapping_column, table->column_count),
        .fields = arena_new_n(arena, struct mapping_field, mapping->name_count),
    };

    binder.where = mapping->file ? BINDER_JOIN(&binder, mapping->file, ": mapping ", mapping->name)
                                 : BINDER_JOIN(&binder, "mapping ", mapping->name);
    binder.title = BINDER_JOIN(&binder, binder_name(&binder, table->schema), ".",
                               binder_name(&binder, table->name));
    binder.bound.source = table;
    binder.bound.column_count = 0;
    binder.bound.columns = binder.columns;
    binder.bound.field_count = 0;
    binder.bound.fields = binder.fields;
    binder.bound.predicate = NULL;
    return binder;
}

bool
mapping_bind(struct mapping *mapping, const struct table *table, struct arena *arena,
             struct report *report)
{
    size_t errors = report->count[SEVERITY_ERROR];
    struct binder binder = binder_make(mapping, table, arena, report);

    assert(mapping->id_name && mapping->name);
    binder_check_id(&binder);
    for (size_t i = 0; i < mapping->name_count; i++)
        check_field(&binder, i);
    binder_check_predicate(&binder);
    binder_check_hints(&binder);
    check_circumstances(&binder);
    if (report->count[SEVERITY_ERROR] > errors)
        return false;
    *mapping = binder.bound;
    return true;
}
