/* turbopuffer_render: actions to request bodies, column by column, without a tree. */
#include "destinations/turbopuffer/turbopuffer_render.h"

#include <assert.h>

#define PARTS_BESIDES_COLUMNS 24

/* ---- life ---- */

void
turbopuffer_render_init(struct turbopuffer_render *render, const struct turbopuffer_plan *plan,
                        struct arena *arena)
{
    size_t count = turbopuffer_column_count(plan);

    *render = (struct turbopuffer_render){
        .plan = plan,
        .columns = arena_new_n(arena, struct turbopuffer_column, count),
        .column_count = count,
        .ids = buf_make(TURBOPUFFER_REQUEST_BYTES),
        .branches = buf_make(TURBOPUFFER_REQUEST_BYTES),
        .condition = buf_make(TURBOPUFFER_REQUEST_BYTES),
        .parts = arena_new_n(arena, struct span, 2 * count + PARTS_BESIDES_COLUMNS),
    };
    for (size_t i = 0; i < count; i++)
        render->columns[i].cells = buf_make(TURBOPUFFER_REQUEST_BYTES);
}

void
turbopuffer_render_done(struct turbopuffer_render *render)
{
    for (size_t i = 0; i < render->column_count; i++)
        buf_free(&render->columns[i].cells);
    buf_free(&render->ids);
    buf_free(&render->branches);
    buf_free(&render->condition);
}

void
turbopuffer_render_start(struct turbopuffer_render *render, const struct action *actions,
                         size_t count)
{
    render->actions = actions;
    render->count = count;
    render->at = 0;
}

/* ---- adding to the request; *ret_full: it did not fit, and was taken back ---- */

static size_t
grown_bytes(const struct turbopuffer_render *render)
{
    size_t grown = 0;

    for (size_t i = 0; i < render->column_count; i++)
        grown += render->columns[i].cells.len - render->columns[i].mark;
    return grown;
}

static bool
overflowed(const struct turbopuffer_render *render)
{
    for (size_t i = 0; i < render->column_count; i++)
        if (render->columns[i].cells.overflow)
            return true;
    return false;
}

COLD static bool
explain_document(const struct turbopuffer_render *render, const struct action *action,
                 struct err *err)
{
    const struct turbopuffer_plan *plan = render->plan;
    const struct turbopuffer_attribute *largest = NULL;

    for (size_t i = 0; i < plan->count; i++) {
        const struct turbopuffer_attribute *attribute = &plan->attributes[i];

        if (!largest || action->image[attribute->column].len > action->image[largest->column].len)
            largest = attribute;
    }
    return err_set(err, ERR_DATA,
                   "the document is over the 64 MiB that turbopuffer holds; its largest column is "
                   "%s: take it out of `columns`, or shorten the value",
                   largest ? largest->name.ptr : "the id");
}

static bool
is_empty(const struct turbopuffer_render *render)
{
    return render->upserts + render->deletes == 0;
}

/* The last row becomes part of the request, or not. */
static bool
settle_row(struct turbopuffer_render *render, const struct action *action, bool *ret_full,
           struct err *err)
{
    size_t grown = grown_bytes(render);

    if (grown > TURBOPUFFER_DOCUMENT_BYTES || overflowed(render))
        return explain_document(render, action, err);
    *ret_full = !is_empty(render) && (render->bytes + grown > render->plan->max_bytes ||
                                      render->upserts == render->plan->max_rows);
    for (size_t i = 0; i < render->column_count; i++) {
        if (*ret_full)
            render->columns[i].cells.len = render->columns[i].mark;
        render->columns[i].mark = render->columns[i].cells.len;
    }
    if (!*ret_full) {
        render->bytes += grown;
        render->upserts++;
    }
    return true;
}

static bool
add_document(struct turbopuffer_render *render, const struct action *action, uint64_t version,
             bool *ret_full, struct err *err)
{
    return turbopuffer_put_document(render->plan, render->columns, action, version, err) &&
           settle_row(render, action, ret_full, err);
}

