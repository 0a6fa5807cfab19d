/* project: puffgres.toml and the migrations, read and judged together. */
#include "project/project.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "project/fault.h"

#define FILE_MAX   MEGABYTES(1)
#define FILES_MAX  4096
#define PATH_LIMIT 4096

/* ---- the folder ---- */

/* "0012_users.toml" is number 12; a name without a number comes last. */
static uint64_t
file_number(const char *name)
{
    uint64_t number;

    if (!span_to_uint((struct span){name, strspn(name, "0123456789")}, &number))
        return UINT64_MAX;
    return number;
}

static int
compare_files(const void *a, const void *b)
{
    const char *left = *(const char *const *)a, *right = *(const char *const *)b;
    uint64_t m = file_number(left), n = file_number(right);

    return m != n ? (m > n) - (m < n) : strcmp(left, right);
}

static bool
is_migration(const struct dirent *entry)
{
    size_t len = strlen(entry->d_name);

    return entry->d_name[0] != '.' && len > 5 && strcmp(entry->d_name + len - 5, ".toml") == 0;
}

static void
closedir_p(DIR **dir)
{
    if (*dir)
        closedir(*dir);
}

static bool
list_files(const char *folder, struct arena *arena, const char ***ret, size_t *ret_count,
           struct err *err)
{
    CLEANUP(closedir_p) DIR *dir = opendir(folder);
    const char **names = arena_new_n(arena, const char *, FILES_MAX);
    size_t count = 0;
    struct dirent *entry;

    if (!dir)
        return err_set_code(err, ERR_CONFIG, errno,
                            "%s: %s; it holds one file per mapping, puffgres init makes it", folder,
                            strerror(errno));
    for (entry = readdir(dir); entry; entry = readdir(dir)) {
        if (!is_migration(entry))
            continue;
        if (count == FILES_MAX)
            return err_set(err, ERR_CONFIG, "%s: more than %d files; split the project", folder,
                           FILES_MAX);
        names[count++] = arena_strdup(arena, entry->d_name);
    }
    qsort(names, count, sizeof(*names), compare_files);
    *ret = names;
    *ret_count = count;
    return true;
}

/* ---- one against the other ---- */

static bool
same_name(const struct migration *a, const struct migration *b)
{
    return strcmp(a->mapping.name, b->mapping.name) == 0;
}

static struct spot
file_spot(const struct migration *migration)
{
    return (struct spot){migration->mapping.file, 1, 1};
}

/* False when this version of this name is there already. */
static bool
is_new(const struct project *project, const struct migration *migration, struct report *report)
{
    for (size_t i = 0; i < project->count; i++) {
        const struct migration *other = &project->migrations[i];

        if (!same_name(other, migration) || other->mapping.version != migration->mapping.version)
            continue;
        fault_at(report, file_spot(migration),
                 "version %lld of mapping %s is in %s already; give this one the next number",
                 (long long)migration->mapping.version, migration->mapping.name,
                 other->mapping.file);
        return false;
    }
    return true;
}

struct migration *
project_newest(const struct project *project, const char *name)
{
    struct migration *newest = NULL;

    for (size_t i = 0; i < project->count; i++) {
        struct migration *migration = &project->migrations[i];

        if (strcmp(migration->mapping.name, name) != 0)
            continue;
        if (!newest || migration->mapping.version > newest->mapping.version)
            newest = migration;
    }
    return newest;
}

/*
 * Two tables in one namespace would overwrite each other's ids.  Two mappings of one table would
 * carry the same versions, so that a row leaving one and entering the other could end either way.
 * null and stdout keep no documents.
 */
static void
check_pair(const struct migration *a, const struct migration *b, struct report *report)
{
    const struct mapping *m = &a->mapping, *n = &b->mapping;
    bool one_table = strcmp(m->schema, n->schema) == 0 && strcmp(m->table, n->table) == 0;

    if (strcmp(m->destination, "turbopuffer") != 0 || strcmp(n->destination, m->destination) != 0 ||
        strcmp(m->target, n->target) != 0)
        return;
    fault_at(report, file_spot(b), "mappings %s and %s %s into namespace %s; %s", m->name, n->name,
             one_table ? "both write one table" : "write different tables", m->target,
             one_table ? "join their conditions with OR in one mapping"
                       : "give each its own namespace");
}

