/* store_file: the state file as others meet it: rights, damage, versions, crashes, full disks. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "contract/store.h"
#include "harness/check.h"
#include "harness/sqlite_vfs.h"
#include "state/db.h"
#include "state/db_schema.h"
#include "state/sqlite.h"

struct fixture {
    char folder[32];
    char path[64]; /* folder/state/state.db: the folder of the file does not exist yet */
    struct arena *arena;
    struct err err;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    snprintf(f->folder, sizeof(f->folder), "/tmp/store-XXXXXX");
    CHECK(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/state/state.db", f->folder);
    f->arena = arena_new("test");
    *state = f;
    return 0;
}

static int
teardown(void **state)
{
    static const char *const names[] = {"state/state.db",
                                        "state/state.db-wal",
                                        "state/state.db-shm",
                                        "state/state.db-journal",
                                        "state",
                                        ""};
    struct fixture *f = *state;
    char name[96];

    sqlite_vfs_reset();
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(name, sizeof(name), "%s/%s", f->folder, names[i]);
        if (unlink(name) != 0)
            rmdir(name);
    }
    arena_free(f->arena);
    free(f);
    return 0;
}

/* ---- short forms ---- */

static struct store *
open_file(struct fixture *f, enum state_access access)
{
    struct store *store;

    CHECK_OK(state_sqlite_open(f->path, access, &store, &f->err), f->err);
    return store;
}

static void
make_file(struct fixture *f)
{
    store_close(open_file(f, STATE_CREATE));
}

/* The open must fail as CONFIG, with %s in want_text standing for the path. */
static void
check_refused(struct fixture *f, enum state_access access, const char *want_text)
{
    CLEANUP(buf_free) struct buf want = buf_make(1000);
    const char *mark = strstr(want_text, "%s");
    struct store *store;

    CHECK(mark);
    buf_putf(&want, "%.*s%s%s", (int)(mark - want_text), want_text, f->path, mark + 2);
    CHECK_FAILS(state_sqlite_open(f->path, access, &store, &f->err), f->err, ERR_CONFIG, want.ptr);
}

/* Statements on the file behind the store's back. */
static void
run_sql(const char *path, const char *sql)
{
    sqlite3 *handle;
    char *text = NULL;

    CHECK_INT(sqlite3_open(path, &handle), SQLITE_OK);
    if (sqlite3_exec(handle, sql, NULL, NULL, &text) != SQLITE_OK)
        fail_msg("%s: %s", sql, text);
    sqlite3_close(handle);
}

static void
write_bytes(const char *path, off_t offset, const char *bytes, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

    CHECK(fd >= 0);
    CHECK_INT(pwrite(fd, bytes, len, offset), len);
    close(fd);
}

static mode_t
mode_of(const char *path)
{
    struct stat st;

    if (stat(path, &st) != 0)
        fail_msg("%s: %s", path, strerror(errno));
    return st.st_mode & 07777;
}

static bool
save(struct store *store, lsn_t lsn, struct err *err)
{
    struct store_checkpoint one = {.mapping = "users", .lsn = lsn, .text = ""};

    return store->type->checkpoints_save(store, lsn, &one, 1, err);
}

static lsn_t
load(struct fixture *f, struct store *store)
{
    struct store_flow flow;

    CHECK_OK(store->type->flow_load(store, f->arena, &flow, &f->err), f->err);
    return flow.checkpoint;
}

/* ---- rights ---- */

static void
files_are_private(void **state)
{
    struct fixture *f = *state;
    mode_t old = umask(0);
    CLEANUP(store_closep) struct store *store = open_file(f, STATE_CREATE);
    char name[96];

    umask(old);
    CHECK_OK(save(store, 1, &f->err), f->err);
    snprintf(name, sizeof(name), "%s/state", f->folder);
    CHECK_INT(mode_of(name), 0700);
    CHECK_INT(mode_of(f->path), 0600);
    snprintf(name, sizeof(name), "%s-wal", f->path);
    CHECK_INT(mode_of(name), 0600);
    snprintf(name, sizeof(name), "%s-shm", f->path);
    CHECK_INT(mode_of(name), 0600);
}

static void
a_file_that_others_can_read_is_made_private(void **state)
{
    struct fixture *f = *state;
    char folder[64];

    make_file(f);
    CHECK_INT(chmod(f->path, 0644), 0);
    snprintf(folder, sizeof(folder), "%s/state", f->folder);
    CHECK_INT(chmod(folder, 0755), 0);
    make_file(f);
    CHECK_INT(mode_of(f->path), 0600);
    CHECK_INT(mode_of(folder), 0755); /* not ours to change: it may be anybody's */
}