static void
put_branch(const struct action *action, uint64_t version, struct buf *out)
{
    buf_put(out, SPAN(",[\"And\",[[\"id\",\"Eq\","));
    turbopuffer_put_id(&action->id, out);
    buf_put(out, SPAN("],"));
    turbopuffer_put_older(version, action->position.ordinal, out);
    buf_put(out, SPAN("]]"));
}

/*
 * While all versions are the same one condition serves; from the first other one on every id has
 * its branch.  Branches beyond the limit are never needed: another version then begins a request.
 */
static bool
add_delete(struct turbopuffer_render *render, const struct action *action, uint64_t version)
{
    size_t ids = render->ids.len, branches = render->branches.len, grown;
    bool mixed = render->mixed || (render->deletes > 0 &&
                                   position_compare(action->position, render->first_delete) != 0);

    if (render->plan->versioned && mixed && render->deletes >= TURBOPUFFER_BRANCHES)
        return false;
    buf_putc(&render->ids, ',');
    turbopuffer_put_id(&action->id, &render->ids);
    if (render->plan->versioned && render->deletes < TURBOPUFFER_BRANCHES)
        put_branch(action, version, &render->branches);
    grown = render->ids.len - ids + render->branches.len - branches;
    if (!is_empty(render) && render->bytes + grown > render->plan->max_bytes) {
        render->ids.len = ids;
        render->branches.len = branches;
        return false;
    }
    if (render->deletes == 0)
        render->first_delete = action->position;
    render->mixed = mixed;
    render->deletes++;
    render->bytes += grown;
    return true;
}

static bool
add_action(struct turbopuffer_render *render, const struct action *action, bool *ret_full,
           struct err *err)
{
    bool physical = action->kind == ACTION_DELETE && !render->plan->tombstones;
    uint64_t version = 0;

    assert(action->kind == ACTION_UPSERT || action->kind == ACTION_DELETE);
    if (render->plan->versioned &&
        !turbopuffer_version(render->plan, action->position.commit, &version, err))
        return false;
    if (!physical)
        return add_document(render, action, version, ret_full, err);
    *ret_full = !add_delete(render, action, version);
    return true;
}

/* ---- putting the request together ---- */

static void
part(struct turbopuffer_render *render, struct span s)
{
    if (s.len > 0)
        render->parts[render->part_count++] = s;
}

/* Cells, ids and branches have a comma in front of each. */
static struct span
without_first_comma(const struct buf *list)
{
    assert(list->len > 0);
    return span_skip(buf_span(list), 1);
}

static void
put_upsert_columns(struct turbopuffer_render *render)
{
    const struct turbopuffer_plan *plan = render->plan;
    struct turbopuffer_column *columns = render->columns;
    size_t at = 0;

    part(render, SPAN("\"upsert_columns\":{\"id\":["));
    part(render, without_first_comma(&columns[at++].cells));
    for (size_t i = 0; i < plan->count; i++) {
        part(render, plan->keys[i]);
        part(render, without_first_comma(&columns[at++].cells));
    }
    if (plan->versioned) {
        part(render, SPAN("],\"" TURBOPUFFER_LSN "\":["));
        part(render, without_first_comma(&columns[at++].cells));
        part(render, SPAN("],\"" TURBOPUFFER_SEQ "\":["));
        part(render, without_first_comma(&columns[at++].cells));
    }
    if (plan->tombstones) {
        part(render, SPAN("],\"" TURBOPUFFER_DELETED "\":["));
        part(render, without_first_comma(&columns[at++].cells));
    }
    assert(at == render->column_count);
    part(render, SPAN("]},"));
}

static void
put_upserts(struct turbopuffer_render *render)
{
    if (render->upserts == 0)
        return;
    if (render->plan->mapping->format == WRITE_COLUMNS) {
        put_upsert_columns(render);
    } else {
        part(render, SPAN("\"upsert_rows\":["));
        part(render, without_first_comma(&render->columns[0].cells));
        part(render, SPAN("],"));
    }
    if (render->plan->upsert_condition.len) {
        part(render, render->plan->upsert_condition);
        part(render, SPAN(","));
    }
}

