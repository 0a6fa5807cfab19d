/* json: the writer and the pull parser. */
#include "base/json.h"

#include <assert.h>

#include "base/utf8.h"

/* ---- writing ---- */

#define ONES       UINT64_C(0x0101010101010101)
#define HIGH_BITS  UINT64_C(0x8080808080808080)
#define QUOTES     UINT64_C(0x2222222222222222)
#define BACKSLASH  UINT64_C(0x5C5C5C5C5C5C5C5C)
#define FIRST_TEXT UINT64_C(0x2020202020202020)

static bool
wants_escape(char c)
{
    return (unsigned char)c < 0x20 || c == '"' || c == '\\';
}

/* Is one of the eight bytes a quote, a backslash or a control character? */
static bool
word_wants_escape(uint64_t word)
{
    uint64_t quote = word ^ QUOTES, backslash = word ^ BACKSLASH;

    /* x - ONES sets the high bit of a zero byte; & ~x drops bytes that had it before. */
    return (((quote - ONES) & ~quote) | ((backslash - ONES) & ~backslash) |
            ((word - FIRST_TEXT) & ~word)) &
           HIGH_BITS;
}

/* Where the first byte from `at` stands that cannot be in a JSON string as it is, else len. */
static size_t
plain_end(struct span s, size_t at)
{
    uint64_t word;

    while (s.len - at >= sizeof(word)) {
        memcpy(&word, s.ptr + at, sizeof(word));
        if (word_wants_escape(word))
            break;
        at += sizeof(word);
    }
    while (at < s.len && !wants_escape(s.ptr[at]))
        at++;
    return at;
}

static void
put_escape(struct buf *out, char c)
{
    static const char hex[] = "0123456789abcdef";
    static const char letters[] = {['"'] = '"',  ['\\'] = '\\', ['\b'] = 'b', ['\f'] = 'f',
                                   ['\n'] = 'n', ['\r'] = 'r',  ['\t'] = 't'};
    unsigned char byte = (unsigned char)c;

    assert(wants_escape(c));
    if (letters[byte]) {
        buf_put(out, (struct span){(char[]){'\\', letters[byte]}, 2});
        return;
    }
    buf_put(out, (struct span){(char[]){'\\', 'u', '0', '0', hex[byte >> 4], hex[byte & 15]}, 6});
}

static void
put_escaped(struct buf *out, struct span s, size_t end)
{
    size_t at = 0;

    buf_putc(out, '"');
    for (;;) {
        buf_put(out, (struct span){s.ptr + at, end - at});
        if (end == s.len)
            break;
        put_escape(out, s.ptr[end]);
        at = end + 1;
        end = plain_end(s, at);
    }
    buf_putc(out, '"');
}

void
json_put_string(struct buf *out, struct span s)
{
    char *at = buf_reserve(out, s.len + 2);
    size_t end;

    if (!at)
        return;
    end = plain_end(s, 0);
    if (end < s.len) {
        put_escaped(out, s, end);
        return;
    }
    /* Nearly every string: nothing to escape, one copy. */
    *at = '"';
    if (s.len)
        memcpy(at + 1, s.ptr, s.len);
    at[s.len + 1] = '"';
    buf_commit(out, s.len + 2);
}

static void
value_begin(struct json_writer *w)
{
    if (w->comma)
        buf_putc(w->out, ',');
    w->comma = true;
}

static void
open_with(struct json_writer *w, char c)
{
    value_begin(w);
    buf_putc(w->out, c);
    w->comma = false;
}

static void
close_with(struct json_writer *w, char c)
{
    buf_putc(w->out, c);
    w->comma = true;
}

void
json_object_begin(struct json_writer *w)
{
    open_with(w, '{');
}

void
json_object_end(struct json_writer *w)
{
    close_with(w, '}');
}

void
json_array_begin(struct json_writer *w)
{
    open_with(w, '[');
}

void
json_array_end(struct json_writer *w)
{
    close_with(w, ']');
}

void
json_key(struct json_writer *w, struct span name)
{
    value_begin(w);
    json_put_string(w->out, name);
    buf_putc(w->out, ':');
    w->comma = false;
}

void
json_string(struct json_writer *w, struct span s)
{
    value_begin(w);
    json_put_string(w->out, s);
}

void
json_int(struct json_writer *w, int64_t n)
{
    value_begin(w);
    buf_put_int(w->out, n);
}

void
json_uint(struct json_writer *w, uint64_t n)
{
    value_begin(w);
    buf_put_uint(w->out, n);
}

void
json_bool(struct json_writer *w, bool yes)
{
    json_raw(w, yes ? SPAN("true") : SPAN("false"));
}

void
json_null(struct json_writer *w)
{
    json_raw(w, SPAN("null"));
}

void
json_raw(struct json_writer *w, struct span json)
{
    assert(json.len > 0);
    value_begin(w);
    buf_put(w->out, json);
}

