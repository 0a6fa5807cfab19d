#ifndef LOCAL_FILTER_NODE_H
#define LOCAL_FILTER_NODE_H

/*
 * What a filter looks like inside: filter_read.c makes it and checks every operand against its
 * attribute's type, so that filter.c, which runs once per document, never can fail.
 */

#include <regex.h>

#include "base/arena.h"
#include "local/filter.h"

enum filter_kind {
    FILTER_AND,
    FILTER_OR,
    FILTER_NOT,
    FILTER_TEST,
};

/* The positive operators; NotX is X with `negated`. */
enum filter_test {
    TEST_EQ,
    TEST_IN,
    TEST_LT,
    TEST_LTE,
    TEST_GT,
    TEST_GTE,
    TEST_CONTAINS,
    TEST_CONTAINS_ANY,
    TEST_ANY_LT,
    TEST_ANY_LTE,
    TEST_ANY_GT,
    TEST_ANY_GTE,
    TEST_GLOB,
    TEST_REGEX,
    TEST_FUZZY,
    TEST_ALL_TOKENS,
    TEST_ANY_TOKEN,
    TEST_TOKEN_SEQUENCE,
    FILTER_TEST_MAX_,
};

enum operand_kind {
    OPERAND_NULL,
    OPERAND_VALUE,
    OPERAND_REF_NEW, /* the incoming row's value; null without one */
};

struct operand {
    enum operand_kind kind;
    struct datum value; /* a scalar, or the items of a list or an array */
    uint32_t ref_new;   /* an attribute's index */
};

struct filter {
    enum filter_kind kind;
    struct filter *first; /* children */
    struct filter *next;  /* sibling */

    /* FILTER_TEST */
    enum filter_test test;
    bool negated;
    const struct ns_schema *schema;
    struct arena *arena; /* for tokens of the documents' texts */
    uint32_t attribute;
    struct datum_type type;
    struct operand operand;

    regex_t *regex;  /* TEST_REGEX; owned, the rest lives in the arena */
    size_t distance; /* Fuzzy; with `never`, the query is too short for any */
    bool never, ignore_case;
    struct tokens tokens; /* of the query text, folded as the attribute says */
    bool last_as_prefix;
};

#endif
