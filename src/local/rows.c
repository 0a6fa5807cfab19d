/* rows: from JSON rows, columns and id lists to values in the order of the schema. */
#include "local/rows.h"

#include <assert.h>
#include <string.h>

#include "local/refuse.h"

#define REPEATED_IDS_SHOWN 400 /* bytes of the list in the message */

/* ---- ids ---- */

/* What the id of the first document makes all ids of the namespace. */
static bool
infer_id(const struct json *json, struct datum_type *type, struct err *err)
{
    if (json->type == JSON_NUMBER)
        type->base = DATUM_UINT;
    else if (json->type == JSON_STRING)
        type->base = DATUM_STRING;
    else
        return refuse(err, 422, "an id is a non-negative integer or a string");
    return true;
}

/* 422 for what can never be an id, 400 for an id of another kind than the namespace's. */
static bool
check_id_kind(const struct json *json, enum datum_base base, struct err *err)
{
    uint64_t number;

    if (json->type != JSON_NUMBER && json->type != JSON_STRING)
        return refuse(err, 422, "an id is a non-negative integer or a string");
    if (json->type == JSON_NUMBER && !json_to_uint(json, &number))
        return refuse(err, 422, "id %.*s: an id is a non-negative 64-bit integer or a string",
                      SPAN_ARG(json->text));
    if ((json->type == JSON_NUMBER) != (base == DATUM_UINT))
        return refuse(err, 400, "id %.*s: the ids of this namespace are of type %s",
                      SPAN_ARG(json->text),
                      base == DATUM_UINT   ? "uint"
                      : base == DATUM_UUID ? "uuid"
                                           : "string");
    return true;
}

static bool
read_id(struct rows_reader *r, const struct json *json, struct datum *ret, struct err *err)
{
    struct datum_type *type = &r->schema->attributes[SCHEMA_ID].type;

    if (!json)
        return refuse(err, 422, "the id is missing");
    if (type->base == DATUM_UNKNOWN && !infer_id(json, type, err))
        return false;
    if (!check_id_kind(json, type->base, err))
        return false;
    *ret = (struct datum){.attribute = SCHEMA_ID};
    if (!datum_read_scalar(type->base, json, r->arena, &ret->scalar, err))
        return err_wrap(err, "id");
    if (type->base != DATUM_UINT && ret->scalar.s.len > ID_BYTES_MAX)
        return refuse(err, 400, "id \"%.*s...\" has %zu bytes, at most %d are allowed", 16,
                      ret->scalar.s.ptr, ret->scalar.s.len, ID_BYTES_MAX);
    return true;
}

/* ---- values ---- */

/* The attribute of a key, without searching when keys come in the order of the last row. */
static bool
find_attribute(struct rows_reader *r, struct span name, const struct json *json, uint32_t *ret,
               struct err *err)
{
    const struct ns_schema *schema = r->schema;
    uint32_t at = r->expected;

    if (at < schema->count && span_eq(schema->attributes[at].name, name) &&
        schema->attributes[at].type.base != DATUM_UNKNOWN)
        *ret = at;
    else if (!ns_schema_infer(r->schema, name, json, ret, err))
        return false;
    r->expected = *ret + 1;
    return true;
}

static bool
check_value(const struct rows_reader *r, const struct attribute *attribute,
            const struct datum *value, struct err *err)
{
    size_t bytes = datum_bytes(attribute->type, value);

    if (bytes > r->limits->attribute_bytes)
        return refuse(err, 400, "the value has %zu bytes, at most %zu are allowed", bytes,
                      r->limits->attribute_bytes);
    if (attribute->filterable && bytes > r->limits->filterable_bytes &&
        datum_bytes_largest(attribute->type, value) > r->limits->filterable_bytes)
        return refuse(err, 400,
                      "the value has %zu bytes, at most %zu are allowed where it is filterable; "
                      "declare \"filterable\": false",
                      datum_bytes_largest(attribute->type, value), r->limits->filterable_bytes);
    if (r->kind == ROWS_PATCH && datum_type_is_dense(attribute->type))
        return refuse(err, 400, "a dense vector cannot be patched");
    return true;
}

static void
push_value(struct row *row, struct datum value)
{
    uint32_t at = row->count++;

    assert(at == 0 || row->values[at - 1].attribute != value.attribute);
    for (; at > 0 && row->values[at - 1].attribute > value.attribute; at--)
        row->values[at] = row->values[at - 1];
    row->values[at] = value;
}

