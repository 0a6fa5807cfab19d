/* write: reading and checking a write request. */
#include "local/write.h"

#include <assert.h>

#include "local/refuse.h"
#include "local/write_plan.h"

/* ---- the fields of the body ---- */

enum field_type { TYPE_ARRAY, TYPE_OBJECT, TYPE_BOOL, TYPE_STRING, TYPE_NAME, TYPE_FILTER };

/* clang-format off */
static const struct field_row {
    const char *name;
    enum field_type type;
    bool operation; /* makes a request worth sending */
} rows[] = {
    [FIELD_UPSERT_ROWS]            = {"upsert_rows",           TYPE_ARRAY,  true},
    [FIELD_UPSERT_COLUMNS]         = {"upsert_columns",        TYPE_OBJECT, true},
    [FIELD_PATCH_ROWS]             = {"patch_rows",            TYPE_ARRAY,  true},
    [FIELD_PATCH_COLUMNS]          = {"patch_columns",         TYPE_OBJECT, true},
    [FIELD_DELETES]                = {"deletes",               TYPE_ARRAY,  true},
    [FIELD_DELETE_BY_FILTER]       = {"delete_by_filter",      TYPE_FILTER, true},
    [FIELD_PATCH_BY_FILTER]        = {"patch_by_filter",       TYPE_OBJECT, true},
    [FIELD_UPSERT_CONDITION]       = {"upsert_condition",      TYPE_FILTER, false},
    [FIELD_PATCH_CONDITION]        = {"patch_condition",       TYPE_FILTER, false},
    [FIELD_DELETE_CONDITION]       = {"delete_condition",      TYPE_FILTER, false},
    [FIELD_DELETE_BY_FILTER_ALLOW_PARTIAL] =
                                {"delete_by_filter_allow_partial", TYPE_BOOL, false},
    [FIELD_PATCH_BY_FILTER_ALLOW_PARTIAL] =
                                 {"patch_by_filter_allow_partial", TYPE_BOOL, false},
    [FIELD_SCHEMA]                 = {"schema",                TYPE_OBJECT, false},
    [FIELD_DISTANCE_METRIC]        = {"distance_metric",       TYPE_STRING, false},
    [FIELD_COPY_FROM_NAMESPACE]    = {"copy_from_namespace",   TYPE_NAME,   true},
    [FIELD_BRANCH_FROM_NAMESPACE]  = {"branch_from_namespace", TYPE_NAME,   true},
    [FIELD_ENCRYPTION]             = {"encryption",            TYPE_OBJECT, false},
    [FIELD_DISABLE_BACKPRESSURE]   = {"disable_backpressure",  TYPE_BOOL,   false},
    [FIELD_RETURN_AFFECTED_IDS]    = {"return_affected_ids",   TYPE_BOOL,   false},
    [FIELD_SHARDING]               = {"sharding",              TYPE_OBJECT, false},
    [FIELD_CREATE_NAMESPACE]       = {"create_namespace",      TYPE_BOOL,   false},
};

/* A condition, or an allow_partial, needs one of its operations beside it. */
static const struct need {
    enum write_field field, one, other;
} needs[] = {
    {FIELD_UPSERT_CONDITION, FIELD_UPSERT_ROWS, FIELD_UPSERT_COLUMNS},
    {FIELD_PATCH_CONDITION,  FIELD_PATCH_ROWS,  FIELD_PATCH_COLUMNS},
    {FIELD_DELETE_CONDITION, FIELD_DELETES,     FIELD_DELETES},
};

/* Two forms of one operation are refused by the live service's emulators; so are they here. */
static const enum write_field exclusive[][2] = {
    {FIELD_UPSERT_ROWS, FIELD_UPSERT_COLUMNS},
    {FIELD_PATCH_ROWS,  FIELD_PATCH_COLUMNS},
};
/* clang-format on */

_Static_assert(ARRAY_LEN(rows) == WRITE_FIELD_MAX_, "one row per field");

static bool
has_type(const struct json *json, enum field_type type)
{
    switch (type) {
    case TYPE_ARRAY:
    case TYPE_FILTER:
        return json->type == JSON_ARRAY;
    case TYPE_OBJECT:
        return json->type == JSON_OBJECT;
    case TYPE_BOOL:
        return json->type == JSON_BOOL;
    case TYPE_STRING:
        return json->type == JSON_STRING;
    case TYPE_NAME:
        return json->type == JSON_STRING || json->type == JSON_OBJECT;
    }
    return false;
}

static bool
read_field(struct write *w, const struct json *member, struct err *err)
{
    for (size_t i = 0; i < WRITE_FIELD_MAX_; i++) {
        if (!span_eq(member->key, span_of(rows[i].name)))
            continue;
        if (member->type == JSON_NULL)
            return true;
        if (!has_type(member, rows[i].type))
            return refuse(err, 422, "%s has the wrong JSON type", rows[i].name);
        w->fields[i] = member;
        return true;
    }
    return refuse(err, 422, "a write has no field \"%.*s\"", SPAN_ARG(member->key));
}

