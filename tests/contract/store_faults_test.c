/* store_faults: every write of the store with every call below it failing, one after another. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/buf.h"
#include "contract/store.h"
#include "harness/check.h"
#include "harness/sqlite_vfs.h"
#include "state/sqlite.h"

/* ---- what is tried ---- */

static bool
do_flow_save(struct store *store, struct err *err)
{
    const struct store_flow flow = {.system_id = "1",
                                    .database = "d",
                                    .slot = "s",
                                    .publication = "p",
                                    .checkpoint = 0x30,
                                    .has_started = true};

    return store->type->flow_save(store, &flow, err);
}

static bool
do_checkpoints_save(struct store *store, struct err *err)
{
    const struct store_checkpoint both[] = {
        {.mapping = "orders", .lsn = 0x30, .flags = STORE_STOPPED, .text = "gone"},
        {.mapping = "users", .lsn = 0x30, .text = ""},
    };

    return store->type->checkpoints_save(store, 0x30, both, 2, err);
}

static bool
do_checkpoints_reset(struct store *store, struct err *err)
{
    return store->type->checkpoints_reset(store, err);
}

static bool
do_migration_add(struct store *store, struct err *err)
{
    const struct store_migration one = {"users", 2, "f", "h", "users", "{}", 1};

    return store->type->migration_add(store, &one, err);
}

/* More than a page of them. */
static bool
do_dead_letters_add(struct store *store, struct err *err)
{
    static const char event[1500] = "event";
    struct store_dead_letter many[10];

    for (size_t i = 0; i < ARRAY_LEN(many); i++)
        many[i] = (struct store_dead_letter){.mapping = "users",
                                             .position = {0x30, i},
                                             .op = "",
                                             .event = {event, sizeof(event)},
                                             .kind = "data",
                                             .error = ""};
    return store->type->dead_letters_add(store, many, ARRAY_LEN(many), err);
}

static const struct store_journal_entry old_entry = {
    .id = SPAN_INIT("1"), .position = {0x10, 1}, .due_ms = 10};

static bool
do_journal_add(struct store *store, struct err *err)
{
    const struct store_journal_entry both[] = {
        {.id = SPAN_INIT("1"), .position = {0x20, 1}, .due_ms = 20},
        {.id = SPAN_INIT("2"), .position = {0x20, 2}, .due_ms = 20},
    };

    return store->type->journal_add(store, "users", both, 2, err);
}

static bool
do_journal_remove(struct store *store, struct err *err)
{
    return store->type->journal_remove(store, "users", &old_entry, 1, err);
}

static bool
do_unknown_put(struct store *store, struct err *err)
{
    return store->type->unknown_put(store, "users", 77, err);
}

static bool
do_meta_put(struct store *store, struct err *err)
{
    return store->type->meta_put(store, "k", SPAN("new"), err);
}

static const struct write {
    const char *name;
    bool (*run)(struct store *store, struct err *err);
} writes[] = {
    {"flow_save", do_flow_save},
    {"checkpoints_save", do_checkpoints_save},
    {"checkpoints_reset", do_checkpoints_reset},
    {"migration_add", do_migration_add},
    {"dead_letters_add", do_dead_letters_add},
    {"journal_add", do_journal_add},
    {"journal_remove", do_journal_remove},
    {"unknown_put", do_unknown_put},
    {"meta_put", do_meta_put},
};

/* ---- everything that a store holds, as text ---- */

static bool
dump_flow(struct store *store, struct arena *arena, struct buf *out, struct err *err)
{
    struct store_checkpoint *checkpoints;
    struct store_flow flow;
    size_t count;

    if (!store->type->flow_load(store, arena, &flow, err) ||
        !store->type->checkpoints_load(store, arena, &checkpoints, &count, err))
        return false;
    buf_putf(out, "flow %s %llX %d\n", flow.slot, (unsigned long long)flow.checkpoint,
             flow.has_started);
    for (size_t i = 0; i < count; i++)
        buf_putf(out, "checkpoint %s %llX %s\n", checkpoints[i].mapping,
                 (unsigned long long)checkpoints[i].lsn, checkpoints[i].text);
    return true;
}

