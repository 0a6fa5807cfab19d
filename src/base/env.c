/* env: variables and their expansion. */
#include "base/env.h"

#include <assert.h>
#include <stdlib.h>

#include "base/buf.h"

#define EXPANDED_MAX_BYTES MEGABYTES(1)

const char *
env_get(const char *name)
{
    assert(name[0]);
    return getenv(name);
}

/* A letter or underscore, then digits too (POSIX, Base Definitions 8.1). */
static size_t
name_len(struct span s)
{
    size_t len = 0;

    while (len < s.len) {
        char c = s.ptr[len], low = (char)(c | 0x20);
        bool letter = (low >= 'a' && low <= 'z') || c == '_';

        if (!letter && (len == 0 || c < '0' || c > '9'))
            break;
        len++;
    }
    return len;
}

/* body is what stands between the braces. */
static bool
put_variable(struct span body, struct arena *arena, struct buf *out, struct err *err)
{
    size_t len = name_len(body);
    struct span rest = span_skip(body, len);
    bool has_default = rest.len >= 2 && memcmp(rest.ptr, ":-", 2) == 0;
    const char *name = arena_text(arena, (struct span){body.ptr, len});
    const char *value;

    if (len == 0 || (rest.len > 0 && !has_default))
        return err_set(err, ERR_CONFIG, "${%.*s} is neither ${NAME} nor ${NAME:-default}",
                       SPAN_ARG(body));
    value = env_get(name);
    if (!value && !has_default)
        return err_set(err, ERR_CONFIG,
                       "environment variable %s is not set; set it, or write ${%s:-default}", name,
                       name);
    if (has_default && (!value || !value[0]))
        buf_put(out, span_skip(rest, 2));
    else
        buf_put(out, span_of(value));
    return true;
}

static bool
starts_with(struct span s, struct span prefix)
{
    return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

/* From "${" on; what was read is taken off the front of `rest`. */
static bool
expand_one(struct span *rest, struct arena *arena, struct buf *out, struct err *err)
{
    struct span body = span_skip(*rest, 2);
    const char *end = body.len ? memchr(body.ptr, '}', body.len) : NULL;

    if (!end)
        return err_set(err, ERR_CONFIG, "\"%.*s\" lacks its closing }", SPAN_ARG(*rest));
    body.len = (size_t)(end - body.ptr);
    *rest = span_skip(*rest, body.len + 3);
    return put_variable(body, arena, out, err);
}

bool
env_expand(struct span text, struct arena *arena, struct span *ret, struct err *err)
{
    CLEANUP(buf_free) struct buf out = buf_make(EXPANDED_MAX_BYTES);
    struct span rest = text;

    if (text.len == 0 || !memmem(text.ptr, text.len, "${", 2)) {
        *ret = text;
        return true;
    }
    while (rest.len > 0) {
        if (starts_with(rest, SPAN("$${"))) {
            buf_put(&out, SPAN("${"));
            rest = span_skip(rest, 3);
        } else if (starts_with(rest, SPAN("${"))) {
            if (!expand_one(&rest, arena, &out, err))
                return false;
        } else {
            buf_putc(&out, rest.ptr[0]);
            rest = span_skip(rest, 1);
        }
    }
    if (!buf_ok(&out, err))
        return err_wrap(err, "expanding variables");
    *ret = arena_span(arena, buf_span(&out));
    return true;
}