static bool
check_combinations(const struct write *w, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(needs); i++) {
        if (w->fields[needs[i].field] && !w->fields[needs[i].one] && !w->fields[needs[i].other])
            return refuse(err, 400, "%s without its operation", rows[needs[i].field].name);
    }
    for (size_t i = 0; i < ARRAY_LEN(exclusive); i++) {
        if (w->fields[exclusive[i][0]] && w->fields[exclusive[i][1]])
            return refuse(err, 400, "%s and %s in one request; use one of them",
                          rows[exclusive[i][0]].name, rows[exclusive[i][1]].name);
    }
    return true;
}

static bool
has_operation(const struct write *w)
{
    for (size_t i = 0; i < WRITE_FIELD_MAX_; i++) {
        if (w->fields[i] && rows[i].operation)
            return true;
    }
    return write_flag(w, FIELD_CREATE_NAMESPACE);
}

static bool
read_fields(struct write *w, const struct json *body, struct err *err)
{
    if (body->type != JSON_OBJECT)
        return refuse(err, 422, "a write is a JSON object");
    for (const struct json *member = body->first; member; member = member->next) {
        if (!read_field(w, member, err))
            return false;
    }
    return check_combinations(w, err);
}

/* ---- the namespace ---- */

static bool
has_upserts(const struct write *w)
{
    return w->fields[FIELD_UPSERT_ROWS] || w->fields[FIELD_UPSERT_COLUMNS];
}

/* Whether a namespace that is not there comes into being. */
static bool
founds(const struct write *w)
{
    return w->upserts.count > 0 || write_flag(w, FIELD_CREATE_NAMESPACE);
}

static bool
check_namespace(struct write *w, struct err *err)
{
    if (!w->ns && w->fields[FIELD_CREATE_NAMESPACE] && !write_flag(w, FIELD_CREATE_NAMESPACE))
        return refuse(err, 404, "namespace \"%.*s\" was not found", SPAN_ARG(w->name));
    if (!has_operation(w) && !(w->ns && w->fields[FIELD_SCHEMA]))
        return refuse(err, 400, "the write has no operation");
    if (w->ns && w->ns->read_only)
        return refuse(err, 400, "namespace \"%.*s\" is read-only", SPAN_ARG(w->name));
    if (w->ns && w->fields[FIELD_SHARDING])
        return refuse(err, 400, "sharding can be set by the first write only");
    return true;
}

static void
take_schema(struct write *w)
{
    w->ns = database_find(w->call->db, w->name);
    if (!w->ns)
        w->made = ns_new(w->name, w->call->now_ms);
    w->schema = ns_schema_copy(w->ns ? &w->ns->schema : &w->made->schema, w->call->arena);
}

static bool
read_schema(struct write *w, struct err *err)
{
    const struct json *declared = w->fields[FIELD_SCHEMA];

    if (declared && !ns_schema_declare_all(&w->schema, declared, err))
        return false;
    return ns_schema_set_metric(&w->schema, w->fields[FIELD_DISTANCE_METRIC], err);
}

/* Required with every upsert where there is a vector, refused where there is none. */
static bool
check_metric(const struct write *w, struct err *err)
{
    const struct json *given = w->fields[FIELD_DISTANCE_METRIC];

    if (given && w->schema.dense_count == 0)
        return refuse(err, 400, "distance_metric is for namespaces with a vector");
    if (!given && w->schema.dense_count > 0 && has_upserts(w))
        return refuse(err, 400, "distance_metric is required where there is a vector");
    return true;
}

/* ---- operations ---- */

static bool
read_upserts(struct write *w, struct rows_reader *r, struct err *err)
{
    const struct json *as_rows = w->fields[FIELD_UPSERT_ROWS];
    const struct json *as_columns = w->fields[FIELD_UPSERT_COLUMNS];

    r->kind = ROWS_UPSERT;
    if (as_rows && !rows_read(r, as_rows, &w->upserts, err))
        return err_wrap(err, "upsert_rows");
    if (as_columns && !rows_read_columns(r, as_columns, &w->upserts, err))
        return err_wrap(err, "upsert_columns");
    return true;
}

static bool
read_patches(struct write *w, struct rows_reader *r, struct err *err)
{
    const struct json *as_rows = w->fields[FIELD_PATCH_ROWS];
    const struct json *as_columns = w->fields[FIELD_PATCH_COLUMNS];
    const struct json *by_filter = w->fields[FIELD_PATCH_BY_FILTER];
    const struct json *patch = json_get(by_filter, "patch");

    r->kind = ROWS_PATCH;
    if (as_rows && !rows_read(r, as_rows, &w->patches, err))
        return err_wrap(err, "patch_rows");
    if (as_columns && !rows_read_columns(r, as_columns, &w->patches, err))
        return err_wrap(err, "patch_columns");
    if (!by_filter)
        return true;
    if (!patch || !json_get(by_filter, "filters"))
        return refuse(err, 422, "patch_by_filter is {\"filters\": ..., \"patch\": ...}");
    return rows_read_patch(r, patch, &w->filter_patch, err) || err_wrap(err, "patch_by_filter");
}

