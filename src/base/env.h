#ifndef BASE_ENV_H
#define BASE_ENV_H

/*
 * The environment: the one place that reads it, and ${VAR} in settings.
 *
 *     ${VAR}             the variable; ERR_CONFIG that names it when it is not set
 *     ${VAR:-default}    the default when it is not set or empty; it runs to the next }
 *     $${                the two characters ${
 *
 * Any other $ stands for itself: passwords have them.  What a variable holds is not expanded again.
 * We never change our environment, so any thread may ask.
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/span.h"

const char *env_get(const char *name); /* NULL when not set */

/* What holds no ${ is handed back as it is, not copied. */
MUST_CHECK bool env_expand(struct span text, struct arena *arena, struct span *ret,
                           struct err *err);

#endif
