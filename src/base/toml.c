/* toml: the tree, built from what the shim tells. */
#include "base/toml.h"

#include <assert.h>

#include "base/toml_shim.h"
#include "base/utf8.h"

#define DEPTH_MAX      128
#define INPUT_MAX_SIZE ((size_t)256 * 1024)

/* toml++ recurses as deep as dotted names go and does not bound that: 4,096 levels still fit on
 * the stack of a sanitized build, 16,384 do not.  Counting every dot is crude but cannot be
 * outwitted by names that are put together over several lines. */
#define DOTS_MAX ((size_t)4 * 1024)

/* clang-format off */
const char *const toml_type_names[TOML_TYPE_MAX_ + 1] = {
    [TOML_TABLE]  = "table",
    [TOML_ARRAY]  = "array",
    [TOML_STRING] = "string",
    [TOML_INT]    = "integer",
    [TOML_FLOAT]  = "float",
    [TOML_BOOL]   = "boolean",
    [TOML_DATE]   = "date",
};

static const enum toml_type types[] = {
    [TOML_SHIM_TABLE]  = TOML_TABLE,
    [TOML_SHIM_ARRAY]  = TOML_ARRAY,
    [TOML_SHIM_STRING] = TOML_STRING,
    [TOML_SHIM_INT]    = TOML_INT,
    [TOML_SHIM_FLOAT]  = TOML_FLOAT,
    [TOML_SHIM_BOOL]   = TOML_BOOL,
    [TOML_SHIM_DATE]   = TOML_DATE,
};
/* clang-format on */

_Static_assert(ARRAY_LEN(types) == TOML_TYPE_MAX_, "one type of ours per type of the shim");

/* The containers that are open, and where the next child of each goes. */
struct builder {
    struct arena *arena;
    struct toml *root;
    struct toml *open[DEPTH_MAX];
    struct toml **tail[DEPTH_MAX];
    int depth;
};

static struct toml *
copy_node(struct arena *arena, const struct toml_shim_node *node)
{
    struct toml *copy = arena_new_of(arena, struct toml);

    *copy = (struct toml){
        .type = types[node->type],
        .key = arena_span(arena, (struct span){node->key, node->key_len}),
        .line = node->line,
        .column = node->column,
        .key_line = node->key_line,
        .key_column = node->key_column,
        .text = arena_span(arena, (struct span){node->text, node->text_len}),
        .integer = node->integer,
        .real = node->real,
        .yes = node->yes,
    };
    return copy;
}

static void
attach(struct builder *b, struct toml *node)
{
    if (b->depth == 0) {
        assert(!b->root);
        b->root = node;
        return;
    }
    *b->tail[b->depth - 1] = node;
    b->tail[b->depth - 1] = &node->next;
    b->open[b->depth - 1]->count++;
}

static void
enter(void *context, const struct toml_shim_node *node)
{
    struct builder *b = context;
    struct toml *copy = copy_node(b->arena, node);

    attach(b, copy);
    if (copy->type != TOML_TABLE && copy->type != TOML_ARRAY)
        return;
    assert(b->depth < DEPTH_MAX);
    b->open[b->depth] = copy;
    b->tail[b->depth] = &copy->first;
    b->depth++;
}

static void
leave(void *context)
{
    struct builder *b = context;

    assert(b->depth > 0);
    b->depth--;
}

/* "FILE:LINE:COLUMN: " of a byte, columns counted in characters as toml++ does. */
COLD static bool
malformed_at(struct span input, size_t at, const char *file, struct err *err, const char *what)
{
    int line = 1, column = 1;

    for (size_t i = 0; i < at; i++) {
        if (input.ptr[i] == '\n') {
            line++;
            column = 1;
        } else {
            column += (input.ptr[i] & 0xC0) != 0x80;
        }
    }
    return err_set(err, ERR_CONFIG, "%s:%d:%d: %s", file, line, column, what);
}

/* No TOML has them (1.0, "Spec"), and toml++ 3.3 asserts on some of them instead of saying so. */
static bool
check_characters(struct span input, const char *file, struct err *err)
{
    size_t valid_len = utf8_valid_len(input);

    for (size_t i = 0; i < valid_len; i++) {
        char c = input.ptr[i];

        if (((unsigned char)c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F)
            return malformed_at(input, i, file, err, "a control character");
    }
    if (valid_len < input.len)
        return malformed_at(input, valid_len, file, err, "not UTF-8");
    return true;
}

static size_t
count_dots(struct span s)
{
    size_t dots = 0;

    for (size_t i = 0; i < s.len; i++)
        dots += s.ptr[i] == '.';
    return dots;
}

bool
toml_parse(struct span input, const char *file, struct arena *arena, struct toml **ret,
           struct err *err)
{
    struct builder b = {.arena = arena};
    struct toml_shim_visitor visitor = {
        .context = &b, .depth_max = DEPTH_MAX, .enter = enter, .leave = leave};
    struct toml_shim_error failure;

    if (input.len > INPUT_MAX_SIZE)
        return err_set(err, ERR_CONFIG, "%s: larger than %zu bytes", file, INPUT_MAX_SIZE);
    if (count_dots(input) > DOTS_MAX)
        return err_set(err, ERR_CONFIG, "%s: more than %zu dots", file, DOTS_MAX);
    if (!check_characters(input, file, err))
        return false;
    if (!toml_shim_parse(input.ptr, input.len, &visitor, &failure))
        return err_set(err, ERR_CONFIG, "%s:%d:%d: %s", file, failure.line, failure.column,
                       failure.text);
    assert(b.root && b.depth == 0);
    *ret = b.root;
    return true;
}

const struct toml *
toml_get(const struct toml *table, const char *key)
{
    struct span name = span_of(key);

    if (!table || table->type != TOML_TABLE)
        return NULL;
    for (const struct toml *child = table->first; child; child = child->next) {
        if (span_eq(child->key, name))
            return child;
    }
    return NULL;
}
