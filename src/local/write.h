#ifndef LOCAL_WRITE_H
#define LOCAL_WRITE_H

/*
 * POST /v2/namespaces/:ns: every kind of write.
 *
 * A write is read and checked whole, then applied in the order delete_by_filter, patch_by_filter,
 * explicit operations.  It happens whole or not at all: whatever is refused leaves the namespace,
 * its schema and the journal as they were, and creates nothing.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"
#include "base/span.h"
#include "local/database.h"

MUST_CHECK bool write_run(struct call *call, struct span name, const struct json *body,
                          struct buf *out, struct err *err);

#endif
