/* ns_schema: attributes, their declaration and inference; how they are shown. */
#include "local/ns_schema.h"

#include <assert.h>

#include "base/words.h"
#include "local/limits.h"
#include "local/refuse.h"

/* ---- the list ---- */

static void
reserve(struct ns_schema *schema, uint32_t capacity)
{
    struct attribute *grown;

    if (capacity <= schema->capacity)
        return;
    capacity = capacity < 2 * schema->capacity ? 2 * schema->capacity : capacity;
    grown = arena_new_n(schema->arena, struct attribute, capacity);
    if (schema->count)
        memcpy(grown, schema->attributes, schema->count * sizeof(*grown));
    schema->attributes = grown;
    schema->capacity = capacity;
}

static struct attribute *
append(struct ns_schema *schema, struct attribute attribute)
{
    reserve(schema, schema->count + 1);
    attribute.name = arena_span(schema->arena, attribute.name);
    schema->attributes[schema->count] = attribute;
    schema->dense_count += datum_type_is_dense(attribute.type);
    return &schema->attributes[schema->count++];
}

void
ns_schema_init(struct ns_schema *schema, struct arena *arena)
{
    assert(arena);
    *schema = (struct ns_schema){.arena = arena};
    append(schema, (struct attribute){.name = SPAN("id"), .filterable = true});
}

struct ns_schema
ns_schema_copy(const struct ns_schema *from, struct arena *arena)
{
    struct ns_schema copy = *from;

    assert(from->count > 0);
    copy.arena = arena;
    copy.attributes = NULL;
    copy.count = copy.capacity = 0;
    copy.conflict = (struct span){0};
    reserve(&copy, from->count + 16);
    memcpy(copy.attributes, from->attributes, from->count * sizeof(*from->attributes));
    copy.count = from->count;
    return copy;
}

void
ns_schema_adopt(struct ns_schema *schema, const struct ns_schema *changed)
{
    uint32_t had = schema->count;

    assert(changed->count >= had);
    reserve(schema, changed->count);
    for (uint32_t i = 0; i < changed->count; i++) {
        struct span name = i < had ? schema->attributes[i].name
                                   : arena_span(schema->arena, changed->attributes[i].name);

        schema->attributes[i] = changed->attributes[i];
        schema->attributes[i].name = name;
    }
    schema->count = changed->count;
    schema->dense_count = changed->dense_count;
    schema->metric = changed->metric;
    schema->founded = true;
}

const struct attribute *
ns_schema_find(const struct ns_schema *schema, struct span name)
{
    for (uint32_t i = 0; i < schema->count; i++) {
        if (span_eq(schema->attributes[i].name, name))
            return &schema->attributes[i];
    }
    return NULL;
}

static struct attribute *
find(struct ns_schema *schema, struct span name)
{
    const struct attribute *found = ns_schema_find(schema, name);

    return found ? &schema->attributes[ns_schema_index(schema, found)] : NULL;
}

/* ---- rules that hold however an attribute comes about ---- */

bool
ns_schema_check_name(struct span name, struct err *err)
{
    if (name.len == 0)
        return refuse(err, 400, "an attribute name cannot be empty");
    if (name.len > ATTRIBUTE_NAME_BYTES_MAX)
        return refuse(err, 400, "attribute name \"%.*s...\" has %zu bytes, at most %d are allowed",
                      20, name.ptr, name.len, ATTRIBUTE_NAME_BYTES_MAX);
    if (name.ptr[0] == '$')
        return refuse(err, 400, "attribute name \"%.*s\" starts with $, which is reserved",
                      SPAN_ARG(name));
    return true;
}

static bool
check_dense(const struct ns_schema *schema, struct datum_type type, struct err *err)
{
    if (!datum_type_is_dense(type))
        return true;
    if (type.dimensions > DIMENSIONS_MAX)
        return refuse(err, 400, "%u dimensions, at most %d are allowed", type.dimensions,
                      DIMENSIONS_MAX);
    if (schema->founded)
        return refuse(err, 400, "a dense vector has to be there from the first write on");
    if (schema->dense_count >= DENSE_VECTORS_MAX)
        return refuse(err, 400, "a namespace has at most %d dense vectors", DENSE_VECTORS_MAX);
    return true;
}

