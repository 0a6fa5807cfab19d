#ifndef PROJECT_NORMAL_H
#define PROJECT_NORMAL_H

/*
 * The normal form of a migration: one JSON object with every field in a fixed order, the same for
 * both layouts and for every spelling of a value.  What comes from puffgres.toml (the namespace
 * prefix, batching defaults) is not in it: the normal form is what the file says.
 *
 * The hash of a mapping is SHA-256 over the normal form and the file's bytes.
 */

#include "base/arena.h"
#include "base/span.h"

struct keys;
struct migration;

/* Fills migration->normal and migration->mapping.hash. */
void normal_make(struct migration *migration, const struct keys *keys, struct span text,
                 struct arena *arena);

#endif
