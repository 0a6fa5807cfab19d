#ifndef LOCAL_LIMITS_H
#define LOCAL_LIMITS_H

/*
 * How large things may be.  The live service's sizes are the default; tests that want to meet a
 * limit without sending megabytes switch to the small ones, or set one alone.
 */

#include <stddef.h>

#define ATTRIBUTE_NAME_BYTES_MAX 128
#define ATTRIBUTE_NAMES_MAX      1024
#define ID_BYTES_MAX             64
#define NAMESPACE_NAME_BYTES_MAX 128
#define DIMENSIONS_MAX           10752
#define DENSE_VECTORS_MAX        2
#define SPARSE_ENTRIES_MAX       1024

struct limits {
    size_t filterable_bytes; /* one value, or one element of an array, that can be filtered on */
    size_t attribute_bytes;  /* one value */
    size_t document_bytes;
    size_t request_bytes;      /* the body, packed and unpacked */
    size_t delete_filter_rows; /* delete_by_filter without allow_partial */
    size_t patch_filter_rows;
};

extern const struct limits limits_live;
extern const struct limits limits_small;

#endif
