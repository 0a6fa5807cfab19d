#ifndef HARNESS_TARGET_H
#define HARNESS_TARGET_H

/*
 * Bound mappings and actions in a few words, for tests of destinations.
 *
 *     static const struct target_column columns[] = {
 *         {"id", TYPE_INT8}, {"name", TYPE_TEXT}, {"tags", TYPE_TEXT, .array = true}};
 *     struct mapping *mapping = target_mapping(arena, columns, ARRAY_LEN(columns));
 *     struct action actions[] = {
 *         target_upsert(arena, mapping, (struct position){100, 1}, "7", "x", "{a,b}"),
 *         target_delete(arena, mapping, (struct position){100, 2}, "8")};
 */

#include "base/arena.h"
#include "model/action.h"

struct target_column {
    const char *name;
    enum type_kind kind;
    bool array;
    int32_t typmod;   /* 0: none */
    const char *hint; /* JSON of its [target.schema] entry, or NULL */
    bool exact;
};

/* The first column is the id.  The caller may change the settings. */
struct mapping *target_mapping(struct arena *arena, const struct target_column *columns,
                               size_t count);

/* Parse JSON that is known to be right. */
const struct json *target_json(struct arena *arena, const char *text);

/* One text per column of the mapping, the id first; "\N" is null. */
#define target_upsert(arena, mapping, position, ...)                                               \
    target_upsert_at((arena), (mapping), (position), (const char *const[]){__VA_ARGS__})

struct action target_upsert_at(struct arena *arena, const struct mapping *mapping,
                               struct position position, const char *const *values);
struct action target_delete(struct arena *arena, const struct mapping *mapping,
                            struct position position, const char *id);
struct action target_truncate(struct position position);

#endif
