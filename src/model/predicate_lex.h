#ifndef MODEL_PREDICATE_LEX_H
#define MODEL_PREDICATE_LEX_H

/* The words of a predicate; private to the files of model/predicate. */

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

enum token_kind {
    TOKEN_END,
    TOKEN_NAME,   /* folded to lower case unless "quoted" */
    TOKEN_STRING, /* decoded */
    TOKEN_NUMBER, /* as written */
    TOKEN_EQUAL,
    TOKEN_NOT_EQUAL,
    TOKEN_OPEN,
    TOKEN_CLOSE,
    TOKEN_AND,
    TOKEN_OR,
    TOKEN_NOT,
    TOKEN_IS,
    TOKEN_NULL,
    TOKEN_TRUE,
    TOKEN_FALSE,
};

struct token {
    enum token_kind kind;
    bool quoted; /* NAME: cannot be a word of SQL */
    size_t offset;
    struct span source; /* as written, for messages */
    struct span text;
};

struct lexer {
    struct span text;
    size_t at;
    struct arena *arena;
};

/* ERR_CONFIG at a character that no predicate has, or a text without its end. */
MUST_CHECK bool lexer_next(struct lexer *lexer, struct token *ret, struct err *err);

#endif
