#ifndef MODEL_PREDICATE_TREE_H
#define MODEL_PREDICATE_TREE_H

/*
 * What a predicate is made of; private to the files of model/predicate.
 *
 *     text --predicate_lex--> tokens --predicate_parse--> tree --predicate_check--> tree that knows
 *     how its comparisons are made --predicate_eval--> truth
 *
 * AND and OR hold a list of children, so that a long chain is a loop and only parentheses and NOT
 * nest, PREDICATE_DEPTH_MAX deep.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/decimal.h"
#include "model/docid.h"
#include "model/predicate.h"

#define PREDICATE_DEPTH_MAX   100
#define PREDICATE_COLUMNS_MAX 1600 /* no table has more */

/* How two operands are compared; each has a row in the table of predicate_scalar.c. */
enum compare {
    COMPARE_NULL, /* with NULL: unknown, whatever the other side is */
    COMPARE_BYTES,
    COMPARE_BOOL,
    COMPARE_DECIMAL,
    COMPARE_FLOAT,
    COMPARE_UUID,
    COMPARE_DATE,
    COMPARE_TIME,
    COMPARE_TIMESTAMP,
    COMPARE_TIMESTAMPTZ,
    COMPARE_MAX_,
};

/* A value, read for comparison: the member that its way of comparing uses. */
struct scalar {
    struct span bytes;
    struct decimal decimal;
    double number;
    int64_t integer; /* bool, days, microseconds */
    char uuid[DOCID_UUID_LEN];
};

enum operand_kind {
    OPERAND_COLUMN,
    OPERAND_STRING,
    OPERAND_NUMBER,
    OPERAND_BOOL,
    OPERAND_NULL,
};

struct operand {
    enum operand_kind kind;
    size_t offset;       /* bytes into the text */
    size_t column;       /* COLUMN: index into the predicate's columns */
    bool yes;            /* BOOL */
    struct span text;    /* STRING: decoded; NUMBER: as written */
    struct scalar value; /* of a literal in a comparison, read by predicate_check() */
};

enum node_kind {
    NODE_OR,
    NODE_AND,
    NODE_NOT,
    NODE_COMPARE,
    NODE_IS_NULL,
    NODE_TRUTH, /* an operand that is a condition by itself */
};

struct node {
    enum node_kind kind;
    struct node *next;  /* sibling under OR or AND */
    struct node *first; /* OR, AND: two or more; NOT: one */
    bool negated;       /* COMPARE: !=; IS_NULL: IS NOT NULL */
    enum compare compare;
    struct operand left, right; /* TRUTH and IS_NULL: left only */
};

struct predicate_column {
    struct span name;
    size_t offset; /* bytes into the text, of its first appearance */
    size_t image_index;
    const struct type *type; /* NULL until bound */
};

struct predicate {
    struct span text;
    struct node *root;
    size_t column_count;
    struct predicate_column *columns;
    bool checked;
};

/* The "column N" of an offset: counted from 1, in characters, as an editor counts. */
size_t predicate_place(struct span text, size_t offset);

/* "column N: " with N in characters, then the text; ERR_CONFIG. */
COLD bool predicate_fault(struct span text, size_t offset, struct err *err, const char *fmt, ...)
    PRINTF(4, 5);

#endif
