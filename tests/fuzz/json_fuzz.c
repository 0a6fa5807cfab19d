/* json_fuzz: what parses is written again as the same document, and the two readers agree. */
#include "fuzz/fuzz.h"

#include <assert.h>

#include "base/json.h"
#include "base/utf8.h"

/* Walk with the pull parser alone; its strings are valid UTF-8 and its offsets move forward. */
static bool
walk(struct span input, struct arena *arena)
{
    struct json_reader r = json_reader_make(input, arena);
    struct json_token token = {0};
    size_t offset = 0;
    struct err err;

    do {
        if (!json_next(&r, &token, &err))
            return false;
        assert(token.offset >= offset && token.offset <= input.len);
        assert(utf8_valid(token.text));
        offset = token.offset;
    } while (token.type != JSON_END);
    return true;
}

static struct span
render(const struct json *value, struct buf *out)
{
    struct json_writer w = {.out = out};

    json_value(&w, value);
    return buf_span(out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("fuzz");
    /* A byte becomes six at most, when it is a control character. */
    CLEANUP(buf_free) struct buf first = buf_make(6 * size), second = buf_make(6 * size);
    struct span input = {(const char *)data, size};
    bool walked = walk(input, arena);
    struct json *value, *again;
    struct err err;

    if (!json_parse(input, arena, &value, &err)) {
        assert(err.kind == ERR_DATA && err.text[0]);
        return 0;
    }
    assert(walked); /* the tree refuses more (repeated keys), never less */
    if (!json_parse(render(value, &first), arena, &again, &err))
        assert(false && "what was written does not parse");
    assert(span_eq(buf_span(&first), render(again, &second)));
    assert(buf_ok(&first, &err) && buf_ok(&second, &err));
    return 0;
}
