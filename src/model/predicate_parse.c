/* predicate_parse: tokens to a tree, by recursive descent over the grammar of predicate.h. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"
#include "model/predicate_lex.h"
#include "model/predicate_tree.h"

struct parser {
    struct lexer lexer;
    struct token token; /* the one that comes next */
    struct predicate *predicate;
    struct arena *arena;
    size_t column_cap;
    int depth;
};

/* Words of SQL that someone may well try. */
/* clang-format off */
static const struct {
    struct span word;
    const char *remedy;
} foreign_words[] = {
    {SPAN_INIT("in"),       "compare with OR"},
    {SPAN_INIT("between"),  "keep the answer in a boolean column of the table and name that"},
    {SPAN_INIT("like"),     "keep the answer in a boolean column of the table and name that"},
    {SPAN_INIT("ilike"),    "keep the answer in a boolean column of the table and name that"},
    {SPAN_INIT("similar"),  "keep the answer in a boolean column of the table and name that"},
    {SPAN_INIT("any"),      "compare with OR"},
    {SPAN_INIT("isnull"),   "write IS NULL"},
    {SPAN_INIT("notnull"),  "write IS NOT NULL"},
    {SPAN_INIT("distinct"), "write = or !=, and IS NULL where it can be null"},
    {SPAN_INIT("unknown"),  "write IS NULL"},
    {SPAN_INIT("collate"),  "texts are compared by their bytes"},
    {SPAN_INIT("when"),     "write AND and OR"},
    {SPAN_INIT("where"),    "a predicate is the condition alone"},
    {SPAN_INIT("select"),   "a predicate sees one row of one table"},
};
/* clang-format on */

size_t
predicate_place(struct span text, size_t offset)
{
    size_t column = 1;

    assert(offset <= text.len);
    for (size_t i = 0; i < offset; i++)
        column += ((unsigned char)text.ptr[i] & 0xC0) != 0x80; /* not inside a character */
    return column;
}

bool
predicate_fault(struct span text, size_t offset, struct err *err, const char *fmt, ...)
{
    char what[512];
    va_list args;

    va_start(args, fmt);
    vsnprintf(what, sizeof(what), fmt, args);
    va_end(args);
    return err_set(err, ERR_CONFIG, "column %zu: %s", predicate_place(text, offset), what);
}

static bool
advance(struct parser *parser, struct err *err)
{
    return lexer_next(&parser->lexer, &parser->token, err);
}

/* How much of a token a message shows. */
#define SHOWN_MAX 40

static bool
unexpected(const struct parser *parser, const char *wanted, struct err *err)
{
    const struct token *token = &parser->token;
    struct span source = token->source;

    if (source.len > SHOWN_MAX)
        source.len = utf8_valid_len((struct span){source.ptr, SHOWN_MAX});
    if (token->kind == TOKEN_END)
        return predicate_fault(parser->lexer.text, token->offset, err,
                               "the predicate ends where %s is missing; add it", wanted);
    for (size_t i = 0; token->kind == TOKEN_NAME && !token->quoted && i < ARRAY_LEN(foreign_words);
         i++) {
        if (span_eq(foreign_words[i].word, token->text))
            return predicate_fault(parser->lexer.text, token->offset, err,
                                   "%.*s is not part of predicates; %s", SPAN_ARG(source),
                                   foreign_words[i].remedy);
    }
    return predicate_fault(parser->lexer.text, token->offset, err,
                           "%.*s stands where %s is expected; see the grammar of predicates",
                           SPAN_ARG(source), wanted);
}

static struct node *
node_new(struct parser *parser, enum node_kind kind)
{
    struct node *node = arena_new_of(parser->arena, struct node);

    node->kind = kind;
    return node;
}

/* The index of the column, which is added at its first appearance. */
static bool
find_column(struct parser *parser, size_t *ret, struct err *err)
{
    struct predicate *predicate = parser->predicate;

    for (size_t i = 0; i < predicate->column_count; i++) {
        if (span_eq(predicate->columns[i].name, parser->token.text)) {
            *ret = i;
            return true;
        }
    }
    if (predicate->column_count == parser->column_cap)
        return predicate_fault(parser->lexer.text, parser->token.offset, err,
                               "more than %d columns, which no table has; take some out",
                               PREDICATE_COLUMNS_MAX);
    *ret = predicate->column_count++;
    predicate->columns[*ret] = (struct predicate_column){
        .name = parser->token.text,
        .offset = parser->token.offset,
    };
    return true;
}

static bool
is_operand(enum token_kind kind)
{
    return kind == TOKEN_NAME || kind == TOKEN_STRING || kind == TOKEN_NUMBER ||
           kind == TOKEN_TRUE || kind == TOKEN_FALSE || kind == TOKEN_NULL;
}

static enum operand_kind
operand_kind(enum token_kind kind)
{
    if (kind == TOKEN_NAME)
        return OPERAND_COLUMN;
    if (kind == TOKEN_STRING)
        return OPERAND_STRING;
    if (kind == TOKEN_NUMBER)
        return OPERAND_NUMBER;
    return kind == TOKEN_NULL ? OPERAND_NULL : OPERAND_BOOL;
}

static bool
parse_operand(struct parser *parser, struct operand *ret, struct err *err)
{
    const struct token token = parser->token;
    struct operand operand = {
        .offset = token.offset,
        .text = token.text,
        .yes = token.kind == TOKEN_TRUE,
    };

    if (!is_operand(token.kind))
        return unexpected(parser, "a column or a value", err);
    operand.kind = operand_kind(token.kind);
    if (operand.kind == OPERAND_COLUMN && !find_column(parser, &operand.column, err))
        return false;
    if (!advance(parser, err))
        return false;
    if (operand.kind == OPERAND_COLUMN && parser->token.kind == TOKEN_OPEN)
        return predicate_fault(parser->lexer.text, token.offset, err,
                               "functions are not part of predicates; keep the answer in a "
                               "boolean column of the table and name that");
    *ret = operand;
    return true;
}

