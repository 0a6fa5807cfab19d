#ifndef LOCAL_EXPORT_H
#define LOCAL_EXPORT_H

/*
 * GET /v1/namespaces/:ns, the deprecated way to read a whole namespace, which still answers:
 *
 *     {"ids": [...], "vectors": [...], "attributes": {name: [...]}, "next_cursor": null}
 *
 * Columns of equal length, null where a document has no value, pages in the order of the ids.
 * "vectors" holds the attribute of that name in the singular, all null where there is none.
 */

#include "base/err.h"
#include "base/json.h"
#include "base/span.h"
#include "local/database.h"

#define EXPORT_PAGE 10000

/* cursor: next_cursor of the page before, or NULL. */
MUST_CHECK bool export_run(struct call *call, struct span name, const char *cursor,
                           struct json_writer *w, struct err *err);

#endif