/* A null of a known attribute clears it in a patch; of an unknown one it is nothing. */
static bool
push_null(struct rows_reader *r, struct span name, struct row *row, struct err *err)
{
    const struct attribute *known = ns_schema_find(r->schema, name);

    if (!known)
        return ns_schema_check_name(name, err);
    if (r->kind != ROWS_PATCH)
        return true;
    if (datum_type_is_dense(known->type))
        return refuse(err, 400, "a dense vector cannot be patched");
    push_value(row, (struct datum){ns_schema_index(r->schema, known), DATUM_CLEARED, {{0}}});
    return true;
}

static bool
read_value(struct rows_reader *r, uint32_t index, const struct json *json, struct row *row,
           struct err *err)
{
    const struct attribute *attribute = &r->schema->attributes[index];
    struct datum value;

    if (!datum_read(attribute->type, json, r->arena, &value, err) ||
        !check_value(r, attribute, &value, err))
        return false;
    value.attribute = index;
    push_value(row, value);
    return true;
}

static bool
read_member(struct rows_reader *r, struct span name, const struct json *json, struct row *row,
            struct err *err)
{
    uint32_t index;

    if (json->type == JSON_NULL)
        return push_null(r, name, row, err);
    return find_attribute(r, name, json, &index, err) && read_value(r, index, json, row, err);
}

/* ---- rows ---- */

static bool
check_vectors(const struct ns_schema *schema, const struct row *row, struct err *err)
{
    if (schema->dense_count == 0)
        return true;
    for (uint32_t i = 0; i < schema->count; i++) {
        const struct attribute *attribute = &schema->attributes[i];

        if (datum_type_is_dense(attribute->type) && !row_find(row, i))
            return refuse(err, 400, "attribute \"%.*s\": every document needs its vector",
                          SPAN_ARG(attribute->name));
    }
    return true;
}

static bool
check_row(const struct rows_reader *r, const struct row *row, struct err *err)
{
    size_t bytes = row_bytes(r->schema, row);

    if (bytes > r->limits->document_bytes)
        return refuse(err, 400, "the document has %zu bytes, at most %zu are allowed", bytes,
                      r->limits->document_bytes);
    return r->kind == ROWS_PATCH || check_vectors(r->schema, row, err);
}

/* Once all are read: a later row may have brought a vector that the earlier ones lack. */
static bool
check_rows(const struct rows_reader *r, const struct rows *rows, struct err *err)
{
    for (size_t i = 0; i < rows->count; i++) {
        if (!check_row(r, &rows->items[i], err))
            return err_wrap(err, "row %zu", i);
    }
    return true;
}

static bool
read_members(struct rows_reader *r, const struct json *json, struct row *row, struct err *err)
{
    r->expected = SCHEMA_ID + 1;
    for (const struct json *member = json->first; member; member = member->next) {
        if (span_eq(member->key, SPAN("id")))
            continue;
        if (!read_member(r, member->key, member, row, err))
            return err_wrap(err, "attribute \"%.*s\"", SPAN_ARG(member->key));
    }
    return true;
}

static bool
read_row(struct rows_reader *r, const struct json *json, struct row *ret, struct err *err)
{
    struct row row = {.count = 1};

    if (json->type != JSON_OBJECT)
        return refuse(err, 422, "a row is an object");
    row.values = arena_new_n(r->arena, struct datum, json->count + 1);
    if (!read_id(r, json_get(json, "id"), &row.values[0], err) || !read_members(r, json, &row, err))
        return false;
    *ret = row;
    return true;
}

bool
rows_read(struct rows_reader *r, const struct json *json, struct rows *ret, struct err *err)
{
    struct rows rows = {.count = 0};

    if (json->type != JSON_ARRAY)
        return refuse(err, 422, "rows are an array of objects");
    rows.items = arena_new_n(r->arena, struct row, json->count + 1);
    for (const struct json *row = json->first; row; row = row->next, rows.count++) {
        if (!read_row(r, row, &rows.items[rows.count], err))
            return err_wrap(err, "row %zu", rows.count);
    }
    if (!check_rows(r, &rows, err))
        return false;
    *ret = rows;
    return true;
}

bool
rows_read_ids(struct rows_reader *r, const struct json *json, struct rows *ret, struct err *err)
{
    struct rows rows = {.count = 0};

    if (json->type != JSON_ARRAY)
        return refuse(err, 422, "deletes are an array of ids");
    rows.items = arena_new_n(r->arena, struct row, json->count + 1);
    for (const struct json *id = json->first; id; id = id->next, rows.count++) {
        struct datum *value = arena_new_of(r->arena, struct datum);

        if (!read_id(r, id, value, err))
            return err_wrap(err, "delete %zu", rows.count);
        rows.items[rows.count] = (struct row){value, 1};
    }
    *ret = rows;
    return true;
}

