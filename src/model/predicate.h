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
 * more (functions, <, LIKE, IN) is refused with the remedy: a generated column or a view.
 *
 * Comparison is exact and by type: integers and numerics by value, floats by value, booleans,
 * uuids by value, enums and text by bytes, dates and timestamps by value.
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

/* Say where column i stands in an image and what its type is; before checking. */
void predicate_bind(struct predicate *predicate, size_t i, size_t image_index,
                    const struct type *type);

/* Every comparison makes sense for its types, every literal reads as its column's type. */
MUST_CHECK bool predicate_check(struct predicate *predicate, struct arena *arena, struct err *err);

enum truth predicate_eval(const struct predicate *predicate, const struct value *image);

#endif
