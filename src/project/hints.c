/* hints: TOML of [target.schema] as JSON. */
#include "project/hints.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "project/fault.h"

#define NUMBER_SIZE 64

static struct json *convert(const struct toml *node, struct arena *arena);

static int
compare_keys(const void *a, const void *b)
{
    const struct json *left = *(struct json *const *)a, *right = *(struct json *const *)b;
    size_t len = left->key.len < right->key.len ? left->key.len : right->key.len;
    int order = len ? memcmp(left->key.ptr, right->key.ptr, len) : 0;

    if (order != 0)
        return order;
    return (left->key.len > right->key.len) - (left->key.len < right->key.len);
}

static void
add_children(struct json *value, const struct toml *node, struct arena *arena)
{
    struct json **children = arena_new_n(arena, struct json *, node->count);
    size_t count = 0;

    for (const struct toml *child = node->first; child; child = child->next) {
        assert(count < node->count);
        children[count] = convert(child, arena);
        children[count]->key = child->key;
        count++;
    }
    if (node->type == TOML_TABLE)
        qsort(children, count, sizeof(*children), compare_keys);
    for (size_t i = 0; i + 1 < count; i++)
        children[i]->next = children[i + 1];
    value->first = count ? children[0] : NULL;
    value->count = count;
}

static struct span
number_text(const struct toml *node, struct arena *arena)
{
    char text[NUMBER_SIZE];

    if (node->type == TOML_INT)
        snprintf(text, sizeof(text), "%" PRId64, node->integer);
    else
        snprintf(text, sizeof(text), "%.17g", node->real);
    return span_of(arena_strdup(arena, text));
}

static struct json *
convert(const struct toml *node, struct arena *arena)
{
    struct json *value = arena_new_of(arena, struct json);

    switch (node->type) {
    case TOML_TABLE:
    case TOML_ARRAY:
        value->type = node->type == TOML_TABLE ? JSON_OBJECT : JSON_ARRAY;
        add_children(value, node, arena);
        break;
    case TOML_STRING:
    case TOML_DATE:
        value->type = JSON_STRING;
        value->text = node->text;
        break;
    case TOML_INT:
    case TOML_FLOAT:
        value->type = JSON_NUMBER;
        value->text = number_text(node, arena);
        break;
    case TOML_BOOL:
        value->type = JSON_BOOL;
        value->yes = node->yes;
        break;
    case TOML_TYPE_MAX_:
        assert(!"no such type");
        break;
    }
    return value;
}

const struct json *
hints_make(const char *file, const struct toml *table, struct arena *arena, struct report *report)
{
    assert(table->type == TOML_TABLE);
    for (const struct toml *node = table->first; node; node = node->next) {
        if (node->type != TOML_STRING && node->type != TOML_TABLE)
            fault_at(report, spot_of_value(file, node),
                     "the schema of %.*s is of type %s; write a type such as \"float\", or a table "
                     "such as { type = \"float\", filterable = false }",
                     SPAN_ARG(node->key), toml_type_names[node->type]);
    }
    return convert(table, arena);
}
