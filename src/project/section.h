#ifndef PROJECT_SECTION_H
#define PROJECT_SECTION_H

/*
 * One table of a TOML file, read by an option table (base/opt.h), with the place of every fault.
 *
 * Reading is in two steps, because a file is judged whole but an environment variable is needed
 * only where its value is used (`dlq list` must not ask for an API key):
 *
 *     section_check   every key is known and of the right type; values without ${...} are valid
 *     section_load    ${VAR} and ${VAR:-default} are put in, and the settings are filled
 *
 * Strings may hold ${...} whatever the option's type: `batch_max_rows = "${ROWS:-500}"`.
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/opt.h"
#include "base/toml.h"
#include "model/report.h"
#include "project/later.h"

struct section {
    const char *path;          /* "postgres", "destinations.stdout" */
    const struct opt *options; /* NULL: any key (a destination that is judged later) */
    const struct later *later; /* may be NULL */
    const char *const *skip;   /* keys that are somebody else's, ended by NULL; may be NULL */
};

void section_check(const struct section *section, const char *file, const struct toml *table,
                   struct report *report);

/*
 * ERR_CONFIG with the place of what is wrong: a variable that is not set, a value that does not
 * fit, a key that is required.  `table` NULL: everything has its default; a required key is then
 * reported at the beginning of the file.
 */
MUST_CHECK bool section_load(const struct section *section, const char *file,
                             const struct toml *table, void *settings, struct arena *arena,
                             struct err *err);

/* The same as text with places, for the opt_load() of a destination. */
MUST_CHECK bool section_values(const struct section *section, const char *file,
                               const struct toml *table, struct arena *arena,
                               struct opt_value **ret, size_t *ret_count, struct err *err);

/* One key of a table that others judge; "" when it is not there. */
MUST_CHECK bool section_string(const char *file, const struct toml *table, const char *key,
                               struct arena *arena, const char **ret, struct err *err);

/* "; did you mean \"x\"?", or "; known here: a, b, c", in the arena. */
const char *section_hint(const char *const *words, size_t count, struct span word,
                         struct arena *arena);

#endif
