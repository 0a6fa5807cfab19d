/* mapping_id: can this column be the id, and if not, which ALTER makes it one (SEMANTICS 28). */
#include <assert.h>

#include "model/mapping_binder.h"
#include "model/schema.h"

/* What the unique indexes say of a column alone. */
struct uniqueness {
    const struct table_key *immediate; /* the primary key before others; NULL: none */
    bool deferrable;                   /* there is one that is checked at commit only */
};

static struct uniqueness
find_uniqueness(const struct table *table, int16_t attnum)
{
    struct uniqueness found = {0};

    assert(attnum > 0);
    for (size_t i = 0; i < table->key_count; i++) {
        const struct table_key *key = &table->keys[i];

        if (key->count != 1 || key->columns[0] != attnum)
            continue;
        found.deferrable |= key->deferrable;
        if (!key->deferrable && (!found.immediate || key->primary))
            found.immediate = key;
    }
    return found;
}

/* The column that is the primary key by itself, if there is one. */
static const struct table_column *
find_primary(const struct table *table)
{
    for (size_t i = 0; i < table->key_count; i++) {
        const struct table_key *key = &table->keys[i];

        if (!key->primary || key->count != 1)
            continue;
        for (size_t c = 0; c < table->column_count; c++) {
            if (table->columns[c].attnum == key->columns[0])
                return &table->columns[c];
        }
    }
    return NULL;
}

static bool
has_composite_key(const struct table *table)
{
    for (size_t i = 0; i < table->key_count; i++) {
        if (table->keys[i].primary && table->keys[i].count > 1)
            return true;
    }
    return false;
}

static void
refuse_not_unique(struct binder *binder, const char *name)
{
    const struct table_column *primary = find_primary(binder->table);
    const char *sql =
        BINDER_JOIN(binder, "ALTER TABLE ", binder->title, " ADD UNIQUE (", name, ");");

    if (primary)
        report_add(binder->report, SEVERITY_ERROR, binder->where, sql,
                   "id column \"%s\" of %s is not unique by itself; the primary key is \"%s\"",
                   binder->mapping->id_name, binder->title, primary->name);
    else
        report_add(binder->report, SEVERITY_ERROR, binder->where, sql,
                   "id column \"%s\" of %s is not unique by itself%s", binder->mapping->id_name,
                   binder->title,
                   has_composite_key(binder->table)
                       ? "; the primary key has several columns and an id is one: unless this "
                         "one is unique too, add one that is, such as a uuid"
                       : "");
}

static void
refuse_identity(struct binder *binder, const struct uniqueness *unique)
{
    const struct table_key *key = unique->immediate;
    const char *identity = "FULL";

    if (key && key->primary)
        identity = "DEFAULT";
    else if (key)
        identity = BINDER_JOIN(binder, "USING INDEX ", binder_name(binder, key->name));
    report_add(
        binder->report, SEVERITY_ERROR, binder->where,
        BINDER_JOIN(binder, "ALTER TABLE ", binder->title, " REPLICA IDENTITY ", identity, ";"),
        "id column \"%s\" of %s is not in the replica identity, so the WAL does not say "
        "which rows are deleted",
        binder->mapping->id_name, binder->title);
}

/* ---- the type ---- */

static bool
is_integer(enum type_kind kind)
{
    return kind == TYPE_INT2 || kind == TYPE_INT4 || kind == TYPE_INT8 || kind == TYPE_OID;
}

static enum id_type
infer_type(enum type_kind kind)
{
    if (is_integer(kind))
        return ID_UINT;
    return kind == TYPE_UUID ? ID_UUID : ID_STRING;
}

/* Ids of one type whose texts differ must be different rows: "07" and "7" of a text are not one
 * number. */
static bool
fits_type(enum id_type type, enum type_kind kind)
{
    switch (type) {
    case ID_UINT:
    case ID_INT:
        return is_integer(kind) || kind == TYPE_NUMERIC;
    case ID_UUID:
        return kind == TYPE_UUID;
    case ID_STRING:
        return true;
    case ID_AUTO:
    case ID_TYPE_MAX_:
        break;
    }
    return false;
}

static void
check_type(struct binder *binder, const struct table_column *column)
{
    enum id_type type = binder->mapping->id_type;
    enum type_kind kind = column->type.kind;

    if (column->type.array) {
        report_add(binder->report, SEVERITY_ERROR, binder->where, NULL,
                   "id column \"%s\" is %s, and a list cannot be an id; map another column",
                   column->name, column->type.name);
        return;
    }
    if (type == ID_AUTO)
        type = infer_type(kind);
    if (!fits_type(type, kind)) {
        report_add(binder->report, SEVERITY_ERROR, binder->where, NULL,
                   "id column \"%s\" is %s, which is no \"%s\"; use type = \"%s\"", column->name,
                   column->type.name, id_type_names[type], id_type_names[infer_type(kind)]);
        return;
    }
    if (binder->mapping->id_encode_string && type == ID_UUID) {
        report_add(binder->report, SEVERITY_ERROR, binder->where, NULL,
                   "id column \"%s\": encode = \"string\" is for integers; use type = \"string\"",
                   column->name);
        return;
    }
    binder->bound.id_type = type;
}

void
binder_check_id(struct binder *binder)
{
    struct span name = span_of(binder->mapping->id_name);
    const struct table_column *column = binder_column(binder, binder->where, name);
    struct uniqueness unique;
    const char *quoted;

    if (!column)
        return;
    unique = find_uniqueness(binder->table, column->attnum);
    quoted = binder_name(binder, column->name);
    if (!unique.immediate && !unique.deferrable)
        refuse_not_unique(binder, quoted);
    if (!column->not_null)
        report_add(binder->report, SEVERITY_ERROR, binder->where,
                   BINDER_JOIN(binder, "ALTER TABLE ", binder->title, " ALTER COLUMN ", quoted,
                               " SET NOT NULL;"),
                   "id column \"%s\" of %s may be null", column->name, binder->title);
    if (!column->identity)
        refuse_identity(binder, &unique);
    check_type(binder, column);

    binder->bound.id_column = binder_add_column(binder, column);
    binder->bound.read_back_deletes = unique.deferrable && !unique.immediate;
    if (binder->bound.read_back_deletes)
        report_add(binder->report, SEVERITY_NOTE, binder->where, NULL,
                   "the unique index of \"%s\" is DEFERRABLE: every delete and every change of an "
                   "id costs a query to the source",
                   column->name);
}
