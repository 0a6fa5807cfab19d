#ifndef ENGINE_JOURNAL_H
#define ENGINE_JOURNAL_H

/*
 * The delete journal of a lane (SEMANTICS 18 and 19): which deletes must be said again, and when.
 *
 * A delete is journalled when an older write of its target may still arrive: after a request of
 * unknown outcome or an unclean end, for the grace window; or when the id has a dead letter.  Only
 * for destinations where that can happen (DEST_LATE_WRITES) and versions are compared.  A tombstone
 * needs no journal (20), a TRUNCATE beside tombstones does: it deletes by filter.
 */

#include "engine/delivery.h"

/* A write ended in doubt: it may arrive until the grace window has passed. */
MUST_CHECK bool journal_doubt(struct delivery *delivery, struct err *err);

/* Durable before the checkpoint passes them: entries for those deletes that need one. */
MUST_CHECK bool journal_deletes(struct delivery *delivery, const struct action *actions,
                                size_t count, struct err *err);

#endif
