/* toml_fuzz: no input overruns the shim, and the tree of what parses is whole. */
#include "fuzz/fuzz.h"

#include <assert.h>

#include "base/toml.h"
#include "base/utf8.h"

static void
check_tree(const struct toml *node, int depth)
{
    size_t count = 0;

    assert(node->type < TOML_TYPE_MAX_ && depth <= 128);
    assert(node->line >= 0 && node->column >= 0);
    assert(utf8_valid(node->key) && utf8_valid(node->text));
    assert(!node->first || node->type == TOML_TABLE || node->type == TOML_ARRAY);
    for (const struct toml *child = node->first; child; child = child->next) {
        check_tree(child, depth + 1);
        count++;
    }
    assert(count == node->count);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("fuzz");
    struct toml *root;
    struct err err;

    if (toml_parse((struct span){(const char *)data, size}, "f", arena, &root, &err))
        check_tree(root, 1);
    else
        assert(err.kind == ERR_CONFIG && err.text[0] == 'f');
    return 0;
}
