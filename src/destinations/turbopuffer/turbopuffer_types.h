#ifndef DESTINATIONS_TURBOPUFFER_TURBOPUFFER_TYPES_H
#define DESTINATIONS_TURBOPUFFER_TURBOPUFFER_TYPES_H

/*
 * From Postgres text to turbopuffer JSON, one pass per value.
 *
 * A *cell* is the compiled way of one column: which Postgres type comes in, which turbopuffer type
 * goes out, and the function between them.  There is one table of what converts to what; a pair
 * that is not in it is refused by `check`, with the types that would work.
 *
 * The attribute's type holds for the whole namespace and for ever, so a cell never changes its form
 * from value to value: what does not fit is TURBOPUFFER_UNFIT and follows on_unrepresentable.
 *
 * Pure; any thread.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"
#include "model/type.h"

/* facts 3.6 */
#define TURBOPUFFER_FILTERABLE_BYTES ((size_t)4 * 1024)
#define TURBOPUFFER_ATTRIBUTE_BYTES  ((size_t)8 * 1024 * 1024)
#define TURBOPUFFER_DIMENSIONS_MAX   10752
#define TURBOPUFFER_SPARSE_MAX       1024

enum turbopuffer_form {
    TURBOPUFFER_STRING,
    TURBOPUFFER_INT,
    TURBOPUFFER_UINT,
    TURBOPUFFER_FLOAT,
    TURBOPUFFER_BOOL,
    TURBOPUFFER_UUID,
    TURBOPUFFER_DATETIME,
    TURBOPUFFER_BYTES,
    TURBOPUFFER_SPARSE, /* {}f16 */
    TURBOPUFFER_F32,    /* [N]f32 */
    TURBOPUFFER_F16,
    TURBOPUFFER_I8,
    TURBOPUFFER_FORM_MAX_,
};

struct turbopuffer_type {
    enum turbopuffer_form form;
    bool array;          /* []string, not [N]f32 */
    uint32_t dimensions; /* of [N]f32, [N]f16, [N]i8; 0 elsewhere, or when nobody has said */
};

/* "string", "[]int", "[768]f32", "{}f16"; false for anything else. */
MUST_CHECK bool turbopuffer_type_parse(struct span text, struct turbopuffer_type *ret);
void turbopuffer_type_put(const struct turbopuffer_type *type, struct buf *out);
bool turbopuffer_type_is_vector(const struct turbopuffer_type *type); /* dense */

/* What a Postgres type becomes when nothing is said; `exact`: without any loss (SEMANTICS 31). */
struct turbopuffer_type turbopuffer_type_default(const struct type *source, bool exact);

/* ---- cells ---- */

enum turbopuffer_fit {
    TURBOPUFFER_FITS,
    TURBOPUFFER_UNFIT, /* the target type has no such value: NaN, infinity, an array with nulls */
    TURBOPUFFER_TOO_LONG, /* over cell->max_bytes, or over the size of an attribute */
    TURBOPUFFER_MALFORMED /* not the text form of the source type */
};

struct turbopuffer_cell;

/* On any answer but FITS `out` may hold a part of the value: the caller cuts it off. */
typedef enum turbopuffer_fit (*turbopuffer_put)(const struct turbopuffer_cell *cell,
                                                struct span text, struct buf *out);

struct turbopuffer_cell {
    turbopuffer_put put;
    turbopuffer_put put_element; /* of arrays */
    struct type source;
    struct turbopuffer_type target;
    size_t max_bytes; /* of one string: less when it can be filtered on */
};

/* False when there is no way from `source` to `target`. */
MUST_CHECK bool turbopuffer_cell_make(const struct type *source,
                                      const struct turbopuffer_type *target, size_t max_bytes,
                                      struct turbopuffer_cell *ret);

/* What the conversion cuts off, and what it has no form for; NULL when nothing. */
const char *turbopuffer_cell_loss(const struct turbopuffer_cell *cell);
const char *turbopuffer_cell_unfit(const struct turbopuffer_cell *cell);

/* "string, int": what this Postgres type can become, for messages. */
void turbopuffer_cell_choices(const struct type *source, struct buf *out);

#endif
