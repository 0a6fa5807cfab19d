#ifndef RUNNER_ATTRIBUTES_H
#define RUNNER_ATTRIBUTES_H

/*
 * The types of a target's attributes, kept beside the migrations: an attribute keeps its type for
 * ever (C12), whichever version of whichever mapping wrote it first.
 *
 * Stored as one JSON object per target, name -> type; attributes that no mapping writes any more
 * stay in it, as they do in the target.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "contract/store.h"
#include "model/mapping.h"
#include "model/report.h"

struct destination;
struct survey_args;

/*
 * Compare a bound mapping with what is recorded of its target.  Changes are errors in the report;
 * *ret is what to record once the migration is applied, empty when there is nothing to.
 * `store` may be NULL: nothing is recorded.
 */
MUST_CHECK bool attributes_judge(struct store *store, const struct destination *destination,
                                 const struct mapping *mapping, struct arena *arena,
                                 struct report *report, struct span *ret, struct err *err);

/* attributes_judge of every mapping that is bound to its table: a table whose column changed its
 * type since the migration was applied would otherwise fail row by row. */
MUST_CHECK bool attributes_compare(struct store *store, const struct survey_args *args,
                                   struct arena *arena, struct report *report, struct err *err);

MUST_CHECK bool attributes_record(struct store *store, const struct mapping *mapping,
                                  struct span attributes, struct arena *arena, struct err *err);

#endif
