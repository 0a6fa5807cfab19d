/* fixture: tables, mappings and events from JSON. */
#include "fixture.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/number.h"
#include "base/words.h"
#include "harness/check.h"
#include "model/table.h"
#include "project/migration.h"

#define FILE_LIMIT   MEGABYTES(1)
#define OIDS_END     5000 /* of built-in types */
#define VECTOR_OID   90001
#define RELATION_OID 16384

static const struct json *
member(const struct fixture *f, const struct json *object, const char *name)
{
    const struct json *found = json_get(object, name);

    if (!found)
        fail_msg("%s: \"%s\" is missing", f->path, name);
    return found;
}

static const char *
text_of(const struct fixture *f, const struct json *value)
{
    if (value->type != JSON_STRING)
        fail_msg("%s: a text is wanted", f->path);
    return arena_text(f->arena, value->text);
}

/* ---- the table ---- */

static int32_t
dimensions_of(const char *name)
{
    const char *digits = name + sizeof("vector(") - 1;
    uint64_t n = 0;

    if (!span_to_uint((struct span){digits, strcspn(digits, ")")}, &n))
        fail_msg("\"%s\" has no dimensions", name);
    return (int32_t)n;
}

static struct type
vector_type(const char *name)
{
    return (struct type){.oid = VECTOR_OID,
                         .typmod = dimensions_of(name),
                         .kind = TYPE_VECTOR,
                         .delimiter = ',',
                         .name = name};
}

/* "bigint", "text[]", "vector(3)": by the names of format_type(). */
static struct type
type_of(const struct fixture *f, const char *name)
{
    struct type type;

    if (strncmp(name, "vector(", sizeof("vector(") - 1) == 0)
        return vector_type(name);
    for (oid_t oid = 1; oid < OIDS_END; oid++)
        if (type_builtin(oid, &type) && strcmp(type.name, name) == 0)
            return type;
    fail_msg("%s: no type \"%s\"", f->path, name);
    abort();
}

/* "bigint not null" */
static bool
cut_not_null(char *declaration)
{
    char *at = strstr(declaration, " not null");

    if (at)
        *at = '\0';
    return at != NULL;
}

static bool
in_list(const struct json *list, struct span name)
{
    for (const struct json *item = list->first; item; item = item->next)
        if (span_eq(item->text, name))
            return true;
    return false;
}

static void
read_column(struct fixture *f, const struct json *from, const struct json *key, bool full,
            int16_t attnum, struct table_column *ret, struct column *ret_wire)
{
    char *declaration = arena_strdup(f->arena, text_of(f, from));
    bool identity = full || in_list(key, from->key);

    *ret = (struct table_column){
        .name = arena_text(f->arena, from->key),
        .not_null = cut_not_null(declaration),
        .attnum = attnum,
        .identity = identity,
    };
    ret->type = type_of(f, declaration);
    *ret_wire = (struct column){
        .name = from->key, .type = ret->type.oid, .typmod = ret->type.typmod, .key = identity};
}

static const struct table *
read_table(struct fixture *f)
{
    const struct json *from = member(f, f->json, "table");
    const struct json *columns = member(f, from, "columns"), *key = member(f, from, "key");
    const struct json *identity = json_get(from, "identity");
    bool full = identity && span_eq(identity->text, SPAN("full"));
    struct table *table = arena_new_of(f->arena, struct table);
    struct table_column *items = arena_new_n(f->arena, struct table_column, columns->count);
    struct column *wire = arena_new_n(f->arena, struct column, columns->count);
    const char **names = arena_new_n(f->arena, const char *, columns->count);
    int16_t *attnums = arena_new_n(f->arena, int16_t, key->count);
    struct table_key *keys = arena_new_of(f->arena, struct table_key);
    size_t i = 0, k = 0;

    for (const struct json *column = columns->first; column; column = column->next, i++) {
        read_column(f, column, key, full, (int16_t)(i + 1), &items[i], &wire[i]);
        names[i] = items[i].name;
        if (in_list(key, column->key))
            attnums[k++] = items[i].attnum;
    }
    *keys = (struct table_key){.name = "pkey", .columns = attnums, .count = k, .primary = true};
    *table = (struct table){
        .oid = RELATION_OID,
        .schema = "public",
        .name = "fixture",
        .kind = 'r',
        .persistence = 'p',
        .identity = full ? IDENTITY_FULL : IDENTITY_DEFAULT,
        .estimated_rows = -1,
        .column_count = i,
        .columns = items,
        .key_count = 1,
        .keys = keys,
        .column_names = names,
    };
    f->schema = (struct schema){
        .relation = RELATION_OID,
        .namespace = SPAN("public"),
        .name = SPAN("fixture"),
        .identity = table->identity,
        .count = i,
        .columns = wire,
    };
    return table;
}

