/* applied: what is active, what is pending, and what may not change any more. */
#include "project/applied.h"

#include "harness/check.h"
#include "harness/findings.h"

/* A file or a row, in short: name, version, normal form, target. */
struct line {
    const char *name;
    int64_t version;
    const char *normal, *target;
};

static void
make_project(const struct line *files, size_t count, struct arena *arena, struct project *ret)
{
    *ret =
        (struct project){.count = count, .migrations = arena_new_n(arena, struct migration, count)};
    for (size_t i = 0; i < count; i++) {
        struct migration *migration = &ret->migrations[i];

        migration->normal = files[i].normal;
        migration->mapping.name = files[i].name;
        migration->mapping.version = files[i].version;
        migration->mapping.target = files[i].target;
        migration->mapping.file = "m.toml";
        snprintf(migration->mapping.hash, sizeof(migration->mapping.hash), "%s", files[i].normal);
    }
}

static struct store_migration *
make_rows(const struct line *rows, size_t count, struct arena *arena)
{
    struct store_migration *made = arena_new_n(arena, struct store_migration, count);

    for (size_t i = 0; i < count; i++)
        made[i] = (struct store_migration){.mapping = rows[i].name,
                                           .version = rows[i].version,
                                           .file = "old.toml",
                                           .hash = "recorded",
                                           .target = rows[i].target,
                                           .normal = rows[i].normal};
    return made;
}

/* "name.version name.version " */
static void
check_list(struct migration *const *list, size_t count, const char *want)
{
    char got[512] = "";
    size_t at = 0;

    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(got + at, sizeof(got) - at, "%s.%d ", list[i]->mapping.name,
                               (int)list[i]->mapping.version);
    CHECK_STR(got, want);
}

/* clang-format off */
static const struct {
    const char *what;
    struct line files[4], rows[4];
    const char *pending, *active, *next, *findings;
} cases[] = {
    {"nothing applied",
     {{"a", 1, "n", "t"}, {"b", 1, "n", "u"}}, {{0}},
     "a.1 b.1 ", "", "a.1 b.1 ", ""},
    {"all applied",
     {{"a", 1, "n", "t"}}, {{"a", 1, "n", "t"}},
     "", "a.1 ", "a.1 ", ""},
    {"a newer version waits; the applied one is active",
     {{"a", 1, "n", "t"}, {"a", 2, "m", "t"}}, {{"a", 1, "n", "t"}},
     "a.2 ", "a.1 ", "a.2 ", ""},
    {"the newest applied is active, whatever the order of files",
     {{"a", 2, "m", "t"}, {"a", 1, "n", "t"}}, {{"a", 1, "n", "t"}, {"a", 2, "m", "t"}},
     "", "a.2 ", "a.2 ", ""},
    {"several versions are applied upwards",
     {{"a", 3, "o", "t"}, {"a", 2, "m", "t"}, {"a", 1, "n", "t"}}, {{0}},
     "a.1 a.2 a.3 ", "", "a.3 ", ""},
    {"comments and spelling may change",
     {{"a", 1, "n", "t"}}, {{"a", 1, "n", "t"}},
     "", "a.1 ", "a.1 ", ""},
    {"content may not",
     {{"a", 1, "changed", "t"}}, {{"a", 1, "n", "t"}, {"a", 4, "n", "t"}},
     "", "", "a.1 ",
     "m.toml:1:1: version 1 of mapping a was changed after it was applied at "
     "1970-01-01T00:00:00.000Z; put it back, and write the change as a new file with version = 5\n"
     "m.toml:1:1: version 4 of mapping a is applied but its file (old.toml) is gone; put it back, or "
     "write a new version\n"},
    {"nor may the namespace, through the prefix",
     {{"a", 1, "n", "x-t"}}, {{"a", 1, "n", "t"}},
     "", "a.1 ", "a.1 ",
     "m.toml:1:1: mapping a was applied for namespace t and would now write to x-t; put "
     "namespace_prefix back, or write a new version\n"},
    {"the applied file is gone and a newer one waits",
     {{"a", 2, "m", "t"}}, {{"a", 1, "n", "t"}},
     "a.2 ", "", "a.2 ", ""},
    {"versions go up",
     {{"a", 2, "m", "t"}, {"a", 3, "n", "t"}}, {{"a", 3, "n", "t"}},
     "a.2 ", "a.3 ", "a.3 ",
     "m.toml:1:1: version 2 of mapping a is older than version 3, which is applied; write version = 4\n"},
    {"a mapping without a file has stopped",
     {{"b", 1, "n", "u"}}, {{"a", 1, "n", "t"}, {"b", 1, "n", "u"}},
     "", "b.1 ", "b.1 ",
     "warning: project: mapping a has no file any more: it has stopped, and namespace t stays as it is\n"},
};
/* clang-format on */

