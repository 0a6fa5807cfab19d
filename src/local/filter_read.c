/* filter_read: filters from JSON, checked against the schema. */
#include <assert.h>
#include <stdlib.h>

#include "local/filter.h"
#include "local/filter_node.h"
#include "local/match.h"
#include "local/refuse.h"

/* ---- operators ---- */

/* What an operator wants of its attribute and its operand. */
enum shape {
    SHAPE_WHOLE,        /* a value of the attribute's type */
    SHAPE_RANGE,        /* the same, but no arrays */
    SHAPE_LIST,         /* a list of scalars */
    SHAPE_ELEMENT,      /* an array attribute, a scalar */
    SHAPE_ELEMENT_LIST, /* an array attribute, a list of scalars */
    SHAPE_TEXT,         /* a text attribute, a string */
    SHAPE_TOKENS,       /* an attribute with full-text search, a string or a list of them */
};

/* clang-format off */
static const struct operator_row {
    const char *name;
    enum filter_test test;
    enum shape shape;
    bool negated, ignore_case;
} operators[] = {
    {"Eq",                    TEST_EQ,             SHAPE_WHOLE,        false, false},
    {"NotEq",                 TEST_EQ,             SHAPE_WHOLE,        true,  false},
    {"In",                    TEST_IN,             SHAPE_LIST,         false, false},
    {"NotIn",                 TEST_IN,             SHAPE_LIST,         true,  false},
    {"Lt",                    TEST_LT,             SHAPE_RANGE,        false, false},
    {"Lte",                   TEST_LTE,            SHAPE_RANGE,        false, false},
    {"Gt",                    TEST_GT,             SHAPE_RANGE,        false, false},
    {"Gte",                   TEST_GTE,            SHAPE_RANGE,        false, false},
    {"Contains",              TEST_CONTAINS,       SHAPE_ELEMENT,      false, false},
    {"NotContains",           TEST_CONTAINS,       SHAPE_ELEMENT,      true,  false},
    {"ContainsAny",           TEST_CONTAINS_ANY,   SHAPE_ELEMENT_LIST, false, false},
    {"NotContainsAny",        TEST_CONTAINS_ANY,   SHAPE_ELEMENT_LIST, true,  false},
    {"AnyLt",                 TEST_ANY_LT,         SHAPE_ELEMENT,      false, false},
    {"AnyLte",                TEST_ANY_LTE,        SHAPE_ELEMENT,      false, false},
    {"AnyGt",                 TEST_ANY_GT,         SHAPE_ELEMENT,      false, false},
    {"AnyGte",                TEST_ANY_GTE,        SHAPE_ELEMENT,      false, false},
    {"Glob",                  TEST_GLOB,           SHAPE_TEXT,         false, false},
    {"NotGlob",               TEST_GLOB,           SHAPE_TEXT,         true,  false},
    {"IGlob",                 TEST_GLOB,           SHAPE_TEXT,         false, true},
    {"NotIGlob",              TEST_GLOB,           SHAPE_TEXT,         true,  true},
    {"Regex",                 TEST_REGEX,          SHAPE_TEXT,         false, false},
    {"Fuzzy",                 TEST_FUZZY,          SHAPE_TEXT,         false, false},
    {"ContainsAllTokens",     TEST_ALL_TOKENS,     SHAPE_TOKENS,       false, false},
    {"ContainsAnyToken",      TEST_ANY_TOKEN,      SHAPE_TOKENS,       false, false},
    {"ContainsTokenSequence", TEST_TOKEN_SEQUENCE, SHAPE_TOKENS,       false, false},
};
/* clang-format on */

static const struct operator_row *
find_operator(struct span name)
{
    for (size_t i = 0; i < ARRAY_LEN(operators); i++) {
        if (span_eq(name, span_of(operators[i].name)))
            return &operators[i];
    }
    return NULL;
}

