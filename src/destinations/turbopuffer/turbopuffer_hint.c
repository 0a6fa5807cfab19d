/* turbopuffer_hint: the options of one attribute as a user wrote them, checked against tables. */
#include <assert.h>

#include "base/words.h"
#include "destinations/turbopuffer/turbopuffer_schema.h"

/* ---- the tables (facts 3.5) ---- */

static const char *const tokenizers[] = {
    "word_v0", "word_v1", "word_v2", "word_v3", "word_v4", "pre_tokenized_array", NULL};
static const char *const languages[] = {
    "arabic",  "danish",    "dutch",   "english",   "finnish",    "french",   "german",
    "greek",   "hungarian", "italian", "norwegian", "portuguese", "romanian", "russian",
    "spanish", "swedish",   "tamil",   "turkish",   NULL,
};
static const char *const sparse_metrics[] = {"dot_product", NULL};
static const char *const ann_metrics[] = {"cosine_distance", "euclidean_squared", NULL};

enum shape {
    SHAPE_BOOL,
    SHAPE_WORD,
    SHAPE_INT,
    SHAPE_NUMBER,
    SHAPE_TEXT,
    SHAPE_TYPE,
    SHAPE_TABLE,
    SHAPE_MAX_,
};

struct rule {
    const char *name;
    enum shape shape;
    const struct rule *members; /* a table of these is taken too; ended by a row without name */
    const char *const *words;
    int64_t min, max;
    bool search; /* when on, the attribute is not filterable unless that is said */
};

/* clang-format off */
static const struct rule full_text_members[] = {
    {.name = "tokenizer",        .shape = SHAPE_WORD,   .words = tokenizers},
    {.name = "language",         .shape = SHAPE_WORD,   .words = languages},
    {.name = "stemming",         .shape = SHAPE_BOOL},
    {.name = "remove_stopwords", .shape = SHAPE_BOOL},
    {.name = "case_sensitive",   .shape = SHAPE_BOOL},
    {.name = "ascii_folding",    .shape = SHAPE_BOOL},
    {.name = "max_token_length", .shape = SHAPE_INT,    .min = 1, .max = 254},
    {.name = "k1",               .shape = SHAPE_NUMBER},
    {.name = "b",                .shape = SHAPE_NUMBER},
    {.name = "k3",               .shape = SHAPE_NUMBER},
    {0},
};
static const struct rule ann_members[] = {
    {.name = "distance_metric",  .shape = SHAPE_WORD,   .words = ann_metrics},
    {0},
};
static const struct rule sparse_members[] = {
    {.name = "distance_metric",  .shape = SHAPE_WORD,   .words = sparse_metrics},
    {0},
};
static const struct rule embed_members[] = {
    {.name = "model",            .shape = SHAPE_TEXT},
    {.name = "attribute",        .shape = SHAPE_TEXT},
    {.name = "dims",             .shape = SHAPE_INT,    .min = 1, .max = TURBOPUFFER_DIMENSIONS_MAX},
    {0},
};
static const struct rule rules[] = {
    {.name = "type",             .shape = SHAPE_TYPE},
    {.name = "exact",            .shape = SHAPE_BOOL},
    {.name = "filterable",       .shape = SHAPE_BOOL},
    {.name = "full_text_search", .shape = SHAPE_BOOL,   .members = full_text_members, .search = true},
    {.name = "regex",            .shape = SHAPE_BOOL,   .search = true},
    {.name = "glob",             .shape = SHAPE_BOOL,   .search = true},
    {.name = "fuzzy",            .shape = SHAPE_BOOL,   .search = true},
    {.name = "ann",              .shape = SHAPE_BOOL,   .members = ann_members},
    {.name = "sparse_knn",       .shape = SHAPE_TABLE,  .members = sparse_members},
    {.name = "embed",            .shape = SHAPE_TEXT,   .members = embed_members},
    {0},
};

static const struct shape_row {
    enum json_type type;
    const char *wanted;
} shapes[] = {
    [SHAPE_BOOL]   = {JSON_BOOL,   "is true or false"},
    [SHAPE_WORD]   = {JSON_STRING, "is a word in quotes"},
    [SHAPE_INT]    = {JSON_NUMBER, "is a whole number"},
    [SHAPE_NUMBER] = {JSON_NUMBER, "is a number"},
    [SHAPE_TEXT]   = {JSON_STRING, "is a text in quotes"},
    [SHAPE_TYPE]   = {JSON_STRING, "is a type in quotes, such as \"string\" or \"[]int\""},
    [SHAPE_TABLE]  = {JSON_OBJECT, "is a table of options"},
};
/* clang-format on */

_Static_assert(ARRAY_LEN(shapes) == SHAPE_MAX_, "one row per shape");

/* ---- checking ---- */

struct place {
    const char *where; /* "users.toml: mapping users" */
    const char *name;  /* of the attribute */
    struct report *report;
};