static size_t
length(const struct line *lines)
{
    size_t count = 0;

    while (count < 4 && lines[count].name)
        count++;
    return count;
}

static void
files_against_rows(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        struct report report = report_make(arena);
        struct project project;
        struct applied applied;

        print_message("%s\n", cases[i].what);
        make_project(cases[i].files, length(cases[i].files), arena, &project);
        applied_judge(&project, make_rows(cases[i].rows, length(cases[i].rows), arena),
                      length(cases[i].rows), arena, &report, &applied);
        check_list(applied.pending, applied.pending_count, cases[i].pending);
        check_list(applied.active, applied.active_count, cases[i].active);
        check_list(applied.next, applied.next_count, cases[i].next);
        CHECK_FINDINGS(&report, cases[i].findings);
    }
}

/* Stopping to serve it would lose its changes: run refuses. */
static void
an_applied_version_without_a_file_is_lost_while_a_newer_one_waits(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const struct line file = {"a", 2, "m", "t"}, row = {"a", 1, "n", "t"};
    struct report report = report_make(arena);
    struct project project;
    struct applied applied;

    make_project(&file, 1, arena, &project);
    applied_judge(&project, make_rows(&row, 1, arena), 1, arena, &report, &applied);
    CHECK_INT(applied.lost_count, 1);
    CHECK_INT(applied.lost[0]->version, 1);
    applied_judge(&project, make_rows(&file, 1, arena), 1, arena, &report, &applied);
    CHECK_INT(applied.lost_count, 0);
}

/* It may be in the file that cannot be read: saying that it has stopped would frighten. */
static void
a_file_with_faults_hides_nothing(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct report report = report_make(arena);
    const struct line row = {"a", 1, "n", "t"};
    struct project project;
    struct applied applied;

    make_project(NULL, 0, arena, &project);
    report_add(&report, SEVERITY_ERROR, "a.toml:3:1", NULL, "unknown key");
    applied_judge(&project, make_rows(&row, 1, arena), 1, arena, &report, &applied);
    CHECK_INT(report.count[SEVERITY_WARNING], 0);
    CHECK_INT(applied.lost_count, 0);
}

static void
a_row_holds_what_is_compared_later(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    const struct line line = {"a", 3, "normal", "t"};
    struct store_migration row;
    struct project project;

    make_project(&line, 1, arena, &project);
    row = applied_row(&project.migrations[0], 1234);
    CHECK_STR(row.mapping, "a");
    CHECK_INT(row.version, 3);
    CHECK_STR(row.file, "m.toml");
    CHECK_STR(row.hash, "normal");
    CHECK_STR(row.target, "t");
    CHECK_STR(row.normal, "normal");
    CHECK_INT(row.applied_ms, 1234);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_against_rows),
        cmocka_unit_test(an_applied_version_without_a_file_is_lost_while_a_newer_one_waits),
        cmocka_unit_test(a_file_with_faults_hides_nothing),
        cmocka_unit_test(a_row_holds_what_is_compared_later),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