/* ---- the mapping ---- */

static void
check_report(const struct fixture *f, const struct report *report)
{
    CLEANUP(buf_free) struct buf text = buf_make(MEGABYTES(1));

    report_print(report, &text);
    if (report->count[SEVERITY_ERROR])
        fail_msg("%s: %s", f->path, text.ptr);
}

static void
read_mapping(struct fixture *f)
{
    static const char *const destinations[] = {"turbopuffer", NULL};
    const struct migration_defaults defaults = {
        .namespace_prefix = "",
        .destinations = destinations,
        .batch_max_rows = 1000,
        .batch_max_bytes = 8 * 1024 * 1024,
        .flush_interval_ms = 100,
        .grace_ms = 3600 * 1000,
    };
    CLEANUP(buf_free) struct buf text = buf_make(FILE_LIMIT);
    struct report report = report_make(f->arena);
    struct migration migration = {0};
    struct err err;

    for (const struct json *line = member(f, f->json, "mapping")->first; line; line = line->next)
        buf_putf(&text, "%.*s\n", SPAN_ARG(line->text));
    if (!migration_parse(&(struct migration_input){.path = f->path,
                                                   .file = "fixture.toml",
                                                   .text = arena_span(f->arena, buf_span(&text))},
                         &defaults, f->arena, &report, &migration))
        check_report(f, &report);
    f->mapping = migration.mapping;
    if (!mapping_bind(&f->mapping, read_table(f), f->arena, &report))
        check_report(f, &report);
    CHECK_OK(projection_make(&f->mapping, &f->schema, NULL, f->arena, &f->projection, &err), err);
}

/* ---- events ---- */

static struct value
value_of(const struct json *from)
{
    if (!from || from->type == JSON_NULL)
        return (struct value){.ptr = "", .kind = VALUE_NULL};
    if (from->type == JSON_OBJECT)
        return (struct value){.ptr = "", .kind = VALUE_UNCHANGED};
    return (struct value){
        .ptr = from->text.ptr, .len = (uint32_t)from->text.len, .kind = VALUE_TEXT};
}

static const struct value *
read_image(struct fixture *f, const struct json *from, bool *ret_key)
{
    struct value *values;

    if (!from)
        return NULL;
    *ret_key = from->count < f->schema.count;
    values = arena_new_n(f->arena, struct value, f->schema.count);
    for (size_t i = 0; i < f->schema.count; i++) {
        const char *name = arena_text(f->arena, f->schema.columns[i].name);

        values[i] = value_of(json_get(from, name));
    }
    return values;
}

static void
read_event(struct fixture *f, const struct json *from)
{
    int op = word_find(change_op_names, member(f, from, "op")->text);
    struct change change = {.schema = &f->schema};
    bool ignored = false;

    if (op < 0 || !lsn_parse(member(f, from, "lsn")->text, &change.position.commit) ||
        !json_to_uint(member(f, from, "seq"), &change.position.ordinal))
        fail_msg("%s: op, lsn or seq of an event", f->path);
    change.op = (enum change_op)op;
    change.after = read_image(f, json_get(from, "after"), &ignored);
    change.before = read_image(f, json_get(from, "before"), &change.before_is_key);
    batch_add(f->batch, f->projection, &change, ROW_WHOLE);
}

void
fixture_load(struct fixture *f, const char *path)
{
    struct span text;
    struct json *json;
    struct err err;

    *f = (struct fixture){.arena = arena_new("fixture"), .path = path};
    CHECK_OK(file_read(path, FILE_LIMIT, f->arena, &text, &err), err);
    CHECK_OK(json_parse(text, f->arena, &json, &err), err);
    f->json = json;
    read_mapping(f);
    f->batch = batch_new(&f->mapping, 0);
    for (const struct json *event = member(f, json, "events")->first; event; event = event->next)
        read_event(f, event);
}

void
fixture_done(struct fixture *f)
{
    batch_free(f->batch);
    arena_free(f->arena);
}

size_t
fixture_count(const struct fixture *f, const char *list)
{
    const struct json *found = json_get(f->json, list);

    return found ? found->count : 0;
}

struct span
fixture_request(const struct fixture *f, size_t index)
{
    CLEANUP(buf_free) struct buf out = buf_make(FILE_LIMIT);
    struct json_writer w = {.out = &out};
    const struct json *request = member(f, f->json, "requests")->first;

    for (; index > 0; index--)
        request = request->next;
    json_value(&w, request);
    return arena_span(f->arena, buf_span(&out));
}
