/* filter: does a row pass? */
#include "local/filter.h"

#include <assert.h>

#include "local/filter_node.h"
#include "local/match.h"

/* ---- operands ---- */

static const struct datum *
operand_value(const struct filter *f, const struct row *incoming)
{
    switch (f->operand.kind) {
    case OPERAND_NULL:
        return NULL;
    case OPERAND_VALUE:
        return &f->operand.value;
    case OPERAND_REF_NEW:
        return incoming ? row_find(incoming, f->operand.ref_new) : NULL;
    }
    return NULL;
}

/* How many elements a value has, seen as a list: a scalar is a list of one. */
static uint32_t
element_count(const struct filter *f, const struct datum *value)
{
    if (!value)
        return 0;
    return f->type.array ? value->count : 1;
}

static union scalar
element(const struct filter *f, const struct datum *value, uint32_t i)
{
    return f->type.array ? value->items[i] : value->scalar;
}

/* ---- tests ---- */

/* clang-format off */
static const bool holds[FILTER_TEST_MAX_][3] = {
    /*               below  equal  above */
    [TEST_EQ]      = {false, true,  false},
    [TEST_LT]      = {true,  false, false},
    [TEST_LTE]     = {true,  true,  false},
    [TEST_GT]      = {false, false, true},
    [TEST_GTE]     = {false, true,  true},
    [TEST_CONTAINS] = {false, true, false},
    [TEST_ANY_LT]  = {true,  false, false},
    [TEST_ANY_LTE] = {true,  true,  false},
    [TEST_ANY_GT]  = {false, false, true},
    [TEST_ANY_GTE] = {false, true,  true},
};
/* clang-format on */

static bool
order_holds(enum filter_test test, int order)
{
    return holds[test][(order > 0) - (order < 0) + 1];
}

/* Some element of the value equals some element of the operand's list. */
static bool
any_in_list(const struct filter *f, const struct datum *value)
{
    for (uint32_t i = 0; i < element_count(f, value); i++) {
        for (uint32_t k = 0; k < f->operand.value.count; k++) {
            if (datum_compare_scalar(f->type.base, element(f, value, i),
                                     f->operand.value.items[k]) == 0)
                return true;
        }
    }
    return false;
}

/* Some element of the value stands in the test's order to a scalar. */
static bool
any_ordered(const struct filter *f, const struct datum *value, const struct datum *operand)
{
    for (uint32_t i = 0; operand && i < element_count(f, value); i++) {
        if (order_holds(f->test,
                        datum_compare_scalar(f->type.base, element(f, value, i), operand->scalar)))
            return true;
    }
    return false;
}

static bool
text_matches(const struct filter *f, struct span text)
{
    struct span pattern = f->operand.value.scalar.s;

    if (f->test == TEST_REGEX)
        return match_regex(f->regex, text);
    if (f->test == TEST_GLOB)
        return match_glob(pattern, text, f->ignore_case);
    assert(f->test == TEST_FUZZY);
    return !f->never && match_fuzzy(pattern, text, f->distance, f->ignore_case);
}

static bool
any_text(const struct filter *f, const struct datum *value)
{
    for (uint32_t i = 0; i < element_count(f, value); i++) {
        if (text_matches(f, element(f, value, i).s))
            return true;
    }
    return false;
}

/* ---- tokens ---- */

static bool
token_eq(const struct filter *f, size_t wanted, struct span word)
{
    struct span token = f->tokens.items[wanted];

    if (f->last_as_prefix && wanted + 1 == f->tokens.count && word.len > token.len)
        word.len = token.len;
    return span_eq(token, word);
}

static bool
has_token(const struct filter *f, size_t wanted, const struct tokens *words)
{
    for (size_t i = 0; i < words->count; i++) {
        if (token_eq(f, wanted, words->items[i]))
            return true;
    }
    return false;
}

static size_t
count_tokens(const struct filter *f, const struct tokens *words)
{
    size_t found = 0;

    for (size_t i = 0; i < f->tokens.count; i++)
        found += has_token(f, i, words);
    return found;
}

static bool
has_sequence(const struct filter *f, const struct tokens *words)
{
    for (size_t start = 0; start + f->tokens.count <= words->count; start++) {
        size_t n = 0;

        while (n < f->tokens.count && token_eq(f, n, words->items[start + n]))
            n++;
        if (n == f->tokens.count)
            return true;
    }
    return false;
}

static bool
tokens_match(const struct filter *f, struct span text)
{
    struct arena_mark mark = arena_mark(f->arena);
    struct tokens words =
        fulltext_tokens(&f->schema->attributes[f->attribute].fulltext, text, f->arena);
    bool yes;

    if (f->test == TEST_TOKEN_SEQUENCE)
        yes = has_sequence(f, &words);
    else if (f->test == TEST_ALL_TOKENS)
        yes = count_tokens(f, &words) == f->tokens.count;
    else
        yes = count_tokens(f, &words) > 0;
    arena_rewind(f->arena, mark);
    return yes;
}

static bool
any_tokens(const struct filter *f, const struct datum *value)
{
    for (uint32_t i = 0; i < element_count(f, value); i++) {
        if (tokens_match(f, element(f, value, i).s))
            return true;
    }
    return false;
}

/* ---- the whole ---- */

static bool
test_holds(const struct filter *f, const struct row *row, const struct row *incoming)
{
    const struct datum *value = row_find(row, f->attribute);
    const struct datum *operand = operand_value(f, incoming);

    switch (f->test) {
    case TEST_EQ:
    case TEST_LT:
    case TEST_LTE:
    case TEST_GT:
    case TEST_GTE:
        return order_holds(f->test, datum_compare(f->type, value, operand));
    case TEST_IN:
    case TEST_CONTAINS_ANY:
        return any_in_list(f, value);
    case TEST_CONTAINS:
    case TEST_ANY_LT:
    case TEST_ANY_LTE:
    case TEST_ANY_GT:
    case TEST_ANY_GTE:
        return any_ordered(f, value, operand);
    case TEST_GLOB:
    case TEST_REGEX:
    case TEST_FUZZY:
        return any_text(f, value);
    case TEST_ALL_TOKENS:
    case TEST_ANY_TOKEN:
    case TEST_TOKEN_SEQUENCE:
        return any_tokens(f, value);
    case FILTER_TEST_MAX_:
        break;
    }
    assert(!"no such test");
    return false;
}

/* And: all children; Or: at least one.  Without children And is true and Or is not. */
static bool
children_hold(const struct filter *f, const struct row *row, const struct row *incoming)
{
    bool stop_at = f->kind == FILTER_OR;

    for (const struct filter *child = f->first; child; child = child->next) {
        if (filter_match(child, row, incoming) == stop_at)
            return stop_at;
    }
    return !stop_at;
}

bool
filter_match(const struct filter *f, const struct row *row, const struct row *incoming)
{
    if (!f)
        return true;
    switch (f->kind) {
    case FILTER_AND:
    case FILTER_OR:
        return children_hold(f, row, incoming);
    case FILTER_NOT:
        return !filter_match(f->first, row, incoming);
    case FILTER_TEST:
        return test_holds(f, row, incoming) != f->negated;
    }
    return false;
}

void
filter_done(struct filter *filter)
{
    if (!filter)
        return;
    for (struct filter *child = filter->first; child; child = child->next)
        filter_done(child);
    if (filter->regex)
        regfree(filter->regex);
    filter->regex = NULL;
}

void
filter_donep(struct filter **filter)
{
    filter_done(*filter);
    *filter = NULL;
}
