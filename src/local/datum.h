#ifndef LOCAL_DATUM_H
#define LOCAL_DATUM_H

/*
 * Types and values of attributes, read from JSON and written back.
 *
 * 64-bit integers stay exact.  uuids are kept as canonical text, datetimes as milliseconds,
 * vectors as floats, sparse vectors and bytes as the text that came.  Null is the absence of a
 * value: there is no struct datum for it.
 *
 * A value borrows what it points to: while a request is read that is the request's arena, in a
 * document it is the document's own block (doc.h).
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/span.h"

enum datum_base {
    DATUM_UNKNOWN, /* an id nobody has written yet; the elements of an empty array */
    DATUM_STRING,
    DATUM_INT,
    DATUM_UINT,
    DATUM_FLOAT,
    DATUM_BOOL,
    DATUM_UUID,
    DATUM_DATETIME,
    DATUM_BYTES,  /* base64 text */
    DATUM_F32,    /* dense vector */
    DATUM_F16,    /* dense vector */
    DATUM_I8,     /* dense vector */
    DATUM_SPARSE, /* {}f16, JSON text */
    DATUM_BASE_MAX_,
};

struct datum_type {
    enum datum_base base;
    bool array;          /* []base */
    uint32_t dimensions; /* of a dense vector */
};

#define DATUM_TYPE_TEXT_SIZE 32

union scalar {
    int64_t i;     /* int; datetime */
    uint64_t u;    /* uint */
    double f;      /* float */
    bool b;        /* bool */
    struct span s; /* string, uuid, bytes, sparse */
};

struct datum {
    uint32_t attribute; /* its place in the schema */
    uint32_t count;     /* elements of an array, dimensions of a vector */
    union {
        union scalar scalar;
        const union scalar *items; /* array */
        const float *floats;       /* dense vector */
    };
};

enum vector_encoding {
    VECTOR_ENCODING_FLOAT,
    VECTOR_ENCODING_BASE64,
};

extern const char *const vector_encoding_words[];

/* ---- types ---- */

/* "string", "[]uuid", "[768]f16", "{}f16". */
MUST_CHECK bool datum_type_parse(struct span text, struct datum_type *ret);
const char *datum_type_text(struct datum_type type, char dst[DATUM_TYPE_TEXT_SIZE]);
bool datum_type_eq(struct datum_type a, struct datum_type b);

/* What a value without a declared type is taken for.  `json` is not null. */
MUST_CHECK bool datum_type_infer(const struct json *json, bool is_vector, struct datum_type *ret,
                                 struct err *err);

static inline bool
datum_type_is_dense(struct datum_type type)
{
    return type.base == DATUM_F32 || type.base == DATUM_F16 || type.base == DATUM_I8;
}

/* Vectors and bytes never take part in filters. */
static inline bool
datum_type_is_filterable(struct datum_type type)
{
    return type.base < DATUM_BYTES;
}

static inline bool
datum_type_is_text(struct datum_type type)
{
    return type.base == DATUM_STRING;
}

/* ---- reading; `json` is not null, refusals are 400 ---- */

MUST_CHECK bool datum_read_scalar(enum datum_base base, const struct json *json,
                                  struct arena *arena, union scalar *ret, struct err *err);
MUST_CHECK bool datum_read(struct datum_type type, const struct json *json, struct arena *arena,
                           struct datum *ret, struct err *err);

/* "[1, 2]" or base64 of little-endian floats, to the given number of dimensions. */
MUST_CHECK bool datum_read_floats(const struct json *json, uint32_t dimensions, struct arena *arena,
                                  const float **ret, struct err *err);

/* ---- comparing and measuring ---- */

int datum_compare_scalar(enum datum_base base, union scalar a, union scalar b);

/* NULL stands for null and is below everything; arrays compare element by element. */
int datum_compare(struct datum_type type, const struct datum *a, const struct datum *b);

/* What it counts for in limits and bills; of an array the whole, or its largest element. */
size_t datum_bytes(struct datum_type type, const struct datum *value);
size_t datum_bytes_largest(struct datum_type type, const struct datum *value);

/* ---- writing ---- */

void datum_write_scalar(struct json_writer *w, enum datum_base base, union scalar scalar);
void datum_write(struct json_writer *w, struct datum_type type, const struct datum *value,
                 enum vector_encoding encoding);

/* The shortest text that reads back the same. */
void json_double(struct json_writer *w, double f);
void json_float(struct json_writer *w, float f);

#endif
