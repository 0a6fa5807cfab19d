/* later: which feature a key or word belongs to that this version does not have. */
#include "project/later.h"

#include <stddef.h>

static bool
is_row(struct span row, struct span key, struct span word)
{
    if (!word.ptr)
        return span_eq(row, key);
    return row.len == key.len + 1 + word.len && row.ptr[key.len] == '=' &&
           memcmp(row.ptr, key.ptr, key.len) == 0 &&
           memcmp(row.ptr + key.len + 1, word.ptr, word.len) == 0;
}

const char *
later_find(const struct later *table, struct span key, struct span word)
{
    for (const struct later *row = table; row && row->key; row++) {
        if (is_row(span_of(row->key), key, word))
            return row->feature;
    }
    return NULL;
}