void
project_check_targets(struct migration *const *migrations, size_t count, struct report *report)
{
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < i; k++)
            check_pair(migrations[k], migrations[i], report);
    }
}

static void
check_newest(const struct project *project, struct report *report)
{
    struct migration **newest = arena_new_n(report->arena, struct migration *, project->count);
    size_t count = 0;

    for (size_t i = 0; i < project->count; i++) {
        struct migration *migration = &project->migrations[i];

        if (project_newest(project, migration->mapping.name) == migration)
            newest[count++] = migration;
    }
    project_check_targets(newest, count, report);
}

/* ---- loading ---- */

static bool
load_file(struct project *project, const char *name, const struct migration_defaults *defaults,
          struct arena *arena, struct report *report, struct err *err)
{
    struct migration *next = &project->migrations[project->count];
    struct migration_input input = {0};
    char path[PATH_LIMIT];

    snprintf(path, sizeof(path), "%s/migrations/%s", project->config.home, name);
    input.path = arena_strdup(arena, path);
    input.file = input.path + strlen(project->config.prefix);
    if (!file_read(path, FILE_MAX, arena, &input.text, err))
        return false;
    if (migration_parse(&input, defaults, arena, report, next) && is_new(project, next, report))
        project->count++;
    return true;
}

/* A variable that is missing is one fault more; the files are judged without it. */
static bool
read_defaults(struct project *project, struct migration_defaults *ret, struct arena *arena,
              struct err *err)
{
    struct config_deletes deletes;

    if (!config_batching(&project->config, arena, &project->batching, err) ||
        !config_deletes(&project->config, arena, &deletes, err) ||
        !config_namespace_prefix(&project->config, arena, &ret->namespace_prefix, err))
        return false;
    ret->batch_max_rows = project->batching.batch_max_rows;
    ret->batch_max_bytes = project->batching.batch_max_bytes;
    ret->flush_interval_ms = project->batching.flush_interval_ms;
    ret->deletes = (enum deletes_mode)deletes.mode;
    ret->grace_ms = deletes.grace_ms;
    return true;
}

static void
load_defaults(struct project *project, struct migration_defaults *ret, struct arena *arena,
              struct report *report)
{
    static const struct migration_defaults plain = {.namespace_prefix = "",
                                                    .batch_max_rows = 1000,
                                                    .batch_max_bytes = 8 * 1024 * 1024,
                                                    .flush_interval_ms = 100,
                                                    .grace_ms = 3600 * 1000};
    const char *const *destinations = ret->destinations;
    const bool sound = report->count[SEVERITY_ERROR] == 0;
    struct err err;

    if (sound && read_defaults(project, ret, arena, &err))
        return;
    if (sound)
        fault_text(report, err.text);
    *ret = plain;
    ret->destinations = destinations;
}

bool
project_load(const char *given, const char *const *destinations, struct arena *arena,
             struct report *report, struct project *ret, struct err *err)
{
    struct migration_defaults defaults = {.destinations = destinations};
    struct project project = {0};
    char folder[PATH_LIMIT];
    const char **names = NULL;
    size_t count = 0;

    if (!config_load(given, arena, report, &project.config, err))
        return false;
    load_defaults(&project, &defaults, arena, report);
    snprintf(folder, sizeof(folder), "%s/migrations", project.config.home);
    if (!list_files(folder, arena, &names, &count, err))
        return false;
    if (count == 0)
        report_add(report, SEVERITY_ERROR, folder, NULL,
                   "no migration is there; write one, such as 0001_users.toml (README.md beside it "
                   "shows how)");
    project.migrations = arena_new_n(arena, struct migration, count);
    for (size_t i = 0; i < count; i++) {
        if (!load_file(&project, names[i], &defaults, arena, report, err))
            return false;
    }
    check_newest(&project, report);
    *ret = project;
    return true;
}