static bool
check_new(const struct ns_schema *schema, struct span name, struct datum_type type, struct err *err)
{
    if (!ns_schema_check_name(name, err))
        return false;
    if (schema->count > ATTRIBUTE_NAMES_MAX) /* the id is not counted */
        return refuse(err, 400, "a namespace has at most %d attribute names", ATTRIBUTE_NAMES_MAX);
    return check_dense(schema, type, err);
}

/* An empty array leaves its element type open; anything else is for ever. */
static bool
settle_type(struct ns_schema *schema, struct attribute *attribute, struct datum_type type,
            struct err *err)
{
    char had[DATUM_TYPE_TEXT_SIZE], wanted[DATUM_TYPE_TEXT_SIZE];

    if (datum_type_eq(attribute->type, type))
        return true;
    if (attribute->type.base == DATUM_UNKNOWN && attribute->type.array == type.array) {
        attribute->type = type;
        return true;
    }
    schema->conflict = attribute->name;
    return refuse(err, 400, "its type is %s and cannot become %s",
                  datum_type_text(attribute->type, had), datum_type_text(type, wanted));
}

bool
ns_schema_set_metric(struct ns_schema *schema, const struct json *metric, struct err *err)
{
    int found;

    if (!metric || metric->type == JSON_NULL)
        return true;
    found = metric->type == JSON_STRING ? word_find(distance_metric_words, metric->text) : -1;
    if (found <= DISTANCE_NONE)
        return refuse(err, 422, "distance_metric is cosine_distance or euclidean_squared");
    if (schema->metric != DISTANCE_NONE && schema->metric != (enum distance_metric)found)
        return refuse(err, 400, "distance_metric is %s and cannot become %s",
                      distance_metric_words[schema->metric], distance_metric_words[found]);
    schema->metric = (enum distance_metric)found;
    return true;
}

/* ---- declarations ---- */

/* clang-format off */
static const struct flag {
    const char *name;
    size_t offset;
    bool search; /* needs text, and takes filterable's default away */
} flags[] = {
    {"filterable", offsetof(struct attribute, filterable), false},
    {"regex",      offsetof(struct attribute, regex),      true},
    {"glob",       offsetof(struct attribute, glob),       true},
    {"fuzzy",      offsetof(struct attribute, fuzzy),      true},
};
/* clang-format on */

static bool *
flag_of(struct attribute *attribute, const struct flag *flag)
{
    return (bool *)(void *)((char *)attribute + flag->offset);
}

/* A member that is present and not null. */
static const struct json *
member(const struct json *config, const char *name)
{
    const struct json *found = json_get(config, name);

    return found && found->type != JSON_NULL ? found : NULL;
}

static bool
read_flags(struct attribute *attribute, const struct json *config, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        const struct json *given = member(config, flags[i].name);

        if (!given)
            continue;
        if (given->type != JSON_BOOL)
            return refuse(err, 422, "%s is true or false", flags[i].name);
        if (given->yes && flags[i].search && !datum_type_is_text(attribute->type))
            return refuse(err, 400, "%s needs the type string or []string", flags[i].name);
        *flag_of(attribute, &flags[i]) = given->yes;
    }
    if (attribute->filterable && !datum_type_is_filterable(attribute->type))
        return refuse(err, 400, "vectors and bytes cannot be filterable");
    return true;
}

static bool
read_fulltext(struct attribute *attribute, const struct json *config, struct err *err)
{
    const struct json *given = member(config, "full_text_search");

    if (!given)
        return true;
    if (!fulltext_read(given, &attribute->fulltext, err))
        return false;
    if (attribute->fulltext.on && !datum_type_is_text(attribute->type))
        return refuse(err, 400, "full_text_search needs the type string or []string");
    return true;
}

static bool
read_ann(struct ns_schema *schema, const struct attribute *attribute, const struct json *config,
         struct err *err)
{
    const struct json *ann = member(config, "ann");
    bool on = ann && (ann->type == JSON_OBJECT || ann->yes);

    if (ann && ann->type != JSON_OBJECT && ann->type != JSON_BOOL)
        return refuse(err, 422, "ann is true, false or an object");
    if (on && !datum_type_is_dense(attribute->type))
        return refuse(err, 400, "ann needs a dense vector, as in [768]f32");
    if (!on && datum_type_is_dense(attribute->type))
        return refuse(err, 400, "a dense vector needs \"ann\": true");
    return !on || ann->type != JSON_OBJECT ||
           ns_schema_set_metric(schema, json_get(ann, "distance_metric"), err);
}