static void
the_file_must_be_there(void **state)
{
    struct fixture *f = *state;
    static const char want[] = "state %s: there is no such file; `puffgres migrate` makes it";

    check_refused(f, STATE_READ, want);
    check_refused(f, STATE_WRITE, want);
    make_file(f);
    store_close(open_file(f, STATE_READ));
    store_close(open_file(f, STATE_WRITE));
}

static void
a_path_must_be_a_file_name(void **state)
{
    struct fixture *f = *state;
    static const char *const paths[] = {"", ":memory:"};
    struct store *store;

    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        CHECK(!state_sqlite_open(paths[i], STATE_CREATE, &store, &f->err));
        CHECK_INT(f->err.kind, ERR_CONFIG);
        CHECK(strstr(f->err.text, "is not a file name; set [state] path to one"));
    }
    snprintf(f->path, sizeof(f->path), "%s", f->folder);
    check_refused(f, STATE_CREATE, "state %s: this is not a file; set [state] path to one");
}

static void
only_the_last_folder_is_made(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf want = buf_make(300);
    struct store *store;

    snprintf(f->path, sizeof(f->path), "%s/a/b/state.db", f->folder);
    buf_putf(&want,
             "state %s/a/b: cannot make the folder: No such file or directory; its parent must "
             "exist and be writable by this user",
             f->folder);
    CHECK_FAILS(state_sqlite_open(f->path, STATE_CREATE, &store, &f->err), f->err, ERR_CONFIG,
                want.ptr);
}

