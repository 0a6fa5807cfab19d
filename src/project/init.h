#ifndef PROJECT_INIT_H
#define PROJECT_INIT_H

/*
 * `puffgres init`: a new project that `check` accepts once its environment variables are set and
 * one migration names a table.
 *
 *     puffgres.toml
 *     puffgres/migrations/README.md    how to write the first one
 *     puffgres/transforms/README.md
 *     puffgres/state/.gitignore        what must survive a restart, not a commit
 */

#include <stdbool.h>

#include "base/arena.h"
#include "base/err.h"

/*
 * Makes `path` (NULL: here) and the files in it.  A file that is there already is never touched:
 * ERR_CONFIG, and nothing is written, when there is a puffgres.toml.
 */
MUST_CHECK bool init_project(const char *path, struct arena *arena, struct err *err);

/* The first migration, as the README shows it and the next steps print it. */
extern const char init_example[];

#endif
