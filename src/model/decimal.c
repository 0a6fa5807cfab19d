/* decimal: numbers as text, without rounding. */
#include "model/decimal.h"

#include <assert.h>
#include <strings.h>

#include "base/number.h"

static size_t
digits_len(struct span s)
{
    size_t n = 0;

    while (n < s.len && s.ptr[n] >= '0' && s.ptr[n] <= '9')
        n++;
    return n;
}

static bool
parse_word(struct span text, bool negative, struct decimal *ret)
{
    static const struct {
        struct span word;
        enum decimal_kind kind;
    } words[] = {
        {SPAN_INIT("nan"), DECIMAL_NAN},
        {SPAN_INIT("infinity"), DECIMAL_INFINITY},
        {SPAN_INIT("inf"), DECIMAL_INFINITY},
    };

    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (text.len != words[i].word.len ||
            strncasecmp(text.ptr, words[i].word.ptr, text.len) != 0)
            continue;
        *ret = (struct decimal){
            .kind = words[i].kind,
            .negative = negative && words[i].kind == DECIMAL_INFINITY,
        };
        return true;
    }
    return false;
}

/* The exponent behind "e", nothing else after it. */
static bool
parse_exponent(struct span text, int64_t *ret)
{
    bool negative = text.len > 0 && text.ptr[0] == '-';
    struct span digits = span_skip(text, text.len > 0 && (negative || text.ptr[0] == '+'));
    uint64_t n;

    if (!span_to_uint(digits, &n) || n > DECIMAL_EXPONENT_MAX)
        return false;
    *ret = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

/* `number` is digits with at most one point, `whole` of them before it: find those that count. */
static void
normalize(struct span number, size_t whole, struct decimal *decimal)
{
    size_t first = 0, end = number.len;

    assert(whole > 0 && whole <= number.len);
    while (first < end && (number.ptr[first] == '0' || number.ptr[first] == '.'))
        first++;
    while (end > first && (number.ptr[end - 1] == '0' || number.ptr[end - 1] == '.'))
        end--;
    if (first == end) {
        *decimal = (struct decimal){.kind = DECIMAL_FINITE};
        return;
    }
    decimal->digits = (struct span){number.ptr + first, end - first};
    /* Behind the point the zeros before the first digit count down: 0.05 is 0.5 times 10^-1. */
    decimal->exponent += first < whole ? (int64_t)(whole - first) : -(int64_t)(first - whole - 1);
}

bool
decimal_parse(struct span text, struct decimal *ret)
{
    struct decimal decimal = {.negative = text.len > 0 && text.ptr[0] == '-'};
    struct span number = span_skip(text, text.len > 0 && (decimal.negative || text.ptr[0] == '+'));
    size_t whole = digits_len(number);
    size_t len = whole;

    if (whole == 0)
        return parse_word(number, decimal.negative, ret);
    if (len < number.len && number.ptr[len] == '.') {
        size_t fraction = digits_len(span_skip(number, len + 1));

        if (fraction == 0)
            return false;
        len += 1 + fraction;
    }
    if (len < number.len) {
        if (number.ptr[len] != 'e' && number.ptr[len] != 'E')
            return false;
        if (!parse_exponent(span_skip(number, len + 1), &decimal.exponent))
            return false;
    }
    normalize((struct span){number.ptr, len}, whole, &decimal);
    *ret = decimal;
    return true;
}

/* Digit by digit, over the points. */
static bool
same_digits(struct span a, struct span b)
{
    size_t i = 0, j = 0;

    for (;;) {
        i += i < a.len && a.ptr[i] == '.';
        j += j < b.len && b.ptr[j] == '.';
        if (i == a.len || j == b.len)
            return i == a.len && j == b.len;
        if (a.ptr[i++] != b.ptr[j++])
            return false;
    }
}

bool
decimal_equal(const struct decimal *a, const struct decimal *b)
{
    assert(a->kind == DECIMAL_FINITE || a->digits.len == 0);
    assert(b->kind == DECIMAL_FINITE || b->digits.len == 0);
    return a->kind == b->kind && a->negative == b->negative && a->exponent == b->exponent &&
           same_digits(a->digits, b->digits);
}

bool
decimal_is_integer(const struct decimal *decimal)
{
    int64_t digits = (int64_t)decimal->digits.len;

    if (digits > 0 && memchr(decimal->digits.ptr, '.', decimal->digits.len))
        digits--;
    return decimal->kind == DECIMAL_FINITE && decimal->exponent >= digits;
}
