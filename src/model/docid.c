/* docid: one canonical text for every id. */
#include "model/docid.h"

#include <assert.h>
#include <stdlib.h>
#include <strings.h>

#include "base/utf8.h"

#define UUID_DIGITS 32

/* The remedies are part of the messages: whoever reads a dead letter has nothing else at hand. */
#define AS_STRING "set `id = { column = \"%s\", type = \"int\", encode = \"string\" }` in %s"

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Digits from `at` on, as a span without leading zeros; empty when another character comes. */
static struct span
digits_only(struct span text, size_t at)
{
    size_t end = text.len;

    for (size_t i = at; i < end; i++) {
        if (!is_digit(text.ptr[i]))
            return (struct span){text.ptr, 0};
    }
    while (at + 1 < end && text.ptr[at] == '0')
        at++;
    return (struct span){text.ptr + at, end - at};
}

/* "5.000" is the integer 5: a numeric key may carry a scale. */
static struct span
without_zero_fraction(struct span text)
{
    size_t len = text.len;

    while (len > 0 && text.ptr[len - 1] == '0')
        len--;
    if (len > 1 && len < text.len && text.ptr[len - 1] == '.')
        return (struct span){text.ptr, len - 1};
    return text;
}

static bool
fits_uint64(struct span digits)
{
    static const struct span most = SPAN_INIT("18446744073709551615");

    if (digits.len != most.len)
        return digits.len < most.len;
    return memcmp(digits.ptr, most.ptr, most.len) <= 0;
}

/* `text` is "-" and digits; those of them that count are `digits`. */
static struct span
with_sign(struct span text, struct span digits, struct arena *arena)
{
    char *copy;

    if (text.len == digits.len + 1)
        return text;
    copy = arena_alloc_raw(arena, digits.len + 1);
    copy[0] = '-';
    memcpy(copy + 1, digits.ptr, digits.len);
    return (struct span){copy, digits.len + 1};
}

static bool
make_integer(const struct mapping *mapping, struct span text, struct arena *arena,
             struct docid *ret, struct err *err)
{
    struct span whole = without_zero_fraction(text);
    bool negative = whole.len > 0 && whole.ptr[0] == '-';
    struct span digits = digits_only(whole, negative);

    if (digits.len == 0)
        return err_set(err, ERR_DATA, "id \"%.*s\" is not an integer; use id type \"string\" in %s",
                       SPAN_ARG(text), mapping->file);
    negative = negative && !span_eq(digits, SPAN("0"));
    if (mapping->id_encode_string) {
        struct span canonical = negative ? with_sign(whole, digits, arena) : digits;

        *ret = (struct docid){.quoted = true, .text = canonical};
        return true;
    }
    if (negative)
        return err_set(err, ERR_DATA,
                       "id %.*s is negative, which the target cannot hold; " AS_STRING,
                       SPAN_ARG(text), mapping->id_name, mapping->file);
    if (!fits_uint64(digits))
        return err_set(err, ERR_DATA, "id %.*s is over 2^64-1; " AS_STRING, SPAN_ARG(text),
                       mapping->id_name, mapping->file);
    *ret = (struct docid){.quoted = false, .text = digits};
    return true;
}

/* Lower case with hyphens at their places, as Postgres prints it: the usual case, no copy. */
static bool
is_canonical_uuid(struct span text)
{
    if (text.len != DOCID_UUID_LEN)
        return false;
    for (size_t i = 0; i < DOCID_UUID_LEN; i++) {
        char c = text.ptr[i];
        bool hyphen = i == 8 || i == 13 || i == 18 || i == 23;

        if (hyphen ? c != '-' : !(is_digit(c) || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

static int
hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* "{...}" and "urn:uuid:..." are the same uuid (RFC 9562, section 4). */
static struct span
uuid_core(struct span text)
{
    static const struct span urn = SPAN_INIT("urn:uuid:");

    if (text.len > 2 && text.ptr[0] == '{' && text.ptr[text.len - 1] == '}')
        return (struct span){text.ptr + 1, text.len - 2};
    if (text.len > urn.len && strncasecmp(text.ptr, urn.ptr, urn.len) == 0)
        return span_skip(text, urn.len);
    return text;
}

bool
docid_uuid_canonical(struct span text, char dst[DOCID_UUID_LEN])
{
    static const char hex[] = "0123456789abcdef";
    struct span core = uuid_core(text);
    size_t digits = 0, at = 0;

    if (core.len != DOCID_UUID_LEN && core.len != UUID_DIGITS)
        return false;
    for (size_t i = 0; i < core.len; i++) {
        bool hyphen = core.len == DOCID_UUID_LEN && (i == 8 || i == 13 || i == 18 || i == 23);
        int digit = hex_digit(core.ptr[i]);

        if (hyphen ? core.ptr[i] != '-' : digit < 0)
            return false;
        if (hyphen)
            continue;
        if (digits == 8 || digits == 12 || digits == 16 || digits == 20)
            dst[at++] = '-';
        dst[at++] = hex[digit];
        digits++;
    }
    assert(at == DOCID_UUID_LEN);
    return true;
}

static bool
make_uuid(struct span text, struct arena *arena, struct docid *ret, struct err *err)
{
    char canonical[DOCID_UUID_LEN];

    if (is_canonical_uuid(text)) {
        *ret = (struct docid){.quoted = true, .text = text};
        return true;
    }
    if (!docid_uuid_canonical(text, canonical))
        return err_set(err, ERR_DATA, "id \"%.*s\" is not a uuid; use id type \"string\"",
                       SPAN_ARG(text));
    *ret = (struct docid){
        .quoted = true,
        .text = arena_span(arena, (struct span){canonical, sizeof(canonical)}),
    };
    return true;
}

static bool
make_string(struct span text, struct docid *ret, struct err *err)
{
    if (text.len > DOCID_STRING_MAX)
        return err_set(err, ERR_DATA,
                       "id \"%.*s...\" has %zu bytes, and the target holds at most %d; map a "
                       "shorter unique column as the id",
                       DOCID_STRING_MAX / 2, text.ptr, text.len, DOCID_STRING_MAX);
    if (!utf8_valid(text))
        return err_set(err, ERR_DATA,
                       "the id's %zu bytes are not UTF-8; map another unique column as the id",
                       text.len);
    *ret = (struct docid){.quoted = true, .text = text};
    return true;
}

bool
docid_make(const struct mapping *mapping, const struct value *value, struct arena *arena,
           struct docid *ret, struct err *err)
{
    assert(value->kind != VALUE_BINARY && value->kind != VALUE_JSON);
    if (value->kind == VALUE_NULL)
        return err_set(err, ERR_DATA, "id column \"%s\" is null; make it NOT NULL",
                       mapping->id_name);
    if (value->kind == VALUE_UNCHANGED)
        return err_set(err, ERR_DATA,
                       "the WAL does not carry id column \"%s\"; make it part of the replica "
                       "identity",
                       mapping->id_name);

    switch (mapping->id_type) {
    case ID_UINT:
    case ID_INT:
        return make_integer(mapping, value_span(value), arena, ret, err);
    case ID_UUID:
        return make_uuid(value_span(value), arena, ret, err);
    case ID_STRING:
        return make_string(value_span(value), ret, err);
    case ID_AUTO:
    case ID_TYPE_MAX_:
        break;
    }
    assert(!"a bound mapping has an id type");
    abort();
}
