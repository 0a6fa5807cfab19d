/* pgtext: tokens of arrays and composites, bytea, and values as JSON. */
#include "model/pgtext.h"

#include <assert.h>

#include "base/json.h"

#define ELEMENT_LIMIT (MEGABYTES(1024) + 1) /* a Postgres value is at most 1 GiB */

/* ---- arrays ---- */

struct pgtext_array
pgtext_array_make(struct span text, char delimiter)
{
    struct pgtext_array array = {.text = text, .delimiter = delimiter ? delimiter : ','};

    if (text.len > 0 && text.ptr[0] == '[') {
        const char *equals = memchr(text.ptr, '=', text.len);

        array.at = equals ? (size_t)(equals - text.ptr) + 1 : text.len;
    }
    return array;
}

/* Behind an opening quote, up to the closing one; a backslash takes the next byte as it is. */
static enum pgtext_token
quoted_element(struct pgtext_array *array, struct buf *scratch, struct span *ret)
{
    struct span text = array->text;
    size_t begin = array->at + 1, at = begin;
    bool escaped = false;

    while (at < text.len && text.ptr[at] != '"') {
        escaped |= text.ptr[at] == '\\';
        at += text.ptr[at] == '\\' ? 2 : 1;
    }
    if (at >= text.len)
        return PGTEXT_MALFORMED;
    array->at = at + 1;
    *ret = (struct span){text.ptr + begin, at - begin};
    if (!escaped)
        return PGTEXT_ELEMENT;

    buf_clear(scratch);
    for (size_t i = begin; i < at; i++) {
        i += text.ptr[i] == '\\';
        buf_putc(scratch, text.ptr[i]);
    }
    *ret = buf_span(scratch);
    return PGTEXT_ELEMENT;
}

static enum pgtext_token
bare_element(struct pgtext_array *array, struct span *ret)
{
    struct span text = array->text;
    size_t begin = array->at, at = begin;

    while (at < text.len && text.ptr[at] != array->delimiter && text.ptr[at] != '}')
        at++;
    if (at == begin || at == text.len)
        return PGTEXT_MALFORMED;
    array->at = at;
    *ret = (struct span){text.ptr + begin, at - begin};
    return span_eq(*ret, SPAN("NULL")) ? PGTEXT_NULL : PGTEXT_ELEMENT;
}

static enum pgtext_token
brace(struct pgtext_array *array, bool open)
{
    assert(open || array->depth > 0);
    array->at++;
    array->depth += open ? 1 : -1;
    array->need_delimiter = !open;
    return open ? PGTEXT_OPEN : PGTEXT_CLOSE;
}

enum pgtext_token
pgtext_array_next(struct pgtext_array *array, struct buf *scratch, struct span *ret)
{
    struct span text = array->text;
    enum pgtext_token token;
    char c;

    if (array->at >= text.len)
        return array->depth == 0 && array->need_delimiter ? PGTEXT_END : PGTEXT_MALFORMED;
    c = text.ptr[array->at];
    if (array->depth == 0)
        return c == '{' && !array->need_delimiter ? brace(array, true) : PGTEXT_MALFORMED;
    if (c == '}')
        return brace(array, false);
    if (array->need_delimiter) {
        if (c != array->delimiter || array->at + 1 >= text.len)
            return PGTEXT_MALFORMED;
        array->at++;
        c = text.ptr[array->at];
    }
    if (c == '{')
        return brace(array, true);
    token = c == '"' ? quoted_element(array, scratch, ret) : bare_element(array, ret);
    array->need_delimiter = true;
    return token;
}

/* ---- bytea ---- */

static int
hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static int
hex_byte(const char *two)
{
    int high = hex_digit(two[0]), low = hex_digit(two[1]);

    return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* Up to three bytes become four characters; what is missing is padding. */
static bool
put_base64_group(const char *hex, size_t bytes, char *dst)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint32_t group = 0;

    assert(bytes >= 1 && bytes <= 3);
    for (size_t i = 0; i < 3; i++) {
        int byte = i < bytes ? hex_byte(hex + i * 2) : 0;

        if (byte < 0)
            return false;
        group = group << 8 | (uint32_t)byte;
    }
    for (size_t i = 0; i < 4; i++)
        dst[i] = i > bytes ? '=' : digits[group >> (18 - 6 * i) & 63];
    return true;
}

bool
pgtext_put_base64(struct span bytea, struct buf *out)
{
    struct span hex;
    char *at;
    size_t bytes, len;

    if (bytea.len < 2 || bytea.len % 2 || bytea.ptr[0] != '\\' || bytea.ptr[1] != 'x')
        return false;
    hex = span_skip(bytea, 2);
    bytes = hex.len / 2;
    len = (bytes + 2) / 3 * 4;
    at = buf_reserve(out, len);
    if (!at)
        return true; /* the caller's buf_ok() tells */
    for (size_t i = 0; i < bytes; i += 3, at += 4)
        if (!put_base64_group(hex.ptr + i * 2, bytes - i < 3 ? bytes - i : 3, at))
            return false;
    buf_commit(out, len);
    return true;
}

/* ---- values as JSON ---- */

