#ifndef BASE_MAP_H
#define BASE_MAP_H

/*
 * A hash map from byte strings to pointers.  Keys are borrowed: they must outlive the map.
 * Open addressing; grows with malloc, so it has a destructor.  Not thread-safe.  A zeroed struct
 * is an empty map.
 *
 *     CLEANUP(map_free) struct map relations = {0};
 *
 *     map_put(&relations, key, relation);
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

struct map_entry {
    struct span key; /* key.ptr NULL: free */
    uint64_t hash;
    void *value;
};

struct map {
    struct map_entry *entries;
    size_t cap;
    size_t count;
};

void map_free(struct map *map);  /* the entries; never what the values point to */
void map_clear(struct map *map); /* empty, capacity kept */

void *map_get(const struct map *map, struct span key); /* NULL when absent */

/* Returns the value stored before, or NULL. value must not be NULL. */
void *map_put(struct map *map, struct span key, void *value);
void *map_remove(struct map *map, struct span key);

/* Walk in no order: for (size_t i = 0; map_next(&map, &i, &entry);) */
bool map_next(const struct map *map, size_t *at, struct map_entry *ret);

#endif
