#ifndef PROJECT_LATER_H
#define PROJECT_LATER_H

/*
 * Keys and words of features that this version does not have: they are refused by the feature's
 * name, never as unknown, so that nobody hunts for a typing error that is none.
 */

#include <stdbool.h>

#include "base/span.h"

#define LATER_BACKFILL   "backfill"
#define LATER_EMBEDDINGS "embedding providers"
#define LATER_JS         "JavaScript and TypeScript transforms"
#define LATER_LOOKUP     "membership by look-up"
#define LATER_NATIVE     "native transforms"
#define LATER_PG_STATE   "state in Postgres"
#define LATER_TRANSFORMS "transforms"
#define LATER_VERSIONS   "versioning by a column of the row"
#define LATER_VIEWS      "views as sources"
#define LATER_WAL2JSON   "reading through wal2json"
#define LATER_GC         "collecting tombstones"

/* Ends with a zeroed row. A word of a key is written "key=word". */
struct later {
    const char *key;
    const char *feature;
};

/* The feature, or NULL; `table` may be NULL.  word.ptr NULL: the key itself. */
const char *later_find(const struct later *table, struct span key, struct span word);

#endif
