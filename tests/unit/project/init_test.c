/* init: a project that loads, and that never overwrites another. */
#include "project/init.h"

#include "base/file.h"
#include "harness/check.h"
#include "harness/findings.h"
#include "harness/folder.h"
#include "project/project.h"

static const char *const destinations[] = {"turbopuffer", NULL};

static void
makes_a_project_that_loads(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(folder_remove) struct folder folder = folder_make();
    struct report report = report_make(arena);
    struct project project;
    struct stat st;
    char path[128];
    struct err err;

    snprintf(path, sizeof(path), "%s/a/b/", folder.path);
    CHECK_OK(init_project(path, arena, &err), err);
    folder_write(&folder, "a/b/puffgres/migrations/0001_users.toml", init_example);
    CHECK_OK(project_load(path, destinations, arena, &report, &project, &err), err);
    CHECK_FINDINGS(&report, "");
    CHECK_INT(project.count, 1);
    CHECK_STR(project.migrations[0].mapping.table, "users");
    CHECK(stat(folder_path(&folder, "a/b/puffgres/transforms/README.md"), &st) == 0);
    CHECK(stat(folder_path(&folder, "a/b/puffgres/state"), &st) == 0);
    CHECK_INT(st.st_mode & 0777, 0700);
}

static void
leaves_a_project_alone(void **state UNUSED)
{
    static const char *const files[] = {"puffgres.toml", "puffgres/puffgres.toml"};

    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        CLEANUP(arena_freep) struct arena *arena = arena_new("test");
        CLEANUP(folder_remove) struct folder folder = folder_make();
        struct span text;
        struct stat st;
        struct err err;

        folder_make_in(&folder, "puffgres");
        folder_write(&folder, files[i], "mine");
        CHECK(!init_project(folder.path, arena, &err));
        CHECK_INT(err.kind, ERR_CONFIG);
        CHECK(strstr(err.text, "exists already and is left alone"));
        CHECK_OK(file_read(folder_path(&folder, files[i]), 100, arena, &text, &err), err);
        CHECK_SPAN(text, "mine");
        CHECK(stat(folder_path(&folder, "puffgres/migrations"), &st) != 0);
    }
}

/* A file where a folder should be, a README that somebody wrote. */
static void
says_what_is_in_the_way(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    CLEANUP(folder_remove) struct folder folder = folder_make();
    struct err err;

    folder_write(&folder, "puffgres", "a file");
    CHECK(!init_project(folder.path, arena, &err));
    CHECK_INT(err.kind, ERR_CONFIG);
    CHECK(strstr(err.text, "cannot make folder"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(makes_a_project_that_loads),
        cmocka_unit_test(leaves_a_project_alone),
        cmocka_unit_test(says_what_is_in_the_way),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