/* ---- reading ---- */

struct json_reader
json_reader_make(struct span input, struct arena *arena)
{
    assert(arena);
    return (struct json_reader){.input = input, .arena = arena};
}

COLD static bool
malformed(size_t at, struct err *err, const char *what)
{
    return err_set(err, ERR_DATA, "malformed JSON at byte %zu: %s", at, what);
}

/* The byte at the cursor, NUL at the end: no JSON text outside a string has one. */
static char
peek(const struct json_reader *r)
{
    return r->at < r->input.len ? r->input.ptr[r->at] : '\0';
}

static void
skip_blanks(struct json_reader *r)
{
    while (peek(r) == ' ' || peek(r) == '\n' || peek(r) == '\r' || peek(r) == '\t')
        r->at++;
}

static void
value_end(struct json_reader *r)
{
    r->after_key = false;
    r->need_comma = true;
    r->done = r->depth == 0;
}

/* The value of four hexadecimal digits (RFC 8259, section 7), or -1. */
static int32_t
hex4(struct span s, size_t at)
{
    int32_t n = 0;

    if (s.len - at < 4)
        return -1;
    for (size_t i = at; i < at + 4; i++) {
        char c = s.ptr[i], low = (char)(c | 0x20);

        if (c >= '0' && c <= '9')
            n = n * 16 + (c - '0');
        else if (low >= 'a' && low <= 'f')
            n = n * 16 + (low - 'a' + 10);
        else
            return -1;
    }
    return n;
}

