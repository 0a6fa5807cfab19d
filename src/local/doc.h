#ifndef LOCAL_DOC_H
#define LOCAL_DOC_H

/*
 * Rows and documents: values in the order of the schema, the id first.
 *
 * A row is what a request carries; it lives in the request's arena.  A document is a row at rest:
 * one block of memory that holds the values and everything they point to.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/span.h"
#include "local/datum.h"
#include "local/ns_schema.h"

/* The count of a value that stands for an explicit null in a patch. */
#define DATUM_CLEARED UINT32_MAX

struct row {
    struct datum *values; /* [0] is the id */
    uint32_t count;
};

struct doc {
    size_t bytes; /* logical: what limits and bills count */
    uint32_t count;
    struct datum values[];
};

static inline struct row
doc_row(struct doc *doc)
{
    return (struct row){doc->values, doc->count};
}

/* NULL when the row has no value there. */
const struct datum *row_find(const struct row *row, uint32_t attribute);

/* The bytes that identify a document in maps; id is its values[0]. */
struct span row_key(const struct ns_schema *schema, const struct datum *id);

struct doc *doc_new(const struct ns_schema *schema, const struct row *row);
void doc_free(struct doc *doc); /* NULL is fine */

/* The document after a patch; cleared values go. */
struct doc *doc_patched(const struct ns_schema *schema, const struct doc *doc,
                        const struct row *patch);

size_t row_bytes(const struct ns_schema *schema, const struct row *row);

void row_write_id(struct json_writer *w, const struct ns_schema *schema, const struct datum *id);

#endif
