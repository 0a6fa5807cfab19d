#ifndef MODEL_VALUE_H
#define MODEL_VALUE_H

/* One column of one row, still in the bytes Postgres sent: converted only by who needs it. */

#include <stdint.h>

#include "base/span.h"

enum value_kind {
    VALUE_NULL,
    VALUE_UNCHANGED, /* the WAL did not carry it: TOAST unchanged, or no part of an old key */
    VALUE_TEXT,      /* the type's output function (text format) */
    VALUE_BINARY,    /* the type's send function */
    VALUE_JSON,      /* a JSON token made by a transform */
};

struct value {
    const char *ptr;
    uint32_t len;
    enum value_kind kind;
};

static inline struct span
value_span(const struct value *value)
{
    return (struct span){value->ptr, value->len};
}

#endif