/* \uXXXX, or a surrogate pair of two; raw stands behind the 'u'.  Half a pair is no text: -1. */
static int32_t
unicode_escape(struct span raw, size_t *at)
{
    int32_t high = hex4(raw, *at), low;

    *at += 4;
    if (high < 0xD800 || high > 0xDFFF)
        return high;
    if (high > 0xDBFF || raw.len - *at < 6 || raw.ptr[*at] != '\\' || raw.ptr[*at + 1] != 'u')
        return -1;
    low = hex4(raw, *at + 2);
    *at += 6;
    if (low < 0xDC00 || low > 0xDFFF)
        return -1;
    return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

/* One escape behind its backslash: its bytes to dst, their number returned, 0 if it is none. */
static size_t
unescape(struct span raw, size_t *at, char *dst)
{
    static const char plain[128] = {['"'] = '"',  ['\\'] = '\\', ['/'] = '/',  ['b'] = '\b',
                                    ['f'] = '\f', ['n'] = '\n',  ['r'] = '\r', ['t'] = '\t'};
    unsigned char c = (unsigned char)raw.ptr[(*at)++];
    int32_t code_point;

    if (c == 'u') {
        code_point = unicode_escape(raw, at);
        return code_point < 0 ? 0 : utf8_encode((uint32_t)code_point, dst);
    }
    if (c >= sizeof(plain) || !plain[c])
        return 0;
    *dst = plain[c];
    return 1;
}

/* raw is what stands between the quotes; an escape is never shorter than what it stands for. */
static bool
decode(struct json_reader *r, struct span raw, size_t offset, struct span *ret, struct err *err)
{
    char *text = arena_alloc_raw(r->arena, raw.len);
    size_t at = 0, len = 0;

    while (at < raw.len) {
        size_t end = plain_end(raw, at), start, bytes;

        memcpy(text + len, raw.ptr + at, end - at);
        len += end - at;
        if (end == raw.len)
            break;
        start = end;
        at = end + 1;
        bytes = unescape(raw, &at, text + len);
        if (bytes == 0)
            return malformed(offset + start, err, "not an escape sequence");
        len += bytes;
    }
    assert(len <= raw.len);
    *ret = (struct span){text, len};
    return true;
}

/* A string from its opening quote on. */
static bool
read_string(struct json_reader *r, struct span *ret, struct err *err)
{
    size_t begin = r->at + 1, end = begin;
    bool escaped = false;
    struct span raw;

    for (;;) {
        end = plain_end(r->input, end);
        if (end >= r->input.len)
            return malformed(r->at, err, "a string without end");
        if (r->input.ptr[end] == '"')
            break;
        if (r->input.ptr[end] != '\\')
            return malformed(end, err, "a control character in a string");
        escaped = true;
        end += 2; /* the byte behind a backslash never ends the string */
        if (end > r->input.len)
            return malformed(r->at, err, "a string without end");
    }

    raw = (struct span){r->input.ptr + begin, end - begin};
    if (!utf8_valid(raw))
        return malformed(begin + utf8_valid_len(raw), err, "not UTF-8");
    r->at = end + 1;
    if (escaped)
        return decode(r, raw, begin, ret, err);
    *ret = raw;
    return true;
}

static size_t
skip_digits(struct json_reader *r)
{
    size_t begin = r->at;

    while (peek(r) >= '0' && peek(r) <= '9')
        r->at++;
    return r->at - begin;
}

/* RFC 8259, section 6: no leading zero, digits on both sides of the point and in the exponent. */
static bool
skip_number(struct json_reader *r)
{
    size_t whole;
    bool zero;

    r->at += peek(r) == '-';
    zero = peek(r) == '0';
    whole = skip_digits(r);
    if (whole == 0 || (zero && whole > 1))
        return false;
    if (peek(r) == '.') {
        r->at++;
        if (skip_digits(r) == 0)
            return false;
    }
    if (peek(r) == 'e' || peek(r) == 'E') {
        r->at++;
        r->at += peek(r) == '+' || peek(r) == '-';
        if (skip_digits(r) == 0)
            return false;
    }
    return true;
}

static bool
read_number(struct json_reader *r, struct json_token *ret, struct err *err)
{
    size_t begin = r->at;

    if (!skip_number(r))
        return malformed(begin, err, "not a number");
    ret->type = JSON_NUMBER;
    ret->text = (struct span){r->input.ptr + begin, r->at - begin};
    value_end(r);
    return true;
}

static bool
read_word(struct json_reader *r, struct json_token *ret, struct err *err)
{
    static const struct {
        struct span text;
        enum json_type type;
        bool yes;
    } words[] = {
        {SPAN_INIT("null"), JSON_NULL, false},
        {SPAN_INIT("true"), JSON_BOOL, true},
        {SPAN_INIT("false"), JSON_BOOL, false},
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        struct span word = words[i].text;

        if (r->input.len - r->at < word.len ||
            memcmp(r->input.ptr + r->at, word.ptr, word.len) != 0)
            continue;
        r->at += word.len;
        ret->type = words[i].type;
        ret->yes = words[i].yes;
        value_end(r);
        return true;
    }
    return malformed(r->at, err, r->at < r->input.len ? "expected a value" : "it ends too early");
}

static bool
container_begin(struct json_reader *r, struct json_token *ret, struct err *err)
{
    bool object = peek(r) == '{';

    if (r->depth == JSON_DEPTH_MAX)
        return malformed(r->at, err, "nested too deeply");
    r->at++;
    r->in_object[r->depth++] = object;
    r->after_key = false;
    r->need_comma = false;
    ret->type = object ? JSON_OBJECT : JSON_ARRAY;
    return true;
}

static bool
container_end(struct json_reader *r, struct json_token *ret, struct err *err)
{
    bool object = peek(r) == '}';

    assert(r->depth > 0);
    if (r->in_object[r->depth - 1] != object)
        return malformed(r->at, err, "a bracket that does not match");
    r->at++;
    r->depth--;
    ret->type = object ? JSON_OBJECT_END : JSON_ARRAY_END;
    value_end(r);
    return true;
}

static bool
read_key(struct json_reader *r, struct json_token *ret, struct err *err)
{
    if (peek(r) != '"')
        return malformed(r->at, err, "expected a key in quotes");
    ret->type = JSON_KEY;
    if (!read_string(r, &ret->text, err))
        return false;
    skip_blanks(r);
    if (peek(r) != ':')
        return malformed(r->at, err, "expected ':'");
    r->at++;
    r->after_key = true;
    return true;
}

static bool
read_value(struct json_reader *r, struct json_token *ret, struct err *err)
{
    char c = peek(r);

    if (c == '{' || c == '[')
        return container_begin(r, ret, err);
    if (c == '-' || (c >= '0' && c <= '9'))
        return read_number(r, ret, err);
    if (c != '"')
        return read_word(r, ret, err);
    ret->type = JSON_STRING;
    if (!read_string(r, &ret->text, err))
        return false;
    value_end(r);
    return true;
}

/* Inside a container, not behind a key: its end, or the next member after its comma. */
static bool
read_member(struct json_reader *r, struct json_token *ret, struct err *err)
{
    if (peek(r) == '}' || peek(r) == ']')
        return container_end(r, ret, err);
    if (r->need_comma) {
        if (peek(r) != ',')
            return malformed(r->at, err, "expected ',' or a closing bracket");
        r->at++;
        skip_blanks(r);
        ret->offset = r->at;
        r->need_comma = false;
    }
    if (r->in_object[r->depth - 1])
        return read_key(r, ret, err);
    return read_value(r, ret, err);
}

bool
json_next(struct json_reader *r, struct json_token *ret, struct err *err)
{
    struct json_token token = {0};
    bool ok;

    skip_blanks(r);
    token.offset = r->at;
    if (r->done && r->at < r->input.len)
        return malformed(r->at, err, "text behind the end of the document");
    if (r->done) {
        token.type = JSON_END;
        ok = true;
    } else if (r->depth > 0 && !r->after_key) {
        ok = read_member(r, &token, err);
    } else {
        ok = read_value(r, &token, err);
    }
    if (ok)
        *ret = token;
    return ok;
}
