#ifndef SOURCE_RECORD_H
#define SOURCE_RECORD_H

/*
 * What the source looked like when we last ran (SEMANTICS 13), as a JSON text for the store
 * (store meta_put "tables"): oids of tables, publication and membership, publish options.  A
 * difference at start means that changes may have passed unseen: that mapping asks for a re-read.
 *
 *     {"publication":{"oid":16400,"via_root":true,"publish":"iudt"},
 *      "tables":[{"schema":"public","name":"users","oid":16385,"member":16401}]}
 *
 * Pure.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "model/table.h"
#include "source/publication.h"

void record_write(const struct publication_info *publication, const struct table *const *tables,
                  size_t count, struct buf *out);

struct record_difference {
    const char *schema; /* NULL: the publication itself, so every table */
    const char *name;
    const char *text; /* "the table was dropped and made again (oid 16385, now 16412)" */
};

/*
 * Differences of every table that both texts know, and of the publication.  An empty old text:
 * none.  Tables that are new or gone are no difference.
 */
MUST_CHECK bool record_compare(struct span old_text, struct span new_text, struct arena *arena,
                               const struct record_difference **ret, size_t *ret_count,
                               struct err *err);

/* The publication's oid in a text; 0: none. */
MUST_CHECK bool record_publication(struct span text, struct arena *arena, oid_t *ret,
                                   struct err *err);

#endif