static bool
dump_letters(struct store *store, struct arena *arena, struct buf *out, struct err *err)
{
    const struct store_dead_letter_filter all = {0};
    struct store_migration *migrations;
    struct store_dead_letter *letters;
    size_t count;

    if (!store->type->migrations_load(store, arena, &migrations, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        buf_putf(out, "migration %s %lld\n", migrations[i].mapping,
                 (long long)migrations[i].version);
    if (!store->type->dead_letters_list(store, &all, arena, &letters, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        buf_putf(out, "letter %llu %zu\n", (unsigned long long)letters[i].position.ordinal,
                 letters[i].event.len);
    return true;
}

static bool
dump_journal(struct store *store, struct arena *arena, struct buf *out, struct err *err)
{
    struct store_journal_entry *entries;
    int64_t bytes, total, due_ms, until_ms;
    struct span text;
    size_t count;

    if (!store->type->journal_due(store, "users", 100, 100, arena, &entries, &count, err) ||
        !store->type->journal_size(store, NULL, &bytes, &total, &due_ms, err) ||
        !store->type->unknown_get(store, "users", &until_ms, err) ||
        !store->type->meta_get(store, "k", arena, &text, err))
        return false;
    for (size_t i = 0; i < count; i++)
        buf_putf(out, "entry %.*s %llX\n", SPAN_ARG(entries[i].id),
                 (unsigned long long)entries[i].position.commit);
    buf_putf(out, "journal %lld %lld %lld\nunknown %lld\nmeta %.*s\n", (long long)bytes,
             (long long)total, (long long)due_ms, (long long)until_ms, SPAN_ARG(text));
    return true;
}

static bool
dump(struct store *store, struct buf *out, struct err *err)
{
    CLEANUP(arena_freep) struct arena *arena = arena_new("dump");

    buf_clear(out);
    return dump_flow(store, arena, out, err) && dump_letters(store, arena, out, err) &&
           dump_journal(store, arena, out, err);
}

/* ---- the fixture: what is there before, and what must be there after ---- */

#define DUMP_LIMIT 10000

struct fixture {
    char folder[32];
    char path[64];
    struct buf before, after, got;
    struct err err;
};

static int
setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    snprintf(f->folder, sizeof(f->folder), "/tmp/store-XXXXXX");
    CHECK(mkdtemp(f->folder));
    snprintf(f->path, sizeof(f->path), "%s/state.db", f->folder);
    f->before = f->after = f->got = buf_make(DUMP_LIMIT);
    *state = f;
    return 0;
}

static void
remove_file(struct fixture *f)
{
    static const char *const suffixes[] = {"", "-wal", "-shm", "-journal"};
    char name[80];

    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        snprintf(name, sizeof(name), "%s%s", f->path, suffixes[i]);
        unlink(name);
    }
}

static int
teardown(void **state)
{
    struct fixture *f = *state;

    sqlite_vfs_reset();
    remove_file(f);
    rmdir(f->folder);
    buf_free(&f->before);
    buf_free(&f->after);
    buf_free(&f->got);
    free(f);
    return 0;
}

static void
fill(struct store *store, struct err *err)
{
    const struct store_migration migration = {"users", 1, "f", "h", "users", "{}", 1};
    const struct store_checkpoint checkpoint = {.mapping = "users", .lsn = 0x10, .text = ""};

    CHECK_OK(store->type->migration_add(store, &migration, err), *err);
    CHECK_OK(store->type->checkpoints_save(store, 0x10, &checkpoint, 1, err), *err);
    CHECK_OK(store->type->journal_add(store, "users", &old_entry, 1, err), *err);
    CHECK_OK(store->type->meta_put(store, "k", SPAN("old"), err), *err);
}

/* The memory store says what is right. */
static void
expect(struct fixture *f, const struct write *write)
{
    CLEANUP(store_closep) struct store *store = NULL;

    CHECK_OK(state_memory_open(&store, &f->err), f->err);
    fill(store, &f->err);
    CHECK_OK(dump(store, &f->before, &f->err), f->err);
    CHECK_OK(write->run(store, &f->err), f->err);
    CHECK_OK(dump(store, &f->after, &f->err), f->err);
    CHECK(strcmp(f->before.ptr, f->after.ptr) != 0);
}

static struct store *
open_file(struct fixture *f)
{
    struct store *store;

    CHECK_OK(state_sqlite_open(f->path, STATE_CREATE, &store, &f->err), f->err);
    return store;
}

static void
make_file(struct fixture *f)
{
    struct store *store;

    remove_file(f);
    store = open_file(f);
    fill(store, &f->err);
    store_close(store);
}

static void
check_dump(struct fixture *f, struct store *store, const char *want, const char *what, int64_t skip)
{
    CHECK_OK(dump(store, &f->got, &f->err), f->err);
    if (strcmp(f->got.ptr, want) != 0)
        fail_msg("%s, fault after %lld calls: got\n%swant\n%s", what, (long long)skip, f->got.ptr,
                 want);
}

/* ---- faults that pass ---- */

static const struct fault {
    enum sqlite_vfs_call call;
    int code;
} faults[] = {
    {SQLITE_VFS_READ, SQLITE_IOERR_READ},
    {SQLITE_VFS_WRITE, SQLITE_FULL},
    {SQLITE_VFS_WRITE, SQLITE_IOERR_WRITE},
    {SQLITE_VFS_SYNC, SQLITE_IOERR_FSYNC},
};

/* false: the fault never came, the write needs fewer calls. */
static bool
fail_once(struct fixture *f, const struct write *write, const struct fault *fault, int64_t skip)
{
    CLEANUP(store_closep) struct store *store = NULL;
    bool done;

    make_file(f);
    store = open_file(f);
    sqlite_vfs_fail(fault->call, skip, fault->code);
    done = write->run(store, &f->err);
    if (!sqlite_vfs_has_failed()) {
        sqlite_vfs_reset();
        CHECK_OK(done, f->err);
        check_dump(f, store, f->after.ptr, write->name, skip);
        return false;
    }
    sqlite_vfs_reset();
    if (done) { /* what failed was not needed: copying the journal back into the file can wait */
        check_dump(f, store, f->after.ptr, write->name, skip);
        return true;
    }
    CHECK_INT(f->err.kind, ERR_TRANSIENT);
    check_dump(f, store, f->before.ptr, write->name, skip);
    CHECK_OK(write->run(store, &f->err), f->err); /* and so it is tried again */
    check_dump(f, store, f->after.ptr, write->name, skip);
    return true;
}

static void
rule_07_a_write_that_fails_has_written_nothing(void **state)
{
    struct fixture *f = *state;
    int64_t failed = 0;

    for (size_t w = 0; w < ARRAY_LEN(writes); w++) {
        expect(f, &writes[w]);
        for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
            for (int64_t skip = 0; fail_once(f, &writes[w], &faults[i], skip); skip++)
                failed++;
        }
    }
    CHECK(failed > 3 * (int64_t)ARRAY_LEN(writes)); /* or the faults came nowhere */
}

/* ---- faults that end the process ---- */

/* In a child that ends at the fault, with whatever has reached the files. */
static bool
die_once(struct fixture *f, const struct write *write, const struct fault *fault, int64_t skip)
{
    CLEANUP(store_closep) struct store *store = NULL;
    int status;
    pid_t pid;

    make_file(f);
    pid = fork();
    CHECK(pid >= 0);
    if (pid == 0) {
        store = open_file(f);
        sqlite_vfs_fail(fault->call, skip, fault->code);
        _exit(write->run(store, &f->err) ? 0 : sqlite_vfs_has_failed() ? 1 : 2);
    }
    CHECK_INT(waitpid(pid, &status, 0), pid);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) < 2);
    store = open_file(f);
    check_dump(f, store, WEXITSTATUS(status) == 0 ? f->after.ptr : f->before.ptr, write->name,
               skip);
    return WEXITSTATUS(status) == 1;
}