static bool
put_delete_condition(struct turbopuffer_render *render, struct err *err)
{
    uint64_t version;

    if (!render->plan->versioned)
        return true;
    if (render->mixed) {
        part(render, SPAN("\"delete_condition\":[\"Or\",["));
        part(render, without_first_comma(&render->branches));
        part(render, SPAN("]],"));
        return true;
    }
    if (!turbopuffer_version(render->plan, render->first_delete.commit, &version, err))
        return false;
    buf_put(&render->condition, SPAN("\"delete_condition\":"));
    turbopuffer_put_older(version, render->first_delete.ordinal, &render->condition);
    buf_putc(&render->condition, ',');
    part(render, buf_span(&render->condition));
    return true;
}

static bool
put_deletes(struct turbopuffer_render *render, struct err *err)
{
    if (render->deletes == 0)
        return true;
    part(render, SPAN("\"deletes\":["));
    part(render, without_first_comma(&render->ids));
    part(render, SPAN("],"));
    return put_delete_condition(render, err);
}

static void
put_end(struct turbopuffer_render *render)
{
    part(render, render->plan->schema);
    if (render->plan->metric.len) {
        part(render, SPAN(","));
        part(render, render->plan->metric);
    }
    part(render, SPAN("}"));
    render->bytes = 0;
    for (size_t i = 0; i < render->part_count; i++)
        render->bytes += render->parts[i].len;
}

/* Everything of this target up to the version (SEMANTICS 18); without versions, everything. */
static bool
make_truncate(struct turbopuffer_render *render, const struct action *action, struct err *err)
{
    uint64_t version;

    if (!turbopuffer_version(render->plan, action->position.commit, &version, err))
        return false;
    if (render->plan->versioned)
        turbopuffer_put_older(version, action->position.ordinal, &render->condition);
    else
        buf_put(&render->condition, SPAN("[\"id\",\"NotEq\",null]"));
    part(render, SPAN("{\"delete_by_filter\":"));
    part(render, buf_span(&render->condition));
    part(render, SPAN(",\"delete_by_filter_allow_partial\":true,"));
    put_end(render);
    return true;
}

/* Buffers are kept up to `keep` bytes in all, however they are spread. */
static void
clear_buffers(struct turbopuffer_render *render, size_t keep)
{
    struct buf *const others[] = {&render->ids, &render->branches, &render->condition};
    size_t kept = 0;

    for (size_t i = 0; i < render->column_count + ARRAY_LEN(others); i++) {
        size_t column = i - ARRAY_LEN(others);
        struct buf *buf = i < ARRAY_LEN(others) ? others[i] : &render->columns[column].cells;

        kept += buf->cap;
        if (kept > keep)
            buf_free(buf);
        buf_clear(buf);
    }
    for (size_t i = 0; i < render->column_count; i++)
        render->columns[i].mark = 0;
}

void
turbopuffer_render_rest(struct turbopuffer_render *render)
{
    clear_buffers(render, TURBOPUFFER_REST_BYTES);
}

static void
begin_request(struct turbopuffer_render *render)
{
    clear_buffers(render, render->plan->max_bytes * 2);
    render->upserts = render->deletes = render->part_count = 0;
    render->mixed = false;
    render->bytes = render->plan->frame_bytes;
}

bool
turbopuffer_render_next(struct turbopuffer_render *render, bool *ret_more, struct err *err)
{
    bool full = false;

    begin_request(render);
    *ret_more = render->at < render->count;
    if (!*ret_more)
        return true;
    if (render->actions[render->at].kind == ACTION_TRUNCATE)
        return make_truncate(render, &render->actions[render->at++], err);

    while (render->at < render->count && !full) {
        const struct action *action = &render->actions[render->at];

        if (action->kind == ACTION_TRUNCATE)
            break;
        if (!add_action(render, action, &full, err))
            return false;
        render->at += !full;
    }
    assert(!is_empty(render));
    part(render, SPAN("{"));
    put_upserts(render);
    if (!put_deletes(render, err))
        return false;
    put_end(render);
    return true;
}