bool
rows_read_patch(struct rows_reader *r, const struct json *json, struct row *ret, struct err *err)
{
    struct row row = {.count = 1};

    assert(r->kind == ROWS_PATCH);
    if (json->type != JSON_OBJECT)
        return refuse(err, 422, "patch is an object");
    if (json_get(json, "id"))
        return refuse(err, 400, "patch_by_filter cannot change ids");
    row.values = arena_new_n(r->arena, struct datum, json->count + 1);
    if (!read_members(r, json, &row, err))
        return false;
    *ret = row;
    return true;
}

/* ---- columns ---- */

static bool
check_columns(const struct json *json, size_t *ret_count, struct err *err)
{
    const struct json *ids = json_get(json, "id");

    if (json->type != JSON_OBJECT)
        return refuse(err, 422, "columns are an object of arrays");
    if (!ids)
        return refuse(err, 422, "the column id is missing");
    for (const struct json *column = json->first; column; column = column->next) {
        if (column->type != JSON_ARRAY)
            return refuse(err, 422, "column \"%.*s\" is no array", SPAN_ARG(column->key));
        if (column->count != ids->count)
            return refuse(err, 400, "column \"%.*s\" has %zu values, column id %zu",
                          SPAN_ARG(column->key), column->count, ids->count);
    }
    *ret_count = ids->count;
    return true;
}

static bool
read_id_column(struct rows_reader *r, const struct json *column, struct rows *rows, struct err *err)
{
    for (const struct json *id = column->first; id; id = id->next, rows->count++) {
        if (!read_id(r, id, &rows->items[rows->count].values[0], err))
            return err_wrap(err, "row %zu", rows->count);
    }
    return true;
}

static bool
read_column(struct rows_reader *r, const struct json *column, struct rows *rows, struct err *err)
{
    size_t i = 0;

    for (const struct json *value = column->first; value; value = value->next, i++) {
        r->expected = r->expected ? r->expected - 1 : 0; /* the same column again */
        if (!read_member(r, column->key, value, &rows->items[i], err))
            return err_wrap(err, "attribute \"%.*s\" of row %zu", SPAN_ARG(column->key), i);
    }
    return true;
}

bool
rows_read_columns(struct rows_reader *r, const struct json *json, struct rows *ret, struct err *err)
{
    struct rows rows = {.count = 0};
    size_t count = 0;

    assert(r->schema->count > 0);
    if (!check_columns(json, &count, err))
        return false;
    rows.items = arena_new_n(r->arena, struct row, count + 1);
    for (size_t i = 0; i < count; i++)
        rows.items[i] = (struct row){arena_new_n(r->arena, struct datum, json->count), 1};
    if (!read_id_column(r, json_get(json, "id"), &rows, err))
        return false;
    for (const struct json *column = json->first; column; column = column->next) {
        if (!span_eq(column->key, SPAN("id")) && !read_column(r, column, &rows, err))
            return false;
    }
    if (!check_rows(r, &rows, err))
        return false;
    *ret = rows;
    return true;
}

/* ---- duplicates ---- */

struct id_set
id_set_make(void)
{
    return (struct id_set){.repeated = buf_make(MEGABYTES(64))};
}

void
id_set_free(struct id_set *set)
{
    map_free(&set->seen);
    buf_free(&set->repeated);
}

void
id_set_add(struct id_set *set, const struct ns_schema *schema, const struct rows *rows)
{
    assert(schema->count > 0);
    for (size_t i = 0; i < rows->count; i++) {
        const struct datum *id = &rows->items[i].values[0];
        struct json_writer w = {.out = &set->repeated};

        if (!map_put(&set->seen, row_key(schema, id), &rows->items[i]))
            continue;
        if (set->repeated.len)
            buf_put(&set->repeated, SPAN(", "));
        row_write_id(&w, schema, id);
    }
}

bool
id_set_check(const struct id_set *set, struct err *err)
{
    size_t shown = set->repeated.len < REPEATED_IDS_SHOWN ? set->repeated.len : REPEATED_IDS_SHOWN;

    if (set->repeated.len == 0)
        return true;
    return refuse(err, 400, "duplicate document IDs in one request: %.*s%s", (int)shown,
                  set->repeated.ptr, shown < set->repeated.len ? "..." : "");
}