/* Root may do everything: as somebody else, in a child.  Returns what `run` returned. */
static int
as_nobody(struct fixture *f, int (*run)(struct fixture *f))
{
    pid_t pid;
    int status;

    if (geteuid() == 0) {
        char folder[64];

        snprintf(folder, sizeof(folder), "%s/state", f->folder);
        CHECK_INT(chown(f->folder, 65534, 65534), 0);
        CHECK_INT(chown(folder, 65534, 65534), 0);
        CHECK_INT(chown(f->path, 65534, 65534), 0);
    }
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        _exit(geteuid() == 0 && setuid(65534) != 0 ? 99 : run(f));
    CHECK_INT(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* 0: refused as configuration, naming the rights. */
static int
is_refused(struct fixture *f)
{
    struct store *store;

    if (state_sqlite_open(f->path, STATE_CREATE, &store, &f->err))
        return 1;
    if (f->err.kind != ERR_CONFIG)
        return 2;
    return strstr(f->err.text, "writable by this user") ? 0 : 3;
}

static void
a_folder_without_the_right_to_write(void **state)
{
    struct fixture *f = *state;
    char folder[64];

    make_file(f);
    snprintf(folder, sizeof(folder), "%s/state", f->folder);
    CHECK_INT(chmod(folder, 0500), 0);
    CHECK_INT(as_nobody(f, is_refused), 0);
    CHECK_INT(chmod(folder, 0000), 0);
    CHECK_INT(as_nobody(f, is_refused), 0);
    CHECK_INT(chmod(folder, 0700), 0);
}

/* ---- whose file, of which version ---- */

static void
a_file_of_another_program_stays_as_it_is(void **state)
{
    struct fixture *f = *state;
    static const char want[] = "state %s: this is the SQLite database of another program; set "
                               "[state] path to a file of its own";

    make_file(f);
    CHECK_INT(unlink(f->path), 0);
    run_sql(f->path, "CREATE TABLE orders (id INTEGER)");
    check_refused(f, STATE_CREATE, want);
    check_refused(f, STATE_READ, want);
    run_sql(f->path, "INSERT INTO orders VALUES (1); DROP TABLE orders;"
                     "PRAGMA application_id = 1234");
    check_refused(f, STATE_CREATE, want);
    run_sql(f->path, "PRAGMA application_id = 0");
    make_file(f); /* empty: nobody's */
}

static void
an_empty_file_is_a_new_one(void **state)
{
    struct fixture *f = *state;

    make_file(f);
    CHECK_INT(truncate(f->path, 0), 0); /* a crash between making the file and its tables */
    make_file(f);
}

static void
a_newer_version_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char want[] =
        "state %s: schema version 99 is newer than this program, which knows up to 1; use the "
        "newer program, or move the file away to start again";

    make_file(f);
    run_sql(f->path, "PRAGMA user_version = 99");
    check_refused(f, STATE_CREATE, want);
    check_refused(f, STATE_WRITE, want);
    check_refused(f, STATE_READ, want);
}

static void
an_older_version_is_for_writers_to_update(void **state)
{
    struct fixture *f = *state;

    make_file(f);
    CHECK_INT(unlink(f->path), 0);
    run_sql(f->path, "PRAGMA application_id = 1349871206");
    check_refused(f, STATE_READ,
                  "state %s: schema version 0 is older than this program's 1; `puffgres migrate` "
                  "brings it up to date");
    make_file(f);
    store_close(open_file(f, STATE_READ));
}

static int64_t
version_of(const char *path)
{
    sqlite3 *handle;
    sqlite3_stmt *statement;
    int64_t version;

    CHECK_INT(sqlite3_open(path, &handle), SQLITE_OK);
    CHECK_INT(sqlite3_prepare_v2(handle, "PRAGMA user_version", -1, &statement, NULL), SQLITE_OK);
    CHECK_INT(sqlite3_step(statement), SQLITE_ROW);
    version = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(handle);
    return version;
}

static void
schema_steps_run_once_and_all_or_none(void **state)
{
    struct fixture *f = *state;
    const char *steps[] = {sql_steps[0], "CREATE TABLE __puffgres_extra (n INTEGER)",
                           "INSERT INTO __puffgres_extra VALUES (3)"};
    const char *broken[] = {steps[0], steps[1], "INSERT INTO __puffgres_missing VALUES (3)"};
    CLEANUP(db_closep) struct db *db = NULL;

    make_file(f);
    CHECK_INT(version_of(f->path), 1);
    CHECK_OK(db_open(f->path, STATE_WRITE, &db, &f->err), f->err);
    CHECK(!db_schema_update(db, broken, 3, &f->err));
    CHECK_INT(f->err.kind, ERR_BUG);
    CHECK(strstr(f->err.text, "schema step 3: "));
    CHECK_INT(version_of(f->path), 1); /* and no __puffgres_extra, or the next would fail */
    CHECK_OK(db_schema_update(db, steps, 3, &f->err), f->err);
    CHECK_INT(version_of(f->path), 3);
    CHECK_OK(db_schema_update(db, steps, 3, &f->err), f->err);
    run_sql(f->path, "CREATE TABLE check_once AS SELECT n FROM __puffgres_extra");
    run_sql(f->path, "CREATE UNIQUE INDEX one_row ON check_once (n)");
}

/* ---- damage ---- */

static void
a_damaged_file_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char damage[4096] = "damage";
    static const char want[] = "state %s: database disk image is malformed; restore it from a "
                               "backup, or move it away and start again with `puffgres run "
                               "--from-lsn`";

    make_file(f);
    write_bytes(f->path, 4096, damage, sizeof(damage)); /* the second page: a root of a table */
    check_refused(f, STATE_CREATE, want);
    check_refused(f, STATE_WRITE, want);
}

static void
a_text_is_no_state_file(void **state)
{
    struct fixture *f = *state;
    static const char text[] = "version = 1\n# a file that somebody has named by mistake\n";

    make_file(f);
    CHECK_INT(truncate(f->path, 0), 0);
    write_bytes(f->path, 0, text, sizeof(text) - 1);
    check_refused(f, STATE_CREATE,
                  "state %s: file is not a database; restore it from a backup, or move it away and "
                  "start again with `puffgres run --from-lsn`");
}

static void
an_edited_position_is_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const edits[] = {
        "UPDATE __puffgres_checkpoints SET lsn = '0/16B3748'",
        "UPDATE __puffgres_checkpoints SET lsn = '00000000-016B3748'",
        "UPDATE __puffgres_checkpoints SET lsn = '00000000/00000001',"
        " truncate_position = '00000000/000000000000000000000007'",
        "UPDATE __puffgres_checkpoints SET truncate_position = "
        "'00000000/00000000.00000000000000x7'",
    };

    for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
        CLEANUP(store_closep) struct store *store = open_file(f, STATE_CREATE);
        struct store_checkpoint *checkpoints;
        size_t count;

        CHECK_OK(store->type->checkpoints_reset(store, &f->err), f->err);
        CHECK_OK(save(store, 1, &f->err), f->err);
        run_sql(f->path, edits[i]);
        CHECK(!store->type->checkpoints_load(store, f->arena, &checkpoints, &count, &f->err));
        CHECK_INT(f->err.kind, ERR_CONFIG);
        CHECK(strstr(f->err.text, "is not a position that this program has written"));
    }
}

