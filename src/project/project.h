#ifndef PROJECT_PROJECT_H
#define PROJECT_PROJECT_H

/*
 * A project: puffgres.toml and all files of puffgres/migrations, read and judged together.
 *
 * Files are read in the order of their numeric prefix, then of their name; what counts for a
 * mapping is the version inside.  Everything that is wrong with any file is found in one go.
 *
 *     project_load(given, names, arena, &report, &project, &err)
 *     applied_judge(...)            what the store says about them (project/applied.h)
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/err.h"
#include "model/report.h"
#include "project/config.h"
#include "project/migration.h"

struct project {
    struct config config;
    struct config_batching batching;
    size_t count; /* migrations that could be read */
    struct migration *migrations;
};

/*
 * `destinations` are the names that exist, ended by NULL.  False when a file cannot be read at
 * all; faults inside the files go to the report.
 */
MUST_CHECK bool project_load(const char *given, const char *const *destinations,
                             struct arena *arena, struct report *report, struct project *ret,
                             struct err *err);

/* The version of this name with the greatest number, or NULL. */
struct migration *project_newest(const struct project *project, const char *name);

/* Mappings that write into one place must not fight over its documents. */
void project_check_targets(struct migration *const *migrations, size_t count,
                           struct report *report);

#endif
