#ifndef SOURCE_READER_PG_H
#define SOURCE_READER_PG_H

/*
 * Read rows back by id over an ordinary session (contract/reader.h, SEMANTICS 4).
 *
 * The snapshot is asked for in the same statement as the rows; when an event's transaction is not
 * visible in it, the whole statement is repeated after 5 ms, 10 ms, ... up to 500 ms, until the
 * deadline, whose error names the transaction.  The session reads only (a read-only transaction),
 * with row security off, and prints values exactly as the walsender does: both sessions get the
 * same output settings from pg/conninfo.
 *
 * Connects when first used, and again after its connection was lost.  One per lane, one thread.
 */

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "contract/reader.h"
#include "source/settings.h"

/* Settings must outlive the reader; close with reader_close(). */
struct reader *reader_pg_new(const struct source_settings *settings);

/* ---- the pure parts ---- */

/*
 * Is `xid`, 32 bits of it, visible in a snapshot ("xmin:xmax:xip,xip"; manual 9.27, pg_snapshot)?
 * Its upper half is taken from the snapshot's xmax: the two are never 2^31 apart.
 * False: the text is no snapshot.
 */
MUST_CHECK bool snapshot_sees(struct span snapshot, uint32_t xid, bool *ret_visible);

/* The statement for one mapping: ids are parameter 1, an array in text form. */
void reader_sql(const struct mapping *mapping, struct buf *out);

/* {"1","a \"b\""}: the text form of an array of these ids. */
void reader_ids(const struct reader_request *requests, size_t count, struct buf *out);

#endif