static bool
refuse(const struct place *place, struct span option, const char *what)
{
    report_add(place->report, SEVERITY_ERROR, place->where, NULL, "[target.schema] %s: %.*s %s",
               place->name, SPAN_ARG(option), what);
    return false;
}

#define NAMES_MAX 16

static bool
refuse_unknown(const struct place *place, const struct rule *table, struct span option)
{
    const char *names[NAMES_MAX];
    const char *near;
    size_t count = 0;

    for (const struct rule *rule = table; rule->name; rule++) {
        assert(count < NAMES_MAX);
        names[count++] = rule->name;
    }
    near = word_nearest(names, count, option);
    report_add(place->report, SEVERITY_ERROR, place->where, NULL,
               "[target.schema] %s: there is no option \"%.*s\"%s%s%s", place->name,
               SPAN_ARG(option), near ? "; did you mean \"" : "", near ? near : "",
               near ? "\"?" : "");
    return false;
}

static bool check_members(const struct place *place, const struct rule *table,
                          const struct json *object);

static bool
refuse_word(const struct place *place, const struct rule *rule, const struct json *value)
{
    CLEANUP(buf_free) struct buf list = buf_make(1000);

    for (size_t i = 0; rule->words[i]; i++)
        buf_putf(&list, "%s%s", i ? ", " : "", rule->words[i]);
    report_add(place->report, SEVERITY_ERROR, place->where, NULL,
               "[target.schema] %s: %s cannot be \"%.*s\"; it is one of %s", place->name,
               rule->name, SPAN_ARG(value->text), list.ptr);
    return false;
}

static bool
check_value(const struct place *place, const struct rule *rule, const struct json *value)
{
    struct turbopuffer_type type;
    int64_t n = rule->min;

    if (value->type == JSON_OBJECT && rule->members)
        return check_members(place, rule->members, value);
    if (value->type != shapes[rule->shape].type)
        return refuse(place, span_of(rule->name), shapes[rule->shape].wanted);
    if (rule->shape == SHAPE_WORD && word_find(rule->words, value->text) < 0)
        return refuse_word(place, rule, value);
    if (rule->shape == SHAPE_INT && (!json_to_int(value, &n) || n < rule->min || n > rule->max))
        return refuse(place, span_of(rule->name), "is out of its range");
    if (rule->shape == SHAPE_TYPE && !turbopuffer_type_parse(value->text, &type))
        return refuse(place, value->text,
                      "is no type of turbopuffer; there are string, int, uint, float, bool, uuid, "
                      "datetime, [] of each, [N]f32, [N]f16, [N]i8, bytes and {}f16");
    return true;
}

static const struct rule *
find_rule(const struct rule *table, struct span name)
{
    for (const struct rule *rule = table; rule->name; rule++)
        if (span_eq(name, span_of(rule->name)))
            return rule;
    return NULL;
}

static bool
check_members(const struct place *place, const struct rule *table, const struct json *object)
{
    bool ok = true;

    for (const struct json *member = object->first; member; member = member->next) {
        const struct rule *rule = find_rule(table, member->key);

        ok =
            (rule ? check_value(place, rule, member) : refuse_unknown(place, table, member->key)) &&
            ok;
    }
    return ok;
}

/* ---- reading ---- */

static bool
is_on(const struct json *value)
{
    return value && (value->type == JSON_OBJECT || (value->type == JSON_BOOL && value->yes));
}

static bool
is_searched(const struct json *object)
{
    for (const struct rule *rule = rules; rule->name; rule++)
        if (rule->search && is_on(json_get(object, rule->name)))
            return true;
    return false;
}

static bool
read_type(const struct place *place, const struct json *value, struct turbopuffer_hint *hint)
{
    static const struct rule type_rule = {.name = "type", .shape = SHAPE_TYPE};

    if (!check_value(place, &type_rule, value))
        return false;
    hint->typed = turbopuffer_type_parse(value->text, &hint->type);
    return true;
}

bool
turbopuffer_hint_read(const struct json *entry, const char *where, const char *name,
                      struct report *report, struct turbopuffer_hint *ret)
{
    const struct place place = {where, name, report};
    struct turbopuffer_hint hint = {.filterable = -1};
    const struct json *type, *filterable;

    if (!entry) {
        *ret = hint;
        return true;
    }
    if (entry->type == JSON_STRING) {
        if (!read_type(&place, entry, &hint))
            return false;
        *ret = hint;
        return true;
    }
    if (entry->type != JSON_OBJECT)
        return refuse(&place, SPAN("the entry"), "is a type in quotes or a table of options");
    if (!check_members(&place, rules, entry))
        return false;

    type = json_get(entry, "type");
    filterable = json_get(entry, "filterable");
    if (type && !read_type(&place, type, &hint))
        return false;
    hint.exact = is_on(json_get(entry, "exact"));
    hint.filterable = filterable ? filterable->yes : -1;
    hint.searched = is_searched(entry);
    hint.embeds = json_get(entry, "embed") != NULL;
    hint.options = entry;
    *ret = hint;
    return true;
}
