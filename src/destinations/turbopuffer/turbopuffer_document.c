/* turbopuffer_document: one action as the cells of its columns, or as a row. */
#include "destinations/turbopuffer/turbopuffer_document.h"

#include <assert.h>

#include "base/json.h"

/* ---- values ---- */

enum cell_result {
    CELL_WRITTEN,
    CELL_NULL,
    CELL_FAILED,
};

/* The texts name no sizes: failures of one cause have to read alike (SEMANTICS 16). */
static bool
explain_length(const struct turbopuffer_attribute *attribute, struct err *err)
{
    if (attribute->filterable)
        return err_set(err, ERR_DATA,
                       "column %s: %s over the 4 KiB of a filterable attribute; set %s = { "
                       "filterable = false } in [target.schema]",
                       attribute->name.ptr,
                       attribute->cell.target.array ? "an element is" : "its value is",
                       attribute->name.ptr);
    return err_set(
        err, ERR_DATA,
        "column %s: its value is over the 8 MiB of an attribute; shorten it, or take the "
        "column out of `columns`",
        attribute->name.ptr);
}

/* Fill err with what is wrong with the value and what to do. */
COLD static bool
explain(const struct turbopuffer_attribute *attribute, enum turbopuffer_fit fit, struct err *err)
{
    const struct turbopuffer_cell *cell = &attribute->cell;
    const char *unfit = turbopuffer_cell_unfit(cell);

    if (fit == TURBOPUFFER_TOO_LONG)
        return explain_length(attribute, err);
    if (fit == TURBOPUFFER_MALFORMED)
        return err_set(err, ERR_DATA, "column %s: its value is not written like a %s",
                       attribute->name.ptr, cell->source.name);
    if (attribute->vector)
        return err_set(err, ERR_DATA,
                       "column %s: its value is no vector of %u numbers; mend the row, or leave "
                       "it out with `membership`",
                       attribute->name.ptr, cell->target.dimensions);
    return err_set(err, ERR_DATA,
                   "column %s: %s; set on_unrepresentable = \"null\" in [target], or another type "
                   "in [target.schema]",
                   attribute->name.ptr, unfit ? unfit : "its value has no form");
}

COLD static enum cell_result
fail_null_vector(const struct turbopuffer_attribute *attribute, struct err *err)
{
    err_set(err, ERR_DATA,
            "column %s is null, and turbopuffer wants a vector in every document; leave such rows "
            "out with membership = \"%s IS NOT NULL\"",
            attribute->name.ptr, attribute->name.ptr);
    return CELL_FAILED;
}

COLD static enum cell_result
put_odd_value(const struct turbopuffer_attribute *attribute, const struct value *value,
              struct buf *out, struct err *err)
{
    switch (value->kind) {
    case VALUE_NULL:
        return attribute->vector ? fail_null_vector(attribute, err) : CELL_NULL;
    case VALUE_JSON:
        buf_put(out, value_span(value));
        return CELL_WRITTEN;
    case VALUE_TEXT:
    case VALUE_BINARY:
    case VALUE_UNCHANGED:
        break;
    }
    err_set(err, ERR_BUG, "column %s came to the destination without its text",
            attribute->name.ptr);
    return CELL_FAILED;
}

/* On CELL_NULL nothing has been added to `out`. */
static enum cell_result
put_value(const struct turbopuffer_plan *plan, const struct turbopuffer_attribute *attribute,
          const struct value *value, struct buf *out, struct err *err)
{
    size_t begin = out->len;
    enum turbopuffer_fit fit;

    assert(attribute->cell.put);
    if (value->kind == VALUE_NULL && !attribute->vector)
        return CELL_NULL;
    if (value->kind != VALUE_TEXT)
        return put_odd_value(attribute, value, out, err);
    fit = attribute->cell.put(&attribute->cell, value_span(value), out);
    if (fit == TURBOPUFFER_FITS)
        return CELL_WRITTEN;

    out->len = begin;
    if (fit == TURBOPUFFER_UNFIT && !attribute->vector &&
        plan->mapping->on_unrepresentable == UNREPRESENTABLE_NULL)
        return CELL_NULL;
    explain(attribute, fit, err);
    return CELL_FAILED;
}

void
turbopuffer_put_id(const struct docid *id, struct buf *out)
{
    if (id->quoted)
        json_put_string(out, id->text);
    else
        buf_put(out, id->text);
}

/* ---- one document as columns ---- */

static void
put_cell(struct turbopuffer_column *column, struct span json)
{
    buf_putc(&column->cells, ',');
    buf_put(&column->cells, json);
}

