/* schema: when two Relation messages say the same. */
#include "model/schema.h"

bool
schema_equal(const struct schema *a, const struct schema *b)
{
    if (a->relation != b->relation || a->identity != b->identity || a->count != b->count ||
        !span_eq(a->namespace, b->namespace) || !span_eq(a->name, b->name))
        return false;
    for (size_t i = 0; i < a->count; i++) {
        const struct column *x = &a->columns[i], *y = &b->columns[i];

        if (!span_eq(x->name, y->name) || x->type != y->type || x->typmod != y->typmod ||
            x->key != y->key)
            return false;
    }
    return true;
}