/* ---- full disks and failing ones ---- */

static void
a_full_disk_is_waited_for(void **state)
{
    struct fixture *f = *state;
    CLEANUP(buf_free) struct buf want = buf_make(300);
    CLEANUP(store_closep) struct store *store = open_file(f, STATE_CREATE);

    CHECK_OK(save(store, 0x10, &f->err), f->err);
    sqlite_vfs_fail(SQLITE_VFS_WRITE, 0, SQLITE_FULL);
    buf_putf(&want,
             "saving the checkpoint: state %s: database or disk is full; free some space on its "
             "disk",
             f->path);
    CHECK_FAILS(save(store, 0x20, &f->err), f->err, ERR_TRANSIENT, want.ptr);
    CHECK_INT(load(f, store), 0x10);
    CHECK_FAILS(save(store, 0x20, &f->err), f->err, ERR_TRANSIENT, want.ptr);
    sqlite_vfs_reset();
    CHECK_OK(save(store, 0x20, &f->err), f->err); /* the same store goes on */
    CHECK_INT(load(f, store), 0x20);
}

static void
rule_07_a_failed_fsync_is_no_checkpoint(void **state)
{
    struct fixture *f = *state;
    CLEANUP(store_closep) struct store *store = open_file(f, STATE_CREATE);

    CHECK_OK(save(store, 0x10, &f->err), f->err);
    sqlite_vfs_fail(SQLITE_VFS_SYNC, 0, SQLITE_IOERR_FSYNC);
    CHECK(!save(store, 0x20, &f->err));
    CHECK_INT(f->err.kind, ERR_TRANSIENT);
    CHECK(strstr(f->err.text, "disk I/O error"));
    sqlite_vfs_reset();
    CHECK_OK(save(store, 0x20, &f->err), f->err);
    CHECK_INT(load(f, store), 0x20);
}

static void
rule_07_every_commit_is_synced_after_its_last_write(void **state)
{
    struct fixture *f = *state;
    CLEANUP(store_closep) struct store *store = open_file(f, STATE_CREATE);
    int64_t syncs;

    CHECK_OK(save(store, 0x10, &f->err), f->err);
    for (lsn_t lsn = 0x11; lsn < 0x20; lsn++) {
        syncs = sqlite_vfs_syncs();
        CHECK_OK(save(store, lsn, &f->err), f->err);
        CHECK(sqlite_vfs_syncs() > syncs);
        CHECK(!sqlite_vfs_unsynced()); /* nothing was written after the last sync */
    }
}

static void
no_space_for_a_new_file(void **state)
{
    struct fixture *f = *state;
    struct store *store;

    sqlite_vfs_fail(SQLITE_VFS_WRITE, 0, SQLITE_FULL);
    CHECK(!state_sqlite_open(f->path, STATE_CREATE, &store, &f->err));
    CHECK_INT(f->err.kind, ERR_TRANSIENT);
    sqlite_vfs_reset();
    make_file(f); /* what was left behind does not hinder */
}

/* ---- crashes ---- */

/* Saves 1, 2, 3, ... and tells each one's number once it was saved, until it is killed. */
static void
save_for_ever(struct fixture *f, int tell)
{
    struct store *store;
    struct store_dead_letter letter = {.mapping = "users", .op = "", .kind = "data", .error = ""};

    if (!state_sqlite_open(f->path, STATE_CREATE, &store, &f->err))
        _exit(1);
    for (uint32_t n = 1;; n++) {
        letter.position.commit = n;
        if (!store->type->dead_letters_add(store, &letter, 1, &f->err) ||
            !save(store, n, &f->err) || write(tell, &n, sizeof(n)) != sizeof(n))
            _exit(1);
    }
}

/* The last number that was told by a child that is killed after `after` of them. */
static uint32_t
last_told(struct fixture *f, uint32_t after)
{
    uint32_t n = 0, got;
    int ends[2], status;
    pid_t pid;

    CHECK_INT(pipe(ends), 0);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0)
        save_for_ever(f, ends[1]);
    close(ends[1]);
    while (read(ends[0], &got, sizeof(got)) == sizeof(got)) {
        n = got;
        if (n == after)
            kill(pid, SIGKILL);
    }
    close(ends[0]);
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFSIGNALED(status));
    return n;
}

