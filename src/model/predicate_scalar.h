#ifndef MODEL_PREDICATE_SCALAR_H
#define MODEL_PREDICATE_SCALAR_H

/*
 * How values are read and compared, one row per way of comparing; private to the files of
 * model/predicate.
 */

#include "model/predicate_tree.h"

/* How values of this type compare with one another; COMPARE_MAX_ when they do not. */
enum compare scalar_compare(const struct type *type);

/* Read a text of this type, or a literal meant for it; false when it is none. */
MUST_CHECK bool scalar_read(enum compare compare, const struct type *type, struct span text,
                            struct scalar *ret);
bool scalar_equal(enum compare compare, const struct scalar *a, const struct scalar *b);

/* "write it like ..." for a literal that does not read. */
const char *scalar_example(enum compare compare);

#endif