static bool
read_sparse_knn(struct attribute *attribute, const struct json *config, struct err *err)
{
    const struct json *given = member(config, "sparse_knn");
    const struct json *metric = given ? json_get(given, "distance_metric") : NULL;

    if (!given)
        return true;
    if (attribute->type.base != DATUM_SPARSE)
        return refuse(err, 400, "sparse_knn needs the type {}f16");
    if (!metric || metric->type != JSON_STRING || !span_eq(metric->text, SPAN("dot_product")))
        return refuse(err, 422, "sparse_knn is {\"distance_metric\": \"dot_product\"}");
    attribute->sparse_knn = true;
    return true;
}

static bool
read_options(struct ns_schema *schema, struct attribute *attribute, const struct json *config,
             struct err *err)
{
    if (member(config, "embed"))
        return refuse(err, 400, "embed: turbopuffer-local has no embedding models");
    return read_fulltext(attribute, config, err) && read_flags(attribute, config, err) &&
           read_ann(schema, attribute, config, err) && read_sparse_knn(attribute, config, err);
}

/* With search options on and nothing said, a new attribute is not filterable. */
static bool
default_filterable(const struct attribute *attribute, const struct json *config)
{
    if (member(config, "filterable"))
        return attribute->filterable;
    return datum_type_is_filterable(attribute->type) && !attribute->fulltext.on &&
           !attribute->regex && !attribute->glob && !attribute->fuzzy;
}

/* The type alone: search options go, filterable stays. */
static void
reset_search(struct attribute *attribute)
{
    attribute->fulltext = (struct fulltext){0};
    attribute->regex = attribute->glob = attribute->fuzzy = false;
}

static bool
read_type(const struct json *config, struct datum_type *ret, struct err *err)
{
    const struct json *type = config->type == JSON_OBJECT ? json_get(config, "type") : config;

    if (config->type == JSON_OBJECT && json_get(config, "drop"))
        return refuse(err, 400, "drop: turbopuffer-local does not drop attributes");
    if (!type || type->type != JSON_STRING)
        return refuse(err, 422, "a type is missing; write \"string\" or {\"type\": \"string\"}");
    if (type->text.len > 4 && memcmp(type->text.ptr, "[][", 3) == 0)
        return refuse(err, 400, "multi-vectors (%.*s) are not enabled", SPAN_ARG(type->text));
    if (!datum_type_parse(type->text, ret))
        return refuse(err, 400, "there is no type \"%.*s\"", SPAN_ARG(type->text));
    return true;
}

static bool
declare_id(struct ns_schema *schema, struct datum_type type, struct err *err)
{
    bool good = !type.array &&
                (type.base == DATUM_UINT || type.base == DATUM_UUID || type.base == DATUM_STRING);

    if (!good)
        return refuse(err, 400, "an id is uint, uuid or string");
    return settle_type(schema, &schema->attributes[SCHEMA_ID], type, err);
}

static bool
declare_new(struct ns_schema *schema, const struct json *config, struct datum_type type,
            struct err *err)
{
    struct attribute attribute = {.name = config->key, .type = type};

    assert(!ns_schema_find(schema, config->key));
    if (!check_new(schema, config->key, type, err) ||
        !read_options(schema, &attribute, config, err))
        return false;
    attribute.filterable = default_filterable(&attribute, config);
    append(schema, attribute);
    return true;
}

static bool
declare_known(struct ns_schema *schema, struct attribute *attribute, const struct json *config,
              struct datum_type type, struct err *err)
{
    struct attribute changed = *attribute;

    if (!settle_type(schema, &changed, type, err))
        return false;
    if (config->type == JSON_STRING)
        reset_search(&changed);
    else if (!read_options(schema, &changed, config, err))
        return false;
    *attribute = changed;
    return true;
}

static bool
declare(struct ns_schema *schema, const struct json *config, struct err *err)
{
    struct attribute *known = find(schema, config->key);
    struct datum_type type;

    if (!read_type(config, &type, err))
        return false;
    if (known == &schema->attributes[SCHEMA_ID])
        return declare_id(schema, type, err);
    if (known)
        return declare_known(schema, known, config, type, err);
    return declare_new(schema, config, type, err);
}

