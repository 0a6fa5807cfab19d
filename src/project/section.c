/* section: a TOML table read by an option table, every fault with its place. */
#include "project/section.h"

#include <assert.h>

#include "base/env.h"
#include "base/words.h"
#include "project/fault.h"

#define NAMES_MAX  64
#define HINT_LIMIT 1024

#define TYPE_BIT(type) (1U << (type))

/* Which TOML values an option takes, and how to ask for the right one. */
/* clang-format off */
static const struct {
    unsigned accepts;
    const char *wanted;
} shapes[] = {
    [OPT_TYPE_STRING] = {TYPE_BIT(TOML_STRING),                      "a text in quotes"},
    [OPT_TYPE_BOOL]   = {TYPE_BIT(TOML_BOOL),                        "true or false"},
    [OPT_TYPE_INT]    = {TYPE_BIT(TOML_INT),                         "a whole number without quotes"},
    [OPT_TYPE_MILLIS] = {TYPE_BIT(TOML_STRING),                      "a duration such as \"30s\""},
    [OPT_TYPE_WORD]   = {TYPE_BIT(TOML_STRING),                      "a word in quotes"},
    [OPT_TYPE_BYTES]  = {TYPE_BIT(TOML_STRING) | TYPE_BIT(TOML_INT), "a size such as \"8MiB\""},
};
/* clang-format on */

static const struct opt *
find(const struct opt *options, struct span key)
{
    for (const struct opt *opt = options; opt->type != OPT_TYPE_END; opt++) {
        if (span_eq(span_of(opt->name), key))
            return opt;
    }
    return NULL;
}

static bool
has_variable(const struct toml *node)
{
    return node->type == TOML_STRING && memmem(node->text.ptr, node->text.len, "${", 2) != NULL;
}

const char *
section_hint(const char *const *words, size_t count, struct span word, struct arena *arena)
{
    CLEANUP(buf_free) struct buf text = buf_make(HINT_LIMIT);
    const char *near = word_nearest(words, count, word);

    if (near) {
        buf_putf(&text, "; did you mean \"%s\"?", near);
    } else {
        for (size_t i = 0; i < count; i++)
            buf_putf(&text, "%s%s", i ? ", " : "; known here: ", words[i]);
    }
    return arena_strdup(arena, buf_span(&text).ptr);
}

static const char *
hint_for(const struct opt *options, struct span key, struct arena *arena)
{
    const char *names[NAMES_MAX];
    size_t count = 0;

    for (const struct opt *opt = options; opt->type != OPT_TYPE_END && count < NAMES_MAX; opt++)
        names[count++] = opt->name;
    return section_hint(names, count, key, arena);
}

static struct span
scalar_text(const struct toml *node, struct arena *arena)
{
    CLEANUP(buf_free) struct buf text = buf_make(HINT_LIMIT);

    if (node->type == TOML_STRING)
        return node->text;
    if (node->type == TOML_BOOL)
        return node->yes ? SPAN("true") : SPAN("false");
    assert(node->type == TOML_INT);
    buf_put_int(&text, node->integer);
    return arena_span(arena, buf_span(&text));
}

static bool
store_one(const struct opt *opt, void *settings, struct span text, struct arena *arena,
          struct err *err)
{
    const struct opt row[] = {*opt, {0}};
    const struct opt_value value = {.name = span_of(opt->name), .value = text};

    return opt_load(row, settings, &value, 1, arena, err);
}

/* ---- checking ---- */

/* A trial in a settings struct that nobody reads. */
static void
check_value(const struct section *section, const char *file, const struct opt *opt,
            const struct toml *node, struct report *report)
{
    struct arena *arena = report->arena;
    const char *feature;
    struct err err;

    if (has_variable(node))
        return;
    if (!(shapes[opt->type].accepts & TYPE_BIT(node->type))) {
        fault_at(report, spot_of_value(file, node), "%s is of type %s; write %s", opt->name,
                 toml_type_names[node->type], shapes[opt->type].wanted);
        return;
    }
    feature = later_find(section->later, node->key, scalar_text(node, arena));
    if (feature)
        fault_at(report, spot_of_value(file, node),
                 "%s = \"%.*s\" belongs to %s, which this version does not have", opt->name,
                 SPAN_ARG(node->text), feature);
    else if (!store_one(opt, arena_alloc(arena, opt->offset + sizeof(int64_t)),
                        scalar_text(node, arena), arena, &err))
        fault_at(report, spot_of_value(file, node), "%s", err.text);
}

