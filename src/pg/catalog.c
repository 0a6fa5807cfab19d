/* catalog: tables as pg_catalog describes them. */
#include "pg/catalog.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/words.h"
#include "pg/session.h"

/* The connected role's search_path must not change what a name means. */
#define CATALOG "pg_catalog."

static const char table_sql[] =
    "SELECT c.oid, c.relkind, c.relpersistence, c.relreplident,"
    "       coalesce(" CATALOG "pg_relation_filenode(c.oid), 0), c.reltuples::bigint,"
    "       " CATALOG "row_security_active(c.oid)"
    "  FROM " CATALOG "pg_class c JOIN " CATALOG "pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN ('r','p','v','m','f')";

/*
 * Step from a column's type to what it is made of: a domain to its base, an array to its element
 * (once), and again.  `outer_*` is the type behind the domains, `typid` the innermost.
 * attnotnull alone does not say enough from 18 on: the constraint may not have been validated.
 */
static const char columns_sql[] =
    "WITH RECURSIVE step AS ("
    "  SELECT a.attnum, a.atttypid AS typid, a.atttypmod AS typmod, 0 AS depth,"
    "         false AS is_array, false AS is_domain,"
    "         a.atttypid AS outer_typid, a.atttypmod AS outer_typmod"
    "    FROM " CATALOG "pg_attribute a"
    "   WHERE a.attrelid = $1 AND a.attnum > 0 AND NOT a.attisdropped"
    "  UNION ALL"
    "  SELECT s.attnum,"
    "         CASE t.typtype WHEN 'd' THEN t.typbasetype ELSE t.typelem END,"
    "         CASE t.typtype WHEN 'd' THEN t.typtypmod ELSE s.typmod END,"
    "         s.depth + 1, s.is_array OR t.typtype <> 'd', s.is_domain OR t.typtype = 'd',"
    "         CASE WHEN t.typtype = 'd' AND NOT s.is_array THEN t.typbasetype"
    "              ELSE s.outer_typid END,"
    "         CASE WHEN t.typtype = 'd' AND NOT s.is_array THEN t.typtypmod"
    "              ELSE s.outer_typmod END"
    "    FROM step s JOIN " CATALOG "pg_type t ON t.oid = s.typid"
    "   WHERE t.typtype = 'd' OR (NOT s.is_array AND t.typelem <> 0 AND EXISTS ("
    "         SELECT FROM " CATALOG "pg_type e WHERE e.oid = t.typelem AND e.typarray = t.oid)))"
    "SELECT DISTINCT ON (s.attnum) s.attnum, a.attname,"
    "       a.attnotnull AND NOT EXISTS ("
    "         SELECT FROM " CATALOG "pg_constraint k WHERE k.conrelid = a.attrelid"
    "            AND k.contype = 'n' AND k.conkey = ARRAY[a.attnum] AND NOT k.convalidated),"
    "       a.attgenerated <> '', a.attgenerated = 'v' OR (a.attgenerated <> ''"
    "         AND " CATALOG "current_setting('server_version_num')::int < 180000), s.is_domain, "
    "s.is_array, s.outer_typid, s.outer_typmod,"
    "       " CATALOG "format_type(s.outer_typid, s.outer_typmod),"
    "       t.oid, t.typtype, t.typname, t.typdelim,"
    "       CASE c.relreplident WHEN 'f' THEN true WHEN 'n' THEN false ELSE EXISTS ("
    "         SELECT FROM " CATALOG
    "pg_index i WHERE i.indrelid = a.attrelid AND i.indisvalid AND i.indimmediate"
    "            AND CASE c.relreplident WHEN 'd' THEN i.indisprimary ELSE i.indisreplident END"
    "            AND a.attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) END"
    "  FROM step s"
    "  JOIN " CATALOG "pg_type t ON t.oid = s.typid"
    "  JOIN " CATALOG "pg_attribute a ON a.attrelid = $1 AND a.attnum = s.attnum"
    "  JOIN " CATALOG "pg_class c ON c.oid = a.attrelid"
    " ORDER BY s.attnum, s.depth DESC";

static const char keys_sql[] =
    "SELECT ci.relname, i.indisprimary, NOT i.indimmediate,"
    "       " CATALOG "array_to_string((i.indkey::int2[])[0:i.indnkeyatts - 1], ' ')"
    "  FROM " CATALOG "pg_index i JOIN " CATALOG "pg_class ci ON ci.oid = i.indexrelid"
    " WHERE i.indrelid = $1 AND i.indisunique AND i.indisvalid AND i.indislive"
    "   AND i.indpred IS NULL AND i.indexprs IS NULL"
    " ORDER BY i.indisprimary DESC, ci.relname";

/* The order of columns_sql. */
enum {
    COL_ATTNUM,
    COL_NAME,
    COL_NOT_NULL,
    COL_GENERATED,
    COL_UNPUBLISHED,
    COL_DOMAIN,
    COL_ARRAY,
    COL_TYPE,
    COL_TYPMOD,
    COL_TYPE_NAME,
    COL_ELEMENT,
    COL_ELEMENT_KIND,
    COL_ELEMENT_NAME,
    COL_DELIMITER,
    COL_IDENTITY,
};

