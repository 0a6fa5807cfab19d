/* predicate_lex: text to tokens. */
#include "model/predicate_lex.h"

#include <assert.h>

#include "model/predicate_tree.h"

#define INSTEAD "keep the answer in a boolean column of the table and name that"

/* Characters that SQL has and predicates have not, and what to do. */
/* clang-format off */
static const struct {
    char c;
    const char *fault;
} foreign[] = {
    {'<',  "< and > are not part of predicates; " INSTEAD},
    {'>',  "< and > are not part of predicates; " INSTEAD},
    {'+',  "arithmetic is not part of predicates; " INSTEAD},
    {'-',  "arithmetic is not part of predicates; " INSTEAD},
    {'*',  "arithmetic is not part of predicates; " INSTEAD},
    {'/',  "arithmetic is not part of predicates; " INSTEAD},
    {'%',  "arithmetic is not part of predicates; " INSTEAD},
    {'^',  "arithmetic is not part of predicates; " INSTEAD},
    {'~',  "patterns are not part of predicates; " INSTEAD},
    {'&',  "& is not part of predicates; write AND"},
    {'|',  "| is not part of predicates; write OR"},
    {'!',  "! alone is not part of predicates; write != or NOT"},
    {':',  "casts are not part of predicates; literals take the type of their column"},
    {'.',  "a number begins with a digit, and a column is named without its table; write 0.5, or the column alone"},
    {',',  "lists are not part of predicates; compare with OR"},
    {';',  "a predicate is one condition; take the semicolon out"},
    {'$',  "parameters are not part of predicates; write the value"},
    {'[',  "arrays are not part of predicates; " INSTEAD},
    {'{',  "arrays are not part of predicates; " INSTEAD},
    {'`',  "` quotes nothing in SQL; put names in \"double quotes\" and texts in 'single quotes'"},
};

static const struct {
    struct span word;
    enum token_kind kind;
} words[] = {
    {SPAN_INIT("and"),   TOKEN_AND},
    {SPAN_INIT("or"),    TOKEN_OR},
    {SPAN_INIT("not"),   TOKEN_NOT},
    {SPAN_INIT("is"),    TOKEN_IS},
    {SPAN_INIT("null"),  TOKEN_NULL},
    {SPAN_INIT("true"),  TOKEN_TRUE},
    {SPAN_INIT("false"), TOKEN_FALSE},
};
/* clang-format on */

static struct span
rest_of(const struct lexer *lexer)
{
    return span_skip(lexer->text, lexer->at);
}

static bool
is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool
is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes over 127 are letters, as in Postgres (manual 4.1.1). */
static bool
starts_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (unsigned char)c > 127;
}

static bool
continues_name(char c)
{
    return starts_name(c) || is_digit(c) || c == '$';
}

/* Where the closing quote stands; a doubled one is one of the text. */
static bool
find_end(struct span quoted, size_t *ret)
{
    char quote = quoted.ptr[0];

    assert(quote == '\'' || quote == '"');
    for (size_t at = 1; at < quoted.len; at++) {
        if (quoted.ptr[at] != quote)
            continue;
        if (at + 1 == quoted.len || quoted.ptr[at + 1] != quote) {
            *ret = at;
            return true;
        }
        at++;
    }
    return false;
}

static bool
take_quoted(struct lexer *lexer, const char *what, struct token *token, struct err *err)
{
    struct span rest = rest_of(lexer);
    char quote = rest.ptr[0];
    size_t end, len = 0;
    char *copy;

    if (!find_end(rest, &end))
        return predicate_fault(lexer->text, token->offset, err,
                               "the %s that starts here has no end; close it with %c, and write "
                               "%c%c for one inside",
                               what, quote, quote, quote);
    copy = arena_alloc_raw(lexer->arena, end);
    for (size_t at = 1; at < end; at++) {
        copy[len++] = rest.ptr[at];
        at += rest.ptr[at] == quote;
    }
    assert(len < end);
    lexer->at += end + 1;
    token->text = (struct span){copy, len};
    return true;
}

static bool
take_string(struct lexer *lexer, struct token *token, struct err *err)
{
    token->kind = TOKEN_STRING;
    return take_quoted(lexer, "text", token, err);
}

static bool
take_quoted_name(struct lexer *lexer, struct token *token, struct err *err)
{
    token->kind = TOKEN_NAME;
    token->quoted = true;
    if (!take_quoted(lexer, "name", token, err))
        return false;
    if (token->text.len == 0)
        return predicate_fault(lexer->text, token->offset, err,
                               "\"\" is no name; texts stand in 'single quotes'");
    return true;
}

