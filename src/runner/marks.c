/* marks: where each mapping starts, and what it missed. */
#include "runner/marks.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "project/migration.h"
#include "source/partitions.h"
#include "source/record.h"

struct marks
marks_make(const struct marks_args *args)
{
    return (struct marks){.args = *args,
                          .items = arena_new_n(args->arena, struct mark, args->count)};
}

/* The first mark says why; later ones would say more of the same. */
static void PRINTF(3, 4) mark(struct marks *marks, size_t at, const char *fmt, ...)
{
    struct mark *item = &marks->items[at];
    va_list args;

    assert(at < marks->args.count);
    if (item->reread)
        return;
    item->reread = true;
    va_start(args, fmt);
    vsnprintf(item->text, sizeof(item->text), fmt, args);
    va_end(args);
}

static const struct mapping *
mapping_at(const struct marks *marks, size_t at)
{
    return &marks->args.migrations[at]->mapping;
}

/* ---- checkpoints ---- */

struct store_checkpoint
marks_checkpoint(struct marks *marks, size_t at, const struct store_checkpoint *stored,
                 size_t count)
{
    const lsn_t start = marks->args.start;
    struct store_checkpoint checkpoint = {.mapping = mapping_at(marks, at)->name, .text = ""};

    for (size_t i = 0; i < count; i++) {
        if (strcmp(stored[i].mapping, checkpoint.mapping) == 0)
            checkpoint = stored[i];
    }
    checkpoint.flags &= ~(unsigned)STORE_STOPPED; /* a restart tries again (SEMANTICS 26) */
    if (marks->args.plan->not_backfilled)
        checkpoint.flags &= ~(unsigned)STORE_BACKFILLED;
    if (!(checkpoint.flags & STORE_REREAD_NEEDED))
        checkpoint.text = "";
    if (checkpoint.lsn != 0 && checkpoint.lsn < start)
        mark(marks, at, "changes between " LSN_FMT " and " LSN_FMT " were not read",
             LSN_ARG(checkpoint.lsn), LSN_ARG(start));
    if (checkpoint.lsn == 0)
        checkpoint.lsn = marks->args.entered;
    if (checkpoint.lsn < start)
        checkpoint.lsn = start;
    return checkpoint;
}

void
marks_apply(const struct marks *marks, size_t at, struct store_checkpoint *checkpoint)
{
    const struct mark *item = &marks->items[at];

    if (!item->reread)
        return;
    checkpoint->flags |= STORE_REREAD_NEEDED;
    checkpoint->text = item->text;
}

/* ---- tables ---- */

static void
mark_table(struct marks *marks, const struct record_difference *difference)
{
    for (size_t i = 0; i < marks->args.count; i++) {
        const struct mapping *mapping = mapping_at(marks, i);

        if (!difference->name)
            mark(marks, i, "%s", difference->text);
        else if (strcmp(mapping->schema, difference->schema) == 0 &&
                 strcmp(mapping->table, difference->name) == 0)
            mark(marks, i, "%s.%s: %s", difference->schema, difference->name, difference->text);
    }
}

bool
marks_tables(struct marks *marks, struct span before, struct span now, struct err *err)
{
    const struct record_difference *differences;
    size_t count;

    if (!record_compare(before, now, marks->args.arena, &differences, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        mark_table(marks, &differences[i]);
    return true;
}

/* ---- partitions ---- */

void
marks_partition_text(const struct partition_difference *difference, char *dst, size_t size)
{
    static const char *const meanings[] = {
        [PARTITION_ATTACHED] = "rows that it held before are not in the stream",
        [PARTITION_GONE] = "its rows are still in the target",
        [PARTITION_REWRITTEN] = "rows may be gone without events",
    };

    _Static_assert(ARRAY_LEN(meanings) == PARTITION_CHANGE_MAX_, "one meaning per change");
    snprintf(dst, size, "partition %.*s of %.*s was %s: %s", SPAN_ARG(difference->leaf),
             SPAN_ARG(difference->root), partition_change_names[difference->change],
             meanings[difference->change]);
}

bool
marks_is_root(const struct mapping *mapping, struct span root)
{
    char name[256];

    snprintf(name, sizeof(name), "%s.%s", mapping->schema, mapping->table);
    return span_eq(span_of(name), root);
}

void
marks_partitions(struct marks *marks, struct span before, struct span now)
{
    const struct partition_difference *differences;
    size_t count;

    partitions_compare(before, now, marks->args.arena, &differences, &count);
    for (size_t i = 0; i < count; i++) {
        char text[MARKS_TEXT_SIZE];

        marks_partition_text(&differences[i], text, sizeof(text));
        for (size_t k = 0; k < marks->args.count; k++) {
            if (marks_is_root(mapping_at(marks, k), differences[i].root))
                mark(marks, k, "%s", text);
        }
    }
}