/* One test that is being read. */
struct reading {
    const struct ns_schema *schema;
    const struct attribute *attribute;
    const struct operator_row *op;
    const struct json *operand;
    const struct json *options; /* NULL when there is no fourth element */
    enum filter_use use;
    struct arena *arena;
};

/* ---- the attribute ---- */

static bool
is_usable(const struct attribute *attribute, enum filter_test test)
{
    if (test == TEST_REGEX)
        return attribute->regex;
    if (test == TEST_FUZZY)
        return attribute->fuzzy;
    if (test == TEST_GLOB)
        return attribute->filterable || attribute->glob;
    if (test == TEST_ALL_TOKENS || test == TEST_ANY_TOKEN || test == TEST_TOKEN_SEQUENCE)
        return attribute->fulltext.on;
    return attribute->filterable;
}

static bool
check_attribute(const struct reading *r, struct err *err)
{
    const struct attribute *attribute = r->attribute;
    enum shape shape = r->op->shape;

    if ((shape == SHAPE_ELEMENT || shape == SHAPE_ELEMENT_LIST) && !attribute->type.array)
        return refuse(err, 400, "%s is for arrays", r->op->name);
    if (shape == SHAPE_RANGE && attribute->type.array)
        return refuse(err, 400, "%s is not for arrays; use Any%s", r->op->name, r->op->name);
    if (shape == SHAPE_TEXT && !datum_type_is_text(attribute->type))
        return refuse(err, 400, "%s is for the types string and []string", r->op->name);
    if (!is_usable(attribute, r->op->test))
        return refuse(err, 400, "it is not filterable with %s; its schema has to allow it",
                      r->op->name);
    return true;
}

/* ---- operands ---- */

static bool
read_ref_new(const struct reading *r, const struct json *name, struct operand *ret, struct err *err)
{
    bool element = r->op->shape == SHAPE_ELEMENT;
    const struct attribute *referred;
    struct datum_type wanted = r->attribute->type;

    if (r->use != FILTER_CONDITION)
        return refuse(err, 400, "$ref_new has a meaning only in conditions");
    if (name->type != JSON_STRING)
        return refuse(err, 422, "$ref_new names an attribute");
    referred = ns_schema_find(r->schema, name->text);
    if (!referred)
        return refuse(err, 400, "$ref_new: there is no attribute \"%.*s\"", SPAN_ARG(name->text));
    wanted.array = wanted.array && !element;
    if (!datum_type_eq(referred->type, wanted))
        return refuse(err, 400, "$ref_new: attribute \"%.*s\" has another type",
                      SPAN_ARG(name->text));
    *ret =
        (struct operand){.kind = OPERAND_REF_NEW, .ref_new = ns_schema_index(r->schema, referred)};
    return true;
}

static bool
read_scalar_or_null(const struct reading *r, struct datum_type type, struct operand *ret,
                    struct err *err)
{
    const struct json *ref = json_get(r->operand, "$ref_new");

    if (ref)
        return read_ref_new(r, ref, ret, err);
    if (r->operand->type == JSON_NULL && r->op->shape == SHAPE_ELEMENT)
        return refuse(err, 422, "%s takes no null", r->op->name);
    if (r->operand->type == JSON_NULL) {
        *ret = (struct operand){.kind = OPERAND_NULL};
        return true;
    }
    *ret = (struct operand){.kind = OPERAND_VALUE};
    return datum_read(type, r->operand, r->arena, &ret->value, err);
}

/* A list must be of one kind and without nulls before its types are looked at. */
static bool
check_list(const struct reading *r, struct err *err)
{
    if (r->operand->type != JSON_ARRAY)
        return refuse(err, 422, "%s takes a list", r->op->name);
    for (const struct json *item = r->operand->first; item; item = item->next) {
        if (item->type == JSON_NULL)
            return refuse(err, 422, "%s takes no null", r->op->name);
        if (item->type != r->operand->first->type)
            return refuse(err, 422, "the list of %s mixes types", r->op->name);
    }
    return true;
}

