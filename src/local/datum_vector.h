#ifndef LOCAL_DATUM_VECTOR_H
#define LOCAL_DATUM_VECTOR_H

/* The vector half of datum.h: dense ones of three widths, and sparse ones. */

#include "local/datum.h"
#include "local/vector.h"

size_t datum_dense_width(enum datum_base base); /* bytes per dimension */

/* The attribute "vector" without a declared type is [N]f32. */
MUST_CHECK bool datum_infer_vector(const struct json *json, struct datum_type *ret,
                                   struct err *err);

/* A JSON array, or base64 of little-endian 32-bit floats whatever the column's width. */
MUST_CHECK bool datum_read_dense(struct datum_type type, const struct json *json,
                                 struct arena *arena, struct datum *ret, struct err *err);
MUST_CHECK bool datum_read_sparse(const struct json *json, struct arena *arena, struct datum *ret,
                                  struct err *err);

/* As base64 the bytes have the column's own width. */
void datum_write_dense(struct json_writer *w, struct datum_type type, const struct datum *value,
                       enum vector_encoding encoding);

#endif