/* IS [NOT] NULL, behind its operand. */
static bool
parse_is_null(struct parser *parser, struct node *node, struct err *err)
{
    assert(parser->token.kind == TOKEN_IS);
    node->kind = NODE_IS_NULL;
    if (!advance(parser, err))
        return false;
    if (parser->token.kind == TOKEN_NOT) {
        node->negated = true;
        if (!advance(parser, err))
            return false;
    }
    if (parser->token.kind != TOKEN_NULL)
        return unexpected(parser, node->negated ? "NULL" : "NULL or NOT NULL", err);
    return advance(parser, err);
}

static bool
parse_comparison(struct parser *parser, struct node **ret, struct err *err)
{
    struct node *node = node_new(parser, NODE_TRUTH);

    if (!parse_operand(parser, &node->left, err))
        return false;
    *ret = node;
    if (parser->token.kind == TOKEN_IS)
        return parse_is_null(parser, node, err);
    if (parser->token.kind != TOKEN_EQUAL && parser->token.kind != TOKEN_NOT_EQUAL)
        return true;
    node->kind = NODE_COMPARE;
    node->negated = parser->token.kind == TOKEN_NOT_EQUAL;
    return advance(parser, err) && parse_operand(parser, &node->right, err);
}

static bool parse_or(struct parser *parser, struct node **ret, struct err *err);

static bool
parse_parentheses(struct parser *parser, struct node **ret, struct err *err)
{
    if (!advance(parser, err) || !parse_or(parser, ret, err))
        return false;
    if (parser->token.kind != TOKEN_CLOSE)
        return unexpected(parser, "AND, OR or )", err);
    return advance(parser, err);
}

static bool parse_not(struct parser *parser, struct node **ret, struct err *err);

static bool
parse_negation(struct parser *parser, struct node **ret, struct err *err)
{
    struct node *node = node_new(parser, NODE_NOT);

    if (!advance(parser, err) || !parse_not(parser, &node->first, err))
        return false;
    *ret = node;
    return true;
}

/* NOT and parentheses are what nests. */
static bool
parse_not(struct parser *parser, struct node **ret, struct err *err)
{
    enum token_kind kind = parser->token.kind;
    bool ok;

    if (kind != TOKEN_NOT && kind != TOKEN_OPEN)
        return parse_comparison(parser, ret, err);
    if (parser->depth == PREDICATE_DEPTH_MAX)
        return predicate_fault(parser->lexer.text, parser->token.offset, err,
                               "nested more than %d deep; take parentheses out",
                               PREDICATE_DEPTH_MAX);
    parser->depth++;
    ok = kind == TOKEN_NOT ? parse_negation(parser, ret, err) : parse_parentheses(parser, ret, err);
    parser->depth--;
    assert(parser->depth >= 0);
    return ok;
}

/* One or more of `part`, joined by `joint`; one alone stands for itself. */
static bool
parse_chain(struct parser *parser, enum node_kind kind, enum token_kind joint,
            bool (*part)(struct parser *, struct node **, struct err *), struct node **ret,
            struct err *err)
{
    struct node *chain = NULL, *first, *last;

    if (!part(parser, &first, err))
        return false;
    last = first;
    while (parser->token.kind == joint) {
        if (!chain)
            chain = node_new(parser, kind);
        if (!advance(parser, err) || !part(parser, &last->next, err))
            return false;
        last = last->next;
    }
    if (chain)
        chain->first = first;
    *ret = chain ? chain : first;
    return true;
}

static bool
parse_and(struct parser *parser, struct node **ret, struct err *err)
{
    return parse_chain(parser, NODE_AND, TOKEN_AND, parse_not, ret, err);
}

static bool
parse_or(struct parser *parser, struct node **ret, struct err *err)
{
    return parse_chain(parser, NODE_OR, TOKEN_OR, parse_and, ret, err);
}

bool
predicate_parse(struct span text, struct arena *arena, struct predicate **ret, struct err *err)
{
    struct predicate *predicate = arena_new_of(arena, struct predicate);
    struct parser parser = {
        .lexer = {.text = arena_span(arena, text), .arena = arena},
        .predicate = predicate,
        .arena = arena,
        .column_cap = text.len / 2 + 1, /* something stands between two names */
    };

    if (parser.column_cap > PREDICATE_COLUMNS_MAX)
        parser.column_cap = PREDICATE_COLUMNS_MAX;
    predicate->text = parser.lexer.text;
    predicate->columns = arena_new_n(arena, struct predicate_column, parser.column_cap);
    if (!advance(&parser, err) || !parse_or(&parser, &predicate->root, err))
        return false;
    if (parser.token.kind != TOKEN_END)
        return unexpected(&parser, "AND, OR or the end", err);
    *ret = predicate;
    return true;
}

size_t
predicate_column_count(const struct predicate *predicate)
{
    return predicate->column_count;
}

struct span
predicate_column_name(const struct predicate *predicate, size_t i)
{
    assert(i < predicate->column_count);
    return predicate->columns[i].name;
}

size_t
predicate_column_place(const struct predicate *predicate, size_t i)
{
    assert(i < predicate->column_count);
    return predicate_place(predicate->text, predicate->columns[i].offset);
}

void
predicate_bind(struct predicate *predicate, size_t i, size_t image_index, const struct type *type)
{
    assert(i < predicate->column_count);
    assert(!predicate->checked);
    predicate->columns[i].image_index = image_index;
    predicate->columns[i].type = type;
}
