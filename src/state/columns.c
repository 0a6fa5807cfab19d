/* columns: tables for terminals, safe to print. */
#include "state/columns.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/utf8.h"

#define GAP 2 /* blanks between columns */

struct columns
columns_make(const struct column *columns, size_t count, struct arena *arena)
{
    assert(count > 0);
    return (struct columns){.columns = columns, .count = count, .arena = arena};
}

/* ---- cells ---- */

/* Every byte but those that continue a character. */
static size_t
width_of(struct span text)
{
    size_t width = 0;

    for (size_t i = 0; i < text.len; i++)
        width += ((unsigned char)text.ptr[i] & 0xC0) != 0x80;
    return width;
}

/* Bytes of the first `width` characters. */
static size_t
bytes_of(struct span text, size_t width)
{
    size_t i = 0;

    for (; i < text.len; i++) {
        if (((unsigned char)text.ptr[i] & 0xC0) != 0x80 && width-- == 0)
            break;
    }
    return i;
}

/* U+0000 to U+001F, U+007F, and U+0080 to U+009F, which terminals obey, too. */
static size_t
control_len(struct span text)
{
    unsigned char first = (unsigned char)text.ptr[0];

    if (first < 0x20 || first == 0x7F)
        return 1;
    return first == 0xC2 && text.len > 1 && (unsigned char)text.ptr[1] < 0xA0 ? 2 : 0;
}

/* In place: what comes out is never longer. */
static size_t
clean_bytes(char *text, size_t len)
{
    struct span left = {text, len};
    size_t good = utf8_valid_len(left), at = 0, skip;

    while (left.len > 0) {
        skip = good > 0 ? control_len(left) : 1;
        if (skip > 0)
            text[at++] = good > 0 ? ' ' : '?';
        else
            text[at++] = left.ptr[skip++];
        left = span_skip(left, skip);
        good = good > skip ? good - skip : utf8_valid_len(left);
    }
    return at;
}

struct span
columns_clean(struct span text, size_t cut, struct arena *arena)
{
    char *copy = arena_alloc_raw(arena, text.len + sizeof("..."));
    struct span cell = {copy, text.len};

    if (text.len)
        memcpy(copy, text.ptr, text.len);
    cell.len = clean_bytes(copy, text.len);
    if (cut == 0 || width_of(cell) <= cut)
        return cell;
    assert(cut > 3);
    cell.len = bytes_of(cell, cut - 3);
    memcpy(copy + cell.len, "...", 3);
    cell.len += 3;
    return cell;
}

void
columns_add(struct columns *table, struct span cell)
{
    struct span *grown;

    if (table->cell_count == table->cap) {
        table->cap = table->cap ? table->cap * 2 : 16 * table->count;
        grown = arena_new_n(table->arena, struct span, table->cap);
        if (table->cell_count)
            memcpy(grown, table->cells, table->cell_count * sizeof(*grown));
        table->cells = grown;
    }
    table->cells[table->cell_count] =
        columns_clean(cell, table->columns[table->cell_count % table->count].max, table->arena);
    table->cell_count++;
}

void
columns_addf(struct columns *table, const char *fmt, ...)
{
    char text[256];
    va_list args;

    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    columns_add(table, span_of(text));
}

/* ---- printing ---- */

static void
pad(struct buf *out, size_t count)
{
    while (count-- > 0)
        buf_putc(out, ' ');
}

static void
put_cell(struct buf *out, struct span cell, const struct column *column, size_t width, bool last)
{
    size_t missing = width - width_of(cell);

    if (column->right)
        pad(out, missing);
    buf_put(out, cell);
    if (last)
        buf_putc(out, '\n');
    else
        pad(out, (column->right ? 0 : missing) + GAP); /* no blanks at the end of a line */
}

static size_t
widest(const struct columns *table, size_t column)
{
    size_t width = strlen(table->columns[column].title);

    for (size_t i = column; i < table->cell_count; i += table->count) {
        size_t cell = width_of(table->cells[i]);

        width = cell > width ? cell : width;
    }
    return width;
}

void
columns_print(const struct columns *table, struct buf *out)
{
    size_t *widths = arena_new_n(table->arena, size_t, table->count);

    assert(table->cell_count % table->count == 0);
    for (size_t i = 0; i < table->count; i++) {
        widths[i] = widest(table, i);
        put_cell(out, span_of(table->columns[i].title), &table->columns[i], widths[i],
                 i + 1 == table->count);
    }
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % table->count;

        put_cell(out, table->cells[i], &table->columns[column], widths[column],
                 column + 1 == table->count);
    }
}