static bool
check_ids(const struct write *w, struct err *err)
{
    CLEANUP(id_set_free) struct id_set set = id_set_make();

    id_set_add(&set, &w->schema, &w->upserts);
    id_set_add(&set, &w->schema, &w->patches);
    id_set_add(&set, &w->schema, &w->deletes);
    return id_set_check(&set, err);
}

static bool
read_operations(struct write *w, struct err *err)
{
    struct rows_reader r = {
        .schema = &w->schema,
        .limits = &w->call->db->limits,
        .arena = w->call->arena,
    };
    const struct json *deletes = w->fields[FIELD_DELETES];

    if (!read_upserts(w, &r, err) || !read_patches(w, &r, err))
        return false;
    if (deletes && !rows_read_ids(&r, deletes, &w->deletes, err))
        return false;
    return check_ids(w, err);
}

/* ---- conditions and filters ---- */

static bool
read_filter(const struct write *w, const struct json *json, const char *what, enum filter_use use,
            struct filter **ret, struct err *err)
{
    if (!json)
        return true;
    return filter_read(&w->schema, json, use, w->call->arena, ret, err) ||
           err_wrap(err, "%s", what);
}

static bool
read_condition(const struct write *w, enum write_field field, struct filter **ret, struct err *err)
{
    return read_filter(w, w->fields[field], rows[field].name, FILTER_CONDITION, ret, err);
}

/* Where the namespace is neither there nor founded, everything is ignored: no need to look. */
static bool
read_filters(struct write *w, struct err *err)
{
    const struct json *patch = json_get(w->fields[FIELD_PATCH_BY_FILTER], "filters");

    if (!w->ns && !founds(w))
        return true;
    return read_condition(w, FIELD_UPSERT_CONDITION, &w->upsert_condition, err) &&
           read_condition(w, FIELD_PATCH_CONDITION, &w->patch_condition, err) &&
           read_condition(w, FIELD_DELETE_CONDITION, &w->delete_condition, err) &&
           read_filter(w, w->fields[FIELD_DELETE_BY_FILTER], "delete_by_filter", FILTER_QUERY,
                       &w->delete_filter, err) &&
           read_filter(w, patch, "patch_by_filter", FILTER_QUERY, &w->patch_filter, err);
}

/* ---- all together ---- */

static bool
read_plan(struct write *w, struct err *err)
{
    if (!read_schema(w, err) || !read_operations(w, err) || !check_metric(w, err) ||
        !read_filters(w, err))
        return false;
    if (!w->ns && founds(w) && w->schema.attributes[SCHEMA_ID].type.base == DATUM_UNKNOWN)
        return refuse(err, 400, "an empty namespace needs the type of its id in the schema");
    return true;
}

static void
commit(struct write *w)
{
    if (!w->ns) {
        w->ns = w->made;
        database_add(w->call->db, w->made);
        w->made = NULL;
    }
    ns_schema_adopt(&w->ns->schema, &w->schema);
    w->ns->updated_ms = w->call->now_ms;
    changes_commit(&w->changes, &w->call->db->journal, w->call->request);
}

static bool
run(struct write *w, struct buf *out, struct err *err)
{
    if (!read_plan(w, err))
        return false;
    if (!w->ns && !founds(w)) {
        write_answer(w, out);
        return true;
    }
    w->changes = (struct changes){.ns = w->ns ? w->ns : w->made, .schema = &w->schema};
    if (!write_apply(w, err)) {
        changes_roll_back(&w->changes);
        return false;
    }
    write_answer(w, out);
    commit(w);
    return true;
}

static void
write_done(struct write *w)
{
    changes_free(&w->changes);
    ns_free(w->made);
    filter_done(w->upsert_condition);
    filter_done(w->patch_condition);
    filter_done(w->delete_condition);
    filter_done(w->delete_filter);
    filter_done(w->patch_filter);
}

bool
write_run(struct call *call, struct span name, const struct json *body, struct buf *out,
          struct err *err)
{
    CLEANUP(write_done) struct write w = {.call = call, .name = name};

    assert(database_name_ok(name));
    if (!read_fields(&w, body, err))
        return false;
    take_schema(&w);
    if (!check_namespace(&w, err))
        return false;
    if (w.fields[FIELD_COPY_FROM_NAMESPACE] || w.fields[FIELD_BRANCH_FROM_NAMESPACE])
        return write_copy(&w, out, err);
    if (run(&w, out, err))
        return true;
    call->conflict = w.schema.conflict;
    return false;
}
