#ifndef STATE_DB_SCHEMA_H
#define STATE_DB_SCHEMA_H

/*
 * Whose file is it, of which version, and the steps to ours.
 *
 * PRAGMA application_id says that a file is ours, PRAGMA user_version how many of the steps it has
 * had.  All steps that are missing run in one transaction: a crash leaves the old version.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct db;

/* A file of another program is refused, an empty one is as good as ours; nothing is written. */
MUST_CHECK bool db_schema_identify(struct db *db, struct err *err);

/* The pages hang together; reads the whole file. */
MUST_CHECK bool db_schema_check(struct db *db, struct err *err);

/* A newer version is refused by both. */
MUST_CHECK bool db_schema_is_current(struct db *db, size_t step_count, struct err *err);
MUST_CHECK bool db_schema_update(struct db *db, const char *const *steps, size_t step_count,
                                 struct err *err);

#endif
