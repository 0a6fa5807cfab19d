/* keys: the keys of a migration file, in both layouts. */
#include "project/keys.h"

#include <assert.h>
#include <stdio.h>

#include "base/words.h"
#include "project/fault.h"
#include "project/later.h"
#include "project/section.h"

#define PATH_LIMIT 256
#define NAMES_MAX  64

#define STRING (1U << TOML_STRING)
#define INT    (1U << TOML_INT)
#define TABLE  (1U << TOML_TABLE)
#define ARRAY  (1U << TOML_ARRAY)
#define BOTH   (LAYOUT_NESTED | LAYOUT_FLAT)

/* clang-format off */
const struct key migration_keys[] = {
    {"migration.name",              LAYOUT_NESTED, KEY_NAME,            STRING,         "\"users\"", "Name of the mapping; it never changes"},
    {"migration.mapping_name",      LAYOUT_NESTED, KEY_NAME,            STRING,         "\"users\"", NULL},
    {"mapping_name",                LAYOUT_FLAT,   KEY_NAME,            STRING,         "\"users\"", NULL},
    {"migration.version",           LAYOUT_NESTED, KEY_VERSION,         INT,            "1", "Counts up; the newest applied version of a name is active"},
    {"version",                     LAYOUT_FLAT,   KEY_VERSION,         INT,            "1", NULL},
    {"source.schema",               BOTH,          KEY_SCHEMA,          STRING,         "\"public\"", "Schema of the table; public unless set"},
    {"source.table",                BOTH,          KEY_TABLE,           STRING,         "\"users\"", "Table to read"},
    {"mapping.id",                  LAYOUT_NESTED, KEY_ID,              STRING | TABLE, "\"id\"", "Column of the document id, or { column, type = \"uint\" | \"int\" | \"uuid\" | \"string\", encode = \"string\" }"},
    {"id",                          LAYOUT_FLAT,   KEY_ID,              STRING | TABLE, "{ column = \"id\", type = \"uint\" }", NULL},
    {"mapping.columns",             LAYOUT_NESTED, KEY_COLUMNS,         ARRAY,          "[\"id\", \"name\"]", "Columns to write; the id is not repeated as an attribute"},
    {"columns",                     LAYOUT_FLAT,   KEY_COLUMNS,         ARRAY,          "[\"id\", \"name\"]", NULL},
    {"mapping.membership",          LAYOUT_NESTED, KEY_MEMBERSHIP,      STRING | TABLE, "\"status = 'active'\"", "Which rows belong; all unless set. Or { mode = \"dsl\", predicate = \"...\" }"},
    {"membership",                  LAYOUT_FLAT,   KEY_MEMBERSHIP,      STRING | TABLE, "\"status = 'active'\"", NULL},
    {"mapping.transform",           LAYOUT_NESTED, KEY_TRANSFORM,       STRING | TABLE, "\"identity\"", "identity: the columns as they are"},
    {"transform",                   LAYOUT_FLAT,   KEY_TRANSFORM,       STRING | TABLE, "\"identity\"", NULL},
    {"target.namespace",            LAYOUT_NESTED, KEY_NAMESPACE,       STRING,         "\"users\"", "Namespace to write to, without the project's prefix"},
    {"namespace",                   LAYOUT_FLAT,   KEY_NAMESPACE,       STRING,         "\"users\"", NULL},
    {"target.destination",          LAYOUT_NESTED, KEY_DESTINATION,     STRING,         "\"turbopuffer\"", "turbopuffer, null or stdout; turbopuffer unless set"},
    {"destination",                 LAYOUT_FLAT,   KEY_DESTINATION,     STRING,         "\"turbopuffer\"", NULL},
    {"target.distance_metric",      LAYOUT_NESTED, KEY_DISTANCE_METRIC, STRING,         "\"cosine_distance\"", "cosine_distance or euclidean_squared; required with a vector column"},
    {"distance_metric",             LAYOUT_FLAT,   KEY_DISTANCE_METRIC, STRING,         "\"cosine_distance\"", NULL},
    {"target.schema",               BOTH,          KEY_HINTS,           TABLE,          "{ price = \"float\" }", "Per column a type, or a table of turbopuffer's schema options; exact = true keeps every digit"},
    {"tp_schema",                   BOTH,          KEY_HINTS,           TABLE,          "{ price = \"float\" }", NULL},
    {"target.on_unrepresentable",   LAYOUT_NESTED, KEY_UNREPRESENTABLE, STRING,         "\"dead_letter\"", "dead_letter or null, for values that the destination cannot hold; dead_letter unless set"},
    {"on_unrepresentable",          LAYOUT_FLAT,   KEY_UNREPRESENTABLE, STRING,         "\"dead_letter\"", NULL},
    {"target.lanes",                LAYOUT_NESTED, KEY_LANES,           INT,            "1", "Writes to this namespace that run side by side, 1 to 64; 1 unless set"},
    {"lanes",                       LAYOUT_FLAT,   KEY_LANES,           INT,            "1", NULL},
    {"target.write.format",         LAYOUT_NESTED, KEY_FORMAT,          STRING,         "\"columns\"", "columns or rows, the form of a request; columns unless set"},
    {"write.format",                LAYOUT_FLAT,   KEY_FORMAT,          STRING,         "\"columns\"", NULL},
    {"target.write.batch_max_rows", LAYOUT_NESTED, KEY_MAX_ROWS,        INT,            "1000", "A batch closes at this many rows; that of puffgres.toml unless set"},
    {"batching.batch_max_rows",     BOTH,          KEY_MAX_ROWS,        INT,            "1000", NULL},
    {"batch_max_rows",              LAYOUT_FLAT,   KEY_MAX_ROWS,        INT,            "1000", NULL},
    {"target.write.batch_max_bytes", LAYOUT_NESTED, KEY_MAX_BYTES,      STRING | INT,   "\"8MiB\"", "A batch closes at this many bytes; that of puffgres.toml unless set"},
    {"batching.batch_max_bytes",    BOTH,          KEY_MAX_BYTES,       STRING | INT,   "\"8MiB\"", NULL},
    {"batch_max_bytes",             LAYOUT_FLAT,   KEY_MAX_BYTES,       STRING | INT,   "\"8MiB\"", NULL},
    {"target.write.flush_interval_ms", LAYOUT_NESTED, KEY_FLUSH_INTERVAL, INT,          "100", "A batch closes this many milliseconds after its first row; that of puffgres.toml unless set"},
    {"batching.flush_interval_ms",  BOTH,          KEY_FLUSH_INTERVAL,  INT,            "100", NULL},
    {"flush_interval_ms",           LAYOUT_FLAT,   KEY_FLUSH_INTERVAL,  INT,            "100", NULL},
    {"versioning.mode",             BOTH,          KEY_VERSIONING,      STRING,         "\"source_lsn\"", "source_lsn, or none: only order holds; source_lsn unless set"},
    {"deletes.mode",                BOTH,          KEY_DELETES,         STRING,         "\"physical\"", "physical, or tombstone: deleted rows stay, with __deleted = true; physical unless set"},
    {"deletes.grace",               BOTH,          KEY_GRACE,           STRING,         "\"1h\"", "How long a request of unknown outcome may still arrive; 1h unless set"},
    {0},
};

