/* partitions: the leaves of partitioned tables, and how they differ from before. */
#include "source/partitions.h"

#include <assert.h>

#include "base/json.h"
#include "pg/session.h"

#define TEXT_LIMIT MEGABYTES(16)

/* clang-format off */
const char *const partition_change_names[PARTITION_CHANGE_MAX_ + 1] = {
    [PARTITION_ATTACHED]  = "attached",
    [PARTITION_GONE]      = "detached or dropped",
    [PARTITION_REWRITTEN] = "truncated or rewritten",
};
/* clang-format on */

/* ---- taking a fingerprint ---- */

/*
 * The root is a row of its own, so that one without any leaf is known too.
 *
 * A leaf was born as a partition when the transaction that made it (that of its system columns) is
 * the one that put it into the tree: it was empty then, and all its rows came through the root.
 */
static const char leaves_sql[] =
    "SELECT n.nspname, c.relname, c.oid, coalesce(pg_catalog.pg_relation_filenode(c.oid), 0),"
    "       coalesce((SELECT i.xmin = a.xmin FROM pg_catalog.pg_inherits i"
    "                   JOIN pg_catalog.pg_attribute a"
    "                     ON a.attrelid = i.inhrelid AND a.attname = 'ctid'"
    "                  WHERE i.inhrelid = c.oid), false)::int"
    "  FROM pg_catalog.pg_partition_tree($1::oid) t"
    "  JOIN pg_catalog.pg_class c ON c.oid = t.relid"
    "  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
    " WHERE t.isleaf OR c.oid = $1::oid ORDER BY c.oid";

static void
put_name(struct json_writer *w, struct span schema, struct span name, struct buf *scratch)
{
    buf_clear(scratch);
    buf_put(scratch, schema);
    buf_putc(scratch, '.');
    buf_put(scratch, name);
    json_string(w, buf_span(scratch));
}

static void
put_leaves(struct json_writer *w, const struct table *root, const struct pg_rows *rows,
           struct buf *scratch)
{
    for (int i = 0; i < rows->count; i++) {
        json_array_begin(w);
        put_name(w, span_of(root->schema), span_of(root->name), scratch);
        json_uint(w, root->oid);
        put_name(w, pg_value(rows, i, 0), pg_value(rows, i, 1), scratch);
        json_raw(w, pg_value(rows, i, 2));
        json_raw(w, pg_value(rows, i, 3));
        json_raw(w, pg_value(rows, i, 4));
        json_array_end(w);
    }
}

static bool
put_root(struct pg_session *pg, const struct table *root, struct json_writer *w,
         struct buf *scratch, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};

    buf_clear(scratch);
    buf_put_uint(scratch, root->oid);
    if (!pg_query(pg, leaves_sql, (const char *const[]){scratch->ptr}, 1, &rows, err))
        return err_wrap(err, "looking at the partitions of %s.%s", root->schema, root->name);
    put_leaves(w, root, &rows, scratch);
    return true;
}

bool
partitions_fingerprint(struct pg_session *pg, const struct table *const *tables, size_t count,
                       struct arena *arena, struct span *ret, struct err *err)
{
    CLEANUP(buf_free) struct buf out = buf_make(TEXT_LIMIT), scratch = buf_make(TEXT_LIMIT);
    struct json_writer w = {.out = &out};

    json_array_begin(&w);
    for (size_t i = 0; i < count; i++) {
        if (tables[i]->kind == 'p' && !put_root(pg, tables[i], &w, &scratch, err))
            return false;
    }
    json_array_end(&w);
    if (!buf_ok(&out, err))
        return err_wrap(err, "the fingerprint of the partitions");
    *ret = arena_span(arena, buf_span(&out));
    return true;
}

/* ---- comparing ---- */

struct leaf {
    struct span root_name;
    uint64_t root; /* its oid */
    struct span name;
    uint64_t oid;
    uint64_t filenode;
    uint64_t born; /* 1: as a partition, empty */
};

struct leaves {
    struct leaf *items;
    size_t count;
};

static bool
leaf_of(const struct json *row, struct leaf *ret)
{
    const struct json *parts[6], *part = row->first;

    if (row->type != JSON_ARRAY || row->count != ARRAY_LEN(parts))
        return false;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++, part = part->next)
        parts[i] = part;
    ret->root_name = parts[0]->text;
    ret->name = parts[2]->text;
    return parts[0]->type == JSON_STRING && parts[2]->type == JSON_STRING &&
           json_to_uint(parts[1], &ret->root) && json_to_uint(parts[3], &ret->oid) &&
           json_to_uint(parts[4], &ret->filenode) && json_to_uint(parts[5], &ret->born);
}

static struct leaves
leaves_parse(struct span text, struct arena *arena)
{
    struct leaves leaves = {0};
    struct json *rows;
    struct err ignored;

    if (!json_parse(text, arena, &rows, &ignored) || rows->type != JSON_ARRAY)
        return leaves;
    leaves.items = arena_new_n(arena, struct leaf, rows->count);
    for (const struct json *row = rows->first; row; row = row->next) {
        if (leaf_of(row, &leaves.items[leaves.count]))
            leaves.count++;
    }
    return leaves;
}

static bool
has_root(const struct leaves *leaves, uint64_t root)
{
    for (size_t i = 0; i < leaves->count; i++) {
        if (leaves->items[i].root == root)
            return true;
    }
    return false;
}

static const struct leaf *
find_leaf(const struct leaves *leaves, const struct leaf *wanted)
{
    for (size_t i = 0; i < leaves->count; i++) {
        if (leaves->items[i].root == wanted->root && leaves->items[i].oid == wanted->oid)
            return &leaves->items[i];
    }
    return NULL;
}

struct differences {
    struct partition_difference *items;
    size_t count;
};

static void
add(struct differences *found, enum partition_change change, const struct leaf *leaf)
{
    found->items[found->count++] = (struct partition_difference){
        .change = change,
        .root = leaf->root_name,
        .leaf = leaf->name,
    };
}

static void
compare(const struct leaves *before, const struct leaves *now, struct differences *found)
{
    for (size_t i = 0; i < now->count; i++) {
        const struct leaf *leaf = &now->items[i], *old = find_leaf(before, leaf);

        if (!old && !leaf->born && has_root(before, leaf->root))
            add(found, PARTITION_ATTACHED, leaf);
        else if (old && old->filenode != leaf->filenode)
            add(found, PARTITION_REWRITTEN, leaf);
    }
    for (size_t i = 0; i < before->count; i++) {
        const struct leaf *leaf = &before->items[i];

        if (has_root(now, leaf->root) && !find_leaf(now, leaf))
            add(found, PARTITION_GONE, leaf);
    }
}

void
partitions_compare(struct span before, struct span now, struct arena *arena,
                   const struct partition_difference **ret, size_t *ret_count)
{
    struct leaves old = leaves_parse(before, arena), new = leaves_parse(now, arena);
    struct differences found = {
        .items = arena_new_n(arena, struct partition_difference, old.count + new.count + 1),
    };

    compare(&old, &new, &found);
    *ret = found.items;
    *ret_count = found.count;
}
