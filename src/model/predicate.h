#ifndef MODEL_PREDICATE_H
#define MODEL_PREDICATE_H

/*
 * Membership predicates: which rows belong to a mapping.
 *
 *     status = 'active' AND (deleted_at IS NULL OR NOT archived)
 *
 *     expr    := or
 *     or      := and { OR and }
 *     and     := not { AND not }
 *     not     := NOT not | primary
 *     primary := '(' expr ')' | operand [ ('=' | '!=' | '<>') operand | IS [NOT] NULL ]
 *     operand := identifier | 'string' | number | TRUE | FALSE | NULL
 *
 * Keywords in any case; identifiers fold to lower case unless "quoted"; '' is a quote inside a
 * string.  Logic is SQL's, three-valued, and a row belongs when the result is TRUE.  What needs
 * more (functions, <, LIKE, IN) is refused with the remedy: a boolean column that holds the answer.
 *
 * Comparison is exact and by type, as Postgres compares: integers and numerics by value without
 * rounding, floats by value, booleans, uuids, dates, times and timestamps by value, enums and text
 * by their bytes (char(n) without its padding).  A literal is read as its column's type, once, by
 * predicate_check(); 0.1 against a real column is the real nearest to it.  What has no comparison
 * here (citext, intervals, json, arrays ...) is refused, but can be asked for IS NULL.
 *
 * Parsed, bound and checked once; then immutable and shared by all threads.
 *
 *     predicate_parse(text, arena, &p, err)
 *     for i: predicate_bind(p, i, image_index, type)
 *     predicate_check(p, err)
 *     predicate_eval(p, image) == TRUTH_TRUE
 */

#include "base/arena.h"
#include "base/err.h"
#include "model/table.h"
#include "model/value.h"

struct predicate;

enum truth {
    TRUTH_FALSE,
    TRUTH_NULL, /* SQL's unknown: does not belong */
    TRUTH_TRUE,
    TRUTH_UNAVAILABLE, /* depends on a value that the WAL did not carry */
};

/* ERR_CONFIG "column N: what; what to do", N counted from 1 in the text. */
MUST_CHECK bool predicate_parse(struct span text, struct arena *arena, struct predicate **ret,
                                struct err *err);

/* The distinct columns it names, in order of appearance. */
size_t predicate_column_count(const struct predicate *predicate);
struct span predicate_column_name(const struct predicate *predicate, size_t i);
size_t predicate_column_place(const struct predicate *predicate, size_t i); /* "column N" */

/* Say where column i stands in an image and what its type is; before checking. */
void predicate_bind(struct predicate *predicate, size_t i, size_t image_index,
                    const struct type *type);

/* Every comparison makes sense for its types, every literal reads as its column's type. */
MUST_CHECK bool predicate_check(struct predicate *predicate, struct err *err);

/* Is something compared with NULL, which is never true?  Gives its "column N", else 0. */
size_t predicate_compares_null(const struct predicate *predicate);

enum truth predicate_eval(const struct predicate *predicate, const struct value *image);

#endif
