#ifndef RUNNER_REGISTRY_H
#define RUNNER_REGISTRY_H

/* The only list of what exists. */

#include "contract/destination.h"

extern const struct destination_type *const destinations[]; /* ended by NULL */

/* By name; NULL when there is none. */
const struct destination_type *destination_find(struct span name);

/* ERR_CONFIG naming what exists, with "did you mean". */
MUST_CHECK bool destination_require(struct span name, const struct destination_type **ret,
                                    struct err *err);

#endif
