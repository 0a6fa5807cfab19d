/* json_tree: a whole document as a tree in an arena. */
#include "base/json.h"

#include <assert.h>
#include <stdlib.h>

#include "base/number.h"

/* A tree that is being built: the containers that are open, and where their next child goes. */
struct builder {
    struct json_reader reader;
    struct arena *arena;
    struct json *root;
    struct json *open[JSON_DEPTH_MAX];
    struct json **tail[JSON_DEPTH_MAX];
    int depth;
    struct span key;
};

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

/* Sorted, so that a hostile object of a million keys costs no more than n log n. */
static const struct json *
repeated_key(const struct json *object, struct arena *arena)
{
    struct arena_mark mark = arena_mark(arena);
    struct json **members = arena_new_n(arena, struct json *, object->count);
    const struct json *repeated = NULL;
    size_t n = 0;

    for (struct json *child = object->first; child; child = child->next)
        members[n++] = child;
    assert(n == object->count);
    qsort(members, n, sizeof(members[0]), compare_keys);
    for (size_t i = 1; i < n && !repeated; i++) {
        if (span_eq(members[i - 1]->key, members[i]->key))
            repeated = members[i];
    }
    arena_rewind(arena, mark);
    return repeated;
}

static void
push(struct builder *b, struct json *container)
{
    assert(b->depth < JSON_DEPTH_MAX);
    b->open[b->depth] = container;
    b->tail[b->depth] = &container->first;
    b->depth++;
}

static bool
pop(struct builder *b, const struct json_token *token, struct err *err)
{
    const struct json *container, *repeated;

    assert(b->depth > 0);
    container = b->open[--b->depth];
    if (container->type != JSON_OBJECT || container->count < 2)
        return true;
    repeated = repeated_key(container, b->arena);
    if (!repeated)
        return true;
    return err_set(err, ERR_DATA,
                   "malformed JSON: key \"%.*s\" twice in the object before byte %zu",
                   SPAN_ARG(repeated->key), token->offset);
}

static struct json *
add(struct builder *b, const struct json_token *token)
{
    struct json *node = arena_new_of(b->arena, struct json);

    *node =
        (struct json){.type = token->type, .yes = token->yes, .text = token->text, .key = b->key};
    b->key = (struct span){0};
    if (b->depth == 0) {
        assert(!b->root);
        b->root = node;
        return node;
    }
    *b->tail[b->depth - 1] = node;
    b->tail[b->depth - 1] = &node->next;
    b->open[b->depth - 1]->count++;
    return node;
}

static bool
take(struct builder *b, const struct json_token *token, struct err *err)
{
    switch (token->type) {
    case JSON_KEY:
        b->key = token->text;
        return true;
    case JSON_OBJECT_END:
    case JSON_ARRAY_END:
        return pop(b, token, err);
    case JSON_OBJECT:
    case JSON_ARRAY:
        push(b, add(b, token));
        return true;
    case JSON_NULL:
    case JSON_BOOL:
    case JSON_NUMBER:
    case JSON_STRING:
        add(b, token);
        return true;
    case JSON_END:
        break;
    }
    return true;
}

bool
json_parse(struct span input, struct arena *arena, struct json **ret, struct err *err)
{
    struct builder b = {.reader = json_reader_make(input, arena), .arena = arena};
    struct json_token token;

    do {
        if (!json_next(&b.reader, &token, err) || !take(&b, &token, err))
            return false;
    } while (token.type != JSON_END);
    assert(b.root && b.depth == 0);
    *ret = b.root;
    return true;
}

const struct json *
json_get(const struct json *object, const char *key)
{
    struct span name = span_of(key);

    if (!object || object->type != JSON_OBJECT)
        return NULL;
    for (const struct json *child = object->first; child; child = child->next) {
        if (span_eq(child->key, name))
            return child;
    }
    return NULL;
}

static void
put_array(struct json_writer *w, const struct json *array)
{
    json_array_begin(w);
    for (const struct json *child = array->first; child; child = child->next)
        json_value(w, child);
    json_array_end(w);
}

static void
put_object(struct json_writer *w, const struct json *object)
{
    json_object_begin(w);
    for (const struct json *child = object->first; child; child = child->next) {
        json_key(w, child->key);
        json_value(w, child);
    }
    json_object_end(w);
}

/* Recursion is as deep as the tree, which the parser bounds by JSON_DEPTH_MAX. */
void
json_value(struct json_writer *w, const struct json *value)
{
    switch (value->type) {
    case JSON_NULL:
        json_null(w);
        return;
    case JSON_BOOL:
        json_bool(w, value->yes);
        return;
    case JSON_NUMBER:
        json_raw(w, value->text);
        return;
    case JSON_STRING:
        json_string(w, value->text);
        return;
    case JSON_ARRAY:
        put_array(w, value);
        return;
    case JSON_OBJECT:
        put_object(w, value);
        return;
    case JSON_END:
    case JSON_ARRAY_END:
    case JSON_OBJECT_END:
    case JSON_KEY:
        break;
    }
    assert(false && "a token, not a value");
}

bool
json_to_int(const struct json *value, int64_t *ret)
{
    return value && value->type == JSON_NUMBER && span_to_int(value->text, ret);
}

bool
json_to_uint(const struct json *value, uint64_t *ret)
{
    return value && value->type == JSON_NUMBER && span_to_uint(value->text, ret);
}

bool
json_to_double(const struct json *value, double *ret)
{
    return value && value->type == JSON_NUMBER && span_to_double(value->text, ret);
}