const struct later migration_later[] = {
    {"source.view",         LATER_VIEWS},
    {"mapping.ids",         LATER_TRANSFORMS},
    {"ids",                 LATER_TRANSFORMS},
    {"transform.retry",     LATER_TRANSFORMS},
    {"versioning.column",   LATER_VERSIONS},
    {"deletes.gc",          LATER_GC},
    {"backfill",            LATER_BACKFILL},
    {0},
};
/* clang-format on */

static const char *
last_part(const char *path)
{
    const char *dot = strrchr(path, '.');

    return dot ? dot + 1 : path;
}

static const struct key *
key_find(const char *path, unsigned layouts)
{
    for (const struct key *key = migration_keys; key->path; key++) {
        if ((key->layouts & layouts) && strcmp(key->path, path) == 0)
            return key;
    }
    return NULL;
}

static bool
is_under(const char *path, const char *parent)
{
    size_t len = strlen(parent);

    return len == 0 || (strncmp(path, parent, len) == 0 && path[len] == '.');
}

static bool
is_parent(const char *path, unsigned layouts)
{
    for (const struct key *key = migration_keys; key->path; key++) {
        if ((key->layouts & layouts) && is_under(key->path, path))
            return true;
    }
    return false;
}

/* The distinct first parts, below `parent`, of the paths of a layout; 0 when `names` is full. */
static size_t
names_below(const char *parent, unsigned layouts, const char **names, struct arena *arena)
{
    size_t skip = *parent ? strlen(parent) + 1 : 0, count = 0;

    for (const struct key *key = migration_keys; key->path && count < NAMES_MAX; key++) {
        struct span part;
        bool seen = false;

        if (!(key->layouts & layouts) || !is_under(key->path, parent))
            continue;
        part = (struct span){key->path + skip, strcspn(key->path + skip, ".")};
        for (size_t i = 0; i < count; i++)
            seen = seen || span_eq(span_of(names[i]), part);
        if (!seen)
            names[count++] = arena_text(arena, part);
    }
    return count;
}

/* ---- walking ---- */

static void
unknown(const struct keys *keys, const struct toml *node, const char *parent, const char *path,
        struct report *report)
{
    const char *names[NAMES_MAX];
    const unsigned other = BOTH & ~(unsigned)keys->layout;
    const char *feature = later_find(migration_later, span_of(path), (struct span){0});
    const struct spot spot = spot_of_key(keys->file, node);
    size_t count;

