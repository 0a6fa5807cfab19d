/* write_apply: changing documents by a checked plan, and the answer to it. */
#include <assert.h>
#include <stdlib.h>

#include "local/refuse.h"
#include "local/write_plan.h"

/* ---- by filter ---- */

struct matches {
    struct doc **items;
    size_t count;
};

static int
compare_ids(const void *a, const void *b, void *context)
{
    const struct ns_schema *schema = context;
    struct doc *left = *(struct doc *const *)a, *right = *(struct doc *const *)b;

    return datum_compare(schema->attributes[SCHEMA_ID].type, &left->values[0], &right->values[0]);
}

/* The documents a filter matches, in the order of their ids, at most `limit` of them. */
static bool
collect(struct write *w, const struct filter *filter, size_t limit, bool partial,
        struct matches *ret, struct err *err)
{
    struct ns *ns = w->changes.ns;
    struct matches matches = {arena_new_n(w->call->arena, struct doc *, ns->docs.count + 1), 0};
    struct doc *doc;

    assert(filter && limit > 0);
    for (size_t at = 0; (doc = ns_next(ns, &at)) != NULL;) {
        struct row row = doc_row(doc);

        if (filter_match(filter, &row, NULL))
            matches.items[matches.count++] = doc;
    }
    qsort_r(matches.items, matches.count, sizeof(struct doc *), compare_ids, &w->schema);
    if (matches.count > limit && !partial)
        return refuse(err, 400, "the filter matches %zu documents, at most %zu are allowed",
                      matches.count, limit);
    if (matches.count > limit) {
        matches.count = limit;
        w->remaining = true;
    }
    *ret = matches;
    return true;
}

static bool
delete_by_filter(struct write *w, struct err *err)
{
    struct matches matches = {0};

    if (!w->delete_filter)
        return true;
    if (!collect(w, w->delete_filter, w->call->db->limits.delete_filter_rows,
                 write_flag(w, FIELD_DELETE_BY_FILTER_ALLOW_PARTIAL), &matches, err))
        return err_wrap(err, "delete_by_filter");
    for (size_t i = 0; i < matches.count; i++)
        changes_remove(&w->changes, JOURNAL_DELETE_BY_FILTER, matches.items[i]);
    w->deleted += matches.count;
    return true;
}

static bool
patch_doc(struct write *w, enum journal_op op, struct doc *doc, const struct row *patch,
          struct err *err)
{
    struct doc *patched = doc_patched(&w->schema, doc, patch);
    size_t limit = w->call->db->limits.document_bytes;

    assert(op == JOURNAL_PATCH || op == JOURNAL_PATCH_BY_FILTER);
    if (patched->bytes > limit) {
        refuse(err, 400, "the patched document has %zu bytes, at most %zu are allowed",
               patched->bytes, limit);
        doc_free(patched);
        return false;
    }
    changes_put(&w->changes, op, doc, patched);
    w->bytes_written += row_bytes(&w->schema, patch);
    w->patched++;
    return true;
}

static bool
patch_by_filter(struct write *w, struct err *err)
{
    struct matches matches = {0};

    if (!w->patch_filter)
        return true;
    if (!collect(w, w->patch_filter, w->call->db->limits.patch_filter_rows,
                 write_flag(w, FIELD_PATCH_BY_FILTER_ALLOW_PARTIAL), &matches, err))
        return err_wrap(err, "patch_by_filter");
    for (size_t i = 0; i < matches.count; i++) {
        if (!patch_doc(w, JOURNAL_PATCH_BY_FILTER, matches.items[i], &w->filter_patch, err))
            return err_wrap(err, "patch_by_filter");
    }
    return true;
}

/* ---- by id ---- */

/* An absent document makes an upsert unconditional. */
static void
upsert_one(struct write *w, const struct row *row)
{
    struct doc *before = ns_get(w->changes.ns, &w->schema, &row->values[0]);
    struct row stored = before ? doc_row(before) : (struct row){0};
    struct doc *doc;

    if (before && !filter_match(w->upsert_condition, &stored, row)) {
        changes_note(&w->changes, JOURNAL_UPSERT, JOURNAL_SKIPPED, &row->values[0], before);
        return;
    }
    doc = doc_new(&w->schema, row);
    w->bytes_written += doc->bytes;
    w->upserted++;
    changes_put(&w->changes, JOURNAL_UPSERT, before, doc);
}

static bool
patch_one(struct write *w, const struct row *row, struct err *err)
{
    struct doc *doc = ns_get(w->changes.ns, &w->schema, &row->values[0]);
    struct row stored = doc ? doc_row(doc) : (struct row){0};
    enum journal_effect effect = doc ? JOURNAL_SKIPPED : JOURNAL_ABSENT;

    if (doc && filter_match(w->patch_condition, &stored, row))
        return patch_doc(w, JOURNAL_PATCH, doc, row, err);
    changes_note(&w->changes, JOURNAL_PATCH, effect, &row->values[0], doc);
    return true;
}