bool
ns_schema_declare_all(struct ns_schema *schema, const struct json *map, struct err *err)
{
    if (map->type != JSON_OBJECT)
        return refuse(err, 422, "a schema is an object of attribute names");
    for (const struct json *config = map->first; config; config = config->next) {
        if (!declare(schema, config, err))
            return err_wrap(err, "schema: attribute \"%.*s\"", SPAN_ARG(config->key));
    }
    return true;
}

/* ---- inference ---- */

static bool
infer_new(struct ns_schema *schema, struct span name, const struct json *json, uint32_t *ret,
          struct err *err)
{
    struct attribute attribute = {.name = name};

    if (!datum_type_infer(json, span_eq(name, SPAN("vector")), &attribute.type, err) ||
        !check_new(schema, name, attribute.type, err))
        return false;
    attribute.filterable = datum_type_is_filterable(attribute.type);
    *ret = ns_schema_index(schema, append(schema, attribute));
    return true;
}

bool
ns_schema_infer(struct ns_schema *schema, struct span name, const struct json *json, uint32_t *ret,
                struct err *err)
{
    struct attribute *known = find(schema, name);
    struct datum_type type;

    assert(json->type != JSON_NULL);
    if (!known)
        return infer_new(schema, name, json, ret, err);
    *ret = ns_schema_index(schema, known);
    if (known->type.base != DATUM_UNKNOWN || json->type != JSON_ARRAY || json->count == 0)
        return true;
    return datum_type_infer(json, false, &type, err) && settle_type(schema, known, type, err);
}

/* ---- showing ---- */

static void
write_search_flags(struct json_writer *w, const struct attribute *attribute)
{
    for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
        if (!flags[i].search || !*(const bool *)((const char *)attribute + flags[i].offset))
            continue;
        json_key(w, span_of(flags[i].name));
        json_bool(w, true);
    }
}

static void
write_metric(struct json_writer *w, const char *metric)
{
    json_object_begin(w);
    json_key(w, SPAN("distance_metric"));
    json_string(w, span_of(metric));
    json_object_end(w);
}

static void
write_vector_options(struct json_writer *w, const struct ns_schema *schema,
                     const struct attribute *attribute, enum ns_schema_view view)
{
    if (datum_type_is_dense(attribute->type)) {
        json_key(w, SPAN("ann"));
        if (view == SCHEMA_VIEW_METADATA)
            write_metric(w, distance_metric_words[schema->metric]);
        else
            json_bool(w, true);
    }
    if (attribute->sparse_knn) {
        json_key(w, SPAN("sparse_knn"));
        write_metric(w, "dot_product");
    }
}

/* Where the option has no meaning: null, or nothing at all. */
static bool
write_applies(struct json_writer *w, const char *name, bool applies, enum ns_schema_view view)
{
    if (!applies && view == SCHEMA_VIEW_METADATA)
        return false;
    json_key(w, span_of(name));
    if (!applies)
        json_null(w);
    return applies;
}

static void
write_attribute(struct json_writer *w, const struct ns_schema *schema,
                const struct attribute *attribute, enum ns_schema_view view)
{
    char type[DATUM_TYPE_TEXT_SIZE];

    assert(attribute->type.base < DATUM_BASE_MAX_);
    json_object_begin(w);
    json_key(w, SPAN("type"));
    json_string(w, span_of(datum_type_text(attribute->type, type)));
    if (write_applies(w, "filterable", datum_type_is_filterable(attribute->type), view))
        json_bool(w, attribute->filterable);
    if (write_applies(w, "full_text_search", datum_type_is_text(attribute->type), view))
        fulltext_write(w, &attribute->fulltext);
    write_search_flags(w, attribute);
    write_vector_options(w, schema, attribute, view);
    json_object_end(w);
}

void
ns_schema_write(struct json_writer *w, const struct ns_schema *schema, enum ns_schema_view view)
{
    json_object_begin(w);
    for (uint32_t i = 0; i < schema->count; i++) {
        json_key(w, schema->attributes[i].name);
        write_attribute(w, schema, &schema->attributes[i], view);
    }
    json_object_end(w);
}
