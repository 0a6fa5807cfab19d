/* map: open addressing, linear probing, removal by shifting back. */
#include "base/map.h"

#include <assert.h>
#include <stdlib.h>

#include "base/hash.h"

#define CAP_MIN ((size_t)16)

/* The slot that holds the key, or the free one where it would go. */
static size_t
slot_of(const struct map *map, struct span key, uint64_t hash)
{
    size_t mask = map->cap - 1;
    size_t at = hash & mask;

    assert(map->cap > map->count && (map->cap & mask) == 0);
    while (map->entries[at].key.ptr &&
           (map->entries[at].hash != hash || !span_eq(map->entries[at].key, key)))
        at = (at + 1) & mask;
    return at;
}

static void
grow(struct map *map)
{
    struct map old = *map;

    map->cap = old.cap ? old.cap * 2 : CAP_MIN;
    map->entries = calloc(map->cap, sizeof(map->entries[0]));
    if (!map->entries)
        abort();
    for (size_t i = 0; i < old.cap; i++) {
        const struct map_entry *entry = &old.entries[i];

        if (entry->key.ptr)
            map->entries[slot_of(map, entry->key, entry->hash)] = *entry;
    }
    free(old.entries);
}

void
map_free(struct map *map)
{
    free(map->entries);
    *map = (struct map){0};
}

void
map_clear(struct map *map)
{
    if (map->count)
        memset(map->entries, 0, map->cap * sizeof(map->entries[0]));
    map->count = 0;
}

void *
map_get(const struct map *map, struct span key)
{
    if (map->count == 0)
        return NULL;
    return map->entries[slot_of(map, key, hash_bytes(key))].value;
}

void *
map_put(struct map *map, struct span key, void *value)
{
    uint64_t hash = hash_bytes(key);
    struct map_entry *entry;
    void *before;

    assert(key.ptr && value);
    if (map->count >= map->cap / 4 * 3)
        grow(map);
    entry = &map->entries[slot_of(map, key, hash)];
    before = entry->value;
    map->count += !entry->key.ptr;
    *entry = (struct map_entry){key, hash, value};
    return before;
}

/* Close the hole: what was displaced past it moves back, so look-ups never need tombstones. */
static void
shift_back(struct map *map, size_t hole)
{
    size_t mask = map->cap - 1;

    for (size_t at = (hole + 1) & mask; map->entries[at].key.ptr; at = (at + 1) & mask) {
        size_t home = map->entries[at].hash & mask;

        /* It may move unless its home lies behind the hole, on the way to where it is. */
        if (((at - home) & mask) < ((at - hole) & mask))
            continue;
        map->entries[hole] = map->entries[at];
        hole = at;
    }
    map->entries[hole] = (struct map_entry){0};
}

void *
map_remove(struct map *map, struct span key)
{
    size_t at;
    void *value;

    if (map->count == 0)
        return NULL;
    at = slot_of(map, key, hash_bytes(key));
    if (!map->entries[at].key.ptr)
        return NULL;
    value = map->entries[at].value;
    map->count--;
    shift_back(map, at);
    return value;
}

bool
map_next(const struct map *map, size_t *at, struct map_entry *ret)
{
    while (*at < map->cap) {
        const struct map_entry *entry = &map->entries[(*at)++];

        if (!entry->key.ptr)
            continue;
        *ret = *entry;
        return true;
    }
    return false;
}
