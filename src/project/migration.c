/* migration: a migration file, in either layout, as the written half of a mapping. */
#include "project/migration.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/number.h"
#include "base/toml.h"
#include "base/words.h"
#include "model/predicate.h"
#include "project/fault.h"
#include "project/hints.h"
#include "project/keys.h"
#include "project/later.h"
#include "project/normal.h"
#include "project/section.h"

#define NAME_MAX_LEN  128
#define COLUMNS_MAX   1600 /* MaxTupleAttributeNumber is 1664, MaxHeapAttributeNumber 1600 */
#define LANES_MAX     64
#define GRACE_MAX     (30 * 24 * 3600 * INT64_C(1000))
#define ROWS_MAX      (1000 * 1000)
#define BYTES_MIN     1024
#define BYTES_MAX     (256 * 1024 * 1024)
#define INTERVAL_MAX  (600 * 1000)
#define NAMESPACE_MAX 128

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_."

/* One file on its way into one mapping. */
struct parse {
    const struct migration_input *input;
    const struct migration_defaults *defaults;
    struct keys keys;
    struct mapping *mapping;
    struct arena *arena;
    struct report *report;
};

/* ---- values of one key ---- */

static const struct toml *
node_of(const struct parse *p, enum key_field field)
{
    return p->keys.field[field];
}

static struct spot
value_spot(const struct parse *p, const struct toml *node)
{
    return spot_of_value(p->input->path, node);
}

static const char *
text_of(struct parse *p, enum key_field field, const char *fallback)
{
    const struct toml *node = node_of(p, field);

    if (!node)
        return fallback;
    if (node->text.len == 0 || memchr(node->text.ptr, 0, node->text.len)) {
        fault_at(p->report, value_spot(p, node), "%s is empty; write a name or leave it out",
                 keys_path(&p->keys, field));
        return fallback;
    }
    return arena_text(p->arena, node->text);
}

static void
out_of_range(struct parse *p, enum key_field field, int64_t min, int64_t max)
{
    fault_at(p->report, value_spot(p, node_of(p, field)),
             "%s is out of range; write %" PRId64 " to %" PRId64, keys_path(&p->keys, field), min,
             max);
}

static int64_t
number_of(struct parse *p, enum key_field field, int64_t fallback, int64_t min, int64_t max)
{
    const struct toml *node = node_of(p, field);

    if (!node)
        return fallback;
    if (node->integer >= min && node->integer <= max)
        return node->integer;
    out_of_range(p, field, min, max);
    return fallback;
}

static int64_t
bytes_of(struct parse *p, enum key_field field, int64_t fallback, int64_t min, int64_t max)
{
    const struct toml *node = node_of(p, field);
    int64_t bytes;

    if (!node || node->type == TOML_INT)
        return number_of(p, field, fallback, min, max);
    if (!span_to_bytes(node->text, &bytes)) {
        fault_at(p->report, value_spot(p, node),
                 "\"%.*s\" is not a size; write a number of bytes, or \"64KiB\", \"8MiB\"",
                 SPAN_ARG(node->text));
        return fallback;
    }
    if (bytes >= min && bytes <= max)
        return bytes;
    out_of_range(p, field, min, max);
    return fallback;
}

static int64_t
millis_of(struct parse *p, enum key_field field, int64_t fallback, int64_t max)
{
    const struct toml *node = node_of(p, field);
    int64_t millis;

    if (!node)
        return fallback;
    if (!span_to_millis(node->text, &millis)) {
        fault_at(p->report, value_spot(p, node),
                 "\"%.*s\" is not a duration; write \"90s\", \"30m\" or \"1h\"",
                 SPAN_ARG(node->text));
        return fallback;
    }
    if (millis >= 0 && millis <= max)
        return millis;
    fault_at(p->report, value_spot(p, node), "%s is out of range; write at most \"%" PRId64 "h\"",
             keys_path(&p->keys, field), max / (3600 * 1000));
    return fallback;
}

/* The index of a word, or `fallback`; a word of a later feature is refused by its name. */
static int
word_value(struct parse *p, const struct toml *node, const char *what, const char *const *words,
           const struct later *later, int fallback)
{
    const char *feature = later_find(later, span_of(what), node->text);
    int word = word_find(words, node->text);
    size_t count = 0;

    if (word >= 0)
        return word;
    if (feature) {
        fault_at(p->report, value_spot(p, node),
                 "%s = \"%.*s\" belongs to %s, which this version does not have", what,
                 SPAN_ARG(node->text), feature);
        return fallback;
    }
    while (words[count])
        count++;
    fault_at(p->report, value_spot(p, node), "%s = \"%.*s\" is not known%s", what,
             SPAN_ARG(node->text), section_hint(words, count, node->text, p->arena));
    return fallback;
}

