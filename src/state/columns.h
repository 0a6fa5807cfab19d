#ifndef STATE_COLUMNS_H
#define STATE_COLUMNS_H

/*
 * Text in columns for a terminal, as wide as their widest cell.
 *
 * Cells hold what users and servers said: control characters become blanks and bytes that are no
 * UTF-8 become "?", so that nobody's row can move our cursor.  Width is counted in characters.
 *
 *     struct columns table = columns_make(columns, ARRAY_LEN(columns), arena);
 *
 *     columns_add(&table, span_of(mapping));
 *     columns_addf(&table, "%lld", count);
 *     columns_print(&table, out);
 */

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "base/buf.h"
#include "base/span.h"

struct column {
    const char *title;
    bool right; /* numbers */
    size_t max; /* characters; longer cells are cut and end in "..."; 0: never */
};

struct columns {
    const struct column *columns;
    size_t count;
    struct arena *arena; /* of the cells */
    struct span *cells;  /* row by row */
    size_t cell_count, cap;
};

struct columns columns_make(const struct column *columns, size_t count, struct arena *arena);

/* The next cell, from left to right, row after row. */
void columns_add(struct columns *table, struct span cell);
void columns_addf(struct columns *table, const char *fmt, ...) PRINTF(2, 3);

/* Titles and rows; every row must be whole. */
void columns_print(const struct columns *table, struct buf *out);

/* The same care for a text outside a table; `cut` in characters, 0: whole. */
struct span columns_clean(struct span text, size_t cut, struct arena *arena);

#endif
