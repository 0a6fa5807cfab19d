/* pgtext_fuzz: what is read from Postgres text is JSON or the same instant again, or is refused. */
#include "fuzz/fuzz.h"

#include <assert.h>

#include "base/json.h"
#include "base/utf8.h"
#include "model/pgtext.h"

#define OUT_LIMIT MEGABYTES(16)

static void
check_json(const struct type *type, struct span text)
{
    CLEANUP(buf_free) struct buf out = buf_make(OUT_LIMIT);
    struct arena *arena = arena_new("fuzz");
    struct json *json;
    struct err err;

    if (utf8_valid(text) && pgtext_put_json(type, text, &out)) {
        bool ok = json_parse(buf_span(&out), arena, &json, &err);

        /* Deeper than any Postgres array: JSON of ours ends at JSON_DEPTH_MAX. */
        assert(ok || type->array);
        assert(!memchr(out.ptr, '\n', out.len));
    }
    arena_free(arena);
}

static void
check_instant(struct span text)
{
    CLEANUP(buf_free) struct buf out = buf_make(100);
    struct pgtext_instant instant, again;
    int64_t us;
    bool ok;

    if (!pgtext_instant(text, &instant))
        return;
    assert(instant.us >= 0 && instant.us < INT64_C(86400000000));
    if (!pgtext_put_utc(instant, 6, &out))
        return;
    out.ptr[10] = ' '; /* the T of ISO 8601 */
    ok = pgtext_instant((struct span){out.ptr, out.len - 1}, &again);
    assert(ok && again.day == instant.day && again.us == instant.us);
    ok = pgtext_micros(instant, &us);
    assert(ok); /* years 1 to 9999 */
}

static void
check_base64(struct span text)
{
    CLEANUP(buf_free) struct buf out = buf_make(OUT_LIMIT);

    if (pgtext_put_base64(text, &out))
        assert(out.len == ((text.len - 2) / 2 + 2) / 3 * 4);
}

/* The first byte says what the rest is. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct type types[] = {
        {.kind = TYPE_TEXT, .array = true, .delimiter = ','},
        {.kind = TYPE_OTHER, .array = true, .delimiter = ';'},
        {.kind = TYPE_COMPOSITE},
        {.kind = TYPE_COMPOSITE, .array = true, .delimiter = ','},
        {.kind = TYPE_BYTEA, .array = true, .delimiter = ','},
    };
    struct span text;

    if (size == 0)
        return 0;
    text = (struct span){(const char *)data + 1, size - 1};
    if (data[0] == 't')
        check_instant(text);
    else if (data[0] == 'b')
        check_base64(text);
    else
        check_json(&types[data[0] % ARRAY_LEN(types)], text);
    return 0;
}