static bool
read_list(const struct reading *r, struct operand *ret, struct err *err)
{
    struct datum_type list = {.base = r->attribute->type.base, .array = true};

    *ret = (struct operand){.kind = OPERAND_VALUE};
    return check_list(r, err) && datum_read(list, r->operand, r->arena, &ret->value, err);
}

/* ---- text operators ---- */

static bool
option_bool(const struct reading *r, const char *name, bool *ret, struct err *err)
{
    const struct json *option = json_get(r->options, name);

    if (option && option->type != JSON_BOOL)
        return refuse(err, 422, "%s: %s is true or false", r->op->name, name);
    if (option)
        *ret = option->yes;
    return true;
}

/* The distance of the highest threshold that the query reaches; below all of them, no match. */
static bool
read_distances(const struct reading *r, struct filter *f, struct err *err)
{
    const struct json *steps = json_get(r->options, "max_edit_distance");
    uint64_t chars, distance, reached = 0;

    f->never = true;
    if (!steps || steps->type != JSON_ARRAY)
        return refuse(err, 422,
                      "Fuzzy needs {\"max_edit_distance\": [{\"min_query_chars\": 6, "
                      "\"distance\": 1}]}");
    for (const struct json *step = steps->first; step; step = step->next) {
        if (!json_to_uint(json_get(step, "min_query_chars"), &chars) ||
            !json_to_uint(json_get(step, "distance"), &distance))
            return refuse(err, 422,
                          "max_edit_distance is a list of {\"min_query_chars\", "
                          "\"distance\"}");
        if (distance > 8 || chars < 3 * (distance + 1))
            return refuse(err, 400, "min_query_chars has to be at least 3 * (distance + 1)");
        if (f->operand.value.scalar.s.len >= chars && chars >= reached) {
            reached = chars;
            f->distance = distance;
            f->never = false;
        }
    }
    return true;
}

static bool
read_text(const struct reading *r, struct filter *f, struct err *err)
{
    bool case_sensitive = true;

    assert(r->op->shape == SHAPE_TEXT);
    if (r->operand->type != JSON_STRING)
        return refuse(err, 422, "%s takes a string", r->op->name);
    f->operand = (struct operand){.kind = OPERAND_VALUE, .value.scalar.s = r->operand->text};
    f->ignore_case = r->op->ignore_case;
    if (f->test == TEST_REGEX) {
        regex_t *regex = arena_new_of(r->arena, regex_t);

        if (!match_compile(r->operand->text, regex, err))
            return false;
        f->regex = regex;
    }
    if (f->test != TEST_FUZZY)
        return true;
    if (!option_bool(r, "case_sensitive", &case_sensitive, err))
        return false;
    f->ignore_case = !case_sensitive;
    return read_distances(r, f, err);
}

static bool
read_tokens(const struct reading *r, struct filter *f, struct err *err)
{
    const struct fulltext *fulltext = &r->attribute->fulltext;
    size_t n = 0;

    if (!option_bool(r, "last_as_prefix", &f->last_as_prefix, err))
        return false;
    if (r->operand->type == JSON_STRING) {
        f->tokens = fulltext_tokens(fulltext, r->operand->text, r->arena);
        return true;
    }
    if (r->operand->type != JSON_ARRAY)
        return refuse(err, 422, "%s takes a string or a list of strings", r->op->name);
    f->tokens.items = arena_new_n(r->arena, struct span, r->operand->count);
    for (const struct json *item = r->operand->first; item; item = item->next) {
        if (item->type != JSON_STRING)
            return refuse(err, 422, "%s takes strings", r->op->name);
        f->tokens.items[n++] = item->text;
    }
    f->tokens.count = n;
    return true;
}

static bool
read_operand(const struct reading *r, struct filter *f, struct err *err)
{
    struct datum_type element = {.base = r->attribute->type.base};

    switch (r->op->shape) {
    case SHAPE_WHOLE:
    case SHAPE_RANGE:
        return read_scalar_or_null(r, r->attribute->type, &f->operand, err);
    case SHAPE_ELEMENT:
        return read_scalar_or_null(r, element, &f->operand, err);
    case SHAPE_LIST:
    case SHAPE_ELEMENT_LIST:
        return read_list(r, &f->operand, err);
    case SHAPE_TEXT:
        return read_text(r, f, err);
    case SHAPE_TOKENS:
        return read_tokens(r, f, err);
    }
    return false;
}

