/* applied: the project's migrations against those that the store has recorded. */
#include "project/applied.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "project/fault.h"

/* What is compared with what. */
struct judge {
    const struct project *project;
    const struct store_migration *rows;
    size_t count;
    struct report *report;
    bool files_faulty; /* a mapping without a file may be in one that could not be read */
};

static const struct store_migration *
find_row(const struct judge *judge, const char *name, int64_t version)
{
    for (size_t i = 0; i < judge->count; i++) {
        if (strcmp(judge->rows[i].mapping, name) == 0 && judge->rows[i].version == version)
            return &judge->rows[i];
    }
    return NULL;
}

static const struct store_migration *
newest_row(const struct judge *judge, const char *name)
{
    const struct store_migration *newest = NULL;

    for (size_t i = 0; i < judge->count; i++) {
        const struct store_migration *row = &judge->rows[i];

        if (strcmp(row->mapping, name) == 0 && (!newest || row->version > newest->version))
            newest = row;
    }
    return newest;
}

static struct migration *
find_file(const struct judge *judge, const char *name, int64_t version)
{
    for (size_t i = 0; i < judge->project->count; i++) {
        struct migration *migration = &judge->project->migrations[i];

        if (strcmp(migration->mapping.name, name) == 0 && migration->mapping.version == version)
            return migration;
    }
    return NULL;
}

static struct spot
file_spot(const struct migration *migration)
{
    return (struct spot){migration->mapping.file, 1, 1};
}

/* ---- an applied version ---- */

static void
judge_applied(struct judge *judge, const struct migration *migration,
              const struct store_migration *row)
{
    const struct mapping *m = &migration->mapping;
    char when[CLOCK_TEXT_SIZE];

    if (strcmp(row->hash, m->hash) == 0 && strcmp(row->target, m->target) == 0)
        return;
    clock_text(when, sizeof(when), row->applied_ms);
    if (strcmp(row->normal, migration->normal) != 0)
        fault_at(judge->report, file_spot(migration),
                 "version %" PRId64 " of mapping %s was changed after it was applied at %s; put it "
                 "back, and write the change as a new file with version = %" PRId64,
                 m->version, m->name, when, newest_row(judge, m->name)->version + 1);
    else if (strcmp(row->target, m->target) != 0)
        fault_at(judge->report, file_spot(migration),
                 "mapping %s was applied for namespace %s and would now write to %s; put "
                 "namespace_prefix back, or write a new version",
                 m->name, row->target, m->target);
}

/* ---- a version that is new ---- */

static void
judge_pending(struct judge *judge, const struct migration *migration)
{
    const struct mapping *m = &migration->mapping;
    const struct store_migration *newest = newest_row(judge, m->name);

    if (newest && newest->version > m->version)
        fault_at(judge->report, file_spot(migration),
                 "version %" PRId64 " of mapping %s is older than version %" PRId64
                 ", which is applied; write version = %" PRId64,
                 m->version, m->name, newest->version, newest->version + 1);
}

/* ---- a version whose file is gone ---- */

static void
judge_row(struct judge *judge, const struct store_migration *row, struct applied *ret)
{
    const struct migration *newest = project_newest(judge->project, row->mapping);

    if (row != newest_row(judge, row->mapping) || find_file(judge, row->mapping, row->version))
        return;
    if (!newest && judge->files_faulty)
        return;
    if (!newest)
        report_add(judge->report, SEVERITY_WARNING, "project", NULL,
                   "mapping %s has no file any more: it has stopped, and namespace %s stays as it "
                   "is",
                   row->mapping, row->target);
    else if (newest->mapping.version < row->version)
        fault_at(judge->report, file_spot(newest),
                 "version %" PRId64 " of mapping %s is applied but its file (%s) is gone; put it "
                 "back, or write a new version",
                 row->version, row->mapping, row->file);
    else
        ret->lost[ret->lost_count++] = row;
}

/* ---- the lists ---- */

static int
by_version(const void *a, const void *b)
{
    const struct mapping *left = &(*(struct migration *const *)a)->mapping;
    const struct mapping *right = &(*(struct migration *const *)b)->mapping;
    int order = strcmp(left->name, right->name);

    return order ? order : (left->version > right->version) - (left->version < right->version);
}

static void
fill(struct judge *judge, struct applied *ret)
{
    for (size_t i = 0; i < judge->project->count; i++) {
        struct migration *migration = &judge->project->migrations[i];
        const struct mapping *m = &migration->mapping;
        const struct store_migration *newest = newest_row(judge, m->name);

        if (!find_row(judge, m->name, m->version))
            ret->pending[ret->pending_count++] = migration;
        if (newest && newest->version == m->version)
            ret->active[ret->active_count++] = migration;
        if (project_newest(judge->project, m->name) == migration)
            ret->next[ret->next_count++] = migration;
    }
    /* Within a name upwards, or migration_add would record an older one last. */
    qsort(ret->pending, ret->pending_count, sizeof(struct migration *), by_version);
}

void
applied_judge(const struct project *project, const struct store_migration *rows, size_t count,
              struct arena *arena, struct report *report, struct applied *ret)
{
    struct judge judge = {project, rows, count, report, report->count[SEVERITY_ERROR] > 0};

    *ret = (struct applied){
        .pending = arena_new_n(arena, struct migration *, project->count),
        .active = arena_new_n(arena, struct migration *, project->count),
        .next = arena_new_n(arena, struct migration *, project->count),
        .lost = arena_new_n(arena, const struct store_migration *, count),
    };
    for (size_t i = 0; i < project->count; i++) {
        const struct migration *migration = &project->migrations[i];
        const struct store_migration *row =
            find_row(&judge, migration->mapping.name, migration->mapping.version);

        if (row)
            judge_applied(&judge, migration, row);
        else
            judge_pending(&judge, migration);
    }
    for (size_t i = 0; i < count; i++)
        judge_row(&judge, &rows[i], ret);
    fill(&judge, ret);
}

struct store_migration
applied_row(const struct migration *migration, int64_t now_ms)
{
    const struct mapping *m = &migration->mapping;

    assert(m->target && migration->normal);
    return (struct store_migration){
        .mapping = m->name,
        .version = m->version,
        .file = m->file,
        .hash = m->hash,
        .target = m->target,
        .normal = migration->normal,
        .applied_ms = now_ms,
    };
}