static void
rule_07_a_killed_process_has_lost_nothing_it_told(void **state)
{
    struct fixture *f = *state;
    static const uint32_t after[] = {1, 2, 17, 60};

    for (size_t i = 0; i < ARRAY_LEN(after); i++) {
        uint32_t told = last_told(f, after[i]);
        CLEANUP(store_closep) struct store *store = open_file(f, STATE_WRITE);
        int64_t letters;
        lsn_t saved = load(f, store);

        CHECK(told >= after[i]);
        CHECK(saved == told || saved == told + 1); /* killed between saving and telling */
        CHECK_OK(store->type->dead_letters_count(store, NULL, &letters, &f->err), f->err);
        CHECK(letters == (int64_t)saved || letters == (int64_t)saved + 1);
        store_closep(&store);
        CHECK_INT(unlink(f->path), 0);
    }
}

/* ---- two processes ---- */

static void
readers_see_what_a_living_writer_has_saved(void **state)
{
    struct fixture *f = *state;
    CLEANUP(store_closep) struct store *run = open_file(f, STATE_CREATE);
    CLEANUP(store_closep) struct store *status = open_file(f, STATE_READ);

    for (lsn_t lsn = 1; lsn < 10; lsn++) {
        CHECK_OK(save(run, lsn, &f->err), f->err);
        CHECK_INT(load(f, status), lsn);
    }
}

static void
a_reader_does_not_wait_for_a_writer(void **state)
{
    struct fixture *f = *state;
    CLEANUP(store_closep) struct store *status = NULL;
    sqlite3 *other;

    make_file(f);
    status = open_file(f, STATE_READ);
    CHECK_INT(sqlite3_open(f->path, &other), SQLITE_OK);
    CHECK_INT(sqlite3_exec(other, "BEGIN IMMEDIATE; DELETE FROM __puffgres_meta", 0, 0, 0), 0);
    CHECK_INT(load(f, status), 0);
    sqlite3_close(other);
}

static int
save_in_child(struct fixture *f, lsn_t first)
{
    struct store *store;
    struct store_dead_letter letter = {.mapping = "users", .op = "", .kind = "data", .error = ""};

    if (!state_sqlite_open(f->path, STATE_CREATE, &store, &f->err))
        return 1;
    for (lsn_t i = 0; i < 25; i++) {
        letter.position.commit = first + i;
        if (!store->type->dead_letters_add(store, &letter, 1, &f->err))
            return 2;
    }
    store_close(store);
    return 0;
}

static void
processes_that_start_together_share_one_file(void **state)
{
    struct fixture *f = *state;
    CLEANUP(store_closep) struct store *store = NULL;
    pid_t pids[4];
    int64_t letters;
    int status;

    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        pids[i] = fork();
        CHECK(pids[i] >= 0);
        if (pids[i] == 0)
            _exit(save_in_child(f, 1000 * i + 1));
    }
    for (size_t i = 0; i < ARRAY_LEN(pids); i++) {
        CHECK_INT(waitpid(pids[i], &status, 0), pids[i]);
        CHECK_INT(status, 0);
    }
    store = open_file(f, STATE_READ);
    CHECK_OK(store->type->dead_letters_count(store, NULL, &letters, &f->err), f->err);
    CHECK_INT(letters, 25 * (int64_t)ARRAY_LEN(pids));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(files_are_private),
        TEST(a_file_that_others_can_read_is_made_private),
        TEST(the_file_must_be_there),
        TEST(a_path_must_be_a_file_name),
        TEST(only_the_last_folder_is_made),
        TEST(a_folder_without_the_right_to_write),
        TEST(a_file_of_another_program_stays_as_it_is),
        TEST(an_empty_file_is_a_new_one),
        TEST(a_newer_version_is_refused),
        TEST(an_older_version_is_for_writers_to_update),
        TEST(schema_steps_run_once_and_all_or_none),
        TEST(a_damaged_file_is_refused),
        TEST(a_text_is_no_state_file),
        TEST(an_edited_position_is_refused),
        TEST(a_full_disk_is_waited_for),
        TEST(rule_07_a_failed_fsync_is_no_checkpoint),
        TEST(rule_07_every_commit_is_synced_after_its_last_write),
        TEST(no_space_for_a_new_file),
        TEST(rule_07_a_killed_process_has_lost_nothing_it_told),
        TEST(readers_see_what_a_living_writer_has_saved),
        TEST(a_reader_does_not_wait_for_a_writer),
        TEST(processes_that_start_together_share_one_file),
    };

    sqlite_vfs_install();
    return cmocka_run_group_tests_name("store_file", tests, NULL, NULL);
}