/* ---- the tree ---- */

static bool
read_test(struct reading *r, const struct json *json, struct filter **ret, struct err *err)
{
    const struct json *name = json->first, *op = name->next;
    struct filter *f = arena_new_of(r->arena, struct filter);

    r->op = op->type == JSON_STRING ? find_operator(op->text) : NULL;
    if (!r->op)
        return refuse(err, 422, "there is no filter operator \"%.*s\"", SPAN_ARG(op->text));
    r->attribute = ns_schema_find(r->schema, name->text);
    if (!r->attribute)
        return refuse(err, 400, "there is no attribute \"%.*s\"", SPAN_ARG(name->text));
    r->operand = op->next;
    r->options = r->operand->next;
    *f = (struct filter){
        .kind = FILTER_TEST,
        .test = r->op->test,
        .negated = r->op->negated,
        .schema = r->schema,
        .arena = r->arena,
        .attribute = ns_schema_index(r->schema, r->attribute),
        .type = r->attribute->type,
    };
    if (!check_attribute(r, err) || !read_operand(r, f, err))
        return err_wrap(err, "attribute \"%.*s\"", SPAN_ARG(name->text));
    *ret = f;
    return true;
}

static bool read_node(struct reading *r, const struct json *json, struct filter **ret,
                      struct err *err);

static bool
read_children(struct reading *r, const struct json *list, struct filter *parent, struct err *err)
{
    struct filter **tail = &parent->first;

    for (const struct json *child = list->first; child; child = child->next) {
        if (!read_node(r, child, tail, err))
            return false;
        tail = &(*tail)->next;
    }
    return true;
}

static bool
read_junction(struct reading *r, enum filter_kind kind, const struct json *operand,
              struct filter **ret, struct err *err)
{
    struct filter *f = arena_new_of(r->arena, struct filter);

    f->kind = kind;
    *ret = f; /* at once: what is compiled below it has to be given back on failure too */
    if (operand->type != JSON_ARRAY)
        return refuse(err, 422, "And and Or take a list of filters, Not takes one");
    if (kind == FILTER_NOT)
        return read_node(r, operand, &f->first, err);
    return read_children(r, operand, f, err);
}

/* clang-format off */
static const struct junction {
    const char *name;
    enum filter_kind kind;
} junctions[] = {
    {"And", FILTER_AND},
    {"Or",  FILTER_OR},
    {"Not", FILTER_NOT},
};
/* clang-format on */

/* Recursion is bounded by the depth of the JSON. */
static bool
read_node(struct reading *r, const struct json *json, struct filter **ret, struct err *err)
{
    if (json->type != JSON_ARRAY || json->count < 2 || json->count > 4 ||
        json->first->type != JSON_STRING)
        return refuse(err, 422,
                      "a filter is [attribute, operator, operand] or [\"And\", [filters]]");
    for (size_t i = 0; i < ARRAY_LEN(junctions) && json->count == 2; i++) {
        if (span_eq(json->first->text, span_of(junctions[i].name)))
            return read_junction(r, junctions[i].kind, json->first->next, ret, err);
    }
    if (json->count == 2)
        return refuse(err, 422, "a filter of two elements is And, Or or Not");
    return read_test(r, json, ret, err);
}

bool
filter_read(const struct ns_schema *schema, const struct json *json, enum filter_use use,
            struct arena *arena, struct filter **ret, struct err *err)
{
    struct reading r = {.schema = schema, .use = use, .arena = arena};
    struct filter *filter = NULL;

    assert(schema->count > 0 && arena);
    if (!read_node(&r, json, &filter, err)) {
        filter_done(filter);
        return false;
    }
    *ret = filter;
    return true;
}
