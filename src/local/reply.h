#ifndef LOCAL_REPLY_H
#define LOCAL_REPLY_H

/* Answers that several places give: a refusal goes to a client, or to the outcome of a 202. */

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* {"status": "error", "error": text}, with "attribute" unless it is empty.  The HTTP status. */
int reply_refusal(const struct err *err, struct span attribute, struct buf *out);

#endif
