/* workspace: files and state, as every command finds them. */
#include "runner/workspace.h"

#include "base/clock.h"
#include "harness/check.h"
#include "harness/folder.h"

#define MIGRATION                                                                                  \
    "[migration]\nname = \"users\"\nversion = 1\n[source]\ntable = \"users\"\n[mapping]\n"         \
    "id = \"id\"\ncolumns = [\"id\"]\n[target]\ndestination = \"null\"\n"

struct fixture {
    struct folder folder;
    struct arena *arena;
    struct workspace ws;
};

static void
begin(struct fixture *f, const char *state)
{
    char text[1024];
    struct err err;

    *f = (struct fixture){.folder = folder_make(), .arena = arena_new("test")};
    snprintf(text, sizeof(text), "[postgres]\nconnection_string = \"host=x\"\n%s", state);
    folder_write(&f->folder, "puffgres.toml", text);
    folder_make_in(&f->folder, "puffgres");
    folder_make_in(&f->folder, "puffgres/migrations");
    folder_write(&f->folder, "puffgres/migrations/1_users.toml", MIGRATION);
    f->ws = workspace_make(f->arena);
    CHECK_OK(workspace_load(&f->ws, f->folder.path, &err), err);
    CHECK_OK(workspace_sound(&f->ws, "no", &err), err);
}

static void
done(struct fixture *f)
{
    workspace_close(&f->ws);
    folder_remove(&f->folder);
    arena_free(f->arena);
}

static void
looking_makes_no_state(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct stat st;
    struct err err;

    begin(&f, "");
    CHECK_OK(workspace_open_store(&f.ws, STATE_READ, &err), err);
    CHECK(!f.ws.store);
    CHECK(stat(folder_path(&f.folder, "puffgres/state"), &st) != 0);
    CHECK_OK(workspace_judge(&f.ws, &err), err);
    CHECK_INT(f.ws.applied.pending_count, 1);
    CHECK_INT(f.ws.applied.active_count, 0);
}

static void
what_was_recorded_is_found_again(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct store_migration row;
    struct err err;

    begin(&f, "[state]\npath = \"here.db\"\n");
    CHECK_OK(workspace_open_store(&f.ws, STATE_CREATE, &err), err);
    row = applied_row(&f.ws.project.migrations[0], clock_wall_ms());
    CHECK_OK(f.ws.store->type->migration_add(f.ws.store, &row, &err), err);
    store_closep(&f.ws.store);
    CHECK_OK(workspace_open_store(&f.ws, STATE_READ, &err), err);
    CHECK(f.ws.store);
    CHECK_OK(workspace_judge(&f.ws, &err), err);
    CHECK_INT(f.ws.applied.pending_count, 0);
    CHECK_INT(f.ws.applied.active_count, 1);
    CHECK_INT(access(folder_path(&f.folder, "here.db"), F_OK), 0);
}

static void
memory_is_made_only_for_a_run(void **state UNUSED)
{
    CLEANUP(done) struct fixture f;
    struct err err;

    begin(&f, "[state]\nbackend = \"memory\"\n");
    CHECK_OK(workspace_open_store(&f.ws, STATE_READ, &err), err);
    CHECK(!f.ws.store);
    CHECK_OK(workspace_open_store(&f.ws, STATE_CREATE, &err), err);
    CHECK(f.ws.store && !f.ws.store->type->persistent);
}

static void
faults_are_counted(void **state UNUSED)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("test");
    struct workspace ws = workspace_make(arena);
    struct err err;

    report_add(&ws.report, SEVERITY_WARNING, "x", NULL, "a warning is no fault");
    CHECK_OK(workspace_sound(&ws, "nothing was started", &err), err);
    report_add(&ws.report, SEVERITY_ERROR, "x", NULL, "one");
    CHECK_FAILS(workspace_sound(&ws, "nothing was started", &err), err, ERR_CONFIG,
                "1 fault; nothing was started");
    report_add(&ws.report, SEVERITY_ERROR, "x", NULL, "two");
    CHECK_FAILS(workspace_sound(&ws, "nothing was started", &err), err, ERR_CONFIG,
                "2 faults; nothing was started");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(looking_makes_no_state),
        cmocka_unit_test(what_was_recorded_is_found_again),
        cmocka_unit_test(memory_is_made_only_for_a_run),
        cmocka_unit_test(faults_are_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