static const char *
oid_text(oid_t oid, char dst[16])
{
    snprintf(dst, 16, "%u", oid);
    return dst;
}

/* ---- types ---- */

static enum type_kind
kind_of(oid_t oid, char typtype, struct span name)
{
    struct type builtin;

    switch (typtype) {
    case 'e':
        return TYPE_ENUM;
    case 'c':
        return TYPE_COMPOSITE;
    case 'r':
    case 'm':
        return TYPE_RANGE;
    default:
        break;
    }
    /* An array that is left here is one of arrays (through a domain): only the server knows. */
    if (type_builtin(oid, &builtin))
        return builtin.array ? TYPE_OTHER : builtin.kind;
    return type_by_extension_name(name);
}

static struct type
row_type(const struct pg_rows *rows, int row, struct arena *arena)
{
    return (struct type){
        .oid = (oid_t)pg_int(rows, row, COL_TYPE),
        .typmod = (int32_t)pg_int(rows, row, COL_TYPMOD),
        .kind =
            kind_of((oid_t)pg_int(rows, row, COL_ELEMENT), pg_text(rows, row, COL_ELEMENT_KIND)[0],
                    pg_value(rows, row, COL_ELEMENT_NAME)),
        .array = pg_bool(rows, row, COL_ARRAY),
        .delimiter = pg_text(rows, row, COL_DELIMITER)[0],
        .name = arena_strdup(arena, pg_text(rows, row, COL_TYPE_NAME)),
    };
}

/* ---- columns and keys ---- */

static void
fill_columns(struct table *table, const struct pg_rows *rows, struct arena *arena)
{
    size_t count = (size_t)rows->count;
    struct table_column *columns = arena_new_n(arena, struct table_column, count);
    const char **names = arena_new_n(arena, const char *, count + 1);

    for (int i = 0; i < rows->count; i++) {
        columns[i] = (struct table_column){
            .name = arena_strdup(arena, pg_text(rows, i, COL_NAME)),
            .type = row_type(rows, i, arena),
            .attnum = (int16_t)pg_int(rows, i, COL_ATTNUM),
            .not_null = pg_bool(rows, i, COL_NOT_NULL),
            .generated = pg_bool(rows, i, COL_GENERATED),
            .unpublished = pg_bool(rows, i, COL_UNPUBLISHED),
            .identity = pg_bool(rows, i, COL_IDENTITY),
            .domain = pg_bool(rows, i, COL_DOMAIN),
        };
        names[i] = columns[i].name;
    }
    table->column_count = count;
    table->columns = columns;
    table->column_names = names;
}

/* "1 3" to numbers. */
static void
fill_key_columns(struct table_key *key, const char *text, struct arena *arena)
{
    int16_t *columns = arena_new_n(arena, int16_t, strlen(text) / 2 + 1);

    while (*text) {
        size_t len = strcspn(text, " ");
        int64_t attnum = 0;

        if (span_to_int((struct span){text, len}, &attnum))
            columns[key->count++] = (int16_t)attnum;
        text += len;
        text += *text == ' ';
    }
    key->columns = columns;
}

static void
fill_keys(struct table *table, const struct pg_rows *rows, struct arena *arena)
{
    struct table_key *keys = arena_new_n(arena, struct table_key, (size_t)rows->count);

    for (int i = 0; i < rows->count; i++) {
        keys[i] = (struct table_key){
            .name = arena_strdup(arena, pg_text(rows, i, 0)),
            .primary = pg_bool(rows, i, 1),
            .deferrable = pg_bool(rows, i, 2),
        };
        fill_key_columns(&keys[i], pg_text(rows, i, 3), arena);
    }
    table->key_count = (size_t)rows->count;
    table->keys = keys;
}

static bool
load_parts(struct pg_session *pg, struct table *table, struct arena *arena, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows columns = {0};
    CLEANUP(pg_rows_free) struct pg_rows keys = {0};
    char oid[16];
    const char *params[] = {oid_text(table->oid, oid)};

    if (!pg_query(pg, columns_sql, params, 1, &columns, err) ||
        !pg_query(pg, keys_sql, params, 1, &keys, err))
        return false;
    fill_columns(table, &columns, arena);
    fill_keys(table, &keys, arena);
    return true;
}

/* ---- a table that is not there ---- */

static const char elsewhere_sql[] =
    "SELECT n.nspname, c.relname, n.nspname = $1, c.relname = $2"
    "  FROM " CATALOG "pg_class c JOIN " CATALOG "pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r','p','v','m','f') AND NOT c.relispartition"
    "   AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
    " ORDER BY 1, 2";

struct guess {
    const char *same_schema;  /* a name that is near, in the schema asked for */
    const char *other_schema; /* a schema that has the very name */
    bool has_schema;
};

