#ifndef PROJECT_HINTS_H
#define PROJECT_HINTS_H

/*
 * [target.schema], as the JSON object that a destination reads: column -> type or options.  Keys
 * are sorted, so that the same hints have the same normal form whatever their order in the file.
 */

#include "base/arena.h"
#include "base/toml.h"
#include "model/report.h"

struct json;

/* Values that are neither a type in quotes nor a table go to the report. */
const struct json *hints_make(const char *file, const struct toml *table, struct arena *arena,
                              struct report *report);

#endif
