#ifndef LOCAL_VECTOR_H
#define LOCAL_VECTOR_H

/*
 * Vectors: base64 (RFC 4648, with padding), half floats (IEEE 754 binary16) and distances.
 *
 * A vector is kept as floats whatever its column's width; a value of an f16 column is rounded to
 * one that a half holds.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"

/* How many bytes the text stands for; false when it is not base64. */
MUST_CHECK bool base64_size(struct span text, size_t *ret);

/* The text must have passed base64_size(). */
void base64_decode(struct span text, unsigned char *dst);
void base64_put(struct buf *out, struct span bytes);

/* Round to nearest, ties to even; false when the value is out of a half's range. */
MUST_CHECK bool half_from_float(float f, uint16_t *ret);
float half_to_float(uint16_t half);

enum distance_metric {
    DISTANCE_NONE,
    DISTANCE_COSINE,
    DISTANCE_EUCLIDEAN_SQUARED,
};

/* The names on the wire, in the order of the enum; DISTANCE_NONE is "". */
extern const char *const distance_metric_words[];

double vector_distance(enum distance_metric metric, const float *a, const float *b, size_t count);

#endif