static int
word_of(struct parse *p, enum key_field field, const char *const *words, const struct later *later,
        int fallback)
{
    const struct toml *node = node_of(p, field);

    return node ? word_value(p, node, keys_path(&p->keys, field), words, later, fallback)
                : fallback;
}

/* ---- required keys ---- */

/* The table that a missing key belongs into, or the beginning of the file. */
static struct spot
missing_spot(const struct parse *p, const char *path)
{
    const struct toml *table = NULL;
    size_t len = strcspn(path, ".");

    if (path[len])
        table = toml_get(p->keys.tree, arena_text(p->arena, (struct span){path, len}));
    return table ? spot_of_key(p->input->path, table) : (struct spot){p->input->path, 1, 1};
}

static void
require(struct parse *p, enum key_field field, const char *example)
{
    const char *path = keys_path(&p->keys, field);
    const char *dot = strrchr(path, '.');

    if (node_of(p, field) || p->keys.mistyped[field])
        return;
    if (dot)
        fault_at(p->report, missing_spot(p, path), "%s is missing; write %s = %s under [%.*s]",
                 path, dot + 1, example, (int)(dot - path), path);
    else
        fault_at(p->report, missing_spot(p, path), "%s is missing; write %s = %s", path, path,
                 example);
}

static void
require_all(struct parse *p)
{
    const struct toml *source = toml_get(p->keys.tree, "source");
    bool view = source && source->type == TOML_TABLE && toml_get(source, "view");

    require(p, KEY_NAME, "\"users\"");
    require(p, KEY_VERSION, "1");
    if (!view) /* refused by its feature's name already */
        require(p, KEY_TABLE, "\"users\"");
    require(p, KEY_ID, "\"id\"");
    require(p, KEY_COLUMNS, "[\"id\", \"name\"]");
}

/* ---- names ---- */

static void
read_name(struct parse *p)
{
    const struct toml *node = node_of(p, KEY_NAME);

    p->mapping->name = text_of(p, KEY_NAME, "");
    if (!node || !*p->mapping->name)
        return;
    if (p->mapping->name[strspn(p->mapping->name, NAME_CHARACTERS)] ||
        node->text.len > NAME_MAX_LEN)
        fault_at(p->report, value_spot(p, node),
                 "\"%s\" cannot name a mapping; use up to %d letters, digits, \"_\", \"-\" and "
                 "\".\"",
                 p->mapping->name, NAME_MAX_LEN);
}

/* Names by which a destination files its documents: facts 3.4 of the turbopuffer API. */
static void
read_namespace(struct parse *p)
{
    const struct toml *node = node_of(p, KEY_NAMESPACE);
    bool needed = strcmp(p->mapping->destination, "turbopuffer") == 0;
    const char *name = text_of(p, KEY_NAMESPACE, needed ? "" : p->mapping->name);
    char target[NAMESPACE_MAX * 4];

    if (needed && !node) {
        require(p, KEY_NAMESPACE, "\"users\"");
        return;
    }
    snprintf(target, sizeof(target), "%s%s", p->defaults->namespace_prefix, name);
    p->mapping->target = arena_strdup(p->arena, target);
    if (!node || !*name)
        return;
    if (memmem(name, strlen(name), "${", 2))
        fault_at(p->report, value_spot(p, node),
                 "variables are for puffgres.toml; write the plain name here and "
                 "namespace_prefix = \"${ENVIRONMENT}-\" under [turbopuffer] there");
    else if (target[strspn(target, NAME_CHARACTERS)] || strlen(target) > NAMESPACE_MAX)
        fault_at(p->report, value_spot(p, node),
                 "\"%s\" cannot name a namespace; use 1 to %d letters, digits, \"_\", \"-\" and "
                 "\".\"",
                 target, NAMESPACE_MAX);
}

static void
read_destination(struct parse *p)
{
    const struct toml *node = node_of(p, KEY_DESTINATION);
    const char *const *names = p->defaults->destinations;

    p->mapping->destination = "turbopuffer";
    if (node)
        p->mapping->destination = names[word_of(p, KEY_DESTINATION, names, NULL, 0)];
}

