#ifndef NET_GZIP_H
#define NET_GZIP_H

/*
 * gzip (RFC 1952) in memory, for request and answer bodies.
 *
 * The output buffer's limit bounds what a small hostile body can unfold to: going over it is an
 * ERR_DATA like a broken stream.  Output is appended.  Any thread.
 *
 *     CLEANUP(buf_free) struct buf packed = buf_make(MEGABYTES(8));
 *
 *     if (!gzip_pack(body, GZIP_FAST, &packed, err))
 *         return false;
 */

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define GZIP_FAST 1 /* zlib's level: bodies are written once and read once, speed wins */

MUST_CHECK bool gzip_pack(struct span in, int level, struct buf *out, struct err *err);

/* Several members one after the other are one body (RFC 1952, 2.2); bytes after the last are an
 * error. */
MUST_CHECK bool gzip_unpack(struct span in, struct buf *out, struct err *err);

#endif
