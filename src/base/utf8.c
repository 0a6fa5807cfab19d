/* utf8: validation after the table of well-formed sequences (Unicode 3.9, table 3-7). */
#include "base/utf8.h"

#include <assert.h>

#include "base/attr.h"

/* First bytes from..to want `more` bytes to follow, the first of them within low..high. */
/* clang-format off */
static const struct form {
    unsigned char from, to, more, low, high;
} forms[] = {
    {0xC2, 0xDF, 1, 0x80, 0xBF},
    {0xE0, 0xE0, 2, 0xA0, 0xBF}, /* below: overlong */
    {0xE1, 0xEC, 2, 0x80, 0xBF},
    {0xED, 0xED, 2, 0x80, 0x9F}, /* above: surrogates */
    {0xEE, 0xEF, 2, 0x80, 0xBF},
    {0xF0, 0xF0, 3, 0x90, 0xBF}, /* below: overlong */
    {0xF1, 0xF3, 3, 0x80, 0xBF},
    {0xF4, 0xF4, 3, 0x80, 0x8F}, /* above: past U+10FFFF */
};
/* clang-format on */

#define WORD_SIZE sizeof(uint64_t)
#define HIGH_BITS UINT64_C(0x8080808080808080)

/* How many ASCII bytes stand from `at`, eight at a time. */
static size_t
ascii_end(struct span s, size_t at)
{
    uint64_t word;

    while (s.len - at >= WORD_SIZE) {
        memcpy(&word, s.ptr + at, WORD_SIZE);
        if (word & HIGH_BITS)
            break;
        at += WORD_SIZE;
    }
    while (at < s.len && (unsigned char)s.ptr[at] < 0x80)
        at++;
    return at;
}

/* The length of the sequence of several bytes at `at`, 0 if there is no good one. */
static size_t
sequence_len(struct span s, size_t at)
{
    const unsigned char *b = (const unsigned char *)s.ptr + at;
    const struct form *form = forms;

    while (form < forms + ARRAY_LEN(forms) && b[0] > form->to)
        form++;
    if (form == forms + ARRAY_LEN(forms) || b[0] < form->from || s.len - at <= form->more)
        return 0;
    if (b[1] < form->low || b[1] > form->high)
        return 0;
    for (size_t i = 2; i <= form->more; i++) {
        if ((b[i] & 0xC0) != 0x80)
            return 0;
    }
    return (size_t)form->more + 1;
}

size_t
utf8_valid_len(struct span s)
{
    size_t at = 0;

    for (;;) {
        size_t len;

        at = ascii_end(s, at);
        if (at == s.len)
            return at;
        len = sequence_len(s, at);
        if (len == 0)
            return at;
        at += len;
    }
}

bool
utf8_valid(struct span s)
{
    return utf8_valid_len(s) == s.len;
}

size_t
utf8_encode(uint32_t code_point, char dst[4])
{
    static const unsigned char lead[] = {0, 0x00, 0xC0, 0xE0, 0xF0};
    size_t len = code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;

    assert(code_point <= 0x10FFFF && (code_point < 0xD800 || code_point > 0xDFFF));
    for (size_t i = len - 1; i > 0; i--) {
        dst[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    dst[0] = (char)(lead[len] | code_point);
    return len;
}
