/* project: all files together, and what they may not say together. */
#include "project/project.h"

#include "harness/check.h"
#include "harness/findings.h"
#include "harness/folder.h"

static const char *const destinations[] = {"turbopuffer", "null", "stdout", NULL};

struct loaded {
    struct folder folder;
    struct arena *arena;
    struct report report;
    struct project project;
};

static struct loaded
begin(void)
{
    struct loaded loaded = {.folder = folder_make(), .arena = arena_new("test")};

    loaded.report = report_make(loaded.arena);
    folder_write(&loaded.folder, "puffgres.toml", "[postgres]\nconnection_string = \"host=x\"\n");
    folder_make_in(&loaded.folder, "puffgres");
    folder_make_in(&loaded.folder, "puffgres/migrations");
    return loaded;
}

static void
done(struct loaded *loaded)
{
    folder_remove(&loaded->folder);
    arena_free(loaded->arena);
}

static void
add(struct loaded *loaded, const char *file, const char *name, int version, const char *table,
    const char *target)
{
    char path[256], text[1024];

    snprintf(path, sizeof(path), "puffgres/migrations/%s", file);
    snprintf(text, sizeof(text),
             "[migration]\nname = \"%s\"\nversion = %d\n[source]\ntable = \"%s\"\n[mapping]\n"
             "id = \"id\"\ncolumns = [\"id\"]\n[target]\n%s\n",
             name, version, table, target);
    folder_write(&loaded->folder, path, text);
}

static void
finish(struct loaded *loaded)
{
    struct err err;

    CHECK_OK(project_load(loaded->folder.path, destinations, loaded->arena, &loaded->report,
                          &loaded->project, &err),
             err);
}

static void
files_come_in_the_order_of_their_numbers(void **state UNUSED)
{
    static const char *const want[] = {"a2", "b2", "c10", "d"};
    CLEANUP(done) struct loaded loaded = begin();

    add(&loaded, "0010_c.toml", "c10", 1, "c", "namespace = \"c\"");
    add(&loaded, "users.toml", "d", 1, "d", "namespace = \"d\"");
    add(&loaded, "2_b.toml", "b2", 1, "b", "namespace = \"b\"");
    add(&loaded, "002_a.toml", "a2", 1, "a", "namespace = \"a\"");
    add(&loaded, ".hidden.toml", "x", 1, "x", "namespace = \"x\"");
    add(&loaded, "README.md", "x", 1, "x", "namespace = \"x\"");
    finish(&loaded);
    CHECK_FINDINGS(&loaded.report, "");
    CHECK_INT(loaded.project.count, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++)
        CHECK_STR(loaded.project.migrations[i].mapping.name, want[i]);
    CHECK_STR(loaded.project.migrations[0].mapping.file, "puffgres/migrations/002_a.toml");
}

static void
the_version_inside_counts(void **state UNUSED)
{
    CLEANUP(done) struct loaded loaded = begin();

    add(&loaded, "001_users.toml", "users", 7, "users", "namespace = \"users\"");
    add(&loaded, "002_users.toml", "users", 3, "users", "namespace = \"users\"");
    finish(&loaded);
    CHECK_FINDINGS(&loaded.report, "");
    CHECK_INT(project_newest(&loaded.project, "users")->mapping.version, 7);
    CHECK(!project_newest(&loaded.project, "people"));
}

static void
a_version_is_there_once(void **state UNUSED)
{
    CLEANUP(done) struct loaded loaded = begin();

    add(&loaded, "001_users.toml", "users", 1, "users", "namespace = \"users\"");
    add(&loaded, "002_users.toml", "users", 1, "users", "namespace = \"users\"");
    finish(&loaded);
    CHECK_FINDINGS(&loaded.report,
                   "puffgres/migrations/002_users.toml:1:1: version 1 of mapping users is in "
                   "puffgres/migrations/001_users.toml already; give this one the next number\n");
}

static void
mappings_do_not_share_a_namespace(void **state UNUSED)
{
    CLEANUP(done) struct loaded loaded = begin();

    add(&loaded, "1_a.toml", "a", 1, "a", "namespace = \"n\"");
    add(&loaded, "2_b.toml", "b", 1, "b", "namespace = \"n\"");
    add(&loaded, "3_c.toml", "c", 1, "a", "namespace = \"n\"");
    add(&loaded, "4_d.toml", "d", 1, "d", "destination = \"stdout\"\nnamespace = \"n\"");
    add(&loaded, "5_e.toml", "e", 1, "e", "destination = \"stdout\"\nnamespace = \"n\"");
    finish(&loaded);
    CHECK_FINDINGS(&loaded.report,
                   "puffgres/migrations/2_b.toml:1:1: mappings a and b write different tables into "
                   "namespace n; give each its own namespace\n"
                   "puffgres/migrations/3_c.toml:1:1: mappings a and c both write one table into "
                   "namespace n; join their conditions with OR in one mapping\n"
                   "puffgres/migrations/3_c.toml:1:1: mappings b and c write different tables into "
                   "namespace n; give each its own namespace\n");
}

/* The namespace of a version that a newer one has replaced is free. */
static void
only_the_newest_versions_count(void **state UNUSED)
{
    CLEANUP(done) struct loaded loaded = begin();

    add(&loaded, "1_a.toml", "a", 1, "a", "namespace = \"n\"");
    add(&loaded, "2_a.toml", "a", 2, "a", "namespace = \"m\"");
    add(&loaded, "3_b.toml", "b", 1, "b", "namespace = \"n\"");
    finish(&loaded);
    CHECK_FINDINGS(&loaded.report, "");
}

static void
all_faults_of_all_files_in_one_go(void **state UNUSED)
{
    CLEANUP(done) struct loaded loaded = begin();

    folder_write(&loaded.folder, "puffgres.toml", "[postgres]\nslot = 1\n");
    add(&loaded, "1_a.toml", "a", 0, "a", "namespace = \"n\"");
    add(&loaded, "2_b.toml", "b", 1, "b", "namespce = \"n\"");
    finish(&loaded);
    CHECK_INT(loaded.report.count[SEVERITY_ERROR], 5);
    CHECK_INT(loaded.project.count, 0);
}

static void
an_empty_project_says_what_to_write(void **state UNUSED)
{
    CLEANUP(done) struct loaded loaded = begin();

    finish(&loaded);
    CHECK_INT(loaded.report.count[SEVERITY_ERROR], 1);
    CHECK_STR(
        loaded.report.first->text,
        "no migration is there; write one, such as 0001_users.toml (README.md beside it shows "
        "how)");
}

static void
a_missing_folder_is_named(void **state UNUSED)
{
    CLEANUP(done) struct loaded loaded = begin();
    struct err err;

    CHECK(rmdir(folder_path(&loaded.folder, "puffgres/migrations")) == 0);
    CHECK(!project_load(loaded.folder.path, destinations, loaded.arena, &loaded.report,
                        &loaded.project, &err));
    CHECK_INT(err.kind, ERR_CONFIG);
    CHECK(strstr(err.text, "puffgres/migrations: No such file or directory"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_come_in_the_order_of_their_numbers),
        cmocka_unit_test(the_version_inside_counts),
        cmocka_unit_test(a_version_is_there_once),
        cmocka_unit_test(mappings_do_not_share_a_namespace),
        cmocka_unit_test(only_the_newest_versions_count),
        cmocka_unit_test(all_faults_of_all_files_in_one_go),
        cmocka_unit_test(an_empty_project_says_what_to_write),
        cmocka_unit_test(a_missing_folder_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
