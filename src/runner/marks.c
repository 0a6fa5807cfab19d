/* marks: where each mapping starts, and what it missed. */
#include "runner/marks.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/attr.h"
#include "base/json.h"
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

static void
mark_gap(struct marks *marks, size_t at, lsn_t before)
{
    const struct start_plan *plan = marks->args.plan;

    if (before == 0)
        return;
    if (plan->reset && plan->new_identity)
        mark(marks, at,
             "the source is another cluster since epoch %" PRIu64
             ": rows that differ there were not read",
             plan->epoch);
    else if (before < marks->args.start)
        mark(marks, at, "changes between " LSN_FMT " and " LSN_FMT " were not read",
             LSN_ARG(before), LSN_ARG(marks->args.start));
}

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
    mark_gap(marks, at, checkpoint.lsn);
    if (marks->args.plan->reset) { /* positions of before mean nothing now */
        checkpoint.truncate = (struct position){0};
        checkpoint.lsn = start;
    }
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

/* ---- versions ---- */

bool
marks_versions(struct marks *marks, struct span before, struct err *err)
{
    struct json *versions;

    if (before.len == 0)
        return true;
    if (!json_parse(before, marks->args.arena, &versions, err))
        return err_wrap(err, "the versions that ran before");
    for (size_t i = 0; i < marks->args.count; i++) {
        const struct mapping *mapping = mapping_at(marks, i);
        const struct json *old = json_get(versions, mapping->name);
        int64_t version;

        if (old && json_to_int(old, &version) && version != mapping->version)
            mark(marks, i, "rows that version %" PRId64 " wrote stay as they are until they change",
                 version);
    }
    return true;
}

void
marks_put_versions(const struct marks *marks, struct buf *out)
{
    struct json_writer w = {.out = out};

    json_object_begin(&w);
    for (size_t i = 0; i < marks->args.count; i++) {
        json_key(&w, span_of(mapping_at(marks, i)->name));
        json_int(&w, mapping_at(marks, i)->version);
    }
    json_object_end(&w);
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