/* Every $ref_new is null: there is no incoming row. */
static void
delete_one(struct write *w, const struct datum *id)
{
    struct doc *doc = ns_get(w->changes.ns, &w->schema, id);
    struct row stored = doc ? doc_row(doc) : (struct row){0};
    enum journal_effect effect = doc ? JOURNAL_SKIPPED : JOURNAL_ABSENT;

    if (doc && filter_match(w->delete_condition, &stored, NULL)) {
        changes_remove(&w->changes, JOURNAL_DELETE, doc);
        w->deleted++;
        return;
    }
    /* The live service counts an unconditional delete of an absent id, not a conditional one. */
    w->deleted += !doc && !w->delete_condition;
    changes_note(&w->changes, JOURNAL_DELETE, effect, id, doc);
}

bool
write_apply(struct write *w, struct err *err)
{
    assert(w->changes.ns && w->changes.count == 0);
    if (!delete_by_filter(w, err) || !patch_by_filter(w, err))
        return false;
    for (size_t i = 0; i < w->upserts.count; i++)
        upsert_one(w, &w->upserts.items[i]);
    for (size_t i = 0; i < w->patches.count; i++) {
        if (!patch_one(w, &w->patches.items[i], err))
            return err_wrap(err, "patch %zu", i);
    }
    for (size_t i = 0; i < w->deletes.count; i++)
        delete_one(w, &w->deletes.items[i].values[0]);
    return true;
}

/* ---- the answer ---- */

struct tally {
    const char *count_name, *ids_name;
    bool asked;
    size_t count;
    enum journal_op op, op_by_filter;
};

static void
answer_count(struct json_writer *out, const char *name, size_t count)
{
    json_key(out, span_of(name));
    json_uint(out, count);
}

static void
answer_ids(struct json_writer *out, const struct write *w, const struct tally *tally)
{
    json_key(out, span_of(tally->ids_name));
    json_array_begin(out);
    for (size_t i = 0; i < w->changes.count; i++) {
        const struct change *change = &w->changes.items[i];

        if (change->effect == JOURNAL_APPLIED &&
            (change->op == tally->op || change->op == tally->op_by_filter))
            row_write_id(out, &w->schema, &change->id);
    }
    json_array_end(out);
}

static void
answer_bill(struct json_writer *out, const struct write *w)
{
    bool queried = w->upsert_condition || w->patch_condition || w->delete_condition ||
                   w->delete_filter || w->patch_filter || w->patches.count;

    json_key(out, SPAN("billing"));
    json_object_begin(out);
    answer_count(out, "billable_logical_bytes_written", w->bytes_written);
    if (queried) {
        json_key(out, SPAN("query"));
        json_object_begin(out);
        answer_count(out, "billable_logical_bytes_queried",
                     w->changes.ns ? w->changes.ns->bytes : 0);
        answer_count(out, "billable_logical_bytes_returned", 0);
        json_object_end(out);
    }
    json_object_end(out);
    json_key(out, SPAN("performance"));
    json_raw(out, SPAN("{\"server_total_ms\":0}"));
}

static void
answer_message(struct json_writer *out, const struct write *w)
{
    bool ignored = !w->changes.ns;

    json_key(out, SPAN("status"));
    json_string(out, SPAN("OK"));
    json_key(out, SPAN("message"));
    json_string(out, ignored ? SPAN("the namespace does not exist: the write was ignored")
                             : SPAN("rows were written"));
}

void
write_answer(const struct write *w, struct buf *buf)
{
    struct json_writer out = {.out = buf};
    const struct json *const *f = w->fields;
    const struct tally tallies[] = {
        {"rows_upserted", "upserted_ids", f[FIELD_UPSERT_ROWS] || f[FIELD_UPSERT_COLUMNS],
         w->upserted, JOURNAL_UPSERT, JOURNAL_UPSERT},
        {"rows_patched", "patched_ids",
         f[FIELD_PATCH_ROWS] || f[FIELD_PATCH_COLUMNS] || f[FIELD_PATCH_BY_FILTER], w->patched,
         JOURNAL_PATCH, JOURNAL_PATCH_BY_FILTER},
        {"rows_deleted", "deleted_ids", f[FIELD_DELETES] || f[FIELD_DELETE_BY_FILTER], w->deleted,
         JOURNAL_DELETE, JOURNAL_DELETE_BY_FILTER},
    };

    assert(w->call && w->schema.count > 0);
    json_object_begin(&out);
    answer_message(&out, w);
    answer_count(&out, "rows_affected", w->upserted + w->patched + w->deleted);
    for (size_t i = 0; i < ARRAY_LEN(tallies); i++) {
        if (!tallies[i].asked)
            continue;
        answer_count(&out, tallies[i].count_name, tallies[i].count);
        if (write_flag(w, FIELD_RETURN_AFFECTED_IDS))
            answer_ids(&out, w, &tallies[i]);
    }
    if (w->remaining) {
        json_key(&out, SPAN("rows_remaining"));
        json_bool(&out, true);
    }
    answer_bill(&out, w);
    json_object_end(&out);
}