    if (feature) {
        fault_at(report, spot, "%s belongs to %s, which this version does not have; remove it",
                 path, feature);
    } else if (key_find(path, other) || is_parent(path, other)) {
        fault_at(report, spot, "%s belongs to the %s layout and this file has the other one; %s",
                 path, other == LAYOUT_FLAT ? "flat" : "nested",
                 other == LAYOUT_FLAT ? "write it under [source], [mapping] or [target]"
                                      : "write a [migration] table instead of mapping_name");
    } else {
        count = names_below(parent, keys->layout, names, report->arena);
        fault_at(report, spot, "unknown key \"%.*s\"%s%s%s%s", SPAN_ARG(node->key),
                 *parent ? " in [" : "", parent, *parent ? "]" : "",
                 section_hint(names, count, node->key, report->arena));
    }
}

static bool
takes(const struct key *key, const struct toml *node)
{
    return (key->types & (1U << node->type)) != 0;
}

static void
record(struct keys *keys, const struct key *key, const struct toml *node, struct report *report)
{
    const struct toml *before = keys->field[key->field];

    if (!takes(key, node)) {
        fault_at(report, spot_of_value(keys->file, node), "%s is of type %s; write %s = %s",
                 last_part(key->path), toml_type_names[node->type], last_part(key->path),
                 key->written);
        keys->mistyped[key->field] = true;
        return;
    }
    /* Two spellings of the schema hints may stand side by side when they say the same. */
    if (before && key->field != KEY_HINTS)
        fault_at(report, spot_of_key(keys->file, node),
                 "%s says the same thing as %.*s in line %d; keep one of them", key->path,
                 SPAN_ARG(before->key), before->key_line);
    if (!before || key->field != KEY_HINTS)
        keys->field[key->field] = node;
}

static bool toml_same(const struct toml *a, const struct toml *b);

static bool
same_members(const struct toml *a, const struct toml *b)
{
    const struct toml *other = b->first;

    if (a->count != b->count)
        return false;
    for (const struct toml *node = a->first; node; node = node->next) {
        bool found = false;

        if (a->type == TOML_ARRAY) {
            found = toml_same(node, other);
            other = other->next;
        }
        for (const struct toml *at = a->type == TOML_TABLE ? b->first : NULL; at; at = at->next)
            found = found || (span_eq(at->key, node->key) && toml_same(at, node));
        if (!found)
            return false;
    }
    return true;
}

static bool
toml_same(const struct toml *a, const struct toml *b)
{
    if (a->type != b->type)
        return false;
    switch (a->type) {
    case TOML_TABLE:
    case TOML_ARRAY:
        return same_members(a, b);
    case TOML_STRING:
    case TOML_DATE:
        return span_eq(a->text, b->text);
    case TOML_INT:
        return a->integer == b->integer;
    case TOML_FLOAT:
        return a->real >= b->real && a->real <= b->real;
    case TOML_BOOL:
        return a->yes == b->yes;
    case TOML_TYPE_MAX_:
        break;
    }
    return false;
}

static void
check_hints_agree(const struct keys *keys, const struct key *key, const struct toml *node,
                  struct report *report)
{
    const struct toml *before = keys->field[KEY_HINTS];

    if (key->field == KEY_HINTS && before && before != node && !toml_same(before, node))
        fault_at(report, spot_of_key(keys->file, node),
                 "%s differs from the schema in line %d; keep one of them", key->path,
                 before->key_line);
}

static void
walk(struct keys *keys, const struct toml *table, const char *parent, struct report *report)
{
    for (const struct toml *node = table->first; node; node = node->next) {
        char path[PATH_LIMIT];
        const struct key *key;

        snprintf(path, sizeof(path), "%s%s%.*s", parent, *parent ? "." : "", SPAN_ARG(node->key));
        key = key_find(path, keys->layout);
        if (memchr(node->key.ptr, '.', node->key.len))
            key = NULL;
        if (key) {
            check_hints_agree(keys, key, node, report);
            record(keys, key, node, report);
        } else if (is_parent(path, keys->layout) && node->type == TOML_TABLE) {
            walk(keys, node, path, report);
        } else {
            unknown(keys, node, parent, path, report);
        }
    }
}

bool
keys_collect(const char *file, const struct toml *tree, struct report *report, struct keys *ret)
{
    const struct toml *nested = toml_get(tree, "migration");
    const struct toml *flat = toml_get(tree, "mapping_name");

    assert(tree->type == TOML_TABLE);
    if (!flat)
        flat = toml_get(tree, "version");
    *ret = (struct keys){
        .file = file, .layout = nested || !flat ? LAYOUT_NESTED : LAYOUT_FLAT, .tree = tree};
    if (nested && flat) {
        fault_at(report, spot_of_key(file, flat),
                 "%.*s belongs to the flat layout, but [migration] in line %d begins the nested "
                 "one; keep one of them",
                 SPAN_ARG(flat->key), nested->key_line);
        return false;
    }
    walk(ret, tree, "", report);
    return true;
}

const char *
keys_path(const struct keys *keys, enum key_field field)
{
    for (const struct key *key = migration_keys; key->path; key++) {
        if (key->field == field && (key->layouts & (unsigned)keys->layout))
            return key->path;
    }
    assert(!"every field has a path in both layouts");
    return "";
}