/* ---- id and columns ---- */

static const char *
column_name(struct parse *p, const struct toml *node, const char *what)
{
    if (node->type != TOML_STRING) {
        fault_at(p->report, value_spot(p, node),
                 "%s is of type %s; write a column's name in quotes", what,
                 toml_type_names[node->type]);
        return NULL;
    }
    if (node->text.len == 0 || memchr(node->text.ptr, 0, node->text.len)) {
        fault_at(p->report, value_spot(p, node), "%s is empty; write a column's name", what);
        return NULL;
    }
    return arena_text(p->arena, node->text);
}

static void
read_id_member(struct parse *p, const struct toml *node)
{
    static const char *const members[] = {"column", "type", "encode", NULL};
    static const char *const encodings[] = {"string", NULL};
    const int member = word_find(members, node->key);

    if (member < 0) {
        fault_at(p->report, spot_of_key(p->input->path, node), "unknown key \"%.*s\" in id%s",
                 SPAN_ARG(node->key), section_hint(members, 3, node->key, p->arena));
        return;
    }
    if (member == 0) {
        p->mapping->id_name = column_name(p, node, "id.column");
        return;
    }
    if (node->type != TOML_STRING)
        fault_at(p->report, value_spot(p, node), "%s is of type %s; write a word in quotes",
                 members[member], toml_type_names[node->type]);
    else if (member == 1)
        p->mapping->id_type = (enum id_type)(
            ID_UINT + word_value(p, node, "id.type", id_type_names + ID_UINT, NULL, 0));
    else
        p->mapping->id_encode_string = word_value(p, node, "id.encode", encodings, NULL, 0) == 0;
}

static void
read_id(struct parse *p)
{
    const struct toml *node = node_of(p, KEY_ID);

    p->mapping->id_type = ID_AUTO;
    if (!node)
        return;
    if (node->type == TOML_STRING) {
        p->mapping->id_name = column_name(p, node, keys_path(&p->keys, KEY_ID));
        return;
    }
    for (const struct toml *member = node->first; member; member = member->next)
        read_id_member(p, member);
    if (!toml_get(node, "column"))
        fault_at(p->report, value_spot(p, node),
                 "%s names no column; write { column = \"id\", type = \"uint\" }",
                 keys_path(&p->keys, KEY_ID));
}

static void
read_columns(struct parse *p)
{
    const struct toml *node = node_of(p, KEY_COLUMNS);
    const char **names;
    size_t count = 0;

    if (!node)
        return;
    if (node->count == 0 || node->count > COLUMNS_MAX) {
        fault_at(p->report, value_spot(p, node), "%s names %zu columns; name 1 to %d of them",
                 keys_path(&p->keys, KEY_COLUMNS), node->count, COLUMNS_MAX);
        return;
    }
    names = arena_new_n(p->arena, const char *, node->count);
    for (const struct toml *item = node->first; item; item = item->next) {
        const char *name = column_name(p, item, "a column");

        for (size_t i = 0; name && i < count; i++) {
            if (strcmp(names[i], name) != 0)
                continue;
            fault_at(p->report, value_spot(p, item), "column \"%s\" is named twice; remove one",
                     name);
            name = NULL;
        }
        if (name)
            names[count++] = name;
    }
    p->mapping->names = names;
    p->mapping->name_count = count;
}

/* ---- membership ---- */

/*
 * Where the first character of a string stands: behind its quote, when it is written without
 * escapes; else at the value, and columns inside the text cannot be turned into places.
 */
static bool
string_start(const struct parse *p, const struct toml *node, int *ret_column)
{
    struct span rest = p->input->text;
    size_t at;

    for (int line = 1; line < node->line; line++) {
        const char *end = memchr(rest.ptr, '\n', rest.len);

        if (!end)
            return false;
        rest = span_skip(rest, (size_t)(end - rest.ptr) + 1);
    }
    at = (size_t)node->column - 1;
    while (at < rest.len && at < (size_t)node->column + 2 &&
           (rest.ptr[at] == '"' || rest.ptr[at] == '\''))
        at++;
    if (at + node->text.len > rest.len || memchr(node->text.ptr, '\n', node->text.len) ||
        memcmp(rest.ptr + at, node->text.ptr, node->text.len) != 0)
        return false;
    *ret_column = (int)at + 1;
    return true;
}