static struct guess
guess_name(const struct pg_rows *rows, const char *name, struct arena *arena)
{
    const char **names = arena_new_n(arena, const char *, (size_t)rows->count + 1);
    struct guess guess = {0};
    size_t count = 0;

    for (int i = 0; i < rows->count; i++) {
        if (pg_bool(rows, i, 2))
            names[count++] = arena_strdup(arena, pg_text(rows, i, 1));
        else if (pg_bool(rows, i, 3) && !guess.other_schema)
            guess.other_schema = arena_strdup(arena, pg_text(rows, i, 0));
    }
    guess.has_schema = count > 0;
    guess.same_schema = word_nearest(names, count, span_of(name));
    return guess;
}

static bool
report_absent(struct pg_session *pg, const char *schema, const char *name, const char *where,
              struct report *report, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    struct guess guess;

    if (!pg_query(pg, elsewhere_sql, (const char *const[]){schema, name}, 2, &rows, err))
        return false;
    guess = guess_name(&rows, name, report->arena);
    if (guess.other_schema)
        report_add(report, SEVERITY_ERROR, where, NULL,
                   "there is no table \"%s\" in schema \"%s\", but there is one in schema \"%s\"",
                   name, schema, guess.other_schema);
    else if (guess.same_schema)
        report_add(report, SEVERITY_ERROR, where, NULL,
                   "there is no table \"%s\" in schema \"%s\"; did you mean \"%s\"?", name, schema,
                   guess.same_schema);
    else if (strchr(name, '.'))
        report_add(report, SEVERITY_ERROR, where, NULL,
                   "there is no table \"%s\" in schema \"%s\"; a schema is written apart: "
                   "schema = \"%.*s\" and table = \"%s\"",
                   name, schema, (int)strcspn(name, "."), name, strchr(name, '.') + 1);
    else
        report_add(report, SEVERITY_ERROR, where, NULL,
                   "there is no table \"%s\" in schema \"%s\"%s", name, schema,
                   guess.has_schema ? "" : ", and no other table either");
    return true;
}

/* ---- the whole ---- */

static bool
load_table(struct pg_session *pg, const struct pg_rows *rows, const char *schema, const char *name,
           struct arena *arena, const struct table **ret, struct err *err)
{
    struct table *table = arena_new_of(arena, struct table);

    *table = (struct table){
        .oid = (oid_t)pg_int(rows, 0, 0),
        .schema = arena_strdup(arena, schema),
        .name = arena_strdup(arena, name),
        .kind = pg_text(rows, 0, 1)[0],
        .persistence = pg_text(rows, 0, 2)[0],
        .identity = pg_text(rows, 0, 3)[0],
        .relfilenode = (oid_t)pg_int(rows, 0, 4),
        .estimated_rows = pg_int(rows, 0, 5),
        .row_security = pg_bool(rows, 0, 6),
    };
    if (!load_parts(pg, table, arena, err))
        return false;
    *ret = table;
    return true;
}

bool
catalog_table(struct pg_session *pg, const char *schema, const char *name, const char *where,
              struct arena *arena, const struct table **ret, struct report *report, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};

    assert(schema && name);
    if (!pg_query(pg, table_sql, (const char *const[]){schema, name}, 2, &rows, err))
        return err_wrap(err, "looking up table %s.%s", schema, name);
    if (rows.count > 0)
        return load_table(pg, &rows, schema, name, arena, ret, err) ||
               err_wrap(err, "reading the columns of %s.%s", schema, name);
    *ret = NULL;
    return !report || report_absent(pg, schema, name, where, report, err);
}

static const char list_sql[] =
    "SELECT n.nspname, c.relname, c.relkind, c.relispartition, c.reltuples::bigint"
    "  FROM " CATALOG "pg_class c JOIN " CATALOG "pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r','p','v','m') AND c.relpersistence <> 't'"
    "   AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'"
    " ORDER BY n.nspname <> 'public', 1, 2";

bool
catalog_list(struct pg_session *pg, struct arena *arena, const struct catalog_entry **ret,
             size_t *ret_count, struct err *err)
{
    CLEANUP(pg_rows_free) struct pg_rows rows = {0};
    struct catalog_entry *entries;

    if (!pg_query(pg, list_sql, NULL, 0, &rows, err))
        return err_wrap(err, "listing the tables");
    entries = arena_new_n(arena, struct catalog_entry, (size_t)rows.count);
    for (int i = 0; i < rows.count; i++) {
        entries[i] = (struct catalog_entry){
            .schema = arena_strdup(arena, pg_text(&rows, i, 0)),
            .name = arena_strdup(arena, pg_text(&rows, i, 1)),
            .kind = pg_text(&rows, i, 2)[0],
            .partition = pg_bool(&rows, i, 3),
            .estimated_rows = pg_int(&rows, i, 4),
        };
    }
    *ret = entries;
    *ret_count = (size_t)rows.count;
    return true;
}