static void
check_key(const struct section *section, const char *file, const struct toml *node,
          struct report *report)
{
    const char *feature = later_find(section->later, node->key, (struct span){0});
    const struct opt *opt;

    if (section->skip && word_find(section->skip, node->key) >= 0)
        return;
    if (feature) {
        fault_at(report, spot_of_key(file, node),
                 "[%s] %.*s belongs to %s, which this version does not have; remove it",
                 section->path, SPAN_ARG(node->key), feature);
        return;
    }
    if (!section->options)
        return;
    opt = find(section->options, node->key);
    if (opt)
        check_value(section, file, opt, node, report);
    else
        fault_at(report, spot_of_key(file, node), "unknown key \"%.*s\" in [%s]%s",
                 SPAN_ARG(node->key), section->path,
                 hint_for(section->options, node->key, report->arena));
}

void
section_check(const struct section *section, const char *file, const struct toml *table,
              struct report *report)
{
    if (table->type != TOML_TABLE) {
        fault_at(report, spot_of_value(file, table), "%s is of type %s; write [%s] as a table",
                 section->path, toml_type_names[table->type], section->path);
        return;
    }
    for (const struct toml *node = table->first; node; node = node->next)
        check_key(section, file, node, report);
}

/* ---- loading ---- */

static bool
expand(const char *file, const struct toml *node, struct arena *arena, struct span *ret,
       struct err *err)
{
    static const unsigned scalars =
        TYPE_BIT(TOML_STRING) | TYPE_BIT(TOML_BOOL) | TYPE_BIT(TOML_INT);

    if (!(scalars & TYPE_BIT(node->type)))
        return err_set(err, ERR_CONFIG,
                       "%s: %.*s is of type %s; write a text, a whole number, true or false",
                       spot_text(spot_of_value(file, node), arena), SPAN_ARG(node->key),
                       toml_type_names[node->type]);
    if (!has_variable(node)) {
        *ret = scalar_text(node, arena);
        return true;
    }
    if (!env_expand(node->text, arena, ret, err))
        return err_wrap(err, "%s", spot_text(spot_of_value(file, node), arena));
    return true;
}

static bool
required_are_there(const struct section *section, const char *file, const struct toml *table,
                   struct arena *arena, struct err *err)
{
    const struct spot spot = table ? spot_of_key(file, table) : (struct spot){file, 1, 1};

    for (const struct opt *opt = section->options; opt->type != OPT_TYPE_END; opt++) {
        if ((opt->flags & OPT_REQUIRED) && !(table && toml_get(table, opt->name)))
            return err_set(err, ERR_CONFIG, "%s: %s is missing in [%s]; %s", spot_text(spot, arena),
                           opt->name, section->path, opt->help);
    }
    return true;
}

bool
section_load(const struct section *section, const char *file, const struct toml *table,
             void *settings, struct arena *arena, struct err *err)
{
    struct opt_value *values;
    size_t count;

    assert(section->options && (!table || table->type == TOML_TABLE));
    return required_are_there(section, file, table, arena, err) &&
           section_values(section, file, table, arena, &values, &count, err) &&
           opt_load(section->options, settings, values, count, arena, err);
}

bool
section_values(const struct section *section, const char *file, const struct toml *table,
               struct arena *arena, struct opt_value **ret, size_t *ret_count, struct err *err)
{
    struct opt_value *values = arena_new_n(arena, struct opt_value, table ? table->count : 0);
    size_t count = 0;

    for (const struct toml *node = table ? table->first : NULL; node; node = node->next) {
        if (section->skip && word_find(section->skip, node->key) >= 0)
            continue;
        values[count].name = node->key;
        values[count].where = spot_text(spot_of_value(file, node), arena);
        if (!expand(file, node, arena, &values[count].value, err))
            return false;
        count++;
    }
    *ret = values;
    *ret_count = count;
    return true;
}

bool
section_string(const char *file, const struct toml *table, const char *key, struct arena *arena,
               const char **ret, struct err *err)
{
    const struct toml *node = table ? toml_get(table, key) : NULL;
    struct span text = {0};

    if (node && node->type != TOML_STRING)
        return err_set(err, ERR_CONFIG, "%s: %s is of type %s; write a text in quotes",
                       spot_text(spot_of_value(file, node), arena), key,
                       toml_type_names[node->type]);
    if (node && !expand(file, node, arena, &text, err))
        return false;
    *ret = arena_text(arena, text);
    return true;
}