/* "column 7: what" inside the text becomes the place in the file. */
static void
predicate_fault(struct parse *p, const struct toml *node, const struct err *err)
{
    struct spot spot = value_spot(p, node);
    const char *text = err->text, *end = NULL;
    uint64_t column;
    int start;

    if (strncmp(text, "column ", 7) == 0)
        end = strchr(text, ':');
    if (end && span_to_uint((struct span){text + 7, (size_t)(end - text) - 7}, &column) &&
        column < INT32_MAX && string_start(p, node, &start)) {
        spot.column = start + (int)column - 1;
        text = end + 1 + (end[1] == ' ');
    }
    fault_at(p->report, spot, "%s", text);
}

static void
read_predicate(struct parse *p, const struct toml *node)
{
    struct predicate *predicate;
    struct err err;

    if (node->type != TOML_STRING) {
        fault_at(p->report, value_spot(p, node),
                 "the predicate is of type %s; write a condition in quotes, such as "
                 "\"status = 'active'\"",
                 toml_type_names[node->type]);
        return;
    }
    if (memchr(node->text.ptr, 0, node->text.len) ||
        node->text.len == strspn(arena_text(p->arena, node->text), " \t\r\n")) {
        fault_at(p->report, value_spot(p, node),
                 "the predicate is empty; leave membership out when every row belongs");
        return;
    }
    if (!predicate_parse(node->text, p->arena, &predicate, &err))
        predicate_fault(p, node, &err);
    p->mapping->predicate_text = arena_text(p->arena, node->text);
    p->mapping->predicate_line = node->line;
    p->mapping->predicate_column = node->column;
    if (!string_start(p, node, &p->mapping->predicate_column))
        p->mapping->predicate_column = node->column;
}

static void
read_membership(struct parse *p)
{
    static const char *const members[] = {"mode", "predicate", NULL};
    static const char *const modes[] = {"dsl", NULL};
    static const struct later later[] = {
        {"membership.mode=view", LATER_VIEWS}, {"membership.mode=lookup", LATER_LOOKUP}, {0}};
    const struct toml *node = node_of(p, KEY_MEMBERSHIP), *mode, *predicate;

    if (!node)
        return;
    if (node->type == TOML_STRING) {
        read_predicate(p, node);
        return;
    }
    for (const struct toml *member = node->first; member; member = member->next) {
        if (word_find(members, member->key) < 0)
            fault_at(p->report, spot_of_key(p->input->path, member),
                     "unknown key \"%.*s\" in membership%s", SPAN_ARG(member->key),
                     section_hint(members, 2, member->key, p->arena));
    }
    mode = toml_get(node, "mode");
    predicate = toml_get(node, "predicate");
    if (mode && mode->type == TOML_STRING &&
        word_value(p, mode, "membership.mode", modes, later, -1) < 0)
        return;
    if (mode && mode->type != TOML_STRING)
        fault_at(p->report, value_spot(p, mode), "membership.mode is of type %s; write \"dsl\"",
                 toml_type_names[mode->type]);
    if (predicate)
        read_predicate(p, predicate);
    else
        fault_at(p->report, value_spot(p, node),
                 "membership has no predicate; write predicate = \"status = 'active'\"");
}

/* ---- transform ---- */

/* What a path's ending, or a type, belongs to. */
static const struct {
    const char *suffix, *type, *feature;
} transform_kinds[] = {
    {".ts", "js", LATER_JS},         {".js", "javascript", LATER_JS}, {".mjs", "ts", LATER_JS},
    {".so", "native", LATER_NATIVE}, {".rs", "rust", LATER_NATIVE},   {".c", "so", LATER_NATIVE},
};

static bool
ends_in(struct span text, struct span suffix)
{
    return text.len >= suffix.len && span_eq(span_skip(text, text.len - suffix.len), suffix);
}

static void
read_transform(struct parse *p)
{
    const struct toml *node = node_of(p, KEY_TRANSFORM);
    const struct toml *what = node;

    if (node && node->type == TOML_TABLE)
        what = toml_get(node, "type") ? toml_get(node, "type") : toml_get(node, "path");
    if (!node || (what && what->type == TOML_STRING && span_eq(what->text, SPAN("identity"))))
        return;
    for (size_t i = 0; what && what->type == TOML_STRING && i < ARRAY_LEN(transform_kinds); i++) {
        if (!ends_in(what->text, span_of(transform_kinds[i].suffix)) &&
            !span_eq(what->text, span_of(transform_kinds[i].type)))
            continue;
        fault_at(p->report, value_spot(p, node),
                 "transform \"%.*s\" belongs to %s, which this version does not have; leave it out "
                 "or write \"identity\"",
                 SPAN_ARG(what->text), transform_kinds[i].feature);
        return;
    }
    fault_at(p->report, value_spot(p, node),
             "this is no transform; leave it out or write \"identity\" (files end in .ts, .js, "
             ".mjs or .so)");
}