static void
rule_07_a_process_that_ends_in_a_write_has_written_all_or_nothing(void **state)
{
    struct fixture *f = *state;

    for (size_t w = 0; w < ARRAY_LEN(writes); w++) {
        expect(f, &writes[w]);
        for (int64_t skip = 0; die_once(f, &writes[w], &faults[1], skip); skip++)
            continue;
    }
}

/* ---- faults while opening ---- */

static void
an_open_that_fails_can_be_tried_again(void **state)
{
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(faults); i++) {
        bool hit = true;

        for (int64_t skip = 0; hit; skip++) {
            CLEANUP(store_closep) struct store *store = NULL;
            bool opened;

            remove_file(f);
            sqlite_vfs_fail(faults[i].call, skip, faults[i].code);
            opened = state_sqlite_open(f->path, STATE_CREATE, &store, &f->err);
            hit = sqlite_vfs_has_failed();
            sqlite_vfs_reset();
            if (!opened)
                CHECK_INT(f->err.kind, ERR_TRANSIENT);
            store_closep(&store);
            store = open_file(f);
            fill(store, &f->err);
        }
    }
}

/* ---- reads ---- */

static void
a_read_that_fails_can_be_tried_again(void **state)
{
    struct fixture *f = *state;
    bool hit = true;

    expect(f, &writes[0]);
    make_file(f);
    for (int64_t skip = 0; hit; skip++) {
        CLEANUP(store_closep) struct store *store = open_file(f);

        sqlite_vfs_fail(SQLITE_VFS_READ, skip, SQLITE_IOERR_READ);
        if (!dump(store, &f->got, &f->err))
            CHECK_INT(f->err.kind, ERR_TRANSIENT);
        hit = sqlite_vfs_has_failed();
        sqlite_vfs_reset();
        check_dump(f, store, f->before.ptr, "reading", skip);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rule_07_a_write_that_fails_has_written_nothing),
        TEST(rule_07_a_process_that_ends_in_a_write_has_written_all_or_nothing),
        TEST(an_open_that_fails_can_be_tried_again),
        TEST(a_read_that_fails_can_be_tried_again),
    };

    sqlite_vfs_install();
    return cmocka_run_group_tests_name("store_faults", tests, NULL, NULL);
}