bool
pgtext_is_number(struct span text)
{
    size_t sign = text.len > 0 && text.ptr[0] == '-';

    return text.len > sign && text.ptr[sign] >= '0' && text.ptr[sign] <= '9';
}

/* Line breaks can stand in json only between its tokens: a blank means the same. */
static void
put_on_one_line(struct span json, struct buf *out)
{
    char *at = buf_reserve(out, json.len);

    if (!at)
        return;
    for (size_t i = 0; i < json.len; i++)
        at[i] = (unsigned char)json.ptr[i] < ' ' ? ' ' : json.ptr[i];
    buf_commit(out, json.len);
}

/* One field of a composite: from `at` to its comma or closing parenthesis. */
static bool
put_field(struct span text, size_t *at, struct buf *scratch, struct buf *out)
{
    bool quotes = false, any = false;

    buf_clear(scratch);
    for (; *at < text.len && (quotes || (text.ptr[*at] != ',' && text.ptr[*at] != ')')); ++*at) {
        char c = text.ptr[*at];
        bool doubled = quotes && (c == '"' || c == '\\') && *at + 1 < text.len &&
                       text.ptr[*at + 1] == c; /* record_out doubles both */

        any = true;
        if (c == '"' && !doubled) {
            quotes = !quotes;
            continue;
        }
        *at += doubled;
        buf_putc(scratch, c);
    }
    if (*at >= text.len)
        return false;
    if (any)
        json_put_string(out, buf_span(scratch));
    else
        buf_put(out, SPAN("null"));
    return true;
}

/* (1,"a b",) -> ["1","a b",null]: the names and types of the fields are not on the wire. */
static bool
put_composite(struct span text, struct buf *out)
{
    CLEANUP(buf_free) struct buf scratch = buf_make(ELEMENT_LIMIT);
    size_t at = 1;

    if (text.len < 2 || text.ptr[0] != '(')
        return false;
    buf_putc(out, '[');
    for (;;) {
        if (!put_field(text, &at, &scratch, out))
            return false;
        if (text.ptr[at] == ')')
            break;
        buf_putc(out, ',');
        at++;
    }
    buf_putc(out, ']');
    return at + 1 == text.len;
}

static bool
put_bytea(struct span text, struct buf *out)
{
    buf_putc(out, '"');
    if (!pgtext_put_base64(text, out))
        return false;
    buf_putc(out, '"');
    return true;
}

static void
put_number(struct span text, struct buf *out)
{
    if (pgtext_is_number(text))
        buf_put(out, text);
    else
        json_put_string(out, text);
}

static bool
put_scalar(enum type_kind kind, struct span text, struct buf *out)
{
    switch (kind) {
    case TYPE_BOOL:
        buf_put(out, span_eq(text, SPAN("t")) ? SPAN("true") : SPAN("false"));
        return true;
    case TYPE_INT2:
    case TYPE_INT4:
    case TYPE_INT8:
    case TYPE_OID:
    case TYPE_FLOAT4:
    case TYPE_FLOAT8:
    case TYPE_NUMERIC:
        put_number(text, out);
        return true;
    case TYPE_JSON:
    case TYPE_VECTOR:
    case TYPE_HALFVEC:
        put_on_one_line(text, out);
        return true;
    case TYPE_COMPOSITE:
        return put_composite(text, out);
    case TYPE_BYTEA:
        return put_bytea(text, out);
    case TYPE_MONEY:
    case TYPE_TEXT:
    case TYPE_UUID:
    case TYPE_DATE:
    case TYPE_TIME:
    case TYPE_TIMETZ:
    case TYPE_TIMESTAMP:
    case TYPE_TIMESTAMPTZ:
    case TYPE_INTERVAL:
    case TYPE_XML:
    case TYPE_NETWORK:
    case TYPE_BIT:
    case TYPE_ENUM:
    case TYPE_RANGE:
    case TYPE_OTHER:
        json_put_string(out, text);
        return true;
    case TYPE_KIND_MAX_:
        break;
    }
    assert(!"a type kind");
    return false;
}

static bool
put_array(const struct type *type, struct span text, struct buf *out)
{
    CLEANUP(buf_free) struct buf scratch = buf_make(ELEMENT_LIMIT);
    struct pgtext_array array = pgtext_array_make(text, type->delimiter);
    bool first = true;

    for (;;) {
        struct span element;
        enum pgtext_token token = pgtext_array_next(&array, &scratch, &element);

        if (token == PGTEXT_END || token == PGTEXT_MALFORMED)
            return token == PGTEXT_END;
        if (token != PGTEXT_CLOSE && !first)
            buf_putc(out, ',');
        first = token == PGTEXT_OPEN;
        if (token == PGTEXT_OPEN || token == PGTEXT_CLOSE)
            buf_putc(out, token == PGTEXT_OPEN ? '[' : ']');
        else if (token == PGTEXT_NULL)
            buf_put(out, SPAN("null"));
        else if (!put_scalar(type->kind, element, out))
            return false;
    }
}

bool
pgtext_put_json(const struct type *type, struct span text, struct buf *out)
{
    return type->array ? put_array(type, text, out) : put_scalar(type->kind, text, out);
}