/* ---- the rest ---- */

static void
read_target(struct parse *p)
{
    struct mapping *m = p->mapping;

    m->distance_metric = text_of(p, KEY_DISTANCE_METRIC, NULL);
    if (m->distance_metric) {
        static const char *const metrics[] = {"cosine_distance", "euclidean_squared", NULL};

        m->distance_metric = metrics[word_of(p, KEY_DISTANCE_METRIC, metrics, NULL, 0)];
    }
    if (node_of(p, KEY_HINTS))
        m->hints = hints_make(p->input->path, node_of(p, KEY_HINTS), p->arena, p->report);
    m->on_unrepresentable = (enum unrepresentable)word_of(
        p, KEY_UNREPRESENTABLE, unrepresentable_names, NULL, UNREPRESENTABLE_DEAD_LETTER);
    m->format = (enum write_format)word_of(p, KEY_FORMAT, write_format_names, NULL, WRITE_COLUMNS);
    m->lanes = number_of(p, KEY_LANES, 1, 1, LANES_MAX);
    m->batch_max_rows = number_of(p, KEY_MAX_ROWS, p->defaults->batch_max_rows, 1, ROWS_MAX);
    m->batch_max_bytes =
        bytes_of(p, KEY_MAX_BYTES, p->defaults->batch_max_bytes, BYTES_MIN, BYTES_MAX);
    m->flush_interval_ms =
        number_of(p, KEY_FLUSH_INTERVAL, p->defaults->flush_interval_ms, 0, INTERVAL_MAX);
}

static void
read_modes(struct parse *p)
{
    static const struct later later[] = {{"versioning.mode=column", LATER_VERSIONS}, {0}};
    struct mapping *m = p->mapping;

    m->versioning = (enum versioning_mode)word_of(p, KEY_VERSIONING, versioning_names, later,
                                                  VERSIONING_SOURCE_LSN);
    m->deletes =
        (enum deletes_mode)word_of(p, KEY_DELETES, deletes_names, NULL, (int)p->defaults->deletes);
    m->grace_ms = millis_of(p, KEY_GRACE, p->defaults->grace_ms, GRACE_MAX);
    if (m->versioning == VERSIONING_NONE && m->deletes == DELETES_TOMBSTONE)
        fault_at(p->report, value_spot(p, node_of(p, KEY_VERSIONING)),
                 "tombstones need versions; write versioning.mode = \"source_lsn\", or "
                 "deletes.mode = \"physical\"");
}

static void
read_all(struct parse *p)
{
    struct mapping *m = p->mapping;

    require_all(p);
    m->file = p->input->file;
    m->version = number_of(p, KEY_VERSION, 1, 1, INT32_MAX);
    m->schema = text_of(p, KEY_SCHEMA, "public");
    m->table = text_of(p, KEY_TABLE, "");
    read_name(p);
    read_id(p);
    read_columns(p);
    read_membership(p);
    read_transform(p);
    read_destination(p);
    read_namespace(p);
    read_target(p);
    read_modes(p);
}

bool
migration_parse(const struct migration_input *input, const struct migration_defaults *defaults,
                struct arena *arena, struct report *report, struct migration *ret)
{
    const size_t faults = report->count[SEVERITY_ERROR];
    struct migration migration = {0};
    struct parse p = {.input = input,
                      .defaults = defaults,
                      .mapping = &migration.mapping,
                      .arena = arena,
                      .report = report};
    struct toml *tree;
    struct err err;

    if (!toml_parse(input->text, input->path, arena, &tree, &err)) {
        fault_text(report, err.text);
        return false;
    }
    if (!keys_collect(input->path, tree, report, &p.keys))
        return false;
    read_all(&p);
    if (report->count[SEVERITY_ERROR] != faults)
        return false;
    normal_make(&migration, &p.keys, input->text, arena);
    *ret = migration;
    return true;
}