static void
take_name(struct lexer *lexer, struct token *token)
{
    struct span rest = rest_of(lexer);
    size_t len = 1;
    char *folded;

    while (len < rest.len && continues_name(rest.ptr[len]))
        len++;
    folded = arena_alloc_raw(lexer->arena, len);
    for (size_t i = 0; i < len; i++) {
        char c = rest.ptr[i];

        folded[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    lexer->at += len;
    token->kind = TOKEN_NAME;
    token->text = (struct span){folded, len};
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (span_eq(words[i].word, token->text))
            token->kind = words[i].kind;
    }
}

static size_t
skip_digits(struct span s, size_t at)
{
    while (at < s.len && is_digit(s.ptr[at]))
        at++;
    return at;
}

/* Takes all that could belong to a number; whether it is one, decimal_parse() says. */
static bool
take_number(struct lexer *lexer, struct token *token, struct err *err)
{
    struct span rest = rest_of(lexer);
    size_t len = skip_digits(rest, 1);
    struct decimal decimal;

    if (len < rest.len && rest.ptr[len] == '.')
        len = skip_digits(rest, len + 1);
    if (len < rest.len && (rest.ptr[len] == 'e' || rest.ptr[len] == 'E')) {
        len++;
        len += len < rest.len && (rest.ptr[len] == '+' || rest.ptr[len] == '-');
        len = skip_digits(rest, len);
    }
    while (len < rest.len && (continues_name(rest.ptr[len]) || rest.ptr[len] == '.'))
        len++;

    token->kind = TOKEN_NUMBER;
    token->text = (struct span){rest.ptr, len};
    lexer->at += len;
    if (!decimal_parse(token->text, &decimal))
        return predicate_fault(lexer->text, token->offset, err,
                               "\"%.*s\" is no number; write it like 42, -1.5 or 1e6",
                               SPAN_ARG(token->text));
    return true;
}

static bool
take_symbol(struct lexer *lexer, struct token *token)
{
    /* clang-format off */
    static const struct {
        struct span text;
        enum token_kind kind;
    } symbols[] = {
        {SPAN_INIT("!="), TOKEN_NOT_EQUAL},
        {SPAN_INIT("<>"), TOKEN_NOT_EQUAL},
        {SPAN_INIT("="),  TOKEN_EQUAL},
        {SPAN_INIT("("),  TOKEN_OPEN},
        {SPAN_INIT(")"),  TOKEN_CLOSE},
    };
    /* clang-format on */
    struct span rest = rest_of(lexer);

    for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
        struct span symbol = symbols[i].text;

        if (rest.len < symbol.len || memcmp(rest.ptr, symbol.ptr, symbol.len) != 0)
            continue;
        token->kind = symbols[i].kind;
        lexer->at += symbol.len;
        return true;
    }
    return false;
}

static bool
refuse_character(const struct lexer *lexer, struct err *err)
{
    char c = lexer->text.ptr[lexer->at];

    for (size_t i = 0; i < ARRAY_LEN(foreign); i++) {
        if (foreign[i].c == c)
            return predicate_fault(lexer->text, lexer->at, err, "%s", foreign[i].fault);
    }
    if (c > ' ' && c < 127)
        return predicate_fault(lexer->text, lexer->at, err,
                               "%c is not part of predicates; take it out", c);
    return predicate_fault(lexer->text, lexer->at, err,
                           "the byte 0x%02X is not part of predicates; take it out",
                           (unsigned)(unsigned char)c);
}

static bool
take(struct lexer *lexer, struct token *token, struct err *err)
{
    struct span rest = rest_of(lexer);
    char c = rest.ptr[0];

    if (c == '\'')
        return take_string(lexer, token, err);
    if (c == '"')
        return take_quoted_name(lexer, token, err);
    if (starts_name(c)) {
        take_name(lexer, token);
        return true;
    }
    if (is_digit(c) || (c == '-' && rest.len > 1 && is_digit(rest.ptr[1])))
        return take_number(lexer, token, err);
    return take_symbol(lexer, token) || refuse_character(lexer, err);
}

bool
lexer_next(struct lexer *lexer, struct token *ret, struct err *err)
{
    while (lexer->at < lexer->text.len && is_space(lexer->text.ptr[lexer->at]))
        lexer->at++;
    *ret = (struct token){.kind = TOKEN_END, .offset = lexer->at};
    if (lexer->at < lexer->text.len && !take(lexer, ret, err))
        return false;
    assert(lexer->at <= lexer->text.len);
    ret->source = (struct span){lexer->text.ptr ? lexer->text.ptr + ret->offset : "",
                                lexer->at - ret->offset};
    return true;
}