static void
put_version_cells(struct turbopuffer_column *columns, uint64_t version, uint64_t seq)
{
    buf_putc(&columns[0].cells, ',');
    buf_put_uint(&columns[0].cells, version);
    buf_putc(&columns[1].cells, ',');
    buf_put_uint(&columns[1].cells, seq);
}

static bool
put_attribute_cells(const struct turbopuffer_plan *plan, struct turbopuffer_column *columns,
                    const struct action *action, struct err *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct turbopuffer_attribute *attribute = &plan->attributes[i];
        struct buf *cells = &columns[1 + i].cells;
        enum cell_result result;

        buf_putc(cells, ',');
        result = put_value(plan, attribute, &action->image[attribute->column], cells, err);
        if (result == CELL_FAILED)
            return false;
        if (result == CELL_NULL)
            buf_put(cells, SPAN("null"));
    }
    return true;
}

static void
put_tombstone_cells(const struct turbopuffer_plan *plan, struct turbopuffer_column *columns)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct turbopuffer_attribute *attribute = &plan->attributes[i];

        put_cell(&columns[1 + i], attribute->vector ? attribute->unit : SPAN("null"));
    }
}

static bool
put_columns(const struct turbopuffer_plan *plan, struct turbopuffer_column *columns,
            const struct action *action, uint64_t version, struct err *err)
{
    struct turbopuffer_column *ours = &columns[1 + plan->count];
    bool dead = action->kind == ACTION_DELETE;

    assert(action->id.text.len > 0 || action->id.quoted);
    buf_putc(&columns[0].cells, ',');
    turbopuffer_put_id(&action->id, &columns[0].cells);
    if (dead)
        put_tombstone_cells(plan, columns);
    else if (!put_attribute_cells(plan, columns, action, err))
        return false;
    if (plan->versioned)
        put_version_cells(ours, version, action->position.ordinal);
    if (plan->tombstones)
        put_cell(&ours[2u * plan->versioned], dead ? SPAN("true") : SPAN("null"));
    return true;
}

/* ---- one document as a row; what is null is left out ---- */

static bool
put_attribute_members(const struct turbopuffer_plan *plan, const struct action *action,
                      struct buf *out, struct err *err)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct turbopuffer_attribute *attribute = &plan->attributes[i];
        size_t begin = out->len;
        enum cell_result result;

        buf_put(out, plan->keys[i]);
        result = put_value(plan, attribute, &action->image[attribute->column], out, err);
        if (result == CELL_FAILED)
            return false;
        if (result == CELL_NULL)
            out->len = begin;
    }
    return true;
}

static void
put_tombstone_members(const struct turbopuffer_plan *plan, struct buf *out)
{
    for (size_t i = 0; i < plan->count; i++) {
        if (!plan->attributes[i].vector)
            continue;
        buf_put(out, plan->keys[i]);
        buf_put(out, plan->attributes[i].unit);
    }
}

static bool
put_row(const struct turbopuffer_plan *plan, struct buf *out, const struct action *action,
        uint64_t version, struct err *err)
{
    bool dead = action->kind == ACTION_DELETE;

    buf_put(out, SPAN(",{\"id\":"));
    turbopuffer_put_id(&action->id, out);
    if (dead)
        put_tombstone_members(plan, out);
    else if (!put_attribute_members(plan, action, out, err))
        return false;
    if (plan->versioned) {
        buf_put(out, SPAN(",\"" TURBOPUFFER_LSN "\":"));
        buf_put_uint(out, version);
        buf_put(out, SPAN(",\"" TURBOPUFFER_SEQ "\":"));
        buf_put_uint(out, action->position.ordinal);
    }
    if (dead)
        buf_put(out, SPAN(",\"" TURBOPUFFER_DELETED "\":true"));
    buf_putc(out, '}');
    return true;
}

/* ---- either ---- */

size_t
turbopuffer_column_count(const struct turbopuffer_plan *plan)
{
    if (plan->mapping->format == WRITE_ROWS)
        return 1;
    return 1 + plan->count + 2u * plan->versioned + plan->tombstones;
}

bool
turbopuffer_put_document(const struct turbopuffer_plan *plan, struct turbopuffer_column *columns,
                         const struct action *action, uint64_t version, struct err *err)
{
    assert(action->kind == ACTION_UPSERT || (action->kind == ACTION_DELETE && plan->tombstones));
    assert(action->kind == ACTION_DELETE || action->image || plan->count == 0);
    if (plan->mapping->format == WRITE_ROWS)
        return put_row(plan, &columns[0].cells, action, version, err);
    return put_columns(plan, columns, action, version, err);
}
